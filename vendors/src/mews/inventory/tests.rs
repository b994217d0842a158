use domain::{account::Vendor, record::RecordDetails};

use super::*;
use crate::{
    registry::Connection,
    testing::{self, Reaction, Request, Server, factory, json as answer, noon},
};

const CONFIGURATION: &str = include_str!("../fixtures/configuration.json");
const RESERVATIONS: &str = include_str!("../fixtures/reservations.json");
const COMPANIONSHIPS: &str = include_str!("../fixtures/companionships.json");
const GUESTS: &str = include_str!("../fixtures/guests.json");
const RESOURCES: &str = include_str!("../fixtures/resources.json");
const TOKENS: &str = include_str!("../fixtures/tokens.json");
const HOTEL: &str = "11112222-0000-4000-8000-00000000000e";
const STAY: &str = "aaaa1111-0000-4000-8000-000000000001";
const NO_STAYS: &str = "{\"Reservations\":[],\"Cursor\":null}";

fn connect(server: &Server) -> Connection {
    testing::connect(Vendor::Mews, &server.url, &[("client_token", "one"), ("access_token", "two")], &factory())
}

async fn read(
    part: SyncPart,
    cursor: Option<&str>,
    reactions: Vec<Reaction>,
) -> (Result<Vec<Portion>, VendorError>, Vec<Request>) {
    let server = Server::start(reactions).await;
    let result = connect(&server).inventory().read(part, cursor, noon()).try_collect().await;
    (result, server.requests())
}

async fn reread(kind: RecordKind, id: &str, reactions: Vec<Reaction>) -> (Portion, Vec<Request>) {
    let server = Server::start(reactions).await;
    let hint = Hint::Record(RecordRef { kind, external_id: id.to_owned() });
    let portion = connect(&server).inventory().reread(&hint, noon()).await.unwrap();
    (portion, server.requests())
}

fn operations(requests: &[Request]) -> Vec<&str> {
    let name = |request: &'_ Request| -> &str {
        let line = &requests.iter().find(|one| *one == request).unwrap().line;
        line.trim_start_matches("POST /api/connector/v1/").trim_end_matches(" HTTP/1.1")
    };
    requests.iter().map(name).collect()
}

fn asked(request: &Request) -> Value {
    let mut body: Value = serde_json::from_str(&request.body).unwrap();
    let fields = body.as_object_mut().unwrap();
    for field in ["ClientToken", "AccessToken", "Client", "Limitation"] {
        fields.remove(field);
    }
    body
}

fn ids(portion: &Portion) -> Vec<(RecordKind, &str)> {
    portion.records.iter().map(|record| (record.kind(), record.external_id.as_str())).collect()
}

#[tokio::test]
async fn the_first_read_of_stays_is_the_horizon_with_guests() {
    let reactions = vec![
        answer(200, CONFIGURATION),
        answer(200, RESERVATIONS),
        answer(200, COMPANIONSHIPS),
        answer(200, GUESTS),
        answer(200, NO_STAYS),
    ];
    let (portions, requests) = read(SyncPart::Reservations, None, reactions).await;
    let portions = portions.unwrap();
    let expected = [
        "configuration/get",
        "reservations/getAll/2023-06-06",
        "companionships/getAll",
        "customers/getAll",
        "reservations/getAll/2023-06-06",
    ];
    assert_eq!(operations(&requests), expected);
    let live = json!(["Confirmed", "Started", "Optional"]);
    let first = json!({ "StartUtc": "2031-03-01T00:00:00Z", "EndUtc": "2031-05-29T00:00:00Z" });
    assert_eq!(asked(&requests[1]), json!({ "CollidingUtc": first, "States": live }));
    let nothing_more = json!({ "Reservations": false, "ReservationGroups": false, "Customers": false });
    assert_eq!(asked(&requests[2]), json!({ "ReservationIds": [STAY], "Extent": nothing_more }));
    let people = json!({
        "CustomerIds": ["cccc3333-0000-4000-8000-000000000001", "cccc3333-0000-4000-8000-000000000002"],
        "Extent": { "Customers": true, "Addresses": false },
        "ActivityStates": ["Active", "Deleted"],
    });
    assert_eq!(asked(&requests[3]), people);
    let expected = [
        (RecordKind::User, "cccc3333-0000-4000-8000-000000000001"),
        (RecordKind::User, "cccc3333-0000-4000-8000-000000000002"),
        (RecordKind::Reservation, STAY),
    ];
    assert_eq!(ids(&portions[0]), expected, "people before the stays that name them");
    assert!(portions[0].records.iter().all(|record| record.location == HOTEL));
    let RecordDetails::Reservation(stay) = &portions[0].records[2].details else { unreachable!() };
    assert_eq!(stay.companions.len(), 1);
    assert_eq!((portions[0].cursor.as_deref(), portions.len()), (None, 2));
    let cursor = portions[1].cursor.as_deref().unwrap();
    assert!(cursor.contains("2031-03-02T12:00:30Z"), "the vendor's clock, before the first page: {cursor}");
}

#[tokio::test]
async fn later_reads_ask_for_all_that_changed() {
    let cursor = "{\"updated_until\":\"2031-03-02T11:00:00Z\",\"horizon_at\":\"2031-03-02T00:00:00Z\"}";
    let reactions = vec![answer(200, CONFIGURATION), answer(200, NO_STAYS)];
    let (portions, requests) = read(SyncPart::Reservations, Some(cursor), reactions).await;
    assert_eq!(requests.len(), 2, "nobody is asked for without a stay");
    let changed = json!({ "StartUtc": "2031-03-02T10:58:00Z", "EndUtc": "2031-03-02T12:00:30Z" });
    assert_eq!(asked(&requests[1]), json!({ "UpdatedUtc": changed }));
    assert!(portions.unwrap()[0].cursor.as_deref().unwrap().contains("2031-03-02T12:00:30Z"));
}

#[tokio::test]
async fn tokens_are_read_with_the_deleted_ones() {
    let cursor = "{\"updated_until\":\"2031-03-02T11:00:00Z\",\"horizon_at\":\"2031-03-02T00:00:00Z\"}";
    let reactions = vec![answer(200, CONFIGURATION), answer(200, TOKENS)];
    let (portions, requests) = read(SyncPart::AccessTokens, Some(cursor), reactions).await;
    assert_eq!(operations(&requests)[1], "resourceAccessTokens/getAll");
    assert_eq!(asked(&requests[1])["ActivityStates"], json!(["Active", "Deleted"]));
    let portions = portions.unwrap();
    assert_eq!((portions[0].records[0].location.as_str(), portions[0].records[0].secret.is_some()), (HOTEL, true));
    assert!(portions[0].cursor.is_some() && !portions[0].complete);
}

#[tokio::test]
async fn a_sweep_that_breaks_off_keeps_its_old_cursor() {
    let reactions = vec![answer(200, CONFIGURATION), answer(200, RESERVATIONS), answer(500, "")];
    let server = Server::start(reactions).await;
    let connection = connect(&server);
    let mut portions = connection.inventory().read(SyncPart::Reservations, None, noon());
    assert!(matches!(portions.next().await.unwrap(), Err(VendorError::NotReady { .. })));
    assert!(portions.next().await.is_none());
}

fn resource_lists() -> Vec<Reaction> {
    let services = "{\"Services\":[{\"Id\":\"s-1\",\"IsActive\":true},{\"Id\":\"s-2\",\"IsActive\":false}]}";
    let categories = "{\"ResourceCategories\":[{\"Id\":\"k-1\",\"Type\":\"Room\"}]}";
    let room = "ffff6666-0000-4000-8000-000000000204";
    let assignments = json!({ "ResourceCategoryAssignments": [
        { "Id": "a-1", "ResourceId": room, "CategoryId": "k-1", "IsActive": true },
        { "Id": "a-2", "ResourceId": room, "CategoryId": "k-9", "IsActive": false },
    ] });
    let blocks = json!({ "ResourceBlocks": [{ "Id": "b-1", "AssignedResourceId": room, "Type": "OutOfOrder",
        "StartUtc": "2031-03-03T00:00:00Z", "EndUtc": "2031-03-04T00:00:00Z", "IsActive": true, "Name": "Pipe" }] });
    let lists = [services.to_owned(), categories.to_owned(), assignments.to_string(), blocks.to_string()];
    lists.iter().map(|list| answer(200, list)).collect()
}

#[tokio::test]
async fn resources_come_with_their_categories_and_blocks() {
    let mut reactions = resource_lists();
    reactions.push(answer(200, RESOURCES));
    let (portions, requests) = read(SyncPart::Resources, None, reactions).await;
    let expected = [
        "services/getAll",
        "resourceCategories/getAll",
        "resourceCategoryAssignments/getAll",
        "resourceBlocks/getAll",
        "resources/getAll",
    ];
    assert_eq!(operations(&requests), expected);
    assert_eq!(asked(&requests[0]), json!({ "ServiceType": "Bookable" }));
    assert_eq!(asked(&requests[1]), json!({ "ServiceIds": ["s-1"], "ActivityStates": ["Active"] }));
    assert_eq!(asked(&requests[2]), json!({ "ResourceCategoryIds": ["k-1"], "ActivityStates": ["Active"] }));
    let near = json!({ "StartUtc": "2031-03-01T12:00:00Z", "EndUtc": "2031-05-29T12:00:00Z" });
    assert_eq!(asked(&requests[3]), json!({ "CollidingUtc": near, "ActivityStates": ["Active"] }));
    assert_eq!(asked(&requests[4]), json!({ "Extent": { "Resources": true, "Inactive": true } }));
    let portions = portions.unwrap();
    let RecordDetails::Resource(room) = &portions[0].records[0].details else { unreachable!() };
    assert_eq!((room.resource_type.as_deref(), room.categories.len()), (Some("Room"), 1));
    assert_eq!(room.blocks[0].block_type.as_deref(), Some("OutOfOrder"));
    assert_eq!(portions[0].records.len(), 2);
}

#[tokio::test]
async fn what_changed_between_two_pages_of_resources_is_not_missed() {
    let page = |from: usize, count: usize, cursor: &str| {
        let rows: Vec<_> = (from..from + count).map(|index| json!({ "Id": format!("r-{index}") })).collect();
        answer(200, &json!({ "Resources": rows, "Cursor": cursor }).to_string())
    };
    let mut reactions = resource_lists();
    reactions.extend([page(0, 1000, "c"), page(1000, 5, "d"), page(2000, 1, "e")]);
    let (portions, requests) = read(SyncPart::Resources, None, reactions).await;
    assert_eq!(portions.unwrap().iter().map(|portion| portion.records.len()).sum::<usize>(), 1006);
    assert_eq!(asked(&requests[6])["UpdatedUtc"]["StartUtc"], "2031-03-02T11:50:00Z");
    assert_eq!(requests.len(), 7);
}

#[tokio::test]
async fn one_stay_is_read_again_with_its_guests() {
    let reactions =
        vec![answer(200, RESERVATIONS), answer(200, CONFIGURATION), answer(200, COMPANIONSHIPS), answer(200, GUESTS)];
    let (portion, requests) = reread(RecordKind::Reservation, STAY, reactions).await;
    assert_eq!(asked(&requests[0]), json!({ "ReservationIds": [STAY] }));
    assert_eq!(portion.records.len(), 3);
    assert_eq!(portion.records[2].location, HOTEL);
    let (portion, requests) = reread(RecordKind::Reservation, "gone", vec![answer(200, NO_STAYS)]).await;
    assert_eq!((portion.records.len(), requests.len()), (0, 1), "a stay that is gone costs one question");
}

#[tokio::test]
async fn one_room_is_read_again_whole() {
    let mut reactions = vec![answer(200, RESOURCES)];
    reactions.extend(resource_lists());
    let room = "ffff6666-0000-4000-8000-000000000204";
    let (portion, requests) = reread(RecordKind::Resource, room, reactions).await;
    assert_eq!(asked(&requests[0])["ResourceIds"], json!([room]));
    assert_eq!(asked(&requests[3])["ResourceIds"], json!([room]));
    assert_eq!(asked(&requests[4])["AssignedResourceIds"], json!([room]));
    let RecordDetails::Resource(details) = &portion.records[0].details else { unreachable!() };
    assert_eq!((details.categories.len(), details.blocks.len()), (1, 1));
}

#[tokio::test]
async fn a_portfolio_names_its_chains_and_tells_hotels_apart() {
    let portfolio = "{\"NowUtc\":\"2031-03-02T12:00:30Z\",\"Enterprise\":{\"Id\":\"p\",\"IsPortfolio\":true}}";
    let enterprises =
        "{\"Enterprises\":[{\"Id\":\"e-1\",\"ChainId\":\"chain\"},{\"Id\":\"e-2\",\"ChainId\":\"chain\"}]}";
    let services = "{\"Services\":[{\"Id\":\"bbbb2222-0000-4000-8000-000000000001\",\"EnterpriseId\":\"e-2\"}]}";
    let reactions = [RESERVATIONS, portfolio, enterprises, services, COMPANIONSHIPS, GUESTS];
    let reactions = reactions.iter().map(|list| answer(200, list)).collect();
    let (portion, requests) = reread(RecordKind::Reservation, STAY, reactions).await;
    assert_eq!(asked(&requests[5])["ChainIds"], json!(["chain"]));
    assert_eq!((portion.records[0].location.as_str(), portion.records[2].location.as_str()), ("", "e-2"));
}

#[tokio::test]
async fn a_part_that_is_hinted_at_is_read_whole_and_other_parts_are_not_there() {
    let server = Server::start(vec![answer(200, CONFIGURATION)]).await;
    let portion = connect(&server).inventory().reread(&Hint::Part(SyncPart::Profile), noon()).await.unwrap();
    assert_eq!(ids(&portion), [(RecordKind::Location, HOTEL)]);
    let (result, requests) = read(SyncPart::Devices, None, Vec::new()).await;
    assert!(matches!(result, Err(VendorError::Unsupported { .. })) && requests.is_empty());
}

#[tokio::test]
async fn one_hotel_is_read_again_and_no_other() {
    let (portion, _) = reread(RecordKind::Location, HOTEL, vec![answer(200, CONFIGURATION)]).await;
    assert_eq!(ids(&portion), [(RecordKind::Location, HOTEL)]);
    let (portion, _) = reread(RecordKind::Location, "another", vec![answer(200, CONFIGURATION)]).await;
    assert!(portion.records.is_empty());
}
