//! The typed binding: JSON arguments to `Value`s by their declared types, and back to canonical JSON. It is closed
//! (a member nobody declared is refused, a required one must be there, `null` is only for optionals) and total: any
//! JSON gives a value or one error that says where (RFC 6901) and why. The first error wins, in this order: unknown
//! members as received, then fields as declared.

use super::decimal::{self, NumberFault};
use super::{
    Refused, cidr, command, date, digest, duration, email, host, instant, ip, path, repo, scalar, sql,
    string, url,
};
use crate::json::{Json, Text};
use crate::limits;
use crate::ty::{Field, Ty};
use crate::value::{ParsedText, Value};
use std::collections::BTreeSet;

/// What kind of mismatch it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BindErrorKind {
    /// A member that is not declared.
    UnknownField,
    /// A required field that is not there.
    MissingField,
    /// JSON of another kind.
    WrongType,
    /// A string over its type's bytes.
    TooLong,
    /// A list, set or map over its type's elements.
    TooMany,
    /// A set with an element twice.
    Repeated,
    /// A number past its type's range.
    OutOfRange,
    /// A number with more decimal places than its type.
    NotExact,
    /// A string that is no member of the enum.
    NotMember,
    /// Text that the domain type refuses.
    Unparsable,
}

/// Arguments that do not fit their declaration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} (at `{path}`)")]
pub struct BindError {
    /// Where: a JSON pointer (RFC 6901); empty for the whole document.
    pub path: String,
    /// The kind.
    pub kind: BindErrorKind,
    /// Why: one lowercase sentence that repeats no value.
    pub message: String,
}

impl BindError {
    fn new(kind: BindErrorKind, message: impl Into<String>) -> BindError {
        BindError {
            path: String::new(),
            kind,
            message: message.into(),
        }
    }

    /// The same error seen from one level up.
    fn within(mut self, step: &str) -> BindError {
        self.path = format!("/{}{}", step.replace('~', "~0").replace('/', "~1"), self.path);
        self
    }
}

/// Binds one JSON value to a type. Errors: the first mismatch.
pub fn bind(json: &Json, ty: &Ty) -> Result<Value, BindError> {
    match ty {
        Ty::Optional(inner) => match json {
            Json::Null => Ok(Value::Absent),
            _ => bind(json, inner),
        },
        Ty::Bool => json
            .as_bool()
            .map(Value::Bool)
            .ok_or_else(|| wrong("a boolean", json)),
        Ty::Int => decimal::int(json).map(Value::Num).map_err(number_error),
        Ty::Decimal { places } | Ty::Money { places, .. } => decimal::decimal(json, *places)
            .map(Value::Num)
            .map_err(number_error),
        Ty::Duration { unit: Some(unit) } => duration::counted(json, *unit)
            .map(Value::Num)
            .map_err(number_error),
        Ty::String { .. }
        | Ty::Enum { .. }
        | Ty::Path
        | Ty::Url
        | Ty::Host
        | Ty::Email
        | Ty::Command
        | Ty::Sql
        | Ty::Repo
        | Ty::Digest
        | Ty::Cidr
        | Ty::Duration { unit: None }
        | Ty::Instant
        | Ty::Date
        | Ty::Ip => {
            let text = json.as_str().ok_or_else(|| wrong("a string", json))?;
            bind_text(text, ty)
        }
        Ty::List { element, max } => bind_list(json, element, *max),
        Ty::Set { element, max } => bind_set(json, element, *max),
        Ty::Map { key, value, max } => bind_map(json, key, value, *max),
        Ty::Record(fields) => bind_record(json, fields).map(Value::Record),
        // Only a package with errors has it, and none is run.
        Ty::Poison => Err(BindError::new(
            BindErrorKind::WrongType,
            "the declared type is not known",
        )),
    }
}

/// Binds an object to fields: one value per field, in the order declared. Errors: the first mismatch.
pub fn bind_record(json: &Json, fields: &[Field]) -> Result<Vec<Value>, BindError> {
    let members = json.as_object().ok_or_else(|| wrong("an object", json))?;
    let mut given: Vec<Option<&Json>> = vec![None; fields.len()];
    let mut next = 0;
    for (name, value) in members {
        // Most calls name their arguments in the order of the declaration.
        let (before, after) = fields.split_at_checked(next).unwrap_or((fields, &[]));
        let found = after
            .iter()
            .position(|field| field.name == *name)
            .map(|at| next + at);
        let found = found.or_else(|| before.iter().position(|field| field.name == *name));
        let Some((at, place)) = found.and_then(|at| Some((at, given.get_mut(at)?))) else {
            return Err(refused_member(name, "is not declared"));
        };
        if place.replace(value).is_some() {
            return Err(refused_member(name, "is given twice"));
        }
        next = at + 1;
    }
    let each = fields.iter().zip(given);
    each.map(|(field, value)| bind_field(value, field)).collect()
}

/// The values of the fields, and the other members as received.
type OpenRecord = (Vec<Value>, Vec<(Text, Json)>);

/// Binds an object that may have more members than fields. Out: one value per field, in the order declared, and the
/// other members as received. Errors: the first mismatch.
pub fn bind_open_record(json: &Json, fields: &[Field]) -> Result<OpenRecord, BindError> {
    let members = json.as_object().ok_or_else(|| wrong("an object", json))?;
    let declared: BTreeSet<&str> = fields.iter().map(|field| field.name.as_str()).collect();
    let mut seen = BTreeSet::new();
    let mut rest = Vec::new();
    for (name, value) in members {
        if !seen.insert(name.as_str()) {
            return Err(refused_member(name, "is given twice"));
        }
        if !declared.contains(name.as_str()) {
            rest.push((name.clone(), value.clone()));
        }
    }
    let bound = fields
        .iter()
        .map(|field| bind_field(json.get(&field.name), field));
    Ok((bound.collect::<Result<_, _>>()?, rest))
}

fn refused_member(name: &str, fault: &str) -> BindError {
    let shown = shorten(name);
    let message = format!("`{}` {fault}", shown.escape_debug());
    BindError::new(BindErrorKind::UnknownField, message).within(&shown)
}

fn bind_field(json: Option<&Json>, field: &Field) -> Result<Value, BindError> {
    match json {
        Some(json) => bind(json, &field.ty).map_err(|error| error.within(&field.name)),
        None if field.ty.is_optional() => Ok(Value::Absent),
        None => {
            let message = format!("`{}` is missing", field.name);
            Err(BindError::new(BindErrorKind::MissingField, message).within(&field.name))
        }
    }
}

fn bind_list(json: &Json, element: &Ty, max: u64) -> Result<Value, BindError> {
    let items = json.as_array().ok_or_else(|| wrong("an array", json))?;
    at_most(max, items.len(), "the list has", "elements")?;
    elements(items, element).map(Value::list)
}

fn elements(items: &[Json], element: &Ty) -> Result<Vec<Value>, BindError> {
    let bound = items.iter().enumerate();
    bound
        .map(|(at, item)| bind(item, element).map_err(|error| error.within(&at.to_string())))
        .collect()
}

fn at_most(max: u64, len: usize, has: &str, what: &str) -> Result<(), BindError> {
    let max = max.min(limits::LIST_ITEMS);
    if u64::try_from(len).is_ok_and(|len| len <= max) {
        return Ok(());
    }
    Err(BindError::new(
        BindErrorKind::TooMany,
        format!("{has} over {max} {what}"),
    ))
}

/// A set: what is the same after canonicalisation may not be there twice, because the call would read differently from
/// what is handed on.
fn bind_set(json: &Json, element: &Ty, max: u64) -> Result<Value, BindError> {
    let items = json.as_array().ok_or_else(|| wrong("an array", json))?;
    at_most(max, items.len(), "the set has", "elements")?;
    let bound = elements(items, element)?;
    if bound.is_sorted_by(|a, b| a < b) {
        return Ok(Value::list(bound));
    }
    let mut placed: Vec<(Value, usize)> = bound
        .into_iter()
        .enumerate()
        .map(|(at, value)| (value, at))
        .collect();
    placed.sort();
    let twice = placed.windows(2).filter_map(|pair| match pair {
        [(a, _), (b, at)] if a == b => Some(*at),
        _ => None,
    });
    if let Some(at) = twice.min() {
        let error = BindError::new(BindErrorKind::Repeated, "the set has this element twice");
        return Err(error.within(&at.to_string()));
    }
    Ok(Value::list(placed.into_iter().map(|(value, _)| value).collect()))
}

/// A map, as records of key and value, sorted by the bytes of the keys.
fn bind_map(json: &Json, key: &Ty, value: &Ty, max: u64) -> Result<Value, BindError> {
    let members = json.as_object().ok_or_else(|| wrong("an object", json))?;
    at_most(max, members.len(), "the map has", "members")?;
    let mut sorted: Vec<&(Text, Json)> = members.iter().collect();
    sorted.sort_by(|a, b| a.0.cmp(&b.0));
    let mut entries = Vec::with_capacity(sorted.len());
    let mut before: Option<&str> = None;
    for (name, json) in sorted {
        let shown = shorten(name);
        if before == Some(name) {
            let message = format!("`{}` is given twice", shown.escape_debug());
            return Err(BindError::new(BindErrorKind::UnknownField, message).within(&shown));
        }
        let key = bind_text(name, key).map_err(|mut error| {
            error.message = format!("the key is refused: {}", error.message);
            error.within(&shown)
        })?;
        let value = bind(json, value).map_err(|error| error.within(&shown))?;
        entries.push(Value::Record(vec![key, value]));
        before = Some(name);
    }
    Ok(Value::list(entries))
}

fn parsed(result: Result<ParsedText, Refused>) -> Result<Value, Refused> {
    result.map(|parsed| Value::Parsed(Box::new(parsed)))
}

fn bind_text(text: &str, ty: &Ty) -> Result<Value, BindError> {
    let (result, kind) = match ty {
        Ty::String { max } => (string::parse(text, *max).map(Value::Str), BindErrorKind::TooLong),
        Ty::Enum { members, .. } => (
            scalar::member(text, members).map(Value::Enum),
            BindErrorKind::NotMember,
        ),
        Ty::Path => (path::parse(text).map(Value::Path), BindErrorKind::Unparsable),
        Ty::Url => (
            url::parse(text).map(|v| Value::Url(Box::new(v))),
            BindErrorKind::Unparsable,
        ),
        Ty::Host => (host::parse(text).map(Value::Host), BindErrorKind::Unparsable),
        Ty::Email => (email::parse(text).map(Value::Email), BindErrorKind::Unparsable),
        Ty::Command => (parsed(command::parse(text)), BindErrorKind::Unparsable),
        Ty::Sql => (parsed(sql::parse(text)), BindErrorKind::Unparsable),
        Ty::Repo => (parsed(repo::parse(text)), BindErrorKind::Unparsable),
        Ty::Digest => (parsed(digest::parse(text)), BindErrorKind::Unparsable),
        Ty::Cidr => (parsed(cidr::parse(text)), BindErrorKind::Unparsable),
        Ty::Duration { .. } => (duration::parse(text).map(Value::Num), BindErrorKind::Unparsable),
        Ty::Instant => (instant::parse(text).map(Value::Num), BindErrorKind::Unparsable),
        Ty::Date => (date::parse(text).map(Value::Num), BindErrorKind::Unparsable),
        Ty::Ip => (ip::parse(text).map(Value::Num), BindErrorKind::Unparsable),
        _ => (
            Err(Refused::new("the type takes no text")),
            BindErrorKind::WrongType,
        ),
    };
    result.map_err(|refused| BindError::new(kind, refused.reason))
}

fn wrong(expected: &str, found: &Json) -> BindError {
    BindError::new(
        BindErrorKind::WrongType,
        format!("expected {expected}, found {}", found.kind()),
    )
}

fn number_error((fault, refused): (NumberFault, Refused)) -> BindError {
    let kind = match fault {
        NumberFault::Kind => BindErrorKind::WrongType,
        NumberFault::Syntax => BindErrorKind::Unparsable,
        NumberFault::Places => BindErrorKind::NotExact,
        NumberFault::Range => BindErrorKind::OutOfRange,
    };
    BindError::new(kind, refused.reason)
}

/// A member's name as messages carry it: a caller chooses it, so its length is bounded.
fn shorten(name: &str) -> String {
    let mut shown: String = name.chars().take(limits::SHOWN_NAME_CHARS).collect();
    if shown.len() < name.len() {
        shown.push('\u{2026}');
    }
    shown
}

/// Writes a value as canonical JSON: absent members left out, numbers as `decimal::to_json`, text canonical. Binding
/// it to `ty` gives the value again. A value that is not of `ty` is a caller's bug and gives `null`.
pub fn to_json(value: &Value, ty: &Ty) -> Json {
    match (value, ty) {
        (Value::Absent, _) => Json::Null,
        (value, Ty::Optional(inner)) => to_json(value, inner),
        (Value::Bool(value), Ty::Bool) => Json::Bool(*value),
        (Value::Num(value), Ty::Int) => decimal::to_json(*value, 0),
        (Value::Num(value), Ty::Decimal { places } | Ty::Money { places, .. }) => {
            decimal::to_json(*value, *places)
        }
        (Value::Num(millis), Ty::Duration { unit: Some(unit) }) => {
            decimal::to_json(millis.div_euclid(unit.millis()), 0)
        }
        (Value::Num(millis), Ty::Duration { unit: None }) => Json::str(duration::to_text(*millis)),
        (Value::Num(millis), Ty::Instant) => Json::str(instant::to_text(*millis)),
        (Value::Num(days), Ty::Date) => Json::str(date::to_text(*days)),
        (Value::Num(bits), Ty::Ip) => Json::str(ip::to_text(*bits)),
        (Value::Enum(index), Ty::Enum { members, .. }) => {
            let member = usize::try_from(*index).ok().and_then(|index| members.get(index));
            member.map_or(Json::Null, Json::str)
        }
        (Value::List(entries), Ty::Map { key, value, .. }) => map_to_json(entries, key, value),
        (Value::List(items), Ty::List { element, .. } | Ty::Set { element, .. }) => {
            Json::Array(items.iter().map(|item| to_json(item, element)).collect())
        }
        (Value::Record(values), Ty::Record(fields)) => record_to_json(values, fields),
        (Value::Str(text), Ty::String { .. }) => Json::String(text.clone()),
        (Value::Path(text), Ty::Path) | (Value::Host(text), Ty::Host) => Json::String(text.clone()),
        (Value::Email(email), Ty::Email) => Json::str(email.text()),
        (Value::Url(url), Ty::Url) => Json::str(url.text()),
        (Value::Parsed(parsed), Ty::Command | Ty::Sql | Ty::Repo | Ty::Digest | Ty::Cidr) => {
            Json::str(parsed.text.as_ref())
        }
        _ => Json::Null,
    }
}

/// Writes the entries of a map as an object, in their order.
fn map_to_json(entries: &[Value], key: &Ty, value: &Ty) -> Json {
    let member = |entry: &Value| match entry {
        Value::Record(parts) => match parts.as_slice() {
            [name, of] => Some((to_json(name, key).as_str()?.into(), to_json(of, value))),
            _ => None,
        },
        _ => None,
    };
    Json::Object(entries.iter().filter_map(member).collect())
}

/// Writes the values of fields, one each in the order declared, as a canonical JSON object.
pub fn record_to_json(values: &[Value], fields: &[Field]) -> Json {
    let there = fields
        .iter()
        .zip(values)
        .filter(|(_, value)| **value != Value::Absent);
    Json::Object(
        there
            .map(|(field, value)| (field.name.as_str().into(), to_json(value, &field.ty)))
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{BindErrorKind, bind, bind_record, to_json};
    use crate::json::{self, Json};
    use crate::ty::{Field, Ty, Unit};
    use crate::value::Value;

    fn field(name: &str, ty: Ty) -> Field {
        Field {
            name: name.into(),
            ty,
        }
    }

    fn optional(ty: Ty) -> Ty {
        Ty::Optional(Box::new(ty))
    }

    /// The fields of `mail.send` in the manual, and one name that a pointer must escape.
    fn fields() -> Vec<Field> {
        let meta = vec![
            field("campaign", Ty::String { max: 4 }),
            field("urgent", Ty::Bool),
        ];
        vec![
            field(
                "to",
                Ty::List {
                    element: Box::new(Ty::Email),
                    max: 2,
                },
            ),
            field(
                "amount",
                Ty::Money {
                    currency: "USD".into(),
                    places: 2,
                },
            ),
            field(
                "attach",
                optional(Ty::List {
                    element: Box::new(Ty::Path),
                    max: 10,
                }),
            ),
            field("meta", optional(Ty::Record(meta))),
            field("a/b~c", optional(Ty::Int)),
            field(
                "env",
                optional(Ty::Enum {
                    name: "Env".into(),
                    members: vec!["dev".into(), "prod".into()],
                    ordered: false,
                }),
            ),
        ]
    }

    #[test]
    fn the_first_mismatch_is_named() {
        use BindErrorKind::*;
        for (text, path, kind) in [
            ("[]", "", WrongType),
            ("null", "", WrongType),
            ("{}", "/to", MissingField),
            (r#"{"To":[],"to":[],"amount":1}"#, "/To", UnknownField),
            (r#"{"to":[],"amount":1,"x~/y":1}"#, "/x~0~1y", UnknownField),
            (r#"{"to":null,"amount":1}"#, "/to", WrongType),
            (r#"{"to":"a@b.c","amount":1}"#, "/to", WrongType),
            (r#"{"to":["a@b.c","a@b.c","a@b.c"],"amount":1}"#, "/to", TooMany),
            (r#"{"to":["a@b.c","a@b"],"amount":1}"#, "/to/1", Unparsable),
            (r#"{"to":["a@b.c",null],"amount":1}"#, "/to/1", WrongType),
            (r#"{"to":[],"amount":1.005}"#, "/amount", NotExact),
            (r#"{"to":[],"amount":1e40}"#, "/amount", OutOfRange),
            (r#"{"to":[],"amount":"1e2"}"#, "/amount", Unparsable),
            (r#"{"to":[],"amount":{}}"#, "/amount", WrongType),
            (
                r#"{"to":[],"amount":1,"attach":["a","../b"]}"#,
                "/attach/1",
                Unparsable,
            ),
            (
                r#"{"to":[],"amount":1,"meta":{"campaign":"abcde","urgent":true}}"#,
                "/meta/campaign",
                TooLong,
            ),
            (
                r#"{"to":[],"amount":1,"meta":{"campaign":"a"}}"#,
                "/meta/urgent",
                MissingField,
            ),
            (
                r#"{"to":[],"amount":1,"meta":{"campaign":"a","urgent":null}}"#,
                "/meta/urgent",
                WrongType,
            ),
            (
                r#"{"to":[],"amount":1,"meta":{"campaign":"a","urgent":true,"z":1}}"#,
                "/meta/z",
                UnknownField,
            ),
            (r#"{"to":[],"amount":1,"a/b~c":1.5}"#, "/a~1b~0c", NotExact),
            (
                r#"{"to":[],"amount":1,"a/b~c":9007199254740992}"#,
                "/a~1b~0c",
                OutOfRange,
            ),
            (r#"{"to":[],"amount":1,"env":"PROD"}"#, "/env", NotMember),
            (r#"{"to":[],"amount":1,"env":1}"#, "/env", WrongType),
        ] {
            let json = json::parse(text.as_bytes()).unwrap();
            let error = bind_record(&json, &fields()).expect_err(text);
            assert_eq!((error.path.as_str(), error.kind), (path, kind), "{text}");
        }
    }

    #[test]
    fn canonical_json_is_written() {
        for (text, canonical) in [
            (
                r#"{"amount":"12.50","to":["Ann@ACME.com."]}"#,
                r#"{"to":["Ann@acme.com"],"amount":12.5}"#,
            ),
            (
                r#"{"env":"prod","a/b~c":null,"to":[],"amount":1}"#,
                r#"{"to":[],"amount":1,"env":"prod"}"#,
            ),
            (
                r#"{"to":[],"amount":-0.0,"attach":["a//b/"],"meta":null}"#,
                r#"{"to":[],"amount":0,"attach":["a/b"]}"#,
            ),
        ] {
            let values = bind_record(&json::parse(text.as_bytes()).unwrap(), &fields()).unwrap();
            let written = to_json(&Value::Record(values), &Ty::Record(fields()));
            assert_eq!(written, json::parse(canonical.as_bytes()).unwrap(), "{text}");
        }
    }

    #[test]
    fn a_name_given_twice_and_a_long_name_are_refused() {
        let twice = Json::Object(vec![("a".into(), Json::Null), ("a".into(), Json::Null)]);
        let error = bind_record(&twice, &[field("a", optional(Ty::Int))]).unwrap_err();
        assert_eq!(
            (error.kind, error.message.as_str()),
            (BindErrorKind::UnknownField, "`a` is given twice")
        );
        let long = Json::Object(vec![("\u{1b}".repeat(1 << 20).into(), Json::Null)]);
        let error = bind_record(&long, &[]).unwrap_err();
        assert!(error.message.len() < 1_000 && !error.message.contains('\u{1b}'));
        assert!(bind(&Json::Null, &Ty::Poison).is_err());
    }

    #[test]
    fn further_members_are_kept_as_received() {
        let declared = [field("a", Ty::Path), field("b", optional(Ty::Int))];
        let open = |text: &str| super::bind_open_record(&json::parse(text.as_bytes()).unwrap(), &declared);
        let (values, rest) = open(r#"{"z":{"y":[null]},"a":"x//y","B":1.5}"#).unwrap();
        assert_eq!(values, [Value::Path("x/y".into()), Value::Absent]);
        let rest: Vec<&str> = rest.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(rest, ["z", "B"]);
        for (text, path, kind) in [
            ("[]", "", BindErrorKind::WrongType),
            (r#"{"z":1}"#, "/a", BindErrorKind::MissingField),
            (r#"{"a":"x","b":1.5}"#, "/b", BindErrorKind::NotExact),
        ] {
            let error = open(text).expect_err(text);
            assert_eq!((error.path.as_str(), error.kind), (path, kind), "{text}");
        }
        let twice = Json::Object(vec![("z".into(), Json::Null), ("z".into(), Json::Null)]);
        let error = super::bind_open_record(&twice, &[]).unwrap_err();
        assert_eq!(error.message, "`z` is given twice");
    }

    fn any_ty() -> impl Strategy<Value = Ty> {
        let leaf = prop_oneof![
            Just(Ty::Bool),
            Just(Ty::Int),
            (0u32..=18).prop_map(|places| Ty::Decimal { places }),
            (0u32..=18).prop_map(|places| Ty::Money {
                currency: "USD".into(),
                places
            }),
            (0u64..12).prop_map(|max| Ty::String { max }),
            Just(Ty::Enum {
                name: "E".into(),
                members: vec!["a.b".into(), "c".into()],
                ordered: true,
            }),
            Just(Ty::Duration { unit: None }),
            prop::sample::select(&Unit::ALL[..]).prop_map(|unit| Ty::Duration { unit: Some(unit) }),
            Just(Ty::Instant),
            Just(Ty::Date),
            Just(Ty::Ip),
            Just(Ty::Path),
            Just(Ty::Url),
            Just(Ty::Host),
            Just(Ty::Email),
            Just(Ty::Command),
            Just(Ty::Sql),
            Just(Ty::Repo),
            Just(Ty::Digest),
            Just(Ty::Cidr),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                inner.clone().prop_map(|ty| Ty::Optional(Box::new(ty))),
                (inner.clone(), 0u64..4).prop_map(|(ty, max)| Ty::List {
                    element: Box::new(ty),
                    max
                }),
                (inner.clone(), 0u64..4).prop_map(|(ty, max)| Ty::Set {
                    element: Box::new(ty),
                    max
                }),
                (inner.clone(), 0u64..4).prop_map(|(ty, max)| Ty::Map {
                    key: Box::new(Ty::String { max: 9 }),
                    value: Box::new(ty),
                    max
                }),
                prop::collection::vec(inner, 0..4).prop_map(|types| {
                    Ty::Record(
                        types
                            .into_iter()
                            .enumerate()
                            .map(|(i, ty)| field(&format!("f{i}"), ty))
                            .collect(),
                    )
                }),
            ]
        })
    }

    fn any_text() -> impl Strategy<Value = String> {
        prop_oneof![
            "\\PC{0,12}",
            Just("a.b".to_owned()),
            Just("C".to_owned()),
            Just("X@Y.example".to_owned()),
            Just("12345678901234.50".to_owned()),
            Just("0x7f.1".to_owned()),
            Just("P1DT90M".to_owned()),
            Just("2024-02-29".to_owned()),
            Just("2024-02-29T23:59:59.120-23:59".to_owned()),
            Just("/a/../b//c".to_owned()),
            Just("HTTP://A.b:80/%7e".to_owned()),
        ]
    }

    fn any_json() -> impl Strategy<Value = Json> {
        let number = "-?(0|[1-9][0-9]{0,14})(\\.[0-9]{1,3})?(e[0-9])?";
        let leaf = prop_oneof![
            Just(Json::Null),
            any::<bool>().prop_map(Json::Bool),
            number.prop_filter_map("not exact", |text| json::Number::read(&text).map(Json::Number)),
            any_text().prop_map(Json::str),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Json::Array),
                prop::collection::vec(("f[0-4]", inner), 0..4).prop_map(Json::object),
            ]
        })
    }

    /// JSON that often fits: picks by the type, from text and numbers given.
    fn fitting(ty: &Ty, text: &str, n: i64) -> Json {
        match ty {
            Ty::Optional(_) if n % 3 == 0 => Json::Null,
            Ty::Optional(inner) => fitting(inner, text, n),
            Ty::Bool => Json::Bool(n % 2 == 0),
            Ty::Int => Json::int(n),
            Ty::Decimal { places } | Ty::Money { places, .. } => {
                super::decimal::to_json(i128::from(n), *places)
            }
            Ty::Enum { members, .. } => Json::str(members[n.unsigned_abs() as usize % members.len()].clone()),
            Ty::Duration { unit: None } => Json::str(format!("{}ms", n.unsigned_abs() / 7)),
            Ty::Duration { .. } => Json::int(n.rem_euclid(1_000_000)),
            Ty::Ip => Json::str(super::ip::to_text(i128::from(n).wrapping_mul(1 << 65))),
            Ty::Date => Json::str(super::date::to_text(i128::from(n.rem_euclid(2_900_000)))),
            Ty::Instant => Json::str(super::instant::to_text(i128::from(
                n.rem_euclid(250_000_000_000_000),
            ))),
            Ty::Email => Json::str(format!("{}@x.example", n.unsigned_abs())),
            Ty::Map { value, max, .. } => Json::object(
                (0..*max).map(|i| (format!("{}{i}", n % 7), fitting(value, text, n.wrapping_mul(3)))),
            ),
            Ty::List { element, max } | Ty::Set { element, max } => {
                let count = i64::try_from(*max).unwrap();
                Json::Array(
                    (0..count)
                        .map(|i| fitting(element, text, n.wrapping_add(i)))
                        .collect(),
                )
            }
            Ty::Record(fields) => Json::object(
                fields
                    .iter()
                    .map(|field| (field.name.clone(), fitting(&field.ty, text, n))),
            ),
            _ => Json::str(text),
        }
    }

    proptest! {
        #[test]
        fn any_json_binds_or_is_refused_and_round_trips(ty in any_ty(), json in any_json()) {
            if let Ok(value) = bind(&json, &ty) {
                let written = to_json(&value, &ty);
                prop_assert_eq!(bind(&written, &ty), Ok(value));
            }
        }

        #[test]
        fn fitting_json_round_trips(ty in any_ty(), text in any_text(), n in -9_007_199_254_740_990i64..9_007_199_254_740_990) {
            if let Ok(value) = bind(&fitting(&ty, &text, n), &ty) {
                let written = to_json(&value, &ty);
                prop_assert_eq!(bind(&written, &ty), Ok(value.clone()));
                prop_assert_eq!(to_json(&bind(&written, &ty).unwrap(), &ty), written);
            }
        }
    }
}
