//! Building what exists at ParqEx. Nothing happens here.

use serde::{Deserialize, Serialize};

use super::{ParqexAccountPlan, ParqexDoorPlan, World, born};
use crate::vendors::parqex;

/// What links an account at ParqEx.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParqexCredentials {
    /// Bearer token. Lives until revoked, unless the options end it with a refresh.
    pub access_token: String,
    /// Of the application that acts for the user, the same for all users.
    pub client_id: String,
    /// Secret of the application.
    pub client_secret: String,
    /// Renews the access token, once.
    pub refresh_token: String,
    /// The user's e-mail address, by which webhooks and the control name them.
    pub email: String,
}

impl World {
    /// Adds a ParqEx account with its controllers.
    pub fn add_parqex_account(&mut self, plan: ParqexAccountPlan) -> ParqexCredentials {
        let id = self.hex("acc0", self.parqex.accounts.len() as u64 + 1);
        let refresh_token = format!("{}-refresh", plan.access_token);
        let tokens = (plan.access_token.clone(), refresh_token.clone());
        let account = self.parqex.add_account(tokens, id, (plan.first_name, plan.last_name));
        for controller in plan.controllers {
            let number = self.parqex.controllers.len() as u64 + 1;
            let doors = (1..)
                .zip(controller.doors)
                .map(|(entity, door): (u64, ParqexDoorPlan)| parqex::DoorSeed {
                    id: self.hex("d002", number << 16 | entity),
                    name: door.name,
                    hardware: door.hardware,
                    sensor: door.sensor,
                    auto_close: door.auto_close,
                })
                .collect();
            let seed = parqex::ControllerSeed {
                id: self.hex("c0de", number),
                serial: format!("2000{:04x}{number:08x}", self.seed & 0xffff),
                since: born(),
                doors,
            };
            self.parqex.add_controller(account, seed);
        }
        let application = &self.parqex.application;
        ParqexCredentials {
            access_token: plan.access_token,
            client_id: application.client_id.clone(),
            client_secret: application.client_secret.clone(),
            refresh_token,
            email: self.parqex.accounts.get(account).map(|account| account.email.clone()).unwrap_or_default(),
        }
    }
}
