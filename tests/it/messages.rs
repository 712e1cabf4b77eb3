//! What people read on a terminal: no name can pose as a line of its own, no length or count breaks a message, and a
//! command line that cannot be used is named as it was typed.

use crate::artifact_fixtures::{key as fixture_key, signed_trace};
use crate::cli::{document, exit, gait, text};
use crate::folder::Folder;
use std::path::Path;
use std::process::Output;

/// What a name would like to print.
const FORGED: &str = "verified bundle acme";

const POLICY: &str = "gaitpol 1\npolicy t\ndefault block code nothing\n\ntool look {\n}\n";

fn run(folder: &Path, args: &[&str]) -> Output {
    gait(folder, args).output().unwrap()
}

/// No line of either stream starts with the forgery.
fn is_honest(output: &Output) {
    let shown = format!("{}\n{}", text(&output.stdout), text(&output.stderr));
    assert!(shown.contains(FORGED), "the name is not shown at all: {shown}");
    assert!(
        shown.lines().all(|line| !line.trim_start().starts_with(FORGED)),
        "{shown}"
    );
}

#[test]
fn a_long_line_or_name_is_reported_in_short() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let name = "x".repeat(1 << 20);
    for source in [
        format!("gaitpol 1\n{}foo\n", " ".repeat(65_600)),
        format!("gaitpol 1\npolicy t\ndefault block code n\nrule r\n  on {name}\n  allow\n"),
        format!("gaitpol 1\n{name}\n"),
        format!("gaitpol 1\n# {name}\nfoo\n# {name}\n"),
    ] {
        std::fs::write(here.join("c.gaitpol"), source).unwrap();
        for format in ["human", "concise"] {
            let output = run(here, &["policy", "check", "c.gaitpol", "--format", format]);
            assert_eq!(exit(&output), 6, "{}", text(&output.stderr));
            let shown = output.stdout.len() + output.stderr.len();
            assert!(shown < 30_000, "{format}: {shown} bytes");
        }
        let output = run(here, &["policy", "compile", "c.gaitpol"]);
        assert_eq!(exit(&output), 6);
        assert!(output.stderr.len() < 30_000, "{}", output.stderr.len());
        assert!(text(&output.stderr).contains("error[GP"));
    }
    let output = run(here, &["explain", &"x".repeat(100_000)]);
    assert_eq!(exit(&output), 6);
    assert!(text(&output.stderr).contains(" … "));
    assert!(output.stderr.len() < 5_000);
}

#[cfg(unix)]
#[test]
fn a_name_cannot_pose_as_a_line() {
    let folder = Folder::new();
    let here = &folder.path("");
    let name = |end: &str| format!("a\n{FORGED}\n{end}");
    let shows = |args: &[&str], code: i32| {
        let output = run(here, args);
        assert_eq!(exit(&output), code, "{args:?}: {}", text(&output.stderr));
        is_honest(&output);
    };
    let policy = POLICY.replace("policy t\n", &format!("policy t @ \"1\\n{FORGED}\"\n"));
    folder.write(&name(".gaitpol"), policy.as_bytes());
    folder.write("v.gaitpol", policy.as_bytes());
    folder.write(&name("b"), &folder.read("b.gaitbundle"));
    let test = format!("test \"x\\n{FORGED}\\n\" {{\n  call look {{}} => allow\n}}\n");
    folder.write("t.gaitpol", format!("{POLICY}\n{test}").as_bytes());
    let envelope = format!("{{\"payload\":\"\",\"payloadType\":\"a\\n{FORGED}\",\"signatures\":[]}}");
    folder.write("e.json", envelope.as_bytes());
    shows(&["verify", &name("b")], 0);
    shows(&["verify", &name("absent")], 6);
    shows(&["verify", "e.json"], 2);
    shows(&["bundle", "verify", &name("b")], 0);
    shows(&["trace", "verify", "e.json", &name("absent")], 2);
    shows(&["policy", "check", &name(".gaitpol")], 0);
    shows(&["policy", "test", &name(".gaitpol")], 0);
    shows(&["policy", "test", "t.gaitpol"], 5);
    shows(&["policy", "compile", "t.gaitpol"], 5);
    shows(&["policy", "compile", &name(".gaitpol")], 0);
    shows(&["policy", "compile", "v.gaitpol"], 0);
    shows(&["bundle", "inspect", "v.gaitbundle"], 0);
    shows(&["bundle", "verify", "v.gaitbundle"], 0);
    shows(&["policy", "fmt", "--check", &name("absent")], 6);
    shows(&["keys", "init", "--out-dir", &name("keys")], 0);
    shows(&[&name("command")], 6);
    shows(&["version", &format!("--{}", name("flag"))], 6);
    shows(
        &["regress", "run", &name("fixture"), "--bundle", "b.gaitbundle"],
        6,
    );
    folder.recorded();
    shows(&["regress", "bootstrap", "s.zip", "--out", &name("fixture")], 0);
    shows(&["run", "inspect", &name("absent")], 6);
}

#[test]
fn a_missing_trace_does_not_hide_a_forged_one() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let write = |name: &str, bytes: &[u8]| std::fs::write(here.join(name), bytes).unwrap();
    write(
        "test.public.json",
        fixture_key().verifying_key().to_file().as_ref(),
    );
    let good = signed_trace(1, None, true).into_bytes();
    write("good.json", &good);
    write("forged.json", &[b" ", good.as_slice()].concat());
    let verify = |more: &[&str]| {
        let args = [&["trace", "verify", "--trust", "test.public.json"], more].concat();
        run(here, &args)
    };
    for files in [["forged.json", "absent.json"], ["absent.json", "forged.json"]] {
        let plain = verify(&[files[0], files[1], "good.json"]);
        assert_eq!(exit(&plain), 2);
        let shown = text(&plain.stderr);
        assert!(
            shown.contains("forged.json") && shown.contains("absent.json"),
            "{shown}"
        );
        let json = document(&verify(&[files[0], files[1], "good.json", "--json"]), "error");
        let error = &json["error"];
        assert_eq!(
            (&json["exit_code"], &error["code"]),
            (&2.into(), &"verify.envelope_not_canonical".into())
        );
        let listed: Vec<&str> = error["details"]["refused"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["path"].as_str().unwrap())
            .collect();
        assert_eq!(listed, files);
        assert_eq!(error["details"]["verified"][0]["file"], "good.json");
    }
    assert_eq!(exit(&verify(&["good.json", "absent.json"])), 6);
}

#[test]
fn one_document_is_printed_not_another() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("p.gaitpol"), POLICY).unwrap();
    let args = ["policy", "check", "p.gaitpol", "--format", "sarif", "--json"];
    let output = run(folder.path(), &args);
    assert_eq!(exit(&output), 6);
    assert_eq!(document(&output, "error")["error"]["code"], "usage.invalid");
}

#[test]
fn a_journal_is_told_from_an_artifact() {
    let folder = Folder::new();
    folder.recorded();
    for command in [&["verify"][..], &["trace", "verify"]] {
        let args = [command, &["gait-out/sessions/s.jsonl"]].concat();
        folder.fails(&args, 6, "verify.journal");
        let shown = run(&folder.path(""), &args);
        assert!(
            text(&shown.stderr).contains("`gait run record`"),
            "{}",
            text(&shown.stderr)
        );
    }
}

#[test]
fn counts_agree_with_their_nouns() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    std::fs::write(here.join("p.gaitpol"), POLICY).unwrap();
    std::fs::write(here.join("bad.gaitpol"), format!("{POLICY}rule\n")).unwrap();
    std::fs::write(here.join("c.jsonl"), "{\"tool\":\"look\"}\n").unwrap();
    let replay = |policy: &str| {
        let output = run(
            here,
            &["policy", "replay", "--policy", policy, "--calls", "c.jsonl"],
        );
        text(&output.stderr).to_owned()
    };
    assert!(
        replay("bad.gaitpol").contains("has 1 error;"),
        "{}",
        replay("bad.gaitpol")
    );
    assert!(
        replay("p.gaitpol").contains("1 call without a label"),
        "{}",
        replay("p.gaitpol")
    );
}

#[test]
fn a_refused_command_line_is_shown_as_typed() {
    let folder = tempfile::tempdir().unwrap();
    for (args, wanted) in [
        (&["\u{1b}[31m"][..], "unrecognized subcommand '\\u{1b}[31m'"),
        (&["version", "--\u{1b}[31mx"], "--\\u{1b}[31mx"),
        (&["policy", "replay", "--calls", "c"], "--policy <FILE>"),
        (&["policy", "replay", "--calls", "c"], "--bundle <FILE>"),
        (
            &["policy", "compile", "p.gaitpol", "--epoch", "-1"],
            "an epoch is a whole number from 0",
        ),
        (&["verfy"], "hint: a similar subcommand exists: 'verify'"),
    ] {
        let output = run(folder.path(), args);
        assert_eq!(exit(&output), 6, "{args:?}");
        let shown = text(&output.stderr);
        assert!(shown.contains(wanted), "{args:?}: {shown}");
        assert_eq!(shown.lines().count(), 2, "an error and a hint: {shown}");
    }
}
