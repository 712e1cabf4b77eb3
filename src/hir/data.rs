//! Sets whose elements lie in a file beside the policy: a column of a CSV file, or a list in a JSON document. In: the
//! file's text, which was read before. Out: the elements as they are written, each with its place. What they mean is the
//! set's type to say.

mod columns;
mod offsets;

use crate::diag::Diagnostic;
use crate::diag::codes::BAD_DATA;
use crate::json::{self, Json};
use crate::limits;
use crate::source::{Source, Span};
use crate::syntax::ast::{Data, Name};
use crate::syntax::hidden::{is_hidden, reorders};

/// An element as it is written.
pub(super) struct Cell {
    pub text: String,
    /// Whether it is a text, not a number of a JSON document.
    pub is_text: bool,
    /// A character in it that nobody sees, or beside it one that shows it in another order.
    pub hidden: Option<char>,
    pub span: Span,
}

/// Reads the elements a set takes from a file.
///
/// # Errors
/// The report of what is wrong with the file or with what is taken from it.
pub(super) fn cells(source: &Source, data: &Data) -> Result<Vec<Cell>, Diagnostic> {
    let is_csv = data.path.node.ends_with(".csv");
    if source
        .text
        .trim_matches(|c: char| c.is_whitespace() || c == '\u{FEFF}')
        .is_empty()
    {
        return Err(empty(data, is_csv));
    }
    let cells = if is_csv {
        columns::cells(source, data)?
    } else {
        json(source, data)?
    };
    match cells.len() {
        0 => {
            let message = format!("`{}` has no element for the set", data.path.node);
            let report = Diagnostic::error(BAD_DATA, data.path.span, message);
            Err(report
                .help("a set without elements is one that no value is in; was another column or list meant?"))
        }
        n if n > limits::SET_ELEMENTS => {
            let message = format!(
                "`{}` has {n} elements, over {}",
                data.path.node,
                limits::SET_ELEMENTS
            );
            Err(Diagnostic::error(BAD_DATA, data.path.span, message)
                .help("ask with a pattern, or let the host supply a fact"))
        }
        _ => Ok(cells),
    }
}

fn empty(data: &Data, is_csv: bool) -> Diagnostic {
    let message = format!("`{}` is empty", data.path.node);
    Diagnostic::error(BAD_DATA, data.path.span, message).help(if is_csv {
        "its first line names the columns, and each line after it holds a value for every column"
    } else {
        "it holds a JSON document with a list of texts or numbers, such as `[\"a\", \"b\"]`"
    })
}

/// The report for a value that is not what a reader of the file takes it for.
pub(super) fn hidden(source: &Source, data: &Data, cell: &Cell) -> Option<Diagnostic> {
    let hidden = u32::from(cell.hidden?);
    let what = format!("this holds the hidden character U+{hidden:04X}");
    let report = wrong(source, data, cell.span, &what)
        .why("who reviews the file sees another value than the one that calls are compared with");
    Some(report.help(format!(
        "remove it, or write the value with an escape: in the policy (`\\u{{{hidden:X}}}`), or in a JSON file"
    )))
}

/// The report for something at a place in the file.
pub(super) fn wrong(source: &Source, data: &Data, at: Span, what: &str) -> Diagnostic {
    let line = source.position(at.start).line;
    let message = format!("`{}`, line {line}: {what}", data.path.node);
    Diagnostic::error(BAD_DATA, data.path.span, message).also(at, "here")
}

fn json(source: &Source, data: &Data) -> Result<Vec<Cell>, Diagnostic> {
    let document = json::parse(source.text.as_bytes()).map_err(|error| {
        let at = Span::new(source.id, error.at, error.at + 1);
        wrong(source, data, at, &error.message)
    })?;
    let pointer = data.at.as_ref().map_or("", |at| at.node.as_str());
    let steps = steps(pointer).ok_or_else(|| {
        let span = data.at.as_ref().map_or(data.path.span, |at| at.span);
        let report = Diagnostic::error(BAD_DATA, span, "this is no path into a JSON document");
        report.help("write a JSON Pointer (RFC 6901), such as `\"/payees\"`")
    })?;
    let missing = |what: &str| {
        let (span, place) = match &data.at {
            Some(at) => (at.span, format!("at `{}` in `{}`", at.node, data.path.node)),
            None => (data.path.span, format!("in `{}`", data.path.node)),
        };
        Diagnostic::error(BAD_DATA, span, format!("{what} {place}"))
            .help("say where the list is with a JSON Pointer: `at \"/payees\"`")
    };
    let list = step_to(&document, &steps).ok_or_else(|| missing("nothing is"))?;
    let items = list.as_array().ok_or_else(|| missing("there is no list"))?;
    let places = offsets::elements(&source.text, &steps);
    let mut cells = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let (start, end) = places.get(index).copied().unwrap_or_default();
        let span = Span::new(source.id, start, end);
        let value = match &data.column {
            None => item,
            Some(member) => item.get(&member.node).ok_or_else(|| {
                let what = format!("element {} has no member `{}`", index + 1, member.node);
                wrong(source, data, span, &what)
            })?,
        };
        let (text, is_text) = match value {
            Json::String(text) => (text.to_string(), true),
            Json::Number(number) => (number.text().to_owned(), false),
            other => {
                let what = format!(
                    "element {} is {}, neither a text nor a number",
                    index + 1,
                    other.kind()
                );
                return Err(wrong(source, data, span, &what)
                    .help("of objects a member is taken with `column \"name\"`"));
            }
        };
        // An escape is seen by who reads the file.
        let written = source.text.get(start..end).unwrap_or_default();
        cells.push(Cell {
            hidden: written
                .chars()
                .find(|c| reorders(*c) || is_hidden(*c) && text.contains(*c)),
            text,
            is_text,
            span,
        });
    }
    Ok(cells)
}

/// The steps of a JSON Pointer (RFC 6901); `None` when it is none.
fn steps(pointer: &str) -> Option<Vec<String>> {
    let rest = match pointer.strip_prefix('/') {
        Some(rest) => rest,
        None if pointer.is_empty() => return Some(Vec::new()),
        None => return None,
    };
    let step = |step: &str| {
        // `~` stands only before 0 and 1.
        let plain = step.replace("~0", "").replace("~1", "");
        (!plain.contains('~')).then(|| step.replace("~1", "/").replace("~0", "~"))
    };
    rest.split('/').map(step).collect()
}

fn step_to<'j>(json: &'j Json, steps: &[String]) -> Option<&'j Json> {
    let mut at = json;
    for step in steps {
        at = match at {
            Json::Array(items) => items.get(index(step)?)?,
            other => other.get(step)?,
        };
    }
    Some(at)
}

/// A step into a list.
fn index(step: &str) -> Option<usize> {
    let plain = step == "0" || !step.starts_with(['0', '+']);
    step.parse().ok().filter(|_| plain)
}

/// The report for values that a file gives more than once.
pub(super) fn twice(source: &Source, data: &Data, name: &Name, again: &[Span], first: Span) -> Diagnostic {
    let line = |span: &Span| source.position(span.start).line;
    let values = match again.len() {
        1 => "one value".to_owned(),
        n => format!("{n} values"),
    };
    let at = again.first().map_or(0, line);
    let message = format!(
        "`{}` gives set `{}` {values} again, the first on line {at}",
        data.path.node, name.text
    );
    let report = Diagnostic::warning(crate::diag::codes::DUPLICATE_ELEMENT, data.path.span, message);
    let report = again.first().map_or(report.clone(), |again| {
        report.also(*again, "this is in the set already")
    });
    report
        .also(first, "as the value of this")
        .help("leave them out of the file; the set is the same")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{FileId, Spanned};

    fn read(
        path: &str,
        text: &str,
        at: Option<&str>,
        column: Option<&str>,
    ) -> Result<Vec<(String, u32)>, String> {
        let spanned = |text: &str| Spanned {
            node: text.to_owned(),
            span: Span::default(),
        };
        let data = Data {
            path: spanned(path),
            at: at.map(spanned),
            column: column.map(spanned),
            digest: None,
        };
        let source = Source::new(FileId(1), path, text);
        let line = |span: Span| source.position(span.start).line;
        match cells(&source, &data) {
            Ok(cells) => Ok(cells.into_iter().map(|c| (c.text, line(c.span))).collect()),
            Err(report) => Err(report.message),
        }
    }

    #[test]
    fn files_are_read_as_they_are_written() {
        let own = |cells: &[(&str, u32)]| {
            cells
                .iter()
                .map(|(t, l)| ((*t).to_owned(), *l))
                .collect::<Vec<_>>()
        };
        for (text, column, expected) in [
            ("a,b\r\n1,2\r\n\r\n3,4\r\n", "b", &[("2", 2), ("4", 4)][..]),
            ("a,b\n1,2\n3,4", "a", &[("1", 2), ("3", 3)]),
            ("\u{feff}a\n1\n", "a", &[("1", 2)]),
            (
                "\"a,\"\"\",b\n\"x\ny\",2\nz,3\n",
                "a,\"",
                &[("x\ny", 2), ("z", 4)],
            ),
            ("a;b\n1;2\n", "a;b", &[("1;2", 2)]),
            ("\"a;b\"\n1;2\n", "a;b", &[("1;2", 2)]),
            ("a,b\n\" 1 \",2\n", "a", &[(" 1 ", 2)]),
            ("a,b\n1, 2\n", "a", &[("1", 2)]),
        ] {
            assert_eq!(
                read("x.csv", text, None, Some(column)),
                Ok(own(expected)),
                "{text:?}"
            );
        }
        for text in ["a\n 1 \n", "a,b\n2, 1\n", "a,b\n2,1\t\n"] {
            let column = if text.contains("b") { "b" } else { "a" };
            let told = read("x.csv", text, None, Some(column)).unwrap_err();
            assert!(told.contains("blanks"), "{text:?}: {told}");
        }
        let text = "{\"a/b\": {\"~\": [\"x\",\n 1.50]}}";
        assert_eq!(
            read("x.json", text, Some("/a~1b/~0"), None),
            Ok(own(&[("x", 1), ("1.5", 2)]))
        );
        for (pointer, refused) in [("/a~2", true), ("a", true), ("/a~1b/~0/0", true), ("", true)] {
            assert_eq!(
                read("x.json", text, Some(pointer), None).is_err(),
                refused,
                "{pointer}"
            );
        }
        assert!(read("x.json", "[1, 1e400]", None, None).is_err());
        assert!(read("x.json", "{\"a\": [1], \"a\": [2]}", Some("/a"), None).is_err());
    }
}
