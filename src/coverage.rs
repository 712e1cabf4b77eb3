//! What a policy can decide, tool by tool. In: a checked policy. Out: what the analysis finds, with calls that the
//! production evaluator has judged. Pure: the same policy gives the same.

use crate::analysis::coverage::{self, ToolCoverage};
use crate::compile::Checked;
use crate::suite::Runner;

/// What is decided of every tool.
pub fn coverage(checked: &Checked) -> Vec<ToolCoverage> {
    let mut runner = Runner::new(checked);
    coverage::coverage(checked.package(), &mut |case| {
        let judged = runner.judge(case);
        judged.record.as_ref()?;
        let decision = judged.decision;
        let by = decision
            .matched
            .iter()
            .filter(|rule| rule.verdict == decision.verdict);
        Some((decision.verdict, by.map(|rule| rule.name.to_string()).collect()))
    })
}
