//! The address that webhooks come to: what is taken, what is refused, and how it is kept.

use domain::{secret::Secret, webhook::RawDelivery};
use entities::rows::webhook_delivery;
use gatehouse_tests::{
    client::{http, text},
    house::{Plan, TestHouse},
    on_both_back_ends,
};
use platform::vault::Place;
use reqwest::{Method, StatusCode};
use sea_orm::EntityTrait;
use serde_json::{Value, json};
use simulator::Vendor;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::{account_id, address, count, deliver, deliveries, parqex, post, settled, told_of};

const CANARY: &str = "canary-of-a-header";

async fn rows(house: &TestHouse) -> Vec<webhook_delivery::Model> {
    let pools = platform::database::open(&house.settings).await.unwrap();
    webhook_delivery::Entity::find().all(&pools.read).await.unwrap()
}

/// Every byte that the embedded house has written down.
fn everything_on_disk(house: &TestHouse) -> Vec<u8> {
    let files = std::fs::read_dir(&house.settings.data_directory).unwrap().map(|file| file.unwrap().path());
    files.filter(|path| path.is_file()).flat_map(|path| std::fs::read(path).unwrap()).collect()
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

/// The answer to an unknown address of the API, whatever it is.
async fn unknown(house: &TestHouse, path: &str) -> (StatusCode, Vec<u8>) {
    let answer = house.client.request(Method::POST, path).body("{}").send().await.unwrap();
    (answer.status(), answer.bytes().await.unwrap().to_vec())
}

/// The first line of the answer to a chunked body that does not say how long it is.
async fn post_chunked(url: &str, size: usize) -> String {
    let url = reqwest::Url::parse(url).unwrap();
    let host = format!("{}:{}", url.host_str().unwrap(), url.port().unwrap());
    let mut socket = TcpStream::connect(&host).await.unwrap();
    let head = format!("POST {} HTTP/1.1\r\nhost: {host}\r\ntransfer-encoding: chunked\r\n\r\n", url.path());
    socket.write_all(format!("{head}{size:x}\r\n{}\r\n0\r\n\r\n", "x".repeat(size)).as_bytes()).await.unwrap();
    let mut answer = [0; 64];
    let read = socket.read(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer[..read]).lines().next().unwrap_or_default().to_owned()
}

on_both_back_ends! {
    /// Nobody is there to read it: the vendor gets its answer, and the delivery waits, sealed.
    async fn a_delivery_is_kept_before_anybody_reads_it(back_end: BackEnd) {
        let mut house = Plan::on(back_end).without_worker().start().await;
        let url = address(&house, Vendor::Parqex).await;
        assert_eq!(deliveries(&house, Vendor::Parqex).await, [] as [Value; 0]);
        let door = house.door("PARQEX", "OPEN_DOOR").await;
        let mut body = parqex(1, &door, "OPEN", chrono::Utc::now());
        body["undocumented"] = json!("canary-of-a-body");
        let request = http().post(format!("{url}?mark=canary-of-a-query")).header("X-Api-Key", CANARY);
        let answer = request.header("cookie", "s=canary-of-a-cookie").body(body.to_string()).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::ACCEPTED);
        assert!(answer.bytes().await.unwrap().is_empty());

        let kept = deliveries(&house, Vendor::Parqex).await;
        let [kept] = &kept[..] else { panic!("one delivery: {kept:#?}") };
        assert_eq!((&kept["state"], &kept["attempts"]), (&json!("PENDING"), &json!(0)));
        assert_eq!((&kept["size"], &kept["processedAt"]), (&json!(body.to_string().len()), &Value::Null));
        assert_eq!(kept["vendorAccount"]["id"], account_id(&house, Vendor::Parqex).await.to_string());
        let row = rows(&house).await.remove(0);
        assert!(!contains(&row.content, "canary"));
        if house.settings.is_embedded() {
            let disk = everything_on_disk(&house);
            assert!(contains(&disk, "webhook_deliveries") && !contains(&disk, "canary"), "sealed everywhere");
        }
        let place = Place { table: "webhook_deliveries", column: "content", row: row.id };
        let opened: Secret = house.foundation().vault.open(&row.content, place).unwrap();
        let raw: RawDelivery = serde_json::from_str(opened.expose()).unwrap();
        assert_eq!(raw.body, body.to_string().into_bytes(), "byte for byte");
        let header = |name: &str| {
            raw.headers.iter().find(|(held, _)| held == name).map(|(_, value)| value.as_str())
        };
        assert_eq!(header("x-api-key"), Some(CANARY));
        assert_eq!(header(":path"), Some("/webhooks?mark=canary-of-a-query"), "without our token");
        assert_eq!(header("cookie"), None);

        house.start_worker().await;
        assert_eq!(settled(&house, Vendor::Parqex, 1).await, (1, 0));
        let processed = deliveries(&house, Vendor::Parqex).await.remove(0);
        assert_eq!(processed["attempts"], 1);
        assert!(processed["processedAt"].is_string() && processed["note"].is_string(), "{processed:#}");
        let event = told_of(&house, Vendor::Parqex, "DOOR_OPENED", 1).await.remove(0);
        assert_eq!(event["door"]["id"], door["id"]);
        assert!(!event.to_string().contains("canary"), "{event:#}");
        house.stop().await;
    }

    async fn only_a_known_address_is_answered(back_end: BackEnd) {
        let house = Plan::on(back_end).start().await;
        let nowhere = unknown(&house, "/nowhere").await;
        assert_eq!(nowhere.0, StatusCode::NOT_FOUND);
        let token = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFG";
        for path in [format!("/webhooks/{token}"), "/webhooks/x".to_owned(), format!("/webhooks/{token}/more")] {
            assert_eq!(unknown(&house, &path).await, nowhere, "{path}");
        }
        for path in ["/webhooks", "/webhooks/", "/webhooks/%ff", "/webhooks/%00"] {
            assert_eq!(unknown(&house, path).await.0, StatusCode::NOT_FOUND, "{path}");
        }
        let old = address(&house, Vendor::Raixer).await;
        for method in [Method::GET, Method::PUT, Method::DELETE, Method::PATCH] {
            let answer = http().request(method.clone(), &old).send().await.unwrap();
            assert_eq!(answer.status(), StatusCode::METHOD_NOT_ALLOWED, "{method}");
        }
        assert_eq!(post(&old, "{}").await, StatusCode::ACCEPTED);
        let new = address(&house, Vendor::Raixer).await;
        assert_ne!(old, new);
        assert_eq!(post(&old, "{}").await, StatusCode::NOT_FOUND, "replaced");
        assert_eq!(post(&new, "{}").await, StatusCode::ACCEPTED);
        settled(&house, Vendor::Raixer, 2).await;

        let id = account_id(&house, Vendor::Raixer).await.to_string();
        let unlink = "mutation($input: UnlinkVendorAccountInput!) { unlinkVendorAccount(input: $input) { \
            userErrors { code } } }";
        let data = house.client.data(unlink, json!({ "input": { "vendorAccountId": id } })).await;
        assert_eq!(data["unlinkVendorAccount"]["userErrors"], json!([]));
        assert_eq!(post(&new, "{}").await, StatusCode::NOT_FOUND, "unlinked");
        assert_eq!(rows(&house).await.len(), 2);
        house.stop().await;
    }

    async fn a_delivery_may_not_be_too_large(back_end: BackEnd) {
        let house = Plan::on(back_end).with_setting("max_webhook_bytes", "1000").start().await;
        let url = address(&house, Vendor::Mews).await;
        assert_eq!(post(&url, "x".repeat(1001)).await, StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(post_chunked(&url, 1001).await, "HTTP/1.1 413 Payload Too Large");
        assert_eq!(post_chunked(&url.replace("/webhooks/", "/webhooks/x"), 1001).await, "HTTP/1.1 404 Not Found");
        assert_eq!(rows(&house).await.len(), 0);
        assert_eq!(post(&url, "x".repeat(1000)).await, StatusCode::ACCEPTED);
        assert_eq!(settled(&house, Vendor::Mews, 1).await, (0, 1), "kept for a look, but no JSON");
        house.stop().await;
    }

    /// Deliveries of one account are not those of another, whatever vendor they are of.
    async fn each_account_has_its_own(back_end: BackEnd) {
        let house = Plan::on(back_end).start().await;
        let (raixer, parqex_url) = (address(&house, Vendor::Raixer).await, address(&house, Vendor::Parqex).await);
        let door = house.door("PARQEX", "OPEN_DOOR").await;
        deliver(&parqex_url, &parqex(1, &door, "OPEN", chrono::Utc::now())).await;
        deliver(&raixer, &parqex(2, &door, "CLOSED", chrono::Utc::now())).await;
        assert_eq!(settled(&house, Vendor::Parqex, 1).await, (1, 0));
        assert_eq!(settled(&house, Vendor::Raixer, 1).await, (0, 1), "nothing that Raixer sends");
        assert_eq!(told_of(&house, Vendor::Parqex, "DOOR_OPENED", 1).await.len(), 1);
        let stranger = house.stranger().await;
        let seen = stranger.data("{ webhookDeliveries { nodes { id } totalCount } }", json!({})).await;
        assert_eq!(seen["webhookDeliveries"]["totalCount"], 0, "{seen:#}");
        let first = text(&deliveries(&house, Vendor::Parqex).await[0]["id"]);
        let node = stranger.data("query($id: ID!) { node(id: $id) { id } }", json!({ "id": first })).await;
        assert_eq!(node["node"], Value::Null);
        assert_eq!(count(&house, Vendor::Bikeep, "PENDING").await, 0);
        house.stop().await;
    }
}
