//! Configurations of MCP clients, with the gate before each server that they start. In: the document as the client reads it. Out: the same
//! with other commands, and what became of each server; or, the other way, what it was before. Everything else stays as it is.

use crate::artifact::is_id;
use crate::json::{Json, Text};
use std::collections::BTreeSet;

/// The members that hold servers: of Claude Code, Claude Desktop and Cursor; of VS Code.
const SERVERS: [&str; 2] = ["mcpServers", "servers"];
/// How a command of the gateway begins.
const OWN: [&str; 2] = ["mcp", "proxy"];
/// What stands before the command of the server.
const BEFORE: &str = "--";

/// How servers are started from now on.
#[derive(Clone, Debug)]
pub struct Through {
    /// The program that is gait.
    pub program: String,
    /// Its arguments, but for the name of the server and its command.
    pub args: Vec<String>,
}

/// A server of a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name in the configuration.
    pub name: String,
    /// What became of it.
    pub state: State,
}

/// What became of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// It is started behind the gate now.
    Gated(Started),
    /// It was behind the gate before.
    Already,
    /// It is as it was, and why.
    Left(&'static str),
}

/// A server that is started behind the gate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Started {
    /// Its name in policies.
    pub server: String,
    /// Its command.
    pub command: Vec<String>,
    /// What the configuration adds to its environment.
    pub env: Vec<(String, String)>,
}

/// Why a document is no configuration that can be changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClientsError {
    /// No member holds servers.
    #[error("it has neither `mcpServers` nor `servers`")]
    NoServers,
    /// A server is described in a way that is not known.
    #[error("the server `{0}` is not described by an object with `command` and `args` that are texts")]
    Shape(String),
    /// Two servers would have one name in policies.
    #[error("two servers would be called `{0}` in policies")]
    Twice(String),
}

/// Puts the gate before each server.
pub fn through(config: &Json, how: &Through) -> Result<(Json, Vec<Entry>), ClientsError> {
    let mut names = BTreeSet::new();
    let mut entries = Vec::new();
    let changed = each_server(config, &mut |name, server| {
        let (server, state) = gated(name, server, how)?;
        if let State::Gated(started) = &state
            && !names.insert(started.server.clone())
        {
            return Err(ClientsError::Twice(started.server.clone()));
        }
        entries.push(Entry {
            name: name.to_owned(),
            state,
        });
        Ok(server)
    })?;
    Ok((changed, entries))
}

/// Takes the gate away from each server that has it.
pub fn without(config: &Json) -> Result<Json, ClientsError> {
    each_server(config, &mut |name, server| {
        let shape = || ClientsError::Shape(name.escape_debug().to_string());
        let args = texts(server.get("args")).ok_or_else(shape)?;
        let at = args.iter().position(|arg| arg == BEFORE);
        let (true, Some((program, rest))) =
            (is_own(&args), at.and_then(|at| args.get(at + 1..)?.split_first()))
        else {
            return Ok(plain(server));
        };
        Ok(plain(&with_command(server, program, rest)))
    })
}

fn each_server(
    config: &Json,
    change: &mut dyn FnMut(&str, &Json) -> Result<Json, ClientsError>,
) -> Result<Json, ClientsError> {
    let mut members = config.as_object().ok_or(ClientsError::NoServers)?.to_vec();
    let mut found = false;
    for (key, value) in &mut members {
        if let (true, Json::Object(servers)) = (SERVERS.contains(&key.as_str()), value) {
            found = true;
            for (name, server) in servers {
                *server = change(name, server)?;
            }
        }
    }
    found
        .then_some(Json::Object(members))
        .ok_or(ClientsError::NoServers)
}

fn gated(name: &str, server: &Json, how: &Through) -> Result<(Json, State), ClientsError> {
    let shape = || ClientsError::Shape(name.escape_debug().to_string());
    if server.as_object().is_none() {
        return Err(shape());
    }
    let Some(command) = server.get("command") else {
        let why = "it is not started, but asked at an address";
        return Ok((server.clone(), State::Left(why)));
    };
    let command = command.as_str().ok_or_else(shape)?;
    let args = texts(server.get("args")).ok_or_else(shape)?;
    if is_own(&args) {
        return Ok((server.clone(), State::Already));
    }
    let Some(id) = id_of(name) else {
        let why = "its name has no letter or digit that a name in policies could have";
        return Ok((server.clone(), State::Left(why)));
    };
    let env = match server.get("env").map(Json::as_object) {
        None => Vec::new(),
        Some(None) => return Err(shape()),
        Some(Some(members)) => {
            let text = |(key, value): &(Text, Json)| Some((key.to_string(), value.as_str()?.to_owned()));
            let all: Option<Vec<_>> = members.iter().map(text).collect();
            all.ok_or_else(shape)?
        }
    };
    let command: Vec<String> = [command.to_owned()].into_iter().chain(args).collect();
    let own = OWN.map(str::to_owned).into_iter().chain(how.args.iter().cloned());
    let named = ["--server".to_owned(), id.clone(), BEFORE.to_owned()];
    let args: Vec<String> = own.chain(named).chain(command.iter().cloned()).collect();
    let started = Started {
        server: id,
        command,
        env,
    };
    Ok((with_command(server, &how.program, &args), State::Gated(started)))
}

fn is_own(args: &[String]) -> bool {
    args.iter().take(2).eq(OWN.iter()) && args.iter().any(|arg| arg == BEFORE)
}

fn texts(list: Option<&Json>) -> Option<Vec<String>> {
    let Some(list) = list else { return Some(Vec::new()) };
    let text = |item: &Json| item.as_str().map(str::to_owned);
    list.as_array()?.iter().map(text).collect()
}

/// A server with another command, where it had its own.
fn with_command(server: &Json, program: &str, args: &[String]) -> Json {
    let mut members = server.as_object().unwrap_or_default().to_vec();
    let list = Json::Array(args.iter().map(Json::str).collect());
    if let Some((_, value)) = members.iter_mut().find(|(key, _)| key == "command") {
        *value = Json::str(program);
    }
    match members.iter_mut().find(|(key, _)| key == "args") {
        Some((_, value)) => *value = list,
        None => {
            let after = members.iter().position(|(key, _)| key == "command");
            members.insert(after.map_or(0, |at| at + 1), (Text::const_new("args"), list));
        }
    }
    Json::Object(members)
}

/// A server in which no arguments and an empty list of them are the same.
fn plain(server: &Json) -> Json {
    let mut members = server.as_object().unwrap_or_default().to_vec();
    members.retain(|(key, value)| key != "args" || value.as_array().is_none_or(|list| !list.is_empty()));
    Json::Object(members)
}

/// A name as policies may write it.
fn id_of(name: &str) -> Option<String> {
    let lower = name.to_ascii_lowercase();
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() || c == '_' {
            c
        } else {
            '-'
        }
    };
    let id: String = lower.chars().map(plain).collect();
    let id = id.trim_matches(['-', '_']).replace("__", "_");
    is_id(&id).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::parse;

    fn how() -> Through {
        Through {
            program: "/bin/gait".into(),
            args: vec!["--bundle".into(), "b".into()],
        }
    }

    fn read(text: &str) -> Json {
        parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn each_server_is_started_behind_the_gate_and_all_else_stays() {
        let config = read(
            r#"{"theme":"dark","mcpServers":{
                "My Git!":{"type":"stdio","command":"uvx","args":["mcp-server-git","--","x"],"env":{"A":"b"},"disabled":false},
                "time":{"command":"mcp-server-time"},
                "web":{"type":"http","url":"https://x.example/mcp"},
                "own":{"command":"gait","args":["mcp","proxy","--bundle","b","--","true"]},
                "!":{"command":"true"}},"inputs":[1]}"#,
        );
        let (changed, entries) = through(&config, &how()).unwrap();
        let states: Vec<_> = entries.iter().map(|entry| &entry.state).collect();
        let git = Started {
            server: "my-git".into(),
            command: ["uvx", "mcp-server-git", "--", "x"].map(str::to_owned).to_vec(),
            env: vec![("A".into(), "b".into())],
        };
        assert_eq!(states[0], &State::Gated(git));
        assert!(matches!(states[1], State::Gated(_)) && states[3] == &State::Already);
        assert!(matches!((states[2], states[4]), (State::Left(_), State::Left(_))));
        let server = |name: &str| changed.get("mcpServers").unwrap().get(name).unwrap().clone();
        assert_eq!(
            server("My Git!"),
            read(
                r#"{"type":"stdio","command":"/bin/gait","args":["mcp","proxy","--bundle","b","--server","my-git","--",
                    "uvx","mcp-server-git","--","x"],"env":{"A":"b"},"disabled":false}"#
            )
        );
        assert_eq!(
            server("time"),
            read(
                r#"{"command":"/bin/gait","args":["mcp","proxy","--bundle","b","--server","time","--","mcp-server-time"]}"#
            )
        );
        assert_eq!(
            server("web"),
            read(r#"{"type":"http","url":"https://x.example/mcp"}"#)
        );
        assert_eq!(changed.get("inputs"), config.get("inputs"));
        assert_eq!(through(&changed, &how()).unwrap().0, changed, "twice is once");
        let (back, before) = (without(&changed).unwrap(), without(&config).unwrap());
        assert_eq!(back, before);
        let vscode = read(r#"{"servers":{"a":{"command":"true"}}}"#);
        assert!(matches!(
            through(&vscode, &how()).unwrap().1[0].state,
            State::Gated(_)
        ));
    }

    #[test]
    fn what_is_no_configuration_is_not_changed() {
        for text in [
            "[]",
            "{}",
            r#"{"mcpServers":[]}"#,
            r#"{"mcpServers":{"a":1}}"#,
            r#"{"mcpServers":{"a":{"command":1}}}"#,
            r#"{"mcpServers":{"a":{"command":"x","args":"y"}}}"#,
            r#"{"mcpServers":{"a":{"command":"x","args":[1]}}}"#,
            r#"{"mcpServers":{"a":{"command":"x","env":[]}}}"#,
            r#"{"mcpServers":{"a":{"command":"x","env":{"A":1}}}}"#,
            r#"{"mcpServers":{"a b":{"command":"x"},"A-B":{"command":"x"}}}"#,
        ] {
            assert!(through(&read(text), &how()).is_err(), "{text}");
        }
    }
}
