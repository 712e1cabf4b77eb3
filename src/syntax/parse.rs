//! Tokens to tree. In: a `Source`. Out: the items that could be read and a diagnostic for each that could not. It never
//! fails and never panics; one mistake is reported per item, so a run shows every broken item.

use super::explain::{self, Item};
use super::lexer::{Token, lex};
use super::literal::Flaw;
use super::split::split;
use super::terminal::terminals;
use super::token::{Keyword, Kind, Role};
use super::tree::{Part, TooDeep};
use super::{ast, grammar, hidden};
use crate::diag::{Code, Diagnostic, codes};
use crate::limits;
use crate::source::{Source, Span};
use std::collections::BTreeSet;

/// The edition this compiler reads.
pub const EDITION: &str = "1";

/// A tree and what was wrong with the text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parsed {
    /// The items that could be read.
    pub module: ast::Module,
    /// What was wrong, in the order of the text, at most `limits::DIAGNOSTICS`.
    pub diagnostics: Vec<Diagnostic>,
    /// What the items that could not be read may have introduced.
    pub unread: Unread,
}

/// What may be missing from a tree, so that a name nobody seems to declare may only be unread.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unread {
    /// Anything: brackets that do not close may have taken other items in.
    pub anything: bool,
    /// The kinds of item, by keyword.
    pub kinds: BTreeSet<String>,
    /// Every name in them, dotted ones whole and in parts.
    pub names: BTreeSet<String>,
    /// What the modules of imports among them may be called.
    pub modules: BTreeSet<String>,
}

impl Unread {
    /// Adds what a broken item may have introduced.
    fn add(&mut self, source: &Source, tokens: &[Token]) {
        let opened = tokens.iter().filter(|t| t.kind.is_open()).count();
        let closed = tokens.iter().filter(|t| t.kind.is_close()).count();
        let keyword = tokens.first().map(|t| source.slice(t.span)).unwrap_or_default();
        let known = Keyword::ALL
            .iter()
            .any(|k| k.role() == Role::Item && k.text() == keyword);
        self.anything |= opened != closed || !known;
        self.kinds.insert(keyword.to_owned());
        let mut dotted = String::new();
        for token in tokens.iter().skip(1) {
            let text = source.slice(token.span).trim_matches('"');
            if keyword == "import" {
                let file = text.rsplit('/').next().unwrap_or(text);
                self.modules
                    .insert(file.split('.').next().unwrap_or(file).to_owned());
            }
            match token.kind {
                Kind::Dot => dotted.push('.'),
                Kind::Word | Kind::String => {
                    if !dotted.ends_with('.') {
                        dotted.clear();
                    }
                    dotted.push_str(text);
                    self.names.insert(text.to_owned());
                    // A chain without end would be kept in every length.
                    if dotted.len() <= limits::DOTTED_NAME_BYTES {
                        self.names.insert(dotted.clone());
                    } else {
                        self.anything = true;
                    }
                }
                _ => dotted.clear(),
            }
        }
    }

    /// Whether an item of this kind could not be read.
    pub fn has(&self, keyword: &str) -> bool {
        self.anything || self.kinds.contains(keyword)
    }

    /// Whether an item that could not be read may have declared this name.
    pub fn may_declare(&self, name: &str) -> bool {
        let module = name.split_once('.').map_or("", |(module, _)| module);
        self.anything || self.names.contains(name.trim_matches('"')) || self.modules.contains(module)
    }
}

/// Parses one file. Errors are GP0001 to GP0006, GP0008 and GP0009.
pub fn parse(source: &Source) -> Parsed {
    let mut parsed = Parsed::default();
    if source.text.len() > limits::SOURCE_BYTES {
        let message = format!("`{}` is larger than {} bytes", source.name, limits::SOURCE_BYTES);
        let span = Span::new(source.id, 0, 0);
        parsed.diagnostics.push(
            Diagnostic::error(codes::SOURCE_TOO_LARGE, span, message)
                .help("leave descriptions out, or remove tools that no agent calls"),
        );
        parsed.unread.anything = true;
        return parsed;
    }
    let hidden = hidden::runs(&source.text);
    parsed
        .diagnostics
        .extend(hidden.iter().map(|run| hidden_character(source, run.clone())));
    let tokens: Vec<Token> = lex(source).into_iter().filter(|t| !t.kind.is_trivia()).collect();
    let slices = split(source, &tokens);
    for (index, slice) in slices.iter().enumerate() {
        if parsed.diagnostics.len() > limits::DIAGNOSTICS + hidden.len() {
            // No more would be shown.
            parsed.unread.anything = true;
            break;
        }
        let slice = tokens.get(slice.clone()).unwrap_or_default();
        let is_edition = slice.first().is_some_and(|t| source.slice(t.span) == "gaitpol");
        if index == 0 && !is_edition {
            parsed.diagnostics.push(no_edition(source));
        }
        let part = part(source, slice, &hidden);
        if part.is_err() {
            parsed.unread.add(source, slice);
        }
        match part {
            Ok(Part::Edition(edition)) if index > 0 => {
                let message = "the edition is not the first line";
                parsed
                    .diagnostics
                    .push(Diagnostic::error(codes::EDITION, edition.span, message));
            }
            Ok(Part::Edition(edition)) => {
                let known = edition.node == EDITION;
                if !known {
                    parsed.diagnostics.push(unknown_edition(source, edition.span));
                }
                parsed.module.edition = Some(edition);
                if !known {
                    // Another edition has another grammar: its items would only give misleading messages.
                    parsed.unread.anything = true;
                    break;
                }
            }
            Ok(Part::Item(item)) => parsed.module.items.push(*item),
            Err(None) => {}
            Err(Some(diagnostic)) if is_edition && in_edition_line(slice, &diagnostic) => {
                parsed.diagnostics.push(Diagnostic {
                    code: codes::EDITION,
                    ..*diagnostic
                });
            }
            Err(Some(diagnostic)) => parsed.diagnostics.push(*diagnostic),
        }
    }
    if slices.is_empty() {
        parsed.diagnostics.push(no_edition(source));
    }
    parsed.diagnostics.sort_by_key(|d| d.primary.span);
    parsed.diagnostics.truncate(limits::DIAGNOSTICS);
    parsed
}

/// The items that begin with one of some keywords, as far as they can be read. Nothing else is parsed.
pub fn only(source: &Source, keywords: &[&str]) -> Vec<ast::Item> {
    if source.text.len() > limits::SOURCE_BYTES {
        return Vec::new();
    }
    let tokens: Vec<Token> = lex(source).into_iter().filter(|t| !t.kind.is_trivia()).collect();
    let mut items = Vec::new();
    for slice in split(source, &tokens) {
        let slice = tokens.get(slice).unwrap_or_default();
        let first = slice.first().map(|t| source.slice(t.span)).unwrap_or_default();
        if keywords.contains(&first)
            && let Ok(Part::Item(item)) = part(source, slice, &[])
        {
            items.push(*item);
        }
    }
    items
}

/// Whether the mistake is in `gaitpol 1` itself, not in what stands between it and the next item.
fn in_edition_line(slice: &[Token], diagnostic: &Diagnostic) -> bool {
    slice
        .iter()
        .take(2)
        .any(|token| token.span == diagnostic.primary.span)
}

/// Parses one item. `Err(None)` is a mistake that is reported already.
fn part(
    source: &Source,
    tokens: &[Token],
    hidden: &[std::ops::Range<usize>],
) -> Result<Part, Option<Box<Diagnostic>>> {
    let error = |diagnostic: Diagnostic| Some(Box::new(diagnostic));
    if let Some(at) = tokens
        .iter()
        .position(|t| matches!(t.kind, Kind::Bad | Kind::OpenString))
    {
        return Err(lexical(source, tokens, at, hidden).map(Box::new));
    }
    if let Some(deep) = brackets_too_deep(tokens) {
        return Err(error(explain::too_deep(deep)));
    }
    let terminals = terminals(source, tokens).map_err(|(span, flaw)| error(malformed(source, span, flaw)))?;
    grammar::PartParser::new()
        .parse(source.id, terminals)
        .map_err(|failure| error(explain::explain(Item { source, tokens }, failure)))
}

/// Finds brackets too deep even for the outermost braces of a tool or test, closed or not.
fn brackets_too_deep(tokens: &[Token]) -> Option<TooDeep> {
    let mut depth = 0usize;
    for token in tokens {
        if token.kind.is_open() {
            depth += 1;
        } else if token.kind.is_close() {
            depth = depth.saturating_sub(1);
        }
        // A body's and a call's braces are not nesting.
        if depth > limits::SYNTAX_DEPTH + 2 {
            return Some(TooDeep {
                span: token.span,
                limit: limits::SYNTAX_DEPTH,
            });
        }
    }
    None
}

fn hidden_character(source: &Source, run: std::ops::Range<usize>) -> Diagnostic {
    let text = source.text.get(run.clone()).unwrap_or_default();
    let span = Span::new(source.id, run.start, run.end);
    let first = text.chars().next().map(u32::from).unwrap_or_default();
    let message = match text.chars().count() {
        0 | 1 => format!("the text holds the hidden character U+{first:04X}"),
        n => format!("the text holds {n} hidden characters, the first is U+{first:04X}"),
    };
    Diagnostic::error(codes::HIDDEN_CHARACTER, span, message)
        .why("a reader would not see what the policy says")
        .help("remove it; a string may write it as `\\u{…}`")
        .edit(span, "")
}

/// The mistake for a character or string that is no token.
fn lexical(
    source: &Source,
    tokens: &[Token],
    at: usize,
    hidden: &[std::ops::Range<usize>],
) -> Option<Diagnostic> {
    let token = tokens.get(at)?;
    if token.kind == Kind::OpenString {
        let message = "this string is not closed on its line";
        return Some(
            Diagnostic::error(codes::BAD_STRING, token.span, message)
                .help("end it with `\"`; a line end is written `\\n`"),
        );
    }
    if hidden
        .iter()
        .any(|run| run.contains(&(token.span.start as usize)))
    {
        return None;
    }
    let mut span = token.span;
    for next in tokens.iter().skip(at + 1).take_while(|t| t.kind == Kind::Bad) {
        if next.span.start != span.end {
            break;
        }
        span = span.to(next.span);
    }
    Some(bad_character(source, span))
}

fn bad_character(source: &Source, span: Span) -> Diagnostic {
    let text = source.slice(span);
    let here = Diagnostic::error(
        codes::BAD_CHARACTER,
        span,
        format!("`{text}` is not part of the language"),
    );
    match text {
        "&&" | "&" => here.help("write `and`").edit(span, "and"),
        "||" | "|" => here.help("write `or`").edit(span, "or"),
        "!" => here.help("write `not`").edit(span, "not "),
        ";" => here.help("lines need no end mark").edit(span, ""),
        "#" => here.help("a comment starts with `//`").edit(span, "//"),
        "'" | "`" | "“" | "”" => here.help("a string is in double quotes"),
        _ => here.help("a name that holds other characters is written in quotes"),
    }
}

fn malformed(source: &Source, span: Span, flaw: Flaw) -> Diagnostic {
    let is_number = source
        .slice(span)
        .starts_with(|c: char| c == '-' || c.is_ascii_digit());
    let code: Code = if is_number {
        codes::BAD_NUMBER
    } else {
        codes::BAD_STRING
    };
    Diagnostic::error(code, span, flaw.message).help(flaw.help)
}

fn no_edition(source: &Source) -> Diagnostic {
    let start = Span::new(source.id, 0, 0);
    Diagnostic::error(codes::EDITION, start, "the first line does not name the edition")
        .help("start the file with `gaitpol 1`")
        .edit(start, "gaitpol 1\n\n")
}

fn unknown_edition(source: &Source, span: Span) -> Diagnostic {
    let message = format!("this compiler does not know edition `{}`", source.slice(span));
    Diagnostic::error(codes::EDITION, span, message).help("it reads `gaitpol 1`")
}
