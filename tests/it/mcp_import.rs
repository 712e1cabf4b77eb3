//! `gait mcp import`: the gate before the servers of an agent's configuration, and away again. What is written is then started as an agent
//! would, in another folder, with the real client before the real server.

use crate::folder::{Folder, shown, valid};
use crate::mcp;
use serde_json::{Value, json};
use std::path::Path;

/// Runs the command, with `PATH` for the servers that are started.
fn import(folder: &Folder, args: &[&str], exit: i32, schema: &str) -> Value {
    let args = [&["mcp", "import"], args, &["--json"]].concat();
    let output = folder
        .command(&args)
        .env("PATH", std::env::var_os("PATH").unwrap())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(exit), "{}", shown(&output));
    valid(&output.stdout, &format!("cli/{schema}"))
}

#[test]
fn each_client_starts_its_servers_behind_the_gate_and_goes_back() {
    for (name, config) in [
        (
            ".mcp.json",
            r#"{ "mcpServers": { "git": { "command": "uvx", "args": ["mcp-server-git"], "env": {"A": "b"} } } }"#,
        ),
        (
            "claude_desktop_config.json",
            "{\n\t\"globalShortcut\": \"\",\n\t\"mcpServers\": {\"git\": {\"command\": \"mcp-server-git\"}}\n}",
        ),
        (
            ".cursor/mcp.json",
            r#"{"mcpServers":{"git":{"type":"stdio","command":"mcp-server-git","args":[],"envFile":".env"}}}"#,
        ),
        (
            ".vscode/mcp.json",
            r#"{"inputs":[{"id":"k"}],"servers":{"git":{"type":"stdio","command":"mcp-server-git","args":["${input:k}"]}}}"#,
        ),
    ] {
        let folder = Folder::new();
        folder.write(name, config.as_bytes());
        let found = import(&folder, &[name], 0, "mcp_import");
        assert_eq!(
            (&found["written"], &found["servers"][0]["state"]),
            (&json!(false), &json!("gated"))
        );
        assert!(
            found["diff"].as_str().unwrap().contains("mcp-server-git"),
            "{found}"
        );
        assert_eq!(folder.read(name), config.as_bytes(), "nothing is written");
        let found = import(&folder, &[name, "--write"], 0, "mcp_import");
        assert_eq!(found["written"], true);
        let written: Value = serde_json::from_slice(&folder.read(name)).unwrap();
        let mut before: Value = serde_json::from_str(config).unwrap();
        let key = if name.contains("vscode") {
            "servers"
        } else {
            "mcpServers"
        };
        let server = &written[key]["git"];
        let args: Vec<&str> = server["args"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one.as_str().unwrap())
            .collect();
        assert_eq!(server["command"], env!("CARGO_BIN_EXE_gait"));
        let home = folder.path("").canonicalize().unwrap();
        let own = [
            "mcp",
            "proxy",
            "--home",
            home.to_str().unwrap(),
            "--bundle",
            "policy.gaitbundle",
            "--server",
            "git",
            "--",
        ];
        assert_eq!(args[..9], own, "{args:?}");
        assert_eq!(args[9], before[key]["git"]["command"].as_str().unwrap());
        // All else is as it was.
        before[key]["git"]["command"] = server["command"].clone();
        before[key]["git"]["args"] = server["args"].clone();
        assert_eq!(written, before);
        let again = import(&folder, &[name, "--write"], 0, "mcp_import");
        assert_eq!(
            (&again["written"], &again["servers"][0]["state"]),
            (&json!(false), &json!("already"))
        );
        let found = import(&folder, &[name, "--undo"], 0, "mcp_import");
        assert_eq!(found["written"], false);
        let found = import(&folder, &[name, "--undo", "--write"], 0, "mcp_import");
        assert_eq!(found["written"], true);
        assert_eq!(folder.read(name), config.as_bytes(), "byte for byte");
        import(&folder, &[name, "--write"], 0, "mcp_import");
    }
}

#[test]
fn nothing_is_lost_and_nothing_is_guessed() {
    let folder = Folder::new();
    let config = r#"{"mcpServers":{"git":{"command":"mcp-server-git"},"web":{"type":"http","url":"https://x.example/mcp"}}}"#;
    folder.write("c.json", config.as_bytes());
    let fails = |args: &[&str], exit, code: &str| {
        let found = import(&folder, args, exit, "error");
        assert_eq!(found["error"]["code"], code, "{args:?} {found}");
    };
    fails(&["c.json", "--undo"], 6, "file.not_found");
    fails(&["none.json"], 6, "file.not_found");
    fails(&["c.json", "--home", "relative"], 6, "mcp.import_home");
    let found = import(&folder, &["c.json", "--write"], 0, "mcp_import");
    assert_eq!(found["servers"][1]["state"], "left", "{found}");
    // Somebody adds a server, which going back would lose.
    let written = String::from_utf8(folder.read("c.json")).unwrap();
    let more = written.replace("\"web\":", "\"new\": {\"command\": \"x\"},\n    \"web\":");
    folder.write("c.json", more.as_bytes());
    fails(&["c.json", "--undo", "--write"], 8, "mcp.import_changed");
    // The backup is of something else, which writing over it would lose.
    fails(&["c.json", "--write"], 8, "mcp.import_backup");
    assert_eq!(folder.read("c.json"), more.as_bytes());
    assert_eq!(folder.read("c.json.before-gait"), config.as_bytes());
    // A client puts its own layout on what was written: that is no change.
    let value: Value = serde_json::from_str(&written).unwrap();
    folder.write("c.json", value.to_string().as_bytes());
    import(&folder, &["c.json", "--undo", "--write"], 0, "mcp_import");
    assert_eq!(folder.read("c.json"), config.as_bytes());
    for (text, code) in [
        ("", "mcp.import_not_json"),
        ("{ // comment\n\"mcpServers\": {}}", "mcp.import_not_json"),
        (r#"{"mcpServers":{"a":{"command":"x"}},}"#, "mcp.import_not_json"),
        (
            r#"{"mcpServers":{"a":{"command":"x"},"a":{"command":"y"}}}"#,
            "mcp.import_not_json",
        ),
        (r#"{"n":9007199254740993,"mcpServers":{}}"#, "mcp.import_not_json"),
        ("{}", "mcp.import_shape"),
        (r#"{"mcpServers":{"a":"x"}}"#, "mcp.import_shape"),
        (r#"{"mcpServers":{"a":{"command":["x"]}}}"#, "mcp.import_shape"),
        (
            r#"{"mcpServers":{"a b":{"command":"x"},"a-b":{"command":"x"}}}"#,
            "mcp.import_shape",
        ),
    ] {
        folder.write("w.json", text.as_bytes());
        fails(&["w.json", "--write"], 6, code);
        assert_eq!(folder.read("w.json"), text.as_bytes());
    }
    // Only what is no JSON may be because of comments.
    let hint = |text: &str| {
        folder.write("w.json", text.as_bytes());
        import(&folder, &["w.json"], 6, "error")["error"]["hint"].clone()
    };
    assert!(hint("{ /* a */ }").as_str().unwrap().contains("comments"));
    for text in [r#"{"a":{},"a":{}}"#, r#"{"n":9007199254740993}"#] {
        assert_eq!(hint(text), Value::Null, "{text}");
    }
    let hidden = "{\"mcpServers\":{\"a\":{\"command\":\"x\u{202e}\u{1b}[2J\"}}}";
    folder.write("h.json", hidden.as_bytes());
    // The escape is no JSON; the other is shown as what it is.
    fails(&["h.json"], 6, "mcp.import_not_json");
    folder.write("h.json", hidden.replace('\u{1b}', "").as_bytes());
    let found = import(&folder, &["h.json"], 0, "mcp_import");
    assert!(!found["diff"].as_str().unwrap().contains('\u{202e}'), "{found}");
}

#[test]
fn what_was_imported_is_what_an_agent_starts() {
    let Some(venv) = mcp::venv() else { return };
    let folder = mcp::folder();
    let repo = folder.path("repo");
    let repo = repo.to_str().unwrap();
    let git = venv.join("bin/mcp-server-git");
    let config = json!({"mcpServers": {"git": {"command": git, "args": ["--repository", repo]}}});
    folder.write("elsewhere/c.json", config.to_string().as_bytes());
    let args = [
        "elsewhere/c.json",
        "--bundle",
        "b.gaitbundle",
        "--lock",
        "gait.mcp.lock",
        "--policy",
        "draft.gaitpol",
    ];
    let found = import(&folder, &args, 0, "mcp_import");
    let source = found["policy"]["source"].as_str().unwrap();
    assert!(
        source.contains("tool git.git_status") && source.contains("default block"),
        "{source}"
    );
    assert_eq!(folder.list("draft.gaitpol").len(), 0);
    import(&folder, &[&args[..], &["--write"]].concat(), 0, "mcp_import");
    assert_eq!(String::from_utf8(folder.read("draft.gaitpol")).unwrap(), source);
    folder.json(&["policy", "check", "draft.gaitpol"], 0, "policy_check");
    let written: Value = serde_json::from_slice(&folder.read("elsewhere/c.json")).unwrap();
    let server = &written["mcpServers"]["git"];
    let command: Vec<String> = [&server["command"]]
        .into_iter()
        .chain(server["args"].as_array().unwrap())
        .map(|word| word.as_str().unwrap().to_owned())
        .collect();
    // The agent is in another folder, and its server is, too.
    let calls = json!([["git_status", {"repo_path": repo}], ["git_status", {"repo_path": "/"}]]);
    let elsewhere = folder.path("elsewhere");
    let found = mcp::client_in(&elsewhere, &venv, &command, &calls);
    assert_eq!(found["results"][0]["failed"], false, "{found}");
    assert_eq!(found["results"][1]["failed"], true, "{found}");
    assert_eq!(folder.list("gait-out/traces").len(), 2);
    assert!(!Path::new(&elsewhere).join("gait-out").exists());
    let lock = gait::artifact::ToolLock::parse(&folder.read("gait.mcp.lock")).unwrap();
    assert!(lock.servers.contains_key(&Some("git".to_owned())));
}
