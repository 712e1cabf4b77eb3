//! `mixed_script`: a word with letters of two scripts, one of which looks like the other.

use super::{Context, Group, Lint};
use crate::diag::codes::MIXED_SCRIPT;
use crate::diag::{Diagnostic, Level};
use crate::syntax::lexer::lex;
use crate::syntax::literal;
use crate::syntax::token::Kind;

/// The lint.
pub const LINT: Lint = Lint {
    name: "mixed_script",
    code: MIXED_SCRIPT,
    group: Group::Security,
    level: Level::Warn,
    since: "0.1.0",
    check,
};

fn check(context: &Context<'_>, out: &mut Vec<Diagnostic>) {
    for token in lex(context.source) {
        if !matches!(token.kind, Kind::String | Kind::RawString) {
            continue;
        }
        let Ok(text) = literal::string(context.text(token.span)) else {
            continue;
        };
        let mut words = text.split(|c: char| !c.is_alphanumeric());
        let Some((word, odd, script)) = words.find_map(mixed) else {
            continue;
        };
        let message = format!(
            "`{word}` mixes Latin letters with the {script} letter U+{:04X}",
            u32::from(odd)
        );
        out.push(
            LINT.finding(token.span, message)
                .why("it looks like a word that it does not equal")
                .help("write it in one script; where both are meant, say so with an escape, `\\u{…}`, and a comment"),
        );
    }
}

/// The first letter in a Latin word that is of another script.
fn mixed(word: &str) -> Option<(&str, char, &'static str)> {
    let latin = word.chars().any(|c| c.is_ascii_alphabetic());
    let odd = word.chars().find_map(|c| Some((c, script(c)?)));
    odd.filter(|_| latin).map(|(c, script)| (word, c, script))
}

/// The script of a letter, of those whose letters look like Latin ones.
fn script(c: char) -> Option<&'static str> {
    match c {
        '\u{370}'..='\u{3FF}' | '\u{1F00}'..='\u{1FFF}' => Some("Greek"),
        '\u{400}'..='\u{52F}' => Some("Cyrillic"),
        '\u{530}'..='\u{58F}' => Some("Armenian"),
        '\u{13A0}'..='\u{13FF}' | '\u{AB70}'..='\u{ABBF}' => Some("Cherokee"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::mixed;

    #[test]
    fn only_words_of_two_scripts_are_mixed() {
        for yes in ["p\u{430}ypal", "\u{3BF}ffice", "xн"] {
            assert!(mixed(yes).is_some(), "{yes}");
        }
        for no in ["paypal", "оплата", "αβγ", "公司abc", "5\u{B5}s", "2мм"] {
            assert!(mixed(no).is_none(), "{no}");
        }
    }
}
