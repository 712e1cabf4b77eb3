//! `Command`: a command line as a POSIX shell reads it (IEEE Std 1003.1, XCU section 2), taken apart: every program it
//! starts, also through wrappers, substitutions and `sh -c`, with words after quotes. In: text. Out: the text as
//! received, and the record of its parts. What is only known when it runs, and what shells in use read differently, is
//! a doubt and makes the command opaque; nothing is guessed. It is no model of what a started program does.

mod found;
mod grammar;
mod redirect;
mod script;
mod start;
mod variables;
mod verbs;
mod word;
mod wrappers;

#[cfg(test)]
mod tests;

use super::{Doc, Refused};
use crate::limits;
use crate::ty::Field;
use crate::value::ParsedText;

/// What the manual says about `Command`.
pub const DOC: Doc = Doc {
    name: "Command",
    summary: "A command line for a POSIX shell, judged by what it starts",
    json: "string",
    canonical: "as received",
    rules: &[
        "the text is handed on as it is; its parts are what sh, bash, dash, ksh and zsh agree on",
        "what is known only when it runs, or read differently by these shells, is a doubt; `.opaque` says there is one",
        "`.commands` has every program that is started, also by wrappers, in substitutions, by `sh -c`, `eval`, `trap`, \
         `find -exec` and `xargs`; `.via` names the programs in between, outermost first",
        "where a program may run that is not known, one element has an empty `.program`, so that a list of allowed \
         programs never covers it",
        "`.program` is the name without its folders; a program outside the system's own folders, or with capital letters, \
         has a second element by its path, or in small letters, so that neither a list of allowed names nor one of \
         forbidden names is passed by renaming",
        "a redirection to or from a file is an element too, its program `>` or `<`; `/dev/null` and the standard streams \
         are not",
        "`.args` are words without quotes; one that is not known is empty, and makes the element opaque",
        "`.flags` are the words before `--` that start with `-`: `--name=value` as `--name`, `-rf` also as `-r` and `-f`",
        "`.operands` are all other words, and the values of `--name=value` and `-o/path`; `.path` is there where it is a \
         `Path` and no `cd` moves it; `//etc` and `/../etc` are `/etc`, as on Linux",
        "`.verb` is the word that says what the program does, the `push` of `git -C x push`: the first one, after options \
         that are known; empty where it is not certain",
        "a variable set to a name that programs or shells obey is a doubt; names of small letters are the shell's own",
        "doubts are argument, assignment, definition, evaluation, program, redirect, syntax and wrapper",
        "at most 8,192 words and as many commands, and 16,384 elements in all `.args` together, or all `.flags` and so on; more is a \
         doubt",
        "NUL is refused; at most 131,072 bytes",
    ],
    parts: &[
        ("opaque", "Bool"),
        ("doubts", "List[enum]"),
        (
            "commands",
            "List[{ program: String, path: String, args: List[String], flags: List[String], operands: List[{ text: \
             String, path: Path? }], via: List[String], opaque: Bool, \
             verb: String }]",
        ),
        ("programs", "List[String]"),
        ("redirects", "List[{ kind: enum, target: String, path: Path? }]"),
        ("operators", "List[enum]"),
        ("assigns", "List[String]"),
    ],
    operators: &["==", "!=", "in", "len()"],
    example_type: "Command",
    examples: &[
        ("git push --force origin main", Ok("git push --force origin main")),
        ("r''m  -rf /", Ok("r''m  -rf /")),
        ("", Ok("")),
        ("ls\u{0}", Err("the command has a NUL character")),
    ],
};

/// Reads a command line. Errors: the reason, one sentence.
pub fn parse(text: &str) -> Result<ParsedText, Refused> {
    check(text)?;
    let mut found = found::Found::default();
    script::read(&mut found, text, Vec::new(), 0);
    Ok(ParsedText {
        text: text.into(),
        parts: found.into_parts(),
    })
}

/// Refuses what no shell could be given.
pub fn check(text: &str) -> Result<(), Refused> {
    if text.len() > limits::COMMAND_BYTES {
        return Err(Refused::new(format!(
            "the command is over {} bytes",
            limits::COMMAND_BYTES
        )));
    }
    if text.contains('\0') {
        return Err(Refused::new("the command has a NUL character"));
    }
    Ok(())
}

/// The parts a policy sees, in the order of the record in the value.
pub fn fields() -> Vec<Field> {
    found::fields()
}
