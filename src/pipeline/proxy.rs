//! Which proxy a request goes through: what the variables say, decided for each target.
//!
//! The HTTP library reads the variables too, but passes by what it cannot read: a request that was
//! meant for a proxy would go straight out.

use std::sync::Arc;

use http::{StatusCode, header::PROXY_AUTHENTICATE};
use reqwest::{ClientBuilder, Proxy};
use url::Url;

use super::{environment::Environment, hosts::is_loopback, no_proxy::Exception, transport::Reply};
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
        let rule = format!("is not the address of a proxy that can be used: {why}");
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

#[cfg(test)]
mod tests {
    use std::{
        io::{BufRead as _, BufReader, Write as _},
        net::TcpListener,
        sync::mpsc::{Receiver, channel},
    };

    use super::*;
    use crate::error::ErrorKind;

    fn proxy(variables: &[(&str, &str)], target: &str) -> Option<String> {
        let proxies = Proxies::of(&Environment::fake(variables)).unwrap();
        let proxy = proxies.of_target(&Url::parse(target).unwrap());
        proxy.map(Url::to_string)
    }

    #[test]
    fn each_scheme_has_its_variable_and_all_proxy_stands_in() {
        let own = [
            ("https_proxy", "small:1"),
            ("HTTPS_PROXY", "large:1"),
            ("HTTP_PROXY", "large:2"),
            ("ALL_PROXY", "all:3"),
        ];
        assert_eq!(proxy(&own, "https://a.test").unwrap(), "http://small:1/");
        assert_eq!(proxy(&own, "http://a.test").unwrap(), "http://large:2/");
        assert_eq!(
            proxy(&own[1..], "https://a.test").unwrap(),
            "http://large:1/"
        );
        assert_eq!(proxy(&own[3..], "https://a.test").unwrap(), "http://all:3/");
        let all = [("ALL_PROXY", "all:3"), ("all_proxy", "small:3")];
        assert_eq!(proxy(&all, "http://a.test").unwrap(), "http://small:3/");
        assert_eq!(proxy(&own[2..3], "https://a.test"), None);
        assert_eq!(proxy(&[("HTTPS_PROXY", "")], "https://a.test"), None);
    }

    #[test]
    fn a_header_of_a_cgi_request_sets_no_proxy() {
        let cgi = [("REQUEST_METHOD", "GET"), ("HTTP_PROXY", "evil:1")];
        assert_eq!(proxy(&cgi, "http://a.test"), None);
        let own = [
            ("REQUEST_METHOD", "GET"),
            ("http_proxy", "own:1"),
            ("HTTPS_PROXY", "own:2"),
        ];
        assert_eq!(proxy(&own, "http://a.test").unwrap(), "http://own:1/");
        assert_eq!(proxy(&own, "https://a.test").unwrap(), "http://own:2/");
    }

    #[test]
    fn this_machine_and_excepted_hosts_need_no_proxy() {
        let variables = [
            ("ALL_PROXY", "p:1"),
            ("NO_PROXY", "*.in.test,10.,x.test:8443"),
        ];
        let direct = [
            "http://127.0.0.1:80",
            "https://localhost",
            "https://fnf.localhost.",
            "http://[::1]",
            "https://fnf.in.test",
            "http://10.1.1.1",
            "https://x.test:8443",
        ];
        for target in direct {
            assert_eq!(proxy(&variables, target), None, "{target}");
        }
        for target in [
            "https://sts.aliyuncs.com",
            "https://x.test",
            "http://notlocalhost",
        ] {
            assert!(proxy(&variables, target).is_some(), "{target}");
        }
        let small = [
            ("ALL_PROXY", "p:1"),
            ("NO_PROXY", "a.test"),
            ("no_proxy", "b.test"),
        ];
        assert!(proxy(&small, "https://a.test").is_some());
        assert_eq!(proxy(&small, "https://b.test"), None);
    }

    #[test]
    fn an_address_is_taken_as_it_is_meant() {
        for (text, meant) in [
            ("proxy", "http://proxy/"),
            (" proxy:3128\r\n", "http://proxy:3128/"),
            ("http://proxy:3128/", "http://proxy:3128/"),
            ("HTTPS://Proxy", "https://proxy/"),
            ("user:pa%22ss@proxy:1", "http://user:pa%22ss@proxy:1/"),
            ("http://user:p@ss@proxy:1", "http://user:p%40ss@proxy:1/"),
            ("http://[fd00::1]:3128", "http://[fd00::1]:3128/"),
        ] {
            let read = proxy(&[("HTTPS_PROXY", text)], "https://a.test");
            assert_eq!(read.as_deref(), Some(meant));
        }
    }

    #[test]
    fn an_address_that_is_none_names_the_variable_and_shows_nothing() {
        let odd = [
            "http://user:MARK\"er@proxy:1",
            "http://user:MARK er@proxy:1",
            "http://user:MARK#er@proxy:1",
            "http://user:12/MARKer@proxy:1",
            "http://user:12?MARKer@proxy:1",
            "http://user:MARK\\er@proxy:1",
            "http://user:MARK[er@proxy:1",
            "http://user:MARK%er@proxy:1",
            "http://user:MARK\u{e9}r@proxy:1",
            "http://user:MARK://er@proxy:1",
            "http://user:MARKer@proxy:1:2",
            "http://user:MARKer@",
            "http://user:MARKer@proxy:0",
            "http://user:MARKer@proxy:99999",
            "htttp://user:MARKer@proxy:1",
            "socks5://user:MARKer@proxy:1",
            "http:/user:MARKer@proxy:1",
            "http://MARK/proxy.pac",
            "\"http://MARK:1\"",
            "://MARK",
            "http://",
            " ",
        ];
        for text in odd {
            for name in ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "ALL_PROXY"] {
                let environment = Environment::fake(&[(name, text)]);
                let Err(error) = Proxies::of(&environment) else {
                    panic!("{name}={text} is taken");
                };
                assert_eq!(error.kind(), ErrorKind::Configuration);
                let shown = format!("{error} {error:?}");
                assert!(shown.contains(name) && !shown.contains("MARK"), "{shown}");
            }
        }
    }

    /// A proxy that refuses everything, and the heads of what it is asked.
    fn listening() -> (String, Receiver<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (heads, seen) = channel();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let lines = BufReader::new(&stream).lines().map_while(Result::ok);
                let head: Vec<_> = lines.take_while(|line| !line.is_empty()).collect();
                let answer =
                    "HTTP/1.1 502 Bad Gateway\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
                let _ = stream.write_all(answer.as_bytes());
                if heads.send(head.join("\n").to_ascii_lowercase()).is_err() {
                    return;
                }
            }
        });
        (address, seen)
    }

    async fn send(
        proxies: &Proxies,
        target: &str,
        function: impl FnOnce(ClientBuilder) -> ClientBuilder,
    ) {
        let builder = reqwest::Client::builder().connect_timeout(std::time::Duration::from_secs(5));
        let client = proxies.set_on(builder, function).build().unwrap();
        let _ = client.get(target).send().await;
    }

    #[tokio::test]
    async fn requests_go_through_the_proxy_with_its_user_and_password() {
        let (address, seen) = listening();
        let variable = format!("http://user:pa%22ss@{address}");
        let environment = Environment::fake(&[("ALL_PROXY", &variable)]);
        let proxies = Proxies::of(&environment).unwrap();
        send(&proxies, "http://fnf.test/a", |builder| builder).await;
        let head = seen.recv().unwrap();
        assert!(head.starts_with("get http://fnf.test/a http/1.1"), "{head}");
        assert!(
            head.contains("proxy-authorization: basic dxnlcjpwysjzcw=="),
            "{head}"
        );
        #[cfg(feature = "rustls")]
        {
            send(&proxies, "https://sts.test", |builder| builder).await;
            let head = seen.recv().unwrap();
            assert!(head.starts_with("connect sts.test:443 http/1.1"), "{head}");
            assert!(
                head.contains("proxy-authorization: basic dxnlcjpwysjzcw=="),
                "{head}"
            );
        }
    }

    #[tokio::test]
    async fn a_function_of_the_user_keeps_its_own_proxies() {
        let (of_variables, seen) = listening();
        let (of_user, seen_of_user) = listening();
        let environment = Environment::fake(&[("HTTP_PROXY", &of_variables)]);
        let proxies = Proxies::of(&environment).unwrap();
        let none = Proxies::of(&Environment::fake(&[])).unwrap();
        let own = || Proxy::all(format!("http://{of_user}")).unwrap();
        for proxies in [&proxies, &none] {
            send(proxies, "http://fnf.test", |builder| builder.proxy(own())).await;
            assert!(seen_of_user.recv().unwrap().contains("fnf.test"));
            let both = |builder: ClientBuilder| builder.no_proxy().proxy(own());
            send(proxies, "http://fnf.test", both).await;
            assert!(seen_of_user.recv().unwrap().contains("fnf.test"));
        }
        // Straight to a host that only this client knows: the second listener.
        let address: std::net::SocketAddr = of_user.parse().unwrap();
        let resolved = |builder: ClientBuilder| builder.resolve("fnf.test", address);
        let target = format!("http://fnf.test:{}/direct", address.port());
        send(&proxies, &target, |builder| resolved(builder).no_proxy()).await;
        assert!(seen_of_user.recv().unwrap().starts_with("get /direct"));
        assert!(
            seen.try_recv().is_err(),
            "a proxy that the function does not want"
        );
        send(&proxies, &target, resolved).await;
        assert!(seen.recv().unwrap().contains("/direct"));
        send(&none, &target, resolved).await;
        assert!(seen_of_user.recv().unwrap().starts_with("get /direct"));
    }
}
