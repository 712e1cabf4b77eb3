//! `gait regress` as a process: fixtures, drift in each direction, JUnit, tampering.

use crate::folder::{AT, Folder, compiled, key, policy, shown, trusted, valid};
use gait::artifact::{RunpackContents, Signed, runpack};

/// A folder with a fixture `f` of three calls.
fn fixture() -> Folder {
    let folder = Folder::new();
    folder.recorded();
    let value = folder.json(
        &["regress", "bootstrap", "s.zip", "--out", "f"],
        0,
        "regress_bootstrap",
    );
    assert_eq!(value["cases"], 3);
    folder
}

fn replaced(folder: &Folder, from: &str, to: &str) {
    let text = policy();
    assert!(text.contains(from), "{from}");
    // Without its tests: they name codes that are gone.
    let text = text.replace(from, to);
    let tests = text.find("test \"").unwrap();
    folder.write("new.gaitbundle", &compiled(&text[..tests]));
}

const RUN: [&str; 5] = ["regress", "run", "f", "--bundle", "new.gaitbundle"];

#[test]
fn what_was_recorded_is_what_is_decided() {
    let folder = fixture();
    valid(&folder.read("f/regress.json"), "regress");
    assert_eq!(folder.read("f/runpack.zip"), folder.read("s.zip"));
    let value = folder.json(
        &["regress", "run", "f", "f", "--bundle", "b.gaitbundle"],
        0,
        "regress_run",
    );
    assert_eq!(value["summary"]["unchanged"], 6);
    let text = shown(&folder.run(&["regress", "run", "f", "--bundle", "b.gaitbundle"]));
    assert_eq!(text, "3 calls decided as recorded\n");
}

#[test]
fn what_something_else_than_the_policy_stopped_is_not_decided_again() {
    let folder = Folder::new();
    let add = [
        "kill-switch",
        "add",
        "--id",
        "all",
        "--all",
        "--reason",
        "r",
        "--by",
        "ann@acme.com",
    ];
    assert!(folder.run(&add).status.success());
    for (intent, more, exit) in [
        ("allow.json", &["--kill-switch", "gait-kill-switch.json"][..], 3),
        ("allow.json", &[], 0),
    ] {
        let out = folder.eval(intent, &[&["--session", "s"], more].concat());
        assert_eq!(out.status.code(), Some(exit), "{}", shown(&out));
    }
    assert!(
        folder
            .run(&["run", "record", "--session", "s", "--out", "s.zip"])
            .status
            .success()
    );
    folder.json(
        &["regress", "bootstrap", "s.zip", "--out", "f"],
        0,
        "regress_bootstrap",
    );
    let found = folder.json(
        &["regress", "run", "f", "--bundle", "b.gaitbundle"],
        0,
        "regress_run",
    );
    let counts = ["unchanged", "undecided"].map(|name| found["summary"][name].clone());
    assert_eq!(counts, [1, 1]);
}

#[test]
fn the_default_folder_is_the_runs_and_stays() {
    let folder = Folder::new();
    folder.recorded();
    let args = ["regress", "bootstrap", "s.zip"];
    assert_eq!(
        folder.json(&args, 0, "regress_bootstrap")["fixture"],
        "fixtures/s"
    );
    let before = folder.read("fixtures/s/regress.json");
    folder.fails(&args, 8, "file.exists");
    std::fs::remove_file(folder.path("fixtures/s/runpack.zip")).unwrap();
    folder.fails(&args, 8, "file.exists");
    assert_eq!(folder.list("fixtures/s"), ["regress.json"]);
    assert_eq!(folder.read("fixtures/s/regress.json"), before);
}

#[test]
fn drift_has_a_direction_and_exit_5() {
    let folder = fixture();
    for (from, to, drift) in [
        (
            "block\n  code foreign_recipient",
            "allow\n  code foreign_recipient",
            Some(("loosened", "+ allow")),
        ),
        (
            "under \"acme.example\"\n  allow",
            "under \"acme.example\"\n  dry_run",
            Some(("tightened", "+ dry_run (mail_inside)")),
        ),
        (
            "code foreign_recipient\n  hint",
            "code outsider\n  hint",
            Some(("sideways", "+ block (outsider)")),
        ),
        ("args.amount <= 250.00", "args.amount <= 2500.00", None),
        (
            "default block code no_rule_matched",
            "default block code nothing_fits",
            None,
        ),
    ] {
        replaced(&folder, from, to);
        let Some((drift, shows)) = drift else {
            folder.json(&RUN, 0, "regress_run");
            continue;
        };
        let value = folder.json(&RUN, 5, "regress_run");
        assert_eq!(value["summary"][drift], 1, "{value:#}");
        assert_eq!(value["summary"]["unchanged"], 2, "{value:#}");
        let plain = folder.run(&RUN);
        assert_eq!(plain.status.code(), Some(5));
        let text = shown(&plain);
        assert!(text.contains(drift) && text.contains(shows), "{text}");
        assert!(
            text.contains("policy.gaitpol:") && text.contains("\n  - "),
            "{text}"
        );
    }
}

#[test]
fn a_tool_that_is_gone_is_drift() {
    let folder = fixture();
    let tool = policy();
    let start = tool.find("tool pay.transfer").unwrap();
    let end = tool.find("tool shell.run").unwrap();
    let without = tool
        .replace(&tool[start..end], "")
        .replace("pay.transfer", "shell.run");
    let rules = without.find("rule small_payment").unwrap();
    let next = without.find("rule read_only_programs").unwrap();
    let tests = without.find("// What must stay").unwrap();
    folder.write(
        "new.gaitbundle",
        &compiled(&format!("{}{}", &without[..rules], &without[next..tests])),
    );
    let value = folder.json(&RUN, 5, "regress_run");
    assert_eq!(value["summary"]["tightened"], 1, "{value:#}");
    assert_eq!(
        value["fixtures"][0]["cases"][2]["found"]["reason_codes"][0],
        "gait.unknown_tool"
    );
}

#[test]
fn junit_lists_every_call_and_every_failure() {
    let folder = fixture();
    let args: Vec<&str> = RUN.into_iter().chain(["--junit", "out/junit.xml"]).collect();
    replaced(
        &folder,
        "block\n  code foreign_recipient",
        "allow\n  code foreign_recipient",
    );
    assert_eq!(folder.run(&args).status.code(), Some(5));
    let first = folder.read("out/junit.xml");
    let report = quick_junit::Report::deserialize_from_str(std::str::from_utf8(&first).unwrap()).unwrap();
    assert_eq!((report.tests, report.failures, report.errors), (3, 1, 0));
    assert_eq!(report.test_suites[0].name.as_str(), "f");
    assert_eq!(report.test_suites[0].test_cases.len(), 3);
    assert_eq!(folder.run(&args).status.code(), Some(5));
    assert_eq!(folder.read("out/junit.xml"), first, "no time, no chance");
    folder.write("new.gaitbundle", &folder.read("b.gaitbundle"));
    assert_eq!(folder.run(&args).status.code(), Some(0));
    let text = String::from_utf8(folder.read("out/junit.xml")).unwrap();
    assert!(text.contains("failures=\"0\""), "{text}");
}

#[test]
fn a_report_replaces_reports_only() {
    let folder = fixture();
    folder.write("new.gaitbundle", &folder.read("b.gaitbundle"));
    for precious in [
        "gait-out/keys/gait.private.json",
        "new.gaitbundle",
        "f/regress.json",
    ] {
        let before = folder.read(precious);
        let args: Vec<&str> = RUN.into_iter().chain(["--junit", precious]).collect();
        folder.fails(&args, 8, "file.exists");
        assert_eq!(folder.read(precious), before, "{precious}");
    }
}

#[test]
fn a_changed_fixture_is_no_pass() {
    let folder = fixture();
    folder.write("new.gaitbundle", &folder.read("b.gaitbundle"));
    let file = folder.read("f/regress.json");
    for at in 0..file.len() {
        if at % 37 != 0 {
            continue;
        }
        let mut changed = file.clone();
        changed[at] ^= 1;
        folder.write("f/regress.json", &changed);
        folder.fails(&RUN, 2, "regress.changed");
    }
    let text = String::from_utf8(file.clone()).unwrap();
    for changed in [
        text.replace("\"block\"", "\"allow\""),
        text.trim_end().to_owned(),
        "{}".to_owned(),
        String::new(),
    ] {
        folder.write("f/regress.json", changed.as_bytes());
        folder.fails(&RUN, 2, "regress.changed");
    }
    std::fs::remove_file(folder.path("f/regress.json")).unwrap();
    folder.fails(&RUN, 6, "file.not_found");
    folder.write("f/regress.json", &file);
    let mut pack = folder.read("f/runpack.zip");
    let middle = pack.len() / 2;
    pack[middle] ^= 1;
    folder.write("f/runpack.zip", &pack);
    let value = folder.json(&RUN, 2, "error");
    assert!(
        value["error"]["code"].as_str().unwrap().starts_with("verify."),
        "{value}"
    );
    folder.fails(
        &["regress", "run", "none", "--bundle", "b.gaitbundle"],
        6,
        "file.not_found",
    );
    folder.fails(
        &["regress", "run", "--bundle", "b.gaitbundle"],
        6,
        "usage.invalid",
    );
    folder.fails(&["regress", "bootstrap", "f"], 6, "file.not_regular");
}

#[test]
fn nothing_to_judge_is_an_error() {
    let folder = Folder::new();
    folder.recorded();
    let now = AT.parse().unwrap();
    let journal = folder.path("gait-out/sessions/s.jsonl");
    let entries = gait::session::read(&gait::host::Os::new(), &journal)
        .unwrap()
        .entries;
    let pack = |traces: Vec<Signed<_>>| {
        let contents = RunpackContents {
            run_id: "s".to_owned(),
            traces,
            intents: Vec::new(),
            created_at: now,
        };
        runpack::pack(contents, &trusted(), &key()).unwrap()
    };
    folder.write(
        "bare.zip",
        &pack(entries.iter().map(|e| e.trace.clone()).collect()),
    );
    folder.fails(&["regress", "bootstrap", "bare.zip"], 6, "regress.intent_missing");
    folder.write("f/runpack.zip", &folder.read("bare.zip"));
    folder.write("f/regress.json", b"{}");
    folder.write("new.gaitbundle", &folder.read("b.gaitbundle"));
    folder.fails(&RUN, 6, "regress.intent_missing");
    folder.write("empty.zip", &pack(Vec::new()));
    folder.fails(&["regress", "bootstrap", "empty.zip"], 6, "regress.no_case");
    folder.write("f/runpack.zip", &folder.read("empty.zip"));
    folder.fails(&RUN, 6, "regress.no_case");
    assert!(folder.list("fixtures").is_empty());
}
