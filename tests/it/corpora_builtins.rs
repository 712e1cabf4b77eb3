//! Other people's vectors for hosts, URLs and paths: the URL tests of the Web Platform Tests, Unicode's IDNA tests,
//! and a list of path traversal attacks. What the standard fails must be refused; what is accepted must name the host
//! the standard names. The tables count every case, so a parser that grows laxer or stricter shows.
#![expect(clippy::string_slice, reason = "a vector that does not read is a broken test")]

use std::collections::BTreeMap;

use gait::builtins::{host, path, url};
use gait::json::{self, Json};

use crate::corpora;

type Counts = BTreeMap<String, usize>;

fn count(counts: &mut Counts, class: impl Into<String>) {
    *counts.entry(class.into()).or_default() += 1;
}

fn expect(counts: &Counts, expected: &[(&str, usize)]) {
    let expected: Counts = expected
        .iter()
        .map(|(class, n)| ((*class).to_owned(), *n))
        .collect();
    assert_eq!(*counts, expected, "{counts:#?}");
}

fn read(name: &str) -> Option<String> {
    let file = corpora::dir()?.join("vectors").join(name);
    Some(std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display())))
}

/// Replaces escapes of lone surrogates by U+FFFD, as the conversion to USVString (WebIDL) does before a URL is read.
fn without_lone_surrogates(text: &str) -> String {
    let unit = |at: &str| {
        let hex = at.strip_prefix("\\u").and_then(|rest| rest.get(..4))?;
        u16::from_str_radix(hex, 16).ok()
    };
    let (mut out, mut rest) = (String::new(), text);
    while let Some(at) = rest.find("\\u") {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let pair = matches!(unit(from), Some(0xd800..=0xdbff))
            && matches!(from.get(6..).and_then(unit), Some(0xdc00..=0xdfff));
        let lone = !pair && matches!(unit(from), Some(0xd800..=0xdfff));
        let len = if pair { 12 } else { 6 };
        out.push_str(if lone { "\\uFFFD" } else { &from[..len] });
        rest = &from[len..];
    }
    out + rest
}

/// Whether the text starts with one of our schemes and `//`; such text is absolute, whatever its base.
fn is_absolute(input: &str) -> bool {
    let lower = input.to_ascii_lowercase();
    url::SCHEMES
        .iter()
        .any(|scheme| lower.starts_with(&format!("{scheme}://")))
}

fn member<'a>(case: &'a Json, key: &str) -> &'a str {
    case.get(key).and_then(Json::as_str).unwrap_or_default()
}

/// The standard's hostname in our canonical form: its brackets, final dot and mapped addresses are ours to drop.
fn canonical_host(case: &Json) -> gait::json::Text {
    host::parse(member(case, "hostname")).unwrap_or_else(|e| panic!("{}: {e}", member(case, "hostname")))
}

fn check_url(case: &Json, counts: &mut Counts) {
    let input = member(case, "input");
    let got = url::parse(input);
    let fails = case.get("failure").and_then(Json::as_bool) == Some(true);
    let absolute = is_absolute(input);
    count(
        counts,
        match &got {
            Err(_) if fails => "failure refused".to_owned(),
            Err(refused) => format!("refused, {}", refused.reason),
            Ok(_) if absolute => "accepted".to_owned(),
            Ok(_) => "no scheme: read as https, where the test has a base".to_owned(),
        },
    );
    let Ok(value) = &got else { return };
    if !absolute {
        assert!(
            !input.contains("://") && value.text().starts_with("https://"),
            "{input:?} gave {value:?}"
        );
        return;
    }
    assert!(!fails, "{input:?} gave {value:?}");
    assert_eq!(value.host(), &*canonical_host(case), "{input:?}");
    assert_eq!(
        format!("{}:", value.scheme()),
        member(case, "protocol"),
        "{input:?}"
    );
    assert_eq!(
        (member(case, "username"), member(case, "password")),
        ("", ""),
        "{input:?}"
    );
    // Ours is the standard's serialisation with host and percent escapes in their canonical form.
    let href = url::parse(member(case, "href")).unwrap_or_else(|e| panic!("{input:?}: {e}"));
    assert_eq!(*value, href, "{input:?}");
    let port = member(case, "port");
    assert!(port.is_empty() || port == value.port().to_string(), "{input:?}");
}

#[test]
fn urls_of_the_web_platform_tests() {
    let Some(text) = read("url/urltestdata.json") else {
        return;
    };
    let cases = json::parse(without_lone_surrogates(&text).as_bytes()).unwrap();
    let mut counts = Counts::new();
    for case in cases
        .as_array()
        .unwrap()
        .iter()
        .filter(|case| case.as_object().is_some())
    {
        check_url(case, &mut counts);
    }
    expect(&counts, URLS);
}

const URLS: &[(&str, usize)] = &[
    ("accepted", 100),
    ("failure refused", 271),
    ("no scheme: read as https, where the test has a base", 8),
    ("refused, a URL with user information (`@`) is refused", 24),
    (
        "refused, a label of the host has a character other than letters, digits, `-` and `_`",
        2,
    ),
    ("refused, the URL has a `%` without two hexadecimal digits", 6),
    ("refused, the URL has a `\\`", 45),
    ("refused, the URL has a control character", 34),
    (
        "refused, the URL has an IPv6 address without brackets or more than one port",
        13,
    ),
    (
        "refused, the URL has no scheme and does not start with a dotted host name",
        156,
    ),
    ("refused, the URL is empty", 4),
    ("refused, the URL starts or ends with a space", 4),
    ("refused, the host has a percent escape or a zone", 5),
    ("refused, the host has an empty label", 3),
    (
        "refused, the path of the URL has an empty segment and a `..`, which servers read differently",
        3,
    ),
    (
        "refused, the path of the URL hides a control character or a look-alike of `.`, `/` or `\\`",
        5,
    ),
    ("refused, the port of the URL is not a number", 43),
    ("refused, the scheme of the URL is not followed by `//`", 32),
    (
        "refused, the scheme of the URL is not one of http, https, ws, wss, ftp",
        111,
    ),
];

/// The escapes of the IDNA test file: `\uXXXX` and `\x{X…}`; `None` for what is no text.
fn unescape(text: &str) -> Option<String> {
    if text == "\"\"" {
        return Some(String::new());
    }
    let (mut out, mut rest) = (String::new(), text);
    while let Some(at) = rest.find('\\') {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let (hex, after) = match from.strip_prefix("\\x{") {
            Some(long) => long.split_once('}')?,
            None => from.strip_prefix("\\u")?.split_at_checked(4)?,
        };
        out.push(char::from_u32(u32::from_str_radix(hex, 16).ok()?)?);
        rest = after;
    }
    Some(out + rest)
}

/// Statuses that the WHATWG URL Standard does not fail on: it asks for neither hyphen nor length checks.
const IGNORED: &[&str] = &["V2", "V3", "A4_1", "A4_2", "X4_2"];

fn check_name(line: &str, counts: &mut Counts) {
    let columns: Vec<&str> = line
        .split('#')
        .next()
        .unwrap_or_default()
        .split(';')
        .map(str::trim)
        .collect();
    let [source, unicode, status, ascii, ascii_status, ..] = columns[..] else {
        return;
    };
    let unicode = if unicode.is_empty() { source } else { unicode };
    let ascii = if ascii.is_empty() { unicode } else { ascii };
    let status = if ascii_status.is_empty() {
        status
    } else {
        ascii_status
    };
    let (Some(source), Some(ascii)) = (unescape(source), unescape(ascii)) else {
        return count(counts, "no text");
    };
    let statuses = status.trim_matches(['[', ']']).split(',').map(str::trim);
    let fails = statuses.filter(|s| !s.is_empty()).any(|s| !IGNORED.contains(&s));
    match host::parse(&source) {
        // The url crate takes some A-labels of unassigned characters, or that decode to `xn--`; the label is opaque.
        Ok(name) if fails => {
            assert!(
                name.contains("xn--") && host::parse(&name).as_ref() == Ok(&name),
                "{source:?}: {name}"
            );
            count(counts, "failure accepted as an A-label");
        }
        Ok(name) => {
            let wanted = host::parse(&ascii);
            assert_eq!(Ok(&name), wanted.as_ref(), "{source:?}");
            assert!(
                host::is_ip(&name) || *name == *ascii.trim_end_matches('.'),
                "{source:?}: {name} and {ascii}"
            );
            count(counts, "agrees");
        }
        Err(_) if fails => count(counts, "failure refused"),
        Err(refused) => count(counts, format!("refused, {}", refused.reason)),
    }
}

#[test]
fn names_of_unicode_idna() {
    let Some(text) = read("url/IdnaTestV2.txt") else {
        return;
    };
    let mut counts = Counts::new();
    for line in text
        .lines()
        .filter(|line| !line.starts_with('#') && !line.trim().is_empty())
    {
        check_name(line, &mut counts);
    }
    expect(&counts, NAMES);
}

const NAMES: &[(&str, usize)] = &[
    ("agrees", 641),
    ("failure accepted as an A-label", 6),
    ("failure refused", 5595),
    ("no text", 2),
    ("refused, a label of the host is over 63 bytes", 28),
    ("refused, a label of the host starts or ends with `-`", 39),
    ("refused, the host has an empty label", 62),
    ("refused, the host is empty", 1),
    ("refused, the host is not a valid name or address", 1),
    ("refused, the host is over 253 bytes", 16),
];

#[test]
fn no_traversal_escapes_its_folder() {
    let Some(text) = read("path-traversal/patt-directory_traversal.txt") else {
        return;
    };
    let mut counts = Counts::new();
    for line in text.lines() {
        let joined = match path::parse(line) {
            Ok(normal) => path::parse(&format!("/ws/{normal}")).map(Some),
            Err(_) => Ok(None),
        };
        if let Some(joined) = joined.unwrap_or_else(|e| panic!("{line}: {e}")) {
            assert!(path::under(&joined, "/ws"), "{line}: {joined}");
        }
        // Joined before it is parsed, a path may leave the folder, but then it says so: no `..` is left in it.
        match path::parse(&format!("/ws/{line}")) {
            Ok(normal) => {
                assert!(
                    normal.split('/').all(|segment| segment != ".."),
                    "{line}: {normal}"
                );
                count(
                    &mut counts,
                    if path::under(&normal, "/ws") {
                        "stays"
                    } else {
                        "leaves, and shows it"
                    },
                );
            }
            Err(refused) => count(&mut counts, refused.reason),
        }
    }
    expect(&counts, TRAVERSALS);
}

const TRAVERSALS: &[(&str, usize)] = &[
    ("a `..` climbs above the start of the path", 23),
    ("a percent escape hides `.`, `/` or `~`", 20),
    ("a segment of the path is three or more dots", 1),
    ("leaves, and shows it", 1),
    ("stays", 7),
    ("the path has a `\\`", 52),
    ("the path has a control character", 16),
    ("the path is percent-encoded more than once", 17),
    ("the percent escapes are not UTF-8", 3),
];
