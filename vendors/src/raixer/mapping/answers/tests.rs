use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::raixer::testing::fixture;

fn judged(json: &str) -> Result<Option<VendorNote>, VendorError> {
    of_one_door(serde_json::from_str(json).unwrap(), str::to_owned)
}

fn with_status(status: &str, message: &str) -> Result<Option<VendorNote>, VendorError> {
    judged(&json!([{"status": status, "msg": message}]).to_string())
}

fn judged_all(json: &str) -> Result<Vec<VendorNote>, VendorError> {
    of_doors(&serde_json::from_str::<Vec<wire::Execution>>(json).unwrap(), str::to_owned)
}

#[test]
fn one_success_for_one_door() {
    assert_eq!(judged(fixture!("open_one")).unwrap().unwrap().text, "The action openDoor was executed successfully");
}

#[test]
fn none_or_more_than_was_asked_is_not_known() {
    assert!(matches!(judged(fixture!("open_two")), Err(VendorError::Protocol { .. })));
    assert!(matches!(judged("[]"), Err(VendorError::Protocol { .. })));
}

#[test]
fn a_stop_is_judged_door_by_door() {
    assert_eq!(judged_all(fixture!("stop_job")).unwrap().len(), 2);
    assert!(matches!(judged_all("[]"), Err(VendorError::Protocol { .. })));
    let mixed = json!([{"status": "success"}, {"status": "error", "msg": "no"}]).to_string();
    assert!(matches!(judged_all(&mixed), Err(VendorError::Rejected { code: FailureCode::DeviceError, .. })));
    assert!(matches!(judged_all("[{\"status\":\"success\"},{}]"), Err(VendorError::Protocol { .. })));
}

#[test]
fn a_failure_is_one_unless_somebody_only_stopped_waiting() {
    for word in ["error", "fail", "failed", "FAILURE"] {
        let rejected = with_status(word, "The device said no");
        assert!(matches!(rejected, Err(VendorError::Rejected { code: FailureCode::DeviceError, .. })));
    }
    assert!(matches!(with_status("error", "Timed out."), Err(VendorError::Indeterminate { .. })));
    assert!(matches!(judged("[{}]"), Err(VendorError::Protocol { .. })));
}

#[test]
fn what_the_device_returned_counts() {
    let on: wire::Execution = serde_json::from_str(fixture!("alarm_on")).unwrap();
    let off: wire::Execution = serde_json::from_str(fixture!("alarm_off")).unwrap();
    assert_eq!((returned(&on, Some(1)), returned(&off, Some(0)), returned(&off, None)), (Ok(()), Ok(()), Ok(())));
    assert!(matches!(returned(&off, Some(1)), Err(VendorError::Rejected { code: FailureCode::DeviceError, .. })));
    assert_eq!(returned(&wire::Execution::default(), Some(1)), Ok(()), "the samples of functions return nothing");
}

#[test]
fn how_many_records_were_met() {
    let met = |json: &str| written(&serde_json::from_str(json).unwrap());
    assert_eq!(met(fixture!("updated")), Some(Removal::Done));
    assert_eq!(met(fixture!("deleted")), Some(Removal::Done));
    assert_eq!(met("{\"n\":\"1\",\"nModified\":0,\"ok\":\"1\"}"), Some(Removal::Done), "it was so already");
    assert_eq!(met("{\"n\":0,\"ok\":1}"), Some(Removal::NothingThere));
    for odd in ["{}", "{\"n\":1}", "{\"n\":1,\"ok\":0}", "{\"n\":null,\"ok\":1}", "{\"n\":-1,\"ok\":1}"] {
        assert_eq!(met(odd), None, "{odd}");
    }
}

proptest! {
    #[test]
    fn an_unknown_word_is_never_terminal(word in "[A-Za-z_ ]{0,12}") {
        let known = ["SUCCESS", "ERROR", "FAIL", "FAILED", "FAILURE"];
        prop_assume!(!known.contains(&word.trim().to_ascii_uppercase().as_str()));
        let is_unknown = matches!(with_status(&word, "x"), Err(VendorError::Protocol { .. }));
        prop_assert!(is_unknown);
    }

    #[test]
    fn no_bytes_panic(bytes in any::<Vec<u8>>()) {
        if let Ok(executions) = serde_json::from_slice(&bytes) {
            prop_assert!(of_one_door(executions, str::to_owned).is_err());
        }
        if let Ok(answer) = serde_json::from_slice(&bytes) {
            prop_assert_ne!(written(&answer), Some(Removal::Done));
        }
    }
}
