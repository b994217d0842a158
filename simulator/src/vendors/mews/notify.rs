//! What Mews tells by webhook: general ones with the ids of what changed, and those about integrations, which hold secrets.
//! When something is told is decided where it happens.

use serde_json::{Value, json};

use super::{
    state::{Integration, Mews},
    wire::time,
};
use crate::{answer::Circumstances, vendors::Vendor};

/// One element of `Events`. Tokens, companionships, services and categories raise none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Event<'a> {
    /// A reservation was made or changed.
    ServiceOrderUpdated(&'a str),
    ResourceUpdated(&'a str),
    ResourceBlockUpdated(&'a str),
    CustomerAdded(&'a str),
    CustomerUpdated(&'a str),
}

impl Event<'_> {
    fn json(self) -> Value {
        let (discriminator, id) = match self {
            Event::ServiceOrderUpdated(id) => ("ServiceOrderUpdated", id),
            Event::ResourceUpdated(id) => ("ResourceUpdated", id),
            Event::ResourceBlockUpdated(id) => ("ResourceBlockUpdated", id),
            Event::CustomerAdded(id) => ("CustomerAdded", id),
            Event::CustomerUpdated(id) => ("CustomerUpdated", id),
        };
        json!({ "Discriminator": discriminator, "Value": { "Id": id } })
    }
}

impl Mews {
    /// Tells every integration of an enterprise, in one message each.
    pub(super) fn tell(&self, enterprise: usize, events: &[Event<'_>], at: &Circumstances<'_>) {
        let reached = self.integrations.iter().filter(|integration| integration.enterprises.contains(&enterprise));
        for integration in reached {
            self.tell_one(integration, enterprise, events, at);
        }
    }

    /// Tells every integration of a chain, whose enterprises share their customers, in the name of its first enterprise.
    pub(super) fn tell_chain(&self, chain: usize, events: &[Event<'_>], at: &Circumstances<'_>) {
        for integration in self.integrations.iter().filter(|integration| integration.chain == chain) {
            if let Some(first) = integration.enterprises.first() {
                self.tell_one(integration, *first, events, at);
            }
        }
    }

    fn tell_one(&self, integration: &Integration, enterprise: usize, events: &[Event<'_>], at: &Circumstances<'_>) {
        let Some(enterprise) = self.enterprises.get(enterprise).filter(|_| integration.enabled) else { return };
        let events: Vec<Value> = events.iter().map(|event| event.json()).collect();
        let body = json!({ "EnterpriseId": enterprise.id, "IntegrationId": integration.id, "Events": events });
        at.webhooks.fire(Vendor::Mews, &enterprise.id, body);
    }

    /// An integration webhook. The document shows all of `Data` for a creation and for a new key only; the others name the
    /// integration.
    pub(super) fn tell_integration(&self, integration: &Integration, action: &str, at: &Circumstances<'_>) {
        let first = integration.enterprises.first().and_then(|index| self.enterprises.get(*index));
        let Some(enterprise) = first else { return };
        let named = json!({ "Id": integration.id, "Name": integration.client });
        let data = match action {
            "IntegrationCreated" => json!({
                "Enterprise": { "Id": enterprise.id, "Name": enterprise.name },
                "Service": null,
                "Requestor": null,
                "AccessToken": integration.access_token,
                "CreatedUtc": time(at.now),
                "IsEnabled": integration.enabled,
                "Integration": named,
            }),
            "IntegrationApiKeyCreated" => json!({ "Integration": named, "ApiKey": integration.access_token }),
            "IntegrationDeleted" => json!({ "Integration": named, "DeletedUtc": time(at.now) }),
            _ => json!({ "Integration": named }),
        };
        at.webhooks.fire(Vendor::Mews, &enterprise.id, json!({ "Action": action, "Data": data }));
    }
}
