//! A text that a shell runs, being read: where the reader stands, and what it has gathered of the current unit. In:
//! text. Out: what is `Found`. Where the text cannot be read on in one way, reading stops with a doubt; what came before
//! stays found.

use super::found::{Doubt, Found, Operator};
use super::grammar::End;
use super::start::{Input, Simple};
use crate::limits;

/// The text cannot be read further.
#[derive(Debug)]
pub(super) struct Stop;

/// A here-document announced on the current line.
#[derive(Debug)]
pub(super) struct Pending {
    /// Its number among the documents of the unit.
    pub(super) number: usize,
    pub(super) delimiter: String,
    pub(super) quoted: bool,
    pub(super) strip: bool,
}

/// A simple command whose here-documents may still be below.
#[derive(Debug)]
pub(super) struct Deferred {
    pub(super) simple: Simple,
    /// The document on its standard input.
    pub(super) document: Option<usize>,
}

/// The text between two changes of context: a whole text, or one substitution.
#[derive(Debug, Default)]
pub(super) struct Unit {
    pub(super) pending: Vec<Pending>,
    /// Texts of the documents read; none where it is not known.
    pub(super) documents: Vec<Option<String>>,
    pub(super) deferred: Vec<Deferred>,
    /// Nothing but one simple command.
    pub(super) lone: bool,
}

/// A text being read.
pub(super) struct Script<'f, 't> {
    pub(super) found: &'f mut Found,
    pub(super) rest: &'t str,
    pub(super) unit: Unit,
    /// Programs that run this text, outermost first.
    pub(super) via: Vec<String>,
    /// Constructs around this place, of all texts around this one too.
    pub(super) depth: usize,
}

/// Reads a whole text that a shell reached through `via` would run.
pub(super) fn read(found: &mut Found, text: &str, via: Vec<String>, depth: usize) {
    let unit = Unit {
        lone: true,
        ..Unit::default()
    };
    let mut script = Script {
        found,
        rest: text,
        unit,
        via,
        depth,
    };
    let whole = script.deeper(|s| s.list(End::Text));
    let (_, closed) = script.close_unit(Unit::default());
    if whole.is_err() || !closed {
        found.hide(Doubt::Syntax);
    }
}

impl Script<'_, '_> {
    pub(super) fn rest(&self) -> &str {
        self.rest
    }

    /// The next character, past line continuations.
    pub(super) fn peek(&mut self) -> Option<char> {
        while let Some(rest) = self.rest.strip_prefix("\\\n") {
            self.rest = rest;
        }
        self.peek_raw()
    }

    pub(super) fn peek_raw(&self) -> Option<char> {
        self.rest.chars().next()
    }

    /// Moves past a character just seen.
    pub(super) fn advance(&mut self, c: char) {
        self.rest = self.rest.get(c.len_utf8()..).unwrap_or_default();
    }

    pub(super) fn take(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.advance(c);
        Some(c)
    }

    pub(super) fn take_raw(&mut self) -> Option<char> {
        let c = self.peek_raw()?;
        self.advance(c);
        Some(c)
    }

    pub(super) fn take_if(&mut self, c: char) -> bool {
        let there = self.peek() == Some(c);
        if there {
            self.advance(c);
        }
        there
    }

    /// Runs one construct further inside.
    pub(super) fn deeper<T>(&mut self, inside: impl FnOnce(&mut Self) -> Result<T, Stop>) -> Result<T, Stop> {
        if self.depth >= limits::COMMAND_DEPTH {
            return Err(Stop);
        }
        self.depth += 1;
        let result = inside(self);
        self.depth -= 1;
        result
    }

    /// Reads another text that this one runs.
    pub(super) fn nested(&mut self, text: &str) {
        if self.depth >= limits::COMMAND_DEPTH {
            self.found.hide(Doubt::Syntax);
            return;
        }
        read(self.found, text, self.via.clone(), self.depth);
    }

    /// Begins a unit; gives the one around it.
    pub(super) fn open_unit(&mut self) -> Unit {
        let fresh = Unit {
            lone: true,
            ..Unit::default()
        };
        std::mem::replace(&mut self.unit, fresh)
    }

    /// Ends a unit: its commands are started. Gives the output, where it is known, and whether all documents were read.
    pub(super) fn close_unit(&mut self, outer: Unit) -> (Option<String>, bool) {
        let mut unit = std::mem::replace(&mut self.unit, outer);
        let closed = unit.pending.is_empty();
        let document = |number: Option<usize>| unit.documents.get_mut(number?)?.take();
        let inputs: Vec<Option<String>> = unit.deferred.iter().map(|d| d.document).map(document).collect();
        let mut output = None;
        let lone = unit.lone && unit.deferred.len() == 1;
        for (deferred, input) in unit.deferred.into_iter().zip(inputs) {
            if lone && deferred.simple.is_cat() {
                output = input.as_ref().map(|text| text.trim_end_matches('\n').to_owned());
            }
            let input = input.map_or(Input::Unknown, Input::Text);
            super::start::simple(self.found, deferred.simple, input, &self.via, self.depth);
        }
        (output, closed)
    }

    pub(super) fn waits_for_document(&self) -> bool {
        !self.unit.pending.is_empty()
    }

    pub(super) fn operator(&mut self, operator: Operator) {
        self.unit.lone = false;
        self.found.operators.insert(operator);
    }

    /// Past blanks and a comment.
    pub(super) fn blanks(&mut self) {
        while let Some(c @ (' ' | '\t')) = self.peek() {
            self.advance(c);
        }
        if self.peek() == Some('#') {
            while let Some(c) = self.peek_raw().filter(|c| *c != '\n') {
                self.advance(c);
            }
        }
    }

    /// Past blanks, comments and line ends with the documents below them.
    pub(super) fn lines(&mut self) -> Result<(), Stop> {
        loop {
            self.blanks();
            if !self.take_if('\n') {
                return Ok(());
            }
            self.documents()?;
        }
    }
}
