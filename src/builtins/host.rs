//! `Host`: the name or address of a machine. Parsed as a browser does (WHATWG URL Standard, section 3.5 "Host
//! parsing", with UTS #46 for names in other scripts), so every spelling of an address that a client would reach
//! becomes that address; then held to the names DNS can carry (RFC 1035 section 2.3.4, RFC 1123 section 2.1).
//! Canonical form: lowercase A-labels without a final dot, a dotted quad, or RFC 5952 text without brackets; an
//! IPv4-mapped IPv6 address is the IPv4 address. Homoglyphs are not judged: they show as `xn--` labels.

use std::net::{Ipv4Addr, Ipv6Addr};

use ::url::Host;

use super::{Doc, Refused};
use crate::json::Text;
use crate::limits;

/// What the manual says about `Host`.
pub const DOC: Doc = Doc {
    name: "Host",
    summary: "A host name or an IP address",
    json: "string",
    canonical: "lowercase A-labels without a final dot; a dotted quad; IPv6 as RFC 5952 without brackets",
    rules: &[
        "names in other scripts become A-labels (UTS #46, non-transitional)",
        "one final dot is dropped",
        "IPv4 in every spelling of the WHATWG URL Standard section 3.5 becomes a dotted quad",
        "IPv6 is accepted with or without brackets; an IPv4-mapped address becomes the IPv4 address (RFC 4291 section 2.5.5.2)",
        "labels are 1 to 63 bytes of letters, digits, `-` and `_`, and neither start nor end with `-` (RFC 1123 section 2.1)",
        "at most 253 bytes (RFC 1035 section 2.3.4)",
        "ports, zones, escapes, spaces and control characters are refused",
        "`.ip` is the address where the host is one, and missing where it is a name; no name is looked up",
    ],
    parts: &[("ip", "Ip?")],
    operators: &["==", "!=", "in", "under", "like"],
    example_type: "Host",
    examples: &[
        ("API.Example.COM.", Ok("api.example.com")),
        ("b\u{fc}cher.example", Ok("xn--bcher-kva.example")),
        ("evil\u{3002}example", Ok("evil.example")),
        ("0x7f.1", Ok("127.0.0.1")),
        ("2130706433", Ok("127.0.0.1")),
        ("0177.0.0.1", Ok("127.0.0.1")),
        ("[::FFFF:10.0.0.1]", Ok("10.0.0.1")),
        ("2001:DB8:0:0:0:0:0:1", Ok("2001:db8::1")),
        ("", Err("the host is empty")),
        (
            "example.com:80",
            Err("a host has no `:` unless it is an IPv6 address; the port does not belong to it"),
        ),
        ("a..example", Err("the host has an empty label")),
        ("exa mple.com", Err("the host has a space or control character")),
        ("ex%61mple.com", Err("the host has a percent escape or a zone")),
        ("1.2.3.4.5", Err("the host is not a valid name or address")),
        (
            "-oproxycommand.example",
            Err("a label of the host starts or ends with `-`"),
        ),
    ],
};

/// Parses a host to its canonical form. Errors: the reason, one sentence.
pub fn parse(text: &str) -> Result<Text, Refused> {
    if text.is_empty() {
        return Err(Refused::new("the host is empty"));
    }
    if text.len() > limits::HOST_INPUT_BYTES {
        return Err(too_long());
    }
    if is_plain(text) {
        return Ok(text.into());
    }
    if text.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err(Refused::new("the host has a space or control character"));
    }
    if text.contains('%') {
        return Err(Refused::new("the host has a percent escape or a zone"));
    }
    match read(text)? {
        Host::Domain(name) => domain(&name),
        Host::Ipv4(address) => Ok(address.to_string().into()),
        Host::Ipv6(address) => match address.to_ipv4_mapped() {
            Some(mapped) => Ok(mapped.to_string().into()),
            None => Ok(ipv6_text(address).into()),
        },
    }
}

/// The RFC 5952 text of an address that is no IPv4-mapped one.
pub(super) fn ipv6_text(address: Ipv6Addr) -> String {
    // The url crate's writer: std writes some other addresses with a dotted quad at the end.
    let bracketed = Host::<String>::Ipv6(address).to_string();
    bracketed.trim_matches(['[', ']']).to_owned()
}

/// Whether a text is a canonical name at first sight: lowercase letters, digits, `-` and `_`, no label that is encoded,
/// and none at its end that could be a number.
pub(super) fn is_plain(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_';
    let label = |label: &[u8]| {
        (1..=limits::HOST_LABEL_BYTES).contains(&label.len())
            && label.iter().copied().all(plain)
            && !label.starts_with(b"-")
            && !label.ends_with(b"-")
            && !label.starts_with(b"xn--")
    };
    let bytes = text.as_bytes();
    let last = bytes.rsplit(|b| *b == b'.').next().unwrap_or_default();
    text.len() <= limits::HOST_BYTES
        && last.first().is_some_and(u8::is_ascii_lowercase)
        && bytes.split(|b| *b == b'.').all(label)
}

fn read(text: &str) -> Result<Host<String>, Refused> {
    if text.starts_with('[') {
        return Host::parse(text).map_err(|_| Refused::new("the brackets do not hold an IPv6 address"));
    }
    if text.contains(':') {
        return Host::parse(&format!("[{text}]")).map_err(|_| {
            Refused::new("a host has no `:` unless it is an IPv6 address; the port does not belong to it")
        });
    }
    Host::parse(text).map_err(|_| Refused::new("the host is not a valid name or address"))
}

fn domain(name: &str) -> Result<Text, Refused> {
    let name = name.strip_suffix('.').unwrap_or(name);
    if name.len() > limits::HOST_BYTES {
        return Err(too_long());
    }
    for label in name.split('.') {
        if label.is_empty() {
            return Err(Refused::new("the host has an empty label"));
        }
        if label.len() > limits::HOST_LABEL_BYTES {
            return Err(Refused::new(format!(
                "a label of the host is over {} bytes",
                limits::HOST_LABEL_BYTES
            )));
        }
        if !label
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_')
        {
            return Err(Refused::new(
                "a label of the host has a character other than letters, digits, `-` and `_`",
            ));
        }
        if label.starts_with('-') || label.ends_with('-') {
            return Err(Refused::new("a label of the host starts or ends with `-`"));
        }
    }
    Ok(name.into())
}

fn too_long() -> Refused {
    Refused::new(format!("the host is over {} bytes", limits::HOST_BYTES))
}

/// Whether a canonical host is an IP address.
pub fn is_ip(host: &str) -> bool {
    host.contains(':') || host.parse::<Ipv4Addr>().is_ok()
}

/// Whether a canonical host is `domain` or below it, by whole labels; an address is only under itself.
pub fn under(host: &str, domain: &str) -> bool {
    if host == domain {
        return true;
    }
    !is_ip(host)
        && host
            .strip_suffix(domain)
            .is_some_and(|left| left.len() > 1 && left.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{DOC, domain, is_ip, is_plain, parse, read, under};
    use crate::builtins::testing;
    use ::url::Host;

    #[test]
    fn examples() {
        testing::run(&DOC, |text| parse(text).map(String::from));
    }

    #[test]
    fn spellings_of_one_address_agree() {
        for (spellings, canonical) in [
            (
                &[
                    "127.0.0.1",
                    "127.1",
                    "127.0.1",
                    "0x7f.1",
                    "0x7f000001",
                    "2130706433",
                    "0177.0.0.1",
                    "017700000001",
                    "127.0.0.1.",
                    "[::ffff:127.0.0.1]",
                    "::ffff:7f00:1",
                    "0:0:0:0:0:FFFF:7F00:0001",
                    "\u{ff11}\u{ff12}\u{ff17}.0.0.1",
                    "127\u{3002}0\u{3002}0\u{3002}1",
                    "\u{2460}27.1",
                    "0x7F.0X0.0.1",
                ][..],
                "127.0.0.1",
            ),
            (
                &[
                    "169.254.169.254",
                    "2852039166",
                    "0xa9fea9fe",
                    "0251.0376.0251.0376",
                    "::ffff:a9fe:a9fe",
                ],
                "169.254.169.254",
            ),
            (&["0", "0.0.0.0", "0x0", "00"], "0.0.0.0"),
            (
                &["fd00:ec2::254", "[FD00:EC2:0::254]", "fd00:0ec2:0:0:0:0:0:0254"],
                "fd00:ec2::254",
            ),
            (&["::1", "[::1]", "0:0:0:0:0:0:0:1"], "::1"),
            (&["::127.0.0.1", "::7f00:1"], "::7f00:1"),
            (
                &["localhost", "LOCALHOST.", "\u{ff4c}ocalhost", "local\u{ad}host"],
                "localhost",
            ),
            (
                &["fa\u{df}.de", "xn--fa-hia.de", "XN--FA-HIA.DE"],
                "xn--fa-hia.de",
            ),
            (
                &["_dmarc.example.com", "_DMARC.example.com."],
                "_dmarc.example.com",
            ),
        ] {
            for spelling in spellings {
                assert_eq!(parse(spelling).as_deref(), Ok(canonical), "{spelling:?}");
            }
        }
    }

    #[test]
    fn homoglyphs_show_as_a_labels() {
        let cyrillic = parse("g\u{43e}\u{43e}gle.com").unwrap();
        assert!(cyrillic.starts_with("xn--"), "{cyrillic}");
        assert!(!under(&cyrillic, "google.com"));
    }

    #[test]
    fn hostile_text_is_refused() {
        let long = format!("{}a", "a.".repeat(127));
        let label = "a".repeat(64);
        for text in [
            " ",
            "a b",
            "a\tb",
            "a\nb",
            "a\0b",
            "\u{a0}a",
            "\u{3000}",
            ".",
            "..",
            "a..",
            ".a",
            "a..b",
            "a.b..",
            "*",
            "*.a",
            "a/b",
            "a\\b",
            "a?b",
            "a#b",
            "a@b",
            "u:p@a.b",
            "a:80",
            "[::1",
            "::1]",
            "[::1]:80",
            "[a]",
            "[]",
            "[::1%25eth0]",
            "fe80::1%eth0",
            "%61.com",
            "a%2ecom",
            "256.1.1.1",
            "1.2.3.4.5",
            "0x100000000",
            "09.0.0.1",
            "a.0x1g.1",
            "-a.com",
            "a-.com",
            "a.com-",
            "a!b",
            "a$b",
            "a'b",
            "a,b",
            "(a)",
            "xn--",
            "xn--a",
            "xn--zn7c.com",
            "\u{ad}",
            "a\u{ff0f}b",
            "a\u{2100}b",
            "a\u{fe6b}b",
            "a\u{ff1a}80",
            "\u{200b}",
            "good.com\u{ff03}.evil.com",
            long.as_str(),
            &label,
        ] {
            assert!(parse(text).is_err(), "{text:?} gave {:?}", parse(text));
        }
        assert_eq!(parse(long.get(2..).unwrap()).map(|h| h.len()), Ok(253));
        assert!(parse(&"a".repeat(63)).is_ok());
        assert!(parse(&"\u{fc}".repeat(100_000)).is_err());
    }

    #[test]
    fn under_counts_labels() {
        for (host, domain, expected) in [
            ("acme.com", "acme.com", true),
            ("a.acme.com", "acme.com", true),
            ("a.b.acme.com", "acme.com", true),
            ("evilacme.com", "acme.com", false),
            ("acme.com.evil.com", "acme.com", false),
            ("com", "acme.com", false),
            ("10.0.0.1", "10.0.0.1", true),
            ("10.0.0.1", "0.0.1", false),
            ("10.0.0.1", "1", false),
            ("fd00::1", "fd00::1", true),
            ("a.com", "", false),
            (".acme.com", "acme.com", false),
        ] {
            assert_eq!(under(host, domain), expected, "{host} under {domain}");
        }
        assert!(is_ip("1.2.3.4") && is_ip("::1") && !is_ip("a.b"));
    }

    proptest! {
        #[test]
        fn canonical_forms_stay(text in prop_oneof!["\\PC*", "[a-zA-Z0-9.:_x\\[\\]-]{0,40}", "[0-9a-fx.]{1,16}", "[0-9a-f:]{2,30}", "[äß。．А-яa-z.]{1,20}"]) {
            if let Ok(host) = parse(&text) {
                prop_assert_eq!(parse(&host), Ok(host.clone()));
                prop_assert!(host.is_ascii() && host.len() <= 253 && under(&host, &host));
            }
        }

        /// What is taken at first sight is what the long way makes of it.
        #[test]
        fn plain_names_are_canonical(text in "([a-z0-9_-]{1,8}|xn--[a-z0-9-]{1,6}|0x[0-9a-f]{1,4}|[0-9]{1,3}|[a-z]{2}--[a-z]{0,3})(\\.([a-z0-9_-]{0,5}|0x[0-9a-f]{0,3}|xn--[a-z0-9]{0,4})){0,4}") {
            if is_plain(&text) {
                let long = match read(&text) {
                    Ok(Host::Domain(name)) => domain(&name),
                    other => panic!("{text}: {other:?}"),
                };
                prop_assert_eq!(long.as_deref(), Ok(text.as_str()));
            }
        }

        #[test]
        fn case_and_a_final_dot_change_nothing(text in "[a-z][a-z0-9]{0,5}(\\.[a-z]{1,5}){0,3}") {
            let plain = parse(&text);
            prop_assert_eq!(parse(&text.to_uppercase()), plain.clone());
            prop_assert_eq!(parse(&format!("{text}.")), plain);
        }
    }
}
