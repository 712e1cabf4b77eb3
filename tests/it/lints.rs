//! Lints: the examples of their pages do what they say, `--fix` keeps the meaning and ends, levels and silences count
//! as documented, and the command shows all of it in every format.

use crate::cli::{document, exit, gait, text};
use gait::compile::{self, Report};
use gait::diag::{Applicability, Diagnostic, Level};
use gait::lint::{self, Flags, Lint};
use std::path::Path;
use std::process::Output;

/// The findings of a policy, with one lint on whatever its level.
fn linted(policy: &str, on: Option<&Lint>) -> Report {
    let mut flags = Flags::default();
    if let Some(lint) = on {
        flags.set(lint.name, Level::Warn).unwrap();
    }
    let mut report = compile::check("policy.gaitpol", policy);
    compile::lint(&mut report, &flags);
    report
}

fn mended(policy: &str, on: Option<&Lint>) -> String {
    compile::mend(policy, linted(policy, on), |text| linted(text, on)).text
}

/// The text without its remark.
fn plain(policy: &str) -> String {
    let lines = policy
        .lines()
        .map(|line| line.split(" // warning[").next().unwrap());
    lines.map(|line| format!("{line}\n")).collect()
}

fn shown(report: &Report) -> Vec<String> {
    let one = |d: &Diagnostic| {
        let at = report.sources[0].position(d.primary.span.start);
        format!("{}:{} {} {}", at.line, at.column, d.code, d.message)
    };
    report.diagnostics.iter().map(one).collect()
}

#[test]
fn examples_do_what_they_say() {
    for lint in lint::ALL {
        let report = linted(lint.bad(), Some(lint));
        let marked = lint.bad().lines().position(|l| l.contains("// warning[GP06"));
        let marked = u32::try_from(marked.unwrap()).unwrap() + 1;
        let [found] = report.diagnostics.as_slice() else {
            panic!("{}: {:#?}", lint.name, shown(&report));
        };
        let line = report.sources[0].position(found.primary.span.start).line;
        assert_eq!((found.code, line), (lint.code, marked), "{}", lint.name);
        let good = linted(lint.good(), Some(lint));
        assert_eq!(
            shown(&good),
            Vec::<String>::new(),
            "{}: the good example",
            lint.name
        );
        let formatted = gait::syntax::format(&good.sources[0]).unwrap();
        assert_eq!(formatted, lint.good(), "{}: not formatted", lint.name);
        assert!(!lint.why().is_empty(), "{}", lint.name);
    }
}

#[test]
fn changes_of_the_examples_give_the_good_ones() {
    for lint in lint::ALL {
        let bad = if lint.name == "unused_silence" {
            lint.bad().to_owned()
        } else {
            plain(lint.bad())
        };
        let report = linted(&bad, Some(lint));
        let [found] = report.diagnostics.as_slice() else {
            panic!("{}: {:#?}", lint.name, shown(&report));
        };
        match &found.edit {
            None => {}
            Some(edit) if edit.applicability == Applicability::Mends => {
                assert_eq!(mended(&bad, Some(lint)), lint.good(), "{}", lint.name);
            }
            Some(edit) => {
                assert_eq!(mended(&bad, Some(lint)), bad, "{}: `--fix` leaves it", lint.name);
                let mut changed = bad.clone();
                changed.replace_range(edit.span.range(), &edit.replacement);
                let after = linted(&changed, Some(lint));
                assert!(after.checked.is_some(), "{}: {:#?}", lint.name, shown(&after));
                assert!(
                    after.diagnostics.iter().all(|d| d.code != lint.code),
                    "{}",
                    lint.name
                );
            }
        }
    }
}

/// Every policy in the documents, with what the lints find in it.
fn documents() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut out = Vec::new();
    for folder in ["fixtures/lang", "docs/errors", "docs/reference"] {
        for entry in std::fs::read_dir(root.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            let text = std::fs::read_to_string(&path).unwrap();
            for block in text.split("```gaitpol\n").skip(1) {
                let name = path.file_name().unwrap().to_string_lossy().into_owned();
                out.push((name, block.split("```").next().unwrap().to_owned()));
            }
        }
    }
    out.sort();
    out
}

#[test]
fn mending_keeps_the_meaning_and_ends() {
    let mut changed = 0;
    for (name, policy) in documents() {
        let before = linted(&policy, None);
        let Some(checked) = before.checked.clone() else {
            continue;
        };
        let once = mended(&policy, None);
        if once == policy {
            continue;
        }
        changed += 1;
        assert_eq!(mended(&once, None), once, "{name}: not idempotent");
        let after = linted(&once, None).checked.unwrap();
        assert!(
            lint::meaning::same_package(checked.package(), after.package()),
            "{name}"
        );
        assert!(
            gait::suite::run(&after).iter().all(|case| case.passed()),
            "{name}"
        );
    }
    assert!(changed > 2, "{changed} policies were mended");
}

const POLICY: &str = r#"gaitpol 1
policy acme.lint

lints { deny broad_allow, allow subsumed_rule }

default block code no_rule_matched

tool net.post {
  url: Url
  size: Int
  effect net.egress to url.host
}

rule post
  on net.post
  when not args.size == 1 and args.url.host == "acme.example"
  allow

rule all_of_it
  on net.post
  allow
"#;

fn folder(policy: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("p.gaitpol"), policy).unwrap();
    folder
}

fn run(at: &tempfile::TempDir, args: &[&str]) -> Output {
    let args: Vec<&str> = ["policy", "lint"]
        .into_iter()
        .chain(args.iter().copied())
        .collect();
    gait(at.path(), &args).output().unwrap()
}

/// `line code severity` of each line of the concise format.
fn found(output: &Output) -> Vec<String> {
    let line = |line: &str| {
        let mut parts = line.split(':');
        let (number, rest) = (parts.nth(1).unwrap(), parts.nth(1).unwrap());
        let severity = rest.trim().split('[').next().unwrap();
        let lint = line.rsplit(" (").next().unwrap().trim_end_matches(')');
        format!("{number} {severity} {lint}")
    };
    text(&output.stdout).lines().map(line).collect()
}

#[test]
fn levels_come_from_flags_then_the_policy_then_the_lint() {
    let at = folder(POLICY);
    for (flags, expected, code) in [
        (
            &[][..],
            &["16 warning negated_comparison", "20 error broad_allow"][..],
            6,
        ),
        (
            &["--warn", "broad_allow"],
            &["16 warning negated_comparison", "20 warning broad_allow"],
            0,
        ),
        (&["--allow", "security", "--allow", "style"], &[], 0),
        (
            &["--warn=security", "--deny", "warnings"],
            &["16 error negated_comparison", "20 error broad_allow"],
            6,
        ),
        (
            &["--allow=style", "--deny=style", "--allow=broad_allow"],
            &["16 error negated_comparison"],
            6,
        ),
    ] {
        let args: Vec<&str> = ["p.gaitpol", "--format", "concise"]
            .into_iter()
            .chain(flags.iter().copied())
            .collect();
        let output = run(&at, &args);
        assert_eq!(found(&output), expected, "{flags:?}");
        assert_eq!(exit(&output), code, "{flags:?}");
    }
    let unknown = run(&at, &["p.gaitpol", "--deny", "broad_alow", "--json"]);
    assert_eq!(exit(&unknown), 6);
    let error = document(&unknown, "error");
    assert_eq!(error["error"]["code"], "lint.unknown_name");
    assert_eq!(error["error"]["hint"], "did you mean `broad_allow`?");
}

#[test]
fn a_silence_covers_an_item_or_a_line_and_asks_for_a_reason() {
    let silence = |lint: &str| format!("// gait: allow({lint}) because it is a test\n");
    let with = |before: &str, comment: &str| POLICY.replace(before, &format!("{comment}{before}"));
    let behind = |line: &str, lint: &str| POLICY.replace(line, &format!("{line} {}", silence(lint).trim()));
    for (name, policy, expected) in [
        (
            "above the item",
            with("rule all_of_it", &silence("broad_allow")),
            &["16 warning negated_comparison"][..],
        ),
        (
            "above the line",
            with("  when not", &silence("negated_comparison")),
            &["21 error broad_allow"],
        ),
        (
            "behind the line",
            behind("host == \"acme.example\"", "negated_comparison"),
            &["20 error broad_allow"],
        ),
        (
            "behind the last line of the item before",
            POLICY.replace(
                "example\"\n  allow\n",
                &format!("example\"\n  allow {}", silence("broad_allow")),
            ),
            &[
                "16 warning negated_comparison",
                "17 warning unused_silence",
                "20 error broad_allow",
            ],
        ),
        (
            "above the wrong item",
            with("rule post", &silence("broad_allow")),
            &[
                "14 warning unused_silence",
                "17 warning negated_comparison",
                "21 error broad_allow",
            ],
        ),
        (
            "two at once",
            with("rule all_of_it", &silence("broad_allow, negated_comparison")),
            &["16 warning negated_comparison", "19 warning unused_silence"],
        ),
    ] {
        let at = folder(&policy);
        let output = run(&at, &["p.gaitpol", "--format", "concise"]);
        let got: Vec<String> = found(&output);
        let mut sorted = expected.to_vec();
        sorted.sort_by_key(|line| line.split(' ').next().unwrap().parse::<u32>().unwrap());
        assert_eq!(got, sorted, "{name}\n{policy}");
    }
    for (comment, code) in [
        ("// gait: allow(broad_allow)\n", "GP0601"),
        ("// gait: allow broad_allow because x\n", "GP0601"),
        ("// gait: allow(broad_alow) because x\n", "GP0600"),
    ] {
        let at = folder(&with("rule all_of_it", comment));
        let output = run(&at, &["p.gaitpol", "--format", "concise"]);
        let line = text(&output.stdout).lines().find(|l| l.contains(code)).unwrap();
        assert!(line.contains("error["), "{line}");
        assert_eq!(exit(&output), 6);
    }
}

#[test]
fn changes_are_applied_once_and_counted() {
    let at = folder(POLICY);
    let diff = run(&at, &["--diff", "p.gaitpol"]);
    assert_eq!(exit(&diff), 6);
    assert!(
        text(&diff.stdout).starts_with("--- a/p.gaitpol\n"),
        "{}",
        text(&diff.stdout)
    );
    assert!(text(&diff.stdout).contains("+  when args.size != 1 and"));
    let diff = document(&run(&at, &["--diff", "p.gaitpol", "--json"]), "policy_lint");
    assert!(diff["files"][0]["diff"].as_str().unwrap().contains("!= 1"));
    let output = run(&at, &["--fix", "p.gaitpol", "--json"]);
    let value = document(&output, "policy_lint");
    assert_eq!(value["files"][0]["fixed"], 1);
    assert_eq!(value["files"][0]["errors"], 1);
    let mended = POLICY.replace("not args.size == 1", "args.size != 1");
    let on_disk = || std::fs::read_to_string(at.path().join("p.gaitpol")).unwrap();
    assert_eq!(on_disk(), mended);
    let again = document(&run(&at, &["--fix", "p.gaitpol", "--json"]), "policy_lint");
    assert_eq!(again["files"][0]["fixed"], 0);
    assert_eq!(on_disk(), mended);
}

#[test]
fn errors_come_before_lints() {
    let at = folder(&POLICY.replace("net.post\n  allow", "net.pots\n  allow"));
    let output = run(&at, &["p.gaitpol", "--format=concise", "--fix"]);
    assert_eq!(exit(&output), 6);
    let lines: Vec<&str> = text(&output.stdout).lines().collect();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].contains("error[GP0101]"), "{lines:?}");
}

#[test]
fn every_format_names_the_lint() {
    let at = folder(POLICY);
    let people = run(&at, &["p.gaitpol"]);
    assert_eq!(text(&people.stdout), "p.gaitpol: 1 error, 1 warning\n");
    assert!(text(&people.stderr).contains("error[GP0605] broad_allow"));
    let json = document(&run(&at, &["p.gaitpol", "--json"]), "policy_lint");
    let names: Vec<&str> = json["files"][0]["diagnostics"]
        .as_array()
        .unwrap()
        .iter()
        .map(|d| d["lint"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["negated_comparison", "broad_allow"]);
    let sarif = run(&at, &["p.gaitpol", "--format", "sarif"]);
    let sarif: serde_json::Value = serde_json::from_slice(&sarif.stdout).unwrap();
    assert_eq!(
        sarif["runs"][0]["tool"]["driver"]["rules"][0]["name"],
        "broad_allow"
    );
    let both = run(&at, &["p.gaitpol", "--json", "--format", "sarif"]);
    assert_eq!(document(&both, "error")["error"]["code"], "usage.invalid");
}

#[test]
fn every_lint_is_listed_and_explained() {
    let at = folder(POLICY);
    let list = document(&run(&at, &["--list", "--json"]), "policy_lint");
    assert_eq!(list["lints"].as_array().unwrap().len(), lint::ALL.len());
    let plain = run(&at, &["--list"]);
    for lint in lint::ALL {
        assert!(text(&plain.stdout).contains(lint.name), "{}", lint.name);
    }
    for topic in ["broad_allow", "GP0605"] {
        let output = gait(at.path(), &["explain", topic]).output().unwrap();
        assert!(text(&output.stdout).starts_with("# GP0605: "), "{topic}");
    }
    assert_eq!(exit(&run(&at, &[])), 6);
}

#[test]
fn modules_of_a_policy_are_looked_at_with_its_levels() {
    let at = folder(
        "gaitpol 1
policy acme.lint

profile dev

import \"shared.gaitpol\" as shared

lints { deny negated_comparison }

default block code no_rule_matched

tool net.get {
  size: Int
  effect net.read
}

rule get
  on net.get
  when shared.small(args.size)
  allow
",
    );
    let module = "gaitpol 1

enum Nobody { uses, this }

pred small(n: Int) = not n > 9

// gait: allow(negated_comparison) because it is a test
pred large(n: Int) = not n < 9
";
    std::fs::write(at.path().join("shared.gaitpol"), module).unwrap();
    let output = run(&at, &["p.gaitpol", "--format", "concise"]);
    let line = "shared.gaitpol:5:22: error[GP0607]: `not … > …` is `… <= …` (negated_comparison)\n";
    assert_eq!(text(&output.stdout), line);
    let fixed = document(&run(&at, &["p.gaitpol", "--fix", "--json"]), "policy_lint");
    assert_eq!(fixed["files"][0]["fixed"], 0, "only the policy itself is changed");
    let levels = module.replace("enum", "lints { allow style }\n\nenum");
    std::fs::write(at.path().join("shared.gaitpol"), levels).unwrap();
    let output = run(&at, &["p.gaitpol", "--format", "concise"]);
    assert!(
        text(&output.stdout).contains("error[GP0117]"),
        "{}",
        text(&output.stdout)
    );
}
