//! The TLS configuration of all clients for which the user has none: to read the system's
//! certificates takes a while, and is done once a process.

use super::environment::Environment;
use crate::error::{Error, ErrorKind};

/// Whether anything here can speak https.
const HAS_TLS: bool = cfg!(any(
    feature = "rustls",
    feature = "rustls-no-provider",
    feature = "native-tls"
));

/// Refuses what would otherwise panic or fail later in the HTTP library, which makes the TLS of a
/// client that starts `from_user`.
pub(super) fn require(any_secure: bool, from_user: bool) -> Result<(), Error> {
    if any_secure && !HAS_TLS {
        return Err(Error::configuration(
            "endpoint",
            "https needs one of the cargo features rustls, rustls-ring, rustls-no-provider and \
             native-tls",
        ));
    }
    #[cfg(all(
        feature = "rustls-no-provider",
        not(any(feature = "rustls", feature = "native-tls"))
    ))]
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        if !cfg!(feature = "rustls-ring") {
            return Err(Error::configuration(
                "rustls-no-provider",
                "install a rustls crypto provider before building a client",
            ));
        }
        if from_user {
            return Err(Error::configuration(
                "http",
                "with the feature rustls-ring and without rustls, install a rustls crypto provider \
                 before building a client with a function of your own",
            ));
        }
    }
    let _ = from_user;
    Ok(())
}

/// Gives a client the shared configuration, or none that trusts anybody where it needs none.
#[cfg(any(
    feature = "rustls",
    feature = "rustls-no-provider",
    feature = "native-tls"
))]
pub(super) fn prepare(
    http: reqwest::ClientBuilder,
    any_secure: bool,
    environment: &Environment,
) -> Result<reqwest::ClientBuilder, Error> {
    if any_secure {
        Ok(http.tls_backend_preconfigured(shared::config(environment)?))
    } else {
        // Plain http needs no certificates.
        shared::trusting_nobody(http, environment)
    }
}

/// There is no TLS to configure.
#[cfg(not(any(
    feature = "rustls",
    feature = "rustls-no-provider",
    feature = "native-tls"
)))]
pub(super) fn prepare(
    http: reqwest::ClientBuilder,
    _: bool,
    _: &Environment,
) -> Result<reqwest::ClientBuilder, Error> {
    Ok(http)
}

/// Why the HTTP library would not make a client.
pub(super) fn not_built(error: &reqwest::Error, environment: &Environment) -> Error {
    let mut reason: &dyn std::error::Error = error;
    while let Some(deeper) = reason.source() {
        reason = deeper;
    }
    not_built_for(&reason.to_string(), environment)
}

fn not_built_for(reason: &str, environment: &Environment) -> Error {
    let mut message = format!("the HTTP client could not be built: {reason}");
    if reason.to_ascii_lowercase().contains("certificate") {
        message.push_str(&certificates(environment));
    }
    Error::new(ErrorKind::Configuration, message)
}

/// Where certificates were looked for.
fn certificates(environment: &Environment) -> String {
    let named: Vec<String> = ["SSL_CERT_FILE", "SSL_CERT_DIR"]
        .into_iter()
        .filter_map(|name| Some(format!("{name} is {:?}", environment.variable(name)?)))
        .collect();
    if named.is_empty() {
        "; install the system's CA certificates, or name a file of them in SSL_CERT_FILE".to_owned()
    } else {
        format!("; {}", named.join(", "))
    }
}

#[cfg(feature = "native-tls")]
mod shared {
    use std::sync::{Mutex, PoisonError};

    use native_tls::TlsConnector;

    use super::{Environment, Error, not_built_for};

    pub(super) fn trusting_nobody(
        http: reqwest::ClientBuilder,
        _: &Environment,
    ) -> Result<reqwest::ClientBuilder, Error> {
        Ok(http.tls_certs_only([]))
    }

    static SHARED: Mutex<Option<TlsConnector>> = Mutex::new(None);

    pub(super) fn config(environment: &Environment) -> Result<TlsConnector, Error> {
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(config) = &*shared {
            return Ok(config.clone());
        }
        let config = TlsConnector::builder()
            .request_alpns(&["http/1.1"])
            .build()
            .map_err(|error| not_built_for(&error.to_string(), environment))?;
        Ok(shared.insert(config).clone())
    }
}

#[cfg(all(
    any(feature = "rustls", feature = "rustls-no-provider"),
    not(feature = "native-tls")
))]
mod shared {
    use std::sync::{Arc, Mutex, PoisonError};

    use rustls::{ClientConfig, RootCertStore, crypto::CryptoProvider};
    use rustls_platform_verifier::Verifier;

    use super::{Environment, Error, not_built_for};

    static SHARED: Mutex<Option<ClientConfig>> = Mutex::new(None);

    pub(super) fn config(environment: &Environment) -> Result<ClientConfig, Error> {
        let installed = CryptoProvider::get_default();
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(config) = &*shared
            // A provider that the program has installed since is what it wants.
            && installed.is_none_or(|installed| Arc::ptr_eq(installed, config.crypto_provider()))
        {
            return Ok(config.clone());
        }
        let config =
            made(provider()?).map_err(|error| not_built_for(&error.to_string(), environment))?;
        Ok(shared.insert(config).clone())
    }

    /// The library's own configuration would want an installed provider.
    pub(super) fn trusting_nobody(
        http: reqwest::ClientBuilder,
        environment: &Environment,
    ) -> Result<reqwest::ClientBuilder, Error> {
        let config = ClientConfig::builder_with_provider(provider()?)
            .with_safe_default_protocol_versions()
            .map_err(|error| not_built_for(&error.to_string(), environment))?
            .with_root_certificates(RootCertStore::empty())
            .with_no_client_auth();
        Ok(http.tls_backend_preconfigured(config))
    }

    /// What reqwest makes of no settings, for HTTP/1.1.
    fn made(provider: Arc<CryptoProvider>) -> Result<ClientConfig, rustls::Error> {
        let verifier = Verifier::new(provider.clone())?;
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(config)
    }

    /// The one that the program has installed, or our own.
    fn provider() -> Result<Arc<CryptoProvider>, Error> {
        match CryptoProvider::get_default() {
            Some(installed) => Ok(installed.clone()),
            None => own().map(Arc::new),
        }
    }

    #[cfg(feature = "rustls")]
    fn own() -> Result<CryptoProvider, Error> {
        Ok(rustls::crypto::aws_lc_rs::default_provider())
    }

    #[cfg(all(feature = "rustls-ring", not(feature = "rustls")))]
    fn own() -> Result<CryptoProvider, Error> {
        Ok(rustls::crypto::ring::default_provider())
    }

    #[cfg(not(any(feature = "rustls", feature = "rustls-ring")))]
    fn own() -> Result<CryptoProvider, Error> {
        super::require(true, false)?;
        Err(Error::configuration(
            "rustls-no-provider",
            "the crypto provider has gone",
        ))
    }
}
