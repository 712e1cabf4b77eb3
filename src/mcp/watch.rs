//! Which tools are what was pinned, now. In: the pins, what the server lists, and the time. Out: whether a tool may be called, or why
//! not. It must not know how a server is asked.

use super::fresh::Fresh;
use super::list::{List, ListError};
use crate::artifact::tool_lock::{Listed, Tools};
use crate::json::Json;
use jiff::Timestamp;
use std::sync::Arc;

/// Why a tool must not be called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unpinned {
    /// There is no such tool.
    Unknown,
    /// It is not pinned.
    Missing,
    /// It is defined otherwise than it was.
    Drifted,
    /// It is not there any more.
    Gone,
    /// More than one tool has its name.
    Twice,
    /// The server does not say what its tools are.
    Unseen,
    /// Its schema names headers as none may.
    #[cfg_attr(
        not(all(feature = "serve", unix)),
        expect(dead_code, reason = "only servers at addresses are sent headers")
    )]
    Headers,
}

impl Unpinned {
    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            Unpinned::Unknown => "mcp.tool_unknown",
            Unpinned::Missing => "mcp.pin_missing",
            Unpinned::Drifted => "mcp.pin_drifted",
            Unpinned::Gone => "mcp.pin_gone",
            Unpinned::Twice => "mcp.pin_twice",
            Unpinned::Unseen => "mcp.pin_unseen",
            Unpinned::Headers => "mcp.tool_headers",
        }
    }

    /// What whoever called is told.
    pub fn why(self) -> &'static str {
        match self {
            Unpinned::Unknown => "there is no tool of this name",
            Unpinned::Missing => "no tool of this name is pinned",
            Unpinned::Drifted => "the tool is not defined any more as it was when it was pinned",
            Unpinned::Gone => "the server does not list the tool any more",
            Unpinned::Twice => "more than one tool of the server has this name",
            Unpinned::Unseen => "the server did not say what its tools are",
            Unpinned::Headers => "the tool names headers of its arguments as none may",
        }
    }
}

/// The pins of a server, and what it listed last.
#[derive(Debug)]
pub struct Watch {
    /// None where any definition will do.
    pins: Option<Tools>,
    seen: Fresh<List>,
}

impl Watch {
    /// Nothing was seen yet.
    pub fn new(pins: Option<Tools>) -> Watch {
        Watch {
            pins,
            seen: Fresh::default(),
        }
    }

    /// Whether the definition is the pinned one.
    pub fn is_pinned(&self, definition: &Json) -> bool {
        let listed = Listed::read(std::slice::from_ref(definition));
        listed.is_ok_and(|listed| {
            listed
                .tools
                .keys()
                .all(|name| self.standing(name, &listed).is_ok())
        })
    }

    /// The server says that its tools are others, or another server answers: what was seen counts no more.
    pub fn changed(&self) {
        self.seen.changed();
    }

    /// The definition of a tool that may be called now.
    pub fn check<E>(
        &self,
        tool: &str,
        now: &dyn Fn() -> Timestamp,
        ask: &mut dyn FnMut() -> Result<List, ListError<E>>,
    ) -> Result<Json, Unpinned> {
        if self.pins.as_ref().is_some_and(|pins| !pins.contains_key(tool)) {
            return Err(Unpinned::Missing);
        }
        let list = self.list(now, ask)?;
        self.standing(tool, &list.listed)?;
        let tool = list.listed.tools.get(tool).ok_or(Unpinned::Gone)?;
        Ok(tool.definition.clone())
    }

    /// What the server lists now. Where nothing counts any more, `ask` asks it; where the tools change while it is asked, it is asked
    /// again.
    pub fn list<E>(
        &self,
        now: &dyn Fn() -> Timestamp,
        ask: &mut dyn FnMut() -> Result<List, ListError<E>>,
    ) -> Result<Arc<List>, Unpinned> {
        let mut asked = || {
            ask().map(|list| {
                let holds = list.holds;
                (list, holds)
            })
        };
        self.seen.get(now, &mut asked).ok_or(Unpinned::Unseen)
    }

    /// Whether a tool of a list is what it must be.
    pub fn standing(&self, tool: &str, listed: &Listed) -> Result<(), Unpinned> {
        let now = listed.tools.get(tool);
        match &self.pins {
            _ if listed.twice.contains(tool) => Err(Unpinned::Twice),
            None => now.map(|_| ()).ok_or(Unpinned::Unknown),
            Some(pins) => match (pins.get(tool), now) {
                (None, _) => Err(Unpinned::Missing),
                (_, None) => Err(Unpinned::Gone),
                (Some(pin), Some(now)) if pin == now => Ok(()),
                _ => Err(Unpinned::Drifted),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{Json, parse};
    use crate::limits;

    type Asked = Result<List, ListError<std::convert::Infallible>>;

    fn list(text: &str, holds: Option<i64>) -> Asked {
        let tools = match parse(text.as_bytes()).unwrap() {
            Json::Array(tools) => tools,
            _ => Vec::new(),
        };
        let listed = Listed::read(&tools).unwrap();
        Ok(List { tools, listed, holds })
    }

    const PINNED: &str = r#"[{"name":"a","description":"d"},{"name":"b"}]"#;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millisecond(1_000_000 + millis).unwrap()
    }

    #[test]
    fn only_what_is_listed_as_it_was_pinned_may_be_called() {
        let pins = list(PINNED, None).unwrap().listed.tools;
        for (found, tool, told) in [
            (PINNED, "a", Ok(())),
            (PINNED, "c", Err(Unpinned::Missing)),
            (r#"[{"name":"a","description":"D"}]"#, "a", Err(Unpinned::Drifted)),
            (r#"[{"name":"b"}]"#, "a", Err(Unpinned::Gone)),
            (r#"[{"name":"b"},{"name":"c"}]"#, "c", Err(Unpinned::Missing)),
            (r#"[{"name":"b"},{"name":"b"}]"#, "b", Err(Unpinned::Twice)),
            (
                r#"[{"name":"b"},{"name":"b","description":"x"}]"#,
                "b",
                Err(Unpinned::Twice),
            ),
        ] {
            let watch = Watch::new(Some(pins.clone()));
            let found = watch.check(tool, &|| at(0), &mut || list(found, None));
            assert_eq!(found.map(drop), told, "{tool}");
        }
        let watch = Watch::new(Some(pins));
        let mut none = || Asked::Err(ListError::NoList);
        assert_eq!(watch.check("a", &|| at(0), &mut none), Err(Unpinned::Unseen));
        let [same, other] = [r#"{"description":"d","name":"a"}"#, r#"{"name":"a"}"#];
        let is_pinned = |text: &str| watch.is_pinned(&parse(text.as_bytes()).unwrap());
        assert!(is_pinned(same) && !is_pinned(other) && !is_pinned("1"));
        // Without pins, what is listed once may be called.
        let watch = Watch::new(None);
        for (tool, told) in [
            ("a", Ok(())),
            ("b", Err(Unpinned::Twice)),
            ("c", Err(Unpinned::Unknown)),
        ] {
            let found = watch.check(tool, &|| at(0), &mut || {
                list(r#"[{"name":"a"},{"name":"b"},{"name":"b"}]"#, None)
            });
            assert_eq!(found.map(drop), told, "{tool}");
        }
    }

    #[test]
    fn a_list_counts_for_as_long_as_it_holds() {
        let pins = list(PINNED, None).unwrap().listed.tools;
        let most = limits::MCP_LIST_MILLIS;
        for (holds, after, asks) in [
            (None, 0, false),
            (None, most - 1, false),
            (None, most, true),
            (None, -1, true),
            (Some(0), 0, true),
            (Some(-5), 0, true),
            (Some(10), 9, false),
            (Some(10), 10, true),
            (Some(most * 9), most, true),
        ] {
            let watch = Watch::new(Some(pins.clone()));
            let asked = std::cell::Cell::new(0);
            let mut ask = || {
                asked.set(asked.get() + 1);
                list(PINNED, holds)
            };
            assert!(watch.check("a", &|| at(0), &mut ask).is_ok());
            assert!(watch.check("a", &|| at(after), &mut ask).is_ok());
            assert_eq!(asked.get(), 1 + i32::from(asks), "{holds:?} {after}");
        }
    }

    #[test]
    fn what_changes_while_it_is_asked_for_is_asked_for_again() {
        let pins = list(PINNED, None).unwrap().listed.tools;
        let watch = Watch::new(Some(pins));
        let asked = std::cell::Cell::new(0);
        let mut ask = || {
            asked.set(asked.get() + 1);
            if asked.get() == 1 {
                watch.changed();
                return list(PINNED, None);
            }
            list(r#"[{"name":"a","description":"<IMPORTANT>"}]"#, None)
        };
        assert_eq!(
            watch.check("a", &|| at(0), &mut ask),
            Err(Unpinned::Drifted),
            "what was seen before the change does not count"
        );
        let mut ever = || {
            watch.changed();
            list(PINNED, None)
        };
        watch.changed();
        assert_eq!(watch.check("a", &|| at(0), &mut ever), Err(Unpinned::Unseen));
    }
}
