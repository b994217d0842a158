//! Settings: one defaults file, then a file, then the environment. What contradicts itself does not start.

use std::{net::SocketAddr, path::PathBuf};

use chrono::TimeDelta;
use config::{Config, ConfigError, Environment, File, FileFormat, Source};
use domain::{address::AddressRule, secret::Secret, stay::StayTiming};
use serde::Deserialize;

use crate::oidc::{self, Issuer};

const DEFAULTS: &str = include_str!("../config.default.toml");

/// Everything that can be set. Each key is described in `config.default.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "each key is described once, in config.default.toml")]
pub struct Settings {
    pub data_directory: PathBuf,
    #[serde(deserialize_with = "secret")]
    pub database_url: Secret,
    #[serde(deserialize_with = "secret")]
    pub redis_url: Secret,
    pub redis_prefix: String,
    #[serde(deserialize_with = "secret")]
    pub secret_key: Secret,
    pub http_address: SocketAddr,
    pub public_url: String,
    pub allowed_origins: String,
    #[serde(deserialize_with = "issuers")]
    pub issuers: Vec<Issuer>,
    pub client_address_header: String,
    pub trusted_documents: PathBuf,
    pub simulator_address: SocketAddr,
    pub log: String,
    pub log_format: LogFormat,
    pub database_connections: u32,
    pub sqlite_synchronous: Synchronous,
    pub max_depth: usize,
    pub max_complexity: usize,
    pub max_body_bytes: usize,
    pub max_webhook_bytes: usize,
    pub graphiql: Switch,
    pub introspection: Switch,
    pub sdl: Switch,
    pub replay_hours: u32,
    pub sync_interval_seconds: u32,
    pub preload_hours: u32,
    pub grace_before_minutes: u32,
    pub grace_after_minutes: u32,
    pub handover_minutes: u32,
    pub value_cool_down_days: u32,
    pub at_risk_before_minutes: u32,
    pub events_kept_days: u32,
    pub vendor_connect_timeout_seconds: u32,
    pub vendor_timeout_seconds: u32,
    pub allow_private_vendor_addresses: AddressRule,
    pub account_concurrency: usize,
    /// The requests that a vendor account may make in each window, where its vendor documents no limit; 0 is no limit.
    pub rate_limit_requests: u32,
    /// The length of that window.
    pub rate_limit_seconds: u32,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines.
    Json,
}

/// How safely SQLite commits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Synchronous {
    /// Survives a power cut.
    Full,
    /// Survives a crash of the process.
    Normal,
}

/// A switch that may follow the kind of process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Switch {
    /// On.
    Yes,
    /// Off.
    No,
    /// On in the embedded house only.
    Auto,
}

impl Switch {
    /// Whether it is on in a house that is or is not embedded.
    #[must_use]
    pub const fn is_on(self, embedded: bool) -> bool {
        match self {
            Self::Yes => true,
            Self::No => false,
            Self::Auto => embedded,
        }
    }
}

/// What is wrong with the settings, in a sentence that says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// A value cannot be read.
    #[error("A setting cannot be read: {0}. See config.default.toml for what each one takes.")]
    Unreadable(String),
    /// Two settings contradict each other.
    #[error("{0}")]
    Contradiction(String),
}

impl From<ConfigError> for SettingsError {
    fn from(error: ConfigError) -> Self {
        Self::Unreadable(error.to_string())
    }
}

/// Tables of a file, or a JSON list of the environment.
#[derive(Deserialize)]
#[serde(untagged)]
enum Listed {
    Tables(Vec<Issuer>),
    Text(String),
}

fn issuers<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<Issuer>, D::Error> {
    let wrong = |what: String| serde::de::Error::custom(format!("`issuers` is no list of issuers: {what}"));
    match Listed::deserialize(deserializer) {
        Ok(Listed::Tables(issuers)) => Ok(issuers),
        Ok(Listed::Text(text)) if text.trim().is_empty() => Ok(Vec::new()),
        Ok(Listed::Text(text)) => serde_json::from_str(&text).map_err(|error| wrong(error.to_string())),
        Err(_) => {
            let may = "`organization`, `link_by_email`, `client_id`, `client_secret` and `session_minutes`";
            Err(wrong(format!("each has `url` and `audience`, and may have {may}")))
        }
    }
}

fn secret<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Secret, D::Error> {
    String::deserialize(deserializer).map(Secret::new)
}

impl Settings {
    /// Reads the settings: defaults, the file named by `GATEHOUSE_CONFIG`, the environment.
    ///
    /// # Errors
    /// A value that cannot be read, or values that contradict each other.
    pub fn load(file: Option<&str>) -> Result<Self, SettingsError> {
        let mut builder = Config::builder().add_source(File::from_str(DEFAULTS, FileFormat::Toml));
        if let Some(path) = file.filter(|path| !path.is_empty()) {
            builder = builder.add_source(File::new(path, FileFormat::Toml));
        }
        let environment = Environment::with_prefix("GATEHOUSE").prefix_separator("_").try_parsing(true);
        Self::build(builder, environment)
    }

    /// The defaults with some of them replaced, for tests. The environment is not read.
    ///
    /// # Errors
    /// As for [`Self::load`].
    pub fn defaults_with(replaced: &[(&str, &str)]) -> Result<Self, SettingsError> {
        let builder = Config::builder().add_source(File::from_str(DEFAULTS, FileFormat::Toml));
        let pairs =
            replaced.iter().map(|(key, value)| (format!("GATEHOUSE_{}", key.to_uppercase()), (*value).to_owned()));
        let environment =
            Environment::with_prefix("GATEHOUSE").prefix_separator("_").try_parsing(true).source(Some(pairs.collect()));
        Self::build(builder, environment)
    }

    fn build(
        builder: config::ConfigBuilder<config::builder::DefaultState>,
        environment: Environment,
    ) -> Result<Self, SettingsError> {
        let known: Config = Config::builder().add_source(File::from_str(DEFAULTS, FileFormat::Toml)).build()?;
        let given = Config::builder().add_source(environment).build()?;
        let mut builder = builder;
        for (key, value) in given.collect()? {
            // Other GATEHOUSE_ variables (GATEHOUSE_CONFIG, those of the tests) are not settings.
            if known.get::<config::Value>(&key).is_ok() {
                builder = builder.set_override(key, value)?;
            }
        }
        let settings: Self = builder.build()?.try_deserialize()?;
        settings.check()?;
        Ok(settings)
    }

    /// Whether everything runs on SQLite in one process.
    #[must_use]
    pub fn is_embedded(&self) -> bool {
        self.database_url.expose().is_empty()
    }

    /// The numbers around stays.
    #[must_use]
    pub fn stay_timing(&self) -> StayTiming {
        StayTiming {
            preload: TimeDelta::hours(i64::from(self.preload_hours)),
            grace_before: TimeDelta::minutes(i64::from(self.grace_before_minutes)),
            grace_after: TimeDelta::minutes(i64::from(self.grace_after_minutes)),
            handover: TimeDelta::minutes(i64::from(self.handover_minutes)),
            cool_down: TimeDelta::days(i64::from(self.value_cool_down_days)),
            at_risk_before: TimeDelta::minutes(i64::from(self.at_risk_before_minutes)),
        }
    }

    /// For how long events are kept; `None` is for ever.
    #[must_use]
    pub fn events_kept(&self) -> Option<TimeDelta> {
        (self.events_kept_days > 0).then(|| TimeDelta::days(i64::from(self.events_kept_days)))
    }

    /// How long a subscription can be resumed from a cursor: what is forgotten cannot be told.
    #[must_use]
    pub fn replay(&self) -> TimeDelta {
        let wished = TimeDelta::hours(i64::from(self.replay_hours));
        self.events_kept().map_or(wished, |kept| kept.min(wished))
    }

    /// Other origins whose pages may call.
    #[must_use]
    pub fn origins(&self) -> Vec<String> {
        let named = self.allowed_origins.split(',').map(str::trim);
        named.filter(|origin| !origin.is_empty()).map(str::to_owned).collect()
    }

    fn check(&self) -> Result<(), SettingsError> {
        let contradiction = |text: &str| Err(SettingsError::Contradiction(text.to_owned()));
        match (self.database_url.expose().is_empty(), self.redis_url.expose().is_empty()) {
            (true, false) => {
                return contradiction(
                    "GATEHOUSE_REDIS_URL is set but GATEHOUSE_DATABASE_URL is not: set both, or neither.",
                );
            }
            (false, true) => {
                return contradiction(
                    "GATEHOUSE_DATABASE_URL is set but GATEHOUSE_REDIS_URL is not: set both, or neither.",
                );
            }
            _ => {}
        }
        let url = self.database_url.expose();
        if !url.is_empty() && !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            return contradiction(
                "GATEHOUSE_DATABASE_URL must begin with postgres:// (leave it empty for the embedded SQLite).",
            );
        }
        let redis = self.redis_url.expose();
        if !redis.is_empty() && !redis.starts_with("redis://") && !redis.starts_with("rediss://") {
            return contradiction("GATEHOUSE_REDIS_URL must begin with redis:// or rediss://.");
        }
        let public = self.public_url.as_str();
        let is_address = public.starts_with("http://") || public.starts_with("https://");
        if !public.is_empty() && (!is_address || public.contains(['?', '#', '@'])) {
            return contradiction(
                "GATEHOUSE_PUBLIC_URL must begin with http:// or https:// and have no user, query or fragment.",
            );
        }
        let is_origin = |origin: &String| {
            let place = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
            place.is_some_and(|place| !place.is_empty() && !place.contains(['/', '?', '#', '@', '*']))
        };
        if !self.origins().iter().all(is_origin) {
            return contradiction(
                "GATEHOUSE_ALLOWED_ORIGINS must be a list of origins such as https://desk.example, with commas between.",
            );
        }
        if let Err(text) = oidc::check(&self.issuers) {
            return contradiction(text);
        }
        if self.client_address_header.contains(|letter: char| !letter.is_ascii_alphanumeric() && letter != '-') {
            return contradiction(
                "GATEHOUSE_CLIENT_ADDRESS_HEADER must be the name of a header such as x-forwarded-for.",
            );
        }
        let positive = [
            ("GATEHOUSE_DATABASE_CONNECTIONS", u64::from(self.database_connections)),
            ("GATEHOUSE_MAX_DEPTH", self.max_depth as u64),
            ("GATEHOUSE_MAX_COMPLEXITY", self.max_complexity as u64),
            ("GATEHOUSE_MAX_BODY_BYTES", self.max_body_bytes as u64),
            ("GATEHOUSE_MAX_WEBHOOK_BYTES", self.max_webhook_bytes as u64),
            ("GATEHOUSE_SYNC_INTERVAL_SECONDS", u64::from(self.sync_interval_seconds)),
            ("GATEHOUSE_VENDOR_CONNECT_TIMEOUT_SECONDS", u64::from(self.vendor_connect_timeout_seconds)),
            ("GATEHOUSE_VENDOR_TIMEOUT_SECONDS", u64::from(self.vendor_timeout_seconds)),
            ("GATEHOUSE_ACCOUNT_CONCURRENCY", self.account_concurrency as u64),
            ("GATEHOUSE_RATE_LIMIT_SECONDS", u64::from(self.rate_limit_seconds)),
        ];
        match positive.iter().find(|(_, value)| *value == 0) {
            Some((name, _)) => contradiction(&format!("{name} must be greater than 0.")),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_an_embedded_house() {
        let settings = Settings::defaults_with(&[]).unwrap();
        assert!(settings.is_embedded());
        assert_eq!(settings.stay_timing(), StayTiming::default());
        assert!(settings.graphiql.is_on(true) && !settings.graphiql.is_on(false));
    }

    #[test]
    fn contradictions_say_what_to_do() {
        let error = Settings::defaults_with(&[("database_url", "postgres://h/d")]).unwrap_err().to_string();
        assert!(error.contains("set both, or neither"), "{error}");
        let error = Settings::defaults_with(&[("http_address", "nowhere")]).unwrap_err().to_string();
        assert!(error.contains("http_address"), "{error}");
        let error = Settings::defaults_with(&[("max_depth", "0")]).unwrap_err().to_string();
        assert!(error.contains("GATEHOUSE_MAX_DEPTH"), "{error}");
        let url = [("database_url", "mysql://h/d"), ("redis_url", "redis://h")];
        assert!(Settings::defaults_with(&url).unwrap_err().to_string().contains("postgres://"));
        for public_url in ["gatehouse.example", "https://me@gatehouse.example", "https://gatehouse.example/?a"] {
            let error = Settings::defaults_with(&[("public_url", public_url)]).unwrap_err().to_string();
            assert!(error.contains("GATEHOUSE_PUBLIC_URL"), "{error}");
        }
        assert!(Settings::defaults_with(&[("public_url", "https://gatehouse.example/doors")]).is_ok());
        for origins in ["*", "desk.example", "https://desk.example/", "https://a.example,https://b.example/x"] {
            let error = Settings::defaults_with(&[("allowed_origins", origins)]).unwrap_err().to_string();
            assert!(error.contains("GATEHOUSE_ALLOWED_ORIGINS"), "{error}");
        }
        let settings =
            Settings::defaults_with(&[("allowed_origins", "https://a.example, http://b.example:81")]).unwrap();
        assert_eq!(settings.origins(), ["https://a.example", "http://b.example:81"]);
    }

    #[test]
    fn vendors_may_be_on_this_machine_and_elsewhere_if_they_are_named() {
        let admits = |given: &[(&str, &str)], address: &str| {
            Settings::defaults_with(given).unwrap().allow_private_vendor_addresses.admits(address.parse().unwrap())
        };
        let named = [("allow_private_vendor_addresses", "10.1.0.0/16")];
        assert!(admits(&[], "127.0.0.1") && !admits(&[], "10.1.2.3"));
        assert!(admits(&named, "10.1.2.3") && !admits(&named, "127.0.0.1"));
        assert!(!admits(&[("allow_private_vendor_addresses", "")], "127.0.0.1"));
        let error = Settings::defaults_with(&[("allow_private_vendor_addresses", "here")]).unwrap_err().to_string();
        assert!(error.contains("no block of addresses"), "{error}");
    }

    #[test]
    fn nothing_is_resumed_from_before_what_is_kept() {
        let replay = |given: &[(&str, &str)]| Settings::defaults_with(given).unwrap().replay();
        assert_eq!(replay(&[]), TimeDelta::days(7));
        assert_eq!(replay(&[("events_kept_days", "2")]), TimeDelta::days(2));
        assert_eq!(replay(&[("events_kept_days", "30")]), TimeDelta::days(7));
    }

    #[test]
    fn issuers_are_tables_or_json() {
        let text = r#"[{"url":"https://id.example","audience":"gatehouse","link_by_email":true}]"#;
        let settings = Settings::defaults_with(&[("issuers", text)]).unwrap();
        assert!(settings.issuers[0].link_by_email && settings.issuers[0].organization.is_none());
        assert!(Settings::defaults_with(&[]).unwrap().issuers.is_empty());
        let file = tempfile::NamedTempFile::with_suffix(".toml").unwrap();
        std::fs::write(file.path(), "[[issuers]]\nurl = \"https://id.example\"\naudience = \"gatehouse\"\n").unwrap();
        let settings = Settings::load(file.path().to_str()).unwrap();
        assert_eq!(settings.issuers[0].audience, "gatehouse");
        for wrong in [
            "id.example",
            r#"[{"url":"https://id.example"}]"#,
            r#"[{"url":"id.example","audience":"gatehouse"}]"#,
            r#"[{"url":"https://id.example","audience":""}]"#,
            r#"[{"url":"https://id.example","audience":"a","organization":"nonsense"}]"#,
            r#"[{"url":"https://id.example","audience":"a","client_id":""}]"#,
            r#"[{"url":"https://id.example","audience":"a","client_secret":"canary"}]"#,
            r#"[{"url":"https://id.example","audience":"a","client_id":"b","client_secret":4711}]"#,
            r#"[{"url":"https://id.example","audience":"a","client_id":"b","session_minutes":0}]"#,
            r#"[{"url":"https://id.example","audience":"a","client_id":"b","session_minutes":721}]"#,
            r#"[{"url":"https://i.example","audience":"a","client_id":"b"},{"url":"https://i.example","audience":"c","client_id":"d"}]"#,
        ] {
            let error = Settings::defaults_with(&[("issuers", wrong)]).unwrap_err().to_string();
            assert!(!error.contains("canary") && !error.contains("4711"), "{error}");
            assert!(error.to_lowercase().contains("issuers"), "{wrong}: {error}");
        }
        assert!(Settings::defaults_with(&[("client_address_header", "x forwarded")]).is_err());
    }

    #[test]
    fn secrets_are_not_printed() {
        let issuer = r#"[{"url":"https://id.example","audience":"a","client_id":"b","client_secret":"canary"}]"#;
        let given =
            [("database_url", "postgres://u:canary@h/d"), ("redis_url", "redis://:canary@h"), ("issuers", issuer)];
        let settings = Settings::defaults_with(&given).unwrap();
        assert!(!format!("{settings:?}").contains("canary"));
    }
}
