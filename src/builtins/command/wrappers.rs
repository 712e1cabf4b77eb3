//! Programs that start others, and how each reads its arguments up to the command it starts. In: its name and words.
//! Out: the words that follow, and the options on the way. An option that is not in the table makes the rest unclear.

use super::word::{Word, is_name};

/// How a wrapper reads its arguments.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wrapper {
    pub(super) names: &'static [&'static str],
    /// Options of one letter, each with its mark.
    pub(super) short: &'static str,
    /// Options of a word, each with its mark, with spaces between.
    pub(super) long: &'static str,
    /// Arguments before the command.
    pub(super) operands: u8,
    /// Options may follow operands.
    pub(super) rescan: bool,
    /// `NAME=value` may stand before the command.
    pub(super) assigns: bool,
    /// `-5` is an option.
    pub(super) numbers: bool,
    pub(super) runs: Runs,
    /// Without a command it starts a shell.
    pub(super) shell: bool,
}

/// What a wrapper does with the words after its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Runs {
    /// It starts them as they are.
    Words,
    /// A shell reads them, joined by spaces.
    Text,
    /// It starts them with words from its input.
    Input,
    /// A shell reads the value of `-c`.
    Option,
}

/// Marks after an option: `:` it takes a value, `?` a value only if attached, `!` no command is started, `~` it takes a
/// value and `%` none, and what it does to the command is not known, `>` it takes a folder to work in, `$` its value is read in its place.
const MARKS: [char; 7] = [':', '?', '!', '~', '%', '>', '$'];

/// A wrapper without options.
pub(super) const PLAIN: Wrapper = Wrapper {
    names: &[],
    short: "",
    long: "",
    operands: 0,
    rescan: false,
    assigns: false,
    numbers: false,
    runs: Runs::Words,
    shell: false,
};

/// Wrappers whose options are known: GNU coreutils and findutils, util-linux, BusyBox, OpenBSD, OpenSSH and shells.
const WRAPPERS: [Wrapper; 23] = [
    Wrapper {
        names: &["env"],
        short: "i0vu:C>S$P~a:-",
        long: "ignore-environment null debug unset: chdir> split-string$ argv0: default-signal? ignore-signal? block-signal?",
        assigns: true,
        ..PLAIN
    },
    Wrapper {
        names: &["sudo"],
        short: "ABbEHknPSNisu:g:p:C:h:r:t:T:U:a:c:D>R>l!vK!V!e%",
        long: "askpass background preserve-env? set-home non-interactive preserve-groups stdin bell no-update \
               reset-timestamp remove-timestamp! login shell user: group: prompt: close-from: host: role: type: \
               command-timeout: other-user: login-class: chdir> chroot> list! validate! edit%",
        assigns: true,
        shell: true,
        ..PLAIN
    },
    Wrapper {
        names: &["doas"],
        short: "nsL!u:a:C~",
        shell: true,
        ..PLAIN
    },
    Wrapper {
        names: &["nice"],
        short: "n:",
        long: "adjustment:",
        numbers: true,
        ..PLAIN
    },
    Wrapper {
        names: &["time"],
        short: "pavqlhf:o:",
        long: "portability append verbose quiet format: output:",
        assigns: true,
        ..PLAIN
    },
    Wrapper {
        names: &["timeout", "gtimeout"],
        short: "vfpk:s:",
        long: "verbose foreground preserve-status kill-after: signal:",
        operands: 1,
        ..PLAIN
    },
    Wrapper {
        names: &["stdbuf"],
        short: "i:o:e:",
        long: "input: output: error:",
        ..PLAIN
    },
    Wrapper {
        names: &["setsid"],
        short: "cfw",
        long: "ctty fork wait",
        ..PLAIN
    },
    Wrapper {
        names: &["ionice"],
        short: "tc:n:",
        long: "ignore class: classdata:",
        ..PLAIN
    },
    Wrapper {
        names: &["taskset"],
        short: "ac",
        long: "all-tasks cpu-list",
        operands: 1,
        ..PLAIN
    },
    Wrapper {
        names: &["chroot"],
        long: "userspec: groups: skip-chdir",
        operands: 1,
        shell: true,
        ..PLAIN
    },
    Wrapper {
        names: &["caffeinate"],
        short: "disumt:w:",
        ..PLAIN
    },
    Wrapper {
        names: &["command"],
        short: "pv!V!",
        ..PLAIN
    },
    Wrapper {
        names: &["exec"],
        short: "cla:",
        ..PLAIN
    },
    Wrapper {
        names: &["nohup", "builtin", "noglob", "-"],
        ..PLAIN
    },
    Wrapper {
        names: &["xargs", "gxargs"],
        short: "0rtpxoa:d:E:I:J:L:n:P:s:R:S:i?l?e?",
        long: "null no-run-if-empty verbose interactive exit open-tty show-limits arg-file: delimiter: eof? replace? \
               max-lines? max-args: max-procs: max-chars: process-slot-var~",
        runs: Runs::Input,
        ..PLAIN
    },
    Wrapper {
        names: &["watch"],
        short: "bcdegprtwxCn:q:",
        long: "beep color no-color differences? errexit chgexit precise no-rerun no-title no-wrap exec interval: equexit:",
        runs: Runs::Text,
        ..PLAIN
    },
    Wrapper {
        names: &["ssh", "slogin"],
        short: "46AaCfGgKkMNnqsTtVvXxYyB:b:c:D:E:e:I:i:J:L:l:m:O:p:Q:R:S:W:w:o~F~P:",
        operands: 1,
        rescan: true,
        runs: Runs::Text,
        shell: true,
        ..PLAIN
    },
    Wrapper {
        names: &["su"],
        short: "lmpfPc:g:G:w:s~T-",
        long: "login preserve-environment fast pty command: session-command: group: supp-group: \
               whitelist-environment: shell~",
        operands: 1,
        rescan: true,
        runs: Runs::Option,
        shell: true,
        ..PLAIN
    },
    Wrapper {
        names: &["flock"],
        short: "sxeunoFvw:E:",
        long: "shared exclusive unlock nonblock no-fork close verbose timeout: wait: conflict-exit-code:",
        operands: 1,
        ..PLAIN
    },
    Wrapper {
        names: &["busybox", "toybox"],
        long: "list! list-full! install!",
        ..PLAIN
    },
    Wrapper {
        names: &["gosu", "su-exec"],
        operands: 1,
        ..PLAIN
    },
    Wrapper {
        names: &["dumb-init", "eatmydata", "ifne", "unbuffer"],
        ..PLAIN
    },
];

/// Programs that start others in ways that are not followed here.
const UNCLEAR: [&str; 60] = [
    "arch",
    "at",
    "batch",
    "bwrap",
    "capsh",
    "catchsegv",
    "cgexec",
    "choom",
    "chpst",
    "chrt",
    "daemonize",
    "dbus-launch",
    "dbus-run-session",
    "entr",
    "expect",
    "faketime",
    "fakeroot",
    "firejail",
    "gdb",
    "hyperfine",
    "i386",
    "ifplugd",
    "ltrace",
    "linux32",
    "linux64",
    "nsenter",
    "numactl",
    "parallel",
    "perf",
    "pkexec",
    "prlimit",
    "proot",
    "proxychains",
    "proxychains4",
    "rlwrap",
    "run-parts",
    "runcon",
    "runuser",
    "screen",
    "script",
    "sem",
    "setarch",
    "setpriv",
    "sg",
    "softlimit",
    "start-stop-daemon",
    "strace",
    "systemd-run",
    "tini",
    "tmux",
    "torify",
    "torsocks",
    "tsocks",
    "uclampset",
    "unshare",
    "valgrind",
    "x86_64",
    "xvfb-run",
    "newgrp",
    "setuidgid",
];

/// Starts of the names of dynamic loaders, which start the program they are given.
const LOADERS: [&str; 3] = ["ld-linux", "ld-musl", "ld.so"];

/// The wrapper of this name whose options are known.
pub(super) fn find(name: &str) -> Option<&'static Wrapper> {
    WRAPPERS.iter().find(|w| w.names.contains(&name))
}

/// Whether a program of this name starts others in a way that is not followed here.
pub(super) fn is_unclear(name: &str) -> bool {
    UNCLEAR.contains(&name) || LOADERS.iter().any(|loader| name.starts_with(loader))
}

/// An option of a wrapper, with its value.
#[derive(Debug)]
pub(super) struct Seen<'w> {
    pub(super) name: &'w str,
    pub(super) value: Option<&'w Word>,
    /// The value where it is part of the option's own word.
    pub(super) attached: Option<&'w str>,
}

/// A wrapper's arguments, read.
#[derive(Debug, Default)]
pub(super) struct Walk<'w> {
    /// The words of the command.
    pub(super) command: &'w [Word],
    pub(super) seen: Vec<Seen<'w>>,
    /// Variables set for the command.
    pub(super) assigned: Vec<&'w str>,
    /// It only prints or checks something.
    pub(super) starts_nothing: bool,
    /// It changes the working directory.
    pub(super) moves: bool,
    /// An option has an effect on the command that is not followed here.
    pub(super) doubtful: bool,
    /// The last option's value is to be read in its place, before the command.
    pub(super) again: bool,
}

/// Reads arguments up to the command. None where it is not clear which words are the command.
pub(super) fn walk<'w>(wrapper: &Wrapper, args: &'w [Word]) -> Option<Walk<'w>> {
    let mut walk = Walk::default();
    let mut rest = args;
    let mut options = true;
    let mut operands = wrapper.operands;
    while let Some((word, after)) = rest.split_first() {
        let text = word.known();
        match text {
            Some("--") if options => {
                options = false;
                rest = after;
            }
            Some(text)
                if options && text.starts_with('-') && (text != "-" || wrapper.short.ends_with('-')) =>
            {
                rest = option(wrapper, text, after, &mut walk)?;
                if walk.again {
                    walk.command = rest;
                    return Some(walk);
                }
            }
            Some(text) if wrapper.assigns && assigned(text).is_some() => {
                walk.assigned.extend(assigned(text));
                options = false;
                rest = after;
            }
            _ if operands > 0
                && !matches!(
                    word,
                    Word::Unknown { single: false, .. } | Word::Unknown { dash: true, .. }
                ) =>
            {
                operands -= 1;
                options &= wrapper.rescan;
                rest = after;
            }
            Some(_) => {
                walk.command = rest;
                return Some(walk);
            }
            None => return unknown(wrapper, rest, walk, options, operands),
        }
    }
    Some(walk)
}

/// A word that is not known where the command should start: the command is that word, if nothing else can be.
fn unknown<'w>(
    wrapper: &Wrapper,
    rest: &'w [Word],
    mut walk: Walk<'w>,
    options: bool,
    operands: u8,
) -> Option<Walk<'w>> {
    if options || operands > 0 || wrapper.assigns {
        return None;
    }
    walk.command = rest;
    Some(walk)
}

/// The name before the `=` of an assignment.
fn assigned(text: &str) -> Option<&str> {
    let (name, _) = text.split_once('=')?;
    // `env` sets any name; what no shell would call a name still counts.
    (is_name(name) || !name.is_empty() && !name.contains('/')).then_some(name)
}

fn option<'w>(
    wrapper: &Wrapper,
    text: &'w str,
    after: &'w [Word],
    walk: &mut Walk<'w>,
) -> Option<&'w [Word]> {
    if text == "-" {
        return Some(after);
    }
    if let Some(long) = text.strip_prefix("--") {
        let (name, value) = match long.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (long, None),
        };
        if matches!(name, "help" | "version") {
            walk.starts_nothing = true;
            return Some(after);
        }
        let entry = wrapper
            .long
            .split_whitespace()
            .find(|entry| entry.trim_end_matches(MARKS) == name)?;
        return note(walk, name, entry.chars().next_back(), value, after);
    }
    let letters = text.get(1..)?;
    if wrapper.numbers
        && letters
            .trim_start_matches(['-', '+'])
            .bytes()
            .all(|b| b.is_ascii_digit())
    {
        return Some(after);
    }
    let mut rest = letters;
    while let Some(letter) = rest.chars().next() {
        let name = rest.get(..letter.len_utf8())?;
        rest = rest.get(letter.len_utf8()..)?;
        if !letter.is_ascii_alphanumeric() {
            return None;
        }
        let at = wrapper.short.find(letter)?;
        let mark = wrapper.short.get(at + 1..)?.chars().next();
        let takes = matches!(mark, Some(':' | '?' | '~' | '>' | '$'));
        let value = Some(rest).filter(|rest| takes && !rest.is_empty());
        let after = note(walk, name, mark, value, after)?;
        if takes {
            return Some(after);
        }
    }
    Some(after)
}

/// Notes an option; gives the words after it and its value.
fn note<'w>(
    walk: &mut Walk<'w>,
    name: &'w str,
    mark: Option<char>,
    attached: Option<&'w str>,
    after: &'w [Word],
) -> Option<&'w [Word]> {
    let mut seen = Seen {
        name,
        value: None,
        attached,
    };
    walk.starts_nothing |= mark == Some('!');
    walk.moves |= mark == Some('>');
    walk.again |= mark == Some('$');
    walk.doubtful |= matches!(mark, Some('~' | '%'));
    let mut after = after;
    if matches!(mark, Some(':' | '~' | '>' | '$')) && attached.is_none() {
        let (value, rest) = after.split_first()?;
        if matches!(value, Word::Unknown { single: false, .. }) {
            return None;
        }
        seen.value = Some(value);
        after = rest;
    }
    walk.seen.push(seen);
    Some(after)
}

impl Walk<'_> {
    /// The value of the last option of one of these names: none where it was not given, an inner none where it is not
    /// known.
    pub(super) fn value(&self, names: &[&str]) -> Option<Option<&str>> {
        let seen = self.seen.iter().rev().find(|s| names.contains(&s.name))?;
        Some(match (seen.attached, seen.value) {
            (Some(text), _) => Some(text),
            (None, Some(word)) => word.known(),
            (None, None) => Some(""),
        })
    }

    pub(super) fn has(&self, names: &[&str]) -> bool {
        self.seen.iter().any(|s| names.contains(&s.name))
    }
}
