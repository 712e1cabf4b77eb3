//! `Url`: parsed by the WHATWG URL Standard (section 4.4) and then held to the part of it that every client reads
//! alike. The authority is also cut out of the text as RFC 3986 section 3.2 does, and the two readings of the host
//! must agree. Refused: user information, backslashes, control characters, missing slashes or host, other schemes,
//! malformed escapes, and paths that climb once a server decodes them. The fragment is dropped, since no client
//! sends it (RFC 9110 section 4.2.5).
//!
//! Decision: text without a scheme is read as `https` when it starts with a dotted host name that ends at the end,
//! `/`, `?` or `:port`. Every client that takes such text connects to that host, and the host is what policies judge;
//! the canonical value names the scheme, so nothing is left to guess once it is handed on. Numbers stand for an
//! address without a scheme only as a plain dotted quad, so `1.5` is not a URL.

use super::{Doc, Refused, host, path, percent};
use crate::limits;
use crate::syntax::hidden::is_hidden;
use crate::value::UrlValue;

/// The schemes accepted: those with a host and a default port in the WHATWG URL Standard, section 3.1.
pub const SCHEMES: &[&str] = &["http", "https", "ws", "wss", "ftp"];

/// What the manual says about `Url`.
pub const DOC: Doc = Doc {
    name: "Url",
    summary: "An address on a network: http, https, ws, wss or ftp",
    json: "string",
    canonical: "WHATWG serialisation with a canonical host, without default port, empty query or fragment, percent escapes normalised",
    rules: &[
        "parsed by the WHATWG URL Standard section 4.4; the host as `Host`",
        "the scheme is followed by exactly `//`; without a scheme, text that starts with a dotted host name is read as `https`",
        "user information is refused, an empty one too",
        "`\\`, control characters, and spaces at either end are refused",
        "percent escapes are in capitals and unreserved characters unescaped (RFC 3986 section 6.2.2); a `%` without two digits is refused",
        "a path with a `..` hidden by escapes or path parameters is refused",
        "the fragment is dropped (RFC 9110 section 4.2.5)",
        "at most 8,192 bytes, before and after",
    ],
    parts: &[
        ("scheme", "String"),
        ("host", "Host"),
        ("port", "Int"),
        ("path", "String"),
        ("query", "String"),
    ],
    operators: &["==", "!=", "in", "like"],
    example_type: "Url",
    examples: &[
        ("http://EXAMPLE.com:80/a/../b", Ok("http://example.com/b")),
        (
            "https://example.com.?q=%7euser#top",
            Ok("https://example.com/?q=~user"),
        ),
        ("www.informations.com", Ok("https://www.informations.com/")),
        (
            "api.example.com:8443/v1?x",
            Ok("https://api.example.com:8443/v1?x"),
        ),
        ("http://0x7f.1/", Ok("http://127.0.0.1/")),
        ("http://[::ffff:10.0.0.1]/", Ok("http://10.0.0.1/")),
        ("wss://[FD00::1]:443/", Ok("wss://[fd00::1]/")),
        (
            "https://api.example.com:pw@evil.com",
            Err("a URL with user information (`@`) is refused"),
        ),
        (
            "api.example.com:pw@evil.com",
            Err("a URL with user information (`@`) is refused"),
        ),
        ("https://good.com\\@evil.com", Err("the URL has a `\\`")),
        (
            "https:good.example",
            Err("the scheme of the URL is not followed by `//`"),
        ),
        ("https:///evil.com", Err("the URL has no host")),
        (
            "file:///etc/passwd",
            Err("the scheme of the URL is not one of http, https, ws, wss, ftp"),
        ),
        (
            "localhost:8080",
            Err("the URL has no scheme and does not start with a dotted host name"),
        ),
        (
            "https://a.com/public/..%2fadmin",
            Err("the path of the URL climbs once it is decoded"),
        ),
        (
            "https://a.com/100%",
            Err("the URL has a `%` without two hexadecimal digits"),
        ),
    ],
};

/// A URL cut up by its text alone.
struct Cut<'a> {
    scheme: &'static str,
    /// As written; IPv6 in brackets.
    host: &'a str,
}

/// Parses a URL to its canonical form. Errors: the reason, one sentence.
pub fn parse(text: &str) -> Result<UrlValue, Refused> {
    match plain(text) {
        Some(url) if text.len().max(url.text().len()) <= limits::URL_BYTES => Ok(url),
        _ => parse_any(text),
    }
}

/// A URL that is canonical at first sight, but for a path or query with nothing in it: a scheme, a plain host without a
/// port, and a path and query of unreserved characters (RFC 3986 section 2.3) and a few that mean nothing there, without
/// dot segments.
fn plain(text: &str) -> Option<UrlValue> {
    let after = |scheme: &&str| text.strip_prefix(scheme)?.strip_prefix("://");
    let (scheme, rest) = SCHEMES
        .iter()
        .copied()
        .find_map(|scheme| Some((scheme, after(&scheme)?)))?;
    let end = |end: &u8| matches!(end, b'/' | b'?' | b'#');
    let (host, rest) = rest.split_at_checked(rest.as_bytes().iter().position(end).unwrap_or(rest.len()))?;
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let path = if path.is_empty() { "/" } else { path };
    let unreserved = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'~');
    let mut segments = path.as_bytes().split(|b| *b == b'/');
    let fits = host::is_plain(host)
        && path.bytes().all(|b| unreserved(b) || b == b'/')
        && segments.all(|segment| !matches!(segment, b"." | b".."))
        && query
            .bytes()
            .all(|b| unreserved(b) || matches!(b, b'=' | b'&' | b'+' | b',' | b'/' | b':'));
    fits.then(|| UrlValue::new(scheme, host, (None, default_port(scheme)), (path, query)))
}

/// The port of a scheme (WHATWG URL Standard, section 3.1).
fn default_port(scheme: &str) -> u16 {
    match scheme {
        "http" | "ws" => 80,
        "ftp" => 21,
        _ => 443,
    }
}

fn parse_any(text: &str) -> Result<UrlValue, Refused> {
    check_text(text)?;
    let (cut, parsed) = if has_scheme(text) {
        (cut(text)?, ::url::Url::parse(text))
    } else {
        (cut_bare(text)?, ::url::Url::parse(&format!("https://{text}")))
    };
    let parsed = parsed.map_err(|_| Refused::new("the URL is not valid"))?;
    let host = host::parse(cut.host)?;
    let agreed = parsed
        .host_str()
        .is_some_and(|other| host::parse(other).as_deref() == Ok(&*host));
    if !agreed || parsed.scheme() != cut.scheme {
        return Err(Refused::new("the host of the URL can be read in two ways"));
    }
    let query = parsed.query().unwrap_or_default();
    if percent::is_malformed(parsed.path()) || percent::is_malformed(query) {
        return Err(Refused::new("the URL has a `%` without two hexadecimal digits"));
    }
    let (path, query) = (percent::normalise(parsed.path()), percent::normalise(query));
    if hides(&path) {
        return Err(Refused::new(
            "the path of the URL hides a control character or a look-alike of `.`, `/` or `\\`",
        ));
    }
    if merges(text) {
        return Err(Refused::new(
            "the path of the URL has an empty segment and a `..`, which servers read differently",
        ));
    }
    if climbs(&path) {
        return Err(Refused::new("the path of the URL climbs once it is decoded"));
    }
    let port = (parsed.port(), default_port(cut.scheme));
    let url = UrlValue::new(cut.scheme, &host, port, (&path, &query));
    if url.text().len() > limits::URL_BYTES {
        return Err(too_long());
    }
    Ok(url)
}

fn check_text(text: &str) -> Result<(), Refused> {
    if text.is_empty() {
        return Err(Refused::new("the URL is empty"));
    }
    if text.len() > limits::URL_BYTES {
        return Err(too_long());
    }
    if text.chars().any(char::is_control) {
        return Err(Refused::new("the URL has a control character"));
    }
    if text.trim() != text {
        return Err(Refused::new("the URL starts or ends with a space"));
    }
    if text.contains('\\') {
        return Err(Refused::new("the URL has a `\\`"));
    }
    Ok(())
}

fn too_long() -> Refused {
    Refused::new(format!("the URL is over {} bytes", limits::URL_BYTES))
}

/// The scheme as RFC 3986 section 3.1 spells one, and what follows its `:`.
fn split_scheme(text: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = text.split_once(':')?;
    let word = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b));
    word.then_some((scheme, rest))
}

/// `host.name:80` also fits a scheme's syntax, so a word counts as one only before `//` or when it is a known one.
fn has_scheme(text: &str) -> bool {
    split_scheme(text).is_some_and(|(scheme, rest)| rest.starts_with("//") || known(scheme).is_some())
}

fn known(scheme: &str) -> Option<&'static str> {
    SCHEMES
        .iter()
        .copied()
        .find(|name| name.eq_ignore_ascii_case(scheme))
}

fn cut(text: &str) -> Result<Cut<'_>, Refused> {
    let (scheme, rest) = split_scheme(text).ok_or_else(|| Refused::new("the URL is not valid"))?;
    let scheme = known(scheme).ok_or_else(|| {
        Refused::new(format!(
            "the scheme of the URL is not one of {}",
            SCHEMES.join(", ")
        ))
    })?;
    let rest = rest
        .strip_prefix("//")
        .ok_or_else(|| Refused::new("the scheme of the URL is not followed by `//`"))?;
    let (host, _) = authority(rest)?;
    if host.is_empty() {
        return Err(Refused::new("the URL has no host"));
    }
    Ok(Cut { scheme, host })
}

/// Reads text without a scheme as `https`; the module's head says why.
fn cut_bare(text: &str) -> Result<Cut<'_>, Refused> {
    let refused = || Refused::new("the URL has no scheme and does not start with a dotted host name");
    let (host, port) = authority(text)?;
    let ends_well = !text
        .get(authority_end(text)..)
        .is_some_and(|rest| rest.starts_with('#'));
    let name = host.strip_suffix('.').unwrap_or(host);
    let canonical = host::parse(host).map_err(|_| refused())?;
    let plain = !host::is_ip(&canonical) || *canonical == *name;
    if !name.contains('.') || host.contains('[') || port == Some("") || !ends_well || !plain {
        return Err(refused());
    }
    Ok(Cut {
        scheme: "https",
        host,
    })
}

fn authority_end(rest: &str) -> usize {
    rest.find(['/', '?', '#']).unwrap_or(rest.len())
}

/// Splits host and port off the start of `rest` (RFC 3986 section 3.2).
fn authority(rest: &str) -> Result<(&str, Option<&str>), Refused> {
    let authority = rest.get(..authority_end(rest)).unwrap_or_default();
    if authority.contains('@') {
        return Err(Refused::new("a URL with user information (`@`) is refused"));
    }
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (authority, None),
    };
    if host.contains(':') && !host.starts_with('[') {
        return Err(Refused::new(
            "the URL has an IPv6 address without brackets or more than one port",
        ));
    }
    if port.is_some_and(|port| !port.bytes().all(|b| b.is_ascii_digit())) {
        return Err(Refused::new("the port of the URL is not a number"));
    }
    Ok((host, port))
}

/// Whether the path, decoded up to `limits::PERCENT_LAYERS` times, has a character no reader shows, or one that
/// normalises to a dot or slash.
fn hides(path: &str) -> bool {
    let mut layer = path.as_bytes().to_vec();
    for _ in 0..=limits::PERCENT_LAYERS {
        let text = String::from_utf8_lossy(&layer);
        if text
            .chars()
            .any(|c| c.is_control() || is_hidden(c) || path::is_disguised(c))
        {
            return true;
        }
        if !percent::has_escape(&layer) {
            return false;
        }
        layer = percent::decode(&layer);
    }
    false
}

/// Whether the path as written has both an empty segment and a `..`: a server that merges slashes first climbs further
/// than one that does not.
fn merges(text: &str) -> bool {
    let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
    let after = rest.get(authority_end(rest)..).unwrap_or_default();
    let path = after.split(['?', '#']).next().unwrap_or_default();
    path.contains("//") && path.split('/').any(|segment| segment == "..")
}

/// Whether a server that decodes the path, up to `limits::PERCENT_LAYERS` times, or drops path parameters, or takes
/// `\` for `/`, would see a `..` segment. Overlong UTF-8 counts, as it has no honest use.
fn climbs(path: &str) -> bool {
    let mut layer = path.as_bytes().to_vec();
    for _ in 0..=limits::PERCENT_LAYERS {
        let dots = layer.split(|b| matches!(b, b'/' | b'\\')).any(|segment| {
            segment.split(|b| *b == b';').next() == Some(b"..")
                || segment.iter().any(|b| matches!(b, 0xc0 | 0xc1))
        });
        if dots {
            return true;
        }
        if !percent::has_escape(&layer) {
            return false;
        }
        layer = percent::decode(&layer);
    }
    true
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{DOC, parse, parse_any, plain};
    use crate::builtins::{host, testing};

    #[test]
    fn examples() {
        testing::run(&DOC, |text| parse(text).map(|url| url.text().into()));
    }

    #[test]
    fn parts() {
        for (text, scheme, name, port, path, query) in [
            ("https://Acme.com", "https", "acme.com", 443, "/", ""),
            (
                "HTTP://acme.com:8080/a%2fb/?b=1&c=%c3%bc",
                "http",
                "acme.com",
                8080,
                "/a%2Fb/",
                "b=1&c=%C3%BC",
            ),
            ("ftp://[::1]:/x y", "ftp", "::1", 21, "/x%20y", ""),
            ("ws://acme.com:00081", "ws", "acme.com", 81, "/", ""),
            ("https://acme.com/a@b:c", "https", "acme.com", 443, "/a@b:c", ""),
            (
                "https://acme.com?u=https://x@y/",
                "https",
                "acme.com",
                443,
                "/",
                "u=https://x@y/",
            ),
            ("https://acme.com/%41%2e/..", "https", "acme.com", 443, "/", ""),
            ("www.x.com/path", "https", "www.x.com", 443, "/path", ""),
            (
                "www.x.com?u=http://y/",
                "https",
                "www.x.com",
                443,
                "/",
                "u=http://y/",
            ),
            (
                "b\u{fc}cher.example/",
                "https",
                "xn--bcher-kva.example",
                443,
                "/",
                "",
            ),
            ("10.0.0.1:8080/x", "https", "10.0.0.1", 8080, "/x", ""),
            ("http://localhost", "http", "localhost", 80, "/", ""),
        ] {
            let url = parse(text).unwrap_or_else(|e| panic!("{text}: {e}"));
            let got = (url.scheme(), url.host(), url.port(), url.path(), url.query());
            assert_eq!(got, (scheme, name, port, path, query), "{text}");
        }
    }

    #[test]
    fn hostile_text_is_refused() {
        let long = format!("https://a.com/{}", " ".repeat(4_000) + "x");
        for text in [
            "",
            " ",
            "https://a.com ",
            "\thttps://a.com",
            "https://a.c\nom",
            "ht\ttp://a.com",
            "https://a.com/\u{0}",
            "/a",
            "//a.com",
            "///a.com",
            "a",
            "a/b.c",
            "?x.y",
            "#x.y",
            "a.com#b",
            ".a.com",
            "a..com",
            "1.5",
            "127.1",
            "0x7f.1/",
            "a.com:",
            "a.com:x",
            "a.com:80:80",
            "https://",
            "https:///",
            "https:/a.com",
            "https:a.com",
            "https:////a.com",
            "https://?",
            "https://#",
            "https://:80",
            "https://@a.com",
            "https://:@a.com",
            "https://u@a.com",
            "https://u:p@a.com",
            "https://a.com@",
            "good.com@evil.com",
            "https://good.com:443@evil.com/",
            "https://good.com%40evil.com",
            "https://good.com%2fevil.com",
            "https://ex%61mple.com",
            "https://good.com\u{ff0f}.evil.com",
            "https://good.com\u{ff20}evil.com",
            "https://a b.com",
            "https://a.com:65536",
            "https://a.com:-1",
            "https://a.com:8 0",
            "https://::1/",
            "https://[::1",
            "https://[::1]x/",
            "https://[::1]:x",
            "https://a:b:80/",
            "https://1.2.3.4.5/",
            "javascript:alert(1)",
            "javascript://a.com/%0aalert(1)",
            "data:text/html,x",
            "mailto:a@b.com",
            "file://a.com/x",
            "gopher://a.com/",
            "a.b://c.d/",
            "HTTPS.://a.com",
            "https ://a.com",
            "\u{feff}https://a.com",
            "https://a.com/%",
            "https://a.com/?%zz",
            "https://a.com/%%34%31",
            "https://a.com/x/..;/admin",
            "https://a.com/x/%2e%2e;a/admin",
            "https://a.com/x/..%5cadmin",
            "https://a.com/x%2f..%2fadmin",
            "https://a.com/%252e%252e%252fadmin",
            "https://a.com/%c0%ae%c0%ae/x",
            "https://a.com/%25252525252e",
            "[::1]:80",
            "[::1]/x",
            "user:pass@www.x.com/path",
            "www.x.com:80@evil.com/",
            &long,
        ] {
            assert!(parse(text).is_err(), "{text:?} gave {:?}", parse(text));
        }
    }

    proptest! {
        #[test]
        fn canonical_forms_stay(text in prop_oneof![
            "\\PC*",
            "(https?|ws|ftp)://[a-zA-Z0-9.:\\[\\]@%_-]{0,20}(/[\\PC]{0,20})?",
            "https://a\\.b/[a-z0-9/.%;?#&=\\\\ {}|^`'\"<>]{0,30}",
            "[a-z0-9.:-]{1,20}(/[%a-f0-9./]{0,10})?",
        ]) {
            if let Ok(url) = parse(&text) {
                prop_assert_eq!(parse(url.text()), Ok(url.clone()));
                prop_assert_eq!(host::parse(url.host()), Ok(url.host().into()));
                prop_assert!(url.text().is_ascii() && url.path().starts_with('/'));
            }
        }

        /// What is taken at first sight is what the long way makes of it.
        #[test]
        fn plain_urls_are_canonical(text in "(https?|wss?|ftp)://[a-c0-9.-]{1,8}[a-z](/[a-z0-9.~_/-]{0,12})?(\\?[a-z0-9=&+,/:?.~-]{0,12})?") {
            if let Some(url) = plain(&text) {
                prop_assert_eq!(parse_any(&text), Ok(url));
            }
        }

        /// The crate that parses and the cut by RFC 3986 never name two hosts.
        #[test]
        fn another_reader_sees_the_same_host(text in "https://[a-c.:@\\[\\]0-9x#?/%-]{1,24}") {
            if let Ok(url) = parse(&text) {
                let other = ::url::Url::parse(url.text()).unwrap();
                prop_assert_eq!(host::parse(other.host_str().unwrap()), Ok(url.host().into()));
            }
        }
    }
}
