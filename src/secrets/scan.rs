//! One pass over a text. In: the text. Out: where secrets are in it, in order, none within another. The work grows with the
//! length of the text: what is looked at around a place is bounded, and what was found is passed over.

use super::Found;
use super::named::{self, Named};
use super::table::{Long, Of, ROWS, may_start};
use base64::Engine as _;
use std::cell::{Cell, OnceCell};

/// So much of a value decides whether it is one; what is found reaches to its end.
const LOOKED_AT: usize = 256;
/// A line of a private key at least, in characters: they are 64, 70 or 76 long (RFC 7468, OpenSSH, RFC 2045). What is shorter may be a command.
const LINE: usize = 48;
/// So much before a sign is looked at for a name.
const BEFORE: usize = 80;

/// Every secret in a text.
pub(super) fn all(text: &str) -> Vec<Found> {
    let bytes = text.as_bytes();
    let scan = Scan {
        text,
        bytes,
        is_client: OnceCell::new(),
        no_web_token: Cell::new(0),
    };
    let mut found: Vec<Found> = Vec::new();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let here = match byte {
            b':' | b'=' => scan.url(at).or_else(|| scan.assigned(at)),
            b'-' => match scan.block(at) {
                Some((lines, end)) => {
                    lines.into_iter().for_each(|line| push(&mut found, line));
                    at = end;
                    continue;
                }
                None => scan.option(at).or_else(|| scan.token(at)),
            },
            byte if byte.is_ascii_alphanumeric() => scan.token(at),
            _ => None,
        };
        match here {
            Some(one) => {
                at = one.end.max(at + 1);
                push(&mut found, one);
            }
            None => at += 1,
        }
    }
    found
}

/// Adds what was found behind what was found before; two that meet are one.
fn push(found: &mut Vec<Found>, one: Found) {
    match found.last_mut() {
        Some(last) if one.start < last.end => last.end = last.end.max(one.end),
        _ => found.push(one),
    }
}

struct Scan<'t> {
    text: &'t str,
    bytes: &'t [u8],
    /// Whether a client is named whose options hold passwords.
    is_client: OnceCell<bool>,
    /// As far as no web token starts.
    no_web_token: Cell<usize>,
}

impl<'t> Scan<'t> {
    fn byte(&self, at: usize) -> Option<u8> {
        self.bytes.get(at).copied()
    }

    fn rest(&self, at: usize) -> &'t [u8] {
        self.bytes.get(at..).unwrap_or_default()
    }

    /// The text from one place to another, which are at ASCII characters or ends.
    fn part(&self, start: usize, end: usize) -> &'t str {
        self.text.get(start..end).unwrap_or_default()
    }

    /// Where a run of bytes ends.
    fn run(&self, start: usize, has: impl Fn(u8) -> bool) -> usize {
        let run = self.rest(start).iter().take_while(|byte| has(**byte));
        start + run.count()
    }

    /// The same, looked at as far as it decides.
    fn short_run(&self, start: usize, has: impl Fn(u8) -> bool) -> usize {
        let run = self.rest(start).iter().take(LOOKED_AT);
        start + run.take_while(|byte| has(**byte)).count()
    }

    /// Whether a word starts here. What an escape ends with is no part of a word: `\n` in JSON in a text, `%3D` in a URL.
    fn starts_word(&self, at: usize) -> bool {
        let before = |n: usize| at.checked_sub(n).and_then(|at| self.byte(at));
        let is_hex = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_hexdigit());
        !before(1).is_some_and(|byte| byte.is_ascii_alphanumeric())
            || before(2) == Some(b'\\')
            || before(3) == Some(b'%') && is_hex(before(2)) && is_hex(before(1))
    }

    fn found(&self, kind: &'static str, start: usize, end: usize) -> Option<Found> {
        (start < end).then_some(Found { kind, start, end })
    }

    /// A token that says itself what it is.
    fn token(&self, at: usize) -> Option<Found> {
        let (first, second) = (self.byte(at)?, self.byte(at + 1)?);
        let is_start = may_start(first, second);
        let is_scheme = matches!((first, second), (b'B' | b'b', b'a' | b'e' | b'A' | b'E'));
        let is_web = first == b'e' && second == b'y';
        if !(is_start || is_scheme || is_web) || !self.starts_word(at) {
            return None;
        }
        let rest = self.rest(at);
        let rows = ROWS.iter().filter(|_| is_start);
        let pair = Some(&[first, second]);
        let rows = rows.filter(|row| row.start.as_bytes().first_chunk() == pair);
        let mut rows = rows.filter(|row| rest.starts_with(row.start.as_bytes()));
        rows.find_map(|row| {
            let body = at + row.start.len();
            let end = self.short_run(body, |byte| row.of.has(byte));
            let long = end - body;
            let fits = match row.long {
                Long::AtLeast(least) => long >= least,
                Long::Exactly(exact) => long == exact && !self.goes_on(end),
            };
            if !fits || !named::is_body(self.part(body, end)) {
                return None;
            }
            self.found(row.kind, at, self.run(end, |byte| row.of.has(byte)))
        })
        .or_else(|| self.web_token(at))
        .or_else(|| self.scheme(at))
    }

    /// Whether a word goes on.
    fn goes_on(&self, end: usize) -> bool {
        self.byte(end).is_some_and(|byte| byte.is_ascii_alphanumeric())
    }

    /// A JSON Web Token: three parts, of which the first is an object in base64 (RFC 7515), or five (RFC 7516).
    fn web_token(&self, at: usize) -> Option<Found> {
        if at < self.no_web_token.get() || !self.rest(at).starts_with(b"eyJ") {
            return None;
        }
        let end = self.run_of_parts(at);
        let mut parts = self.part(at, end).split('.').map(str::len);
        let (first, second) = (parts.next().unwrap_or(0), parts.next().unwrap_or(0));
        let count = 2 + parts.count();
        if matches!(count, 3 | 5) && first.min(second) >= 8 && end - at >= 48 {
            return self.found(super::JWT, at, end);
        }
        // What starts later in this part has the same parts after it, and is shorter.
        self.no_web_token.set(at + first);
        None
    }

    /// Where a run of base64 with dots ends, of which only the first five parts are looked at.
    fn run_of_parts(&self, at: usize) -> usize {
        let mut dots = 0;
        let run = self.rest(at).iter().take_while(|byte| {
            dots += usize::from(**byte == b'.');
            dots < 5 && (**byte == b'.' || Of::Url.has(**byte))
        });
        at + run.count()
    }

    /// `Bearer` or `Basic` and what follows (RFC 6750, RFC 7617).
    fn scheme(&self, at: usize) -> Option<Found> {
        let rest = self.rest(at);
        let is = |word: &str| {
            let start = rest.get(..word.len());
            start.is_some_and(|start| start.eq_ignore_ascii_case(word.as_bytes()))
        };
        let start = if is("bearer ") {
            at + 7
        } else if is("basic ") {
            at + 6
        } else {
            return None;
        };
        let in_token = |byte: u8| Of::Joined.has(byte) || byte == b'~';
        let end = self.short_run(start, in_token);
        let value = self.part(start, end);
        let (kind, is_secret) = if is("basic ") {
            ("basic_credentials", is_basic(value))
        } else {
            ("bearer_token", value.len() >= 16 && named::is_drawn(value))
        };
        if is_secret {
            let kind = self.token(start).map_or(kind, |token| token.kind);
            return self.found(kind, start, self.run(end, in_token));
        }
        None
    }

    /// The lines of a private key: a block between two lines of dashes (RFC 7468), or what a block starts with. What else stands
    /// between the dashes is no key. Out: the lines, and where the block ends.
    fn block(&self, at: usize) -> Option<(Vec<Found>, usize)> {
        const BEGIN: &[u8] = b"-----BEGIN ";
        if !self.rest(at).starts_with(BEGIN) {
            return None;
        }
        let label = at + BEGIN.len();
        let end_of_label = self.short_run(label, |byte| {
            byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b' '
        });
        let is_key = self.part(label, end_of_label).contains("PRIVATE KEY")
            && self.rest(end_of_label).starts_with(b"-----");
        if !is_key {
            return None;
        }
        let body = end_of_label + 5;
        let text = self.part(body, self.bytes.len());
        let end = body + text.find("-----").unwrap_or(text.len());
        let lines = self.lines(body, end);
        // Who looks for keys writes the first line alone.
        (!lines.is_empty()).then_some((lines, end))
    }

    /// Lines of base64 that were drawn, and the rest that follows the last of them up to the end.
    fn lines(&self, body: usize, end: usize) -> Vec<Found> {
        let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
        let (mut lines, mut at) = (Vec::new(), body);
        while at < end {
            // What follows `\` in a text within a text is the end of a line.
            let escape = usize::from(self.byte(at) == Some(b'\\'));
            let start = at + 2 * escape;
            let stop = self.run(start, is_base64).min(end);
            let line = self.part(start, stop);
            let last = lines.last().filter(|last: &&Found| start - last.end <= 2);
            let follows = last.is_some_and(|last| last.end - last.start >= LINE);
            let is_rest = follows && stop + 2 >= end && !line.contains('/') && !is_word(line);
            if line.len() >= LINE && named::is_drawn(line) || is_rest {
                lines.extend(self.found("private_key", start, stop));
            }
            at = stop.max(at + 1);
        }
        lines
    }

    /// The password of `scheme://name:password@host` (RFC 3986, section 3.2.1).
    fn url(&self, at: usize) -> Option<Found> {
        if !self.rest(at).starts_with(b"://") {
            return None;
        }
        let start = at + 3;
        let in_authority = |byte: u8| {
            byte.is_ascii_graphic()
                && !matches!(
                    byte,
                    b'/' | b'?' | b'#' | b'"' | b'\'' | b'<' | b'>' | b'\\' | b'`'
                )
        };
        let end = self.run(start, in_authority);
        let authority = self.part(start, end);
        let (user_info, _) = authority.rsplit_once('@')?;
        let (name, password) = user_info.split_once(':')?;
        let start = start + name.len() + 1;
        (!password.is_empty() && !named::is_elsewhere(password))
            .then(|| self.found("url_password", start, start + password.len()))
            .flatten()
    }

    /// What is assigned to a name that says it is secret: `name=value`, `name: value`, `"name": "value"`.
    fn assigned(&self, sign: usize) -> Option<Found> {
        let named = named::of(self.name_before(sign)?)?;
        // `==`, `=>` and `:=` assign or compare, too.
        let after = self.short_run(sign + 1, |byte| matches!(byte, b' ' | b'\t' | b'=' | b'>' | b'*'));
        self.value(named, after)
    }

    /// `--password value`, `-u name:password` of curl, `-p value` of sshpass.
    fn option(&self, at: usize) -> Option<Found> {
        let before = at.checked_sub(1).and_then(|at| self.byte(at));
        if before.is_some_and(|byte| !matches!(byte, b' ' | b'"' | b'\'' | b'\t' | b'\n')) {
            return None;
        }
        let rest = self.rest(at);
        if rest.starts_with(b"-u ") || rest.starts_with(b"--user ") {
            let name = self.short_run(at, |byte| byte != b' ');
            return self.user(name + 1);
        }
        if rest.starts_with(b"-p ") && self.part(at.saturating_sub(8), at) == "sshpass " {
            return self.value(Named::Password, at + 3);
        }
        let name = rest.strip_prefix(b"--").map(|_| at + 2)?;
        let end = self.short_run(name, |byte| Of::Url.has(byte));
        if self.byte(end) != Some(b' ') {
            return None;
        }
        let named = named::of(self.part(name, end))?;
        self.value(named, end + 1)
    }

    /// The password of `name:password`, which curl is told.
    fn user(&self, at: usize) -> Option<Found> {
        let is_client = |text: &str| text.contains("curl") || text.contains("wget");
        if !self.is_client.get_or_init(|| is_client(self.text)) {
            return None;
        }
        let (start, end) = self.extent(at, LOOKED_AT);
        let (name, password) = self.part(start, self.floor(end)).split_once(':')?;
        if password.is_empty() || named::is_elsewhere(password) {
            return None;
        }
        let (start, end) = self.extent(at, usize::MAX);
        self.found("password", start + name.len() + 1, end)
    }

    /// The name before a sign: `name=`, `name :`, `"name":`, `\"name\":`, `name is:`.
    fn name_before(&self, sign: usize) -> Option<&'t str> {
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
        let least = sign.saturating_sub(BEFORE);
        let back = |end: usize, has: &dyn Fn(u8) -> bool| {
            let run = self.bytes.get(least..end).unwrap_or_default().iter().rev();
            end - run.take_while(|byte| has(**byte)).count()
        };
        let around = |byte: u8| matches!(byte, b' ' | b'"' | b'\'' | b'\\' | b'`' | b']' | b'*');
        let end = back(sign, &around);
        let start = back(end, &is_name);
        let name = self.part(start, end);
        if name == "is" {
            let end = back(start, &around);
            return Some(self.part(back(end, &is_name), end)).filter(|name| !name.is_empty());
        }
        // What stands in place of a secret is no name.
        let is_mark = self.part(start.saturating_sub(8), start) == "[secret ";
        Some(name).filter(|name| !name.is_empty() && !is_mark)
    }

    /// The value from here on, if it may be what its name says. Where it says itself what it is, that is said.
    fn value(&self, named: Named, at: usize) -> Option<Found> {
        let (start, end) = self.extent(at, LOOKED_AT);
        let value = self.part(start, self.floor(end));
        let (skipped, is_secret) = match named {
            Named::Password => (0, named::is_password(value)),
            Named::Token => (0, named::is_drawn(value)),
            Named::Authorization => match named::credentials(value) {
                // The scheme, and then what it is about.
                0 if named::is_scheme(value) && self.byte(end) == Some(b' ') => {
                    let (start, end) = self.extent(end + 1, LOOKED_AT);
                    let value = self.part(start, self.floor(end));
                    return named::is_credentials(value).then(|| self.whole(named, start, 0))?;
                }
                scheme => (
                    scheme,
                    named::is_credentials(value.get(scheme..).unwrap_or_default()),
                ),
            },
        };
        is_secret.then(|| self.whole(named, at, skipped))?
    }

    /// What was found to its end.
    fn whole(&self, named: Named, at: usize, skipped: usize) -> Option<Found> {
        let (start, end) = self.extent(at, usize::MAX);
        let start = start + skipped;
        let kind = self.token(start).map_or(named.kind(), |token| token.kind);
        self.found(kind, start, end)
    }

    /// The last boundary of characters up to here.
    fn floor(&self, at: usize) -> usize {
        self.text.floor_char_boundary(at)
    }

    /// Where a value starts and ends: within quotes where it has some, else with the word. No more of it is looked at than
    /// so many bytes.
    fn extent(&self, at: usize, looked_at: usize) -> (usize, usize) {
        let escapes = self.short_run(at, |byte| byte == b'\\') - at;
        let quote = self.byte(at + escapes);
        let quote = quote.filter(|byte| matches!(byte, b'"' | b'\'' | b'`'));
        let Some(quote) = quote else {
            let run = self.rest(at).iter().take(looked_at);
            return (at, at + run.take_while(|byte| !ends_word(**byte)).count());
        };
        let start = at + escapes + 1;
        // A quotation ends with what it started with: `\"` within a text in quotes.
        let mut closing = vec![b'\\'; escapes];
        closing.push(quote);
        let rest = self.rest(start);
        let mut ends = rest.windows(closing.len()).take(looked_at);
        let end = ends.position(|here| here == closing);
        (start, start + end.unwrap_or(rest.len().min(looked_at)))
    }
}

/// Whether a text may be the name of a command.
fn is_word(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_lowercase()) || text.bytes().all(|byte| byte.is_ascii_uppercase())
}

/// Whether a value without quotes ends before this.
fn ends_word(byte: u8) -> bool {
    byte.is_ascii_whitespace()
        || matches!(
            byte,
            b'"' | b'\'' | b'`' | b'&' | b';' | b',' | b'|' | b'<' | b'\\' | b'}' | b']'
        )
}

/// Whether a text is a name and a password in base64.
fn is_basic(value: &str) -> bool {
    let decoded = base64::engine::general_purpose::STANDARD.decode(value);
    decoded.is_ok_and(|bytes| {
        bytes.len() >= 4
            && bytes.contains(&b':')
            && bytes
                .iter()
                .all(|byte| (0x20..0x7f).contains(byte) || *byte >= 0x80)
    })
}
