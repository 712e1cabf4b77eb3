//! `missing_version`: a policy without a version.

use super::{Context, Group, Lint};
use crate::diag::codes::MISSING_VERSION;
use crate::diag::{Diagnostic, Level};
use crate::syntax::ast::Item;

/// The lint.
pub const LINT: Lint = Lint {
    name: "missing_version",
    code: MISSING_VERSION,
    group: Group::Strict,
    level: Level::Allow,
    since: "0.1.0",
    check,
};

fn check(context: &Context<'_>, out: &mut Vec<Diagnostic>) {
    for item in &context.module.items {
        if let Item::Policy(policy) = item
            && policy.version.is_none()
        {
            let message = format!("policy `{}` has no version", policy.name.text);
            out.push(
                LINT.finding(policy.name.span, message)
                    .why("traces name the policy they were decided by, and two of one name look alike")
                    .help("write it after the name: `@ \"1.0.0\"`"),
            );
        }
    }
}
