//! Redirections and here-documents (IEEE Std 1003.1, XCU section 2.7). In: the text at an operator such as `<`. Out:
//! what is opened, and the text of documents where it is known.

use super::found::{Doubt, Kind, Operator, Redirect};
use super::script::{Pending, Script, Stop, Unit};
use super::word::{Word, ends_word};

/// What a redirection opens for the command.
pub(super) enum Opened {
    /// Standard input, from a document.
    Document(usize),
    /// Standard input, from elsewhere.
    Input,
    /// A word: the name of a pipe to other commands.
    Process,
    Other,
}

impl Opened {
    pub(super) fn number(&self) -> Option<usize> {
        match self {
            Opened::Document(number) => Some(*number),
            _ => None,
        }
    }
}

/// What follows `>&` when no file is meant.
fn is_descriptor(text: &str) -> bool {
    let digits = text.strip_suffix('-').unwrap_or(text);
    digits.bytes().all(|b| b.is_ascii_digit())
}

impl Script<'_, '_> {
    pub(super) fn trailing_redirects(&mut self) -> Result<(), Stop> {
        loop {
            self.blanks();
            match self.peek() {
                Some('<' | '>') => {
                    self.redirect(None)?;
                }
                Some(c) if c.is_ascii_digit() => {
                    let number = self.word()?;
                    if !matches!(self.peek_raw(), Some('<' | '>')) {
                        return Err(Stop);
                    }
                    self.redirect(number.known())?;
                }
                _ => return Ok(()),
            }
        }
    }

    /// `&>` and `&>>`: both streams in some shells, a command in the background and a redirection in others.
    pub(super) fn both_streams(&mut self) -> Result<bool, Stop> {
        let before = self.rest;
        self.advance('&');
        if self.peek() != Some('>') {
            self.rest = before;
            return Ok(false);
        }
        self.operator(Operator::Background);
        self.redirect(None)?;
        Ok(true)
    }

    /// A redirection, from its operator on; `number` is the descriptor written before it.
    pub(super) fn redirect(&mut self, number: Option<&str>) -> Result<Opened, Stop> {
        let out = self.take() == Some('>');
        let next = self.peek();
        let kind = match (out, next) {
            (_, Some('(')) => return self.process(number),
            (false, Some('<')) => {
                self.advance('<');
                return self.document(number);
            }
            (true, Some('>')) => {
                self.advance('>');
                Kind::Append
            }
            (true, Some('|')) => {
                self.advance('|');
                Kind::Write
            }
            (false, Some('>')) => {
                self.advance('>');
                Kind::ReadWrite
            }
            (_, Some('&')) => {
                self.advance('&');
                Kind::Duplicate
            }
            (true, _) => Kind::Write,
            (false, _) => Kind::Read,
        };
        let target = self.target()?;
        let kind = match (kind, &target) {
            (Kind::Duplicate, Word::Known(text)) if is_descriptor(text) => Kind::Duplicate,
            (Kind::Duplicate, _) => Kind::Write,
            (kind, _) => kind,
        };
        if target.known().is_none() {
            self.found.doubt(Doubt::Redirect);
        }
        let input = !out && number.is_none_or(|n| n == "0");
        self.found.redirect(Redirect { kind, target }, &self.via);
        Ok(if input { Opened::Input } else { Opened::Other })
    }

    fn target(&mut self) -> Result<Word, Stop> {
        self.blanks();
        let word = self.word()?;
        match (word.known(), word.quoted) {
            (Some(""), false) => Err(Stop),
            // zsh reads `>!` as one operator.
            (Some(text), false) if text.starts_with('!') => Ok(Word::ANYTHING),
            _ => Ok(word.into_word()),
        }
    }

    /// `<( … )` and `>( … )`.
    fn process(&mut self, number: Option<&str>) -> Result<Opened, Stop> {
        self.advance('(');
        self.unit.lone = false;
        self.substitution()?;
        if number.is_some() || self.peek().is_some_and(|c| !ends_word(c)) {
            return Err(Stop);
        }
        Ok(Opened::Process)
    }

    /// `<<word`, `<<-word` and `<<<word`.
    fn document(&mut self, number: Option<&str>) -> Result<Opened, Stop> {
        let opened = |document| match number {
            None | Some("0") => Opened::Document(document),
            _ => Opened::Other,
        };
        self.found.redirect(
            Redirect {
                kind: Kind::Document,
                target: Word::Known(String::new()),
            },
            &self.via,
        );
        if self.take_if('<') {
            let word = self.target()?;
            let text = word.known().map(|text| format!("{text}\n"));
            self.unit.documents.push(text);
            return Ok(opened(self.unit.documents.len() - 1));
        }
        let strip = self.take_if('-');
        self.blanks();
        let word = self.word()?;
        let delimiter = word
            .known()
            .filter(|d| !d.is_empty() && !d.contains('\n'))
            .ok_or(Stop)?;
        let number = self.unit.documents.len();
        self.unit.documents.push(None);
        self.unit.pending.push(Pending {
            number,
            delimiter: delimiter.to_owned(),
            quoted: word.quoted,
            strip,
        });
        Ok(opened(number))
    }

    /// The documents announced on the line that just ended.
    pub(super) fn documents(&mut self) -> Result<(), Stop> {
        for pending in std::mem::take(&mut self.unit.pending) {
            let body = self.body(&pending)?;
            let text = if pending.quoted {
                Some(body)
            } else {
                self.expanded(&body)?
            };
            if let Some(document) = self.unit.documents.get_mut(pending.number) {
                *document = text;
            }
        }
        Ok(())
    }

    fn body(&mut self, pending: &Pending) -> Result<String, Stop> {
        let mut body = String::new();
        let mut continued = false;
        loop {
            let (line, rest) = self.rest.split_once('\n').unwrap_or((self.rest, ""));
            let last = line.len() == self.rest.len();
            let stripped = if pending.strip {
                line.trim_start_matches('\t')
            } else {
                line
            };
            if stripped == pending.delimiter {
                self.rest = rest;
                // Shells disagree on whether a line that is continued can end in the delimiter.
                return if continued { Err(Stop) } else { Ok(body) };
            }
            // Within a substitution bash ends the document at such a line, too, and goes on after the delimiter.
            let after = stripped.strip_prefix(pending.delimiter.as_str());
            if last || after.is_some_and(|after| after.contains(')')) {
                return Err(Stop);
            }
            continued = !pending.quoted && line.ends_with('\\');
            body.push_str(stripped);
            body.push('\n');
            self.rest = rest;
        }
    }

    /// The text of a document whose expansions are made; none where it has any.
    fn expanded(&mut self, body: &str) -> Result<Option<String>, Stop> {
        let mut inner = Script {
            found: self.found,
            rest: body,
            unit: Unit::default(),
            via: self.via.clone(),
            depth: self.depth,
        };
        inner.deeper(Script::document_text)
    }
}
