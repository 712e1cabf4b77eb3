//! The lock of tools: what the tools of servers were when somebody looked at them, whole and by digest. In: definitions as a server
//! lists them, or bytes. Out: the file's one text, a tool a line, or what it holds. Every member of a definition counts, also one that
//! nobody knows: a client may show it to a model.

use std::collections::{BTreeMap, BTreeSet};

use super::digest::{self, Digest};
use super::fields::{self, Fields};
use super::{VerifyError, jcs};
use crate::domain::hidden::is_hidden;
use crate::json::{self, Json};
use crate::limits;

/// The name of the file, unless the caller says otherwise.
pub const NAME: &str = "gait.mcp.lock";
/// The schema of the file.
pub const SCHEMA: &str = "gait.mcp.lock/1";
const WHAT: &str = "lock of tools";

/// A tool as a server defines it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tool {
    /// The whole definition, its members in canonical order.
    pub definition: Json,
    /// The digest of the definition.
    pub digest: Digest,
}

/// The tools of a server by name.
pub type Tools = BTreeMap<String, Tool>;

/// What was pinned of a server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pinned {
    /// The digest of the program that starts it; none where any will do.
    pub program: Option<Digest>,
    /// Its tools.
    pub tools: Tools,
}

/// What a server lists.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listed {
    /// The tools that are there once.
    pub tools: Tools,
    /// The names that more than one tool has: which is meant, nobody knows.
    pub twice: BTreeSet<String>,
}

impl Tool {
    /// A tool and its name. Numbers that RFC 8785 cannot carry count as they are written: they are compared, and never read.
    fn read(json: &Json) -> Result<(String, Tool), VerifyError> {
        let wrong = |reason: &str| fields::refuse(WHAT, reason);
        let text = jcs::to_vec(json);
        let digest = digest::sha256(&text);
        let definition = json::parse_any_numbers(&text)
            .ok()
            .filter(|json| json.as_object().is_some())
            .ok_or_else(|| wrong("a tool is no object"))?;
        let name = definition.get("name").and_then(Json::as_str);
        let name = name.filter(|name| !name.is_empty()).map(str::to_owned);
        Ok((
            name.ok_or_else(|| wrong("a tool has no name"))?,
            Tool { definition, digest },
        ))
    }
}

impl Listed {
    /// Reads the definitions of all tools of a server.
    pub fn read(list: &[Json]) -> Result<Listed, VerifyError> {
        if list.len() > limits::TOOLS {
            let reason = format!("there are more than {} tools", limits::TOOLS);
            return Err(fields::refuse(WHAT, reason));
        }
        let mut listed = Listed::default();
        for json in list {
            let (name, tool) = Tool::read(json)?;
            if listed.tools.insert(name.clone(), tool).is_some() {
                listed.twice.insert(name);
            }
        }
        listed.tools.retain(|name, _| !listed.twice.contains(name));
        Ok(listed)
    }
}

/// The tools of servers by the names of the servers; none is the name of a server that has none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ToolLock {
    /// The servers.
    pub servers: BTreeMap<Option<String>, Pinned>,
}

impl ToolLock {
    /// Reads a lock. Errors on any text that `to_file` would not write.
    pub fn parse(bytes: &[u8]) -> Result<ToolLock, VerifyError> {
        if bytes.len() > limits::JSON_BYTES {
            let limit = limits::JSON_BYTES;
            return Err(VerifyError::TooLarge { what: WHAT, limit });
        }
        let json =
            json::parse_any_numbers(bytes).map_err(|error| VerifyError::NotJson { what: WHAT, error })?;
        let fields = Fields::open(WHAT, &json, &["schema", "servers"])?;
        fields.constant("schema", SCHEMA)?;
        let mut lock = ToolLock::default();
        for (name, pinned) in fields.list("servers", server)? {
            lock.servers.insert(name, pinned);
        }
        if lock.to_file() != bytes {
            return Err(fields.refuse("it is not in canonical form; `gait mcp pin` writes it"));
        }
        Ok(lock)
    }

    /// The one text of the lock.
    pub fn to_file(&self) -> Vec<u8> {
        let mut out = format!("{{\"schema\":\"{SCHEMA}\",\"servers\":[");
        for (at, (name, pinned)) in self.servers.iter().enumerate() {
            let name = name.as_ref().map_or(Json::Null, Json::str);
            let program = pinned.program.map_or(Json::Null, |digest| digest.to_json());
            out.push_str(if at > 0 { ",\n" } else { "\n" });
            let (name, program) = (text(&name), text(&program));
            out.push_str(&format!("{{\"name\":{name},\"program\":{program},\"tools\":["));
            for (at, tool) in pinned.tools.values().enumerate() {
                out.push_str(if at > 0 { ",\n" } else { "\n" });
                let definition = text(&tool.definition);
                out.push_str(&format!(
                    "{{\"digest\":\"{}\",\"definition\":{definition}}}",
                    tool.digest
                ));
            }
            out.push_str("\n]}");
        }
        out.push_str("\n]}\n");
        out.into_bytes()
    }
}

/// The canonical text, with what would not show in a review written as escapes; they are read as what they stand for.
pub fn text(json: &Json) -> String {
    let mut out = String::new();
    for c in String::from_utf8_lossy(&jcs::to_vec(json)).chars() {
        if is_hidden(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            out.push(c);
        }
    }
    out
}

fn server(json: &Json) -> Result<(Option<String>, Pinned), VerifyError> {
    let fields = Fields::open(WHAT, json, &["name", "program", "tools"])?;
    let name = match fields.any("name")? {
        Json::Null => None,
        _ => Some(fields.id("name")?),
    };
    let mut tools = Tools::new();
    for (name, tool) in fields.list("tools", tool)? {
        tools.insert(name, tool);
    }
    let program = fields.digest_or_null("program")?;
    Ok((name, Pinned { program, tools }))
}

fn tool(json: &Json) -> Result<(String, Tool), VerifyError> {
    let fields = Fields::open(WHAT, json, &["digest", "definition"])?;
    let (name, tool) = Tool::read(fields.any("definition")?)?;
    if fields.digest("digest")? != tool.digest {
        let reason = format!(
            "the digest of `{}` is not that of its definition",
            name.escape_debug()
        );
        return Err(fields.refuse(reason));
    }
    Ok((name, tool))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(text: &str) -> Result<Listed, VerifyError> {
        let list = json::parse_any_numbers(text.as_bytes()).unwrap();
        Listed::read(list.as_array().unwrap())
    }

    #[test]
    fn every_member_of_a_definition_counts_and_their_order_does_not() {
        let of = |text: &str| listed(&format!("[{text}]")).unwrap().tools["a"].digest;
        let plain = of(r#"{"name":"a","description":"d","inputSchema":{"default":1}}"#);
        assert_eq!(
            plain,
            of(r#"{"inputSchema":{"default":1},"description":"d","name":"a"}"#)
        );
        for other in [
            r#"{"name":"a","description":"D","inputSchema":{"default":1}}"#,
            r#"{"name":"a","description":"d\u200b","inputSchema":{"default":1}}"#,
            r#"{"name":"a","description":"d","inputSchema":{"default":2}}"#,
            r#"{"name":"a","description":"d","inputSchema":{"default":1},"icons":[]}"#,
            r#"{"name":"a","description":"d","inputSchema":{"default":1},"annotations":{}}"#,
            r#"{"name":"a","description":"d","inputSchema":{"default":1},"x-new":null}"#,
        ] {
            assert_ne!(plain, of(other), "{other}");
        }
        // As they are written: nobody reads them as the same double.
        let bound = |n: &str| of(&format!(r#"{{"name":"a","maximum":{n}}}"#));
        assert_ne!(bound("18446744073709551615"), bound("18446744073709551614"));
    }

    #[test]
    fn a_name_that_two_tools_have_is_the_name_of_none() {
        let found = listed(r#"[{"name":"a"},{"name":"b"},{"name":"a"},{"name":"a"}]"#).unwrap();
        assert_eq!(found.tools.keys().collect::<Vec<_>>(), ["b"]);
        assert_eq!(found.twice.iter().collect::<Vec<_>>(), ["a"]);
        for wrong in ["[1]", "[{}]", r#"[{"name":1}]"#, r#"[{"name":""}]"#] {
            assert!(listed(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_lock_is_read_as_it_was_written_and_in_no_other_form() {
        let mut lock = ToolLock::default();
        assert_eq!(ToolLock::parse(&lock.to_file()), Ok(lock.clone()));
        let tools = listed(r#"[{"name":"b","maximum":1e400},{"name":"a\u202e"}]"#)
            .unwrap()
            .tools;
        lock.servers.insert(None, Pinned::default());
        let program = Some(digest::sha256(b"x"));
        lock.servers.insert(Some("git".into()), Pinned { program, tools });
        let text = String::from_utf8(lock.to_file()).unwrap();
        assert_eq!(ToolLock::parse(text.as_bytes()), Ok(lock));
        assert!(text.contains("\\u202e") && text.is_ascii());
        let (before, digest) = text.split_once("\"digest\":\"sha256:").unwrap();
        let other = if digest.starts_with('0') { "1" } else { "0" };
        let other = format!("{before}\"digest\":\"sha256:{other}{}", digest.get(1..).unwrap());
        for changed in [
            String::new(),
            "{}".into(),
            text.replace("lock/1", "lock/2"),
            text.replace("\"git\"", "\"Git\""),
            text.replace("\"git\"", "\"\""),
            text.replace("1e400", "1e401"),
            text.replace("{\"schema\"", "{\"x\":1,\"schema\""),
            text.replace("},\n", "}, \n"),
            text.trim_end().to_owned(),
            other,
            format!("{text}\n"),
        ] {
            assert!(ToolLock::parse(changed.as_bytes()).is_err(), "{changed}");
        }
    }
}
