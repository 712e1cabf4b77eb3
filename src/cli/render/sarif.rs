//! Diagnostics as SARIF 2.1.0 (OASIS standard of 2020-03-27): one run, one result per diagnostic, the codes as rules
//! with their pages, suggested edits as fixes.

use super::Findings;
use crate::diag::{Applicability, Diagnostic, Label, codes};
use crate::json::Json;
use crate::lint;
use crate::source::Span;

/// The log of one run over several policies.
pub fn log(files: &[Findings<'_>]) -> Json {
    let found = files.iter().flat_map(|f| f.diagnostics.iter().map(|d| (*f, d)));
    let mut used: Vec<_> = found.clone().map(|(_, d)| d.code).collect();
    used.sort_unstable();
    used.dedup();
    let results = found.map(|(f, d)| result(d, f, &used)).collect();
    let driver = Json::object([
        ("name", Json::str("gait")),
        ("version", Json::str(env!("CARGO_PKG_VERSION"))),
        ("rules", Json::Array(used.iter().map(|c| rule(*c)).collect())),
    ]);
    let run = Json::object([
        ("tool", Json::object([("driver", driver)])),
        ("columnKind", Json::str("unicodeCodePoints")),
        ("results", Json::Array(results)),
    ]);
    Json::object([
        (
            "$schema",
            Json::str(
                "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
            ),
        ),
        ("version", Json::str("2.1.0")),
        ("runs", Json::Array(vec![run])),
    ])
}

fn text(text: &str) -> Json {
    Json::object([("text", Json::str(text))])
}

fn rule(code: codes::Code) -> Json {
    let meaning = codes::ALL
        .iter()
        .find(|(c, _)| *c == code)
        .map_or("", |(_, text)| text);
    let page = codes::PAGES
        .iter()
        .find(|(c, _)| *c == code)
        .map_or("", |(_, page)| page);
    let help = Json::object([("text", Json::str(page)), ("markdown", Json::str(page))]);
    let mut members = vec![
        ("id", Json::str(code.0)),
        ("shortDescription", text(meaning)),
        ("help", help),
    ];
    if let Some(lint) = lint::by_code(code) {
        members.push(("name", Json::str(lint.name)));
        let tags = Json::Array(vec![Json::str(lint.group.as_str())]);
        members.push(("properties", Json::object([("tags", tags)])));
    }
    Json::object(members)
}

fn result(diagnostic: &Diagnostic, findings: Findings<'_>, used: &[codes::Code]) -> Json {
    let rule = used
        .iter()
        .position(|c| *c == diagnostic.code)
        .unwrap_or_default();
    let level = super::severity(diagnostic);
    let more = [&diagnostic.why, &diagnostic.help];
    let message = more
        .into_iter()
        .flatten()
        .fold(diagnostic.message.clone(), |text, next| format!("{text}; {next}"));
    let related: Vec<Json> = diagnostic
        .secondary
        .iter()
        .map(|label| location(label, findings))
        .collect();
    let mut members = vec![
        ("ruleId", Json::str(diagnostic.code.0)),
        ("ruleIndex", Json::int(i64::try_from(rule).unwrap_or_default())),
        ("level", Json::str(level)),
        ("message", text(&message)),
        (
            "locations",
            Json::Array(vec![location(&diagnostic.primary, findings)]),
        ),
        ("relatedLocations", Json::Array(related)),
    ];
    if let Some(edit) = &diagnostic.edit {
        let replacement = Json::object([
            ("deletedRegion", region(edit.span, findings)),
            ("insertedContent", text(&edit.replacement)),
        ]);
        let change = Json::object([
            ("artifactLocation", artifact(edit.span, findings)),
            ("replacements", Json::Array(vec![replacement])),
        ]);
        let fix = Json::object([
            ("description", text(meaning(edit.applicability))),
            ("artifactChanges", Json::Array(vec![change])),
        ]);
        members.push(("fixes", Json::Array(vec![fix])));
    }
    Json::object(members)
}

/// SARIF has no member that says whether a fix is safe to apply.
fn meaning(applicability: Applicability) -> &'static str {
    match applicability {
        Applicability::Mends => "mends it; `--fix` applies this",
        Applicability::Suggests => "changes what is decided; look at it before it is applied",
    }
}

fn location(label: &Label, findings: Findings<'_>) -> Json {
    let physical = Json::object([
        ("artifactLocation", artifact(label.span, findings)),
        ("region", region(label.span, findings)),
    ]);
    let mut members = vec![("physicalLocation", physical)];
    if !label.text.is_empty() {
        members.push(("message", text(&label.text)));
    }
    Json::object(members)
}

fn artifact(span: Span, findings: Findings<'_>) -> Json {
    Json::object([("uri", Json::str(uri(findings.place(span).0)))])
}

/// A file name as a relative reference (RFC 3986 section 4.2); everything but unreserved characters and `/` is
/// escaped, so a colon cannot make a scheme of it.
fn uri(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for byte in name.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                out.push(char::from(byte));
            }
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    if name.starts_with('/') {
        format!("file://{out}")
    } else {
        out
    }
}

fn region(span: Span, findings: Findings<'_>) -> Json {
    let end = Span {
        start: span.end,
        ..span
    };
    let (_, from) = findings.place(span);
    let (_, to) = findings.place(end);
    let number = |n: u32| Json::int(i64::from(n));
    Json::object([
        ("startLine", number(from.line)),
        ("startColumn", number(from.column)),
        ("endLine", number(to.line)),
        ("endColumn", number(to.column)),
        ("byteOffset", number(span.start)),
        ("byteLength", number(span.end.saturating_sub(span.start))),
    ])
}

#[cfg(test)]
mod tests {
    use super::uri;

    #[test]
    fn names_become_references() {
        for (name, expected) in [
            ("policies/a.gaitpol", "policies/a.gaitpol"),
            ("a b#c?.gaitpol", "a%20b%23c%3F.gaitpol"),
            ("c:x", "c%3Ax"),
            ("/tmp/é", "file:///tmp/%C3%A9"),
        ] {
            assert_eq!(uri(name), expected);
        }
    }
}
