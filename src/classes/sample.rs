//! A value of each class: what explanations show and analyses give as witnesses. In: a variable's type and classifier.
//! Out: per class a canonical value of the type that lies in the class, the plainest that was found. Numbers come from
//! the edges of their interval; texts are those the policy names, the plainest of the type, or the shortest the
//! class's automaton accepts within the shape of the type, always read back by the type's own parser.

use super::automaton::{Automaton, Matcher};
use super::classifier::{Classifier, Texts};
use crate::hir::{Part, place};
use crate::limits;
use crate::ty::Ty;
use crate::value::Value;
use std::collections::{BTreeMap, VecDeque};

/// What the values of a variable are: a type, and the part of another value they are where they are one.
#[derive(Clone, Copy, Debug)]
pub struct Kind<'t> {
    /// The type of the values.
    pub ty: &'t Ty,
    /// `url.path` may be any `String` by its type, but starts with `/` by what it is part of.
    pub part: Option<Part>,
}

/// A value of each of the `count` classes of a classifier, the missing value's last. `None` for a class in which no
/// value was found: no value of the type may lie in it.
pub fn samples(kind: Kind<'_>, classifier: &Classifier, count: u32) -> Vec<Option<Value>> {
    let classes = count.saturating_sub(1);
    let mut out: Vec<Option<Value>> = match classifier {
        Classifier::Any => vec![plain(kind).into_iter().next()],
        Classifier::Bool => vec![Some(Value::Bool(false)), Some(Value::Bool(true))],
        Classifier::Cuts(cuts) => (0..classes)
            .map(|class| edge(kind.ty, interval(kind.ty, cuts, class)?))
            .collect(),
        Classifier::Members(of) => (0..classes)
            .map(|class| {
                let member = of.iter().position(|c| *c == class)?;
                u32::try_from(member).ok().map(Value::Enum)
            })
            .collect(),
        Classifier::Texts(texts) => text_samples(kind, texts, classes),
    };
    out.resize(classes as usize, None);
    out.push(Some(Value::Absent));
    out
}

/// The numbers of a class, both ends included: its interval within the numbers of the type. `None` when the type has
/// none there.
pub fn interval(ty: &Ty, cuts: &[i128], class: u32) -> Option<(i128, i128)> {
    let (least, most) = range(ty);
    let class = class as usize;
    let lo = match class.checked_sub(1) {
        None => least,
        Some(before) => (*cuts.get(before)?).max(least),
    };
    let hi = cuts
        .get(class)
        .and_then(|cut| cut.checked_sub(1))
        .map_or(most, |hi| hi.min(most));
    let (lo, hi) = whole(ty, (lo, hi));
    (lo <= hi).then_some((lo, hi))
}

/// An interval from the least number of the type in it to the greatest: a `Duration[s]` has whole seconds only.
pub fn whole(ty: &Ty, (lo, hi): (i128, i128)) -> (i128, i128) {
    let Ty::Duration { unit: Some(unit) } = ty.required() else {
        return (lo, hi);
    };
    let step = unit.millis();
    let down = |n: i128| n.saturating_sub(n.rem_euclid(step));
    (down(lo.saturating_add(step - 1)), down(hi))
}

/// The least and the greatest number of a type.
pub fn range(ty: &Ty) -> (i128, i128) {
    let most = match ty {
        Ty::Int => limits::SAFE_INTEGER,
        Ty::Ip => return (i128::MIN, i128::MAX),
        // Lengths of time that are written are not negative.
        Ty::Duration { .. } => return (0, limits::DECIMAL_MAGNITUDE),
        _ => limits::DECIMAL_MAGNITUDE,
    };
    (-most, most)
}

/// The end of an interval that the policy names: the upper one of the lowest class, else the lower one.
fn edge(ty: &Ty, (lo, hi): (i128, i128)) -> Option<Value> {
    let (least, _) = range(ty);
    Some(Value::Num(if lo == least { hi } else { lo }))
}

/// Values that stand for their type better than the shortest ones would, best first.
pub fn plain(kind: Kind<'_>) -> Vec<Value> {
    let texts: &[&str] = match (kind.part, kind.ty) {
        (Some(Part::Scheme), _) => crate::builtins::url::SCHEMES,
        (Some(Part::Path), _) => &["/", "/a"],
        (Some(Part::Query), _) => &["", "a=1"],
        (Some(Part::Local), _) => &["someone"],
        (_, Ty::Host) => &["example.com", "203.0.113.7"],
        (_, Ty::String { .. }) => &["", "a", "text"],
        _ => &[],
    };
    // Where the plainest one will not do.
    let others: &[&str] = match (kind.part, kind.ty) {
        (None, Ty::Email) => &["other@example.net"],
        (None, Ty::Url) => &["https://example.net/"],
        (None, Ty::Path) => &["other.txt", "/other.txt"],
        _ => &[],
    };
    let values =
        |texts: &'static [&'static str]| texts.iter().filter_map(|text| place::of_text(text, kind.ty));
    values(texts)
        .chain(place::plain(kind.ty.required()))
        .chain(values(others))
        .collect()
}

fn text_samples(kind: Kind<'_>, texts: &Texts, classes: u32) -> Vec<Option<Value>> {
    let (known, automaton, _) = texts.parts();
    let mut found: BTreeMap<u32, Value> = BTreeMap::new();
    for (text, class) in known {
        if let Some(value) = of_kind(text, kind) {
            found.entry(*class).or_insert(value);
        }
    }
    for value in plain(kind) {
        if let Some(text) = value.text() {
            found.entry(texts.classify(text)).or_insert(value);
        }
    }
    let automaton = match automaton {
        Some(automaton) => automaton,
        // Without patterns a text nobody names is in no known class.
        None => &Automaton::constant(0),
    };
    for shape in shapes(kind) {
        if (0..classes).all(|class| found.contains_key(&class)) {
            break;
        }
        // A text that is known by itself may come first where others would end.
        let times = if known.is_empty() { 1 } else { MORE_TEXTS };
        shortest(automaton, &shape, times, &mut |text| {
            let class = texts.classify(text);
            if !found.contains_key(&class)
                && let Some(value) = of_kind(text, kind)
            {
                found.insert(class, value);
            }
            (0..classes).all(|class| found.contains_key(&class))
        });
    }
    (0..classes).map(|class| found.remove(&class)).collect()
}

/// The value of a canonical text, where the part it is may be that text.
fn of_kind(text: &str, kind: Kind<'_>) -> Option<Value> {
    let value = place::of_text(text, kind.ty)?;
    let whole = match kind.part {
        None | Some(Part::Len | Part::Port) => return Some(value),
        Some(Part::Local | Part::Domain) => &Ty::Email,
        Some(_) => &Ty::Url,
    };
    let Some(part) = kind.part else {
        return Some(value);
    };
    let mut holder = place::plain(whole)?;
    place::put(&mut holder, whole, &[crate::hir::Step::Part(part)], &value)?;
    Some(value)
}

/// The shapes to look for texts in, plainest first; each as an automaton whose class 1 are the texts of that shape.
fn shapes(kind: Kind<'_>) -> Vec<Automaton> {
    const HOST: &str = r"[a-z]([a-z0-9-]*[a-z0-9])?(\.[a-z]([a-z0-9-]*[a-z0-9])?)*";
    const LOCAL: &str = r"[a-z0-9]+([.+_-][a-z0-9]+)*";
    const SEGMENTS: &str = r"(/[a-zA-Z0-9_-]+(\.[a-zA-Z0-9]+)*)";
    let plainest = match (kind.part, kind.ty) {
        (Some(Part::Path), _) => format!("{SEGMENTS}+/?|/"),
        (Some(Part::Query), _) => "([a-z]+=[a-z0-9]*(&[a-z]+=[a-z0-9]*)*)?".to_owned(),
        (Some(Part::Local), _) => LOCAL.to_owned(),
        (_, Ty::Host) => HOST.to_owned(),
        (_, Ty::Email) => format!(r"{LOCAL}@{HOST}\.[a-z]([a-z0-9-]*[a-z0-9])?"),
        (_, Ty::Path) => format!("{SEGMENTS}+|[a-zA-Z0-9_-]+(\\.[a-zA-Z0-9]+)*{SEGMENTS}*|/"),
        (_, Ty::Url) => format!(r"(https?|wss?|ftp)://{HOST}(:[1-9][0-9]*)?({SEGMENTS}*/?)(\?[a-z0-9=&]+)?"),
        _ => "[a-zA-Z0-9 ]*".to_owned(),
    };
    // Then whatever prints, then whatever is text.
    [&plainest, "[ -~]*", ".*"]
        .into_iter()
        .filter_map(|shape| {
            let matcher = Matcher::build(&[shape.to_owned()], limits::AUTOMATON_SHARED_BYTES)?;
            matcher.with_classes(|matched| u32::from(!matched.is_empty()))
        })
        .collect()
}

/// Bytes as a person would choose them, first choice first.
fn by_preference() -> impl Iterator<Item = u8> {
    let first = b"abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ./-_@: =";
    let rest = (0..=255u8).filter(|byte| !first.contains(byte));
    first.iter().copied().chain(rest)
}

/// Texts that are looked at for each pair of states, where some are known by themselves.
const MORE_TEXTS: usize = 4;

/// Offers `take` the texts of a shape, shortest first, at most `times` for each pair of states, until it has enough.
fn shortest(classes: &Automaton, shape: &Automaton, times: usize, take: &mut dyn FnMut(&str) -> bool) {
    let bytes = representatives(classes, shape);
    let mut visits: BTreeMap<(u32, u32), usize> = BTreeMap::from([((0, 0), 1)]);
    let mut reached: Vec<((u32, u32), usize, u8)> = vec![((0, 0), 0, 0)];
    let mut queue = VecDeque::from([0usize]);
    while let Some(at) = queue.pop_front() {
        let Some(((class, form), _, _)) = reached.get(at).copied() else {
            return;
        };
        if shape.class_at(form) == 1
            && let Ok(text) = String::from_utf8(spelled(&reached, at))
            && take(&text)
        {
            return;
        }
        for byte in &bytes {
            let to = (classes.step(class, *byte), shape.step(form, *byte));
            let visits = visits.entry(to).or_default();
            if shape.is_refused(to.1) || *visits == times {
                continue;
            }
            if reached.len() == limits::SAMPLE_STATES {
                return;
            }
            *visits += 1;
            queue.push_back(reached.len());
            reached.push((to, at, *byte));
        }
    }
}

/// One byte for all that neither automaton tells apart.
fn representatives(classes: &Automaton, shape: &Automaton) -> Vec<u8> {
    let mut seen: BTreeMap<(u8, u8), u8> = BTreeMap::new();
    let columns = |byte: u8| (classes.column(byte), shape.column(byte));
    for byte in by_preference() {
        seen.entry(columns(byte)).or_insert(byte);
    }
    let mut bytes: Vec<u8> = Vec::new();
    for byte in by_preference() {
        if seen.remove(&columns(byte)).is_some() {
            bytes.push(byte);
        }
    }
    bytes
}

fn spelled(reached: &[((u32, u32), usize, u8)], mut at: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while at != 0
        && let Some((_, from, byte)) = reached.get(at)
    {
        bytes.push(*byte);
        at = *from;
    }
    bytes.reverse();
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builtins::glob::GlobKind;
    use crate::classes::partition;
    use crate::hir::answer::{View, answer};
    use crate::hir::{Question, Shape};
    use std::collections::BTreeSet;

    fn one_of(texts: &[&str]) -> Question {
        Question::OneOf(texts.iter().map(|t| (*t).into()).collect())
    }

    /// The sample of each class as text, with the questions it answers yes by their number.
    fn shown(kind: Kind<'_>, questions: &[Question]) -> Vec<String> {
        let set: BTreeSet<Question> = questions.iter().cloned().collect();
        let cut = partition(kind.ty, &set).unwrap();
        let mut out = Vec::new();
        for (group, classes) in cut.groups.iter().enumerate() {
            for (class, value) in (0u32..).zip(samples(kind, &classes.classifier, classes.count)) {
                let Some(value) = value else {
                    out.push("-".to_owned());
                    continue;
                };
                let yes = questions.iter().enumerate().filter(|(_, question)| {
                    let held = answer(question, &View::of(&value));
                    if let Some((of, answers)) = cut.answers.get(question)
                        && *of == group
                    {
                        assert_eq!(answers.contains(class), held, "{value:?} {question:?}");
                    }
                    held
                });
                let yes: Vec<String> = yes.map(|(i, _)| i.to_string()).collect();
                let text = match &value {
                    Value::Absent => continue,
                    Value::Num(n) => n.to_string(),
                    other => format!("{:?}", View::of(other)).replace("Text", ""),
                };
                out.push(format!("{text}:{}", yes.join("")));
            }
        }
        out
    }

    fn check(ty: &Ty, part: Option<Part>, questions: &[Question], wanted: &[&str]) {
        assert_eq!(shown(Kind { ty, part }, questions), wanted, "{questions:?}");
    }

    #[test]
    fn numbers_come_from_the_edges() {
        let within = |ranges: &[(i128, i128)]| Question::Within(ranges.to_vec());
        let money = Ty::Money {
            currency: "USD".to_owned(),
            places: 2,
        };
        let over = within(&[(100_001, i128::MAX)]);
        check(
            &money,
            None,
            std::slice::from_ref(&over),
            &["100000:", "100001:0"],
        );
        check(
            &money,
            None,
            &[over, within(&[(5, 9)])],
            &["4:", "5:1", "10:", "100001:0"],
        );
        let safe = limits::SAFE_INTEGER;
        check(
            &Ty::Int,
            None,
            &[within(&[(safe + 1, i128::MAX)])],
            &[&format!("{safe}:"), "-"],
        );
    }

    #[test]
    fn texts_are_values_of_their_type() {
        let string = Ty::String { max: 64 };
        let shape = Question::Shape;
        let under = |d: &str| shape(Shape::UnderHost(d.to_owned()));
        let glob = |kind, p: &str| shape(Shape::Glob(kind, p.to_owned()));
        check(
            &Ty::Host,
            None,
            &[under("acme.com")],
            &["(\"example.com\"):", "(\"acme.com\"):0"],
        );
        check(
            &Ty::Host,
            None,
            &[under("acme.com"), under("a.acme.com"), one_of(&["b.acme.com"])],
            &[
                "(\"example.com\"):",
                "(\"acme.com\"):0",
                "(\"a.acme.com\"):01",
                "(\"b.acme.com\"):02",
            ],
        );
        check(
            &Ty::Host,
            None,
            &[glob(GlobKind::Host, "*.acme.com")],
            &["(\"example.com\"):", "(\"a.acme.com\"):0"],
        );
        check(
            &Ty::Url,
            None,
            &[glob(GlobKind::Url, "https://*.acme.com/*")],
            &["(\"https://example.com/\"):", "(\"https://a.acme.com/\"):0"],
        );
        check(
            &Ty::Path,
            None,
            &[
                shape(Shape::UnderPath("/ws".to_owned())),
                glob(GlobKind::Path, "/ws/**/*.rs"),
            ],
            &["(\"file.txt\"):", "(\"/ws\"):0", "(\"/ws/a.rs\"):01"],
        );
        check(
            &Ty::Email,
            None,
            &[one_of(&["ann@acme.com"])],
            &["(\"someone@example.com\"):", "(\"ann@acme.com\"):0"],
        );
        check(
            &string,
            None,
            &[
                shape(Shape::Regex("[a-z]+-[0-9]{3}".to_owned())),
                shape(Shape::Contains("é".to_owned())),
            ],
            &["(\"\"):", "(\"é\"):1", "(\"a-000\"):0"],
        );
        check(
            &Ty::String { max: 2 },
            None,
            &[shape(Shape::Prefix("long".to_owned())), one_of(&["a", "longer"])],
            &["(\"\"):", "-", "(\"a\"):1", "-"],
        );
    }

    #[test]
    fn intervals_have_whole_units_at_their_ends() {
        let seconds = Ty::Duration {
            unit: Some(crate::ty::Unit::Second),
        };
        assert_eq!(interval(&seconds, &[1_001, 1_500, 2_001], 0), Some((0, 1_000)));
        assert_eq!(interval(&seconds, &[1_001, 1_500, 2_001], 1), None);
        assert_eq!(
            interval(&seconds, &[1_001, 1_500, 2_001], 2),
            Some((2_000, 2_000))
        );
        assert_eq!(whole(&Ty::Int, (i128::MIN, 7)), (i128::MIN, 7));
        assert!(whole(&seconds, (i128::MIN, i128::MAX)).0 <= 0);
    }

    #[test]
    fn parts_fit_the_value_they_are_part_of() {
        let text = Ty::String { max: 8_192 };
        let ask = |shape| Question::Shape(shape);
        check(
            &text,
            Some(Part::Path),
            &[
                ask(Shape::Prefix("/api/".to_owned())),
                ask(Shape::Suffix("x".to_owned())),
            ],
            &["(\"/\"):", "(\"/x\"):1", "(\"/api/\"):0", "(\"/api/x\"):01"],
        );
        check(
            &text,
            Some(Part::Scheme),
            &[one_of(&["https", "gopher"])],
            &["(\"http\"):", "(\"https\"):0"],
        );
        check(
            &text,
            Some(Part::Local),
            &[ask(Shape::Contains(" ".to_owned()))],
            &["(\"someone\"):", "-"],
        );
    }
}
