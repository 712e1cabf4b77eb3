//! `rules_as_set`: rules that differ in one constant only, where one rule with a set says the same.

use super::{Context, Group, Lint};
use crate::diag::codes::RULES_AS_SET;
use crate::diag::{Diagnostic, Level};
use crate::domain::Verdict;
use crate::syntax::ast::Rule;
use crate::syntax::lexer::{Token, lex};
use crate::syntax::token::Kind;
use std::collections::BTreeMap;

/// The lint.
pub const LINT: Lint = Lint {
    name: "rules_as_set",
    code: RULES_AS_SET,
    group: Group::Style,
    level: Level::Warn,
    since: "0.1.0",
    check,
};

/// Rules that are worth a set.
const SEVERAL: usize = 3;

fn check(context: &Context<'_>, out: &mut Vec<Diagnostic>) {
    let tokens: Vec<Token> = lex(context.source)
        .into_iter()
        .filter(|t| !t.kind.is_trivia())
        .collect();
    // By the rule's text with one constant of an `==` left out: the rules, each with that constant.
    let mut alike: BTreeMap<String, Vec<(&Rule, &str)>> = BTreeMap::new();
    for (written, rule) in context.rules() {
        // Without a code of its own, a rule is told by its name.
        if rule.verdict != Verdict::Allow && written.code.is_none() {
            continue;
        }
        let start = written.on.first().map_or(written.span.start, |s| s.span().start);
        let words: Vec<&Token> = tokens
            .iter()
            .filter(|t| t.span.start >= start && t.span.end <= written.span.end)
            .collect();
        for (at, token) in words.iter().enumerate() {
            let constant = matches!(token.kind, Kind::String | Kind::RawString | Kind::Number);
            let before = at.checked_sub(1).and_then(|n| words.get(n)).map(|t| t.kind);
            if !constant || before != Some(Kind::Eq) {
                continue;
            }
            let rest = words.iter().enumerate().filter(|(n, _)| *n != at);
            let rest: Vec<&str> = rest.map(|(_, t)| context.text(t.span)).collect();
            let key = format!("{at} {}", rest.join(" "));
            alike
                .entry(key)
                .or_default()
                .push((written, context.text(token.span)));
        }
    }
    for rules in alike.values().filter(|rules| rules.len() >= SEVERAL) {
        let Some(((first, _), others)) = rules.split_first() else {
            continue;
        };
        let constants: Vec<&str> = rules.iter().map(|(_, constant)| *constant).collect();
        let message = format!(
            "rule `{}` and {} others differ in one constant only",
            first.name.text,
            others.len()
        );
        let mut report = LINT.finding(first.name.span, message);
        for (other, _) in others {
            report = report.also(other.name.span, "the same but for a constant");
        }
        out.push(report.help(format!("write one rule with `in {{ {} }}`", constants.join(", "))));
    }
}
