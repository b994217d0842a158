//! What a builder of worlds says about Mews: accounts, hotels, rooms and stays, and the plan of the demo. Stays are told in days
//! from today, because a hotel's bookings lie around the moment the simulator starts.

use chrono_tz::Tz;

use super::state::MewsState;

/// What one access token of Mews reaches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MewsAccountPlan {
    /// Token of the client application.
    pub client_token: String,
    /// Token of the connected enterprise or portfolio.
    pub access_token: String,
    /// Name and version that the client application gives.
    pub client: String,
    /// Whether it is a portfolio token; otherwise only its first hotel is reached.
    pub portfolio: bool,
    /// Its hotels, all of one chain.
    pub hotels: Vec<MewsHotelPlan>,
}

/// A hotel, which Mews calls an enterprise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MewsHotelPlan {
    /// Name shown to people.
    pub name: String,
    /// Where its days begin and its guests arrive at 15:00 and leave by 11:00.
    pub zone: Tz,
    /// Its rooms; floors and the building follow from them.
    pub rooms: Vec<MewsRoomPlan>,
    /// Its reservations, the oldest first.
    pub stays: Vec<MewsStayPlan>,
}

/// A room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MewsRoomPlan {
    /// Name shown to people, such as `204`.
    pub name: String,
    /// Number of its floor.
    pub floor: u32,
    /// Beds that are booked one by one (`204-A`, `204-B`); none in a room that is booked as a whole.
    pub beds: u8,
}

/// A reservation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MewsStayPlan {
    /// Name of the room or bed; none if not assigned yet.
    pub room: Option<String>,
    /// Day of arrival, counted from the hotel's today.
    pub arrives: i64,
    /// Number of nights.
    pub nights: u32,
    /// What has become of it.
    pub state: MewsState,
    /// First and last name of the guest who booked.
    pub guest: String,
    /// First and last names of the others.
    pub companions: Vec<String>,
}

impl MewsRoomPlan {
    /// A room booked as a whole, on the floor of its first digit.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let floor = name.chars().next().and_then(|digit| digit.to_digit(10)).unwrap_or_default();
        MewsRoomPlan { name: name.to_owned(), floor, beds: 0 }
    }
}

impl MewsStayPlan {
    /// A stay of one guest.
    #[must_use]
    pub fn new(room: &str, (arrives, nights): (i64, u32), state: MewsState, guest: &str) -> Self {
        let (room, guest) = (Some(room.to_owned()), guest.to_owned());
        MewsStayPlan { room, arrives, nights, state, guest, companions: Vec::new() }
    }

    /// With somebody else.
    #[must_use]
    pub fn with(mut self, companion: &str) -> Self {
        self.companions.push(companion.to_owned());
        self
    }
}

impl MewsHotelPlan {
    /// Any number of rooms, ten on a floor, with any number of stays of two nights, one after the other in each room: the
    /// first ones have begun yesterday.
    #[must_use]
    pub fn sized(name: &str, zone: Tz, rooms: usize, stays: usize) -> Self {
        let rooms: Vec<MewsRoomPlan> = (0..rooms)
            .map(|room| {
                let floor = u32::try_from(room / 10 + 1).unwrap_or(u32::MAX);
                MewsRoomPlan { name: format!("{floor}{:02}", room % 10 + 1), floor, beds: 0 }
            })
            .collect();
        let stay = |(number, room): (usize, &MewsRoomPlan)| {
            let round = i64::try_from(number / rooms.len()).unwrap_or_default();
            let state = if round == 0 { MewsState::Started } else { MewsState::Confirmed };
            MewsStayPlan::new(&room.name, (2 * round - 1, 2), state, &format!("Guest Number{}", number + 1))
        };
        let stays = (0..stays).zip(rooms.iter().cycle()).map(stay).collect();
        MewsHotelPlan { name: name.to_owned(), zone, rooms, stays }
    }

    /// Twelve rooms on three floors, one of them a dormitory with two beds, and fifteen reservations from the day before
    /// yesterday to a month ahead.
    pub(crate) fn demo() -> Self {
        use MewsState::{Canceled, Confirmed, Optional, Processed, Started};
        let mut rooms: Vec<MewsRoomPlan> = (1..=3)
            .flat_map(|floor| (1..=4).map(move |room| MewsRoomPlan::new(&format!("{floor}{room:02}"))))
            .collect();
        if let Some(dormitory) = rooms.last_mut() {
            dormitory.beds = 2;
        }
        let stay = MewsStayPlan::new;
        let stays = vec![
            stay("101", (-3, 2), Processed, "Petra Past"),
            stay("102", (-2, 2), Started, "Leo Leaving").with("Lara Leaving"),
            stay("103", (-1, 3), Started, "Ines Inside"),
            stay("201", (-1, 1), Canceled, "Carl Canceled"),
            stay("201", (-1, 5), Started, "Fritz Family").with("Frida Family").with("Finn Family"),
            stay("101", (0, 2), Confirmed, "Anna Arriving"),
            stay("102", (0, 4), Confirmed, "Tom Turnover").with("Tina Turnover"),
            stay("202", (0, 1), Canceled, "Nick Noshow"),
            stay("304-A", (0, 3), Confirmed, "Bea Bunk"),
            stay("304-B", (1, 2), Confirmed, "Ben Bunk"),
            stay("203", (2, 3), Confirmed, "Wanda Weekend").with("Willem Weekend"),
            MewsStayPlan { room: None, ..stay("", (5, 2), Confirmed, "Una Unassigned") },
            stay("204", (9, 2), Optional, "Olga Optional"),
            stay("301", (14, 7), Confirmed, "Lena Long").with("Lars Long"),
            stay("302", (28, 2), Confirmed, "Mona Month"),
        ];
        MewsHotelPlan { name: "Harbour Hotel".to_owned(), zone: Tz::Europe__Lisbon, rooms, stays }
    }
}

impl MewsAccountPlan {
    /// An access token for a single hotel.
    #[must_use]
    pub fn of_one(client_token: &str, access_token: &str, hotel: MewsHotelPlan) -> Self {
        MewsAccountPlan {
            client_token: client_token.to_owned(),
            access_token: access_token.to_owned(),
            client: "Gatehouse 1.0.0".to_owned(),
            portfolio: false,
            hotels: vec![hotel],
        }
    }
}
