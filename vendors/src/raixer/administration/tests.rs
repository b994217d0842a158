use domain::{
    change::{
        AccountProfile, Address, AutoAccessOptions, DeviceAccessPlan, DoorSettings, MovementAlarm, PortSide,
        SensorSettings,
    },
    command::FailureCode,
    record::{AccessProfile, RecordDetails},
};

use super::*;
use crate::{
    port::SyncPart,
    raixer::testing::{BASIC, carry_out, fixture, lines},
    testing::{HandClock, Reaction, RunningOut, Server, departure, json, noon},
};

/// Method with path, and body, of every request.
fn sent(server: &Server) -> Vec<(String, String)> {
    let requests = server.requests();
    requests.into_iter().map(|request| (request.line.replace(" HTTP/1.1", ""), request.body)).collect()
}

fn pair(line: &str, body: &str) -> (String, String) {
    (line.to_owned(), body.to_owned())
}

async fn well(change: Change, reactions: Vec<Reaction>) -> (ChangeReceipt, Vec<(String, String)>) {
    let (result, server) = carry_out(change, reactions).await;
    let receipt = result.unwrap();
    assert_eq!(receipt.answer, answers::done());
    for request in server.requests() {
        let (get, delete) = (request.line.starts_with("GET"), request.line.starts_with("DELETE"));
        assert_eq!(request.header("content-type"), (!get && !delete).then_some("application/json"), "{}", request.line);
        assert_eq!(request.header("authorization"), Some(BASIC));
    }
    (receipt, sent(&server))
}

async fn refused(change: Change, reactions: Vec<Reaction>) -> (VendorError, Server) {
    let (result, server) = carry_out(change, reactions).await;
    (result.unwrap_err(), server)
}

fn hint() -> Vec<Hint> {
    vec![Hint::Device("edcba54321".to_owned())]
}

fn email() -> AccessHolder {
    AccessHolder::Email("Jon.Doe@a.b".to_owned())
}

fn id(id: &str) -> AccessHolder {
    AccessHolder::Record(id.to_owned())
}

#[tokio::test]
async fn listening_is_by_position() {
    let options = AutoAccessOptions {
        minutes: 3,
        opening_value: Some(6500.0),
        tolerance: None,
        max_openings: Some(2),
        wait_time_first: None,
    };
    let (receipt, requests) =
        well(Change::StartAutoAccess(options.clone()), vec![json(200, fixture!("start_job"))]).await;
    let body = "{\"minutes\":3,\"openingValue\":6500,\"maxOpenings\":2}";
    assert_eq!(requests, [pair("POST /devices/edcba54321/start-job/2", body)]);
    assert_eq!((receipt.hints, receipt.notes[0].text.as_str()), (hint(), "The action relay was executed successfully"));
    let (error, _) = refused(Change::StartAutoAccess(options), vec![json(200, fixture!("stop_job"))]).await;
    assert!(matches!(error, VendorError::Protocol { .. }), "two doors instead of one");
    let (_, requests) = well(Change::StopAutoAccess, vec![json(200, fixture!("stop_job"))]).await;
    assert_eq!(requests, [pair("POST /devices/edcba54321/stop-job/2", "")]);
}

#[tokio::test]
async fn modes_and_the_movement_alarm() {
    let updated = || vec![json(200, fixture!("updated"))];
    let (_, requests) = well(Change::SetAutoAccessAlwaysActive { active: true }, updated()).await;
    let body = "{\"autoAccessAlwaysActive\":true}";
    assert_eq!(requests, [pair("POST /devices/edcba54321/auto-access-always-active", body)]);
    let (receipt, requests) = well(Change::SetOfflineAutoAccess { active: false }, updated()).await;
    assert_eq!(requests, [pair("POST /devices/edcba54321/offline-auto-access", "{\"offlineAutoAccess\":false}")]);
    assert_eq!(receipt.hints, hint());
    for (alarm, action, answer) in [
        (MovementAlarm::Once, "1", fixture!("alarm_on")),
        (MovementAlarm::Always, "infinite", fixture!("alarm_on")),
        (MovementAlarm::Off, "0", fixture!("alarm_off")),
    ] {
        let (_, requests) = well(Change::SetMovementAlarm { alarm }, vec![json(200, answer)]).await;
        assert_eq!(requests, [pair(&format!("POST /devices/edcba54321/movement-alarm/{action}"), "")]);
    }
    let (error, _) =
        refused(Change::SetMovementAlarm { alarm: MovementAlarm::Once }, vec![json(200, fixture!("alarm_off"))]).await;
    assert!(matches!(error, VendorError::Rejected { code: FailureCode::DeviceError, .. }));
    for (body, expected) in [("{\"n\":0,\"ok\":1}", "Rejected"), ("{}", "Protocol"), ("", "Protocol")] {
        let (error, _) = refused(Change::SetOfflineAutoAccess { active: true }, vec![json(200, body)]).await;
        assert!(format!("{error:?}").starts_with(expected), "{body}: {error:?}");
    }
}

#[tokio::test]
async fn telephone_access_to_a_door() {
    for (change, path) in [
        (Change::SetPhoneAccess { enabled: true }, "phone/enable"),
        (Change::SetPhoneAccess { enabled: false }, "phone/disable"),
        (Change::SetAnyCallerAccess { enabled: true }, "phone/any-caller/enable"),
        (Change::SetAnyCallerAccess { enabled: false }, "phone/any-caller/disable"),
    ] {
        let (receipt, requests) = well(change, vec![json(200, fixture!("updated"))]).await;
        assert_eq!(requests, [pair(&format!("POST /devices/edcba54321/doors/abcde54321/{path}"), "")]);
        assert_eq!(receipt.hints, hint());
    }
}

#[tokio::test]
async fn values_information_and_functions() {
    let change = Change::ReadDeviceVariable { variable: "status".to_owned() };
    let (receipt, requests) = well(change, vec![json(200, fixture!("status"))]).await;
    assert_eq!(requests, [pair("GET /devices/edcba54321/variable/status", "")]);
    assert_eq!(receipt.result.unwrap()["value"]["intercom"], true);
    let (receipt, requests) = well(Change::ReadDeviceInformation, vec![json(200, fixture!("information"))]).await;
    assert_eq!(requests, [pair("GET /devices/edcba54321/information", "")]);
    assert_eq!(receipt.result.unwrap()["connected"], true);
    let function = |name: &str, argument: Option<&str>| Change::ExecuteDeviceFunction {
        function: name.to_owned(),
        argument: argument.map(str::to_owned),
    };
    let (receipt, requests) = well(function("lastMove", None), vec![json(200, fixture!("function"))]).await;
    assert_eq!(requests, [pair("POST /devices/edcba54321/function/lastMove", "")]);
    assert_eq!(receipt.result.unwrap()["function"], "lastMove");
    let (_, requests) = well(function("waitBells", Some("1")), vec![json(200, fixture!("function"))]).await;
    assert_eq!(requests, [pair("POST /devices/edcba54321/function/waitBells", "{\"arg\":\"1\"}")]);
    let (error, _) = refused(function("alarm", Some("0")), vec![json(200, fixture!("alarm_on"))]).await;
    assert!(matches!(error, VendorError::Rejected { code: FailureCode::DeviceError, .. }));
    for (name, argument) in [("openDoor", None), ("resetMemory", None), ("activate", Some("0")), ("alarm", None)] {
        let (error, server) = refused(function(name, argument), Vec::new()).await;
        assert!(matches!(error, VendorError::Unsupported { .. }), "{name}");
        assert!(server.requests().is_empty(), "refused before anything is sent");
    }
}

#[tokio::test]
async fn a_device_is_removed() {
    let (receipt, requests) = well(Change::RemoveDevice, vec![json(200, fixture!("removed"))]).await;
    assert_eq!(requests, [pair("DELETE /devices/edcba54321", "")]);
    assert_eq!(receipt.hints, [Hint::Device("edcba54321".to_owned()), Hint::Part(SyncPart::DeviceAccess)]);
    well(Change::RemoveDevice, vec![json(403, "")]).await;
    let (error, _) = refused(Change::RemoveDevice, vec![json(200, "{\"removed\":false}")]).await;
    assert!(matches!(error, VendorError::Rejected { .. }));
    assert!(matches!(refused(Change::RemoveDevice, vec![json(500, "")]).await.0, VendorError::Indeterminate { .. }));
}

#[tokio::test]
async fn doors_and_sensors() {
    let settings = DoorSettings { name: Some("Lorem".to_owned()), two_openings: Some(true), ..DoorSettings::default() };
    let body = "{\"deviceId\":\"edcba54321\",\"twoOpenings\":true,\"name\":\"Lorem\"}";
    let (receipt, requests) = well(Change::CreateDoor(settings.clone()), vec![json(200, fixture!("inserted"))]).await;
    assert_eq!(requests, [pair("POST /devices/edcba54321/doors", body)]);
    assert_eq!((receipt.result.unwrap()["externalId"].as_str(), receipt.hints), (Some("abcde54321"), hint()));
    let (_, requests) = well(Change::UpdateDoor(settings), vec![json(200, fixture!("updated"))]).await;
    assert_eq!(requests, [pair("PUT /devices/edcba54321/doors/abcde54321", body)]);
    let (error, server) = refused(Change::UpdateDoor(DoorSettings::default()), Vec::new()).await;
    assert!(matches!(error, VendorError::Unsupported { .. }) && server.requests().is_empty());

    let two = "[{\"_id\":\"abcde54321\"},{\"_id\":\"x\"}]";
    let (_, requests) = well(Change::DeleteDoor, vec![json(200, two), json(200, fixture!("deleted"))]).await;
    assert_eq!(requests[1], pair("DELETE /devices/edcba54321/doors/abcde54321", ""));
    let (error, server) = refused(Change::DeleteDoor, vec![json(200, fixture!("doors"))]).await;
    assert!(matches!(error, VendorError::Unsupported { .. }), "the last door stays");
    assert_eq!(lines(&server), ["GET /devices/edcba54321/doors"]);
    let (_, requests) = well(Change::DeleteDoor, vec![json(200, "[{\"_id\":\"x\"}]")]).await;
    assert_eq!(requests.len(), 1, "it is gone already");
    let (error, _) = refused(Change::DeleteDoor, vec![json(200, "{}")]).await;
    assert!(matches!(error, VendorError::NotReady { .. }), "nothing was sent");

    let sensor = SensorSettings { name: Some("Lorem".to_owned()), port: Some(PortSide::Right) };
    let (receipt, requests) = well(
        Change::CreateSensor(sensor.clone()),
        vec![json(200, fixture!("inserted")), json(200, fixture!("sensors"))],
    )
    .await;
    let body = "{\"name\":\"Lorem\",\"use\":\"movement\",\"port\":\"right\"}";
    assert_eq!(requests[0], pair("POST /devices/edcba54321/sensors", body));
    assert_eq!(receipt.found.records[0].name, "Movement", "what Raixer says it keeps");
    let change = Change::UpdateSensor { sensor: "s1".to_owned(), settings: sensor };
    let (receipt, requests) = well(change, vec![json(200, fixture!("updated")), json(500, "")]).await;
    assert_eq!(requests[0], pair("PUT /devices/edcba54321/sensors/s1", body));
    assert_eq!(receipt.hints, [Hint::Record(record(RecordKind::Sensor, "s1"))], "to be read again");
    for answer in [json(200, fixture!("deleted")), json(200, "{\"n\":0,\"ok\":1}"), json(404, "")] {
        let (receipt, requests) = well(Change::DeleteSensor { sensor: "s1".to_owned() }, vec![answer]).await;
        assert_eq!(requests, [pair("DELETE /devices/edcba54321/sensors/s1", "")]);
        assert_eq!(receipt.gone, [record(RecordKind::Sensor, "s1")]);
    }
}

#[tokio::test]
async fn telephone_numbers() {
    let change = |number: &str| Change::AuthorizePhone { number: number.to_owned(), authorized: true };
    let reactions = vec![json(200, fixture!("phone_inserted")), json(200, fixture!("phone"))];
    let (receipt, requests) = well(change("123456789"), reactions).await;
    let body = "{\"deviceId\":\"edcba54321\",\"phoneNumber\":123456789,\"authorized\":true}";
    assert_eq!(requests, [pair("POST /authorized-phones", body), pair("GET /authorized-phones/edcba54321", "")]);
    assert_eq!(receipt.result.unwrap()["externalId"], "edcba54321");
    assert_eq!(receipt.found.records[0].external_id, "edcba54321");
    let (error, server) = refused(change("0034600"), Vec::new()).await;
    assert!(matches!(error, VendorError::Unsupported { .. }) && server.requests().is_empty());

    let held = "{\"_id\":\"p1\",\"deviceId\":\"edcba54321\",\"phoneNumber\":\"+123456789\"}";
    for (suspends, authorized) in [(true, false), (false, true)] {
        let phone = "p1".to_owned();
        let change = if suspends { Change::SuspendPhone { phone } } else { Change::ResumePhone { phone } };
        let reactions = vec![json(200, held), json(200, fixture!("updated")), json(200, held)];
        let (_, requests) = well(change.clone(), reactions).await;
        let body = format!("{{\"deviceId\":\"edcba54321\",\"phoneNumber\":123456789,\"authorized\":{authorized}}}");
        assert_eq!(requests[1], pair("PUT /authorized-phones/p1", &body));
        for gone in [vec![json(404, "")], vec![json(200, held), json(200, "{\"n\":0,\"ok\":1}")]] {
            let (result, _) = carry_out(change.clone(), gone).await;
            assert_eq!(result.is_ok(), suspends, "whoever is gone can not open");
        }
    }
    let change = Change::SuspendPhone { phone: "p1".to_owned() };
    let (error, server) = refused(change, vec![json(200, fixture!("phone"))]).await;
    assert!(matches!(error, VendorError::Rejected { .. }), "it is of another device");
    assert_eq!(server.requests().len(), 1);
    let change = Change::RemovePhone { phone: "p1".to_owned() };
    let (receipt, requests) = well(change, vec![json(200, fixture!("deleted"))]).await;
    assert_eq!(requests, [pair("DELETE /authorized-phones/p1", "")]);
    assert_eq!(receipt.gone, [record(RecordKind::Credential, "p1")]);
    let change = Change::RemovePhone { phone: "number:d/34600".to_owned() };
    for (status, listed) in [(200, "[34600]"), (403, "")] {
        let (result, _) = carry_out(change.clone(), vec![json(status, listed), json(status, listed)]).await;
        assert!(matches!(result, Err(VendorError::Unsupported { .. })), "{result:?}");
    }
    let (receipt, requests) = well(change, vec![json(200, "[34601]")]).await;
    assert_eq!(requests, [pair("GET /authorized-phones/device/d", "")]);
    assert_eq!(receipt.gone, [record(RecordKind::Credential, "number:d/34600")], "somebody removed it in the app");
}

#[tokio::test]
async fn an_access_is_never_granted_without_the_owner() {
    let plan = DeviceAccessPlan {
        profile: Some(AccessProfile::User),
        disabled: Some(false),
        name: Some("Lorem ipsum".to_owned()),
        device_owner: None,
    };
    let ordered = "[[{\"_id\":\"old\",\"deviceId\":\"edcba54321\",\"created\":\"2018-01-01T00:00:00Z\"},
        {\"_id\":\"new\",\"deviceId\":\"edcba54321\",\"created\":\"2019-01-01T00:00:00Z\"}],
        [{\"_id\":\"other\",\"deviceId\":\"z\",\"created\":\"2020-01-01T00:00:00Z\"}]]";
    let reactions = vec![json(200, fixture!("device")), json(200, ordered), json(500, "")];
    let (receipt, requests) = well(Change::GrantDeviceAccess(plan.clone()), reactions).await;
    assert_eq!(requests[0], pair("GET /devices/edcba54321", ""));
    let body = "{\"deviceId\":\"edcba54321\",\"profile\":\"user\",\"disabled\":false,\"name\":\"Lorem ipsum\",\
        \"deviceOwner\":\"fghjkl67890\",\"deviceOwer\":\"fghjkl67890\"}";
    assert_eq!(requests[1], pair("POST /connections", body));
    assert_eq!(receipt.result.unwrap()["externalId"], "new");
    for unknown in ["{\"_id\":\"edcba54321\"}", "{\"_id\":\"edcba54321\",\"owner\":\"\"}"] {
        let (error, server) = refused(Change::GrantDeviceAccess(plan.clone()), vec![json(200, unknown)]).await;
        assert!(matches!(error, VendorError::Unsupported { .. }));
        assert_eq!(lines(&server), ["GET /devices/edcba54321"]);
    }
    let plan = DeviceAccessPlan { device_owner: Some("boss".to_owned()), ..DeviceAccessPlan::default() };
    let (error, server) = refused(Change::GrantDeviceAccess(plan), vec![json(200, "[[],[]]")]).await;
    assert!(matches!(error, VendorError::Protocol { .. }), "it is not among what is listed");
    assert!(server.requests()[0].body.contains("\"deviceOwner\":\"boss\",\"deviceOwer\":\"boss\""));
}

#[tokio::test]
async fn accesses_by_record() {
    let plan = DeviceAccessPlan { profile: Some(AccessProfile::Installer), ..DeviceAccessPlan::default() };
    let change = Change::ChangeDeviceAccess { holder: id("c1"), plan };
    let (receipt, requests) = well(change, vec![json(200, fixture!("updated")), json(500, "")]).await;
    assert_eq!(requests[0], pair("PUT /connections/c1", "{\"profile\":\"installer\"}"));
    assert_eq!(receipt.hints, [Hint::Record(record(RecordKind::DeviceAccess, "c1"))]);
    let (_, requests) =
        well(Change::SuspendDeviceAccess { holder: id("c1") }, vec![json(200, fixture!("updated")), json(500, "")])
            .await;
    assert_eq!(requests[0], pair("PUT /connections/c1", "{\"disabled\":true}"));
    let (receipt, _) = well(Change::SuspendDeviceAccess { holder: id("c1") }, vec![json(404, "")]).await;
    assert_eq!(receipt.gone, [record(RecordKind::DeviceAccess, "c1")]);
    assert!(
        refused(Change::ResumeDeviceAccess { holder: id("c1") }, vec![json(404, "")]).await.0
            == super::super::client::not_there()
    );
    let (receipt, requests) =
        well(Change::RevokeDeviceAccess { holder: id("c1") }, vec![json(200, fixture!("deleted"))]).await;
    assert_eq!(requests, [pair("DELETE /connections/c1", "")]);
    assert_eq!(receipt.gone, [record(RecordKind::DeviceAccess, "c1")]);
}

#[tokio::test]
async fn accesses_by_e_mail() {
    let body = "{\"email\":\"Jon.Doe@a.b\"}";
    let enabled = || vec![json(200, fixture!("by_email")), json(200, fixture!("device"))];
    let (receipt, requests) = well(Change::ResumeDeviceAccess { holder: email() }, enabled()).await;
    assert_eq!(requests[0], pair("POST /connections/by/device/edcba54321/enable/by/email", body));
    assert_eq!(receipt.found.records.len(), 2);
    let RecordDetails::DeviceAccess(details) = &receipt.found.records[0].details else { unreachable!() };
    assert_eq!(details.device_owner.as_deref(), Some("fghjkl67890"));

    let suspend = Change::SuspendDeviceAccess { holder: email() };
    let suspended = fixture!("by_email").replace("\"disabled\": false", "\"disabled\": true");
    // The answer does not show it (as in the document's own sample), a second look does.
    let reactions = vec![json(200, fixture!("by_email")), json(200, &suspended), json(200, fixture!("device"))];
    let (_, requests) = well(suspend.clone(), reactions).await;
    assert_eq!(requests[0], pair("POST /connections/by/device/edcba54321/disable/by/email", body));
    assert_eq!(requests[1], pair("GET /connections/by/device/edcba54321", ""));
    let reactions = vec![json(200, fixture!("by_email")), json(200, fixture!("by_email"))];
    assert!(matches!(refused(suspend.clone(), reactions).await.0, VendorError::Indeterminate { .. }));
    well(suspend, vec![json(200, "[]"), json(500, "")]).await;
    let others = "[{\"_id\":\"x\",\"ownerEmail\":\"jane.doe@a.b\"}]";
    let (error, _) = refused(Change::ResumeDeviceAccess { holder: email() }, vec![json(200, others)]).await;
    assert!(matches!(error, VendorError::Rejected { .. }), "nobody to resume");

    let plan = DeviceAccessPlan { profile: Some(AccessProfile::Admin), ..DeviceAccessPlan::default() };
    let change = Change::ChangeDeviceAccess { holder: email(), plan: plan.clone() };
    let (_, requests) = well(change, enabled()).await;
    let body_with_profile = "{\"email\":\"Jon.Doe@a.b\",\"profile\":\"admin\"}";
    assert_eq!(requests[0], pair("POST /connections/by/device/edcba54321/update/by/email", body_with_profile));
    for plan in [
        DeviceAccessPlan { disabled: Some(true), ..plan.clone() },
        DeviceAccessPlan { name: Some("x".to_owned()), ..DeviceAccessPlan::default() },
        DeviceAccessPlan { device_owner: Some("x".to_owned()), ..plan },
        DeviceAccessPlan::default(),
    ] {
        let (error, server) = refused(Change::ChangeDeviceAccess { holder: email(), plan }, Vec::new()).await;
        assert!(matches!(error, VendorError::Unsupported { .. }) && server.requests().is_empty());
    }

    let reactions = vec![json(200, fixture!("by_email")), json(200, others), json(200, fixture!("device"))];
    let (receipt, requests) = well(Change::RevokeDeviceAccess { holder: email() }, reactions).await;
    assert_eq!(requests[1], pair("POST /connections/by/device/edcba54321/delete/by/email", body));
    assert_eq!(receipt.gone, [record(RecordKind::DeviceAccess, "edcba54321")]);
}

#[tokio::test]
async fn schedules_and_the_profile() {
    let schedule = |id: &str| {
        let campaign = "\"campaignId\":\"abcde12345\"";
        format!("{{\"_id\":\"{id}\",{campaign},\"time\":3,\"schedule\":1930219200000.0,\"doorPort\":\"2\"}}")
    };
    let read_back = |id: &str| vec![json(200, &schedule(id)), json(200, "[]"), json(200, "[]")];
    let body = "{\"campaignId\":\"abcde12345\",\"time\":3,\"schedule\":1930219200000,\"doorPort\":\"2\"}";
    let create = Change::CreateAutoAccessSchedule { starts_at: noon(), minutes: 3 };
    let mut reactions = vec![json(200, fixture!("device")), json(200, fixture!("phone_inserted"))];
    reactions.extend(read_back("edcba54321"));
    let (receipt, requests) = well(create.clone(), reactions).await;
    assert_eq!(requests[1], pair("POST /schedules", body));
    assert_eq!(receipt.found.records[0].external_id, "edcba54321");
    let (error, server) = refused(create, vec![json(200, "{\"_id\":\"edcba54321\"}")]).await;
    assert!(matches!(error, VendorError::Unsupported { .. }), "without a campaign");
    assert_eq!(server.requests().len(), 1);

    let update = Change::UpdateAutoAccessSchedule { schedule: "old".to_owned(), starts_at: noon(), minutes: 3 };
    let mut reactions = vec![json(200, fixture!("device")), json(200, fixture!("phone_inserted"))];
    reactions.extend(read_back("edcba54321"));
    let (receipt, requests) = well(update, reactions).await;
    assert_eq!(requests[1], pair("PUT /schedules/old", body));
    assert_eq!(receipt.gone, [record(RecordKind::AutoAccessSchedule, "old")]);
    assert_eq!(receipt.found.records[0].external_id, "edcba54321");
    assert_eq!(receipt.result.unwrap()["replaced"], "old");

    let delete = Change::DeleteAutoAccessSchedule { schedule: "old".to_owned() };
    let (receipt, requests) = well(delete.clone(), vec![json(200, fixture!("schedule_deleted"))]).await;
    assert_eq!(requests, [pair("DELETE /schedules/old", "")]);
    assert_eq!(receipt.gone, [record(RecordKind::AutoAccessSchedule, "old")]);
    well(delete.clone(), vec![json(200, "{\"result\":false}"), json(404, "")]).await;
    let (error, _) = refused(delete, vec![json(200, "{\"result\":false}"), json(200, &schedule("old"))]).await;
    assert!(matches!(error, VendorError::Rejected { .. }));

    let address = Some(Address { city: Some("Madrid".to_owned()), ..Address::default() });
    let profile = AccountProfile { user: String::new(), display_name: Some("Jon".to_owned()), email: None, address };
    let user = || json(200, fixture!("user"));
    let reactions = vec![json(200, fixture!("devices")), user(), json(200, fixture!("updated")), user()];
    let (receipt, requests) = well(Change::UpdateAccountProfile(profile), reactions).await;
    let body = "{\"displayName\":\"Jon\",\"address\":{\"email\":\"jon.doe@a.b\",\"name\":\"Jon Doe\",\
        \"address\":\"ID_NUMBER\",\"street2\":\"Street\",\"city\":\"Madrid\",\"zip\":\"12345\",\"state\":\"State\",\
        \"country\":\"Country\"}}";
    assert_eq!(requests[2], pair("PUT /users/fghjkl67890", body));
    assert_eq!(receipt.found.records[0].external_id, "edcba54321");
}

#[tokio::test]
async fn nothing_leaves_too_late_and_a_lost_answer_is_lost() {
    let server = Server::start(vec![json(200, fixture!("updated"))]).await;
    let raixer = crate::raixer::testing::account(&server);
    let (change, target) = (Change::SetPhoneAccess { enabled: true }, crate::raixer::testing::target());
    let order = Order { change: &change, target: Some(&target), secret: None, first_sent_at: None };
    let late = raixer.carry_out(order, &departure(RunningOut::after(0))).await.unwrap_err();
    assert_eq!(late, VendorError::TooLate);
    assert!(server.requests().is_empty());
    let nowhere = raixer.carry_out(Order { target: None, ..order }, &departure(HandClock::new())).await;
    assert!(matches!(nowhere, Err(VendorError::Unsupported { .. })));
    let foreign = Change::ReadNextCardNumber;
    let foreign = raixer.carry_out(Order { change: &foreign, ..order }, &departure(HandClock::new())).await;
    assert!(matches!(foreign, Err(VendorError::Unsupported { .. })));
    let (error, _) = refused(Change::SetPhoneAccess { enabled: true }, vec![Reaction::Silence]).await;
    assert!(matches!(error, VendorError::Indeterminate { code: FailureCode::AnswerLost, .. }));
}
