//! `.gait/config.toml`: flags that a command line leaves out, strictly read, and never against what was typed.

use crate::folder::{Folder, compiled, eval, policy, shown};
use serde_json::{Value, json};

fn folder(settings: &str) -> Folder {
    let folder = Folder::new();
    folder.write(".gait/config.toml", settings.as_bytes());
    folder
}

#[test]
fn the_manual_says_what_happens() {
    let folder = Folder::new();
    folder.remove("gait-out/keys/gait.private.json");
    folder.remove("gait-out/keys/gait.public.json");
    folder.page(include_str!("../../docs/reference/settings.md"));
    let traces = folder.list("gait-out/traces");
    let records = traces.iter().map(|name| {
        let trace = folder.read(&format!("gait-out/traces/{name}"));
        let trace: Value = serde_json::from_slice(&trace).unwrap();
        let payload = trace["payload"].as_str().unwrap();
        use base64::Engine;
        let text = base64::engine::general_purpose::STANDARD.decode(payload).unwrap();
        serde_json::from_slice::<Value>(&text).unwrap()
    });
    let records: Vec<Value> = records.collect();
    assert_eq!(records.len(), 2);
    let with = records.iter().filter(|one| one.get("kill_switch").is_some());
    let with: Vec<&Value> = with.collect();
    let [with] = with.as_slice() else {
        panic!("{records:?}")
    };
    assert_eq!(with["fulfils"], json!(["notify"]));
    assert!(with.get("intent").is_some());
    let bundle = folder.json(&["bundle", "inspect", ".gait.gaitbundle"], 0, "bundle_inspect");
    assert_eq!(bundle["epoch"], 3);
}

/// Judges `allow.json`; what the trace says the run is.
fn run_of(folder: &Folder, more: &[&str]) -> Value {
    let args = ["gate", "eval", "--intent", "allow.json"];
    folder.json(&[&args[..], more].concat(), 0, "gate_eval")["run_id"].clone()
}

#[test]
fn what_is_typed_goes_before_what_is_written_down() {
    let both = "[gate]\nbundle = \"b.gaitbundle\"\nrun = \"shared\"\n[gate.eval]\nrun = \"own\"\n";
    let folder = folder(both);
    assert_eq!(run_of(&folder, &[]), "own");
    assert_eq!(run_of(&folder, &["--run", "typed"]), "typed");
    assert_eq!(run_of(&folder, &["--run=typed"]), "typed");
    folder.fails(
        &["gate", "eval", "--intent", "allow.json", "--no-config"],
        6,
        "file.not_found",
    );
    folder.write(
        ".gait/config.toml",
        both.split("[gate.eval]").next().unwrap().as_bytes(),
    );
    assert_eq!(run_of(&folder, &[]), "shared");
    // Words behind `--` are another program's.
    let out = folder.run(&["mcp", "proxy", "--", "no-such-program", "--no-config"]);
    let said = shown(&out);
    assert!(said.contains("no-such-program"), "{said}");
}

#[test]
fn a_flag_that_does_not_go_with_a_typed_one_is_left_out() {
    let folder = folder("[policy.replay]\nbundle = \"b.gaitbundle\"\n");
    folder.write("p.gaitpol", policy().as_bytes());
    folder.write("calls.json", &folder.read("allow.json"));
    let calls = ["policy", "replay", "--calls", "calls.json"];
    for more in [&[][..], &["--policy", "p.gaitpol"]] {
        let out = folder.run(&[&calls[..], more].concat());
        assert!(out.status.success(), "{}", shown(&out));
    }
}

#[test]
fn the_environment_goes_before_the_settings() {
    let folder = folder("[gate]\nbundle = \"b.gaitbundle\"\nkey = \"nowhere.json\"\n");
    folder.fails(&["gate", "eval", "--intent", "allow.json"], 7, "keys.missing");
    let mut command = folder.command(&["gate", "eval", "--intent", "allow.json"]);
    command.env("GAIT_KEY_FILE", "gait-out/keys/gait.private.json");
    let out = command.output().unwrap();
    assert!(out.status.success(), "{}", shown(&out));
}

#[test]
fn mistakes_are_told_whichever_command_meets_them() {
    for (settings, code, needle) in [
        ("[gate]\nbundel = \"b\"", "config.unknown_key", "`bundle`"),
        ("[gat]\nbundle = \"b\"", "config.unknown_key", "`gate`"),
        ("[gate.evil]\nbundle = \"b\"", "config.unknown_key", "`eval`"),
        ("permit_for = \"1m\"", "config.unknown_key", "line 1"),
        ("[gate]\njson = true", "config.unknown_key", "line 2"),
        ("[gate]\nhelp = true", "config.unknown_key", "line 2"),
        ("[gate]\nbundle = true", "config.wrong_type", "`gate.bundle`"),
        (
            "[gate]\nkill_switch = 3",
            "config.wrong_type",
            "`gate.kill_switch`",
        ),
        ("[gate]\nbundle = [\"b\"]", "config.wrong_type", "a list"),
        ("[gate]\ntrust = \"b\"", "config.wrong_type", "a list of texts"),
        (
            "[gate.eval]\nkeep_intent = \"yes\"",
            "config.wrong_type",
            "true or false",
        ),
        ("gate = 1", "config.wrong_type", "a table"),
        (
            "[gate]\nbundle = \"a\"\nbundle = \"b\"",
            "config.syntax",
            "line 3",
        ),
        ("[gate", "config.syntax", "line 1"),
    ] {
        let folder = folder(settings);
        for command in [&["version"][..], &eval("allow.json", &[])] {
            let error = folder.json(command, 6, "error");
            assert_eq!(error["error"]["code"], code, "{settings}");
            assert!(error.to_string().contains(needle), "{settings}: {error}");
        }
        let help = folder.run(&["gate", "eval", "--help"]);
        assert!(help.status.success());
        assert!(folder.run(&["version", "--no-config"]).status.success());
    }
    let folder = folder("[policy.compile]\nepoch = -1\n");
    folder.write(".gait.gaitpol", policy().as_bytes());
    let error = folder.json(&["policy", "compile"], 6, "error");
    assert_eq!(error["error"]["code"], "usage.invalid");
    assert!(
        error
            .to_string()
            .contains(".gait/config.toml has added --epoch=-1"),
        "{error}"
    );
    folder.write(".gait/config.toml", b"\xff");
    folder.fails(&["version"], 6, "config.syntax");
    folder.remove(".gait/config.toml");
    std::fs::create_dir(folder.path(".gait/config.toml")).unwrap();
    folder.fails(&["version"], 6, "file.not_regular");
    #[cfg(unix)]
    {
        std::fs::remove_dir(folder.path(".gait/config.toml")).unwrap();
        std::os::unix::fs::symlink("nowhere", folder.path(".gait/config.toml")).unwrap();
        folder.fails(&["version"], 6, "file.not_found");
    }
}

#[test]
fn settings_of_other_commands_change_nothing() {
    let folder =
        folder("[gate]\nbundle = \"nowhere\"\n[serve]\npermit_for = \"x\"\n[kill_switch.add]\nid = \"x\"\n");
    let out = folder.run(&eval("block.json", &[]));
    assert_eq!(out.status.code(), Some(3), "{}", shown(&out));
    folder.write(".gait.gaitpol", policy().as_bytes());
    assert!(folder.run(&["policy", "check"]).status.success());
    let missing = Folder::new();
    let error = missing.json(&["policy", "check"], 6, "error");
    assert!(error.to_string().contains("name a policy file"), "{error}");
    missing.write(".gait.gaitbundle", &compiled(&policy()));
    assert_eq!(run_of(&missing, &[]), Value::Null);
}
