//! Stays with their guests: what is read beside each page of reservations, and people by their ids.

use std::collections::{BTreeMap, BTreeSet};

use domain::record::FoundRecord;
use serde_json::json;

use super::{
    client::{self, Mews, Places, without_id},
    mapping, wire,
};
use crate::{error::VendorError, port::Portion};

impl Mews {
    /// Reservations as records, after the people who stay.
    pub(super) async fn stays(
        &self,
        reservations: Vec<wire::Reservation>,
        places: &Places,
    ) -> Result<Portion, VendorError> {
        let missing = || without_id("reservation");
        let ids: Vec<_> = reservations.iter().map(|it| it.id.clone().ok_or_else(missing)).collect::<Result<_, _>>()?;
        let mut companions = self.companions(&ids).await?;
        let guests = reservations.iter().filter_map(|reservation| mapping::guest(reservation)).map(str::to_owned);
        let with_them = companions.values().flatten().map(|(_, person)| person.clone());
        let people: BTreeSet<_> = guests.chain(with_them).collect();
        let mut records = self.people(&people.into_iter().collect::<Vec<_>>(), places).await?;
        for (id, reservation) in ids.iter().zip(reservations) {
            let location = places.of_service(reservation.service_id.as_deref());
            let companions = companions.remove(id).unwrap_or_default();
            records.push(mapping::reservation(reservation, companions, location).ok_or_else(missing)?);
        }
        Ok(Portion { records, ..Portion::default() })
    }

    /// People by their ids, deleted ones too.
    pub(super) async fn people(&self, ids: &[String], places: &Places) -> Result<Vec<FoundRecord>, VendorError> {
        let mut filter = json!({
            "Extent": { "Customers": true, "Addresses": false },
            "ActivityStates": ["Active", "Deleted"],
        });
        if let (false, Some(filter)) = (places.chains.is_empty(), filter.as_object_mut()) {
            filter.insert("ChainIds".to_owned(), json!(places.chains));
        }
        let customers: Vec<wire::Customer> = self.all_about(client::CUSTOMERS, &filter, "CustomerIds", ids).await?;
        let missing = || without_id("customer");
        customers.into_iter().map(|it| mapping::user(it, places.of_people()).ok_or_else(missing)).collect()
    }

    /// Who stays along, by reservation: pairs of companionship and person.
    async fn companions(
        &self,
        reservations: &[String],
    ) -> Result<BTreeMap<String, Vec<(String, String)>>, VendorError> {
        let nothing_more =
            json!({ "Extent": { "Reservations": false, "ReservationGroups": false, "Customers": false } });
        let rows: Vec<wire::Companionship> =
            self.all_about(client::COMPANIONSHIPS, &nothing_more, "ReservationIds", reservations).await?;
        let mut companions: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for row in rows {
            let id = row.id.ok_or_else(|| without_id("companionship"))?;
            if let (Some(reservation), Some(person)) = (row.reservation_id, row.customer_id) {
                companions.entry(reservation).or_default().push((id, person));
            }
        }
        Ok(companions)
    }
}
