//! What the clients of both clouds are built with.

use std::{fmt, sync::Arc, time::Duration};

use http::HeaderValue;
use url::Url;

use super::{
    clock::Clock,
    core::Core,
    direct::Direct,
    environment::Environment,
    hosts::is_loopback,
    limits::{LONGEST, Limits},
    pools::Pools,
    proxy::{Proxies, Route},
    retry::{Budget, RetryPolicy},
    tls,
    transport::{Transport, tolerant},
};
use crate::error::Error;

/// What a user does to the HTTP client of each runtime.
pub(crate) type HttpFunction =
    dyn Fn(reqwest::ClientBuilder) -> reqwest::ClientBuilder + Send + Sync;

/// The settings that both clouds' builders have in common.
pub(crate) struct Settings {
    pub(crate) limits: Limits,
    pub(crate) retry: RetryPolicy,
    pub(crate) allow_http: bool,
    pub(crate) user_agent: Option<String>,
    pub(crate) http: Option<Box<HttpFunction>>,
    pub(crate) environment: Environment,
    #[cfg(any(test, fuzzing))]
    pub(crate) scripted: Option<(Arc<super::transport::scripted::Script>, Clock)>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            limits: Limits {
                timeout: None,
                attempt_timeout: None,
                connect_timeout: Duration::from_secs(5),
                max_reply_bytes: 16 * 1024 * 1024,
            },
            retry: RetryPolicy::default(),
            allow_http: false,
            user_agent: None,
            http: None,
            environment: Environment::real(),
            #[cfg(any(test, fuzzing))]
            scripted: None,
        }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("limits", &self.limits)
            .field("retry", &self.retry)
            .field("allow_http", &self.allow_http)
            .finish_non_exhaustive()
    }
}

impl Settings {
    /// Reads an endpoint that follows from this setting.
    pub(crate) fn endpoint(&self, setting: &str, text: &str) -> Result<Url, Error> {
        endpoint(text, self.allow_http).map_err(|rule| Error::configuration(setting, rule))
    }

    /// Builds what the clones share, of a client whose own endpoint is the first one. Touches no
    /// network.
    pub(crate) fn core(self, endpoints: &[&Url]) -> Result<Arc<Core>, Error> {
        let proxies = Proxies::of(&self.environment)?;
        let from_user = self.http.is_some();
        let route = Route::new(proxies.clone(), from_user);
        #[cfg(any(test, fuzzing))]
        if let Some((script, clock)) = self.scripted {
            return Ok(Arc::new(Core {
                transport: Transport::Scripted(script),
                clock,
                budget: Budget::full(),
                retry: self.retry,
                limits: self.limits,
                environment: self.environment,
                direct: Direct::default(),
                route,
            }));
        }
        let secure = endpoints.iter().all(|url| url.scheme() == "https");
        let any_secure = endpoints.iter().any(|url| url.scheme() == "https");
        tls::require(any_secure, from_user)?;
        let is_own_secure = endpoints.first().is_some_and(|url| url.scheme() == "https");
        let own = format!("cloud-workflows/{}", env!("CARGO_PKG_VERSION"));
        let user_agent = match &self.user_agent {
            Some(suffix) => format!("{own} {suffix}"),
            None => own,
        };
        let user_agent = HeaderValue::from_str(&user_agent)
            .ok()
            // The library takes bytes beyond ASCII, which the other side may read as anything.
            .filter(|_| user_agent.is_ascii())
            .ok_or_else(|| Error::configuration("user_agent", "must be ASCII text on one line"))?;
        let connect_timeout = self.limits.connect_timeout.min(LONGEST);
        let (function, environment) = (self.http, self.environment.clone());
        let make = move |is_secure, https_only| {
            let http = proxies.set_on(reqwest::Client::builder(), |own| match &function {
                Some(function) => function(own),
                None => own,
            });
            let mut http = tolerant(http)
                .user_agent(user_agent.clone())
                .redirect(reqwest::redirect::Policy::none())
                .retry(reqwest::retry::never())
                .referer(false)
                .no_gzip()
                .no_brotli()
                .no_zstd()
                .no_deflate()
                .http1_only()
                .connection_verbose(false)
                .https_only(https_only)
                .connect_timeout(connect_timeout)
                .pool_idle_timeout(Duration::from_secs(15))
                .tcp_keepalive(Duration::from_secs(30))
                .tcp_keepalive_interval(Duration::from_secs(15))
                .tcp_keepalive_retries(3);
            if function.is_some() {
                // Our own limits know what an operation may take; these would cut a long call.
                // TLS is the user's: a configuration of ours would swallow the user's certificates.
                http = http.timeout(LONGEST).read_timeout(LONGEST);
            } else {
                http = tls::prepare(http, is_secure, &environment)?;
            }
            http.build()
                .map_err(|error| tls::not_built(&error, &environment))
        };
        let pools = if from_user || is_own_secure {
            Pools::new(move || make(is_own_secure, secure))?
        } else {
            // To read the system's certificates takes longer than all else: a client that talks
            // plain http reads them when a credential is first asked for over https.
            let make = Arc::new(make);
            let make_secure = make.clone();
            Pools::with_secure(
                move || make(false, secure),
                move || {
                    tls::require(true, false)?;
                    make_secure(true, true)
                },
            )?
        };
        Ok(Arc::new(Core {
            transport: Transport::Pooled(pools),
            clock: Clock::default(),
            budget: Budget::full(),
            retry: self.retry,
            limits: self.limits,
            environment: self.environment,
            direct: Direct::default(),
            route,
        }))
    }
}

/// An endpoint: a URL without path, query, fragment and user, or a bare host. Else the rule that
/// it breaks.
pub(crate) fn endpoint(text: &str, allow_http: bool) -> Result<Url, &'static str> {
    let text = text.trim();
    check_white_space(text)?;
    let with_scheme;
    let text = if text.contains("://") {
        text
    } else {
        with_scheme = format!("https://{text}");
        &with_scheme
    };
    let url = Url::parse(text).map_err(|_| "is not a URL")?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("must not hold a user or password");
    }
    if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
        return Err("must have no path, query or fragment");
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if allow_http || is_loopback(&url) => Ok(url),
        "http" => Err("plain http is refused but for loopback; see allow_http"),
        _ => Err("must be an https URL"),
    }
}

/// A region as part of a host name. Else the rule that it breaks.
pub(crate) fn region(text: &str) -> Result<String, &'static str> {
    let region = text.trim();
    check_white_space(region)?;
    let fits = (1..=63).contains(&region.len())
        && region
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && !region.starts_with('-')
        && !region.ends_with('-');
    if fits {
        Ok(region.to_owned())
    } else {
        Err("must be 1 to 63 letters, digits and - (a full address goes into endpoint)")
    }
}

/// White space inside is named as what it is: it is hard to see.
fn check_white_space(text: &str) -> Result<(), &'static str> {
    if text.is_empty() {
        return Err("is empty, or holds nothing but white space");
    }
    if text.contains(char::is_whitespace) {
        return Err("holds white space between its characters");
    }
    Ok(())
}

/// Writes the setters that both clouds' builders have in common.
macro_rules! shared_setters {
    ($builder:ident) => {
        impl $builder {
            /// Plays a script instead of sending anything, on a clock that runs with the paused one.
            #[cfg(any(test, fuzzing))]
            pub(crate) fn scripted(
                mut self,
                script: &std::sync::Arc<crate::pipeline::transport::scripted::Script>,
                clock: crate::pipeline::clock::Clock,
            ) -> Self {
                self.settings.scripted = Some((script.clone(), clock));
                self
            }

            /// Reads variables, files and home directory there.
            #[cfg(any(test, fuzzing))]
            pub(crate) fn environment(
                mut self,
                environment: &crate::pipeline::environment::Environment,
            ) -> Self {
                self.settings.environment = environment.clone();
                self
            }

            /// How long a call may take, with all attempts and pauses (default: 60 s;
            /// synchronous starts 660 s).
            pub fn timeout(mut self, limit: std::time::Duration) -> Self {
                self.settings.limits.timeout = Some(limit);
                self
            }

            /// How long one attempt may take, at least the connect limit (default: 15 s;
            /// synchronous starts 310 s).
            pub fn attempt_timeout(mut self, limit: std::time::Duration) -> Self {
                self.settings.limits.attempt_timeout = Some(limit);
                self
            }

            /// How long name resolution, TCP and TLS may take together (default: 5 s).
            pub fn connect_timeout(mut self, limit: std::time::Duration) -> Self {
                self.settings.limits.connect_timeout = limit;
                self
            }

            /// How large the body of an answer may be, in bytes (default: 16 MiB).
            pub fn max_reply_bytes(mut self, bytes: usize) -> Self {
                self.settings.limits.max_reply_bytes = bytes;
                self
            }

            /// How often and at what pace calls may be repeated.
            pub fn retry(mut self, policy: crate::RetryPolicy) -> Self {
                self.settings.retry = policy;
                self
            }

            /// Allows plain `http://` endpoints beyond loopback (default: no). What is sent there
            /// can be read and changed on the way.
            pub fn allow_http(mut self, allow: bool) -> Self {
                self.settings.allow_http = allow;
                self
            }

            /// Adds a product to the user agent, such as `my-app/1.2`.
            pub fn user_agent(mut self, product: impl Into<String>) -> Self {
                self.settings.user_agent = Some(product.into());
                self
            }

            /// Changes the HTTP client to start from: proxies, certificates, TLS.
            ///
            /// Connections belong to the Tokio runtime that drives them, so each runtime that uses
            /// this client has an HTTP client of its own. The function is called for the first one
            /// when the client is built, and for each further runtime at its first call; TLS is then
            /// all its own: with the feature `rustls-ring` and without `rustls` and `native-tls`,
            /// install a crypto provider before. Without a function the clients of all runtimes share
            /// one TLS configuration. What a call finds wrong is
            /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration), and nothing was sent.
            ///
            /// Applied on what it gives, last: no redirects, no repeats of its own, HTTP/1.1 only,
            /// no decompression (`accept-encoding: identity`), no referer, no read or total timeout
            /// (ours take their place), connect timeout, 15 s idle pool time, TCP keep-alive after
            /// 30 s, no verbose logging, https only where the endpoints are, and answers are read
            /// with up to 256 headers, folded ones, and spaces before a colon. What cannot be seen
            /// from outside is yours: other default headers, cookies, switched-off certificate
            /// checks, HTTP/0.9.
            ///
            /// A program that forks: fork first, then make the runtime, in parent and child. A
            /// client that was built or used before is fine, for a new runtime in the child never
            /// gets the connections of the parent. A Tokio runtime that was itself forked works for
            /// nobody.
            ///
            /// A runtime needs timers and I/O (`enable_all()`). Tokio tells that they are missing
            /// only by a panic. It is caught, once for each runtime, and the call is
            /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration); the panic hook prints
            /// its line all the same ("A Tokio 1.x context was found, but timers are disabled"), and
            /// in a program built with `panic = "abort"` it ends the program.
            ///
            /// ```
            /// # #[cfg(feature = "alibaba")]
            /// let client = cloud_workflows::alibaba::Client::builder()
            ///     .region("cn-hangzhou")
            ///     .http(|http| http.no_proxy());
            /// ```
            pub fn http(
                mut self,
                function: impl Fn(reqwest::ClientBuilder) -> reqwest::ClientBuilder
                + Send
                + Sync
                + 'static,
            ) -> Self {
                self.settings.http = Some(Box::new(function));
                self
            }
        }
    };
}
pub(crate) use shared_setters;
