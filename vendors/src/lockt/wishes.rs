//! Whether what Lockt keeps is what was wished for; pure. By it a read-back reports, and a look concludes.

use std::collections::BTreeSet;

use domain::{
    change::{FobAssignment, FobPlan, ImportOptions, UserPlan, UserSecret},
    clock::Timestamp,
};

use super::{
    mapping, orders, wire,
    zone::{Edge, Zone},
};

/// What Lockt keeps of a record of ours.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Kept {
    /// Its id there; `None` when it is not there.
    pub(super) external_id: Option<String>,
    /// Where it is another than wished, in our words.
    pub(super) differs: Vec<&'static str>,
    /// What was wished and Lockt does not tell.
    pub(super) untold: Vec<&'static str>,
}

/// What a look at all records of a change shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Finding {
    /// All are as wished.
    Made,
    /// None is.
    Absent,
    /// Some are, or it can not be told.
    Unclear,
}

impl Kept {
    /// It is not there at all.
    pub(super) fn missing() -> Self {
        Self { external_id: None, differs: vec!["missing"], untold: Vec::new() }
    }

    fn note(&mut self, field: &'static str, equal: Option<bool>) {
        match equal {
            Some(true) => {}
            Some(false) => self.differs.push(field),
            None => self.untold.push(field),
        }
    }

    /// It is there, and all that was wished is told and so.
    pub(super) const fn is_as_wished(&self) -> bool {
        self.differs.is_empty() && self.untold.is_empty()
    }
}

/// All, none, or neither.
pub(super) fn finding(kept: &[Kept]) -> Finding {
    if kept.iter().all(Kept::is_as_wished) {
        Finding::Made
    } else if kept.iter().all(|kept| !kept.differs.is_empty()) {
        Finding::Absent
    } else {
        Finding::Unclear
    }
}

/// The same for people: those who exist are left alone if that was wished, and then prove nothing.
pub(super) fn finding_of_import(kept: &[Kept], plans: &[UserPlan], options: ImportOptions) -> Finding {
    if options.update_existing {
        // A PIN is never told: that somebody known before is as wished does not show that theirs was set.
        let hidden = plans.iter().any(|plan| plan.has_pin && plan.external_id.is_some());
        return match finding(kept) {
            Finding::Made if hidden => Finding::Unclear,
            finding => finding,
        };
    }
    let missing = kept.iter().filter(|kept| kept.external_id.is_none()).count();
    match missing {
        0 => Finding::Made,
        _ if missing == kept.len() || options.validate_fails_batch => Finding::Absent,
        _ => Finding::Unclear,
    }
}

/// The person of a plan among those at Lockt: by our number, by Lockt's id, or by e-mail, by which Lockt matches too.
pub(super) fn person<'a>(plan: &UserPlan, users: &'a [wire::User]) -> Option<&'a wire::User> {
    let number = |user: &&wire::User| user.id_num.as_deref() == Some(plan.id_number.trim());
    let id = |user: &&wire::User| plan.external_id.is_some() && user.id == plan.external_id;
    let email = |user: &&wire::User| plan.email.is_some() && same_email(plan, user);
    users.iter().find(number).or_else(|| users.iter().find(id)).or_else(|| users.iter().find(email))
}

/// Compares a person with the plan, and with the registration key and card number that were sent sealed beside it.
pub(super) fn user(
    plan: &UserPlan,
    secret: Option<&UserSecret>,
    user: Option<&wire::User>,
    options: ImportOptions,
    zone: Zone,
) -> Kept {
    let Some(user) = user else { return Kept::missing() };
    let mut kept = Kept { external_id: user.id.clone(), ..Kept::default() };
    let mut compare = |field, equal| kept.note(field, equal);
    let key = secret.filter(|_| plan.has_credential_key).and_then(|secret| secret.credential_key.as_deref());
    let card = secret.filter(|_| plan.has_card_number).and_then(|secret| secret.card_number.as_deref());
    let wished = [
        ("idNumber", Some(plan.id_number.as_str()), &user.id_num),
        ("firstName", Some(plan.first_name.as_str()), &user.first_name),
        ("lastName", Some(plan.last_name.as_str()), &user.last_name),
        ("cardNumber", plan.card_number.as_deref().or(card), &user.card_num),
        ("credentialKey", key, &user.credential_key),
    ];
    for (field, wished, told) in wished {
        compare(field, Some(wished.is_none_or(|wished| same(told.as_deref(), wished))));
    }
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    let phone = |wished: &str| digits(wished) == digits(user.phone.as_deref().unwrap_or_default());
    compare("email", Some(plan.email.is_none() || same_email(plan, user)));
    compare("phone", Some(plan.phone.as_deref().is_none_or(phone)));
    compare("enabled", user.enabled.map(|enabled| enabled == plan.enabled));
    let told = (user.access_effective.as_deref(), user.access_expires.as_deref());
    period(plan.access_from, plan.access_until, told, zone, &mut compare);
    let wished: BTreeSet<&str> = plan.access_levels.iter().map(String::as_str).collect();
    let levels = user.accesslevels.as_ref().map(|told| {
        let told: BTreeSet<&str> = told.iter().map(String::as_str).collect();
        if options.replace_privileges { told == wished } else { told.is_superset(&wished) }
    });
    // Where nothing was to be added, nothing needs to be told.
    compare("accessLevels", levels.or((wished.is_empty() && !options.replace_privileges).then_some(true)));
    kept
}

/// The fob of a plan among those at Lockt: by our number or by its card.
pub(super) fn planned_fob<'a>(plan: &FobPlan, fobs: &'a [wire::Fob]) -> Option<&'a wire::Fob> {
    let number = fobs.iter().find(|fob| fob.id_num.as_deref() == Some(plan.id_number.trim()));
    number.or_else(|| fobs.iter().find(|fob| fob.card_num.as_deref() == Some(plan.card_number.as_str())))
}

/// Compares a new fob with the plan.
pub(super) fn new_fob(plan: &FobPlan, fob: Option<&wire::Fob>, zone: Zone) -> Kept {
    let Some(fob) = fob else { return Kept::missing() };
    let mut kept = Kept { external_id: fob.id.clone(), ..Kept::default() };
    let mut compare = |field, equal| kept.note(field, equal);
    compare("idNumber", fob.id_num.as_deref().map(|told| same(Some(told), &plan.id_number)));
    compare("name", Some(fob.name.as_deref().is_none_or(|name| same(Some(name), &plan.name))));
    compare("cardNumber", Some(same(fob.card_num.as_deref(), &plan.card_number)));
    let told = (fob.access_effective.as_deref(), fob.access_expires.as_deref());
    period(plan.access_from, plan.access_until, told, zone, &mut compare);
    kept
}

/// Compares a fob with its new holder and period.
pub(super) fn assigned_fob(
    assignment: &FobAssignment,
    fobs: &[wire::Fob],
    credentials: &[wire::Credential],
    zone: Zone,
) -> Kept {
    let Some(fob) = fobs.iter().find(|fob| fob.id.as_deref() == Some(assignment.fob.as_str())) else {
        return Kept::missing();
    };
    let mut kept = Kept { external_id: fob.id.clone(), ..Kept::default() };
    let mut compare = |field, equal| kept.note(field, equal);
    let holder = mapping::holder(fob, credentials).and_then(|holder| holder.id.as_deref());
    compare("user", holder.map(|holder| holder == assignment.user));
    let told = (fob.access_effective.as_deref(), fob.access_expires.as_deref());
    period(assignment.access_from, assignment.access_until, told, zone, &mut compare);
    kept
}

fn period(
    from: Option<Timestamp>,
    until: Option<Timestamp>,
    (told_from, told_until): (Option<&str>, Option<&str>),
    zone: Zone,
    compare: &mut impl FnMut(&'static str, Option<bool>),
) {
    // A period that could not be written was never sent.
    let Ok((from, until)) = orders::period(from, until, zone) else { return };
    for (field, wished, told, edge) in
        [("accessFrom", from, told_from, Edge::From), ("accessUntil", until, told_until, Edge::Until)]
    {
        let equal = match told {
            None => wished.is_empty(),
            Some(told) => zone.read(told, edge).is_some_and(|told| zone.may_mean(&wished, Some(told))),
        };
        compare(field, Some(equal));
    }
}

fn same_email(plan: &UserPlan, user: &wire::User) -> bool {
    let (wished, told) = (plan.email.as_deref().unwrap_or_default(), user.email.as_deref().unwrap_or_default());
    told.trim().eq_ignore_ascii_case(wished.trim())
}

fn same(told: Option<&str>, wished: &str) -> bool {
    told.unwrap_or_default().trim() == wished.trim()
}

#[cfg(test)]
mod tests;
