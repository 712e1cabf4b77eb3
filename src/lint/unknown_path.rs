//! `unknown_path`: a rule that forbids some paths of a command line and looks past operands whose path is not known.

use super::{Context, Group, Lint};
use crate::diag::codes::UNKNOWN_PATH;
use crate::diag::{Diagnostic, Level};
use crate::domain::Verdict;
use crate::hir::place;
use crate::hir::{Cond, Place, Question, Rule, Step, Tool};
use crate::source::Span;
use crate::ty::Ty;
use std::collections::BTreeSet;

/// The lint.
pub const LINT: Lint = Lint {
    name: "unknown_path",
    code: UNKNOWN_PATH,
    group: Group::Security,
    level: Level::Warn,
    since: "0.1.0",
    check,
};

fn check(context: &Context<'_>, out: &mut Vec<Diagnostic>) {
    let mut told: BTreeSet<Span> = BTreeSet::new();
    for (_, rule) in context.rules().filter(|(_, rule)| rule.verdict > Verdict::Allow) {
        for (index, tool, cond) in context.on(rule) {
            let passed = asked(tool, cond).into_iter().find(|asked| {
                asked.is_passed_by() && lets_through(context, rule, (index, tool), &asked.list)
            });
            if let Some(asked) = passed
                && told.insert(asked.span)
            {
                out.push(report(rule, &asked));
            }
        }
    }
}

fn report(rule: &Rule, asked: &Asked) -> Diagnostic {
    let message = format!("rule `{}` looks past operands whose path is not known", rule.name);
    LINT.finding(asked.span, message)
        .label("does not hold where the path is missing")
        .why("what `../x` names depends on the folder the line starts in, so it has no path")
        .help("let it match there, too: `not present o.path or o.path under …`")
}

/// A question about the path of an operand or redirection.
struct Asked {
    /// The list they stand in, by its name.
    list: String,
    /// Whether it has to hold for the rule to match.
    holds: bool,
    /// The answer where the path is missing.
    when_absent: bool,
    present: bool,
    span: Span,
}

impl Asked {
    /// Whether the rule does not match where the path is missing.
    fn is_passed_by(&self) -> bool {
        self.holds && !self.when_absent && !self.present
    }

    /// Whether the rule may match because the path is missing.
    fn is_of_missing(&self) -> bool {
        self.holds == self.when_absent
    }
}

/// Whether a call with such an operand may get less than the rule asks for, and no rule as strict stops it.
fn lets_through(context: &Context<'_>, rule: &Rule, (index, tool): (usize, &Tool), list: &str) -> bool {
    let of_list = |cond: &Cond| -> Vec<Asked> {
        let all = asked(tool, cond).into_iter();
        all.filter(|asked| asked.list == list).collect()
    };
    let about = context.about(index);
    let stopped = about
        .iter()
        .filter(|(other, _)| other.verdict > Verdict::Allow)
        .any(|(_, cond)| of_list(cond).iter().any(Asked::is_of_missing));
    let is_open = |verdict: Verdict, cond: &Cond| verdict < rule.verdict && of_list(cond).is_empty();
    let looser = about.iter().any(|(other, cond)| is_open(other.verdict, cond));
    !stopped && (looser || context.package.default.0 < rule.verdict)
}

/// What a condition asks about the paths of operands and redirections of a tool's command lines.
fn asked(tool: &Tool, cond: &Cond) -> Vec<Asked> {
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
    /// It ranges over such a path itself.
    is_path: bool,
}

struct Walk {
    args: Ty,
    open: Vec<Open>,
    found: Vec<Asked>,
}

impl Walk {
    fn of(&mut self, cond: &Cond, holds: bool) {
        match cond {
            Cond::Const(_) | Cond::Relation(_) => {}
            Cond::Not(inner) => self.of(inner, !holds),
            Cond::And(parts) | Cond::Or(parts) => parts.iter().for_each(|part| self.of(part, holds)),
            Cond::Atom(atom) => {
                if let Some(list) = self.path_of(&atom.place) {
                    self.found.push(Asked {
                        list,
                        holds,
                        when_absent: atom.when_absent,
                        present: atom.test == Question::Present,
                        span: atom.span,
                    });
                }
            }
            Cond::Any {
                list, level, body, ..
            } => {
                let Some(open) = self.opened(list, *level) else {
                    return;
                };
                self.open.push(open);
                self.of(body, holds);
                self.open.pop();
            }
        }
    }

    fn opened(&self, list: &Place, level: u32) -> Option<Open> {
        let ty = place::ty_at(self.base(list.level)?, &list.steps)?;
        let path = self.path_of(list);
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
            is_path: path.is_some(),
            list: path.or_else(named),
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
            [] => open.is_path,
            [step @ Step::Field(_)] => place::step(&open.ty, *step).is_some_and(|(name, _)| name == "path"),
            _ => false,
        };
        is_path.then_some(list)
    }
}
