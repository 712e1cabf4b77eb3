//! What is asked of one value, as a policy would write it. In: the text of the value's place, the question, its type. Out: a
//! condition as text.

use crate::builtins::{ip, written::number};
use crate::classes::sample;
use crate::hir::{Question, Shape};
use crate::syntax::quote::string;
use crate::ty::Ty;
use crate::value::Value;
use std::collections::BTreeSet;

/// Members of a set that are written before the rest is only counted.
const MEMBERS: usize = 6;

/// A condition about what may be missing: what is on the way is asked for first, as the language wants it.
pub(super) fn asking_first(optionals: &[String], text: String) -> String {
    let optionals = optionals.iter().map(|at| format!("present {at}"));
    let all: Vec<String> = optionals.chain([text]).collect();
    format!("({})", all.join(" and "))
}

pub(super) fn not(text: &str, holds: bool) -> String {
    match holds {
        true => text.to_owned(),
        false => format!("not {text}"),
    }
}

/// Some texts, of many only the first ones.
pub(super) fn some(mut texts: Vec<String>, between: &str) -> String {
    let more = texts.len().saturating_sub(MEMBERS);
    texts.truncate(MEMBERS);
    if more > 0 {
        texts.push(format!("… {more} more"));
    }
    texts.join(between)
}

/// A set of texts after an operator: the text itself where it is one.
fn set(mut texts: Vec<String>) -> String {
    match texts.len() {
        1 => texts.remove(0),
        _ => format!("{{ {} }}", some(texts, ", ")),
    }
}

pub(super) fn question(at: &str, question: &Question, ty: &Ty, holds: bool) -> String {
    match question {
        Question::Present => not(&format!("present {at}"), holds),
        Question::True => not(at, holds),
        Question::Within(ranges) => within(at, ranges, ty, holds),
        Question::Member(members) => one_of(at, members.iter().map(|member| name_of(*member, ty)), holds),
        Question::OneOf(texts) => one_of(at, texts.iter().map(|text| string(text)), holds),
        Question::Shape(shape) => not(&shaped(at, shape), holds),
    }
}

fn name_of(member: u32, ty: &Ty) -> String {
    match ty.required() {
        Ty::Enum { members, .. } => members.get(member as usize).cloned().unwrap_or_default(),
        _ => member.to_string(),
    }
}

fn one_of(at: &str, texts: impl Iterator<Item = String>, holds: bool) -> String {
    let texts: Vec<String> = texts.collect();
    if texts.is_empty() {
        return (!holds).to_string();
    }
    let word = match (texts.len(), holds) {
        (1, true) => "==",
        (1, false) => "!=",
        (_, true) => "in",
        (_, false) => "not in",
    };
    format!("{at} {word} {}", set(texts))
}

pub(super) fn within(at: &str, ranges: &[(i128, i128)], ty: &Ty, holds: bool) -> String {
    if ranges.is_empty() {
        return (!holds).to_string();
    }
    if *ty.required() == Ty::Ip {
        return addresses(at, ranges, holds);
    }
    let whole: Vec<(i128, i128)> = ranges.iter().map(|range| sample::whole(ty, *range)).collect();
    let ranges = whole.as_slice();
    let (least, most) = sample::range(ty.required());
    let number = |n: i128| literal(n, ty);
    // All numbers but one.
    if let [(lo, before), (after, hi)] = ranges
        && *lo <= least
        && *hi >= most
        && before.checked_add(2) == Some(*after)
    {
        let word = if holds { "!=" } else { "==" };
        return format!("{at} {word} {}", number(before.saturating_add(1)));
    }
    if let [(lo, hi)] = ranges {
        return match (*lo <= least, *hi >= most, holds) {
            (true, true, _) => not(&format!("{at} is any number"), holds),
            (true, false, true) => format!("{at} <= {}", number(*hi)),
            (true, false, false) => format!("{at} > {}", number(*hi)),
            (false, true, true) => format!("{at} >= {}", number(*lo)),
            (false, true, false) => format!("{at} < {}", number(*lo)),
            (false, false, _) if lo == hi => {
                let word = if holds { "==" } else { "!=" };
                format!("{at} {word} {}", number(*lo))
            }
            (false, false, true) => format!("{at} >= {} and {at} <= {}", number(*lo), number(*hi)),
            (false, false, false) => format!("({at} < {} or {at} > {})", number(*lo), number(*hi)),
        };
    }
    let each: Vec<String> = ranges
        .iter()
        .map(|range| within(at, &[*range], ty, true))
        .collect();
    not(&format!("({})", some(each, " or ")), holds)
}

/// That an address is in networks.
fn addresses(at: &str, ranges: &[(i128, i128)], holds: bool) -> String {
    let one = |ranges: &[(i128, i128)]| {
        let network = ip::network_of(ranges)?;
        let word = if network.contains('/') { "under" } else { "==" };
        Some(format!("{at} {word} {}", string(&network)))
    };
    let from = |(start, end): &(i128, i128)| {
        let (start, end) = (ip::to_text(*start), ip::to_text(*end));
        format!("{at} is from {} to {}", string(&start), string(&end))
    };
    if let Some(text) = one(ranges) {
        return not(&text, holds);
    }
    let each = ranges
        .iter()
        .map(|range| one(&[*range]).unwrap_or_else(|| from(range)));
    not(&format!("({})", some(each.collect(), " or ")), holds)
}

/// The word of a shape, and what stands after it.
fn parts(shape: &Shape) -> Vec<(&'static str, String)> {
    let one = |word, text: &String| vec![(word, string(text))];
    match shape {
        Shape::Prefix(text) => one("starts_with", text),
        Shape::Suffix(text) => one("ends_with", text),
        Shape::Contains(text) => one("contains", text),
        Shape::Glob(_, text) => one("like", text),
        Shape::Regex(text) => one("matches", text),
        Shape::UnderPath(text) | Shape::UnderHost(text) => one("under", text),
        Shape::AnyOf(shapes) => shapes.iter().flat_map(parts).collect(),
    }
}

fn shaped(at: &str, shape: &Shape) -> String {
    let parts = parts(shape);
    let words: BTreeSet<&str> = parts.iter().map(|(word, _)| *word).collect();
    let of = |word: &str| {
        let texts = parts.iter().filter(|(own, _)| *own == word);
        format!(
            "{at} {word} {}",
            set(texts.map(|(_, text)| text.clone()).collect())
        )
    };
    let texts: Vec<String> = words.iter().map(|word| of(word)).collect();
    match texts.as_slice() {
        [one] => one.clone(),
        all => format!("({})", all.join(" or ")),
    }
}

/// A number as a condition writes it.
pub(super) fn literal(n: i128, ty: &Ty) -> String {
    match ty.required() {
        ty @ (Ty::Instant | Ty::Date | Ty::Ip) => string(&number(n, ty)),
        Ty::Duration { .. } => number(n, &Ty::Duration { unit: None }),
        ty => number(n, ty),
    }
}

pub(super) fn constant(value: &Value, ty: &Ty) -> String {
    match value {
        Value::Num(n) => literal(*n, ty),
        Value::Bool(known) => known.to_string(),
        Value::Enum(member) => name_of(*member, ty),
        Value::Absent => "nothing".to_owned(),
        value => match value.text() {
            Some(text) => string(text),
            None => "…".to_owned(),
        },
    }
}
