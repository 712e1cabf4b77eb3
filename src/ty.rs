//! Types of arguments and their printed form. A type says which JSON is accepted and how it is compared; it is plain
//! data, carried in the decision IR, so it must not refer to syntax.

use std::fmt;

/// The type of an argument, field or list element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ty {
    /// `Bool`
    Bool,
    /// `Int`: -(2^53 - 1) to 2^53 - 1.
    Int,
    /// `Decimal[n]`: exact, n decimal places.
    Decimal {
        /// Decimal places.
        places: u32,
    },
    /// `Money[CUR, n]`: exact, n decimal places, compared only with the same currency.
    Money {
        /// ISO 4217 letters.
        currency: String,
        /// Decimal places.
        places: u32,
    },
    /// `String[max n]`: at most n bytes of UTF-8.
    String {
        /// Bytes.
        max: u64,
    },
    /// `Duration`: a text such as `1h30m`; `Duration[s]`: a whole number of that unit.
    Duration {
        /// The unit of the JSON number; none for text.
        unit: Option<Unit>,
    },
    /// `Instant`
    Instant,
    /// `Date`
    Date,
    /// A declared enum.
    Enum {
        /// The enum's name.
        name: String,
        /// Its members, in the order of the declaration.
        members: Vec<String>,
        /// Whether that order counts: the first is the least.
        ordered: bool,
    },
    /// `Path`
    Path,
    /// `Url`
    Url,
    /// `Host`
    Host,
    /// `Ip`
    Ip,
    /// `Email`
    Email,
    /// `Command`
    Command,
    /// `Sql`
    Sql,
    /// `Repo`
    Repo,
    /// `Digest`
    Digest,
    /// `Cidr`
    Cidr,
    /// `List[T, max n]`
    List {
        /// The element.
        element: Box<Ty>,
        /// Most elements.
        max: u64,
    },
    /// `Set[T, max n]`: no element twice, without order.
    Set {
        /// The element.
        element: Box<Ty>,
        /// Most elements.
        max: u64,
    },
    /// `Map[K, V, max n]`: an object whose members nobody names beforehand.
    Map {
        /// The keys: `String` or an enum.
        key: Box<Ty>,
        /// The values.
        value: Box<Ty>,
        /// Most entries.
        max: u64,
    },
    /// `T?`: may be missing; JSON `null` counts as missing.
    Optional(Box<Ty>),
    /// `{ a: T, b: U }`
    Record(Vec<Field>),
    /// A type that was wrong; it silences the errors that would follow.
    Poison,
}

/// The units of a `Duration`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Unit {
    /// `ms`
    Millisecond = 0,
    /// `s`
    Second = 1,
    /// `m`
    Minute = 2,
    /// `h`
    Hour = 3,
    /// `d`: 24 hours.
    Day = 4,
}

impl Unit {
    /// All units, by their number.
    pub const ALL: [Unit; 5] = [
        Unit::Millisecond,
        Unit::Second,
        Unit::Minute,
        Unit::Hour,
        Unit::Day,
    ];

    /// The unit as written after a number.
    pub fn as_str(self) -> &'static str {
        match self {
            Unit::Millisecond => "ms",
            Unit::Second => "s",
            Unit::Minute => "m",
            Unit::Hour => "h",
            Unit::Day => "d",
        }
    }

    /// Its milliseconds.
    pub fn millis(self) -> i128 {
        match self {
            Unit::Millisecond => 1,
            Unit::Second => 1_000,
            Unit::Minute => 60_000,
            Unit::Hour => 3_600_000,
            Unit::Day => 86_400_000,
        }
    }
}

/// A field of a record or an argument of a tool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name, as in the JSON.
    pub name: String,
    /// Its type.
    pub ty: Ty,
}

impl Ty {
    /// The type without `?`.
    pub fn required(&self) -> &Ty {
        match self {
            Ty::Optional(inner) => inner,
            other => other,
        }
    }

    /// The type with its article and in backticks, for messages: "an `Int`".
    pub fn phrase(&self) -> String {
        let text = self.to_string();
        let article = if text.starts_with(['A', 'E', 'I', 'O', 'a', 'e', 'i', 'o']) {
            "an"
        } else {
            "a"
        };
        format!("{article} `{text}`")
    }

    /// Whether its values are kept as numbers (`Value::Num`).
    pub fn is_numeric(&self) -> bool {
        matches!(
            self,
            Ty::Int
                | Ty::Decimal { .. }
                | Ty::Money { .. }
                | Ty::Duration { .. }
                | Ty::Instant
                | Ty::Date
                | Ty::Ip
        )
    }

    /// Whether its numbers are ordered by size; that of addresses means nothing to people.
    pub fn is_ordered(&self) -> bool {
        self.is_numeric() && *self != Ty::Ip
    }

    /// The type of what a quantifier over a collection ranges over: the elements of a list or set, the entries of a map
    /// as records of `key` and `value`. `None` for every other type.
    pub fn element(&self) -> Option<Ty> {
        match self {
            Ty::List { element, .. } | Ty::Set { element, .. } => Some((**element).clone()),
            Ty::Map { key, value, .. } => {
                let field = |name: &str, ty: &Ty| Field {
                    name: name.to_owned(),
                    ty: ty.clone(),
                };
                Some(Ty::Record(vec![field("key", key), field("value", value)]))
            }
            _ => None,
        }
    }

    /// Whether the value may be missing.
    pub fn is_optional(&self) -> bool {
        matches!(self, Ty::Optional(_))
    }
}

impl fmt::Display for Ty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ty::Bool => f.write_str("Bool"),
            Ty::Int => f.write_str("Int"),
            Ty::Decimal { places } => write!(f, "Decimal[{places}]"),
            Ty::Money { currency, places } => write!(f, "Money[{currency}, {places}]"),
            Ty::String { max } => write!(f, "String[max {max}]"),
            Ty::Duration { unit: None } => f.write_str("Duration"),
            Ty::Duration { unit: Some(unit) } => write!(f, "Duration[{}]", unit.as_str()),
            Ty::Instant => f.write_str("Instant"),
            Ty::Date => f.write_str("Date"),
            Ty::Enum { name, .. } => f.write_str(name),
            Ty::Path => f.write_str("Path"),
            Ty::Url => f.write_str("Url"),
            Ty::Host => f.write_str("Host"),
            Ty::Ip => f.write_str("Ip"),
            Ty::Email => f.write_str("Email"),
            Ty::Command => f.write_str("Command"),
            Ty::Sql => f.write_str("Sql"),
            Ty::Repo => f.write_str("Repo"),
            Ty::Digest => f.write_str("Digest"),
            Ty::Cidr => f.write_str("Cidr"),
            Ty::List { element, max } => write!(f, "List[{element}, max {max}]"),
            Ty::Set { element, max } => write!(f, "Set[{element}, max {max}]"),
            Ty::Map { key, value, max } => write!(f, "Map[{key}, {value}, max {max}]"),
            Ty::Optional(inner) => write!(f, "{inner}?"),
            Ty::Record(fields) => {
                f.write_str("{ ")?;
                for (i, field) in fields.iter().enumerate() {
                    if i > 0 {
                        f.write_str(", ")?;
                    }
                    write!(f, "{}: {}", field.name, field.ty)?;
                }
                f.write_str(" }")
            }
            Ty::Poison => f.write_str("(unknown)"),
        }
    }
}
