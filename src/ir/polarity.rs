//! Facts and claims: no claim may loosen a verdict. A rule as strict as the default or stricter must not stop matching
//! because of what a caller says. A looser one must not start to, except where another rule, free of claims, matches
//! anyway; nor stop where a rule stays that asks for less, except where a rule free of claims asks for as much; nor stop
//! obliging what no rule free of claims obliges. In: the rules on one tool as written and as asked of its variables. Out:
//! a report per rule that breaks this.

use super::rows::{self, Names};
use crate::diag::Diagnostic;
use crate::diag::codes::CLAIM_LOOSENS;
use crate::domain::Verdict;
use crate::hir::trust::{Claimed, Movement, answered, movement, said, ways, widest};
use crate::hir::{Cond, Package, Rule, Tool};

/// What a claim does that it may not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Harm {
    /// A looser rule starts to match.
    Starts,
    /// A rule stops to ask for its verdict, or for its approvals.
    Stops,
    /// A rule stops to oblige.
    Frees,
}

/// Checks the rules on a tool, which has the slots that `rules` ask about.
pub(super) fn check(
    package: &Package,
    tool: &Tool,
    written: &[(usize, &Cond)],
    rules: &[(usize, Cond)],
    names: &mut impl Names,
    out: &mut Vec<Diagnostic>,
) {
    let known = written
        .iter()
        .zip(rules)
        .filter_map(|((_, written), (index, cond))| {
            Some(Known {
                rule: package.rules.get(*index)?,
                cond,
                moved: movement(written, tool, &package.context),
            })
        });
    let all = All {
        package,
        tool,
        rules: known.collect(),
    };
    for one in &all.rules {
        if let Some((claimed, harm)) = all.harm(one, names) {
            let report = report(package, tool, one.rule, claimed, harm);
            let known = |d: &Diagnostic| d.code == CLAIM_LOOSENS && d.primary.span == report.primary.span;
            if !out.iter().any(known) {
                out.push(report);
            }
        }
    }
}

/// A rule on the tool.
struct Known<'a> {
    rule: &'a Rule,
    cond: &'a Cond,
    moved: Movement,
}

/// All rules on a tool.
struct All<'a> {
    package: &'a Package,
    tool: &'a Tool,
    rules: Vec<Known<'a>>,
}

impl All<'_> {
    /// The claim that does with a rule what it may not.
    fn harm(&self, one: &Known<'_>, names: &mut impl Names) -> Option<(Claimed, Harm)> {
        let rule = one.rule;
        let loosening = rule.verdict < self.package.default.0 && !rule.limit;
        if loosening
            && let Some(claimed) = one.moved.raises
            && self.reaches_alone(one.cond.clone(), |_| true, names)
            && self.matters(one.cond, true, names)
        {
            return Some((claimed, Harm::Starts));
        }
        let claimed = one.moved.lowers?;
        if !self.matters(one.cond, false, names) {
            return None;
        }
        if !loosening || self.leaves_less(one, names) {
            return Some((claimed, Harm::Stops));
        }
        let obliges = |other: &Rule| {
            let mut own = rule.duties.iter();
            own.all(|duty| other.duties.iter().any(|other| other.node == duty.node))
        };
        let frees = !rule.duties.is_empty() && self.reaches_alone(self.widest(one.cond), obliges, names);
        frees.then_some((claimed, Harm::Frees))
    }

    /// Whether a rule that asks for less may stay where the rule stops to match, and none free of claims asks for as much.
    fn leaves_less(&self, one: &Known<'_>, names: &mut impl Names) -> bool {
        let enough = |other: &Rule| asks_as_much(other, one.rule);
        let less = |other: &&Known<'_>| !other.rule.limit && !enough(other.rule);
        self.rules.iter().filter(less).any(|other| {
            let both = Cond::And(vec![self.widest(one.cond), self.widest(other.cond)]);
            self.reaches_alone(both, enough, names)
        })
    }

    /// Whether what is said of claims can make a condition hold, or fail, that otherwise comes out the other way, where no
    /// guard matches.
    fn matters(&self, cond: &Cond, to_hold: bool, names: &mut impl Names) -> bool {
        let Some(said) = said(cond, self.tool, &self.package.context) else {
            return true;
        };
        let Some(all) = ways(&said) else {
            return true;
        };
        let may_be_unsaid = |answers: &&Vec<bool>| {
            let mut each = said.iter().zip(*answers);
            each.all(|(said, answer)| said.unsaid.is_none_or(|unsaid| unsaid == *answer))
        };
        for unsaid in all.iter().filter(may_be_unsaid) {
            for told in &all {
                let [told, unsaid] = [told, unsaid].map(|answers| answered(cond, &said, answers));
                let (holds, fails) = if to_hold { (told, unsaid) } else { (unsaid, told) };
                let moved = Cond::And(vec![holds, Cond::Not(Box::new(fails))]);
                if self.reaches_alone(moved, |_| to_hold, names) {
                    return true;
                }
            }
        }
        false
    }

    fn widest(&self, cond: &Cond) -> Cond {
        widest(cond, self.tool, &self.package.context)
    }

    /// Whether some call meets the condition and that of none of the guards: rules that no claim moves.
    fn reaches_alone(&self, cond: Cond, guards: impl Fn(&Rule) -> bool, names: &mut impl Names) -> bool {
        let guards = self
            .rules
            .iter()
            .filter(|other| other.moved.is_none() && !other.rule.limit && guards(other.rule));
        let guards = Cond::Or(guards.map(|other| other.cond.clone()).collect());
        let alone = Cond::And(vec![cond, Cond::Not(Box::new(guards))]);
        // What is too large to decide is not taken for covered.
        rows::rows(&alone, names).map_or(true, |rows| !rows.is_empty())
    }
}

/// Whether a rule asks for as much as another wherever both match: a stricter verdict, or the same with approvals that
/// are enough for the other's.
fn asks_as_much(rule: &Rule, other: &Rule) -> bool {
    let covered = || {
        let mut asked = other.approvals.iter();
        asked.all(|spec| rule.approvals.iter().any(|own| own.covers(spec)))
    };
    match rule.verdict.cmp(&other.verdict) {
        std::cmp::Ordering::Less => false,
        std::cmp::Ordering::Equal => rule.verdict != Verdict::RequireApproval || covered(),
        std::cmp::Ordering::Greater => true,
    }
}

fn report(package: &Package, tool: &Tool, rule: &Rule, claimed: Claimed, harm: Harm) -> Diagnostic {
    let field = package.context.get(claimed.field as usize);
    let name = field.map_or("", |f| f.field.name.as_str());
    let (default, _) = &package.default;
    let what = match harm {
        Harm::Starts | Harm::Stops => "loosen the verdict on",
        Harm::Frees => "switch off what is obliged of",
    };
    let message = format!("the claim `context.{name}` could {what} `{}`", tool.name);
    let why = match harm {
        Harm::Starts => format!(
            "whoever makes the call says this; saying it makes rule `{}` give `{}` where no rule would have spoken and the default is `{default}`",
            rule.name, rule.verdict
        ),
        Harm::Stops => format!(
            "whoever makes the call says this; saying it keeps rule `{}` from asking for `{}`",
            rule.name, rule.verdict
        ),
        Harm::Frees => format!(
            "whoever makes the call says this; saying it keeps rule `{}` from obliging anything",
            rule.name
        ),
    };
    let help = match harm {
        Harm::Frees => format!(
            "declare `{name}` as a `fact` that the host supplies, or oblige the same in a rule that no claim moves"
        ),
        Harm::Starts | Harm::Stops => format!(
            "declare `{name}` as a `fact` that the host supplies, or turn the rule round so that the claim only tightens"
        ),
    };
    // A predicate asks the same for others; the mistake is the rule's that passes it a claim.
    let own = rule.conditions_span.filter(|own| !own.covers(claimed.span));
    let mut diagnostic = Diagnostic::error(CLAIM_LOOSENS, own.unwrap_or(claimed.span), message)
        .label("the caller decides this")
        .also(rule.name_span, format!("this rule gives `{}`", rule.verdict))
        .why(why)
        .help(help);
    if own.is_some() {
        diagnostic = diagnostic.also(claimed.span, "asked here");
    }
    if let Some(field) = field {
        diagnostic = diagnostic.also(field.span, "declared as a claim here");
    }
    diagnostic
}
