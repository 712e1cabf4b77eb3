//! What is between clients and the gateway alone: names with their servers, what requests say of themselves, and what results are in each
//! revision. In: messages and their parts. Out: the same as the other side has it. It must not know who asks.

use crate::json::{Json, Text};
use crate::limits;
use crate::mcp::call::RESERVED;
use crate::mcp::frame::{self, Message};

/// Between the name of a server and that of its tool, as clients see them: many take no dot.
pub const BETWEEN: &str = "__";

/// A name as clients see it, behind that of its server; none where some would not take it, or it would be taken for another one.
pub fn name(server: Option<&str>, own: &str) -> Option<String> {
    let wire = match server {
        Some(server) => format!("{server}{BETWEEN}{own}"),
        None => own.to_owned(),
    };
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
    let is_short = (1..=limits::MCP_WIRE_NAME_BYTES).contains(&wire.len());
    (is_short && wire.bytes().all(plain)).then_some(wire)
}

/// Whether a name may stand before `BETWEEN`: the first one in a name of the wire ends it.
pub fn is_server_name(name: &str) -> bool {
    crate::artifact::is_id(name) && name != RESERVED && !name.contains(BETWEEN) && !name.ends_with('_')
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
    changed(json, "params", &|params| named(params, name))
}

/// A request with another name in a member of its parameters.
pub fn with_name_in(json: &Json, member: &str, name: &str) -> Json {
    changed(json, "params", &|params| {
        changed(params, member, &|inner| named(inner, name))
    })
}

fn changed(json: &Json, member: &str, change: &dyn Fn(&Json) -> Json) -> Json {
    let mut members = json.as_object().unwrap_or_default().to_vec();
    for (key, value) in &mut members {
        if key == member {
            *value = change(value);
        }
    }
    Json::Object(members)
}

/// What a client can do, as it says with a request of the revision without sessions.
pub fn capabilities_of(message: &Message) -> Option<&Json> {
    message.param("_meta")?.get(frame::CLIENT_CAPABILITIES)
}

/// Whether a client shows people an address that it is given.
pub fn opens_urls(capabilities: Option<&Json>) -> bool {
    let url = capabilities.and_then(|all| all.get("elicitation")?.get("url"));
    url.is_some_and(|url| url.as_object().is_some())
}

/// A result as the client's revision has it; none where it has no such result. In the revision without sessions results say of what kind they
/// are, and those that may be kept for how long, and that they are of whoever asked.
pub fn of_revision(result: Json, stateless: bool, is_cached: bool) -> Option<Json> {
    let Json::Object(mut members) = result else {
        return None;
    };
    let said = |members: &[(Text, Json)], name: &str| {
        let found = members.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.clone())
    };
    match said(&members, "resultType").as_ref().map(Json::as_str) {
        None | Some(Some("complete")) => {}
        Some(Some("input_required")) if stateless => return Some(Json::Object(members)),
        Some(_) => return None,
    }
    let holds = said(&members, "ttlMs").unwrap_or(Json::int(0));
    let own = ["resultType", "ttlMs", "cacheScope"];
    members.retain(|(name, _)| !own.iter().any(|own| name == own));
    if stateless {
        members.push((Text::const_new("resultType"), Json::str("complete")));
    }
    if stateless && is_cached {
        members.push((Text::const_new("ttlMs"), holds));
        members.push((Text::const_new("cacheScope"), Json::str("private")));
    }
    Some(Json::Object(members))
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
            let found = name(Some(server), tool);
            assert_eq!(found.as_deref(), wire);
            if let Some(wire) = found {
                assert_eq!(wire.split_once(BETWEEN), Some((server, tool)));
            }
        }
        assert!(name(Some("git"), &"a".repeat(limits::MCP_WIRE_NAME_BYTES)).is_none());
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
