//! RPC signature v1 (`SignatureVersion=1.0`, HMAC-SHA1): wire form and key in, signature out.
//!
//! The signed text is `METHOD&%2F&` and the percent-encoded canonical query: all parameters of
//! query and body, sorted by name, percent-encoded as RFC 3986 has it. The values are encoded
//! twice that way. Source: Alibaba Cloud, "Request structure and signature (RPC)".

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::{Digest as _, Sha1};
use zeroize::{Zeroize as _, Zeroizing};

use crate::pipeline::percent::Encoder;

/// An access key secret, made ready to sign.
#[derive(Clone)]
pub(crate) struct Key(Hmac<Sha1>);

impl Key {
    /// The signing key is the secret with an `&` behind it.
    pub(crate) fn new(access_key_secret: &str) -> Self {
        let key = Zeroizing::new([access_key_secret, "&"].concat());
        // HMAC hashes a key longer than a block, and pads a shorter one with zeros.
        let mut block = hmac::digest::Key::<Hmac<Sha1>>::default();
        if key.len() > block.len() {
            let hash = Sha1::digest(key.as_bytes());
            block[..hash.len()].copy_from_slice(&hash);
        } else {
            block[..key.len()].copy_from_slice(key.as_bytes());
        }
        let mac = Hmac::new(&block);
        block.zeroize();
        Self(mac)
    }

    /// Signs parameters that are sorted by name and percent-encoded once; base64.
    pub(crate) fn sign<'a, V: AsRef<[u8]> + ?Sized + 'a>(
        &self,
        method: &str,
        sorted: impl IntoIterator<Item = (&'a str, &'a V)>,
    ) -> String {
        let mut mac = self.0.clone();
        mac.update(method.as_bytes());
        mac.update(b"&%2F&");
        // The hash likes large pieces: most of these are a few bytes long.
        let mut encoder = Encoder::<1024, _>::new(|bytes| mac.update(bytes));
        for (i, (name, value)) in sorted.into_iter().enumerate() {
            if i > 0 {
                encoder.push(b"&");
            }
            encoder.push(name.as_bytes());
            encoder.push(b"=");
            encoder.push(value.as_ref());
        }
        encoder.finish();
        STANDARD.encode(mac.finalize().into_bytes())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;

    use super::*;
    use crate::pipeline::percent::push_encoded;

    #[derive(Deserialize)]
    struct Vector {
        name: String,
        method: String,
        access_key_secret: String,
        parameters: BTreeMap<String, String>,
        signature: String,
    }

    fn sign(method: &str, secret: &str, parameters: &BTreeMap<String, String>) -> String {
        let encoded: Vec<(Vec<u8>, Vec<u8>)> = parameters
            .iter()
            .map(|(name, value)| {
                let mut encoded = (Vec::new(), Vec::new());
                push_encoded(&mut encoded.0, name);
                push_encoded(&mut encoded.1, value);
                encoded
            })
            .collect();
        let sorted = encoded.iter();
        let sorted = sorted.map(|(name, value)| (str::from_utf8(name).unwrap(), value));
        Key::new(secret).sign(method, sorted)
    }

    /// Vectors of the vendor's own signers; see `tests/data/README.md`.
    #[test]
    fn signs_as_the_official_signers_do() {
        for (file, expected_count) in [
            (
                include_str!("../../tests/data/alibaba_signature_v1.json"),
                62,
            ),
            (include_str!("../../tests/data/alibaba_sheet.json"), 14),
        ] {
            #[derive(Deserialize)]
            struct File {
                vectors: Vec<Vector>,
            }
            let file: File = serde_json::from_str(file).unwrap();
            assert_eq!(file.vectors.len(), expected_count);
            for vector in file.vectors {
                let ours = sign(
                    &vector.method,
                    &vector.access_key_secret,
                    &vector.parameters,
                );
                assert_eq!(ours, vector.signature, "{}", vector.name);
            }
        }
    }

    /// The sheet's V1-12 has an input too large to list.
    #[test]
    fn signs_a_large_input() {
        let input = format!("{{\"data\":\"{}\"}}", "aB3~ *+/\u{4e2d}".repeat(20_000));
        let parameters = [
            ("AccessKeyId", "testid"),
            ("Action", "StartExecution"),
            ("FlowName", "my_flow_name"),
            ("Format", "JSON"),
            ("Input", &input),
            ("SignatureMethod", "HMAC-SHA1"),
            ("SignatureNonce", "nonce-0012"),
            ("SignatureVersion", "1.0"),
            ("Timestamp", "2024-05-06T07:08:09Z"),
            ("Version", "2019-03-15"),
        ];
        let parameters = parameters.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let signature = sign("POST", "testsecret", &parameters.into());
        assert_eq!(signature, "aqpdR2kNeYVLUuRid1xxOVX6EXI=");
    }

    /// Keys up to and beyond HMAC's block size, against the plain definition.
    #[test]
    fn takes_secrets_of_any_length() {
        for length in [0, 1, 62, 63, 64, 65, 200] {
            let secret = "s".repeat(length);
            let mut mac = Hmac::<Sha1>::new_from_slice(format!("{secret}&").as_bytes()).unwrap();
            mac.update(b"GET&%2F&A%3D1");
            let expected = STANDARD.encode(mac.finalize().into_bytes());
            assert_eq!(Key::new(&secret).sign("GET", [("A", "1")]), expected);
        }
    }
}
