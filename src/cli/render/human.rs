//! Diagnostics with excerpts of the source, drawn by miette, and below each why, an example call, what to do and the
//! suggested change. The only file that knows miette. miette prints what it is given, so every text is escaped first,
//! and places are moved along with what the escapes add. Colours are always in the text: `Ui` drops them where the
//! stream has none.

use super::{Findings, concise};
use crate::cli::ui::{Tone, brief, is_hidden, one_line, paint};
use crate::diag::{Applicability, Diagnostic, Edit};
use crate::limits;
use crate::source::{Source, Span};
use miette::{
    GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, Severity, SourceCode, SourceSpan,
    ThemeCharacters, ThemeStyles,
};
use std::fmt;
use std::ops::Range;

/// Columns of the drawing.
const WIDTH: usize = 100;
/// Characters of a line that a suggested change repeats.
const LINE_CHARS: usize = 160;

/// The text of every diagnostic, in order.
pub fn reports(findings: Findings<'_>) -> Vec<String> {
    let shown: Vec<Shown> = findings.sources.iter().map(Shown::new).collect();
    let one = |d: &Diagnostic| {
        let mut text = drawing(d, findings, &shown);
        text.truncate(text.trim_end().len());
        text.push('\n');
        for line in footer(d, findings) {
            text.push_str(&format!("  {line}\n"));
        }
        text
    };
    findings.diagnostics.iter().map(one).collect()
}

/// A source as it is shown: escaped, with a line end at its end.
struct Shown {
    source: NamedSource<String>,
    /// Byte in the source of each escaped character, and the bytes all escapes up to and with it add.
    moved: Vec<(usize, usize)>,
    /// Bytes of the shown text where a label would draw a line too long: such a line and those next to it.
    undrawn: Vec<Range<usize>>,
}

impl Shown {
    fn new(source: &Source) -> Shown {
        let mut text = String::with_capacity(source.text.len() + 1);
        let mut moved = Vec::new();
        for (at, c) in source.text.char_indices() {
            // A carriage return before a line end is the line end.
            let plain = matches!(c, '\n' | '\t')
                || (c == '\r' && source.text.as_bytes().get(at + 1) == Some(&b'\n'))
                || !is_hidden(c);
            if plain {
                text.push(c);
            } else {
                text.extend(c.escape_unicode());
                moved.push((at, text.len() - at - c.len_utf8()));
            }
        }
        if !text.ends_with('\n') {
            text.push('\n');
        }
        let undrawn = undrawn(&text);
        Shown {
            source: NamedSource::new(one_line(&source.name), text),
            moved,
            undrawn,
        }
    }

    /// Whether the lines around a span are short enough to draw.
    fn is_drawable(&self, span: Span) -> bool {
        let (start, end) = (self.offset(span.start), self.offset(span.end));
        let first = self.undrawn.partition_point(|lines| lines.end < start);
        self.undrawn.get(first).is_none_or(|lines| end < lines.start)
    }

    /// Where a byte of the source is shown.
    fn offset(&self, at: u32) -> usize {
        let at = at as usize;
        let before = self.moved.partition_point(|(escaped, _)| *escaped < at);
        let added = before.checked_sub(1).and_then(|i| self.moved.get(i));
        at + added.map_or(0, |(_, added)| *added)
    }

    fn span(&self, span: Span) -> SourceSpan {
        let start = self.offset(span.start);
        (start, self.offset(span.end).saturating_sub(start)).into()
    }
}

/// The places where a drawing would hold a line over `limits::DRAWN_LINE_CHARS`: a label's line is drawn with one
/// line before and one after it.
fn undrawn(text: &str) -> Vec<Range<usize>> {
    let mut lines = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let end = start + line.len();
        lines.push((start..end, line.chars().nth(limits::DRAWN_LINE_CHARS).is_some()));
        start = end;
    }
    let mut found: Vec<Range<usize>> = Vec::new();
    for (number, (line, long)) in lines.iter().enumerate() {
        if !*long {
            continue;
        }
        let before = number.checked_sub(1).and_then(|n| lines.get(n));
        let after = lines.get(number + 1);
        let start = before.map_or(line.start, |(l, _)| l.start);
        found.push(start..after.map_or(line.end, |(l, _)| l.end));
    }
    found
}

/// One diagnostic as miette wants it.
struct Drawn<'a> {
    diagnostic: &'a Diagnostic,
    message: String,
    labels: Vec<LabeledSpan>,
    source: Option<&'a NamedSource<String>>,
}

impl fmt::Debug for Drawn<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl fmt::Display for Drawn<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Drawn<'_> {}

impl miette::Diagnostic for Drawn<'_> {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        let word = super::severity(self.diagnostic);
        let lint = super::lint_name(self.diagnostic).map_or(String::new(), |name| format!(" {name}"));
        Some(Box::new(format!("{word}[{}]{lint}", self.diagnostic.code)))
    }

    fn severity(&self) -> Option<Severity> {
        Some(if self.diagnostic.is_error() {
            Severity::Error
        } else {
            Severity::Warning
        })
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.source.map(|s| s as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.labels.iter().cloned()))
    }
}

fn drawing(diagnostic: &Diagnostic, findings: Findings<'_>, shown: &[Shown]) -> String {
    let here = diagnostic.primary.span.file;
    let index = findings.sources.iter().position(|s| s.id == here);
    let shown = index.and_then(|i| shown.get(i));
    let mut spans = std::iter::once(&diagnostic.primary)
        .chain(&diagnostic.secondary)
        .map(|label| label.span)
        .filter(|span| is_drawn(*span, diagnostic, findings));
    if shown.is_some_and(|shown| !spans.all(|span| shown.is_drawable(span))) {
        return concise::line(diagnostic, findings);
    }
    let mut labels = Vec::new();
    if let Some(shown) = shown {
        let text = |t: &str| (!t.is_empty()).then(|| brief(t));
        let primary = &diagnostic.primary;
        labels.push(LabeledSpan::new_primary_with_span(
            text(&primary.text),
            shown.span(primary.span),
        ));
        let others = diagnostic
            .secondary
            .iter()
            .filter(|l| is_drawn(l.span, diagnostic, findings));
        labels.extend(others.map(|l| LabeledSpan::new_with_span(text(&l.text), shown.span(l.span))));
    }
    let drawn = Drawn {
        diagnostic,
        message: brief(&diagnostic.message),
        labels,
        source: shown.map(|s| &s.source),
    };
    let theme = GraphicalTheme {
        characters: ThemeCharacters::unicode(),
        styles: ThemeStyles::ansi(),
    };
    let mut out = String::new();
    let handler = GraphicalReportHandler::new_themed(theme)
        .with_width(WIDTH)
        .with_links(false);
    match handler.render_report(&mut out, &drawn) {
        Ok(()) => out,
        // Writing into a string does not fail; without the excerpt the message still counts.
        Err(fmt::Error) => format!("{}: {}", diagnostic.code, drawn.message),
    }
}

/// Whether a label of a diagnostic stands in its excerpt: near enough that not the whole file is drawn between.
fn is_drawn(span: Span, diagnostic: &Diagnostic, findings: Findings<'_>) -> bool {
    let primary = diagnostic.primary.span;
    let line = |span: Span| findings.place(span).1.line;
    span.file == primary.file && line(span).abs_diff(line(primary)) <= limits::DRAWN_LINES
}

/// The lines below the excerpt.
fn footer(diagnostic: &Diagnostic, findings: Findings<'_>) -> Vec<String> {
    let mut lines = Vec::new();
    let mut say = |head: &str, text: &str| {
        lines.push(format!("{} {}", paint(Tone::Strong, head), brief(text)));
    };
    let elsewhere = |l: &&crate::diag::Label| !is_drawn(l.span, diagnostic, findings);
    for label in diagnostic.secondary.iter().filter(elsewhere) {
        let (file, at) = findings.place(label.span);
        say(
            "note:",
            &format!("{}: {file}:{}:{}", label.text, at.line, at.column),
        );
    }
    if let Some(why) = &diagnostic.why {
        say("why:", why);
    }
    if let Some(witness) = &diagnostic.witness {
        say("for example:", witness);
    }
    if let Some(help) = &diagnostic.help {
        say("help:", help);
    }
    if let Some(edit) = &diagnostic.edit {
        if edit.applicability == Applicability::Suggests {
            say(
                "suggestion:",
                "it changes what is decided, so `--fix` leaves it to you",
            );
        }
        lines.extend(change(edit, findings).into_iter().flatten());
    }
    lines
}

/// The changed line before and after; nothing for a change of several lines, whose help says enough.
fn change(edit: &Edit, findings: Findings<'_>) -> Option<[String; 2]> {
    let source = findings.source(edit.span)?;
    let range = edit.span.range();
    let before = source.text.get(..range.start)?;
    let after = source.text.get(range.end..)?;
    let head = before.rsplit('\n').next()?;
    let tail = after.split('\n').next()?.trim_end_matches('\r');
    let old = source.slice(edit.span);
    let changed = old.len().max(edit.replacement.len());
    if old.contains('\n')
        || edit.replacement.contains('\n')
        || head.len() + tail.len() > LINE_CHARS
        || changed > limits::SHOWN_MESSAGE_CHARS
    {
        return None;
    }
    let line = |middle: &str| one_line(format!("{head}{middle}{tail}").trim());
    let minus = paint(Tone::Bad, "-");
    let plus = paint(Tone::Good, "+");
    Some([
        format!("  {minus} {}", line(old)),
        format!("  {plus} {}", line(&edit.replacement)),
    ])
}
