//! What a policy claims of itself. In: `assert` items, their conditions typed as those of a rule are. Out: assertions
//! over calls. Whether they hold is asked in `analysis`.

use super::{Cond, Rule};
use crate::domain::Verdict;
use crate::source::Span;
use crate::syntax::ast::{self, VerdictOrder};

/// A claim about the verdict of every call of some tools that meets a condition.
#[derive(Clone, Debug)]
pub struct Assertion {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// How the verdict compares with the one that is written.
    pub order: VerdictOrder,
    /// The one that is written.
    pub verdict: Verdict,
    /// Per tool, by index into `Package::tools`, the calls it is about.
    pub on: Vec<(usize, Cond)>,
    /// The whole item.
    pub span: Span,
    /// Its name's place.
    pub name_span: Span,
}

impl Assertion {
    /// Whether a call it is about may get this verdict.
    pub fn accepts(&self, verdict: Verdict) -> bool {
        self.order.holds(verdict, self.verdict)
    }
}

/// A rule with the tools and conditions of an assertion, to be typed as one.
pub(super) fn as_rule(written: &ast::Assert) -> ast::Rule {
    let (on, conditions) = (written.on.clone(), written.conditions.clone());
    ast::Rule::about(
        written.name.clone(),
        on,
        conditions,
        written.verdict.clone(),
        written.span,
    )
}

/// The assertion of a typed rule.
pub(super) fn of_rule(written: &ast::Assert, rule: Rule) -> Assertion {
    Assertion {
        name: rule.name,
        description: written.description.as_ref().map(|text| text.node.clone()),
        order: written.order,
        verdict: rule.verdict,
        on: rule.on,
        span: rule.span,
        name_span: rule.name_span,
    }
}
