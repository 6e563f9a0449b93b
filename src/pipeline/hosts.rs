//! Whose machine an address is on.

use url::{Host, Url};

/// Whether an address is on this machine.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => lies_in(name, "localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Whether an endpoint is neither on this machine nor in one of the vendor's domains.
pub(crate) fn is_foreign(endpoint: &Url, domains: &[&str]) -> bool {
    let name = endpoint.domain().unwrap_or_default();
    !is_loopback(endpoint) && !domains.iter().any(|domain| lies_in(name, domain))
}

/// Whether a host's name is this one, or lies under it.
fn lies_in(name: &str, domain: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    name.strip_suffix(domain)
        .is_some_and(|before| before.is_empty() || before.ends_with('.'))
}

/// The host of an address, with its port where it is not the usual one.
pub(crate) fn host_of(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}
