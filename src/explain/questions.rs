//! What the rules of a tool ask, by variable: the same questions cut into the same classes as the decision index has,
//! and beside them the lists that quantifiers run over and the comparisons between two values. In: typed conditions.
//! Out: scopes of variables, the request's first.

use crate::classes::{Group, partition};
use crate::hir::{Cond, Place, Question, Relation, Step, Term};
use crate::ty::Ty;
use std::collections::{BTreeMap, BTreeSet};

/// The variables of the request, or of the elements of a list.
#[derive(Default)]
pub(super) struct Scope<'c> {
    /// Variables by place.
    pub variables: BTreeMap<Vec<Step>, Variable>,
    /// Lists by place.
    pub lists: BTreeMap<Vec<Step>, List<'c>>,
    /// Comparisons between values of the request.
    pub relations: Vec<&'c Relation>,
}

/// One variable.
pub(super) struct Variable {
    /// The type of its values.
    pub ty: Ty,
    questions: BTreeSet<Question>,
    /// Its classes.
    pub groups: Vec<Group>,
}

/// A list that quantifiers run over.
pub(super) struct List<'c> {
    /// The number of the scope of its elements.
    pub scope: usize,
    /// What is asked of an element, with the level of its variable.
    pub bodies: Vec<(u32, &'c Cond)>,
}

/// Collects what the conditions ask, and cuts it into classes.
pub(super) fn collect<'c>(conds: impl Iterator<Item = &'c Cond>) -> Vec<Scope<'c>> {
    let mut scopes = vec![Scope::default()];
    for cond in conds {
        gather(cond, &mut BTreeMap::from([(0, 0)]), &mut scopes);
    }
    for variable in scopes.iter_mut().flat_map(|scope| scope.variables.values_mut()) {
        let cut = partition(&variable.ty, &variable.questions);
        variable.groups = cut.map(|cut| cut.groups).unwrap_or_default();
    }
    scopes
}

fn gather<'c>(cond: &'c Cond, chain: &mut BTreeMap<u32, usize>, scopes: &mut Vec<Scope<'c>>) {
    match cond {
        Cond::Const(_) => {}
        Cond::Not(inner) => gather(inner, chain, scopes),
        Cond::And(parts) | Cond::Or(parts) => parts.iter().for_each(|part| gather(part, chain, scopes)),
        Cond::Atom(atom) => {
            let scope = chain.get(&atom.place.level).and_then(|at| scopes.get_mut(*at));
            let Some(scope) = scope else { return };
            let fresh = || Variable {
                ty: atom.ty.clone(),
                questions: BTreeSet::new(),
                groups: Vec::new(),
            };
            let variable = scope
                .variables
                .entry(atom.place.steps.clone())
                .or_insert_with(fresh);
            variable.questions.insert(atom.test.clone());
        }
        Cond::Relation(relation) => {
            if let Some(scope) = scopes.first_mut() {
                scope.relations.push(relation);
            }
            gather_term(&relation.left, chain, scopes);
            gather_term(&relation.right, chain, scopes);
        }
        Cond::Any {
            list, level, body, ..
        } => each(list, *level, Some(body), chain, scopes),
    }
}

fn gather_term<'c>(term: &'c Term, chain: &mut BTreeMap<u32, usize>, scopes: &mut Vec<Scope<'c>>) {
    match term {
        Term::Place(_) | Term::Const(_) | Term::Else(..) => {}
        Term::Add(a, b) | Term::Sub(a, b) => {
            gather_term(a, chain, scopes);
            gather_term(b, chain, scopes);
        }
        Term::Sum { list, level, .. } => each(list, *level, None, chain, scopes),
        Term::Count { list, level, body } => each(list, *level, Some(body), chain, scopes),
    }
}

/// What is asked of each element of a list.
fn each<'c>(
    list: &Place,
    level: u32,
    body: Option<&'c Cond>,
    chain: &mut BTreeMap<u32, usize>,
    scopes: &mut Vec<Scope<'c>>,
) {
    let fresh = scopes.len();
    let Some(outer) = chain.get(&list.level).and_then(|at| scopes.get_mut(*at)) else {
        return;
    };
    let known = outer.lists.entry(list.steps.clone()).or_insert_with(|| List {
        scope: fresh,
        bodies: Vec::new(),
    });
    let inner = known.scope;
    if let Some(body) = body
        && !known.bodies.contains(&(level, body))
    {
        known.bodies.push((level, body));
    }
    if inner == fresh {
        scopes.push(Scope::default());
    }
    let before = chain.insert(level, inner);
    if let Some(body) = body {
        gather(body, chain, scopes);
    }
    match before {
        Some(scope) => chain.insert(level, scope),
        None => chain.remove(&level),
    };
}
