//! The binary as its users meet it: help, exit codes, JSON, pipes. Commands run in an empty folder with an
//! environment of their own, so nothing of the machine shows in the snapshots.

use std::path::Path;
use std::process::{Command, Output, Stdio};

/// A command line with an empty environment, in an empty folder.
pub fn gait(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gait"));
    command
        .args(args)
        .current_dir(folder)
        .env_clear()
        .stdin(Stdio::null());
    command
}

fn run(args: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    gait(folder.path(), args).output().unwrap()
}

pub fn exit(output: &Output) -> i32 {
    output.status.code().unwrap()
}

pub fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// Validates standard output against `schemas/v1/cli/<name>.schema.json`.
pub fn document(output: &Output, name: &str) -> serde_json::Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("schemas/v1/cli/{name}.schema.json"));
    let schema = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let value: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let wrong: Vec<String> = validator.iter_errors(&value).map(|e| e.to_string()).collect();
    assert!(wrong.is_empty(), "{name}: {wrong:?}\n{value}");
    value
}

/// The commands that the top-level help lists.
fn commands() -> Vec<String> {
    let help = run(&["--help"]);
    let list = text(&help.stdout)
        .split("Commands:\n")
        .nth(1)
        .unwrap()
        .split("\n\n")
        .next()
        .unwrap()
        .to_owned();
    let names = list
        .lines()
        .filter(|l| l.starts_with("  ") && !l.starts_with("   "));
    names
        .map(|l| l.split_whitespace().next().unwrap().to_owned())
        .collect()
}

#[test]
fn help_reads_well() {
    let mut pages = String::new();
    let mut show = |args: &[&str]| {
        let output = run(args);
        assert_eq!(exit(&output), 0, "{args:?}");
        assert!(output.stderr.is_empty(), "help is data");
        pages.push_str(&format!("$ gait {}\n{}\n", args.join(" "), text(&output.stdout)));
    };
    show(&["--help"]);
    for command in commands() {
        show(&[&command, "--help"]);
    }
    for command in [
        "bundle inspect",
        "bundle verify",
        "keys init",
        "keys rotate",
        "keys verify",
        "mcp import",
        "mcp pin",
        "mcp proxy",
        "mcp serve",
        "mcp verify",
        "policy check",
        "policy compile",
        "policy explain",
        "policy fmt",
        "policy import",
        "policy import gait-yaml",
        "policy import tools",
        "policy lint",
        "policy replay",
        "policy test",
        "store check",
        "store init",
        "store show",
        "trace verify",
    ] {
        let words: Vec<&str> = command.split(' ').chain(["--help"]).collect();
        show(&words);
    }
    insta::assert_snapshot!(pages);
}

#[test]
fn every_command_takes_the_global_flags() {
    for command in commands() {
        for flag in ["--json", "--color=never", "-q"] {
            assert_eq!(exit(&run(&[&command, flag, "--help"])), 0, "{command} {flag}");
        }
    }
}

#[test]
fn a_command_line_that_cannot_be_used_is_invalid_input() {
    for (args, code) in [
        (&[][..], "usage.missing_command"),
        (&["frobnicate"][..], "usage.unknown_command"),
        (&["version", "--frobnicate"][..], "usage.unknown_argument"),
        (&["explain"][..], "usage.invalid"),
        (&["completions", "cmd.exe"][..], "usage.invalid"),
        (&["version", "--color", "mauve"][..], "usage.invalid"),
        (&["explain", "GP9999"][..], "explain.unknown_topic"),
        (&["explain", "\u{1b}[2J\u{202e}"][..], "explain.unknown_topic"),
    ] {
        let plain = run(args);
        assert_eq!(exit(&plain), 6, "{args:?}");
        assert!(plain.stdout.is_empty(), "{args:?}: an error is no data");
        let shown = text(&plain.stderr);
        assert!(shown.starts_with("error: "), "{shown}");
        assert!(shown.chars().all(|c| c == '\n' || !c.is_control()), "{shown:?}");
        assert!(!shown.contains('\u{202e}'));

        let with_json: Vec<&str> = args.iter().copied().chain(["--json"]).collect();
        let json = run(&with_json);
        assert_eq!(exit(&json), 6, "{args:?}");
        assert!(json.stderr.is_empty(), "{args:?}: {}", text(&json.stderr));
        let value = document(&json, "error");
        assert_eq!(value["error"]["code"], code, "{args:?}");
        assert_eq!(value["exit_code"], 6);
    }
}

#[test]
fn the_schema_refuses_what_is_no_envelope() {
    let output = |text: &str| Output {
        stdout: text.into(),
        stderr: Vec::new(),
        status: Default::default(),
    };
    for wrong in [
        "{}",
        r#"{"ok":true,"error":{"code":"a.b","category":"unsafe","message":"m","hint":null,"details":{}},"exit_code":8}"#,
        r#"{"ok":false,"error":{"code":"a.b","category":"other","message":"m","hint":null,"details":{}},"exit_code":8}"#,
        r#"{"ok":false,"error":{"code":"a.b","category":"unsafe","message":"m","hint":null,"details":{}},"exit_code":3}"#,
        r#"{"ok":false,"error":{"code":"A b","category":"unsafe","message":"m","hint":null,"details":{}},"exit_code":8}"#,
    ] {
        let wrong = output(wrong);
        assert!(
            std::panic::catch_unwind(|| document(&wrong, "error")).is_err(),
            "{wrong:?}"
        );
    }
}

#[test]
fn version_names_the_version_of_the_package() {
    let plain = run(&["version"]);
    assert_eq!(exit(&plain), 0);
    assert_eq!(
        text(&plain.stdout),
        format!("gait {}\n", env!("CARGO_PKG_VERSION"))
    );
    assert_eq!(run(&["--version"]).stdout, plain.stdout);
    let json = run(&["version", "--json"]);
    assert_eq!(document(&json, "version")["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(run(&["--json", "version"]).stdout, json.stdout);
}

#[test]
fn explain_prints_the_page_of_every_code() {
    for (code, page) in gait::diag::codes::PAGES {
        let json = run(&["explain", code.0, "--json"]);
        assert_eq!(document(&json, "explain")["page"], *page);
        let plain = run(&["explain", &code.0.to_lowercase()]);
        assert_eq!(exit(&plain), 0);
        let shown = text(&plain.stdout);
        assert!(shown.starts_with(&format!("# {code}: ")), "{shown}");
        assert!(
            !shown.contains(['\u{200b}', '\u{202e}', '\u{1b}']),
            "{code} prints hidden characters"
        );
    }
}

#[test]
fn explain_prints_the_entry_of_every_type() {
    for doc in gait::builtins::ALL {
        let word = gait::builtins::manual::key(doc);
        let json = run(&["explain", word, "--json"]);
        assert_eq!(document(&json, "explain")["type"], doc.name);
        let plain = run(&["explain", &word.to_lowercase()]);
        let shown = text(&plain.stdout);
        assert!(shown.starts_with(&format!("# `{}`", doc.name)), "{shown}");
        assert!(shown.chars().all(|c| c == '\n' || !c.is_control()), "{shown:?}");
    }
    for module in gait::compile::LIBRARY {
        let json = run(&["explain", module.name, "--json"]);
        let document = document(&json, "explain");
        assert_eq!(document["module"], module.name);
        assert_eq!(document["page"], gait::compile::page(module));
    }
    assert!(text(&run(&["explain", "std.sf"]).stderr).contains("did you mean `std.fs`?"));
    assert!(text(&run(&["explain", "Emial"]).stderr).contains("did you mean `Email`?"));
}

#[test]
fn explain_offers_a_near_code() {
    let shown = run(&["explain", "GP02O6"]);
    assert!(
        text(&shown.stderr).contains("did you mean `GP0206`?"),
        "{}",
        text(&shown.stderr)
    );
}

#[test]
fn completions_exist_for_every_shell_and_name_every_command() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let plain = run(&["completions", shell]);
        assert_eq!(exit(&plain), 0);
        for command in commands() {
            assert!(text(&plain.stdout).contains(&command), "{shell}: {command}");
        }
        let json = run(&["completions", shell, "--json"]);
        assert_eq!(document(&json, "completions")["script"], text(&plain.stdout));
    }
}

#[test]
fn colour_is_for_terminals_or_on_demand() {
    let escapes = |args: &[&str]| run(args).stdout.contains(&0x1b);
    assert!(!escapes(&["explain", "GP0102"]));
    assert!(escapes(&["explain", "GP0102", "--color", "always"]));
    assert!(!escapes(&["--help"]));
}

#[cfg(unix)]
#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let folder = tempfile::tempdir().unwrap();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = gait(folder.path(), &["completions", "zsh"])
        .stdout(writer)
        .stderr(Stdio::piped())
        .output()
        .unwrap();
    assert_eq!(exit(&output), 0);
    assert!(output.stderr.is_empty(), "{}", text(&output.stderr));
}

#[cfg(target_os = "linux")]
#[test]
fn output_that_cannot_be_written_is_not_success() {
    let folder = tempfile::tempdir().unwrap();
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let output = gait(folder.path(), &["completions", "zsh"])
        .stdout(full)
        .stderr(Stdio::piped())
        .output()
        .unwrap();
    assert_eq!(exit(&output), 1);
    assert!(
        text(&output.stderr).starts_with("error: standard output: "),
        "{}",
        text(&output.stderr)
    );
}

/// A folder with a policy of two tools and a file of calls.
fn replayed(calls: &str, more: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let policy = "gaitpol 1\npolicy t\ndefault block code nothing\n\ntool pay {\n  n: Int\n}\n\n\
                  rule small\n  on pay\n  when args.n < 10\n  allow\n";
    std::fs::write(folder.path().join("p.gaitpol"), policy).unwrap();
    std::fs::write(folder.path().join("c.jsonl"), calls).unwrap();
    let args = [
        &["policy", "replay", "--policy", "p.gaitpol", "--calls", "c.jsonl"],
        more,
    ]
    .concat();
    gait(folder.path(), &args).output().unwrap()
}

#[test]
fn policy_replay_counts_and_its_document_fits_the_schema() {
    let calls = r#"{"id":"a","calls":[{"tool":"pay","args":{"n":1},"label":"malicious"},{"tool":"pay","args":{"n":99}}]}
{"id":"b\u001b[2J\n","tool":"nap\u001b","label":"benign","cost":1e400}
"#;
    for more in [
        &[][..],
        &["--details"],
        &["--only", "id=a"],
        &["--tool-prefix", "pa"],
    ] {
        let with_json = [more, &["--json"]].concat();
        let json = replayed(calls, &with_json);
        assert_eq!(exit(&json), 0, "{}", text(&json.stdout));
        let value = document(&json, "policy_replay");
        assert_eq!(value["records"]["total"], 2);
        assert_eq!(value.get("findings").is_some(), more == ["--details"]);
        assert_eq!(replayed(calls, &with_json).stdout, json.stdout, "the same bytes");

        let plain = replayed(calls, more);
        assert_eq!(exit(&plain), 0);
        assert!(text(&plain.stdout).starts_with("tool "));
        assert!(!plain.stdout.contains(&0x1b) && !plain.stderr.contains(&0x1b));
    }
    let value = document(&replayed(calls, &["--json", "--details"]), "policy_replay");
    assert_eq!(value["attacked_runs"]["complete"], 1);
    assert_eq!(
        (&value["tasks"]["blocked"], &value["records"]["inexact"]),
        (&1.into(), &1.into())
    );
    assert_eq!(value["findings"].as_array().unwrap().len(), 3);
    let plain = replayed(calls, &["--quiet"]);
    assert!(
        text(&plain.stderr).starts_with("warning: 1 "),
        "{}",
        text(&plain.stderr)
    );
}

#[test]
fn policy_replay_refuses_what_it_cannot_use() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("c.jsonl", "{\"tool\":\"pay\"}\nnot json\n");
    write("p.gaitpol", "gaitpol 1\npolicy t\ndefault block code nothing\n");
    write(
        "wrong.gaitpol",
        "gaitpol 1\npolicy t\ndefault block code nothing\nrule\n",
    );
    write("b.gaitbundle", "no bundle");
    write("k.public.json", "{}");
    let key = gait::artifact::SigningKey::from_seed(&[3; 32]).verifying_key();
    write("good.public.json", text(&key.to_file()));
    for (args, code, exit_code) in [
        (
            &["--policy", "p.gaitpol", "--calls", "c.jsonl"][..],
            "calls.malformed",
            6,
        ),
        (
            &["--policy", "wrong.gaitpol", "--calls", "c.jsonl"],
            "policy.invalid",
            6,
        ),
        (&["--policy", "none", "--calls", "c.jsonl"], "file.not_found", 6),
        (&["--policy", "p.gaitpol", "--calls", "none"], "file.not_found", 6),
        (
            &["--policy", "p.gaitpol", "--calls", "c.jsonl", "--only", "x"],
            "usage.invalid",
            6,
        ),
        (&["--calls", "c.jsonl"], "usage.invalid", 6),
        (
            &["--bundle", "b.gaitbundle", "--calls", "c.jsonl"],
            "keys.missing",
            7,
        ),
        (
            &[
                "--bundle",
                "b.gaitbundle",
                "--calls",
                "c.jsonl",
                "--trust",
                "k.public.json",
            ],
            "",
            6,
        ),
        (
            &[
                "--bundle",
                "b.gaitbundle",
                "--calls",
                "c.jsonl",
                "--trust",
                "good.public.json",
            ],
            "",
            2,
        ),
    ] {
        let args = [&["policy", "replay", "--json"], args].concat();
        let output = gait(folder.path(), &args).output().unwrap();
        assert_eq!(exit(&output), exit_code, "{args:?}: {}", text(&output.stdout));
        let value = document(&output, "error");
        if !code.is_empty() {
            assert_eq!(value["error"]["code"], code, "{args:?}");
        }
    }
}

#[test]
fn policy_replay_decides_by_a_signed_bundle() {
    use gait::artifact::SigningKey;
    let source =
        "gaitpol 1\npolicy t\ndefault block code nothing\n\ntool look {\n}\n\nrule any\n  on look\n  allow\n";
    let checked = gait::compile::check("t.gaitpol", source).checked.unwrap();
    let key = SigningKey::from_seed(&[4; 32]);
    let mut packed = gait::bundling::build(&checked, 0, &key).unwrap().bytes;
    let folder = tempfile::tempdir().unwrap();
    let keys = folder.path().join("gait-out/keys");
    std::fs::create_dir_all(&keys).unwrap();
    std::fs::write(keys.join("a.public.json"), key.verifying_key().to_file()).unwrap();
    std::fs::write(folder.path().join("c.jsonl"), "{\"tool\":\"look\"}\n").unwrap();
    let replay = |bytes: &[u8]| {
        std::fs::write(folder.path().join("b.gaitbundle"), bytes).unwrap();
        let args = [
            "policy",
            "replay",
            "--json",
            "--bundle",
            "b.gaitbundle",
            "--calls",
            "c.jsonl",
        ];
        gait(folder.path(), &args).output().unwrap()
    };
    assert_eq!(document(&replay(&packed), "policy_replay")["tasks"]["allowed"], 1);
    let middle = packed.len() / 2;
    packed[middle] ^= 1;
    assert_eq!(exit(&replay(&packed)), 2);
}
