//! Stays: what a PMS tells of them is followed, every one is ready or says why (P15), and no change of one leaves a guest
//! before a closed door or a left room open (P12).

mod following;
mod many;
mod moves;
mod ready;
mod scene;
