//! Reads one YAML document into a tree that knows where everything stands. In: bytes. Out: nodes, or the first mistake
//! with its line and column. Keys are distinct texts, aliases are copied within bounds, merge keys (`<<`) are resolved,
//! tags are refused. What a scalar means is decided by who reads it; only whether it is quoted is kept here.

use std::collections::{BTreeMap, BTreeSet};

use saphyr_parser::{Event, Parser, ScalarStyle, Span, StrInput};

use super::ImportError;
use crate::limits;

/// Where something stands, counted from 1, in characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

/// A part of the document.
#[derive(Clone, Debug)]
pub(super) struct Node {
    /// Where it starts.
    pub(super) at: Place,
    /// What it is.
    pub(super) kind: Kind,
}

/// The kinds of part.
#[derive(Clone, Debug)]
pub(super) enum Kind {
    /// Text; `quoted` where the author left no doubt that it is text.
    Scalar {
        /// The text.
        text: String,
        /// In quotes, or a block.
        quoted: bool,
    },
    /// `[a, b]`
    List(Vec<Node>),
    /// `{a: b}`, keys distinct, in the order written.
    Map(Vec<(String, Place, Node)>),
}

impl Node {
    /// Whether nothing is written: an empty value, `~` or `null`.
    pub(super) fn is_null(&self) -> bool {
        matches!(&self.kind, Kind::Scalar { text, quoted: false }
            if matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL"))
    }

    /// What it is, for messages.
    pub(super) fn phrase(&self) -> &'static str {
        match &self.kind {
            Kind::Scalar { .. } if self.is_null() => "nothing",
            Kind::Scalar { .. } => "a single value",
            Kind::List(_) => "a list",
            Kind::Map(_) => "a mapping",
        }
    }

    fn size(&self) -> usize {
        1 + match &self.kind {
            Kind::Scalar { .. } => 0,
            Kind::List(items) => items.iter().map(Node::size).sum(),
            Kind::Map(members) => members.iter().map(|(_, _, node)| node.size() + 1).sum(),
        }
    }

    fn depth(&self) -> usize {
        1 + match &self.kind {
            Kind::Scalar { .. } => 0,
            Kind::List(items) => items.iter().map(Node::depth).max().unwrap_or(0),
            Kind::Map(members) => members.iter().map(|(_, _, node)| node.depth()).max().unwrap_or(0),
        }
    }
}

/// Reads the document.
pub(super) fn read(bytes: &[u8]) -> Result<Node, ImportError> {
    let start = Place { line: 1, column: 1 };
    if bytes.len() > limits::YAML_BYTES {
        let message = format!("the file is over {} bytes", limits::YAML_BYTES);
        return Err(ImportError::new("import.yaml_too_large", start, message));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
        let line = 1 + before.iter().filter(|b| **b == b'\n').count();
        let column = 1 + before.iter().rev().take_while(|b| **b != b'\n').count();
        ImportError::new(
            "import.yaml_syntax",
            Place { line, column },
            "the file is not UTF-8",
        )
    })?;
    no_tabs(text)?;
    let mut reader = Reader {
        parser: Parser::new_from_str(text.strip_prefix('\u{feff}').unwrap_or(text)),
        anchors: BTreeMap::new(),
        nodes: 0,
    };
    reader.document()
}

/// YAML indents with spaces; some readers let a tab pass and disagree on what it means.
fn no_tabs(text: &str) -> Result<(), ImportError> {
    for (line, content) in text.lines().enumerate() {
        let indent = content.len() - content.trim_start_matches([' ', '\t']).len();
        let tab = content.bytes().take(indent).position(|b| b == b'\t');
        if let Some(column) = tab.filter(|_| indent < content.len()) {
            let at = Place {
                line: line + 1,
                column: column + 1,
            };
            let message = "a tab indents this line; YAML takes spaces";
            return Err(ImportError::new("import.yaml_syntax", at, message));
        }
    }
    Ok(())
}

struct Reader<'t> {
    parser: Parser<'t, StrInput<'t>>,
    /// Finished anchors, by their number.
    anchors: BTreeMap<usize, Node>,
    nodes: usize,
}

impl<'t> Reader<'t> {
    fn next(&mut self) -> Result<(Event<'t>, Place), ImportError> {
        match self.parser.next_event() {
            Some(Ok((event, span))) => Ok((event, place(span))),
            Some(Err(error)) => {
                let at = Place {
                    line: error.marker().line(),
                    column: error.marker().col() + 1,
                };
                let message = format!("this is no YAML: {}", error.info());
                Err(ImportError::new("import.yaml_syntax", at, message))
            }
            None => Ok((Event::StreamEnd, Place::default())),
        }
    }

    fn document(&mut self) -> Result<Node, ImportError> {
        let mut root = None;
        loop {
            match self.next()? {
                (Event::StreamEnd, _) => break,
                (Event::StreamStart | Event::DocumentStart(_) | Event::DocumentEnd | Event::Nothing, _) => {}
                (_, at) if root.is_some() => {
                    let message = "the file holds several documents; a policy is one";
                    return Err(ImportError::new("import.yaml_documents", at, message));
                }
                (event, at) => root = Some(self.node(event, at, 0)?),
            }
        }
        root.filter(|node| !node.is_null()).ok_or_else(|| {
            let start = Place { line: 1, column: 1 };
            ImportError::new("import.yaml_empty", start, "the file is empty")
        })
    }

    fn node(&mut self, event: Event<'t>, at: Place, depth: usize) -> Result<Node, ImportError> {
        self.count(1, at)?;
        if depth >= limits::YAML_DEPTH {
            return Err(too_deep(at));
        }
        let (kind, anchor, tag) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                let quoted = style != ScalarStyle::Plain;
                let text = text.into_owned();
                (Kind::Scalar { text, quoted }, anchor, tag)
            }
            Event::SequenceStart(anchor, tag) => (self.list(depth)?, anchor, tag),
            Event::MappingStart(anchor, tag) => (self.map(depth)?, anchor, tag),
            Event::Alias(anchor) => return self.alias(anchor, at, depth),
            _ => {
                return Err(ImportError::new(
                    "import.yaml_syntax",
                    at,
                    "the document ends here too early",
                ));
            }
        };
        if let Some(tag) = tag {
            let shown = super::shown(&tag.to_string());
            let message = format!("the tag `{shown}` is not supported");
            return Err(ImportError::new("import.yaml_tag", at, message)
                .help("leave it out; what a value is follows from its key"));
        }
        let node = Node { at, kind };
        if anchor > 0 {
            self.count(node.size(), at)?;
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    /// A copy of what the anchor names. A copy counts as if it were written out, which bounds how far copies of copies
    /// can grow.
    fn alias(&mut self, anchor: usize, at: Place, depth: usize) -> Result<Node, ImportError> {
        let Some(named) = self.anchors.get(&anchor) else {
            let message = "an alias stands inside what it names";
            return Err(ImportError::new("import.yaml_alias", at, message));
        };
        if depth + named.depth() > limits::YAML_DEPTH {
            return Err(too_deep(at));
        }
        let node = named.clone();
        self.count(node.size(), at)?;
        Ok(node)
    }

    fn count(&mut self, more: usize, at: Place) -> Result<(), ImportError> {
        self.nodes += more;
        if self.nodes <= limits::YAML_NODES {
            return Ok(());
        }
        let message = format!(
            "the file has over {} parts, aliases written out",
            limits::YAML_NODES
        );
        Err(ImportError::new("import.yaml_too_large", at, message))
    }

    fn list(&mut self, depth: usize) -> Result<Kind, ImportError> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(Kind::List(items)),
                (event, at) => items.push(self.node(event, at, depth + 1)?),
            }
        }
    }

    fn map(&mut self, depth: usize) -> Result<Kind, ImportError> {
        let mut members: Vec<(String, Place, Node)> = Vec::new();
        let mut keys = BTreeSet::new();
        let mut merged = None;
        loop {
            let (event, at) = self.next()?;
            if event == Event::MappingEnd {
                break;
            }
            let is_merge = matches!(&event, Event::Scalar(text, ScalarStyle::Plain, ..) if text == "<<");
            let key = match self.node(event, at, depth + 1)?.kind {
                Kind::Scalar { text, .. } => text,
                _ => return Err(ImportError::new("import.yaml_key", at, "a key is a text")),
            };
            if !keys.insert(key.clone()) {
                let message = format!("`{}` is written twice in one mapping", super::shown(&key));
                return Err(ImportError::new("import.yaml_duplicate_key", at, message)
                    .help("keep one of them; which of two would count differs between readers"));
            }
            let (event, value_at) = self.next()?;
            let value = self.node(event, value_at, depth + 1)?;
            if is_merge {
                merged = Some(value);
            } else {
                members.push((key, at, value));
            }
        }
        for (key, at, value) in merged.map(sources).transpose()?.into_iter().flatten() {
            if keys.insert(key.clone()) {
                members.push((key, at, value));
            }
        }
        Ok(Kind::Map(members))
    }
}

/// What a merge key brings in: the members of one mapping, or of several, the first of which wins.
fn sources(value: Node) -> Result<Vec<(String, Place, Node)>, ImportError> {
    let at = value.at;
    let wrong = || {
        let message = "`<<` takes a mapping or a list of mappings";
        ImportError::new("import.yaml_key", at, message)
    };
    match value.kind {
        Kind::Map(members) => Ok(members),
        Kind::List(items) => {
            let mut all = Vec::new();
            for item in items {
                match item.kind {
                    Kind::Map(members) => all.extend(members),
                    _ => return Err(wrong()),
                }
            }
            Ok(all)
        }
        Kind::Scalar { .. } => Err(wrong()),
    }
}

fn too_deep(at: Place) -> ImportError {
    let message = format!("the file is nested deeper than {} levels", limits::YAML_DEPTH);
    ImportError::new("import.yaml_too_large", at, message)
}

fn place(span: Span) -> Place {
    Place {
        line: span.start.line(),
        column: span.start.col() + 1,
    }
}

#[cfg(test)]
mod tests {
    use super::{Kind, Node, read};

    /// The tree in a line.
    fn flat(node: &Node) -> String {
        match &node.kind {
            Kind::Scalar { text, quoted: true } => format!("'{text}'"),
            Kind::Scalar { text, .. } => text.clone(),
            Kind::List(items) => format!("[{}]", items.iter().map(flat).collect::<Vec<_>>().join(",")),
            Kind::Map(members) => {
                let members: Vec<String> = members
                    .iter()
                    .map(|(k, _, v)| format!("{k}:{}", flat(v)))
                    .collect();
                format!("{{{}}}", members.join(","))
            }
        }
    }

    #[test]
    fn documents_become_trees() {
        for (text, expected) in [
            ("a: b\nc: [d, 'e', \"f\"]\n", "{a:b,c:[d,'e','f']}"),
            ("a: &x {b: 1}\nc: *x\n", "{a:{b:1},c:{b:1}}"),
            (
                "a: &x {b: 1, c: 2}\nd: {<<: *x, c: 3}\n",
                "{a:{b:1,c:2},d:{c:3,b:1}}",
            ),
            (
                "x: [&a {b: 1}, &c {b: 2, d: 3}]\ny: {<<: [*a, *c]}\n",
                "{x:[{b:1},{b:2,d:3}],y:{b:1,d:3}}",
            ),
            ("a: |\n  text\n", "{a:'text\n'}"),
            ("--- {a: }\n...\n", "{a:}"),
            ("\u{feff}a: é\n", "{a:é}"),
        ] {
            assert_eq!(flat(&read(text.as_bytes()).unwrap()), expected, "{text}");
        }
    }

    #[test]
    fn what_can_be_read_in_two_ways_is_refused_with_its_place() {
        let deep = format!("a: {}{}", "[".repeat(40), "]".repeat(40));
        let laughs: String = (1..12)
            .map(|i| format!("a{i}: &a{i} [{}]\n", vec![format!("*a{}", i - 1); 9].join(", ")))
            .collect();
        let laughs = format!("a0: &a0 ha\n{laughs}");
        let long = format!("a: {}", "x".repeat(crate::limits::YAML_BYTES));
        for (text, code, line, column) in [
            ("", "yaml_empty", 1, 1),
            ("# nothing\n", "yaml_empty", 1, 1),
            ("~\n", "yaml_empty", 1, 1),
            ("a: 1\nb: 2\na: 3\n", "yaml_duplicate_key", 3, 1),
            ("a: {b: 1, \"b\": 2}\n", "yaml_duplicate_key", 1, 11),
            ("<<: {a: 1}\n<<: {a: 2}\n", "yaml_duplicate_key", 2, 1),
            ("<<: x\n", "yaml_key", 1, 5),
            ("? [a]\n: b\n", "yaml_key", 1, 3),
            ("a: 1\n--- \nb: 2\n", "yaml_documents", 3, 1),
            ("a: !!str 1\n", "yaml_tag", 1, 4),
            ("a: !x 1\n", "yaml_tag", 1, 4),
            ("a: &x [*x]\n", "yaml_alias", 1, 8),
            ("a: *x\n", "yaml_syntax", 1, 4),
            ("\ta: 1\n", "yaml_syntax", 1, 1),
            ("a: [1\n", "yaml_syntax", 2, 1),
            ("a: b: c\n", "yaml_syntax", 1, 5),
            (deep.as_str(), "yaml_too_large", 1, 35),
            (laughs.as_str(), "yaml_too_large", 6, 5),
            (long.as_str(), "yaml_too_large", 1, 1),
        ] {
            let error = read(text.as_bytes()).expect_err(text);
            let shown: String = text.chars().take(40).collect();
            assert_eq!(
                (error.code, error.at.line, error.at.column),
                (format!("import.{code}").as_str(), line, column),
                "{shown}: {}",
                error.message
            );
        }
        let error = read(b"a: 1\nb: \xff\n").unwrap_err();
        assert_eq!(
            (error.code, error.at.line, error.at.column),
            ("import.yaml_syntax", 2, 4)
        );
    }
}
