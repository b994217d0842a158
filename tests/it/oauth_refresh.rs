//! Access that ends by itself and is renewed with rotating tokens (rule 10, P22): by one worker of all, stored before it
//! is used, and when a renewal is lost the account says so at once.

use std::pin::pin;

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    clock::{Clock, truncate},
    ids::VendorAccountId,
};
use entities::{rows::vendor_account, work};
use gatehouse::house::worker_parts;
use gatehouse_tests::{
    client::text,
    house::{BackEnd, Plan, TestHouse},
    on_both_back_ends,
    wait::until,
};
use serde_json::{Value, json};
use simulator::{Fault, FaultKind, ParqexOauthCounts, Vendor, WorldChange};
use worker::{
    accounts::{Access, Accounts},
    drain_lane::LEASE,
};

use crate::{
    account_links::{
        accepted, account, assert_refused, becomes, devices_of, door_of, events_about, mutate, synced, synced_since,
    },
    oauth::{begin, come_back, consent, counts, linked_by_consent},
    orders::failure,
    truth::crash_after,
};

/// How long a ParqEx access lives.
const LIFE: TimeDelta = TimeDelta::hours(1);
/// How many workers are at it at once (P22).
const WORKERS: usize = 64;

async fn house(back_end: BackEnd) -> TestHouse {
    Plan::on(back_end).with_manual_clock().start().await
}

pub(crate) fn now(house: &TestHouse) -> DateTime<Utc> {
    house.clock.as_ref().unwrap().now()
}

/// A command once it has come to an end. Those who wait for another's renewal wait by the clock.
pub(crate) async fn ended(house: &TestHouse, id: &str, step: i64) -> Value {
    until(&format!("{id} ends"), async || {
        let command = house.client.read_command(id).await;
        if command["terminal"] == true || command["state"] == "SUCCEEDED" {
            return Some(command);
        }
        house.advance(TimeDelta::milliseconds(step));
        None
    })
    .await
}

async fn open(house: &TestHouse, door: &Value) -> String {
    house.client.command("openDoor", json!({ "doorId": door["id"] })).await
}

/// Opens a door of an account, which must work, with exactly one pulse.
async fn opens_once(house: &TestHouse, id: &str) -> Value {
    let door = door_of(house, id, "OPEN_DOOR").await;
    let before = house.effects_at(&door["externalId"]);
    let command = open(house, &door).await;
    let command = ended(house, &command, 25).await;
    assert_eq!(command["state"], "SUCCEEDED", "{command:#}");
    assert_eq!(house.effects_at(&door["externalId"]), before + 1, "{command:#}");
    command
}

fn refresh_requests(house: &TestHouse) -> usize {
    house.vendors.requests_to(Vendor::Parqex, "refresh_token").len()
}

pub(crate) async fn row(house: &TestHouse, id: &str) -> vendor_account::Model {
    work::account(house.database(), id.parse().unwrap()).await.unwrap().unwrap()
}

fn failing(kind: FaultKind) -> Fault {
    Fault::new(Vendor::Parqex, kind).at("refresh_token")
}

fn status(code: u16, after_effect: bool) -> FaultKind {
    FaultKind::Status { code, retry_after: None, after_effect }
}

async fn states(house: &TestHouse, id: &str) -> Vec<String> {
    let events = events_about(house, id, &["ACCOUNT_STATE_CHANGED"]).await;
    events.iter().map(|event| text(&event["data"]["to"])).collect()
}

/// Links an account again by its user's consent.
async fn consent_again(house: &TestHouse, id: &str) {
    let input = json!({ "vendorAccountId": id });
    let payload = accepted(house, "reauthorizeVendorAccount", input, "authorizationUrl").await;
    let url = text(&payload["authorizationUrl"]).parse().unwrap();
    assert_eq!(come_back(&consent(&url).await).await.status, 200);
}

/// What the next worker finds after one died in a renewal: new access, or that the tokens are lost.
async fn is_kept_after_a_crash(
    house: &TestHouse,
    row: &vendor_account::Model,
    before: ParqexOauthCounts,
    what: &str,
) -> bool {
    until("the vendor has done what it was asked", async || {
        let entries = house.vendors.journal(0).entries;
        entries.iter().all(|entry| entry.ended_at.is_some()).then_some(())
    })
    .await;
    house.advance(LEASE + TimeDelta::seconds(1));
    let parts = worker_parts(house.foundation(), &house.settings).unwrap();
    let line = Accounts::new(parts).line(&Access::of(row)).await;
    let id = VendorAccountId(row.id).to_string();
    let (count, account) = (counts(house), account(house, &id).await);
    assert_eq!(count.refreshes, before.refreshes + 1, "{what}");
    let reused = count.reused_refresh_tokens - before.reused_refresh_tokens;
    if line.is_ok() {
        // One if what the dead worker had sent to the database came to its end after all.
        assert!(account["state"] == "CONNECTED" && reused <= 1, "{what}: {account:#}");
        return true;
    }
    assert_eq!((&account["state"], reused), (&json!("REAUTH_REQUIRED"), 1), "{what}");
    // Not a moment of the clock has passed since somebody looked.
    let since: DateTime<Utc> = text(&account["stateSince"]).parse().unwrap();
    assert_eq!(since, truncate(now(house)), "{what}");
    false
}

/// Has this many workers connect to an account at the same moment, and lets the clock go on until each has. It goes far
/// slower than the machine's: whoever is held up by a busy machine keeps their lease.
pub(crate) async fn all_connect(house: &TestHouse, id: &str) {
    let parts = worker_parts(house.foundation(), &house.settings).unwrap();
    let workers: Vec<Accounts> = (0..WORKERS).map(|_| Accounts::new(parts.clone())).collect();
    let row = row(house, id).await;
    let access = Access::of(&row);
    let mut lines = pin!(futures::future::join_all(workers.iter().map(|worker| worker.line(&access))));
    let mut ticks = tokio::time::interval(std::time::Duration::from_millis(5));
    let lines = loop {
        tokio::select! {
            lines = &mut lines => break lines,
            _ = ticks.tick() => house.advance(TimeDelta::milliseconds(1)),
        }
    };
    for line in lines {
        assert!(line.is_ok(), "{:?}", line.err());
    }
}

on_both_back_ends! {
    /// Hour after hour: one renewal each, with the newest token, and an open in that moment works once.
    async fn an_access_is_renewed_when_it_ends(back_end: BackEnd) {
        let house = house(back_end).await;
        let id = linked_by_consent(&house).await;
        for hour in 1..=3 {
            house.advance(LIFE);
            let ended = now(&house);
            opens_once(&house, &id).await;
            synced_since(&house, &id, ended).await;
            let count = counts(&house);
            assert_eq!((count.refreshes, count.reused_refresh_tokens), (hour, 0), "{count:?}");
            assert_eq!(refresh_requests(&house) as u64, hour);
        }
        assert_eq!(account(&house, &id).await["state"], "CONNECTED");
        assert_eq!(states(&house, &id).await, [""; 0]);
        house.stop().await;
    }

    /// Shortly before its end an access is renewed already; if that fails, the old one counts as long as it lasts.
    async fn an_access_counts_to_its_end(back_end: BackEnd) {
        let house = house(back_end).await;
        let id = linked_by_consent(&house).await;
        house.advance(LIFE - TimeDelta::seconds(30));
        let nearly = now(&house);
        opens_once(&house, &id).await;
        assert_eq!(counts(&house).refreshes, 1);
        synced_since(&house, &id, nearly).await;

        let fault = house.vendors.add_fault(failing(status(503, false))).unwrap();
        house.advance(LIFE - TimeDelta::seconds(20));
        let command = opens_once(&house, &id).await;
        assert_eq!(command["attempts"], 1, "{command:#}");
        assert_eq!(counts(&house).refreshes, 1);
        assert!(house.vendors.remove_fault(fault));
        house.advance(TimeDelta::seconds(20));
        opens_once(&house, &id).await;
        assert_eq!((counts(&house).refreshes, counts(&house).reused_refresh_tokens), (2, 0));
        house.stop().await;
    }

    /// However many workers find the same access ended, one of them renews it.
    async fn never_two_renewals_at_once(back_end: BackEnd) {
        let mut house = house(back_end).await;
        let id = linked_by_consent(&house).await;
        house.vendors.add_fault(failing(FaultKind::DelayAnswer { millis: 100 })).unwrap();
        for round in 1..=2 {
            house.advance(LIFE);
            all_connect(&house, &id).await;
            assert_eq!((refresh_requests(&house), counts(&house).reused_refresh_tokens), (round, 0));
        }
        for _ in 0..3 {
            house.start_worker().await;
        }
        let devices = devices_of(&house, &id).await;
        let doors: Vec<&Value> = devices.iter().flat_map(|device| device["doors"].as_array().unwrap()).collect();
        house.advance(LIFE);
        let commands = futures::future::join_all(doors.iter().map(|door| open(&house, door))).await;
        accepted(&house, "syncVendorAccount", json!({ "vendorAccountId": id }), "").await;
        for (command, door) in commands.iter().zip(&doors) {
            let command = ended(&house, command, 1).await;
            assert_eq!(command["state"], "SUCCEEDED", "{command:#}");
            assert_eq!(house.effects_at(&door["externalId"]), 1, "{command:#}");
        }
        assert_eq!((doors.len(), refresh_requests(&house)), (10, 3));
        assert_eq!((counts(&house).refreshes, counts(&house).reused_refresh_tokens), (3, 0));
        house.stop().await;
    }

    /// When the vendor first sees a new access token, it has been stored.
    async fn a_rotated_token_is_stored_before_it_is_used(back_end: BackEnd) {
        let house = house(back_end).await;
        let id = linked_by_consent(&house).await;
        let before = row(&house, &id).await;
        house.vendors.add_fault(Fault::new(Vendor::Parqex, FaultKind::Delay { millis: 1_000 })).unwrap();
        let door = door_of(&house, &id, "OPEN_DOOR").await;
        let uses = || house.vendors.requests_to(Vendor::Parqex, "toggle").len();
        house.advance(LIFE);
        let command = open(&house, &door).await;
        until("the new token is used", async || {
            house.advance(TimeDelta::milliseconds(5));
            (uses() == 1).then_some(())
        })
        .await;
        let stored = row(&house, &id).await;
        assert_eq!(stored.credentials_version, before.credentials_version + 1);
        assert_ne!(stored.credentials, before.credentials);
        house.vendors.clear_faults();
        assert_eq!(ended(&house, &command, 5).await["state"], "SUCCEEDED");
        house.stop().await;
    }

    /// A vendor that could not give new tokens is asked again; what waits is kept and done once.
    async fn a_failed_renewal_is_made_up_for(back_end: BackEnd) {
        let house = house(back_end).await;
        let id = linked_by_consent(&house).await;
        for (round, kind) in [status(503, false), status(429, false), FaultKind::DropBeforeEffect].into_iter().enumerate() {
            house.advance(LIFE);
            let ended = now(&house);
            house.vendors.add_fault(failing(kind).times(2)).unwrap();
            opens_once(&house, &id).await;
            let count = counts(&house);
            assert_eq!((count.refreshes, count.reused_refresh_tokens), (round as u64 + 1, 0), "{count:?}");
            assert_eq!(house.vendors.faults(), [], "the fault has hit");
            accepted(&house, "syncVendorAccount", json!({ "vendorAccountId": id }), "").await;
            becomes(&house, &id, "CONNECTED").await;
            synced_since(&house, &id, ended).await;
        }
        let states = states(&house, &id).await;
        assert!(states.contains(&"DEGRADED".to_owned()) && !states.contains(&"REAUTH_REQUIRED".to_owned()), "{states:?}");
        house.stop().await;
    }

    /// Tokens that were rotated and lost on the way cannot be had again: within a second the account says so.
    async fn a_lost_renewal_needs_a_person_within_a_second(back_end: BackEnd) {
        // No sync of the schedule's renews before the order does.
        let plan = Plan::on(back_end).with_manual_clock().with_setting("sync_interval_seconds", "86400");
        let house = plan.start().await;
        let id = linked_by_consent(&house).await;
        let kinds = [
            FaultKind::DropAfterEffect,
            status(503, true),
            FaultKind::Garbage,
            FaultKind::Truncated,
            FaultKind::DropMidAnswer,
        ];
        for (round, kind) in kinds.into_iter().enumerate() {
            let door = door_of(&house, &id, "OPEN_DOOR").await;
            let (asked, effects) = (refresh_requests(&house), house.effects());
            house.vendors.add_fault(failing(kind.clone()).times(1)).unwrap();
            house.advance(LIFE);
            let began = now(&house);
            let command = open(&house, &door).await;
            let command = ended(&house, &command, 5).await;
            assert_eq!(
                (text(&command["state"]), failure(&command)),
                ("FAILED".to_owned(), "AUTHENTICATION_FAILED"),
                "{kind:?}: {command:#}"
            );
            let lost = becomes(&house, &id, "REAUTH_REQUIRED").await;
            let since: DateTime<Utc> = text(&lost["stateSince"]).parse().unwrap();
            assert!(since < began + TimeDelta::seconds(1), "{kind:?}: {lost:#}");
            assert!(lost["stateReason"].is_string(), "{lost:#}");
            let payload = house.client.mutate("openDoor", json!({ "doorId": door["id"] })).await;
            assert_refused(&payload, "ACCOUNT_NOT_USABLE", None);
            assert_eq!((refresh_requests(&house), house.effects()), (asked + 2, effects), "{kind:?}");
            assert_eq!(counts(&house).reused_refresh_tokens, round as u64 + 1, "{kind:?}");

            consent_again(&house, &id).await;
            synced(&house, &id).await;
            assert_eq!(account(&house, &id).await["state"], "CONNECTED");
        }
        opens_once(&house, &id).await;
        house.stop().await;
    }

    /// A worker that dies anywhere in a renewal: the next one goes on with what was stored, or finds out that the tokens
    /// are lost. Nobody guesses, and no token is used twice but by the one who finds out.
    async fn a_worker_killed_anywhere_in_a_renewal_is_found_out(back_end: BackEnd) {
        let house = Plan::on(back_end).with_manual_clock().without_worker().start().await;
        let (id, url) = begin(&house).await;
        assert_eq!(come_back(&consent(&url).await).await.status, 200);
        let parts = worker_parts(house.foundation(), &house.settings).unwrap();
        for limit in 0.. {
            house.advance(LIFE);
            let (row, before) = (row(&house, &id).await, counts(&house));
            let access = Access::of(&row);
            let survived = crash_after(limit, Accounts::new(parts.clone()).line(&access)).await.is_some();
            let kept = is_kept_after_a_crash(&house, &row, before, &format!("killed at {limit}")).await;
            if !kept {
                consent_again(&house, &id).await;
            } else if survived {
                break;
            }
        }

        house.advance(LIFE);
        house.vendors.add_fault(failing(FaultKind::DelayAnswer { millis: 5_000 }).times(1)).unwrap();
        let (row, before) = (row(&house, &id).await, counts(&house));
        let (mortal, access) = (Accounts::new(parts), Access::of(&row));
        tokio::select! {
            _ = mortal.line(&access) => panic!("the answer came before it was waited for"),
            () = until("the vendor has rotated", async || (counts(&house).refreshes > before.refreshes).then_some(())) => {}
        }
        let kept = is_kept_after_a_crash(&house, &row, before, "killed between the vendor and our row").await;
        assert!(!kept, "tokens that nobody has");
        house.stop().await;
    }

    /// A user who withdrew their consent: one look is enough, and nothing is tried on and on.
    async fn a_withdrawn_consent_needs_a_person(back_end: BackEnd) {
        let house = house(back_end).await;
        let id = linked_by_consent(&house).await;
        let user = house.vendors.credentials()[0].parqex.email.clone();
        house.vendors.change(WorldChange::ParqexRevoked { user }).unwrap();
        let door = door_of(&house, &id, "OPEN_DOOR").await;
        let command = open(&house, &door).await;
        let command = ended(&house, &command, 5).await;
        assert_eq!(failure(&command), "AUTHENTICATION_FAILED", "{command:#}");
        becomes(&house, &id, "REAUTH_REQUIRED").await;
        assert_eq!((refresh_requests(&house), house.effects()), (1, 0));
        // Later than what failed, or it would share its fate.
        house.advance(TimeDelta::seconds(1));
        consent_again(&house, &id).await;
        synced(&house, &id).await;
        opens_once(&house, &id).await;
        house.stop().await;
    }

    /// New tokens that are refused like the old ones are no reason for newer ones.
    async fn fresh_tokens_that_are_refused_are_not_renewed(back_end: BackEnd) {
        let house = house(back_end).await;
        let id = linked_by_consent(&house).await;
        let door = door_of(&house, &id, "OPEN_DOOR").await;
        let message = FaultKind::ParqexMessage { name: "authentication".to_owned(), http_status: None };
        house.vendors.add_fault(Fault::new(Vendor::Parqex, message)).unwrap();
        let command = open(&house, &door).await;
        let command = ended(&house, &command, 20).await;
        assert_eq!(failure(&command), "AUTHENTICATION_FAILED", "{command:#}");
        becomes(&house, &id, "REAUTH_REQUIRED").await;
        assert_eq!((refresh_requests(&house), house.effects()), (1, 0), "a storm of renewals");
        house.vendors.clear_faults();

        consent_again(&house, &id).await;
        synced(&house, &id).await;
        house.vendors.add_fault(Fault::new(Vendor::Parqex, status(401, false)).at("sync")).unwrap();
        let asked = refresh_requests(&house);
        mutate(&house, "syncVendorAccount", json!({ "vendorAccountId": id }), "").await;
        becomes(&house, &id, "REAUTH_REQUIRED").await;
        assert_eq!(refresh_requests(&house), asked + 1, "a storm of renewals");
        house.stop().await;
    }

    /// A vendor that ended an access early and cannot give another yet is only slow: no person is needed.
    async fn an_early_end_with_a_failing_renewal_is_waited_out(back_end: BackEnd) {
        let house = house(back_end).await;
        let id = linked_by_consent(&house).await;
        house.vendors.advance(LIFE.to_std().unwrap());
        house.vendors.add_fault(failing(status(503, false)).times(2)).unwrap();
        let command = opens_once(&house, &id).await;
        assert!(command["attempts"].as_u64().is_some_and(|attempts| attempts > 1), "{command:#}");
        assert_eq!((counts(&house).refreshes, counts(&house).reused_refresh_tokens), (1, 0));
        assert!(!states(&house, &id).await.contains(&"REAUTH_REQUIRED".to_owned()));
        house.stop().await;
    }
}
