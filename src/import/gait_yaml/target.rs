//! Questions about one claimed target, `t`, of the classes that the Go reference system infers. In: classes and the
//! tool. Out: conditions on `t`, written with the predicates of `std.v1`. It does not quantify.

use super::cond::{Cond, not, of, or};
use super::model::Words;
use super::tools::Tool;
use crate::syntax::quote;

/// Whether a condition must be exactly what the Go system asks, or may ask for more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// It makes a verdict stricter: exactly.
    Tighten,
    /// It makes a verdict looser: it may ask for more, never for less.
    Loosen,
}

/// The list of targets.
pub(super) const TARGETS: &str = "context.claimed_targets";
/// The field it is.
pub(super) const FIELD: &str = "claimed_targets";

/// Some target is so.
pub(super) fn any_target(body: Cond) -> Cond {
    super::cond::any("t", TARGETS, Some(FIELD), body)
}

/// There are targets, and every one is so.
pub(super) fn all_targets(body: Cond) -> Cond {
    let there = super::cond::ask(format!("len({TARGETS}) > 0"), &[FIELD]);
    super::cond::and([there, super::cond::all("t", TARGETS, Some(FIELD), body)])
}

/// No target is named.
pub(super) fn no_targets() -> Cond {
    super::cond::ask(format!("len({TARGETS}) == 0"), &[FIELD])
}

/// `t` is of one of these classes.
pub(super) fn class(classes: &Words, tool: &Tool, usage: Use) -> Cond {
    let mut parts = Vec::new();
    for class in classes {
        parts.push(of(match class.as_str() {
            "fs.read" => "v1.fs_read(t)".to_owned(),
            "fs.write" => "v1.fs_write(t)".to_owned(),
            "fs.delete" => "v1.fs_delete(t)".to_owned(),
            "proc.exec" => "v1.proc_exec(t)".to_owned(),
            "net.http" => "v1.net_http(t)".to_owned(),
            "net.dns" => "v1.net_dns(t)".to_owned(),
            "other" => "v1.unclassed(t)".to_owned(),
            stated => format!("(t.endpoint_class else other) == {}", quote::member_name(stated)),
        }));
    }
    let guessed =
        |guess: super::tools::Guess| classes.contains(guess.class) && (usage == Use::Tighten || guess.sure);
    parts.extend(guessed(tool.path).then(|| of("v1.path_by_name(t)")));
    parts.extend(guessed(tool.other).then(|| of("v1.other_by_name(t)")));
    or(parts)
}

/// `t` is destructive. Only used to tighten.
pub(super) fn destructive(tool: &Tool) -> Cond {
    let mut parts = vec![of("v1.destructive(t)")];
    if tool.path.class == "fs.delete" || tool.path.alarming {
        parts.push(of("v1.path_by_name(t)"));
    }
    if tool.other.class == "proc.exec" || tool.other.alarming {
        parts.push(of("v1.other_by_name(t)"));
    }
    or(parts)
}

/// A member of `t` that is an enum is one of these words; words that it cannot be are left out.
pub(super) fn member(place: &str, words: &Words, possible: &[&str]) -> Cond {
    let words: Vec<String> = words
        .iter()
        .filter(|word| possible.contains(&word.as_str()))
        .map(|word| quote::member_name(word))
        .collect();
    among(place, &words)
}

/// A text is one of these.
pub(super) fn text(place: &str, words: &Words) -> Cond {
    let words: Vec<String> = words.iter().map(|word| quote::string(word)).collect();
    among(place, &words)
}

/// The same, as a question about fields of the context.
pub(super) fn said(place: &str, words: &Words, field: &'static str) -> Cond {
    match text(place, words) {
        Cond::Atom(text, _) => Cond::Atom(text, vec![field]),
        other => other,
    }
}

/// Something is one of these constants, written as they are.
pub(super) fn among(place: &str, words: &[String]) -> Cond {
    match words {
        [] => Cond::Const(false),
        [one] => of(format!("{place} == {one}")),
        several => of(format!("{place} in {{ {} }}", several.join(", "))),
    }
}

/// A text matches one of these expressions.
pub(super) fn matching(place: &str, expressions: &[String]) -> Cond {
    let quoted: Vec<String> = expressions
        .iter()
        .map(|expression| quote::string(expression))
        .collect();
    match quoted.as_slice() {
        [] => Cond::Const(false),
        [one] => of(format!("{place} matches {one}")),
        several => of(format!("{place} matches {{ {} }}", several.join(", "))),
    }
}

/// A flag of `t` that is not there counts as false.
pub(super) fn hint(member: &str, wanted: bool) -> Cond {
    let hint = of(format!("(t.{member} else false)"));
    if wanted { hint } else { not(hint) }
}
