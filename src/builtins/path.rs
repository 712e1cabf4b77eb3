//! `Path`: a file name, absolute or relative, normalised by its text alone (IEEE Std 1003.1, XBD section 4.13, and
//! RFC 3986 section 5.2.4 for dot segments). A `..` is resolved against what is written before it and refused where
//! nothing is; a symbolic link cannot be seen here, so the canonical path must be what is handed on and opened.
//! Refused is whatever some reader would take for another path: backslashes, drive letters, `//server`, `~`, URLs,
//! escapes that hide dots or slashes, invisible characters. Letters are compared as received: on a file system that
//! folds case or Unicode forms, allow-lists stay safe and block-lists do not, unless they ask with `like "(?i)…"`.

use super::{Doc, Refused, percent};
use crate::json::Text;
use crate::limits;
use crate::syntax::hidden::is_hidden;

/// What the manual says about `Path`.
pub const DOC: Doc = Doc {
    name: "Path",
    summary: "A file path, absolute or relative",
    json: "string",
    canonical: "no empty, `.` or `..` segments, no final `/`; `.` is the start of relative paths",
    rules: &[
        "`.` and empty segments are dropped, `..` removes the segment before it (RFC 3986 section 5.2.4)",
        "a `..` with nothing before it is refused, at `/` too",
        "a path that starts with `//` is refused (XBD section 4.13 leaves its meaning open; it is a UNC name elsewhere)",
        "`\\`, control, bidirectional and invisible characters, and characters that normalise to `.`, `/` or `\\` are refused",
        "percent escapes that hide `.`, `/`, `\\`, control characters or another escape are refused, as are escapes that are not UTF-8",
        "a start of `~`, a drive letter or a URL scheme is refused",
        "segments of three or more dots, and spaces at either end of a segment, are refused",
        "at most 4,096 bytes",
    ],
    parts: &[],
    operators: &["==", "!=", "in", "under", "like"],
    example_type: "Path",
    examples: &[
        ("/w//a/./b/../c/", Ok("/w/a/c")),
        ("bill-december-2023.txt", Ok("bill-december-2023.txt")),
        ("./notes/a b.txt", Ok("notes/a b.txt")),
        ("a/..", Ok(".")),
        ("/", Ok("/")),
        ("100%.txt", Ok("100%.txt")),
        ("", Err("the path is empty")),
        ("../secrets", Err("a `..` climbs above the start of the path")),
        ("/../etc/passwd", Err("a `..` climbs above the start of the path")),
        ("/w/%2e%2e/etc", Err("a percent escape hides `.`, `/` or `~`")),
        (
            "/w/%252e%252e/etc",
            Err("the path is percent-encoded more than once"),
        ),
        ("/w/%c0%ae/etc", Err("the percent escapes are not UTF-8")),
        ("C:/boot.ini", Err("the path starts with a drive letter")),
        ("file:///etc/passwd", Err("the path is a URL")),
        ("~/.ssh/id_rsa", Err("the path starts with `~`")),
        ("//server/share", Err("the path starts with `//`")),
        ("a\\b", Err("the path has a `\\`")),
    ],
};

/// Parses a path to its canonical form. Errors: the reason, one sentence.
pub fn parse(text: &str) -> Result<Text, Refused> {
    if text.is_empty() {
        return Err(Refused::new("the path is empty"));
    }
    if text.len() > limits::PATH_BYTES {
        return Err(Refused::new(format!(
            "the path is over {} bytes",
            limits::PATH_BYTES
        )));
    }
    if is_plain(text) {
        return Ok(text.into());
    }
    parse_any(text)
}

/// Whether a text is canonical at first sight: names of letters, digits, `-`, `_` and `.` with one `/` between them.
fn is_plain(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    let name = |name: &[u8]| name.iter().copied().all(plain) && name.iter().any(|b| *b != b'.');
    let bytes = text.as_bytes();
    bytes
        .strip_prefix(b"/")
        .unwrap_or(bytes)
        .split(|b| *b == b'/')
        .all(name)
}

fn parse_any(text: &str) -> Result<Text, Refused> {
    check_characters(text)?;
    check_escapes(text)?;
    if text.starts_with("//") {
        return Err(Refused::new("the path starts with `//`"));
    }
    let mut kept: Vec<&str> = Vec::new();
    for segment in text.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                kept.pop()
                    .ok_or_else(|| Refused::new("a `..` climbs above the start of the path"))?;
            }
            name => {
                check_segment(name)?;
                if kept.is_empty() {
                    check_first(name)?;
                }
                kept.push(name);
            }
        }
    }
    let joined = kept.join("/");
    Ok(match (text.starts_with('/'), joined.is_empty()) {
        (true, _) => format!("/{joined}").into(),
        (false, true) => ".".into(),
        (false, false) => joined.into(),
    })
}

fn check_characters(text: &str) -> Result<(), Refused> {
    for c in text.chars() {
        if c.is_control() {
            return Err(Refused::new("the path has a control character"));
        }
        if c == '\\' {
            return Err(Refused::new("the path has a `\\`"));
        }
        if is_hidden(c) {
            return Err(Refused::new(
                "the path has an invisible or bidirectional character",
            ));
        }
        if is_disguised(c) {
            return Err(Refused::new(
                "the path has a character that normalises to `.`, `/` or `\\`",
            ));
        }
    }
    Ok(())
}

/// Characters whose Unicode compatibility form (UAX #15, NFKC) is dots or has `/` or `\`.
pub(super) fn is_disguised(c: char) -> bool {
    matches!(
        c,
        '\u{2024}' | '\u{2025}' | '\u{fe30}' | '\u{fe52}' | '\u{ff0e}' // . and ..
            | '\u{2100}' | '\u{2101}' | '\u{2105}' | '\u{2106}' | '\u{ff0f}' // /
            | '\u{fe68}' | '\u{ff3c}' // \
    )
}

fn check_escapes(text: &str) -> Result<(), Refused> {
    if !text.contains('%') {
        return Ok(());
    }
    if has_wide_escape(text) {
        return Err(Refused::new("the path has a `%u` escape"));
    }
    let decoded = percent::decode(text.as_bytes());
    if percent::has_escape(&decoded) {
        return Err(Refused::new("the path is percent-encoded more than once"));
    }
    let decoded =
        String::from_utf8(decoded).map_err(|_| Refused::new("the percent escapes are not UTF-8"))?;
    check_characters(&decoded)?;
    let count = |text: &str| text.matches(['.', '/', '~']).count();
    if count(&decoded) != count(text) {
        return Err(Refused::new("a percent escape hides `.`, `/` or `~`"));
    }
    decoded
        .split('/')
        .filter(|segment| !matches!(*segment, "" | "." | ".."))
        .try_for_each(check_segment)
}

/// Whether a `%uXXXX` escape occurs, as some Windows servers decode it.
fn has_wide_escape(text: &str) -> bool {
    text.split(['%']).skip(1).any(|after| {
        let hex = after.strip_prefix(['u', 'U']).and_then(|rest| rest.get(..4));
        hex.is_some_and(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()))
    })
}

fn check_segment(segment: &str) -> Result<(), Refused> {
    if segment.trim() != segment {
        return Err(Refused::new("a segment of the path starts or ends with a space"));
    }
    if segment.bytes().all(|b| b == b'.') {
        return Err(Refused::new("a segment of the path is three or more dots"));
    }
    let name = segment.split(';').next().unwrap_or_default();
    if name.bytes().all(|b| matches!(b, b'.' | b' ')) {
        return Err(Refused::new(
            "a segment of the path is dots with spaces or parameters",
        ));
    }
    Ok(())
}

/// Refuses first segments that a shell, a Windows program or a URL reader takes for another place. It is asked of
/// every segment that may come to stand first, so that the canonical form is accepted again.
fn check_first(segment: &str) -> Result<(), Refused> {
    if segment.starts_with('~') {
        return Err(Refused::new("the path starts with `~`"));
    }
    let Some((before, after)) = segment.split_once(':') else {
        return Ok(());
    };
    let word = before.starts_with(|c: char| c.is_ascii_alphabetic())
        && before
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b));
    match (word, before.len()) {
        (true, 1) => Err(Refused::new("the path starts with a drive letter")),
        (true, _) if after.is_empty() => Err(Refused::new("the path is a URL")),
        _ => Ok(()),
    }
}

/// Whether a canonical path is `dir` or below it, by whole segments; a relative path is only under a relative one.
pub fn under(path: &str, dir: &str) -> bool {
    match dir {
        "/" => path.starts_with('/'),
        "." => !path.starts_with('/'),
        _ => path == dir || path.strip_prefix(dir).is_some_and(|rest| rest.starts_with('/')),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{DOC, is_plain, parse, parse_any, under};
    use crate::builtins::testing;

    #[test]
    fn examples() {
        testing::run(&DOC, |text| parse(text).map(String::from));
    }

    #[test]
    fn normalises() {
        for (text, canonical) in [
            (".", "."),
            ("./", "."),
            ("a/b/../..", "."),
            ("/a/..", "/"),
            ("/.", "/"),
            ("///".trim_start_matches("//"), "/"),
            ("a//b", "a/b"),
            ("a/./b/", "a/b"),
            ("a/b/../../c", "c"),
            (".env", ".env"),
            ("..a/b..", "..a/b.."),
            ("/proc/self/root/etc", "/proc/self/root/etc"),
            ("12:30.log", "12:30.log"),
            ("dir/C:x", "dir/C:x"),
            ("dir/~", "dir/~"),
            ("a%20b", "a%20b"),
            ("50%25", "50%25"),
            ("%C3%BC", "%C3%BC"),
            ("r\u{e9}sum\u{e9}", "r\u{e9}sum\u{e9}"),
            ("a\u{2026}", "a\u{2026}"),
        ] {
            assert_eq!(parse(text).as_deref(), Ok(canonical), "{text:?}");
        }
    }

    #[test]
    fn hostile_text_is_refused() {
        let long = "a/".repeat(2_049);
        for text in [
            "..",
            "../",
            "/..",
            "a/../..",
            "a/../../b",
            "/a/../../b",
            "./../a",
            "//",
            "///",
            "//a",
            "///a",
            "a\0b",
            "a\nb",
            "a\u{7f}",
            "a\u{85}b",
            "\\",
            "\\\\server\\share",
            "..\\a",
            "/w/..\\..",
            "C:",
            "c:\\x",
            "C:/x",
            "/C:/x",
            "./C:/x",
            "x/../C:/x",
            "C:x",
            "~",
            "~root",
            "~/x",
            "./~/x",
            "x/../~",
            "file:/etc",
            "https://a.b/c",
            "./file:/x",
            "...",
            "a/..../b",
            "/.../",
            " ",
            " a",
            "a ",
            "a/ b",
            "a /b",
            "\u{a0}a",
            "a/\u{3000}",
            "%2e",
            "%2E%2E/",
            ".%2e/",
            "%2f",
            "a%2Fb",
            "%5c",
            "a%5Cb",
            "%00",
            "a%00.jpg",
            "%0a",
            "%252e",
            "%25%32%65",
            "%%32%65",
            "%c0%ae",
            "%C0%AF",
            "%e0%80%af",
            "%f0%80%80%af",
            "%ff",
            "%u002e%u002e",
            "%U2215",
            "%7e/x",
            "%ef%bc%8f",
            "\u{ff0e}\u{ff0e}/a",
            "a\u{ff0f}b",
            "a\u{ff3c}b",
            "\u{2025}/a",
            "\u{fe30}",
            "\u{2024}",
            "a\u{200c}b",
            "a\u{202e}txt.exe",
            "\u{feff}a",
            "a\u{2028}",
            "%e2%80%ae",
            long.as_str(),
        ] {
            assert!(parse(text).is_err(), "{text:?} gave {:?}", parse(text));
        }
        assert!(parse(long.get(..4_096).unwrap()).is_ok());
    }

    #[test]
    fn under_counts_segments() {
        for (path, dir, expected) in [
            ("/tmp", "/tmp", true),
            ("/tmp/a", "/tmp", true),
            ("/tmpevil", "/tmp", false),
            ("/tm", "/tmp", false),
            ("/a", "/", true),
            ("/", "/", true),
            ("a", "/", false),
            ("a", ".", true),
            (".", ".", true),
            ("/a", ".", false),
            ("a/b", "a", true),
            ("a", "a/b", false),
            ("tmp/a", "/tmp", false),
            (".", "a", false),
        ] {
            assert_eq!(under(path, dir), expected, "{path} under {dir}");
        }
    }

    proptest! {
        #[test]
        fn canonical_forms_stay(text in prop_oneof!["\\PC*", "[a.~:%/ 2eCc\\\\]{0,24}", "(/|[a-c]|\\.\\.|\\.){0,12}"]) {
            if let Ok(path) = parse(&text) {
                prop_assert_eq!(parse(&path), Ok(path.clone()));
                prop_assert_eq!(path.starts_with('/'), text.starts_with('/'));
                prop_assert!(path.split('/').all(|segment| segment != ".." && (segment != "." || &*path == ".")));
                prop_assert!(under(&path, &path));
            }
        }

        /// What is accepted behind a folder never leaves it.
        /// What is taken at first sight is what the long way makes of it.
        #[test]
        fn plain_paths_are_canonical(text in "/?([a-zA-Z0-9._-]{0,4}/){0,4}[a-z.]{0,4}") {
            if is_plain(&text) {
                prop_assert_eq!(parse_any(&text), Ok(text.into()));
            }
        }

        #[test]
        fn nothing_escapes_its_folder(text in "(/|[a-c]|\\.\\.|\\.|%2e|\\\\){0,14}") {
            if parse(&text).is_ok() && !text.starts_with('/') {
                let joined = parse(&format!("/ws/{text}"));
                prop_assert!(joined.is_ok_and(|path| under(&path, "/ws")));
            }
        }
    }
}
