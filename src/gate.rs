//! The gate: from the bytes of a request to a decision. State goes in and a state change comes out; it must not know
//! files, the clock or the network.

pub mod approval;
pub mod decide;
mod elements;
pub mod intent;
mod labels;
mod limit;
pub mod request;
mod said;
pub mod script;
pub mod state;
mod stop;

pub use decide::{Gate, Judged, millis};
pub use intent::IntentError;
pub use script::JudgedStep;
pub use state::StateError;
pub use stop::stop_of;
