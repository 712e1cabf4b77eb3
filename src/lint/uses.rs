//! The names a policy mentions, by what they are names of. In: a tree. Out: sets of names; a name that stands where it
//! might be either counts as both, so that nothing used is called unused.

use super::{Context, walk};
use crate::syntax::ast::{
    Arg, Asked, Delegated, Event, EventKind, Expr, ExprKind, Item, Limit, Module, Name, Selector, TypeExpr,
    TypeKind, TypeParam,
};
use std::collections::BTreeSet;

/// Names by use.
#[derive(Default)]
pub(super) struct Uses<'a> {
    /// Names of types, and what stands before a dot in a condition: an enum may.
    pub types: BTreeSet<&'a str>,
    /// Names in conditions and in what sets join: sets, enum members, variables.
    pub values: BTreeSet<&'a str>,
    /// Predicates and functions.
    pub calls: BTreeSet<&'a str>,
    /// Tools and groups after `on` and in groups.
    pub selected: BTreeSet<&'a str>,
    /// Approvals.
    pub approvals: BTreeSet<&'a str>,
    /// Members of `context`.
    pub context: BTreeSet<&'a str>,
}

/// The names that `declared` finds in a policy and that are not among those it uses in some way; a module's are for those
/// who import it.
pub(super) fn unused<'a>(
    context: &Context<'a>,
    declared: impl Fn(&'a Item) -> Option<Name>,
    used: impl for<'u> Fn(&'u Uses<'a>) -> &'u BTreeSet<&'a str>,
) -> Vec<Name> {
    let module = context.module;
    let items = if context.is_policy {
        module.items.as_slice()
    } else {
        &[]
    };
    let uses = Uses::of(module);
    let used = used(&uses);
    let names = items.iter().filter_map(declared);
    names.filter(|name| !used.contains(name.text.as_str())).collect()
}

impl<'a> Uses<'a> {
    /// Everything a policy mentions.
    pub fn of(module: &'a Module) -> Uses<'a> {
        let mut uses = Uses::default();
        for item in &module.items {
            match item {
                Item::Tool(tool) => uses.args(&tool.args),
                Item::Pred(pred) => uses.args(&pred.params),
                Item::Type(alias) => uses.ty(&alias.ty),
                Item::Set(set) => {
                    uses.ty(&set.ty);
                    for term in &set.terms {
                        walk::each(term, &mut |expr| uses.expr(expr));
                    }
                }
                Item::Context(context) => {
                    let types = context.fields.iter().filter_map(|field| field.ty.as_ref());
                    types.for_each(|ty| uses.ty(ty));
                }
                Item::Group(group) => uses.selectors(&group.selectors),
                Item::Rule(rule) => {
                    uses.selectors(&rule.on);
                    uses.approvals(rule.approval.as_ref());
                }
                Item::Declassify(declared) => uses.approvals(declared.approved.as_ref()),
                Item::Assert(assert) => uses.selectors(&assert.on),
                Item::Delegate(delegate) => {
                    if let Delegated::Region { on, .. } = &delegate.what {
                        uses.selectors(on);
                    }
                }
                Item::Limit(limit) => {
                    uses.selectors(&limit.on);
                    uses.approvals(limit.approval.as_ref());
                    uses.limit(limit);
                }
                Item::Obligation(declared) => declared.params.iter().for_each(|param| uses.ty(&param.ty)),
                Item::Latch(latch) => {
                    for event in std::iter::once(&latch.on).chain(&latch.resets) {
                        uses.event(event);
                        let conditions = event.condition();
                        conditions
                            .into_iter()
                            .for_each(|e| walk::each(e, &mut |expr| uses.expr(expr)));
                    }
                }
                Item::Policy(_)
                | Item::Default(_)
                | Item::Profile(_)
                | Item::Scope(_)
                | Item::Compat(_)
                | Item::Import(_)
                | Item::Lints(_)
                | Item::Effects(_)
                | Item::Enum(_)
                | Item::Label(_)
                | Item::Level(_)
                | Item::Source(_)
                | Item::Role(_)
                | Item::Approval(_)
                | Item::Window(_)
                | Item::Test(_)
                | Item::Examples(_) => {}
            }
        }
        walk::expressions(module, &mut |expr| uses.expr(expr));
        uses
    }

    fn args(&mut self, args: &'a [Arg]) {
        args.iter().for_each(|arg| self.ty(&arg.ty));
    }

    fn ty(&mut self, ty: &'a TypeExpr) {
        match &ty.kind {
            TypeKind::Named(name, params) => {
                self.types.insert(&name.text);
                for param in params {
                    if let TypeParam::Type(inner) = param {
                        self.ty(inner);
                    }
                }
            }
            TypeKind::Enum(_) => {}
            TypeKind::Record(fields) => self.args(fields),
            TypeKind::Optional(inner) => self.ty(inner),
        }
    }

    fn selectors(&mut self, selectors: &'a [Selector]) {
        for selector in selectors {
            if let Selector::Named(name) = selector {
                self.selected.insert(&name.text);
            }
        }
    }

    fn approvals(&mut self, asked: Option<&'a Asked>) {
        let named = asked.map_or(&[][..], Asked::named);
        self.approvals
            .extend(named.iter().map(|named| named.name.text.as_str()));
    }

    fn limit(&mut self, limit: &'a Limit) {
        for name in &limit.by {
            let field = name.text.strip_prefix("context.").unwrap_or(&name.text);
            self.context.insert(field.split('.').next().unwrap_or(field));
        }
    }

    fn event(&mut self, event: &'a Event) {
        if let EventKind::Call {
            on: Some(selector), ..
        } = &event.kind
        {
            self.selectors(std::slice::from_ref(selector));
        }
    }

    fn expr(&mut self, expr: &'a Expr) {
        match &expr.kind {
            ExprKind::History(history) => history.events().into_iter().for_each(|e| self.event(e)),
            ExprKind::Name(name) => {
                self.values.insert(&name.text);
                self.types.insert(&name.text);
            }
            ExprKind::Call(name, _) => {
                self.calls.insert(&name.text);
            }
            ExprKind::Field(of, name) if matches!(&of.kind, ExprKind::Name(n) if n.text == "context") => {
                self.context.insert(&name.text);
            }
            _ => {}
        }
    }
}
