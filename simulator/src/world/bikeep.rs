//! Building what exists at Bikeep. Nothing happens here.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{BikeepAccountPlan, BikeepLocationPlan, World, born};
use crate::vendors::bikeep::{self, BikeepType, PowerSave};

/// What links an account at Bikeep.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BikeepCredentials {
    /// Bearer token that lives until revoked.
    pub token: String,
    /// Ids of the account's locations.
    pub locations: Vec<String>,
    /// Id of the user whom the token stands for; webhooks and the control name the account by it.
    pub user: String,
    /// Id with which access tokens are asked for.
    pub client_id: String,
    /// Secret with which access tokens are asked for.
    pub client_secret: String,
    /// Id of the operator.
    pub operator_id: String,
    /// With which webhooks are hashed.
    pub webhook_seed: String,
    /// Ids of the locations' allow lists, in the same order.
    pub whitelists: Vec<String>,
}

impl World {
    /// Adds a Bikeep account with its locations.
    pub fn add_bikeep_account(&mut self, plan: BikeepAccountPlan) -> BikeepCredentials {
        let number = self.bikeep.accounts.len() + 1;
        let user = self.uuid("05e20000", number as u64);
        let client = bikeep::Client {
            id: format!("bikeep-client-{number}"),
            secret: format!("{}-secret", plan.token),
            operator: self.uuid("0be7a000", number as u64),
            webhook_seed: format!("bikeep-webhook-seed-{:04x}-{number}", self.seed & 0xffff),
        };
        let account = self.bikeep.add_account(bikeep::Account {
            token: plan.token.clone(),
            valid: true,
            client: client.clone(),
            user: user.clone(),
            admin: plan.admin,
            act_on_behalf_of: plan.act_on_behalf_of,
        });
        let mut locations = Vec::new();
        let mut whitelists = Vec::new();
        for planned in plan.locations {
            let place = self.bikeep.locations.len() as u64 + 1;
            let id = self.uuid("10ca7100", place);
            let whitelist = self.bikeep_whitelist(place);
            whitelists.push(whitelist.id.clone());
            let location = self.bikeep.add_location(bikeep::Location {
                id: id.clone(),
                account,
                code: format!("{}", 300_000 + place * 1000),
                label: label(&planned, place),
                latitude: 59.43 + 0.01 * place as f64,
                longitude: 24.75,
                devices: Vec::new(),
                offline_since: None,
                whitelist,
            });
            locations.push(id);
            for (number, device) in (1..).zip(planned.devices) {
                let parked = device.parked.then(|| self.uuid("05e21000", place << 16 | number));
                let seed = bikeep::DeviceSeed {
                    id: self.uuid("b1ce0000", place << 32 | number),
                    kind: device.kind,
                    alias: device.alias,
                    code: format!("{}", 300_000 + place * 1000 + number),
                    camera: device.camera,
                    power_save: match (device.asleep, device.remote_wakeup) {
                        (false, _) => PowerSave::None,
                        (true, true) => PowerSave::RemoteWakeup,
                        (true, false) => PowerSave::LocalWakeup,
                    },
                    has_health: device.has_health,
                    parked,
                    since: born(),
                };
                self.bikeep.add_device(location, seed);
            }
        }
        BikeepCredentials {
            token: plan.token,
            locations,
            user,
            client_id: client.id,
            client_secret: client.secret,
            operator_id: client.operator,
            webhook_seed: client.webhook_seed,
            whitelists,
        }
    }

    /// A list with a card that is good for ever and one whose time has passed.
    fn bikeep_whitelist(&self, place: u64) -> bikeep::Whitelist {
        let card = |number: u64, expires_at, comment: &str| bikeep::Card {
            id: format!("04A1{:06X}", (place << 8 | number) & 0xff_ffff),
            expires_at,
            created_at: born(),
            comment: comment.to_owned(),
        };
        let past = born() + Duration::from_secs(24 * 3600);
        let cards = vec![card(1, None, "Caretaker"), card(2, Some(past), "Fitter")];
        bikeep::Whitelist { id: self.uuid("77aa0000", place), cards }
    }
}

/// What people call a location: its guard's name without the word, if the guard has one.
fn label(plan: &BikeepLocationPlan, place: u64) -> String {
    let guard = plan.devices.iter().find(|device| device.kind == BikeepType::Guard);
    let named = guard.and_then(|guard| guard.alias.strip_suffix(" guard"));
    named.map_or_else(|| format!("Location {place}"), str::to_owned)
}
