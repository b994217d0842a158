//! Reading what a ParqEx user sees: controllers with their doors, the profile, the access history by day.

use std::collections::VecDeque;

use async_trait::async_trait;
use domain::{clock::Timestamp, event::FoundEvent};
use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};
use http::Method;

use super::{
    client::Parqex,
    history::{self, Window},
    mapping, wire,
};
use crate::{
    error::VendorError,
    port::{AccountCheck, FoundRecord, Hint, Inventory, Listed, PartPlan, Portion, RecordKind, RecordRef, SyncPart},
};

/// One question for the history.
struct Question {
    window: Window,
    /// The controller whose doors are meant; without one, what the user did anywhere.
    device: Option<String>,
    /// Whether it is the window's last.
    completes: bool,
}

/// What is known of the controllers while the history is read.
struct Course {
    devices: Vec<wire::Device>,
    questions: VecDeque<Question>,
}

impl Parqex {
    async fn devices(&self) -> Result<Portion, VendorError> {
        let devices = self.sync().await?.into_iter().map(|device| {
            // Left out, it would look removed (rule 11).
            mapping::device(device).ok_or_else(|| VendorError::protocol("ParqEx listed something without an id."))
        });
        Ok(Portion { devices: devices.collect::<Result<_, _>>()?, ..Portion::default() })
    }

    async fn user_info(&self) -> Result<wire::UserInfo, VendorError> {
        let answer: wire::UserAnswer<wire::UserInfo> = self.ask("user-info", Method::GET, &[]).await?.json()?;
        Ok(answer.data)
    }

    async fn profile(&self) -> Result<FoundRecord, VendorError> {
        let user = self.user_info().await?;
        let settings = match self.ask("user-info", Method::POST, &[]).await {
            Ok(reply) => reply.json::<wire::UserAnswer<wire::UserSettings>>()?.data,
            // Which scope it takes is not documented; the profile is one without a time zone, too.
            Err(VendorError::Rejected { .. }) => wire::UserSettings::default(),
            Err(error) => return Err(error),
        };
        mapping::profile(user, settings).ok_or_else(|| VendorError::protocol("ParqEx told of a user without an id."))
    }

    async fn course(&self, cursor: Option<&str>, now: Timestamp) -> Result<Course, VendorError> {
        let devices = self.sync().await?;
        let mut questions = VecDeque::new();
        for window in history::windows(cursor, now) {
            let of_devices = devices.iter().filter_map(|device| device.id.clone());
            questions.extend(of_devices.map(|device| Question { window, device: Some(device), completes: false }));
            questions.push_back(Question { window, device: None, completes: true });
        }
        Ok(Course { devices, questions })
    }

    async fn past(&self, question: &Question, devices: &[wire::Device]) -> Result<Portion, VendorError> {
        let events = match &question.device {
            None => self.history("user", None, question.window, devices).await?,
            Some(id) => match self.history("device", Some(("device_id", id)), question.window, devices).await {
                // Only a sample of the document has `device`; its table has `door` instead.
                Err(VendorError::Rejected { .. }) => self.past_of_doors(id, question.window, devices).await?,
                events => events?,
            },
        };
        let cursor = question.completes.then(|| question.window.done.to_string());
        Ok(Portion { events, cursor, ..Portion::default() })
    }

    async fn past_of_doors(
        &self,
        device: &str,
        window: Window,
        devices: &[wire::Device],
    ) -> Result<Vec<FoundEvent>, VendorError> {
        let of_device = devices.iter().filter(|other| other.id.as_deref() == Some(device));
        let doors = of_device.flat_map(|device| device.doors.iter().flatten()).filter_map(|door| door.id.as_deref());
        let mut events = Vec::new();
        for door in doors {
            events.extend(self.history("door", Some(("door_id", door)), window, devices).await?);
        }
        Ok(events)
    }

    async fn history(
        &self,
        history_type: &str,
        of: Option<(&str, &str)>,
        window: Window,
        devices: &[wire::Device],
    ) -> Result<Vec<FoundEvent>, VendorError> {
        let (from, to) = (window.from.to_string(), window.to.to_string());
        let mut query = vec![("history_type", history_type)];
        query.extend(of);
        query.extend([("start_date", from.as_str()), ("end_date", to.as_str())]);
        let answer: wire::History = self.ask("toggle-history", Method::GET, &query).await?.json()?;
        Ok(history::events(answer, |id| device_of(devices, id)))
    }
}

/// The controller of a door, and the door's id, both as `sync` has them.
fn device_of(devices: &[wire::Device], id: &str) -> Option<(String, String)> {
    devices.iter().find_map(|device| {
        let doors = device.doors.iter().flatten().filter_map(|door| door.id.as_deref());
        let door = doors.into_iter().find(|other| mapping::same_id(other, id))?;
        Some((device.id.clone()?, door.to_owned()))
    })
}

#[async_trait]
impl Inventory for Parqex {
    fn parts(&self) -> &'static [PartPlan] {
        &[
            PartPlan { part: SyncPart::Profile, completes: &[Listed::Records(RecordKind::Profile)] },
            PartPlan { part: SyncPart::Devices, completes: &[Listed::Devices] },
            PartPlan { part: SyncPart::Events, completes: &[] },
        ]
    }

    fn read<'a>(
        &'a self,
        part: SyncPart,
        cursor: Option<&'a str>,
        now: Timestamp,
    ) -> BoxStream<'a, Result<Portion, VendorError>> {
        match part {
            SyncPart::Devices => stream::once(self.devices()).boxed(),
            SyncPart::Profile => {
                stream::once(async { Ok(Portion { records: vec![self.profile().await?], ..Portion::default() }) })
                    .boxed()
            }
            SyncPart::Events => stream::try_unfold(None, move |course: Option<Course>| async move {
                let mut course = match course {
                    Some(course) => course,
                    None => self.course(cursor, now).await?,
                };
                let Some(question) = course.questions.pop_front() else { return Ok(None) };
                let portion = self.past(&question, &course.devices).await?;
                Ok(Some((portion, Some(course))))
            })
            .boxed(),
            _ => stream::once(async { Err(VendorError::unsupported("ParqEx keeps nothing of the kind.")) }).boxed(),
        }
    }

    async fn reread(&self, hint: &Hint, now: Timestamp) -> Result<Portion, VendorError> {
        match hint {
            Hint::Device(id) => {
                let mut portion = self.devices().await?;
                portion.devices.retain(|device| mapping::same_id(&device.external_id, id));
                Ok(portion)
            }
            Hint::Record(RecordRef { kind: RecordKind::Profile, external_id }) => {
                let profile = Some(self.profile().await?).filter(|profile| profile.external_id == *external_id);
                Ok(Portion { records: profile.into_iter().collect(), ..Portion::default() })
            }
            Hint::Record(_) => Ok(Portion::default()),
            Hint::Part(part) => {
                self.read(*part, None, now)
                    .try_fold(Portion::default(), |mut all, next| async move {
                        all.devices.extend(next.devices);
                        all.records.extend(next.records);
                        all.events.extend(next.events);
                        Ok(all)
                    })
                    .await
            }
        }
    }

    async fn check(&self) -> Result<AccountCheck, VendorError> {
        let signed_in_as = match self.user_info().await {
            Ok(user) => user.email.or(user.email_address).or(user.id),
            // Which scope it takes is not documented; the devices are what counts.
            Err(VendorError::Rejected { .. } | VendorError::Protocol { .. }) => {
                self.sync().await?;
                None
            }
            Err(error) => return Err(error),
        };
        Ok(AccountCheck { locations: Vec::new(), signed_in_as })
    }
}

#[cfg(test)]
mod tests;
