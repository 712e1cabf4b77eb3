//! A program as canonical bytes: what the bundle carries and the manifest's digest covers. Masks are written as the
//! demands they are built from.

use super::codec::{MAGIC, Writer};
use super::{Constraint, ContextField, List, Masks, Program, RuleInfo, Scope, ToolProgram, VERSION, Var};
use crate::classes::Classifier;
use crate::hir::{Step, TargetSource};
use crate::ty::{Field, Ty};

/// The canonical bytes of a program.
pub fn encode(program: &Program) -> Vec<u8> {
    let mut w = Writer::default();
    w.bytes.extend(MAGIC);
    w.int(u64::from(VERSION));
    w.int(u64::from(program.edition));
    w.text(&program.policy);
    w.text(&program.version);
    w.byte(program.profile as u8);
    w.byte(program.default.0 as u8);
    w.text(&program.default.1);
    w.list(&program.files, |w, file| w.text(file));
    w.list(&program.context, context_field);
    super::window::encode(&mut w, &program.windows);
    super::limit::encode(&mut w, &program.limits);
    super::session::encode_session(&mut w, program);
    w.list(&program.approvals, super::approval::encode);
    w.list(&program.obligations, super::obligation::encode_kind);
    w.list(&program.duties, super::obligation::encode_duty);
    w.list(&program.rules, rule);
    w.list(&program.tools, tool);
    w.bytes
}

/// What stands for the trust in a fact that somebody vouches for; a fact of another kind is written as before there were such.
pub(super) const ATTESTED: u8 = 2;

pub(super) fn context_field(w: &mut Writer, declared: &ContextField) {
    field(w, &declared.field);
    match &declared.attested {
        None => w.byte(declared.trust as u8),
        Some(attested) => {
            w.byte(ATTESTED);
            super::approval::encode_role(w, &attested.by);
            w.int(attested.within);
        }
    }
    w.list(declared.from.as_slice(), |w, from| {
        w.list(from, |w, step| w.text(step))
    });
}

fn rule(w: &mut Writer, rule: &RuleInfo) {
    w.text(&rule.name);
    w.byte(rule.verdict as u8);
    w.byte(u8::from(rule.limit));
    w.text(&rule.code);
    w.list(rule.hint.as_slice(), |w, hint| w.text(hint));
    w.list(&rule.approvals, |w, spec| w.int(u64::from(*spec)));
    w.list(&rule.duties, |w, duty| w.int(u64::from(*duty)));
    w.list(rule.scope.as_slice(), |w, of| {
        w.byte(of.scope as u8);
        w.text(&of.policy);
    });
    for n in [
        rule.file,
        rule.start.line,
        rule.start.column,
        rule.end.line,
        rule.end.column,
    ] {
        w.int(u64::from(n));
    }
}

fn tool(w: &mut Writer, tool: &ToolProgram) {
    w.text(&tool.name);
    w.list(&tool.args, field);
    w.byte(u8::from(tool.open));
    w.list(&tool.targets, target);
    w.list(&tool.uses, |w, field| w.int(u64::from(*field)));
    w.list(&tool.slots, super::slots::encode_slot);
    super::session::encode_tool(w, tool);
    super::limit::encode_tool(w, &tool.limits);
    w.list(&tool.rows, |w, row| w.int(u64::from(*row)));
    scope(w, &tool.scope);
    w.int(tool.steps);
}

pub(super) fn field(w: &mut Writer, field: &Field) {
    w.text(&field.name);
    ty(w, &field.ty);
}

pub(super) fn ty(w: &mut Writer, ty: &Ty) {
    match ty {
        Ty::Bool => w.byte(0),
        Ty::Int => w.byte(1),
        Ty::Decimal { places } => {
            w.byte(2);
            w.int(u64::from(*places));
        }
        Ty::Money { currency, places } => {
            w.byte(3);
            w.text(currency);
            w.int(u64::from(*places));
        }
        Ty::String { max } => {
            w.byte(4);
            w.int(*max);
        }
        Ty::Enum {
            name,
            members,
            ordered,
        } => {
            w.byte(if *ordered { 23 } else { 5 });
            w.text(name);
            w.list(members, |w, m| w.text(m));
        }
        Ty::Path => w.byte(6),
        Ty::Url => w.byte(7),
        Ty::Host => w.byte(8),
        Ty::Email => w.byte(9),
        Ty::Command => w.byte(26),
        Ty::Ip => w.byte(27),
        Ty::Sql => w.byte(28),
        Ty::Repo => w.byte(29),
        Ty::Digest => w.byte(30),
        Ty::Cidr => w.byte(31),
        Ty::List { element, max } => {
            w.byte(10);
            w.int(*max);
            self::ty(w, element);
        }
        Ty::Optional(inner) => {
            w.byte(11);
            self::ty(w, inner);
        }
        Ty::Record(fields) => {
            w.byte(12);
            w.list(fields, field);
        }
        Ty::Duration { unit } => {
            w.byte(20);
            w.list(unit.as_slice(), |w, unit| w.byte(*unit as u8));
        }
        Ty::Instant => w.byte(21),
        Ty::Date => w.byte(22),
        Ty::Set { element, max } => {
            w.byte(24);
            w.int(*max);
            self::ty(w, element);
        }
        Ty::Map { key, value, max } => {
            w.byte(25);
            w.int(*max);
            self::ty(w, key);
            self::ty(w, value);
        }
        // A checked package has no poisoned types; a decoder refuses the tag.
        Ty::Poison => w.byte(255),
    }
}

fn target(w: &mut Writer, target: &TargetSource) {
    w.text(&target.effect);
    w.byte(target.kind as u8);
    w.list(target.list.as_slice(), |w, list| steps(w, list));
    steps(w, &target.steps);
    ty(w, &target.ty);
}

pub(super) fn steps(w: &mut Writer, steps: &[Step]) {
    w.list(steps, |w, step| match step {
        Step::Field(index) => {
            w.byte(0);
            w.int(u64::from(*index));
        }
        Step::Part(part) => {
            w.byte(1);
            w.byte(*part as u8);
        }
    });
}

fn scope(w: &mut Writer, scope: &Scope) {
    w.int(u64::from(scope.rows));
    w.list(&scope.vars, var);
    w.list(&scope.lists, list);
}

fn var(w: &mut Writer, var: &Var) {
    steps(w, &var.steps);
    classifier(w, &var.classifier);
    w.int(u64::from(var.count));
    masks(w, &var.masks);
}

fn classifier(w: &mut Writer, classifier: &Classifier) {
    match classifier {
        Classifier::Any => w.byte(0),
        Classifier::Bool => w.byte(1),
        Classifier::Cuts(cuts) => {
            w.byte(2);
            w.list(cuts, |w, cut| w.wide(*cut));
        }
        Classifier::Members(members) => {
            w.byte(3);
            w.list(members, |w, class| w.int(u64::from(*class)));
        }
        Classifier::Texts(texts) => {
            w.byte(4);
            let (known, automaton, other) = texts.parts();
            w.list(known, |w, (text, class)| {
                w.text(text);
                w.int(u64::from(*class));
            });
            w.int(u64::from(other));
            w.byte(u8::from(automaton.is_some()));
            if let Some(automaton) = automaton {
                let (bytes, stride, next, accept) = automaton.tables();
                w.bytes.extend(bytes);
                w.int(u64::from(stride));
                w.list(accept, |w, class| w.int(u64::from(*class)));
                w.list(&next, |w, state| w.int(u64::from(*state)));
            }
        }
    }
}

fn masks(w: &mut Writer, masks: &Masks) {
    w.list(masks.constraints(), |w, Constraint { row, classes }| {
        w.int(u64::from(*row));
        w.list(&classes.runs(), |w, (start, length)| {
            w.int(u64::from(*start));
            w.int(u64::from(*length));
        });
    });
}

fn list(w: &mut Writer, list: &List) {
    steps(w, &list.steps);
    scope(w, &list.scope);
    w.list(&list.predicates, |w, predicate| {
        w.int(u64::from(predicate.start));
        w.int(u64::from(predicate.end));
        masks(w, &predicate.masks);
    });
}
