//! Where one statement, comment or quoted text ends, as far as databases agree about it. In: text. Out: nothing but the
//! assurance that they do, and whether words stand in it that could start one more statement; else a doubt. It bounds the
//! depth of every tree a parser can make of the text, so that none is too deep to be walked.

use super::found::Doubt;
use crate::limits;

/// What a scan tells beside its success.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Scanned {
    /// A word stands inside a statement that starts one in SQL Server, which needs no `;` between statements.
    pub(super) may_start_another: bool,
}

/// Words that start a statement, and have no place within a plain one.
const STARTERS: [&str; 37] = [
    "ALTER",
    "ATTACH",
    "BACKUP",
    "BEGIN",
    "BULK",
    "CALL",
    "CHECKPOINT",
    "COMMIT",
    "COPY",
    "CREATE",
    "DBCC",
    "DECLARE",
    "DENY",
    "DETACH",
    "DISABLE",
    "DROP",
    "ENABLE",
    "EXEC",
    "EXECUTE",
    "GO",
    "GRANT",
    "KILL",
    "LOAD",
    "PRAGMA",
    "PRINT",
    "RAISERROR",
    "READTEXT",
    "RECONFIGURE",
    "RESTORE",
    "RETURN",
    "REVERT",
    "REVOKE",
    "ROLLBACK",
    "SHUTDOWN",
    "THROW",
    "TRUNCATE",
    "USE",
];

/// First words of blocks of statements, which are not looked into.
const BLOCKS: [&str; 6] = ["CASE", "FOR", "IF", "LOOP", "REPEAT", "WHILE"];

/// Words that join queries.
const SET_OPERATORS: [&str; 4] = ["EXCEPT", "INTERSECT", "MINUS", "UNION"];

/// Letters that may stand right before a quote and change nothing about where it ends.
const PREFIXES: [&str; 4] = ["N", "B", "X", "E"];

/// Reads a text to its end. Errors: the doubt about it; `Syntax` where it is too deep to be read.
pub(super) fn scan(text: &str) -> Result<Scanned, Doubt> {
    let mut scan = Scan {
        rest: text,
        levels: vec![Level::default()],
        first: true,
        scanned: Scanned::default(),
        doubt: None,
    };
    while let Some(c) = scan.rest.chars().next() {
        scan.token(c)?;
    }
    match scan.doubt {
        Some(doubt) => Err(doubt),
        None => Ok(scan.scanned),
    }
}

/// Bounds of the depth of trees made of the tokens within one pair of brackets.
#[derive(Clone, Copy, Debug, Default)]
struct Level {
    /// Of those since the last comma.
    here: usize,
    /// Of `UNION` and the like, which join what has commas.
    sets: usize,
    /// Of all others.
    most: usize,
}

struct Scan<'t> {
    rest: &'t str,
    levels: Vec<Level>,
    /// Whether the next word is the first of a statement.
    first: bool,
    scanned: Scanned,
    doubt: Option<Doubt>,
}

impl<'t> Scan<'t> {
    /// Takes what a test accepts from the start.
    fn take(&mut self, accepts: impl Fn(char) -> bool) -> &'t str {
        let end = self.rest.find(|c| !accepts(c)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken
    }

    fn skip(&mut self, c: char) {
        self.rest = self.rest.get(c.len_utf8()..).unwrap_or_default();
    }

    /// Databases differ here. The scan goes on, because the bound on depth counts to the end.
    fn differ(&mut self) {
        self.doubt.get_or_insert(Doubt::Dialect);
    }

    fn token(&mut self, c: char) -> Result<(), Doubt> {
        match c {
            ' ' | '\t' | '\n' | '\r' => self.skip(c),
            '-' if self.rest.starts_with("--") => self.line_comment(),
            '/' if self.rest.starts_with("/*") => self.comment(),
            '\'' | '"' => self.quoted(c),
            '`' => self.plainly_quoted(),
            'A'..='Z' | 'a'..='z' | '_' => self.word()?,
            '0'..='9' => self.number(),
            '(' | '[' => {
                if c == '[' {
                    self.bracket();
                }
                self.skip(c);
                self.levels.push(Level::default());
            }
            ')' | ']' => {
                self.skip(c);
                self.close();
            }
            ',' | ';' => {
                self.skip(c);
                self.first |= c == ';';
                if let Some(level) = self.levels.last_mut() {
                    level.most = level.most.max(level.here);
                    level.here = 0;
                }
                // Statements are not joined, except within blocks, whose depth the parser bounds.
                if let (';', [level]) = (c, self.levels.as_mut_slice()) {
                    level.sets = 0;
                }
            }
            ':' if self.rest.starts_with("::") => {
                self.skip(c);
                self.skip(c);
            }
            ':' => {
                self.skip(c);
                if self.rest.starts_with(['\'', '"']) {
                    self.differ();
                }
            }
            '$' => {
                self.skip(c);
                let digits = self.take(|c| c.is_ascii_digit());
                if digits.is_empty() || self.rest.starts_with(is_name_char) {
                    self.differ();
                }
            }
            '+' | '-' | '*' | '/' | '%' | '=' | '<' | '>' | '!' | '|' | '&' | '^' | '~' | '.' | '?' | '@' => {
                self.skip(c)
            }
            _ => {
                self.differ();
                self.skip(c);
            }
        }
        if !matches!(c, ' ' | '\t' | '\n' | '\r' | ',' | ';' | '(' | '[') {
            self.deepen(1)?;
        }
        Ok(())
    }

    fn deepen(&mut self, by: usize) -> Result<(), Doubt> {
        if let Some(level) = self.levels.last_mut() {
            level.here += by;
        }
        let depth: usize = if self.levels.len() > limits::SQL_DEPTH {
            usize::MAX
        } else {
            self.levels.iter().map(|level| level.here + level.sets).sum()
        };
        if depth > limits::SQL_HEIGHT {
            Err(Doubt::Syntax)
        } else {
            Ok(())
        }
    }

    /// What was inside becomes part of what is around it.
    fn close(&mut self) {
        if self.levels.len() < 2 {
            return;
        }
        let inner = self.levels.pop().unwrap_or_default();
        if let Some(level) = self.levels.last_mut() {
            level.here += inner.most.max(inner.here) + inner.sets;
        }
    }

    fn line_comment(&mut self) {
        let line = self.take(|c| c != '\n');
        let after = line.chars().nth(2);
        let carriage = line.trim_end_matches('\r').contains('\r');
        if !matches!(after, None | Some(' ' | '\t' | '\r')) || carriage {
            self.differ();
        }
    }

    fn comment(&mut self) {
        let body = self.rest.get(2..).unwrap_or_default();
        let (body, rest) = match body.split_once("*/") {
            Some(parts) => parts,
            None => {
                self.differ();
                (body, "")
            }
        };
        if body.contains("/*") || body.trim_start_matches(['M', 'm']).starts_with('!') {
            self.differ();
        }
        self.rest = rest;
    }

    /// A text in quotes; the quote itself is doubled in it.
    fn quoted(&mut self, quote: char) {
        self.skip(quote);
        if self.rest.starts_with(if quote == '"' { "\"\"" } else { "''" }) {
            // Three quotes are the start of a longer text in BigQuery.
            self.differ();
        }
        loop {
            let body = self.take(|c| c != quote);
            let slashes = body.len() - body.trim_end_matches('\\').len();
            if slashes & 1 == 1 || self.rest.is_empty() {
                self.differ();
            }
            self.skip(quote);
            if !self.rest.starts_with(quote) {
                break;
            }
            self.skip(quote);
        }
    }

    /// A name that some databases quote this way and others read as plain tokens: it must hold nothing to tell apart.
    fn plainly_quoted(&mut self) {
        self.skip('`');
        let name = self.take(|c| is_name_char(c) || matches!(c, ' ' | '-'));
        if name.contains("--") || name.is_empty() || !self.rest.starts_with('`') {
            self.differ();
        }
        self.take(|c| c == '`');
    }

    /// What is between square brackets is a name in some databases, and positions or elements in others.
    fn bracket(&mut self) {
        let body = self.rest.get(1..).unwrap_or_default();
        let plain = |c: char| is_name_char(c) || matches!(c, ' ' | ',' | '.' | '\'' | ':' | '-' | '+' | '*');
        let closed = body.split_once(']').is_some_and(|(inner, after)| {
            inner.chars().all(plain)
                && !inner.contains("--")
                && !inner.contains("''")
                && inner.matches('\'').count() & 1 == 0
                && !after.starts_with(']')
        });
        if !closed {
            self.differ();
        }
    }

    fn word(&mut self) -> Result<(), Doubt> {
        let word = self.take(|c| c.is_ascii_alphanumeric() || c == '_');
        let prefix = PREFIXES.iter().any(|p| p.eq_ignore_ascii_case(word));
        let strange = self.rest.starts_with(['"', '$'])
            || self.rest.starts_with('\'') && !prefix
            || self.rest.starts_with("&'")
            || self.rest.starts_with("&\"");
        if strange {
            self.differ();
        }
        if self.first && BLOCKS.iter().any(|b| b.eq_ignore_ascii_case(word)) {
            return Err(Doubt::Syntax);
        }
        if !self.first && STARTERS.iter().any(|s| s.eq_ignore_ascii_case(word)) {
            self.scanned.may_start_another = true;
        }
        self.first = false;
        self.nesting(word)?;
        if let Some(level) = self.levels.last_mut()
            && SET_OPERATORS.iter().any(|s| s.eq_ignore_ascii_case(word))
        {
            level.sets += 1;
        }
        Ok(())
    }

    /// Words at which a parser calls itself: what is inside them is higher by more than one.
    fn nesting(&mut self, word: &str) -> Result<(), Doubt> {
        let next = self.rest.trim_start();
        let follows = |words: &[&str]| {
            let end = next.find(|c| !is_name_char(c)).unwrap_or(next.len());
            let word = next.get(..end).unwrap_or_default();
            words.iter().any(|w| w.eq_ignore_ascii_case(word))
        };
        let is = |other: &str| word.eq_ignore_ascii_case(other);
        let height = if is("JOIN") {
            limits::SQL_JOIN_HEIGHT
        } else if is("EXPLAIN")
            || is("PREPARE")
            || is("DESCRIBE")
            || is("DESC") && self.first
            || is("BEGIN")
                && !follows(&[
                    "",
                    "TRAN",
                    "TRANSACTION",
                    "WORK",
                    "DEFERRED",
                    "IMMEDIATE",
                    "EXCLUSIVE",
                ])
            || is("IF") && !follows(&["EXISTS", "NOT", ""])
        {
            limits::SQL_STATEMENT_HEIGHT
        } else {
            0
        };
        self.deepen(height)
    }

    fn number(&mut self) {
        let number = self.take(|c| is_name_char(c) || c == '.');
        let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        let plain = match number.split_once(['e', 'E', 'x', 'X']) {
            _ if digits(&number.replacen('.', "", 1)) => true,
            Some(("0", hex)) if number.starts_with(['0']) && number.contains(['x', 'X']) => {
                !hex.is_empty() && hex.bytes().all(|b| b.is_ascii_hexdigit())
            }
            Some((mantissa, exponent)) if number.contains(['e', 'E']) => {
                digits(&mantissa.replacen('.', "", 1))
                    && digits(exponent)
                    && (!exponent.is_empty() || self.rest.starts_with(['+', '-']))
            }
            _ => false,
        };
        if !plain || self.rest.starts_with(['\'', '"', '$']) {
            self.differ();
        }
    }
}

fn is_name_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '$')
}
