//! What is between clients and the gateway alone: names with their servers, what requests say of themselves, and what results are in each
//! revision. In: messages and their parts. Out: the same as the other side has it. It must not know who asks.

use crate::json::{Json, Text};
use crate::limits;
use crate::mcp::frame::{self, Message};

/// Between the name of a server and that of its tool, as clients see them: many take no dot.
pub const BETWEEN: &str = "__";

/// The name of a tool as clients see it; none where some would not take it, or it would be taken for another one.
pub fn wire_name(server: &str, tool: &str) -> Option<String> {
    let wire = format!("{server}{BETWEEN}{tool}");
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
    (wire.len() <= limits::MCP_WIRE_NAME_BYTES && wire.bytes().all(plain)).then_some(wire)
}

/// Whether a name may stand before `BETWEEN`: the first one in a name of the wire ends it.
pub fn is_server_name(name: &str) -> bool {
    crate::artifact::is_id(name) && !name.contains(BETWEEN) && !name.ends_with('_')
}

/// A definition with another name.
pub fn named(tool: &Json, name: &str) -> Json {
    let mut members = tool.as_object().unwrap_or_default().to_vec();
    for (key, value) in &mut members {
        if key == "name" {
            *value = Json::str(name);
        }
    }
    Json::Object(members)
}

/// A request with another name in its parameters.
pub fn with_name(json: &Json, name: &str) -> Json {
    let mut members = json.as_object().unwrap_or_default().to_vec();
    for (key, value) in &mut members {
        if key == "params" {
            *value = named(value, name);
        }
    }
    Json::Object(members)
}

/// Parameters without what is between the client and the gateway alone: of the revision, and where progress is told.
pub fn without_own(params: Json) -> Json {
    let Json::Object(mut members) = params else {
        return params;
    };
    for (key, value) in &mut members {
        if let (true, Json::Object(meta)) = (key == "_meta", value) {
            meta.retain(|(name, _)| !name.starts_with(frame::OWN_META) && name != "progressToken");
        }
    }
    members.retain(|(key, _)| key != "inputResponses" && key != "requestState");
    members.retain(|(key, value)| key != "_meta" || value.as_object().is_some_and(|meta| !meta.is_empty()));
    Json::Object(members)
}

/// What a client can do, as it says with a request of the revision without sessions.
pub fn capabilities_of(message: &Message) -> Option<&Json> {
    message
        .param("_meta")?
        .get("io.modelcontextprotocol/clientCapabilities")
}

/// Whether a client shows people an address that it is given.
pub fn opens_urls(capabilities: Option<&Json>) -> bool {
    let url = capabilities.and_then(|all| all.get("elicitation")?.get("url"));
    url.is_some_and(|url| url.as_object().is_some())
}

/// The result of a call as the client's revision has it; none where it is no result yet.
pub fn whole(result: Json, says_kind: bool) -> Option<Json> {
    let Json::Object(mut members) = result else {
        return None;
    };
    let kind = members.iter().find(|(name, _)| name == "resultType");
    match kind.map(|(_, kind)| kind.as_str()) {
        None if says_kind => members.push((Text::const_new("resultType"), Json::str("complete"))),
        None | Some(Some("complete")) => {}
        Some(_) => return None,
    }
    Some(Json::Object(members))
}

/// What the gateway can do.
pub fn capabilities(tells_of_changes: bool) -> Json {
    let tools = Json::object([("listChanged", Json::Bool(tells_of_changes))]);
    Json::object([("tools", tools)])
}

/// What results say of themselves in the revision without sessions. They are of whoever asked, and hold for no time.
pub fn complete() -> [(&'static str, Json); 3] {
    [
        ("resultType", Json::str("complete")),
        ("ttlMs", Json::int(0)),
        ("cacheScope", Json::str("private")),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_the_wire_is_of_one_server_and_one_tool() {
        for (server, tool, wire) in [
            ("git", "git_status", Some("git__git_status")),
            ("git", "a.b-c", Some("git__a.b-c")),
            ("git", "_x", Some("git___x")),
            ("git", "a b", None),
            ("git", "é", None),
            ("git", "a\u{200b}", None),
        ] {
            let found = wire_name(server, tool);
            assert_eq!(found.as_deref(), wire);
            if let Some(wire) = found {
                assert_eq!(wire.split_once(BETWEEN), Some((server, tool)));
            }
        }
        assert!(wire_name("git", &"a".repeat(limits::MCP_WIRE_NAME_BYTES)).is_none());
        for (name, good) in [
            ("git", true),
            ("g-2_x", true),
            ("a__b", false),
            ("a_", false),
            ("A", false),
            ("", false),
        ] {
            assert_eq!(is_server_name(name), good, "{name}");
        }
    }
}
