//! Secrets within a document: where they are, and the document without them. A member's name says what its value is, and a
//! name may itself hold a secret. In: JSON. Out: places, by names and indices, and JSON of the same shape.

use super::{Found, in_text, named, shell, to_hide, without};
use crate::json::{Json, Text};
use crate::limits;
use named::Named;
use std::fmt;

/// Where a secret is in a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The names and indices that lead to the value. A name that holds a secret itself stands there as it is.
    pub path: Vec<String>,
    /// What it is.
    pub kind: &'static str,
}

/// `args.headers[0].value`. Of a long name the start is told.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, step) in self.path.iter().enumerate() {
            let shown: String = step.chars().take(limits::SHOWN_NAME_CHARS).collect();
            match shown.parse::<usize>() {
                Ok(_) => write!(f, "[{shown}]")?,
                Err(_) if at == 0 => f.write_str(&shown)?,
                Err(_) => write!(f, ".{shown}")?,
            }
        }
        Ok(())
    }
}

/// A document without its secrets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hidden {
    /// Where they were, in the order of the document. Names stand there without what they held.
    pub places: Vec<Place>,
    /// The secrets.
    pub texts: Vec<String>,
}

/// Where secrets are in a document.
pub fn places(json: &Json) -> Vec<Place> {
    let mut places = Vec::new();
    see(json, None, &mut Vec::new(), &mut places);
    places
}

/// Whether there is one.
pub fn any(json: &Json) -> bool {
    !places(json).is_empty()
}

/// The name of a value.
#[derive(Clone, Copy)]
struct Name<'n> {
    text: &'n str,
    /// Whether it is the value of a pair, whose name is a value, too.
    is_of_pair: bool,
}

impl<'n> Name<'n> {
    /// That of a member, or what stands in its place in a pair.
    fn of(member: &'n str, of_pair: Option<&'n str>) -> Name<'n> {
        let named = of_pair.filter(|_| member == "value");
        Name {
            text: named.unwrap_or(member),
            is_of_pair: named.is_some(),
        }
    }
}

fn see(json: &Json, name: Option<Name<'_>>, at: &mut Vec<String>, places: &mut Vec<Place>) {
    let mut add = |at: &[String], found: Vec<Found>| {
        let found = found.into_iter().map(|found| Place {
            path: at.to_vec(),
            kind: found.kind,
        });
        places.extend(found);
    };
    match json {
        Json::Null | Json::Bool(_) => {}
        Json::Number(_) => add(at, of_number(json, name)),
        Json::String(text) => add(at, of_value(name, text)),
        Json::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                at.push(index.to_string());
                see(item, name, at, places);
                at.pop();
            }
        }
        Json::Object(members) => {
            let of_pair = pair(members);
            for (member, value) in members {
                at.push(member.to_string());
                let found = in_text(member);
                let found = found.into_iter().map(|found| Place {
                    path: at.clone(),
                    kind: found.kind,
                });
                places.extend(found);
                see(value, Some(Name::of(member, of_pair)), at, places);
                at.pop();
            }
        }
    }
}

/// Takes the secrets out of a document.
pub fn hide(json: &mut Json) -> Hidden {
    let mut hidden = Hidden::default();
    take(json, None, &mut hidden, &mut Vec::new());
    hidden
}

fn take(json: &mut Json, name: Option<Name<'_>>, hidden: &mut Hidden, at: &mut Vec<String>) {
    match json {
        Json::Null | Json::Bool(_) => {}
        Json::Number(_) => {
            let found = of_number(json, name);
            if !found.is_empty() {
                let text = serde_json::to_string(json).unwrap_or_default();
                *json = Json::str(hidden.take(&text, &found, at));
            }
        }
        Json::String(text) => {
            let found = taken_of(name, text);
            if !found.is_empty() {
                *text = hidden.take(text, &found, at).into();
            }
        }
        Json::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                at.push(index.to_string());
                take(item, name, hidden, at);
                at.pop();
            }
        }
        Json::Object(members) => take_members(members, hidden, at),
    }
}

fn take_members(members: &mut [(Text, Json)], hidden: &mut Hidden, at: &mut Vec<String>) {
    let of_pair = pair(members).map(str::to_owned);
    let mut renamed = Vec::new();
    for (index, (member, value)) in members.iter_mut().enumerate() {
        let written = member.to_string();
        let found = to_hide(&written);
        if !found.is_empty() {
            at.push(without(&written, &found));
            *member = hidden.take(&written, &found, at).into();
            renamed.push(index);
        } else {
            at.push(written.clone());
        }
        take(value, Some(Name::of(&written, of_pair.as_deref())), hidden, at);
        at.pop();
    }
    // No two members have one name.
    for index in renamed {
        let Some((name, _)) = members.get(index) else {
            continue;
        };
        let (plain, mut number) = (name.clone(), 1);
        let mut name = name.clone();
        while members
            .iter()
            .enumerate()
            .any(|(other, (known, _))| other != index && *known == name)
        {
            number += 1;
            name = format!("{plain} {number}").into();
        }
        if let Some((known, _)) = members.get_mut(index) {
            *known = name;
        }
    }
}

impl Hidden {
    /// Whether there was none.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// A text without what was found in it.
    fn take(&mut self, text: &str, found: &[Found], at: &[String]) -> String {
        for one in found {
            self.texts.extend(text.get(one.start..one.end).map(str::to_owned));
            self.places.push(Place {
                path: at.to_vec(),
                kind: one.kind,
            });
        }
        without(text, found)
    }

    /// A text that was made of the document, without its secrets. One that tells a part of a secret is not told at all.
    pub fn scrub(&self, text: &str, instead: &str) -> String {
        let text = without(text, &to_hide(text));
        match self.texts.iter().any(|secret| tells(&text, secret)) {
            true => instead.to_owned(),
            false => text,
        }
    }
}

/// Whether a text tells a secret or some of it: it may have been cut off, or be written with escapes.
fn tells(text: &str, secret: &str) -> bool {
    let runs = secret.split(|c: char| !c.is_ascii_alphanumeric());
    let mut runs = runs.filter(|run| run.len() >= PART_BYTES);
    let mut starts = runs
        .by_ref()
        .filter_map(|run| run.get(..run.len().min(START_BYTES)));
    starts.any(|start| text.contains(start)) || secret.len() >= PART_BYTES && text.contains(secret)
}

/// A part of a secret of fewer bytes is not looked for in other texts: it would be found in words.
const PART_BYTES: usize = 4;
/// So much of the start of a part tells it.
const START_BYTES: usize = 6;

/// What a list of pairs calls a value: `{ "name": "Authorization", "value": … }`.
fn pair(members: &[(Text, Json)]) -> Option<&str> {
    let of = |wanted: &str| members.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
    of("value")?;
    let named = ["name", "key", "header", "field"]
        .iter()
        .find_map(|name| of(name))?;
    named.1.as_str()
}

/// What is secret in a value of this name.
fn of_value(name: Option<Name<'_>>, text: &str) -> Vec<Found> {
    whole(name.map(|name| name.text), text, in_text(text))
}

/// What is taken out of a value of this name. A name that is made for the purpose hides no command; one that says `password` and nothing
/// else hides whatever that is.
fn taken_of(name: Option<Name<'_>>, text: &str) -> Vec<Found> {
    let is_all = name.is_some_and(|name| !name.is_of_pair && named::is_plain_password(name.text));
    let found = whole(name.map(|name| name.text), text, to_hide(text));
    match found.as_slice() {
        [one] if !is_all && !shell::is_inert(text.get(one.start..one.end).unwrap_or_default()) => {
            to_hide(text)
        }
        _ => found,
    }
}

/// What is found in a value, or all of it where its name says so.
fn whole(name: Option<&str>, text: &str, found: Vec<Found>) -> Vec<Found> {
    let Some(named) = name.and_then(named::of) else {
        return found;
    };
    let start = match named {
        Named::Password if !text.trim().is_empty() && !named::is_reference(text) => 0,
        Named::Token if named::is_drawn(text) => 0,
        Named::Authorization => {
            let start = named::credentials(text);
            let is_credentials = text.get(start..).is_some_and(named::is_credentials);
            if !is_credentials {
                return found;
            }
            start
        }
        _ => return found,
    };
    let kind = match found.as_slice() {
        [one] => one.kind,
        _ => named.kind(),
    };
    vec![Found {
        kind,
        start,
        end: text.len(),
    }]
}

/// A number of a name that says it is a password.
fn of_number(json: &Json, name: Option<Name<'_>>) -> Vec<Found> {
    match name.and_then(|name| named::of(name.text)) {
        Some(Named::Password) => vec![Found {
            kind: Named::Password.kind(),
            start: 0,
            end: serde_json::to_string(json).unwrap_or_default().len(),
        }],
        _ => Vec::new(),
    }
}
