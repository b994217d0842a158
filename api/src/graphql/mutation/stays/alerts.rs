//! Alerts.

use async_graphql::{Context, ID, InputObject, Object, Result};

use super::payloads::{AlertPayload, payload};
use crate::{actions::stays::acknowledge_alert, graphql::context::Ask};

/// What `acknowledgeAlert` takes.
#[derive(InputObject)]
pub(crate) struct AcknowledgeAlertInput {
    /// The alert.
    alert_id: ID,
}

#[derive(Default)]
pub(crate) struct AlertMutations;

#[Object]
impl AlertMutations {
    /// Says that the caller took note of an alert. It stays open until its cause is gone; one whose cause cannot be mended
    /// is over with that. Doing it again changes nothing. Needs OPERATOR, and MANAGER for alerts that tell of people.
    async fn acknowledge_alert(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which alert.")] input: AcknowledgeAlertInput,
    ) -> Result<AlertPayload> {
        payload(acknowledge_alert(context.shared()?, &context.caller()?.session, &input.alert_id).await)
    }
}
