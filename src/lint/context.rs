//! What a lint may look at: the package and the trees it was made of, brought together. In: a checked package. Out:
//! pairs of what was written and what it means, and the questions behind each comparison.

use super::meaning::Calls;
use super::walk::{self, Polarity};
use crate::analysis::idle::Idle;
use crate::classes::Matchers;
use crate::domain::Verdict;
use crate::hir::{self, Atom, Cond, Package, Part, Step};
use crate::source::{Source, Span, Spanned};
use crate::syntax::ast::{self, Expr, ExprKind, Item, Op};
use crate::ty::{Field, Ty};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// A package and its trees.
pub struct Context<'a> {
    /// What the policy means.
    pub package: &'a Package,
    /// The text that is looked at: the policy's, or that of a module of its own.
    pub source: &'a Source,
    /// Its tree.
    pub module: &'a ast::Module,
    /// Whether it is the policy. What a module declares is for others to use.
    pub is_policy: bool,
    /// Rules that change nothing, by index, and why.
    pub idle: &'a [(usize, Idle)],
    rules: BTreeMap<Span, &'a hir::Rule>,
    tools: BTreeMap<Span, (usize, &'a hir::Tool)>,
    atoms: BTreeMap<Span, Vec<Asked<'a>>>,
    /// The rules about each tool, with what they ask on it.
    about: Vec<Vec<(&'a hir::Rule, &'a Cond)>>,
    calls: RefCell<BTreeMap<Span, Rc<Calls<'a>>>>,
    matchers: Rc<RefCell<Matchers>>,
}

/// A question and the tool it is asked on.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The tool's index in the package.
    pub tool: usize,
    /// The question.
    pub atom: &'a Atom,
}

impl<'a> Context<'a> {
    /// Brings together what belongs together. `module` is the tree of `source`, one of the package's.
    pub fn new(
        package: &'a Package,
        (source, module): (&'a Source, &'a ast::Module),
        is_policy: bool,
        idle: &'a [(usize, Idle)],
    ) -> Self {
        let mut atoms: BTreeMap<Span, Vec<Asked<'a>>> = BTreeMap::new();
        for rule in &package.rules {
            for (tool, cond) in &rule.on {
                gather(cond, &mut |atom| {
                    let asked = Asked { tool: *tool, atom };
                    atoms.entry(atom.span).or_default().push(asked);
                });
            }
        }
        let mut about: Vec<Vec<(&hir::Rule, &Cond)>> = vec![Vec::new(); package.tools.len()];
        for rule in &package.rules {
            for (tool, cond) in &rule.on {
                if let Some(about) = about.get_mut(*tool) {
                    about.push((rule, cond));
                }
            }
        }
        let tools = package.tools.iter().enumerate();
        Self {
            package,
            source,
            module,
            is_policy,
            idle,
            rules: package.rules.iter().map(|r| (r.span, r)).collect(),
            tools: tools.map(|(i, t)| (t.span, (i, t))).collect(),
            atoms,
            about,
            calls: RefCell::new(BTreeMap::new()),
            matchers: Rc::default(),
        }
    }

    /// The rules of the file, as written and as meant.
    pub fn rules(&self) -> impl Iterator<Item = (&'a ast::Rule, &'a hir::Rule)> {
        self.module.items.iter().filter_map(|item| match item {
            Item::Rule(rule) => Some((rule, *self.rules.get(&rule.span)?)),
            _ => None,
        })
    }

    /// The limits of the file, as written, each with the rule it is.
    pub fn limits(&self) -> impl Iterator<Item = (&'a ast::Limit, &'a hir::Rule)> {
        self.module.items.iter().filter_map(|item| match item {
            Item::Limit(limit) => Some((limit, *self.rules.get(&limit.span)?)),
            _ => None,
        })
    }

    /// The tools the file declares, as written and as meant, with their index in the package.
    pub fn tools(&self) -> impl Iterator<Item = (&'a ast::Tool, usize, &'a hir::Tool)> {
        self.module.items.iter().filter_map(|item| match item {
            Item::Tool(tool) => {
                let (index, meant) = self.tools.get(&tool.span)?;
                Some((tool, *index, *meant))
            }
            _ => None,
        })
    }

    /// A tool of the package.
    pub fn tool(&self, index: usize) -> Option<&'a hir::Tool> {
        self.package.tools.get(index)
    }

    /// The calls of a tool, to be asked about. What its rules ask is learnt first, since it is asked most.
    pub fn calls(&self, tool: &'a hir::Tool) -> Rc<Calls<'a>> {
        let fresh = || {
            let calls = self.fresh_calls(tool);
            let index = self.package.tools.iter().position(|t| std::ptr::eq(t, tool));
            let about = index.map(|index| self.about(index)).unwrap_or_default();
            about.iter().for_each(|(_, cond)| calls.learn(cond));
            Rc::new(calls)
        };
        Rc::clone(self.calls.borrow_mut().entry(tool.span).or_insert_with(fresh))
    }

    /// The same, for questions that no rule asks together.
    pub fn fresh_calls(&self, tool: &'a hir::Tool) -> Calls<'a> {
        Calls::new(tool, &self.package.context, Rc::clone(&self.matchers))
    }

    /// The rules about a tool, with what they ask on it.
    pub fn about(&self, tool: usize) -> &[(&'a hir::Rule, &'a Cond)] {
        self.about.get(tool).map(Vec::as_slice).unwrap_or_default()
    }

    /// The tools of a rule, each with its index and what the rule asks on it.
    pub fn on(&self, rule: &'a hir::Rule) -> impl Iterator<Item = (usize, &'a hir::Tool, &'a Cond)> {
        let on = rule.on.iter();
        on.filter_map(|(index, cond)| Some((*index, self.tool(*index)?, cond)))
    }

    /// The questions that a comparison asks: one per tool of its rule, and per kind of target.
    pub fn asked(&self, comparison: Span) -> &[Asked<'a>] {
        self.atoms.get(&comparison).map(Vec::as_slice).unwrap_or_default()
    }

    /// What the rules that ask for more than `verdict` ask on a tool.
    pub fn stricter(&self, verdict: Verdict, tool: usize) -> impl Iterator<Item = &'a Cond> {
        let about = self.about(tool).iter();
        about
            .filter(move |(rule, _)| rule.verdict > verdict)
            .map(|(_, cond)| *cond)
    }

    /// The lists a quantifier ranges over, by their place in the arguments, as far as a tool's targets lie in them:
    /// `args.to` and `targets.host`, where the tool declares `effect net.egress to each to.domain`.
    pub fn target_lists(&self, list: &Expr, tool: usize) -> Vec<Vec<Step>> {
        let Some(tool) = self.tool(tool) else {
            return Vec::new();
        };
        let wanted: (Option<&str>, Option<Vec<Step>>) = match &list.kind {
            ExprKind::Field(of, kind) if matches!(&of.kind, ExprKind::Name(n) if n.text == "targets") => {
                (Some(kind.text.as_str()), None)
            }
            _ => match path(list, &tool.args) {
                Some(steps) => (None, Some(steps)),
                None => return Vec::new(),
            },
        };
        let (kind, steps) = wanted;
        let targets = tool.targets.iter();
        let mut lists: Vec<Vec<Step>> = targets
            .filter(|t| kind.is_none_or(|k| t.kind.as_str() == k))
            .filter_map(|t| t.list.clone())
            .filter(|list| steps.as_ref().is_none_or(|steps| steps == list))
            .filter(|list| of(&tool.args, list).is_some_and(is_list))
            .collect();
        lists.sort_unstable();
        lists.dedup();
        lists
    }

    /// The lists that a tool's targets lie in and that every call of it has.
    pub fn required_target_lists(&self, tool: usize) -> Vec<Vec<Step>> {
        let Some(tool) = self.tool(tool) else {
            return Vec::new();
        };
        let lists = tool.targets.iter().filter_map(|t| t.list.clone());
        lists
            .filter(|steps| matches!(of(&tool.args, steps), Some(Ty::List { .. })))
            .collect()
    }

    /// Every comparison of the file, in rules and predicates.
    pub fn comparisons(&self) -> Vec<Comparison<'a, '_>> {
        let mut found = Vec::new();
        walk::expressions(self.module, &mut |expr| {
            found.extend(self.comparison(expr, Polarity::Holds));
        });
        found
    }

    /// The comparisons of a rule, each with what it must do for the rule to match.
    pub fn comparisons_of(&self, rule: &'a ast::Rule) -> Vec<Comparison<'a, '_>> {
        let mut found = Vec::new();
        walk::conditions(rule, &mut |expr, polarity| {
            found.extend(self.comparison(expr, polarity));
        });
        found
    }

    fn comparison(&self, expr: &'a Expr, polarity: Polarity) -> Option<Comparison<'a, '_>> {
        let ExprKind::Compare(left, op, right) = &expr.kind else {
            return None;
        };
        Some(Comparison {
            expr,
            left,
            op,
            right,
            polarity,
            asked: self.asked(left.span.to(right.span)),
        })
    }

    /// The most elements or bytes of what `len` measures, for a question about a length.
    pub fn measured(&self, asked: &Asked<'_>) -> Option<String> {
        let (last, steps) = asked.atom.place.steps.split_last()?;
        if *last != Step::Part(Part::Len) || asked.atom.place.level > 0 {
            return None;
        }
        match of(&self.tool(asked.tool)?.args, steps)?.required() {
            Ty::List { max, .. } => Some(format!("{max} elements")),
            Ty::String { max } => Some(format!("{max} bytes")),
            _ => None,
        }
    }

    /// The text of a place in the file.
    pub fn text(&self, span: Span) -> &'a str {
        self.source.slice(span)
    }
}

/// A comparison as written, and the questions it asks.
pub struct Comparison<'a, 'c> {
    /// The whole of it.
    pub expr: &'a Expr,
    /// The left side.
    pub left: &'a Expr,
    /// The operator.
    pub op: &'a Spanned<Op>,
    /// The right side.
    pub right: &'a Expr,
    /// What it must do for its rule to match; `Holds` where that is not known.
    pub polarity: Polarity,
    /// One question per tool of its rule, and per kind of target.
    pub asked: &'c [Asked<'a>],
}

impl<'a> Comparison<'a, '_> {
    /// The texts on the right, alone or in braces, each with its literal.
    pub fn texts(&self) -> Vec<(&'a str, Span)> {
        let text = |expr: &'a Expr| match &expr.kind {
            ExprKind::String(text) => Some((text.as_str(), expr.span)),
            _ => None,
        };
        match &self.right.kind {
            ExprKind::Set(members) => members.iter().filter_map(text).collect(),
            _ => text(self.right).into_iter().collect(),
        }
    }

    /// Whether it is about a value declared as `String`; the parts of other types are not.
    pub fn is_of_text(&self) -> bool {
        self.asked.iter().any(|asked| {
            let whole = matches!(asked.atom.place.steps.last(), None | Some(Step::Field(_)));
            whole && matches!(asked.atom.ty, Ty::String { .. })
        })
    }
}

/// The steps of `args.a.b`.
fn path(expr: &Expr, args: &[Field]) -> Option<Vec<Step>> {
    match &expr.kind {
        ExprKind::Name(name) if name.text == "args" => Some(Vec::new()),
        ExprKind::Field(outer, name) => {
            let mut steps = path(outer, args)?;
            let fields = match of(args, &steps) {
                None if steps.is_empty() => args,
                Some(ty) => match ty.required() {
                    Ty::Record(fields) => fields,
                    _ => return None,
                },
                None => return None,
            };
            let index = fields.iter().position(|f| f.name == name.text)?;
            steps.push(Step::Field(u32::try_from(index).ok()?));
            Some(steps)
        }
        _ => None,
    }
}

fn is_list(ty: &Ty) -> bool {
    matches!(ty.required(), Ty::List { .. })
}

/// The type at a place; `None` for no steps.
fn of<'t>(args: &'t [Field], steps: &[Step]) -> Option<&'t Ty> {
    let mut fields = args;
    let mut ty = None;
    for step in steps {
        let Step::Field(index) = step else { return None };
        let found = &fields.get(*index as usize)?.ty;
        fields = match found.required() {
            Ty::Record(inner) => inner,
            _ => &[],
        };
        ty = Some(found);
    }
    ty
}

/// Every question of a condition.
pub(super) fn gather<'c>(cond: &'c Cond, out: &mut impl FnMut(&'c Atom)) {
    match cond {
        Cond::Const(_) | Cond::Relation(_) => {}
        Cond::Atom(atom) => out(atom),
        Cond::Not(inner) => gather(inner, out),
        Cond::And(parts) | Cond::Or(parts) => parts.iter().for_each(|part| gather(part, out)),
        Cond::Any { body, .. } => gather(body, out),
    }
}
