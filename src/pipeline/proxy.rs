//! Which proxy a request goes through: what the variables say, decided for each target.
//!
//! The HTTP library reads the variables too, but passes by what it cannot read: a request that was
//! meant for a proxy would go straight out.

use std::sync::Arc;

use http::{StatusCode, header::PROXY_AUTHENTICATE};
use reqwest::{ClientBuilder, Proxy};
use url::Url;

use super::{
    environment::Environment, no_proxy::Exception, settings::is_loopback, transport::Reply,
};
use crate::error::Error;

/// The proxies of the environment.
#[derive(Clone)]
pub(crate) struct Proxies(Arc<Read>);

struct Read {
    https: Option<Url>,
    http: Option<Url>,
    exceptions: Vec<Exception>,
}

impl Proxies {
    /// Reads the variables as curl does: of two spellings the one in small letters goes first, and
    /// `ALL_PROXY` stands in for the others.
    ///
    /// # Errors
    ///
    /// A variable that holds no proxy that can be used. The message names it and shows nothing of
    /// it: it may hold a password.
    pub(crate) fn of(environment: &Environment) -> Result<Self, Error> {
        // Who sends a request to a CGI program sets its `HTTP_PROXY`, by a header named `Proxy`.
        let is_cgi = environment.variable("REQUEST_METHOD").is_some();
        let http: &[&'static str] = if is_cgi {
            &["http_proxy"]
        } else {
            &["http_proxy", "HTTP_PROXY"]
        };
        let proxy = |own: &[&'static str]| {
            let mut names = own.iter().chain(&["all_proxy", "ALL_PROXY"]);
            names
                .find_map(|name| Some((name, environment.variable(name)?)))
                .map(|(name, text)| address(name, &text))
                .transpose()
        };
        let exceptions = environment.first_of(&["no_proxy", "NO_PROXY"]);
        Ok(Self(Arc::new(Read {
            https: proxy(&["https_proxy", "HTTPS_PROXY"])?,
            http: proxy(http)?,
            exceptions: Exception::list(&exceptions.unwrap_or_default()),
        })))
    }

    /// The proxy for requests to this address. What is on this machine needs none.
    pub(crate) fn of_target(&self, target: &Url) -> Option<&Url> {
        let proxy = match target.scheme() {
            "https" => &self.0.https,
            _ => &self.0.http,
        };
        let needs_none =
            || is_loopback(target) || self.0.exceptions.iter().any(|one| one.covers(target));
        proxy.as_ref().filter(|_| !needs_none())
    }

    /// Sets the proxies on a client that a function of the user's sets up. Those that the function
    /// sets come first; where it wants none of what was set before, it gets none of these.
    pub(crate) fn set_on(
        &self,
        builder: ClientBuilder,
        function: impl FnOnce(ClientBuilder) -> ClientBuilder,
    ) -> ClientBuilder {
        if self.0.https.is_none() && self.0.http.is_none() {
            return function(builder.no_proxy());
        }
        // Takes no request, and is gone where the function has called `no_proxy`.
        let mark = Arc::new(());
        let held = mark.clone();
        let marked = Proxy::custom(move |_| -> Option<Url> {
            let _ = &held;
            None
        });
        let builder = function(builder.proxy(marked));
        if Arc::strong_count(&mark) == 1 {
            return builder;
        }
        let proxies = self.clone();
        builder.proxy(Proxy::custom(move |target| {
            proxies.of_target(target).cloned()
        }))
    }
}

/// What is known of the way that requests take.
pub(crate) struct Route {
    proxies: Proxies,
    /// Whether a function of the user's set up the client: nobody can tell which proxies it set.
    is_set_by_user: bool,
}

impl Route {
    pub(crate) fn new(proxies: Proxies, is_set_by_user: bool) -> Self {
        Self {
            proxies,
            is_set_by_user,
        }
    }

    /// Host and port of the proxy that the variables give for requests to this address.
    pub(crate) fn proxy_of(&self, target: &Url) -> Option<String> {
        let proxy = self.proxies.of_target(target);
        let proxy = proxy.filter(|_| !self.is_set_by_user)?;
        let port = proxy.port_or_known_default()?;
        Some(format!("{}:{port}", proxy.host_str()?))
    }

    /// Whether an answer is a proxy's own refusal of its user, who is asked before anything is
    /// passed on. Inside TLS no proxy can answer.
    pub(crate) fn is_refused_by_proxy(&self, target: &Url, reply: &Reply) -> bool {
        let may_be =
            reply.status == StatusCode::PROXY_AUTHENTICATION_REQUIRED && target.scheme() == "http";
        may_be
            && match self.is_set_by_user {
                // Each proxy takes this header out of what it passes on (RFC 9110, 11.7.1).
                true => reply.headers.contains_key(PROXY_AUTHENTICATE),
                false => self.proxies.of_target(target).is_some(),
            }
    }
}

/// Reads a proxy's address: `scheme://user:password@host:port`, of which all but the host may be
/// left out. Whatever else stands in it may be a piece of a password that was not encoded, behind
/// which the host is not the one that was meant.
fn address(variable: &str, text: &str) -> Result<Url, Error> {
    let refuse = |why: &str| {
        let rule = format_args!("is not the address of a proxy that can be used: {why}");
        Err(Error::configuration(variable, rule))
    };
    let text = text.trim();
    let (scheme, rest) = text.split_once("://").unwrap_or(("http", text));
    let scheme = scheme.to_ascii_lowercase();
    match scheme.as_str() {
        "http" | "https" => {}
        "socks4" | "socks4a" | "socks5" | "socks5h" => {
            return refuse("SOCKS is set on the HTTP client, not by a variable");
        }
        _ => return refuse("it must begin with http:// or https://, or with the host"),
    }
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    let is_odd = |c: char| c.is_whitespace() || c.is_control() || "\"<>\\^`{|}/?#".contains(c);
    if rest.contains(is_odd) {
        return refuse(
            "it holds white space or a character that must be percent-encoded in a user or \
             password, and stands nowhere else",
        );
    }
    let user = rest.rsplit_once('@').map_or("", |(user, _)| user);
    if !user.is_ascii() || user.contains(['[', ']']) || has_broken_escape(user) {
        return refuse("its user or password is not percent-encoded");
    }
    let Ok(url) = Url::parse(&format!("{scheme}://{rest}")) else {
        return refuse("it has no host, or no port where one is begun");
    };
    // The HTTP library reads it once more, and by another parser: a refusal there would be silent.
    match url.as_str().parse::<http::Uri>() {
        Ok(uri) if uri.host().is_some() && url.port() != Some(0) => Ok(url),
        _ => refuse("its host or port is none"),
    }
}

fn has_broken_escape(text: &str) -> bool {
    text.split('%').skip(1).any(|after| {
        let digits = after.bytes().take(2).filter(u8::is_ascii_hexdigit);
        digits.count() < 2
    })
}
