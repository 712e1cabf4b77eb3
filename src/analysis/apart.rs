//! What made an analysis too large: the things that conditions tell apart, those with the most kinds first. In: a tool and
//! conditions on it. Out: words.

use super::text::Writer;
use crate::classes::Matchers;
use crate::hir::{Cond, Package};
use crate::ir::space::Space;

/// How many things are named.
const NAMED: usize = 3;

/// Why the calls of a tool, by number, were too many to tell, with further conditions on it.
pub fn told_apart(package: &Package, tool: usize, also: &[&Cond]) -> String {
    let all = "the rules on this tool tell too many kinds of calls apart";
    match largest(package, tool, also) {
        Some(named) => format!("{all}: {named}"),
        None => all.to_owned(),
    }
}

/// The things with the most kinds; none where there is one thing only, or one that cannot be cut into kinds.
fn largest(package: &Package, tool: usize, also: &[&Cond]) -> Option<String> {
    let declared = package.tools.get(tool)?;
    let on = |(number, cond): &'_ (usize, Cond)| (*number == tool).then(|| cond.clone());
    let rules = package
        .rules
        .iter()
        .flat_map(|rule| rule.on.iter().filter_map(on));
    let rules: Vec<Cond> = rules.collect();
    let all: Vec<&Cond> = rules.iter().chain(also.iter().copied()).collect();
    let first = u32::try_from(declared.args.len() + 1).ok()?;
    let space = Space::new(first, &declared.slots, &all, &mut Matchers::default())?;
    let slots = space.slots().1.to_vec();
    let level = space.level();
    let writer = Writer::new(package, declared, &slots);
    let mut variables: Vec<(u32, String)> = level
        .variables
        .iter()
        .map(|variable| (variable.count, writer.thing(variable)))
        .collect();
    variables.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    let asked = variables.len()
        + level
            .lists
            .iter()
            .map(|list| list.predicates.len())
            .sum::<usize>();
    let named: Vec<String> = variables
        .iter()
        .take(NAMED)
        .map(|(count, at)| format!("`{at}` in {count}"))
        .collect();
    let (last, before) = named.split_last()?;
    let named = match before {
        [] => last.clone(),
        before => format!("{} and {last}", before.join(", ")),
    };
    Some(format!("of {asked} things that are asked, {named} kinds"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compile;

    #[test]
    fn what_has_the_most_kinds_is_named_first() {
        let text = r#"gaitpol 1
policy acme.big
default block
enum Env { dev, prod }
context { fact env: Env }
tool pay { amount: Int, to: String[max 20], note: Bool }
rule a on pay when args.amount < 10 and args.to == "x" allow
rule b on pay when args.amount > 20 and context.env == prod allow
rule c on pay when args.amount == 15 and args.note allow
"#;
        let report = compile::check("p.gaitpol", text);
        let checked = report
            .checked
            .unwrap_or_else(|| panic!("{:?}", report.diagnostics));
        assert_eq!(
            told_apart(checked.package(), 0, &[]),
            "the rules on this tool tell too many kinds of calls apart: of 4 things that are asked, `args.amount` in 6, \
             `args.note` in 3 and `args.to` in 3 kinds"
        );
    }
}
