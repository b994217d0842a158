//! The harness of the suite: what every test needs and no product code may import.
//! What is tested lives in `it/`; what is measured lives in `src/bin/bench/`.

pub mod binary;
pub mod client;
pub mod crowd;
pub mod house;
pub mod issuer;
pub mod leaks;
pub mod no_secrets;
pub mod services;
pub mod wait;
