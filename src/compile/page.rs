//! The documentation of a library module, made from its own comments: the first block says what the module is about,
//! the one right before a declaration what that is. In: a module. Out: Markdown, with the policy that tests it as an
//! example.

use super::library::Module;
use crate::source::{FileId, Source, Span};
use crate::syntax::ast::Item;
use crate::syntax::lexer::{Token, lex};
use crate::syntax::parse;
use crate::syntax::split::split;
use crate::syntax::token::Kind;
use std::fmt::Write as _;

/// The page of a module.
pub fn page(module: &Module) -> String {
    let source = Source::new(FileId(0), module.source, module.text);
    let comments = comments(&source);
    let items = items(&source);
    let mut out = format!("# {}\n", module.name);
    let first = items.first().map(|(_, span)| span.start as usize);
    let head = comments
        .iter()
        .find(|block| Some(block.next) != first || block.apart);
    if let Some(head) = head {
        let _ = write!(out, "\n{}\n", head.text);
    }
    let how = if module.prelude {
        "Every policy sees it; it is not imported.".to_owned()
    } else {
        let last = module.name.rsplit('.').next().unwrap_or(module.name);
        let obliges = items.iter().any(|(item, _)| matches!(item, Item::Obligation(_)));
        let own = if obliges {
            ", its obligations as they are"
        } else {
            ""
        };
        format!(
            "`import {}` brings it in; its names are written `{last}.…`{own}.",
            module.name
        )
    };
    let _ = write!(out, "\n{how}\n");
    for (item, span) in &items {
        let Some(title) = title(item) else { continue };
        let _ = write!(out, "\n## {title}\n");
        let start = span.start as usize;
        if let Some(block) = comments.iter().find(|block| block.next == start && !block.apart) {
            let _ = write!(out, "\n{}\n", block.text);
        }
        let _ = write!(out, "\n```text\n{}\n```\n", source.slice(*span));
    }
    let inside = items
        .iter()
        .filter(|(item, _)| title(item).is_none() && !matches!(item, Item::Import(_)));
    let inside: Vec<&str> = inside.map(|(_, span)| source.slice(*span)).collect();
    if !inside.is_empty() {
        let _ = write!(
            out,
            "\n## Inside\n\nWhat the module keeps to itself.\n\n```text\n{}\n```\n",
            inside.join("\n")
        );
    }
    if let Some(example) = module.example {
        let _ = write!(
            out,
            "\n## Example\n\nThe tests run it.\n\n```gaitpol\n{}```\n",
            example
        );
    }
    out
}

/// The items with the whole of their text.
fn items(source: &Source) -> Vec<(Item, Span)> {
    let tokens: Vec<Token> = lex(source).into_iter().filter(|t| !t.kind.is_trivia()).collect();
    // The first slice is the edition.
    let slices = split(source, &tokens).into_iter().skip(1);
    let spans = slices.filter_map(|slice| {
        let tokens = tokens.get(slice)?;
        Some(tokens.first()?.span.to(tokens.last()?.span))
    });
    parse::parse(source).module.items.into_iter().zip(spans).collect()
}

/// The title of an item that others may use.
fn title(item: &Item) -> Option<String> {
    let (what, name) = match item {
        Item::Effects(_) => return Some("Effects".to_owned()),
        Item::Context(_) => return Some("Context".to_owned()),
        Item::Enum(item) => ("enum", &item.name),
        Item::Type(item) => ("type", &item.name),
        Item::Set(item) => ("set", &item.name),
        Item::Pred(item) => ("pred", &item.name),
        Item::Group(item) => ("group", &item.name),
        Item::Approval(item) => ("approval", &item.name),
        Item::Obligation(item) => ("obligation", &item.name),
        _ => return None,
    };
    (!name.text.starts_with('_')).then(|| format!("{what} `{}`", name.text))
}

/// A block of comments.
struct Block {
    /// Without the marks.
    text: String,
    /// The start of the line after the block that is not blank.
    next: usize,
    /// Whether an empty line stands between.
    apart: bool,
}

/// The blocks of whole comment lines at the left edge.
fn comments(source: &Source) -> Vec<Block> {
    let tokens: Vec<Token> = lex(source);
    let mut blocks: Vec<Block> = Vec::new();
    let mut lines: Vec<&str> = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let is_edge = start_of_line(source, token.span) == token.span.start as usize;
        if token.kind != Kind::Comment || !is_edge {
            continue;
        }
        let text = source.slice(token.span).trim_start_matches("//");
        lines.push(text.strip_prefix(' ').unwrap_or(text));
        let space = tokens
            .get(at + 1)
            .map(|next| source.slice(next.span))
            .unwrap_or_default();
        let next = tokens.get(at + 2);
        let goes_on = next.is_some_and(|next| next.kind == Kind::Comment) && space.matches('\n').count() == 1;
        if !goes_on {
            blocks.push(Block {
                text: std::mem::take(&mut lines).join("\n"),
                next: next.map_or(source.text.len(), |next| next.span.start as usize),
                apart: space.matches('\n').count() > 1,
            });
        }
    }
    blocks
}

fn start_of_line(source: &Source, span: Span) -> usize {
    let before = source.text.get(..span.start as usize).unwrap_or_default();
    before.rfind('\n').map_or(0, |end| end + 1)
}
