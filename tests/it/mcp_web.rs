//! Servers that are asked at an address. The honest one is `mcp-server-git` behind a gateway of its own; what it never does,
//! `mcp/hostile_http.py` does.

use crate::daemon::Daemon;
use crate::folder::{Folder, compiled, shown};
use crate::mcp;
use crate::mcp_pins;
use crate::mcp_serve::{NEW, begin, config, gateway, message, post, reason, result};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// The server, which ends with this value, and where it is.
pub struct Hostile(Child, pub String);

impl Drop for Hostile {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub fn hostile(folder: &Folder, venv: &Path, does: &[&str]) -> Hostile {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/mcp/hostile_http.py");
    let mut child = Command::new(venv.join("bin/python"))
        .arg(script)
        .args(does)
        .current_dir(folder.path(""))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut port = String::new();
    BufReader::new(child.stdout.as_mut().unwrap())
        .read_line(&mut port)
        .unwrap();
    Hostile(child, format!("http://127.0.0.1:{}/mcp", port.trim()))
}

/// The gateway before a server at an address.
pub fn before(folder: &Folder, url: &str, more: &str) -> Daemon {
    let policy = mcp_pins::POLICY
        .replace("say", "a.say")
        .replace("shout", "a.shout");
    folder.write("b.gaitbundle", &compiled(&policy));
    let text =
        format!("bundle = \"b.gaitbundle\"\nlisten = \"127.0.0.1:0\"\n[servers.a]\nurl = \"{url}\"\n{more}");
    gateway(folder, &text)
}

#[test]
fn a_server_at_an_address_is_pinned_and_used_like_any_other() {
    let Some(venv) = mcp::venv() else { return };
    let folder = mcp::folder();
    let repo = folder.path("repo");
    let repo = repo.to_str().unwrap();
    let token = "0123456789abcdef0123456789abcdef";
    folder.write_private("far/token", token.as_bytes());
    // The gateway whose server it is: it lets everything through that it knows.
    let far = mcp::folder();
    far.write_private("token", token.as_bytes());
    let policy = "gaitpol 1\npolicy acme.far\ndefault block code none\ntool git.git_status { repo_path: Path }\nrule all on git.git_status allow\n";
    far.write("b.gaitbundle", &compiled(policy));
    let git = venv.join("bin/mcp-server-git").to_str().unwrap().to_owned();
    let far = gateway(&far, &config(&[("git", &[git])], "token_file = \"token\""));
    let url = far.told("listening");
    let pin = [
        "mcp",
        "pin",
        "--server",
        "far",
        "--url",
        &url,
        "--token-file",
        "far/token",
    ];
    folder.json(&pin, 0, "mcp_pin");
    let verify = [&["mcp", "verify"][..], &pin[2..]].concat();
    folder.json(&verify, 0, "mcp_verify");
    folder.fails(&pin[..6], 1, "mcp.server_status");
    let near = policy
        .replace("acme.far", "acme.near")
        .replace("git.git_status", "far.git__git_status");
    let near = near.replace(" allow", &format!(" when args.repo_path == \"{repo}\" allow"));
    folder.write("b.gaitbundle", &compiled(&near));
    let text = format!(
        "bundle = \"b.gaitbundle\"\nlisten = \"127.0.0.1:0\"\nlock = \"gait.mcp.lock\"\n[servers.far]\nurl = \"{url}\"\ntoken_file = \"far/token\"\n"
    );
    let near = gateway(&folder, &text);
    let calls =
        json!([["far__git__git_status", {"repo_path": repo}], ["far__git__git_status", {"repo_path": "/"}]]);
    for mode in ["legacy", NEW] {
        let found = mcp::client(&folder, &venv, &[near.told("listening"), mode.to_owned()], &calls);
        assert_eq!(found["tools"], json!(["far__git__git_status"]));
        assert!(
            found["results"][0]["text"]
                .as_str()
                .unwrap()
                .contains("Repository status"),
            "{found}"
        );
        assert_eq!(found["results"][1]["failed"], true, "{found}");
    }
    let shown = format!("Bearer {token}");
    let counted = far
        .connect()
        .ask("GET", "/metrics", &[("Authorization", &shown)], b"")
        .text();
    // The other two never came there.
    assert!(
        counted.contains("gait_decisions_total{verdict=\"allow\",enforcement=\"enforce\"} 2\n"),
        "{counted}"
    );
    assert!(
        counted.contains("gait_decisions_total{verdict=\"block\",enforcement=\"enforce\"} 0\n"),
        "{counted}"
    );
}

#[test]
fn a_server_at_an_address_leads_nowhere_else_and_is_shown_nothing_of_clients() {
    let Some(venv) = mcp::venv() else { return };
    for (does, ran) in [
        (&[][..], true),
        (&["streams"], true),
        (&["redirects"], false),
        (&["forgets"], false),
        (&["breaks"], false),
        (&["other"], false),
        (&["huge"], false),
    ] {
        let folder = mcp_pins::pinned(&venv);
        let server = hostile(&folder, &venv, does);
        let daemon = before(&folder, &server.1, "");
        let session = begin(&daemon);
        let own = [
            ("Mcp-Session-Id", session.as_str()),
            ("Authorization", "Bearer of-the-client"),
            ("Cookie", "a=b"),
            ("X-Forwarded-For", "1.2.3.4"),
        ];
        let call = |name: &str| {
            let params = json!({"name": name, "arguments": {"text": "a"}});
            post(&mut daemon.connect(), &own, &message("1", "tools/call", &params))
        };
        let answer = call("a__say");
        if ran {
            assert_eq!(
                result(&answer)["content"][0]["text"],
                "done",
                "{does:?} {}",
                answer.text()
            );
        } else {
            assert!(
                answer.text().contains("nobody knows whether it has run"),
                "{does:?} {}",
                answer.text()
            );
        }
        assert_eq!(mcp_pins::calls(&folder), 1, "{does:?}: it is not made again");
        if does == ["forgets"] {
            // The next call begins another session.
            assert!(call("a__shout").text().contains("nobody knows"));
            assert_eq!(mcp_pins::calls(&folder), 2);
        }
        let asked = String::from_utf8(folder.read("asked.jsonl")).unwrap();
        for one in asked.lines() {
            let one: Value = serde_json::from_str(one).unwrap();
            assert_eq!(
                (&one["path"], one["method"] == "GET"),
                (&json!("/mcp"), false),
                "{does:?} {one}"
            );
            let headers: Vec<String> = one["headers"]
                .as_object()
                .unwrap()
                .keys()
                .map(|name| name.to_lowercase())
                .collect();
            for never in ["authorization", "cookie", "x-forwarded-for"] {
                assert!(!headers.iter().any(|name| name == never), "{headers:?}");
            }
            assert_ne!(one["headers"]["mcp-session-id"], session.as_str());
        }
    }
}

#[test]
fn nobody_at_an_address_and_other_machines_are_told() {
    let Some(venv) = mcp::venv() else { return };
    let folder = mcp_pins::pinned(&venv);
    let gone = hostile(&folder, &venv, &[]).1.clone();
    let daemon = before(&folder, &gone, "");
    let session = begin(&daemon);
    let call = message(
        "1",
        "tools/call",
        &json!({"name": "a__say", "arguments": {"text": "a"}}),
    );
    let answer = post(&mut daemon.connect(), &[("Mcp-Session-Id", &session)], &call);
    assert_eq!(reason(&answer), "mcp.pin_unseen");
    folder.fails(&["mcp", "pin", "--url", &gone], 1, "mcp.server_ended");
    for url in [
        "https://127.0.0.1/mcp",
        "http://192.0.2.1/mcp",
        "http://example.com/mcp",
        "http://a@127.0.0.1/mcp",
        "x",
    ] {
        folder.fails(&["mcp", "pin", "--url", url], 6, "mcp.url");
        let text = format!("bundle = \"b.gaitbundle\"\n[servers.a]\nurl = \"{url}\"\n");
        folder.write("gait.mcp.toml", text.as_bytes());
        folder.fails(&["mcp", "serve"], 6, "config.bad_value");
    }
    for more in [
        "command = [\"x\"]\nurl = \"http://127.0.0.1/\"",
        "command = [\"x\"]\ntoken_file = \"t\"",
    ] {
        let text = format!("bundle = \"b.gaitbundle\"\n[servers.a]\n{more}\n");
        folder.write("gait.mcp.toml", text.as_bytes());
        folder.fails(&["mcp", "serve"], 6, "config.bad_value");
    }
    let output = folder.run(&["mcp", "pin"]);
    assert_eq!(output.status.code(), Some(6), "{}", shown(&output));
}
