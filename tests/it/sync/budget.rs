//! P8: a sync that uses up its share of what Mews allows leaves room for what cannot wait, whoever works.

use std::time::{Duration, Instant};

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use gatehouse_tests::{
    client::text,
    house::{Plan, TestHouse},
    on_both_back_ends,
    wait::until,
};
use serde_json::{Value, json};
use simulator::{Latency, MewsChange, RequestEntry, SimulatorOptions, Vendor, WorldChange, WorldChoice, WorldSize};

use super::{by_kind, of_kind, progress, records};
use crate::orders::account_id;

/// Stays of the hotel within the horizon, and beyond.
const STAYS: usize = 900;

fn now(house: &TestHouse) -> DateTime<Utc> {
    house.foundation().clock.now()
}

fn iso(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// Lets a little of the clock's time pass, and whatever is due happen.
#[expect(clippy::disallowed_methods, reason = "others need a real moment to do what the clock permits")]
async fn pass(house: &TestHouse, by: TimeDelta) {
    house.advance(by);
    tokio::time::sleep(Duration::from_millis(4)).await;
}

/// Lets time pass until the workers have nothing more to ask at this instant.
#[expect(clippy::disallowed_methods, reason = "it sees that nobody asks for a real moment")]
async fn settle(house: &TestHouse) {
    loop {
        let before = house.vendors.mews_usage().admitted;
        tokio::time::sleep(Duration::from_millis(60)).await;
        if house.vendors.mews_usage().admitted == before {
            return;
        }
    }
}

/// A house whose Mews account has to be read anew, in many small pages. No worker runs yet.
async fn busy(plan: Plan) -> TestHouse {
    let size = WorldSize { mews_rooms: 30, mews_reservations: STAYS, ..WorldSize::default() };
    let mut plan = plan.without_worker().with_manual_clock();
    plan.simulator = SimulatorOptions { world: WorldChoice::Sized(size), ..plan.simulator };
    let house = plan.start().await;
    house.vendors.change(WorldChange::Mews(MewsChange::TooHeavyAbove { rows: Some(20) })).unwrap();
    // The whole horizon is read once a day.
    house.advance(TimeDelta::hours(25));
    house.vendors.clear_journal();
    house
}

fn sent(house: &TestHouse, operation: &str) -> Vec<RequestEntry> {
    house.vendors.requests_to(Vendor::Mews, operation)
}

/// Asks for a token at a stay and returns its command.
async fn ask_for_token(house: &TestHouse, stay: &Value, number: usize) -> String {
    let from = now(house);
    let input = json!({
        "reservationId": stay["id"],
        "tokenType": "PIN_CODE",
        "value": format!("{}", 100_000 + number),
        "serialNumber": format!("gh-{number}"),
        "validFrom": iso(from),
        "validUntil": iso(from + TimeDelta::days(2)),
        "permissions": { "room": true },
    });
    house.client.command("addPmsAccessToken", input).await
}

/// A command once it has ended. The clock stands still for a while, so that a slow machine is not taken for a wait.
async fn ended(house: &TestHouse, id: &str) -> Value {
    let began = Instant::now();
    until(&format!("{id} ends"), async || {
        let command = house.client.read_command(id).await;
        if command["terminal"] == true {
            return Some(command);
        }
        if began.elapsed() > Duration::from_secs(3) {
            pass(house, TimeDelta::milliseconds(50)).await;
        }
        None
    })
    .await
}

/// How long a command was on its way to the vendor, by the clock.
fn wait_of(command: &Value, request: &RequestEntry) -> TimeDelta {
    request.received_at - text(&command["createdAt"]).parse::<DateTime<Utc>>().unwrap()
}

/// Not a moment of the clock has to pass for it.
async fn command_leaves_at_once(house: &TestHouse, id: &str, operation: &str, before: usize) {
    let command = house.client.finished(id).await;
    assert_eq!(command["state"], "SUCCEEDED", "{command:#}");
    let requests = sent(house, operation);
    assert_eq!(requests.len(), before + 1);
    let wait = wait_of(&command, &requests[before]);
    assert!(wait <= TimeDelta::seconds(1), "{operation} left after {wait}: {command:#}");
}

/// A sync on small pages at which other orders arrive, with so many workers.
async fn orders_leave_while_a_sync_saturates(plan: Plan, workers: usize) {
    let mut house = busy(plan).await;
    let held = records(&house, &house.client, Vendor::Mews).await;
    let stays: Vec<Value> = of_kind(&held, "RESERVATION").into_iter().take(40).cloned().collect();
    assert!(by_kind(&held)["RESERVATION"].len() > 800);
    let since = progress(&house, Vendor::Mews).await["RESERVATIONS"].0.clone();
    for _ in 0..workers {
        house.start_worker().await;
    }
    let account = account_id(&house, Vendor::Mews).await.to_string();
    let wish = "mutation($id: ID!) { syncVendorAccount(input: {vendorAccountId: $id}) { userErrors { message } } }";
    house.client.data(wish, json!({ "id": account })).await;
    until("the sync has begun", async || (house.vendors.mews_usage().busiest >= 100).then_some(())).await;
    settle(&house).await;
    assert!(progress(&house, Vendor::Mews).await["RESERVATIONS"].0 == since, "the sync is not over");
    // Half of the limit is what a sync may use. Giving access goes on beside it.
    assert_eq!(house.vendors.mews_usage().busiest, 100);
    let mut tokens = Vec::new();
    for (number, stay) in stays.iter().take(3).enumerate() {
        let id = ask_for_token(&house, stay, number).await;
        command_leaves_at_once(&house, &id, "add_access_tokens", number).await;
        pass(&house, TimeDelta::seconds(2)).await;
        settle(&house).await;
        let token = until("the token is known", async || {
            let held = records(&house, &house.client, Vendor::Mews).await;
            of_kind(&held, "ACCESS_TOKEN")
                .into_iter()
                .find(|token| token["details"]["serialNumber"] == format!("gh-{number}"))
                .cloned()
        });
        tokens.push(token.await);
    }
    // So many at once that giving access has to wait; taking it away does not.
    let mut given = Vec::new();
    for (number, stay) in stays.iter().enumerate().skip(3) {
        given.push(ask_for_token(&house, stay, number).await);
    }
    settle(&house).await;
    for (number, token) in tokens.iter().enumerate() {
        let id = house.client.command("deletePmsAccessToken", json!({ "accessTokenId": token["id"] })).await;
        command_leaves_at_once(&house, &id, "delete_access_tokens", number).await;
    }
    // All come to an end, the sync as well.
    for id in &given {
        let command = ended(&house, id).await;
        assert_eq!(command["state"], "SUCCEEDED", "{command:#}");
    }
    let mut steps = 0;
    while progress(&house, Vendor::Mews).await["RESERVATIONS"].0 == since {
        pass(&house, TimeDelta::seconds(1)).await;
        settle(&house).await;
        steps += 1;
        let told = progress(&house, Vendor::Mews).await;
        assert!(steps < 1_500, "{told:?} {:?}", house.vendors.mews_usage());
        assert_eq!(told["RESERVATIONS"].1, None, "{:?}", house.vendors.mews_usage());
    }
    let usage = house.vendors.mews_usage();
    assert_eq!(usage.refused, 0, "{usage:?}");
    assert!(usage.busiest <= 200 && usage.admitted > 400, "{usage:?}");
    // A token was added once each, and those deleted are gone.
    for (number, stay) in stays.iter().enumerate() {
        let shown = house.vendors.mews_tokens(&text(&stay["externalId"]));
        let active = shown.iter().filter(|token| token["IsActive"] == true).count();
        assert_eq!((shown.len(), active), (1, usize::from(number >= 3)), "{shown:#?}");
    }
    house.stop().await;
}

on_both_back_ends! {
    async fn orders_leave_beside_a_saturating_sync(back_end: BackEnd) {
        orders_leave_while_a_sync_saturates(Plan::on(back_end), 1).await;
    }

    async fn two_workers_share_the_budget(back_end: BackEnd) {
        orders_leave_while_a_sync_saturates(Plan::on(back_end), 2).await;
    }

    /// What takes access away does not wait for what gives it, at a vendor that takes its time for each.
    async fn a_revocation_is_first_in_line(back_end: BackEnd) {
        const GIVEN: usize = 30;
        let size = WorldSize { mews_rooms: 40, mews_reservations: 40, ..WorldSize::default() };
        let mut plan = Plan::on(back_end);
        let latency = Latency { answer: Duration::from_millis(100), ..Latency::none() };
        plan.simulator = SimulatorOptions { world: WorldChoice::Sized(size), latency, ..plan.simulator };
        let house = plan.start().await;
        let held = records(&house, &house.client, Vendor::Mews).await;
        let stays: Vec<Value> = of_kind(&held, "RESERVATION").into_iter().cloned().collect();
        let id = ask_for_token(&house, &stays[0], 0).await;
        assert_eq!(house.client.finished(&id).await["state"], "SUCCEEDED");
        let held = records(&house, &house.client, Vendor::Mews).await;
        let token = of_kind(&held, "ACCESS_TOKEN")[0];
        let mut given = Vec::new();
        for (number, stay) in stays.iter().enumerate().skip(1).take(GIVEN) {
            given.push(ask_for_token(&house, stay, number).await);
        }
        let already = sent(&house, "add_access_tokens").len();
        let id = house.client.command("deletePmsAccessToken", json!({ "accessTokenId": token["id"] })).await;
        let command = house.client.finished(&id).await;
        assert_eq!(command["state"], "SUCCEEDED", "{command:#}");
        let deleted = sent(&house, "delete_access_tokens")[0].sequence;
        let before = sent(&house, "add_access_tokens").iter().filter(|add| add.sequence < deleted).count();
        // The one under way when it was asked for, and perhaps the next.
        assert!(before <= already + 2, "{before} of {GIVEN} were given before, {already} when it was asked for");
        assert!(before < GIVEN, "there was something to overtake");
        for id in &given {
            assert_eq!(house.client.finished(id).await["state"], "SUCCEEDED");
        }
        assert_eq!(sent(&house, "add_access_tokens").len(), GIVEN + 1);
        house.stop().await;
    }
}
