//! Coverage of tests: which conditions some case has shown to decide, and what `gait policy test` tells of the rest.

use crate::cli::{document, exit, gait, text};
use gait::compile;
use gait::suite::coverage::Meter;
use gait::suite::{self, Runner};
use std::path::Path;
use std::process::Output;

const HEAD: &str = "gaitpol 1\npolicy a\ndefault block code none\ntool t { n: Int, b: Bool, s: String[max 9], xs: List[Int, \
                    max 4], e: enum { x, y } }\n";

/// The conditions that decided: the text, and `T`, `F` or both.
fn decided(rule: &str, cases: &[&str]) -> Vec<String> {
    let calls: String = cases
        .iter()
        .map(|c| {
            let rest = [
                ("n", "0"),
                ("b", "false"),
                ("s", "\"\""),
                ("xs", "[]"),
                ("e", "x"),
            ]
            .into_iter()
            .filter(|(name, _)| !format!(" {c}").contains(&format!(" {name}:")))
            .map(|(name, value)| format!("{name}: {value}"));
            let all: Vec<String> = (!c.is_empty())
                .then(|| (*c).to_owned())
                .into_iter()
                .chain(rest)
                .collect();
            format!("match t {{ {} }}\n", all.join(", "))
        })
        .collect();
    let text = format!("{HEAD}rule r on t {rule} allow\nexamples r {{\n{calls}}}\n");
    let report = compile::check("a.gaitpol", &text);
    let checked = report
        .checked
        .unwrap_or_else(|| panic!("{text}\n{:?}", report.diagnostics));
    let package = checked.package();
    let (mut runner, mut meter) = (Runner::new(&checked), Meter::new(package));
    for (test, case) in suite::cases(package) {
        let (_, seen) = runner.run_seen(test, case);
        meter.see(&seen);
    }
    let goals = meter.finish().conditions.into_iter();
    goals
        .map(|goal| {
            let how = [(goal.when_true, "T"), (goal.when_false, "F")];
            let how: String = how.iter().filter(|(n, _)| *n > 0).map(|(_, l)| *l).collect();
            format!("{}: {how}", package.sources[0].slice(goal.span))
        })
        .collect()
}

#[test]
fn a_condition_is_shown_by_a_pair_of_cases() {
    for (rule, cases, wanted) in [
        ("when args.n > 1", &["n: 2"][..], &["args.n > 1: T"][..]),
        ("when args.n > 1", &["n: 2", "n: 1"], &["args.n > 1: TF"]),
        ("when args.e != x", &["e: x"], &["args.e != x: F"]),
        ("unless args.b", &["b: true"], &["args.b: T"]),
        // An `and` is decided by a part only where the others hold.
        (
            "when args.n > 1 and args.b",
            &["n: 0, b: false"],
            &["args.n > 1: ", "args.b: "],
        ),
        (
            "when args.n > 1 and args.b",
            &["n: 2, b: true", "n: 0, b: true"],
            &["args.n > 1: TF", "args.b: T"],
        ),
        (
            "when args.n > 1 when args.b",
            &["n: 2, b: false"],
            &["args.n > 1: ", "args.b: F"],
        ),
        (
            "when args.n > 1 unless args.b",
            &["n: 2, b: false"],
            &["args.n > 1: T", "args.b: F"],
        ),
        // An `or` where they do not.
        (
            "when args.n > 1 or args.b",
            &["n: 2, b: true"],
            &["args.n > 1: ", "args.b: "],
        ),
        (
            "when args.n > 1 or args.b",
            &["n: 2, b: false"],
            &["args.n > 1: T", "args.b: "],
        ),
        // Masked: the two cases of the pair differ in another condition, too.
        (
            "when (args.n > 1 or args.b) and args.e == x",
            &["n: 2, e: x", "n: 0, b: false, e: x", "n: 0, b: true, e: y"],
            &["args.n > 1: TF", "args.b: F", "args.e == x: TF"],
        ),
        // A condition that depends on another is shown all the same.
        (
            "when args.n > 1 and not args.n > 5",
            &["n: 2", "n: 1", "n: 6"],
            &["args.n > 1: TF", "args.n > 5: TF"],
        ),
        // The body of a quantifier is measured on elements.
        (
            "when any x in args.xs: x > 1 and x < 5",
            &["xs: [3]"],
            &["any x in args.xs: x > 1 and x < 5: T", "x > 1: T", "x < 5: T"],
        ),
        (
            "when all x in args.xs: x > 1",
            &["xs: []", "xs: [0, 2]"],
            &["all x in args.xs: x > 1: TF", "x > 1: TF"],
        ),
        (
            "when args.n in args.xs",
            &["n: 1, xs: [1]"],
            &["args.n in args.xs: T"],
        ),
        (
            "when args.n not in args.xs",
            &["n: 1, xs: [1]"],
            &["args.n not in args.xs: F"],
        ),
        (
            "when len(args.s) < args.n",
            &["n: 1", "n: 0"],
            &["len(args.s) < args.n: TF"],
        ),
    ] {
        assert_eq!(decided(rule, cases), wanted, "{rule} {cases:?}");
    }
}

const POLICY: &str = r#"gaitpol 1
policy acme.pay

default block code none

tool pay {
  amount: Int
  inside: Bool
}

tool list {}

rule small
  on pay
  when args.amount <= 10 and args.inside
  allow

rule large
  on pay
  when args.amount > 10
  require_approval

rule any_list
  on list
  allow

test "small" {
  call pay { amount: 5, inside: true } => allow
  call pay { amount: 5, inside: false } => block
}
"#;

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.gaitpol"), POLICY).unwrap();
    std::fs::write(folder.path().join("b.gaitpol"), "gaitpol 1\nrule").unwrap();
    folder
}

fn run(folder: &Path, args: &[&str]) -> Output {
    let all: Vec<&str> = ["policy", "test"].iter().chain(args).copied().collect();
    gait(folder, &all).output().unwrap()
}

#[test]
fn what_no_case_shows_is_told_with_its_line() {
    let at = folder();
    let output = run(at.path(), &["a.gaitpol", "--coverage"]);
    assert_eq!(exit(&output), 0);
    insta::assert_snapshot!(text(&output.stdout));
    let json = run(at.path(), &["a.gaitpol", "--coverage", "--json"]);
    let value = document(&json, "policy_test");
    let coverage = &value["files"][0]["coverage"];
    assert_eq!(
        (&coverage["met"], &coverage["goals"], &coverage["percent"]),
        (&4.into(), &10.into(), &40.into())
    );
    assert_eq!(coverage["conditions"][1]["source"], "args.inside");
    assert_eq!(coverage["conditions"][1]["covered"], true);
    let plain = document(&run(at.path(), &["a.gaitpol", "--json"]), "policy_test");
    assert!(plain["files"][0]["coverage"].is_null());
    let filtered = run(
        at.path(),
        &["a.gaitpol", "--coverage", "--filter", "small", "b.gaitpol"],
    );
    assert_eq!(exit(&filtered), 6);
}

#[test]
fn too_little_is_a_failure() {
    let at = folder();
    for (wanted, code) in [("0", 0), ("40", 0), ("41", 5), ("100", 5), ("101", 6)] {
        let output = run(at.path(), &["a.gaitpol", "--min-coverage", wanted]);
        assert_eq!(exit(&output), code, "{wanted}");
    }
    let short = run(at.path(), &["a.gaitpol", "--min-coverage=80"]);
    assert!(text(&short.stderr).contains("the tests meet 4 of 10 goals (40 %), less than 80 %"));
    let json = run(at.path(), &["a.gaitpol", "--min-coverage=80", "--json"]);
    let value = document(&json, "policy_test");
    assert_eq!(
        (exit(&json), &value["ok"], &value["exit_code"]),
        (5, &false.into(), &5.into())
    );
    assert_eq!(exit(&run(at.path(), &["a.gaitpol", "--list", "--coverage"])), 6);
}

#[test]
fn coverage_goes_into_a_file_of_its_own() {
    let at = folder();
    let read = |name: &str| std::fs::read(at.path().join(name)).unwrap();
    let to = |file: &str, format: &str| {
        run(
            at.path(),
            &[
                "a.gaitpol",
                "--coverage-out",
                file,
                "--format",
                format,
                "--color=always",
            ],
        )
    };
    assert_eq!(exit(&to("out/c.txt", "text")), 0);
    let written = String::from_utf8(read("out/c.txt")).unwrap();
    assert!(written.starts_with("coverage of a.gaitpol: 40 %"), "{written}");
    assert!(!written.contains('\u{1b}'), "{written:?}");
    assert_eq!(
        exit(&to("out/c.txt", "json")),
        0,
        "a file of coverage is replaced"
    );
    let json = Output {
        stdout: read("out/c.txt"),
        stderr: Vec::new(),
        status: Default::default(),
    };
    let value = document(&json, "policy_test_coverage");
    assert_eq!(value["files"][0]["coverage"]["met"], 4);
    assert_eq!(exit(&to("a.gaitpol", "text")), 8, "anything else is not");
    assert_eq!(String::from_utf8(read("a.gaitpol")).unwrap(), POLICY);
}
