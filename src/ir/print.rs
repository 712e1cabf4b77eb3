//! The printed form of a program, for people and for tests: per tool its variables with their classes, and its rows.

use super::{Program, RuleInfo, Scope};
use crate::builtins;
use crate::classes::Classifier;
use crate::hir::{Part, Step};
use crate::ty::{Field, Ty};
use std::fmt::Write as _;

/// Prints a program.
pub fn print(program: &Program) -> String {
    let mut out = format!(
        "program {} {:?} edition {} profile {} default {} code {}\n",
        program.policy,
        program.version,
        program.edition,
        program.profile,
        program.default.0,
        program.default.1
    );
    for tool in &program.tools {
        let open = if tool.open { ", further arguments" } else { "" };
        let _ = writeln!(out, "\ntool {} ({} rows{open})", tool.name, tool.rows.len());
        let context = program.context.iter().map(|c| c.field.clone()).collect();
        let context = Field {
            name: "context".to_owned(),
            ty: Ty::Record(context),
        };
        let record = tool.args.iter().cloned().chain([context]).collect();
        scope(&mut out, &tool.scope, &Ty::Record(record), 1);
        for (row, rule) in tool.rows.iter().enumerate() {
            if let Some(rule) = program.rules.get(*rule as usize) {
                let obliges = obliges(program, rule);
                let _ = writeln!(
                    out,
                    "  row {row}: {} {} code {}{obliges}",
                    rule.verdict, rule.name, rule.code
                );
            }
        }
    }
    out
}

/// The obligations of a rule, by name.
fn obliges(program: &Program, rule: &RuleInfo) -> String {
    let duties = rule
        .duties
        .iter()
        .filter_map(|at| program.duties.get(*at as usize));
    let kinds = duties.filter_map(|duty| program.obligations.get(duty.kind as usize));
    let names: Vec<&str> = kinds.map(|kind| kind.name.as_str()).collect();
    match names.as_slice() {
        [] => String::new(),
        names => format!(" obliges {}", names.join(", ")),
    }
}

fn scope(out: &mut String, scope: &Scope, ty: &Ty, depth: usize) {
    let indent = "  ".repeat(depth);
    for var in &scope.vars {
        let name = place(ty, &var.steps);
        let _ = writeln!(out, "{indent}var {name}: {}", classifier(&var.classifier));
        for constraint in var.masks.constraints() {
            let classes: Vec<String> = constraint
                .classes
                .iter()
                .map(|c| {
                    if c + 1 == var.count {
                        "absent".to_owned()
                    } else {
                        c.to_string()
                    }
                })
                .collect();
            let _ = writeln!(
                out,
                "{indent}  row {} in {{{}}}",
                constraint.row,
                classes.join(", ")
            );
        }
    }
    for list in &scope.lists {
        let _ = writeln!(out, "{indent}list {}", place(ty, &list.steps));
        self::scope(out, &list.scope, &element(ty, &list.steps), depth + 1);
        for (number, predicate) in list.predicates.iter().enumerate() {
            let _ = writeln!(
                out,
                "{indent}  any {number}: element rows {}..{}",
                predicate.start, predicate.end
            );
            for constraint in predicate.masks.constraints() {
                let wanted = if constraint.classes.contains(1) {
                    "holds"
                } else {
                    "fails"
                };
                let _ = writeln!(out, "{indent}    row {} if it {wanted}", constraint.row);
            }
        }
    }
}

fn classifier(classifier: &Classifier) -> String {
    match classifier {
        Classifier::Any => "there or absent".to_owned(),
        Classifier::Bool => "0 false, 1 true".to_owned(),
        Classifier::Cuts(cuts) => format!("cuts at {cuts:?}"),
        Classifier::Members(members) => format!("member classes {members:?}"),
        Classifier::Texts(texts) => {
            let (known, automaton, other) = texts.parts();
            let known: Vec<String> = known.iter().map(|(t, c)| format!("{t:?} is {c}")).collect();
            let rest = match automaton {
                Some(a) => format!("others by an automaton of {} states", a.classes().len()),
                None => format!("others are {other}"),
            };
            format!("[{}], {rest}", known.join(", "))
        }
    }
}

fn place(ty: &Ty, steps: &[Step]) -> String {
    let mut names: Vec<String> = Vec::new();
    let mut ty = ty.clone();
    for step in steps {
        match step {
            Step::Field(index) => match inner(&ty, *index) {
                Some(field) => {
                    names.push(field.name.clone());
                    ty = field.ty;
                }
                None => names.push(format!("#{index}")),
            },
            Step::Part(part) => names.push(part_name(*part).to_owned()),
        }
    }
    if names.is_empty() {
        "(the element)".to_owned()
    } else {
        names.join(".")
    }
}

fn inner(ty: &Ty, index: u32) -> Option<Field> {
    match ty.required() {
        Ty::Record(fields) => fields.get(index as usize).cloned(),
        Ty::Command | Ty::Sql | Ty::Repo | Ty::Digest | Ty::Cidr => {
            builtins::fields(ty).get(index as usize).cloned()
        }
        _ => None,
    }
}

fn element(ty: &Ty, steps: &[Step]) -> Ty {
    let mut ty = ty.clone();
    for step in steps {
        if let Step::Field(index) = step {
            ty = inner(&ty, *index).map_or(Ty::Poison, |f| f.ty);
        }
    }
    let ty = ty.required();
    ty.element().unwrap_or_else(|| ty.clone())
}

fn part_name(part: Part) -> &'static str {
    match part {
        Part::Scheme => "scheme",
        Part::Host => "host",
        Part::Port => "port",
        Part::Path => "path",
        Part::Query => "query",
        Part::Local => "local",
        Part::Domain => "domain",
        Part::Len => "len",
        Part::Ip => "ip",
    }
}
