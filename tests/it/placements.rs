//! What is placed at vendors: it gets there through lost answers and dead workers, it is surely gone afterwards, and what
//! others do there is noticed. Each test runs on both back ends against the simulated vendors.

mod arrival;
mod crashes;
mod elsewhere;
mod foreign;
mod holders;
mod losses;
mod revocation;
mod scene;
