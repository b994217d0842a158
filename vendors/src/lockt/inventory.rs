//! Reading what a Lockt account keeps: one call per list, never one per thing.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use domain::{
    clock::Timestamp,
    record::{FoundRecord, RecordKind, RecordRef},
};
use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};
use http::StatusCode;
use serde_json::Value;

use super::{
    client::{Lockt, identified},
    mapping, wire,
    zone::Zone,
};
use crate::{
    error::VendorError,
    port::{AccountCheck, Hint, Inventory, Listed, PartPlan, Portion, SyncPart},
};

const PARTS: &[PartPlan] = &[
    PartPlan { part: SyncPart::Devices, completes: &[Listed::Devices] },
    PartPlan {
        part: SyncPart::AccessLevels,
        completes: &[Listed::Records(RecordKind::AccessLevel), Listed::Records(RecordKind::Schedule)],
    },
    PartPlan { part: SyncPart::Users, completes: &[Listed::Records(RecordKind::User)] },
    PartPlan {
        part: SyncPart::Credentials,
        completes: &[Listed::Records(RecordKind::Credential), Listed::Records(RecordKind::CredentialSummary)],
    },
    PartPlan { part: SyncPart::Events, completes: &[] },
];

/// What makes one portion.
#[derive(Debug, Clone, Copy)]
enum Piece {
    Doors,
    AccessLevels,
    Schedules,
    Users,
    Credentials,
    Summary,
}

const fn pieces(part: SyncPart) -> Option<&'static [Piece]> {
    Some(match part {
        SyncPart::Devices => &[Piece::Doors],
        SyncPart::AccessLevels => &[Piece::AccessLevels, Piece::Schedules],
        SyncPart::Users => &[Piece::Users],
        SyncPart::Credentials => &[Piece::Credentials, Piece::Summary],
        _ => return None,
    })
}

fn of_records(records: Vec<FoundRecord>) -> Portion {
    Portion { records, ..Portion::default() }
}

/// The lists that tell of credentials.
pub(super) struct Cards {
    pub(super) credentials: Vec<wire::Credential>,
    pub(super) fobs: Vec<wire::Fob>,
    checks: Vec<wire::FobCheck>,
}

impl Cards {
    /// Their records. A credential that is tagged as a fob is in two lists under the same id, and is one record.
    pub(super) fn records(&self, zone: Zone) -> Result<Vec<FoundRecord>, VendorError> {
        let credentials = identified(self.credentials.iter().map(mapping::credential))?;
        let fobs = self.fobs.iter().map(|fob| mapping::fob(fob, &self.checks, &self.credentials, zone));
        let all = credentials.into_iter().chain(identified(fobs)?);
        let found: BTreeMap<_, _> = all.map(|record| (record.external_id.clone(), record)).collect();
        Ok(found.into_values().collect())
    }
}

#[async_trait]
impl Inventory for Lockt {
    fn parts(&self) -> &'static [PartPlan] {
        PARTS
    }

    fn read<'a>(
        &'a self,
        part: SyncPart,
        cursor: Option<&'a str>,
        _: Timestamp,
    ) -> BoxStream<'a, Result<Portion, VendorError>> {
        if part == SyncPart::Events {
            let portions = stream::once(self.events(cursor));
            return portions.map_ok(|portions| stream::iter(portions.into_iter().map(Ok))).try_flatten().boxed();
        }
        let Some(pieces) = pieces(part) else {
            return stream::once(async move { Err(VendorError::unsupported(format!("Lockt has no {part}."))) }).boxed();
        };
        stream::try_unfold(pieces.iter(), move |mut pieces| async move {
            let Some(piece) = pieces.next() else { return Ok(None) };
            Ok(Some((self.portion(*piece).await?, pieces)))
        })
        .boxed()
    }

    async fn reread(&self, hint: &Hint, now: Timestamp) -> Result<Portion, VendorError> {
        match hint {
            Hint::Part(part) => {
                self.read(*part, None, now)
                    .try_fold(Portion::default(), async |mut all, portion| {
                        all.devices.extend(portion.devices);
                        all.records.extend(portion.records);
                        all.events.extend(portion.events);
                        all.cursor = portion.cursor.or(all.cursor);
                        Ok(all)
                    })
                    .await
            }
            Hint::Device(id) => {
                let mut portion = self.portion(Piece::Doors).await?;
                portion.devices.retain(|device| device.external_id == *id);
                Ok(portion)
            }
            Hint::Record(RecordRef { kind: RecordKind::User, external_id }) => self.one_user(external_id).await,
            Hint::Record(RecordRef { kind, external_id }) => {
                let piece = match kind {
                    RecordKind::Credential => Piece::Credentials,
                    RecordKind::CredentialSummary => Piece::Summary,
                    RecordKind::AccessLevel => Piece::AccessLevels,
                    RecordKind::Schedule => Piece::Schedules,
                    _ => return Err(VendorError::unsupported(format!("Lockt keeps no {kind}."))),
                };
                let mut portion = self.portion(piece).await?;
                portion.records.retain(|record| record.external_id == *external_id);
                Ok(portion)
            }
        }
    }

    async fn check(&self) -> Result<AccountCheck, VendorError> {
        // Doors rather than the shorter list of schedules: only their locations tell where the account is.
        let doors: Vec<wire::Door> = self.list("list doors", "door").await?;
        let names: BTreeSet<String> = doors.into_iter().filter_map(|door| door.location).collect();
        Ok(AccountCheck { locations: names.into_iter().map(|name| (name.clone(), name)).collect(), signed_in_as: None })
    }
}

impl Lockt {
    async fn portion(&self, piece: Piece) -> Result<Portion, VendorError> {
        Ok(match piece {
            Piece::Doors => {
                let doors: Vec<wire::Door> = self.list("list doors", "door").await?;
                let states: Vec<wire::DoorState> =
                    self.list_if_offered("list door states", "doorstate").await?.unwrap_or_default();
                let batteries = mapping::batteries(&states);
                let devices = identified(doors.iter().map(|door| mapping::device(door, &batteries)))?;
                Portion { devices, ..Portion::default() }
            }
            Piece::AccessLevels => {
                let levels: Vec<wire::AccessLevel> = self.list("list access levels", "accesslevel").await?;
                of_records(identified(levels.iter().map(mapping::access_level))?)
            }
            Piece::Schedules => {
                let schedules: Vec<wire::Schedule> = self.list("list schedules", "schedule").await?;
                of_records(identified(schedules.iter().map(mapping::schedule))?)
            }
            Piece::Users => {
                let users: Vec<wire::User> = self.list("list users", "user").await?;
                of_records(identified(users.iter().map(|user| mapping::user(user, self.zone)))?)
            }
            Piece::Credentials => of_records(self.cards().await?.records(self.zone)?),
            Piece::Summary => {
                let reply = self.ask("read credential summary", "credentialsummary", &[]).await?;
                match reply.status {
                    StatusCode::NOT_FOUND => Portion::default(),
                    status if status.is_success() => of_records(vec![mapping::summary(&reply.json::<Value>()?)]),
                    _ => return Err(self.refused(&reply)),
                }
            }
        })
    }

    /// All credentials, fobs included.
    pub(super) async fn cards(&self) -> Result<Cards, VendorError> {
        let credentials = self.list("list credentials", "credential").await?;
        let fobs = self.fobs().await?;
        let checks = self.list_if_offered("check fobs", "fobcheck").await?.unwrap_or_default();
        Ok(Cards { credentials, fobs, checks })
    }

    /// All fobs.
    pub(super) async fn fobs(&self) -> Result<Vec<wire::Fob>, VendorError> {
        let rows: Vec<Value> = self.list("list fobs", "fob").await?;
        // The document's own sample of this list shows doors. Taken for fobs, they would be granted and revoked.
        if rows.iter().any(|row| row.get("controller").is_some()) {
            return Err(VendorError::protocol("Lockt listed doors where fobs were asked for."));
        }
        rows.into_iter().map(|row| serde_json::from_value(row).map_err(|_| super::client::unexpected())).collect()
    }

    async fn one_user(&self, id: &str) -> Result<Portion, VendorError> {
        let Some(user) = self.user_by_id(id).await? else { return Ok(Portion::default()) };
        Ok(of_records(identified(std::iter::once(mapping::user(&user, self.zone)))?))
    }

    /// A person by the vendor's id. That answer omits the access levels; the one by our number may list them.
    pub(super) async fn user_by_id(&self, id: &str) -> Result<Option<wire::User>, VendorError> {
        let users: Vec<wire::User> = self.find("read user", "user", ("id", id)).await?;
        let Some(mut user) = users.into_iter().find(|user| user.id.as_deref() == Some(id)) else { return Ok(None) };
        if let (None, Some(number)) = (&user.accesslevels, &user.id_num) {
            let same: Vec<wire::User> = self.find("read user by number", "user", ("idnum", number)).await?;
            user.accesslevels =
                same.into_iter().find(|same| same.id.as_deref() == Some(id)).and_then(|same| same.accesslevels);
        }
        Ok(Some(user))
    }
}
