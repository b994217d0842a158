//! P2 and P3: at most one physical effect whatever breaks in between, and no claim that the vendor's journal refutes.
//! A worker is crashed by dropping its visit at the n-th point where it waits, for every n.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    sync::Arc,
    task::Poll,
};

use chrono::TimeDelta;
use domain::{
    access::Role,
    ids::{MembershipId, SiteId, UserId},
};
use entities::store::organizations::{create_member, create_site};
use futures::future::join_all;
use gatehouse::house::worker_parts;
use gatehouse_tests::{
    client::text,
    house::{BackEnd, Plan, TestHouse},
    on_both_back_ends,
};
use sea_orm::{ConnectionTrait, Database, DbBackend, Statement};
use serde_json::{Value, json};
use simulator::{Fault, FaultKind, Vendor, WorldChange};
use tokio_util::sync::CancellationToken;
use worker::{
    accounts::Accounts,
    drain_lane::{Drained, LEASE, Lanes},
};

/// A worker that lives only as long as its visits are polled.
pub(crate) fn mortal_worker(house: &TestHouse) -> Arc<Lanes> {
    let parts = worker_parts(house.foundation(), &house.settings).unwrap();
    let accounts = Arc::new(Accounts::new(parts.clone()));
    Lanes::new(parts, accounts, CancellationToken::new())
}

/// Lets a future run until it has waited `limit` times, then drops it where it stands. Returns its answer if it had one.
pub(crate) async fn crash_after<F: Future>(limit: usize, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut waits = 0;
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(answer) => Poll::Ready(Some(answer)),
        Poll::Pending if waits == limit => Poll::Ready(None),
        Poll::Pending => {
            waits += 1;
            Poll::Pending
        }
    })
    .await
}

/// Works a lane with fresh workers until its command ends, moving the clock as time would.
pub(crate) async fn carry_to_the_end(house: &TestHouse, id: &str) -> Value {
    house.advance(LEASE + TimeDelta::seconds(1));
    let worker = mortal_worker(house);
    for _ in 0..400 {
        let row = house.row(id).await;
        let Some(due) = row.due_at else { break };
        let now = house.clock.as_ref().map(domain::clock::Clock::now).unwrap();
        if due > now {
            house.advance(due - now);
        }
        let drained = worker.drain(row.lane_id).await.unwrap();
        assert_ne!(drained, Drained::Busy, "the dead worker's lease is over");
    }
    let command = house.client.read_command(id).await;
    assert_eq!(command["terminal"], true, "{command:#}");
    command
}

/// What is claimed against what the vendor's journal shows (P3).
fn compare(command: &Value, effects: usize) {
    assert!(effects <= 1, "{effects} effects of one command: {command:#}");
    let state = command["state"].as_str().unwrap();
    let evidence = command["evidence"].as_str().unwrap();
    match state {
        "SUCCEEDED" => assert_eq!(effects, 1, "claimed without an effect: {command:#}"),
        "FAILED" | "EXPIRED" | "CANCELED" => assert_eq!(effects, 0, "denied in spite of an effect: {command:#}"),
        "OUTCOME_UNKNOWN" => assert_ne!(evidence, "SENSOR", "{command:#}"),
        _ => panic!("not an end: {command:#}"),
    }
}

async fn crash_everywhere(back_end: BackEnd, vendor: &str, capability: &str, mutation: &str) {
    let house = Plan::on(back_end).with_manual_clock().without_worker().start().await;
    let door = house.door(vendor, capability).await;
    let mut states = std::collections::BTreeMap::<String, usize>::new();
    for limit in 0.. {
        // Far enough from the last pulse that this one is a wish of its own, and the door is as it was.
        house.advance(TimeDelta::seconds(60));
        if vendor == "PARQEX" {
            // A gate that is open is not pulsed again; the document leaves that to the controller.
            house.vendors.change(WorldChange::ParqexDoor { door: text(&door["externalId"]), open: false }).unwrap();
        }
        let before = house.effects();
        let id = house.client.command(mutation, json!({ "doorId": door["id"] })).await;
        let lane = house.row(&id).await.lane_id;
        let survived = crash_after(limit, mortal_worker(&house).drain(lane)).await.is_some();
        let command = carry_to_the_end(&house, &id).await;
        compare(&command, house.effects() - before);
        *states.entry(text(&command["state"])).or_default() += 1;
        if survived && limit > 3 {
            break;
        }
        assert!(limit < 500, "a visit waits this often?");
    }
    assert!(states.contains_key("SUCCEEDED"), "{states:?}");
    house.stop().await;
}

on_both_back_ends! {
    async fn a_worker_crashed_anywhere_opens_a_raixer_door_at_most_once(back_end: BackEnd) {
        crash_everywhere(back_end, "RAIXER", "OPEN_DOOR", "openDoor").await;
    }

    async fn a_worker_crashed_anywhere_opens_a_gate_at_most_once(back_end: BackEnd) {
        crash_everywhere(back_end, "PARQEX", "OPEN_DOOR", "openDoor").await;
    }

    async fn a_worker_crashed_anywhere_unlocks_a_bike_house_at_most_once(back_end: BackEnd) {
        crash_everywhere(back_end, "BIKEEP", "OPEN_DOOR", "openDoor").await;
    }

    /// The same ring delivered to many workers at once: one effect.
    async fn a_duplicated_ring_has_one_effect(back_end: BackEnd) {
        let house = Plan::on(back_end).without_worker().start().await;
        let door = house.door("RAIXER", "OPEN_DOOR").await;
        let id = house.client.command("openDoor", json!({ "doorId": door["id"] })).await;
        let lane = house.row(&id).await.lane_id;
        let workers: Vec<_> = (0..8).map(|_| mortal_worker(&house)).collect();
        join_all(workers.iter().map(|worker| worker.drain(lane))).await;
        let command = house.client.finished(&id).await;
        assert_eq!(command["state"], "SUCCEEDED", "{command:#}");
        assert_eq!(house.effects(), 1);
        house.stop().await;
    }

    /// An answer lost after the effect is OUTCOME_UNKNOWN, and becomes SUCCEEDED when the door shows it.
    async fn a_lost_answer_is_resolved_by_what_the_door_shows(back_end: BackEnd) {
        let house = Plan::on(back_end).start().await;
        let door = house.door("BIKEEP", "OPEN_DOOR").await;
        house.vendors.add_fault(Fault::new(Vendor::Bikeep, FaultKind::DropAfterEffect).at("send_command").times(1)).unwrap();
        let id = house.client.command("openDoor", json!({ "doorId": door["id"] })).await;
        let unknown = house.client.finished(&id).await;
        let resolved = house.client.in_state(&id, "SUCCEEDED").await;
        assert!(["OUTCOME_UNKNOWN", "SUCCEEDED"].contains(&unknown["state"].as_str().unwrap()), "{unknown:#}");
        assert_eq!(resolved["evidence"], "SENSOR");
        let states: Vec<_> = resolved["timeline"].as_array().unwrap().iter().map(|line| text(&line["state"])).collect();
        assert!(states.contains(&"OUTCOME_UNKNOWN".to_owned()), "{states:?}");
        assert_eq!(house.effects(), 1);
        house.stop().await;
    }

    /// A request dropped before its effect is never sent again, and never called a success.
    async fn a_dropped_request_is_not_repeated(back_end: BackEnd) {
        let house = Plan::on(back_end).start().await;
        for (vendor, name, operation) in
            [(Vendor::Bikeep, "BIKEEP", "send_command"), (Vendor::Raixer, "RAIXER", "open_door_at"), (Vendor::Parqex, "PARQEX", "toggle")]
        {
            let door = house.door(name, "OPEN_DOOR").await;
            house.vendors.add_fault(Fault::new(vendor, FaultKind::DropBeforeEffect).at(operation).times(1)).unwrap();
            let asked = house.vendors.requests_to(vendor, operation).len();
            let id = house.client.command("openDoor", json!({ "doorId": door["id"] })).await;
            let command = house.client.in_state(&id, "OUTCOME_UNKNOWN").await;
            assert_eq!(command["failure"]["code"], "ANSWER_LOST", "{command:#}");
            assert_eq!(house.vendors.requests_to(vendor, operation).len(), asked + 1);
        }
        assert_eq!(house.effects(), 0);
        house.stop().await;
    }
}

/// A caller may leave at any point, also while a transaction begins (a client hangs up): no connection goes back into the
/// pool with an open transaction, into which others would write what nobody commits.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_leaves_leaves_no_transaction_behind() {
    let house = Plan::on(BackEnd::Distributed).without_worker().start().await;
    let (database, organization) = (house.database(), house.organization);
    let observer = Database::connect(house.settings.database_url.expose()).await.unwrap();
    let ids = || house.foundation().ids.next_uuid();
    let now = house.foundation().clock.now();
    for limit in 0..8 {
        let leavers = (0..3).map(|_| {
            let person = (UserId(ids()), MembershipId(ids()));
            let written = create_member(database, organization, person, ("Zoë", None), (Role::Viewer, None), now);
            crash_after(limit, written)
        });
        join_all(leavers).await;
        // So many at once that every connection has one to write.
        let sites: Vec<SiteId> = (0..24).map(|_| SiteId(ids())).collect();
        let written =
            sites.iter().map(|site| create_site(database, organization, *site, "Left", "Europe/Tallinn", now));
        assert!(join_all(written).await.iter().all(Result::is_ok));
        for site in sites {
            let seen =
                Statement::from_string(DbBackend::Postgres, format!("SELECT 1 FROM sites WHERE id = '{}'", site.0));
            assert_eq!(observer.query_all_raw(seen).await.unwrap().len(), 1, "written, but not for others");
        }
    }
    house.stop().await;
}
