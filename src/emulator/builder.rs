//! How an emulator is set up.

#[cfg(any(feature = "alibaba", feature = "huawei"))]
use std::time::Duration;
use std::{
    fmt, io,
    net::{Ipv4Addr, TcpListener},
    sync::{Arc, Mutex},
    thread,
};

use tokio::sync::oneshot;

#[cfg(feature = "alibaba")]
use super::alibaba;
use super::{Emulator, Handle, State, clock::Clock, server};
#[cfg(feature = "huawei")]
use super::{aksk, token};
#[cfg(any(feature = "alibaba", feature = "huawei"))]
use super::{flow::Flows, run::World};

/// Settings of an [`Emulator`]; made by [`Emulator::builder`].
///
/// Its `Debug` prints the port alone.
#[must_use]
pub struct EmulatorBuilder {
    port: u16,
    #[cfg(any(feature = "alibaba", feature = "huawei"))]
    callback_limit: Duration,
    #[cfg(feature = "alibaba")]
    alibaba: alibaba::Settings,
    #[cfg(feature = "huawei")]
    huawei: token::Settings,
}

impl EmulatorBuilder {
    pub(super) fn new() -> Self {
        Self {
            port: 0,
            #[cfg(any(feature = "alibaba", feature = "huawei"))]
            callback_limit: Duration::from_secs(5 * 60),
            #[cfg(feature = "alibaba")]
            alibaba: alibaba::Settings {
                keys: Vec::new(),
                input_limit_bytes: 64 * 1024,
                clock_window: Duration::from_secs(15 * 60),
                standard_sync: alibaba::StandardSync::default(),
            },
            #[cfg(feature = "huawei")]
            huawei: token::Settings {
                users: Vec::new(),
                keys: Vec::new(),
                clock_window: Duration::from_secs(15 * 60),
                region: "cn-north-4".to_owned(),
                project_id: "2c0f3c3a5d7a4a6f9a1e5b7d9c1f3e57".to_owned(),
                token_lifetime: Duration::from_secs(24 * 60 * 60),
            },
        }
    }

    /// The TCP port on 127.0.0.1; 0, as without this setting, takes a free one.
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// How long a flow waits for a callback that nobody reports, in the machine's time; 5 minutes
    /// without this setting. Then it fails, so that a test which forgot to report ends and says so.
    #[cfg(any(feature = "alibaba", feature = "huawei"))]
    pub fn callback_limit(mut self, limit: Duration) -> Self {
        self.callback_limit = limit;
        self
    }

    /// Adds an access key of Alibaba Cloud. Without any key there is a default one.
    #[cfg(feature = "alibaba")]
    pub fn access_key(mut self, id: impl Into<String>, secret: impl Into<String>) -> Self {
        self.alibaba.keys.push(alibaba::AccessKey {
            id: id.into(),
            secret: secret.into(),
            security_token: None,
        });
        self
    }

    /// Adds a temporary access key of Alibaba Cloud, which is good with its security token alone.
    #[cfg(feature = "alibaba")]
    pub fn sts_key(
        mut self,
        id: impl Into<String>,
        secret: impl Into<String>,
        security_token: impl Into<String>,
    ) -> Self {
        self.alibaba.keys.push(alibaba::AccessKey {
            id: id.into(),
            secret: secret.into(),
            security_token: Some(security_token.into()),
        });
        self
    }

    /// The largest `Input` of Alibaba Cloud, in bytes; 64 KiB without this setting.
    #[cfg(feature = "alibaba")]
    pub fn input_limit_bytes(mut self, bytes: usize) -> Self {
        self.alibaba.input_limit_bytes = bytes;
        self
    }

    /// How far a signed time may be off, both ways; 15 minutes without this setting.
    #[cfg(any(feature = "alibaba", feature = "huawei"))]
    pub fn clock_window(mut self, window: Duration) -> Self {
        #[cfg(feature = "alibaba")]
        {
            self.alibaba.clock_window = window;
        }
        #[cfg(feature = "huawei")]
        {
            self.huawei.clock_window = window;
        }
        self
    }

    /// What a synchronous start of a Standard flow gives.
    #[cfg(feature = "alibaba")]
    pub fn standard_sync(mut self, answer: alibaba::StandardSync) -> Self {
        self.alibaba.standard_sync = answer;
        self
    }

    /// Adds an IAM user of Huawei Cloud. Without any user there is a default one.
    #[cfg(feature = "huawei")]
    pub fn iam_user(
        mut self,
        domain: impl Into<String>,
        user: impl Into<String>,
        password: impl Into<String>,
    ) -> Self {
        self.huawei.users.push(token::User {
            domain: domain.into(),
            name: user.into(),
            password: password.into(),
        });
        self
    }

    /// Adds an access key of Huawei Cloud. Without any key there is a default one.
    ///
    /// As the cloud does, the emulator locks a key for five minutes (of its own clock) when more
    /// than five calls running were refused.
    #[cfg(feature = "huawei")]
    pub fn huawei_key(
        mut self,
        access_key: impl Into<String>,
        secret_key: impl Into<String>,
    ) -> Self {
        self.huawei.keys.push(aksk::AccessKey {
            access_key: access_key.into(),
            secret_key: secret_key.into(),
            security_token: None,
        });
        self
    }

    /// Adds a temporary access key of Huawei Cloud, which is good with its security token alone.
    #[cfg(feature = "huawei")]
    pub fn huawei_temporary_key(
        mut self,
        access_key: impl Into<String>,
        secret_key: impl Into<String>,
        security_token: impl Into<String>,
    ) -> Self {
        self.huawei.keys.push(aksk::AccessKey {
            access_key: access_key.into(),
            secret_key: secret_key.into(),
            security_token: Some(security_token.into()),
        });
        self
    }

    /// The one project of Huawei Cloud: its name, which is its region's, and its id.
    #[cfg(feature = "huawei")]
    pub fn project(
        mut self,
        region_name: impl Into<String>,
        project_id: impl Into<String>,
    ) -> Self {
        self.huawei.region = region_name.into();
        self.huawei.project_id = project_id.into();
        self
    }

    /// How long a token of Huawei Cloud is good; 24 hours without this setting.
    #[cfg(feature = "huawei")]
    pub fn token_lifetime(mut self, lifetime: Duration) -> Self {
        self.huawei.token_lifetime = lifetime;
        self
    }

    /// Starts the emulator on a thread of its own.
    ///
    /// # Errors
    ///
    /// When the port is taken, or a thread or runtime cannot be had.
    pub fn start(self) -> io::Result<Emulator> {
        #[cfg(any(feature = "alibaba", feature = "huawei"))]
        let this = self.with_defaults();
        #[cfg(not(any(feature = "alibaba", feature = "huawei")))]
        let this = self;

        let port = this.port;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(|error| {
            let help = match error.kind() {
                io::ErrorKind::AddrInUse => ": another program listens there; 0 takes a free port",
                _ => "",
            };
            io::Error::new(
                error.kind(),
                format!("port {port} of 127.0.0.1: {error}{help}"),
            )
        })?;
        listener.set_nonblocking(true)?;
        let clock = Arc::<Clock>::default();
        #[cfg(any(feature = "alibaba", feature = "huawei"))]
        let world = Arc::new(World {
            clock: Arc::clone(&clock),
            #[cfg(feature = "alibaba")]
            buckets: <_>::default(),
            quirks: <_>::default(),
            callback_limit: this.callback_limit,
        });
        let state = Arc::new(State {
            url: format!("http://{}", listener.local_addr()?),
            clock,
            records: <_>::default(),
            faults: <_>::default(),
            #[cfg(any(feature = "alibaba", feature = "huawei"))]
            flows: Arc::new(Flows::new(&world)),
            #[cfg(feature = "alibaba")]
            alibaba: this.alibaba,
            #[cfg(feature = "alibaba")]
            nonces: <_>::default(),
            #[cfg(feature = "alibaba")]
            issued: <_>::default(),
            #[cfg(feature = "huawei")]
            huawei: this.huawei,
            #[cfg(feature = "huawei")]
            tokens: <_>::default(),
            #[cfg(feature = "huawei")]
            locks: <_>::default(),
        });
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("workflow-emulator")
            .enable_all()
            .build()?;
        let listener = {
            let _context = runtime.enter();
            tokio::net::TcpListener::from_std(listener)?
        };
        let (stop, stopped) = oneshot::channel();
        let served = Arc::clone(&state);
        let thread = thread::Builder::new()
            .name("workflow-emulator".to_owned())
            .spawn(move || {
                runtime.block_on(server::run(listener, served, stopped));
                // Flows that still run block their threads; nobody waits for them.
                runtime.shutdown_background();
            })?;
        Ok(Emulator(Arc::new(Handle {
            state,
            stop: Mutex::new(Some((stop, thread))),
        })))
    }

    #[cfg(any(feature = "alibaba", feature = "huawei"))]
    fn with_defaults(self) -> Self {
        let mut this = self;
        #[cfg(feature = "alibaba")]
        if this.alibaba.keys.is_empty() {
            this = this.access_key("emulator-access-key-id", "emulator-access-key-secret");
        }
        #[cfg(feature = "huawei")]
        if this.huawei.users.is_empty() {
            this = this.iam_user("emulator-domain", "emulator-user", "emulator-password");
        }
        #[cfg(feature = "huawei")]
        if this.huawei.keys.is_empty() {
            this = this.huawei_key("emulator-huawei-access-key", "emulator-huawei-secret-key");
        }
        this
    }
}

impl fmt::Debug for EmulatorBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmulatorBuilder")
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}
