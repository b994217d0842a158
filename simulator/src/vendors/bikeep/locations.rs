//! Bikeep's location service (/location/v1): what the documents show of it. Reads the state, changes nothing.

use reqwest::Url;
use serde_json::{Value, json};

use super::{
    Refusal,
    device::{BikeepType, Device, Occupancy},
    state::{Bikeep, Location},
    wire::time,
};
use crate::answer::{Answer, Call};

/// Metres in a degree of latitude.
const DEGREE: f64 = 111_320.0;

impl Bikeep {
    /// The caller's locations. `include=resources` is accepted; what it adds is not documented.
    pub(crate) fn list_locations(&self, account: usize, call: &Call) -> Result<Answer, Refusal> {
        let query = call.received.query.as_deref().unwrap_or_default();
        let url = Url::parse(&format!("http://bikeep/?{query}")).ok();
        let pairs: Vec<(String, String)> = url.map(|url| url.query_pairs().into_owned().collect()).unwrap_or_default();
        let value = |key: &str| pairs.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str());
        let near = Near::read(value("lat_lng"), value("radius"))?;
        let tags: Vec<&str> = pairs.iter().filter(|(name, _)| name == "tag").map(|(_, tag)| tag.as_str()).collect();
        let wanted = |location: &&Location| {
            location.account == account
                && near.as_ref().is_none_or(|near| near.holds(location))
                && tags.iter().all(|tag| TAGS.contains(tag))
        };
        let data: Vec<Value> = self
            .locations
            .iter()
            .filter(wanted)
            .map(|location| self.location_json(account, location, &call.base_url))
            .collect();
        let uri = format!("{}/location/v1/locations", call.base_url);
        Ok(Answer::json(200, &json!({ "data": data, "uri": uri })))
    }

    /// One location.
    pub(crate) fn get_location(&self, account: usize, call: &Call) -> Result<Answer, Refusal> {
        let location = self.location(&call.param(0).to_lowercase()).ok_or_else(|| Refusal::not_found("Location"))?;
        if location.account != account {
            return Err(Refusal::forbidden("No access to this location"));
        }
        Ok(Answer::json(200, &self.location_json(account, location, &call.base_url)))
    }

    fn location_json(&self, account: usize, location: &Location, base: &str) -> Value {
        let devices = || location.devices.iter().filter_map(|index| self.devices.get(*index));
        let total = devices().count();
        let online = devices().filter(|device| device.reachable()).count();
        let connection = match online {
            _ if total == 0 => "unknown",
            0 => "offline",
            online if online == total => "online",
            _ => "partially_online",
        };
        let mut shown = json!({
            "id": location.id,
            "code": location.code,
            "name": format!("#{} {}", location.code, location.label),
            "label": location.label,
            "type": kind(devices()),
            "address": format!("{} 1", location.label),
            "latitude": location.latitude,
            "longitude": location.longitude,
            "tags": TAGS,
            "connection": connection,
            "offline_since": location.offline_since.map(time).unwrap_or_default(),
            "devices": {
                "total": total,
                "available": devices().filter(|device| is_available(device)).count(),
                "online": online,
            },
            "status": "LAUNCHED",
            "has_access_lists": true,
            "allowlisted": false,
            "terms_url": "",
            "support_phone": "",
            "support_email": "support@example.test",
            "icon": { "type": "default" },
            "uri": format!("{base}/location/v1/locations/{}", location.id),
        });
        let owner = self.accounts.get(account).filter(|account| account.admin);
        if let (Some(owner), Some(fields)) = (owner, shown.as_object_mut()) {
            let restricted = json!({
                "owner_id": owner.client.operator,
                "operator_id": owner.client.operator,
                "reseller_id": null,
                "distributor_id": null,
                "description": "",
                "has_maintenance_issues": false,
                "audit": null,
            });
            fields.extend(restricted.as_object().cloned().unwrap_or_default());
        }
        shown
    }
}

/// Every location has the same tags.
const TAGS: [&str; 1] = ["PRIVATE"];

/// The documented inversion: a door is available when locked, a guard always; all of them only when online.
fn is_available(device: &Device) -> bool {
    let ready = match device.kind {
        BikeepType::Guard => true,
        BikeepType::BikeHouseDoor => device.standing.value == Occupancy::Locked,
        _ => device.standing.value == Occupancy::Unlocked,
    };
    ready && device.reachable()
}

/// The table of location types, read backwards.
fn kind<'a>(devices: impl Iterator<Item = &'a Device>) -> &'static str {
    let kinds: Vec<BikeepType> = devices.map(|device| device.kind).collect();
    let has = |kind| kinds.contains(&kind);
    match has(BikeepType::BikeHouseDoor) {
        true if has(BikeepType::Locker) || has(BikeepType::BikeDock) => "BIKE_HOUSE",
        true => "BIKE_HOUSE_DOCKLESS",
        false if has(BikeepType::Locker) => "BIKE_LOCKERS",
        false if has(BikeepType::ScooterDock) => "SCOOTER_DOCKS",
        false if has(BikeepType::BikeRent) => "BIKE_RENTALS",
        false if has(BikeepType::ScooterRent) => "SCOOTER_RENTALS",
        false => "BIKE_DOCKS",
    }
}

/// A circle. The document names `lat_lng` and `radius`; that they are `lat,lng` and metres is the plainest reading.
struct Near {
    latitude: f64,
    longitude: f64,
    radius: f64,
}

impl Near {
    fn read(lat_lng: Option<&str>, radius: Option<&str>) -> Result<Option<Near>, Refusal> {
        let invalid = |message: &str| Refusal::new(400, "ERRORS.INVALID_REQUEST", message);
        let Some(lat_lng) = lat_lng else {
            return match radius {
                Some(_) => Err(invalid("radius needs lat_lng")),
                None => Ok(None),
            };
        };
        let both = lat_lng
            .split_once(',')
            .and_then(|(latitude, longitude)| Some((latitude.trim().parse().ok()?, longitude.trim().parse().ok()?)));
        let (latitude, longitude) = both.ok_or_else(|| invalid("lat_lng must be two numbers"))?;
        let radius = match radius {
            Some(radius) => radius.parse().map_err(|_| invalid("radius must be a number"))?,
            // Without a radius the point orders nothing and excludes nothing here.
            None => return Ok(None),
        };
        Ok(Some(Near { latitude, longitude, radius }))
    }

    fn holds(&self, location: &Location) -> bool {
        let north = (location.latitude - self.latitude) * DEGREE;
        let east = (location.longitude - self.longitude) * DEGREE * self.latitude.to_radians().cos();
        north.hypot(east) <= self.radius
    }
}
