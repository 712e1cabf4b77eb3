//! Tool catalogues become tool declarations: MCP `tools/list` results, function-calling lists and single tools in, a
//! complete `.gaitpol` source out, with every approximation noted and every tool left out named with its reason.
//! A tool is in the source or in `refused`, never in neither. It declares no effects, because a catalogue's hints
//! are the tool author's claims, and it must not judge calls.

mod catalogue;
#[cfg(feature = "cli")]
pub mod gait_yaml;
mod render;
mod schema;

use std::collections::BTreeMap;

use crate::json::{self, Json, JsonError};
use crate::limits;
use crate::source::{FileId, Source};
use crate::syntax;
use catalogue::Entry;

/// Whether descriptions come along. They are the tool author's words and may be aimed at a model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Descriptions {
    /// They are left out.
    #[default]
    Omit,
    /// They become the tool's description string.
    Keep,
}

/// How to import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Put before every tool name with a dot, such as the name of the server.
    pub prefix: Option<String>,
    /// Whether descriptions come along.
    pub descriptions: Descriptions,
    /// The name of the policy.
    pub policy_name: String,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            prefix: None,
            descriptions: Descriptions::Omit,
            policy_name: "imported.tools".to_owned(),
        }
    }
}

/// A remark about one place of a catalogue.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Note {
    /// The tool's name as imported; empty for the whole catalogue.
    pub tool: String,
    /// Where in the catalogue, as a JSON Pointer (RFC 6901). Lines of a JSONL file count as elements of an array.
    pub pointer: String,
    /// One sentence.
    pub message: String,
}

/// An imported catalogue.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// A complete source.
    pub source: String,
    /// Tools declared in it.
    pub tools: usize,
    /// What was narrowed, widened or left out of the declared tools.
    pub notes: Vec<Note>,
    /// Tools that are not declared, and why.
    pub refused: Vec<Note>,
}

/// Imports a catalogue given as text: one JSON document, or one document per line (JSONL). Fails where it is neither,
/// with the byte of the mistake. A number no intent could carry, such as `"maximum": 18446744073709551615`, is no
/// reason to fail: catalogues are read for their types and never digested.
pub fn tools_from_bytes(bytes: &[u8], options: &Options) -> Result<Imported, JsonError> {
    let whole = match json::parse_any_numbers(bytes) {
        Ok(document) => return Ok(tools(&document, options)),
        Err(error) => error,
    };
    let mut items = Vec::new();
    let mut start = 0;
    for line in bytes.split(|b| *b == b'\n') {
        if !line.trim_ascii().is_empty() {
            match json::parse_any_numbers(line) {
                Ok(item) => items.push(item),
                Err(_) if items.is_empty() => return Err(whole),
                Err(error) => {
                    return Err(JsonError {
                        at: error.at + start,
                        ..error
                    });
                }
            }
        }
        start += line.len() + 1;
    }
    if items.is_empty() {
        return Err(whole);
    }
    Ok(tools(&Json::Array(items), options))
}

/// Imports a catalogue. The source lists the tools in the order of the catalogue, so equal catalogues give equal
/// bytes.
pub fn tools(json: &Json, options: &Options) -> Imported {
    let mut out = Import {
        done: Imported::default(),
        seen: BTreeMap::new(),
        options,
    };
    out.done.source = header(options);
    for entry in catalogue::entries(json) {
        match entry {
            Ok(entry) => out.add(&entry),
            Err((pointer, message)) => out.done.refused.push(Note {
                tool: String::new(),
                pointer,
                message,
            }),
        }
    }
    out.done.source = laid_out(out.done.source);
    out.done
}

/// The standard layout, so that what is imported passes `fmt --check` as it comes.
fn laid_out(source: String) -> String {
    let source = Source::new(FileId(0), "imported.gaitpol", source);
    // INVARIANT: what is imported parses; a tool for which it did not would be better kept than lost.
    syntax::format(&source).unwrap_or(source.text)
}

fn header(options: &Options) -> String {
    let name = crate::syntax::quote::dotted_name(&options.policy_name);
    format!("gaitpol 1\npolicy {name}\n\ndefault block code no_rule_matched\n")
}

/// An import under way.
struct Import<'a> {
    done: Imported,
    /// What became of each name: its declared arguments, or `None` when it was refused.
    seen: BTreeMap<String, Option<String>>,
    options: &'a Options,
}

impl Import<'_> {
    fn add(&mut self, entry: &Entry<'_>) {
        let name = match &self.options.prefix {
            Some(prefix) => format!("{prefix}.{}", entry.name),
            None => entry.name.to_owned(),
        };
        let mut notes = Vec::new();
        let arguments = match &entry.schema {
            Some((pointer, schema)) => schema::arguments(schema, pointer, &mut notes),
            None => {
                notes.push((
                    entry.pointer.clone(),
                    "no input schema; declared without arguments".to_owned(),
                ));
                Ok(Vec::new())
            }
        };
        if entry.annotated {
            let message = "annotations are hints nobody checks; no effects are declared from them".to_owned();
            notes.push((entry.pointer.clone(), message));
        }
        match arguments {
            Ok(fields) => self.declare(name, entry, render::arguments(&fields), notes),
            Err((pointer, message)) => self.refuse(name, pointer, message),
        }
    }

    fn declare(&mut self, name: String, entry: &Entry<'_>, arguments: String, notes: Vec<(String, String)>) {
        let here = entry.pointer.clone();
        match self.seen.get(&name) {
            Some(Some(first)) if *first == arguments => {
                let message = "declared again with the same arguments; merged".to_owned();
                self.done.notes.push(Note {
                    tool: name,
                    pointer: here,
                    message,
                });
            }
            Some(Some(_)) => self.refuse(
                name,
                here,
                "the name is already declared with other arguments".to_owned(),
            ),
            Some(None) => self.refuse(name, here, "an earlier tool of this name was refused".to_owned()),
            None => {
                let description = match self.options.descriptions {
                    Descriptions::Keep => entry.description,
                    Descriptions::Omit => None,
                };
                let text = render::tool(&name, description, &arguments);
                if let Some(bound) = self.over_bound(&text) {
                    return self.refuse(name, here, bound);
                }
                self.done.source.push_str(&text);
                self.done.tools += 1;
                let note = |(pointer, message)| Note {
                    tool: name.clone(),
                    pointer,
                    message,
                };
                self.done.notes.extend(notes.into_iter().map(note));
                self.seen.insert(name, Some(arguments));
            }
        }
    }

    fn over_bound(&self, text: &str) -> Option<String> {
        if self.done.tools >= limits::TOOLS {
            Some(format!("over {} tools in one policy", limits::TOOLS))
        } else if self.done.source.len() + text.len() > limits::SOURCE_BYTES {
            Some(format!("the source would be over {} bytes", limits::SOURCE_BYTES))
        } else {
            None
        }
    }

    fn refuse(&mut self, name: String, pointer: String, message: String) {
        self.seen.entry(name.clone()).or_insert(None);
        self.done.refused.push(Note {
            tool: name,
            pointer,
            message,
        });
    }
}
