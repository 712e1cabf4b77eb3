//! Tests that were made, as JSON.

use crate::analysis::document as of_call;
use crate::analysis::edges::Missed;
use crate::cli::exit::Exit;
use crate::json::Json;
use crate::testgen::{Generated, Judged, Left, Made};
use std::path::PathBuf;

/// The members of the document that say what was made.
pub(super) fn document(file: &str, made: &Generated, text: &str) -> Vec<(&'static str, Json)> {
    let (conditions, both) = made.conditions;
    vec![
        ("ok", Json::Bool(true)),
        ("file", Json::str(file)),
        ("conditions", number(conditions)),
        ("both_sides", number(both)),
        ("tests", Json::Array(made.tests.iter().map(test).collect())),
        ("gaps", Json::Array(made.gaps.iter().map(gap).collect())),
        ("text", Json::str(text)),
    ]
}

/// The whole document, with what was written where.
pub(super) fn written(
    mut members: Vec<(&'static str, Json)>,
    out: &Option<PathBuf>,
    folder: &Option<PathBuf>,
    seeds: usize,
) -> Json {
    let path = |path: &Option<PathBuf>| match path {
        Some(path) => Json::str(path.to_string_lossy()),
        None => Json::Null,
    };
    members.push(("out", path(out)));
    members.push((
        "seeds",
        Json::object([("folder", path(folder)), ("files", number(seeds))]),
    ));
    members.push(("exit_code", Json::int(i64::from(Exit::Success.code()))));
    Json::object(members)
}

fn number(of: usize) -> Json {
    Json::int(i64::try_from(of).unwrap_or(i64::MAX))
}

fn text(of: Option<&str>) -> Json {
    of.map_or(Json::Null, Json::str)
}

fn test(test: &Made) -> Json {
    Json::object([
        ("name", Json::str(&test.name)),
        ("rule", text(test.rule.as_deref())),
        ("condition", text(test.condition.as_deref())),
        ("cases", Json::Array(test.cases.iter().map(case).collect())),
    ])
}

fn case(case: &Judged) -> Json {
    Json::object([
        ("holds", case.holds.map_or(Json::Null, Json::Bool)),
        ("verdict", Json::str(case.verdict.as_str())),
        ("matched", Json::Bool(case.matched)),
        ("call", of_call(&case.call)),
    ])
}

fn gap(left: &Left) -> Json {
    let why = match left.gap.why {
        Missed::Impossible => "impossible",
        Missed::Masked => "masked",
        Missed::NotFound => "not_found",
        Missed::TooLarge => "too_large",
    };
    Json::object([
        ("rule", Json::str(&left.rule)),
        ("condition", text(left.condition.as_deref())),
        ("line", Json::int(i64::from(left.at.line))),
        ("column", Json::int(i64::from(left.at.column))),
        ("holds", Json::Bool(left.gap.holds)),
        ("instead", Json::Bool(left.gap.instead)),
        ("why", Json::str(why)),
        ("because", Json::str(left.because())),
    ])
}
