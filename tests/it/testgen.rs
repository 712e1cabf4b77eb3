//! `gait policy testgen`: what it writes are tests that pass, laid out, on both sides of conditions; and what they show of a
//! policy is never less than before.

use crate::folder::{Folder, shown, valid};
use crate::oracle::policy;
use gait::compile::{self, Checked, Purpose, Texts};
use gait::domain::Intent;
use gait::hir::answer::holds;
use gait::source::{FileId, Source};
use gait::suite::coverage::{Coverage, Meter};
use gait::suite::{self, Runner};
use gait::{syntax, testgen};
use proptest::prelude::*;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The policies whose figures the page states.
fn policies() -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir(root().join("policies"))
        .unwrap()
        .map(|entry| entry.unwrap().path().join("policy.gaitpol"))
        .filter(|path| path.is_file())
        .collect();
    let tests = std::fs::read_dir(root().join("stdlib/tests")).unwrap();
    // Those about command lines have thousands of conditions, and take a minute in a debug build.
    let long = ["git.gaitpol", "shell.gaitpol"].map(|name| root().join("stdlib/tests").join(name));
    found.extend(
        tests
            .map(|entry| entry.unwrap().path())
            .filter(|path| !long.contains(path)),
    );
    found.sort();
    found
}

fn checked(text: &str) -> Checked {
    let report = compile::check_with("p.gaitpol", text, &Texts::default(), Purpose::Author);
    report
        .checked
        .unwrap_or_else(|| panic!("{:#?}\n{text}", report.diagnostics))
}

/// What the tests of a policy show; all of them pass.
fn coverage(checked: &Checked, text: &str) -> Coverage {
    let (mut runner, mut meter) = (Runner::new(checked), Meter::new(checked.package()));
    for (test, case) in suite::cases(checked.package()) {
        let (result, seen) = runner.run_seen(test, case);
        assert!(result.passed(), "{}: {:?}\n{text}", test.name, result.failures);
        meter.see(&seen);
    }
    meter.finish()
}

/// The policy with what is made for it.
fn with_tests(text: &str) -> (testgen::Generated, String) {
    let made = testgen::generate(&checked(text));
    let tests = testgen::text(&made.tests);
    let longer = match made.tests.is_empty() {
        true => text.to_owned(),
        false => format!("{}\n\n{tests}", text.trim_end()),
    };
    (made, longer)
}

#[test]
fn what_is_made_for_the_policies_passes_and_shows_more() {
    let mut table = "| Policy | Conditions | Rules, before | after | Verdicts, before | after | Conditions (MC/DC), before | after |\n\
                     |---|---|---|---|---|---|---|---|\n"
        .to_owned();
    for path in policies() {
        let text = std::fs::read_to_string(&path).unwrap();
        let (made, longer) = with_tests(&text);
        let before = coverage(&checked(&text), &text).counts();
        let after = coverage(&checked(&longer), &longer).counts();
        let source = Source::new(FileId(0), "p", longer.clone());
        assert_eq!(syntax::format(&source).unwrap(), longer, "{}", path.display());
        let share = |(met, all): (usize, usize)| format!("{met} of {all}");
        let cells = before.into_iter().zip(after).map(|(before, after)| {
            assert!(before.0 <= after.0);
            format!("{} | {}", share(before), share(after))
        });
        let name = path.strip_prefix(root()).unwrap().to_string_lossy().into_owned();
        let name = name
            .trim_end_matches("/policy.gaitpol")
            .trim_end_matches(".gaitpol");
        table.push_str(&format!(
            "| `{name}` | {} | {} |\n",
            made.conditions.0,
            cells.collect::<Vec<_>>().join(" | ")
        ));
    }
    let page = root().join("docs/reference/testgen.md");
    let known = std::fs::read_to_string(&page).unwrap();
    let (head, _) = known.split_once("<!-- figures -->").unwrap();
    let wanted = format!("{head}<!-- figures -->\n\n{table}");
    if std::env::var_os("GAIT_BLESS").is_some() {
        std::fs::write(&page, &wanted).unwrap();
    }
    let known = std::fs::read_to_string(&page).unwrap();
    assert!(
        known == wanted,
        "the figures are stale; run the tests with GAIT_BLESS=1\n{table}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, ..ProptestConfig::default() })]

    #[test]
    fn what_is_made_for_any_policy_passes(policy in policy()) {
        let report = compile::check_with("p.gaitpol", &policy, &Texts::default(), Purpose::Author);
        let Some(before) = report.checked else { return Ok(()) };
        let (made, longer) = with_tests(&policy);
        coverage(&checked(&longer), &longer);
        // Both sides of a condition that a test claims are what plain meaning says they are.
        let package = before.package();
        let mut runner = Runner::new(&before);
        for case in made.tests.iter().filter(|test| test.rule.is_some()).flat_map(|test| {
            test.cases.iter().map(move |case| (test, case))
        }) {
            let (test, case) = case;
            let rule = package.rules.iter().find(|rule| Some(&rule.name) == test.rule.as_ref()).unwrap();
            let judged = runner.judge(&case.call);
            let cond = &rule.on[0].1;
            prop_assert_eq!(holds(cond, &[&judged.record.unwrap()]), case.matched, "{}", test.name);
        }
    }
}

/// The blocks of the page: the policy, and what is printed of it.
fn page() -> (String, String) {
    let text = std::fs::read_to_string(root().join("docs/reference/testgen.md")).unwrap();
    let block = |start: &str| {
        let (_, text) = text.split_once(start).unwrap();
        text.split_once("```").unwrap().0.to_owned()
    };
    (block("```gaitpol\n"), block("```text\n"))
}

#[test]
fn the_page_shows_what_is_printed() {
    let at = Folder::new();
    let (policy, output) = page();
    at.write("policy.gaitpol", policy.as_bytes());
    let printed = at.run(&["policy", "testgen", "policy.gaitpol"]);
    assert_eq!(String::from_utf8_lossy(&printed.stdout), output);
}

const POLICY: &str = r#"gaitpol 1
policy acme.gaps
default block
label secret
source tool_output from vault.read => secret
enum Risk ordered { low, mid, high }
context { fact desk: String[max 9] from intent context.auth_context.desk }
tool vault.read { key: String[max 9], returns secret }
tool t {
  path: Path
  note: String[max 9]?
  risk: Risk
  tags: List[String[max 9], max 3]
}
rule notes on t when present args.note and args.note == "x" block
rule paths on t when args.path under "/ws" and args.risk <= mid and context.desk == "a" allow
rule read on t when once(call vault.read) and args.risk == high require_approval
rule tagged on t when all g in args.tags: g starts_with "ok-" allow
rule labelled on t when labels(args.note) has secret block
"#;

#[test]
fn conditions_on_command_lines_are_shown() {
    let text = r#"gaitpol 1
policy acme.shell
default block code unmatched
tool sh { cmd: Command }
rule calm on sh when all c in args.cmd.commands: c.program in { "ls", "git" } allow
rule force on sh when any c in args.cmd.commands: c.program == "git" and any f in c.flags: f == "--force" block
rule opaque on sh when args.cmd.opaque require_approval
rule many on sh when len(args.cmd.commands) > 2 dry_run
"#;
    let (made, longer) = with_tests(text);
    let found = coverage(&checked(&longer), &longer);
    let shown = (made.conditions, found.counts()[2]);
    assert_eq!(shown, ((8, 8), (8, 8)), "{}", testgen::text(&made.tests));
}

#[test]
fn gaps_are_told() {
    let at = Folder::new();
    at.write("p.gaitpol", POLICY.as_bytes());
    let made = at.json(&["policy", "testgen", "p.gaitpol"], 0, "policy_testgen");
    let gaps: Vec<(&str, bool, &str)> = made["gaps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|gap| {
            (
                gap["condition"].as_str().unwrap(),
                gap["holds"].as_bool().unwrap(),
                gap["why"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(gaps, [("present args.note", false, "masked")]);
    assert_eq!(made["conditions"], made["both_sides"]);
    let text = made["text"].as_str().unwrap();
    for wanted in [
        "\"/ws\"",
        "\"/wsx\"",
        "\"ok-\"",
        "call vault.read",
        "from {",
        "tool_output:vault.read",
    ] {
        assert!(text.contains(wanted), "{wanted}\n{text}");
    }
    let shown = shown(&at.run(&["policy", "testgen", "p.gaitpol"]));
    assert!(
        shown
            .contains("p.gaitpol:15:22: notes: `present args.note`: where it does not hold other conditions"),
        "{shown}"
    );
}

#[test]
fn files_are_written_whole_or_not_at_all() {
    let at = Folder::new();
    at.write("p.gaitpol", POLICY.as_bytes());
    let args = [
        "policy",
        "testgen",
        "p.gaitpol",
        "--out",
        "t.gaitpol",
        "--seeds",
        "seeds",
    ];
    let made = at.json(&args, 0, "policy_testgen");
    let names = at.list("seeds");
    assert_eq!(made["seeds"]["files"], names.len());
    assert_eq!(made["text"].as_str().unwrap().as_bytes(), at.read("t.gaitpol"));
    assert!(
        names.len() > 10 && names[0].starts_with("00001-notes-"),
        "{names:?}"
    );
    for name in &names {
        let bytes = at.read(&format!("seeds/{name}"));
        valid(&bytes, "gate/intent_request");
        let intent = Intent::read(&bytes).unwrap();
        assert!(["t", "vault.read"].contains(&intent.tool.as_str()), "{name}");
    }
    let first = at.read(&format!("seeds/{}", names[0]));
    // Where one file is there, none is written.
    std::fs::remove_file(at.path("t.gaitpol")).unwrap();
    at.write(&format!("seeds/{}", names[0]), b"mine");
    at.fails(&args, 8, "file.exists");
    assert!(!at.path("t.gaitpol").exists());
    let forced: Vec<&str> = args.iter().copied().chain(["--force"]).collect();
    at.json(&forced, 0, "policy_testgen");
    assert_eq!(at.read(&format!("seeds/{}", names[0])), first);
    assert_eq!(at.list("seeds"), names);
    at.write("bad.gaitpol", b"gaitpol 1\npolicy x\n");
    at.fails(&["policy", "testgen", "bad.gaitpol"], 6, "policy.invalid");
}
