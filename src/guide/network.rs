//! Proxies, certificates, hosts, and limits of time.
//!
//! # Which hosts are called
//!
//! Any region works. Secrets stay where they were meant to go:
//!
//! | | service | credentials |
//! |---|---|---|
//! | Alibaba Cloud | `{region}.fnf.aliyuncs.com`; see [`Network`](alibaba::Network) for others | regions of CloudFlow's list ask `sts.aliyuncs.com`, any other its own STS |
//! | Huawei Cloud | `functiongraph.{region}.myhuaweicloud.com` (`.eu` likewise) | the region's own IAM and STS (`eu-west-1xx` under `myhuaweicloud.eu`, which was not tried on the service); regions of mainland China without one ask `iam.myhuaweicloud.com` and `sts.cn-north-4` |
//!
//! With an `endpoint` that is neither on this machine nor the vendor's, a credential that needs IAM
//! or STS wants its address set as well:
//! [`iam_endpoint`](huawei::ClientBuilder::iam_endpoint) (Huawei Cloud;
//! `HUAWEICLOUD_SDK_STS_ENDPOINT` for OIDC), or [`sts_endpoint`](alibaba::ClientBuilder::sts_endpoint)
//! or an STS region (Alibaba Cloud). Keys and tokens given as they are need neither.
//!
//! A write carries all it says in its body: no key id, token or signature stands in its address. A
//! read of Alibaba Cloud is a signed address, which a proxy that you trust with TLS can log.
//!
//! # Proxies
//!
//! They are those of `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`, read when a client is
//! built, small letters first, as curl does. They hold for the service, STS and IAM. Only this
//! machine's addresses and metadata services go past them.
//!
//! ```sh
//! # User and password are percent-encoded: p%40ss is p@ss.
//! export HTTPS_PROXY=http://user:p%40ss@proxy.example.com:3128
//! export NO_PROXY=.example.com,10.0.0.0/8,localhost
//! ```
//!
//! `NO_PROXY` takes `x`, `.x`, `*.x`, `10.`, `10.*`, `10.0.0.0/8`, `[fd00::9]`, each with a port, and
//! `*`. A variable that cannot be read is an error that names it. A proxy's 407 is not tried again,
//! so that it does not lock its user.
//!
//! Whatever the variables cannot say is set on the HTTP client, which is
//! [`reqwest`]'s. Proxies that you set there come first:
//!
//! ```no_run
//! use cloud_workflows::{Error, alibaba::Client, reqwest};
//!
//! # fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let proxy = reqwest::Proxy::https("http://proxy.example.com:3128")?.basic_auth("user", "p@ss");
//! let client = Client::from_env()?; // by the variables
//! let client = cloud_workflows::alibaba::ClientBuilder::from_env()
//!     .http(move |http| http.no_proxy().proxy(proxy.clone())) // by this proxy alone
//!     .build()?;
//! # Ok(())
//! # }
//! ```
//!
//! The function is called for each runtime that uses the client; see
//! [`http`](alibaba::ClientBuilder::http) for what is set after it.
//!
//! # Headers of your own
//!
//! [`http_header`](crate::Call::http_header) adds one to a call, such as a gateway may ask for. What
//! the client sets or signs itself is refused.
//!
//! # Certificates of your own
//!
//! With `rustls`, certificates are verified as the platform does. On Linux, the variables
//! `SSL_CERT_FILE` and `SSL_CERT_DIR` name others. They are read once a process, when the first client
//! with an https endpoint is built; a client of a plain-http endpoint reads them when a credential is
//! first asked for over https. Or in the program:
//!
//! ```no_run
//! use cloud_workflows::{huawei::ClientBuilder, reqwest};
//!
//! # fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let authority = reqwest::Certificate::from_pem(&std::fs::read("company-ca.pem")?)?;
//! let client = ClientBuilder::from_env()
//!     .http(move |http| http.tls_certs_merge([authority.clone()]))
//!     .build()?;
//! # Ok(())
//! # }
//! ```
//!
//! Which TLS is built in is a [cargo feature](crate#cargo-features): `rustls` (default),
//! `rustls-ring`, `rustls-no-provider` with a crypto provider that you install, or `native-tls`. A
//! function of your own together with `rustls-ring` needs an installed provider too:
//! `rustls::crypto::ring::default_provider().install_default()`.
//!
//! # Limits of time
//!
//! | | one attempt | the whole call |
//! |---|---|---|
//! | connect, with name resolution and TLS | 5 s | |
//! | synchronous starts | 310 s | 660 s |
//! | a look that waits for an end | its wait and 10 s | its wait and 30 s |
//! | all other calls | 15 s | 60 s |
//!
//! [`timeout`](crate::Call::timeout) and [`attempt_timeout`](crate::Call::attempt_timeout) of a call
//! set others, and so do those of the builder for all calls. A wait for an execution's end is no
//! call: it has no limit but [`deadline`](crate::Wait::deadline).
//!
//! # Runtimes
//!
//! One client may be used from any number of Tokio runtimes. Each has connections of its own;
//! credentials are loaded once for all. A program without a runtime takes the feature `blocking`:
//! its calls run on one runtime in the background. A program that forks: fork first, then make the runtime.

#[cfg(all(doc, feature = "alibaba", feature = "huawei"))]
use crate::{alibaba, huawei, reqwest};
