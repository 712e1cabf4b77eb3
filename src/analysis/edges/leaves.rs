//! The conditions of a rule one by one, each with what makes it decide: every part beside it under `and` holds, none under
//! `or` does. In: a condition. Out: its leaves, and conditions that ask for a value of a leaf there.

use crate::hir::{Cond, Place};
use crate::source::Span;

/// A condition asked as one, with what is around it.
pub(super) struct Leaf<'c> {
    /// The condition.
    pub cond: &'c Cond,
    /// Where it is written; none for what stands for a rule without conditions.
    pub span: Option<Span>,
    /// What makes it decide what it is part of: the rule, or the body of the innermost quantifier.
    decides: Vec<Cond>,
    /// Whether what it is part of holds where it does not.
    turned: bool,
    /// The quantifiers around it, the outermost first.
    around: Vec<Around<'c>>,
}

/// A quantifier around a condition.
#[derive(Clone)]
struct Around<'c> {
    list: &'c Place,
    level: u32,
    span: Span,
    body: &'c Cond,
    decides: Vec<Cond>,
    turned: bool,
}

/// The conditions of a rule, in order; the rule itself where it has none.
pub(super) fn leaves(cond: &Cond) -> Vec<Leaf<'_>> {
    let mut out = Vec::new();
    let at = At {
        decides: Vec::new(),
        turned: false,
        around: Vec::new(),
    };
    gather(cond, at, &mut out);
    if out.is_empty() {
        out.push(Leaf {
            cond,
            span: None,
            decides: Vec::new(),
            turned: false,
            around: Vec::new(),
        });
    }
    out
}

#[derive(Clone)]
struct At<'c> {
    decides: Vec<Cond>,
    turned: bool,
    around: Vec<Around<'c>>,
}

fn gather<'c>(cond: &'c Cond, at: At<'c>, out: &mut Vec<Leaf<'c>>) {
    match cond {
        Cond::Const(_) => {}
        Cond::Not(inner) => {
            let turned = !at.turned;
            gather(inner, At { turned, ..at }, out);
        }
        Cond::And(parts) | Cond::Or(parts) => {
            for (number, part) in parts.iter().enumerate() {
                let mut here = at.clone();
                let others = parts.iter().enumerate().filter(|(other, _)| *other != number);
                here.decides.extend(others.map(|(_, other)| match cond {
                    Cond::Or(_) => Cond::Not(Box::new(other.clone())),
                    _ => other.clone(),
                }));
                gather(part, here, out);
            }
        }
        Cond::Atom(_) | Cond::Relation(_) | Cond::Any { .. } => {
            out.push(Leaf {
                cond,
                span: cond.own_place(),
                decides: at.decides.clone(),
                turned: at.turned,
                around: at.around.clone(),
            });
            within(cond, at, out);
        }
    }
}

/// The conditions in the body of a quantifier.
fn within<'c>(cond: &'c Cond, at: At<'c>, out: &mut Vec<Leaf<'c>>) {
    let (
        Some(body),
        Cond::Any {
            list, level, span, ..
        },
    ) = (cond.own_body(), cond)
    else {
        return;
    };
    let mut around = at.around;
    around.push(Around {
        list,
        level: *level,
        span: *span,
        body,
        decides: at.decides,
        turned: at.turned,
    });
    let at = At {
        decides: Vec::new(),
        turned: false,
        around,
    };
    gather(body, at, out);
}

impl Leaf<'_> {
    /// Conditions that ask for something of the leaf, the best one first: that it decides the rule, that it decides the
    /// body it is in, nothing more. `holds` says whether the leaf does where it is as wanted.
    pub fn tries(&self, want: &Cond, holds: bool) -> Vec<Cond> {
        let deciding = and(want, &self.decides);
        let mut tries = vec![self.deciding(want, holds)];
        if !self.around.is_empty() {
            tries.push(self.wrapped(deciding, holds, false));
        }
        if !self.decides.is_empty() || !self.around.is_empty() {
            tries.push(self.wrapped(want.clone(), holds, false));
        }
        tries
    }

    /// The condition that the leaf is as wanted and decides the rule.
    pub fn deciding(&self, want: &Cond, holds: bool) -> Cond {
        self.wrapped(and(want, &self.decides), holds, true)
    }

    /// The condition that some element of each quantifier around is as asked; `strictly` if that is to decide the rule.
    fn wrapped(&self, mut cond: Cond, holds: bool, strictly: bool) -> Cond {
        // Whether the body, or the rule at last, holds.
        let mut holds = holds != self.turned;
        for around in self.around.iter().rev() {
            let some = |body: Cond| Cond::Any {
                list: around.list.clone(),
                level: around.level,
                body: Box::new(body),
                span: around.span,
            };
            cond = some(cond);
            if !strictly {
                continue;
            }
            if !holds {
                let no_other = Cond::Not(Box::new(some(around.body.clone())));
                cond = and(&cond, &[no_other]);
            }
            cond = and(&cond, &around.decides);
            holds = holds != around.turned;
        }
        cond
    }
}

fn and(cond: &Cond, others: &[Cond]) -> Cond {
    let mut parts = vec![cond.clone()];
    parts.extend(others.iter().cloned());
    Cond::And(parts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hir::answer::holds;
    use crate::hir::trees::{asked, tree};
    use crate::value::Value;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_condition_decides_where_it_is_asked_to(tree in tree(), bits in any::<u32>()) {
            let mut count = 0;
            let cond = asked(&tree, &mut count);
            let record = |bits: u32| Value::Record((0..count).map(|i| Value::Bool(bits >> (i % 32) & 1 == 1)).collect());
            let outcome = holds(&cond, &[&record(bits)]);
            for leaf in leaves(&cond) {
                let Some(span) = leaf.span else { continue };
                let flipped = holds(&cond, &[&record(bits ^ 1 << span.start)]);
                let value = holds(leaf.cond, &[&record(bits)]);
                let want = if value { leaf.cond.clone() } else { Cond::Not(Box::new(leaf.cond.clone())) };
                let decides = holds(&leaf.tries(&want, value)[0], &[&record(bits)]);
                prop_assert_eq!(decides, flipped != outcome);
            }
        }
    }
}
