//! Alerts from the state of the house: accounts that need a person, devices that are dead or gone, batteries that may not
//! last until a guest is in, events that are lost. Each is raised once, ends with its cause, and is raised anew.

use std::collections::BTreeSet;

use chrono::{TimeDelta, Utc};
use domain::{
    alert::{AlertKind, AlertSeverity},
    record::ReservationState,
};
use entities::{
    rows::{alert, reservation, reservation_door},
    store,
};
use futures::StreamExt;
use gatehouse_tests::{
    client::text,
    house::{Plan, TestHouse},
    on_both_back_ends,
    wait::{PATIENCE, until},
};
use messaging::{LiveEvent, LiveSignal, Topic};
use sea_orm::{DatabaseConnection, EntityTrait, QueryOrder};
use serde_json::{Value, json};
use simulator::{
    BikeepHealth, DemoCredentials, LocktChange, LocktPresented, SimulatorOptions, Vendor, WorldChange, WorldChoice,
    WorldSize,
};
use uuid::Uuid;
use worker::sync::Synced;

use crate::{
    account_links::{accepted, becomes, credentials},
    changes::scene,
    oauth::{begin, come_back, consent},
    orders::{account_id, events},
    vendor_accounts::sync,
};

/// What Lockt keeps of events at most.
const CACHE: usize = 5_000;

/// The house's database, for what has no other way in.
async fn behind(house: &TestHouse) -> DatabaseConnection {
    let url = if house.settings.is_embedded() {
        format!("sqlite://{}", house.settings.data_directory.join(platform::database::FILE).display())
    } else {
        house.settings.database_url.expose().to_owned()
    };
    sea_orm::Database::connect(url).await.unwrap()
}

/// Every alert of a kind about this, oldest first.
async fn alerts(house: &TestHouse, kind: AlertKind, subject: &str) -> Vec<alert::Model> {
    let connection = behind(house).await;
    let mut rows = alert::Entity::find().order_by_asc(alert::Column::Id).all(&connection).await.unwrap();
    connection.close().await.unwrap();
    rows.retain(|row| row.kind == kind.as_str() && row.subject == subject);
    rows
}

/// The severities of the alerts of a kind about this, oldest first; none for a resolved one.
async fn standing(house: &TestHouse, kind: AlertKind, subject: &str) -> Vec<Option<AlertSeverity>> {
    let rows = alerts(house, kind, subject).await;
    rows.iter().map(|row| row.resolved_at.is_none().then(|| row.severity().unwrap())).collect()
}

/// Several workers look at once. Returns how many alerts they wrote; after them there is nothing to write.
async fn look(house: &TestHouse) -> usize {
    let (database, ids) = (house.database(), house.foundation().ids.as_ref());
    let now = house.foundation().clock.now();
    let mut written = 0;
    loop {
        let looks = (0..4).map(|_| store::watch::alerts(database, ids, now));
        let watched: Vec<_> = futures::future::join_all(looks).await.into_iter().map(Result::unwrap).collect();
        written += watched.iter().map(|watched| watched.alerts.len()).sum::<usize>();
        if !watched.iter().any(|watched| watched.more) {
            break;
        }
    }
    assert_eq!(store::watch::alerts(database, ids, now).await.unwrap().alerts, []);
    written
}

/// A stay at a door that begins so much later and lasts a day.
async fn stay(house: &TestHouse, door: &Value, in_hours: i64, state: ReservationState) -> Uuid {
    let (id, now) = (house.foundation().ids.next_uuid(), house.foundation().clock.now());
    let starts_at = now + TimeDelta::hours(in_hours);
    let row = reservation::Model {
        id,
        organization_id: house.organization.0,
        site_id: text(&door["site"]["id"]).parse::<domain::ids::SiteId>().unwrap().0,
        account_id: None,
        external_id: None,
        number: None,
        guest_id: None,
        resource: None,
        state: state.as_str().to_owned(),
        starts_at,
        ends_at: starts_at + TimeDelta::days(1),
        actual_start: None,
        actual_end: None,
        readiness: "PENDING".to_owned(),
        reasons: json!([]),
        due_at: None,
        version: 1,
        changed_at: now,
        created_at: now,
    };
    let connection = behind(house).await;
    #[expect(clippy::disallowed_methods, reason = "a stay as no way of the product makes it")]
    reservation::Entity::insert(reservation::ActiveModel::from(row)).exec_without_returning(&connection).await.unwrap();
    let at = reservation_door::Model { reservation_id: id, door_id: TestHouse::door_id(door).0 };
    let at = reservation_door::ActiveModel::from(at);
    #[expect(clippy::disallowed_methods, reason = "a stay as no way of the product makes it")]
    reservation_door::Entity::insert(at).exec_without_returning(&connection).await.unwrap();
    connection.close().await.unwrap();
    id
}

/// Writes how a stay is now.
async fn change_stay(house: &TestHouse, id: Uuid, change: impl FnOnce(&mut reservation::Model)) {
    let connection = behind(house).await;
    let mut row = reservation::Entity::find_by_id(id).one(&connection).await.unwrap().unwrap();
    change(&mut row);
    let row = sea_orm::ActiveModelTrait::reset_all(reservation::ActiveModel::from(row));
    #[expect(clippy::disallowed_methods, reason = "a stay as no way of the product makes it")]
    reservation::Entity::update(row).exec(&connection).await.unwrap();
    connection.close().await.unwrap();
}

/// The doors of a vendor.
async fn doors_of(house: &TestHouse, vendor: &str) -> Vec<Value> {
    let mut doors = house.doors().await;
    doors.retain(|door| door["device"]["vendorAccount"]["vendor"] == vendor);
    doors
}

async fn synced(house: &TestHouse, vendor: Vendor) {
    assert!(matches!(sync(house, vendor).await, Ok(Synced::Complete { .. })), "{vendor:?}");
}

fn sign_in(house: &TestHouse, of: &DemoCredentials, valid: bool) {
    let change = WorldChange::Credential { vendor: Vendor::Lockt, credential: of.lockt.api_user.clone(), valid };
    house.vendors.change(change).unwrap();
}

fn battery(house: &TestHouse, door: &Value, percent: u8) {
    let door = text(&door["externalId"]).parse().unwrap();
    house.vendors.change(WorldChange::Lockt(LocktChange::Battery { door, percent: Some(percent) })).unwrap();
}

fn health(house: &TestHouse, door: &Value, health: BikeepHealth) {
    let device = text(&door["device"]["externalId"]);
    house.vendors.change(WorldChange::BikeepHealth { device, health: Some(health) }).unwrap();
}

on_both_back_ends! {
    /// The alert comes and goes in the transaction of the account's state, and whoever listens is told.
    async fn an_account_that_needs_a_person_is_an_alert(back_end: BackEnd) {
        let house = Plan::on(back_end).without_worker().start().await;
        let of = house.vendors.credentials()[0].clone();
        let id = account_id(&house, Vendor::Lockt).await.to_string();
        let kind = AlertKind::AccountReauthRequired;
        let mut live = house.foundation().backend.live().subscribe(&[Topic::Alerts(house.organization.0)]);
        // What the demo's vendors have to tell of their devices is no matter of this test.
        look(&house).await;
        for round in 1..=2 {
            sign_in(&house, &of, false);
            for _ in 0..2 {
                drop(sync(&house, Vendor::Lockt).await);
            }
            assert_eq!(look(&house).await, 0, "the transaction of the state has written it");
            let rows = alerts(&house, kind, &id).await;
            let [.., row] = &rows[..] else { panic!("no alert") };
            assert_eq!((rows.len(), row.severity().unwrap(), row.resolved_at), (round, AlertSeverity::Critical, None));
            assert!(row.message.contains("authorised again"), "{}", row.message);
            sign_in(&house, &of, true);
            let again = json!({ "vendorAccountId": id, "credentials": credentials(Vendor::Lockt, &of) });
            accepted(&house, "reauthorizeVendorAccount", again, "authorizationUrl").await;
            assert_eq!(standing(&house, kind, &id).await, vec![None; round]);
            assert_eq!(look(&house).await, 0);
        }
        // An answer that ends a degradation ends no alert that there is not.
        synced(&house, Vendor::Lockt).await;
        sign_in(&house, &of, false);
        drop(sync(&house, Vendor::Lockt).await);
        assert_eq!(standing(&house, kind, &id).await, [None, None, Some(AlertSeverity::Critical)]);
        accepted(&house, "unlinkVendorAccount", json!({ "vendorAccountId": id }), "").await;
        assert_eq!(standing(&house, kind, &id).await, [None; 3]);

        let told = events(&house, json!({ "types": ["ALERT_CHANGED"] })).await;
        let ours = told.iter().filter(|event| event["data"]["subject"] == id);
        let resolved: Vec<&Value> = ours.map(|event| &event["data"]["resolved"]).collect();
        assert_eq!(resolved, [false, true, false, true, false, true], "{told:#?}");
        let rows = alerts(&house, kind, &id).await;
        let last = rows.last().unwrap();
        let told = async {
            loop {
                if let LiveSignal::Event(LiveEvent::Alert { id, organization, version }) = live.next().await.unwrap()
                    && (id, organization, version) == (last.id, last.organization_id, last.version)
                {
                    break;
                }
            }
        };
        tokio::time::timeout(PATIENCE, told).await.unwrap();
        house.stop().await;
    }

    /// Silence of the vendor tells nothing of its credentials: the alert stays.
    async fn an_unreachable_vendor_ends_no_alert(back_end: BackEnd) {
        let house = Plan::on(back_end).without_worker().start().await;
        let id = account_id(&house, Vendor::Lockt).await;
        let (database, ids) = (house.database(), house.foundation().ids.as_ref());
        let now = Utc::now();
        let row = entities::work::account(database, id).await.unwrap().unwrap();
        let kind = AlertKind::AccountReauthRequired;
        look(&house).await;
        use domain::account::AccountState::{Connected, Degraded, ReauthRequired};
        let mut seen = Vec::new();
        for state in [Degraded, ReauthRequired, Degraded, Connected] {
            store::accounts::set_state(database, ids, &row, state, Some("why"), now).await.unwrap();
            assert_eq!(look(&house).await, 0, "{state}");
            seen.push(standing(&house, kind, &id.to_string()).await);
        }
        let open = vec![Some(AlertSeverity::Critical)];
        assert_eq!(seen, [vec![], open.clone(), open, vec![None]]);
        house.stop().await;
    }

    /// An account that waits for its first consent is told by the watch; the consent ends it.
    async fn a_consent_that_nobody_gives_is_an_alert(back_end: BackEnd) {
        let house = Plan::on(back_end).with_manual_clock().start().await;
        let (id, url) = begin(&house).await;
        let kind = AlertKind::AccountReauthRequired;
        until("within a minute there is an alert", async || {
            house.advance(TimeDelta::seconds(10));
            (!alerts(&house, kind, &id).await.is_empty()).then_some(())
        })
        .await;
        assert_eq!(standing(&house, kind, &id).await, [Some(AlertSeverity::Critical)]);
        assert_eq!(come_back(&consent(&url).await).await.status, 200);
        becomes(&house, &id, "CONNECTED").await;
        assert_eq!(standing(&house, kind, &id).await, [None]);
        house.stop().await;
    }

    /// A device that its vendor calls dead: worse when a guest comes, over when it is back, and raised anew.
    async fn a_dead_device_is_an_alert(back_end: BackEnd) {
        let house = Plan::on(back_end).without_worker().start().await;
        let docks = doors_of(&house, "BIKEEP").await;
        let [dock, other, ..] = &docks[..] else { panic!("no docks") };
        let (kind, subject) = (AlertKind::DeviceDead, text(&dock["device"]["id"]));
        let (warning, critical) = (Some(AlertSeverity::Warning), Some(AlertSeverity::Critical));
        health(&house, dock, BikeepHealth::Dead);
        synced(&house, Vendor::Bikeep).await;
        look(&house).await;
        assert_eq!(standing(&house, kind, &subject).await, [], "out of reach is not dead");

        health(&house, dock, BikeepHealth::LongDead);
        synced(&house, Vendor::Bikeep).await;
        for expected in [1, 0] {
            assert_eq!(look(&house).await, expected);
            assert_eq!(standing(&house, kind, &subject).await, [warning]);
        }
        // Stays that make it no worse: later, over, called off, at another door.
        let later = stay(&house, dock, 49, ReservationState::Confirmed).await;
        stay(&house, dock, -25, ReservationState::Confirmed).await;
        stay(&house, dock, 24, ReservationState::Canceled).await;
        stay(&house, dock, 24, ReservationState::Optional).await;
        stay(&house, other, 24, ReservationState::Confirmed).await;
        assert_eq!((look(&house).await, standing(&house, kind, &subject).await), (0, vec![warning]));
        change_stay(&house, later, |row| row.starts_at -= TimeDelta::hours(2)).await;
        assert_eq!((look(&house).await, standing(&house, kind, &subject).await), (1, vec![critical]));
        change_stay(&house, later, |row| row.state = "CANCELED".to_owned()).await;
        assert_eq!((look(&house).await, standing(&house, kind, &subject).await), (0, vec![critical]), "none gets milder");

        health(&house, dock, BikeepHealth::Healthy);
        synced(&house, Vendor::Bikeep).await;
        assert_eq!((look(&house).await, standing(&house, kind, &subject).await), (1, vec![None]));
        health(&house, dock, BikeepHealth::LongDead);
        synced(&house, Vendor::Bikeep).await;
        assert_eq!((look(&house).await, standing(&house, kind, &subject).await), (1, vec![None, warning]));
        let row = alerts(&house, kind, &subject).await.pop().unwrap();
        assert_eq!(row.site_id, Some(text(&dock["site"]["id"]).parse::<domain::ids::SiteId>().unwrap().0));

        let id = account_id(&house, Vendor::Bikeep).await.to_string();
        accepted(&house, "unlinkVendorAccount", json!({ "vendorAccountId": id }), "").await;
        look(&house).await;
        assert_eq!(standing(&house, kind, &subject).await, [None, None], "not ours any more");
        house.stop().await;
    }

    /// Devices that vanish all at once: an alert each, in several portions, and a look that finds nothing new costs the
    /// same however many they are. They end when the devices are back.
    async fn a_missing_device_is_an_alert(back_end: BackEnd) {
        let sized = |lockt_rooms| WorldChoice::Sized(WorldSize { lockt_rooms, ..WorldSize::default() });
        let mut plan = Plan::on(back_end).without_worker();
        plan.simulator = SimulatorOptions { world: sized(6), ..plan.simulator };
        let house = plan.start().await;
        // The same account at a vendor that lists more.
        let options = SimulatorOptions { world: sized(120), ..SimulatorOptions::default() };
        let large = simulator::start(options).await.unwrap();
        let lockt = account_id(&house, Vendor::Lockt).await;
        let at = async |address: &str| {
            let url = format!("http://{address}/{}", Vendor::Lockt.name());
            store::accounts::set_base_url(house.database(), lockt, &url).await.unwrap();
            synced(&house, Vendor::Lockt).await;
        };
        let statements = async || {
            let before = house.database().statements();
            let watched = store::watch::alerts(house.database(), house.foundation().ids.as_ref(), Utc::now());
            assert_eq!(watched.await.unwrap().alerts, []);
            house.database().statements() - before
        };
        look(&house).await;
        let quiet = statements().await;
        at(&large.address().to_string()).await;
        look(&house).await;
        at(&house.simulator().address().to_string()).await;
        let raised = look(&house).await;
        let devices = house.client.data("{ devices(first: 100) { totalCount nodes { id missingSince } } }", json!({})).await;
        let missing = devices["devices"]["nodes"].as_array().unwrap().iter().filter(|device| device["missingSince"].is_string());
        let missing: BTreeSet<String> = missing.map(|device| text(&device["id"])).collect();
        assert!(raised > 60 && !missing.is_empty(), "{raised}");
        for subject in missing.iter().take(5) {
            assert_eq!(standing(&house, AlertKind::DeviceDead, subject).await, [Some(AlertSeverity::Warning)]);
        }
        assert_eq!(statements().await, quiet, "a look costs the same with {raised} alerts");
        at(&large.address().to_string()).await;
        look(&house).await;
        for subject in missing.iter().take(5) {
            assert_eq!(standing(&house, AlertKind::DeviceDead, subject).await, [None]);
        }
        large.shutdown().await;
        house.stop().await;
    }

    /// What somebody had removed is not gone: the wish came true.
    async fn a_removed_device_is_no_alert(back_end: BackEnd) {
        let house = Plan::on(back_end).start().await;
        let door = house.door("RAIXER", "REMOVE_DEVICE").await;
        let device = text(&door["device"]["id"]);
        scene::succeed(&house, "removeDevice", json!({ "deviceId": device })).await;
        let query = "query($id: ID!) { device(id: $id) { missingSince } }";
        until("the device is missing", async || {
            let data = house.client.data(query, json!({ "id": device })).await;
            data["device"]["missingSince"].is_string().then_some(())
        })
        .await;
        look(&house).await;
        assert_eq!(standing(&house, AlertKind::DeviceDead, &device).await, []);
        house.stop().await;
    }

    /// A weak battery matters while a guest is on the way: told by the worker's own watch, within a minute.
    async fn a_weak_battery_is_an_alert_when_a_guest_comes(back_end: BackEnd) {
        let house = Plan::on(back_end).with_manual_clock().start().await;
        let rooms = doors_of(&house, "LOCKT").await;
        let (room, other) = (&rooms[0], &rooms[1]);
        let (kind, subject) = (AlertKind::LowBattery, text(&room["device"]["id"]));
        let is_open = async |expected: &[bool]| {
            until(&format!("alerts of the battery are open: {expected:?}"), async || {
                house.advance(TimeDelta::seconds(5));
                let rows = alerts(&house, kind, &subject).await;
                let open: Vec<bool> = rows.iter().map(|row| row.resolved_at.is_none()).collect();
                (open == expected).then_some(())
            })
            .await;
        };
        let charged = async |percent: u8| {
            battery(&house, room, percent);
            until("the charge is known", async || {
                drop(sync(&house, Vendor::Lockt).await);
                let query = "query($id: ID!) { device(id: $id) { batteryPercent } }";
                let data = house.client.data(query, json!({ "id": subject })).await;
                (data["device"]["batteryPercent"] == percent).then_some(())
            })
            .await;
        };
        battery(&house, other, 20);
        charged(19).await;
        stay(&house, other, 1, ReservationState::Confirmed).await;
        look(&house).await;
        assert_eq!(alerts(&house, kind, &subject).await, [], "nobody comes");
        let guest = stay(&house, room, 47, ReservationState::Confirmed).await;
        is_open(&[true]).await;
        let row = alerts(&house, kind, &subject).await.pop().unwrap();
        assert_eq!((row.severity().unwrap(), row.acknowledged_at), (AlertSeverity::Warning, None));
        assert!(house.foundation().clock.now() - row.raised_at <= TimeDelta::minutes(1), "{row:?}");
        charged(20).await;
        is_open(&[false]).await;
        charged(5).await;
        is_open(&[false, true]).await;
        change_stay(&house, guest, |row| row.state = "CANCELED".to_owned()).await;
        is_open(&[false, false]).await;
        // One who is late is still on the way.
        change_stay(&house, guest, |row| {
            row.state = "CONFIRMED".to_owned();
            row.starts_at -= TimeDelta::hours(48);
        })
        .await;
        is_open(&[false, false, true]).await;
        change_stay(&house, guest, |row| row.actual_start = Some(row.starts_at)).await;
        is_open(&[false, false, false]).await;
        assert_eq!(alerts(&house, kind, &text(&other["device"]["id"])).await, [], "20 percent is enough");
        house.stop().await;
    }

    /// What is lost stays lost: the alert ends when somebody took note, and the next gap is a new one.
    async fn lost_events_are_an_alert_until_somebody_took_note(back_end: BackEnd) {
        let house = Plan::on(back_end).without_worker().start().await;
        let door = doors_of(&house, "LOCKT").await[0].clone();
        let (kind, subject) = (AlertKind::EventGap, account_id(&house, Vendor::Lockt).await.to_string());
        let present = |times: usize| {
            for _ in 0..times {
                let credential = LocktPresented::Card("0000".to_owned());
                let door = text(&door["externalId"]).parse().unwrap();
                let change = LocktChange::Presented { door, credential, recorded_after: 0 };
                house.vendors.change(WorldChange::Lockt(change)).unwrap();
            }
        };
        present(1);
        synced(&house, Vendor::Lockt).await;
        assert_eq!(alerts(&house, kind, &subject).await, []);
        present(CACHE + 7);
        for _ in 0..2 {
            synced(&house, Vendor::Lockt).await;
        }
        look(&house).await;
        assert_eq!(standing(&house, kind, &subject).await, [Some(AlertSeverity::Notice)]);

        let connection = behind(&house).await;
        let transaction = TestHouse::begin_writing(&connection).await;
        let open = alerts(&house, kind, &subject).await.pop().unwrap();
        let (ids, now) = (house.foundation().ids.as_ref(), Utc::now());
        let noted = store::alerts::acknowledge(&transaction, ids, &open, "key_x", now).await.unwrap();
        transaction.commit().await.unwrap();
        assert_eq!((noted.resolved_at, noted.acknowledged_by.as_deref()), (Some(now), Some("key_x")));
        look(&house).await;
        assert_eq!(standing(&house, kind, &subject).await, [None]);
        present(CACHE + 7);
        synced(&house, Vendor::Lockt).await;
        assert_eq!(standing(&house, kind, &subject).await, [None, Some(AlertSeverity::Notice)]);
        connection.close().await.unwrap();
        house.stop().await;
    }
}
