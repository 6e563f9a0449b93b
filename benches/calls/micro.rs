//! Parts of a call alone: signing beside the bare HMAC, decoding beside bare serde.

use std::{fmt, hint::black_box};

use clap::ValueEnum;
use cloud_workflows::{
    alibaba::{Execution, StartSyncExecutionResponse},
    huawei::StartSyncWorkflowExecutionResponse,
};
use hmac::{Hmac, KeyInit as _, Mac as _};
use percent_encoding::utf8_percent_encode;
use sha1::Sha1;

use crate::{
    Failure,
    alibaba::signature,
    floor, input,
    pipeline::percent::push_encoded,
    server::{STARTED, SUCCEEDED, WORKFLOW},
    subjects::Side,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    Sign100,
    Sign10k,
    DecodeStarted,
    DecodeSucceeded,
    DecodeWorkflow,
}

impl Part {
    pub(crate) const ALL: [Self; 5] = [
        Self::Sign100,
        Self::Sign10k,
        Self::DecodeStarted,
        Self::DecodeSucceeded,
        Self::DecodeWorkflow,
    ];

    pub(crate) fn is_signing(self) -> bool {
        matches!(self, Self::Sign100 | Self::Sign10k)
    }

    /// Does it so many times.
    pub(crate) fn run(self, side: Side, times: usize) -> Result<(), Failure> {
        match self {
            Self::Sign100 => sign(side, times, 100),
            Self::Sign10k => sign(side, times, 10_000),
            Self::DecodeStarted => match side {
                Side::Floor => decode::<floor::Execution>(STARTED, times),
                Side::Ours => decode::<Execution>(STARTED, times),
            },
            Self::DecodeSucceeded => match side {
                Side::Floor => decode::<floor::Execution>(SUCCEEDED, times),
                Side::Ours => decode::<StartSyncExecutionResponse>(SUCCEEDED, times),
            },
            Self::DecodeWorkflow => match side {
                Side::Floor => decode::<floor::Workflow>(WORKFLOW, times),
                Side::Ours => decode::<StartSyncWorkflowExecutionResponse>(WORKFLOW, times),
            },
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Sign100 => "sign v1, input of 100 B",
            Self::Sign10k => "sign v1, input of 10 kB",
            Self::DecodeStarted => "decode `StartExecution`",
            Self::DecodeSucceeded => "decode `StartSyncExecution`",
            Self::DecodeWorkflow => "decode `sync-executions`",
        })
    }
}

fn decode<T: serde::de::DeserializeOwned>(body: &str, times: usize) -> Result<(), Failure> {
    for _ in 0..times {
        black_box(serde_json::from_slice::<T>(black_box(body.as_bytes()))?);
    }
    Ok(())
}

/// From parameters as they are to the signature. The floor is one percent-encoding of them and the
/// HMAC, keyed beforehand, of the text to sign as it stands.
fn sign(side: Side, times: usize, length: usize) -> Result<(), Failure> {
    let input = input::text_of(length);
    let parameters = [
        ("AccessKeyId", "LTAI5tExampleKeyOfABench"),
        ("Action", "StartExecution"),
        ("ExecutionName", "cw-0123456789abcdef0123456789abcdef"),
        ("FlowName", "order-flow"),
        ("Format", "JSON"),
        ("Input", &input),
        ("SignatureMethod", "HMAC-SHA1"),
        ("SignatureNonce", "0123456789abcdef0123456789abcdef"),
        ("SignatureVersion", "1.0"),
        ("Timestamp", "2026-11-22T08:09:10Z"),
        ("Version", "2019-03-15"),
    ];
    let canonical: Vec<_> = parameters
        .iter()
        .map(|(name, value)| format!("{name}={}", floor::encode(value)))
        .collect();
    let to_sign = format!("POST&%2F&{}", floor::encode(&canonical.join("&")));
    let mac = Hmac::<Sha1>::new_from_slice(b"ThirtyCharactersOfASecretKey00&")?;
    let key = signature::Key::new("ThirtyCharactersOfASecretKey00");

    let room = 3 * length + 1024;
    let (mut encoded, mut encoded_text) = (Vec::with_capacity(room), String::with_capacity(room));
    for _ in 0..times {
        encoded.clear();
        match side {
            Side::Floor => {
                encoded_text.clear();
                for (_, value) in black_box(&parameters) {
                    encoded_text.extend(utf8_percent_encode(value, floor::RESERVED));
                }
                let mut mac = mac.clone();
                mac.update(black_box(&to_sign).as_bytes());
                black_box((&encoded_text, mac.finalize().into_bytes()));
            }
            Side::Ours => {
                for (name, value) in black_box(&parameters) {
                    encoded.extend_from_slice(name.as_bytes());
                    encoded.push(b'=');
                    push_encoded(&mut encoded, value);
                    encoded.push(b'&');
                }
                encoded.pop();
                black_box(key.sign("POST", &encoded));
            }
        }
    }
    Ok(())
}
