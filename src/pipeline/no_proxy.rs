//! Which hosts need no proxy: the forms of `NO_PROXY` that are in use.

use std::net::IpAddr;

use url::{Host, Url};

/// One entry of the list.
pub(super) struct Exception {
    hosts: Hosts,
    /// None: whatever the port.
    port: Option<u16>,
}

enum Hosts {
    /// A host and what lies under it.
    Domain(String),
    /// Whatever fits, with `*` for any text.
    Pattern(String),
    /// Addresses that begin so, such as `10.`.
    Beginning(String),
    /// Addresses whose first bits are these; one address is all of its bits.
    Network(IpAddr, u32),
}

impl Exception {
    /// The entries, between commas or white space. What is none, such as the path of a socket,
    /// covers nothing, as with other tools.
    pub(super) fn list(text: &str) -> Vec<Self> {
        let separates = |c: char| c == ',' || c.is_whitespace();
        text.split(separates).filter_map(Self::read).collect()
    }

    fn read(entry: &str) -> Option<Self> {
        if let Some((address, bits)) = network(entry) {
            let hosts = Hosts::Network(address, bits);
            return Some(Self { hosts, port: None });
        }
        let (host, port) = match entry.rsplit_once(':') {
            Some((host, port)) => (host, Some(port.parse().ok()?)),
            None => (entry, None),
        };
        Hosts::read(host).map(|hosts| Self { hosts, port })
    }

    pub(super) fn covers(&self, target: &Url) -> bool {
        let port = self.port.or(target.port_or_known_default());
        port == target.port_or_known_default()
            && match target.host() {
                Some(Host::Domain(name)) => self.hosts.cover_name(name.trim_end_matches('.')),
                Some(Host::Ipv4(address)) => self.hosts.cover_address(address.into()),
                Some(Host::Ipv6(address)) => self.hosts.cover_address(address.into()),
                None => false,
            }
    }
}

impl Hosts {
    fn read(text: &str) -> Option<Self> {
        if let Some((address, bits)) = network(text) {
            return Some(Self::Network(address, bits));
        }
        if text.contains('*') {
            return Some(Self::Pattern(text.to_ascii_lowercase()));
        }
        let is_number = |byte: u8| byte.is_ascii_digit() || byte == b'.';
        if text.ends_with('.') && text.len() > 1 && text.bytes().all(is_number) {
            return Some(Self::Beginning(text.to_owned()));
        }
        let name = text.strip_prefix('.').unwrap_or(text);
        // In the letters in which a URL has it.
        match Host::parse(name.strip_suffix('.').unwrap_or(name)) {
            Ok(Host::Domain(name)) => Some(Self::Domain(name)),
            _ => None,
        }
    }

    fn cover_name(&self, name: &str) -> bool {
        match self {
            Self::Domain(domain) => name
                .strip_suffix(domain.as_str())
                .is_some_and(|before| before.is_empty() || before.ends_with('.')),
            Self::Pattern(pattern) => fits(pattern, name),
            Self::Beginning(_) | Self::Network(..) => false,
        }
    }

    fn cover_address(&self, address: IpAddr) -> bool {
        match self {
            Self::Domain(_) => false,
            Self::Pattern(pattern) => fits(pattern, &address.to_string()),
            Self::Beginning(beginning) => address.to_string().starts_with(beginning),
            Self::Network(of, bits) => starts_alike(*of, address, *bits),
        }
    }
}

/// `10.0.0.1`, `10.0.0.0/8`, `fd00::9`, `fd00::/8`, and the last two with brackets.
fn network(text: &str) -> Option<(IpAddr, u32)> {
    let (address, bits) = match text.split_once('/') {
        Some((address, bits)) => (address, Some(bits)),
        None => (text, None),
    };
    let inner = address.strip_prefix('[').and_then(|a| a.strip_suffix(']'));
    let address = inner.unwrap_or(address).parse::<IpAddr>().ok()?;
    let all = if address.is_ipv4() { 32 } else { 128 };
    let bits = bits.map_or(Some(all), |bits| bits.parse().ok())?;
    (bits <= all).then_some((address, bits))
}

fn starts_alike(one: IpAddr, other: IpAddr, bits: u32) -> bool {
    let (differing, all) = match (one, other) {
        (IpAddr::V4(one), IpAddr::V4(other)) => (u128::from(one.to_bits() ^ other.to_bits()), 32),
        (IpAddr::V6(one), IpAddr::V6(other)) => (one.to_bits() ^ other.to_bits(), 128),
        _ => return false,
    };
    differing.checked_shr(all - bits).unwrap_or(0) == 0
}

fn fits(pattern: &str, text: &str) -> bool {
    let Some((first, after)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let (between, last) = after.rsplit_once('*').unwrap_or(("", after));
    for part in between.split('*') {
        match rest.split_once(part) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covers(list: &str, target: &str) -> bool {
        let target = Url::parse(target).unwrap();
        Exception::list(list).iter().any(|one| one.covers(&target))
    }

    #[test]
    fn every_form_in_use_covers_what_it_means() {
        let host = "https://fnf.internal.test";
        let cases = [
            ("*.internal.test", host, "https://internal.test"),
            (".internal.test", host, "https://notinternal.test"),
            (".internal.test", "http://internal.test", "http://test"),
            ("internal.test", host, "https://internal.test.example"),
            ("fnf.internal.test.", host, "https://internal.test"),
            ("INTERNAL.test", "https://FNF.Internal.Test.", "https://x.y"),
            ("fnf.*", host, "https://sts.internal.test"),
            ("*.inter*.t*t", host, "https://fnf.external.test"),
            (
                "fnf.internal.test:443",
                host,
                "https://fnf.internal.test:8443",
            ),
            (".test:8443", "https://a.test:8443", "https://a.test"),
            ("*.test:80", "http://a.test", "https://a.test"),
            ("*:443", host, "http://fnf.internal.test"),
            (
                "bücher.test",
                "https://xn--bcher-kva.test",
                "https://bcher.test",
            ),
            ("10.", "http://10.1.2.3", "http://110.1.2.3"),
            ("192.168.", "http://192.168.0.9:81", "http://192.169.0.9"),
            ("10.*", "http://10.1.2.3", "http://110.1.2.3"),
            ("10.0.0.0/8", "https://10.9.9.9", "https://11.0.0.0"),
            ("10.0.0.9/31", "https://10.0.0.8", "https://10.0.0.10"),
            ("0.0.0.0/0", "https://203.0.113.7", "https://[fd00::9]"),
            ("10.0.0.9", "https://10.0.0.9", "https://10.0.0.90"),
            ("10.0.0.9:8443", "https://10.0.0.9:8443", "https://10.0.0.9"),
            ("[fd00::9]", "https://[fd00:0::9]:8443", "https://[fd00::8]"),
            ("fd00::9", "https://[fd00::9]", "https://[fd00::99]"),
            (
                "[fd00::9]:8443",
                "https://[fd00::9]:8443",
                "https://[fd00::9]",
            ),
            ("fd00::/8", "https://[fdff::1]", "https://[fe00::1]"),
            ("[fd00::]/8", "https://[fdff::1]", "https://[fe00::1]"),
            ("::/0", "https://[fdff::1]", "https://10.0.0.1"),
        ];
        for (list, covered, other) in cases {
            assert!(covers(list, covered), "{list} does not cover {covered}");
            assert!(!covers(list, other), "{list} covers {other}");
        }
    }

    #[test]
    fn entries_stand_between_commas_or_white_space() {
        for list in [
            "a.test,b.test",
            " a.test , b.test\r\n",
            "a.test b.test",
            ",,a.test\tb.test,",
        ] {
            assert!(covers(list, "https://a.test") && covers(list, "https://b.test"));
            assert_eq!(Exception::list(list).len(), 2, "{list}");
        }
    }

    #[test]
    fn what_is_no_entry_covers_nothing() {
        for entry in [
            "",
            ".",
            "/var/run/docker.sock",
            "http://a.test",
            "a.test:port",
            "a.test:70000",
            "10.0.0.0/33",
            "[fd00::9",
            "fd00::/129",
            "<local>",
        ] {
            assert!(Exception::list(entry).is_empty(), "{entry}");
        }
        assert!(covers("*", "https://a.test") && covers("x,*", "http://[fd00::9]:1"));
        // A name's end is no address's end.
        assert!(!covers("0.0.1", "https://10.0.0.1"));
    }
}
