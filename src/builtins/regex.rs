//! Regular expressions of policies: the syntax of the `regex` crate (RE2-like, linear time, no look-around, no
//! back-references), matched against the whole text. Compiled when the policy is compiled, never at a decision.

use crate::limits;
use regex_automata::MatchKind;
use regex_automata::dfa::{StartKind, dense};
use regex_automata::nfa::thompson::{
    self, NFA,
    pikevm::{Cache, PikeVM},
};
use regex_automata::util::syntax;
use regex_syntax::hir::{
    Class, ClassBytes, ClassBytesRange, ClassUnicode, Hir, HirKind, Look, LookSet, Repetition,
};
use std::cell::RefCell;
use std::collections::BTreeMap;

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
    compile(expression).map_err(|e| malformed(e.as_ref()))?;
    automaton(&[expression.to_owned()], limits::AUTOMATON_BYTES).map(|_| ())
}

/// The last line of an error, which says what is wrong.
fn malformed(error: &dyn std::error::Error) -> Fault {
    let text = error.to_string();
    let last = text.lines().rev().find(|l| !l.trim().is_empty());
    let last = last.unwrap_or("malformed").trim().trim_start_matches("error: ");
    Fault::Malformed(last.to_owned())
}

/// The syntax every expression is read with.
pub fn syntax() -> syntax::Config {
    syntax::Config::new().dot_matches_new_line(true).nest_limit(100)
}

/// What an expression says, parsed as it is when it is matched; `None` where it is malformed.
pub fn parse(expression: &str) -> Option<Hir> {
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
pub fn automaton(expressions: &[String], bytes: usize) -> Result<dense::DFA<Vec<u32>>, Fault> {
    let parsed = expressions
        .iter()
        .map(|e| syntax::parse_with(&whole(e), &syntax()).map(bytewise));
    let parsed: Vec<Hir> = parsed.collect::<Result<_, _>>().map_err(|e| malformed(&e))?;
    if parsed
        .iter()
        .any(|hir| hir.properties().look_set().contains_word_unicode())
    {
        let reason = r"`\b` between any letters is not offered; `(?-u:\b)` is it between ASCII letters";
        return Err(Fault::Malformed(reason.to_owned()));
    }
    let nfa = thompson::Compiler::new()
        .configure(
            thompson::Config::new()
                .utf8(false)
                .which_captures(thompson::WhichCaptures::None)
                .nfa_size_limit(Some(bytes)),
        )
        .build_many_from_hir(&parsed)
        .map_err(|e| e.size_limit().map_or_else(|| malformed(&e), |_| Fault::TooLarge))?;
    let config = dense::Config::new()
        .match_kind(MatchKind::All)
        .start_kind(StartKind::Anchored)
        .accelerate(false)
        .dfa_size_limit(Some(bytes))
        .determinize_size_limit(Some(bytes));
    let built = dense::Builder::new().configure(config).build_from_nfa(&nfa);
    built.map_err(|e| {
        if e.is_size_limit_exceeded() {
            Fault::TooLarge
        } else {
            malformed(&e)
        }
    })
}

/// The same expression where texts are UTF-8, with "any number of characters of a class" read byte by byte where the
/// class has every character beyond ASCII: fewer states, the same texts. A run of such bytes may stop within a
/// character, but what follows begins with a whole one or ends the text, so none is split. At least one character
/// stays a character: two runs could share the bytes of one otherwise. So does an expression that looks around, which
/// could do so within a character.
fn bytewise(hir: Hir) -> Hir {
    let ends = LookSet::singleton(Look::Start).insert(Look::End);
    if hir.properties().look_set().subtract(ends).is_empty() {
        rewritten(hir)
    } else {
        hir
    }
}

fn rewritten(hir: Hir) -> Hir {
    match hir.into_kind() {
        HirKind::Repetition(repeated) => {
            let run = match repeated.sub.kind() {
                HirKind::Class(Class::Unicode(class)) if repeated.max.is_none() => run_of(class),
                _ => None,
            };
            let Some(run) = run else {
                let sub = Box::new(rewritten(*repeated.sub));
                return Hir::repetition(Repetition { sub, ..repeated });
            };
            if repeated.min == 0 {
                return run;
            }
            let least = Repetition {
                max: Some(repeated.min),
                ..repeated
            };
            Hir::concat(vec![Hir::repetition(least), run])
        }
        HirKind::Capture(capture) => rewritten(*capture.sub),
        HirKind::Concat(parts) => Hir::concat(parts.into_iter().map(rewritten).collect()),
        HirKind::Alternation(parts) => Hir::alternation(parts.into_iter().map(rewritten).collect()),
        HirKind::Empty => Hir::empty(),
        HirKind::Literal(literal) => Hir::literal(literal.0),
        HirKind::Class(class) => Hir::class(class),
        HirKind::Look(look) => Hir::look(look),
    }
}

/// Any number of bytes of a class that has every character beyond ASCII.
fn run_of(class: &ClassUnicode) -> Option<Hir> {
    let wide = class
        .iter()
        .any(|range| range.start() <= '\u{80}' && range.end() == char::MAX);
    if !wide {
        return None;
    }
    let ascii = class.iter().filter(|range| range.start().is_ascii());
    let narrow = |c: char| u8::try_from(c).unwrap_or(u8::MAX);
    let ascii = ascii.map(|range| ClassBytesRange::new(narrow(range.start()), narrow(range.end())));
    let bytes = ascii.chain([ClassBytesRange::new(0x80, 0xff)]);
    Some(Hir::repetition(Repetition {
        min: 0,
        max: None,
        greedy: true,
        sub: Box::new(Hir::class(Class::Bytes(ClassBytes::new(bytes)))),
    }))
}

/// Expressions that are kept compiled, by each thread.
const KEPT: usize = 64;

thread_local! {
    /// What was compiled last; nothing but time depends on it.
    static COMPILED: RefCell<BTreeMap<String, Option<(PikeVM, Cache)>>> = const { RefCell::new(BTreeMap::new()) };
}

/// Whether the whole text matches; for the reference interpreter. A malformed expression matches nothing.
pub fn is_match(expression: &str, text: &str) -> bool {
    COMPILED.with_borrow_mut(|kept| {
        if kept.len() >= KEPT && !kept.contains_key(expression) {
            kept.clear();
        }
        let compiled = kept.entry(expression.to_owned()).or_insert_with(|| {
            let vm = compile(expression).ok()?;
            let cache = vm.create_cache();
            Some((vm, cache))
        });
        let matches = |(vm, cache): &mut (PikeVM, Cache)| vm.is_match(cache, text);
        compiled.as_mut().is_some_and(matches)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use regex_automata::Anchored;
    use regex_automata::dfa::Automaton;
    use regex_automata::util::start::Config;

    /// Whether the automaton accepts the whole text; none where it is too large.
    fn accepts(expression: &str, text: &str) -> Option<bool> {
        let dfa = automaton(&[expression.to_owned()], limits::AUTOMATON_BYTES).ok()?;
        let start = dfa.start_state(&Config::new().anchored(Anchored::Yes)).unwrap();
        let state = text
            .bytes()
            .fold(start, |state, byte| dfa.next_state(state, byte));
        Some(dfa.is_match_state(dfa.next_eoi_state(state)))
    }

    #[test]
    fn characters_stay_whole() {
        // A run read byte by byte shares the bytes of one character with no other run, and ends in none.
        let cases = [
            (".+.+", "é", false),
            (".+.+", "éé", true),
            ("[^/]+[^/]+[^/]+", "€", false),
            (".*.", "€", true),
            (".{2,}", "€", false),
            (".{2,}", "€a€", true),
            (".*é", "aé", true),
            (".*[\u{a9}]", "é", false),
            ("(.*)*", "", true),
            ("(?-u:\\B).*", "é", true),
            ("a.*(?-u:\\B).*b", "aéb", false),
            ("[^a]*", "bé", true),
            ("[^a]*", "ba", false),
            ("[^é]*", "ba€", true),
            ("[^é]*", "bé", false),
        ];
        for (expression, text, matches) in cases {
            assert_eq!(is_match(expression, text), matches, "{expression} {text}");
            assert_eq!(accepts(expression, text), Some(matches), "{expression} {text}");
        }
    }

    proptest! {
        #[test]
        fn an_automaton_is_its_expression(
            parts in prop::collection::vec(prop::sample::select(vec![
                ".", ".*", ".+", ".{2,}", ".*?", "a", "é", "€", "/", "[^/]*", "[^/]+", "[^/a]{1,2}", "[^é]*", "[a-z]*", "(?:/.*)?",
                "(?:[^/]+/)*", "\\w*", "\\PL*", "(?:a|.*é|)", "(?-u:\\B)", "^", "$",
            ]), 0..6),
            text in "[aé€/\u{10ffff}\u{80}]{0,6}",
        ) {
            let expression = parts.concat();
            let Some(accepts) = accepts(&expression, &text) else { return Ok(()) };
            prop_assert_eq!(accepts, is_match(&expression, &text), "{}", expression);
        }
    }
}
