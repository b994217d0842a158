use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::raixer::testing::fixture;

fn parsed<T: serde::de::DeserializeOwned>(json: &str) -> T {
    serde_json::from_str(json).unwrap()
}

#[test]
fn the_documents_own_accesses() {
    let listed: Vec<wire::Access> = parsed(fixture!("accesses_of_device"));
    let found: Vec<_> = listed.iter().map(|listed| access(listed, Some("boss")).unwrap()).collect();
    assert_eq!((found[0].external_id.as_str(), found[0].device.as_deref()), ("9876543210", Some("abcde12345")));
    assert_eq!(found[0].name, "Street 1, Madrid");
    let expected = DeviceAccessDetails {
        holder: Some("5e4d3c2b1a".to_owned()),
        holder_name: Some("Jane Doe".to_owned()),
        holder_email: Some("jane.doe@a.b".to_owned()),
        profile: Some(AccessProfile::User),
        disabled: true,
        device_owner: Some("boss".to_owned()),
    };
    assert_eq!(found[1].details, RecordDetails::DeviceAccess(expected));
    assert!(access(&wire::Access::default(), None).is_none());
}

fn details(phone: &wire::Phone) -> CredentialDetails {
    let RecordDetails::Credential(details) = super::phone(phone, Some("dev")).unwrap().details else { unreachable!() };
    details
}

#[test]
fn telephone_numbers_in_every_form() {
    let one: wire::Phone = parsed(fixture!("phone"));
    let found = phone(&one, None).unwrap();
    assert_eq!((found.external_id.as_str(), found.device.as_deref()), ("edcba54321", Some("abcde12345")));
    assert_eq!(details(&one).number.as_deref(), Some("123456789"));
    assert_eq!(details(&one).status, CredentialStatus::Active, "the samples leave it out; true is the default");
    let listed: Vec<Value> = parsed(fixture!("phones"));
    let bare = listed_phone(listed[0].clone()).unwrap();
    let found = phone(&bare, Some("dev")).unwrap();
    assert_eq!(found.external_id, "number:dev/1234567890");
    assert_eq!(details(&bare).status, CredentialStatus::Unknown);
    assert_eq!(device_of_phone_without_id("number:dev/1234567890"), Some("dev"));
    assert_eq!(device_of_phone_without_id("edcba54321"), None);
    let object = listed_phone(json!({"_id": "p", "phoneNumber": "34600", "authorized": "false"})).unwrap();
    assert_eq!(
        (details(&object).status, details(&object).number.as_deref()),
        (CredentialStatus::Suspended, Some("34600"))
    );
    let odd = listed_phone(json!({"_id": "p", "authorized": "perhaps"})).unwrap();
    assert_eq!(details(&odd).status, CredentialStatus::Unknown);
    assert!(listed_phone(json!(null)).is_none());
    assert!(phone(&wire::Phone::default(), Some("dev")).is_none());
}

#[test]
fn the_documents_own_sensors_and_campaigns() {
    let listed: Vec<wire::Sensor> = parsed(fixture!("sensors"));
    let found = sensor(&listed[0], "dev").unwrap();
    assert_eq!((found.external_id.as_str(), found.name.as_str()), ("abcde54321", "Movement"));
    let expected = SensorDetails { usage: Some("movement".to_owned()), port: Some(domain::change::PortSide::Left) };
    assert_eq!(found.details, RecordDetails::Sensor(expected));
    let listed: Vec<wire::Campaign> = parsed(fixture!("intercom_campaigns"));
    let RecordDetails::Campaign(intercom) = campaign(&listed[0], CampaignKind::Intercom, None).unwrap().details else {
        unreachable!()
    };
    assert_eq!((intercom.mode, intercom.subscription.as_deref()), (None, Some("12345abcde")));
    let listed: Vec<wire::Campaign> = parsed(fixture!("power_campaigns"));
    let RecordDetails::Campaign(power) = campaign(&listed[1], CampaignKind::Power, None).unwrap().details else {
        unreachable!()
    };
    assert_eq!((power.mode.as_deref(), power.price, power.accumulated), (Some("use"), Some(1.0), Some(0.0)));
    assert_eq!((power.time, power.campaign_kind), (Some(1.0), CampaignKind::Power));
}

#[test]
fn the_documents_own_schedules() {
    let listed: Vec<wire::Schedule> = parsed(fixture!("schedules"));
    let found = schedule(&listed[0], Some("dev".to_owned())).unwrap();
    assert_eq!((found.external_id.as_str(), found.device.as_deref()), ("edcba54321", Some("dev")));
    let RecordDetails::AutoAccessSchedule(details) = found.details else { unreachable!() };
    assert_eq!(details.starts_at.to_rfc3339(), "2018-10-15T21:24:00+00:00");
    assert_eq!((details.minutes, details.position), (3, Some(1)));
    assert_eq!(details.campaign.as_deref(), Some("abcde12345"));
    let odd: wire::Schedule =
        parsed("{\"_id\":\"s\",\"time\":\"3\",\"schedule\":\"1539638640000\",\"doorPort\":\"up\"}");
    let RecordDetails::AutoAccessSchedule(details) = schedule(&odd, None).unwrap().details else { unreachable!() };
    assert_eq!(details.position, None);
    for odd in ["{\"_id\":\"s\",\"time\":3}", "{\"_id\":\"s\",\"schedule\":1}", "{\"time\":3,\"schedule\":1}"] {
        assert!(schedule(&parsed(odd), None).is_none(), "{odd}");
    }
}

#[test]
fn the_documents_own_user() {
    let found = profile(&parsed(fixture!("user"))).unwrap();
    assert_eq!((found.external_id.as_str(), found.name.as_str()), ("edcba54321", "Jon Doe"));
    let RecordDetails::Profile(details) = found.details else { unreachable!() };
    let address = details.address.unwrap();
    assert_eq!((address.tax_id.as_deref(), address.street.as_deref()), (Some("ID_NUMBER"), Some("Street")));
    assert_eq!((address.postal_code.as_deref(), address.country.as_deref()), (Some("12345"), Some("Country")));
}

proptest! {
    #[test]
    fn no_values_panic(number in any::<f64>(), text in ".*") {
        let odd = json!({"_id": text, "deviceId": text, "phoneNumber": number, "authorized": text, "time": number,
            "schedule": number, "doorPort": text, "price": text, "profile": text, "address": text, "owner": number})
            .to_string();
        phone(&parsed(&odd), None);
        access(&parsed(&odd), None);
        schedule(&parsed(&odd), None);
        campaign(&parsed(&odd), CampaignKind::Power, None);
        sensor(&parsed(&odd), "dev");
        profile(&parsed(&odd));
        listed_phone(json!(text));
    }
}
