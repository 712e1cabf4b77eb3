//! JSON Schema of a tool's arguments to types of the language. In: one schema. Out: the arguments, or the place and
//! reason it cannot be typed. The language is closed and has no `any`: a required argument that cannot be typed
//! refuses the tool, an optional one is left out, so a call that uses it is blocked. Keywords the types cannot say
//! (`pattern`, `minimum`, …) are noted, never dropped in silence. An object that leaves `additionalProperties` out is
//! read as closed without a note, as every object of the language is. It must not know catalogues or spelling.

mod keyword;

use std::collections::BTreeSet;

use crate::json::{Json, pointer};
use crate::limits;
use crate::ty::{Field, Ty};

/// A place and what is to be said about it.
pub(super) type Remark = (String, String);

/// The declared arguments of a tool.
pub(super) fn arguments(schema: &Json, at: &str, notes: &mut Vec<Remark>) -> Result<Vec<Field>, Remark> {
    let mut reader = Reader {
        root: schema,
        base: at,
        notes,
        references: Vec::new(),
        nodes: 0,
        depth: 0,
    };
    let (schema, at) = reader.follow(schema, at.to_owned())?;
    let says = keyword::type_names(schema, &at)?;
    if schema.as_object().is_none() || says.names.iter().any(|n| n != "object") {
        return Err((
            at,
            "the schema of the arguments is not an object schema".to_owned(),
        ));
    }
    reader.note_unread(
        schema,
        &at,
        &["type", "properties", "required", "additionalProperties"],
    );
    reader.members(schema, &at)
}

struct Reader<'a, 'n> {
    root: &'a Json,
    base: &'a str,
    notes: &'n mut Vec<Remark>,
    /// References being followed, to find a schema that contains itself.
    references: Vec<&'a str>,
    nodes: usize,
    depth: usize,
}

impl<'a> Reader<'a, '_> {
    fn note(&mut self, at: &str, message: impl Into<String>) {
        self.notes.push((at.to_owned(), message.into()));
    }

    /// Notes every keyword that is neither read nor harmless.
    fn note_unread(&mut self, schema: &Json, at: &str, read: &[&str]) {
        for (key, _) in schema.as_object().unwrap_or_default() {
            if !read.contains(&key.as_str()) && !keyword::HARMLESS.contains(&key.as_str()) {
                let shown: String = key.chars().take(40).flat_map(char::escape_debug).collect();
                self.note(&pointer::child(at, key), format!("`{shown}` is not carried over"));
            }
        }
    }

    /// A type that may be absent becomes optional; `default` and `null` say so as much as `required` does.
    fn members(&mut self, schema: &'a Json, at: &str) -> Result<Vec<Field>, Remark> {
        let required = keyword::required(schema, at)?;
        let properties = match schema.get("properties") {
            None => &[][..],
            Some(value) => value.as_object().ok_or_else(|| {
                (
                    pointer::child(at, "properties"),
                    "`properties` is not an object".to_owned(),
                )
            })?,
        };
        let known: BTreeSet<&str> = properties.iter().map(|(name, _)| name.as_str()).collect();
        if let Some(name) = required.difference(&known).next() {
            let message = format!("`{}` is required but has no schema", name.escape_debug());
            return Err((pointer::child(at, "required"), message));
        }
        if !matches!(schema.get("additionalProperties"), None | Some(Json::Bool(false))) {
            let place = pointer::child(at, "additionalProperties");
            self.note(
                &place,
                "members beyond the named ones are refused; the language is closed",
            );
        }
        let mut fields = Vec::new();
        let properties_at = pointer::child(at, "properties");
        for (name, property) in properties {
            let place = pointer::child(&properties_at, name);
            let needed = required.contains(name.as_str());
            let before = self.notes.len();
            let typed = if name.is_empty() {
                Err((place.clone(), "an argument without a name".to_owned()))
            } else {
                self.ty(property, place.clone())
            };
            match typed {
                Ok(ty) => {
                    let optional = !needed || property.get("default").is_some();
                    fields.push(Field {
                        name: name.to_string(),
                        ty: if optional { optionally(ty) } else { ty },
                    });
                }
                // A spent budget ends the tool: what is left could not be told from what was never read.
                Err(reason) if needed || self.spent() => return Err(reason),
                Err((_, reason)) => {
                    self.notes.truncate(before);
                    self.note(
                        &place,
                        format!("left out, a call that has it is blocked: {reason}"),
                    );
                }
            }
        }
        Ok(fields)
    }

    fn spent(&self) -> bool {
        self.nodes > limits::IMPORT_NODES
    }

    /// One schema, at one level more of nesting.
    fn ty(&mut self, schema: &'a Json, at: String) -> Result<Ty, Remark> {
        if self.depth >= limits::IMPORT_DEPTH {
            return Err((at, format!("nested deeper than {} levels", limits::IMPORT_DEPTH)));
        }
        self.depth += 1;
        let following = self.references.len();
        let out = self
            .follow(schema, at)
            .and_then(|(schema, at)| self.assertion(schema, &at));
        self.references.truncate(following);
        self.depth -= 1;
        out
    }

    /// Goes through `$ref` and an `allOf` of one to the schema that says something. Every step counts as a visit.
    fn follow(&mut self, schema: &'a Json, at: String) -> Result<(&'a Json, String), Remark> {
        let (mut schema, mut at) = (schema, at);
        loop {
            self.nodes += 1;
            if self.spent() {
                return Err((
                    at,
                    format!("over {} subschemas in one tool", limits::IMPORT_NODES),
                ));
            }
            if let Some(reference) = schema.get("$ref") {
                let place = pointer::child(&at, "$ref");
                self.note_unread(schema, &at, &["$ref"]);
                let Some(text) = reference.as_str() else {
                    return Err((place, "`$ref` is not a string".to_owned()));
                };
                if self.references.contains(&text) {
                    return Err((place, "the schema contains itself".to_owned()));
                }
                let found = text
                    .strip_prefix('#')
                    .and_then(|p| Some((pointer::resolve(self.root, p)?, p)));
                let Some((found, local)) = found else {
                    return Err((place, "`$ref` leads nowhere in this schema".to_owned()));
                };
                self.references.push(text);
                (schema, at) = (found, format!("{}{local}", self.base));
            } else if let (Some([only]), true) = (
                schema.get("allOf").and_then(Json::as_array),
                keyword::says_nothing(schema),
            ) {
                self.note_unread(schema, &at, &["allOf"]);
                let inside = pointer::child(&pointer::child(&at, "allOf"), "0");
                (schema, at) = (only, inside);
            } else {
                return Ok((schema, at));
            }
        }
    }

    fn assertion(&mut self, schema: &'a Json, at: &str) -> Result<Ty, Remark> {
        if schema.as_object().is_none() {
            return Err((
                at.to_owned(),
                format!("{} where a schema should be", schema.kind()),
            ));
        }
        if let Some(words) = keyword::words(schema) {
            self.note_unread(schema, at, &["type", "enum", "const", "nullable"]);
            let ty = Ty::Enum {
                name: String::new(),
                members: words.members,
                ordered: false,
            };
            return Ok(if words.nullable { optionally(ty) } else { ty });
        }
        if keyword::says_nothing(schema) {
            for key in ["anyOf", "oneOf"] {
                if let Some(choices) = schema.get(key).and_then(Json::as_array) {
                    self.note_unread(schema, at, &[key, "nullable"]);
                    let ty = self.one_of(choices, &pointer::child(at, key))?;
                    return Ok(if keyword::nullable(schema) {
                        optionally(ty)
                    } else {
                        ty
                    });
                }
            }
        }
        let says = keyword::type_names(schema, at)?;
        let ty = match says.names.as_slice() {
            [one] => self.named(one, schema, at)?,
            [] => return Err((at.to_owned(), "no type; the language has no `any`".to_owned())),
            [a, b] if keyword::are_numbers(a, b) => self.named("number", schema, at)?,
            several => return Err((at.to_owned(), format!("several types: {}", several.join(", ")))),
        };
        Ok(if says.nullable { optionally(ty) } else { ty })
    }

    /// `anyOf` and `oneOf`: one type, several spellings of one, or words.
    fn one_of(&mut self, choices: &'a [Json], at: &str) -> Result<Ty, Remark> {
        let mut nullable = false;
        let mut found: Option<Ty> = None;
        for (i, choice) in choices.iter().enumerate() {
            if keyword::is_null(choice) {
                nullable = true;
                continue;
            }
            let ty = self.ty(choice, pointer::child(at, &i.to_string()))?;
            nullable |= ty.is_optional();
            let ty = ty.required().clone();
            found = Some(match found {
                None => ty,
                Some(before) => join(before, ty)
                    .ok_or_else(|| (at.to_owned(), "a choice between different types".to_owned()))?,
            });
        }
        let ty = found.ok_or_else(|| (at.to_owned(), "only null is allowed".to_owned()))?;
        Ok(if nullable { optionally(ty) } else { ty })
    }

    fn named(&mut self, name: &str, schema: &'a Json, at: &str) -> Result<Ty, Remark> {
        let read: &[&str] = match name {
            "string" => &["type", "nullable", "format", "maxLength"],
            "array" => &["type", "nullable", "items", "prefixItems", "maxItems"],
            "object" if keyword::map_values(schema).is_some() => &[
                "type",
                "nullable",
                "additionalProperties",
                "maxProperties",
                "properties",
            ],
            "object" => &[
                "type",
                "nullable",
                "properties",
                "required",
                "additionalProperties",
            ],
            _ => &["type", "nullable"],
        };
        self.note_unread(schema, at, read);
        match name {
            "boolean" => Ok(Ty::Bool),
            "integer" => Ok(Ty::Int),
            "number" => {
                let places = limits::IMPORT_DECIMAL_PLACES;
                self.note(
                    at,
                    format!("numbers with more than {places} decimal places are refused"),
                );
                Ok(Ty::Decimal { places })
            }
            "string" => Ok(self.string(schema, at)),
            "array" => self.list(schema, at),
            "object" if let Some(values) = keyword::map_values(schema) => self.map(values, schema, at),
            "object" => match self.members(schema, at)? {
                fields if fields.is_empty() => {
                    Err((at.to_owned(), "an object whose members are not named".to_owned()))
                }
                fields => Ok(Ty::Record(fields)),
            },
            other => Err((at.to_owned(), format!("no type for `{}`", other.escape_debug()))),
        }
    }

    /// An object whose members all have one schema and no names.
    fn map(&mut self, values: &'a Json, schema: &'a Json, at: &str) -> Result<Ty, Remark> {
        let max = self.bound(schema, at, "maxProperties", 1, limits::LIST_ITEMS);
        let place = pointer::child(at, "additionalProperties");
        let value = self.ty(values, place.clone())?;
        if value.is_optional() {
            self.note(&place, "null members are refused");
        }
        Ok(Ty::Map {
            key: Box::new(Ty::String {
                max: limits::STRING_BYTES,
            }),
            value: Box::new(value.required().clone()),
            max,
        })
    }

    fn string(&mut self, schema: &Json, at: &str) -> Ty {
        let ty = match schema.get("format").and_then(Json::as_str) {
            Some("uri" | "url") => Some(Ty::Url),
            Some("email") => Some(Ty::Email),
            Some("hostname" | "idn-hostname") => Some(Ty::Host),
            Some("ipv4" | "ipv6" | "ip") => Some(Ty::Ip),
            Some("date") => Some(Ty::Date),
            Some("date-time") => {
                let told = "moments without an offset or finer than a millisecond are refused";
                self.note(&pointer::child(at, "format"), told);
                Some(Ty::Instant)
            }
            Some(_) => {
                self.note(&pointer::child(at, "format"), "`format` is not checked");
                None
            }
            None => None,
        };
        match ty {
            Some(ty) => {
                if schema.get("maxLength").is_some() {
                    self.note(
                        &pointer::child(at, "maxLength"),
                        "`maxLength` is not carried over",
                    );
                }
                ty
            }
            // A character is at most four bytes of UTF-8, and `max` counts bytes.
            None => Ty::String {
                max: self.bound(schema, at, "maxLength", 4, limits::STRING_BYTES),
            },
        }
    }

    /// The bound a keyword sets, in units of which it counts one as `scale`; `most` where there is none. One that
    /// cannot be carried over is noted.
    fn bound(&mut self, schema: &Json, at: &str, key: &str, scale: u64, most: u64) -> u64 {
        let Some(stated) = schema.get(key) else {
            return most;
        };
        let stated = stated.as_i64().and_then(|n| u64::try_from(n).ok());
        let wanted = stated.map(|n| n.saturating_mul(scale));
        let bound = wanted.unwrap_or(most).clamp(1, most);
        if wanted != Some(bound) {
            self.note(
                &pointer::child(at, key),
                format!("`{key}` cannot be carried over; `max` is {bound}"),
            );
        }
        bound
    }

    fn list(&mut self, schema: &'a Json, at: &str) -> Result<Ty, Remark> {
        let max = self.bound(schema, at, "maxItems", 1, limits::LIST_ITEMS);
        let mut element: Option<Ty> = None;
        for (item, place) in keyword::elements(schema, at) {
            let ty = self.ty(item, place.clone())?;
            if ty.is_optional() {
                self.note(&place, "null elements are refused");
            }
            let ty = ty.required().clone();
            element = Some(match element {
                None => ty,
                Some(before) => join(before, ty)
                    .ok_or_else(|| (at.to_owned(), "elements of different types".to_owned()))?,
            });
        }
        let element = element.unwrap_or_else(|| {
            self.note(
                at,
                "elements have no schema; taken as strings, others are refused",
            );
            Ty::String {
                max: limits::STRING_BYTES,
            }
        });
        Ok(Ty::List {
            element: Box::new(element),
            max,
        })
    }
}

fn optionally(ty: Ty) -> Ty {
    if ty.is_optional() {
        ty
    } else {
        Ty::Optional(Box::new(ty))
    }
}

/// The one type that holds both, where there is one: the same type, or the words of two enums.
fn join(a: Ty, b: Ty) -> Option<Ty> {
    match (a, b) {
        (a, b) if a == b => Some(a),
        (
            Ty::Enum {
                name,
                mut members,
                ordered: false,
            },
            Ty::Enum { members: more, .. },
        ) => {
            let new: Vec<String> = more.into_iter().filter(|m| !members.contains(m)).collect();
            members.extend(new);
            Some(Ty::Enum {
                name,
                members,
                ordered: false,
            })
        }
        (Ty::Int, d @ Ty::Decimal { .. }) | (d @ Ty::Decimal { .. }, Ty::Int) => Some(d),
        _ => None,
    }
}
