//! Settings: one defaults file, then a file, then the environment. What contradicts itself does not start.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

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
    pub max_connections: usize,
    pub max_streams_per_caller: usize,
    pub client_patience_seconds: u32,
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
    #[serde(deserialize_with = "address_rule")]
    pub allow_private_vendor_addresses: Option<AddressRule>,
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

/// `None` is `auto`.
fn address_rule<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<AddressRule>, D::Error> {
    match String::deserialize(deserializer)?.trim() {
        "auto" => Ok(None),
        text => text.parse().map(Some).map_err(serde::de::Error::custom),
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

    /// Which addresses base URLs of vendors may lead to.
    #[must_use]
    pub fn vendor_addresses(&self) -> AddressRule {
        match &self.allow_private_vendor_addresses {
            Some(rule) => rule.clone(),
            // Its simulated vendors are on this machine.
            None if self.is_embedded() => AddressRule::with_loopback(),
            None => AddressRule::public_only(),
        }
    }

    /// How long a client may keep the front door waiting.
    #[must_use]
    pub fn client_patience(&self) -> Duration {
        Duration::from_secs(u64::from(self.client_patience_seconds))
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
            ("GATEHOUSE_MAX_CONNECTIONS", self.max_connections as u64),
            ("GATEHOUSE_MAX_STREAMS_PER_CALLER", self.max_streams_per_caller as u64),
            ("GATEHOUSE_CLIENT_PATIENCE_SECONDS", u64::from(self.client_patience_seconds)),
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
mod tests;
