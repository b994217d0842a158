//! The life of a process: it runs until it is asked to stop, then ends what it began. And how much it may open at once.

use rustix::process::{Resource, getrlimit};
use tokio_util::sync::CancellationToken;

/// A token that is cancelled by SIGTERM or Ctrl-C.
///
/// # Errors
/// The signal handlers cannot be installed.
pub fn shutdown_on_signal() -> std::io::Result<CancellationToken> {
    let token = CancellationToken::new();
    let canceled = token.clone();
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    let mut interrupt = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::interrupt())?;
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping: finishing what is under way");
        canceled.cancel();
    });
    Ok(token)
}

/// How many of so many connections a process may have, so that it can always open what it needs itself: files, the
/// database, vendors.
#[must_use]
pub fn connections_within_limits(wished: usize) -> usize {
    let allowed = connections_of(getrlimit(Resource::Nofile).current);
    if allowed < wished {
        tracing::info!(
            allowed,
            wished,
            "the limit of open files (ulimit -n) allows fewer connections than max_connections"
        );
    }
    allowed.min(wished)
}

/// Three quarters of the open files, but of a low limit no more than half.
fn connections_of(open_files: Option<u64>) -> usize {
    let Some(limit) = open_files else { return usize::MAX };
    let kept = (limit / 4).max(LEAST_KEPT).min(limit / 2);
    usize::try_from(limit - kept).unwrap_or(usize::MAX).max(1)
}

/// Enough for the pools, the logs and some vendors.
const LEAST_KEPT: u64 = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn something_is_kept_for_the_house_itself() {
        for (limit, expected) in [(1_048_576, 786_432), (1_024, 768), (600, 344), (256, 128), (1, 1), (0, 1)] {
            assert_eq!(connections_of(Some(limit)), expected, "{limit}");
        }
        assert_eq!(connections_of(None), usize::MAX);
        assert_eq!(connections_within_limits(1), 1);
    }
}
