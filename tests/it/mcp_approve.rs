//! Approvals where calls are made: a client that shows people an address is given that of a page with the call that waits. What the client
//! says of it counts for nothing, and the page does nothing: what counts is a signed approval.

use crate::daemon::Daemon;
use crate::daemon::client::Answer;
use crate::folder::Folder;
use crate::mcp;
use crate::mcp_serve::{NEW, OLD, config, gateway, header, message, post};
use serde_json::{Value, json};
use std::path::Path;

pub fn git(venv: &Path, more: &str) -> (Folder, Daemon, String) {
    let folder = mcp::folder();
    let repo = folder.path("repo").to_str().unwrap().to_owned();
    let program = venv.join("bin/mcp-server-git").to_str().unwrap().to_owned();
    let command = [program, "--repository".to_owned(), repo.clone()];
    let more = format!("approvers = \"gait-trust.json\"\n{more}");
    let daemon = gateway(&folder, &config(&[("git", &command)], &more));
    (folder, daemon, repo)
}

pub fn commits(folder: &Folder) -> usize {
    mcp::git(&folder.path("repo"), &["log", "--oneline"])
        .lines()
        .count()
}

#[test]
fn a_person_approves_what_the_page_shows_and_the_call_runs_once() {
    let Some(venv) = mcp::venv() else { return };
    for mode in ["legacy", NEW] {
        let (folder, daemon, repo) = git(&venv, "");
        let commit = json!(["git__git_commit", {"repo_path": repo, "message": "<b>two</b>\u{202e}"}]);
        let ask = |approve: &Value| {
            let command = [daemon.told("listening"), mode.to_owned()];
            let env = [("APPROVE", approve.to_string())];
            mcp::client_with(&folder.path(""), &venv, &command, &env, &json!([commit]))
        };
        // Nobody approves: that the client says so helps nothing, however often.
        for _ in 0..2 {
            let found = ask(&json!([]));
            assert_eq!(found["results"][0]["failed"], true, "{mode} {found}");
            assert!(
                found["results"][0]["text"]
                    .as_str()
                    .unwrap()
                    .contains("waits for an approval")
            );
        }
        assert_eq!(commits(&folder), 1);
        // Another call has another page, and its approval is for that one alone.
        let gait = env!("CARGO_BIN_EXE_gait");
        let approve = json!([gait, "--key", "ann.private.json", "--yes"]);
        let other = json!(["git__git_commit", {"repo_path": repo, "message": "three"}]);
        let command = [daemon.told("listening"), mode.to_owned()];
        let env = [("APPROVE", approve.to_string())];
        let found = mcp::client_with(
            &folder.path(""),
            &venv,
            &command,
            &env,
            &json!([other, commit, other]),
        );
        let waits = |at: usize| {
            let text = found["results"][at]["text"].as_str().unwrap();
            text.contains("waits for an approval")
        };
        assert_eq!(
            (waits(0), found["results"][0]["failed"].clone()),
            (false, json!(false)),
            "{mode} {found}"
        );
        // In a revision with sessions a call is shown once, and the second one was shown before.
        assert_eq!(waits(1), mode == "legacy", "{mode} {found}");
        // What was approved has run, and the same again waits again.
        assert_eq!(waits(2), mode == "legacy", "{mode} {found}");
        assert_eq!(
            found["pages"].as_array().unwrap().len(),
            if mode == "legacy" { 1 } else { 3 }
        );
        assert_eq!(commits(&folder), 2);
        let page = found["pages"][0].as_str().unwrap();
        assert!(
            page.contains("git.git_commit") && page.contains("commits are looked at"),
            "{page}"
        );
        if mode == NEW {
            let page = found["pages"][1].as_str().unwrap();
            assert!(page.contains("&lt;b&gt;two&lt;/b&gt;\\u202e"), "{page}");
            assert!(!page.contains("<b>") && !page.contains('\u{202e}'), "{page}");
        }
    }
}

#[test]
fn what_a_client_says_of_an_approval_counts_for_nothing() {
    let Some(venv) = mcp::venv() else { return };
    let (folder, daemon, repo) = git(&venv, "public_url = \"https://gate.example/\"");
    let headers = [
        ("MCP-Protocol-Version", NEW),
        ("Mcp-Method", "tools/call"),
        ("Mcp-Name", "git__git_commit"),
    ];
    let ask = |elicitation: Value, more: &Value| -> Value {
        let meta = json!({"io.modelcontextprotocol/protocolVersion": NEW,
            "io.modelcontextprotocol/clientCapabilities": {"elicitation": elicitation}});
        let mut params = json!({"name": "git__git_commit", "_meta": meta, "arguments": {"repo_path": repo, "message": "m"}});
        params
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        let answer = post(
            &mut daemon.connect(),
            &headers,
            &message("1", "tools/call", &params),
        );
        assert_eq!(answer.status, 200, "{}", answer.text());
        serde_json::from_slice::<Value>(&answer.body).unwrap()["result"].clone()
    };
    let url = |found: &Value| {
        found["inputRequests"]["gait.approval"]["params"]["url"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let first = ask(json!({"form": {}, "url": {}}), &json!({}));
    assert_eq!(first["resultType"], "input_required", "{first}");
    assert!(
        url(&first).starts_with("https://gate.example/approvals/"),
        "{first}"
    );
    assert_eq!(
        url(&ask(json!({"url": {}}), &json!({}))),
        url(&first),
        "one call, one page"
    );
    // Who shows no addresses is told in words; a form is never sent.
    for elicitation in [
        json!({}),
        json!({"form": {}}),
        json!({"url": null}),
        json!({"url": true}),
        json!(null),
    ] {
        let found = ask(elicitation, &json!({}));
        assert_eq!(
            (&found["isError"], &found["resultType"]),
            (&json!(true), &json!("complete"))
        );
    }
    for more in [
        json!({"inputResponses": {"gait.approval": {"action": "accept"}}}),
        json!({"inputResponses": {"gait.approval": {"action": "accept", "content": {"approve": true}}}}),
        json!({"inputResponses": {"gait.approval": {"action": "decline"}}}),
        json!({"inputResponses": {}}),
        json!({"inputResponses": {"gait.approval": {"action": "accept"}}, "approvals": ["x"]}),
    ] {
        let found = ask(json!({"url": {}}), &more);
        let waits = found["isError"] == json!(true) || found["resultType"] == "input_required";
        assert!(waits, "{more} {found}");
    }
    // A state that it was not given is refused.
    let accepted = json!({"inputResponses": {"gait.approval": {"action": "accept"}}, "requestState": "x"});
    for more in [accepted, json!({"requestState": "approved"})] {
        assert_eq!(ask(json!({"url": {}}), &more), Value::Null);
    }
    assert_eq!(commits(&folder), 1);
}

#[test]
fn a_page_shows_and_does_nothing() {
    let Some(venv) = mcp::venv() else { return };
    let token = "0123456789abcdef0123456789abcdef";
    let (folder, daemon, repo) = {
        let folder = mcp::folder();
        folder.write_private("token", token.as_bytes());
        let repo = folder.path("repo").to_str().unwrap().to_owned();
        let program = venv.join("bin/mcp-server-git").to_str().unwrap().to_owned();
        let daemon = gateway(&folder, &config(&[("git", &[program])], "token_file = \"token\""));
        (folder, daemon, repo)
    };
    let shown = format!("Bearer {token}");
    let bearer = ("Authorization", shown.as_str());
    let capabilities = json!({"elicitation": {"url": {}}});
    let params = json!({"protocolVersion": OLD, "capabilities": capabilities, "clientInfo": {"name": "t", "version": "1"}});
    let hello = post(
        &mut daemon.connect(),
        &[bearer],
        &message("1", "initialize", &params),
    );
    let session = header(&hello, "mcp-session-id").unwrap();
    let own = [bearer, ("Mcp-Session-Id", session.as_str())];
    let params = json!({"name": "git__git_commit", "arguments": {"repo_path": repo, "message": "m"}});
    let ask = || -> Value {
        let answer = post(&mut daemon.connect(), &own, &message("1", "tools/call", &params));
        serde_json::from_slice(&answer.body).unwrap()
    };
    let found = ask();
    assert_eq!(found["error"]["code"], -32042, "{found}");
    let one = &found["error"]["data"]["elicitations"][0];
    let url = one["url"].as_str().unwrap();
    assert!(url.ends_with(one["elicitationId"].as_str().unwrap()) && one["mode"] == "url");
    // The second time the model is told, so that nobody goes round for ever.
    assert_eq!(ask()["result"]["isError"], true);
    let path = &url[url.find("/approvals/").unwrap()..];
    let get = |method: &str, path: &str, more: &[(&str, &str)]| -> Answer {
        daemon.connect().ask(method, path, more, b"")
    };
    let page = get("GET", path, &[]);
    assert_eq!(page.status, 200);
    for (name, value) in [
        (
            "content-security-policy",
            "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        ),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cache-control", "no-store"),
    ] {
        assert_eq!(header(&page, name).as_deref(), Some(value));
    }
    let text = page.text();
    for never in ["<script", "<form", "<a ", "<img", "href", "style"] {
        assert!(!text.contains(never), "{never} {text}");
    }
    get("POST", path, &[]).is_refused(405, "request.method");
    get("DELETE", path, &[]).is_refused(405, "request.method");
    get("GET", path, &[("Host", "evil.example")]).is_refused(403, "request.host");
    get("GET", path, &[("Origin", "http://evil.example")]).is_refused(403, "request.origin");
    get("GET", &format!("{path}?x"), &[]).is_refused(400, "request.query");
    get("GET", "/approvals/", &[]).is_refused(404, "request.not_found");
    get("GET", &format!("/approvals/{}", "0".repeat(64)), &[]).is_refused(404, "request.not_found");
    assert_eq!(commits(&folder), 1);
}

#[test]
fn a_person_denies_and_the_model_is_told_why() {
    let Some(venv) = mcp::venv() else { return };
    let (folder, daemon, repo) = git(&venv, "");
    let commit = json!(["git__git_commit", {"repo_path": repo, "message": "two"}]);
    let ask = || {
        let command = [daemon.told("listening"), "legacy".to_owned()];
        let found = mcp::client_in(&folder.path(""), &venv, &command, &json!([commit]));
        assert_eq!(found["results"][0]["failed"], true, "{found}");
        found["results"][0]["text"].as_str().unwrap().to_owned()
    };
    assert!(ask().contains("waits for an approval"));
    let files = folder.list("gait-out/mcp-serve/traces");
    let file = files.iter().find(|file| file.ends_with(".jsonl")).unwrap();
    let file = format!("gait-out/mcp-serve/traces/{file}");
    let answer = |command: &[&str]| {
        let trace = [&file, "--line", "1", "--key", "ann.private.json", "--yes"];
        let args = [command, &trace].concat();
        let out = folder.run(&args);
        assert!(out.status.success(), "{}", crate::folder::shown(&out));
    };
    answer(&["deny", "--reason", "frozen", "--expires", "1h"]);
    // It stays denied however often it is asked, and whoever approves it.
    for _ in 0..2 {
        let text = ask();
        assert!(
            text.contains("a person has denied the call") && text.contains("frozen"),
            "{text}"
        );
        answer(&["approve"]);
    }
    assert_eq!(commits(&folder), 1);
}

#[test]
fn an_answer_is_sent_to_the_gateway_and_nothing_else_is_taken() {
    let Some(venv) = mcp::venv() else { return };
    let (folder, daemon, repo) = git(&venv, "");
    let commit = json!(["git__git_commit", {"repo_path": repo, "message": "two"}]);
    let ask = || {
        let command = [daemon.told("listening"), "legacy".to_owned()];
        let found = mcp::client_in(&folder.path(""), &venv, &command, &json!([commit]));
        found["results"][0]["failed"].clone()
    };
    assert_eq!(ask(), true);
    let waiting = |status: u16| {
        let answer = daemon.ask("GET", "/v1/approvals", "");
        assert_eq!(answer.status, status, "{}", answer.text());
        serde_json::from_slice::<Value>(&answer.body).unwrap()["waiting"].clone()
    };
    let listed = waiting(200);
    let trace = listed[0]["file"].as_str().unwrap();
    let line = listed[0]["line"].to_string();
    let args = [
        "approve",
        trace,
        "--line",
        &line,
        "--key",
        "ann.private.json",
        "--yes",
        "--out",
        "elsewhere.json",
    ];
    assert!(folder.run(&args).status.success());
    let answer = String::from_utf8(folder.read("elsewhere.json")).unwrap();
    daemon.refuses("POST", "/v1/approvals", "{}", (400, "verify.shape"));
    daemon.refuses("DELETE", "/v1/approvals", "", (405, "request.method"));
    let evil = [("Origin", "http://evil.example")];
    let refused = daemon
        .connect()
        .ask("POST", "/v1/approvals", &evil, answer.as_bytes());
    refused.is_refused(403, "request.origin");
    assert_eq!(ask(), true, "nothing was taken");
    assert_eq!(daemon.ask("POST", "/v1/approvals", &answer).status, 200);
    assert_eq!(ask(), false);
    assert_eq!(commits(&folder), 2);
    assert_eq!(waiting(200), json!([]));
    daemon.refuses("POST", "/v1/approvals", &answer, (404, "approval.not_waiting"));
}
