//! `gatehouse ledger verify`: reads every ledger again and names the first row that is wrong. And taking ledgers over for a
//! new key.

use std::fmt::Write as _;

use domain::{
    clock::Timestamp,
    ids::OrganizationId,
    ledger::{Hash, Notary, Report},
};
use entities::{
    Database,
    store::ledger::{self, Sealed},
    work,
};
use platform::settings::Settings;

use crate::{failure::Failure, foundation::open_ledger};

/// A checkpoint that somebody kept: `<sequence>:<hash>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeptCheckpoint {
    sequence: i64,
    hash: Hash,
}

impl std::str::FromStr for KeptCheckpoint {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let read = || {
            let (sequence, hash) = text.split_once(':')?;
            Some(Self { sequence: sequence.parse().ok()?, hash: hash.parse().ok()? })
        };
        read().ok_or_else(|| "use <sequence>:<hash>, as `gatehouse ledger verify` prints them".to_owned())
    }
}

/// Verifies the ledger of this organization, or all of them, beside a house that may be running. What it returns is for the
/// person at the terminal.
///
/// # Errors
/// The database cannot be read; or a ledger is broken, and where.
pub async fn verify(
    settings: &Settings,
    only: Option<OrganizationId>,
    kept: Option<KeptCheckpoint>,
) -> Result<String, Failure> {
    let failed = Failure::during("The ledger could not be read");
    let (database, notary) = open_ledger(settings).await?;
    let organizations = work::ledger::organizations(&database).await.map_err(|error| failed(&error))?;
    if let Some(unknown) = only.filter(|only| !organizations.contains(only)) {
        return Err(Failure::new(format!("There is no organization {unknown}.")));
    }
    let chosen: Vec<_> = organizations.into_iter().filter(|id| only.is_none_or(|only| only == *id)).collect();
    if kept.is_some() && chosen.len() > 1 {
        return Err(Failure::new("A checkpoint is one organization's: say whose with --organization."));
    }
    let kept = kept.map(|kept| (kept.sequence, kept.hash));
    let (mut sound, mut broken) = (String::new(), Vec::new());
    for organization in chosen {
        let verified = work::ledger::verify(&database, &notary, organization, kept).await;
        match verified.map_err(|error| failed(&error))? {
            Ok(verified) => tell(&mut sound, organization, &verified.report, verified.unchained),
            Err(fault) => broken.push(format!("The ledger of {organization} is broken: {fault}.")),
        }
    }
    if broken.is_empty() { Ok(sound) } else { Err(Failure::new(broken.join("\n"))) }
}

fn tell(text: &mut String, organization: OrganizationId, report: &Report, unchained: u64) {
    let Report { blocks, events, erased, checkpoint } = report;
    let _ = writeln!(text, "The ledger of {organization} is sound: {events} events in {blocks} blocks.");
    let _ = writeln!(text, "  {erased} of them with erased details; {unchained} more not chained yet.");
    let Some((checkpoint, signature)) = checkpoint else { return };
    let _ = writeln!(text, "  checkpoint {}:{}", checkpoint.sequence, checkpoint.hash);
    let _ = writeln!(text, "  signature  {}", hex(&signature.bytes));
    let _ = writeln!(text, "  public key {}", hex(&signature.public_key));
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Chains all that waits and has every ledger end with a signature of the first key, so that the others can be dropped.
///
/// # Errors
/// The database failed, or a ledger is broken: then its fault has to be seen before its key goes.
pub async fn take_over(database: &Database, notary: &dyn Notary, now: Timestamp) -> Result<(), Failure> {
    let failed = Failure::during("The ledger could not be signed anew");
    for organization in work::ledger::organizations(database).await.map_err(|error| failed(&error))? {
        loop {
            let sealed = ledger::seal(database, notary, organization, true, now).await;
            match sealed.map_err(|error| failed(&error))? {
                Sealed::Nothing | Sealed::Block { more: false, .. } => break,
                Sealed::Block { .. } | Sealed::Outrun => {}
                Sealed::Refused(fault) => {
                    return Err(Failure::new(format!("The ledger of {organization} is broken: {fault}.")));
                }
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kept_checkpoint_is_read_as_it_is_printed() {
        let hash = Hash::NOTHING;
        assert_eq!(format!("12:{hash}").parse(), Ok(KeptCheckpoint { sequence: 12, hash }));
        for wrong in ["", "12", "12:ab", "x:y"] {
            assert!(wrong.parse::<KeptCheckpoint>().is_err());
        }
    }
}
