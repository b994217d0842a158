//! Words about commands.

use super::words;

words! {
    /// The kinds of commands. Capabilities of doors, devices and accounts, and the verbs of a key, are sets of these.
    CommandKind = domain::command::CommandKind {
        /// Open once (a pulse): a person passes.
        OpenDoor,
        /// Close a gate or garage.
        CloseDoor,
        /// Engage the bolt.
        LockDoor,
        /// Release the bolt.
        UnlockDoor,
        /// Engage the bolt regardless of state and user.
        ForceLockDoor,
        /// Release the bolt regardless of state and user, with a reason.
        ForceUnlockDoor,
        /// Hold a dock or locker for a while.
        BookDoor,
        /// Give the booking up.
        CancelBooking,
        /// Give anybody's booking up.
        ForceCancelBooking,
        /// Have the device report its state, after a power cycle if asked.
        SyncDevice,
        /// Take a picture.
        TakePhoto,
        /// Have a door listen to its bell for a while: whoever rings gets in.
        StartAutoAccess,
        /// End that listening.
        StopAutoAccess,
        /// Have the bell always open, or no longer.
        SetAutoAccessAlwaysActive,
        /// Have the bell open while the device is offline, or no longer.
        SetOfflineAutoAccess,
        /// Have movement reported once, always or never.
        SetMovementAlarm,
        /// Let authorised telephones open a door by a call, or no longer.
        SetPhoneAccess,
        /// Let any telephone open a door by a call, or no longer.
        SetAnyCallerAccess,
        /// Read one value from a device.
        ReadDeviceVariable,
        /// Read what a device's own cloud says of it.
        ReadDeviceInformation,
        /// Call a documented function of a device.
        ExecuteDeviceFunction,
        /// Detach a device from its account at the vendor.
        RemoveDevice,
        /// Add a door to a device.
        CreateDoor,
        /// Add doors to a card-lock system.
        CreateDoors,
        /// Change a door's settings at the vendor.
        UpdateDoor,
        /// Take a door off its device.
        DeleteDoor,
        /// Add a sensor to a device.
        CreateSensor,
        /// Change a sensor.
        UpdateSensor,
        /// Take a sensor off its device.
        DeleteSensor,
        /// Register a telephone number at a device.
        AuthorizePhone,
        /// Keep a telephone number from opening.
        SuspendPhone,
        /// Let a suspended telephone number open again.
        ResumePhone,
        /// Remove a telephone number from a device.
        RemovePhone,
        /// Give access to a device.
        GrantDeviceAccess,
        /// Change somebody's access to a device.
        ChangeDeviceAccess,
        /// Suspend somebody's access to a device.
        SuspendDeviceAccess,
        /// End such a suspension.
        ResumeDeviceAccess,
        /// Take somebody's access to a device away.
        RevokeDeviceAccess,
        /// Plan when a door will listen to its bell.
        CreateAutoAccessSchedule,
        /// Change such a plan; the vendor makes a new record of it.
        UpdateAutoAccessSchedule,
        /// Drop such a plan.
        DeleteAutoAccessSchedule,
        /// Change the account's own profile at the vendor.
        UpdateAccountProfile,
        /// Create or update people with their cards and access levels.
        ImportUsers,
        /// Let people in nowhere any more: no access levels, and an end in the past.
        DisableUsers,
        /// Create fobs.
        CreateFobs,
        /// Give fobs to other people, or for another period.
        AssignFobs,
        /// Have credentials fetched anew by their holders; the old ones end.
        ReissueCredentials,
        /// Ask for the next free card number.
        ReadNextCardNumber,
        /// Have the PMS show an access token at a reservation. It opens nothing by itself.
        AddPmsAccessToken,
        /// Change a token that the PMS shows.
        UpdatePmsAccessToken,
        /// Take a token off the PMS.
        DeletePmsAccessToken,
    }

    /// Where a command stands.
    CommandState = domain::command::CommandState {
        /// Written, not yet sent.
        Queued,
        /// About to be sent, or sent without an answer yet.
        Dispatching,
        /// The vendor has it and works on it.
        Accepted,
        /// Done, as far as the evidence says.
        Succeeded,
        /// Certainly not done.
        Failed,
        /// Its time ran out before it was sent.
        Expired,
        /// Called off before it was sent.
        Canceled,
        /// It may or may not have happened. Becomes SUCCEEDED or FAILED when evidence arrives.
        OutcomeUnknown,
    }

    /// How well an outcome is known, from nothing to a sensor.
    Evidence = domain::command::Evidence {
        /// Nobody confirmed anything.
        None,
        /// The vendor's service says so.
        VendorAck,
        /// The hardware answered.
        DeviceAck,
        /// A sensor or the lock's own state shows it.
        Sensor,
    }

    /// Why a command did not succeed, or is not known to have. Named by what to do about it.
    FailureCode = domain::command::FailureCode {
        /// Its time ran out first. Ask again.
        Expired,
        /// Somebody called it off.
        Canceled,
        /// What opened the door for who asked ended before it was sent, or their right to send it. Nothing was sent.
        AccessEnded,
        /// A later order for the same door called it off.
        Superseded,
        /// The vendor refused it for good.
        VendorRejected,
        /// The vendor does not know the device or door. Sync the inventory.
        DeviceNotFound,
        /// The device is out of the vendor's reach.
        DeviceUnreachable,
        /// The device tried and failed.
        DeviceError,
        /// The door needs a sensor before it can be operated remotely.
        SensorRequired,
        /// The vendor does not offer this.
        Unsupported,
        /// The vendor found our request malformed. Report it.
        Malformed,
        /// The vendor refuses our credentials. Link the account again.
        AuthenticationFailed,
        /// The vendor could not be reached.
        VendorUnreachable,
        /// The vendor asked us to slow down.
        Throttled,
        /// Sent, but the answer was lost.
        AnswerLost,
        /// Sent, but the answer made no sense.
        AnswerInvalid,
        /// The vendor failed while it had the request.
        VendorFailed,
        /// The vendor never told an outcome in time.
        NoOutcome,
        /// A worker stopped while the request may have been on its way.
        WorkerInterrupted,
        /// Our own fault, recorded in our log.
        Internal,
    }

    /// One kind of line in a command's timeline.
    TimelineStep = domain::command::TimelineStep {
        /// It was asked for.
        Requested,
        /// It rides on the pulse of another command.
        Coalesced,
        /// The intent was written; the bytes leave next.
        Dispatching,
        /// The vendor answered the request.
        Answered,
        /// The request provably never had an effect.
        NotSent,
        /// The request may have had an effect; the answer was lost.
        AnswerLost,
        /// The vendor was asked how it went.
        Polled,
        /// The door was looked at for evidence.
        Looked,
        /// A webhook or an event of the vendor's showed it.
        Noticed,
        /// The vendor's own account of it.
        VendorNote,
        /// Its time ran out.
        Expired,
        /// It was called off.
        Canceled,
    }

    /// Why somebody forces a door.
    ForceReason = domain::command::ForceReason {
        /// A user is stuck: card trouble.
        StuckUserRfidIssue,
        /// A user is stuck: app trouble.
        StuckUserAppIssue,
        /// A user is stuck by a mistake.
        StuckUserUserError,
        /// A user is stuck for another reason; needs a comment.
        StuckUserOtherIssue,
        /// Locked with nothing in it.
        LockedEmpty,
        /// Maintenance.
        Maintenance,
        /// A test.
        Testing,
        /// A rental vehicle is locked in.
        RentalVehicleLocked,
        /// It should not have locked.
        FalseLock,
        /// Another reason; needs a comment.
        Other,
    }
}
