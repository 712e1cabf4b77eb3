//! `Cidr`: a network, as an argument names it: an address and a prefix length. Strict as `Ip`: what tools read in two ways
//! is refused. Canonical form: the first address as `Ip` writes it, `/`, and the length.

use super::{Doc, Refused, ip};
use crate::ty::{Field, Ty};
use crate::value::{ParsedText, Value};

/// What the manual says about `Cidr`.
pub const DOC: Doc = Doc {
    name: "Cidr",
    summary: "A network of IPv4 or IPv6 addresses",
    json: "string",
    canonical: "the first address as a canonical `Ip`, `/`, the prefix length",
    rules: &[
        "an address as `Ip` reads it, `/`, and how many of its bits are fixed: 0 to 32 for IPv4, 0 to 128 for IPv6 (RFC 4632 \
         section 3.1, RFC 4291 section 2.3)",
        "no bits are set after the prefix: `10.1.2.3/8` is refused, because some tools read it as `10.0.0.0/8` and others as \
         the one address",
        "an address alone is refused, and so are netmasks (`10.0.0.0/255.0.0.0`) and shortened addresses (`10/8`)",
        "a network of IPv4-mapped IPv6 addresses is the IPv4 network",
        "`.first` and `.last` are its first and last address, and `.length` the prefix length of that family: a network lies \
         in another where both addresses do: `args.net.first under \"10.0.0.0/8\" and args.net.last under \"10.0.0.0/8\"`",
    ],
    parts: &[
        ("first", "Ip"),
        ("last", "Ip"),
        ("length", "Int"),
        ("version", "Int"),
    ],
    operators: &["==", "!=", "in"],
    example_type: "Cidr",
    examples: &[
        ("10.0.0.0/8", Ok("10.0.0.0/8")),
        ("0.0.0.0/0", Ok("0.0.0.0/0")),
        ("2001:DB8::/32", Ok("2001:db8::/32")),
        ("::ffff:10.0.0.0/104", Ok("10.0.0.0/8")),
        ("10.1.2.3/8", Err("the address has bits set after the prefix")),
        (
            "10.0.0.1",
            Err("a network is an address with a prefix length, such as `10.0.0.0/8`"),
        ),
        (
            "10.0.0.0/255.0.0.0",
            Err("the prefix length is a whole number from 0 to 32"),
        ),
        (
            "10.0.0.0/33",
            Err("the prefix length is a whole number from 0 to 32"),
        ),
        ("10/8", Err("this is no IPv4 or IPv6 address")),
    ],
};

/// Reads a network. Errors: the reason, one sentence.
pub fn parse(text: &str) -> Result<ParsedText, Refused> {
    let network = ip::network(text)?;
    let (first, last) = network.ends();
    let start = ip::to_text(first);
    let (version, length) = if start.contains(':') {
        (6, network.prefix())
    } else {
        (4, network.prefix().saturating_sub(96))
    };
    if version == 4 && network.prefix() < 96 {
        // It starts at an IPv4 address and ends beyond the last.
        return Err(Refused::new("the network is of both IPv4 and IPv6 addresses"));
    }
    Ok(ParsedText {
        text: format!("{start}/{length}").into(),
        parts: Value::Record(vec![
            Value::Num(first),
            Value::Num(last),
            Value::Num(i128::from(length)),
            Value::Num(version),
        ]),
    })
}

/// The parts a policy sees, in the order of the record in the value.
pub fn fields() -> Vec<Field> {
    let field = |name: &str, ty: Ty| Field {
        name: name.to_owned(),
        ty,
    };
    vec![
        field("first", Ty::Ip),
        field("last", Ty::Ip),
        field("length", Ty::Int),
        field("version", Ty::Int),
    ]
}

#[cfg(test)]
mod tests {
    use super::{DOC, parse};
    use crate::builtins::testing;

    #[test]
    fn examples() {
        testing::run(&DOC, |text| parse(text).map(|network| network.text.into()));
    }

    #[test]
    fn hostile_text_is_refused() {
        for text in [
            "",
            "/",
            "/8",
            "10.0.0.0/",
            "10.0.0.0/08",
            "10.0.0.0/+8",
            "10.0.0.0/-1",
            "10.0.0.0/8/8",
            " 10.0.0.0/8",
            "10.0.0.0/8 ",
            "10.0.0.0 /8",
            "10.0.0.0/8\n",
            "010.0.0.0/8",
            "0x0a.0.0.0/8",
            "10.0.0.0/\u{ff18}",
            "::/129",
            "fe80::%eth0/64",
            "[::]/0",
            "example.com/8",
            "10.0.0.0%2f8",
            "::1/127",
            "::ffff:0:0/95",
        ] {
            assert!(parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn every_network_reads_as_itself() {
        for text in [
            "::/0",
            "::/95",
            "255.255.255.255/32",
            "ffff::/16",
            "0.0.0.0/0",
            "::fffe:0:0/96",
        ] {
            assert_eq!(&*parse(text).unwrap().text, text);
        }
    }
}
