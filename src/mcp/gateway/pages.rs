//! Pages that show what waits for people: the call as it is in its trace, and the command that approves it. They show and do nothing. In: calls
//! that wait. Out: an address for each, which nobody can guess, and its page. The last ones are kept.

use crate::artifact::Digest;
use crate::boundary::Written;
use crate::domain::hidden::is_hidden;
use crate::host::{self, HostError, Os};
use crate::json::Json;
use crate::limits;
use crate::mcp::told;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Before the names of pages.
pub const PATH: &str = "/approvals/";

/// The pages.
#[derive(Debug)]
pub struct Pages {
    /// Where people reach the gateway.
    base: String,
    all: Mutex<All>,
}

#[derive(Debug, Default)]
struct All {
    /// The page of a call, by the digest of its intent: one that is made again has the same.
    names: BTreeMap<Digest, String>,
    pages: BTreeMap<String, String>,
    order: VecDeque<Digest>,
}

/// The page of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// What nobody can guess.
    pub name: String,
    /// Where it is.
    pub url: String,
    /// Whether it was there before.
    pub is_known: bool,
}

impl Pages {
    /// None yet.
    pub fn new(base: String) -> Pages {
        Pages {
            base,
            all: Mutex::default(),
        }
    }

    fn all(&self) -> MutexGuard<'_, All> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The page of a call that waits.
    pub fn of(&self, written: &Written) -> Result<Page, HostError> {
        let call = written.recorded.record.intent_digest;
        let mut all = self.all();
        let (name, is_known) = match all.names.get(&call) {
            Some(name) => (name.clone(), true),
            None => (host::nonce(&Os)?, false),
        };
        if !is_known {
            if all.order.len() >= limits::MCP_PAGES
                && let Some(oldest) = all.order.pop_front()
                && let Some(name) = all.names.remove(&oldest)
            {
                all.pages.remove(&name);
            }
            all.names.insert(call, name.clone());
            all.pages.insert(name.clone(), html(written));
            all.order.push_back(call);
        }
        let url = format!("{}{PATH}{name}", self.base);
        Ok(Page { name, url, is_known })
    }

    /// The page of a name.
    pub fn find(&self, name: &str) -> Option<String> {
        self.all().pages.get(name).cloned()
    }
}

fn html(written: &Written) -> String {
    let record = &written.recorded.record;
    let decision = &record.decision;
    let args = record.intent.as_ref().and_then(|intent| intent.get("args"));
    let args = args.map_or_else(|| "not kept".to_owned(), |args| lines(args, 0));
    let hints: Vec<&str> = decision
        .matched
        .iter()
        .filter_map(|rule| rule.hint.as_deref())
        .collect();
    let rows = [
        ("tool", record.tool.clone()),
        ("who asks", record.identity.clone().unwrap_or_default()),
        ("arguments", args),
        ("why it waits", decision.reason_codes.join(", ")),
        ("hints", hints.join("\n")),
        ("trace", record.trace_id.clone()),
        ("time", record.created_at.to_string()),
    ];
    let mut out = String::from(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>A call waits for an approval</title>\
         <h1>A call waits for an approval</h1><table>",
    );
    for (name, value) in rows {
        out.push_str(&format!("<tr><th>{name}<td><pre>{}</pre>", shown(&value)));
    }
    out.push_str(&format!(
        "</table><p>Nothing can be done on this page. Who may approve the call does it on the page of all that wait, /approvals, or where the gateway runs, and the call is made again:\
         <pre>{}</pre></html>\n",
        shown(&told::approves(&written.place))
    ));
    out
}

/// Text as people see all of it, and no browser acts on it.
fn shown(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' => out.push('\n'),
            c if c.is_control() || is_hidden(c) => out.extend(c.escape_unicode()),
            c => out.push(c),
        }
    }
    out
}

/// A document, a member a line.
fn lines(json: &Json, depth: usize) -> String {
    let space = "  ".repeat(depth);
    match json {
        Json::Object(members) if !members.is_empty() => {
            let one = |(name, value): &(crate::json::Text, Json)| {
                let name = crate::artifact::tool_lock::text(&Json::str(name.clone()));
                format!("{space}  {name}: {}", lines(value, depth + 1))
            };
            let all: Vec<String> = members.iter().map(one).collect();
            format!("{{\n{}\n{space}}}", all.join(",\n"))
        }
        other => crate::artifact::tool_lock::text(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_is_text() {
        let nasty = "<script>\"'&\u{202e}\u{200b}\u{1b}\r\n</pre>";
        assert_eq!(
            shown(nasty),
            "&lt;script&gt;&quot;&#39;&amp;\\u{202e}\\u{200b}\\u{1b}\\u{d}\n&lt;/pre&gt;"
        );
        let json = crate::json::parse(br#"{"a":{"b\n":[1,"x"]},"c":{}}"#).unwrap();
        assert_eq!(
            lines(&json, 0),
            "{\n  \"a\": {\n    \"b\\n\": [1,\"x\"]\n  },\n  \"c\": {}\n}"
        );
    }
}
