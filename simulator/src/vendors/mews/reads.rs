//! The reads needed for an import (M5): configuration, enterprises, services, resources, customers and what belongs to them.
//! Reservations are in `stays`. Every filter given must match: the document combines them so only by implication.

use serde_json::{Value, json};

use super::{
    Caller,
    pages::page,
    request::{Fields, Refusal},
    state::{Mews, Resource},
    wire::time,
};
use crate::answer::Circumstances;

impl Mews {
    pub(super) fn configuration(
        &self,
        caller: &Caller,
        body: Fields<'_>,
        at: &Circumstances<'_>,
    ) -> Result<Value, Refusal> {
        let enterprise = if caller.portfolio && body.get("EnterpriseId").is_none() {
            self.portfolio_json(caller.chain)
        } else {
            let scope = self.one_enterprise(caller, body)?;
            let enterprise = scope.first().and_then(|index| self.enterprises.get(*index));
            enterprise.map(|enterprise| self.enterprise_json(enterprise)).unwrap_or_default()
        };
        Ok(json!({
            "NowUtc": time(at.now),
            "Enterprise": enterprise,
            "Service": null,
            "IsIdentityDocumentNumberRequired": false,
        }))
    }

    pub(super) fn list_enterprises(&self, caller: &Caller, body: Fields<'_>) -> Result<Value, Refusal> {
        let ids = body.words("EnterpriseIds")?;
        let external = body.words("ExternalIdentifiers")?;
        let (linked, updated) = (body.times("LinkedUtc")?, body.times("UpdatedUtc")?);
        let reached = caller.enterprises.iter().filter_map(|index| self.enterprises.get(*index));
        let reached: Vec<&str> = reached.map(|enterprise| enterprise.id.as_str()).collect();
        let found = page(
            &self.enterprises,
            body.limitation()?,
            |enterprise| reached.contains(&enterprise.id.as_str()),
            |_, enterprise| {
                ids.allow(&enterprise.id)
                    && external.allow_optional(None)
                    && linked.at(enterprise.created)
                    && updated.at(enterprise.created)
            },
        )?;
        Ok(found.json("Enterprises", |_, enterprise| self.enterprise_json(enterprise)))
    }

    pub(super) fn list_services(&self, caller: &Caller, body: Fields<'_>) -> Result<Value, Refusal> {
        let ids = body.words("ServiceIds")?;
        let updated = body.times("UpdatedUtc")?;
        let bookable = match body.optional_text("ServiceType")? {
            None => None,
            Some("Bookable") => Some(true),
            Some("Additional") => Some(false),
            Some(_) => return Err(Refusal::invalid("ServiceType")),
        };
        let scope = self.scope(caller, body)?;
        let found = page(
            &self.services,
            body.limitation()?,
            |service| scope.contains(&service.enterprise),
            |_, service| {
                ids.allow(&service.id)
                    && bookable.is_none_or(|bookable| bookable == service.bookable)
                    && updated.at(service.created)
            },
        )?;
        Ok(found.json("Services", |_, service| self.service_json(service)))
    }

    /// Of the extents only resources are served; the others are deprecated.
    pub(super) fn list_resources(&self, caller: &Caller, body: Fields<'_>) -> Result<Value, Refusal> {
        let extent = body.extent()?;
        let (wanted, inactive) = (extent.flag("Resources")?, extent.flag("Inactive")?);
        let (ids, names) = (body.words("ResourceIds")?, body.words("Names")?);
        let (created, updated) = (body.times("CreatedUtc")?, body.times("UpdatedUtc")?);
        let scope = self.scope(caller, body)?;
        let keep = |resource: &Resource| {
            wanted
                && (resource.active || inactive)
                && ids.allow(&resource.id)
                && names.allow(&resource.name)
                && created.at(resource.created)
                && updated.at(resource.updated)
        };
        let visible = |resource: &Resource| scope.contains(&resource.enterprise);
        let found = page(&self.resources, body.limitation()?, visible, |_, resource| keep(resource))?;
        Ok(found.json("Resources", |_, resource| self.resource_json(resource)))
    }

    pub(super) fn list_categories(&self, caller: &Caller, body: Fields<'_>) -> Result<Value, Refusal> {
        let services = body.required_words("ServiceIds")?;
        let ids = body.words("ResourceCategoryIds")?;
        let (updated, activity) = (body.times("UpdatedUtc")?, body.activity()?);
        let scope = self.scope(caller, body)?;
        let found = page(
            &self.categories,
            body.limitation()?,
            |category| scope.contains(&category.enterprise),
            |_, category| {
                activity.allows(true)
                    && ids.allow(&category.id)
                    && updated.at(category.created)
                    && services.allow_optional(self.services.get(category.service).map(|service| service.id.as_str()))
            },
        )?;
        Ok(found.json("ResourceCategories", |_, category| self.category_json(category)))
    }

    /// The filter by activity looks at the assignment alone, `IsActive` also at its resource.
    pub(super) fn list_assignments(&self, caller: &Caller, body: Fields<'_>) -> Result<Value, Refusal> {
        let categories = body.required_words("ResourceCategoryIds")?;
        let (ids, activity) = (body.words("ResourceIds")?, body.activity()?);
        let scope = self.scope(caller, body)?;
        let found = page(
            &self.assignments,
            body.limitation()?,
            |assignment| scope.contains(&assignment.enterprise),
            |_, assignment| {
                let category = self.categories.get(assignment.category).map(|category| category.id.as_str());
                let resource = self.resources.get(assignment.resource).map(|resource| resource.id.as_str());
                activity.allows(true) && categories.allow_optional(category) && ids.allow_optional(resource)
            },
        )?;
        Ok(found.json("ResourceCategoryAssignments", |_, assignment| self.assignment_json(assignment)))
    }

    /// Customers belong to the chain. Nobody here has a loyalty code or a company, and nobody was deleted.
    pub(super) fn list_customers(&self, caller: &Caller, body: Fields<'_>) -> Result<Value, Refusal> {
        let extent = body.extent()?;
        let (wanted, _addresses) = (extent.flag("Customers")?, extent.flag("Addresses")?);
        let chains = if caller.portfolio { body.required_words("ChainIds")? } else { body.words("ChainIds")? };
        let (ids, emails) = (body.words("CustomerIds")?, body.words("Emails")?);
        let (first_names, last_names) = (body.words("FirstNames")?, body.words("LastNames")?);
        let (codes, companies) = (body.words("LoyaltyCodes")?, body.words_up_to("CompanyIds", 1)?);
        let (created, updated) = (body.times("CreatedUtc")?, body.times("UpdatedUtc")?);
        let deleted = body.times("DeletedUtc")?;
        let words = [&ids, &emails, &first_names, &last_names, &codes, &companies];
        if !words.iter().any(|words| words.given()) && ![created, updated, deleted].iter().any(|times| times.given()) {
            return Err(Refusal::invalid("CustomerIds"));
        }
        let activity = body.activity()?;
        let chain = self.chains.get(caller.chain).map(String::as_str);
        let found = page(
            &self.customers,
            body.limitation()?,
            |customer| customer.chain == caller.chain && chains.allow_optional(chain),
            |_, customer| {
                wanted
                    && activity.allows(true)
                    && ids.allow(&customer.id)
                    && emails.allow_optional(customer.email.as_deref())
                    && first_names.allow(&customer.first_name)
                    && last_names.allow(&customer.last_name)
                    && codes.allow_optional(None)
                    && companies.allow_optional(None)
                    && created.at(customer.created)
                    && updated.at(customer.updated)
                    && deleted.at_optional(None)
            },
        )?;
        Ok(found.json("Customers", |_, customer| self.customer_json(customer)))
    }

    /// One enterprise for operations that take a single one: named with a portfolio token, the only one otherwise.
    pub(super) fn one_enterprise(&self, caller: &Caller, body: Fields<'_>) -> Result<Vec<usize>, Refusal> {
        if !caller.portfolio {
            return Ok(caller.enterprises.clone());
        }
        let id = body.text("EnterpriseId")?;
        let named = |index: &usize| self.enterprises.get(*index).is_some_and(|enterprise| enterprise.id == id);
        let found = caller.enterprises.iter().copied().find(named);
        found.map(|index| vec![index]).ok_or_else(|| Refusal::invalid("EnterpriseId"))
    }

    /// The enterprises of a list operation: those named, or all the token reaches. One it does not reach is as one that does
    /// not exist.
    pub(super) fn scope(&self, caller: &Caller, body: Fields<'_>) -> Result<Vec<usize>, Refusal> {
        let ids = body.words("EnterpriseIds")?;
        let named = |index: &usize| ids.allow_optional(self.enterprises.get(*index).map(|found| found.id.as_str()));
        Ok(caller.enterprises.iter().copied().filter(named).collect())
    }
}
