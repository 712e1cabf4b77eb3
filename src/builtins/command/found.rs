//! What is found in a command line, and the record a policy sees of it. In: commands, redirections, operators and
//! doubts as they are read. Out: the value of `parts`, whose fields are those of `fields`.

use super::script::Stop;
use super::variables;
use super::word::Word;
use crate::builtins::parts::{field, fitting, list, members};
use crate::builtins::path;
use crate::limits;
use crate::ty::{Field, Ty};
use crate::value::Value;
use std::collections::BTreeSet;

/// Why something is not known before the command runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Doubt {
    /// A word is made by an expansion or a pattern.
    Argument,
    /// A variable is set that may change what runs.
    Assignment,
    /// A function or alias gives names another meaning.
    Definition,
    /// Text is run that is not written here.
    Evaluation,
    /// Which program runs is not known.
    Program,
    /// Which file is opened is not known.
    Redirect,
    /// The text cannot be read to its end in one way only.
    Syntax,
    /// How a program that starts others reads its arguments is not known.
    Wrapper,
}

/// The names of doubts, in the order of `Doubt`.
const DOUBTS: [&str; 8] = [
    "argument",
    "assignment",
    "definition",
    "evaluation",
    "program",
    "redirect",
    "syntax",
    "wrapper",
];

/// What joins or encloses commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Operator {
    /// `&&`
    AndThen,
    /// `&`
    Background,
    /// `if` and `case`
    Branch,
    /// `f() …`
    Function,
    /// `{ …; }`
    Group,
    /// `for`, `while` and `until`
    Loop,
    /// `||`
    OrElse,
    /// `|`
    Pipe,
    /// `;` or a line end between commands
    Sequence,
    /// `( … )`
    Subshell,
    /// `$( … )`, backquotes, `<( … )`
    Substitution,
}

/// The names of operators, in the order of `Operator`.
const OPERATORS: [&str; 11] = [
    "and_then",
    "background",
    "branch",
    "function",
    "group",
    "loop",
    "or_else",
    "pipe",
    "sequence",
    "subshell",
    "substitution",
];

/// What a redirection does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// `>>`
    Append,
    /// `<<` and `<<<`
    Document,
    /// `2>&1`
    Duplicate,
    /// `<`
    Read,
    /// `<>`
    ReadWrite,
    /// `>`
    Write,
}

/// The names of kinds, in the order of `Kind`.
const KINDS: [&str; 6] = ["append", "document", "duplicate", "read", "read_write", "write"];

/// Files that are no files: opening them changes and tells nothing.
const STREAMS: [&str; 4] = ["/dev/null", "/dev/stderr", "/dev/stdin", "/dev/stdout"];

/// A redirection.
#[derive(Debug)]
pub(super) struct Redirect {
    pub(super) kind: Kind,
    pub(super) target: Word,
}

/// A program that is started.
#[derive(Debug)]
pub(super) struct Command {
    /// Its name; empty when it is not known.
    pub(super) program: String,
    /// As written, without quotes.
    pub(super) path: String,
    pub(super) args: Vec<Word>,
    /// The programs that start it, outermost first.
    pub(super) via: Vec<String>,
    /// What it is told to do, as far as `verbs` knows.
    pub(super) verb: String,
    pub(super) opaque: bool,
}

/// Everything found in one command line.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) commands: Vec<Command>,
    pub(super) redirects: Vec<Redirect>,
    pub(super) operators: BTreeSet<Operator>,
    pub(super) assigns: BTreeSet<String>,
    doubts: BTreeSet<Doubt>,
    /// Something may run that is not among the commands.
    hidden: bool,
    /// The working directory may change on the way.
    pub(super) moved: bool,
    words: usize,
}

impl Found {
    /// Notes a doubt about a command that is listed all the same.
    pub(super) fn doubt(&mut self, doubt: Doubt) {
        self.doubts.insert(doubt);
    }

    /// Notes a doubt behind which a program may run that is not listed.
    pub(super) fn hide(&mut self, doubt: Doubt) {
        self.doubts.insert(doubt);
        self.hidden = true;
    }

    /// Counts a word; too many of them cannot be read.
    pub(super) fn count_word(&mut self) -> Result<(), Stop> {
        self.words += 1;
        if self.words > limits::COMMAND_WORDS {
            Err(Stop)
        } else {
            Ok(())
        }
    }

    /// A variable that is set for what follows; `passed` on to a program's environment.
    pub(super) fn assign(&mut self, name: &str, passed: bool) {
        if !variables::is_harmless(name, passed) {
            self.hide(Doubt::Assignment);
        }
        if self.assigns.len() < limits::COMMAND_WORDS {
            self.assigns.insert(name.to_owned());
        }
    }

    /// Lists a command, as far as there is room.
    pub(super) fn push(&mut self, command: Command) {
        if self.commands.len() < limits::COMMAND_WORDS {
            self.commands.push(command);
        } else {
            self.hide(Doubt::Syntax);
        }
    }

    /// A redirection; of a file it is a command too, so that a list of allowed programs sees it.
    pub(super) fn redirect(&mut self, redirect: Redirect, via: &[String]) {
        let program = match redirect.kind {
            Kind::Append | Kind::ReadWrite | Kind::Write => ">",
            Kind::Read => "<",
            Kind::Document | Kind::Duplicate => "",
        };
        let stream = redirect.target.known().is_some_and(|t| STREAMS.contains(&t));
        if !program.is_empty() && !stream {
            self.push(Command {
                program: program.to_owned(),
                path: program.to_owned(),
                args: vec![redirect.target.clone()],
                via: via.to_vec(),
                verb: String::new(),
                opaque: false,
            });
        }
        self.redirects.push(redirect);
    }

    /// The record of everything found.
    pub(super) fn into_parts(mut self) -> Value {
        let moved = self.moved;
        let mut commands: Vec<Value> = self.commands.iter().map(|c| command(c, moved)).collect();
        let fit = fitting(&commands, limits::COMMAND_ELEMENTS);
        if fit < commands.len() {
            commands.truncate(fit);
            self.commands.truncate(fit);
            self.hide(Doubt::Syntax);
        }
        if self.hidden {
            let unknown = Command {
                program: String::new(),
                path: String::new(),
                args: Vec::new(),
                via: Vec::new(),
                verb: String::new(),
                opaque: true,
            };
            commands.push(command(&unknown, moved));
            self.commands.push(unknown);
        }
        let programs: BTreeSet<&str> = self.commands.iter().map(|c| c.program.as_str()).collect();
        let programs = programs.into_iter().map(text).collect();
        let redirects = self.redirects.iter().map(|r| redirect(r, moved)).collect();
        Value::Record(vec![
            Value::Bool(!self.doubts.is_empty()),
            Value::list(self.doubts.iter().map(|d| Value::Enum(*d as u32)).collect()),
            Value::list(commands),
            Value::list(programs),
            Value::list(redirects),
            Value::list(self.operators.iter().map(|o| Value::Enum(*o as u32)).collect()),
            Value::list(self.assigns.iter().map(|name| text(name)).collect()),
        ])
    }
}

fn text(text: &str) -> Value {
    Value::Str(text.into())
}

fn texts<'a>(texts: impl IntoIterator<Item = &'a str>) -> Value {
    Value::list(texts.into_iter().map(text).collect())
}

fn command(command: &Command, moved: bool) -> Value {
    let (flags, operands) = sort(&command.args);
    let operands = operands
        .into_iter()
        .map(|operand| Value::Record(vec![text(operand), place(operand, moved)]));
    Value::Record(vec![
        text(&command.program),
        text(&command.path),
        texts(command.args.iter().map(|word| word.known().unwrap_or_default())),
        texts(flags.iter().map(String::as_str)),
        Value::list(operands.collect()),
        texts(command.via.iter().map(String::as_str)),
        Value::Bool(command.opaque || command.args.iter().any(|word| word.known().is_none())),
        text(&command.verb),
    ])
}

/// Arguments apart: flags, with clusters also split and values cut off, and everything that is or may hold an operand.
fn sort(args: &[Word]) -> (BTreeSet<String>, Vec<&str>) {
    let mut flags = BTreeSet::new();
    let mut operands = Vec::new();
    let mut options = true;
    for word in args {
        match word {
            Word::Unknown { dash, .. } => {
                if *dash && options {
                    flags.insert(String::new());
                }
                operands.push("");
            }
            Word::Known(text) if !options || !text.starts_with('-') || text == "-" => operands.push(text),
            Word::Known(text) if text == "--" => options = false,
            Word::Known(text) => flag(text, &mut flags, &mut operands),
        }
    }
    (flags, operands)
}

fn flag<'a>(word: &'a str, flags: &mut BTreeSet<String>, operands: &mut Vec<&'a str>) {
    let (name, value) = match word.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (word, None),
    };
    flags.insert(name.to_owned());
    operands.extend(value);
    if name.starts_with("--") {
        return;
    }
    let letters = name.get(1..).unwrap_or_default();
    for letter in letters.chars().take_while(char::is_ascii_alphanumeric) {
        flags.insert(format!("-{letter}"));
    }
    let mut attached = letters.chars();
    attached.next();
    let attached = attached.as_str();
    if value.is_none() && (attached.contains('/') || attached.starts_with(['.', '~'])) {
        operands.push(attached);
    }
}

/// The path a text names; absent where it is none, or none that is known.
fn place(text: &str, moved: bool) -> Value {
    if text.contains(['=', ':']) || (moved && !text.starts_with('/')) {
        return Value::Absent;
    }
    if !text.starts_with('/') {
        return path::parse(text).map_or(Value::Absent, Value::Path);
    }
    path::parse(&from_root(text)).map_or(Value::Absent, Value::Path)
}

/// An absolute path as Linux walks it: several `/` are one, and `..` of the root is the root.
fn from_root(text: &str) -> String {
    let mut walked: Vec<&str> = Vec::new();
    for segment in text.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                walked.pop();
            }
            name => walked.push(name),
        }
    }
    format!("/{}", walked.join("/"))
}

fn redirect(redirect: &Redirect, moved: bool) -> Value {
    let known = redirect.target.known().unwrap_or_default();
    let file = !matches!(redirect.kind, Kind::Document | Kind::Duplicate);
    Value::Record(vec![
        Value::Enum(redirect.kind as u32),
        text(known),
        if file { place(known, moved) } else { Value::Absent },
    ])
}

/// The parts of a `Command`, in the order of the record of `into_parts`.
pub(super) fn fields() -> Vec<Field> {
    let string = || Ty::String {
        max: limits::COMMAND_BYTES as u64,
    };
    let place = || Ty::Optional(Box::new(Ty::Path));
    let command = Ty::Record(vec![
        field("program", string()),
        field("path", string()),
        field("args", list(string())),
        field("flags", list(string())),
        field(
            "operands",
            list(Ty::Record(vec![field("text", string()), field("path", place())])),
        ),
        field("via", list(string())),
        field("opaque", Ty::Bool),
        field("verb", string()),
    ]);
    let redirect = Ty::Record(vec![
        field("kind", members(&KINDS)),
        field("target", string()),
        field("path", place()),
    ]);
    vec![
        field("opaque", Ty::Bool),
        field("doubts", list(members(&DOUBTS))),
        field("commands", list(command)),
        field("programs", list(string())),
        field("redirects", list(redirect)),
        field("operators", list(members(&OPERATORS))),
        field("assigns", list(string())),
    ]
}
