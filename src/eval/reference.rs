//! The oracle: walks the typed conditions of a package one by one and collects what matches. Slow, short, and sharing
//! nothing with the index but the typed values. Tests require the two to agree on every verdict, rule and code.

use crate::domain::obligation::Law;
use crate::domain::{ApprovalSpec, LabelOf, Verdict};
use crate::hir::answer::{View, answer, elements, view};
use crate::hir::{Cond, Duty, LabelsOf, Package, Place, Rule, Slot, entry};
use crate::value::Value;

/// What the naive reading of a policy gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The join over every matching rule, or the default.
    pub verdict: Verdict,
    /// Names of the rules that matched, in the order of the sources.
    pub matched: Vec<String>,
    /// Codes of the matching rules that ask for the verdict, or the default's; sorted, distinct.
    pub codes: Vec<String>,
    /// What each rule asks of people that gives the verdict, where it is to ask; the shortest expiry holds for all.
    pub asked: Vec<ApprovalSpec>,
    /// What every matching rule obliges, each value joined by its law.
    pub obliged: Vec<Duty>,
    /// Whether rules that match oblige what cannot be joined; then none of that is in `obliged`.
    pub conflict: bool,
}

/// Judges a call of the tool with this index in the package; nothing has labels that the arguments do not bring along.
pub fn interpret(package: &Package, tool: usize, args: &Value) -> Reference {
    interpret_labelled(package, tool, args, &|_| 0)
}

/// The same of arguments that have labels.
pub fn interpret_labelled(package: &Package, tool: usize, args: &Value, labels: LabelsOf<'_>) -> Reference {
    let request = request(package, tool, args, labels);
    let args = &request;
    let matched: Vec<_> = package
        .rules
        .iter()
        .filter(|rule| {
            rule.on
                .iter()
                .any(|(t, cond)| *t == tool && holds(cond, &mut vec![args]))
        })
        .collect();
    let verdict = matched
        .iter()
        .map(|r| r.verdict)
        .chain(matched.iter().all(|r| r.limit).then_some(package.default.0))
        .max()
        .unwrap_or(package.default.0);
    let mut codes: Vec<String> = matched
        .iter()
        .filter(|r| r.verdict == verdict)
        .map(|r| r.code.clone())
        .collect();
    if matched.iter().all(|r| r.limit) && package.default.0 == verdict {
        codes.push(package.default.1.clone());
    }
    codes.sort();
    codes.dedup();
    let mut asked: Vec<ApprovalSpec> = Vec::new();
    if verdict == Verdict::RequireApproval {
        asked.extend(matched.iter().flat_map(|rule| rule.approvals.clone()));
        let shortest = asked.iter().filter_map(|spec| spec.expires).min();
        asked.iter_mut().for_each(|spec| spec.expires = shortest);
        if matched.is_empty() {
            asked.push(ApprovalSpec::default());
        }
    }
    let speaks = |rule: &&Rule| rule.on.iter().any(|(of, _)| *of == tool);
    let all: Vec<&Rule> = package.rules.iter().filter(speaks).collect();
    let (mut obliged, conflict) = self::obliged(package, &matched);
    let is_looser = |rule: &&&Rule| !rule.limit && rule.verdict < package.default.0;
    if !matched.iter().any(|rule| is_looser(&rule)) {
        // What any rule takes out is taken out.
        let (mut taken, _) = self::obliged(package, &all);
        taken.retain(|duty| duty.place.is_some());
        obliged.retain(|duty| duty.place.is_none());
        obliged.extend(taken);
    }
    Reference {
        obliged,
        conflict,
        asked,
        verdict,
        matched: matched.iter().map(|r| r.name.clone()).collect(),
        codes,
    }
}

/// What the rules oblige: the values of each parameter side by side, and what its law makes of them.
fn obliged(package: &Package, matched: &[&Rule]) -> (Vec<Duty>, bool) {
    let duties: Vec<&Duty> = matched
        .iter()
        .flat_map(|rule| rule.duties.iter().map(|duty| &duty.node))
        .collect();
    let mut obliged: Vec<Duty> = Vec::new();
    let mut conflict = false;
    for (kind, declared) in package.obligations.iter().enumerate() {
        let of_kind = duties.iter().filter(|duty| duty.kind as usize == kind);
        let mut places: Vec<&Option<Vec<String>>> = of_kind.map(|duty| &duty.place).collect();
        places.sort();
        places.dedup();
        for place in places {
            let told = |at: usize| {
                let here = |duty: &&&Duty| duty.kind as usize == kind && duty.place == *place;
                duties
                    .iter()
                    .filter(here)
                    .filter_map(move |duty| duty.values.get(at))
            };
            let values = declared
                .params
                .iter()
                .enumerate()
                .map(|(at, param)| match param.law {
                    Law::Max => told(at).max().cloned(),
                    Law::Min => told(at).min().cloned(),
                    Law::Same => told(at)
                        .all(|v| Some(v) == told(at).next())
                        .then(|| told(at).next().cloned())?,
                    Law::Union => {
                        let all = told(at).flat_map(|value| match value {
                            Value::List(items) => items.to_vec(),
                            one => vec![one.clone()],
                        });
                        let mut all: Vec<Value> = all.collect();
                        all.sort();
                        all.dedup();
                        Some(Value::list(all))
                    }
                });
            match values.collect::<Option<Vec<Value>>>() {
                Some(values) => obliged.push(Duty {
                    kind: u32::try_from(kind).unwrap_or(u32::MAX),
                    place: place.clone(),
                    values,
                }),
                None => conflict = true,
            }
        }
    }
    let is = |duty: &Duty, name: &str| {
        let kind = package.obligations.get(duty.kind as usize);
        kind.is_some_and(|kind| kind.name == name)
    };
    let place = |duty: &Duty| duty.place.clone().unwrap_or_default();
    let redacted: Vec<Vec<String>> = obliged.iter().filter(|d| is(d, "redact")).map(place).collect();
    // Nothing more is said of what lies in a redacted place.
    obliged.retain(|duty| {
        let place = place(duty);
        let adds_nothing = |wide: &Vec<String>| {
            place.starts_with(wide) && (is(duty, "mask") || is(duty, "redact") && *wide != place)
        };
        !redacted.iter().any(adds_nothing)
    });
    (obliged, conflict)
}

/// The arguments with what is looked up in them and the labels they have, where that is not there yet.
fn request(package: &Package, tool: usize, args: &Value, labels: LabelsOf<'_>) -> Value {
    let mut request = args.clone();
    let Some(declared) = package.tools.get(tool) else {
        return request;
    };
    if args
        .fields()
        .is_none_or(|fields| fields.len() != declared.args.len())
    {
        return request;
    }
    let mut push = |value: Option<Value>, slot: Option<&Slot>| {
        let value = match (value, slot) {
            (None, Some(Slot::Lookup { map, key, .. })) => entry(map, key, &request),
            (None, Some(Slot::Each(of))) => of.records(&request, &[], labels),
            (
                None,
                Some(Slot::Label {
                    of: LabelOf::Argument(path),
                    mask,
                }),
            ) => Value::Bool(labels(path) & mask != 0),
            (value, _) => value.unwrap_or(Value::Absent),
        };
        if let Value::Record(fields) = &mut request {
            fields.push(value);
        }
    };
    push(Some(Value::Absent), None);
    declared.slots.iter().for_each(|slot| push(None, Some(slot)));
    request
}

/// Whether a condition holds; `chain` has the arguments first, then the element of each quantifier by its level.
pub fn holds(cond: &Cond, chain: &mut Vec<&Value>) -> bool {
    match cond {
        Cond::Const(b) => *b,
        Cond::Not(inner) => !holds(inner, chain),
        Cond::And(parts) => parts.iter().all(|p| holds(p, chain)),
        Cond::Or(parts) => parts.iter().any(|p| holds(p, chain)),
        Cond::Relation(relation) => relation.holds(chain),
        Cond::Atom(atom) => match base(&atom.place, chain).map(|v| view(v, &atom.place.steps)) {
            None | Some(View::Absent) => atom.when_absent,
            Some(seen) => answer(&atom.test, &seen),
        },
        Cond::Any {
            list, level, body, ..
        } => {
            let Some(outer) = base(list, chain) else {
                return false;
            };
            elements(outer, &list.steps).iter().any(|element| {
                let mut inner = chain.clone();
                inner.resize(*level as usize, element);
                inner.push(element);
                holds(body, &mut inner)
            })
        }
    }
}

fn base<'v>(place: &Place, chain: &[&'v Value]) -> Option<&'v Value> {
    chain.get(place.level as usize).copied()
}
