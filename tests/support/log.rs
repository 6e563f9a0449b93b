//! What a program that logs everything would see, and a look for secrets in it.

use std::{
    fmt::{self, Write as _},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use tracing::{
    Dispatch, Event, Metadata, Subscriber,
    field::{Field, Visit},
    span,
    subscriber::DefaultGuard,
};

/// Keeps every span and event of this thread as text, at trace level.
#[derive(Clone, Default)]
pub(crate) struct Log {
    text: Arc<Mutex<String>>,
    spans: Arc<AtomicU64>,
}

/// While it lives, this thread logs.
pub(crate) struct Logging {
    _this_thread: DefaultGuard,
    _nobody_s: Dispatch,
}

impl Log {
    /// Keeps what this thread logs from now on.
    pub(crate) fn start(&self) -> Logging {
        // With only one subscriber alive, whoever comes first to a place in the code decides for all
        // threads whether anyone listens there; with two, the subscribers are asked.
        let nobody_s = Dispatch::new(Self::default());
        Logging {
            _this_thread: tracing::subscriber::set_default(self.clone()),
            _nobody_s: nobody_s,
        }
    }

    /// All that was logged so far.
    pub(crate) fn text(&self) -> String {
        self.text.lock().unwrap().clone()
    }
}

struct Fields<'a>(&'a mut String);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let _ = write!(self.0, " {field}={value:?}");
    }
}

impl Subscriber for Log {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &span::Attributes<'_>) -> span::Id {
        let text = &mut *self.text.lock().unwrap();
        let _ = write!(text, "\nspan {}", span.metadata().name());
        span.record(&mut Fields(text));
        span::Id::from_u64(1 + self.spans.fetch_add(1, Ordering::Relaxed))
    }

    fn record(&self, _: &span::Id, values: &span::Record<'_>) {
        let text = &mut *self.text.lock().unwrap();
        text.push_str("\nrecord");
        values.record(&mut Fields(text));
    }

    fn event(&self, event: &Event<'_>) {
        let text = &mut *self.text.lock().unwrap();
        let _ = write!(text, "\nevent {}", event.metadata().target());
        event.record(&mut Fields(text));
    }

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

/// Finds none of these secrets in a text: not as they are, nor percent-encoded once or twice, nor in
/// base64, wherever they begin there.
pub(crate) fn assert_silent(text: &str, secrets: &[&str]) {
    let percent = |text: &str| -> String {
        let bytes = text.bytes().map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        });
        bytes.collect()
    };
    for secret in secrets {
        assert!(secret.len() > 12, "too short to be told from other base64");
        let mut forms = vec![
            (*secret).to_owned(),
            percent(secret),
            percent(&percent(secret)),
        ];
        for before in ["", "x", "xx"] {
            let encoded = STANDARD_NO_PAD.encode(format!("{before}{secret}"));
            // The ends depend on what stands around.
            forms.push(encoded[4..encoded.len() - 4].to_owned());
        }
        for form in forms {
            assert!(!text.contains(&form), "{form} is in: {text}");
        }
    }
}

/// The error, its words and those of all its causes.
pub(crate) fn assert_error_is_silent(error: &(dyn std::error::Error + 'static), secrets: &[&str]) {
    let mut cause = Some(error);
    while let Some(error) = cause {
        assert_silent(&format!("{error} {error:?} {error:#?}"), secrets);
        cause = error.source();
    }
}
