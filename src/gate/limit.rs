//! What a call costs of limits, and where it is counted. In: a program, a bound request. Out: charges. A counter is
//! named by a digest of what it counts and for whom, so no two scopes share one by accident; the most there may be is
//! no part of it, so that changing it does not start a new count.

use super::request::Blocked;
use crate::artifact::digest;
use crate::builtins::bind;
use crate::domain::{Charge, LimitFact, Request, reserved};
use crate::hir::answer::{self, View, view};
use crate::hir::{LimitSpec, Per, Place};
use crate::ir::{Program, ToolLimit, ToolProgram};
use crate::json::Json;
use crate::value::Value;

/// The block for a call of which nobody says what was spent before.
pub(super) fn unavailable(detail: &str) -> Blocked {
    Blocked {
        code: reserved::LIMITS_UNAVAILABLE,
        detail: detail.to_owned(),
    }
}

/// What a call costs of a limit; `None` where it does not count.
pub(super) fn charge(
    program: &Program,
    tool: &ToolProgram,
    (number, by): (u32, &[Place]),
    record: &Value,
    request: &Request<'_>,
) -> Result<Option<Charge>, Blocked> {
    let limit = program.limits.get(number as usize);
    let on = tool.limits.iter().find(|on| on.limit == number);
    let (Some(limit), Some(on)) = (limit, on) else {
        return Err(unavailable("the program has no such limit"));
    };
    if !answer::holds(&on.when, &[record]) {
        return Ok(None);
    }
    Ok(Some(Charge {
        limit: limit.name.clone(),
        counter: counter(program, tool, limit, by, record, request)?,
        amount: cost(on, record)?,
        span: match limit.per {
            Per::Time(millis) => Some(millis),
            Per::Session | Per::Run => None,
        },
    }))
}

fn cost(on: &ToolLimit, record: &Value) -> Result<i128, Blocked> {
    let Some(cost) = &on.cost else { return Ok(1) };
    let cost = cost.number(&[record]);
    // What costs less than nothing gives nothing back.
    cost.map(|cost| cost.max(0))
        .ok_or_else(|| unavailable("what the call costs of a limit is missing"))
}

fn counter(
    program: &Program,
    tool: &ToolProgram,
    limit: &LimitSpec,
    by: &[Place],
    record: &Value,
    request: &Request<'_>,
) -> Result<String, Blocked> {
    let whose = |id: Option<&str>, what: &str| {
        let detail = format!("a limit on this tool counts per {what}, and nobody says which {what} it is");
        id.map(Json::str).ok_or_else(|| unavailable(&detail))
    };
    let per = match limit.per {
        Per::Time(millis) => Json::Array(vec![Json::str("time"), Json::str(millis.to_string())]),
        Per::Session => Json::Array(vec![Json::str("session"), whose(request.session, "session")?]),
        Per::Run => Json::Array(vec![Json::str("run"), whose(request.run, "run")?]),
    };
    let scope = limit.by.iter().zip(by).map(|(name, place)| {
        let value = match view(record, &place.steps) {
            View::Absent | View::Whole(_) => Json::Null,
            View::Text(text) => Json::str(text),
            View::Num(n) => Json::str(n.to_string()),
            View::Bool(b) => Json::Bool(b),
            View::Member(member) => Json::int(i64::from(member)),
        };
        Json::Array(vec![Json::str(name), value])
    });
    let counter = Json::object([
        ("policy", Json::str(&program.policy)),
        ("limit", Json::str(&limit.name)),
        ("unit", Json::str(limit.ty.to_string())),
        ("per", per),
        ("by", Json::Array(scope.collect())),
        (
            "tool",
            if limit.by_tool {
                Json::str(&tool.name)
            } else {
                Json::Null
            },
        ),
    ]);
    Ok(digest::of_json(&counter).to_string())
}

/// What a decision says of a charge.
pub(super) fn fact(program: &Program, charge: &Charge, used: i128) -> Option<LimitFact> {
    let limit = program.limits.iter().find(|limit| limit.name == charge.limit)?;
    let number = |n: i128| bind::to_json(&Value::Num(n), &limit.ty);
    Some(LimitFact {
        limit: charge.limit.clone(),
        counter: charge.counter.clone(),
        used: number(used),
        cost: number(charge.amount),
        max: number(limit.max),
    })
}

/// How much a decision says was spent before.
pub(super) fn used(program: &Program, fact: &LimitFact) -> Option<i128> {
    amount(program, &fact.limit, &fact.used)
}

/// A number of what a limit counts.
pub(super) fn amount(program: &Program, limit: &str, json: &Json) -> Option<i128> {
    let limit = program.limits.iter().find(|known| known.name == limit)?;
    match bind::bind(json, &limit.ty).ok()? {
        Value::Num(n) => Some(n),
        _ => None,
    }
}

/// Whether a limit counts calls, each of which costs one.
pub(super) fn counts_calls(program: &Program, limit: &str) -> bool {
    let number = program.limits.iter().position(|known| known.name == limit);
    let on = program.tools.iter().flat_map(|tool| &tool.limits);
    on.filter(|on| Some(on.limit as usize) == number)
        .all(|on| on.cost.is_none())
}
