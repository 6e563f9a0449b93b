//! Calls of CloudFlow that are signed by hand, as the emulator is to take them.

use std::sync::{
    LazyLock,
    atomic::{AtomicU64, Ordering},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::DateTime;
use cloud_workflows::emulator::Emulator;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::Value;
use sha1::Sha1;

/// No connection is kept: each test has a runtime of its own.
pub(crate) fn client() -> &'static reqwest::Client {
    static CLIENT: LazyLock<reqwest::Client> = LazyLock::new(|| {
        let client = reqwest::Client::builder().pool_max_idle_per_host(0);
        client.build().unwrap()
    });
    &CLIENT
}

fn encoded(text: &str) -> String {
    let reserved = |byte: &u8| !byte.is_ascii_alphanumeric() && !b"-_.~".contains(byte);
    let bytes = text.bytes();
    bytes
        .map(|byte| {
            if reserved(&byte) {
                format!("%{byte:02X}")
            } else {
                char::from(byte).to_string()
            }
        })
        .collect()
}

/// Calls an operation of CloudFlow, dated by the emulator's own clock.
pub(crate) async fn call(emulator: &Emulator, action: &str, own: &[(&str, &str)]) -> (u16, Value) {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let (id, secret) = emulator.access_key();
    let date = client().get(emulator.url()).send().await.unwrap();
    let date = date.headers()["date"].to_str().unwrap();
    let date = DateTime::parse_from_rfc2822(date).unwrap();
    let date = date.format("%Y-%m-%dT%H:%M:%SZ").to_string();
    let nonce = format!("nonce-{}", COUNT.fetch_add(1, Ordering::Relaxed));
    let mut parameters = vec![
        ("AccessKeyId", id),
        ("Action", action),
        ("Format", "JSON"),
        ("SignatureMethod", "HMAC-SHA1"),
        ("SignatureNonce", &nonce),
        ("SignatureVersion", "1.0"),
        ("Timestamp", &date),
        ("Version", "2019-03-15"),
    ];
    parameters.extend(own);
    parameters.sort_unstable();
    let form = |parameters: &[(&str, &str)]| {
        let pairs = parameters.iter();
        let pairs: Vec<_> = pairs
            .map(|(name, value)| format!("{}={}", encoded(name), encoded(value)))
            .collect();
        pairs.join("&")
    };
    let mut mac = Hmac::<Sha1>::new_from_slice(format!("{secret}&").as_bytes()).unwrap();
    mac.update(format!("POST&%2F&{}", encoded(&form(&parameters))).as_bytes());
    let signature = STANDARD.encode(mac.finalize().into_bytes());
    parameters.push(("Signature", &signature));
    let request = client().post(emulator.url());
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    let response = request.body(form(&parameters)).send().await.unwrap();
    let status = response.status().as_u16();
    (
        status,
        serde_json::from_str(&response.text().await.unwrap()).unwrap(),
    )
}
