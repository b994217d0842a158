//! What a resource is: its categories and the times in which it can not be used, which Mews tells in lists of their own.

use std::collections::{BTreeMap, HashMap};

use chrono::TimeDelta;
use domain::{clock::Timestamp, record::ResourceBlock};
use serde_json::json;

use super::{
    client::{self, Mews, without_id},
    mapping,
    sweep::interval,
    wire,
};
use crate::error::VendorError;

/// What else is known of one resource.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct ResourceFacts {
    /// Its categories, each with its type if told.
    pub(super) categories: BTreeMap<String, Option<String>>,
    /// When it can not be used.
    pub(super) blocks: Vec<ResourceBlock>,
}

/// What else is known of the resources, by their ids.
#[derive(Debug, Default)]
pub(super) struct Catalogue(HashMap<String, ResourceFacts>);

impl Catalogue {
    /// What else is known of a resource.
    pub(super) fn of(&self, resource: Option<&String>) -> ResourceFacts {
        resource.and_then(|resource| self.0.get(resource)).cloned().unwrap_or_default()
    }
}

impl Mews {
    /// Reads what else is known of all resources, or of one.
    pub(super) async fn catalogue(&self, resource: Option<&str>, now: Timestamp) -> Result<Catalogue, VendorError> {
        let mut catalogue = Catalogue::default();
        let services: Vec<wire::Service> = self.all(client::SERVICES, json!({ "ServiceType": "Bookable" })).await?;
        let services = active_ids(services.into_iter().map(|service| (service.id, service.is_active)), "service")?;
        let active = json!({ "ActivityStates": ["Active"] });
        let categories: Vec<wire::Category> =
            self.all_about(client::CATEGORIES, &active, "ServiceIds", &services).await?;
        let types: BTreeMap<_, _> =
            categories.iter().filter_map(|it| Some((it.id.clone()?, it.kind.clone()))).collect();
        let categories = active_ids(categories.into_iter().map(|it| (it.id, it.is_active)), "resource category")?;
        let mut filter = active.clone();
        if let Some(resource) = resource {
            filter = json!({ "ActivityStates": ["Active"], "ResourceIds": [resource] });
        }
        let assignments: Vec<wire::Assignment> =
            self.all_about(client::ASSIGNMENTS, &filter, "ResourceCategoryIds", &categories).await?;
        for assignment in assignments.into_iter().filter(|assignment| assignment.is_active != Some(false)) {
            let (Some(resource), Some(category)) = (assignment.resource_id, assignment.category_id) else { continue };
            let kind = types.get(&category).cloned().flatten();
            catalogue.0.entry(resource).or_default().categories.insert(category, kind);
        }
        for block in self.blocks(resource, now).await? {
            let Some(resource) = block.assigned_resource_id.clone() else { continue };
            let block = mapping::block(block).ok_or_else(|| without_id("resource block"))?;
            catalogue.0.entry(resource).or_default().blocks.push(block);
        }
        for facts in catalogue.0.values_mut() {
            facts.blocks.sort_by(|one, other| one.external_id.cmp(&other.external_id));
        }
        Ok(catalogue)
    }

    async fn blocks(&self, resource: Option<&str>, now: Timestamp) -> Result<Vec<wire::Block>, VendorError> {
        // As much of the horizon as fits into one interval: one question instead of two.
        let near = interval(now - TimeDelta::days(1), now + TimeDelta::days(88));
        let mut filter = json!({ "CollidingUtc": near, "ActivityStates": ["Active"] });
        if let (Some(resource), Some(filter)) = (resource, filter.as_object_mut()) {
            filter.insert("AssignedResourceIds".to_owned(), json!([resource]));
        }
        let blocks: Vec<wire::Block> = self.all(client::BLOCKS, filter).await?;
        Ok(blocks.into_iter().filter(|block| block.is_active != Some(false)).collect())
    }
}

/// The ids of what is not said to be out of use.
fn active_ids(
    listed: impl Iterator<Item = (Option<String>, Option<bool>)>,
    what: &str,
) -> Result<Vec<String>, VendorError> {
    listed
        .filter(|(_, is_active)| *is_active != Some(false))
        .map(|(id, _)| id.ok_or_else(|| without_id(what)))
        .collect()
}
