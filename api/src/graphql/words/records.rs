//! Words about what vendors keep beside devices and doors, and about their webhooks.

use super::words;

words! {
    /// What kind of record it is.
    RecordKind = domain::record::RecordKind {
        /// A person.
        User,
        /// A card, fob, telephone number or mobile key.
        Credential,
        /// Doors with a schedule.
        AccessLevel,
        /// A weekly pattern.
        Schedule,
        /// A person's right to use a device.
        DeviceAccess,
        /// A sensor of a device.
        Sensor,
        /// A device's plan at its vendor, with its price.
        Campaign,
        /// When a door will listen to its bell.
        AutoAccessSchedule,
        /// The account's own profile.
        Profile,
        /// How many credentials are claimed.
        CredentialSummary,
        /// A place of the vendor's: a location, an enterprise.
        Location,
        /// A room, bed or other thing that can be reserved.
        Resource,
        /// A stay.
        Reservation,
        /// A token that the PMS shows.
        AccessToken,
    }

    /// What a person presents.
    CredentialType = domain::record::CredentialType {
        /// A card.
        Card,
        /// A fob.
        Fob,
        /// A number typed at the door.
        PinCode,
        /// A radio tag.
        RfidTag,
        /// A telephone that calls.
        PhoneNumber,
        /// An app that holds a key.
        MobileKey,
    }

    /// Whether a credential can be used.
    CredentialStatus = domain::record::CredentialStatus {
        /// It opens.
        Active,
        /// It is registered but does not open.
        Suspended,
        /// Its holder has it in their app.
        Claimed,
        /// Its holder has not fetched it yet.
        Unclaimed,
        /// The vendor does not say.
        Unknown,
    }

    /// What the holder of a device access may do.
    AccessProfile = domain::record::AccessProfile {
        /// Open its doors.
        User,
        /// Configure it too.
        Admin,
        /// Has installed it.
        Installer,
    }

    /// What a campaign is for.
    CampaignKind = domain::record::CampaignKind {
        /// Intercoms.
        Intercom,
        /// Power switches.
        Power,
    }

    /// Where a stay stands.
    ReservationState = domain::record::ReservationState {
        /// Asked for.
        Requested,
        /// Held until confirmed.
        Optional,
        /// Confirmed.
        Confirmed,
        /// The guest is in.
        Started,
        /// The guest is gone.
        Ended,
        /// Called off.
        Canceled,
        /// A word that we do not know: nothing is concluded from it.
        Unknown,
    }

    /// What the value of an access token is.
    TokenType = domain::record::TokenType {
        /// A number typed at the door.
        PinCode,
        /// A radio tag.
        RfidTag,
    }

    /// The side of an intercom's terminal that a door or sensor is wired to.
    PortSide = domain::change::PortSide {
        /// The first one.
        Right,
        /// The second one.
        Left,
    }

    /// Where a webhook delivery stands.
    WebhookDeliveryState = domain::webhook::DeliveryState {
        /// Stored, and not understood yet.
        Pending,
        /// Understood, and what it says is written.
        Processed,
        /// Not authentic, or nothing that the vendor is documented to send. Kept for a look.
        Rejected,
    }
}
