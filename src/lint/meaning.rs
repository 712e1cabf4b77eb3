//! What conditions have to do with one another, told by the classes of values that the index is made of. In:
//! conditions of one tool. Out: yes only where it is certain.

use crate::classes::Matchers;
use crate::hir::answer::{View, answer};
use crate::hir::context::request_ty;
use crate::hir::{Atom, Cond, ContextField, Package, Part, Question, Rule, Shape, Step, Tool};
use crate::ir::solve::Solver;
use crate::limits;
use crate::ty::Ty;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// The calls of one tool. Questions that are asked again cost their classes once.
pub struct Calls<'a> {
    root: Ty,
    solver: RefCell<Solver<'a>>,
    matchers: Rc<RefCell<Matchers>>,
}

impl<'a> Calls<'a> {
    /// The calls of a tool, with what is known about them beside their arguments. `matchers` keeps patterns for others.
    pub fn new(tool: &'a Tool, context: &[ContextField], matchers: Rc<RefCell<Matchers>>) -> Calls<'a> {
        Calls {
            root: request_ty(tool, context),
            solver: RefCell::new(Solver::new(tool)),
            matchers,
        }
    }

    /// Makes ready for questions about a condition.
    pub fn learn(&self, cond: &Cond) {
        self.solver.borrow_mut().learn(&self.bounded(cond));
    }

    /// Whether some call satisfies all of these. What cannot be told counts as no.
    pub fn possible(&self, all: &[&Cond]) -> bool {
        self.ask(all) == Some(true)
    }

    /// Whether certainly no call satisfies all of these.
    pub fn impossible(&self, all: &[&Cond]) -> bool {
        self.ask(all) == Some(false)
    }

    /// Whether every call that satisfies `a` certainly satisfies `b`.
    pub fn implies(&self, a: &Cond, b: &Cond) -> bool {
        a == b || self.impossible(&[a, &not(b)])
    }

    /// Whether a condition tells calls apart, by the classes alone. Where it does not, the compiler has said so.
    pub fn tells(&self, cond: &Cond) -> bool {
        self.answer(&not(cond)) != Some(false)
    }

    fn ask(&self, all: &[&Cond]) -> Option<bool> {
        let all = Cond::And(all.iter().map(|c| (*c).clone()).collect());
        self.answer(&self.bounded(&all))
    }

    fn answer(&self, cond: &Cond) -> Option<bool> {
        let mut solver = self.solver.borrow_mut();
        solver.ask(cond, &mut self.matchers.borrow_mut())
    }

    /// The condition with what the types say of the values it asks about: a value that no `?` is on the way to is there,
    /// and a number lies within its type.
    fn bounded(&self, cond: &Cond) -> Cond {
        let mut types = BTreeMap::from([(0, self.root.clone())]);
        at_level(cond, 0, &mut types)
    }
}

/// Whether two conditions certainly hold of the same calls of a tool.
pub fn same(tool: &Tool, context: &[ContextField], a: &Cond, b: &Cond) -> bool {
    let calls = Calls::new(tool, context, Rc::default());
    let one_way = |a: &Cond, b: &Cond| {
        let both = Cond::And(vec![a.clone(), not(b)]);
        calls.impossible(&[&texts_as_shapes(&both)])
    };
    a == b || (one_way(a, b) && one_way(b, a))
}

/// The negation.
pub fn not(cond: &Cond) -> Cond {
    Cond::Not(Box::new(cond.clone()))
}

/// Whether two packages certainly decide alike, say the same of it, and test the same. Places may differ.
pub fn same_package(a: &Package, b: &Package) -> bool {
    (a.edition, &a.name, &a.version, a.profile, &a.default)
        == (b.edition, &b.name, &b.version, b.profile, &b.default)
        && alike(&a.tools, &b.tools, same_tool)
        && a.obligations == b.obligations
        && alike(&a.context, &b.context, |a, b| {
            (&a.field, a.trust, &a.from, &a.attested) == (&b.field, b.trust, &b.from, &b.attested)
        })
        && alike(&a.rules, &b.rules, |rule, other| same_rule(a, rule, other))
        && alike(&a.assertions, &b.assertions, |claim, other| {
            (&claim.name, claim.order, claim.verdict) == (&other.name, other.order, other.verdict)
                && same_calls(a, &claim.on, &other.on)
        })
        && alike(&a.tests, &b.tests, |a, b| {
            a.name == b.name
                && alike(&a.cases, &b.cases, |a, b| {
                    (
                        &a.tool,
                        &a.args,
                        &a.steps,
                        &a.given,
                        &a.approved,
                        a.verdict,
                        &a.codes,
                        &a.by,
                        &a.duties,
                    ) == (
                        &b.tool,
                        &b.args,
                        &b.steps,
                        &b.given,
                        &b.approved,
                        b.verdict,
                        &b.codes,
                        &b.by,
                        &b.duties,
                    )
                })
        })
}

fn alike<T>(a: &[T], b: &[T], same: impl Fn(&T, &T) -> bool) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
}

fn same_tool(a: &Tool, b: &Tool) -> bool {
    (&a.name, &a.args, &a.effects, &a.targets) == (&b.name, &b.args, &b.effects, &b.targets)
        && (a.open, &a.slots) == (b.open, &b.slots)
}

fn same_rule(package: &Package, a: &Rule, b: &Rule) -> bool {
    (&a.name, a.verdict, &a.code, &a.hint, &a.approvals)
        == (&b.name, b.verdict, &b.code, &b.hint, &b.approvals)
        && alike(&a.duties, &b.duties, |a, b| a.node == b.node)
        && same_calls(package, &a.on, &b.on)
}

fn same_calls(package: &Package, a: &[(usize, Cond)], b: &[(usize, Cond)]) -> bool {
    alike(a, b, |(index, a), (other, b)| {
        let Some(tool) = package.tools.get(*index) else {
            return false;
        };
        index == other && same(tool, &package.context, a, b)
    })
}

/// The condition with known texts as patterns where patterns are asked of the same value: classes tell known texts from
/// all others, but not that a pattern holds of nothing else.
fn texts_as_shapes(cond: &Cond) -> Cond {
    let mut shaped = BTreeSet::new();
    super::context::gather(cond, &mut |atom| {
        if matches!(atom.test, Question::Shape(_)) {
            shaped.insert(atom.place.clone());
        }
    });
    let known = |atom: &Atom| match &atom.test {
        Question::OneOf(texts) if shaped.contains(&atom.place) => {
            let texts: Vec<String> = texts.iter().map(|t| regex_syntax::escape(t)).collect();
            Some(Question::Shape(Shape::Regex(texts.join("|"))))
        }
        _ => None,
    };
    if shaped.is_empty() {
        return cond.clone();
    }
    map(cond, &|cond| match cond {
        Cond::Atom(atom) => Some(Cond::Atom(Atom {
            test: known(atom)?,
            ..atom.clone()
        })),
        _ => None,
    })
}

/// The condition with some parts replaced; what is inside a replaced part is not looked at.
fn map(cond: &Cond, change: &impl Fn(&Cond) -> Option<Cond>) -> Cond {
    if let Some(changed) = change(cond) {
        return changed;
    }
    cond.with_parts(&mut |part| map(part, change))
}

fn at_level(cond: &Cond, level: u32, types: &mut BTreeMap<u32, Ty>) -> Cond {
    let inner = inside(cond, types);
    let mut parts = vec![inner];
    let mut places = BTreeSet::new();
    let mut shaped = BTreeSet::new();
    super::context::gather(cond, &mut |atom| {
        if atom.place.level != level {
            return;
        }
        if places.insert(&atom.place.steps) {
            let root = types.get(&level);
            parts.extend(root.into_iter().flat_map(|root| bounds(root, atom)));
        }
        if matches!(atom.test, Question::Shape(_)) && shaped.insert(&atom.place.steps) {
            // The classes tell bytes apart, and bytes that are no text are no value.
            parts.push(Cond::Atom(Atom {
                // In a group each character is a whole one, see `builtins::regex`.
                test: Question::Shape(Shape::Regex("((?s:.))*".to_owned())),
                when_absent: true,
                ..atom.clone()
            }));
        }
    });
    Cond::And(parts)
}

fn inside(cond: &Cond, types: &mut BTreeMap<u32, Ty>) -> Cond {
    match cond {
        Cond::Const(_) | Cond::Atom(_) | Cond::Relation(_) => cond.clone(),
        Cond::Not(inner) => Cond::Not(Box::new(inside(inner, types))),
        Cond::And(parts) => Cond::And(parts.iter().map(|c| inside(c, types)).collect()),
        Cond::Or(parts) => Cond::Or(parts.iter().map(|c| inside(c, types)).collect()),
        Cond::Any {
            list,
            level,
            body,
            span,
        } => {
            let element = types
                .get(&list.level)
                .and_then(|root| walk(root, &list.steps))
                .map(|(ty, _)| ty.required().element().unwrap_or_else(|| ty.required().clone()));
            let outer = element.and_then(|element| types.insert(*level, element));
            let body = at_level(body, *level, types);
            if let Some(outer) = outer {
                types.insert(*level, outer);
            }
            Cond::Any {
                list: list.clone(),
                level: *level,
                body: Box::new(body),
                span: *span,
            }
        }
    }
}

/// The type some steps away, and whether every value on the way is there; `None` where a part begins.
fn walk<'t>(root: &'t Ty, steps: &[Step]) -> Option<(&'t Ty, bool)> {
    let mut ty = root;
    let mut there = !ty.is_optional();
    for step in steps {
        let (Step::Field(index), Ty::Record(fields)) = (step, ty.required()) else {
            return None;
        };
        ty = &fields.get(*index as usize)?.ty;
        there &= !ty.is_optional();
    }
    Some((ty, there))
}

/// What the types say of the value an atom asks about.
fn bounds(root: &Ty, atom: &Atom) -> Vec<Cond> {
    let steps = &atom.place.steps;
    let fields = steps.iter().take_while(|s| matches!(s, Step::Field(_))).count();
    let Some((ty, there)) = steps.get(..fields).and_then(|steps| walk(root, steps)) else {
        return Vec::new();
    };
    let asked = |test: Question, when_absent: bool| {
        Cond::Atom(Atom {
            test,
            when_absent,
            ..atom.clone()
        })
    };
    let mut out = Vec::new();
    if there {
        out.push(asked(Question::Present, false));
    }
    let range = match (steps.last(), ty.required(), &atom.ty) {
        (Some(Step::Part(Part::Len)), Ty::List { max, .. }, _) => Some((0, i128::from(*max))),
        (Some(Step::Part(Part::Len)), Ty::String { max }, _) => Some((0, i128::from(*max))),
        (Some(Step::Part(Part::Len)), _, _) => Some((0, i128::from(limits::STRING_BYTES))),
        (Some(Step::Part(Part::Port)), _, _) => Some((0, i128::from(u16::MAX))),
        (_, _, Ty::Int) => Some((-limits::SAFE_INTEGER, limits::SAFE_INTEGER)),
        (_, _, Ty::Decimal { .. } | Ty::Money { .. }) => {
            Some((-limits::DECIMAL_MAGNITUDE, limits::DECIMAL_MAGNITUDE))
        }
        _ => None,
    };
    out.extend(range.map(|range| asked(Question::Within(vec![range]), true)));
    out
}

/// The condition where these lists of the arguments have no element, or where each has one that answers every
/// question of a quantifier with `found`.
pub fn with_lists(cond: &Cond, lists: &[Vec<Step>], found: bool) -> Cond {
    map(cond, &|cond| match cond {
        Cond::Any { list, .. } if list.level == 0 && lists.contains(&list.steps) => Some(Cond::Const(found)),
        Cond::Atom(atom) => {
            of_list(atom, lists)?;
            Some(Cond::Const(answer(&atom.test, &View::Num(0))))
        }
        _ => None,
    })
}

/// Whether an atom asks for the length of one of the lists.
fn of_list(atom: &Atom, lists: &[Vec<Step>]) -> Option<()> {
    let (last, list) = atom.place.steps.split_last()?;
    let length = atom.place.level == 0 && *last == Step::Part(Part::Len);
    (length && lists.iter().any(|l| l == list)).then_some(())
}
