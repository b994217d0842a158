//! Changes of one subject keep their order; others do not wait for them.

use gatehouse_tests::{client::text, house::BackEnd, on_both_back_ends, wait::until};
use serde_json::{Value, json};
use simulator::{Fault, FaultKind, Vendor};

use super::scene::{CREATIONS, Scene, TOO_LONG, bodies, command, made_id, plan, record, status};

/// A telephone number at the first device.
async fn phone(scene: &Scene, number: &str) -> Value {
    let input = json!({ "deviceId": scene.device(0)["id"], "number": number });
    let made = made_id(&scene.house, &scene.done("authorizePhone", input).await).await;
    record(&scene.house, "CREDENTIAL", &made).await.unwrap()
}

on_both_back_ends! {
    async fn one_phone_keeps_its_order_and_another_does_not_wait(back_end: BackEnd) {
        let scene = Scene::start(plan(back_end, 2)).await;
        let (slow, quick) = (phone(&scene, "351940000001").await, phone(&scene, "351940000002").await);
        let trouble = Fault::new(Vendor::Raixer, status(503)).at("update_authorized_phone");
        let trouble = trouble.for_device(&text(&slow["externalId"]));
        let trouble = scene.house.vendors.add_fault(trouble).unwrap();
        let client = &scene.house.client;
        let suspended = command(client, "suspendPhone", json!({ "phoneId": slow["id"] })).await;
        let resumed = command(client, "resumePhone", json!({ "phoneId": slow["id"] })).await;
        let other = command(client, "suspendPhone", json!({ "phoneId": quick["id"] })).await;
        assert_eq!(scene.carried(&other).await["state"], "SUCCEEDED");
        let waits = client.read_command(&resumed).await;
        assert_eq!((&waits["state"], &waits["attempts"]), (&json!("QUEUED"), &json!(0)), "it overtook: {waits:#}");
        assert_eq!(client.read_command(&suspended).await["terminal"], false);

        assert!(scene.house.vendors.remove_fault(trouble));
        for id in [&suspended, &resumed] {
            assert_eq!(scene.carried(id).await["state"], "SUCCEEDED");
        }
        let of_slow = |body: &Value| body["phoneNumber"] == 351_940_000_001_u64;
        let asked: Vec<Value> = bodies(&scene.house, Vendor::Raixer, "update_authorized_phone");
        let asked: Vec<bool> = asked.iter().filter(|body| of_slow(body)).map(|body| body["authorized"] == true).collect();
        let turn = asked.iter().position(|resumes| *resumes).unwrap();
        assert!(turn > 0 && asked[turn..].iter().all(|resumes| *resumes), "suspended after it was resumed: {asked:?}");
        let shown = record(&scene.house, "CREDENTIAL", &text(&slow["externalId"])).await.unwrap();
        assert_eq!(shown["details"]["status"], "ACTIVE");
        scene.house.stop().await;
    }

    /// A Lockt account takes one POST at a time, however many people ask and whatever became of the one before.
    async fn nothing_overlaps_at_a_card_lock_system(back_end: BackEnd) {
        let mut scene = Scene::start(plan(back_end, 2)).await;
        if back_end == BackEnd::Distributed {
            scene.house.start_worker().await;
        }
        let slow = FaultKind::Delay { millis: 40 };
        scene.house.vendors.add_fault(Fault::new(Vendor::Lockt, slow)).unwrap();
        let mut ids = Vec::new();
        for number in 0..4 {
            for change in CREATIONS.iter().filter(|change| change.vendor == Vendor::Lockt) {
                let input = change.input(&scene, number).await;
                ids.push(command(&scene.house.client, change.mutation, input).await);
            }
        }
        for id in ids {
            let command = scene.carried_slowly(&id).await;
            assert_eq!(command["state"], "SUCCEEDED", "{command:#}");
        }
        assert_eq!(scene.house.vendors.lockt_overlaps(), Vec::new());
        scene.house.stop().await;
    }

    /// A vendor that is still busy with a request that we gave up refuses the next one; that one is asked again.
    async fn what_is_refused_for_an_overlap_is_asked_again(back_end: BackEnd) {
        let scene = Scene::start(plan(back_end, 2)).await;
        let slow = FaultKind::DelayAnswer { millis: TOO_LONG * 2 };
        scene.house.vendors.add_fault(Fault::new(Vendor::Lockt, slow).at("create_fobs").times(1)).unwrap();
        let client = &scene.house.client;
        let fobs = json!([{ "idNumber": "late", "name": "Late", "cardNumber": "4242" }]);
        let first = command(client, "createFobs", json!({ "vendorAccountId": scene.lockt, "fobs": fobs })).await;
        let second = command(client, "createDoors", json!({ "vendorAccountId": scene.lockt, "names": ["Attic"] })).await;
        for id in [&first, &second] {
            let command = scene.carried_slowly(id).await;
            assert_eq!(command["state"], "SUCCEEDED", "{command:#}");
        }
        let doors = async || scene.house.doors().await.into_iter().any(|door| door["name"] == "Attic").then_some(());
        until("the door is there", doors).await;
        scene.house.stop().await;
    }
}
