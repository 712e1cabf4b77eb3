//! Examples beside a rule: calls of its tools that it must match, and calls that it must not. In: `examples` items.
//! Out: tests whose cases expect a match or none, whatever the verdict.

use super::origins;
use super::suite::{self, Names};
use super::{Case, Rule, SessionStep, Test};
use crate::diag::codes::{BAD_TEST, UNKNOWN_NAME};
use crate::diag::{Diagnostic, suggest};
use crate::json::Json;
use crate::syntax::ast::{self, Example, Item};
use crate::syntax::quote::dotted_name;

/// The tests that the examples among the items are.
pub(super) fn lower(items: &[&Item], names: &Names<'_>, out: &mut Vec<Diagnostic>) -> Vec<Test> {
    let written = items.iter().filter_map(|item| match item {
        Item::Examples(examples) => Some(examples),
        _ => None,
    });
    written.filter_map(|examples| one(examples, names, out)).collect()
}

fn one(examples: &ast::Examples, names: &Names<'_>, out: &mut Vec<Diagnostic>) -> Option<Test> {
    let name = &examples.rule;
    let given = suite::given(&examples.given, names, out);
    let session = suite::session(&examples.session, names, out);
    let at = examples.at.as_ref().and_then(|time| suite::moment(time, out));
    let Some(rule) = names.rules.iter().find(|rule| rule.name == name.text) else {
        let report = Diagnostic::error(
            UNKNOWN_NAME,
            name.span,
            format!("no rule is called `{}`", name.text),
        );
        let known = names.rules.iter().map(|rule| rule.name.as_str());
        out.push(match suggest::nearest(&name.text, known) {
            Some(near) => report
                .help(format!("did you mean `{near}`?"))
                .edit(name.span, near),
            None => report.help("examples name the rule that they are about"),
        });
        return None;
    };
    let cases = examples
        .cases
        .iter()
        .filter_map(|example| case(example, rule, (&given, &session, at), names, out));
    Some(Test {
        name: format!("examples {}", rule.name),
        cases: cases.collect(),
        span: name.span,
    })
}

fn case(
    example: &Example,
    rule: &Rule,
    (given, session, at): (&Json, &[SessionStep], Option<i128>),
    names: &Names<'_>,
    out: &mut Vec<Diagnostic>,
) -> Option<Case> {
    let args = suite::record(&example.args, out)?;
    let mine = || rule.on.iter().filter_map(|(index, _)| names.tools.get(*index));
    match mine().find(|tool| tool.name == example.tool.text) {
        Some(tool) => suite::check_call((&example.tool, &example.args), &args, tool, out),
        None => {
            let message = format!("rule `{}` is not about `{}`", rule.name, example.tool.text);
            let report = Diagnostic::error(BAD_TEST, example.tool.span, message)
                .why("it matches no call of another tool, so the example would say nothing");
            let tools = mine().map(|tool| tool.name.as_str());
            out.push(match suggest::nearest(&example.tool.text, tools) {
                Some(near) => report
                    .help(format!("did you mean `{near}`?"))
                    .edit(example.tool.span, dotted_name(near)),
                None => report.help("name one of the tools after its `on`"),
            });
        }
    }
    let tool = names.tools.iter().find(|tool| tool.name == example.tool.text);
    let origins = origins::of_case(example.sources.as_deref(), &args, (tool, names.tools), out);
    let (by, not_by) = if example.matches {
        (vec![rule.name.clone()], Vec::new())
    } else {
        (Vec::new(), vec![rule.name.clone()])
    };
    Some(Case {
        tool: example.tool.text.clone(),
        args,
        steps: Vec::new(),
        given: given.clone(),
        session: session.to_vec(),
        origins,
        approved: Vec::new(),
        duties: Vec::new(),
        at,
        verdict: None,
        codes: Vec::new(),
        by,
        not_by,
        span: example.span,
    })
}
