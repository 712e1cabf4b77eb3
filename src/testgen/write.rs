//! Tests as source text. In: tests that were made. Out: `test` blocks in the one layout of policies, which read back as
//! the calls they were made of. It judges nothing.

use super::{Judged, Made};
use crate::builtins::instant;
use crate::domain::ArgumentOrigin;
use crate::hir::{Case, SessionStep};
use crate::json::{Json, Text};
use crate::source::{FileId, Source};
use crate::syntax::{self, quote};

/// What the layout needs before the first test.
const HEAD: &str = "gaitpol 1\n\n";

/// The tests as a policy has them after its rules.
pub fn text(tests: &[Made]) -> String {
    if tests.is_empty() {
        return String::new();
    }
    let blocks: Vec<String> = tests.iter().map(test).collect();
    let source = Source::new(FileId(0), "tests", format!("{HEAD}{}", blocks.join("\n")));
    let laid_out = syntax::format(&source).unwrap_or(source.text);
    laid_out.strip_prefix(HEAD).unwrap_or(&laid_out).to_owned()
}

/// Whether a test can say all of a call: where its arguments come from is said of whole arguments.
pub(super) fn can_say(call: &Case) -> bool {
    let origins = call.origins.iter().flatten();
    let mut origins = origins.map(|origin| origin.path.len() == 1 && origin.digest.is_none());
    call.steps.is_empty() && origins.all(|plain| plain)
}

fn test(test: &Made) -> String {
    let mut out = format!("test {} {{\n", quote::string(&test.name));
    if let Some(first) = test.cases.first() {
        out.push_str(&before(&first.call));
    }
    for case in &test.cases {
        out.push_str(&one(case, test.rule.as_deref()));
    }
    out.push_str("}\n");
    out
}

/// What holds of every case of a test: the context, and what ran before.
fn before(call: &Case) -> String {
    let mut out = String::new();
    if call.given.as_object().is_some_and(|given| !given.is_empty()) {
        out.push_str(&format!("given {}\n", literal(&call.given)));
    }
    if !call.session.is_empty() {
        let steps: Vec<String> = call.session.iter().map(step).collect();
        out.push_str(&format!("session {{\n{}}}\n", steps.concat()));
    }
    out
}

fn step(step: &SessionStep) -> String {
    match step {
        SessionStep::Turn => "turn\n".to_owned(),
        SessionStep::At(at) => moment(*at),
        SessionStep::Call { tool, args, ok } => {
            let end = if *ok { "" } else { " result failed" };
            format!("call {} {}{end}\n", quote::dotted_name(tool), literal(args))
        }
    }
}

fn moment(at: i128) -> String {
    format!("at {}\n", quote::string(&instant::to_text(at)))
}

fn one(case: &Judged, rule: Option<&str>) -> String {
    let call = &case.call;
    let at = call.at.map(moment).unwrap_or_default();
    let from = match &call.origins {
        Some(origins) => format!(" from {{ {} }}", sources(origins)),
        None => String::new(),
    };
    let by = match rule {
        Some(rule) if case.matched => format!(" by {rule}"),
        _ => String::new(),
    };
    format!(
        "{at}call {} {}{from} => {}{by}\n",
        quote::dotted_name(&call.tool),
        literal(&call.args),
        case.verdict
    )
}

fn sources(origins: &[ArgumentOrigin]) -> String {
    let source = |origin: &ArgumentOrigin| {
        let kind = origin.source.as_str();
        let name = quote::member_name(origin.path.first().map_or("", String::as_str));
        match &origin.tool {
            Some(tool) => format!("{name}: {}", quote::string(&format!("{kind}:{tool}"))),
            None => format!("{name}: {}", quote::string(kind)),
        }
    };
    origins.iter().map(source).collect::<Vec<_>>().join(", ")
}

/// A JSON value as a literal. A number with an exponent, which literals do not have, is written as text.
fn literal(json: &Json) -> String {
    match json {
        Json::Null => "null".to_owned(),
        Json::Bool(truth) => truth.to_string(),
        Json::Number(number) => match number.text() {
            text if text.contains(['e', 'E']) => quote::string(text),
            text => text.to_owned(),
        },
        Json::String(text) => quote::string(text),
        Json::Array(items) => {
            let items: Vec<String> = items.iter().map(literal).collect();
            format!("[{}]", items.join(", "))
        }
        Json::Object(members) if members.is_empty() => "{}".to_owned(),
        Json::Object(members) => {
            let member =
                |(name, value): &(Text, Json)| format!("{}: {}", quote::member_name(name), literal(value));
            let members: Vec<String> = members.iter().map(member).collect();
            format!("{{ {} }}", members.join(", "))
        }
    }
}
