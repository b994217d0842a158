use domain::{account::Vendor, record::RecordDetails};

use super::*;
use crate::{
    registry::Connection,
    testing::{self, Server, factory, json, noon},
};

const DEVICE: &str = include_str!("../fixtures/device.json");
const LOCATION_DEVICES: &str = include_str!("../fixtures/location_devices.json");
const LOCATIONS: &str = include_str!("../fixtures/locations.json");
const ERROR: &str = include_str!("../fixtures/error.json");
const QUAY: &str = "5d1f0c2e-1111-4222-8333-944455556666";

fn connect(server: &Server, locations: &str) -> Connection {
    testing::connect(Vendor::Bikeep, &server.url, &[("token", "canary"), ("locations", locations)], &factory())
}

async fn read(server: &Server, locations: &str, part: SyncPart) -> Result<Vec<Portion>, VendorError> {
    connect(server, locations).inventory().read(part, None, noon()).try_collect().await
}

fn lines(server: &Server) -> Vec<String> {
    server.requests().iter().map(|request| request.line.clone()).collect()
}

#[tokio::test]
async fn one_call_for_each_named_location() {
    let server = Server::start(vec![json(200, LOCATION_DEVICES), json(200, LOCATION_DEVICES)]).await;
    let portions = read(&server, "loc 1,b", SyncPart::Devices).await.unwrap();
    assert_eq!(portions.iter().map(|portion| portion.devices.len()).collect::<Vec<_>>(), [1, 1]);
    let expected = ["GET /device/v1/locations/loc%201/devices HTTP/1.1", "GET /device/v1/locations/b/devices HTTP/1.1"];
    assert_eq!(lines(&server), expected);
    for request in server.requests() {
        assert_eq!((request.header("authorization"), request.body.as_str()), (Some("Bearer canary"), ""));
    }
}

#[tokio::test]
async fn without_named_locations_all_are_synced() {
    let server = Server::start(vec![json(200, LOCATIONS), json(200, LOCATION_DEVICES)]).await;
    let portions = read(&server, "", SyncPart::Devices).await.unwrap();
    assert_eq!(portions.len(), 1);
    let expected =
        ["GET /location/v1/locations HTTP/1.1".to_owned(), format!("GET /device/v1/locations/{QUAY}/devices HTTP/1.1")];
    assert_eq!(lines(&server), expected);
}

#[tokio::test]
async fn locations_are_records_and_show_where_the_account_is() {
    let server = Server::start((0..3).map(|_| json(200, LOCATIONS)).collect()).await;
    let portions = read(&server, "", SyncPart::Profile).await.unwrap();
    let record = &portions[0].records[0];
    assert_eq!((record.external_id.as_str(), record.name.as_str()), (QUAY, "Quay house"));
    let RecordDetails::Location(details) = &record.details else { unreachable!() };
    assert_eq!((details.address.as_deref(), details.location_type.as_deref()), (Some("Quay 1"), Some("BIKE_HOUSE")));

    let check = connect(&server, "").inventory().check().await.unwrap();
    assert_eq!(check.locations, [(QUAY.to_owned(), "Quay house".to_owned())]);
    let elsewhere = connect(&server, "another").inventory().check().await.unwrap();
    assert!(elsewhere.locations.is_empty(), "only what the account names");
}

#[tokio::test]
async fn an_inventory_that_breaks_off_says_so_and_ends() {
    let server = Server::start(vec![json(200, LOCATION_DEVICES), json(500, ERROR), json(200, LOCATION_DEVICES)]).await;
    let connection = connect(&server, "a,b,c");
    let mut portions = connection.inventory().read(SyncPart::Devices, None, noon());
    assert!(portions.next().await.unwrap().is_ok());
    assert!(matches!(portions.next().await.unwrap(), Err(VendorError::NotReady { .. })));
    assert!(portions.next().await.is_none());
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn a_list_without_its_list_is_not_an_empty_list() {
    for body in ["{}", "{\"data\":null}", "{\"data\":[{\"type\":\"LOCKER\"}]}", "{\"data\":[null]}", "[]"] {
        for part in [SyncPart::Devices, SyncPart::Profile] {
            let server = Server::start(vec![json(200, body)]).await;
            assert!(matches!(read(&server, "a", part).await, Err(VendorError::Protocol { .. })), "{body}");
        }
    }
    let server = Server::start(vec![json(200, "{\"data\":[]}")]).await;
    assert!(read(&server, "a", SyncPart::Devices).await.unwrap()[0].devices.is_empty());
}

#[tokio::test]
async fn one_thing_is_read_again() {
    let location = serde_json::from_str::<serde_json::Value>(LOCATIONS).unwrap()["data"][0].to_string();
    let reactions = vec![json(200, DEVICE), json(404, ERROR), json(200, &location), json(404, ERROR), json(500, ERROR)];
    let server = Server::start(reactions).await;
    let connection = connect(&server, "");
    let reread = async |hint: Hint| connection.inventory().reread(&hint, noon()).await;
    let record = || Hint::Record(RecordRef { kind: RecordKind::Location, external_id: QUAY.to_owned() });
    let device = || Hint::Device("dev-1".to_owned());
    let found = reread(device()).await.unwrap().devices;
    assert_eq!(found[0].location, "00000000-0000-0000-0000-000000000000");
    assert!(reread(device()).await.unwrap().devices.is_empty(), "gone");
    assert_eq!(reread(record()).await.unwrap().records[0].external_id, QUAY);
    assert!(reread(record()).await.unwrap().records.is_empty(), "gone");
    assert!(matches!(reread(device()).await, Err(VendorError::NotReady { .. })), "not gone: not known");
    let expected = [
        "GET /device/v1/devices/dev-1 HTTP/1.1".to_owned(),
        "GET /device/v1/devices/dev-1 HTTP/1.1".to_owned(),
        format!("GET /location/v1/locations/{QUAY} HTTP/1.1"),
        format!("GET /location/v1/locations/{QUAY} HTTP/1.1"),
        "GET /device/v1/devices/dev-1 HTTP/1.1".to_owned(),
    ];
    assert_eq!(lines(&server), expected);
}

#[tokio::test]
async fn what_bikeep_does_not_keep_is_unsupported() {
    let server = Server::start(Vec::new()).await;
    assert!(matches!(read(&server, "", SyncPart::Events).await, Err(VendorError::Unsupported { .. })));
}
