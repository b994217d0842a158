//! Which access levels of a vendor open as much as possible of what is permitted, and nothing else. Levels cannot be
//! made by us: they are the operator's.

use std::collections::BTreeSet;

use super::LevelFacts;

/// Levels and the doors that they open together, by the vendor's ids.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cover {
    /// The levels.
    pub levels: BTreeSet<String>,
    /// The doors.
    pub doors: BTreeSet<String>,
}

/// Chooses levels whose doors are all permitted, and that together open every door that any such level opens. What is
/// chosen already stays as long as it does the same; a level that the vendor no longer lists is chosen only if it was.
#[must_use]
pub fn cover(levels: &[LevelFacts], permitted: &BTreeSet<String>, chosen: &BTreeSet<String>) -> Cover {
    let mut fitting: Vec<&LevelFacts> = levels
        .iter()
        .filter(|level| !level.doors.is_empty() && level.doors.is_subset(permitted))
        .filter(|level| !level.missing || chosen.contains(&level.external_id))
        .collect();
    let doors: BTreeSet<String> = fitting.iter().flat_map(|level| level.doors.iter().cloned()).collect();
    let kept: Vec<&&LevelFacts> = fitting.iter().filter(|level| chosen.contains(&level.external_id)).collect();
    if !chosen.is_empty()
        && kept.len() == chosen.len()
        && kept.iter().flat_map(|level| level.doors.iter()).collect::<BTreeSet<_>>().len() == doors.len()
    {
        return Cover { levels: chosen.clone(), doors };
    }
    fitting.sort_by(|one, other| {
        let size = other.doors.len().cmp(&one.doors.len());
        size.then(one.missing.cmp(&other.missing)).then_with(|| one.external_id.cmp(&other.external_id))
    });
    let mut cover = Cover::default();
    for level in fitting {
        if !level.doors.is_subset(&cover.doors) {
            cover.levels.insert(level.external_id.clone());
            cover.doors.extend(level.doors.iter().cloned());
        }
    }
    cover
}
