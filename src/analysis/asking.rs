//! Questions about the calls of one tool: answered with decision diagrams, and where those would be too large, asked again of
//! circuits. In: a tool, conditions, a question. Out: its answer, or that neither could tell.

use super::diagram::TooLarge;
use super::related::Known;
use super::{Decided, Means};
use crate::classes::Matchers;
use crate::hir::{Cond, Package};

/// Questions about one tool, with further conditions on it.
pub(super) struct Asking<'p, 'c> {
    package: &'p Package,
    tool: usize,
    also: &'c [&'c Cond],
    known: Known,
    diagrams: Option<Result<Decided<'p>, TooLarge>>,
    circuits: Option<Result<Decided<'p>, TooLarge>>,
}

impl<'p, 'c> Asking<'p, 'c> {
    /// About a tool, by number.
    pub fn about(package: &'p Package, tool: usize, also: &'c [&'c Cond]) -> Asking<'p, 'c> {
        Asking::knowing(package, tool, also, Known::ALL)
    }

    /// The same where only some labels come from the sources of the package.
    pub fn knowing(package: &'p Package, tool: usize, also: &'c [&'c Cond], known: Known) -> Asking<'p, 'c> {
        Asking {
            package,
            tool,
            also,
            known,
            diagrams: None,
            circuits: None,
        }
    }

    /// Asks a question; it may be asked twice.
    pub fn ask<T>(
        &mut self,
        matchers: &mut Matchers,
        question: &mut dyn FnMut(&mut Decided<'p>) -> Result<T, TooLarge>,
    ) -> Result<T, TooLarge> {
        let both = [
            (&mut self.diagrams, Means::DIAGRAMS),
            (&mut self.circuits, Means::CIRCUITS),
        ];
        for (decided, means) in both {
            let (package, tool, also, known) = (self.package, self.tool, self.also, self.known);
            let decided =
                decided.get_or_insert_with(|| Decided::with(package, tool, also, (known, means), matchers));
            if let Ok(decided) = decided
                && let Ok(answer) = question(decided)
            {
                return Ok(answer);
            }
        }
        Err(TooLarge)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::diagram::Function;
    use crate::compile;

    const POLICIES: [&str; 5] = [
        include_str!("../../policies/agentdojo-banking/policy.gaitpol"),
        include_str!("../../policies/agentdojo-slack/policy.gaitpol"),
        include_str!("../../policies/injecagent/policy.gaitpol"),
        include_str!("../../policies/starter/policy.gaitpol"),
        include_str!("../../policies/tau-retail/policy.gaitpol"),
    ];

    #[test]
    fn circuits_and_diagrams_tell_the_same_of_policies() {
        let mut told = 0;
        for text in POLICIES {
            let report = compile::check("p.gaitpol", text);
            let Some(checked) = report.checked else { continue };
            let package = checked.package();
            let mut matchers = Matchers::default();
            for tool in 0..package.tools.len() {
                let mut reached = [Means::DIAGRAMS, Means::CIRCUITS].map(|means| {
                    let mut decided =
                        Decided::with(package, tool, &[], (Known::ALL, means), &mut matchers).unwrap();
                    let verdicts = decided.verdicts(package.default.0, &|_| true).unwrap();
                    let rules = decided.rules().to_vec();
                    let idle = rules.iter().map(|(_, calls)| *calls == Function::NOTHING);
                    (
                        verdicts.map(|calls| calls == Function::NOTHING),
                        idle.collect::<Vec<bool>>(),
                    )
                });
                let [diagrams, circuits] = &mut reached;
                assert_eq!(diagrams, circuits, "{}", package.tools[tool].name);
                told += 1;
            }
        }
        assert!(told > 10, "{told}");
    }
}
