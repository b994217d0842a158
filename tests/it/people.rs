//! People, their credentials, access levels and schedules, through the API: what is kept, what is refused, and what opens
//! at the simulated vendors because of it.

mod pages;
mod refused;
mod scene;
mod settled;
mod vendors;
