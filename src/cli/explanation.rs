//! An explanation for people and for programs. In: `explain::Explanation`. Out: lines through `Ui`, and the JSON of
//! `schemas/v1/cli/policy_explain.schema.json`. People are shown what decided: of a rule that matched every clause, of
//! one that did not the clauses that stopped it; the JSON has everything. It must not judge anything.

use super::error::CliError;
use super::gate::tone;
use super::ui::{Tone, Ui, brief, one_line, paint};
use crate::approvals::rows;
use crate::artifact::trace::scope_to_json;
use crate::artifact::{TraceRecord, approval, obligation};
use crate::domain::{Decision, LabelOrigin, LimitFact, RuleScope};
use crate::explain::{
    Change, ClauseTrace, Explanation, Kind, Nearest, Node, Origin, Place, RuleTrace, Seen, Shown, Turn, What,
};
use crate::json::Json;
use crate::limits;

/// What becomes of a call by a bundle that enforces nothing; none where it is enforced.
pub fn unenforced(record: &TraceRecord) -> Option<String> {
    let level = record.enforcement;
    let what = match record.runs {
        _ if level.binds() => return None,
        true => "the call may run, whatever was decided",
        false => "the call must not run, for the kill switch holds",
    };
    Some(format!("nothing is enforced ({level}): {what}"))
}

/// Prints the rules and the nearest allowed call.
pub fn people(ui: &mut Ui, explanation: &Explanation) -> Result<(), CliError> {
    if !explanation.steps.is_empty() {
        let mut each = explanation.steps.iter().zip(1..);
        return each.try_for_each(|(step, number)| {
            let name = format!("step {number}: {}", one_line(&step.tool));
            ui.line(&format!("  {}", paint(Tone::Strong, &name)))?;
            people(ui, step)
        });
    }
    for rule in &explanation.rules {
        people_rule(ui, rule)?;
    }
    if explanation.rules.is_empty() && explanation.decision.detail.is_none() {
        ui.line("  no rule is about this tool")?;
    }
    match &explanation.nearest {
        Nearest::Allowed => Ok(()),
        Nearest::NotJudged => ui.line("  nearest allow: none looked for, because no rule was asked"),
        Nearest::None { complete } => ui.line(&none(*complete)),
        Nearest::Found { changes, by, .. } => {
            let by: Vec<String> = by.iter().map(|name| one_line(name)).collect();
            ui.line(&format!(
                "  {} by {}",
                paint(Tone::Strong, "nearest allow"),
                by.join(", ")
            ))?;
            changes.iter().try_for_each(|change| people_change(ui, change))
        }
    }
}

/// What was decided of each step of a script: a line each, and one for each of its obligations.
pub fn steps(decision: &Decision) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for (step, number) in decision.steps.iter().zip(1..) {
        let verdict = paint(tone(step.decision.verdict), step.decision.verdict.as_str());
        let codes = one_line(&step.decision.reason_codes.join(", "));
        lines.push(format!(
            "  step {number:<2} {verdict} {} ({codes})",
            one_line(&step.tool)
        ));
        let obliged = obligations(&step.decision).into_iter();
        lines.extend(obliged.map(|line| format!("        {line}")));
    }
    lines
}

/// What must be approved, and who approved: a line each.
pub fn approvals(decision: &Decision) -> Vec<String> {
    let line = |head: &str, text: &str| format!("  {head:<7} {}", one_line(text));
    let mut lines: Vec<String> = Vec::new();
    let asked = decision.approvals.iter().map(rows::asked);
    lines.extend(asked.map(|asked| line("approve", &asked)));
    if !decision.approved_by.is_empty() {
        lines.push(line("by", &decision.approved_by.join(", ")));
    }
    lines
}

/// The limits that count the call: a line each.
pub fn spent(decision: &Decision) -> Vec<String> {
    let bare = |json: &Json| match json {
        Json::String(text) => text.to_string(),
        other => serde_json::to_string(other).unwrap_or_default(),
    };
    let line = |fact: &LimitFact| {
        let (used, cost, max) = (bare(&fact.used), bare(&fact.cost), bare(&fact.max));
        format!(
            "  limit   {}",
            one_line(&format!("{} {used} + {cost} of {max}", fact.limit))
        )
    };
    decision.limits.iter().map(line).collect()
}

/// What the decision obliges to: a line each.
pub fn obligations(decision: &Decision) -> Vec<String> {
    let line = |obligation| format!("  oblige  {}", one_line(&format!("{obligation}")));
    decision.obligations.iter().map(line).collect()
}

/// Names as JSON.
pub fn names(names: &[String]) -> Json {
    Json::Array(names.iter().map(Json::str).collect())
}

fn none(complete: bool) -> String {
    let most = limits::NEAREST_CHANGES;
    if complete {
        format!("  nearest allow: none found among changes of up to {most} values")
    } else {
        format!("  nearest allow: none found among the first changes of up to {most} values")
    }
}

fn mark(holds: bool) -> &'static str {
    if holds { "✓" } else { "✗" }
}

fn people_rule(ui: &mut Ui, rule: &RuleTrace) -> Result<(), CliError> {
    let at = format!("{}:{}:{}", rule.at.file, rule.at.start.line, rule.at.start.column);
    let name = one_line(&rule.name);
    let (name, verdict) = if rule.matched {
        (
            paint(Tone::Strong, &rule.name),
            paint(tone(rule.verdict), rule.verdict.as_str()),
        )
    } else {
        (name, rule.verdict.to_string())
    };
    ui.line(&format!(
        "  {} {name} ({verdict}) {}{}",
        mark(rule.matched),
        one_line(&at),
        rule.scope.as_ref().map(of_scope).unwrap_or_default()
    ))?;
    for clause in rule.clauses.iter().filter(|c| rule.matched || !c.passes) {
        people_clause(ui, clause)?;
    }
    Ok(())
}

/// Which scope a rule is from, as it stands after its place.
pub fn of_scope(of: &RuleScope) -> String {
    format!("  [{}]", one_line(&of.to_string()))
}

fn people_clause(ui: &mut Ui, clause: &ClauseTrace) -> Result<(), CliError> {
    let condition = &clause.condition;
    let holds = match clause.keyword {
        "unless" if condition.holds => " (it holds)",
        "unless" => " (it does not hold)",
        _ => "",
    };
    let head = format!("{} {}", mark(clause.passes), clause.keyword);
    let values = seen(&condition.seen);
    ui.line(&format!(
        "      {} {}{holds}{values}",
        head.trim_end(),
        brief(&condition.source)
    ))?;
    below(ui, condition, 10)
}

/// What decided a node, below its own line.
fn below(ui: &mut Ui, node: &Node, indent: usize) -> Result<(), CliError> {
    let decisive = |part: &&Node| match node.kind {
        // What holds did not make an `and` fail, nor what fails an `or` hold.
        Kind::And => node.holds || !part.holds,
        Kind::Or => !node.holds || part.holds,
        _ => true,
    };
    for part in node.parts.iter().filter(decisive) {
        people_node(ui, part, indent)?;
    }
    for element in &node.elements {
        if matches!(words(&element.body), Words::Leaf { .. }) {
            people_node(ui, &element.body, indent)?;
        } else {
            let line = seen(std::slice::from_ref(&element.seen));
            ui.line(&format!("{:indent$}{}", "", line.trim_start_matches(" — ")))?;
            people_node(ui, &element.body, indent + 2)?;
        }
    }
    match (node.left_out, node.count, node.kind) {
        (0, 0, Kind::Any | Kind::All) => ui.line(&format!("{:indent$}there is none", "")),
        (0, ..) => Ok(()),
        (n, ..) => ui.line(&format!("{:indent$}… and {n} more", "")),
    }
}

/// How a node is put into words.
enum Words {
    /// A question, or its opposite, with the values it looked at.
    Leaf { text: String, values: String },
    /// What the nodes below say more about.
    Head(String),
}

fn words(node: &Node) -> Words {
    match (node.kind, node.parts.as_slice()) {
        (Kind::Question, _) => Words::Leaf {
            text: brief(&node.source),
            values: seen(&node.seen),
        },
        (Kind::Not, [part]) if part.kind == Kind::Question => Words::Leaf {
            text: format!("not {}", brief(&part.source)),
            values: seen(&part.seen),
        },
        (Kind::Constant, _) => Words::Leaf {
            text: node.holds.to_string(),
            values: String::new(),
        },
        (Kind::And, _) => Words::Head("all of".to_owned()),
        (Kind::Or, _) => Words::Head("one of".to_owned()),
        (Kind::Not, _) => Words::Head("not".to_owned()),
        (Kind::Any | Kind::All, _) => Words::Head(brief(&node.source)),
    }
}

fn people_node(ui: &mut Ui, node: &Node, indent: usize) -> Result<(), CliError> {
    let mark = mark(node.holds);
    match words(node) {
        Words::Leaf { text, values } => ui.line(&format!("{:indent$}{mark} {text}{values}", "")),
        Words::Head(text) => {
            ui.line(&format!("{:indent$}{mark} {text}", ""))?;
            below(ui, node, indent + 4)
        }
    }
}

/// ` — args.amount is 2_000.00, …`; nothing where nothing was looked at.
fn seen(all: &[Seen]) -> String {
    let one = |seen: &Seen| {
        let value = match &seen.value {
            Shown::Value { text, .. } => one_line(text),
            Shown::Absent => "not there".to_owned(),
            Shown::Redacted => "hidden".to_owned(),
        };
        let because = match seen.because {
            None => "",
            Some(LabelOrigin::Argument) => " (as the adapter says)",
            Some(LabelOrigin::Session) => " (from what the session has read)",
            Some(LabelOrigin::Default) => " (nobody says where it comes from)",
            Some(LabelOrigin::Approval) => " (people have taken others off)",
            Some(LabelOrigin::Detected) => " (a secret is found in it)",
        };
        format!("{} is {value}{because}", one_line(&seen.place))
    };
    let texts: Vec<String> = all.iter().map(one).collect();
    if texts.is_empty() {
        return String::new();
    }
    format!(" — {}", texts.join(", "))
}

fn shown(value: &Shown) -> String {
    match value {
        Shown::Value { text, .. } => one_line(text),
        Shown::Absent => "nothing".to_owned(),
        Shown::Redacted => "(hidden)".to_owned(),
    }
}

fn people_change(ui: &mut Ui, change: &Change) -> Result<(), CliError> {
    let place = one_line(&change.from.place);
    let from = shown(&change.from.value);
    let whose = match change.origin {
        Origin::Argument => "",
        Origin::Fact => " (a fact of the host)",
        Origin::Attested => " (attested)",
        Origin::Claim => " (said by the caller)",
        Origin::Provenance => " (where it comes from)",
        Origin::Session => " (what happened before)",
        Origin::Time => " (when the call is made)",
    };
    let text = match &change.what {
        What::Put {
            sample,
            range: Some(range),
        } if !range.starts_with("exactly") => {
            format!("{place} {from} → {range}, such as {}", shown(sample))
        }
        What::Put { sample, .. } => format!("{place} {from} → {}", shown(sample)),
        What::Turn => {
            // The turn is the change.
            for turn in &change.turns {
                let becomes = if turn.holds { "true" } else { "false" };
                ui.line(&format!("      {} becomes {becomes}{whose}", brief(&turn.source)))?;
            }
            return Ok(());
        }
        What::Clear => format!("{place} {from} → nothing"),
        What::LeaveOut => format!("{place} without {from}"),
        What::Add { sample } => format!("{place} with {}", shown(sample)),
    };
    ui.line(&format!("      {text}{whose}"))?;
    // The same words in several rules come out the same.
    let mut said: Vec<String> = Vec::new();
    for turn in &change.turns {
        let becomes = if turn.holds { "true" } else { "false" };
        let line = format!("          {} becomes {becomes}", brief(&turn.source));
        if !said.contains(&line) {
            ui.line(&line)?;
            said.push(line);
        }
    }
    Ok(())
}

/// The member `explanation` of a document.
pub fn document(explanation: &Explanation) -> Json {
    let mut members = vec![
        ("rules", list(&explanation.rules, rule)),
        ("nearest_allow", nearest(&explanation.nearest)),
    ];
    if !explanation.steps.is_empty() {
        members.push(("steps", list(&explanation.steps, step)));
    }
    Json::object(members)
}

/// A step of a script, explained as a call of its own.
fn step(explanation: &Explanation) -> Json {
    let decision = &explanation.decision;
    Json::object([
        ("tool", Json::str(&explanation.tool)),
        ("verdict", Json::str(decision.verdict.as_str())),
        ("reason_codes", names(&decision.reason_codes)),
        ("rules", list(&explanation.rules, rule)),
        ("nearest_allow", nearest(&explanation.nearest)),
    ])
}

fn list<T>(items: &[T], one: impl Fn(&T) -> Json) -> Json {
    Json::Array(items.iter().map(one).collect())
}

fn rule(rule: &RuleTrace) -> Json {
    Json::object([
        ("name", Json::str(&rule.name)),
        ("scope", rule.scope.as_ref().map_or(Json::Null, scope_to_json)),
        ("verdict", Json::str(rule.verdict.as_str())),
        ("code", Json::str(&rule.code)),
        ("hint", rule.hint.as_ref().map_or(Json::Null, Json::str)),
        ("approvals", approval::list(&rule.approvals)),
        ("obliges", obligation::list(&rule.obliges)),
        ("at", place(&rule.at)),
        ("matched", Json::Bool(rule.matched)),
        ("clauses", list(&rule.clauses, clause)),
    ])
}

fn clause(clause: &ClauseTrace) -> Json {
    let keyword = match clause.keyword {
        "" => Json::Null,
        word => Json::str(word),
    };
    Json::object([
        ("keyword", keyword),
        ("passes", Json::Bool(clause.passes)),
        ("condition", node(&clause.condition)),
    ])
}

fn node(of: &Node) -> Json {
    let source = Some(&of.source).filter(|s| !s.is_empty());
    let elements = list(&of.elements, |element| {
        Json::object([("seen", value(&element.seen)), ("body", node(&element.body))])
    });
    Json::object([
        ("kind", Json::str(of.kind.as_str())),
        ("holds", Json::Bool(of.holds)),
        ("source", source.map_or(Json::Null, Json::str)),
        ("at", of.at.as_ref().map_or(Json::Null, place)),
        ("seen", list(&of.seen, value)),
        ("parts", list(&of.parts, node)),
        ("elements", elements),
        ("left_out", number(of.left_out)),
        ("count", number(of.count)),
    ])
}

fn value(seen: &Seen) -> Json {
    let mut members = vec![("place", Json::str(&seen.place))];
    members.extend(shown_members(&seen.value));
    let because = seen.because.map_or(Json::Null, |why| Json::str(why.as_str()));
    members.push(("because", because));
    Json::object(members)
}

/// `state` says whether `value` is there and may be shown.
fn shown_members(value: &Shown) -> [(&'static str, Json); 3] {
    let (state, json, text) = match value {
        Shown::Value { json, text } => ("value", json.clone(), Json::str(text)),
        Shown::Absent => ("absent", Json::Null, Json::Null),
        Shown::Redacted => ("redacted", Json::Null, Json::Null),
    };
    [("state", Json::str(state)), ("value", json), ("text", text)]
}

fn place(at: &Place) -> Json {
    let point = |p: crate::source::Position| {
        Json::object([
            ("line", Json::int(i64::from(p.line))),
            ("column", Json::int(i64::from(p.column))),
        ])
    };
    Json::object([
        ("file", Json::str(&at.file)),
        ("start", point(at.start)),
        ("end", point(at.end)),
    ])
}

fn number(n: usize) -> Json {
    Json::int(i64::try_from(n).unwrap_or(i64::MAX))
}

fn nearest(of: &Nearest) -> Json {
    let (status, changes, by, complete) = match of {
        Nearest::Allowed => ("allowed", &[][..], &[][..], true),
        Nearest::NotJudged => ("not_judged", &[][..], &[][..], true),
        Nearest::Found { changes, by, .. } => ("found", changes.as_slice(), by.as_slice(), true),
        Nearest::None { complete } => ("none", &[][..], &[][..], *complete),
    };
    Json::object([
        ("status", Json::str(status)),
        ("complete", Json::Bool(complete)),
        ("changes", list(changes, change)),
        ("by", list(by, |name| Json::str(name))),
    ])
}

fn change(of: &Change) -> Json {
    let (what, sample, range) = match &of.what {
        What::Put { sample, range } => ("put", Some(sample), range.as_ref()),
        What::Turn => ("turn", None, None),
        What::Clear => ("clear", None, None),
        What::LeaveOut => ("leave_out", None, None),
        What::Add { sample } => ("add", Some(sample), None),
    };
    let sample = sample.map_or(Json::Null, |sample| Json::object(shown_members(sample)));
    Json::object([
        ("origin", Json::str(of.origin.as_str())),
        ("what", Json::str(what)),
        ("from", value(&of.from)),
        ("sample", sample),
        ("range", range.map_or(Json::Null, Json::str)),
        ("turns", list(&of.turns, turn)),
    ])
}

fn turn(of: &Turn) -> Json {
    Json::object([
        ("source", Json::str(&of.source)),
        ("at", place(&of.at)),
        ("holds", Json::Bool(of.holds)),
    ])
}
