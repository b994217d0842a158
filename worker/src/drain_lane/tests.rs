//! The turns of a lane's commands: what takes access away overtakes what is not its own matter, and never its own.

use domain::{
    change::Change,
    command::{CommandState, Evidence},
};
use serde_json::json;

use super::*;

/// The waiting command with this number, to the account or to a door.
fn row(number: u128, door: Option<u128>, action: impl Into<Action>) -> command::Model {
    let action = action.into();
    let now = Timestamp::UNIX_EPOCH;
    command::Model {
        id: Uuid::from_u128(number),
        organization_id: Uuid::nil(),
        site_id: Uuid::nil(),
        account_id: Uuid::nil(),
        device_id: None,
        door_id: door.map(Uuid::from_u128),
        lane_id: Uuid::nil(),
        kind: action.kind().as_str().to_owned(),
        action: serde_json::to_value(&action).unwrap(),
        sealed: None,
        state: CommandState::Queued.as_str().to_owned(),
        evidence: Evidence::None.as_str().to_owned(),
        requested_by: "key_x".to_owned(),
        by_own_right: false,
        idempotency_key: number.to_string(),
        created_at: now,
        expires_at: None,
        dispatched_at: None,
        finished_at: None,
        settle_by: None,
        due_at: Some(now),
        attempts: 0,
        polls: 0,
        vendor_reference: None,
        may_have_left: false,
        rides_on: None,
        failure_code: None,
        failure_message: None,
        result: None,
        timeline: json!([]),
        version: 1,
    }
}

/// The numbers of the commands in the order of their turns.
fn order(rows: &[command::Model]) -> Vec<u128> {
    turns(rows).unwrap().into_iter().map(|row| row.id.as_u128()).collect()
}

fn resume(phone: &str) -> Change {
    Change::ResumePhone { phone: phone.to_owned() }
}

fn remove(phone: &str) -> Change {
    Change::RemovePhone { phone: phone.to_owned() }
}

#[test]
fn a_revocation_overtakes_what_is_not_its_own_matter() {
    let rows =
        [row(1, None, resume("a")), row(2, None, resume("b")), row(3, None, remove("c")), row(4, None, resume("d"))];
    assert_eq!(order(&rows), [3, 1, 2, 4]);
}

#[test]
fn a_revocation_never_overtakes_its_own_matter() {
    let rows =
        [row(1, None, resume("a")), row(2, None, resume("b")), row(3, None, remove("a")), row(4, None, remove("b"))];
    assert_eq!(order(&rows), [1, 2, 3, 4]);
}

#[test]
fn revocations_keep_the_order_they_came_in() {
    let delete = |schedule: &str| Change::DeleteAutoAccessSchedule { schedule: schedule.to_owned() };
    let rows =
        [row(1, None, resume("a")), row(2, None, remove("c")), row(3, None, delete("7")), row(4, None, remove("b"))];
    assert_eq!(order(&rows), [2, 3, 4, 1]);
}

#[test]
fn one_that_waits_for_its_own_matter_holds_its_followers_back_and_nobody_else() {
    let rows = [
        row(1, None, resume("a")),
        row(2, None, remove("a")),
        row(3, None, Change::SuspendPhone { phone: "a".to_owned() }),
        row(4, None, remove("b")),
    ];
    assert_eq!(order(&rows), [4, 1, 2, 3]);
}

#[test]
fn doors_keep_their_order_each() {
    let rows = [
        row(1, Some(1), Action::OpenDoor),
        row(2, Some(2), Change::StopAutoAccess),
        row(3, Some(1), Action::OpenDoor),
        row(4, Some(1), Change::StopAutoAccess),
    ];
    // The door's movements and the listening to its bell are two matters.
    assert_eq!(order(&rows), [2, 4, 1, 3]);
}

#[test]
fn without_a_revocation_nothing_is_moved() {
    let rows = [row(1, None, resume("b")), row(2, None, resume("a")), row(3, Some(1), Action::OpenDoor)];
    assert_eq!(order(&rows), [1, 2, 3]);
    assert_eq!(order(&[]), [0; 0]);
}
