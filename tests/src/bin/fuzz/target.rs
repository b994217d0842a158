//! The processes that are attacked: the real binary on free ports, embedded or distributed, with logs that are read at the end.
//! What they are asked before the attack is asked here.

use std::{
    fs::File,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Stdio,
};

use anyhow::{Context, Result, bail, ensure};
use gatehouse_tests::{
    binary,
    client::{Client, text},
    services, wait,
};
use reqwest::header;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

use crate::{
    documents::Words,
    schema::{INTROSPECTION, Schema},
    strike,
};

/// Seals nothing but what the attack makes.
const SECRET_KEY: &str = "ZnV6emluZyBuZWVkcyBhIGtleSBvZiAzMiBieXRlcyE=";

/// Running processes and what an attack has to know of them.
pub(crate) struct Target {
    /// The first one has the front door.
    processes: Vec<Process>,
    pub(crate) address: SocketAddr,
    pub(crate) client: Client,
    pub(crate) key: String,
    pub(crate) words: Words,
    /// Addresses that vendors push to.
    pub(crate) webhooks: Vec<String>,
    /// Consents that were begun and that nobody has given yet.
    pub(crate) states: Vec<String>,
    /// What a browser that is signed in brings along.
    pub(crate) cookie: String,
}

struct Process {
    child: Child,
    log: PathBuf,
}

/// Where processes are started.
struct Place<'a> {
    binary: &'a Path,
    folder: &'a Path,
    settings: Vec<(&'static str, String)>,
}

/// Every id that a fresh house has is found here.
const IDS: &str = "{ sites(first: 100) { nodes { id } } doors(first: 100) { nodes { id } } devices(first: 100) { nodes { id } } \
    users(first: 100) { nodes { id } } reservations(first: 100) { nodes { id } } vendorAccounts(first: 100) { nodes { id } } }";

impl Place<'_> {
    fn start(&self, arguments: &[&str], out: Stdio) -> Result<Process> {
        let log = self.folder.join(format!("{}.log", arguments.first().unwrap_or(&"gatehouse")));
        let mut command = Command::new(self.binary);
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("GATEHOUSE_")) {
            command.env_remove(name);
        }
        command
            .args(arguments)
            .env("GATEHOUSE_DATA_DIRECTORY", self.folder.join("data"))
            .env("GATEHOUSE_SQLITE_SYNCHRONOUS", "normal")
            .env("GATEHOUSE_INTROSPECTION", "yes")
            .env("GATEHOUSE_LOG", "warn")
            .envs(self.settings.iter().map(|(name, value)| (*name, value.as_str())))
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(File::create(&log)?)
            .kill_on_drop(true);
        let child = command.spawn().with_context(|| format!("{} does not start", self.binary.display()))?;
        Ok(Process { child, log })
    }

    /// Everything in one process; with the key that it prints.
    async fn embedded(&self) -> Result<(Vec<Process>, String)> {
        let mut process = self.start(&[], Stdio::piped())?;
        let mut lines = BufReader::new(process.child.stdout.take().context("no output")?).lines();
        let key = loop {
            let line = lines.next_line().await?.context("it ended before it printed a key")?;
            if let Some(key) = line.trim().strip_prefix("API key") {
                break key.trim().to_owned();
            }
        };
        // Nobody may block it by not reading.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Ok((vec![process], key))
    }

    /// api, worker and simulator apart, on PostgreSQL and Redis.
    async fn distributed(&mut self, simulator: SocketAddr) -> Result<(Vec<Process>, String)> {
        let redis = services::redis().await;
        self.settings.extend([
            ("GATEHOUSE_DATABASE_URL", services::postgres().await),
            ("GATEHOUSE_REDIS_URL", redis.url),
            ("GATEHOUSE_REDIS_PREFIX", redis.prefix),
            ("GATEHOUSE_SECRET_KEY", SECRET_KEY.to_owned()),
            ("GATEHOUSE_ALLOW_PRIVATE_VENDOR_ADDRESSES", "loopback".to_owned()),
        ]);
        let migrated = self.start(&["migrate"], Stdio::null())?.child.wait().await?;
        ensure!(migrated.success(), "the database was not migrated");
        let vendors = self.start(&["simulator"], Stdio::null())?;
        wait::until("the simulator listens", async || tokio::net::TcpStream::connect(simulator).await.ok()).await;
        let seed = self.start(&["seed", "--simulator", &format!("http://{simulator}")], Stdio::piped())?;
        let printed = String::from_utf8(seed.child.wait_with_output().await?.stdout)?;
        let key = printed.split_whitespace().find(|word| word.starts_with("gh_")).context("seed printed no key")?;
        let processes = vec![self.start(&["api"], Stdio::null())?, self.start(&["worker"], Stdio::null())?, vendors];
        Ok((processes, key.to_owned()))
    }
}

impl Target {
    /// Starts the binary in this folder and prepares what is attacked.
    pub(crate) async fn start(binary: &Path, folder: &Path, is_distributed: bool) -> Result<Self> {
        let (address, simulator) = (binary::free_address(), binary::free_address());
        let settings = vec![
            ("GATEHOUSE_HTTP_ADDRESS", address.to_string()),
            ("GATEHOUSE_SIMULATOR_ADDRESS", simulator.to_string()),
        ];
        let mut place = Place { binary, folder, settings };
        let (processes, key) =
            if is_distributed { place.distributed(simulator).await? } else { place.embedded().await? };
        let client = Client::new(address, &key);
        // All that there is has been synced once.
        wait::until("every account is synced", async || {
            let query = "{ vendorAccounts(first: 100) { nodes { syncedAt } } }";
            let answer = client.try_ask(query, json!({})).await.ok()?;
            let nodes = answer["data"]["vendorAccounts"]["nodes"].as_array()?;
            (!nodes.is_empty() && nodes.iter().all(|node| !node["syncedAt"].is_null())).then_some(())
        })
        .await;
        let schema = Schema::read(&client.data(INTROSPECTION, json!({})).await);
        let found = client.data(IDS, json!({})).await;
        let of = |name: &str| ids(&found[name]["nodes"]);
        let lists = ["sites", "doors", "devices", "users", "reservations", "vendorAccounts"];
        let ids = lists.iter().flat_map(|name| of(name)).collect();
        let words = Words { schema, ids };
        let cookie = signed_in(&client).await?;
        let mut target =
            Self { processes, address, client, key, words, webhooks: Vec::new(), states: Vec::new(), cookie };
        target.open_ground(&of("vendorAccounts"), &of("sites")).await?;
        Ok(target)
    }

    /// Has webhook addresses made, and consents begun that nobody has given yet.
    async fn open_ground(&mut self, accounts: &[String], sites: &[String]) -> Result<()> {
        for account in accounts {
            let query = "mutation($of: ID!) { rotateWebhookAddress(input: { vendorAccountId: $of }) { webhookUrl } }";
            let data = self.client.data(query, json!({ "of": account })).await;
            self.webhooks.push(text(&data["rotateWebhookAddress"]["webhookUrl"]));
        }
        let of_vendors =
            self.client.data("{ vendorAccounts(first: 100) { nodes { vendor baseUrl } } }", json!({})).await;
        let nodes = of_vendors["vendorAccounts"]["nodes"].as_array().cloned().unwrap_or_default();
        let parqex = nodes.iter().find(|node| node["vendor"] == "PARQEX").context("the demo has no ParqEx account")?;
        let credentials = json!({ "parqex": { "clientId": "fuzz", "clientSecret": "fuzz" } });
        for number in 0..8 {
            let query = "mutation($input: LinkVendorAccountInput!) { linkVendorAccount(input: $input) { \
                authorizationUrl userErrors { message } } }";
            let input = json!({ "name": format!("fuzz {number}"), "siteId": sites.first(),
                "baseUrl": parqex["baseUrl"], "credentials": credentials });
            let data = self.client.data(query, json!({ "input": input })).await;
            let url = data["linkVendorAccount"]["authorizationUrl"].as_str();
            let url = reqwest::Url::parse(url.with_context(|| format!("no consent was begun: {data}"))?)?;
            let state = url.query_pairs().find(|(name, _)| name == "state").map(|(_, state)| state.into_owned());
            self.states.push(state.context("a consent has no state")?);
        }
        Ok(())
    }

    /// Whether it still answers as it should.
    pub(crate) async fn is_well(&self) -> bool {
        let answer = self.client.try_ask("{ viewer { role } }", json!({})).await;
        answer.is_ok_and(|answer| answer["data"]["viewer"]["role"] == "ADMIN")
    }

    /// Resident memory of all but the simulator: now and at its highest, in MB.
    pub(crate) fn memory(&mut self) -> Result<(u64, u64)> {
        let memories: Vec<_> = self.processes.iter_mut().take(2).map(Process::memory).collect::<Result<_>>()?;
        Ok(memories.into_iter().fold((0, 0), |(now, peak), (more, higher)| (now + more, peak + higher)))
    }

    /// Ends all in good order and returns their logs.
    pub(crate) async fn stop(self) -> Result<String> {
        let mut logs = String::new();
        for process in self.processes {
            logs.push_str(&process.stop().await?);
        }
        Ok(logs)
    }
}

impl Process {
    fn memory(&mut self) -> Result<(u64, u64)> {
        if let Some(status) = self.child.try_wait()? {
            let log = std::fs::read_to_string(&self.log)?;
            let last: Vec<_> = log.lines().rev().take(20).collect();
            bail!("a process ended with {status}; the end of its log, backwards:\n{}", last.join("\n"));
        }
        let id = self.child.id().context("the process has ended")?;
        let status = std::fs::read_to_string(format!("/proc/{id}/status"))?;
        let line = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.split_whitespace().next()?.parse::<u64>().ok().map(|kibibytes| kibibytes / 1_024)
        };
        line("VmRSS:").zip(line("VmHWM:")).context("the kernel tells nothing of its memory")
    }

    async fn stop(mut self) -> Result<String> {
        let id = self.child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        kill_process(id.context("a process has ended by itself")?, Signal::TERM)?;
        let status = self.child.wait().await?;
        let log = std::fs::read_to_string(&self.log)?;
        ensure!(status.success(), "a process ended with {status}: {}", log.lines().last().unwrap_or_default());
        Ok(log)
    }
}

/// The cookie of a browser that signs in with the client's key.
async fn signed_in(client: &Client) -> Result<String> {
    let form =
        strike::caller()?.post(format!("http://{}/sign-in", client.address())).header("sec-fetch-site", "same-origin");
    let answer = form.body(format!("key={}", client.key())).send().await?;
    let cookie = answer.headers().get(header::SET_COOKIE).context("nobody was signed in")?.to_str()?;
    Ok(cookie.split(';').next().unwrap_or_default().to_owned())
}

fn ids(of: &Value) -> Vec<String> {
    of.as_array().into_iter().flatten().map(|it| text(&it["id"])).collect()
}
