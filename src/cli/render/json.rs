//! Diagnostics as JSON: ranges in bytes and in lines and columns, suggested edits as ranges with their replacement.
//! The shape is `diagnostic` in `schemas/v1/cli/policy_check.schema.json`.

use super::{Findings, lint_name, severity};
use crate::diag::{Applicability, Diagnostic, Edit, Label};
use crate::json::Json;
use crate::source::Span;

/// The array of diagnostics.
pub fn diagnostics(findings: Findings<'_>) -> Json {
    Json::Array(findings.diagnostics.iter().map(|d| one(d, findings)).collect())
}

fn one(diagnostic: &Diagnostic, findings: Findings<'_>) -> Json {
    let text = |t: &Option<String>| t.as_ref().map_or(Json::Null, Json::str);
    let secondary = diagnostic.secondary.iter().map(|l| label(l, findings)).collect();
    let edit = diagnostic.edit.as_ref().map_or(Json::Null, |e| edit(e, findings));
    Json::object([
        ("code", Json::str(diagnostic.code.0)),
        ("lint", lint_name(diagnostic).map_or(Json::Null, Json::str)),
        ("severity", Json::str(severity(diagnostic))),
        ("message", Json::str(&diagnostic.message)),
        ("primary", label(&diagnostic.primary, findings)),
        ("secondary", Json::Array(secondary)),
        ("why", text(&diagnostic.why)),
        ("witness", text(&diagnostic.witness)),
        ("help", text(&diagnostic.help)),
        ("edit", edit),
    ])
}

fn label(label: &Label, findings: Findings<'_>) -> Json {
    Json::object([
        ("file", file(label.span, findings)),
        ("range", range(label.span, findings)),
        ("text", Json::str(&label.text)),
    ])
}

fn edit(edit: &Edit, findings: Findings<'_>) -> Json {
    Json::object([
        ("file", file(edit.span, findings)),
        ("range", range(edit.span, findings)),
        ("replacement", Json::str(&edit.replacement)),
        (
            "automatic",
            Json::Bool(edit.applicability == Applicability::Mends),
        ),
    ])
}

fn file(span: Span, findings: Findings<'_>) -> Json {
    Json::str(findings.place(span).0)
}

/// Half-open; bytes from 0, lines and columns from 1, columns in characters.
fn range(span: Span, findings: Findings<'_>) -> Json {
    let end = Span {
        start: span.end,
        ..span
    };
    let point = |at: Span| {
        let (_, position) = findings.place(at);
        Json::object([
            ("byte", Json::int(i64::from(at.start))),
            ("line", Json::int(i64::from(position.line))),
            ("column", Json::int(i64::from(position.column))),
        ])
    };
    Json::object([("start", point(span)), ("end", point(end))])
}
