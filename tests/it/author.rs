//! The author's tools at work: what `gait policy fmt` shows before it changes anything, and which tests
//! `gait policy test` runs and reports where.

use crate::cli::{document, exit, gait, text};
use std::io::Write;
use std::path::Path;
use std::process::{Output, Stdio};

const GOOD: &str = r#"gaitpol 1
policy acme.mail

default block code no_rule_matched

tool mail.send {
  to: Email
}

rule colleagues
  on mail.send
  when args.to.domain == "acme.com"
  allow

test "mail inside" {
  call mail.send { to: "ann@acme.com" } => allow by colleagues
}

test "mail outside" {
  call mail.send { to: "eve@evil.example" } => block
  call mail.send { to: "eve@acme.com.evil.example" } => block
}
"#;

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

fn run(folder: &Path, args: &[&str]) -> Output {
    let all: Vec<&str> = std::iter::once("policy").chain(args.iter().copied()).collect();
    gait(folder, &all).output().unwrap()
}

fn run_with_input(folder: &Path, args: &[&str], input: &str) -> Output {
    let all: Vec<&str> = std::iter::once("policy").chain(args.iter().copied()).collect();
    let mut child = gait(folder, &all)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that refuses its arguments reads nothing.
    let _unread = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

fn loose() -> String {
    GOOD.replace("\n  when", " when")
        .replace("  to: Email", "to:Email")
}

#[test]
fn fmt_shows_what_would_change() {
    let at = folder(&[("a.gaitpol", &loose()), ("b.gaitpol", GOOD)]);
    let diff = run(at.path(), &["fmt", "--diff", "a.gaitpol", "b.gaitpol"]);
    assert_eq!(exit(&diff), 6);
    assert_eq!(
        text(&diff.stdout),
        "--- a/a.gaitpol\n+++ b/a.gaitpol\n@@ -4,11 +4,12 @@\n default block code no_rule_matched\n \n \
         tool mail.send {\n-to:Email\n+  to: Email\n }\n \n rule colleagues\n-  on mail.send when args.to.domain == \
         \"acme.com\"\n+  on mail.send\n+  when args.to.domain == \"acme.com\"\n   allow\n \n test \"mail inside\" {\n"
    );
    assert_eq!(
        text(&diff.stderr).lines().next(),
        Some("error: 1 file would change")
    );
    assert_eq!(
        std::fs::read_to_string(at.path().join("a.gaitpol")).unwrap(),
        loose()
    );
    let coloured = run(at.path(), &["fmt", "--diff", "--color=always", "a.gaitpol"]);
    assert!(text(&coloured.stdout).contains("\u{1b}["));
    let json = run(at.path(), &["fmt", "--diff", "--json", "a.gaitpol", "b.gaitpol"]);
    let value = document(&json, "error");
    assert_eq!(value["error"]["code"], "fmt.unformatted");
    assert_eq!(value["error"]["details"]["diffs"][0], text(&diff.stdout));
    let clean = run(at.path(), &["fmt", "--diff", "b.gaitpol"]);
    assert_eq!((exit(&clean), clean.stdout.len()), (0, 0));
}

#[cfg(unix)]
#[test]
fn a_policy_that_is_rewritten_stays_as_readable_as_it_was() {
    use std::os::unix::fs::PermissionsExt;
    let single = GOOD.replace("== \"acme.com\"", "in { \"acme.com\" }");
    for (text, args) in [(loose(), &["fmt"][..]), (single, &["lint", "--fix"])] {
        let at = folder(&[("a.gaitpol", &text)]);
        let path = at.path().join("a.gaitpol");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        run(at.path(), &[args, &["a.gaitpol"]].concat());
        assert_ne!(std::fs::read_to_string(&path).unwrap(), text, "{args:?}");
        let mode = std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{args:?}: {mode:o}");
    }
}

#[test]
fn fmt_reads_standard_input() {
    let at = folder(&[("a.gaitpol", &loose())]);
    let done = run_with_input(at.path(), &["fmt", "-"], &loose());
    assert_eq!((exit(&done), text(&done.stdout)), (0, GOOD));
    let json = run_with_input(at.path(), &["fmt", "-", "--json"], &loose());
    let value = document(&json, "policy_fmt");
    assert_eq!(
        (&value["files"][0]["text"], &value["files"][0]["changed"]),
        (&GOOD.into(), &true.into())
    );
    let check = run_with_input(at.path(), &["fmt", "--check", "-"], &loose());
    assert_eq!((exit(&check), text(&check.stdout)), (6, "<stdin>\n"));
    let diff = run_with_input(at.path(), &["fmt", "--diff", "-"], &loose());
    assert!(text(&diff.stdout).starts_with("--- a/<stdin>\n+++ b/<stdin>\n"));
    let broken = run_with_input(at.path(), &["fmt", "-"], "gaitpol 1\nrule");
    assert_eq!((exit(&broken), broken.stdout.len()), (6, 0));
    assert!(text(&broken.stderr).contains("GP0004"));
    let both = run_with_input(at.path(), &["fmt", "-", "a.gaitpol", "--json"], GOOD);
    assert_eq!(document(&both, "error")["error"]["code"], "usage.invalid");
    let binary = run(at.path(), &["fmt", "-"]);
    assert_eq!(exit(&binary), 6, "an empty text has no edition");
}

#[test]
fn tests_are_selected_by_name() {
    let at = folder(&[("a.gaitpol", GOOD)]);
    for (filters, exits, shown) in [
        (&["outside"][..], 0, "a.gaitpol: 2 cases passed, 1 left out\n"),
        (&["mail in*"], 0, "a.gaitpol: 1 case passed, 2 left out\n"),
        (&["mail in*", "outside"], 0, "a.gaitpol: 3 cases passed\n"),
        (&["mial"], 6, ""),
        (&["in*"], 6, ""),
        (&[""], 6, ""),
    ] {
        let flags = filters.iter().flat_map(|f| ["--filter", f]);
        let all: Vec<&str> = ["test", "a.gaitpol"].into_iter().chain(flags).collect();
        let output = run(at.path(), &all);
        assert_eq!(
            (exit(&output), text(&output.stdout)),
            (exits, shown),
            "{filters:?}"
        );
    }
    let none = run(at.path(), &["test", "a.gaitpol", "--filter", "mial", "--json"]);
    assert_eq!(document(&none, "error")["error"]["code"], "test.nothing_selected");
}

#[test]
fn tests_are_listed_and_not_run() {
    let at = folder(&[
        ("a.gaitpol", &GOOD.replace("=> allow", "=> block")),
        ("b.gaitpol", "gaitpol 1\nrule"),
    ]);
    let list = run(at.path(), &["test", "--list", "a.gaitpol"]);
    assert_eq!(
        (exit(&list), text(&list.stdout)),
        (
            0,
            "a.gaitpol:15:6: mail inside (1 case)\na.gaitpol:19:6: mail outside (2 cases)\n"
        )
    );
    let json = run(
        at.path(),
        &["test", "--list", "--json", "--filter=out", "a.gaitpol"],
    );
    let value = document(&json, "policy_test_list");
    assert_eq!(value["tests"].as_array().unwrap().len(), 1);
    assert_eq!(value["tests"][0]["test"], "mail outside");
    let broken = run(at.path(), &["test", "--list", "--json", "a.gaitpol", "b.gaitpol"]);
    assert_eq!(exit(&broken), 6);
    assert_eq!(
        document(&broken, "policy_test_list")["tests"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
}

#[test]
fn the_first_failure_may_end_the_run() {
    let wrong = GOOD.replace("=> allow by colleagues", "=> block");
    let at = folder(&[("a.gaitpol", &wrong), ("b.gaitpol", GOOD)]);
    let all = run(at.path(), &["test", "a.gaitpol", "b.gaitpol", "--json"]);
    let first = run(
        at.path(),
        &["test", "a.gaitpol", "b.gaitpol", "--json", "--fail-fast"],
    );
    let counts = |output: &Output| {
        let value = document(output, "policy_test");
        let of = |i: usize, name: &str| value["files"][i][name].as_u64().unwrap();
        [
            of(0, "passed"),
            of(0, "failed"),
            of(0, "left_out"),
            of(1, "passed"),
            of(1, "left_out"),
        ]
    };
    assert_eq!((exit(&all), counts(&all)), (5, [2, 1, 0, 3, 0]));
    assert_eq!((exit(&first), counts(&first)), (5, [0, 1, 2, 0, 3]));
    let shown = run(at.path(), &["test", "b.gaitpol", "a.gaitpol", "--fail-fast"]);
    assert!(text(&shown.stdout).ends_with("a.gaitpol: 1 case failed, 0 passed, 2 left out\n"));
}

#[test]
fn junit_lists_cases_and_broken_policies() {
    let wrong = GOOD.replace("=> allow by colleagues", "=> block");
    let at = folder(&[
        ("a.gaitpol", &wrong),
        ("b.gaitpol", "gaitpol 1\nrule"),
        ("precious", "mine"),
    ]);
    let args = ["test", "a.gaitpol", "b.gaitpol", "--junit", "out/junit.xml"];
    let done = run(at.path(), &args);
    assert_eq!(exit(&done), 6);
    let path = at.path().join("out/junit.xml");
    let bytes = std::fs::read_to_string(&path).unwrap();
    let report = quick_junit::Report::deserialize_from_str(&bytes).unwrap();
    let shape: Vec<_> = report
        .test_suites
        .iter()
        .map(|s| (s.name.as_str(), s.tests, s.failures))
        .collect();
    assert_eq!(shape, [("a.gaitpol", 3, 1), ("b.gaitpol", 1, 1)]);
    assert!(
        bytes.contains("expected block, got allow (colleagues)"),
        "{bytes}"
    );
    assert!(bytes.contains("GP0004"), "{bytes}");
    run(at.path(), &args);
    assert_eq!(
        std::fs::read_to_string(&path).unwrap(),
        bytes,
        "no time, no chance"
    );
    let kept = run(at.path(), &["test", "a.gaitpol", "--junit", "precious"]);
    assert_eq!(exit(&kept), 8);
    assert_eq!(
        std::fs::read_to_string(at.path().join("precious")).unwrap(),
        "mine"
    );
}

#[test]
fn examples_hold_a_rule_to_its_word() {
    let policy = format!(
        "{GOOD}\nexamples colleagues {{\n  match mail.send {{ to: \"ann@acme.com\" }}\n  match mail.send {{ to: \
         \"ann@x.acme.com\" }}\n  not_match mail.send {{ to: \"bob@acme.com\" }}\n}}\n"
    );
    let at = folder(&[("a.gaitpol", &policy)]);
    let failing = run(at.path(), &["test", "a.gaitpol", "--filter", "examples*"]);
    assert_eq!(exit(&failing), 5);
    assert_eq!(
        text(&failing.stdout),
        "a.gaitpol:26:3: failed examples colleagues: call mail.send\n  \
           expected rule colleagues to match, got none\n  \
           no rule matched\n\
         a.gaitpol:27:3: failed examples colleagues: call mail.send\n  \
           expected rule colleagues not to match\n  \
           matched: colleagues (allow, line 10)\n\
         a.gaitpol: 2 cases failed, 1 passed, 3 left out\n"
    );
    let laid_out = run(at.path(), &["fmt", "--check", "a.gaitpol"]);
    assert_eq!(exit(&laid_out), 0, "{}", text(&laid_out.stdout));
    // A call the gate blocks by itself is no example of not matching.
    let context = policy
        .replace("\ntool", "\ncontext {\n  fact env: Bool\n}\n\ntool")
        .replace("  when args.to", "  when context.env\n  when args.to");
    let at = folder(&[("a.gaitpol", &context)]);
    let blocked = run(at.path(), &["test", "a.gaitpol", "--filter=examples*", "--json"]);
    let value = document(&blocked, "policy_test");
    assert_eq!(value["files"][0]["failed"], 3);
    let failures = value["files"][0]["cases"][2]["failures"].to_string();
    assert!(
        failures.contains("no rule was asked: the host supplies no `env`"),
        "{failures}"
    );
}

/// Layout changes where rules stand, and nothing else of a program.
#[test]
fn the_layout_of_a_policy_is_not_its_meaning() {
    use gait::source::{FileId, Position, Source};
    use gait::{compile, ir, syntax};
    let mut seen = 0;
    let program = |text: &str| {
        let checked = compile::check("p.gaitpol", text).checked?;
        let mut program = compile::lower(&checked);
        for rule in &mut program.rules {
            let nowhere = Position { line: 1, column: 1 };
            (rule.start, rule.end) = (nowhere, nowhere);
        }
        Some(ir::encode(&program))
    };
    for policy in crate::lang::policies() {
        let source = Source::new(FileId(0), "p.gaitpol", &policy);
        let (Ok(laid_out), Some(before)) = (syntax::format(&source), program(&policy)) else {
            continue;
        };
        assert_eq!(program(&laid_out), Some(before), "{laid_out}");
        seen += 1;
    }
    assert!(seen > 30, "{seen}");
}
