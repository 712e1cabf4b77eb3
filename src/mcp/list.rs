//! Whole lists of servers, page by page; above all of tools. In: whoever can ask the server. Out: what it lists, and for how long that holds.
//! It must not know how servers are asked.

use crate::artifact::VerifyError;
use crate::artifact::tool_lock::Listed;
use crate::json::Json;
use crate::limits;

/// The method.
pub const METHOD: &str = "tools/list";
/// The notification that the tools are others now.
pub const CHANGED: &str = "notifications/tools/list_changed";

/// What a server lists.
#[derive(Clone, Debug)]
pub struct List {
    /// The tools, as they were sent.
    pub tools: Vec<Json>,
    /// The same by name.
    pub listed: Listed,
    /// For how many milliseconds the server says that it holds, where it does.
    pub holds: Option<i64>,
}

/// Why nobody knows what the tools are.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ListError<E> {
    /// The server was not asked, or did not answer.
    #[error(transparent)]
    Ask(#[from] E),
    /// What it lists are no tools.
    #[error("what the server lists cannot be read: {0}")]
    Tools(VerifyError),
    /// An answer is no list.
    #[error("the server's answer is no list")]
    NoList,
    /// It does not end.
    #[error("the server's list has more than {} pages", limits::MCP_LIST_PAGES)]
    TooLong,
}

/// All tools of a server. `ask` sends parameters and gives the result.
pub fn all<E>(ask: &mut dyn FnMut(Json) -> Result<Json, E>) -> Result<List, ListError<E>> {
    let (tools, holds) = pages("tools", ask)?;
    let listed = Listed::read(&tools).map_err(ListError::Tools)?;
    Ok(List { tools, listed, holds })
}

/// Asks for every page of what results hold as `member`, and for how many milliseconds all of it holds.
pub fn pages<E>(
    member: &str,
    ask: &mut dyn FnMut(Json) -> Result<Json, E>,
) -> Result<(Vec<Json>, Option<i64>), ListError<E>> {
    let (mut all, mut holds, mut cursor) = (Vec::new(), None, None);
    for _ in 0..limits::MCP_LIST_PAGES {
        let params = Json::object(cursor.take().map(|cursor| ("cursor", cursor)));
        let page = ask(params).map_err(ListError::Ask)?;
        let (more, next, ttl) = page_of(page, member).ok_or(ListError::NoList)?;
        all.extend(more);
        if all.len() > limits::TOOLS {
            return Err(ListError::TooLong);
        }
        holds = match (holds, ttl) {
            (Some(before), Some(now)) => Some(i64::min(before, now)),
            (before, now) => before.or(now),
        };
        match next {
            Some(next) => cursor = Some(next),
            None => return Ok((all, holds)),
        }
    }
    Err(ListError::TooLong)
}

/// What a page holds, where the next one begins, and for how long it holds.
fn page_of(page: Json, member: &str) -> Option<(Vec<Json>, Option<Json>, Option<i64>)> {
    let Json::Object(members) = page else { return None };
    let (mut all, mut next, mut ttl) = (None, None, None);
    for (name, value) in members {
        match (name.as_str(), value) {
            ("nextCursor", cursor @ Json::String(_)) => next = Some(cursor),
            ("nextCursor", Json::Null) => {}
            ("nextCursor", _) => return None,
            // What is no number of milliseconds holds for none.
            ("ttlMs", value) => ttl = Some(value.as_i64().unwrap_or(0)),
            (name, Json::Array(items)) if name == member => all = Some(items),
            (name, _) if name == member => return None,
            _ => {}
        }
    }
    Some((all?, next, ttl))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::parse;

    fn pages(pages: &[&str]) -> Result<(usize, Option<i64>), ListError<VerifyError>> {
        let mut asked = pages.iter();
        let mut ask = |_| Ok(parse(asked.next().unwrap_or(&pages[0]).as_bytes()).unwrap());
        all(&mut ask).map(|list| (list.tools.len(), list.holds))
    }

    #[test]
    fn a_list_is_all_of_its_pages() {
        let first = r#"{"tools":[{"name":"a"}],"nextCursor":"x","ttlMs":900}"#;
        assert_eq!(
            pages(&[first, r#"{"tools":[{"name":"b"}],"ttlMs":9}"#]),
            Ok((2, Some(9)))
        );
        assert_eq!(pages(&[first, r#"{"tools":[]}"#]), Ok((1, Some(900))));
        assert_eq!(pages(&[r#"{"tools":[],"ttlMs":"long"}"#]), Ok((0, Some(0))));
        assert_eq!(pages(&[first]), Err(ListError::TooLong), "it never ends");
        for none in [
            "[]",
            "{}",
            r#"{"tools":{}}"#,
            r#"{"tools":[],"nextCursor":1}"#,
            r#"{"tools":null}"#,
        ] {
            assert_eq!(pages(&[none]), Err(ListError::NoList), "{none}");
        }
        assert!(matches!(pages(&[r#"{"tools":[{}]}"#]), Err(ListError::Tools(_))));
    }
}
