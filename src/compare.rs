//! Comparing two policies: what the analysis finds different, with calls that the production evaluators of both have
//! judged. In: two checked policies. Out: the difference. Pure: the same policies give the same.

use crate::analysis::Direction;
use crate::analysis::difference::{self, Difference, ToolDifference};
use crate::compile::Checked;
use crate::domain::{self, ApprovalSpec};
use crate::hir::{Case, Package, SessionStep};
use crate::json::Json;
use crate::suite::Runner;

/// How much a difference loosens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Loosened {
    /// Kinds of calls and declarations that are loosened.
    pub certain: usize,
    /// Those that may be: no call shows it, and no proof says that there is none.
    pub undecided: usize,
}

/// How much a difference loosens, counted as `gait policy diff` lists it.
pub fn loosened(difference: &Difference) -> Loosened {
    let mut found = Loosened::default();
    let tools = difference.tools.iter();
    let declared = tools.clone().flat_map(|tool| &tool.declared);
    let declared = difference.declared.iter().chain(declared);
    found.certain += declared
        .filter(|declared| declared.direction == Direction::Loosened)
        .count();
    tools.for_each(|tool| of_tool(tool, &mut found));
    found
}

fn of_tool(tool: &ToolDifference, found: &mut Loosened) {
    found.undecided += usize::from(tool.too_large);
    let changes = tool.changes.iter();
    for change in changes.filter(|change| change.direction == Direction::Loosened) {
        let shown = change.kinds.iter().filter(|kind| kind.example.is_some()).count();
        found.certain += shown;
        found.undecided += change.kinds.len() - shown + usize::from(change.more);
    }
}

/// Compares two policies.
pub fn compare(before: &Checked, after: &Checked) -> Difference {
    let [mut old, mut new] = [Runner::new(before), Runner::new(after)];
    let mut judges = |case: &Case| {
        let judge = |runner: &mut Runner<'_>, package: &Package| {
            let judged = runner.judge(&as_declared(case, package));
            (told(judged.decision), judged.record)
        };
        [
            judge(&mut old, before.package()),
            judge(&mut new, after.package()),
        ]
    };
    difference::difference(before.package(), after.package(), &mut judges)
}

/// The call as a policy declares it: without arguments and context that only the other one knows.
fn as_declared(case: &Case, package: &Package) -> Case {
    let args = |tool: &str, args: &Json| match package.tools.iter().find(|known| known.name == tool) {
        Some(tool) if !tool.open => only(args, &|name| tool.args.iter().any(|arg| arg.name == name)),
        _ => args.clone(),
    };
    let session = case.session.iter().map(|step| match step {
        SessionStep::Call {
            tool,
            args: given,
            ok,
        } => SessionStep::Call {
            tool: tool.clone(),
            args: args(tool, given),
            ok: *ok,
        },
        other => other.clone(),
    });
    Case {
        args: args(&case.tool, &case.args),
        given: only(&case.given, &|name| {
            package.context.iter().any(|context| context.field.name == name)
        }),
        session: session.collect(),
        ..case.clone()
    }
}

fn only(object: &Json, is_known: &dyn Fn(&str) -> bool) -> Json {
    let members = object.as_object().unwrap_or_default().iter();
    Json::Object(members.filter(|(name, _)| is_known(name)).cloned().collect())
}

fn told(decision: domain::Decision) -> difference::Decision {
    let by = decision
        .matched
        .iter()
        .filter(|rule| rule.verdict == decision.verdict);
    let asked = |spec: &ApprovalSpec| match &spec.from {
        Some(role) => format!("{spec} ({})", role.members.join(", ")),
        None => spec.to_string(),
    };
    difference::Decision {
        by: by.map(|rule| rule.name.to_string()).collect(),
        approvals: decision.approvals.iter().map(asked).collect(),
        obligations: decision.obligations.iter().map(|o| o.to_string()).collect(),
        verdict: decision.verdict,
        codes: decision.reason_codes,
    }
}
