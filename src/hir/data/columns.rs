//! A column of a CSV file (RFC 4180) with a header line. In: the file's text, and which column is meant. Out: its values
//! as they are written. A file that is not what it looks like is refused: other separators, and characters nobody sees.

use super::{Cell, wrong};
use crate::diag::codes::BAD_DATA;
use crate::diag::{Diagnostic, suggest};
use crate::source::{Source, Span};
use crate::syntax::ast::Data;
use crate::syntax::hidden::{is_hidden, reorders};
use csv::StringRecord;

/// What other programs write between values instead of a comma.
const SEPARATORS: [(char, &str); 3] = [(';', "`;`"), ('\t', "a tab"), ('|', "`|`")];

/// The values of the column that is meant.
pub(super) fn cells(source: &Source, data: &Data) -> Result<Vec<Cell>, Diagnostic> {
    if let Some(at) = &data.at {
        let report = Diagnostic::error(BAD_DATA, at.span, "a CSV file has columns, not paths");
        return Err(report.help("name the column: `column \"name\"`"));
    }
    let text = source.text.as_str();
    if text.matches('"').count() % 2 == 1 {
        let at = text.rfind('"').unwrap_or_default();
        let at = Span::new(source.id, at, at + 1);
        return Err(wrong(source, data, at, "a quote is opened and not closed")
            .help("a quote inside quotes is written twice"));
    }
    let mut records = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes())
        .into_records();
    let header = records.next().and_then(Result::ok).unwrap_or_default();
    if let Some(report) = bad_header(source, data, &header) {
        return Err(report);
    }
    let names: Vec<&str> = header.iter().collect();
    let column = column(data, &names)?;
    let mut cells = Vec::new();
    for record in records {
        let Ok(record) = record else {
            let message = format!("`{}` is no CSV", data.path.node);
            return Err(Diagnostic::error(BAD_DATA, data.path.span, message));
        };
        let span = line(source, &record);
        if record.len() != header.len() {
            let values = if record.len() == 1 { "value" } else { "values" };
            let what = format!("{} {values} under {} columns", record.len(), header.len());
            return Err(wrong(source, data, span, &what).help("every line has a value for each column"));
        }
        let value = record.get(column).unwrap_or_default();
        let written = source.text.get(span.start as usize..span.end as usize);
        let is_meant = || written.is_some_and(|line| line.contains(&format!("\"{value}\"")));
        if value.trim() != value && !is_meant() {
            return Err(
                wrong(source, data, span, "the value has blanks before or behind it")
                    .why("they are part of it, so no call would have it")
                    .help("remove them; where they are meant, put the value in quotes"),
            );
        }
        let shown_elsewhere = || record.iter().flat_map(str::chars).find(|c| reorders(*c));
        cells.push(Cell {
            text: value.to_owned(),
            is_text: true,
            hidden: value.chars().find(|c| is_hidden(*c)).or_else(shown_elsewhere),
            span,
        });
    }
    Ok(cells)
}

/// The line that a record starts on.
fn line(source: &Source, record: &StringRecord) -> Span {
    let at = record.position().map_or(0, csv::Position::byte);
    let start = usize::try_from(at).unwrap_or(usize::MAX);
    let rest = source.text.get(start..).unwrap_or_default();
    let blank = rest.len() - rest.trim_start_matches(['\u{FEFF}', '\r', '\n']).len();
    let start = start + blank;
    let length = rest.get(blank..).and_then(|rest| rest.find(['\r', '\n']));
    let end = length.map_or(source.text.len(), |length| start + length);
    Span::new(source.id, start, end)
}

/// The report for a header line that is not the names of columns between commas.
fn bad_header(source: &Source, data: &Data, header: &StringRecord) -> Option<Diagnostic> {
    let at = line(source, header);
    if let Some(hidden) = header.iter().flat_map(str::chars).find(|c| is_hidden(*c)) {
        let what = format!(
            "the name of a column holds the hidden character U+{:04X}",
            u32::from(hidden)
        );
        return Some(wrong(source, data, at, &what).help("remove it"));
    }
    let (Some(name), 1) = (header.get(0), header.len()) else {
        return None;
    };
    let written = source.text.get(at.start as usize..).unwrap_or_default();
    let is_meant = written.starts_with('"') || data.column.as_ref().is_some_and(|c| c.node == name);
    let (_, separator) = SEPARATORS.iter().find(|(c, _)| name.contains(*c) && !is_meant)?;
    let what = format!("{separator} stands between the columns, where CSV has a comma");
    Some(
        wrong(source, data, at, &what)
            .why("it would be read as one column")
            .help("save the file with commas; where this is the name of one column, put it in quotes"),
    )
}

/// The number of the column that is named.
fn column(data: &Data, names: &[&str]) -> Result<usize, Diagnostic> {
    let there = format!("it has `{}`", names.join("`, `"));
    let Some(wanted) = &data.column else {
        if names.len() == 1 {
            return Ok(0);
        }
        let message = format!("`{}` has {} columns", data.path.node, names.len());
        let report = Diagnostic::error(BAD_DATA, data.path.span, message);
        return Err(report.help(format!("say which: `column \"name\"`; {there}")));
    };
    let mut found = names.iter().enumerate().filter(|(_, name)| **name == wanted.node);
    match (found.next(), found.next()) {
        (Some((index, _)), None) => Ok(index),
        (Some(_), Some(_)) => {
            let message = format!("`{}` has two columns called `{}`", data.path.node, wanted.node);
            Err(Diagnostic::error(BAD_DATA, wanted.span, message).help("give one of them another name"))
        }
        (None, _) => {
            let message = format!("`{}` has no column `{}`", data.path.node, wanted.node);
            let report = Diagnostic::error(BAD_DATA, wanted.span, message);
            Err(match suggest::nearest(&wanted.node, names.iter().copied()) {
                Some(near) => report
                    .help(format!("did you mean `{near}`?"))
                    .edit(wanted.span, crate::syntax::quote::string(near)),
                None => report.help(there),
            })
        }
    }
}
