//! From a request to the record that rules look at: the arguments, then the context. In: a program, a declared tool and
//! a request. Out: the record, or the one reason why the call is blocked. Only fields of the context that a rule of
//! the tool looks at are read.

use super::elements::{self, Found};
use super::labels::{self, Sources};
use super::limit;
use crate::builtins::bind::{self, BindError, BindErrorKind};
use crate::domain::state::{MonitorState, State};
use crate::domain::{Charge, HeldFact, LabelFact, LabelOf, Request, reserved};
use crate::eval::monitor;
use crate::hir::{self, Cond, Monitor, Place, Slot, Step, answer};
use crate::ir::{ContextField, Program, ToolProgram};
use crate::json::{Json, Text};
use crate::ty::Ty;
use crate::value::Value;
use std::cell::OnceCell;

/// Why a call is blocked before any rule speaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blocked {
    /// A reserved code.
    pub code: &'static str,
    /// One sentence.
    pub detail: String,
}

/// A bound request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bound {
    /// The record: the arguments, then the context.
    pub record: Value,
    /// The arguments in canonical form.
    pub canonical_args: Json,
    /// The labels that rules ask about.
    pub labels: Vec<LabelFact>,
    /// Those of elements that rules ask about, list by list.
    pub elements: Vec<Found>,
    /// Who took labels off the call; sorted, distinct.
    pub lifted_by: Vec<String>,
    /// What the call costs of limits, and how much was spent of each before.
    pub limits: Vec<(Charge, i128)>,
    /// The labels of all arguments, as bits, where a session is kept: its results have them too.
    pub carried_over: u64,
}

/// How limits are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counting {
    /// What was spent before has to be there.
    Known,
    /// Nothing is spent yet: only what a call costs is asked.
    Ignored,
}

/// Binds a request to the declarations of its tool.
pub fn bind(
    program: &Program,
    tool: &ToolProgram,
    request: &Request<'_>,
    counting: Counting,
) -> Result<Bound, Blocked> {
    if request.state.is_some() && request.now.is_none() && program.asks_time(&tool.name) {
        return Err(timeless());
    }
    let (mut values, rest) = if tool.open {
        bind::bind_open_record(request.args, &tool.args).map_err(args_error)?
    } else {
        (
            bind::bind_record(request.args, &tool.args).map_err(args_error)?,
            Vec::new(),
        )
    };
    let canonical_args = with(bind::record_to_json(&values, &tool.args), rest);
    values.push(context(program, tool, request)?);
    let mut record = Value::Record(values);
    let (lifted, lifted_by) = labels::lifted(program, request);
    let sources = Sources {
        lifted,
        program,
        tool: Some(tool),
        args: request.args,
        origins: request.origins,
        state: request.state,
        in_session: request.session.is_some(),
        earlier: request.earlier,
        carries: &tool.carries,
        said: OnceCell::new(),
        secrets: OnceCell::new(),
    };
    let mut facts = Vec::new();
    let mut elements = Vec::new();
    let mut limits = Vec::new();
    for slot in &tool.slots {
        let value = match slot {
            Slot::Holds(cond) => Value::Bool(holds(program, tool, cond, &record)),
            Slot::Label { of, mask } => {
                if *of == LabelOf::Session {
                    known(request.state)?;
                }
                let found = sources.of(of);
                facts.push(labels::fact(of.to_string(), found, &program.labels));
                Value::Bool(found.0 & mask != 0)
            }
            Slot::Each(labelled) => {
                let (list, found) = elements::list(&sources, labelled, &record);
                elements.push(found);
                list
            }
            Slot::History(number) => {
                let (monitor, state) = monitor(program, known(request.state)?, *number)?;
                Value::Bool(monitor::holds(monitor, state))
            }
            Slot::Tally(number) => {
                let (monitor, state) = monitor(program, known(request.state)?, *number)?;
                match (monitor, request.now) {
                    (Monitor::Recent { .. }, None) => return Err(timeless()),
                    (_, now) => {
                        let n = monitor::count(monitor, state, now).ok_or_else(foreign)?;
                        Value::Num(i128::from(n))
                    }
                }
            }
            Slot::Lookup { map, key, .. } => hir::entry(map, key, &record),
            Slot::Window(number) => {
                let window = program.windows.get(*number as usize);
                let is_open = window.zip(request.now).and_then(|(w, now)| w.is_open(now));
                Value::Bool(is_open.ok_or_else(timeless)?)
            }
            Slot::Used { limit, by, .. } => {
                let charge = limit::charge(program, tool, (*limit, by), &record, request)?;
                let used = match &charge {
                    Some(charge) if counting == Counting::Known => {
                        let used = request.usage.and_then(|usage| usage.get(&charge.counter));
                        *used.ok_or_else(|| {
                            limit::unavailable(
                                "a limit counts calls of this tool, and nobody says how much is spent",
                            )
                        })?
                    }
                    _ => 0,
                };
                limits.extend(charge.map(|charge| (charge, used)));
                Value::Num(used)
            }
            Slot::Now => Value::Num(request.now.ok_or_else(timeless)?),
        };
        if let Value::Record(fields) = &mut record {
            fields.push(value);
        }
    }
    facts.sort();
    facts.dedup();
    Ok(Bound {
        record,
        canonical_args,
        labels: facts,
        elements,
        lifted_by,
        limits,
        carried_over: if request.state.is_some() { sources.all() } else { 0 },
    })
}

/// Whether a condition holds of a record of the tool: its arguments, then the context.
pub fn holds(program: &Program, tool: &ToolProgram, cond: &Cond, record: &Value) -> bool {
    let is_set = |place: &Place| {
        let (first, rest) = match place.steps.split_first() {
            Some((Step::Field(first), rest)) => (*first as usize, rest),
            _ => return false,
        };
        let (declared, rest) = match (tool.args.get(first), rest.split_first()) {
            (Some(declared), _) => (declared, rest),
            (None, Some((Step::Field(at), rest))) if first == tool.args.len() => {
                match program.context.get(*at as usize) {
                    Some(known) => (&known.field, rest),
                    None => return false,
                }
            }
            _ => return false,
        };
        let ty = rest
            .iter()
            .try_fold(declared.ty.required(), |ty, step| match (ty, step) {
                (Ty::Record(fields), Step::Field(at)) => Some(fields.get(*at as usize)?.ty.required()),
                _ => None,
            });
        matches!(ty, Some(Ty::Set { .. }))
    };
    answer::holds_with(cond, &[record], &is_set)
}

/// The state of the session, which a rule asks about.
fn known(state: Option<&State>) -> Result<&State, Blocked> {
    state.ok_or_else(|| Blocked {
        code: reserved::STATE_UNAVAILABLE,
        detail: "a rule on this tool asks about the session, and nobody tells its state: no session is named, its journal \
                 has lost its entries, or its last trace is not trusted or of a policy that asks otherwise"
            .to_owned(),
    })
}

/// The block for a call whose time nobody says, or no clock shows.
fn timeless() -> Blocked {
    Blocked {
        code: reserved::TIME_UNAVAILABLE,
        detail: "the policy has to know when this tool is called, and nobody says".to_owned(),
    }
}

fn monitor<'p>(
    program: &'p Program,
    state: &'p State,
    number: u32,
) -> Result<(&'p Monitor, &'p MonitorState), Blocked> {
    let monitor = program.monitors.get(number as usize);
    let state = state.monitors.get(number as usize);
    monitor.zip(state).ok_or_else(foreign)
}

/// The block for a state that is not one of this policy.
pub(super) fn foreign() -> Blocked {
    Blocked {
        code: reserved::STATE_FOREIGN,
        detail: "the session state belongs to another policy, or is damaged".to_owned(),
    }
}

/// Canonical arguments with the members nobody declared, as received.
fn with(canonical: Json, rest: Vec<(Text, Json)>) -> Json {
    match canonical {
        Json::Object(mut members) => {
            members.extend(rest);
            Json::Object(members)
        }
        other => other,
    }
}

fn args_error(error: BindError) -> Blocked {
    let code = match error.kind {
        BindErrorKind::Unparsable => reserved::ARG_UNPARSABLE,
        _ => reserved::INPUT_INVALID,
    };
    Blocked {
        code,
        detail: error.to_string(),
    }
}

fn context(program: &Program, tool: &ToolProgram, request: &Request<'_>) -> Result<Value, Blocked> {
    unknown_fact(program, request)?;
    if tool.uses.is_empty() {
        return Ok(Value::Absent);
    }
    let mut fields = vec![Value::Absent; program.context.len()];
    for index in &tool.uses {
        let (Some(declared), Some(slot)) = (
            program.context.get(*index as usize),
            fields.get_mut(*index as usize),
        ) else {
            continue;
        };
        *slot = field(declared, request)?;
    }
    Ok(Value::Record(fields))
}

/// Binds a fact once, for many calls.
///
/// # Errors
/// A fact nobody declares, or no value of its type.
pub fn hold(program: &Program, name: &str, said: Json) -> Result<HeldFact, Blocked> {
    let declared = declared(program, name).ok_or_else(|| undeclared(name))?;
    let mut value = bind::bind(&said, &declared.field.ty).map_err(|error| context_error(name, &error))?;
    value.index();
    Ok(HeldFact::new(name.to_owned(), said, declared.ty.clone(), value))
}

/// The declaration of a fact.
fn declared<'p>(program: &'p Program, name: &str) -> Option<&'p ContextField> {
    let mut facts = program.context.iter().filter(|field| field.from.is_none());
    facts.find(|fact| fact.field.name == name)
}

/// What is held has to be declared, of the type it was bound to, and said once.
fn check_held(program: &Program, request: &Request<'_>) -> Result<(), Blocked> {
    for (at, held) in request.held.iter().enumerate() {
        let name = held.name();
        let declared = declared(program, name).ok_or_else(|| undeclared(name))?;
        let mut before = request.held.iter().take(at);
        let is_twice = request.facts.get(name).is_some() || before.any(|other| other.name() == name);
        if is_twice || held.value(&declared.ty).is_none() {
            return Err(Blocked {
                code: reserved::CONTEXT_INVALID,
                detail: format!("`{name}` of the context is given twice, or was bound to another type"),
            });
        }
    }
    Ok(())
}

/// A fact nobody declared is a mistake of whoever supplies it, and may be a misspelt one that matters.
fn unknown_fact(program: &Program, request: &Request<'_>) -> Result<(), Blocked> {
    check_held(program, request)?;
    let Some(facts) = request.facts.as_object() else {
        return Err(Blocked {
            code: reserved::CONTEXT_INVALID,
            detail: format!(
                "the facts are {}; they have to be an object",
                request.facts.kind()
            ),
        });
    };
    match facts.iter().find(|(name, _)| declared(program, name).is_none()) {
        None => Ok(()),
        Some((name, _)) => Err(undeclared(name)),
    }
}

fn undeclared(name: &str) -> Blocked {
    let shown: String = name.chars().take(crate::limits::SHOWN_NAME_CHARS).collect();
    Blocked {
        code: reserved::CONTEXT_INVALID,
        detail: format!("the policy declares no fact called `{}`", shown.escape_debug()),
    }
}

fn context_error(name: &str, error: &BindError) -> Blocked {
    Blocked {
        code: reserved::CONTEXT_INVALID,
        detail: format!("`{name}` of the context: {error}"),
    }
}

fn field(declared: &ContextField, request: &Request<'_>) -> Result<Value, Blocked> {
    let name = &declared.field.name;
    let held = request.held.iter().filter(|_| declared.from.is_none());
    if let Some(held) = held
        .filter(|held| held.name() == name)
        .find_map(|held| held.value(&declared.ty))
    {
        return Ok(held.clone());
    }
    let found = match &declared.from {
        None => request.facts.get(name),
        Some(path) => path.iter().try_fold(request.intent, |at, step| at.get(step)),
    };
    let Some(json) = found else {
        if declared.field.ty.is_optional() {
            return Ok(Value::Absent);
        }
        let whose = match (&declared.from, &declared.attested) {
            (Some(_), _) => "the intent has no",
            (None, Some(_)) => "nobody attests",
            (None, None) => "the host supplies no",
        };
        return Err(Blocked {
            code: reserved::FACT_MISSING,
            detail: format!("{whose} `{name}`, which a rule on this tool looks at"),
        });
    };
    bind::bind(json, &declared.field.ty).map_err(|error| context_error(name, &error))
}
