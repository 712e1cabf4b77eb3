//! Names in reach of a condition: the tool's arguments, quantifier variables, and which optionals are known to be
//! there. Walking a name to a `Place` happens here and nowhere else.

use super::env::Env;
use super::names::Names;
use super::{ContextField, Part, Place, Slot, Step, TargetKind, Tool, context};
use crate::builtins::{self, Doc, cidr, command, digest, repo, sql};
use crate::syntax::ast::{Expr, ExprKind};
use crate::ty::{Field, Ty};

/// A value found by name: where it is and what it is.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub place: Place,
    pub ty: Ty,
    /// An optional on the way is not known to be there.
    pub maybe_absent: bool,
}

/// What a condition may refer to.
#[derive(Clone)]
pub(super) struct Scope<'a> {
    pub tool: &'a Tool,
    pub context: &'a [ContextField],
    /// What the gate computes; a predicate checked on its own asks for nothing.
    pub env: Option<&'a Env<'a>>,
    /// The tool, by index.
    pub index: usize,
    /// The list each open quantifier ranges over, by its level.
    pub lists: Vec<(u32, Place)>,
    pub names: &'a Names<'a>,
    /// The predicate whose condition this is; it sees only what is passed to it.
    pub within: Option<String>,
    /// Constants passed to it, by parameter.
    constants: Vec<(String, Expr)>,
    pub variables: Vec<(String, Found)>,
    pub level: u32,
    /// Optionals known to be there, because a `present` to the left says so.
    pub present: Vec<Place>,
}

impl<'a> Scope<'a> {
    pub fn new(tool: &'a Tool, names: &'a Names<'a>, context: &'a [ContextField]) -> Self {
        Self {
            tool,
            context,
            env: None,
            index: 0,
            lists: Vec::new(),
            names,
            within: None,
            constants: Vec::new(),
            variables: Vec::new(),
            level: 0,
            present: Vec::new(),
        }
    }

    /// The scope of a rule's condition on the tool with this index.
    pub fn of(index: usize, env: &'a Env<'a>, names: &'a Names<'a>) -> Option<Scope<'a>> {
        let tool = env.catalogue.tools.get(index)?;
        Some(Scope {
            env: Some(env),
            index,
            ..Scope::new(tool, names, env.context)
        })
    }

    /// The place of what the gate computes.
    pub fn slot(&self, slot: Slot) -> Place {
        match self.env {
            Some(env) => env.slot(self.index, slot),
            // Reported: there is nothing to compute for.
            None => Place {
                level: 0,
                steps: Vec::new(),
            },
        }
    }

    /// The scope of a predicate's condition: what is passed, and what is known to be there.
    pub fn inside(
        &self,
        pred: &str,
        variables: Vec<(String, Found)>,
        constants: Vec<(String, Expr)>,
    ) -> Scope<'a> {
        Scope {
            within: Some(pred.to_owned()),
            variables,
            constants,
            ..self.clone()
        }
    }

    /// The constant a parameter stands for, or the expression itself.
    pub fn resolved<'e>(&'e self, expr: &'e Expr) -> &'e Expr {
        let ExprKind::Name(name) = &expr.kind else {
            return expr;
        };
        if self.variable(&name.text).is_some() {
            return expr;
        }
        let passed = self.constants.iter().find(|(param, _)| *param == name.text);
        passed.map_or(expr, |(_, constant)| constant)
    }

    /// The arguments as a record.
    pub fn args(&self) -> Found {
        Found {
            place: Place {
                level: 0,
                steps: Vec::new(),
            },
            ty: Ty::Record(self.tool.args.clone()),
            maybe_absent: false,
        }
    }

    /// The context as a record; it follows the arguments.
    pub fn context(&self) -> Found {
        let index = u32::try_from(self.tool.args.len()).unwrap_or(u32::MAX);
        Found {
            place: Place {
                level: 0,
                steps: vec![Step::Field(index)],
            },
            ty: context::record(self.context),
            maybe_absent: false,
        }
    }

    pub fn variable(&self, name: &str) -> Option<&Found> {
        self.variables
            .iter()
            .rev()
            .find(|(n, _)| n == name)
            .map(|(_, f)| f)
    }

    /// The scope of a quantifier's body.
    pub fn bind(&self, name: &str, found: Found, level: u32, list: Option<&Place>) -> Scope<'a> {
        let mut inner = self.clone();
        inner.lists.extend(list.map(|list| (level, list.clone())));
        inner.variables.push((name.to_owned(), found));
        inner.level = level;
        inner
    }

    /// Counts an optional as there.
    pub fn know_present(&mut self, place: Place) {
        self.present.push(place);
    }

    pub fn is_known(&self, place: &Place) -> bool {
        self.present.contains(place)
    }

    /// The field or part `name` of a value; `None` when it has none of that name.
    pub fn member(&self, of: &Found, name: &str) -> Option<Found> {
        let known = self.is_known(&of.place);
        let maybe_absent = of.maybe_absent || (of.ty.is_optional() && !known);
        let (step, ty) = member_of(of.ty.required(), name)?;
        let mut place = of.place.clone();
        place.steps.push(step);
        Some(Found {
            place,
            ty,
            maybe_absent,
        })
    }
}

/// The step to a field or part of a type, and its type.
pub(super) fn member_of(ty: &Ty, name: &str) -> Option<(Step, Ty)> {
    let part = |p: Part, ty: Ty| Some((Step::Part(p), ty));
    let text = || Ty::String {
        max: crate::limits::URL_BYTES as u64,
    };
    match (ty, name) {
        (Ty::Record(fields), _) => field_of(fields, name),
        (Ty::Command | Ty::Sql | Ty::Repo | Ty::Digest | Ty::Cidr, _) => {
            field_of(&builtins::fields(ty), name)
        }
        (Ty::Url, "scheme") => part(Part::Scheme, text()),
        (Ty::Url, "host") => part(Part::Host, Ty::Host),
        (Ty::Host, "ip") => part(Part::Ip, Ty::Optional(Box::new(Ty::Ip))),
        (Ty::Url, "port") => part(Part::Port, Ty::Int),
        (Ty::Url, "path") => part(Part::Path, text()),
        (Ty::Url, "query") => part(Part::Query, text()),
        (Ty::Email, "local") => part(Part::Local, text()),
        (Ty::Email, "domain") => part(Part::Domain, Ty::Host),
        (Ty::Poison, _) => Some((Step::Field(0), Ty::Poison)),
        _ => None,
    }
}

fn field_of(fields: &[Field], name: &str) -> Option<(Step, Ty)> {
    let index = fields.iter().position(|f| f.name == name)?;
    let step = Step::Field(u32::try_from(index).ok()?);
    Some((step, fields.get(index)?.ty.clone()))
}

/// The names `member_of` knows for a type.
pub(super) fn member_names(ty: &Ty) -> Vec<&str> {
    let parts = |doc: &'static Doc| doc.parts.iter().map(|(name, _)| *name).collect();
    match ty {
        Ty::Record(fields) => fields.iter().map(|f: &Field| f.name.as_str()).collect(),
        Ty::Url => vec!["scheme", "host", "port", "path", "query"],
        Ty::Email => vec!["local", "domain"],
        Ty::Host => vec!["ip"],
        Ty::Command => parts(&command::DOC),
        Ty::Sql => parts(&sql::DOC),
        Ty::Repo => parts(&repo::DOC),
        Ty::Digest => parts(&digest::DOC),
        Ty::Cidr => parts(&cidr::DOC),
        _ => Vec::new(),
    }
}

/// The kind of target a type names.
pub(super) fn target_kind(ty: &Ty) -> Option<TargetKind> {
    match ty {
        Ty::Host => Some(TargetKind::Host),
        Ty::Url => Some(TargetKind::Url),
        Ty::Path => Some(TargetKind::Path),
        Ty::Email => Some(TargetKind::Email),
        Ty::String { .. } | Ty::Enum { .. } => Some(TargetKind::Name),
        _ => None,
    }
}
