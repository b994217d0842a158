//! Which network addresses may be called on a vendor account's behalf: public ones, and those that the operator of this
//! house names. Whoever links an account chooses its base URL, and must not reach our own network through it. Names are
//! resolved elsewhere; every address that one leads to is asked for here, right before it is connected to.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

use serde::Deserialize;

/// What may be called.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct AddressRule {
    allowed: Vec<AddressBlock>,
}

/// The addresses that share their first bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AddressBlock {
    first: IpAddr,
    bits: u8,
}

/// A text that is no list of address blocks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is no block of addresses: write one as 10.1.0.0/16 or fd12:3456::/48, or the word loopback")]
pub struct InvalidBlock(String);

impl AddressRule {
    /// Public addresses only.
    #[must_use]
    pub const fn public_only() -> Self {
        Self { allowed: Vec::new() }
    }

    /// Public addresses and the machine's own.
    #[must_use]
    pub fn with_loopback() -> Self {
        Self { allowed: LOOPBACK.to_vec() }
    }

    /// Whether this address may be called.
    #[must_use]
    pub fn admits(&self, address: IpAddr) -> bool {
        is_public(plain(address)) || self.names(address)
    }

    /// Whether the operator names this address: what goes there may go without TLS.
    #[must_use]
    pub fn names(&self, address: IpAddr) -> bool {
        let address = plain(address);
        self.allowed.iter().any(|block| block.holds(address))
    }
}

/// Reads a list with commas: blocks, single addresses, and the word `loopback`. What is empty allows nothing but public
/// addresses.
impl FromStr for AddressRule {
    type Err = InvalidBlock;

    fn from_str(text: &str) -> Result<Self, InvalidBlock> {
        let mut allowed = Vec::new();
        for word in text.split(',').map(str::trim).filter(|word| !word.is_empty()) {
            match word {
                "loopback" => allowed.extend(LOOPBACK),
                word => allowed.push(word.parse()?),
            }
        }
        Ok(Self { allowed })
    }
}

impl TryFrom<String> for AddressRule {
    type Error = InvalidBlock;

    fn try_from(text: String) -> Result<Self, InvalidBlock> {
        text.parse()
    }
}

impl AddressBlock {
    const fn v4(first: Ipv4Addr, bits: u8) -> Self {
        Self { first: IpAddr::V4(first), bits }
    }

    const fn v6(first: Ipv6Addr, bits: u8) -> Self {
        Self { first: IpAddr::V6(first), bits }
    }

    fn holds(self, address: IpAddr) -> bool {
        match (self.first, address) {
            (IpAddr::V4(first), IpAddr::V4(address)) => {
                let shift = 32_u32.saturating_sub(self.bits.into());
                (first.to_bits() ^ address.to_bits()).checked_shr(shift).unwrap_or_default() == 0
            }
            (IpAddr::V6(first), IpAddr::V6(address)) => {
                let shift = 128_u32.saturating_sub(self.bits.into());
                (first.to_bits() ^ address.to_bits()).checked_shr(shift).unwrap_or_default() == 0
            }
            _ => false,
        }
    }
}

impl FromStr for AddressBlock {
    type Err = InvalidBlock;

    fn from_str(text: &str) -> Result<Self, InvalidBlock> {
        let invalid = || InvalidBlock(text.chars().take(50).collect());
        let (first, bits) = text.split_once('/').map_or((text, None), |(first, bits)| (first, Some(bits)));
        let first: IpAddr = first.parse().map_err(|_| invalid())?;
        let all = if first.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Ok(all), |bits| bits.parse::<u8>().map_err(|_| invalid()))?;
        // A mapped address would never be met: an address is made plain before it is compared.
        if bits > all || plain(first) != first { Err(invalid()) } else { Ok(Self { first, bits }) }
    }
}

const LOOPBACK: [AddressBlock; 2] =
    [AddressBlock::v4(Ipv4Addr::new(127, 0, 0, 0), 8), AddressBlock::v6(Ipv6Addr::LOCALHOST, 128)];

/// What is no host of the internet's, or somebody's instance metadata (IANA's registries of special addresses).
const SPECIAL_V4: [AddressBlock; 16] = [
    AddressBlock::v4(Ipv4Addr::new(0, 0, 0, 0), 8),
    AddressBlock::v4(Ipv4Addr::new(10, 0, 0, 0), 8),
    AddressBlock::v4(Ipv4Addr::new(100, 64, 0, 0), 10),
    AddressBlock::v4(Ipv4Addr::new(127, 0, 0, 0), 8),
    // Azure's metadata server, in the middle of public addresses.
    AddressBlock::v4(Ipv4Addr::new(168, 63, 129, 16), 32),
    AddressBlock::v4(Ipv4Addr::new(169, 254, 0, 0), 16),
    AddressBlock::v4(Ipv4Addr::new(172, 16, 0, 0), 12),
    AddressBlock::v4(Ipv4Addr::new(192, 0, 0, 0), 24),
    AddressBlock::v4(Ipv4Addr::new(192, 0, 2, 0), 24),
    AddressBlock::v4(Ipv4Addr::new(192, 88, 99, 0), 24),
    AddressBlock::v4(Ipv4Addr::new(192, 168, 0, 0), 16),
    AddressBlock::v4(Ipv4Addr::new(198, 18, 0, 0), 15),
    AddressBlock::v4(Ipv4Addr::new(198, 51, 100, 0), 24),
    AddressBlock::v4(Ipv4Addr::new(203, 0, 113, 0), 24),
    AddressBlock::v4(Ipv4Addr::new(224, 0, 0, 0), 4),
    AddressBlock::v4(Ipv4Addr::new(240, 0, 0, 0), 4),
];

/// The part of IPv6 that is given to hosts of the internet. Whatever is not in it is special.
const GLOBAL_V6: AddressBlock = AddressBlock::v6(Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

/// What is special within it: protocols (Teredo among them), and two blocks for documents.
const SPECIAL_V6: [AddressBlock; 3] = [
    AddressBlock::v6(Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    AddressBlock::v6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    AddressBlock::v6(Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];

/// The address that the system would really connect to.
fn plain(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or(address, IpAddr::V4),
        IpAddr::V4(_) => address,
    }
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(_) => !SPECIAL_V4.iter().any(|block| block.holds(address)),
        IpAddr::V6(v6) => match translated(v6) {
            Some(v4) => is_public(IpAddr::V4(v4)),
            None => GLOBAL_V6.holds(address) && !SPECIAL_V6.iter().any(|block| block.holds(address)),
        },
    }
}

/// The IPv4 address that a translator on the way would make of it: NAT64 (RFC 6052) and 6to4 (RFC 3056).
fn translated(address: Ipv6Addr) -> Option<Ipv4Addr> {
    match address.segments() {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => {
            Some(Ipv4Addr::from_bits((u32::from(high) << 16) | u32::from(low)))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn nothing_more() -> AddressRule {
        "".parse().unwrap()
    }

    fn admits(rule: &AddressRule, text: &str) -> bool {
        rule.admits(text.parse().unwrap())
    }

    #[test]
    fn public_addresses_are_admitted() {
        for text in ["1.1.1.1", "8.8.8.8", "93.184.216.34", "100.63.255.255", "100.128.0.0", "172.32.0.1", "192.0.1.1"]
        {
            assert!(admits(&nothing_more(), text), "{text}");
        }
        for text in ["2606:4700::1111", "2a00:1450:4001::1", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"] {
            assert!(admits(&nothing_more(), text), "{text}");
        }
    }

    #[test]
    fn whatever_is_special_is_refused() {
        let v4 = [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "100.100.100.200",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.0.1",
            "168.63.129.16",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.192",
            "192.168.1.1",
            "198.19.0.1",
            "224.0.0.1",
            "239.1.1.1",
            "255.255.255.255",
        ];
        let v6 = [
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "::ffff:0:10.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::808:808",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::1",
            "2002:a00:1::",
            "3fff::1",
            "5f00::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ];
        for text in v4.iter().chain(&v6) {
            assert!(!admits(&nothing_more(), text), "{text}");
        }
    }

    #[test]
    fn what_is_named_is_admitted_and_nothing_beside_it() {
        let rule: AddressRule = "loopback, 10.1.0.0/16,fd12:3456::/48, 192.168.7.9".parse().unwrap();
        for text in ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1", "10.1.255.1", "fd12:3456::9", "192.168.7.9"] {
            assert!(admits(&rule, text), "{text}");
        }
        for text in ["0.0.0.0", "::", "10.2.0.1", "fd12:3457::9", "192.168.7.8", "169.254.169.254", "64:ff9b::7f00:1"] {
            assert!(!admits(&rule, text), "{text}");
        }
        assert!(admits(&"0.0.0.0/0,::/0".parse().unwrap(), "169.254.169.254"), "who names everything gets it");
        assert_eq!("loopback".parse(), Ok(AddressRule::with_loopback()));
    }

    #[test]
    fn what_is_no_block_is_refused() {
        for text in ["localhost", "10.0.0.0/33", "::/129", "10.0.0/8", "10.0.0.0/", "true", "::ffff:10.0.0.1", "/8"] {
            assert!(text.parse::<AddressRule>().is_err(), "{text}");
        }
    }

    proptest! {
        /// However an IPv4 address is wrapped, it is judged as itself.
        #[test]
        fn a_wrapped_address_is_judged_as_itself(bits: u32) {
            let v4 = Ipv4Addr::from_bits(bits);
            let [a, b, c, d] = v4.octets().map(u16::from);
            let (high, low) = ((a << 8) | b, (c << 8) | d);
            let rule = nothing_more();
            let told = rule.admits(v4.into());
            prop_assert_eq!(rule.admits(v4.to_ipv6_mapped().into()), told);
            prop_assert_eq!(rule.admits(Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low).into()), told);
            prop_assert_eq!(rule.admits(Ipv6Addr::new(0x2002, high, low, 0, 0, 0, 0, 1).into()), told);
            prop_assert_eq!(told, told_by_hand(v4));
        }

        /// Only what is global unicast is admitted, whatever the rest of the bits.
        #[test]
        fn other_parts_of_ipv6_are_refused(bits: u128) {
            let address = Ipv6Addr::from_bits(bits);
            if nothing_more().admits(address.into()) && translated(address).is_none() {
                prop_assert!(address.to_ipv4_mapped().is_some() || bits >> 125 == 1);
            }
        }

        /// A block holds exactly the addresses that share its first bits.
        #[test]
        fn a_block_holds_what_shares_its_bits(first: u32, address: u32, bits in 0_u8..=32) {
            let block: AddressBlock = format!("{}/{bits}", Ipv4Addr::from_bits(first)).parse().unwrap();
            let shares = (0..bits).all(|bit| (first >> (31 - bit)) & 1 == (address >> (31 - bit)) & 1);
            prop_assert_eq!(block.holds(Ipv4Addr::from_bits(address).into()), shares);
        }
    }

    /// The same judgement by the standard library's own words, as far as it has them.
    fn told_by_hand(address: Ipv4Addr) -> bool {
        let [a, b, c, d] = address.octets();
        !(a == 0
            || address.is_private()
            || address.is_loopback()
            || address.is_link_local()
            || address.is_documentation()
            || address.is_multicast()
            || a >= 240
            || (a == 100 && (64..128).contains(&b))
            || (a == 192 && b == 0 && c == 0)
            || (a == 192 && b == 88 && c == 99)
            || (a == 198 && (b == 18 || b == 19))
            || [a, b, c, d] == [168, 63, 129, 16])
    }
}
