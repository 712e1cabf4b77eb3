//! This program as a server of the protocol over standard input and output, with one tool that echoes and one that writes down what it did
//! before it answers, late, after a torn line, or not at all.

use serde_json::{Value, json};
use std::fs::OpenOptions;
use std::io::{BufRead, Write};
use std::time::Duration;

/// Answers until the input ends. In: the file that gets a line for each call of `do`.
pub fn serve(log: &str) {
    std::fs::write(format!("{log}.pid"), std::process::id().to_string()).expect("written");
    for line in std::io::stdin().lock().lines() {
        let message: Value = serde_json::from_str(&line.expect("a line")).expect("JSON");
        if message.get("id").is_some() {
            answer(&message, log);
        }
    }
}

fn answer(message: &Value, log: &str) {
    let arguments = &message["params"]["arguments"];
    let result = match message["method"].as_str() {
        Some("initialize") => json!({
            "protocolVersion": "2025-11-25", "capabilities": {"tools": {}},
            "serverInfo": {"name": "bench", "version": "1"},
        }),
        Some("tools/list") => json!({"tools": [tool("echo"), tool("do")]}),
        Some("tools/call") if message["params"]["name"] == "do" => {
            done(&arguments["id"], log);
            behave(arguments["how"].as_str().unwrap_or(""));
            said("done")
        }
        Some("tools/call") => said(arguments["message"].as_str().unwrap_or("")),
        _ => {
            let error = json!({"code": -32601, "message": "unknown"});
            return say(&json!({"jsonrpc": "2.0", "id": message["id"], "error": error}));
        }
    };
    say(&json!({"jsonrpc": "2.0", "id": message["id"], "result": result}));
}

fn tool(name: &str) -> Value {
    json!({"name": name, "inputSchema": {"type": "object"}})
}

fn said(text: &str) -> Value {
    json!({"content": [{"type": "text", "text": text}]})
}

fn say(message: &Value) {
    let mut out = std::io::stdout().lock();
    // Who does not read any more ends this at its next line.
    let _ = writeln!(out, "{message}").and_then(|()| out.flush());
}

/// One write, so that a line is there or not, whenever this is killed.
fn done(id: &Value, log: &str) {
    let mut file = OpenOptions::new()
        .append(true)
        .create(true)
        .open(log)
        .expect("a file");
    file.write_all(format!("{id}\n").as_bytes()).expect("written");
}

/// What the call asks for beside an answer.
fn behave(how: &str) {
    match how {
        "slow" => std::thread::sleep(Duration::from_millis(50)),
        "torn" => println!("{{\"jsonrpc\": \"2.0\", \"id\":"),
        "ends" => std::process::exit(3),
        _ => {}
    }
}
