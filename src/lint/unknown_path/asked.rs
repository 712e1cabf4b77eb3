//! What a condition asks about the paths of operands and redirections of a tool's command lines. In: a condition, typed.
//! Out: each question, what it has to do for the condition to hold, and its answer where the path is missing.

use crate::hir::place;
use crate::hir::{Cond, Place, Question, Relation, RelationOp, Step, Term, Tool};
use crate::source::Span;
use crate::ty::Ty;
use crate::value::Value;

/// A question about the path of an operand or redirection.
pub(super) struct Asked {
    /// The list they stand in, by its name.
    pub list: String,
    /// Whether it has to hold for the rule to match.
    holds: bool,
    /// The answer where the path is missing.
    when_absent: bool,
    present: bool,
    pub span: Span,
}

impl Asked {
    /// Whether the rule does not match where the path is missing.
    pub fn is_passed_by(&self) -> bool {
        self.holds && !self.when_absent && !self.present
    }

    /// Whether the rule may match because the path is missing.
    pub fn is_of_missing(&self) -> bool {
        self.holds == self.when_absent
    }
}

/// The questions of a condition, in order.
pub(super) fn asked(tool: &Tool, cond: &Cond) -> Vec<Asked> {
    let mut walk = Walk {
        args: Ty::Record(tool.args.clone()),
        open: Vec::new(),
        found: Vec::new(),
    };
    walk.of(cond, true);
    walk.found
}

/// An open quantifier.
struct Open {
    level: u32,
    ty: Ty,
    /// The list of a command line whose elements have a path, where it ranges over one.
    list: Option<String>,
}

struct Walk {
    args: Ty,
    open: Vec<Open>,
    found: Vec<Asked>,
}

impl Walk {
    fn of(&mut self, cond: &Cond, holds: bool) {
        match cond {
            Cond::Const(_) => {}
            Cond::Relation(relation) => self.relation(relation, holds),
            Cond::Not(inner) => self.of(inner, !holds),
            Cond::And(parts) | Cond::Or(parts) => parts.iter().for_each(|part| self.of(part, holds)),
            Cond::Atom(atom) => self.see(
                &atom.place,
                (holds, atom.when_absent, atom.test == Question::Present),
                atom.span,
            ),
            Cond::Any {
                list,
                level,
                body,
                span,
            } => {
                // `any p in o.path` does not hold where there is none, whatever its body asks.
                self.see(list, (holds, false, **body == Cond::Const(true)), *span);
                self.inside(list, *level, |walk| walk.of(body, holds));
            }
        }
    }

    fn see(&mut self, place: &Place, (holds, when_absent, present): (bool, bool, bool), span: Span) {
        if let Some(list) = self.path_of(place) {
            self.found.push(Asked {
                list,
                holds,
                when_absent,
                present,
                span,
            });
        }
    }

    fn inside(&mut self, list: &Place, level: u32, look: impl FnOnce(&mut Self)) {
        if let Some(open) = self.opened(list, level) {
            self.open.push(open);
            look(self);
            self.open.pop();
        }
    }

    /// A comparison does not hold where a side is missing, and a greater number is what its right side wants.
    fn relation(&mut self, relation: &Relation, holds: bool) {
        let zero = |term: &Term| *term == Term::Const(Value::Num(0));
        let (left, right) = match relation.op {
            // Equal to nothing is at most nothing.
            RelationOp::Equal => (holds != zero(&relation.right), holds != zero(&relation.left)),
            RelationOp::Less | RelationOp::LessOrEqual => (!holds, holds),
            RelationOp::Under => (holds, holds),
        };
        for (term, grows) in [(&relation.left, left), (&relation.right, right)] {
            if let Term::Place(place) = term {
                self.see(place, (holds, false, false), relation.span);
            }
            self.term(term, grows);
        }
    }

    /// What a number is made of; `grows` where more of it makes the rule match.
    fn term(&mut self, term: &Term, grows: bool) {
        match term {
            Term::Place(_) | Term::Const(_) | Term::Else(..) => {}
            Term::Add(a, b) => {
                self.term(a, grows);
                self.term(b, grows);
            }
            Term::Sub(a, b) => {
                self.term(a, grows);
                self.term(b, !grows);
            }
            Term::Sum { list, level, term } => {
                self.inside(list, *level, |walk| walk.term(term, grows));
            }
            Term::Count { list, level, body } => {
                self.inside(list, *level, |walk| walk.of(body, grows));
            }
        }
    }

    fn opened(&self, list: &Place, level: u32) -> Option<Open> {
        let ty = place::ty_at(self.base(list.level)?, &list.steps)?;
        let named = || {
            let (last, before) = list.steps.split_last()?;
            let of = place::ty_at(self.base(list.level)?, before)?;
            let (name, _) = place::step(&of, *last)?;
            let is_line = match &of {
                Ty::Command => name == "redirects",
                Ty::Record(fields) => name == "operands" && fields.iter().any(|f| f.name == "via"),
                _ => false,
            };
            is_line.then(|| name.to_owned())
        };
        Some(Open {
            level,
            ty: ty.element().unwrap_or(ty),
            list: named(),
        })
    }

    fn base(&self, level: u32) -> Option<&Ty> {
        if level == 0 {
            return Some(&self.args);
        }
        let open = self.open.iter().rev().find(|open| open.level == level);
        open.map(|open| &open.ty)
    }

    /// The list whose element's path this place is.
    fn path_of(&self, place: &Place) -> Option<String> {
        let open = self.open.iter().rev().find(|open| open.level == place.level)?;
        let list = open.list.clone()?;
        let is_path = match place.steps.as_slice() {
            [step @ Step::Field(_)] => place::step(&open.ty, *step).is_some_and(|(name, _)| name == "path"),
            _ => false,
        };
        is_path.then_some(list)
    }
}
