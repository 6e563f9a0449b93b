//! The signed text that a gateway repeats, beside ours.

use std::fmt;

use percent_encoding::percent_decode_str;

/// What the service's text tells beside ours. Names parameters, shows no values.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Both signed the same.
    Same,
    /// Both signed the same as far as the service's text goes.
    SameUpToItsEnd,
    /// The service signed another method.
    Method { theirs: String, ours: String },
    /// The first parameter of ours that the service signed otherwise.
    Differs(String),
    /// The service signed a parameter that we did not send.
    More,
}

/// Compares the text in a message, if there is one, with our parameters: sorted by name and
/// percent-encoded once.
pub(super) fn compare(method: &str, ours: &[(&str, &str)], message: &str) -> Option<Verdict> {
    // XML in a message of JSON, say.
    let message = message.replace("&amp;", "&");
    let (theirs_method, encoded) = read(&message)?;
    if theirs_method != method {
        return Some(Verdict::Method {
            theirs: theirs_method.to_owned(),
            ours: method.to_owned(),
        });
    }
    // What was cut inside an escape ends before it.
    let escape = encoded.len() - encoded.rfind('%').map_or(0, |at| encoded.len() - at).min(2);
    let is_cut_inside = encoded[escape..].starts_with('%') && encoded.len() - escape < 3;
    let encoded = match is_cut_inside {
        true => &encoded[..escape],
        false => encoded,
    };
    let theirs = percent_decode_str(encoded).decode_utf8().ok()?;
    let canonical: Vec<String> = ours
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let canonical = canonical.join("&");
    if theirs == canonical {
        return Some(Verdict::Same);
    }
    if !theirs.is_empty() && canonical.starts_with(&*theirs) {
        return Some(Verdict::SameUpToItsEnd);
    }
    let theirs: Vec<(&str, &str)> = theirs
        .split('&')
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .collect();
    let differing = ours
        .iter()
        .zip(theirs.iter().map(Some).chain(std::iter::repeat(None)));
    // A name of theirs that we did not send is a stranger's text.
    let first = differing
        .into_iter()
        .find(|(ours, theirs)| Some(*ours) != *theirs)
        .map(|(ours, _)| ours.0.to_owned());
    Some(first.map_or(Verdict::More, Verdict::Differs))
}

/// `METHOD&%2F&` and the encoded canonical query, somewhere in a message.
fn read(message: &str) -> Option<(&str, &str)> {
    let (before, after) = message.rsplit_once("&%2F&")?;
    let method_at = before
        .rfind(|c: char| !c.is_ascii_uppercase())
        .map_or(0, |at| at + 1);
    let is_encoded = |c: char| c.is_ascii_alphanumeric() || "-_.~%".contains(c);
    let end = after.find(|c| !is_encoded(c)).unwrap_or(after.len());
    Some((&before[method_at..], &after[..end]))
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Same => f.write_str("what the service signed is what we signed"),
            Self::SameUpToItsEnd => {
                f.write_str("what the service signed is what we signed, as far as it is repeated")
            }
            Self::Method { theirs, ours } => {
                write!(f, "the service signed {theirs}, we signed {ours}")
            }
            Self::Differs(name) => {
                write!(f, "what the service signed differs from ours at `{name}`")
            }
            Self::More => f.write_str("the service signed a parameter more than we sent"),
        }
    }
}

/// What is to be said of a signature that does not match.
pub(super) fn of_mismatch(verdict: Option<&Verdict>) -> String {
    let why = match verdict {
        None => return "the signature does not match; check the access key secret".to_owned(),
        Some(Verdict::Same) => {
            " although both sides signed the same text: the access key secret is wrong".to_owned()
        }
        Some(Verdict::SameUpToItsEnd) => {
            " although both sides signed the same text, as far as the service repeats it: the \
             access key secret is wrong"
                .to_owned()
        }
        Some(Verdict::Method { theirs, ours }) => format!(
            ": the service signed {theirs}, we signed {ours}; something on the way changed the method"
        ),
        Some(verdict @ (Verdict::Differs(_) | Verdict::More)) => {
            let name = match verdict {
                Verdict::Differs(name) => name,
                _ => "one that we did not send",
            };
            format!(
                ": the service signed other parameters than we sent, the first that differs is \
                 {name}; something on the way changed the request"
            )
        }
    };
    format!("the signature does not match{why}")
}
