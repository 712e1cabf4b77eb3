//! Proving what a policy claims of itself. In: a report of a policy without errors. Out: what became of each assertion,
//! and an error for each that does not hold, with a call that shows it, judged by the production evaluator before it
//! is shown. Pure: the same policy gives the same proofs.

mod compat;

use crate::analysis::{self, Outcome};
use crate::artifact::{Digest, digest};
use crate::compile::{Checked, Report};
use crate::diag::Diagnostic;
use crate::diag::codes::{ASSERTION_FAILS, NOT_DECIDED};
use crate::domain::Verdict;
use crate::hir::{Assertion, Case, Cond, Package, canonical_json};
use crate::ir;
use crate::suite::Runner;
use crate::value::Value;

/// What became of one assertion, or of a promise about an earlier policy. Only `prove` makes one.
#[derive(Clone, Debug, PartialEq)]
pub struct Proof {
    /// Its name.
    pub name: String,
    /// What became of it.
    pub outcome: Outcome,
    /// The verdict of the call that breaks it, and the rules that give it.
    pub broken: Option<(Verdict, Vec<String>)>,
    claim: Digest,
}

impl Proof {
    /// The digest of what it says, whatever it is called and wherever it is written.
    pub fn claim(&self) -> Digest {
        self.claim
    }
}

/// Proves every assertion and promise of a policy without errors, and what is claimed of every policy: that no label makes a
/// verdict looser. Adds an error to its report for what is not proved.
pub fn prove(report: &mut Report) -> Vec<Proof> {
    let Some(checked) = &report.checked else {
        return Vec::new();
    };
    let (proofs, mut diagnostics) = found(checked);
    analysis::monotone::check(checked.package(), &mut diagnostics);
    if !diagnostics.is_empty() {
        report.refuse(diagnostics);
    }
    proofs
}

/// What becomes of every assertion of a checked policy, in order, and then of every promise about an earlier one.
pub fn proofs(checked: &Checked) -> Vec<Proof> {
    found(checked).0
}

fn found(checked: &Checked) -> (Vec<Proof>, Vec<Diagnostic>) {
    let (mut proofs, mut diagnostics) = asserted(checked);
    for promise in checked.compats() {
        let (proof, diagnostic) = compat::kept(checked, promise);
        proofs.push(proof);
        diagnostics.extend(diagnostic);
    }
    (proofs, diagnostics)
}

fn asserted(checked: &Checked) -> (Vec<Proof>, Vec<Diagnostic>) {
    if checked.package().assertions.is_empty() {
        return (Vec::new(), Vec::new());
    }
    let package = &checked.package().with_claims();
    let mut runner = Runner::with_assertions(checked);
    let outcomes = analysis::assertions(package, &mut |case| judge(&mut runner, case));
    let mut proofs = Vec::new();
    let mut diagnostics = Vec::new();
    for (assertion, outcome) in package.assertions.iter().zip(outcomes) {
        let broken = match &outcome {
            Outcome::Fails(call) => Some(verdict(&mut runner, call)),
            _ => None,
        };
        diagnostics.extend(report(package, assertion, &outcome, broken.as_ref()));
        proofs.push(Proof {
            name: assertion.name.clone(),
            outcome,
            broken,
            claim: digest::sha256(&ir::claim(package, assertion)),
        });
    }
    (proofs, diagnostics)
}

/// The verdict of the production evaluator, with the request as it was judged; none where the call is refused before.
fn judge(runner: &mut Runner<'_>, case: &Case) -> Option<(Verdict, Value)> {
    let judged = runner.judge(case);
    Some((judged.decision.verdict, judged.record?))
}

fn verdict(runner: &mut Runner<'_>, case: &Case) -> (Verdict, Vec<String>) {
    let decision = runner.judge(case).decision;
    let of = decision
        .matched
        .iter()
        .filter(|rule| rule.verdict == decision.verdict);
    (decision.verdict, of.map(|rule| rule.name.to_string()).collect())
}

fn report(
    package: &Package,
    assertion: &Assertion,
    outcome: &Outcome,
    broken: Option<&(Verdict, Vec<String>)>,
) -> Option<Diagnostic> {
    let name = &assertion.name;
    let claim = format!("verdict {} {}", assertion.order.as_str(), assertion.verdict);
    match outcome {
        Outcome::Holds | Outcome::Declared(_) => None,
        Outcome::Fails(call) => {
            let (verdict, rules) = broken?;
            let message = format!(
                "assertion `{name}` does not hold: a call of `{}` gets `{verdict}`",
                call.tool
            );
            let mut diagnostic = Diagnostic::error(ASSERTION_FAILS, assertion.name_span, message)
                .label(format!("claims `{claim}`"))
                .witness(witness(call));
            let of = package.rules.iter().filter(|rule| rules.contains(&rule.name));
            for rule in of.take(3) {
                diagnostic = diagnostic.also(rule.name_span, format!("this rule gives `{verdict}`"));
            }
            Some(if rules.is_empty() {
                diagnostic
                    .why("no rule speaks of it, so the default counts")
                    .help("add a rule for such calls, or narrow the assertion with `unless`")
            } else {
                diagnostic
                    .help("narrow the rule, or say with `unless` which calls the assertion is not about")
            })
        }
        Outcome::Open(tool) | Outcome::TooLarge(tool) => {
            let number = *tool;
            let tool = package.tools.get(number).map_or("", |tool| tool.name.as_str());
            let message = format!("whether assertion `{name}` holds of `{tool}` was not decided");
            let diagnostic = Diagnostic::error(NOT_DECIDED, assertion.name_span, message);
            Some(match outcome {
                Outcome::Open(_) => diagnostic
                    .why("no proof was found that it does, and no call that shows that it does not")
                    .help("ask about fewer parts of one value at once, or state the claim in smaller ones"),
                _ => diagnostic
                    .why(apart(package, assertion, number))
                    .help("state the claim of fewer tools, or split the rules"),
            })
        }
    }
}

/// Why the calls of a tool were too many to tell.
fn apart(package: &Package, assertion: &Assertion, tool: usize) -> String {
    let of_tool = assertion.on.iter().filter(|(on, _)| *on == tool);
    let conds: Vec<&Cond> = of_tool.map(|(_, cond)| cond).collect();
    analysis::told_apart(package, tool, &conds)
}

/// The call as canonical JSON.
fn witness(call: &Case) -> String {
    canonical_json(&analysis::document(call))
}
