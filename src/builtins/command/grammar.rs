//! The grammar of a shell: lists, pipelines, compound and simple commands (IEEE Std 1003.1, XCU section 2.9), as far as
//! the shells in use read them alike. In: text. Out: the simple commands of a unit. Anything else stops the reading.

use super::found::{Doubt, Operator};
use super::redirect::Opened;
use super::script::{Deferred, Script, Stop};
use super::start::Simple;
use super::word::{Scanned, Word, ends_word, is_name};

/// What ends a list.
#[derive(Clone, Copy)]
pub(super) enum End {
    /// The end of the text.
    Text,
    /// `)`
    Parenthesis,
    /// One of these reserved words.
    Words(&'static [&'static str]),
    /// `;;`, `;&` or `esac`
    Case,
}

/// Reserved words of the standard.
const RESERVED: [&str; 15] = [
    "if", "then", "else", "elif", "fi", "do", "done", "case", "esac", "while", "until", "for", "{", "}", "!",
];
/// Reserved words of single shells: what follows them is read differently elsewhere.
const RESERVED_IN_SOME: [&str; 9] = [
    "[[",
    "]]",
    "coproc",
    "foreach",
    "function",
    "nocorrect",
    "repeat",
    "select",
    "end",
];
/// The longest of them, in bytes.
const RESERVED_BYTES: usize = 9;

impl Script<'_, '_> {
    /// The reserved word that stands here by itself.
    fn reserved(&mut self) -> Option<&'static str> {
        let before = self.rest;
        let mut word = String::new();
        while let Some(c) = self.peek().filter(|c| !ends_word(*c)) {
            if word.len() >= RESERVED_BYTES {
                break;
            }
            word.push(c);
            self.advance(c);
        }
        let whole = self.peek().is_none_or(ends_word);
        self.rest = before;
        let mut all = RESERVED.iter().chain(&RESERVED_IN_SOME);
        all.find(|r| whole && **r == word).copied()
    }

    /// Moves past a reserved word just seen.
    fn pass(&mut self, word: &str) {
        for _ in word.chars() {
            self.take();
        }
    }

    fn expect(&mut self, word: &str) -> Result<(), Stop> {
        if self.reserved() == Some(word) {
            self.pass(word);
            Ok(())
        } else {
            Err(Stop)
        }
    }

    /// Reads commands up to, not including, the end.
    pub(super) fn list(&mut self, end: End) -> Result<(), Stop> {
        let mut follows = false;
        loop {
            self.lines()?;
            if self.at_end(end)? {
                return Ok(());
            }
            if follows {
                self.operator(Operator::Sequence);
            }
            self.and_or()?;
            self.blanks();
            follows = true;
            match self.peek() {
                Some(';') if self.ends_case() => {}
                Some(';') => self.advance(';'),
                Some('&') => {
                    self.advance('&');
                    self.operator(Operator::Background);
                    follows = false;
                }
                None | Some('\n' | ')') => {}
                _ => return Err(Stop),
            }
        }
    }

    fn at_end(&mut self, end: End) -> Result<bool, Stop> {
        match (self.peek(), end) {
            (None, End::Text) | (Some(')'), End::Parenthesis) => Ok(true),
            (None | Some(')'), _) => Err(Stop),
            (Some(';'), End::Case) => Ok(self.ends_case()),
            (_, End::Case) => Ok(self.reserved() == Some("esac")),
            (_, End::Words(words)) => Ok(self.reserved().is_some_and(|word| words.contains(&word))),
            _ => Ok(false),
        }
    }

    /// Whether `;;` or `;&` stands here.
    fn ends_case(&mut self) -> bool {
        let before = self.rest;
        let ends = self.take_if(';') && matches!(self.peek(), Some(';' | '&'));
        self.rest = before;
        ends
    }

    fn and_or(&mut self) -> Result<(), Stop> {
        loop {
            self.pipeline()?;
            self.blanks();
            let before = self.rest;
            match (self.take(), self.peek()) {
                (Some('&'), Some('&')) => self.operator(Operator::AndThen),
                (Some('|'), Some('|')) => self.operator(Operator::OrElse),
                _ => {
                    self.rest = before;
                    return Ok(());
                }
            }
            self.take();
            self.lines()?;
        }
    }

    fn pipeline(&mut self) -> Result<(), Stop> {
        while self.reserved() == Some("!") {
            self.pass("!");
            self.blanks();
        }
        loop {
            self.command()?;
            self.blanks();
            let before = self.rest;
            if !self.take_if('|') || self.peek() == Some('|') {
                self.rest = before;
                return Ok(());
            }
            self.take_if('&');
            self.operator(Operator::Pipe);
            self.lines()?;
        }
    }

    fn command(&mut self) -> Result<(), Stop> {
        if self.take_if('(') {
            if self.peek_raw() == Some('(') {
                return Err(Stop);
            }
            self.operator(Operator::Subshell);
            self.deeper(|s| s.list(End::Parenthesis))?;
            self.take();
            return self.trailing_redirects();
        }
        let Some(word) = self.reserved() else {
            return self.simple();
        };
        self.pass(word);
        self.operator(match word {
            "{" => Operator::Group,
            "if" | "case" => Operator::Branch,
            "while" | "until" | "for" => Operator::Loop,
            _ => return Err(Stop),
        });
        self.deeper(|s| match word {
            "{" => s.block(&["}"]),
            "if" => s.branch(),
            "for" => s.each(),
            "case" => s.case(),
            _ => {
                s.block(&["do"])?;
                s.block(&["done"])
            }
        })?;
        self.trailing_redirects()
    }

    /// A list and the reserved word that ends it.
    fn block(&mut self, ends: &'static [&'static str]) -> Result<(), Stop> {
        self.list(End::Words(ends))?;
        let word = self.reserved().ok_or(Stop)?;
        self.pass(word);
        Ok(())
    }

    fn branch(&mut self) -> Result<(), Stop> {
        self.block(&["then"])?;
        loop {
            self.list(End::Words(&["elif", "else", "fi"]))?;
            let word = self.reserved().ok_or(Stop)?;
            self.pass(word);
            match word {
                "elif" => self.block(&["then"])?,
                "else" => return self.block(&["fi"]),
                _ => return Ok(()),
            }
        }
    }

    fn each(&mut self) -> Result<(), Stop> {
        self.blanks();
        let name = self.word()?;
        let name = name.known().filter(|n| is_name(n)).ok_or(Stop)?;
        self.found.assign(name, false);
        self.lines()?;
        if self.keyword("in") {
            loop {
                self.blanks();
                if self.peek().is_none_or(ends_word) {
                    break;
                }
                self.word()?;
            }
        }
        self.take_if(';');
        self.lines()?;
        self.expect("do")?;
        self.block(&["done"])
    }

    /// Moves past a word that is reserved here only.
    fn keyword(&mut self, keyword: &str) -> bool {
        let before = self.rest;
        let there = keyword.chars().all(|c| self.take_if(c)) && self.peek().is_none_or(ends_word);
        if !there {
            self.rest = before;
        }
        there
    }

    fn case(&mut self) -> Result<(), Stop> {
        self.blanks();
        self.word()?;
        self.lines()?;
        if !self.keyword("in") {
            return Err(Stop);
        }
        loop {
            self.lines()?;
            if self.reserved() == Some("esac") {
                self.pass("esac");
                return Ok(());
            }
            self.take_if('(');
            loop {
                self.blanks();
                self.word()?;
                self.blanks();
                match self.take() {
                    Some('|') => {}
                    Some(')') => break,
                    _ => return Err(Stop),
                }
            }
            self.list(End::Case)?;
            if self.take_if(';') {
                self.take();
                self.take_if('&');
            }
        }
    }

    /// A simple command; what is read of it before a stop is kept.
    fn simple(&mut self) -> Result<(), Stop> {
        let mut simple = Simple::default();
        let mut document = None;
        let read = self.parts(&mut simple, &mut document);
        if read.is_err() {
            simple.words.push(Word::ANYTHING);
        }
        if simple.defines {
            return read;
        }
        if simple.is_empty() {
            return Err(Stop);
        }
        self.unit.deferred.push(Deferred { simple, document });
        read
    }

    fn parts(&mut self, simple: &mut Simple, document: &mut Option<usize>) -> Result<(), Stop> {
        let mut split = false;
        loop {
            self.blanks();
            match self.peek() {
                None | Some('\n' | ';' | '|' | ')') => return Ok(()),
                Some('&') => {
                    if !self.both_streams()? {
                        return Ok(());
                    }
                    simple.redirects += 1;
                    split = true;
                }
                // Words after `&>` belong to this command in some shells, to another in others.
                Some(c) if split && !matches!(c, '<' | '>') => return Err(Stop),
                Some('(') => return self.function(simple),
                Some('<' | '>') => {
                    simple.redirects += 1;
                    match self.redirect(None)? {
                        Opened::Document(number) => *document = Some(number),
                        Opened::Input => *document = None,
                        Opened::Process => {
                            simple.redirects -= 1;
                            simple.words.push(Word::Unknown {
                                single: true,
                                dash: false,
                            });
                        }
                        Opened::Other => {}
                    }
                }
                Some(start) => {
                    let before = self.rest;
                    let word = self.word()?;
                    let redirects = matches!(self.peek_raw(), Some('<' | '>'));
                    if redirects && start == '{' {
                        self.subscript(before);
                    }
                    match word.known().filter(|_| redirects && !word.quoted) {
                        Some(number) if number.bytes().all(|b| b.is_ascii_digit()) => {
                            if number.len() > 1 {
                                // To some shells only one digit is a descriptor.
                                simple.words.push(Word::ANYTHING);
                            }
                            simple.redirects += 1;
                            let opened = self.redirect(Some(number))?;
                            if number == "0" {
                                *document = opened.number();
                            }
                        }
                        // `{name}>`: a descriptor in some shells, a word in others.
                        Some(name) if name.starts_with('{') => simple.words.push(Word::ANYTHING),
                        _ => self.part(simple, word),
                    }
                }
            }
        }
    }

    /// `{name[…]}>`, after the word: some shells put the descriptor into an element of an array, and evaluate its subscript.
    fn subscript(&mut self, before: &str) {
        let word = before.get(..before.len().saturating_sub(self.rest.len()));
        if word.is_some_and(|word| word.contains('[')) {
            self.found.hide(Doubt::Evaluation);
        }
    }

    /// An assignment, where none but assignments came before, or a word.
    fn part(&mut self, simple: &mut Simple, word: Scanned) {
        match word.assigned() {
            Some((name, known)) if simple.words.is_empty() => {
                if !known {
                    self.found.doubt(Doubt::Argument);
                }
                simple.assigned.push(name.to_owned());
            }
            _ => simple.words.push(word.into_word()),
        }
    }

    /// `name() …`: the body is read, and from here on names may mean anything.
    fn function(&mut self, simple: &mut Simple) -> Result<(), Stop> {
        self.advance('(');
        self.blanks();
        let [Word::Known(_)] = simple.words.as_slice() else {
            return Err(Stop);
        };
        if !simple.assigned.is_empty() || simple.redirects > 0 || !self.take_if(')') {
            return Err(Stop);
        }
        simple.defines = true;
        self.found.hide(Doubt::Definition);
        self.operator(Operator::Function);
        self.lines()?;
        self.deeper(Self::command)
    }
}
