//! What the properties of the analyses share: random policies checked, and calls of their one tool.

use gait::compile::{self, Checked, Purpose, Texts};
use gait::hir::Case;
use gait::json;

/// A policy of one file; none where it has errors.
pub fn checked(text: &str) -> Option<Checked> {
    compile::check_with("p.gaitpol", text, &Texts::default(), Purpose::Author).checked
}

/// A call of the tool that random policies are about, with arguments as JSON text.
pub fn call(args: &str) -> Case {
    Case {
        at: Some(0),
        ..Case::call("t.one", json::parse(args.as_bytes()).unwrap_or(json::Json::Null))
    }
}
