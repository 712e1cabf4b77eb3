//! What happened in a session before a call: events, and finite monitors over them. In: `once(…)`, `after(…)`,
//! `count(…)`, `history matches […]` and latches. Out: events typed for each tool, monitors of constant size, and the
//! slots that hold their outputs.

use super::condition::{self, Failed};
use super::env::Env;
use super::names::Names;
use super::scope::Scope;
use super::{Atom, Cond, Place, Question, Slot, constant};
use super::{labels, limit};
use crate::builtins::duration;
use crate::diag::Diagnostic;
use crate::diag::codes::{BAD_HISTORY, BAD_LITERAL, CLAIM_LOOSENS, DUPLICATE_NAME, TOO_LARGE, TYPE_MISMATCH};
use crate::limits;
use crate::source::{Span, Spanned};
use crate::syntax::ast::{self, EventKind, Expr, ExprKind, Item, Op, PatternItem, ResultTest};
use crate::ty::Ty;

/// The events and monitors of a package.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// Events that monitors look for.
    pub events: Vec<Event>,
    /// Monitors.
    pub monitors: Vec<Monitor>,
}

/// Something that happens in a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Calls of these tools, by index, that satisfy their conditions; none for a person's turn.
    pub calls: Vec<(usize, Cond)>,
    /// The result has one of these labels; 0 where none is asked for.
    pub labels: u64,
    /// The call succeeded, or failed, where that is asked.
    pub ok: Option<bool>,
    /// A person spoke.
    pub turn: bool,
}

/// A finite automaton over the events of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Monitor {
    /// Set by one event and cleared by another; where one call is both, one of them counts.
    Flag {
        /// Sets it.
        set: u32,
        /// Clears it.
        clear: Option<u32>,
        /// An event that is both clears.
        clear_wins: bool,
    },
    /// The last events match a pattern.
    Pattern(Vec<PatternStep>),
    /// How many events there were, up to a bound.
    Count {
        /// What is counted.
        event: u32,
        /// Counting stops here; no condition tells higher numbers apart.
        cap: u32,
    },
    /// How many events there were a short time ago, up to a bound.
    Recent {
        /// What is counted.
        event: u32,
        /// Counting stops here; no condition tells higher numbers apart.
        cap: u32,
        /// How long ago they were at most, in milliseconds; at least one.
        within: u64,
    },
}

/// A step of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PatternStep {
    /// One event of this number.
    Event(u32),
    /// Any number of events.
    Any,
    /// One event of any kind, or none.
    Maybe,
}

/// The latches of a package, each once, with their monitors.
pub(super) fn latches(items: &[&Item], env: &mut Env<'_>, names: &Names<'_>, out: &mut Vec<Diagnostic>) {
    for item in items {
        let Item::Latch(latch) = item else { continue };
        if env.latches.contains_key(&latch.name.text) {
            let message = format!("latch `{}` is declared twice", latch.name.text);
            out.push(Diagnostic::error(DUPLICATE_NAME, latch.name.span, message).help("remove one of them"));
            continue;
        }
        let set = event(&latch.on, env, names, out);
        let clear = latch.resets.as_ref().map(|e| event(e, env, names, out));
        let monitor = match (set, clear) {
            (Some(set), None) => flag(set, None, false),
            (Some(set), Some(Some(clear))) => flag(set, Some(clear), false),
            // Reported; the latch is known so that its uses are not reported too.
            _ => Monitor::Pattern(Vec::new()),
        };
        let number = env.monitor(monitor);
        env.latches.insert(latch.name.text.clone(), number);
    }
}

fn flag(set: u32, clear: Option<u32>, clear_wins: bool) -> Monitor {
    Monitor::Flag {
        set,
        clear,
        clear_wins,
    }
}

/// The number of an event.
fn event(written: &ast::Event, env: &Env<'_>, names: &Names<'_>, out: &mut Vec<Diagnostic>) -> Option<u32> {
    env.event(written.span, out, |out| {
        let before = out.len();
        let event = typed(written, env, names, out);
        (out.len() == before).then_some(event)
    })
}

fn typed(written: &ast::Event, env: &Env<'_>, names: &Names<'_>, out: &mut Vec<Diagnostic>) -> Event {
    let EventKind::Call { on, when, result } = &written.kind else {
        return Event {
            calls: Vec::new(),
            labels: 0,
            ok: None,
            turn: true,
        };
    };
    let tools = match on {
        Some(selector) => env.catalogue.resolve(std::slice::from_ref(selector), out),
        None => (0..env.catalogue.tools.len()).collect(),
    };
    if tools.is_empty() && out.is_empty() {
        let message = "this event is about no tool, so it never happens";
        out.push(Diagnostic::error(BAD_HISTORY, written.span, message).help("name a tool that is declared"));
    }
    let mut calls = Vec::new();
    let mut found: Vec<Diagnostic> = Vec::new();
    for tool in tools {
        let cond = match (when, Scope::of(tool, env, names)) {
            (Some(expr), Some(scope)) => {
                let cond = condition::lower(expr, &scope, &mut found);
                found.extend(claims(&cond, expr.span, &scope));
                cond
            }
            _ => Cond::And(Vec::new()),
        };
        calls.push((tool, cond));
    }
    // The same mistake on several tools is one.
    for diagnostic in found {
        let known = |d: &Diagnostic| d.primary.span == diagnostic.primary.span && d.code == diagnostic.code;
        if !out.iter().any(known) {
            out.push(diagnostic);
        }
    }
    let mut event = Event {
        calls,
        labels: 0,
        ok: None,
        turn: false,
    };
    for test in result {
        match test {
            ResultTest::Ok(ok) if event.ok == Some(!ok) => {
                let message = "a result is not ok and failed at once";
                out.push(Diagnostic::error(BAD_HISTORY, written.span, message).help("leave one of them out"));
            }
            ResultTest::Ok(ok) => event.ok = Some(*ok),
            ResultTest::Has(labels) => event.labels |= labels::asked(labels, env.labels, out),
        }
    }
    event
}

/// The report for an event that depends on a claim: what is said about one call would count for another.
fn claims(cond: &Cond, span: Span, scope: &Scope<'_>) -> Option<Diagnostic> {
    let mut claim = None;
    cond.each_place(&mut |place| claim = claim.take().or_else(|| limit::claimed(place, scope)));
    let message = format!("the claim `context.{}` would say what happened", claim?);
    let report = Diagnostic::error(CLAIM_LOOSENS, span, message)
        .why("whoever makes a call says this of it, and later calls would be judged by that");
    Some(report.help("ask about the arguments, or let the host say it: `context { fact … }`"))
}

/// A condition about the history, other than a count.
pub(super) fn lower(
    written: &ast::History,
    span: Span,
    scope: &Scope<'_>,
    out: &mut Vec<Diagnostic>,
) -> Cond {
    let Some(env) = scope.env else {
        // A predicate on its own; it is typed in full where it is asked.
        return Cond::Const(false);
    };
    let mut pair = |set: &ast::Event, clear: Option<&ast::Event>, clear_wins: bool| {
        let set = event(set, env, scope.names, out);
        let clear = clear.map(|e| event(e, env, scope.names, out));
        match (set, clear) {
            (Some(set), None) => Some(flag(set, None, clear_wins)),
            (Some(set), Some(Some(clear))) => Some(flag(set, Some(clear), clear_wins)),
            _ => None,
        }
    };
    let (monitor, holds) = match written {
        ast::History::Once { event, since } => (pair(event, since.as_ref(), true), true),
        ast::History::After { event, without } => (pair(event, without.as_ref(), false), true),
        ast::History::NotYet { event } => (pair(event, None, false), false),
        ast::History::Pattern(items) => (pattern(items, span, env, scope.names, out), true),
        ast::History::Count { .. } => {
            let report = Diagnostic::error(TYPE_MISMATCH, span, "this is a number, not a condition");
            out.push(report.help("compare it with a number: `count(…) >= 3`"));
            return Cond::Const(false);
        }
    };
    match monitor {
        Some(monitor) => {
            let cond = output(env.monitor(monitor), span, scope);
            if holds { cond } else { Cond::Not(Box::new(cond)) }
        }
        None => Cond::Const(false),
    }
}

/// Whether a monitor's flag is set or its pattern matches.
pub(super) fn output(monitor: u32, span: Span, scope: &Scope<'_>) -> Cond {
    atom(scope.slot(Slot::History(monitor)), Ty::Bool, Question::True, span)
}

fn atom(place: Place, ty: Ty, test: Question, span: Span) -> Cond {
    Cond::Atom(Atom {
        place,
        ty,
        test,
        when_absent: false,
        span,
    })
}

fn pattern(
    items: &[PatternItem],
    span: Span,
    env: &Env<'_>,
    names: &Names<'_>,
    out: &mut Vec<Diagnostic>,
) -> Option<Monitor> {
    let before = out.len();
    let mut steps = Vec::new();
    for item in items {
        match item {
            PatternItem::Event(written) => {
                steps.extend(event(written, env, names, out).map(PatternStep::Event))
            }
            PatternItem::Gap(None, _) => steps.push(PatternStep::Any),
            PatternItem::Gap(Some(most), gap) => match most_of(most) {
                Some(most) => steps.extend((0..most).map(|_| PatternStep::Maybe)),
                None => {
                    let message = format!("a gap is 1 to {} events long", limits::PATTERN_STEPS);
                    out.push(Diagnostic::error(BAD_HISTORY, *gap, message));
                }
            },
        }
    }
    if steps.len() > limits::PATTERN_STEPS {
        let message = format!(
            "a pattern has at most {} steps, gaps counted out",
            limits::PATTERN_STEPS
        );
        out.push(Diagnostic::error(TOO_LARGE, span, message).help("shorten its gaps, or use `*`"));
    }
    if out.len() == before && !steps.iter().any(|s| matches!(s, PatternStep::Event(_))) {
        let message = "a pattern without an event matches every session";
        out.push(Diagnostic::error(BAD_HISTORY, span, message).help("name an event: `call web.fetch`"));
    }
    (out.len() == before).then_some(Monitor::Pattern(steps))
}

fn most_of(text: &Spanned<String>) -> Option<usize> {
    text.node
        .parse()
        .ok()
        .filter(|most| (1..=limits::PATTERN_STEPS).contains(most))
}

/// Whether an expression counts events.
pub(super) fn is_count(expr: &Expr) -> bool {
    matches!(&expr.kind, ExprKind::History(h) if matches!(**h, ast::History::Count { .. }))
}

/// `count(A) >= 3`.
pub(super) fn compare_count(
    (left, op, op_span, right): (&Expr, Op, Span, &Expr),
    scope: &Scope<'_>,
    out: &mut Vec<Diagnostic>,
) -> Result<Cond, Failed> {
    let ExprKind::History(history) = &left.kind else {
        return Err(None);
    };
    let ast::History::Count {
        event: counted,
        within,
    } = &**history
    else {
        return Err(None);
    };
    let Some(env) = scope.env else {
        return Err(None);
    };
    let (test, positive) = constant::question(&Ty::Int, op, op_span, right).map_err(Some)?;
    let Some(event) = event(counted, env, scope.names, out) else {
        return Err(None);
    };
    let cap = match &test {
        Question::Within(ranges) => ranges
            .iter()
            .flat_map(|(low, high)| [*low, high.saturating_add(1)])
            .filter(|n| (0..=i128::from(limits::HISTORY_COUNT)).contains(n) || (*n > 0 && *n < i128::MAX))
            .max()
            .unwrap_or(0),
        _ => 0,
    };
    let (most, how) = match within {
        Some(_) => (limits::HISTORY_RECENT, " within a time"),
        None => (limits::HISTORY_COUNT, ""),
    };
    if cap > i128::from(most) {
        let message = format!("events{how} are counted up to {most}");
        let help = match within {
            Some(_) => format!(
                "compare with {most} at most, or let a `limit` count: `limit rate on … max {} calls per 1h exceed block`",
                cap.min(9_999)
            ),
            None => format!("compare with {most} at most"),
        };
        return Err(Some(Diagnostic::error(TOO_LARGE, right.span, message).help(help)));
    }
    let cap = u32::try_from(cap.max(1)).unwrap_or(most);
    let monitor = match within {
        None => Monitor::Count { event, cap },
        Some(written) => Monitor::Recent {
            event,
            cap,
            within: span_of(written).map_err(Some)?,
        },
    };
    let place = scope.slot(Slot::Tally(env.monitor(monitor)));
    let cond = atom(place, Ty::Int, test, left.span.to(right.span));
    Ok(if positive { cond } else { Cond::Not(Box::new(cond)) })
}

/// A span of time in milliseconds, at least one.
pub(super) fn span_of(written: &Spanned<String>) -> Result<u64, Diagnostic> {
    let refused = match duration::compact(&written.node) {
        Ok(span) if span > 0 => return Ok(u64::try_from(span).unwrap_or(u64::MAX)),
        Ok(_) => "it is no time at all".to_owned(),
        Err(refused) => refused.to_string(),
    };
    let message = format!("`{}` is no span of time: {refused}", written.node);
    Err(Diagnostic::error(BAD_LITERAL, written.span, message).help("write one such as `15m` or `1h`"))
}
