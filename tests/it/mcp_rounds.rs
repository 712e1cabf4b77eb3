//! Calls that a server answers once the client has answered something (2026-07-28): what the client says reaches the server as far as the policy lets
//! it, the state it sends back is one that it was given for this call, and the call is judged once. The server is `mcp/hostile_http.py`.

use crate::daemon::Daemon;
use crate::folder::compiled;
use crate::mcp;
use crate::mcp_events::{STATELESS, STREAMS, begin, call, messages, started};
use crate::mcp_pins;
use crate::mcp_serve::message;
use serde_json::{Value, json};

/// Answers of more than ten characters may not leave.
const ASKS: &str = "tool mcp.elicitation { server: String[max 9], mode: String[max 9], message: String[max 40], \
        properties: List[String[max 40], max 9], url: String[max 99]? }\n\
    tool mcp.elicitation_answer { server: String[max 9], action: String[max 9], content: Map[String[max 9], String[max 10], max 9]? }\n\
    rule names on mcp.elicitation when args.message == \"your name\" and args.server == \"a\" allow\n\
    rule answers on mcp.elicitation_answer allow\n";

/// What comes of a call with this text, with what the client sends beside it.
fn ask(daemon: &Daemon, text: &str, more: &Value) -> Value {
    let can = json!({"elicitation": {}});
    let all = messages(daemon, &STATELESS, &call(text, &can, more));
    all.last().unwrap().clone()
}

/// The state that a client gets which has to answer first.
fn state(daemon: &Daemon) -> Value {
    let found = ask(daemon, "ask", &json!({}));
    assert_eq!(found["result"]["resultType"], "input_required", "{found}");
    found["result"]["requestState"].clone()
}

fn text(found: &Value) -> &str {
    found["result"]["content"][0]["text"]
        .as_str()
        .unwrap_or_else(|| panic!("{found}"))
}

#[test]
fn a_state_is_of_one_call_and_good_once() {
    let Some((folder, daemon, _server)) = started(ASKS) else {
        return;
    };
    let answers = json!({"a": {"action": "accept"}});
    let with = |state: &Value| json!({"inputResponses": answers, "requestState": state});
    let first = state(&daemon);
    assert_eq!(first.as_str().map(str::len), Some(64), "{first}");
    let before = mcp_pins::calls(&folder);
    let refused = |text: &str, state: &Value| {
        let found = ask(&daemon, text, &with(state));
        assert_eq!(found["error"]["code"], -32602, "{text} {state} {found}");
    };
    // The server's own, made up, of another type, changed, and of another call; that uses it up.
    for forged in [
        json!("s"),
        json!("0".repeat(64)),
        json!(5),
        json!({}),
        Value::Null,
    ] {
        refused("ask", &forged);
    }
    refused("ask", &json!(format!("{}0", first.as_str().unwrap())));
    refused("ask!", &first);
    refused("ask", &first);
    assert_eq!(
        mcp_pins::calls(&folder),
        before,
        "the server has heard of none of them"
    );
    let good = state(&daemon);
    assert_eq!(
        text(&ask(&daemon, "ask", &with(&good))),
        r#"[{"a": {"action": "accept"}}, "s"]"#
    );
    refused("ask", &good);
    // A server asks ten times at most.
    let mut found = ask(&daemon, "ever", &json!({}));
    let before = mcp_pins::calls(&folder);
    for _ in 0..9 {
        let next = with(&found["result"]["requestState"]);
        found = ask(&daemon, "ever", &next);
    }
    assert_eq!(found["result"]["isError"], true, "{found}");
    assert_eq!(mcp_pins::calls(&folder), before + 9);
}

#[test]
fn what_a_client_answers_is_judged_and_nothing_beside_it_goes_on() {
    let Some((folder, daemon, _server)) = started(ASKS) else {
        return;
    };
    let said = |answer: Value, more: &Value, state: Option<Value>| {
        let mut given = json!({"inputResponses": {"a": answer}});
        for (name, value) in more.as_object().unwrap() {
            given["inputResponses"][name] = value.clone();
        }
        if let Some(state) = state {
            given["requestState"] = state;
        }
        ask(&daemon, "ask", &given)
    };
    let secret = json!({"action": "accept", "content": {"name": "the key is 12345"}});
    let ann = json!({"action": "accept", "content": {"name": "Ann", "age": 5, "tags": ["x"]}});
    let mut more = ann.clone();
    more["_meta"] = secret.clone();
    more["leak"] = json!("the key is 12345");
    let passed = r#"[{"a": {"action": "accept", "content": {"age": 5, "name": "Ann", "tags": ["x"]}}}, "s"]"#;
    let declined = r#"[{"a": {"action": "decline"}}, "s"]"#;
    for (answer, beside, expected) in [
        (ann.clone(), json!({}), passed),
        (more, json!({}), passed),
        (ann.clone(), json!({"b": secret, "gait.approval": secret}), passed),
        (secret.clone(), json!({}), declined),
        (
            json!({"action": "accept", "content": {"too long a name": ""}}),
            json!({}),
            declined,
        ),
        (
            json!({"action": "accept", "content": {"tags": ["the key is 12345"]}}),
            json!({}),
            declined,
        ),
        (
            json!({"action": "cancel", "content": {"name": "12345"}}),
            json!({}),
            r#"[{"a": {"action": "cancel"}}, "s"]"#,
        ),
    ] {
        // Also where the client answers before it was asked: the server is asked first, without.
        for early in [false, true] {
            let state = (!early).then(|| state(&daemon));
            let found = said(answer.clone(), &beside, state);
            assert_eq!(text(&found), expected, "{answer} {early}");
        }
    }
    let all = String::from_utf8(folder.read("said.jsonl")).unwrap();
    assert!(!all.contains("12345"), "{all}");
    let before = mcp_pins::calls(&folder);
    for answer in [
        json!(5),
        Value::Null,
        json!({}),
        json!({"action": "leak"}),
        json!({"action": "accept", "content": "x"}),
    ] {
        let found = said(answer.clone(), &json!({}), Some(state(&daemon)));
        assert_eq!(found["error"]["code"], -32602, "{answer} {found}");
    }
    assert_eq!(mcp_pins::calls(&folder), before + 5, "one for each state");
    let found = ask(&daemon, "ask", &json!({"inputResponses": null}));
    assert_eq!(found["error"]["code"], -32602, "{found}");
    // What is no answer to what was asked is none: the server asks again.
    let found = ask(&daemon, "ask", &json!({"inputResponses": {"b": ann}}));
    assert_eq!(found["result"]["resultType"], "input_required", "{found}");
    // A client with a session answers what it is asked on its stream, and nothing else.
    let session = begin(&daemon);
    let forged = json!({"name": "a__say", "arguments": {"text": "a"}, "inputResponses": {"a": ann}, "requestState": "s"});
    let headers = [STREAMS, ("Mcp-Session-Id", session.as_str())];
    let found = messages(&daemon, &headers, &message("1", "tools/call", &forged));
    assert_eq!(text(found.last().unwrap()), "done");
}

#[test]
fn a_call_of_several_rounds_is_judged_and_counted_once_and_can_be_stopped_in_between() {
    let Some(venv) = mcp::venv() else { return };
    let folder = mcp_pins::pinned(&venv);
    let policy = mcp_pins::POLICY
        .replace("say", "a.say")
        .replace("shout", "a.shout");
    let limit = "limit two on a.say max 2 calls per 1d exceed block\n";
    folder.write("b.gaitbundle", &compiled(&format!("{policy}{ASKS}{limit}")));
    folder.json(&["kill-switch", "renew"], 0, "kill_switch_renew");
    let server = crate::mcp_web::hostile(&folder, &venv, &["modern"]);
    let config = format!(
        "bundle = \"b.gaitbundle\"\nlisten = \"127.0.0.1:0\"\n[servers.a]\nurl = \"{}\"\n",
        server.1
    );
    let daemon =
        crate::mcp_serve::gateway_with(&folder, &config, &["--kill-switch", "gait-kill-switch.json"]);
    let answers =
        |state: Value| json!({"inputResponses": {"a": {"action": "accept"}}, "requestState": state});
    let tools = || {
        let all = crate::mcp_serve::traces(&folder);
        let mut tools: Vec<_> = all.iter().map(|trace| trace.value().tool.clone()).collect();
        tools.sort();
        tools
    };
    let found = ask(&daemon, "ask", &answers(state(&daemon)));
    assert!(text(&found).contains("accept"), "{found}");
    assert_eq!(tools(), ["a.say", "mcp.elicitation", "mcp.elicitation_answer"]);
    // The second call is stopped after its first round.
    let waits = answers(state(&daemon));
    let add = [
        "kill-switch",
        "add",
        "--id",
        "x",
        "--reason",
        "r",
        "--by",
        "ann",
        "--tool",
        "a.say",
    ];
    folder.json(&add, 0, "kill_switch_add");
    let before = mcp_pins::calls(&folder);
    let found = ask(&daemon, "ask", &waits);
    let codes = &found["result"]["_meta"]["dev.gait/decision"]["reason_codes"];
    assert_eq!(codes, &json!(["gait.kill_switch"]), "{found}");
    assert_eq!(mcp_pins::calls(&folder), before);
    folder.json(&["kill-switch", "disable", "x"], 0, "kill_switch_disable");
    assert_eq!(ask(&daemon, "ask", &waits)["error"]["code"], -32602);
    // It was counted when it was judged.
    let found = ask(&daemon, "ask", &json!({}));
    assert_eq!(found["result"]["isError"], true, "{found}");
    assert!(text(&found).contains("two"), "{found}");
}

#[test]
fn a_task_is_of_the_client_whose_call_it_was_and_what_it_is_told_is_judged() {
    let Some(venv) = mcp::venv() else { return };
    let folder = mcp_pins::pinned(&venv);
    let asks = ASKS
        .replace("server: String[max 9],", "")
        .replace(" and args.server == \"a\"", "");
    folder.write("b.gaitbundle", &compiled(&format!("{}{asks}", mcp_pins::POLICY)));
    folder.write("wants.txt", b"the password please");
    let own = ["mcp", "proxy", "--bundle", "b.gaitbundle", "--"].map(str::to_owned);
    let args: Vec<String> = own
        .into_iter()
        .chain(mcp_pins::server(&venv, &["tasks"]))
        .collect();
    let mut raw = mcp::Raw::before(&folder, &args);
    let mut ask = |method: &str, params: Value| {
        raw.ask(&json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).to_string())
    };
    // What the server has heard of tasks.
    let heard = || std::fs::read_to_string(folder.path("tasks.txt")).unwrap_or_default();
    let about = ["tasks/get", "tasks/result", "tasks/cancel", "tasks/update"];
    let call = json!({"name": "whisper", "arguments": {"text": "a"}, "task": {"ttl": 1000}});
    let found = ask("tools/call", call);
    assert_eq!(
        found["result"]["isError"], true,
        "it is judged as the call it is: {found}"
    );
    let call = json!({"name": "say", "arguments": {"text": "a"}, "task": {"ttl": 1000}});
    for (is_made, ids) in [(false, ["t", "another"]), (true, ["another", "T"])] {
        if is_made {
            assert_eq!(ask("tools/call", call.clone())["result"]["task"]["taskId"], "t");
        }
        for id in ids {
            for method in about {
                let found = ask(method, json!({"taskId": id}));
                assert_eq!(found["error"]["code"], -32602, "{method} {id} {found}");
            }
        }
    }
    assert_eq!(heard(), "");
    assert_eq!(
        ask("tasks/list", json!({}))["result"]["tasks"],
        json!([{"taskId": "t"}])
    );
    let found = ask("tasks/get", json!({"taskId": "t"}));
    assert_eq!(found["error"]["code"], -32000, "{found}");
    assert!(!found.to_string().contains("password"), "{found}");
    folder.write("wants.txt", b"your name");
    for _ in 0..2 {
        let found = ask("tasks/get", json!({"taskId": "t"}));
        assert_eq!(found["result"]["status"], "input_required", "{found}");
    }
    for (content, passed) in [
        (
            json!({"name": "Ann"}),
            json!({"action": "accept", "content": {"name": "Ann"}}),
        ),
        (json!({"name": "the key is 12345"}), json!({"action": "decline"})),
    ] {
        let answer = json!({"action": "accept", "content": content, "leak": "12345"});
        let given = json!({"taskId": "t", "inputResponses": {"a": answer, "b": answer}});
        assert_eq!(ask("tasks/update", given)["result"], json!({}));
        let last: Value = serde_json::from_str(heard().lines().last().unwrap()).unwrap();
        let expected = json!(["tasks/update", {"taskId": "t", "inputResponses": {"a": passed}}]);
        assert_eq!(last, expected);
    }
    assert_eq!(ask("tasks/cancel", json!({"taskId": "t"}))["result"], json!({}));
    assert!(!heard().contains("12345"), "{}", heard());
    // The two calls, each form once, and the two answers: looking again is not judged again.
    assert_eq!(folder.list("gait-out/traces").len(), 6);
}
