//! `Ip`: the address of a machine, as one number on a line of 128 bits: IPv6 addresses in their order, IPv4 addresses
//! where IPv6 maps them (RFC 4291 section 2.5.5.2), so that both spellings of one address are one value and a network is
//! an interval. Strict, unlike `Host`: what clients disagree about (RFC 6943 section 3.1.1) is refused. Canonical form: a
//! dotted quad, or RFC 5952.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{Doc, Refused, host};

/// What the manual says about `Ip`.
pub const DOC: Doc = Doc {
    name: "Ip",
    summary: "An IPv4 or IPv6 address",
    json: "string",
    canonical: "a dotted quad; IPv6 as RFC 5952",
    rules: &[
        "IPv4 is four decimal numbers from 0 to 255 with `.` between and without further zeros; octal, hexadecimal and shorter forms are refused, because clients read them differently (RFC 6943 section 3.1.1)",
        "IPv6 is what RFC 4291 section 2.2 allows, letters in either case; an IPv4-mapped address becomes the IPv4 address (RFC 4291 section 2.5.5.2)",
        "brackets, zones (`%eth0`), ports, prefix lengths, spaces and final dots are refused",
        "`under \"10.0.0.0/8\"` asks whether the address is in a network: an address and a prefix length (RFC 4632 section 3.1, RFC 4291 section 2.3) with no bits set after the prefix",
        "an IPv6 network has no IPv4 addresses: `::/0` is every IPv6 address, `0.0.0.0/0` every IPv4 address",
    ],
    parts: &[],
    operators: &["==", "!=", "in", "under"],
    example_type: "Ip",
    examples: &[
        ("10.0.0.1", Ok("10.0.0.1")),
        ("2001:DB8:0:0:0:0:0:1", Ok("2001:db8::1")),
        ("::ffff:127.0.0.1", Ok("127.0.0.1")),
        ("::FFFF:7f00:1", Ok("127.0.0.1")),
        ("0x7f.1", Err("this is no IPv4 or IPv6 address")),
        ("127.1", Err("this is no IPv4 or IPv6 address")),
        ("0177.0.0.1", Err("this is no IPv4 or IPv6 address")),
        ("2130706433", Err("this is no IPv4 or IPv6 address")),
        ("127.0.0.1.", Err("this is no IPv4 or IPv6 address")),
        ("[::1]", Err("an address has no brackets")),
        ("fe80::1%eth0", Err("an address has no zone")),
        (
            "10.0.0.0/8",
            Err("an address has no prefix length; `under` asks about a network"),
        ),
        ("example.com", Err("this is no IPv4 or IPv6 address")),
        ("", Err("this is no IPv4 or IPv6 address")),
    ],
};

/// The first and the last IPv4 address on the line of IPv6.
const MAPPED: (u128, u128) = (0xffff_0000_0000, 0xffff_ffff_ffff);

/// A network: its first address, and how many bits of it are fixed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Network {
    first: u128,
    /// Of the 128 bits of the line.
    prefix: u32,
}

/// Reads an address as its number. Errors: the reason, one sentence.
pub fn parse(text: &str) -> Result<i128, Refused> {
    address(text).map(number)
}

fn address(text: &str) -> Result<u128, Refused> {
    let refused = |reason: &str| Err(Refused::new(reason));
    if text.contains(['[', ']']) {
        return refused("an address has no brackets");
    }
    if text.contains('%') {
        return refused("an address has no zone");
    }
    if text.contains('/') {
        return refused("an address has no prefix length; `under` asks about a network");
    }
    match text.parse::<IpAddr>() {
        Ok(IpAddr::V4(v4)) => Ok(v4.to_ipv6_mapped().to_bits()),
        Ok(IpAddr::V6(v6)) => Ok(v6.to_bits()),
        Err(_) => refused("this is no IPv4 or IPv6 address"),
    }
}

/// Keeps the order.
fn number(bits: u128) -> i128 {
    (bits ^ (1 << 127)).cast_signed()
}

fn bits(number: i128) -> u128 {
    number.cast_unsigned() ^ (1 << 127)
}

/// The canonical text of an address.
pub fn to_text(number: i128) -> String {
    let address = Ipv6Addr::from_bits(bits(number));
    match address.to_ipv4_mapped() {
        Some(v4) => v4.to_string(),
        None => host::ipv6_text(address),
    }
}

/// The address that a canonical host is; none for a name.
pub fn of_host(text: &str) -> Option<i128> {
    if !host::is_ip(text) {
        return None;
    }
    match text.parse::<IpAddr>().ok()? {
        IpAddr::V4(v4) => Some(number(Ipv4Addr::to_ipv6_mapped(&v4).to_bits())),
        IpAddr::V6(v6) => Some(number(v6.to_bits())),
    }
}

/// Reads a network such as `10.0.0.0/8`. Errors: the reason, one sentence.
pub fn network(text: &str) -> Result<Network, Refused> {
    let Some((start, length)) = text.split_once('/') else {
        return Err(Refused::new(
            "a network is an address with a prefix length, such as `10.0.0.0/8`",
        ));
    };
    let first = address(start)?;
    let offset = if start.contains(':') { 0 } else { 96 };
    let plain = !length.is_empty()
        && length.bytes().all(|b| b.is_ascii_digit())
        && (length == "0" || !length.starts_with('0'));
    let prefix = length
        .parse::<u32>()
        .ok()
        .filter(|n| plain && *n <= 128 - offset)
        .ok_or_else(|| {
            Refused::new(format!(
                "the prefix length is a whole number from 0 to {}",
                128 - offset
            ))
        })?
        + offset;
    if first & hosts(prefix) != 0 {
        return Err(Refused::new("the address has bits set after the prefix"));
    }
    Ok(Network { first, prefix })
}

/// The bits after a prefix.
fn hosts(prefix: u32) -> u128 {
    u128::MAX.checked_shr(prefix).unwrap_or(0)
}

/// The network whose addresses are exactly these, as it is written; of one address the address.
pub fn network_of(ranges: &[(i128, i128)]) -> Option<String> {
    let (start, end) = *ranges.first()?;
    if ranges.len() == 1 && start == end {
        return Some(to_text(start));
    }
    let first = bits(start);
    let offset = if (MAPPED.0..=MAPPED.1).contains(&first) {
        96
    } else {
        0
    };
    let is_it = |prefix: &u32| {
        first & hosts(*prefix) == 0
            && Network {
                first,
                prefix: *prefix,
            }
            .ranges()
                == ranges
    };
    let prefix = (offset..=128).find(is_it)?;
    Some(format!("{}/{}", to_text(start), prefix - offset))
}

impl Network {
    /// The numbers of its first and last address.
    pub fn ends(self) -> (i128, i128) {
        (number(self.first), number(self.first | hosts(self.prefix)))
    }

    /// How many of the 128 bits of the line are fixed.
    pub fn prefix(self) -> u32 {
        self.prefix
    }

    /// The numbers of its addresses, in order. An IPv6 network around the IPv4 addresses is without them.
    pub fn ranges(self) -> Vec<(i128, i128)> {
        let last = self.first | hosts(self.prefix);
        let (lo, hi) = MAPPED;
        if self.prefix >= 96 || self.first > lo || last < hi {
            return vec![(number(self.first), number(last))];
        }
        let before = (self.first, lo - 1);
        let after = (hi + 1, last);
        [before, after]
            .into_iter()
            .filter(|(from, to)| from <= to)
            .map(|(from, to)| (number(from), number(to)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{DOC, network, network_of, of_host, parse, to_text};
    use crate::builtins::{host, testing};
    use proptest::prelude::*;

    #[test]
    fn examples() {
        testing::run(&DOC, |text| parse(text).map(to_text));
    }

    #[test]
    fn hostile_text_is_refused() {
        for text in [
            " 10.0.0.1",
            "10.0.0.1 ",
            "10.0.0.1\n",
            "10.0.0",
            "10.0.0.0.1",
            "10.0.0.256",
            "10.0.0.01",
            "010.0.0.1",
            "0xa.0.0.1",
            "0x7f000001",
            "017700000001",
            "10.0.0.1:80",
            "\u{ff11}0.0.0.1",
            "10\u{3002}0.0.1",
            "\u{2460}0.0.0.1",
            "10.0.0.\u{661}",
            "+10.0.0.1",
            "-1.0.0.1",
            "1e1.0.0.1",
            ":",
            ":::",
            "1::2::3",
            "::1.",
            "::12345",
            "::ffff:127.1",
            "::ffff:0177.0.0.1",
            "::ffff:127.0.0.1.",
            "1:2:3:4:5:6:7",
            "1:2:3:4:5:6:7:8:9",
            "::g",
            "localhost",
            "0",
        ] {
            assert!(parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn networks() {
        let within = |net: &str, address: &str| {
            let address = parse(address).unwrap();
            network(net)
                .unwrap()
                .ranges()
                .iter()
                .any(|(lo, hi)| (*lo..=*hi).contains(&address))
        };
        for (net, address, expected) in [
            ("10.0.0.0/8", "10.255.255.255", true),
            ("10.0.0.0/8", "11.0.0.0", false),
            ("10.0.0.0/8", "9.255.255.255", false),
            ("10.0.0.0/8", "::ffff:10.1.2.3", true),
            ("10.0.0.0/8", "::10.1.2.3", false),
            ("::ffff:10.0.0.0/104", "10.1.2.3", true),
            ("::ffff:10.0.0.0/104", "11.1.2.3", false),
            ("0.0.0.0/0", "0.0.0.0", true),
            ("0.0.0.0/0", "255.255.255.255", true),
            ("0.0.0.0/0", "::", false),
            ("::/0", "1.2.3.4", false),
            ("::/0", "0.0.0.0", false),
            ("::/0", "255.255.255.255", false),
            ("::/0", "::", true),
            ("::/0", "::fffe:ffff:ffff", true),
            ("::/0", "::1:0:0:0", true),
            ("::/0", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", true),
            ("::/80", "::1", true),
            ("::/80", "1.2.3.4", false),
            ("::/80", "::1:0:0:0", false),
            ("::ffff:0:0/96", "1.2.3.4", true),
            ("1.2.3.4/32", "1.2.3.4", true),
            ("1.2.3.4/32", "1.2.3.5", false),
            ("::1/128", "::1", true),
            ("::1/128", "::2", false),
            ("fc00::/7", "fdff::1", true),
            ("fc00::/7", "fe00::", false),
            ("fe80::/10", "febf::1", true),
            ("fe80::/10", "fec0::", false),
        ] {
            assert_eq!(within(net, address), expected, "{address} under {net}");
        }
        for text in [
            "10.0.0.1",
            "10.0.0.1/8",
            "10.0.0.0/33",
            "10.0.0.0/08",
            "10.0.0.0/",
            "10.0.0.0/+8",
            "10.0.0.0/-1",
            "10/8",
            "10.0.0.0/8/8",
            "10.0.0.0/255.0.0.0",
            "::/129",
            "::1/127",
            "::ffff:0:0/95",
            "fe80::%1/10",
            "/8",
            "",
            "010.0.0.0/8",
            "10.0.0.0 /8",
            "10.0.0.0/ 8",
            "10.0.0.0/\u{ff18}",
            "example.com/8",
            "10.0.0.0/99999999999",
        ] {
            assert!(network(text).is_err(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn canonical_forms_stay_and_are_hosts(any in any::<i128>(), low in any::<u32>()) {
            for number in [any, parse("0.0.0.0").unwrap() + i128::from(low)] {
                let text = to_text(number);
                prop_assert_eq!(parse(&text), Ok(number));
                prop_assert_eq!(host::parse(&text).map(String::from), Ok(text.clone()));
                prop_assert_eq!(of_host(&text), Some(number));
            }
        }

        #[test]
        fn what_is_accepted_is_what_a_host_makes_of_it(text in prop_oneof!["\\PC*", "[0-9a-fA-F:.x]{1,20}", "(::ffff:)?[0-9]{1,3}(\\.[0-9]{1,3}){1,3}"]) {
            if let Ok(number) = parse(&text) {
                prop_assert_eq!(host::parse(&text).map(String::from), Ok(to_text(number)));
            }
        }

        #[test]
        fn a_network_is_its_prefix(address in any::<u32>(), prefix in 0u32..=32) {
            let mask = u32::MAX.checked_shl(32 - prefix).unwrap_or(0);
            let of = |bits: u32| std::net::Ipv4Addr::from_bits(bits).to_string();
            let ranges = network(&format!("{}/{prefix}", of(address & mask))).unwrap().ranges();
            let ends = [parse(&of(address & mask)).unwrap(), parse(&of(address | !mask)).unwrap()];
            prop_assert_eq!(ranges, vec![(ends[0], ends[1])]);
        }
    }

    #[test]
    fn networks_read_back() {
        for text in [
            "10.0.0.0/8",
            "0.0.0.0/0",
            "::/0",
            "fd00::/8",
            "::/95",
            "10.1.2.2/31",
        ] {
            assert_eq!(
                network_of(&network(text).unwrap().ranges()).as_deref(),
                Some(text)
            );
        }
        let address = parse("10.1.2.3").unwrap();
        assert_eq!(network_of(&[(address, address)]).as_deref(), Some("10.1.2.3"));
        assert_eq!(network_of(&[(address, address + 1)]), None);
    }
}
