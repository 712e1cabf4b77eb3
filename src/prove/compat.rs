//! Whether a policy keeps what it promises about an earlier one. In: both, checked. Out: that it does, or the first
//! difference of the wrong kind, with a call that both have judged where there is one.

use super::{Proof, witness};
use crate::analysis::difference::{Change, Decision, What};
use crate::analysis::{Difference, Direction, Outcome, told_apart};
use crate::artifact::digest;
use crate::compare;
use crate::compile::{self, Checked, Compat};
use crate::diag::Diagnostic;
use crate::diag::codes::{COMPAT_BROKEN, NOT_DECIDED};
use crate::hir::{Case, Package};
use crate::ir;
use crate::syntax::ast::Promise;

/// A difference of the wrong kind.
enum Broken<'d> {
    /// This call shows it.
    Call(&'d What, &'d Case, &'d [Decision; 2]),
    /// Something is declared otherwise, of this tool where it is about one.
    Declared(Option<&'d str>, &'d str),
    /// Nothing shows it, nor that there is none, of this tool.
    Open(&'d str),
    /// The rules on this tool are too many to tell.
    TooLarge(&'d str),
}

/// What becomes of a promise, and the error where it is not kept.
pub(super) fn kept(checked: &Checked, compat: &Compat) -> (Proof, Option<Diagnostic>) {
    let difference = compare::compare(&compat.earlier, checked);
    let broken = broken(&difference, compat.promise);
    let package = checked.package();
    let number = |name: &str| package.tools.iter().position(|tool| tool.name == name);
    let (outcome, by) = match &broken {
        None => (Outcome::Holds, None),
        Some(Broken::Call(_, call, [_, after])) => (
            Outcome::Fails(Box::new((*call).clone())),
            Some((after.verdict, after.by.clone())),
        ),
        Some(Broken::Declared(tool, text)) => (Outcome::Declared(declared(*tool, text)), None),
        Some(Broken::Open(tool)) => (Outcome::Open(number(tool).unwrap_or(usize::MAX)), None),
        Some(Broken::TooLarge(tool)) => (Outcome::TooLarge(number(tool).unwrap_or(usize::MAX)), None),
    };
    let earlier = compile::lower(&compat.earlier);
    let proof = Proof {
        name: compat.name.clone(),
        outcome,
        broken: by,
        claim: digest::sha256(&ir::promise(compat.promise, &earlier)),
    };
    (proof, broken.map(|broken| report(package, compat, &broken)))
}

/// The first difference of the wrong kind; one that a call or declaration shows comes before one that nothing does.
fn broken(difference: &Difference, promise: Promise) -> Option<Broken<'_>> {
    let wrong = match promise {
        Promise::Narrows => Direction::Loosened,
        Promise::Widens => Direction::Tightened,
    };
    let tools = || difference.tools.iter();
    let changes = || {
        tools()
            .flat_map(|tool| tool.changes.iter().map(move |change| (tool, change)))
            .filter(|(_, change)| change.direction == wrong)
    };
    let of_policy = difference.declared.iter().map(|declared| (None, declared));
    let of_tools = tools().flat_map(|tool| {
        let name = Some(tool.tool.as_str());
        tool.declared.iter().map(move |declared| (name, declared))
    });
    let mut otherwise = of_policy
        .chain(of_tools)
        .filter(|(_, declared)| declared.direction == wrong);
    let call = changes().find_map(|(_, change)| shown(change));
    call.or_else(|| {
        let (tool, declared) = otherwise.next()?;
        Some(Broken::Declared(tool, &declared.text))
    })
    .or_else(|| changes().next().map(|(tool, _)| Broken::Open(&tool.tool)))
    .or_else(|| {
        let tool = tools().find(|tool| tool.too_large)?;
        Some(Broken::TooLarge(&tool.tool))
    })
}

/// The first call that shows a change.
fn shown(change: &Change) -> Option<Broken<'_>> {
    let (call, both) = change.kinds.iter().find_map(|kind| kind.example.as_ref())?;
    Some(Broken::Call(&change.what, call, both))
}

fn declared(tool: Option<&str>, text: &str) -> String {
    match tool {
        Some(tool) => format!("`{tool}`: {text}"),
        None => text.to_owned(),
    }
}

fn report(package: &Package, compat: &Compat, broken: &Broken<'_>) -> Diagnostic {
    let Compat {
        name,
        name_span,
        promise,
        ..
    } = compat;
    let label = format!("promises `{}`", promise.as_str());
    let error = |message: String| Diagnostic::error(COMPAT_BROKEN, *name_span, message).label(&label);
    let help = match promise {
        Promise::Narrows => "make the policy as strict there, or promise it of a later release",
        Promise::Widens => "make the policy as mild there, or promise it of a later release",
    };
    match broken {
        Broken::Call(what, call, both) => of_call(package, error, name, (what, call, both)).help(help),
        Broken::Declared(tool, text) => {
            error(format!("`{name}` is not kept: {}", declared(*tool, text))).help(help)
        }
        Broken::Open(tool) | Broken::TooLarge(tool) => {
            let why = match broken {
                Broken::Open(_) => "no proof was found that it is, and no call that shows that it is not",
                _ => &too_large(package, tool),
            };
            let message = format!("whether `{name}` is kept of `{tool}` was not decided");
            Diagnostic::error(NOT_DECIDED, *name_span, message)
                .label(&label)
                .why(why)
                .help("change the rules on this tool in smaller steps, or promise it of a later release")
        }
    }
}

/// Why the calls of a tool were too many to tell.
fn too_large(package: &Package, tool: &str) -> String {
    let number = package.tools.iter().position(|known| known.name == tool);
    told_apart(package, number.unwrap_or(usize::MAX), &[])
}

/// The report of a call that both policies have judged.
fn of_call(
    package: &Package,
    error: impl Fn(String) -> Diagnostic,
    name: &str,
    (what, call, [before, after]): (&What, &Case, &[Decision; 2]),
) -> Diagnostic {
    let tool = &call.tool;
    let message = match what {
        What::Verdict(from, to) => {
            format!("`{name}` is not kept: a call of `{tool}` got `{from}` and gets `{to}`")
        }
        _ => format!("`{name}` is not kept: something else is asked of a call of `{tool}`"),
    };
    let mut diagnostic = error(message).witness(witness(call));
    let rules = package.rules.iter();
    for rule in rules.filter(|rule| after.by.contains(&rule.name)).take(3) {
        let gives = format!("this rule gives `{}`", after.verdict);
        diagnostic = diagnostic.also(rule.name_span, gives);
    }
    let by = match before.by.as_slice() {
        [] => "by default".to_owned(),
        rules => format!("by `{}`", rules.join("`, `")),
    };
    diagnostic.why(format!("the earlier policy gives it `{}` {by}", before.verdict))
}
