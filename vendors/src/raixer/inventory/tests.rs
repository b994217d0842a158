use domain::{
    door::Mode,
    record::{RecordDetails, RecordRef},
};
use futures::TryStreamExt;

use super::*;
use crate::{
    raixer::testing::{BASIC, account, fixture, lines},
    testing::{Reaction, Server, json, noon},
};

async fn read(part: SyncPart, reactions: Vec<Reaction>) -> (Vec<Result<Portion, VendorError>>, Server) {
    let server = Server::start(reactions).await;
    let portions = account(&server).read(part, None, noon()).collect().await;
    (portions, server)
}

async fn read_well(part: SyncPart, reactions: Vec<Reaction>) -> (Vec<Portion>, Server) {
    let server = Server::start(reactions).await;
    let portions = account(&server).read(part, None, noon()).try_collect().await.unwrap();
    (portions, server)
}

async fn reread(hint: Hint, reactions: Vec<Reaction>) -> (Result<Portion, VendorError>, Server) {
    let server = Server::start(reactions).await;
    let result = account(&server).reread(&hint, noon()).await;
    (result, server)
}

fn ids(portions: &[Portion]) -> Vec<&str> {
    portions.iter().flat_map(|portion| &portion.records).map(|record| record.external_id.as_str()).collect()
}

fn hint(kind: RecordKind, id: &str) -> Hint {
    Hint::Record(RecordRef { kind, external_id: id.to_owned() })
}

#[tokio::test]
async fn the_devices_part_has_owned_and_shared_devices() {
    let (portions, server) = read_well(
        SyncPart::Devices,
        vec![
            json(200, fixture!("devices")),
            json(200, fixture!("connections")),
            json(200, fixture!("doors")),
            json(200, fixture!("sensors")),
            json(200, fixture!("doors")),
            json(200, "[]"),
            json(200, fixture!("device")),
            json(200, fixture!("doors")),
            json(403, ""),
            json(403, ""),
        ],
    )
    .await;
    let devices: Vec<_> = portions.iter().flat_map(|portion| &portion.devices).collect();
    let found: Vec<_> = devices.iter().map(|device| device.external_id.as_str()).collect();
    assert_eq!(found, ["edcba54321", "edcba54322", "abcde12345"], "the one that does not exist is left out");
    assert_eq!(ids(&portions), ["abcde54321"]);
    assert_eq!(
        lines(&server),
        [
            "GET /devices",
            "GET /connections",
            "GET /devices/edcba54321/doors",
            "GET /devices/edcba54321/sensors",
            "GET /devices/edcba54322/doors",
            "GET /devices/edcba54322/sensors",
            "GET /devices/abcde12345",
            "GET /devices/abcde12345/doors",
            "GET /devices/abcde12345/sensors",
            "GET /devices/abcde54321",
        ]
    );
    assert!(server.requests().iter().all(|request| request.header("authorization") == Some(BASIC)));
}

#[tokio::test]
async fn a_suspended_access_gives_none() {
    let accesses = "[{\"deviceId\":\"x\",\"disabled\":true},{\"deviceId\":\"x\",\"disabled\":\"true\"}]";
    let (portions, _) = read_well(SyncPart::Devices, vec![json(200, "[]"), json(200, accesses)]).await;
    assert!(portions.is_empty());
}

#[tokio::test]
async fn an_inventory_that_breaks_off_says_so_and_ends() {
    let shared = "[{\"deviceId\":\"x\"},{\"deviceId\":\"y\"}]";
    // Credentials that stop to work half way must not make devices look removed.
    for (reactions, auth) in [
        (vec![json(200, "[]"), json(200, shared), json(401, ""), json(401, "")], true),
        (vec![json(200, "[]"), json(200, shared), json(500, "")], false),
        (vec![json(200, "[]"), json(200, shared), json(404, "")], false),
        (vec![json(200, "[]"), json(200, "{}")], false),
        (vec![json(200, "[{}]"), json(200, "[]")], false),
        (vec![json(200, "[]"), json(200, "[{}]")], false),
        (vec![json(401, "")], true),
    ] {
        let (mut portions, _) = read(SyncPart::Devices, reactions).await;
        assert_eq!(portions.len(), 1);
        assert_eq!(portions.remove(0).unwrap_err().is_auth_invalid(), auth);
    }
}

#[tokio::test]
async fn a_stray_401_does_not_remove_a_device() {
    let owned = "[{\"_id\":\"x\"}]";
    // Once: asked again.
    let reactions = vec![
        json(200, owned),
        json(200, "[]"),
        json(401, ""),
        json(200, owned),
        json(200, fixture!("doors")),
        json(200, "[]"),
    ];
    assert_eq!(read_well(SyncPart::Devices, reactions).await.0[0].devices.len(), 1);
    // For good: an owned device fails the read, or has the doors that the access brings along.
    let refused = || vec![json(401, ""), json(200, owned), json(401, "")];
    let mut reactions = vec![json(200, owned), json(200, "[{\"deviceId\":\"x\",\"device\":{\"doors\":[{}]}}]")];
    reactions.extend(refused());
    let (portions, _) = read(SyncPart::Devices, reactions).await;
    assert!(matches!(portions[..], [Err(VendorError::NotReady { .. })]));
    let embedded = "[{\"deviceId\":\"x\",\"device\":{\"doors\":[{\"_id\":\"d1\",\"port\":\"right\"}]}}]";
    let mut reactions = vec![json(200, owned), json(200, embedded)];
    reactions.extend(refused());
    reactions.push(json(200, "[]"));
    let (portions, _) = read_well(SyncPart::Devices, reactions).await;
    assert_eq!(portions[0].devices[0].doors[0].external_id, "d1");
    // A shared one that is refused twice is no longer shared.
    let mut reactions = vec![json(200, "[]"), json(200, "[{\"deviceId\":\"x\"}]")];
    reactions.extend(refused());
    assert!(read_well(SyncPart::Devices, reactions).await.0.is_empty());
}

#[tokio::test]
async fn everybodys_access_at_managed_devices_and_ones_own_elsewhere() {
    let owned = "[{\"_id\":\"abcde12345\",\"owner\":\"boss\"}]";
    let ordered = "[[{\"_id\":\"9876543210\",\"deviceId\":\"abcde12345\",\"profile\":\"admin\"}],
        [{\"_id\":\"mine\",\"deviceId\":\"z\",\"profile\":\"user\"},
         {\"_id\":\"off\",\"deviceId\":\"w\",\"disabled\":true}]]";
    let reactions = vec![json(200, owned), json(200, ordered), json(200, fixture!("accesses_of_device"))];
    let (portions, server) = read_well(SyncPart::DeviceAccess, reactions).await;
    assert_eq!(ids(&portions), ["9876543210", "1234567890", "mine", "off"]);
    let RecordDetails::DeviceAccess(details) = &portions[0].records[0].details else { unreachable!() };
    assert_eq!(details.holder_email.as_deref(), Some("jon.doe@a.b"));
    assert_eq!(details.device_owner.as_deref(), Some("boss"));
    assert_eq!(lines(&server), ["GET /devices", "GET /connections/ordered", "GET /connections/by/device/abcde12345"]);
    let (portions, _) = read(SyncPart::DeviceAccess, vec![json(200, "[]"), json(200, fixture!("ordered"))]).await;
    assert!(matches!(portions[..], [Err(_)]), "an admin's list that is not answered");
    let reactions = vec![json(200, "[]"), json(200, "[[],[{\"deviceId\":\"x\"}]]")];
    let (portions, _) = read(SyncPart::DeviceAccess, reactions).await;
    assert!(matches!(portions[..], [Err(VendorError::Protocol { .. })]));
}

#[tokio::test]
async fn telephone_numbers_by_device() {
    let owned = "[{\"_id\":\"a\"},{\"_id\":\"b\"}]";
    let listed = "[{\"_id\":\"p1\",\"phoneNumber\":\"34600\"}]";
    let reactions = vec![json(200, owned), json(200, "[{\"deviceId\":\"s\"}]"), json(200, listed), json(200, "[]")];
    let (portions, server) = read_well(SyncPart::Credentials, reactions).await;
    assert_eq!(ids(&portions), ["p1"]);
    assert_eq!(portions[0].records[0].device.as_deref(), Some("a"));
    assert_eq!(
        lines(&server)[2..],
        ["GET /authorized-phones/device/a", "GET /authorized-phones/device/b"],
        "not those of a device that is only shared"
    );
    // Numbers alone are told, but nothing is concluded from what is not listed.
    let reactions = vec![json(200, "[{\"_id\":\"a\"}]"), json(200, "[]"), json(200, fixture!("phones"))];
    let (portions, _) = read(SyncPart::Credentials, reactions).await;
    assert_eq!(ids(&[portions[0].clone().unwrap()]), ["number:a/1234567890", "number:a/9876543210"]);
    assert!(matches!(portions[1], Err(VendorError::Unsupported { .. })));
}

#[tokio::test]
async fn campaigns_schedules_and_the_profile() {
    let owned = "[{\"_id\":\"dev\",\"campaignId\":\"edcba54321\"}]";
    let lists = [json(200, fixture!("intercom_campaigns")), json(200, fixture!("power_campaigns"))];
    let reactions = [json(200, owned), json(200, "[]")].into_iter().chain(lists).collect();
    let (portions, server) = read_well(SyncPart::Campaigns, reactions).await;
    assert_eq!(portions.iter().map(|portion| portion.records.len()).collect::<Vec<_>>(), [2, 2]);
    let listed = portions.iter().flat_map(|portion| &portion.records);
    let placed: Vec<_> = listed.filter(|found| found.device.is_some()).map(|found| &found.external_id).collect();
    assert!(!placed.is_empty() && placed.iter().all(|id| *id == "edcba54321"), "by what the device says: {placed:?}");
    assert_eq!(lines(&server), ["GET /devices", "GET /connections", "GET /intercom-campaigns", "GET /power-campaigns"]);

    let reactions = || vec![json(200, fixture!("devices")), json(200, "[]")];
    let mut good = reactions();
    good.push(json(200, fixture!("schedules")));
    let (portions, server) = read_well(SyncPart::AutoAccessSchedules, good).await;
    assert_eq!(portions[0].records.len(), 2);
    assert_eq!(portions[0].records[0].device.as_deref(), Some("edcba54321"), "by its campaign");
    assert_eq!(lines(&server)[2], "GET /schedules");
    let mut odd = reactions();
    odd.push(json(200, "[{\"_id\":\"a\",\"time\":3,\"schedule\":1539638640000.0},{\"_id\":\"b\"}]"));
    let (portions, _) = read(SyncPart::AutoAccessSchedules, odd).await;
    assert_eq!(ids(&[portions[0].clone().unwrap()]), ["a"]);
    assert!(portions[1].is_err(), "what can not be read must not look removed");

    let reactions = vec![json(200, fixture!("devices")), json(200, fixture!("user"))];
    let (portions, server) = read_well(SyncPart::Profile, reactions).await;
    assert_eq!(ids(&portions), ["edcba54321"]);
    assert_eq!(lines(&server), ["GET /devices", "GET /users/fghjkl67890"]);
    let (portions, _) = read(SyncPart::Profile, vec![json(200, "[]"), json(200, "[]")]).await;
    assert!(matches!(portions[..], [Err(VendorError::Unsupported { .. })]));
    let (portions, server) = read(SyncPart::Users, Vec::new()).await;
    assert!(matches!(portions[..], [Err(VendorError::Unsupported { .. })]) && lines(&server).is_empty());
}

#[tokio::test]
async fn a_device_is_read_again_with_what_its_doors_follow() {
    let doors = "[{\"_id\":\"a\",\"port\":\"right\"},{\"_id\":\"b\",\"port\":\"left\"}]";
    let listening = "{\"result\":\"1,u,1537376000,1537376277,1,0\"}";
    let reactions = vec![
        json(200, fixture!("devices")),
        json(200, fixture!("connections")),
        json(200, fixture!("accesses_of_device")),
        json(200, doors),
        json(200, fixture!("sensors")),
        json(200, fixture!("status")),
        json(200, listening),
        json(404, ""),
        json(200, "{\"_id\":\"abcde12345\",\"mode\":\"use\"}"),
    ];
    let (portion, server) = reread(Hint::Device("edcba54321".to_owned()), reactions).await;
    let portion = portion.unwrap();
    let modes: Vec<_> = portion.devices[0].doors.iter().map(|door| door.reading.mode).collect();
    assert_eq!(modes, [Some(Mode::Normal), Some(Mode::AutoAccess)]);
    assert_eq!(portion.records.len(), 4, "a sensor, two accesses and the campaign");
    assert_eq!(portion.records[3].device.as_deref(), Some("edcba54321"));
    assert_eq!(
        lines(&server)[5..],
        [
            "GET /devices/edcba54321/variable/status",
            "GET /devices/edcba54321/variable/status2",
            "GET /intercom-campaigns/abcde12345",
            "GET /power-campaigns/abcde12345",
        ]
    );
    let (portion, _) =
        reread(Hint::Device("other".to_owned()), vec![json(200, fixture!("devices")), json(200, "[]")]).await;
    assert!(portion.unwrap().devices.is_empty(), "it is neither owned nor shared any more");
}

#[tokio::test]
async fn one_record_is_read_again() {
    let (portion, server) = reread(hint(RecordKind::Credential, "p1"), vec![json(200, fixture!("phone"))]).await;
    assert_eq!(
        (ids(&[portion.unwrap()]), lines(&server)),
        (vec!["edcba54321"], vec!["GET /authorized-phones/p1".into()])
    );
    for gone in [json(404, ""), json(403, ""), json(200, "null")] {
        let (portion, _) = reread(hint(RecordKind::Credential, "p1"), vec![gone]).await;
        assert!(portion.unwrap().records.is_empty());
    }
    let (portion, server) =
        reread(hint(RecordKind::Credential, "number:d/1234567890"), vec![json(200, fixture!("phones"))]).await;
    assert_eq!(ids(&[portion.unwrap()]), ["number:d/1234567890"]);
    assert_eq!(lines(&server), ["GET /authorized-phones/device/d"]);

    let reactions = vec![json(200, fixture!("access")), json(200, fixture!("by_email")), json(200, fixture!("device"))];
    let (portion, server) = reread(hint(RecordKind::DeviceAccess, "edcba54321"), reactions).await;
    let portion = portion.unwrap();
    let RecordDetails::DeviceAccess(details) = &portion.records[0].details else { unreachable!() };
    assert_eq!(details.holder_email.as_deref(), Some("jon.doe@a.b"));
    assert_eq!(details.device_owner.as_deref(), Some("fghjkl67890"));
    assert_eq!(
        lines(&server),
        ["GET /connections/edcba54321", "GET /connections/by/device/abcde12345", "GET /devices/abcde12345"]
    );

    let reactions = vec![
        json(200, "[{\"_id\":\"a\"},{\"_id\":\"b\"}]"),
        json(200, "[]"),
        json(200, "[]"),
        json(200, fixture!("sensors")),
    ];
    let (portion, _) = reread(hint(RecordKind::Sensor, "abcde54321"), reactions).await;
    assert_eq!(portion.unwrap().records[0].device.as_deref(), Some("b"));

    let power = "{\"_id\":\"c\",\"mode\":\"use\"}";
    let (portion, server) = reread(
        hint(RecordKind::Campaign, "c"),
        vec![json(404, ""), json(200, power), json(200, "[{\"_id\":\"d\",\"campaignId\":\"c\"}]"), json(200, "[]")],
    )
    .await;
    let portion = portion.unwrap();
    assert_eq!(portion.records[0].device.as_deref(), Some("d"));
    assert_eq!(ids(&[portion]), ["c"]);
    assert_eq!(lines(&server)[..2], ["GET /intercom-campaigns/c", "GET /power-campaigns/c"]);

    let schedule = "{\"_id\":\"s\",\"campaignId\":\"abcde12345\",\"time\":3,\"schedule\":1539638640000.0}";
    let reactions = vec![json(200, schedule), json(200, fixture!("devices")), json(200, "[]")];
    let (portion, server) = reread(hint(RecordKind::AutoAccessSchedule, "s"), reactions).await;
    assert_eq!(portion.unwrap().records[0].device.as_deref(), Some("edcba54321"));
    assert_eq!(lines(&server)[0], "GET /schedules/s");

    let (portion, _) = reread(hint(RecordKind::Profile, "u"), vec![json(200, fixture!("user"))]).await;
    assert_eq!(ids(&[portion.unwrap()]), ["edcba54321"]);
    assert!(matches!(reread(hint(RecordKind::User, "u"), Vec::new()).await.0, Err(VendorError::Unsupported { .. })));
}

#[tokio::test]
async fn the_check_is_one_call() {
    let server = Server::start(vec![json(200, fixture!("devices")), json(401, "")]).await;
    let check = account(&server).check().await.unwrap();
    assert_eq!(check.signed_in_as.as_deref(), Some("fghjkl67890"));
    assert!(account(&server).check().await.unwrap_err().is_auth_invalid());
    assert_eq!(lines(&server), ["GET /devices", "GET /devices"]);
}
