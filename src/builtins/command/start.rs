//! What a simple command starts: the program itself, and whatever a shell, a wrapper or a builtin starts with the rest
//! of the words. In: the words of one command. Out: what is `Found`.

use super::found::{Command, Doubt, Found};
use super::word::{Word, is_name};
use super::wrappers::{self, Runs, Walk, Wrapper};
use super::{script, verbs};
use crate::limits;

/// A simple command as written.
#[derive(Debug, Default)]
pub(super) struct Simple {
    pub(super) words: Vec<Word>,
    /// Variables set before the first word.
    pub(super) assigned: Vec<String>,
    /// Redirections.
    pub(super) redirects: usize,
    /// It defines a function and starts nothing.
    pub(super) defines: bool,
}

impl Simple {
    /// Whether it is `cat` with nothing but one redirection.
    pub(super) fn is_cat(&self) -> bool {
        let alone = self.assigned.is_empty() && self.redirects == 1;
        alone && matches!(self.words.as_slice(), [word] if word.known() == Some("cat"))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.words.is_empty() && self.assigned.is_empty() && self.redirects == 0
    }
}

/// What a command reads from standard input.
#[derive(Clone, Debug)]
pub(super) enum Input {
    /// Not known here.
    Unknown,
    /// This text.
    Text(String),
}

/// Folders in which a system keeps its programs.
const FOLDERS: [&str; 10] = [
    "/bin",
    "/sbin",
    "/usr/bin",
    "/usr/sbin",
    "/usr/local/bin",
    "/usr/local/sbin",
    "/opt/homebrew/bin",
    "/opt/homebrew/sbin",
    "/opt/local/bin",
    "/run/current-system/sw/bin",
];

/// Shells that read the language of `script`.
const SHELLS: [&str; 16] = [
    "ash", "bash", "dash", "hush", "ksh", "ksh93", "lksh", "mksh", "oksh", "pdksh", "posh", "rbash", "rzsh",
    "sh", "yash", "zsh",
];
/// Shells that read another one.
const OTHER_SHELLS: [&str; 10] = [
    "cmd",
    "csh",
    "elvish",
    "fish",
    "nu",
    "osascript",
    "powershell",
    "pwsh",
    "tcsh",
    "xonsh",
];
/// Long options of shells that change nothing here.
const SHELL_OPTIONS: [&str; 6] = [
    "--login",
    "--noprofile",
    "--norc",
    "--posix",
    "--restricted",
    "--verbose",
];
/// One-letter options of shells that change nothing here.
const SHELL_LETTERS: &str = "befhlmnprtuvxBCEHPT";

/// Builtins that give names another meaning, or change how the shell reads.
const DEFINERS: [&str; 13] = [
    "alias",
    "autoload",
    "compdef",
    "disable",
    "emulate",
    "enable",
    "functions",
    "hash",
    "rehash",
    "setopt",
    "shopt",
    "unsetopt",
    "zmodload",
];
/// Builtins that run text they are given or keep.
const EVALUATORS: [&str; 10] = [
    "bind", "bindkey", "compgen", "complete", "coproc", "fc", "let", "sched", "vared", "zle",
];
/// Builtins that declare variables.
const DECLARERS: [&str; 8] = [
    "declare", "export", "float", "integer", "local", "nameref", "readonly", "typeset",
];
/// Words that no program is called by: `time !` and the like.
const NO_PROGRAMS: [&str; 16] = [
    "!", "case", "coproc", "do", "done", "elif", "else", "esac", "fi", "for", "function", "if", "select",
    "then", "until", "while",
];
/// Endings of program files that some systems leave out.
const ENDINGS: [&str; 4] = [".exe", ".com", ".cmd", ".bat"];

/// Notes what a simple command of a text starts.
pub(super) fn simple(found: &mut Found, simple: Simple, input: Input, via: &[String], depth: usize) {
    for name in &simple.assigned {
        found.assign(name, !simple.words.is_empty());
    }
    let mut start = Start {
        found,
        via: via.to_vec(),
        depth,
        input,
    };
    start.words(&simple.words);
}

struct Start<'f> {
    found: &'f mut Found,
    via: Vec<String>,
    depth: usize,
    input: Input,
}

impl Start<'_> {
    /// Notes the program that words start, with what it starts in turn.
    fn words(&mut self, words: &[Word]) {
        let Some((first, args)) = words.split_first() else {
            return;
        };
        let Some(path) = first.known() else {
            self.found.doubt(Doubt::Program);
            return self.push("", "", args, true);
        };
        let name = path.rsplit('/').next().unwrap_or_default();
        let plain = path.bytes().all(|b| b.is_ascii_graphic() || b == b' ');
        let nameless = name.is_empty() || name == ".." || (name == "." && path != ".");
        if !plain || nameless || NO_PROGRAMS.contains(&name) {
            self.found.hide(Doubt::Program);
        }
        let at = self.found.commands.len();
        self.push(if nameless { "" } else { name }, path, args, !plain || nameless);
        if path.contains('/') && !is_standard(path) {
            // Its name says nothing about a program in a folder anyone may have filled.
            self.push(path, path, args, false);
        }
        let folded = fold(name);
        if folded != name {
            self.push(&folded, path, args, false);
        }
        if args.iter().any(|word| word.known().is_none()) {
            self.found.doubt(Doubt::Argument);
        }
        let doubt = if self.depth >= limits::COMMAND_DEPTH {
            Some(Doubt::Wrapper)
        } else {
            self.depth += 1;
            let doubt = self.role(&folded, args);
            self.depth -= 1;
            doubt
        };
        if let Some(doubt) = doubt {
            self.found.hide(doubt);
            if let Some(command) = self.found.commands.get_mut(at) {
                command.opaque = true;
            }
        }
    }

    fn push(&mut self, program: &str, path: &str, args: &[Word], opaque: bool) {
        let verb = verbs::verb(&fold(path.rsplit('/').next().unwrap_or_default()), args).to_owned();
        self.found.push(Command {
            program: program.to_owned(),
            path: path.to_owned(),
            args: args.to_vec(),
            via: self.via.clone(),
            verb,
            opaque,
        });
    }

    /// What a program or builtin of this name starts with its arguments; a doubt where that is not known.
    fn role(&mut self, name: &str, args: &[Word]) -> Option<Doubt> {
        if is_shell(name) {
            return self.shell(name, args);
        }
        if let Some(wrapper) = wrappers::find(name) {
            return self.wrapper(name, wrapper, args);
        }
        let some = !args.is_empty();
        match name {
            "." | "source" => Some(Doubt::Evaluation),
            "eval" => {
                // `--` ends its options.
                let ends = args.first().is_some_and(|word| word.known() == Some("--"));
                self.text(name, args.get(usize::from(ends)..).unwrap_or_default())
            }
            "jobs" if args.first().is_some_and(|word| word.known() != Some("-l")) => Some(Doubt::Wrapper),
            "trap" => self.trap(args),
            "find" | "gfind" => self.find(name, args),
            "fd" | "fdfind" => fd(args),
            "set" => set(args),
            "cd" | "chdir" | "popd" | "pushd" => {
                self.found.moved = true;
                None
            }
            "printf" | "test" | "[" | "wait" | "read" | "unset" | "getopts" | "mapfile" | "readarray" => {
                self.names(name, args)
            }
            _ if DECLARERS.contains(&name) => self.declare(name == "export", args),
            _ if some && DEFINERS.contains(&name) => Some(Doubt::Definition),
            _ if some && EVALUATORS.contains(&name) => Some(Doubt::Evaluation),
            _ if OTHER_SHELLS.contains(&name) => Some(Doubt::Evaluation),
            _ if some && wrappers::is_unclear(name) => Some(Doubt::Wrapper),
            _ => None,
        }
    }

    /// Starts words through one more program.
    fn through(&mut self, name: &str, words: &[Word]) {
        self.via.push(name.to_owned());
        self.words(words);
        self.via.pop();
    }

    /// Reads a text that a shell of this name runs.
    fn nested(&mut self, name: &str, text: &str) {
        let mut via = self.via.clone();
        via.push(name.to_owned());
        script::read(self.found, text, via, self.depth);
    }

    /// A shell reads the words, joined by spaces.
    fn text(&mut self, name: &str, words: &[Word]) -> Option<Doubt> {
        let known: Option<Vec<&str>> = words.iter().map(Word::known).collect();
        match known {
            Some(known) => self.nested(name, &known.join(" ")),
            None => return Some(Doubt::Evaluation),
        }
        None
    }

    /// A shell reads its standard input.
    fn input(&mut self, name: &str) -> Option<Doubt> {
        match std::mem::replace(&mut self.input, Input::Unknown) {
            Input::Text(text) => {
                self.nested(name, &text);
                None
            }
            Input::Unknown => Some(Doubt::Evaluation),
        }
    }

    fn shell(&mut self, name: &str, args: &[Word]) -> Option<Doubt> {
        let (mut command, mut standard, mut doubt) = (false, false, None);
        let mut rest = args;
        while let Some((word, after)) = rest.split_first() {
            let Some(text) = word.known() else {
                // A script that is not known, or an option.
                return Some(Doubt::Evaluation);
            };
            if !text.starts_with(['-', '+']) {
                break;
            }
            rest = after;
            match text {
                "-" | "--" => break,
                "--version" | "--help" => return None,
                _ if SHELL_OPTIONS.contains(&text) => {}
                _ if text.starts_with("--") => return Some(Doubt::Wrapper),
                _ => {
                    for letter in text.chars().skip(1) {
                        match letter {
                            'c' => command = true,
                            's' => standard = true,
                            'o' | 'O' => rest = rest.split_first().map(|(_, rest)| rest).unwrap_or_default(),
                            // What the user's own files make of names is not known.
                            'i' => doubt = Some(Doubt::Definition),
                            letter if SHELL_LETTERS.contains(letter) => {}
                            _ => return Some(Doubt::Wrapper),
                        }
                    }
                }
            }
        }
        let first = rest.first();
        let found = if command {
            first.and_then(|word| self.text(name, std::slice::from_ref(word)))
        } else {
            match first.map(Word::known) {
                Some(None) => Some(Doubt::Evaluation),
                Some(Some(file))
                    if !standard && !file.starts_with("/dev/") && !file.starts_with("/proc/") =>
                {
                    None
                }
                _ => self.input(name),
            }
        };
        found.or(doubt)
    }

    fn wrapper(&mut self, name: &str, wrapper: &Wrapper, args: &[Word]) -> Option<Doubt> {
        let Some(walk) = wrappers::walk(wrapper, args) else {
            return Some(Doubt::Wrapper);
        };
        for variable in &walk.assigned {
            self.found.assign(variable, true);
        }
        self.found.moved |= walk.moves;
        let doubt = walk.doubtful.then_some(Doubt::Wrapper);
        if walk.starts_nothing {
            return doubt;
        }
        if walk.again {
            let text = walk.value(&["S", "split-string"]).flatten();
            return self.split_string(wrapper, text, walk.command);
        }
        self.run(name, wrapper, &walk).or(doubt)
    }

    fn run(&mut self, name: &str, wrapper: &Wrapper, walk: &Walk<'_>) -> Option<Doubt> {
        let words = walk.command;
        match wrapper.runs {
            Runs::Option => match walk.value(&["c", "command", "session-command"]) {
                Some(Some(text)) if words.is_empty() => {
                    self.nested(name, text);
                    None
                }
                None if words.is_empty() => self.input(name),
                _ => Some(Doubt::Wrapper),
            },
            _ if words.is_empty() => {
                if wrapper.shell && (name != "sudo" || walk.has(&["i", "s", "login", "shell"])) {
                    self.input(name)
                } else {
                    None
                }
            }
            Runs::Text if !walk.has(&["x", "exec"]) => self.text(name, words),
            Runs::Input => self.xargs(name, walk),
            _ => match words {
                [option, text, ..]
                    if name == "flock" && matches!(option.known(), Some("-c" | "--command")) =>
                {
                    self.text(name, std::slice::from_ref(text))
                }
                _ => {
                    self.through(name, words);
                    None
                }
            },
        }
    }

    /// `env -S`: read where it is plain words; it has quotes and variables of its own.
    fn split_string(&mut self, wrapper: &Wrapper, text: Option<&str>, after: &[Word]) -> Option<Doubt> {
        let plain = |c: char| c.is_ascii_alphanumeric() || " /._-=,:@%+".contains(c);
        let text = text.filter(|text| text.chars().all(plain));
        let Some(text) = text else {
            return Some(Doubt::Wrapper);
        };
        let words = text.split(' ').filter(|word| !word.is_empty());
        let mut words: Vec<Word> = words.map(|word| Word::Known(word.to_owned())).collect();
        words.extend_from_slice(after);
        if self.depth >= limits::COMMAND_DEPTH {
            return Some(Doubt::Wrapper);
        }
        self.depth += 1;
        let doubt = self.wrapper("env", wrapper, &words);
        self.depth -= 1;
        doubt
    }

    /// Words from the input are put in the place of a mark, or at the end.
    fn xargs(&mut self, name: &str, walk: &Walk<'_>) -> Option<Doubt> {
        let mark = match walk.value(&["I", "J", "i", "replace"]) {
            Some(Some("")) => Some("{}"),
            Some(Some(mark)) => Some(mark),
            Some(None) => return Some(Doubt::Wrapper),
            None => None,
        };
        let mut words = replaced(walk.command, mark);
        if mark.is_none() || walk.has(&["J", "L", "n", "l", "max-lines", "max-args"]) {
            words.push(Word::ANYTHING);
        }
        self.input = Input::Unknown;
        self.through(name, &words);
        None
    }

    /// `find … -exec COMMAND ;` and its like.
    fn find(&mut self, name: &str, args: &[Word]) -> Option<Doubt> {
        let mut doubt = None;
        let mut rest = args;
        self.input = Input::Unknown;
        while let Some((word, after)) = rest.split_first() {
            rest = after;
            match word {
                Word::Known(text) if matches!(text.as_str(), "-exec" | "-execdir" | "-ok" | "-okdir") => {
                    let end = after.iter().position(|w| matches!(w.known(), Some(";" | "+")));
                    let Some((command, beyond)) = end.and_then(|end| after.split_at_checked(end)) else {
                        return Some(Doubt::Wrapper);
                    };
                    rest = beyond.split_first().map(|(_, rest)| rest).unwrap_or_default();
                    self.through(name, &replaced(command, Some("{}")));
                }
                Word::Unknown { dash: true, .. } => doubt = Some(Doubt::Wrapper),
                _ => {}
            }
        }
        doubt
    }

    fn trap(&mut self, args: &[Word]) -> Option<Doubt> {
        let args = match args {
            [first, rest @ ..] if first.known() == Some("--") => rest,
            all => all,
        };
        match args {
            [] | [Word::Known(_)] => None,
            [Word::Known(text), ..] if matches!(text.as_str(), "" | "-" | "-l" | "-p" | "-P") => None,
            [action, ..] => self.text("trap", std::slice::from_ref(action)),
        }
    }

    fn declare(&mut self, export: bool, args: &[Word]) -> Option<Doubt> {
        let mut doubt = None;
        for word in args {
            let text = word.known().unwrap_or("-");
            let (name, _) = text.split_once('=').unwrap_or((text, ""));
            let name = name.strip_suffix('+').unwrap_or(name);
            if is_name(name) {
                self.found.assign(name, export);
            } else if text != "-p" {
                doubt = Some(Doubt::Assignment);
            }
        }
        doubt
    }

    /// Builtins that set the variables they are given by name, or read subscripts in them.
    fn names(&mut self, name: &str, args: &[Word]) -> Option<Doubt> {
        let has = |option: &str| {
            args.iter()
                .any(|w| w.known().is_some_and(|t| t.starts_with(option)))
        };
        let names = match name {
            "printf" | "test" | "[" => has("-v") || has("-R"),
            "wait" => has("-p"),
            _ => true,
        };
        if !names {
            let is_option_made = matches!(name, "printf" | "test" | "[") && may_name(name, args);
            return is_option_made.then_some(Doubt::Evaluation);
        }
        let mut doubt = None;
        for word in args {
            match word.known() {
                None => doubt = Some(Doubt::Assignment),
                Some(text) if text.contains('[') && text != "[" => doubt = Some(Doubt::Evaluation),
                Some(text) if text.starts_with("-C") => doubt = Some(Doubt::Evaluation),
                Some(text) if is_name(text) && !matches!(name, "test" | "[") => {
                    self.found.assign(text, false)
                }
                Some(_) => {}
            }
        }
        doubt
    }
}

/// Whether an expansion may come out as `-v`, with a name after it in which shells evaluate a subscript.
fn may_name(name: &str, args: &[Word]) -> bool {
    let may_be_name = |word: &Word| word.known().is_none_or(|text| text.contains('['));
    let args = match args.split_last() {
        Some((last, rest)) if name == "[" && last.known() == Some("]") => rest,
        _ => args,
    };
    let is_only = name == "printf" || args.len() == 1;
    let options = if name == "printf" {
        args.len().min(1)
    } else {
        args.len()
    };
    args.iter()
        .take(options)
        .enumerate()
        .any(|(at, word)| match word {
            Word::Unknown { single, dash: true } => {
                (!single && is_only) || args.get(at + 1).is_some_and(may_be_name)
            }
            _ => false,
        })
}

/// Words in which a mark stands for words that are not known.
fn replaced(words: &[Word], mark: Option<&str>) -> Vec<Word> {
    let one = |word: &Word| match (word, mark) {
        (Word::Known(text), Some(mark)) if text.contains(mark) => Word::Unknown {
            single: false,
            dash: text.starts_with(mark) || text.starts_with('-'),
        },
        _ => word.clone(),
    };
    words.iter().map(one).collect()
}

/// `fd` starts programs when it is told so.
fn fd(args: &[Word]) -> Option<Doubt> {
    let starts = |word: &Word| match word {
        Word::Known(text) if text.starts_with("--") => text.starts_with("--exec"),
        Word::Known(text) => text.starts_with('-') && text.contains(['x', 'X']),
        Word::Unknown { dash, .. } => *dash,
    };
    args.iter().any(starts).then_some(Doubt::Wrapper)
}

/// `set` with options that change neither names nor how words are read.
fn set(args: &[Word]) -> Option<Doubt> {
    let mut args = args.iter();
    while let Some(word) = args.next() {
        let Some(text) = word.known() else {
            return Some(Doubt::Definition);
        };
        if text == "--" {
            return None;
        }
        let Some(letters) = text.strip_prefix(['-', '+']).filter(|l| !l.is_empty()) else {
            return Some(Doubt::Definition);
        };
        for letter in letters.chars() {
            let known = match letter {
                'o' => args.next().and_then(Word::known).is_some_and(|name| {
                    matches!(
                        name,
                        "errexit" | "nounset" | "pipefail" | "xtrace" | "verbose" | "noglob" | "noclobber"
                    )
                }),
                letter => "bCefuvx".contains(letter),
            };
            if !known {
                return Some(Doubt::Definition);
            }
        }
    }
    None
}

fn is_shell(name: &str) -> bool {
    let version = |rest: &str| rest.starts_with(|c: char| c == '-' || c.is_ascii_digit());
    SHELLS.iter().any(|shell| {
        name.strip_prefix(shell)
            .is_some_and(|rest| rest.is_empty() || version(rest))
    })
}

/// A name as a file system without case, or one that adds endings, finds it.
fn fold(name: &str) -> String {
    let lower = name.to_ascii_lowercase();
    let stripped = ENDINGS.iter().find_map(|ending| lower.strip_suffix(ending));
    stripped.filter(|s| !s.is_empty()).unwrap_or(&lower).to_owned()
}

/// Whether a path leads into a folder of the system's own programs, without `.` and `..` on the way.
fn is_standard(path: &str) -> bool {
    path.rsplit_once('/')
        .is_some_and(|(folder, _)| FOLDERS.contains(&folder))
}
