//! The log. Lines go to standard error; what never to log is decided where values are made (`Secret` prints nothing).

use tracing_subscriber::{EnvFilter, layer::SubscriberExt, util::SubscriberInitExt};

use crate::settings::{LogFormat, Settings, SettingsError};

/// Starts logging. Called once per process; a second call changes nothing.
///
/// # Errors
/// The filter of the settings cannot be read.
pub fn start(settings: &Settings) -> Result<(), SettingsError> {
    let filter = EnvFilter::try_new(&settings.log)
        .map_err(|error| SettingsError::Contradiction(format!("GATEHOUSE_LOG is not a log filter: {error}.")))?;
    let registry = tracing_subscriber::registry().with(filter);
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    // A second start finds a log already running: that one goes on.
    let _ = match settings.log_format {
        LogFormat::Text => registry.with(lines).try_init(),
        LogFormat::Json => registry.with(lines.json()).try_init(),
    };
    Ok(())
}
