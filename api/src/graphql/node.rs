//! The Node interface: any object by its id, in the caller's scope.

use async_graphql::{Context, ID, Interface, Result};
use domain::{access::Actor, ids::AnyId};

use super::{
    context::Ask,
    object::{
        AccessAssignment, AccessLevel, AccessToken, Alert, ApiKey, Command, Credential, Device, Door, Event,
        Organization, Placement, Reservation, Schedule, Site, User, VendorAccount, VendorRecord, WebhookDelivery,
        may_see_deliveries, may_see_people, may_see_stays, neighbour,
    },
};

/// Anything with an id.
#[derive(Clone, Interface)]
#[graphql(field(name = "id", ty = "ID", desc = "Its id: a type prefix and 26 characters, ordered by time."))]
pub(crate) enum Node {
    Organization(Organization),
    Site(Site),
    VendorAccount(VendorAccount),
    Device(Device),
    Door(Door),
    User(User),
    Command(Command),
    Event(Event),
    VendorRecord(VendorRecord),
    WebhookDelivery(WebhookDelivery),
    Reservation(Reservation),
    Credential(Credential),
    AccessLevel(AccessLevel),
    AccessAssignment(AccessAssignment),
    Schedule(Schedule),
    AccessToken(AccessToken),
    Placement(Placement),
    Alert(Alert),
    ApiKey(ApiKey),
}

/// The object behind an id. An absent one, one that the caller does not see and a malformed id are all the same: null.
pub(crate) async fn find(context: &Context<'_>, id: &ID) -> Option<Result<Node>> {
    let (principal, now) = match context.caller().and_then(|caller| Ok((caller, context.shared()?))) {
        Ok((caller, shared)) => (&caller.session.principal, shared.clock.now()),
        Err(error) => return Some(Err(error.into())),
    };
    match id.parse().ok()? {
        AnyId::Organization(id) => found::<Organization, _>(neighbour(context, id).await),
        AnyId::Site(id) => found::<Site, _>(neighbour(context, id).await),
        AnyId::VendorAccount(id) => found::<VendorAccount, _>(neighbour(context, id).await),
        AnyId::Device(id) => found::<Device, _>(neighbour(context, id).await),
        AnyId::Door(id) => found::<Door, _>(neighbour(context, id).await),
        AnyId::User(id) if may_see_people(principal, now).is_ok() || principal.actor == Actor::User(id) => {
            found::<User, _>(neighbour(context, id).await)
        }
        AnyId::User(_) => None,
        AnyId::Command(id) => found::<Command, _>(neighbour(context, id).await),
        AnyId::Event(id) => found::<Event, _>(neighbour(context, id).await),
        AnyId::Record(id) => {
            let found = neighbour::<VendorRecord, _>(context, id).await;
            // What one may not read is as good as absent.
            self::found(found.filter(|record| record.as_ref().map_or(true, |it| it.is_readable(principal, now))))
        }
        AnyId::WebhookDelivery(id) if may_see_deliveries(principal, now).is_ok() => {
            found::<WebhookDelivery, _>(neighbour(context, id).await)
        }
        AnyId::WebhookDelivery(_) | AnyId::Membership(_) => None,
        AnyId::ApiKey(id) => {
            let found = neighbour::<ApiKey, _>(context, id).await;
            self::found(found.filter(|key| key.as_ref().map_or(true, |it| principal.may_see_key(it.made_by(), now))))
        }
        AnyId::Credential(id) if may_see_people(principal, now).is_ok() => {
            found::<Credential, _>(neighbour(context, id).await)
        }
        AnyId::Schedule(id) if may_see_people(principal, now).is_ok() => {
            found::<Schedule, _>(neighbour(context, id).await)
        }
        AnyId::AccessLevel(id) if may_see_people(principal, now).is_ok() => {
            found::<AccessLevel, _>(neighbour(context, id).await)
        }
        AnyId::AccessAssignment(id) if may_see_people(principal, now).is_ok() => {
            found::<AccessAssignment, _>(neighbour(context, id).await)
        }
        AnyId::Credential(_) | AnyId::Schedule(_) | AnyId::AccessLevel(_) | AnyId::AccessAssignment(_) => None,
        AnyId::Reservation(id) if may_see_stays(principal, now).is_ok() => {
            found::<Reservation, _>(neighbour(context, id).await)
        }
        AnyId::AccessToken(id) if may_see_stays(principal, now).is_ok() => {
            found::<AccessToken, _>(neighbour(context, id).await)
        }
        AnyId::Placement(id) if may_see_stays(principal, now).is_ok() => {
            found::<Placement, _>(neighbour(context, id).await)
        }
        AnyId::Reservation(_) | AnyId::AccessToken(_) | AnyId::Placement(_) => None,
        AnyId::Alert(id) => {
            let found = neighbour::<Alert, _>(context, id).await;
            self::found(found.filter(|alert| alert.as_ref().map_or(true, |it| it.is_readable(principal, now))))
        }
    }
}

/// The object behind an id of one type.
pub(crate) async fn find_one<T: TryFrom<Node>>(context: &Context<'_>, id: &ID) -> Option<Result<T>> {
    match find(context, id).await? {
        Ok(node) => T::try_from(node).ok().map(Ok),
        Err(error) => Some(Err(error)),
    }
}

fn found<T, N>(object: Option<Result<T>>) -> Option<Result<N>>
where
    N: From<T>,
{
    object.map(|object| object.map(N::from))
}

macro_rules! narrows {
    ($($object:ident),+ $(,)?) => {
        $(impl TryFrom<Node> for $object {
            type Error = ();

            fn try_from(node: Node) -> std::result::Result<Self, ()> {
                match node {
                    Node::$object(object) => Ok(object),
                    _ => Err(()),
                }
            }
        })+
    };
}
narrows!(
    Organization,
    Site,
    VendorAccount,
    Device,
    Door,
    User,
    Command,
    Reservation,
    AccessToken,
    Credential,
    AccessLevel,
    Schedule,
);
