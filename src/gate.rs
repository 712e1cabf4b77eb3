//! The gate: from the bytes of a request to a decision. State goes in and a state change comes out; it must not know
//! files, the clock or the network.

pub mod intent;

pub use intent::IntentError;
