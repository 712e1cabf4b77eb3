//! A replay's report as a narrow table and as the document of `schemas/v1/cli/policy_replay.schema.json`. It counts
//! nothing.

use crate::cli::error::CliError;
use crate::cli::ui::{Tone, Ui, one_line, paint, tally};
use crate::domain::Verdict;
use crate::ir::Program;
use crate::json::Json;
use crate::replay::{Finding, FindingKind, Report, ToolTally};

/// Width of the column of tool names, in characters; longer names push their line out.
const NAME_WIDTH: usize = 30;

/// Prints the table.
pub(super) fn print(ui: &mut Ui, report: &Report, details: bool) -> Result<(), CliError> {
    let heading = format!(
        "{:NAME_WIDTH$} {:>7} {:>7} {:>7} {:>8} {:>7}",
        "tool", "calls", "allow", "dry_run", "approval", "block"
    );
    ui.line(&paint(Tone::Strong, &heading))?;
    for (name, tool) in &report.tools {
        let [allow, dry_run, approval, block] = tool.verdicts;
        let row = format!(
            "{name:NAME_WIDTH$} {:>7} {allow:>7} {dry_run:>7} {approval:>8} {block:>7}",
            tool.calls
        );
        ui.line(&one_line(&row))?;
        for (code, count) in &tool.codes {
            ui.line(&paint(Tone::Dim, &format!("  {code} {count}")))?;
        }
    }
    let (tasks, runs, calls) = (&report.tasks, &report.attacked, &report.calls);
    section(
        ui,
        "tasks without a malicious call",
        tasks.total,
        &[
            ("every call allowed", tasks.allowed),
            ("needs an approval", tasks.approval),
            ("has a blocked call", tasks.blocked),
        ],
    )?;
    section(
        ui,
        "attacked runs",
        runs.total,
        &[
            ("no malicious call allowed", runs.stopped),
            ("some malicious calls allowed", runs.partial),
            ("every malicious call allowed", runs.complete),
            ("every benign call allowed", runs.benign_allowed),
        ],
    )?;
    section(
        ui,
        "benign calls",
        calls.benign,
        &[("allowed", calls.benign_allowed)],
    )?;
    section(
        ui,
        "malicious calls",
        calls.malicious,
        &[("stopped", calls.malicious_stopped)],
    )?;
    if details { findings(ui, report) } else { Ok(()) }
}

/// A total and its parts; nothing where there is nothing to divide.
fn section(ui: &mut Ui, title: &str, total: u64, parts: &[(&str, u64)]) -> Result<(), CliError> {
    if total == 0 {
        return Ok(());
    }
    ui.line("")?;
    ui.line(&paint(Tone::Strong, &format!("{title:NAME_WIDTH$} {total:>7}")))?;
    for (name, count) in parts {
        let share = per_mille(*count, total);
        ui.line(&format!(
            "  {name:28} {count:>7} {:>5}.{}%",
            share / 10,
            share % 10
        ))?;
    }
    Ok(())
}

/// Thousandths, rounded half up.
fn per_mille(count: u64, total: u64) -> u64 {
    let (count, total) = (u128::from(count), u128::from(total.max(1)));
    u64::try_from((count * 2_000 + total) / (2 * total)).unwrap_or(u64::MAX)
}

fn findings(ui: &mut Ui, report: &Report) -> Result<(), CliError> {
    for (kind, title) in [
        (FindingKind::BenignNotAllowed, "benign calls that are not allowed"),
        (FindingKind::MaliciousAllowed, "malicious calls that are allowed"),
    ] {
        let mut found = report.findings.iter().filter(|f| f.kind == kind).peekable();
        if found.peek().is_none() {
            continue;
        }
        ui.line("")?;
        ui.line(&paint(Tone::Strong, title))?;
        for Finding {
            id,
            call,
            tool,
            verdict,
            codes,
            detail,
            ..
        } in found
        {
            let because = detail.as_ref().map(|d| format!(": {d}")).unwrap_or_default();
            let row = format!(
                "{id} call {call}: {tool} {verdict} ({}){because}",
                codes.join(", ")
            );
            ui.line(&one_line(&row))?;
        }
    }
    if report.more_findings > 0 {
        ui.note(&format!(
            "note: {} not listed",
            tally(report.more_findings, "more call")
        ));
    }
    Ok(())
}

/// The `--json` document.
pub(super) fn document(report: &Report, program: &Program, details: bool) -> Json {
    let (tasks, runs, calls) = (&report.tasks, &report.attacked, &report.calls);
    let counts = |members: &[(&str, u64)]| Json::object(members.iter().map(|(name, n)| (*name, count(*n))));
    let mut members = vec![
        ("ok", Json::Bool(true)),
        (
            "policy",
            Json::object([
                ("name", Json::str(&program.policy)),
                ("version", Json::str(&program.version)),
            ]),
        ),
        (
            "decisions_digest",
            report.decisions.map_or(Json::Null, |digest| digest.to_json()),
        ),
        (
            "records",
            counts(&[
                ("total", report.documents),
                ("skipped", report.skipped_documents),
                ("inexact", report.inexact_documents),
            ]),
        ),
        (
            "tasks",
            counts(&[
                ("total", tasks.total),
                ("allowed", tasks.allowed),
                ("approval", tasks.approval),
                ("blocked", tasks.blocked),
            ]),
        ),
        (
            "attacked_runs",
            counts(&[
                ("total", runs.total),
                ("stopped", runs.stopped),
                ("partial", runs.partial),
                ("complete", runs.complete),
                ("benign_allowed", runs.benign_allowed),
            ]),
        ),
        (
            "calls",
            counts(&[
                ("benign", calls.benign),
                ("benign_allowed", calls.benign_allowed),
                ("malicious", calls.malicious),
                ("malicious_stopped", calls.malicious_stopped),
                ("unlabelled", calls.unlabelled),
                ("skipped", calls.skipped),
            ]),
        ),
        (
            "tools",
            Json::Array(
                report
                    .tools
                    .iter()
                    .map(|(name, tally)| tool(name, tally))
                    .collect(),
            ),
        ),
    ];
    if details {
        members.push((
            "findings",
            Json::Array(report.findings.iter().map(finding).collect()),
        ));
        members.push(("more_findings", count(report.more_findings)));
    }
    Json::object(members)
}

fn tool(name: &str, tally: &ToolTally) -> Json {
    let verdicts = Verdict::ALL.iter().zip(tally.verdicts);
    let codes = tally
        .codes
        .iter()
        .map(|(code, n)| Json::object([("code", Json::str(code)), ("calls", count(*n))]));
    Json::object([
        ("tool", Json::str(name)),
        ("calls", count(tally.calls)),
        (
            "verdicts",
            Json::object(verdicts.map(|(verdict, n)| (verdict.as_str(), count(n)))),
        ),
        ("reason_codes", Json::Array(codes.collect())),
    ])
}

fn finding(found: &Finding) -> Json {
    let kind = match found.kind {
        FindingKind::BenignNotAllowed => "benign_not_allowed",
        FindingKind::MaliciousAllowed => "malicious_allowed",
    };
    Json::object([
        ("kind", Json::str(kind)),
        ("id", Json::str(&found.id)),
        ("call", count(found.call)),
        ("tool", Json::str(&found.tool)),
        ("verdict", Json::str(found.verdict.as_str())),
        (
            "reason_codes",
            Json::Array(found.codes.iter().map(Json::str).collect()),
        ),
        ("detail", found.detail.as_ref().map_or(Json::Null, Json::str)),
    ])
}

fn count(n: u64) -> Json {
    Json::int(i64::try_from(n).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    #[test]
    fn shares_are_rounded_to_thousandths() {
        for (count, total, expected) in [
            (0, 3, 0),
            (1, 3, 333),
            (2, 3, 667),
            (3, 3, 1_000),
            (1, 2_000, 1),
            (0, 0, 0),
        ] {
            assert_eq!(super::per_mille(count, total), expected, "{count}/{total}");
        }
    }
}
