use std::io::Write as _;

use tokio::{io::AsyncReadExt as _, net::TcpListener};

use super::*;
use crate::testing::{
    HandClock, Reaction, RunningOut, Server, a_moment, departure, factory, impatient_factory, json, time_outs,
    with_headers,
};

const PATH: &[&str] = &["things", "1"];

fn read<'a>(path: &'a [&'a str]) -> Call<'a> {
    Call {
        operation: "test",
        method: Method::GET,
        path,
        query: &[],
        headers: HeaderMap::new(),
        body: Vec::new(),
        departure: None,
        limit: 1000,
    }
}

fn act<'a>(body: &str, departure: &'a Departure) -> Call<'a> {
    Call { method: Method::POST, body: body.as_bytes().to_vec(), departure: Some(departure), ..read(PATH) }
}

fn caller(url: &str, http: &HttpFactory) -> Caller {
    http.caller(Vendor::Bikeep, url, vec![Secret::new("canary")]).unwrap()
}

async fn get(reaction: Reaction) -> Result<Reply, VendorError> {
    let server = Server::start(vec![reaction]).await;
    caller(&server.url, &impatient_factory()).call(read(PATH)).await
}

async fn post(reaction: Reaction) -> Result<Reply, VendorError> {
    let server = Server::start(vec![reaction]).await;
    let departure = departure(HandClock::new());
    let result = caller(&server.url, &impatient_factory()).call(act("{}", &departure)).await;
    assert_eq!(server.requests().len(), 1, "sent once, whatever happens");
    result
}

fn is_lost(result: &Result<Reply, VendorError>) -> bool {
    matches!(result, Err(VendorError::Indeterminate { code: FailureCode::AnswerLost, .. }))
}

fn is_not_ready(result: &Result<Reply, VendorError>) -> bool {
    matches!(result, Err(VendorError::NotReady { .. }))
}

#[tokio::test]
async fn a_base_url_may_have_a_path_and_ids_are_encoded() {
    for (suffix, expected) in [
        ("", "GET /devices/a%2Fb%20%3Fc HTTP/1.1"),
        ("/", "GET /devices/a%2Fb%20%3Fc HTTP/1.1"),
        ("/api/x", "GET /api/x/devices/a%2Fb%20%3Fc HTTP/1.1"),
        ("/api/x/", "GET /api/x/devices/a%2Fb%20%3Fc HTTP/1.1"),
    ] {
        let server = Server::start(vec![json(200, "{}")]).await;
        let url = format!("{}{suffix}", server.url);
        caller(&url, &factory()).call(read(&["devices", "a/b ?c"])).await.unwrap();
        assert_eq!(server.requests()[0].line, expected);
    }
}

#[tokio::test]
async fn an_id_that_would_name_another_resource_is_refused() {
    let http = factory();
    for id in ["", ".", ".."] {
        let result = caller("http://127.0.0.1:1", &http).call(read(&["devices", id])).await;
        assert!(matches!(result, Err(VendorError::Rejected { code: FailureCode::DeviceNotFound, .. })));
    }
}

#[test]
fn a_base_url_with_secrets_or_without_a_host_is_refused() {
    let http = factory();
    for url in ["", "x", "ftp://a", "file:///etc", "http://u:p@a", "http://a?key=1", "http://a#x", "mailto:a@b"] {
        assert!(matches!(http.caller(Vendor::Mews, url, Vec::new()), Err(VendorError::Unsupported { .. })), "{url}");
    }
}

/// What may be called is not a matter of how it is written.
#[tokio::test]
async fn addresses_that_are_not_public_are_refused_before_a_byte_leaves() {
    let strict = HttpFactory::new(HandClock::new(), time_outs(), "".parse().unwrap()).unwrap();
    let lenient = factory();
    let metadata = ["http://169.254.169.254", "http://[::ffff:169.254.169.254]", "http://0xA9.0xFE.0xA9.0xFE"];
    let ours = ["http://10.0.0.1", "https://192.168.1.1/x", "http://[fd00::1]", "http://0/", "http://[64:ff9b::a00:1]"];
    for url in metadata.into_iter().chain(ours) {
        for http in [&strict, &lenient] {
            assert!(
                matches!(http.caller(Vendor::Mews, url, Vec::new()), Err(VendorError::Unsupported { .. })),
                "{url}"
            );
            assert!(matches!(http.check_reach(url).await, Err(VendorError::Unsupported { .. })), "{url}");
        }
    }
    for url in
        ["http://2130706433", "http://0177.1", "http://0x7f000001", "http://127.1", "http://[::1]", "http://127.0.0.1."]
    {
        assert!(strict.caller(Vendor::Mews, url, Vec::new()).is_err(), "{url}");
        assert!(lenient.caller(Vendor::Mews, url, Vec::new()).is_ok(), "{url}");
    }
}

/// Whoever is on the way to a public address would read the credentials.
#[tokio::test]
async fn credentials_go_without_tls_only_where_the_operator_says() {
    let rule = |text: &str| HttpFactory::new(HandClock::new(), time_outs(), text.parse().unwrap()).unwrap();
    let named = rule("loopback,93.184.215.0/24");
    for url in ["http://93.184.216.34", "http://[2606:2800:21f:cb07::1]", "http://93.184.216.34:443/x"] {
        let error = named.caller(Vendor::Mews, url, Vec::new()).err().unwrap();
        assert!(
            matches!(error, VendorError::Unsupported { .. }) && error.to_string().contains("use https://"),
            "{error}"
        );
        assert_eq!(named.check_reach(url).await, Err(error), "{url}");
        assert!(named.document(url).await.unwrap_err().contains("use https://"), "{url}");
        assert!(named.caller(Vendor::Mews, &url.replace("http", "https"), Vec::new()).is_ok(), "{url}");
    }
    for url in ["http://127.0.0.1:1", "http://[::1]", "http://93.184.215.1", "https://93.184.215.1"] {
        assert!(named.caller(Vendor::Mews, url, Vec::new()).is_ok(), "{url}");
    }
    // A name is judged by what it leads to, and by how it is called.
    let public = "93.184.216.34".parse().unwrap();
    let reach = Reach::new("".parse().unwrap());
    assert_eq!(reach.judge(public, Wire::Plain), Err(OutOfReach::WithoutTls));
    assert_eq!(reach.judge(public, Wire::Tls), Ok(()));
    let found = reach.addresses("93.184.216.34", Wire::Plain).await.unwrap_err();
    assert_eq!(found.downcast_ref(), Some(&OutOfReach::WithoutTls));
}

/// A name tells nothing: what it leads to is asked about at each connection.
#[tokio::test]
async fn a_name_that_leads_to_an_address_of_ours_is_not_connected_to() {
    let server = Server::start(vec![json(200, "{}")]).await;
    let by_name = server.url.replace("127.0.0.1", "localhost");
    let strict = HttpFactory::new(HandClock::new(), time_outs(), "".parse().unwrap()).unwrap();
    let error = caller(&by_name, &strict).call(read(PATH)).await.unwrap_err();
    assert!(matches!(error, VendorError::NotReady { .. }), "{error}");
    assert!(error.to_string().contains("not public") && !error.to_string().contains("127."), "{error}");
    assert!(matches!(strict.check_reach(&by_name).await, Err(VendorError::Unsupported { .. })));
    assert!(server.requests().is_empty());
    assert_eq!(factory().check_reach(&by_name).await, Ok(()));
    assert!(caller(&by_name, &factory()).call(read(PATH)).await.is_ok());
    assert_eq!(strict.check_reach("http://no-such-host.invalid").await, Ok(()), "for the call to tell");
}

#[tokio::test]
async fn bytes_of_a_request_with_an_effect() {
    let server = Server::start(vec![json(200, "{}"), json(200, "{}")]).await;
    let (http, departure) = (factory(), departure(HandClock::new()));
    let caller = caller(&server.url, &http);
    caller.call(act("{\"a\":1}", &departure)).await.unwrap();
    caller.call(act("", &departure)).await.unwrap();
    let requests = server.requests();
    assert_eq!(requests[0].line, "POST /things/1 HTTP/1.1");
    assert_eq!(requests[0].body, "{\"a\":1}");
    assert_eq!(requests[0].header("content-length"), Some("7"));
    assert_eq!(requests[0].header("transfer-encoding"), None);
    assert_eq!(requests[1].header("content-length"), Some("0"));
    assert_eq!(requests[1].header("user-agent"), Some(concat!("gatehouse/", env!("CARGO_PKG_VERSION"))));
}

#[tokio::test]
async fn not_connected_is_not_ready() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let closed = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let (http, departure) = (factory(), departure(HandClock::new()));
    for url in [closed.as_str(), "http://no-such-host.invalid"] {
        assert!(is_not_ready(&caller(url, &http).call(act("{}", &departure)).await));
        assert!(is_not_ready(&caller(url, &http).call(read(PATH)).await));
    }
}

#[tokio::test]
async fn a_failed_tls_handshake_is_not_ready() {
    let server = Server::start(vec![json(200, "{}")]).await;
    let url = server.url.replace("http://", "https://");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let closing = format!("https://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { while listener.accept().await.is_ok() {} });
    let departure = departure(HandClock::new());
    for url in [url, closing] {
        assert!(is_not_ready(&caller(&url, &impatient_factory()).call(act("{}", &departure)).await));
    }
}

#[tokio::test]
async fn an_answer_that_does_not_come_or_ends_early_is_lost_only_where_it_matters() {
    let cases: [fn() -> Reaction; 4] = [
        || Reaction::AnswerAndClose(Vec::new()),
        || Reaction::Silence,
        || Reaction::AnswerAndClose(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{\"a".to_vec()),
        || Reaction::AnswerAndClose(b"what do you want?\r\n\r\n".to_vec()),
    ];
    for case in cases {
        let result = post(case()).await;
        assert!(is_lost(&result), "{result:?}");
        let result = get(case()).await;
        assert!(is_not_ready(&result), "{result:?}");
    }
}

#[tokio::test]
async fn a_refusal_stands_without_the_words_to_it() {
    let cut = b"HTTP/1.1 404 X\r\nContent-Length: 10\r\n\r\n{".to_vec();
    let reply = post(Reaction::AnswerAndClose(cut)).await.unwrap();
    assert!(matches!(reply.refusal(""), VendorError::Rejected { .. }));
}

#[tokio::test]
async fn statuses_that_leave_open_what_happened() {
    for status in [408, 500, 502, 503, 504] {
        let refusal = post(json(status, "{}")).await.unwrap().refusal("");
        assert!(matches!(refusal, VendorError::Indeterminate { .. }), "{status}");
        let refusal = get(with_headers(status, "Retry-After: 9\r\n", b"")).await.unwrap().refusal("");
        assert!(
            matches!(refusal, VendorError::NotReady { retry_after: Some(wait), .. } if wait == TimeDelta::seconds(9))
        );
    }
}

#[tokio::test]
async fn throttling_says_for_how_long_in_both_forms() {
    for (header, seconds) in [("30", 30), ("Sun, 02 Mar 2031 12:01:30 GMT", 90)] {
        let reply = post(with_headers(429, &format!("Retry-After: {header}\r\n"), b"slow down")).await.unwrap();
        assert_eq!(reply.refusal(""), VendorError::Throttled { retry_after: Some(TimeDelta::seconds(seconds)) });
    }
    assert_eq!(post(json(429, "")).await.unwrap().refusal(""), VendorError::Throttled { retry_after: None });
    assert!(post(json(401, "")).await.unwrap().refusal("").is_auth_invalid());
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = Server::start(vec![json(200, "{}")]).await;
    for status in [301, 302, 307, 308] {
        for place in ["/elsewhere", &elsewhere.url] {
            let there = || with_headers(status, &format!("Location: {place}\r\n"), b"");
            for result in [get(there()).await, post(there()).await] {
                assert!(matches!(result, Err(VendorError::Protocol { .. })), "{status} {place}: {result:?}");
            }
        }
    }
    assert!(elsewhere.requests().is_empty());
}

#[tokio::test]
async fn too_much_is_not_read_also_when_it_comes_compressed() {
    assert!(get(json(200, &"x".repeat(1000))).await.is_ok());
    assert!(matches!(get(json(200, &"x".repeat(1001))).await, Err(VendorError::Protocol { .. })));
    assert!(matches!(post(json(200, &"x".repeat(100_000))).await, Err(VendorError::Protocol { .. })));
    let bomb = gzip(&vec![b'x'; 1_000_000]);
    let headers = "Content-Encoding: gzip\r\n";
    assert!(matches!(get(with_headers(200, headers, &bomb)).await, Err(VendorError::Protocol { .. })));
    assert_eq!(get(with_headers(200, headers, &gzip(b"fine"))).await.unwrap().body, b"fine");
}

/// A gzip stream of stored and run-length blocks would need a library; `gzip(1)` is on every machine that builds this.
fn gzip(data: &[u8]) -> Vec<u8> {
    use std::process::{Command, Stdio};
    let mut child = Command::new("gzip").arg("-c").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(data).unwrap();
    child.wait_with_output().unwrap().stdout
}

#[tokio::test]
async fn what_departed_already_is_not_even_connected() {
    let server = Server::start(vec![json(200, "{}")]).await;
    let clock = HandClock::new();
    clock.advance(TimeDelta::minutes(1));
    let departure = departure(clock);
    let result = caller(&server.url, &factory()).call(act("{}", &departure)).await;
    assert_eq!(result.err(), Some(VendorError::TooLate));
    a_moment().await;
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn a_departure_that_passes_while_connecting_is_noticed_at_once() {
    for body in ["{\"a\":1}", ""] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://{}", listener.local_addr().unwrap());
        let clock = HandClock::new();
        let late = departure(clock.clone());
        let http = factory();
        let caller = caller(&url, &http);
        let call = tokio::spawn(async move { caller.call(act(body, &late)).await });
        let (mut stream, _) = listener.accept().await.unwrap();
        clock.advance(TimeDelta::minutes(2));
        assert_eq!(call.await.unwrap().err(), Some(VendorError::TooLate));
        let mut seen = Vec::new();
        stream.read_to_end(&mut seen).await.unwrap();
        assert!(!String::from_utf8_lossy(&seen).contains("POST"));
    }
}

/// The clock is fine when the call begins and over when hyper is about to write, on a new connection and on a pooled
/// one: nothing may leave.
#[tokio::test]
async fn the_last_look_at_the_clock_is_right_before_the_bytes() {
    for body in ["{\"a\":1}", ""] {
        for pooled in [false, true] {
            let server = Server::start(vec![json(200, "{}"), json(200, "{}")]).await;
            let http = factory();
            let caller = caller(&server.url, &http);
            if pooled {
                caller.call(read(PATH)).await.unwrap();
            }
            let clock = RunningOut::after(1);
            let late = departure(clock);
            let result = caller.call(act(body, &late)).await;
            assert_eq!(result.err(), Some(VendorError::TooLate), "{body:?} {pooled}");
            a_moment().await;
            assert_eq!(server.requests().len(), usize::from(pooled));
            assert_eq!(server.stray_bytes(), 0, "{body:?} {pooled}");
        }
    }
}

#[tokio::test]
async fn the_clock_is_looked_at_again_and_no_more_once_it_left() {
    for body in ["{\"a\":1}", ""] {
        let server = Server::start(vec![json(200, "{}")]).await;
        let late = departure(RunningOut::after(2));
        caller(&server.url, &factory()).call(act(body, &late)).await.unwrap();
    }
}

#[tokio::test]
async fn an_answer_after_the_departure_still_counts() {
    let server = Server::start(vec![Reaction::Silence]).await;
    let clock = HandClock::new();
    let left = departure(clock.clone());
    let time_outs = TimeOuts { total: TimeDelta::seconds(1), ..time_outs() };
    let http = HttpFactory::new(clock.clone(), time_outs, AddressRule::with_loopback()).unwrap();
    let caller = caller(&server.url, &http);
    let call = tokio::spawn(async move { caller.call(act("{}", &left)).await });
    while server.requests().is_empty() {
        a_moment().await;
    }
    clock.advance(TimeDelta::minutes(2));
    assert!(is_lost(&call.await.unwrap()), "it had left, so its outcome is not known");
}

#[tokio::test]
async fn a_dead_pooled_connection_costs_nothing() {
    let close = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}".to_vec();
    let server = Server::start(vec![Reaction::AnswerAndClose(close), json(200, "{}")]).await;
    let (http, departure) = (factory(), departure(HandClock::new()));
    let caller = caller(&server.url, &http);
    caller.call(act("{}", &departure)).await.unwrap();
    a_moment().await;
    caller.call(act("{}", &departure)).await.unwrap();
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn nothing_that_is_said_holds_a_secret() {
    let server = Server::start(vec![json(500, "canary")]).await;
    let http = factory();
    let caller = caller(&server.url, &http);
    let reply = caller.call(read(PATH)).await.unwrap();
    assert_eq!(
        reply.refusal(&caller.clean("your token canary is bad")).to_string(),
        "BIKEEP answered HTTP 500: your token *** is bad"
    );
    let error = reply.json::<u8>().unwrap_err();
    assert!(!error.to_string().contains("canary"));
}

/// Every line that any library logs, at the most talkative level.
#[derive(Clone, Default)]
struct Log(Arc<std::sync::Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn no_log_line_holds_a_secret_a_query_or_a_body() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    // For every thread: a subscriber of one thread misses what other threads were the first to log. So the other
    // tests' lines are judged as well, and all of them use canaries for secrets.
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let server = Server::start(vec![json(200, "{\"pin\":\"canary-answer\"}"), Reaction::Silence]).await;
    let departure = departure(HandClock::new());
    let caller = caller(&server.url, &impatient_factory());
    for _ in 0..2 {
        let mut call = act("{\"pin\":\"canary-body\"}", &departure);
        call.headers.insert(http::header::AUTHORIZATION, http::HeaderValue::from_static("Bearer canary"));
        let answer = caller.call(call).await;
        assert!(!format!("{answer:?}").contains("canary"));
    }
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(
        text.contains("vendor call") && text.contains("status=200") && text.contains("failure=ANSWER_LOST"),
        "{text}"
    );
    assert!(!text.contains("canary"), "{text}");
}
