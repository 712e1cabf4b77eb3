//! What a decision obliges to: the duties of the rules that matched, each obligation once. In: duties. Out: obligations in
//! one order, and the name of one whose values cannot be joined.

use crate::builtins::bind;
use crate::domain::{Obligation, obligation};
use crate::hir::{Duty, ObligationKind};
use crate::ir::{Program, RuleInfo, ToolProgram};
use crate::json::{Json, Text};
use crate::value::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What duties come to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Joined {
    /// The obligations; sorted, one of a name and place.
    pub obligations: Vec<Obligation>,
    /// The first obligation that rules tell different things; it is none of those above.
    pub conflict: Option<String>,
}

/// What is joined: the duties of one obligation about one place.
type Key<'d> = (u32, &'d Option<Vec<String>>);

/// Joins duties. Their order means nothing.
pub fn join<'d>(kinds: &[ObligationKind], duties: impl Iterator<Item = &'d Duty>) -> Joined {
    let mut open: BTreeMap<Key<'d>, Option<Vec<Value>>> = BTreeMap::new();
    for duty in duties {
        let Some(kind) = kinds.get(duty.kind as usize) else {
            continue;
        };
        let values = open
            .entry((duty.kind, &duty.place))
            .or_insert_with(|| Some(duty.values.clone()));
        *values = values
            .as_ref()
            .and_then(|values| kind.join(values, &duty.values).ok());
    }
    let mut joined = Joined::default();
    for ((kind, place), values) in open {
        let Some(kind) = kinds.get(kind as usize) else {
            continue;
        };
        match values {
            Some(values) => joined.obligations.push(obligation(kind, place, &values)),
            None => joined.conflict = joined.conflict.or(Some(kind.name.clone())),
        }
    }
    joined.obligations = outermost(joined.obligations);
    joined
}

/// What a call of a tool obliges to that these rules match. Unless one of them makes it looser, what any rule on the tool
/// takes out of what is kept is taken out of it, too: a rule that only blocks says nothing of what may be kept.
pub fn of_matched(program: &Program, tool: &ToolProgram, rules: &[&RuleInfo], is_loosened: bool) -> Joined {
    let duties = rules.iter().flat_map(|rule| &rule.duties);
    let duties = duties.filter_map(|number| program.duties.get(*number as usize));
    let joined = join(&program.obligations, duties.clone());
    if is_loosened {
        return joined;
    }
    let all = duties.chain(taken_out(program, Some(tool)));
    Joined {
        obligations: join(&program.obligations, all).obligations,
        ..joined
    }
}

/// Whether one of some rules that match makes a call looser than the default.
pub fn is_loosened<'r>(program: &Program, mut rules: impl Iterator<Item = &'r RuleInfo>) -> bool {
    rules.any(|rule| !rule.limit && rule.verdict < program.default.0)
}

/// What a call obliges to of which no rule speaks: what any rule on its tool takes out of what is kept is taken out of it,
/// too. Where nobody knows the tool that is any rule.
pub fn of_none(program: &Program, tool: Option<&ToolProgram>) -> Vec<Obligation> {
    join(&program.obligations, taken_out(program, tool)).obligations
}

/// What rules on a tool take out of what is kept.
fn taken_out<'p>(program: &'p Program, tool: Option<&ToolProgram>) -> impl Iterator<Item = &'p Duty> {
    let takes_out = |duty: &&Duty| duty.place.is_some();
    let numbers: BTreeSet<usize> = match tool {
        // Most policies have none.
        _ if !program.duties.iter().any(|duty| takes_out(&duty)) => BTreeSet::new(),
        Some(tool) => tool.rows.iter().map(|rule| *rule as usize).collect(),
        None => (0..program.rules.len()).collect(),
    };
    let rules = numbers.into_iter().filter_map(|number| program.rules.get(number));
    let duties = rules.flat_map(|rule| &rule.duties);
    let duties = duties.filter_map(|number| program.duties.get(*number as usize));
    duties.filter(takes_out)
}

/// The same of a call whose arguments are wrong, or whose tool nobody knows: where something would be taken out, all of it
/// is, since what belongs there may stand anywhere.
pub fn of_unread(program: &Program, tool: Option<&ToolProgram>) -> Vec<Obligation> {
    let all = Obligation {
        name: obligation::REDACT.to_owned(),
        place: Some(Vec::new()),
        params: Vec::new(),
    };
    let none = of_none(program, tool).is_empty();
    (!none).then_some(all).into_iter().collect()
}

/// What is redacted says all about what lies in it: a mask there, and another redaction, add nothing.
fn outermost(all: Vec<Obligation>) -> Vec<Obligation> {
    let whole: Vec<Vec<String>> = redacted(&all).cloned().collect();
    let adds = |one: &Obligation| {
        let within = |wide: &Vec<String>| {
            let place = one.place.as_deref().unwrap_or_default();
            place.starts_with(wide) && (one.name == obligation::MASK || place.len() > wide.len())
        };
        !(one.is_transform() && whole.iter().any(within))
    };
    all.into_iter().filter(adds).collect()
}

fn redacted(all: &[Obligation]) -> impl Iterator<Item = &Vec<String>> {
    let whole = all.iter().filter(|one| one.name == obligation::REDACT);
    whole.filter_map(|one| one.place.as_ref())
}

fn obligation(kind: &ObligationKind, place: &Option<Vec<String>>, values: &[Value]) -> Obligation {
    let told = kind.params.iter().zip(values);
    let told = told.map(|(param, value)| {
        let json = bind::to_json(value, &param.field.ty);
        (param.field.name.as_str().into(), json)
    });
    let mut params: Vec<(Text, Json)> = told.collect();
    params.sort_by(|(a, _), (b, _)| a.cmp(b));
    Obligation {
        name: kind.name.clone(),
        place: place.clone(),
        params,
    }
}

#[cfg(test)]
mod tests {
    use super::join;
    use crate::domain::obligation::Law;
    use crate::hir::{Duty, ObligationKind, Param, Subject};
    use crate::ty::{Field, Ty};
    use crate::value::Value;
    use proptest::prelude::*;

    /// One obligation that is told a number by each of the laws.
    fn kinds() -> Vec<ObligationKind> {
        let set = Ty::Set {
            element: Box::new(Ty::Int),
            max: 8,
        };
        let param = |law: Law| Param {
            field: Field {
                name: law.as_str().to_owned(),
                ty: if law == Law::Union { set.clone() } else { Ty::Int },
            },
            law,
        };
        let of = |name: &str, laws: &[Law]| ObligationKind {
            name: name.to_owned(),
            subject: Subject::Call,
            params: laws.iter().copied().map(param).collect(),
        };
        let law = [Law::Max, Law::Min, Law::Union];
        vec![of("all", &Law::ALL), of("joined", &law)]
    }

    fn duty() -> impl Strategy<Value = Duty> {
        let place = prop::sample::select(&[None, Some("a"), Some("b")][..]);
        let set = prop::collection::btree_set(0i128..4, 1..4);
        (0u32..2, place, 0i128..4, 0i128..4, set, 0i128..10).prop_map(|(kind, place, max, min, set, same)| {
            let set = set.into_iter().map(Value::Num).collect();
            let mut values = vec![Value::Num(max), Value::Num(min), Value::list(set)];
            // Most are equal, or nothing would ever be joined.
            values.extend((kind == 0).then_some(Value::Num(i128::from(same == 0))));
            Duty {
                kind,
                place: place.map(|name| vec![name.to_owned()]),
                values,
            }
        })
    }

    /// A set of all is a value of its type, or nothing is.
    #[test]
    fn a_set_never_holds_more_than_its_type() {
        let kinds = kinds();
        let tell = |from: i128| Duty {
            kind: 1,
            place: None,
            values: vec![
                Value::Num(0),
                Value::Num(0),
                Value::list((from..from + 3).map(Value::Num).collect()),
            ],
        };
        let duties = [tell(0), tell(3), tell(6)];
        assert_eq!(join(&kinds, duties[..2].iter()).conflict, None);
        let over = join(&kinds, duties.iter());
        assert_eq!(over.conflict.as_deref(), Some("joined"));
        assert!(over.obligations.is_empty());
    }

    proptest! {
        /// What rules oblige does not depend on their order, on how often they say it, or on which are joined first.
        #[test]
        fn joining_is_associative_commutative_and_idempotent(
            duties in prop::collection::vec(duty(), 0..8),
            order in any::<prop::sample::Index>(),
            (a, b, c) in (duty(), duty(), duty()),
        ) {
            let kinds = kinds();
            let joined = join(&kinds, duties.iter());
            let mut turned = duties.clone();
            turned.rotate_left(if duties.is_empty() { 0 } else { order.index(duties.len()) });
            turned.reverse();
            prop_assert_eq!(&join(&kinds, turned.iter()), &joined);
            prop_assert_eq!(&join(&kinds, duties.iter().chain(&turned)), &joined);
            let kind = &kinds[1];
            let of = |duty: &Duty| duty.values[..3].to_vec();
            let both = |a: &[Value], b: &[Value]| kind.join(a, b).unwrap();
            let (a, b, c) = (of(&a), of(&b), of(&c));
            prop_assert_eq!(both(&both(&a, &b), &c), both(&a, &both(&b, &c)));
            prop_assert_eq!(both(&a, &a), a);
        }
    }
}
