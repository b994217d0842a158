//! Every fault of the wire at the vendors that move no door: the right end, the right code, the account's state, and no
//! storm of requests. What concerns the doors of the others is in `vendor_failures`.

use chrono::TimeDelta;
use gatehouse_tests::{house::BackEnd, on_both_back_ends};
use serde_json::json;
use simulator::{Fault, FaultKind, Vendor, WorldChange};

use super::{
    pace::Pace,
    scene::{
        CREATIONS, Change, Scene, TOO_LONG, assert_no_harm, bodies, command, late_status, mutate, plan, result, status,
    },
};
use crate::{
    orders::{account, events, failure},
    refusals::assert_refused,
};

/// What a fault comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// One record, after so many requests.
    Made(usize),
    /// FAILED with this code, and nothing was made.
    Refused(&'static str),
}

/// The creation by which a vendor is tried: people at Lockt, tokens at Mews.
fn change(vendor: Vendor) -> &'static Change {
    let mutation = if vendor == Vendor::Lockt { "importUsers" } else { "addPmsAccessToken" };
    CREATIONS.iter().find(|change| change.mutation == mutation).unwrap()
}

/// Every fault of the wire with its end. A refusal of the credentials concerns the account, and has a test of its own.
fn cases(vendor: Vendor) -> Vec<(FaultKind, End)> {
    use End::{Made, Refused};
    use FaultKind::{
        Delay, DelayAnswer, DropAfterEffect, DropBeforeEffect, DropMidAnswer, Garbage, Hang, Status, Truncated,
        WrongContentType,
    };
    let (not_found, conflict) = match vendor {
        // The address of an operation is ours; what changed meanwhile was not written (vendors-extra 5.2).
        Vendor::Mews => (Refused("MALFORMED"), Made(2)),
        _ => (Refused("VENDOR_REJECTED"), Refused("VENDOR_REJECTED")),
    };
    vec![
        (status(400), Refused("VENDOR_REJECTED")),
        (status(403), Refused("VENDOR_REJECTED")),
        (status(404), not_found),
        (status(409), conflict),
        (status(408), Made(2)),
        (status(500), Made(2)),
        (status(502), Made(2)),
        (status(503), Made(2)),
        (Status { code: 503, retry_after: Some(20), after_effect: false }, Made(2)),
        (late_status(408), Made(1)),
        (late_status(500), Made(1)),
        (late_status(503), Made(1)),
        (status(429), Made(2)),
        (Status { code: 429, retry_after: Some(20), after_effect: false }, Made(2)),
        (Garbage, Made(1)),
        (Truncated, Made(1)),
        (WrongContentType, Made(1)),
        (DropBeforeEffect, Made(2)),
        (DropAfterEffect, Made(1)),
        (DropMidAnswer, Made(1)),
        (Delay { millis: 200 }, Made(1)),
        (DelayAnswer { millis: 200 }, Made(1)),
        (Delay { millis: TOO_LONG }, Made(1)),
        (DelayAnswer { millis: TOO_LONG }, Made(1)),
        (Hang { after_effect: false }, Made(2)),
        (Hang { after_effect: true }, Made(1)),
    ]
}

async fn every_fault(back_end: BackEnd, vendor: Vendor) {
    let scene = Scene::start(plan(back_end, 30)).await;
    let change = change(vendor);
    for (number, (kind, end)) in cases(vendor).into_iter().enumerate() {
        let what = format!("{vendor:?} {kind:?}");
        let asked = scene.house.vendors.journal(0).entries.len();
        let came = scene.through_fault(change, number, kind.clone()).await;
        match end {
            End::Made(sent) => came.assert_done(sent, &what),
            End::Refused(code) => {
                let told = (came.command["state"].as_str(), failure(&came.command));
                assert_eq!(told, (Some("FAILED"), code), "{what}: {:#}", came.command);
                assert_eq!((came.effects, came.sent), (0, 1), "{what}: {:#}", came.command);
            }
        }
        let asked = scene.house.vendors.journal(0).entries.len() - asked;
        assert!(asked <= 12, "{what}: {asked} requests");
        assert_eq!(account(&scene.house, vendor).await["state"], "CONNECTED", "{what}");
        if let FaultKind::Status { retry_after: Some(seconds), .. } = kind {
            let requests = scene.house.vendors.requests_to(vendor, change.operation);
            let [.., refused, next] = requests.as_slice() else { panic!("{what}: {requests:?}") };
            let pause = next.received_at - refused.received_at;
            assert!(pause >= TimeDelta::seconds(i64::try_from(seconds).unwrap()), "{what}: asked again after {pause}");
        }
    }
    let states = events(&scene.house, json!({ "types": ["ACCOUNT_STATE_CHANGED"] })).await;
    let states: Vec<&str> = states.iter().filter_map(|event| event["data"]["to"].as_str()).collect();
    assert!(states.last().is_none_or(|last| *last == "CONNECTED"), "{states:?}");
    assert!(!states.contains(&"REAUTH_REQUIRED"), "{states:?}");
    assert_no_harm(&scene.house);
    scene.house.stop().await;
}

/// A vendor that is down for a while is asked now and then, and everything is done when it is back.
async fn outage(back_end: BackEnd, vendor: Vendor) {
    let scene = Scene::start(plan(back_end, 12)).await;
    let change = change(vendor);
    let down = scene.house.vendors.add_fault(Fault::new(vendor, FaultKind::DropBeforeEffect)).unwrap();
    let asked = scene.house.vendors.journal(0).entries.len();
    let before = scene.count(change);
    let mut ids = Vec::new();
    for number in 0..6 {
        let input = change.input(&scene, number).await;
        ids.push(command(&scene.house.client, change.mutation, input).await);
    }
    let until = scene.now() + TimeDelta::seconds(40);
    scene.pass_until(&ids[0], |_| scene.now() > until, Pace::Jumping).await;
    let asked = scene.house.vendors.journal(0).entries.len() - asked;
    assert!((3..80).contains(&asked), "{asked} requests in 40 seconds");
    account_is(&scene, vendor, "DEGRADED").await;
    assert!(scene.house.vendors.remove_fault(down));
    for id in &ids {
        let command = scene.carried(id).await;
        assert_eq!(command["state"], "SUCCEEDED", "{command:#}");
    }
    assert_eq!(scene.count(change).1 - before.1, 6);
    account_is(&scene, vendor, "CONNECTED").await;
    scene.house.stop().await;
}

async fn account_is(scene: &Scene, vendor: Vendor, state: &str) {
    assert_eq!(account(&scene.house, vendor).await["state"], state, "{vendor:?}");
}

on_both_back_ends! {
    async fn every_fault_of_the_wire_at_lockt(back_end: BackEnd) {
        every_fault(back_end, Vendor::Lockt).await;
    }

    async fn every_fault_of_the_wire_at_mews(back_end: BackEnd) {
        every_fault(back_end, Vendor::Mews).await;
    }

    async fn an_outage_of_lockt(back_end: BackEnd) {
        outage(back_end, Vendor::Lockt).await;
    }

    async fn an_outage_of_mews(back_end: BackEnd) {
        outage(back_end, Vendor::Mews).await;
    }

    /// A question may be asked again: nothing depends on how often.
    async fn a_question_is_asked_until_it_is_answered(back_end: BackEnd) {
        let scene = Scene::start(plan(back_end, 2)).await;
        for kind in [status(503), status(429), FaultKind::DropBeforeEffect, FaultKind::Garbage, FaultKind::Truncated] {
            let what = format!("{kind:?}");
            scene.house.vendors.add_fault(Fault::new(Vendor::Lockt, kind).at("next_card_num").times(2)).unwrap();
            let id = scene.done("readNextCardNumber", json!({ "vendorAccountId": scene.lockt })).await;
            let told = result(&scene.house, &id).await;
            assert!(told["value"].as_str().is_some_and(|number| !number.is_empty()), "{what}: {told:#}");
        }
        scene.house.stop().await;
    }

    /// Whoever is refused by the vendor is asked for a person's help, and asks nothing more.
    async fn refused_credentials_stop_the_account(back_end: BackEnd) {
        let scene = Scene::start(plan(back_end, 2)).await;
        let keys = scene.house.vendors.credentials()[0].clone();
        for (vendor, credential) in [(Vendor::Lockt, keys.lockt.api_user), (Vendor::Mews, keys.mews.access_token)] {
            let change = change(vendor);
            scene.house.vendors.change(WorldChange::Credential { vendor, credential, valid: false }).unwrap();
            let before = scene.count(change);
            let input = change.input(&scene, 0).await;
            let id = command(&scene.house.client, change.mutation, input.clone()).await;
            let command = scene.carried(&id).await;
            assert_eq!((command["state"].as_str(), failure(&command)), (Some("FAILED"), "AUTHENTICATION_FAILED"), "{command:#}");
            let after = scene.count(change);
            assert_eq!((after.0 - before.0, after.1), (1, before.1), "{vendor:?}");
            account_is(&scene, vendor, "REAUTH_REQUIRED").await;
            let asked = scene.house.vendors.journal(0).entries.len();
            let mut payload = mutate(&scene.house.client, change.mutation, input).await;
            payload["command"] = payload["commands"].as_array().and_then(|all| all.first()).cloned().unwrap_or_default();
            assert_refused(&payload, "ACCOUNT_NOT_USABLE", None);
            assert_eq!(scene.house.vendors.journal(0).entries.len(), asked, "{vendor:?}: nothing more is asked of it");
        }
        scene.house.stop().await;
    }

    /// Mews says 401 for a missing permission too: that is about the operation, not about the account.
    async fn a_missing_permission_at_mews_is_not_the_end_of_the_account(back_end: BackEnd) {
        let scene = Scene::start(plan(back_end, 2)).await;
        let came = scene.through_fault(change(Vendor::Mews), 0, status(401)).await;
        assert_eq!((came.command["state"].as_str(), failure(&came.command)), (Some("FAILED"), "VENDOR_REJECTED"));
        account_is(&scene, Vendor::Mews, "CONNECTED").await;
        scene.house.stop().await;
    }

    /// Ownership of a device moves at the vendor unless its owner is named.
    async fn the_owner_of_a_device_is_always_named(back_end: BackEnd) {
        let scene = Scene::start(plan(back_end, 4)).await;
        let grant = CREATIONS.iter().find(|change| change.mutation == "grantDeviceAccess").unwrap();
        for (number, kind) in [FaultKind::DropBeforeEffect, status(503), FaultKind::DropAfterEffect].into_iter().enumerate() {
            scene.through_fault(grant, number, kind).await;
        }
        // Who cannot find the owner out grants nothing.
        scene.house.vendors.add_fault(Fault::new(Vendor::Raixer, status(503)).at("get_device").times(2)).unwrap();
        scene.done(grant.mutation, grant.input(&scene, 3).await).await;
        let asked = bodies(&scene.house, Vendor::Raixer, "create_connection");
        assert!(asked.len() >= 5, "{asked:#?}");
        for body in asked {
            let owner = body["deviceOwner"].as_str().unwrap_or_default();
            assert!(!owner.is_empty() && body["deviceOwer"] == owner, "{body:#}");
        }
        assert_no_harm(&scene.house);
        scene.house.stop().await;
    }
}
