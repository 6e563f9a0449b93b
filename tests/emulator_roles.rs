//! Roles of the emulator: keys that STS gives out, for a key, for another role, for a token.
#![cfg(feature = "alibaba")]
#![expect(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::{path::PathBuf, time::Duration};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use cloud_workflows::{
    Error, ErrorKind, ProvideCredential,
    alibaba::{AssumeRole, AssumeRoleWithOidc, Client, Credentials, StartExecutionRequest},
    emulator::{Emulator, Quirks},
};
use serde_json::{Value, json};

const FIRST: &str = "acs:ram::1234567890123456:role/first";
const SECOND: &str = "acs:ram::1234567890123456:role/second";
const PROVIDER: &str = "acs:ram::1234567890123456:oidc-provider/idp";

fn emulator() -> Emulator {
    let emulator = Emulator::start().unwrap();
    emulator.standard("f", |input: Value| Ok(input));
    emulator
}

fn key(emulator: &Emulator) -> Credentials {
    let (id, secret) = emulator.access_key();
    Credentials::new(id, secret)
}

fn client(emulator: &Emulator, source: impl ProvideCredential<Credentials>) -> Client {
    emulator.alibaba().credentials(source).build().unwrap()
}

async fn start(client: &Client) -> Result<(), Error> {
    let request = StartExecutionRequest::new("f");
    client.start_execution(request).send().await.map(drop)
}

fn operations(emulator: &Emulator) -> Vec<String> {
    let requests = emulator.requests().into_iter();
    requests.map(|request| request.operation).collect()
}

/// A file that is removed at the end.
struct TokenFile(PathBuf);

impl TokenFile {
    fn new(name: &str, token: &str) -> Self {
        let path = std::env::temp_dir().join(format!("{name}-{}", std::process::id()));
        std::fs::write(&path, token).unwrap();
        Self(path)
    }
}

impl Drop for TokenFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn jwt(claims: &Value) -> String {
    format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims.to_string()))
}

#[tokio::test]
async fn a_role_of_a_role_signs() {
    let emulator = emulator();
    let first = AssumeRole::new(key(&emulator), FIRST);
    let client = client(
        &emulator,
        AssumeRole::new(first, SECOND).session_name("chained"),
    );
    start(&client).await.unwrap();
    start(&client).await.unwrap();
    let wanted = [
        "AssumeRole",
        "AssumeRole",
        "StartExecution",
        "StartExecution",
    ];
    assert_eq!(operations(&emulator), wanted);
    // The second role was taken on with the key of the first, the call signed with the second's.
    let signed_by = |index: usize| {
        let form = emulator.requests()[index].body.clone();
        let pairs = url_pairs(std::str::from_utf8(&form).unwrap());
        pairs
            .into_iter()
            .find(|(name, _)| name == "AccessKeyId")
            .unwrap()
            .1
    };
    assert_eq!(signed_by(0), emulator.access_key().0);
    assert!(signed_by(1).starts_with("STS."));
    assert!(signed_by(2).starts_with("STS."));
    assert_ne!(signed_by(1), signed_by(2));
}

fn url_pairs(form: &str) -> Vec<(String, String)> {
    let pairs = form.split('&').filter_map(|pair| pair.split_once('='));
    pairs
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

#[tokio::test]
async fn keys_that_expired_are_renewed_unnoticed() {
    let emulator = emulator();
    let role = AssumeRole::new(key(&emulator), FIRST).duration_seconds(900);
    let client = client(&emulator, role);
    for _ in 0..4 {
        start(&client).await.unwrap();
        emulator.advance(Duration::from_secs(16 * 60));
    }
    let assumed = operations(&emulator);
    let assumed = assumed
        .iter()
        .filter(|operation| *operation == "AssumeRole");
    assert!(assumed.count() >= 4);
    emulator.expire_role_keys();
    start(&client).await.unwrap();
}

#[tokio::test]
async fn a_token_gives_a_role_unsigned() {
    let emulator = emulator();
    let token = jwt(&json!({"sub": "pod", "iss": "idp", "exp": 4_102_444_800_i64}));
    let file = TokenFile::new("cloud-workflows-oidc", &token);
    let client = client(&emulator, AssumeRoleWithOidc::new(FIRST, PROVIDER, &file.0));
    start(&client).await.unwrap();
    assert_eq!(
        operations(&emulator),
        ["AssumeRoleWithOIDC", "StartExecution"]
    );
    let request = emulator.requests().remove(0);
    let sent = format!(
        "{}{}",
        request.query,
        String::from_utf8_lossy(&request.body)
    );
    assert!(
        sent.contains("OIDCToken=") && !sent.contains("Signature"),
        "{sent}"
    );
    assert!(!sent.contains("AccessKeyId"));
}

#[tokio::test]
async fn a_token_whose_time_is_over_gives_none() {
    let emulator = emulator();
    let file = TokenFile::new(
        "cloud-workflows-oidc-old",
        &jwt(&json!({"exp": 1_000_000_000})),
    );
    let client = client(&emulator, AssumeRoleWithOidc::new(FIRST, PROVIDER, &file.0));
    let error = start(&client).await.unwrap_err();
    let code = error.code().unwrap().as_str().to_owned();
    assert_eq!(code, "AuthenticationFail.OIDCToken.Expired");
}

#[tokio::test]
async fn roles_are_refused_with_the_services_codes() {
    let refused = async |role: AssumeRole, quirks: Quirks, emulator: &Emulator| {
        emulator.quirks(quirks);
        let error = start(&client(emulator, role)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Credentials);
        (
            error.status().unwrap().as_u16(),
            error.code().unwrap().as_str().to_owned(),
        )
    };
    let emulator = emulator();
    let role = |arn: &str| AssumeRole::new(key(&emulator), arn);
    let off = Quirks::default;
    let cases = [
        (role("first"), off(), (400, "InvalidParameter.RoleArn")),
        (
            role(FIRST).policy("no JSON"),
            off(),
            (400, "InvalidParameter.PolicyGrammar"),
        ),
        (
            role(FIRST).session_name("a b"),
            off(),
            (400, "InvalidParameter.RoleSessionName"),
        ),
        (
            role(FIRST).duration_seconds(43_201),
            off(),
            (400, "InvalidParameter.DurationSeconds"),
        ),
        (
            role(FIRST),
            Quirks {
                roles: [SECOND.to_owned()].into(),
                ..off()
            },
            (404, "EntityNotExist.Role"),
        ),
        (
            role(FIRST),
            Quirks {
                deny: ["sts:AssumeRole".to_owned()].into(),
                ..off()
            },
            (403, "NoPermission"),
        ),
        (
            AssumeRole::new(Credentials::new("nobody", "secret"), FIRST),
            off(),
            (403, "InvalidAccessKeyID"),
        ),
    ];
    for (role, quirks, (status, code)) in cases {
        let told = refused(role, quirks, &emulator).await;
        assert_eq!(told, (status, code.to_owned()));
    }
    assert_eq!(emulator.runs("f"), 0);
}
