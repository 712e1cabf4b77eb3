//! JSON Pointer (RFC 6901): how every message names a place in a document. In: a pointer or a member name. Out: a
//! longer pointer, or the value it leads to. It must not parse documents.

use super::Json;

/// The pointer of a member or element one step below `parent`.
pub fn child(parent: &str, token: &str) -> String {
    format!("{parent}/{}", token.replace('~', "~0").replace('/', "~1"))
}

/// A place on the way down a document, written as a pointer only when somebody asks.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    last: Option<(&'a Place<'a>, Step<'a>)>,
}

#[derive(Clone, Copy)]
enum Step<'a> {
    Member(&'a str),
    Element(usize),
}

impl<'a> Place<'a> {
    /// The whole document.
    pub const ROOT: Place<'static> = Place { last: None };

    /// A member of the object at this place.
    pub fn member(&'a self, name: &'a str) -> Place<'a> {
        let last = Some((self, Step::Member(name)));
        Place { last }
    }

    /// An element of the array at this place.
    pub fn element(&'a self, index: usize) -> Place<'a> {
        let last = Some((self, Step::Element(index)));
        Place { last }
    }

    /// Whether it is the whole document.
    pub fn is_root(&self) -> bool {
        self.last.is_none()
    }
}

impl std::fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.last {
            None => Ok(()),
            Some((parent, Step::Member(name))) => f.write_str(&child(&parent.to_string(), name)),
            Some((parent, Step::Element(index))) => write!(f, "{parent}/{index}"),
        }
    }
}

/// The value a pointer leads to; `None` where there is none or the text is no pointer (RFC 6901 section 3).
pub fn resolve<'a>(document: &'a Json, pointer: &str) -> Option<&'a Json> {
    if pointer.is_empty() {
        return Some(document);
    }
    pointer
        .strip_prefix('/')?
        .split('/')
        .try_fold(document, |at, token| {
            let token = token.replace("~1", "/").replace("~0", "~");
            match at {
                Json::Array(items) => items.get(index(&token)?),
                other => other.get(&token),
            }
        })
}

/// An array index: digits without a leading zero (RFC 6901 section 4).
fn index(token: &str) -> Option<usize> {
    let plain = token.bytes().all(|b| b.is_ascii_digit()) && (token == "0" || !token.starts_with('0'));
    token.parse().ok().filter(|_| plain)
}

#[cfg(test)]
mod tests {
    use super::{Place, child, resolve};

    #[test]
    fn follows_the_examples_of_rfc_6901_section_5() {
        let text = br#"{"foo":["bar","baz"],"":0,"a/b":1,"m~n":8,"k":{"~1":7}}"#;
        let document = crate::json::parse(text).unwrap();
        for (pointer, found) in [
            ("/foo/0", Some("\"bar\"")),
            ("/", Some("0")),
            ("/a~1b", Some("1")),
            ("/m~0n", Some("8")),
            ("/k/~01", Some("7")),
            ("/foo/01", None),
            ("/foo/+1", None),
            ("/foo/2", None),
            ("foo", None),
        ] {
            let shown = resolve(&document, pointer).map(|v| match v {
                crate::json::Json::Number(n) => n.text().to_owned(),
                other => format!("{:?}", other.as_str().unwrap()),
            });
            assert_eq!(shown.as_deref(), found, "{pointer}");
        }
        assert_eq!(child(&child("", "a/b"), "m~n"), "/a~1b/m~0n");
        let place = Place::ROOT;
        assert_eq!(
            place.member("a/b").element(3).member("m~n").to_string(),
            "/a~1b/3/m~0n"
        );
    }
}
