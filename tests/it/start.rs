//! The first five minutes with the real binary: what it prints works, what it keeps is kept, and what it cannot do it says in one
//! sentence.

use std::{net::TcpListener, path::Path, process::Output};

use gatehouse_tests::{
    binary::{Running, run},
    client::{Client, text},
    services,
    wait::until,
};
use platform::vault::Vault;
use serde_json::{Value, json};
use tempfile::TempDir;

/// Settings as the environment holds them.
type Environment = Vec<(&'static str, String)>;

/// Settings of an embedded house in this folder, on any free ports.
fn embedded(folder: &Path) -> Environment {
    vec![
        ("GATEHOUSE_DATA_DIRECTORY", folder.display().to_string()),
        ("GATEHOUSE_HTTP_ADDRESS", "127.0.0.1:0".to_owned()),
        ("GATEHOUSE_SIMULATOR_ADDRESS", "127.0.0.1:0".to_owned()),
    ]
}

fn with(mut settings: Environment, name: &'static str, value: &str) -> Environment {
    settings.retain(|(known, _)| *known != name);
    settings.push((name, value.to_owned()));
    settings
}

fn borrowed<'a>(settings: &'a [(&'static str, String)]) -> Vec<(&'a str, &'a str)> {
    settings.iter().map(|(name, value)| (*name, value.as_str())).collect()
}

/// What a first start prints.
struct Welcome {
    running: Running,
    text: String,
    client: Client,
    key: String,
}

impl Welcome {
    async fn read(settings: &[(&'static str, String)]) -> Self {
        let mut running = Running::start(&[], &borrowed(settings));
        let text = running.printed("  -d ").await;
        let after = |label: &str| {
            let line = text.lines().find(|line| line.trim_start().starts_with(label));
            line.unwrap_or_else(|| panic!("no {label}: {text}")).trim_start()[label.len()..].trim().to_owned()
        };
        let key = after("API key");
        let address = after("API ").trim_start_matches("http://").trim_end_matches("/graphql").parse().unwrap();
        Self { client: Client::new(address, &key), key, running, text }
    }

    /// The command to paste, as printed.
    fn curl(&self) -> &str {
        &self.text[self.text.find("curl ").unwrap()..]
    }

    async fn door_ids(&self) -> Vec<String> {
        let data = self.client.data("{ doors(first: 100) { nodes { id } } }", json!({})).await;
        data["doors"]["nodes"].as_array().unwrap().iter().map(|door| text(&door["id"])).collect()
    }

    async fn stop(self) {
        let output = self.running.stop().await;
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

/// Runs what was printed as a person would; where there is no curl, the same request is made by hand.
async fn paste(curl: &str) -> Value {
    let pasted = tokio::process::Command::new("sh").args(["-c", curl]).output().await.unwrap();
    if pasted.status.code() != Some(127) {
        assert!(pasted.status.success(), "{curl}\n{}", String::from_utf8_lossy(&pasted.stderr));
        return serde_json::from_slice(&pasted.stdout).unwrap();
    }
    let parts: Vec<&str> = curl.split('\'').collect();
    let url = curl.split_whitespace().find(|word| word.starts_with("http://")).unwrap();
    let mut request = gatehouse_tests::client::http().post(url).body(parts[5].to_owned());
    for header in [parts[1], parts[3]] {
        let (name, value) = header.split_once(": ").unwrap();
        request = request.header(name, value);
    }
    request.send().await.unwrap().json().await.unwrap()
}

/// A start that was refused: not success, nothing printed, and exactly one sentence that says what to do.
fn assert_one_sentence(what: &str, output: &Output, hint: &str) {
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.code().is_some_and(|code| code != 0), "{what}: {:?} {err}", output.status);
    assert_eq!(out, "", "{what}");
    let lines: Vec<&str> = err.lines().collect();
    assert_eq!(lines.len(), 1, "{what}: {err}");
    assert!(lines[0].starts_with("gatehouse: ") && lines[0].ends_with('.'), "{what}: {err}");
    assert!(lines[0].contains(hint), "{what}: no word of {hint}: {err}");
    assert!(!lines[0].contains("canary"), "{what}: {err}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_first_start_works_and_a_second_goes_on() {
    let folder = TempDir::new().unwrap();
    let settings = embedded(&folder.path().join("not there yet"));
    let first = Welcome::read(&settings).await;
    assert!(first.text.contains("Gatehouse is open"), "{}", first.text);

    let page = first.text.split_whitespace().find(|word| word.ends_with("/graphiql")).unwrap();
    let page = gatehouse_tests::client::http().get(page).send().await.unwrap();
    assert!(page.status().is_success() && page.text().await.unwrap().contains("graphiql"));

    let answer = paste(first.curl()).await;
    assert_eq!(answer["data"]["openDoor"]["userErrors"], json!([]), "{answer:#}");
    let opened = text(&answer["data"]["openDoor"]["command"]["id"]);
    assert_eq!(first.client.finished(&opened).await["state"], "SUCCEEDED");

    let (doors, key) = (first.door_ids().await, first.key.clone());
    assert!(doors.len() > 30, "{doors:?}");

    // Somebody else wants the same port, or the same folder.
    let port = first.client.address().to_string();
    let other = TempDir::new().unwrap();
    let same_port = run(&[], &borrowed(&with(embedded(other.path()), "GATEHOUSE_HTTP_ADDRESS", &port))).await;
    assert_one_sentence("the port is taken", &same_port, "GATEHOUSE_HTTP_ADDRESS");
    assert_eq!(
        std::fs::read_dir(other.path()).unwrap().count(),
        0,
        "a start that fails at the port leaves nothing behind"
    );
    for arguments in [&[][..], &["migrate"], &["key", "create"]] {
        let same_folder = run(arguments, &borrowed(&settings)).await;
        assert_one_sentence("the folder is taken", &same_folder, "GATEHOUSE_DATA_DIRECTORY");
    }
    first.stop().await;

    let second = Welcome::read(&settings).await;
    assert_eq!((second.key.as_str(), second.door_ids().await), (key.as_str(), doors));
    assert_eq!(second.client.read_command(&opened).await["state"], "SUCCEEDED", "what happened is remembered");
    let answer = paste(second.curl()).await;
    let again = text(&answer["data"]["openDoor"]["command"]["id"]);
    assert_eq!(second.client.finished(&again).await["state"], "SUCCEEDED", "the accounts lead to the new simulator");
    second.stop().await;
}

/// A subscriber does not hold the process up, and what was accepted is not forgotten.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigterm_ends_it_in_good_order() {
    let folder = TempDir::new().unwrap();
    let settings = embedded(folder.path());
    let house = Welcome::read(&settings).await;
    let door = &house.door_ids().await[0];
    let query = "subscription($id: ID!) { doorStateChanged(doorIds: [$id]) { id } }";
    let mut subscription = house.client.subscribe(query, json!({ "id": door })).await;
    assert!(subscription.next().await.is_some());
    let answer = paste(house.curl()).await;
    let id = text(&answer["data"]["openDoor"]["command"]["id"]);
    house.stop().await;
    // Accepted is accepted, whatever came of it.
    let house = Welcome::read(&settings).await;
    assert_eq!(house.client.read_command(&id).await["id"], id);
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_start_says_why_in_one_sentence() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("a file");
    std::fs::write(&file, "").unwrap();
    let free = folder.path().join("data");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    let distributed = |database: &str, redis: &str| {
        let settings = with(embedded(&free), "GATEHOUSE_DATABASE_URL", database);
        with(with(settings, "GATEHOUSE_REDIS_URL", redis), "GATEHOUSE_SECRET_KEY", Vault::generate_key().expose())
    };
    let nowhere = "postgres://canary:canary@127.0.0.1:1/canary";
    let set = |name: &'static str, value: &str| with(embedded(&free), name, value);
    let missing = folder.path().join("missing.toml");
    std::fs::write(folder.path().join("bad.toml"), "secret_key = \"canary").unwrap();
    std::fs::write(folder.path().join("unknown.toml"), "colour = \"red\"").unwrap();
    let in_folder = |name: &str| folder.path().join(name).display().to_string();
    let cases: Vec<(&str, &[&str], Environment, &str)> = vec![
        ("a folder below a file", &[], embedded(&file.join("data")), "GATEHOUSE_DATA_DIRECTORY"),
        ("a file for a folder", &[], embedded(&file), "GATEHOUSE_DATA_DIRECTORY"),
        (
            "a simulator's port that is taken",
            &[],
            set("GATEHOUSE_SIMULATOR_ADDRESS", &taken),
            "GATEHOUSE_SIMULATOR_ADDRESS",
        ),
        ("an address that is none", &[], set("GATEHOUSE_HTTP_ADDRESS", "nowhere"), "http_address"),
        ("an address that is not ours", &[], set("GATEHOUSE_HTTP_ADDRESS", "192.0.2.1:80"), "GATEHOUSE_HTTP_ADDRESS"),
        ("a number that is none", &[], set("GATEHOUSE_MAX_DEPTH", "deep"), "max_depth"),
        ("nothing allowed", &[], set("GATEHOUSE_MAX_COMPLEXITY", "0"), "GATEHOUSE_MAX_COMPLEXITY"),
        ("a log that is none", &[], set("GATEHOUSE_LOG", "info,[["), "GATEHOUSE_LOG"),
        ("a log format that is none", &[], set("GATEHOUSE_LOG_FORMAT", "poem"), "log_format"),
        ("a key that is none", &[], set("GATEHOUSE_SECRET_KEY", "canary"), "GATEHOUSE_SECRET_KEY"),
        ("Redis alone", &[], set("GATEHOUSE_REDIS_URL", "redis://127.0.0.1:1"), "GATEHOUSE_DATABASE_URL"),
        ("PostgreSQL alone", &[], set("GATEHOUSE_DATABASE_URL", nowhere), "GATEHOUSE_REDIS_URL"),
        ("another database", &[], distributed("mysql://canary", "redis://127.0.0.1:1"), "postgres://"),
        ("another Redis", &[], distributed(nowhere, "http://127.0.0.1:1"), "redis://"),
        ("api without a database", &["api"], embedded(&free), "GATEHOUSE_DATABASE_URL"),
        ("worker without a database", &["worker"], embedded(&free), "GATEHOUSE_DATABASE_URL"),
        ("a database out of reach", &["api"], distributed(nowhere, "redis://127.0.0.1:1"), "GATEHOUSE_DATABASE_URL"),
        (
            "no key for several processes",
            &["api"],
            {
                let mut settings = distributed(nowhere, "redis://127.0.0.1:1");
                settings.retain(|(name, _)| *name != "GATEHOUSE_SECRET_KEY");
                settings
            },
            "GATEHOUSE_SECRET_KEY",
        ),
        ("a file that is not there", &[], set("GATEHOUSE_CONFIG", &missing.display().to_string()), "missing.toml"),
        ("a file that is no TOML", &[], set("GATEHOUSE_CONFIG", &in_folder("bad.toml")), "bad.toml"),
        ("a file with an unknown setting", &[], set("GATEHOUSE_CONFIG", &in_folder("unknown.toml")), "colour"),
    ];
    for (what, arguments, settings, hint) in cases {
        let output = run(arguments, &borrowed(&settings)).await;
        assert_one_sentence(what, &output, hint);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_are_made_on_the_command_line() {
    let folder = TempDir::new().unwrap();
    let settings = embedded(folder.path());
    let house = Welcome::read(&settings).await;
    let door = house.client.data("{ doors(first: 1) { nodes { id site { id } } } }", json!({})).await;
    let door = &door["doors"]["nodes"][0];
    let (door, site) = (text(&door["id"]), text(&door["site"]["id"]));
    house.stop().await;

    let mut keys = Vec::new();
    let variants: [(&[&str], Value); 4] = [
        (&[], json!({ "role": "VIEWER", "everything": true, "sites": [], "doors": [], "kinds": 0, "expires": false })),
        (
            &["--name", "an app", "--role", "OPERATOR", "--door", &door],
            json!({ "role": "OPERATOR", "everything": false, "sites": [], "doors": [door], "kinds": 11, "expires": false }),
        ),
        (
            &[
                "--role",
                "ADMIN",
                "--site",
                &site,
                "--door",
                &door,
                "--verb",
                "OPEN_DOOR",
                "--verb",
                "LOCK_DOOR",
                "--days",
                "2",
            ],
            json!({ "role": "ADMIN", "everything": false, "sites": [site], "doors": [door], "kinds": 2, "expires": true }),
        ),
        (
            &["--role", "MANAGER", "--days", "1"],
            json!({ "role": "MANAGER", "everything": true, "sites": [], "doors": [], "kinds": 35, "expires": true }),
        ),
    ];
    for (arguments, expected) in &variants {
        let output = run(&[&["key", "create"], *arguments].concat(), &borrowed(&settings)).await;
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        let key = String::from_utf8(output.stdout).unwrap();
        assert!(key.starts_with("gh_") && key.ends_with('\n') && key.lines().count() == 1, "{key:?}");
        keys.push((key.trim().to_owned(), expected));
    }
    let absent = |id: &str| format!("{}00000000000000", &id[..id.len() - 14]);
    for (arguments, hint) in
        [(["--site", &absent(&site)], "There is no site"), (["--door", &absent(&door)], "There is no door")]
    {
        let output = run(&[&["key", "create"][..], &arguments].concat(), &borrowed(&settings)).await;
        assert_one_sentence(hint, &output, hint);
    }
    // What is misspelt is explained with the way to call it.
    for arguments in [
        ["--role", "BOSS"],
        ["--site", "nonsense"],
        ["--door", &site],
        ["--verb", "EXPLODE"],
        ["--days", "0"],
        ["--days", "-1"],
        ["--colour", "red"],
    ] {
        let output = run(&[&["key", "create"][..], &arguments].concat(), &borrowed(&settings)).await;
        let err = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {err}");
        assert!(output.stdout.is_empty() && err.contains("--help"), "{arguments:?}: {err}");
    }

    let house = Welcome::read(&settings).await;
    let query = "{ viewer { role sees { everything siteIds doorIds } allowedCommandKinds expiresAt } }";
    for (key, expected) in keys {
        let viewer = &house.client.with_key(&key).data(query, json!({})).await["viewer"];
        let found = json!({
            "role": viewer["role"],
            "everything": viewer["sees"]["everything"],
            "sites": viewer["sees"]["siteIds"],
            "doors": viewer["sees"]["doorIds"],
            "kinds": viewer["allowedCommandKinds"].as_array().unwrap().len(),
            "expires": !viewer["expiresAt"].is_null(),
        });
        assert_eq!(&found, expected);
    }
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn migrating_twice_changes_nothing() {
    let folder = TempDir::new().unwrap();
    let redis = services::redis().await;
    let distributed = vec![
        ("GATEHOUSE_DATABASE_URL", services::postgres().await),
        ("GATEHOUSE_REDIS_URL", redis.url),
        ("GATEHOUSE_REDIS_PREFIX", redis.prefix),
        ("GATEHOUSE_SECRET_KEY", Vault::generate_key().expose().to_owned()),
        ("GATEHOUSE_HTTP_ADDRESS", "127.0.0.1:0".to_owned()),
    ];
    for role in ["api", "worker"] {
        let early = run(&[role], &borrowed(&distributed)).await;
        assert_one_sentence("before it is migrated", &early, "gatehouse migrate");
    }
    for settings in [&embedded(&folder.path().join("data")), &distributed] {
        let mut applied = Vec::new();
        for _ in 0..2 {
            let output = run(&["migrate"], &borrowed(settings)).await;
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            let said = String::from_utf8(output.stdout).unwrap();
            applied.push(said.split_whitespace().next().unwrap().parse::<usize>().unwrap());
        }
        assert!(applied[0] > 0 && applied[1] == 0, "{applied:?}");
    }
    // Afterwards the parts start, serve, and end in good order.
    let key = run(&["key", "create", "--role", "ADMIN"], &borrowed(&distributed)).await;
    let key = String::from_utf8(key.stdout).unwrap();
    let (mut api, mut worker) =
        (Running::start(&["api"], &borrowed(&distributed)), Running::start(&["worker"], &borrowed(&distributed)));
    let log = api.logged("serving the API").await;
    let plain: String = log.split('\u{1b}').map(|part| part.split_once('m').map_or(part, |(_, rest)| rest)).collect();
    let address = plain.rsplit_once("address=").unwrap().1.split_whitespace().next().unwrap().parse().unwrap();
    let client = Client::new(address, key.trim());
    until("the API answers", async || client.try_ask("{ viewer { role } }", json!({})).await.ok()).await;
    assert_eq!(client.data("{ viewer { role } }", json!({})).await["viewer"]["role"], "ADMIN");
    worker.logged("working").await;
    for process in [api, worker] {
        let output = process.stop().await;
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    }
}
