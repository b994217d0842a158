//! What of tokens and credentials is at vendors, or may still be. Of the documents only what is asked for is read: an
//! entrance may have ten thousand of them.

use std::collections::HashSet;

use chrono::DateTime;
use domain::{
    clock::Timestamp,
    ids::{AccessTokenId, CredentialId, PlacementId, ReservationId, UserId},
    opening::{PlacementFact, Span},
    placement::{Desired, PlacementState},
};
use sea_orm::{
    ColumnTrait, EntityTrait, FromQueryResult, JoinType, QueryFilter, QuerySelect, QueryTrait,
    sea_query::{Expr, SelectStatement, UnionType},
};
use uuid::Uuid;

use super::{
    Gathered, Of,
    granted::{live_assignments, live_credentials, live_tokens},
};
use crate::{
    Database, StoreError,
    rows::{access_assignment, access_token, access_token_door, credential, credential_door, placement, reservation},
};

/// Placements that may open where they are no longer meant to.
const UNSETTLED: [PlacementState; 5] = [
    PlacementState::Placing,
    PlacementState::AtVendor,
    PlacementState::Failed,
    PlacementState::Revoking,
    PlacementState::RevokedAtVendor,
];

/// What a wish says, as text: absent without a wish.
#[derive(FromQueryResult)]
struct PlacementRow {
    id: Uuid,
    token_id: Option<Uuid>,
    credential_id: Option<Uuid>,
    reservation_id: Option<Uuid>,
    guest_id: Option<Uuid>,
    user_id: Option<Uuid>,
    desired: String,
    state: String,
    mark: Option<String>,
    wished_from: Option<String>,
    wished_until: Option<String>,
    wished_doors: Option<String>,
    sent_kind: Option<String>,
    sent_from: Option<String>,
    sent_until: Option<String>,
    sent_doors: Option<String>,
}

/// Puts placements to the doors that they open or are to open.
pub(super) async fn gather(
    database: &Database,
    of: Of<'_>,
    accounts: &[Uuid],
    at: Timestamp,
    gathered: &mut Gathered,
) -> Result<(), StoreError> {
    let asked: Option<HashSet<Uuid>> = match of {
        Of::Doors(doors) => Some(doors.iter().copied().collect()),
        Of::Users(_) => None,
    };
    for row in rows(database, of, accounts, at).await? {
        let wished = row.wished_doors.as_deref().map(doors_in).transpose()?.unwrap_or_default();
        let sent = row.sent_doors.as_deref().map(doors_in).transpose()?.unwrap_or_default();
        let doors: HashSet<Uuid> = wished.union(&sent).copied().collect();
        let fact = row.fact()?;
        for door in doors.into_iter().filter(|door| asked.as_ref().is_none_or(|asked| asked.contains(door))) {
            gathered.at(door).placements.push(PlacementFact {
                wished: fact.wished.filter(|_| wished.contains(&door)),
                sent: fact.sent.filter(|_| sent.contains(&door)),
                ..fact.clone()
            });
        }
    }
    Ok(())
}

async fn rows(
    database: &Database,
    of: Of<'_>,
    accounts: &[Uuid],
    at: Timestamp,
) -> Result<Vec<PlacementRow>, StoreError> {
    let to_token = placement::Entity::belongs_to(access_token::Entity)
        .from(placement::Column::TokenId)
        .to(access_token::Column::Id);
    let to_stay = access_token::Entity::belongs_to(reservation::Entity)
        .from(access_token::Column::ReservationId)
        .to(reservation::Column::Id);
    let to_credential = placement::Entity::belongs_to(credential::Entity)
        .from(placement::Column::CredentialId)
        .to(credential::Column::Id);
    let of_wish = |path: &str| Expr::cust(format!("placements.wish {path}"));
    let of_sent = |path: &str| Expr::cust(format!("placements.progress -> 'sent' {path}"));
    let query = placement::Entity::find()
        .select_only()
        .columns([
            placement::Column::Id,
            placement::Column::TokenId,
            placement::Column::CredentialId,
            placement::Column::Desired,
            placement::Column::State,
        ])
        .column(access_token::Column::ReservationId)
        .column(reservation::Column::GuestId)
        .column(credential::Column::UserId)
        .column_as(of_wish("->> 'id_number'"), "mark")
        .column_as(of_wish("->> 'from'"), "wished_from")
        .column_as(of_wish("->> 'until'"), "wished_until")
        .column_as(of_wish("->> 'doors'"), "wished_doors")
        .column_as(of_sent("->> 'kind'"), "sent_kind")
        .column_as(of_sent("->> 'from'"), "sent_from")
        .column_as(of_sent("->> 'until'"), "sent_until")
        .column_as(of_sent("->> 'doors'"), "sent_doors")
        .join(JoinType::LeftJoin, to_token.into())
        .join(JoinType::LeftJoin, to_stay.into())
        .join(JoinType::LeftJoin, to_credential.into())
        .filter(placement::Column::State.ne(PlacementState::Revoked.as_str()))
        .filter(placement::Column::Id.in_subquery(concerned(of, accounts, at)));
    Ok(query.into_model().all(database.read()).await?)
}

/// The ids of the placements of whoever is granted something, and of those that may open where they are not meant to.
fn concerned(of: Of<'_>, accounts: &[Uuid], at: Timestamp) -> SelectStatement {
    let ids = || placement::Entity::find().select_only().column(placement::Column::Id);
    match of {
        Of::Doors(_) => {
            let tokens = live_tokens(of.into(), at).column(access_token_door::Column::AccessTokenId);
            let credentials = live_credentials(of.into(), at).column(credential_door::Column::CredentialId);
            let people = live_assignments(of.into(), at).column(access_assignment::Column::UserId);
            let of_people = credential::Entity::find()
                .select_only()
                .column(credential::Column::Id)
                .filter(credential::Column::UserId.in_subquery(people.into_query()));
            let mut all = ids().filter(placement::Column::TokenId.in_subquery(tokens.into_query())).into_query();
            let of_credentials = [credentials.into_query(), of_people.into_query()];
            for some in of_credentials {
                let theirs = ids().filter(placement::Column::CredentialId.in_subquery(some)).into_query();
                all.union(UnionType::Distinct, theirs);
            }
            let unsettled = ids()
                .filter(placement::Column::AccountId.is_in(accounts.iter().copied()))
                .filter(placement::Column::State.is_in(UNSETTLED.map(PlacementState::as_str)));
            all.union(UnionType::Distinct, unsettled.into_query());
            all
        }
        Of::Users(users) => {
            let to_stay = access_token::Entity::belongs_to(reservation::Entity)
                .from(access_token::Column::ReservationId)
                .to(reservation::Column::Id);
            let tokens = access_token::Entity::find()
                .select_only()
                .column(access_token::Column::Id)
                .join(JoinType::InnerJoin, to_stay.into())
                .filter(reservation::Column::GuestId.is_in(users.iter().copied()));
            let credentials = credential::Entity::find()
                .select_only()
                .column(credential::Column::Id)
                .filter(credential::Column::UserId.is_in(users.iter().copied()));
            let mut all = ids().filter(placement::Column::TokenId.in_subquery(tokens.into_query())).into_query();
            let theirs = ids().filter(placement::Column::CredentialId.in_subquery(credentials.into_query()));
            all.union(UnionType::Distinct, theirs.into_query());
            all
        }
    }
}

impl PlacementRow {
    /// The fact, as if every door were meant.
    fn fact(self) -> Result<PlacementFact, StoreError> {
        let unreadable = |column, text: &str| StoreError::unreadable("placements", column, text);
        let desired = Desired::parse(&self.desired).ok_or_else(|| unreadable("desired", &self.desired))?;
        let state = PlacementState::parse(&self.state).ok_or_else(|| unreadable("state", &self.state))?;
        let instant = |column, text: Option<&String>| {
            let read = |text: &String| text.parse::<DateTime<_>>().map_err(|_| unreadable(column, text));
            text.map(read).transpose()
        };
        let wished =
            Span::new(instant("wish", self.wished_from.as_ref())?, instant("wish", self.wished_until.as_ref())?);
        // Where the vendor keeps no times, what was sent opens until it is taken away.
        let sent = if self.sent_kind.as_deref() == Some("CARD_HOLDER") {
            Span::new(instant("progress", self.sent_from.as_ref())?, instant("progress", self.sent_until.as_ref())?)
        } else {
            Span::default()
        };
        Ok(PlacementFact {
            placement: PlacementId(self.id),
            token: self.token_id.map(AccessTokenId).zip(self.reservation_id.map(ReservationId)),
            credential: self.credential_id.map(CredentialId),
            user: self.guest_id.or(self.user_id).map(UserId),
            desired,
            state,
            wished: Some(wished),
            sent: Some(sent),
            mark: self.mark,
        })
    }
}

/// The ids in a list of doors.
fn doors_in(list: &str) -> Result<HashSet<Uuid>, StoreError> {
    serde_json::from_str(list).map_err(|_| StoreError::unreadable("placements", "doors", list))
}
