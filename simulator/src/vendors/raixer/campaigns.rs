//! R46 to R49: intercom and power campaigns, which tie devices to subscriptions and schedules. They are only read.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{
    body::Refusal,
    ok,
    state::{Raixer, RaixerKind},
    wire::time,
};
use crate::answer::{Answer, Call};

#[derive(Debug)]
pub(super) struct Campaign {
    pub(super) id: String,
    owner: usize,
    name: String,
    power: bool,
    since: DateTime<Utc>,
}

impl Campaign {
    pub(super) fn of(id: String, owner: usize, name: String, kind: RaixerKind, since: DateTime<Utc>) -> Campaign {
        Campaign { id, owner, name, power: kind == RaixerKind::Power, since }
    }
}

impl Raixer {
    fn campaign(&self, id: &str) -> Option<&Campaign> {
        self.campaigns.iter().find(|campaign| campaign.id == id)
    }

    pub(super) fn device_of_campaign(&self, id: &str) -> Option<usize> {
        self.devices.iter().position(|device| device.campaign.as_deref() == Some(id))
    }

    /// The owner of a campaign may use it, and whoever may use its device. None if there is no such campaign.
    pub(super) fn may_use_campaign(&self, account: usize, id: &str) -> Option<bool> {
        let campaign = self.campaign(id)?;
        let device = self.device_of_campaign(id);
        Some(campaign.owner == account || device.is_some_and(|device| self.may_use(account, device)))
    }

    pub(super) fn campaign_json(&self, id: &str) -> Value {
        let Some(campaign) = self.campaign(id) else { return Value::Null };
        let owner = self.account_id(campaign.owner);
        if campaign.power {
            return json!({
                "_id": campaign.id,
                "name": campaign.name,
                "accumulated": 5.1,
                "mode": "time",
                "price": 0.01,
                "owner": owner,
                "created": time(campaign.since),
                "updated": time(campaign.since),
            });
        }
        json!({
            "_id": campaign.id,
            "owner": owner,
            "name": campaign.name,
            "created": time(campaign.since),
            "updated": time(campaign.since),
            "subscriptionId": format!("s{}", campaign.id),
            "schedule": true,
            "openNow": true,
            "twoDoors": false,
            "userChangedConfig": false,
        })
    }

    /// R46 and R48: a campaign of the other kind does not exist here.
    pub(super) fn get_campaign(&self, account: usize, power: bool, call: &Call) -> Result<Answer, Refusal> {
        let id = call.param(0);
        if self.campaign(id).is_none_or(|campaign| campaign.power != power) {
            return Err(Refusal::NOT_FOUND);
        }
        if self.may_use_campaign(account, id) != Some(true) {
            return Err(Refusal::UNAUTHORIZED);
        }
        Ok(ok(&self.campaign_json(id)))
    }

    /// R47 and R49: those of the caller.
    pub(super) fn list_campaigns(&self, account: usize, power: bool) -> Answer {
        let own = self.campaigns.iter().filter(|campaign| campaign.owner == account && campaign.power == power);
        ok(&Value::Array(own.map(|campaign| self.campaign_json(&campaign.id)).collect()))
    }
}
