//! Our wishes in Raixer's words: bodies, ports, and which functions may be called at all.

use domain::{
    change::{AccountProfile, Address, AutoAccessOptions, DoorSettings, DoorUse, MovementAlarm, PortSide, SensorMode},
    clock::Timestamp,
    record::AccessProfile,
};

use crate::{
    error::VendorError,
    raixer::wire::{self, bodies},
};

/// An argument of a function of the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Takes {
    Nothing,
    /// 1 or 0.
    Switch,
    /// 1, 0 or `infinite`.
    Alarm,
}

/// The functions that document 001 recommends for direct use ("API or Direct"), whether the value that they return is
/// the one that was set, and what they take.
const FUNCTIONS: [(&str, Takes, bool); 7] = [
    ("lastMove", Takes::Nothing, false),
    ("alarm", Takes::Alarm, true),
    ("offlineAA", Takes::Switch, true),
    ("alwaysActive", Takes::Switch, true),
    ("invertSensor", Takes::Switch, true),
    ("waitBells", Takes::Switch, true),
    ("waitBells2", Takes::Switch, true),
];

/// What a call of a function that may be called has to look like.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::raixer) struct Function<'a> {
    /// Its argument.
    pub(in crate::raixer) argument: Option<&'a str>,
    /// What it returns when it did what was asked, where that is documented.
    pub(in crate::raixer) returns: Option<i32>,
}

/// Checks a call of a function against the document.
pub(in crate::raixer) fn function<'a>(name: &str, argument: Option<&'a str>) -> Result<Function<'a>, VendorError> {
    let Some((_, takes, returns)) = FUNCTIONS.iter().find(|(known, ..)| *known == name) else {
        return Err(VendorError::unsupported(
            "Raixer does not recommend calling this function directly, or does not document it.",
        ));
    };
    let fits = match (takes, argument) {
        (Takes::Nothing, argument) => argument.is_none(),
        (Takes::Switch, Some("0" | "1")) | (Takes::Alarm, Some("0" | "1" | "infinite")) => true,
        (Takes::Switch | Takes::Alarm, _) => false,
    };
    if !fits {
        return Err(VendorError::unsupported("Raixer documents another argument for this function."));
    }
    let returns = argument.filter(|_| *returns).map(|argument| i32::from(argument != "0"));
    Ok(Function { argument, returns })
}

/// The action of `movement-alarm`, and the value that the device answers it with.
pub(in crate::raixer) const fn movement_alarm(alarm: MovementAlarm) -> (&'static str, i32) {
    match alarm {
        MovementAlarm::Once => ("1", 1),
        MovementAlarm::Always => ("infinite", 1),
        MovementAlarm::Off => ("0", 0),
    }
}

/// The word of a profile.
pub(in crate::raixer) const fn profile(profile: AccessProfile) -> &'static str {
    match profile {
        AccessProfile::User => "user",
        AccessProfile::Admin => "admin",
        AccessProfile::Installer => "installer",
    }
}

const fn port(port: PortSide) -> &'static str {
    match port {
        PortSide::Right => "right",
        PortSide::Left => "left",
    }
}

/// A door's settings; what is absent is not sent.
pub(in crate::raixer) fn door<'a>(device: &'a str, settings: &'a DoorSettings) -> bodies::Door<'a> {
    bodies::Door {
        device_id: device,
        opening_value: settings.opening_value,
        tolerance: settings.tolerance,
        max_openings: settings.max_openings,
        wait_time_first: settings.wait_time_first,
        two_openings: settings.two_openings,
        must_call_bell_first: settings.must_call_bell_first,
        intercom_call_first: settings.intercom_call_first,
        intercom_enable_auto_access: settings.intercom_enable_auto_access,
        sensor_mode: settings.sensor_mode.map(|mode| match mode {
            SensorMode::Bell => "bell",
            SensorMode::OpeningSensor => "openingSensor",
        }),
        name: settings.name.as_deref(),
        port: settings.port.map(port),
        purpose: settings.usage.map(|usage| match usage {
            DoorUse::Street => "street",
            DoorUse::Home => "home",
            DoorUse::Garage => "garage",
            DoorUse::Other => "other",
        }),
    }
}

/// Whether every setting that is wished for is as wished.
pub(in crate::raixer) fn is_met(wished: &DoorSettings, is: &DoorSettings) -> bool {
    fn met<T: PartialEq>(wished: Option<&T>, is: Option<&T>) -> bool {
        wished.is_none() || wished == is
    }
    met(wished.name.as_ref(), is.name.as_ref())
        && met(wished.usage.as_ref(), is.usage.as_ref())
        && met(wished.port.as_ref(), is.port.as_ref())
        && met(wished.sensor_mode.as_ref(), is.sensor_mode.as_ref())
        && met(wished.opening_value.as_ref(), is.opening_value.as_ref())
        && met(wished.tolerance.as_ref(), is.tolerance.as_ref())
        && met(wished.max_openings.as_ref(), is.max_openings.as_ref())
        && met(wished.wait_time_first.as_ref(), is.wait_time_first.as_ref())
        && met(wished.two_openings.as_ref(), is.two_openings.as_ref())
        && met(wished.must_call_bell_first.as_ref(), is.must_call_bell_first.as_ref())
        && met(wished.intercom_call_first.as_ref(), is.intercom_call_first.as_ref())
        && met(wished.intercom_enable_auto_access.as_ref(), is.intercom_enable_auto_access.as_ref())
}

/// Whether every part of an address that is wished for is as wished.
pub(in crate::raixer) fn is_met_by(wished: &Address, is: &Address) -> bool {
    let met = |wished: &Option<String>, is: &Option<String>| wished.is_none() || wished == is;
    met(&wished.email, &is.email)
        && met(&wished.name, &is.name)
        && met(&wished.tax_id, &is.tax_id)
        && met(&wished.street, &is.street)
        && met(&wished.city, &is.city)
        && met(&wished.postal_code, &is.postal_code)
        && met(&wished.state, &is.state)
        && met(&wished.country, &is.country)
}

/// A sensor; movement is the only use that is documented.
pub(in crate::raixer) fn sensor(settings: &domain::change::SensorSettings) -> bodies::Sensor<'_> {
    bodies::Sensor { name: settings.name.as_deref(), purpose: Some("movement"), port: settings.port.map(port) }
}

/// How long and how a door listens.
pub(in crate::raixer) const fn auto_access(options: &AutoAccessOptions) -> bodies::AutoAccess {
    bodies::AutoAccess {
        minutes: options.minutes,
        opening_value: options.opening_value,
        tolerance: options.tolerance,
        max_openings: options.max_openings,
        wait_time_first: options.wait_time_first,
    }
}

/// When a door listens. `port` is its position, as a text.
pub(in crate::raixer) const fn schedule<'a>(
    campaign: &'a str,
    starts_at: Timestamp,
    minutes: u32,
    port: &'a str,
) -> bodies::Schedule<'a> {
    bodies::Schedule { campaign_id: campaign, time: minutes, schedule: starts_at.timestamp_millis(), door_port: port }
}

/// A profile. Of the address what is not wished for stays as `held` has it, since it is sent as a whole.
pub(in crate::raixer) fn user<'a>(profile: &'a AccountProfile, held: Option<&wire::Address>) -> bodies::User<'a> {
    bodies::User {
        display_name: profile.display_name.as_deref(),
        email: profile.email.as_deref(),
        address: profile.address.as_ref().map(|wished| address(wished, held)),
    }
}

fn address(wished: &Address, held: Option<&wire::Address>) -> bodies::Address {
    let held = held.cloned().unwrap_or_default();
    let either = |wished: &Option<String>, held: Option<String>| wished.clone().or(held);
    bodies::Address {
        email: either(&wished.email, held.email),
        name: either(&wished.name, held.name),
        address: either(&wished.tax_id, held.address),
        street2: either(&wished.street, held.street2),
        city: either(&wished.city, held.city),
        zip: either(&wished.postal_code, held.zip),
        state: either(&wished.state, held.state),
        country: either(&wished.country, held.country),
    }
}

#[cfg(test)]
mod tests;
