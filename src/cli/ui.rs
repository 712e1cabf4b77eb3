//! All output of the program. Standard output is data, standard error is talk. Colour only where a person reads and
//! has not said no; text that came from outside is escaped before it reaches a terminal; a reader that went away
//! (`gait … | head`) is no failure. It must not know what commands mean.

use super::error::{Category, CliError};
use super::json_text;
use crate::host::{Host, Stream};
use crate::json::Json;
use crate::limits;
use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{self, ErrorKind, Write};

/// When to use colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Choice {
    /// On a terminal, unless NO_COLOR is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// How to talk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// One JSON document on standard output.
    pub json: bool,
    /// No notes and no progress.
    pub quiet: bool,
    /// When to use colour.
    pub color: Choice,
}

/// What a piece of text means to the eye.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Fine, allowed.
    Good,
    /// Failed, blocked.
    Bad,
    /// Worth a look.
    Warn,
    /// A heading or a name.
    Strong,
    /// Less important.
    Dim,
}

impl Tone {
    fn style(self) -> Style {
        match self {
            Tone::Good => AnsiColor::Green.on_default(),
            Tone::Bad => AnsiColor::Red.on_default().bold(),
            Tone::Warn => AnsiColor::Yellow.on_default(),
            Tone::Strong => Style::new().bold(),
            Tone::Dim => Style::new().dimmed(),
        }
    }
}

/// A piece of one line, escaped and coloured; colour is dropped again where the stream has none.
pub fn paint(tone: Tone, text: &str) -> String {
    let style = tone.style();
    format!("{style}{}{style:#}", one_line(text))
}

/// Text from outside, fit for a terminal: line ends and tabs stay, everything else that would not show, or would
/// act, is written as `\u{…}`.
pub fn safe(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\t' => out.push(c),
            c if is_hidden(c) => out.extend(c.escape_unicode()),
            c => out.push(c),
        }
    }
    out
}

/// Text from outside that must stay on its line: one with a line end in it could pose as output of its own.
pub fn one_line(text: &str) -> String {
    crate::domain::hidden::escaped(text)
}

/// A message that quotes text from outside, fit for one line: escaped, and of a long one only both ends.
pub fn brief(text: &str) -> String {
    let half = limits::SHOWN_MESSAGE_CHARS / 2;
    let start = text.char_indices().nth(half).map(|(at, _)| at);
    let end = text.char_indices().nth_back(half).map(|(at, _)| at);
    match (start, end) {
        (Some(start), Some(end)) if start < end => {
            let head = text.get(..start).unwrap_or_default();
            let tail = text.get(end..).unwrap_or_default();
            format!("{} … {}", one_line(head), one_line(tail))
        }
        _ => one_line(text),
    }
}

/// A name as one word of a shell, also inside double quotes; `None` where it would need more than single quotes.
pub fn shell_word(text: &str) -> Option<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-/+@:,=".contains(c);
    if text.is_empty() || text.chars().any(|c| is_hidden(c) || "\"'\\".contains(c)) {
        return None;
    }
    // What starts with a dash would be read as a flag.
    let dash = if text.starts_with('-') { "./" } else { "" };
    let word = format!("{dash}{text}");
    Some(if text.chars().all(plain) {
        word
    } else {
        format!("'{word}'")
    })
}

/// A number with its noun: `1 trace`, `2 traces`.
pub fn count(n: usize, noun: &str) -> String {
    let plural = if n == 1 { "" } else { "s" };
    format!("{n} {noun}{plural}")
}

/// The same for the counts of a report.
pub fn tally(n: u64, noun: &str) -> String {
    count(usize::try_from(n).unwrap_or(usize::MAX), noun)
}

/// Control, bidirectional, invisible and tag characters: the Unicode general categories Cc, Cf, Zl and Zp, and the
/// block of tags and variation selectors in plane 14.
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{890}'..='\u{891}' | '\u{8e2}'
            | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}' | '\u{110bd}' | '\u{110cd}' | '\u{13430}'..='\u{1343f}'
            | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// The two streams and how to use them.
pub struct Ui {
    options: Options,
    out: AutoStream<io::Stdout>,
    err: AutoStream<io::Stderr>,
    err_is_terminal: bool,
    err_is_coloured: bool,
    out_is_closed: bool,
}

impl Ui {
    /// Looks at the terminal and the environment once.
    pub fn new(host: &dyn Host, options: Options) -> Self {
        let color = |stream| coloured(host, stream, options.color);
        let choice = |stream| {
            if color(stream) {
                ColorChoice::Always
            } else {
                ColorChoice::Never
            }
        };
        Self {
            options,
            out: AutoStream::new(io::stdout(), choice(Stream::Out)),
            err: AutoStream::new(io::stderr(), choice(Stream::Err)),
            err_is_terminal: host.is_terminal(Stream::Err),
            err_is_coloured: color(Stream::Err),
            out_is_closed: false,
        }
    }

    /// Whether the caller asked for JSON.
    pub fn is_json(&self) -> bool {
        self.options.json
    }

    /// Whether standard error shows colour, for renderers that colour by themselves.
    pub fn is_coloured(&self) -> bool {
        self.err_is_coloured
    }

    /// Prints a line of data made of trusted text and `paint`ed or `one_line` pieces. One line, whatever is in it.
    pub fn line(&mut self, text: &str) -> Result<(), CliError> {
        self.raw(format!("{}\n", text.replace('\n', "\\n")).as_bytes())
    }

    /// Prints one JSON document as data.
    pub fn json(&mut self, document: &Json) -> Result<(), CliError> {
        self.raw(json_text::write(document).as_bytes())
    }

    /// Writes data as it is. Once the reader is gone, the rest is dropped.
    pub fn raw(&mut self, bytes: &[u8]) -> Result<(), CliError> {
        if self.out_is_closed {
            return Ok(());
        }
        let written = self.out.write_all(bytes);
        self.settle(written)
    }

    /// Hands everything to the system.
    pub fn flush(&mut self) -> Result<(), CliError> {
        let flushed = self.out.flush();
        self.settle(flushed)
    }

    fn settle(&mut self, result: io::Result<()>) -> Result<(), CliError> {
        match result {
            Err(e) if e.kind() == ErrorKind::BrokenPipe => {
                self.out_is_closed = true;
                Ok(())
            }
            Err(e) => Err(CliError::new(
                Category::Internal,
                "output.write",
                format!("standard output: {e}"),
            )),
            Ok(()) => Ok(()),
        }
    }

    /// Tells a person what is going on; silent with `--quiet`.
    pub fn note(&mut self, text: &str) {
        if !self.options.quiet {
            self.talk(&brief(text));
        }
    }

    /// Warns a person, quiet or not.
    pub fn warn(&mut self, text: &str) {
        let head = paint(Tone::Warn, "warning:");
        self.talk(&format!("{head} {}", brief(text)));
    }

    /// Prints text that a renderer has already escaped and coloured.
    pub fn rendered(&mut self, text: &str) {
        self.talk(text);
    }

    /// Reports an error: the envelope on standard output with `--json`, else a message on standard error.
    pub fn failure(&mut self, error: &CliError) -> Result<(), CliError> {
        if self.options.json {
            self.json(&error.envelope())?;
            return self.flush();
        }
        let mut text = format!("{} {}", paint(Tone::Bad, "error:"), brief(&error.message));
        if let Some(hint) = &error.hint {
            text.push_str(&format!("\n{} {}", paint(Tone::Strong, "hint:"), brief(hint)));
        }
        self.talk(&text);
        Ok(())
    }

    /// Standard error is for people; where nobody listens there is nobody to tell.
    fn talk(&mut self, text: &str) {
        let _nobody_listens = self.err.write_all(format!("{text}\n").as_bytes());
    }

    /// A progress bar over `steps`, hidden unless a person watches standard error.
    pub fn progress(&self, steps: u64, what: &'static str) -> ProgressBar {
        if !self.err_is_terminal || self.options.quiet || self.options.json {
            return ProgressBar::hidden();
        }
        let template = "{msg} [{bar:30}] {human_pos}/{human_len} {eta}";
        let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        ProgressBar::with_draw_target(Some(steps), ProgressDrawTarget::stderr())
            .with_style(style.progress_chars("=> "))
            .with_message(what)
    }
}

/// NO_COLOR (https://no-color.org): any value but the empty one says no.
fn coloured(host: &dyn Host, stream: Stream, choice: Choice) -> bool {
    let refused =
        host.env("NO_COLOR").is_some_and(|v| !v.is_empty()) || host.env("TERM").as_deref() == Some("dumb");
    match choice {
        Choice::Always => true,
        Choice::Never => false,
        Choice::Auto => host.is_terminal(stream) && !refused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_outside_cannot_act_on_a_terminal() {
        for (text, shown) in [
            ("plain é 😀\n\tx", "plain é 😀\n\tx"),
            ("\u{1b}[2J", "\\u{1b}[2J"),
            ("\u{9b}31m", "\\u{9b}31m"),
            ("a\rb\u{8}\u{7}\u{0}", "a\\u{d}b\\u{8}\\u{7}\\u{0}"),
            ("a\u{202e}b\u{2066}c", "a\\u{202e}b\\u{2066}c"),
            ("a\u{200b}\u{feff}\u{e0041}", "a\\u{200b}\\u{feff}\\u{e0041}"),
        ] {
            assert_eq!(safe(text), shown);
        }
    }

    #[test]
    fn a_long_message_keeps_both_ends_on_one_line() {
        assert_eq!(brief("a\nb\u{1b}"), "a\\nb\\u{1b}");
        let fits = "é".repeat(limits::SHOWN_MESSAGE_CHARS);
        assert_eq!(brief(&fits), fits);
        let long = format!("head {}\n tail", "é".repeat(3_000_000));
        let shown = brief(&long);
        assert!(shown.starts_with("head é") && shown.ends_with("é\\n tail") && shown.contains("é … é"));
        assert!(shown.chars().count() <= limits::SHOWN_MESSAGE_CHARS + 10);
    }

    #[test]
    fn a_name_is_one_word_or_none() {
        for (text, word) in [
            ("a/b-1.zip", Some("a/b-1.zip")),
            ("-x", Some("./-x")),
            ("a b", Some("'a b'")),
            ("$(id)`id`", Some("'$(id)`id`'")),
            ("-a b", Some("'./-a b'")),
            ("é", Some("'é'")),
            ("", None),
            ("a'b", None),
            ("a\"b", None),
            ("a\nb", None),
            ("a\u{202e}b", None),
        ] {
            assert_eq!(shell_word(text).as_deref(), word, "{text:?}");
        }
    }

    #[test]
    fn colour_needs_a_terminal_or_an_order() {
        let plain = || crate::host::Memory::new("2026-01-02T03:04:05Z".parse().unwrap());
        let person = || plain().with_terminals();
        for (host, choice, wanted) in [
            (plain(), Choice::Auto, false),
            (plain(), Choice::Always, true),
            (person(), Choice::Auto, true),
            (person(), Choice::Never, false),
            (person().with_env("NO_COLOR", "1"), Choice::Auto, false),
            (person().with_env("NO_COLOR", ""), Choice::Auto, true),
            (person().with_env("NO_COLOR", "1"), Choice::Always, true),
            (person().with_env("TERM", "dumb"), Choice::Auto, false),
        ] {
            assert_eq!(
                coloured(&host, Stream::Out, choice),
                wanted,
                "{host:?} {choice:?}"
            );
        }
    }
}
