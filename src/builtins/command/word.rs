//! Words of a command line: quotes, escapes, expansions, substitutions. In: the text at the start of a word. Out: the
//! one text it stands for, or what is still known of it. What shells disagree on is `Unknown` or ends the reading.

use super::found::{Doubt, Operator};
use super::grammar::End;
use super::script::{Script, Stop};
use crate::syntax::hidden::is_hidden;

/// One word, after quotes and expansions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// It is exactly this text.
    Known(String),
    /// It is known when the command runs.
    Unknown {
        /// It stays one word, neither split nor dropped.
        single: bool,
        /// It, or a word it becomes, may start with `-`.
        dash: bool,
    },
}

impl Word {
    /// A word about which nothing is known, not even that it is one.
    pub(super) const ANYTHING: Word = Word::Unknown {
        single: false,
        dash: true,
    };

    /// The text, where it is known.
    pub(super) fn known(&self) -> Option<&str> {
        match self {
            Word::Known(text) => Some(text),
            Word::Unknown { .. } => None,
        }
    }
}

/// A word being read.
#[derive(Debug)]
pub(super) struct Scanned {
    text: String,
    known: bool,
    single: bool,
    dash: bool,
    /// Some of it was quoted, so it is no reserved word.
    pub(super) quoted: bool,
    /// The name before an unquoted `=`, and where the value starts in the text.
    name: Option<(String, usize)>,
}

impl Scanned {
    fn new() -> Scanned {
        Scanned {
            text: String::new(),
            known: true,
            single: true,
            dash: false,
            quoted: false,
            name: None,
        }
    }

    /// The rest of the word is not known; words it may become start with what has been read.
    fn lose(&mut self, single: bool) {
        self.dash |= self.text.is_empty() || self.text.starts_with('-');
        self.known = false;
        self.single &= single;
    }

    /// The word may fall apart anywhere.
    fn lose_all(&mut self) {
        self.lose(false);
        self.dash = true;
    }

    fn push(&mut self, c: char) {
        if self.known {
            self.text.push(c);
        }
    }

    /// Notes the name of an assignment at an unquoted `=`.
    fn note_name(&mut self) {
        let name = self.text.strip_suffix('+').unwrap_or(&self.text);
        if self.known && !self.quoted && self.name.is_none() && is_name(name) {
            self.name = Some((name.to_owned(), self.text.len() + 1));
        }
    }

    /// The variable assigned to, and whether the value is known.
    pub(super) fn assigned(&self) -> Option<(&str, bool)> {
        self.name.as_ref().map(|(name, _)| (name.as_str(), self.known))
    }

    /// The text, where the word is known.
    pub(super) fn known(&self) -> Option<&str> {
        self.known.then_some(self.text.as_str())
    }

    pub(super) fn into_word(self) -> Word {
        if self.known {
            Word::Known(self.text)
        } else {
            Word::Unknown {
                single: self.single,
                dash: self.dash,
            }
        }
    }
}

/// Whether a text is a variable's name.
pub(super) fn is_name(text: &str) -> bool {
    !text.starts_with(|c: char| c.is_ascii_digit())
        && !text.is_empty()
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// Whether an unquoted character ends a word.
pub(super) fn ends_word(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | ';' | '&' | '|' | '<' | '>' | '(' | ')')
}

impl Script<'_, '_> {
    /// Reads one word.
    pub(super) fn word(&mut self) -> Result<Scanned, Stop> {
        self.found.count_word()?;
        let mut word = Scanned::new();
        let mut bracket = false;
        let mut before = None;
        while let Some(c) = self.peek().filter(|c| !ends_word(*c)) {
            let start = before.is_none();
            self.advance(c);
            match c {
                '\'' => self.single_quoted(&mut word)?,
                '"' => self.double_quoted(&mut word)?,
                '\\' => {
                    let escaped = self.take_raw().ok_or(Stop)?;
                    word.quoted = true;
                    word.push(escaped);
                }
                '$' => self.dollar(&mut word, false)?,
                '`' => self.backquoted(&mut word, false)?,
                '*' | '?' => word.lose(false),
                '[' => {
                    bracket = true;
                    word.push(c);
                }
                ']' if bracket => word.lose(false),
                '{' => self.brace(&mut word),
                '~' if start || matches!(before, Some('=' | ':')) => {
                    word.lose(true);
                    // A home directory is no option; what else it may be is not known.
                    word.dash &= !start;
                }
                '=' if start && self.peek().is_some_and(|c| !ends_word(c) && c != '=') => word.lose(true),
                '=' => {
                    word.note_name();
                    word.push(c);
                }
                c if c.is_control() || is_hidden(c) => word.lose_all(),
                c => word.push(c),
            }
            before = Some(c);
        }
        Ok(word)
    }

    fn single_quoted(&mut self, word: &mut Scanned) -> Result<(), Stop> {
        word.quoted = true;
        loop {
            match self.take_raw().ok_or(Stop)? {
                '\'' => return Ok(()),
                c => {
                    self.within_quotes(c)?;
                    word.push(c);
                }
            }
        }
    }

    fn double_quoted(&mut self, word: &mut Scanned) -> Result<(), Stop> {
        word.quoted = true;
        loop {
            match self.take().ok_or(Stop)? {
                '"' => return Ok(()),
                '\\' => {
                    if let Some(c @ ('$' | '`' | '"' | '\\')) = self.peek_raw() {
                        self.take_raw();
                        word.push(c);
                    } else {
                        word.push('\\');
                    }
                }
                '$' => self.dollar(word, true)?,
                '`' => self.backquoted(word, true)?,
                c => {
                    self.within_quotes(c)?;
                    word.push(c);
                }
            }
        }
    }

    /// A line end in quotes, while a here-document waits for its own line: shells disagree on what comes first.
    fn within_quotes(&self, c: char) -> Result<(), Stop> {
        if c == '\n' && self.waits_for_document() {
            Err(Stop)
        } else {
            Ok(())
        }
    }

    /// `{`: itself in `{}` and `@{1}` and where none closes it; otherwise some shells make several words of it.
    fn brace(&mut self, word: &mut Scanned) {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
        match self.rest().chars().find(|c| !plain(*c)) {
            Some(c) if c != '}' && !ends_word(c) => word.lose(false),
            _ => word.push('{'),
        }
    }

    /// What follows a `$`.
    pub(super) fn dollar(&mut self, word: &mut Scanned, quoted: bool) -> Result<(), Stop> {
        let Some(c) = self.peek() else {
            word.push('$');
            return Ok(());
        };
        match c {
            '(' => {
                self.advance(c);
                self.parenthesis(word, quoted)
            }
            '{' => {
                self.advance(c);
                self.parameter(word, quoted)
            }
            '[' => Err(Stop),
            '\'' if !quoted => {
                self.advance(c);
                self.escaped_quote(word)
            }
            '"' if !quoted => {
                self.advance(c);
                word.lose(true);
                self.double_quoted(word)
            }
            '?' | '#' | '$' | '!' => {
                self.advance(c);
                let dash = word.dash;
                word.lose(true);
                // A number that is not negative.
                word.dash = dash || (word.text.starts_with('-') && !word.text.is_empty());
                Ok(())
            }
            c if c.is_ascii_digit() || matches!(c, '@' | '*' | '-') => {
                self.advance(c);
                expand(word, quoted && c != '@');
                Ok(())
            }
            c if c.is_ascii_alphabetic() || c == '_' => {
                while let Some(c) = self.peek().filter(|c| c.is_ascii_alphanumeric() || *c == '_') {
                    self.advance(c);
                }
                expand(word, quoted);
                Ok(())
            }
            _ => {
                word.push('$');
                Ok(())
            }
        }
    }

    /// `$'…'`: with escapes in some shells, with a plain `$` before it in others.
    fn escaped_quote(&mut self, word: &mut Scanned) -> Result<(), Stop> {
        word.quoted = true;
        word.lose(true);
        word.dash = true;
        loop {
            match self.take_raw().ok_or(Stop)? {
                '\'' => return Ok(()),
                '\\' if self.peek_raw() == Some('\'') => return Err(Stop),
                c => self.within_quotes(c)?,
            }
        }
    }

    /// `$(…)` and `$((…))`, after the first parenthesis.
    fn parenthesis(&mut self, word: &mut Scanned, quoted: bool) -> Result<(), Stop> {
        if self.peek() == Some('(') {
            self.advance('(');
            self.arithmetic()?;
            expand(word, quoted);
            return Ok(());
        }
        match self.substitution()? {
            Some(output) if quoted => output.chars().for_each(|c| word.push(c)),
            _ => expand(word, quoted),
        }
        Ok(())
    }

    /// Up to the `))` of an arithmetic expansion that names plain variables only. Shells evaluate what these say, subscripts
    /// with substitutions in them included.
    fn arithmetic(&mut self) -> Result<(), Stop> {
        let mut open = 0usize;
        let mut in_number = false;
        while let Some(c) = self.take() {
            let begins_name = (c.is_ascii_alphabetic() || c == '_') && !in_number;
            if begins_name {
                self.found.hide(Doubt::Evaluation);
            }
            in_number = c.is_ascii_digit() || (in_number && c.is_ascii_alphanumeric());
            match c {
                '(' => open += 1,
                ')' if open > 0 => open -= 1,
                ')' if self.peek() == Some(')') => {
                    self.advance(')');
                    return Ok(());
                }
                '$' if self.peek().is_some_and(|c| c.is_ascii_alphabetic() || c == '_') => {}
                c if c.is_ascii_alphanumeric() || " \t_+-*/%<>=!&|^~?:,".contains(c) => {}
                _ => return Err(Stop),
            }
        }
        Err(Stop)
    }

    /// `${…}`, after the brace. Only forms without quotes and expansions of their own are read.
    fn parameter(&mut self, word: &mut Scanned, quoted: bool) -> Result<(), Stop> {
        let mut content = String::new();
        loop {
            match self.take().ok_or(Stop)? {
                '}' => break,
                c if c.is_ascii_alphanumeric() || "_:-+?#%/.,*@!=^[] ".contains(c) => content.push(c),
                _ => return Err(Stop),
            }
        }
        let name = content.strip_prefix('#').unwrap_or(&content);
        let end = name
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .unwrap_or(name.len());
        let (name, operator) = name.split_at_checked(end).unwrap_or_default();
        let operator = operator
            .strip_prefix("[@]")
            .or(operator.strip_prefix("[*]"))
            .unwrap_or(operator);
        if operator.starts_with(":=") || operator.starts_with('=') {
            self.found.assign(name, false);
        } else if operator.contains(['@', '!', '['])
            || name.is_empty() && content.starts_with('!')
            || is_part_by_name(operator)
        {
            // `${x@P}`, `${!x}`, subscripts and `${x:y}` run what the value says.
            self.found.hide(Doubt::Evaluation);
        }
        expand(word, quoted && !content.contains(['@', '*']));
        Ok(())
    }

    /// Commands between backquotes, after the first.
    pub(super) fn backquoted(&mut self, word: &mut Scanned, quoted: bool) -> Result<(), Stop> {
        let mut text = String::new();
        loop {
            match self.take_raw().ok_or(Stop)? {
                '`' => break,
                '\\' => match self.peek_raw() {
                    Some(c @ ('$' | '`' | '\\')) => {
                        self.take_raw();
                        text.push(c);
                    }
                    Some('"') if quoted => {
                        self.take_raw();
                        text.push('"');
                    }
                    _ => text.push('\\'),
                },
                c => {
                    self.within_quotes(c)?;
                    text.push(c);
                }
            }
        }
        self.found.operators.insert(Operator::Substitution);
        self.nested(&text);
        expand(word, quoted);
        Ok(())
    }

    /// Commands in parentheses whose output becomes text, after the parenthesis; the output, where it is known.
    pub(super) fn substitution(&mut self) -> Result<Option<String>, Stop> {
        self.found.operators.insert(Operator::Substitution);
        if self.waits_for_document() {
            return Err(Stop);
        }
        let outer = self.open_unit();
        let read = self.deeper(|s| s.list(End::Parenthesis));
        let read = read.and_then(|()| {
            if self.take() == Some(')') {
                Ok(())
            } else {
                Err(Stop)
            }
        });
        let (output, closed) = self.close_unit(outer);
        read?;
        if closed { Ok(output) } else { Err(Stop) }
    }
}

impl Script<'_, '_> {
    /// Reads the text of a here-document whose expansions are made; none where it has any.
    pub(super) fn document_text(&mut self) -> Result<Option<String>, Stop> {
        let mut text = Scanned::new();
        while let Some(c) = self.take() {
            match c {
                '\\' => match self.peek_raw() {
                    Some(c @ ('$' | '`' | '\\')) => {
                        self.take_raw();
                        text.push(c);
                    }
                    _ => text.push('\\'),
                },
                '$' => self.dollar(&mut text, true)?,
                '`' => self.backquoted(&mut text, true)?,
                c => text.push(c),
            }
        }
        Ok(text.known().map(str::to_owned))
    }
}

/// `:y` or `:1:y` after a parameter: where a part of it begins, and how long it is, is arithmetic.
fn is_part_by_name(operator: &str) -> bool {
    let part = operator
        .strip_prefix(':')
        .filter(|rest| !rest.starts_with(['-', '+', '?', '=']));
    part.is_some_and(|part| part.contains(|c: char| c.is_ascii_alphabetic() || c == '_'))
}

/// An expansion: one word in quotes; outside of them any number.
fn expand(word: &mut Scanned, one: bool) {
    if one {
        word.lose(true);
    } else {
        word.lose_all();
    }
}
