//! One file per engine: its policy's bytes in, an [`Engine`](crate::engine::Engine) out.

pub mod cedar;
pub mod cel;
pub mod gait;
pub mod rego;

use serde::Deserialize;

/// What an engine without a request format of its own reads of an intent; the rest is skipped.
#[derive(Debug, Deserialize)]
pub struct Wire {
    /// The tool.
    pub tool_name: String,
    /// Its arguments.
    pub args: serde_json::Value,
}
