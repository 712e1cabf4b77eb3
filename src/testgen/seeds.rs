//! The calls of tests as intents, for fuzzers and other tools that read those. In: tests that were made. Out: documents
//! with names. An intent says nothing of what ran before it or of facts of the host; the tests do.

use super::{Generated, Judged, Made};
use crate::analysis::document;
use crate::artifact::jcs;
use crate::builtins::instant;
use crate::domain::Intent;
use crate::hir::{Case, Package};
use crate::json::{Json, Text};
use crate::suite;

/// A file of a corpus.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seed {
    /// Its name.
    pub name: String,
    /// The intent, in canonical JSON.
    pub bytes: Vec<u8>,
}

/// A file for each call, by its number and what it shows. Calls that no intent can be, are left out.
pub fn seeds(package: &Package, made: &Generated) -> Vec<Seed> {
    let cases = made
        .tests
        .iter()
        .flat_map(|test| test.cases.iter().map(move |case| (test, case)));
    let mut seeds: Vec<Seed> = Vec::new();
    for (test, case) in cases {
        let bytes = jcs::to_vec(&intent(package, &case.call));
        let known = seeds.iter().any(|seed| seed.bytes == bytes);
        if known || Intent::read(&bytes).is_err() {
            continue;
        }
        let name = format!("{:05}-{}.json", seeds.len() + 1, shows(test, case));
        seeds.push(Seed { name, bytes });
    }
    seeds
}

/// What a case shows, as part of a file's name.
fn shows(test: &Made, case: &Judged) -> String {
    const CHARS: usize = 60;
    let of = test.rule.as_deref().unwrap_or(&case.call.tool);
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() || c == '_' {
            c
        } else {
            '-'
        }
    };
    let of: String = of.chars().map(plain).take(CHARS).collect();
    match case.holds {
        Some(true) => format!("{of}-holds"),
        Some(false) => format!("{of}-fails"),
        None => of,
    }
}

fn intent(package: &Package, call: &Case) -> Json {
    let about = |at: &str| Json::str(at);
    let context = Json::object([
        ("identity", about("agent:test")),
        ("workspace", about("/workspace")),
        ("risk_class", about("low")),
    ]);
    let mut members: Vec<(Text, Json)> = vec![
        ("schema_id".into(), Json::str("gait.gate.intent_request")),
        ("schema_version".into(), Json::str("1.0.0")),
        (
            "created_at".into(),
            Json::str(instant::to_text(call.at.unwrap_or(0))),
        ),
        ("producer_version".into(), Json::str("testgen")),
        ("tool_name".into(), Json::str(&call.tool)),
        ("args".into(), call.args.clone()),
        ("targets".into(), Json::Array(Vec::new())),
        ("context".into(), context),
    ];
    let said = document(call);
    if let Some(origins) = said.get("arg_provenance") {
        members.push(("arg_provenance".into(), origins.clone()));
    }
    let mut intent = Json::Object(members);
    suite::put_said(&mut intent, &call.given, &package.context);
    intent
}
