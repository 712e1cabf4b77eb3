//! Conditions of emitted rules as values: built simplified, compared by their text, printed with as few brackets as
//! the grammar needs. In: parts. Out: source text, and the fields of the context it depends on. It knows no policy.

use std::collections::BTreeSet;

/// A condition.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Cond {
    /// Decided already.
    Const(bool),
    /// One question, as source text, with the fields of the context it looks at.
    Atom(String, Vec<&'static str>),
    /// Negation.
    Not(Box<Cond>),
    /// Conjunction of two or more.
    And(Vec<Cond>),
    /// Disjunction of two or more.
    Or(Vec<Cond>),
    /// A quantifier over a place.
    Each {
        /// `all`, not `any`.
        all: bool,
        /// The variable.
        variable: &'static str,
        /// The list or optional, as source text.
        list: &'static str,
        /// The field of the context the list is in, where it starts there.
        field: Option<&'static str>,
        /// What is asked of each element.
        body: Box<Cond>,
    },
}

/// A question about fields of the context.
pub(super) fn ask(text: impl Into<String>, fields: &[&'static str]) -> Cond {
    Cond::Atom(text.into(), fields.to_vec())
}

/// A question about a quantifier's variable.
pub(super) fn of(text: impl Into<String>) -> Cond {
    Cond::Atom(text.into(), Vec::new())
}

/// All of these.
pub(super) fn and(parts: impl IntoIterator<Item = Cond>) -> Cond {
    joined(parts, true)
}

/// Any of these.
pub(super) fn or(parts: impl IntoIterator<Item = Cond>) -> Cond {
    joined(parts, false)
}

fn joined(parts: impl IntoIterator<Item = Cond>, conjunction: bool) -> Cond {
    let mut kept: Vec<Cond> = Vec::new();
    for part in parts {
        match part {
            Cond::Const(value) if value == conjunction => {}
            Cond::Const(value) => return Cond::Const(value),
            Cond::And(inner) if conjunction => kept.extend(inner),
            Cond::Or(inner) if !conjunction => kept.extend(inner),
            other => kept.push(other),
        }
    }
    let mut distinct: Vec<Cond> = Vec::new();
    for part in kept {
        if !distinct.contains(&part) {
            distinct.push(part);
        }
    }
    match (distinct.len(), conjunction) {
        (0, value) => Cond::Const(value),
        (1, _) => distinct.remove(0),
        (_, true) => Cond::And(distinct),
        (_, false) => Cond::Or(distinct),
    }
}

/// The opposite.
pub(super) fn not(cond: Cond) -> Cond {
    match cond {
        Cond::Const(value) => Cond::Const(!value),
        Cond::Not(inner) => *inner,
        other => Cond::Not(Box::new(other)),
    }
}

/// Whether some element is so.
pub(super) fn any(
    variable: &'static str,
    list: &'static str,
    field: Option<&'static str>,
    body: Cond,
) -> Cond {
    each(false, variable, list, field, body)
}

/// Whether every element is so.
pub(super) fn all(
    variable: &'static str,
    list: &'static str,
    field: Option<&'static str>,
    body: Cond,
) -> Cond {
    each(true, variable, list, field, body)
}

fn each(
    all: bool,
    variable: &'static str,
    list: &'static str,
    field: Option<&'static str>,
    body: Cond,
) -> Cond {
    match body {
        Cond::Const(value) if value == all => Cond::Const(value),
        body => Cond::Each {
            all,
            variable,
            list,
            field,
            body: Box::new(body),
        },
    }
}

impl Cond {
    /// The source text.
    pub(super) fn text(&self) -> String {
        match self {
            Cond::Const(value) => value.to_string(),
            Cond::Atom(text, _) => text.clone(),
            Cond::Not(inner) => match inner.as_ref() {
                Cond::Atom(text, _) => opposite(text).unwrap_or_else(|| format!("not {text}")),
                other => format!("not {}", other.inside(self)),
            },
            Cond::And(parts) => self.list(parts, " and "),
            Cond::Or(parts) => self.list(parts, " or "),
            Cond::Each {
                all,
                variable,
                list,
                body,
                ..
            } => {
                let word = if *all { "all" } else { "any" };
                format!("{word} {variable} in {list}: {}", body.text())
            }
        }
    }

    fn list(&self, parts: &[Cond], between: &str) -> String {
        let parts: Vec<String> = parts.iter().map(|part| part.inside(self)).collect();
        parts.join(between)
    }

    /// The text as an operand of another condition.
    fn inside(&self, outer: &Cond) -> String {
        let bare = matches!(
            (self, outer),
            (Cond::Atom(..) | Cond::Const(_), _)
                | (Cond::Not(_), Cond::And(_) | Cond::Or(_))
                | (Cond::And(_), Cond::Or(_))
        );
        if bare {
            self.text()
        } else {
            format!("({})", self.text())
        }
    }

    /// The conjuncts, one clause each.
    pub(super) fn clauses(self) -> Vec<Cond> {
        match self {
            Cond::Const(true) => Vec::new(),
            Cond::And(parts) => parts,
            other => vec![other],
        }
    }

    /// The fields it looks at. `found` gets each with whether it stands where its becoming true, or its being there,
    /// could make the condition fail.
    pub(super) fn fields(&self, negated: bool, found: &mut BTreeSet<(&'static str, bool)>) {
        match self {
            Cond::Const(_) => {}
            Cond::Atom(_, fields) => found.extend(fields.iter().map(|field| (*field, negated))),
            Cond::Not(inner) => inner.fields(!negated, found),
            Cond::And(parts) | Cond::Or(parts) => {
                parts.iter().for_each(|part| part.fields(negated, found));
            }
            Cond::Each { all, field, body, .. } => {
                found.extend(field.map(|field| (field, negated != *all)));
                body.fields(negated, found);
                // What is asked of an element can be answered in its own favour.
                if field.is_some() && body.asks_against() {
                    found.extend(field.map(|field| (field, true)));
                }
            }
        }
    }

    /// Whether a negation stands in it.
    fn asks_against(&self) -> bool {
        match self {
            Cond::Const(_) | Cond::Atom(..) => false,
            Cond::Not(_) => true,
            Cond::And(parts) | Cond::Or(parts) => parts.iter().any(Cond::asks_against),
            Cond::Each { all, body, .. } => *all || body.asks_against(),
        }
    }

    /// How many conjunctions it may become once it is multiplied out, roughly.
    pub(super) fn rows(&self, negated: bool) -> usize {
        match (self, negated) {
            (Cond::Const(_) | Cond::Atom(..) | Cond::Each { .. }, _) => 1,
            (Cond::Not(inner), _) => inner.rows(!negated),
            (Cond::And(parts), false) | (Cond::Or(parts), true) => parts
                .iter()
                .map(|part| part.rows(negated))
                .fold(1, usize::saturating_mul),
            (Cond::And(parts), true) | (Cond::Or(parts), false) => parts
                .iter()
                .map(|part| part.rows(negated))
                .fold(0, usize::saturating_add),
        }
    }
}

/// A comparison with the opposite operator, where it is one of those that have it.
fn opposite(text: &str) -> Option<String> {
    const PAIRS: [(&str, &str); 4] = [
        (" == ", " != "),
        (" != ", " == "),
        (" in ", " not in "),
        (" <= ", " > "),
    ];
    let mut quoted = false;
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = quoted,
            '"' => quoted = !quoted,
            _ if quoted => {}
            _ => {
                let (before, after) = text.split_at_checked(at)?;
                if let Some((operator, other)) =
                    PAIRS.iter().find(|(operator, _)| after.starts_with(operator))
                {
                    return Some(format!("{before}{other}{}", after.strip_prefix(operator)?));
                }
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_have_the_brackets_they_need() {
        let [a, b, c] = ["a", "b", "c"].map(|name| of(format!("args.{name} == 1")));
        let over = |body| any("t", "context.claimed_targets", Some("claimed_targets"), body);
        for (cond, expected) in [
            (
                and([a.clone(), or([b.clone(), c.clone()])]),
                "args.a == 1 and (args.b == 1 or args.c == 1)",
            ),
            (
                or([and([a.clone(), b.clone()]), c.clone()]),
                "args.a == 1 and args.b == 1 or args.c == 1",
            ),
            (
                not(and([a.clone(), b.clone()])),
                "not (args.a == 1 and args.b == 1)",
            ),
            (not(not(a.clone())), "args.a == 1"),
            (
                and([over(a.clone()), b.clone()]),
                "(any t in context.claimed_targets: args.a == 1) and args.b == 1",
            ),
            (
                not(over(a.clone())),
                "not (any t in context.claimed_targets: args.a == 1)",
            ),
            (and([Cond::Const(true), a.clone(), a.clone()]), "args.a == 1"),
            (or([Cond::Const(true), a.clone()]), "true"),
            (not(of(r#"x == "a in b""#)), r#"x != "a in b""#),
            (
                not(of(r#"(x else "\" == ") in { "a" }"#)),
                r#"(x else "\" == ") not in { "a" }"#,
            ),
            (not(of("len(x) > 0")), "not len(x) > 0"),
            (and([]), "true"),
            (all("t", "x", None, Cond::Const(true)), "true"),
        ] {
            assert_eq!(cond.text(), expected);
        }
        assert_eq!(not(or([a.clone(), b.clone()])).rows(false), 1);
        assert_eq!(not(and([a.clone(), b.clone(), c.clone()])).rows(false), 3);
        assert_eq!(and([or([a.clone(), b.clone()]), or([b, c])]).rows(false), 4);
        let mut found = BTreeSet::new();
        not(ask("context.x == 1", &["x"])).fields(false, &mut found);
        assert_eq!(found, BTreeSet::from([("x", true)]));
    }
}
