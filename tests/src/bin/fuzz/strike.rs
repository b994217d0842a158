//! One input from its seed to what came back. Each kind is made and sent here; what an answer is worth is said by `Answer`.

use std::time::Duration;

use anyhow::{Context, Result};
use futures::{SinkExt, StreamExt};
use gatehouse_tests::{client::http, crowd::Dice};
use reqwest::{Method, header};
use serde_json::{Value, json};
use tokio_tungstenite::{
    connect_async,
    tungstenite::{
        Message,
        client::IntoClientRequest,
        http::HeaderValue,
        protocol::frame::{
            Frame,
            coding::{Data, OpCode},
        },
    },
};

use crate::{documents::Document, noise, target::Target};

/// How long an answer may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);
/// The most frames on one socket.
const FRAMES: usize = 16;

/// What is attacked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Documents,
    Variables,
    Bodies,
    Frames,
    Webhooks,
    Callbacks,
    Browsers,
}

impl Kind {
    /// Which kind a strike is, so that each hundred has a fixed share of each.
    pub(crate) const fn of(number: u64) -> Self {
        match number % 20 {
            0..9 => Self::Documents,
            9..13 => Self::Variables,
            13 => Self::Bodies,
            // A socket counts for as many inputs as it has frames.
            14 => Self::Frames,
            15..18 => Self::Webhooks,
            18 => Self::Callbacks,
            _ => Self::Browsers,
        }
    }
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    /// How many inputs that were.
    pub(crate) inputs: u64,
    /// A status, or how a socket was closed.
    pub(crate) told: String,
    /// What must not be, with the input.
    pub(crate) fault: Option<String>,
}

/// Makes an input and sends it.
pub(crate) async fn strike(target: &Target, http: &reqwest::Client, kind: Kind, dice: &mut Dice) -> Answer {
    let sent = match kind {
        Kind::Documents | Kind::Variables => graphql(target, http, kind, dice).await,
        Kind::Bodies => body(target, http, dice).await,
        Kind::Frames => frames(target, dice).await,
        Kind::Webhooks => webhook(target, http, dice).await,
        Kind::Callbacks => callback(target, http, dice).await,
        Kind::Browsers => browser(target, http, dice).await,
    };
    sent.unwrap_or_else(|error| Answer {
        inputs: 1,
        told: "none".to_owned(),
        fault: Some(format!("no answer: {error:#}")),
    })
}

/// A client that follows nothing, with a connection for each request: on one that the server may just have closed, nobody can tell
/// whether an input was answered.
pub(crate) fn caller() -> Result<reqwest::Client> {
    // The first one installs what every other needs.
    drop(http());
    let redirects = reqwest::redirect::Policy::none();
    Ok(reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0).redirect(redirects).timeout(PATIENCE).build()?)
}

fn document(target: &Target, kind: Kind, dice: &mut Dice) -> Document {
    let words = &target.words;
    if kind == Kind::Variables {
        return if dice.comes(20) { words.entities(dice) } else { words.with_variables(dice) };
    }
    match dice.roll(10) {
        0 => words.bomb(dice),
        1..4 => {
            let Document { text, variables } = words.well_formed(dice);
            Document { text: noise::broken(dice, &text), variables }
        }
        _ => words.well_formed(dice),
    }
}

async fn graphql(target: &Target, http: &reqwest::Client, kind: Kind, dice: &mut Dice) -> Result<Answer> {
    let Document { text, variables } = document(target, kind, dice);
    let mut request = http.post(format!("http://{}/graphql", target.address));
    if !dice.comes(3) {
        request = request.bearer_auth(&target.key);
    }
    if dice.comes(50) {
        request = request.header(header::ACCEPT, "application/graphql-response+json");
    }
    let input = json!({ "query": text, "variables": variables });
    answer(request.json(&input), &input.to_string()).await
}

/// Anything but a good request: bytes, types, methods, parameters.
async fn body(target: &Target, http: &reqwest::Client, dice: &mut Dice) -> Result<Answer> {
    const TYPES: [&str; 7] = [
        "application/json",
        "application/json; charset=utf-16",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/graphql",
        "",
    ];
    const METHODS: [Method; 6] =
        [Method::POST, Method::POST, Method::GET, Method::PUT, Method::DELETE, Method::OPTIONS];
    let good = json!({ "query": target.words.well_formed(dice).text, "variables": {}, "operationName": null, "extensions":
        { "persistedQuery": { "version": 1, "sha256Hash": noise::string(dice) } } });
    let bytes = match dice.roll(5) {
        0 => noise::turned(dice, good.to_string().into_bytes()),
        1 => noise::broken(dice, &good.to_string()).into_bytes(),
        2 => json!([good, good]).to_string().into_bytes(),
        3 => vec![b'['; 1 + dice.roll(200_000)],
        _ => noise::dented(dice, good).to_string().into_bytes(),
    };
    let mut url = reqwest::Url::parse(&format!("http://{}/graphql", target.address))?;
    if dice.comes(30) {
        let names = ["query", "variables", "extensions", "operationName"];
        for name in names {
            if dice.comes(60) {
                url.query_pairs_mut().append_pair(name, &noise::string(dice));
            }
        }
    }
    let method = dice.one(&METHODS).cloned().unwrap_or_default();
    let mut request =
        http.request(method, url).header(header::CONTENT_TYPE, dice.one(&TYPES).copied().unwrap_or_default());
    if dice.comes(90) {
        request = request.bearer_auth(&target.key);
    }
    if dice.comes(10) {
        request = request.header(header::ACCEPT, noise::broken(dice, "text/event-stream").escape_default().to_string());
    }
    let input = String::from_utf8_lossy(&bytes).into_owned();
    answer(request.body(bytes), &input).await
}

async fn webhook(target: &Target, http: &reqwest::Client, dice: &mut Dice) -> Result<Answer> {
    let known = dice.one(&target.webhooks).cloned().unwrap_or_default();
    let url = if dice.comes(5) { noise::broken(dice, &known).escape_default().to_string() } else { known };
    // A broken address may be none of HTTP any more.
    let url = reqwest::Url::parse(&url).ok().filter(|url| url.scheme() == "http").map(|url| here(url, target));
    let Some(url) = url else {
        return Ok(Answer { inputs: 0, told: "no address".to_owned(), fault: None });
    };
    let good = push(target, dice);
    let bytes = match dice.roll(4) {
        0 => noise::turned(dice, good.to_string().into_bytes()),
        1 => noise::broken(dice, &good.to_string()).into_bytes(),
        2 => noise::dented(dice, good).to_string().into_bytes(),
        _ => good.to_string().into_bytes(),
    };
    let input = String::from_utf8_lossy(&bytes).into_owned();
    let request = http.post(url).header(header::CONTENT_TYPE, "application/json");
    let mark = noise::string(dice).escape_default().to_string();
    answer(request.header("x-signature", mark).body(bytes), &input).await
}

/// What a vendor might push: the members that the documented ones have, with anything in them.
fn push(target: &Target, dice: &mut Dice) -> Value {
    let stamp = dice.roll(2_000_000_000);
    match dice.roll(4) {
        0 => {
            json!({ "event": "lock.opened", "type": noise::string(dice), "timestamp": stamp, "data": noise::value(dice, 3) })
        }
        1 => json!({ "deviceId": dice.roll(100), "door": dice.roll(4), "event": noise::string(dice), "date": stamp }),
        2 => json!({ "Events": [{ "Discriminator": "ServiceOrderUpdated", "Value": { "Id": noise::string(dice) } }],
            "EnterpriseId": noise::string(dice), "IntegrationId": dice.one(&target.words.ids) }),
        _ => noise::value(dice, 4),
    }
}

/// The public address may name another host than the one that is attacked.
fn here(mut url: reqwest::Url, target: &Target) -> reqwest::Url {
    let _ = url.set_port(Some(target.address.port()));
    let _ = url.set_host(Some("127.0.0.1"));
    url
}

async fn callback(target: &Target, http: &reqwest::Client, dice: &mut Dice) -> Result<Answer> {
    let mut url = reqwest::Url::parse(&format!("http://{}/oauth/callback", target.address))?;
    for name in ["state", "code", "error", "state"] {
        if dice.comes(60) {
            let known = dice.one(&target.states).filter(|_| dice.roll(300) == 0).cloned();
            let value = known.unwrap_or_else(|| noise::string(dice));
            url.query_pairs_mut().append_pair(name, &value.chars().take(1_500).collect::<String>());
        }
    }
    if dice.comes(20) {
        url.set_query(Some(
            &noise::broken(dice, url.query().unwrap_or_default()).chars().take(3_000).collect::<String>(),
        ));
    }
    let input = url.to_string();
    answer(http.get(url), &input).await
}

/// What a browser might bring, or a page make it bring: forms, ways back, cookies, origins.
async fn browser(target: &Target, http: &reqwest::Client, dice: &mut Dice) -> Result<Answer> {
    const PLACES: [(Method, &str); 6] = [
        (Method::POST, "/sign-in"),
        (Method::GET, "/sign-in"),
        (Method::GET, "/sign-in/provider"),
        (Method::GET, "/sign-in/callback"),
        (Method::POST, "/sign-out"),
        (Method::POST, "/graphql"),
    ];
    let text = |dice: &mut Dice| noise::string(dice).chars().take(1_500).collect::<String>();
    let (method, path) = dice.one(&PLACES).cloned().unwrap_or_default();
    let mut url = reqwest::Url::parse(&format!("http://{}{path}", target.address))?;
    for name in ["return_to", "issuer", "state", "code", "iss"] {
        if dice.comes(40) {
            let value = text(dice);
            url.query_pairs_mut().append_pair(name, &value);
        }
    }
    let key = match dice.roll(4) {
        0 => target.key.clone(),
        1 => noise::broken(dice, &target.key),
        _ => text(dice),
    };
    let form = reqwest::Url::parse_with_params("http://form/", [("key", key), ("return_to", text(dice))])?;
    let (kind, body) = match path {
        "/graphql" => ("application/json", json!({ "query": "{ viewer { kind } }" }).to_string()),
        _ => ("application/x-www-form-urlencoded", form.query().unwrap_or_default().to_owned()),
    };
    // Without the form: a key may be in it.
    let input = url.to_string();
    let mut request = http.request(method, url).header(header::CONTENT_TYPE, kind);
    let cookie = match dice.roll(4) {
        0 => None,
        1 => Some(target.cookie.clone()),
        2 => Some(noise::broken(dice, &target.cookie)),
        _ => Some(format!("gatehouse-attempt={}; gatehouse={}", text(dice), text(dice))),
    };
    if let Some(cookie) = cookie {
        request = request.header(header::COOKIE, cookie.escape_default().to_string());
    }
    let site = dice.one(&["same-origin", "same-origin", "cross-site", "none", ""]).copied().unwrap_or_default();
    if !site.is_empty() {
        request = request.header("sec-fetch-site", site);
    }
    if dice.comes(30) {
        let origin = if dice.comes(50) { format!("http://{}", target.address) } else { text(dice) };
        request = request.header(header::ORIGIN, origin.escape_default().to_string());
    }
    answer(request.body(body), &input).await
}

/// Sends a request and judges the answer. Declared are 503 where a webhook was not stored and is to be sent again, and 502 and 503
/// where a vendor does not take a code; nothing else may be 500 or more while the database is well.
async fn answer(request: reqwest::RequestBuilder, input: &str) -> Result<Answer> {
    let (client, request) = request.build_split();
    let Ok(request) = request else { return Ok(Answer { inputs: 0, told: "no request".to_owned(), fault: None }) };
    let declared: &[u16] = match request.url().path() {
        "/oauth/callback" => &[502, 503],
        path if path.starts_with("/webhooks/") => &[503],
        _ => &[],
    };
    // Addresses of webhooks are secrets, also those of a house that lives for a minute.
    let shown = || input.chars().take(1_500).collect::<String>();
    let response = match client.execute(request).await {
        // An address that HTTP cannot carry was not sent.
        Err(error) if error.is_builder() => {
            return Ok(Answer { inputs: 0, told: "no request".to_owned(), fault: None });
        }
        sent => sent.map_err(reqwest::Error::without_url).with_context(shown)?,
    };
    let status = response.status();
    let is_stream =
        response.headers().get(header::CONTENT_TYPE).is_some_and(|it| it.as_bytes().starts_with(b"text/event"));
    // A stream of events ends when the caller goes.
    let text = if is_stream { String::new() } else { response.text().await? };
    let mut told = status.as_u16().to_string();
    let mut what =
        (status.is_server_error() && !declared.contains(&status.as_u16())).then(|| format!("an undeclared {status}"));
    if let Ok(Value::Object(body)) = serde_json::from_str(&text)
        && let Some(errors) = body.get("errors").and_then(Value::as_array)
    {
        told.push_str(" with errors");
        for error in errors {
            match error["extensions"]["code"].as_str() {
                Some("INTERNAL" | "UNAVAILABLE") | None => what = Some(format!("an error of our own: {error}")),
                Some(_) => {}
            }
        }
    }
    let fault = what.map(|what| format!("{what}\n    {}", shown()));
    Ok(Answer { inputs: 1, told, fault })
}

/// A socket with frames in any order, most of them after a good `connection_init`.
async fn frames(target: &Target, dice: &mut Dice) -> Result<Answer> {
    let mut request = format!("ws://{}/graphql/ws", target.address).into_client_request()?;
    request.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_static("graphql-transport-ws"));
    let (mut socket, _) = connect_async(request).await?;
    let mut sent = Vec::new();
    if dice.comes(90) {
        let init =
            json!({ "type": "connection_init", "payload": { "authorization": format!("Bearer {}", target.key) } });
        sent.push(Message::text(init.to_string()));
    }
    let count = 1 + dice.roll(FRAMES);
    sent.extend((0..count).map(|_| frame(target, dice)));
    let mut inputs = 0;
    let mut told = None;
    for message in sent.iter().cloned() {
        // The server may have closed it already, which is told below.
        if socket.send(message).await.is_err() {
            break;
        }
        inputs += 1;
    }
    let _ = socket.close(None).await;
    let ended = tokio::time::timeout(PATIENCE, async {
        while let Some(Ok(message)) = socket.next().await {
            if let Message::Close(Some(frame)) = message {
                told = Some(u16::from(frame.code));
            }
        }
    });
    let hangs = ended.await.is_err();
    let what = match told {
        Some(code @ (1011 | 4500)) => Some(format!("closed with {code}")),
        _ if hangs => Some(format!("not closed after {PATIENCE:?}")),
        _ => None,
    };
    let shown = || sent.iter().map(|it| it.to_text().unwrap_or("bytes").chars().take(300).collect::<String>());
    let fault = what.map(|what| format!("{what}\n    {}", shown().collect::<Vec<_>>().join("\n    ")));
    Ok(Answer { inputs, told: told.map_or_else(|| "ended".to_owned(), |code| format!("closed {code}")), fault })
}

fn frame(target: &Target, dice: &mut Dice) -> Message {
    const TYPES: [&str; 9] =
        ["subscribe", "complete", "ping", "pong", "next", "error", "connection_init", "connection_ack", "start"];
    let id = dice.roll(4).to_string();
    let Document { text, variables } = target.words.with_variables(dice);
    let good = json!({ "id": id, "type": "subscribe", "payload": { "query": text, "variables": variables } });
    match dice.roll(14) {
        0 => Message::text(noise::string(dice)),
        1 => Message::binary(noise::turned(dice, good.to_string().into_bytes())),
        2 => Message::text(json!({ "id": id, "type": dice.one(&TYPES), "payload": noise::value(dice, 3) }).to_string()),
        3 => Message::text(noise::dented(dice, good).to_string()),
        4 => Message::text(noise::broken(dice, &good.to_string())),
        5 => Message::Ping(vec![7; dice.roll(125)].into()),
        // Text that is no UTF-8.
        6 => Message::Frame(Frame::message(vec![0xff, 0xfe, 0x80], OpCode::Data(Data::Text), true)),
        7 => Message::text(json!({ "id": id, "type": "complete" }).to_string()),
        8 => Message::text(json!({ "type": "ping" }).to_string()),
        _ => Message::text(good.to_string()),
    }
}
