//! `missing_description`: a rule that does not say why it is there.

use super::{Context, Group, Lint};
use crate::diag::codes::MISSING_DESCRIPTION;
use crate::diag::{Diagnostic, Level};

/// The lint.
pub const LINT: Lint = Lint {
    name: "missing_description",
    code: MISSING_DESCRIPTION,
    group: Group::Strict,
    level: Level::Allow,
    since: "0.1.0",
    check,
};

fn check(context: &Context<'_>, out: &mut Vec<Diagnostic>) {
    for (written, _) in context
        .rules()
        .filter(|(written, _)| written.description.is_none())
    {
        let message = format!("rule `{}` does not say why it is there", written.name.text);
        out.push(
            LINT.finding(written.name.span, message)
                .help("write the reason in quotes after the name"),
        );
    }
}
