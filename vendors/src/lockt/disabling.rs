//! Letting people in nowhere any more. Lockt deletes nobody: they are disabled, without access levels, with an end that
//! has passed. Whoever is not there is left so; nobody is created by taking something away.

use domain::{
    change::{DisabledUser, ImportOptions, UserPlan, UserSecrets},
    clock::Timestamp,
    command::{Answer, Evidence, FailureCode},
    erasure::ERASED_NAMES,
};
use serde_json::json;

use super::{
    client::{Lockt, identified},
    mapping, orders, wire,
};
use crate::{
    error::VendorError,
    port::{ChangeReceipt, Departure, Portion, Trace},
};

const OPTIONS: ImportOptions =
    ImportOptions { update_existing: true, validate_fails_batch: false, replace_privileges: true, dry_run: false };

impl Lockt {
    /// Disables those who are there.
    pub(super) async fn disable(
        &self,
        users: &[DisabledUser],
        departure: &Departure,
    ) -> Result<ChangeReceipt, VendorError> {
        let present = self.present(users).await.map_err(before_sending)?;
        let numberless = |user: &wire::User| user.id_num.is_none() && user.enabled != Some(false);
        if present.iter().any(|(user, _)| numberless(user)) {
            let message = "Somebody has no number at Lockt any more, by which alone they can be disabled.";
            return Err(VendorError::rejected(FailureCode::VendorRejected, message));
        }
        let now = departure.clock.now();
        let plans: Vec<UserPlan> =
            present.iter().filter(|(user, _)| user.id_num.is_some()).map(|user| plan(user, now)).collect();
        if plans.is_empty() {
            return self.nobody_left(&present);
        }
        let secrets = UserSecrets::new();
        let batch = orders::users(&plans, OPTIONS, &secrets, self.zone)?;
        self.import(&batch, (&plans, &secrets), OPTIONS, departure).await
    }

    /// Whether a disabling whose answer was lost was done.
    pub(super) async fn look_for_disabled(&self, users: &[DisabledUser]) -> Result<Trace, VendorError> {
        let present = self.present(users).await?;
        if present.iter().all(|(user, nameless)| user.enabled == Some(false) && (!nameless || is_nameless(user))) {
            return Ok(Trace::Made(Box::new(self.nobody_left(&present)?)));
        }
        Ok(Trace::Absent)
    }

    /// Those of them who are there, by our number or by Lockt's id: that of one of ours may have been changed there. With
    /// each, whether their name is to be forgotten.
    async fn present(&self, users: &[DisabledUser]) -> Result<Vec<(wire::User, bool)>, VendorError> {
        let mut present: Vec<(wire::User, bool)> = Vec::new();
        for user in users {
            let number = user.id_number.trim();
            let found: Vec<wire::User> = self.find("read user by number", "user", ("idnum", number)).await?;
            let ours = found.into_iter().filter(|found| found.id_num.as_deref() == Some(number));
            present.extend(ours.map(|found| (found, user.nameless)));
            let is_known = |id: &String| present.iter().any(|(found, _)| found.id.as_ref() == Some(id));
            if let Some(id) = user.external_id.as_ref().filter(|id| !is_known(id)) {
                present.extend(self.user_by_id(id).await?.into_iter().map(|found| (found, user.nameless)));
            }
        }
        Ok(present)
    }

    fn nobody_left(&self, present: &[(wire::User, bool)]) -> Result<ChangeReceipt, VendorError> {
        let records = identified(present.iter().map(|(user, _)| mapping::user(user, self.zone)))?;
        let named = |(user, _): &(wire::User, bool)| json!({ "idNumber": user.id_num, "externalId": user.id });
        let listed: Vec<_> = present.iter().map(named).collect();
        Ok(ChangeReceipt {
            result: Some(json!({ "records": listed })),
            found: Portion { records, ..Portion::default() },
            ..ChangeReceipt::of(Answer::Succeeded { evidence: Evidence::VendorAck })
        })
    }
}

/// What is left of somebody: who they are, unless that is to be forgotten. An e-mail address is never said, because Lockt
/// finds others by it.
fn plan((user, nameless): &(wire::User, bool), now: Timestamp) -> UserPlan {
    let (first_name, last_name) = match nameless {
        true => (ERASED_NAMES.0.to_owned(), ERASED_NAMES.1.to_owned()),
        false => (user.first_name.clone().unwrap_or_default(), user.last_name.clone().unwrap_or_default()),
    };
    UserPlan {
        id_number: user.id_num.clone().unwrap_or_default(),
        external_id: user.id.clone(),
        first_name,
        last_name,
        enabled: false,
        access_until: Some(now),
        ..UserPlan::default()
    }
}

fn is_nameless(user: &wire::User) -> bool {
    (user.first_name.as_deref(), user.last_name.as_deref()) == (Some(ERASED_NAMES.0), Some(ERASED_NAMES.1))
}

/// What went wrong before anything was sent leaves nothing open.
fn before_sending(error: VendorError) -> VendorError {
    match error {
        VendorError::Protocol { message } | VendorError::Indeterminate { message, .. } => {
            VendorError::not_ready(message)
        }
        error => error,
    }
}

#[cfg(test)]
mod tests {
    use domain::{account::Vendor, change::Change};
    use serde_json::Value;

    use super::*;
    use crate::{
        port::Order,
        testing::{self, HandClock, Reaction, Server, departure, impatient_factory, json as answer},
    };

    const NONE: &str = "{\"data\":[]}";
    const COUNTS: &str = "{\"data\":{\"submitted\":1,\"inserted\":0,\"updated\":1,\"errors\":0}}";

    fn change() -> Change {
        let user = DisabledUser { id_number: "tok_1".to_owned(), external_id: Some("9".to_owned()), nameless: false };
        Change::DisableUsers { users: vec![user] }
    }

    fn erasure() -> Change {
        let Change::DisableUsers { mut users } = change() else { unreachable!() };
        users[0].nameless = true;
        Change::DisableUsers { users }
    }

    fn kept(number: &str, more: &str) -> Reaction {
        let user =
            format!("\"id\":9,\"id_num\":\"{number}\",\"first_name\":\"Ada\",\"last_name\":\"Q\",\"accesslevels\":[]");
        answer(200, &format!("{{\"data\":[{{{user},\"email\":\"ada@example.org\",{more}}}]}}"))
    }

    async fn carry(answers: Vec<Reaction>) -> (Result<ChangeReceipt, VendorError>, Server) {
        carry_out(&change(), answers).await
    }

    async fn carry_out(change: &Change, answers: Vec<Reaction>) -> (Result<ChangeReceipt, VendorError>, Server) {
        let server = Server::start(answers).await;
        let settings = [("api_user", "u"), ("api_key", "k"), ("time_zone", "Europe/Tallinn")];
        let connection = testing::connect(Vendor::Lockt, &server.url, &settings, &impatient_factory());
        let order = Order { change, target: None, secret: None, first_sent_at: None };
        let result = connection.administration().carry_out(order, &departure(HandClock::new())).await;
        (result, server)
    }

    async fn look(answers: Vec<Reaction>) -> Trace {
        look_for(&change(), answers).await
    }

    async fn look_for(change: &Change, answers: Vec<Reaction>) -> Trace {
        let server = Server::start(answers).await;
        let settings = [("api_user", "u"), ("api_key", "k")];
        let connection = testing::connect(Vendor::Lockt, &server.url, &settings, &impatient_factory());
        let order = Order { change, target: None, secret: None, first_sent_at: None };
        connection.administration().look_for(order).await.unwrap()
    }

    fn lines(server: &Server) -> Vec<String> {
        server.requests().into_iter().map(|request| request.line.replace(" HTTP/1.1", "")).collect()
    }

    #[tokio::test]
    async fn who_is_there_is_disabled_without_levels_and_with_an_end_that_has_passed() {
        let disabled = "\"enabled\":false";
        let answers = vec![
            kept("tok_1", "\"enabled\":true"),
            answer(200, COUNTS),
            kept("tok_1", disabled),
            kept("tok_1", disabled),
        ];
        let (receipt, server) = carry(answers).await;
        assert!(matches!(receipt.unwrap().answer, Answer::Succeeded { .. }));
        assert_eq!(lines(&server)[..2], ["GET /api/v1/user?idnum=tok_1", "POST /api/v1/user"].map(str::to_owned));
        let body: Value = serde_json::from_str(&server.requests()[1].body).unwrap();
        let user = &body["users"][0];
        assert_eq!((&user["id"], &user["id_num"]), (&json!(9), &json!("tok_1")));
        assert_eq!((&user["enabled"], &user["accesslevels"]), (&json!("false"), &json!([])));
        assert!(!user["access_expires"].as_str().unwrap().is_empty());
        assert!(user.get("email").is_none() && user.get("pin").is_none() && user.get("card_num").is_none(), "{user}");
        let options = json!({"update_existing": "true", "validate_fails_batch": "false", "replace_privileges": "true"});
        assert_eq!(body["options"], options);
    }

    #[tokio::test]
    async fn the_name_of_an_erased_person_is_overwritten() {
        let disabled = "\"enabled\":false";
        let answers =
            vec![kept("tok_1", disabled), answer(200, COUNTS), kept("tok_1", disabled), kept("tok_1", disabled)];
        let (receipt, server) = carry_out(&erasure(), answers).await;
        receipt.unwrap();
        let body: Value = serde_json::from_str(&server.requests()[1].body).unwrap();
        let user = &body["users"][0];
        assert_eq!((&user["first_name"], &user["last_name"]), (&json!("Erased"), &json!("person")));
        assert_eq!(user["enabled"], "false");
        assert!(
            matches!(look_for(&erasure(), vec![kept("tok_1", disabled)]).await, Trace::Absent),
            "the name is there"
        );
    }

    #[tokio::test]
    async fn who_is_not_there_is_not_created() {
        let (receipt, server) = carry(vec![answer(200, NONE), answer(200, NONE)]).await;
        assert!(matches!(receipt.unwrap().answer, Answer::Succeeded { .. }));
        assert_eq!(lines(&server), ["GET /api/v1/user?idnum=tok_1", "GET /api/v1/user?id=9"]);
    }

    #[tokio::test]
    async fn one_of_ours_is_found_under_another_number() {
        let disabled = "\"enabled\":false";
        let mut answers = vec![answer(200, NONE), kept("changed", "\"enabled\":true"), answer(200, COUNTS)];
        answers.extend([kept("changed", disabled), kept("changed", disabled)]);
        let (receipt, server) = carry(answers).await;
        receipt.unwrap();
        let body: Value = serde_json::from_str(&server.requests()[2].body).unwrap();
        assert_eq!(body["users"][0]["id_num"], "changed");
    }

    #[tokio::test]
    async fn a_failed_look_sends_nothing() {
        let (receipt, server) = carry(vec![answer(200, "<html>")]).await;
        assert!(matches!(receipt, Err(VendorError::NotReady { .. })), "{receipt:?}");
        assert_eq!(server.requests().len(), 1);
    }

    #[tokio::test]
    async fn a_lost_answer_is_looked_for() {
        assert!(matches!(look(vec![kept("tok_1", "\"enabled\":false")]).await, Trace::Made(_)));
        assert!(matches!(look(vec![kept("tok_1", "\"enabled\":true")]).await, Trace::Absent));
        assert!(matches!(look(vec![answer(200, NONE), answer(200, NONE)]).await, Trace::Made(_)));
    }
}
