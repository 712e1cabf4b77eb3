//! What is between a server and a client while a call runs: what the server tells of it, and wants of the client first. The honest server and client
//! are in `mcp_conformance`; the server here is `mcp/hostile_http.py`, and the client is written byte by byte.

use crate::daemon::Daemon;
use crate::daemon::client::{Answer, Client};
use crate::folder::{Folder, compiled};
use crate::mcp;
use crate::mcp_pins;
use crate::mcp_serve::{NEW, OLD, header, message, post};
use crate::mcp_web::{Hostile, before, hostile};
use serde_json::{Value, json};
use std::io::Read;

const ASKS: &str = "tool mcp.elicitation { server: String[max 9], mode: String[max 9], message: String[max 40], \
        properties: List[String[max 40], max 9], url: String[max 99]? }\n\
    tool mcp.elicitation_answer { server: String[max 9], action: String[max 9], content: Map[String[max 9], String[max 10], max 9]? }\n\
    tool mcp.roots_answer { server: String[max 9], roots: List[{ uri: String[max 99], name: String[max 99]? }, max 9] }\n\
    rule names on mcp.elicitation when args.message == \"your name\" allow\n\
    rule answers on mcp.elicitation_answer when args.server == \"a\" allow\n";

/// The gateway before the server, with a policy that knows what the server may ask.
pub fn started(asks: &str) -> Option<(Folder, Daemon, Hostile)> {
    started_that(&["modern"], asks)
}

fn started_that(does: &[&str], asks: &str) -> Option<(Folder, Daemon, Hostile)> {
    let venv = mcp::venv()?;
    let folder = mcp_pins::pinned(&venv);
    let server = hostile(&folder, &venv, does);
    let daemon = before(&folder, &server.1, "");
    drop(daemon);
    let policy = mcp_pins::POLICY
        .replace("say", "a.say")
        .replace("shout", "a.shout");
    folder.write("b.gaitbundle", &compiled(&format!("{policy}{asks}")));
    let text = String::from_utf8(folder.read("gait.mcp.toml")).unwrap();
    let daemon = crate::mcp_serve::gateway(&folder, &text);
    Some((folder, daemon, server))
}

/// A call in the revision without sessions.
pub fn call(text: &str, can: &Value, more: &Value) -> String {
    let mut meta = json!({"io.modelcontextprotocol/protocolVersion": NEW, "io.modelcontextprotocol/clientCapabilities": can});
    for (name, value) in more["_meta"].as_object().into_iter().flatten() {
        meta[name] = value.clone();
    }
    let mut params = json!({"name": "a__say", "arguments": {"text": text}, "_meta": meta});
    for (name, value) in more
        .as_object()
        .unwrap()
        .iter()
        .filter(|(name, _)| *name != "_meta")
    {
        params[name] = value.clone();
    }
    message("1", "tools/call", &params)
}

/// Sends a request and gives the messages of its answer, whether they come as a stream or as one document.
pub fn messages(daemon: &Daemon, headers: &[(&str, &str)], body: &str) -> Vec<Value> {
    let mut client = daemon.connect();
    send(&mut client, headers, body);
    let answer = client.answer().unwrap();
    if !answer.head.contains("text/event-stream") {
        return vec![serde_json::from_slice(&answer.body).unwrap()];
    }
    let mut all = Vec::new();
    while let Some(message) = next(&mut client) {
        all.push(message);
    }
    all
}

fn send(client: &mut Client, headers: &[(&str, &str)], body: &str) {
    let mut text = format!(
        "POST /mcp HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\n",
        client.host
    );
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str(&format!("Content-Length: {}\r\n\r\n{body}", body.len()));
    client.send(text.as_bytes());
}

/// The next message of a stream; none where it has ended.
fn next(client: &mut Client) -> Option<Value> {
    let mut line = Vec::new();
    loop {
        let mut byte = [0];
        if client.stream.read(&mut byte).unwrap_or(0) == 0 {
            return None;
        }
        line.push(byte[0]);
        // The last piece has no bytes.
        if line.ends_with(b"\r\n0\r\n") || line == b"0\r\n" {
            return None;
        }
        if line.ends_with(b"\n\n") {
            let text = String::from_utf8(line.clone()).unwrap();
            let data = text.split_once("data: ").unwrap().1;
            return Some(serde_json::from_str(data.trim()).unwrap());
        }
    }
}

pub const STREAMS: (&str, &str) = ("Accept", "application/json, text/event-stream");
pub const STATELESS: [(&str, &str); 4] = [
    STREAMS,
    ("MCP-Protocol-Version", NEW),
    ("Mcp-Method", "tools/call"),
    ("Mcp-Name", "a__say"),
];

#[test]
fn a_client_is_told_of_its_own_request_alone() {
    let Some((folder, daemon, _server)) = started("") else {
        return;
    };
    let told = |meta: Value, headers: &[(&str, &str)]| {
        let body = call("a", &json!({}), &json!({"_meta": meta}));
        let all = messages(&daemon, headers, &body);
        let (last, before) = all.split_last().unwrap();
        assert_eq!(last["result"]["content"][0]["text"], "done", "{last}");
        let of = |one: &Value| {
            let params = &one["params"];
            let what = if one["method"] == "notifications/progress" {
                &params["progress"]
            } else {
                &params["level"]
            };
            if params.get("progressToken").is_some() {
                assert_eq!(params["progressToken"], "t");
            }
            what.clone()
        };
        before.iter().map(of).collect::<Vec<_>>()
    };
    let level = |level: &str| json!({"io.modelcontextprotocol/logLevel": level});
    assert_eq!(told(json!({"progressToken": "t"}), &STATELESS), [json!(1)]);
    assert_eq!(told(level("debug"), &STATELESS), ["debug", "error"]);
    assert_eq!(told(level("warning"), &STATELESS), ["error"]);
    assert!(told(level("all"), &STATELESS).is_empty());
    assert!(told(json!({}), &STATELESS).is_empty());
    let both = json!({"progressToken": "t", "io.modelcontextprotocol/logLevel": "alert"});
    assert!(
        told(both.clone(), &STATELESS[1..]).is_empty(),
        "who takes no stream gets none"
    );
    assert_eq!(told(both, &STATELESS), [json!(1)]);
    // The server is told nothing of how the client calls its request, nor what the client is.
    let said = String::from_utf8(folder.read("said.jsonl")).unwrap();
    assert!(!said.contains("\"t\"") && said.contains("\"gait\""), "{said}");
    assert_eq!(mcp_pins::calls(&folder), 7);
}

#[test]
fn what_a_server_wants_of_a_client_is_judged_and_only_what_the_client_can() {
    let Some((folder, daemon, _server)) = started(ASKS) else {
        return;
    };
    let can = json!({"elicitation": {}, "sampling": {}, "roots": {}, "tasks": {}});
    let ask = |text: &str, can: &Value, more: &Value| {
        let all = messages(&daemon, &STATELESS, &call(text, can, more));
        assert_eq!(all.len(), 1, "{all:?}");
        all[0].clone()
    };
    let none = json!({});
    let found = ask("ask", &can, &none);
    let wanted = &found["result"]["inputRequests"]["a"]["params"]["message"];
    assert_eq!(
        (wanted, &found["result"]["resultType"]),
        (&json!("your name"), &json!("input_required"))
    );
    // Only what the policy could allow is said of the client.
    let said = String::from_utf8(folder.read("said.jsonl")).unwrap();
    let said: Value = serde_json::from_str(said.lines().last().unwrap()).unwrap();
    let expected = json!({"elicitation": {}, "roots": {}});
    assert_eq!(
        said["_meta"]["io.modelcontextprotocol/clientCapabilities"],
        expected
    );
    let state = &found["result"]["requestState"];
    let answers = json!({"inputResponses": {"a": {"action": "accept"}, "gait.approval": {"action": "accept"}}, "requestState": state});
    let found = ask("ask", &can, &answers);
    let text = found["result"]["content"][0]["text"].as_str().unwrap();
    assert_eq!(text, r#"[{"a": {"action": "accept"}}, "s"]"#);
    for (text, can, is_error) in [
        ("ask", json!({}), false),
        ("ask", json!({"sampling": {}}), false),
        ("ask", json!({"elicitation": true}), false),
        ("secret", can.clone(), true),
        ("shell", can.clone(), false),
        ("own", can.clone(), false),
        ("task", can.clone(), false),
    ] {
        let found = ask(text, &can, &none);
        assert_eq!(found["error"]["code"] == -32000, is_error, "{text} {found}");
        assert_eq!(found["result"]["isError"] == true, !is_error, "{text} {found}");
        for hidden in ["password", "inputRequests", "shell", "taskId"] {
            assert!(!found.to_string().contains(hidden), "{text} {found}");
        }
    }
}

/// Begins a session of a client that can answer.
pub fn begin(daemon: &Daemon) -> String {
    let params = json!({"protocolVersion": OLD, "capabilities": {"elicitation": {}}, "clientInfo": {"name": "t", "version": "1"}});
    let answer = post(&mut daemon.connect(), &[], &message("0", "initialize", &params));
    header(&answer, "mcp-session-id").unwrap()
}

#[test]
fn a_client_with_a_session_is_asked_on_the_stream_of_its_call() {
    let Some((folder, daemon, _server)) = started(ASKS) else {
        return;
    };
    let [session, other] = [begin(&daemon), begin(&daemon)];
    let own = ("Mcp-Session-Id", session.as_str());
    let asks = |text: &str, headers: &[(&str, &str)]| {
        let mut client = daemon.connect();
        let params = json!({"name": "a__say", "arguments": {"text": text}});
        send(&mut client, headers, &message(text, "tools/call", &params));
        let answer = client.answer().unwrap();
        (client, answer)
    };
    let answers = |session: &str, id: &Value, result: Value| -> Answer {
        let body = json!({"jsonrpc": "2.0", "id": id, "result": result}).to_string();
        post(&mut daemon.connect(), &[("Mcp-Session-Id", session)], &body)
    };
    let accept = json!({"action": "accept", "content": {"name": "Ann"}});
    let (mut client, _) = asks("ask", &[own, STREAMS]);
    let asked = next(&mut client).unwrap();
    assert_eq!(asked["params"]["message"], "your name", "{asked}");
    // Nobody else answers, and nothing that was not asked.
    assert_eq!(answers(&other, &asked["id"], accept.clone()).status, 400);
    assert_eq!(answers(&session, &json!("gait-99"), accept.clone()).status, 400);
    assert_eq!(answers(&session, &asked["id"], accept.clone()).status, 202);
    assert_eq!(answers(&session, &asked["id"], accept.clone()).status, 400);
    let found = next(&mut client).unwrap();
    let text = found["result"]["content"][0]["text"].as_str().unwrap();
    assert_eq!(
        text,
        r#"[{"a": {"action": "accept", "content": {"name": "Ann"}}}, "s"]"#
    );
    assert_eq!(mcp_pins::calls(&folder), 2);
    // One judgement for the call, one for what was asked, and one for the answer.
    assert_eq!(crate::mcp_serve::traces(&folder).len(), 3);
    // What may not leave is declined, and of what may nothing goes on but that.
    for (content, passed) in [
        (json!({"name": "the key is 12345"}), r#"{"action": "decline"}"#),
        (
            json!({"name": "Ann"}),
            r#"{"action": "accept", "content": {"name": "Ann"}}"#,
        ),
    ] {
        let (mut client, _) = asks("ask", &[own, STREAMS]);
        let asked = next(&mut client).unwrap();
        let says = json!({"action": "accept", "content": content, "leak": "12345"});
        assert_eq!(answers(&session, &asked["id"], says).status, 202);
        let found = next(&mut client).unwrap();
        let text = found["result"]["content"][0]["text"].as_str().unwrap();
        assert_eq!(text, format!(r#"[{{"a": {passed}}}, "s"]"#));
    }
    // Who takes no stream cannot be asked.
    let (_, answer) = asks("ask", &[own]);
    assert!(answer.text().contains("wants more"), "{}", answer.text());
    // Who answers with an error has not answered.
    let (mut client, _) = asks("ask", &[own, STREAMS]);
    let asked = next(&mut client).unwrap();
    let refuses = json!({"jsonrpc": "2.0", "id": asked["id"], "error": {"code": -1, "message": "no"}});
    assert_eq!(
        post(&mut daemon.connect(), &[own], &refuses.to_string()).status,
        202
    );
    assert_eq!(next(&mut client).unwrap()["result"]["isError"], true);
    // A server that asks without end is not asked without end.
    let before = mcp_pins::calls(&folder);
    let (mut client, _) = asks("ever", &[own, STREAMS]);
    let mut rounds = 0;
    let found = loop {
        let heard = next(&mut client).unwrap();
        if heard.get("method").is_none() {
            break heard;
        }
        rounds += 1;
        assert_eq!(answers(&session, &heard["id"], accept.clone()).status, 202);
    };
    assert_eq!(
        (found["result"]["isError"].clone(), rounds),
        (json!(true), 9),
        "{found}"
    );
    assert_eq!(mcp_pins::calls(&folder), before + 10);
    // A client that is gone is not waited for: the session has room for its next request of the same id.
    let (client, _) = asks("ask", &[own, STREAMS]);
    drop(client);
    loop {
        let (mut client, answer) = asks("ask", &[own, STREAMS]);
        if answer.head.contains("text/event-stream") {
            assert!(next(&mut client).unwrap()["method"] == "elicitation/create");
            break;
        }
        assert!(
            answer.text().contains("another request has this id"),
            "{}",
            answer.text()
        );
    }
}

/// Listens: the stream that a session is told on.
fn listens(daemon: &Daemon, session: &str) -> Client {
    let mut client = daemon.connect();
    let host = client.host.clone();
    let ask = format!(
        "GET /mcp HTTP/1.1\r\nHost: {host}\r\nAccept: text/event-stream\r\nMcp-Session-Id: {session}\r\n\r\n"
    );
    client.send(ask.as_bytes());
    assert_eq!(client.answer().unwrap().status, 200);
    client
}

/// Begins a subscription in the revision without sessions.
fn subscribes(daemon: &Daemon, id: &str, notifications: &Value) -> Client {
    let meta = json!({"io.modelcontextprotocol/protocolVersion": NEW, "io.modelcontextprotocol/clientCapabilities": {}});
    let params = json!({"notifications": notifications, "_meta": meta});
    let method = ("Mcp-Method", "subscriptions/listen");
    let mut client = daemon.connect();
    send(
        &mut client,
        &[STREAMS, STATELESS[1], method],
        &message(id, "subscriptions/listen", &params),
    );
    assert_eq!(client.answer().unwrap().status, 200);
    client
}

fn asked(daemon: &Daemon, session: &str, method: &str, params: &Value) -> Value {
    let answer = post(
        &mut daemon.connect(),
        &[("Mcp-Session-Id", session)],
        &message("1", method, params),
    );
    serde_json::from_slice(&answer.body).unwrap()
}

const SUBSCRIPTION: &str = "io.modelcontextprotocol/subscriptionId";

#[test]
fn who_watches_a_resource_is_told_and_nobody_else() {
    let Some(venv) = mcp::venv() else { return };
    let folder = Folder::new();
    // The whole manual is secret.
    let policy = crate::mcp_conformance::policy();
    let secret = "rule secret on mcp.resource when args.uri == \"test://static-text\" block\n";
    folder.write("b.gaitbundle", &compiled(&format!("{policy}{secret}")));
    let fixture = crate::mcp_conformance::fixture(&venv, &[]);
    let text = "bundle = \"b.gaitbundle\"\nlisten = \"127.0.0.1:0\"\n[servers.f]\nurl = ";
    let daemon = crate::mcp_serve::gateway(&folder, &format!("{text}\"{}\"\n", fixture.1));
    let [session, other] = [begin(&daemon), begin(&daemon)];
    let [mut own, mut others] = [listens(&daemon, &session), listens(&daemon, &other)];
    let watched = "test://watched-resource";
    let uris = json!([watched, "test://static-text", "test://static-binary"]);
    let mut all = subscribes(
        &daemon,
        "all",
        &json!({"resourceSubscriptions": uris, "toolsListChanged": true, "taskIds": ["x"]}),
    );
    let begun = next(&mut all).unwrap();
    assert_eq!(begun["method"], "notifications/subscriptions/acknowledged");
    let taken = json!({"toolsListChanged": true, "resourceSubscriptions": ["test://static-binary", watched]});
    assert_eq!(
        begun["params"]["notifications"], taken,
        "what must not be read is not watched"
    );
    let mut few = subscribes(&daemon, "few", &json!({"promptsListChanged": true}));
    assert_eq!(next(&mut few).unwrap()["params"]["_meta"][SUBSCRIPTION], "few");
    let found = asked(&daemon, &session, "resources/subscribe", &json!({"uri": watched}));
    assert_eq!(found["result"], json!({}), "{found}");
    for uri in ["test://static-text", "test://template/1/data"] {
        let found = asked(&daemon, &session, "resources/subscribe", &json!({"uri": uri}));
        assert_eq!(
            found.get("error").is_some(),
            uri == "test://static-text",
            "{found}"
        );
    }
    let trigger = |what: &str| {
        let name = format!("f__{what}");
        let found = asked(
            &daemon,
            &session,
            "tools/call",
            &json!({"name": name, "arguments": {}}),
        );
        assert_eq!(found["result"]["content"][0]["text"], "changed", "{found}");
    };
    trigger("trigger_resource_change");
    trigger("test_trigger_prompt_change");
    trigger("test_trigger_tool_change");
    let updated = "notifications/resources/updated";
    let [prompts, tools] = [
        "notifications/prompts/list_changed",
        "notifications/tools/list_changed",
    ];
    let methods = |client: &mut Client, most: usize| -> Vec<String> {
        let one = |_| next(client).unwrap()["method"].as_str().unwrap().to_owned();
        (0..most).map(one).collect()
    };
    assert_eq!(methods(&mut own, 3), [updated, prompts, tools]);
    assert_eq!(methods(&mut others, 2), [prompts, tools]);
    let [one, two] = [next(&mut all).unwrap(), next(&mut all).unwrap()];
    assert_eq!(
        (&one["method"], &one["params"]["uri"]),
        (&json!(updated), &json!(watched))
    );
    assert_eq!(
        (&one["params"]["_meta"][SUBSCRIPTION], &two["method"]),
        (&json!("all"), &json!(tools))
    );
    assert_eq!(methods(&mut few, 1), [prompts]);
    // Who watches no more is told no more.
    asked(
        &daemon,
        &session,
        "resources/unsubscribe",
        &json!({"uri": watched}),
    );
    trigger("trigger_resource_change");
    trigger("test_trigger_prompt_change");
    assert_eq!(methods(&mut own, 1), [prompts]);
    assert_eq!(methods(&mut all, 1), [updated]);
    // The end is told.
    daemon.stop();
    assert_eq!(next(&mut all).unwrap()["result"]["_meta"][SUBSCRIPTION], "all");
}

#[test]
fn a_server_that_is_started_asks_over_one_request_or_over_none() {
    let Some(venv) = mcp::venv() else { return };
    let folder = mcp_pins::pinned(&venv);
    let policy = mcp_pins::POLICY
        .replace("say", "a.say")
        .replace("shout", "a.shout");
    folder.write("b.gaitbundle", &compiled(&format!("{policy}{ASKS}")));
    let server = mcp_pins::server(&venv, &["queries"]);
    let daemon = crate::mcp_serve::gateway(&folder, &crate::mcp_serve::config(&[("a", &server)], ""));
    let session = begin(&daemon);
    let own = ("Mcp-Session-Id", session.as_str());
    let calls = |text: &str, headers: &[(&str, &str)]| {
        let mut client = daemon.connect();
        let params = json!({"name": "a__say", "arguments": {"text": text}});
        send(&mut client, headers, &message(text, "tools/call", &params));
        client
    };
    // What the server was answered.
    let answer_in = |found: &Value| -> Value {
        let text = found["result"]["content"][0]["text"].as_str();
        serde_json::from_str(text.unwrap_or_else(|| panic!("{found}"))).unwrap()
    };
    let answered = |text: &str, headers: &[(&str, &str)]| {
        let mut client = calls(text, headers);
        let answer = client.answer().unwrap();
        assert!(!answer.head.contains("text/event-stream"), "{text}");
        answer_in(&serde_json::from_slice(&answer.body).unwrap())
    };
    let mut client = calls("name", &[own, STREAMS]);
    client.answer().unwrap();
    let asked = next(&mut client).unwrap();
    assert_eq!(asked["params"]["message"], "your name");
    let accept = json!({"jsonrpc": "2.0", "id": asked["id"], "result": {"action": "accept"}});
    assert_eq!(
        post(&mut daemon.connect(), &[own], &accept.to_string()).status,
        202
    );
    let told = answer_in(&next(&mut client).unwrap());
    assert_eq!(
        (&told["id"], &told["result"]),
        (&json!(77), &json!({"action": "accept"}))
    );
    let mut client = calls("name", &[own, STREAMS]);
    client.answer().unwrap();
    let asked = next(&mut client).unwrap();
    let says = json!({"action": "accept", "content": {"name": "the key is 12345"}});
    let says = json!({"jsonrpc": "2.0", "id": asked["id"], "result": says});
    assert_eq!(post(&mut daemon.connect(), &[own], &says.to_string()).status, 202);
    let told = answer_in(&next(&mut client).unwrap());
    assert_eq!(told["result"], json!({"action": "decline"}));
    for (text, headers, code) in [
        // What the policy does not let through, what nobody knows, and what the client has not said that it can.
        ("secret", &[own, STREAMS][..], -32000),
        ("shell", &[own, STREAMS], -32601),
        ("roots", &[own, STREAMS], -32601),
        // Who takes no stream, and who has no session.
        ("name", &[own], -32601),
    ] {
        assert_eq!(answered(text, headers)["error"]["code"], code, "{text}");
    }
    let can = json!({"elicitation": {}});
    let all = messages(&daemon, &STATELESS, &call("name", &can, &json!({})));
    assert_eq!(answer_in(&all[0])["error"]["code"], -32601, "{all:?}");
    // Of two requests nobody knows which one it is about.
    let mut held = calls("hold", &[own, STREAMS]);
    while mcp_pins::calls(&folder) < 8 {
        std::thread::yield_now();
    }
    assert_eq!(answered("name", &[own, STREAMS])["error"]["code"], -32601);
    let found = held.answer().unwrap();
    assert!(!found.head.contains("text/event-stream"));
}

#[test]
fn a_server_that_listens_no_more_is_listened_to_again_and_nothing_is_taken_for_the_same() {
    let Some((folder, daemon, _server)) = started_that(&["modern", "listens"], "") else {
        return;
    };
    let session = begin(&daemon);
    let mut own = listens(&daemon, &session);
    let found = asked(&daemon, &session, "tools/list", &json!({}));
    assert_eq!(found["result"]["tools"][0]["name"], "a__say", "{found}");
    let heard = next(&mut own).unwrap();
    assert!(
        heard["method"].as_str().unwrap().ends_with("list_changed"),
        "{heard}"
    );
    let listened = || {
        let text = std::fs::read_to_string(folder.path("listens.txt")).unwrap_or_default();
        text.lines().count()
    };
    while listened() < 2 {
        std::thread::yield_now();
    }
    daemon.stop();
}
