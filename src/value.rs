//! Typed values: what a JSON argument becomes once it is bound to its declared type. Every value is in the one
//! canonical form of its type, so equal values have equal bytes. It holds data only; the parsers live in `builtins`.

mod elements;
mod lookup;

use crate::json::Text;

pub use elements::Elements;
pub use lookup::Lookup;

/// A value of a declared type. The order is that of canonical sets; it means nothing else.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Value {
    /// An optional that is not there.
    Absent,
    /// `Bool`
    Bool(bool),
    /// `Int`; `Decimal[n]` and `Money[CUR, n]` as integers of 10^-n; `Duration` and `Instant` in milliseconds, `Ip` by its bits, `Date` in
    /// days, both from 1970 on.
    Num(i128),
    /// A member of an enum, by its index in the declaration.
    Enum(u32),
    /// `String`
    Str(Text),
    /// `Path`: canonical text.
    Path(Text),
    /// `Host`: canonical text.
    Host(Text),
    /// `Email`: canonical `local@domain`.
    Email(EmailValue),
    /// `Url`
    Url(Box<UrlValue>),
    /// `Command`, `Sql`, `Repo`, `Digest`, `Cidr`
    Parsed(Box<ParsedText>),
    /// `List` in its order; `Set` sorted, each element once; `Map` as records of key and value, sorted by the keys'
    /// bytes. Copies share the elements.
    List(Elements),
    /// A record: one value per declared field, in the order of the declaration.
    Record(Vec<Value>),
}

/// A canonical email address (RFC 5321 section 4.1.2, without quoted local parts or address literals).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EmailValue {
    text: Box<str>,
    /// Where the `@` is.
    at: u16,
}

impl EmailValue {
    /// The address of a local part and a domain without `@`.
    pub fn new(local: &str, domain: &str) -> EmailValue {
        EmailValue {
            text: [local, "@", domain].concat().into(),
            at: u16::try_from(local.len()).unwrap_or(u16::MAX),
        }
    }

    /// The whole address.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The local part; case kept.
    pub fn local(&self) -> &str {
        self.text.get(..usize::from(self.at)).unwrap_or_default()
    }

    /// The domain, as a canonical `Host`.
    pub fn domain(&self) -> &str {
        self.text.get(usize::from(self.at) + 1..).unwrap_or_default()
    }
}

/// A canonical URL (WHATWG URL Standard), split.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct UrlValue {
    text: Box<str>,
    scheme: &'static str,
    /// Where the host is, without the brackets of an IPv6 address.
    host: (u16, u16),
    port: u16,
    /// Where the path starts, and where the query does.
    path: u16,
    query: u16,
}

impl UrlValue {
    /// A URL of canonical parts; `written` is the port where it is not the scheme's `default`.
    pub fn new(
        scheme: &'static str,
        host: &str,
        (written, default): (Option<u16>, u16),
        (path, query): (&str, &str),
    ) -> UrlValue {
        let mut text = String::with_capacity(scheme.len() + host.len() + path.len() + query.len() + 4);
        let at = |text: &String| u16::try_from(text.len()).unwrap_or(u16::MAX);
        text.push_str(scheme);
        text.push_str("://");
        let brackets = host.contains(':');
        text.push_str(if brackets { "[" } else { "" });
        let start = at(&text);
        text.push_str(host);
        let end = at(&text);
        text.push_str(if brackets { "]" } else { "" });
        if let Some(port) = written {
            text.push(':');
            text.push_str(&port.to_string());
        }
        let path_at = at(&text);
        text.push_str(path);
        if !query.is_empty() {
            text.push('?');
        }
        let query_at = at(&text);
        text.push_str(query);
        UrlValue {
            text: text.into(),
            scheme,
            host: (start, end),
            port: written.unwrap_or(default),
            path: path_at,
            query: query_at,
        }
    }

    fn part(&self, start: u16, end: usize) -> &str {
        self.text.get(usize::from(start)..end).unwrap_or_default()
    }

    /// The whole URL.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The scheme, lowercase.
    pub fn scheme(&self) -> &str {
        self.scheme
    }

    /// The host, as a canonical `Host`.
    pub fn host(&self) -> &str {
        self.part(self.host.0, usize::from(self.host.1))
    }

    /// The port, the scheme's default when none is written.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The path, percent-encoding normalised; starts with `/`.
    pub fn path(&self) -> &str {
        let end = if self.has_query() {
            usize::from(self.query) - 1
        } else {
            usize::from(self.query)
        };
        self.part(self.path, end)
    }

    /// The query without `?`; empty when there is none.
    pub fn query(&self) -> &str {
        self.part(self.query, self.text.len())
    }

    fn has_query(&self) -> bool {
        usize::from(self.query) < self.text.len()
    }
}

/// A text with what it says: one in another language, such as a command line, or a name of several parts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ParsedText {
    /// The canonical text.
    pub text: Box<str>,
    /// Its parts: a record of the fields that the type's file in `builtins` has, which follows from the text.
    pub parts: Value,
}

impl Value {
    /// A list of these.
    pub fn list(elements: Vec<Value>) -> Value {
        Value::List(Elements::new(elements))
    }

    /// Makes tables to find texts with in long lists: for what many requests are asked about.
    pub fn index(&mut self) {
        match self {
            Value::List(elements) => elements.index(),
            Value::Record(fields) => fields.iter_mut().for_each(Value::index),
            _ => {}
        }
    }

    /// The canonical text of a text-like value.
    pub fn text(&self) -> Option<&str> {
        match self {
            Value::Str(s) | Value::Path(s) | Value::Host(s) => Some(s),
            Value::Email(e) => Some(e.text()),
            Value::Url(u) => Some(u.text()),
            Value::Parsed(parsed) => Some(&parsed.text),
            _ => None,
        }
    }

    /// The values of a record's fields, or of the parts that a domain value keeps as a record.
    pub fn fields(&self) -> Option<&[Value]> {
        match self {
            Value::Record(fields) => Some(fields),
            Value::Parsed(parsed) => parsed.parts.fields(),
            _ => None,
        }
    }
}
