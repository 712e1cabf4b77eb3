//! What a profile lets decisions and sessions cost. In: a package and its index. Out: an error for each tool that costs
//! more, with what makes it so, and one for the session. `dev` has no ceiling.

use super::{Around, Cost, What, monitor_bytes, of_tool, phrase, state_bytes};
use crate::builtins::written::number;
use crate::diag::Diagnostic;
use crate::diag::codes::TOO_COSTLY;
use crate::domain::Profile;
use crate::hir::{Cond, Package, Rule, Slot, Step};
use crate::ir::ToolProgram;
use crate::limits;
use crate::source::Span;
use crate::ty::Ty;

/// The most that decisions and sessions of a policy may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ceiling {
    /// Steps of one decision.
    pub steps: u64,
    /// Bytes of a session's state.
    pub state_bytes: u64,
}

impl Ceiling {
    /// That of a profile.
    pub fn of(profile: Profile) -> Option<Ceiling> {
        match profile {
            Profile::Dev => None,
            Profile::Standard => Some(Ceiling {
                steps: limits::STANDARD_STEPS,
                state_bytes: limits::STANDARD_STATE_BYTES,
            }),
            Profile::Strict => Some(Ceiling {
                steps: limits::STRICT_STEPS,
                state_bytes: limits::STRICT_STATE_BYTES,
            }),
        }
    }
}

/// Reports what costs more than the package's profile allows, and notes the steps of each tool in its program.
pub fn check(package: &Package, tools: &mut [ToolProgram], out: &mut Vec<Diagnostic>) {
    let context = crate::ir::context::fields(package);
    let around = Around {
        context: &context,
        monitors: &package.history.monitors,
        labels: &package.labels,
    };
    let ceiling = Ceiling::of(package.profile);
    for tool in tools {
        let cost = of_tool(around, tool);
        tool.steps = cost.steps();
        if let Some(ceiling) = ceiling.filter(|ceiling| tool.steps > ceiling.steps) {
            out.push(too_many_steps(package, around, tool, &cost, ceiling.steps));
        }
    }
    let bytes = state_bytes(&package.labels, &package.history.monitors);
    if let Some(ceiling) = ceiling.filter(|ceiling| bytes > ceiling.state_bytes) {
        out.push(too_many_bytes(package, bytes, ceiling.state_bytes));
    }
}

fn too_many_steps(
    package: &Package,
    around: Around<'_>,
    tool: &ToolProgram,
    cost: &Cost,
    most: u64,
) -> Diagnostic {
    let declared = package.tools.iter().find(|declared| declared.name == tool.name);
    let span = declared.map_or(Span::default(), |declared| declared.span);
    let message = format!(
        "a decision on tool `{}` may take {} steps, and profile `{}` allows {}",
        tool.name,
        of(tool.steps),
        package.profile,
        of(most)
    );
    let report = Diagnostic::error(TOO_COSTLY, span, message).label("calls of this tool");
    let Some(part) = cost.costliest() else {
        return report;
    };
    let what = phrase(around, tool, &part.what);
    let what = match &part.what {
        What::List(_, elements) if *elements != 1 => format!("{what}, of up to {} elements", of(*elements)),
        _ => what,
    };
    let report = report.why(format!("{} of them are for {what}", of(part.steps)));
    let report = match asking(package, tool, &part.what) {
        Some(rule) => report.also(
            rule.conditions_span.unwrap_or(rule.name_span),
            format!("rule `{}` asks about it", rule.name),
        ),
        None => report,
    };
    report.help(match part.what {
        What::List(..) | What::Slot(_) => {
            "give its lists a smaller `max`, ask less of each element, or leave quantifiers within quantifiers out"
        }
        What::Session => "ask less of the session in rules and events",
        What::Value(_) | What::Verdict => "write fewer rules, or fewer alternatives, on this tool",
    })
}

/// The first rule that looks at a part.
fn asking<'p>(package: &'p Package, tool: &ToolProgram, what: &What) -> Option<&'p Rule> {
    let number = package.tools.iter().position(|known| known.name == tool.name)?;
    let slot = |number: usize| match tool.slots.get(number)? {
        Slot::Holds(_) => None,
        _ => Some(vec![Step::Field(
            u32::try_from(tool.args.len() + 1 + number).ok()?,
        )]),
    };
    let asks = |cond: &Cond| match what {
        What::Value(steps) | What::List(steps, _) => looks_at(cond, steps),
        // A comparison has its slot only once it is taken out of its condition.
        What::Slot(number) => match slot(*number) {
            Some(steps) => looks_at(cond, &steps),
            None => compares(cond, tool.slots.get(*number)),
        },
        What::Verdict | What::Session => false,
    };
    let on = |rule: &&Rule| rule.on.iter().any(|(of, cond)| *of == number && asks(cond));
    package.rules.iter().find(on)
}

fn looks_at(cond: &Cond, steps: &[Step]) -> bool {
    let mut found = false;
    cond.each_place(&mut |place| found |= place.level == 0 && place.steps == steps);
    found
}

fn compares(cond: &Cond, slot: Option<&Slot>) -> bool {
    let same = |cond: &Cond| matches!(slot, Some(Slot::Holds(held)) if cond.unplaced() == *held);
    match cond {
        Cond::Not(inner) => compares(inner, slot),
        Cond::And(parts) | Cond::Or(parts) => parts.iter().any(|part| compares(part, slot)),
        Cond::Any { .. } | Cond::Relation(_) => same(cond),
        Cond::Const(_) | Cond::Atom(_) => false,
    }
}

fn too_many_bytes(package: &Package, bytes: u64, most: u64) -> Diagnostic {
    let monitors = package.history.monitors.iter().enumerate();
    let largest = monitors.max_by_key(|(_, monitor)| monitor_bytes(monitor));
    let rule = largest.and_then(|(number, _)| remembering(package, number));
    let start = package.sources.first().map(|source| Span::new(source.id, 0, 0));
    let span = rule.map(|rule| rule.conditions_span.unwrap_or(rule.name_span));
    let message = format!(
        "the state of a session may take {} bytes, and profile `{}` allows {}",
        of(bytes),
        package.profile,
        of(most)
    );
    let report = Diagnostic::error(TOO_COSTLY, span.or(start).unwrap_or_default(), message);
    let report = match largest {
        Some((_, monitor)) => report.label(format!(
            "what this asks takes {} of them",
            of(u64::try_from(monitor_bytes(monitor)).unwrap_or(u64::MAX))
        )),
        None => report,
    };
    report.help("count up to less within a time, or ask fewer different questions about the session")
}

/// The first rule that asks about a monitor.
fn remembering(package: &Package, monitor: usize) -> Option<&Rule> {
    let is_it = |slot: &Slot| matches!(slot, Slot::History(of) | Slot::Tally(of) if *of as usize == monitor);
    let asks = |rule: &&Rule| {
        rule.on.iter().any(|(number, cond)| {
            let Some(tool) = package.tools.get(*number) else {
                return false;
            };
            let slots = (tool.args.len() + 1..).zip(&tool.slots);
            let mut fields = slots.filter(|(_, slot)| is_it(slot));
            fields.any(|(field, _)| {
                u32::try_from(field).is_ok_and(|field| looks_at(cond, &[Step::Field(field)]))
            })
        })
    };
    package.rules.iter().find(asks)
}

fn of(n: u64) -> String {
    number(i128::from(n), &Ty::Int)
}
