//! What the clients of both clouds are built with.

use std::{fmt, sync::Arc, time::Duration};

use http::HeaderValue;
use url::{Host, Url};

use super::{
    Core,
    clock::Clock,
    environment::Environment,
    metadata::Direct,
    retry::{Budget, RetryPolicy},
    transport::Transport,
};
use crate::error::{Error, ErrorKind};

/// The longest limit of time: adding more to a clock can overflow.
pub(crate) const LONGEST: Duration = Duration::from_secs(365 * 86_400);

/// Limits that a client may set for all its calls.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    pub(crate) timeout: Option<Duration>,
    pub(crate) attempt_timeout: Option<Duration>,
    pub(crate) connect_timeout: Duration,
    pub(crate) max_reply_bytes: usize,
}

/// The settings that both clouds' builders have in common.
pub(crate) struct Settings {
    pub(crate) limits: Limits,
    pub(crate) retry: RetryPolicy,
    pub(crate) allow_http: bool,
    pub(crate) user_agent: Option<String>,
    pub(crate) http: Option<reqwest::ClientBuilder>,
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
    /// Reads an endpoint: a URL without path, query, fragment and user, or a bare host.
    pub(crate) fn endpoint(&self, setting: &str, text: &str) -> Result<Url, Error> {
        let refuse = |rule: &str| Err(Error::configuration(setting, rule));
        let with_scheme;
        let text = if text.contains("://") {
            text
        } else {
            with_scheme = format!("https://{text}");
            &with_scheme
        };
        let Ok(url) = Url::parse(text) else {
            return refuse("is not a URL");
        };
        if !url.username().is_empty() || url.password().is_some() {
            return refuse("must not hold a user or password");
        }
        if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
            return refuse("must have no path, query or fragment");
        }
        match url.scheme() {
            "https" => Ok(url),
            "http" if self.allow_http || is_loopback(&url) => Ok(url),
            "http" => refuse("plain http is refused but for loopback; see allow_http"),
            _ => refuse("must be an https URL"),
        }
    }

    /// Builds what the clones share. Touches no network.
    pub(crate) fn core(self, endpoints: &[&Url]) -> Result<Arc<Core>, Error> {
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
            }));
        }
        let secure = endpoints.iter().all(|url| url.scheme() == "https");
        let any_secure = endpoints.iter().any(|url| url.scheme() == "https");
        require_tls(any_secure)?;
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
        let from_user = self.http.is_some();
        let mut http = self
            .http
            .unwrap_or_default()
            .user_agent(user_agent)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .no_gzip()
            .no_brotli()
            .no_zstd()
            .no_deflate()
            .http1_only()
            .connection_verbose(false)
            .https_only(secure)
            .connect_timeout(self.limits.connect_timeout.min(LONGEST))
            .pool_idle_timeout(Duration::from_secs(15))
            .tcp_keepalive(Duration::from_secs(30))
            .tcp_keepalive_interval(Duration::from_secs(15))
            .tcp_keepalive_retries(3);
        if from_user {
            // Our own limits know what an operation may take; these would cut a long call.
            http = http.timeout(LONGEST).read_timeout(LONGEST);
        } else if endpoints.iter().all(|url| is_loopback(url)) {
            // A proxy of the environment is for others.
            http = http.no_proxy();
        }
        #[cfg(any(
            feature = "rustls",
            feature = "rustls-no-provider",
            feature = "native-tls"
        ))]
        if !any_secure && !from_user {
            // Plain http needs no certificates, and reading the system's takes a while.
            http = http.tls_certs_only([]);
        }
        let client = http.build().map_err(|error| {
            Error::new(
                ErrorKind::Configuration,
                "the HTTP client could not be built",
            )
            .with_source(error.without_url())
        })?;
        Ok(Arc::new(Core {
            transport: Transport::Reqwest(client),
            clock: Clock::default(),
            budget: Budget::full(),
            retry: self.retry,
            limits: self.limits,
            environment: self.environment,
            direct: Direct::default(),
        }))
    }
}

pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Refuses what would otherwise panic or fail later in the HTTP library.
pub(super) fn require_tls(any_secure: bool) -> Result<(), Error> {
    if cfg!(not(any(
        feature = "rustls",
        feature = "rustls-no-provider",
        feature = "native-tls"
    ))) && any_secure
    {
        return Err(Error::configuration(
            "endpoint",
            "https needs one of the cargo features rustls, rustls-no-provider and native-tls",
        ));
    }
    #[cfg(all(feature = "rustls-no-provider", not(feature = "rustls")))]
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        return Err(Error::configuration(
            "rustls-no-provider",
            "install a rustls crypto provider before building a client",
        ));
    }
    Ok(())
}

/// A region as part of a host name.
pub(crate) fn check_region(region: &str) -> Result<(), Error> {
    let fits = (1..=63).contains(&region.len())
        && region
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && !region.starts_with('-')
        && !region.ends_with('-');
    if fits {
        Ok(())
    } else {
        Err(Error::configuration(
            "region",
            "must be 1 to 63 letters, digits and - (a full address goes into endpoint)",
        ))
    }
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

            /// The HTTP client to start from: proxies, certificates, TLS.
            ///
            /// Applied on it, last: no redirects, no repeats of its own, HTTP/1.1 only, no
            /// decompression, no referer, no read or total timeout (ours take their place),
            /// connect timeout, 15 s idle pool time, TCP keep-alive after 30 s, no verbose
            /// logging, https only where the endpoints are. What cannot be seen from outside is
            /// yours: default headers, cookies, switched-off certificate checks.
            pub fn http(mut self, builder: reqwest::ClientBuilder) -> Self {
                self.settings.http = Some(builder);
                self
            }
        }
    };
}
pub(crate) use shared_setters;
