//! Typed values: what a JSON argument becomes once it is bound to its declared type. Every value is in the one
//! canonical form of its type, so equal values have equal bytes. It holds data only; the parsers live in `builtins`.

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
    Str(Box<str>),
    /// `Path`: canonical text.
    Path(Box<str>),
    /// `Host`: canonical text.
    Host(Box<str>),
    /// `Email`: canonical `local@domain`.
    Email(Box<EmailValue>),
    /// `Url`
    Url(Box<UrlValue>),
    /// `Command`, `Sql`, `Repo`, `Digest`, `Cidr`
    Parsed(Box<ParsedText>),
    /// `List` in its order; `Set` sorted, each element once; `Map` as records of key and value, sorted by the keys'
    /// bytes.
    List(Vec<Value>),
    /// A record: one value per declared field, in the order of the declaration.
    Record(Vec<Value>),
}

/// A canonical email address (RFC 5321 section 4.1.2, without quoted local parts or address literals).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EmailValue {
    /// The whole address.
    pub text: Box<str>,
    /// The local part; case kept.
    pub local: Box<str>,
    /// The domain, as a canonical `Host`.
    pub domain: Box<str>,
}

/// A canonical URL (WHATWG URL Standard), split.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct UrlValue {
    /// The whole URL.
    pub text: Box<str>,
    /// The scheme, lowercase.
    pub scheme: Box<str>,
    /// The host, as a canonical `Host`.
    pub host: Box<str>,
    /// The port, the scheme's default when none is written.
    pub port: u16,
    /// The path, percent-encoding normalised; starts with `/`.
    pub path: Box<str>,
    /// The query without `?`; empty when there is none.
    pub query: Box<str>,
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
    /// The canonical text of a text-like value.
    pub fn text(&self) -> Option<&str> {
        match self {
            Value::Str(s) | Value::Path(s) | Value::Host(s) => Some(s),
            Value::Email(e) => Some(&e.text),
            Value::Url(u) => Some(&u.text),
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
