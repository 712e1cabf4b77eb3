//! Regular expressions of policies: the syntax of the `regex` crate (RE2-like, linear time, no look-around, no
//! back-references), matched against the whole text. Compiled when the policy is compiled, never at a decision.

use crate::limits;
use regex_automata::MatchKind;
use regex_automata::dfa::{StartKind, dense};
use regex_automata::nfa::thompson::{self, NFA, pikevm::PikeVM};
use regex_automata::util::syntax;

/// Why an expression cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is no expression, or asks for what is not offered; the reason.
    Malformed(String),
    /// Its automaton is over `limits::AUTOMATON_BYTES`.
    TooLarge,
}

/// Refuses an expression that is malformed, too long or too large.
pub fn check(expression: &str) -> Result<(), Fault> {
    if expression.len() > limits::PATTERN_BYTES {
        let reason = format!("it is over {} bytes", limits::PATTERN_BYTES);
        return Err(Fault::Malformed(reason));
    }
    let last_line = |text: String| {
        let last = text
            .lines()
            .rev()
            .find(|l| !l.trim().is_empty())
            .unwrap_or("malformed");
        last.trim().trim_start_matches("error: ").to_owned()
    };
    compile(expression).map_err(|e| Fault::Malformed(last_line(e.to_string())))?;
    match automaton(&[expression.to_owned()], limits::AUTOMATON_BYTES) {
        Ok(_) => Ok(()),
        Err(error) if error.is_size_limit_exceeded() => Err(Fault::TooLarge),
        Err(error) => Err(Fault::Malformed(last_line(error.to_string()))),
    }
}

/// The syntax every expression is read with.
pub fn syntax() -> syntax::Config {
    syntax::Config::new().dot_matches_new_line(true).nest_limit(100)
}

/// What an expression says, parsed as it is when it is matched; `None` where it is malformed.
pub fn parse(expression: &str) -> Option<regex_syntax::hir::Hir> {
    syntax::parse_with(expression, &syntax()).ok()
}

/// The expression anchored at both ends. It has been parsed alone before, so a parenthesis or a comment of its own
/// cannot reach outside the group; verbose mode is not offered, since its comments could.
pub fn whole(expression: &str) -> String {
    format!("\\A(?:{expression})\\z")
}

/// Whether an expression sets the verbose flag, anywhere.
fn verbose(ast: &regex_syntax::ast::Ast) -> bool {
    struct Finder(bool);
    impl regex_syntax::ast::Visitor for Finder {
        type Output = bool;
        type Err = std::convert::Infallible;
        fn finish(self) -> Result<bool, Self::Err> {
            Ok(self.0)
        }
        fn visit_pre(&mut self, ast: &regex_syntax::ast::Ast) -> Result<(), Self::Err> {
            use regex_syntax::ast::{Ast, Flag};
            let flags = match ast {
                Ast::Flags(set) => Some(&set.flags),
                Ast::Group(group) => group.flags(),
                _ => None,
            };
            self.0 |= flags.is_some_and(|f| f.flag_state(Flag::IgnoreWhitespace) == Some(true));
            Ok(())
        }
    }
    regex_syntax::ast::visit(ast, Finder(false)).unwrap_or(true)
}

fn compile(expression: &str) -> Result<PikeVM, Box<dyn std::error::Error>> {
    let ast = regex_syntax::ast::parse::Parser::new().parse(expression)?;
    if verbose(&ast) {
        return Err("the `x` flag is not offered".into());
    }
    let nfa = NFA::compiler()
        .syntax(syntax())
        .configure(NFA::config().nfa_size_limit(Some(limits::PATTERN_NFA_BYTES)))
        .build(&whole(expression))?;
    Ok(PikeVM::builder().build_from_nfa(nfa)?)
}

/// One automaton over several expressions, each anchored at both ends; a state's matches at the end of the text are
/// the expressions that match it. Refused over `bytes`, and where an expression needs a Unicode word boundary.
pub fn automaton(expressions: &[String], bytes: usize) -> Result<dense::DFA<Vec<u32>>, dense::BuildError> {
    let whole: Vec<String> = expressions.iter().map(|e| self::whole(e)).collect();
    dense::Builder::new()
        .syntax(syntax())
        .thompson(thompson::Config::new().nfa_size_limit(Some(bytes)))
        .configure(
            dense::Config::new()
                .match_kind(MatchKind::All)
                .start_kind(StartKind::Anchored)
                .accelerate(false)
                .dfa_size_limit(Some(bytes))
                .determinize_size_limit(Some(bytes)),
        )
        .build_many(&whole)
}

/// Whether the whole text matches; for the reference interpreter. A malformed expression matches nothing.
pub fn is_match(expression: &str, text: &str) -> bool {
    compile(expression).is_ok_and(|vm| vm.is_match(&mut vm.create_cache(), text))
}
