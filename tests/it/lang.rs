//! The language as its documents show it. Every `gaitpol` block of the manual, of the pages of codes and of
//! `fixtures/lang/` is compiled, and those of GP06nn are linted. `// error[GPnnnn]` or `// warning[GPnnnn]` on a line says that a report of that code
//! starts on that line, and nothing else may be reported; a block without remarks is clean and its tests pass. An
//! `intent` block after it (tool and args, and where needed context and facts) is decided by the gate and must give the `verdict` block (verdict and
//! codes) after that. `<!-- pad: N -->` before a block fills it up to N bytes.
//!
//! A block with a name, such as `gaitpol file=lib/shared.gaitpol` or `csv file=payees.csv`, is a file beside the next
//! policy; remarks in it are expected there. `<!-- lock -->` before a policy locks the files beside it.

use gait::compile::{self, Purpose, Report};
use gait::diag::{Code, Diagnostic, Level};
use gait::domain::{ArgumentOrigin, Request, ScriptStep};
use gait::gate::Gate;
use gait::host::{Host, Memory, Mode};
use gait::json::{self, Json};
use gait::lint::{self, Flags};
use gait::project::{self, lock::LockFile};
use gait::prove;
use gait::source::{FileId, Source, Span};
use gait::suite;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

const FOLDERS: [&str; 3] = ["fixtures/lang", "docs/errors", "docs/reference"];

/// One policy of a document.
#[derive(Default)]
struct Case {
    /// The code of a lint that the document is about.
    lint: Option<Code>,
    /// Line of the document on which the block's text starts, from 1.
    line: usize,
    text: String,
    /// Intents with what they must give.
    calls: Vec<(String, String)>,
    /// Files beside it, by path.
    files: BTreeMap<String, String>,
    /// Whether they are locked.
    locked: bool,
}

/// What the policies of documents are called.
const NAME: &str = "case.gaitpol";

impl Case {
    /// Compiles a text in the place of the policy.
    fn check(&self, text: &str) -> Report {
        let host = Memory::new("2026-01-02T03:04:05Z".parse().unwrap());
        let write = |path: &str, text: &str| {
            host.write_atomic(Path::new(path), text.as_bytes(), Mode::Public)
                .unwrap();
        };
        self.files.iter().for_each(|(path, text)| write(path, text));
        let read = || project::read(&host, Path::new(NAME), text);
        if self.locked {
            let lock = LockFile::of([(NAME, &read())]).unwrap();
            write("gait.lock", &lock.print());
        }
        let mut report = compile::check_with(NAME, text, &read().texts, Purpose::Author);
        prove::prove(&mut report);
        report
    }
}

/// The cases of a document. Complains about a block that belongs to nothing.
fn cases(document: &str) -> Result<Vec<Case>, String> {
    let mut cases: Vec<Case> = Vec::new();
    let mut pad = 0;
    let mut locked = false;
    let mut files = BTreeMap::new();
    let mut intent: Option<String> = None;
    let mut open: Option<(String, usize, String)> = None;
    for (index, line) in document.lines().enumerate() {
        match &mut open {
            None => {
                if let Some(size) = line
                    .strip_prefix("<!-- pad: ")
                    .and_then(|l| l.strip_suffix(" -->"))
                {
                    pad = size.parse().map_err(|_| format!("line {}: no size", index + 1))?;
                } else if line == "<!-- lock -->" {
                    locked = true;
                } else if let Some(info) = line.strip_prefix("```") {
                    open = Some((info.to_owned(), index + 2, String::new()));
                }
            }
            Some((info, start, text)) if line == "```" => {
                let (info, start, text) = (info.clone(), *start, std::mem::take(text));
                open = None;
                if let Some((_, path)) = info.split_once(" file=") {
                    files.insert(path.to_owned(), text);
                    continue;
                }
                match info.as_str() {
                    "gaitpol" => {
                        let text = padded(text, std::mem::take(&mut pad));
                        cases.push(Case {
                            lint: None,
                            line: start,
                            text,
                            calls: Vec::new(),
                            files: std::mem::take(&mut files),
                            locked: std::mem::take(&mut locked),
                        });
                    }
                    "intent" if intent.is_none() => intent = Some(text),
                    "verdict" => match (cases.last_mut(), intent.take()) {
                        (Some(case), Some(intent)) => case.calls.push((intent, text)),
                        _ => return Err(format!("line {start}: a verdict without policy or intent")),
                    },
                    "intent" => return Err(format!("line {start}: an intent without a verdict")),
                    _ => {}
                }
            }
            Some((_, _, text)) => {
                text.push_str(line);
                text.push('\n');
            }
        }
    }
    if open.is_some() || intent.is_some() || !files.is_empty() {
        return Err("a block is not closed, an intent has no verdict, or a file no policy".to_owned());
    }
    Ok(cases)
}

/// The cases of a document whose name says which lint it is about.
fn cases_of(name: &str, document: &str) -> Result<Vec<Case>, String> {
    let lint = name
        .rsplit('/')
        .next()
        .and_then(|file| file.get(..6))
        .and_then(|code| {
            let codes = gait::diag::codes::ALL.iter().map(|(known, _)| *known);
            codes
                .clone()
                .find(|known| known.0 == code && code.starts_with("GP06"))
        });
    let cases = cases(document)?.into_iter();
    Ok(cases.map(|case| Case { lint, ..case }).collect())
}

impl Case {
    /// What is reported about a text: in a document about a lint also what that lint finds, whatever its level.
    fn report(&self, text: &str) -> Report {
        let mut report = self.check(text);
        if let Some(code) = self.lint {
            let mut flags = Flags::default();
            if let Some(lint) = lint::by_code(code) {
                flags.set(lint.name, Level::Warn).unwrap();
            }
            compile::lint(&mut report, &flags);
            report
                .diagnostics
                .retain(|d| d.code == code || lint::by_code(d.code).is_none());
        }
        report
    }
}

fn padded(mut text: String, size: usize) -> String {
    if text.len() < size {
        text.push_str("//");
        text.extend(std::iter::repeat_n('x', size - text.len()));
    }
    text
}

/// The remarks `error[GPnnnn]` and `warning[GPnnnn]` by file and line, sorted.
fn remarks(case: &Case) -> Vec<(String, u32, String)> {
    let mut out = Vec::new();
    let beside = case.files.iter().map(|(path, text)| (path.as_str(), text));
    for (name, text) in beside.chain([(NAME, &case.text)]) {
        for (line, index) in text.lines().zip(1..) {
            for part in line.split("// ").skip(1) {
                let word = part.split(']').next().unwrap();
                if word.starts_with("error[GP") || word.starts_with("warning[GP") {
                    out.push((name.to_owned(), index, format!("{word}]")));
                }
            }
        }
    }
    out.sort();
    out
}

fn reported(report: &Report) -> Vec<(String, u32, String)> {
    let one = |d: &Diagnostic| {
        let word = if d.is_error() { "error" } else { "warning" };
        let source = source(report, d.primary.span);
        let line = source.position(d.primary.span.start).line;
        (source.name.clone(), line, format!("{word}[{}]", d.code))
    };
    let mut out: Vec<_> = report.diagnostics.iter().map(one).collect();
    out.sort();
    out
}

fn source(report: &Report, span: Span) -> &Source {
    report.sources.iter().find(|s| s.id == span.file).unwrap()
}

/// What is wrong with a case.
fn complaints(case: &Case) -> Vec<String> {
    let report = case.report(&case.text);
    let (expected, found) = (remarks(case), reported(&report));
    let mut out: Vec<String> = report.diagnostics.iter().flat_map(form).collect();
    if expected != found {
        let messages: Vec<&str> = report.diagnostics.iter().map(|d| d.message.as_str()).collect();
        out.push(format!("expected {expected:?}, found {found:?}: {messages:#?}"));
        return out;
    }
    let Some(checked) = &report.checked else {
        out.extend(
            case.calls
                .first()
                .map(|_| "calls of a policy with errors".to_owned()),
        );
        return out;
    };
    for result in suite::run(checked).iter().filter(|r| !r.passed()) {
        out.push(format!("test {}: {:?}", result.test, result.failures));
    }
    let gate = Gate::new(compile::lower(checked));
    let mut workspace = gate.workspace();
    for (intent, verdict) in &case.calls {
        let read = |text: &str| json::parse(text.as_bytes()).unwrap();
        let (intent, verdict) = (read(intent), read(verdict));
        let nothing = Json::Object(Vec::new());
        let steps = steps(&intent);
        let tool = intent.get("tool").and_then(Json::as_str).unwrap_or("script");
        let args = intent.get("args").unwrap_or(&nothing);
        let origins = ArgumentOrigin::of_intent(&intent);
        let state = gate.fresh_state();
        let request = Request {
            steps: &steps,
            intent: &intent,
            origins: origins.as_deref(),
            state: intent.get("no_state").is_none().then_some(&state),
            ..Request::call(tool, args)
        };
        let request = request.with_facts(intent.get("facts").unwrap_or(&nothing));
        let decision = gate.decide(&request, &mut workspace).decision;
        let codes = decision.reason_codes.iter().map(Json::str).collect();
        let got = Json::object([
            ("verdict", Json::str(decision.verdict.as_str())),
            ("codes", Json::Array(codes)),
        ]);
        if got != verdict {
            out.push(format!(
                "{intent:?}: expected {verdict:?}, got {got:?} {:?}",
                decision.detail
            ));
        }
    }
    out
}

/// The steps of a script, written as in a v1 intent.
fn steps(intent: &Json) -> Vec<ScriptStep> {
    let steps = intent.get("script").and_then(|s| s.get("steps")?.as_array());
    let step = |step: &Json| ScriptStep {
        tool: step.get("tool_name").and_then(Json::as_str).unwrap().to_owned(),
        args: step.get("args").unwrap().clone(),
        origins: ArgumentOrigin::of_intent(step),
        said: step.clone(),
    };
    steps.unwrap_or_default().iter().map(step).collect()
}

/// House rules of messages that can be checked: one lowercase sentence without a period, no empty help, and a
/// witness that is an intent.
fn form(d: &Diagnostic) -> Vec<String> {
    let mut out = Vec::new();
    let starts = d.message.chars().next().unwrap_or('A');
    if starts.is_uppercase() || d.message.ends_with('.') || d.message.contains('\n') {
        out.push(format!("no lowercase sentence: {}", d.message));
    }
    for text in [&d.why, &d.help].into_iter().flatten() {
        if text.is_empty() || text.ends_with('.') || text.starts_with(char::is_uppercase) {
            out.push(format!("no lowercase sentence: {text}"));
        }
    }
    if let Some(witness) = &d.witness {
        let read = json::parse(witness.as_bytes()).ok();
        if !read.is_some_and(|w| w.get("tool").is_some() && w.get("args").is_some()) {
            out.push(format!("no intent: {witness}"));
        }
    }
    out
}

fn documents() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut out = Vec::new();
    for folder in FOLDERS {
        for entry in std::fs::read_dir(root.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|e| e == "md") {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                out.push((name, std::fs::read_to_string(path).unwrap()));
            }
        }
    }
    out.sort();
    out
}

#[test]
fn every_document_is_true() {
    let mut wrong = Vec::new();
    for (name, text) in documents() {
        match cases_of(&name, &text) {
            Err(complaint) => wrong.push(format!("{name}: {complaint}")),
            Ok(cases) => {
                if cases.is_empty() && name.starts_with("fixtures") {
                    wrong.push(format!("{name}: no case"));
                }
                for case in &cases {
                    let found = complaints(case).into_iter();
                    wrong.extend(found.map(|c| format!("{name}:{}: {c}", case.line)));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_code_is_triggered_by_a_fixture() {
    let seen: BTreeSet<String> = documents()
        .iter()
        .filter(|(name, _)| name.starts_with("fixtures"))
        .flat_map(|(name, text)| cases_of(name, text).unwrap())
        .flat_map(|case| remarks(&case))
        .map(|(_, _, remark)| remark)
        .collect();
    for (code, _) in gait::diag::codes::ALL {
        assert!(
            seen.iter().any(|remark| remark.contains(code.0)),
            "{code} is triggered by no fixture"
        );
    }
}

/// Every message of the fixtures beside the line it is about, to be read as prose.
#[test]
fn messages_read_well() {
    let mut out = String::new();
    for (name, text) in documents().iter().filter(|(n, _)| n.starts_with("fixtures")) {
        for case in cases_of(name, text).unwrap() {
            let report = case.report(&case.text);
            for d in &report.diagnostics {
                let source = source(&report, d.primary.span);
                let at = source.position(d.primary.span.start);
                let line = source.text.lines().nth(at.line as usize - 1).unwrap_or_default();
                let shown: String = line.chars().take(120).collect();
                let name = name.trim_start_matches("fixtures/lang/");
                out.push_str(&format!("{name}\n  {}\n", shown.trim().escape_debug()));
                out.push_str(&format!(
                    "  {}:{} {}: {}\n",
                    at.line, at.column, d.code, d.message
                ));
                let mut say = |head: &str, text: &Option<String>| {
                    if let Some(text) = text {
                        out.push_str(&format!("    {head}: {text}\n"));
                    }
                };
                say("label", &Some(d.primary.text.clone()).filter(|t| !t.is_empty()));
                for label in &d.secondary {
                    say(
                        "also",
                        &Some(format!("{} at `{}`", label.text, place(&report, label.span))),
                    );
                }
                say("why", &d.why);
                say("witness", &d.witness);
                say("help", &d.help);
                let edit = d.edit.as_ref();
                say(
                    "edit",
                    &edit.map(|e| format!("`{}` -> {:?}", place(&report, e.span), e.replacement)),
                );
            }
        }
    }
    insta::assert_snapshot!(out);
}

fn place(report: &Report, span: Span) -> String {
    let text = source(report, span).slice(span);
    text.lines().next().unwrap_or_default().chars().take(40).collect()
}

/// A suggested change must remove its mistake, and must not break what was read before.
#[test]
fn suggested_changes_mend() {
    for (name, text) in documents() {
        for case in cases_of(&name, &text).unwrap() {
            let report = case.report(&case.text);
            for d in &report.diagnostics {
                let Some(edit) = d.edit.as_ref().filter(|e| e.span.file == FileId(0)) else {
                    continue;
                };
                let mut mended = case.text.clone();
                mended.replace_range(edit.span.range(), &edit.replacement);
                let after = case.report(&mended);
                let same = |other: &&Diagnostic| other.code == d.code && other.message == d.message;
                let count = |r: &Report| r.diagnostics.iter().filter(same).count();
                assert!(
                    count(&after) < count(&report),
                    "{name}:{}: {} stays after {edit:?}",
                    case.line,
                    d.message
                );
            }
        }
    }
}

#[test]
fn each_complaint_is_possible() {
    let complains = |document: &str| match cases(document) {
        Err(_) => true,
        Ok(cases) => cases.iter().any(|c| !complaints(c).is_empty()),
    };
    let policy = "gaitpol 1\npolicy a\ndefault block code none\ntool t { n: Int }\n\
                  rule r on t when args.n == 1 allow\n";
    let block = |text: &str| format!("```gaitpol\n{text}```\n");
    let call = |n: u32, verdict: &str, code: &str| {
        format!(
            "```intent\n{{\"tool\":\"t\",\"args\":{{\"n\":{n}}}}}\n```\n\
             ```verdict\n{{\"verdict\":\"{verdict}\",\"codes\":[\"{code}\"]}}\n```\n"
        )
    };
    let good = format!("{}{}", block(policy), call(1, "allow", "r"));
    assert!(!complains(&good));
    assert!(!complains(&block(
        &policy.replace("args.n ==", "args.m // error[GP0101]\n ==")
    )));
    for bad in [
        block(&policy.replace("args.n", "args.m")),
        block(&policy.replace("allow", "allow // error[GP0101]")),
        block(&policy.replace("args.n ==", "args.m // warning[GP0101]\n ==")),
        block(&format!("{policy}test \"x\" {{ call t {{ n: 2 }} => allow }}\n")),
        format!("{}{}", block(policy), call(2, "allow", "r")),
        format!("{}{}", block(policy), call(1, "allow", "none")),
        call(1, "allow", "r"),
        format!("{}```intent\n{{}}\n```\n", block(policy)),
        "```gaitpol\n".to_owned(),
    ] {
        assert!(complains(&bad), "{bad}");
    }
}

/// Every policy of the documents.
pub fn policies() -> Vec<String> {
    let texts = documents().into_iter();
    texts
        .flat_map(|(_, text)| cases(&text).unwrap())
        .map(|case| case.text)
        .collect()
}
