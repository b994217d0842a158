//! Test support: a vendor of one's own on a plain TCP socket, which says exactly what a test wrote down for it, and clocks
//! that stand still or run out on demand.

use std::{
    collections::BTreeMap,
    fmt,
    future::Future,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use chrono::{DateTime, TimeDelta};
use domain::{
    account::Vendor,
    address::AddressRule,
    clock::{Clock, Timestamp},
    secret::Secret,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
};

use crate::{
    http::HttpFactory,
    port::{Departure, Target, TimeOuts},
    registry::{self, Connection, VendorCredentials},
};

/// The instant at which test clocks stand.
pub(crate) fn noon() -> Timestamp {
    DateTime::parse_from_rfc3339("2031-03-02T12:00:00Z").unwrap().to_utc()
}

/// A clock that tests move by hand.
#[derive(Debug)]
pub(crate) struct HandClock(watch::Sender<Timestamp>);

impl HandClock {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self(watch::channel(noon()).0))
    }

    pub(crate) fn advance(&self, by: TimeDelta) {
        self.0.send_modify(|now| *now += by);
    }
}

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        *self.0.borrow()
    }

    fn sleep_until(&self, at: Timestamp) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let mut now = self.0.subscribe();
        Box::pin(async move {
            let _ = now.wait_for(|now| *now >= at).await;
        })
    }
}

/// A clock that jumps an hour ahead after it has been read a number of times, and whose sleepers never wake: whatever
/// is then refused was refused by a look at the clock.
pub(crate) struct RunningOut(AtomicI64);

impl RunningOut {
    pub(crate) fn after(reads: i64) -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(reads)))
    }
}

impl fmt::Debug for RunningOut {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("RunningOut")
    }
}

impl Clock for RunningOut {
    fn now(&self) -> Timestamp {
        if self.0.fetch_sub(1, Ordering::SeqCst) > 0 { noon() } else { noon() + TimeDelta::hours(1) }
    }

    fn sleep_until(&self, _: Timestamp) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(std::future::pending())
    }
}

/// A departure one minute from now by `clock`, which stands at [`noon`].
pub(crate) fn departure(clock: Arc<dyn Clock>) -> Departure {
    Departure { clock, latest: Some(noon() + TimeDelta::minutes(1)) }
}

/// What the server does with one request.
pub(crate) enum Reaction {
    /// Writes this and keeps the connection.
    Answer(Vec<u8>),
    /// Writes this and closes.
    AnswerAndClose(Vec<u8>),
    /// Keeps silent, with the connection open.
    Silence,
}

/// An answer with a JSON body.
pub(crate) fn json(status: u16, body: &str) -> Reaction {
    with_headers(status, "Content-Type: application/json\r\n", body.as_bytes())
}

/// An answer with headers of one's own (each ended by CR LF).
pub(crate) fn with_headers(status: u16, headers: &str, body: &[u8]) -> Reaction {
    let mut bytes = format!("HTTP/1.1 {status} X\r\n{headers}Content-Length: {}\r\n\r\n", body.len()).into_bytes();
    bytes.extend_from_slice(body);
    Reaction::Answer(bytes)
}

/// One request as it came over the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) line: String,
    /// By lower-case name.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }
}

/// A vendor's service that reacts as written down, in order; then it falls silent.
pub(crate) struct Server {
    pub(crate) url: String,
    requests: Arc<Mutex<Vec<Request>>>,
    stray: Arc<Mutex<Vec<u8>>>,
}

impl Server {
    pub(crate) async fn start(reactions: Vec<Reaction>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let stray = Arc::new(Mutex::new(Vec::new()));
        let reactions = Arc::new(Mutex::new(reactions.into_iter()));
        let server = Self { url, requests: Arc::clone(&requests), stray: Arc::clone(&stray) };
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (requests, stray, reactions) = (Arc::clone(&requests), Arc::clone(&stray), Arc::clone(&reactions));
                tokio::spawn(async move {
                    while let Some(request) = read_request(&mut stream, &stray).await {
                        requests.lock().unwrap().push(request);
                        let reaction = reactions.lock().unwrap().next();
                        match reaction {
                            Some(Reaction::Answer(bytes)) => stream.write_all(&bytes).await.unwrap(),
                            Some(Reaction::AnswerAndClose(bytes)) => {
                                stream.write_all(&bytes).await.unwrap();
                                return;
                            }
                            Some(Reaction::Silence) | None => std::future::pending().await,
                        }
                    }
                });
            }
        });
        server
    }

    /// The requests so far.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    /// Bytes so far that made no complete request.
    pub(crate) fn stray_bytes(&self) -> usize {
        self.stray.lock().unwrap().len()
    }
}

async fn read_request(stream: &mut TcpStream, stray: &Mutex<Vec<u8>>) -> Option<Request> {
    let mut bytes = Vec::new();
    loop {
        if let Some(request) = parse(&bytes) {
            return Some(request);
        }
        let mut chunk = [0; 4096];
        match stream.read(&mut chunk).await {
            Ok(0) | Err(_) => {
                stray.lock().unwrap().extend_from_slice(&bytes);
                return None;
            }
            Ok(count) => bytes.extend_from_slice(&chunk[..count]),
        }
    }
}

fn parse(bytes: &[u8]) -> Option<Request> {
    let text = std::str::from_utf8(bytes).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    let mut lines = head.split("\r\n");
    let line = lines.next()?.to_owned();
    let headers: BTreeMap<_, _> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
    (body.len() == length).then(|| Request { line, headers, body: body.to_owned() })
}

/// Short enough for tests, long enough for a busy machine.
pub(crate) fn time_outs() -> TimeOuts {
    TimeOuts { connect: TimeDelta::seconds(5), total: TimeDelta::seconds(5) }
}

/// A factory whose clock stands at [`noon`].
pub(crate) fn factory() -> HttpFactory {
    HttpFactory::new(HandClock::new(), time_outs(), AddressRule::with_loopback()).unwrap()
}

/// A factory that gives up quickly.
pub(crate) fn impatient_factory() -> HttpFactory {
    let time_outs = TimeOuts { total: TimeDelta::seconds(1), ..time_outs() };
    HttpFactory::new(HandClock::new(), time_outs, AddressRule::with_loopback()).unwrap()
}

/// Connects to a service with plain settings.
pub(crate) fn connect(vendor: Vendor, url: &str, settings: &[(&str, &str)], http: &HttpFactory) -> Connection {
    let settings = settings.iter().map(|(field, value)| ((*field).to_owned(), Secret::new(*value))).collect();
    let credentials = VendorCredentials::from_settings(vendor, &settings).unwrap();
    registry::connect(vendor, url, &credentials, http).unwrap()
}

/// A target by its names.
pub(crate) fn target(device: &str, model: &str, door: &str, position: i32) -> Target {
    Target { device: device.to_owned(), model: model.to_owned(), door: Some(door.to_owned()), position: Some(position) }
}

/// Lets other tasks and sockets do their work.
pub(crate) async fn a_moment() {
    let _ = tokio::time::timeout(Duration::from_millis(100), std::future::pending::<()>()).await;
}
