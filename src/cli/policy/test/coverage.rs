//! Coverage of a run, for people and for programs, on standard output or in a file of its own. It must not measure
//! anything: `suite::coverage` does.

use super::Tested;
use super::report::number;
use crate::cli::error::{Category, CliError};
use crate::cli::policy::source::count;
use crate::cli::ui::{Tone, Ui, one_line, paint, safe};
use crate::host::{Host, HostError, Mode};
use crate::json::Json;
use crate::limits;
use crate::source::{Position, Source, Span};
use crate::suite::coverage::{ConditionGoal, Coverage};
use std::path::Path;

/// The forms of a coverage file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Format {
    /// For people
    #[default]
    Text,
    /// The member `coverage` of `--json`
    Json,
}

/// How every file of coverage begins, so that nothing else is ever replaced by one.
const TEXT_HEAD: &str = "coverage of ";
const JSON_SCHEMA: &str = "gait.coverage/1";

/// Goals met and goals there are, over all files.
pub(super) fn total(tested: &[Tested]) -> (usize, usize) {
    let totals = tested
        .iter()
        .filter_map(|t| t.coverage.as_ref())
        .map(Coverage::total);
    totals.fold((0, 0), |(met, all), (more_met, more)| {
        (met + more_met, all + more)
    })
}

/// Whether the share of goals met is at least `percent`; there is nothing to miss where there are no goals.
pub(super) fn is_enough((met, all): (usize, usize), percent: u8) -> bool {
    met * 100 >= all * usize::from(percent)
}

/// Per cent of goals met, rounded down.
fn percent((met, all): (usize, usize)) -> usize {
    (met * 100).checked_div(all).unwrap_or(100)
}

/// Prints the coverage of one file.
pub(super) fn people(ui: &mut Ui, tested: &Tested) -> Result<(), CliError> {
    lines(tested).iter().try_for_each(|line| ui.line(line))
}

/// The lines of one file; colours are in them.
fn lines(tested: &Tested) -> Vec<String> {
    let Some(coverage) = &tested.coverage else {
        return Vec::new();
    };
    let total = coverage.total();
    let head = format!(
        "{TEXT_HEAD}{}: {} %, {} of {}",
        tested.file.name,
        percent(total),
        total.0,
        count(total.1, "goal")
    );
    let tone = if total.0 == total.1 {
        Tone::Good
    } else {
        Tone::Warn
    };
    let mut out = vec![paint(tone, &head)];
    for (what, (met, all)) in ["rules", "verdicts", "conditions"].iter().zip(coverage.counts()) {
        out.push(format!("  {what:<10} {met} of {all}"));
    }
    for rule in coverage.rules.iter().filter(|goal| goal.cases == 0) {
        let says = format!("rule {} never matches", rule.name);
        missing(&mut out, tested, rule.span, &says);
    }
    for goal in coverage.verdicts.iter().filter(|goal| goal.cases == 0) {
        let says = format!("no call of {} gets {}", goal.tool, goal.verdict);
        let name = Span {
            end: goal.span.start + 4,
            ..goal.span
        };
        missing(&mut out, tested, name, &says);
    }
    for goal in coverage.conditions.iter().filter(|goal| !goal.is_covered()) {
        missing(&mut out, tested, goal.span, &undecided(goal));
    }
    out
}

fn undecided(goal: &ConditionGoal) -> String {
    let rule = &goal.rule;
    match (goal.when_true, goal.when_false) {
        (0, 0) => format!("this never decides rule {rule}"),
        (0, _) => format!("this decides rule {rule} only by being false"),
        _ => format!("this decides rule {rule} only by being true"),
    }
}

/// A goal that was not met: its place, what is missing, and the line it is on with the place underlined.
fn missing(out: &mut Vec<String>, tested: &Tested, span: Span, says: &str) {
    let source = source(tested, span);
    let at = source.map_or(Position { line: 1, column: 1 }, |s| s.position(span.start));
    let name = source.map_or("", |s| s.name.as_str());
    out.push(format!(
        "  {}:{}:{}: {}",
        one_line(name),
        at.line,
        at.column,
        one_line(says)
    ));
    let Some(source) = source else { return };
    let line = source.text.lines().nth(at.line as usize - 1).unwrap_or_default();
    let text = source.slice(span).lines().next().unwrap_or_default();
    // A tab is as wide as the one above it; of a long line the place alone tells.
    if line.chars().count() > limits::SHOWN_VALUE_CHARS {
        return;
    }
    let before: String = line.chars().take(at.column as usize - 1).collect();
    let blank: String = safe(&before)
        .chars()
        .map(|c| if c == '\t' { '\t' } else { ' ' })
        .collect();
    let under = "^".repeat(safe(text).chars().count().max(1));
    let margin = at.line.to_string();
    out.push(format!("    {margin} | {}", safe(line)));
    out.push(format!(
        "    {:width$} | {blank}{}",
        "",
        paint(Tone::Warn, &under),
        width = margin.len()
    ));
}

fn source(tested: &Tested, span: Span) -> Option<&Source> {
    tested.report.sources.iter().find(|s| s.id == span.file)
}

/// The member `coverage` of one file.
pub(super) fn document(tested: &Tested) -> Json {
    let Some(coverage) = &tested.coverage else {
        return Json::Null;
    };
    let total = coverage.total();
    let rules = coverage.rules.iter().map(|goal| {
        let own = [("name", Json::str(&goal.name)), ("cases", number(goal.cases))];
        with_place(tested, goal.span, goal.cases > 0, own)
    });
    let verdicts = coverage.verdicts.iter().map(|goal| {
        Json::object([
            ("tool", Json::str(&goal.tool)),
            ("verdict", Json::str(goal.verdict.as_str())),
            ("cases", number(goal.cases)),
            ("covered", Json::Bool(goal.cases > 0)),
        ])
    });
    let conditions = coverage.conditions.iter().map(|goal| {
        let text = source(tested, goal.span).map_or("", |s| s.slice(goal.span));
        let own = [
            ("rule", Json::str(&goal.rule)),
            ("source", Json::str(text)),
            ("when_true", number(goal.when_true)),
            ("when_false", number(goal.when_false)),
        ];
        with_place(tested, goal.span, goal.is_covered(), own)
    });
    Json::object([
        ("percent", number(percent(total))),
        ("met", number(total.0)),
        ("goals", number(total.1)),
        ("rules", Json::Array(rules.collect())),
        ("verdicts", Json::Array(verdicts.collect())),
        ("conditions", Json::Array(conditions.collect())),
    ])
}

fn with_place<const N: usize>(
    tested: &Tested,
    span: Span,
    covered: bool,
    own: [(&'static str, Json); N],
) -> Json {
    let source = source(tested, span);
    let at = source.map_or(Position { line: 1, column: 1 }, |s| s.position(span.start));
    let place = [
        ("file", Json::str(source.map_or("", |s| s.name.as_str()))),
        ("line", Json::int(i64::from(at.line))),
        ("column", Json::int(i64::from(at.column))),
        ("covered", Json::Bool(covered)),
    ];
    Json::object(own.into_iter().chain(place))
}

/// Writes the coverage of every file. A file of an earlier run is replaced; any other is left alone.
pub(super) fn write(host: &dyn Host, path: &Path, format: Format, tested: &[Tested]) -> Result<(), CliError> {
    let text = match format {
        Format::Text => {
            let lines: Vec<String> = tested.iter().flat_map(lines).collect();
            let plain = anstream::adapter::strip_str(&lines.join("\n")).to_string();
            format!("{plain}\n")
        }
        Format::Json => {
            let file =
                |t: &Tested| Json::object([("file", Json::str(&t.file.name)), ("coverage", document(t))]);
            let document = Json::object([
                ("schema", Json::str(JSON_SCHEMA)),
                ("files", Json::Array(tested.iter().map(file).collect())),
            ]);
            crate::cli::json_text::write(&document)
        }
    };
    if host.exists(path) && !is_coverage(host, path) {
        let taken = CliError::from(HostError::Exists {
            path: path.to_owned(),
        });
        return Err(taken.hint("`--coverage-out` replaces files of coverage only; name another file"));
    }
    host.write_atomic(path, text.as_bytes(), Mode::Public)?;
    Ok(())
}

fn is_coverage(host: &dyn Host, path: &Path) -> bool {
    host.read(path, limits::FILE_BYTES).is_ok_and(|bytes| {
        let head = bytes.get(..limits::JUNIT_HEAD_BYTES.min(bytes.len()));
        let start = String::from_utf8_lossy(head.unwrap_or_default());
        bytes.is_empty() || start.starts_with(TEXT_HEAD) || start.contains(JSON_SCHEMA)
    })
}

/// The refusal of a run that shows too little.
pub(super) fn too_little(tested: &[Tested], wanted: u8) -> CliError {
    let total = total(tested);
    let message = format!(
        "the tests meet {} of {} ({} %), less than {wanted} %",
        total.0,
        count(total.1, "goal"),
        percent(total)
    );
    CliError::new(Category::Regression, "test.coverage", message)
        .hint("`--coverage` shows what no test shows")
        .details([
            ("met", number(total.0)),
            ("goals", number(total.1)),
            ("wanted", number(usize::from(wanted))),
        ])
}
