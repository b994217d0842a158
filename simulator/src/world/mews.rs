//! Mews in the world: its credentials, and how an account becomes records. The plans live with the vendor.

use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::{World, WorldSize, born};
use crate::vendors::mews::{MewsAccountPlan, MewsHotelPlan, MewsRoomPlan, MewsState, MewsStayPlan};

/// What links an account at Mews; all three are in the body of every request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MewsCredentials {
    /// `ClientToken`, of the client application.
    pub client_token: String,
    /// `AccessToken`, of the hotel.
    pub access_token: String,
    /// `Client`: name and version of the client application.
    pub client: String,
}

/// The client application is the same for all accounts.
const CLIENT_TOKEN: &str = "mews-client-token";

impl World {
    /// Adds an account at Mews with its hotels. Their stays become reservations when the simulator starts, around its now.
    pub fn add_mews_account(&mut self, plan: MewsAccountPlan) -> MewsCredentials {
        let credentials = MewsCredentials {
            client_token: plan.client_token.clone(),
            access_token: plan.access_token.clone(),
            client: plan.client.clone(),
        };
        self.mews.add_account(plan, born());
        credentials
    }

    /// The operator's hotel.
    pub(super) fn add_demo_mews(&mut self) -> MewsCredentials {
        self.add_mews_account(MewsAccountPlan::of_one(CLIENT_TOKEN, "mews-demo-token", MewsHotelPlan::demo()))
    }

    /// The neighbour's inn with one room.
    pub(super) fn add_neighbour_mews(&mut self) -> MewsCredentials {
        let inn = MewsHotelPlan {
            name: "Neighbour Inn".to_owned(),
            zone: Tz::Atlantic__Reykjavik,
            rooms: vec![MewsRoomPlan::new("1")],
            stays: vec![MewsStayPlan::new("1", (-1, 3), MewsState::Started, "Gus Guest")],
        };
        self.add_mews_account(MewsAccountPlan::of_one(CLIENT_TOKEN, "mews-neighbour-token", inn))
    }

    /// One hotel of the asked size.
    pub(super) fn add_sized_mews(&mut self, number: usize, size: &WorldSize) -> MewsCredentials {
        let name = format!("Hotel {number}");
        let hotel = MewsHotelPlan::sized(&name, Tz::Europe__Lisbon, size.mews_rooms, size.mews_reservations);
        self.add_mews_account(MewsAccountPlan::of_one(CLIENT_TOKEN, &format!("mews-token-{number}"), hotel))
    }
}
