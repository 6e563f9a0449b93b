//! Any reply, to every operation and every source of credentials: no panic, memory in proportion
//! to the reply, an error that keeps status and first bytes, and none that shows a secret.
//!
//! Pieces: a letter for who asks, then status, headers and body of one reply or several.

#![no_main]

use cloud_workflows::{
    Error, ErrorCode, ErrorKind, RetryPolicy,
    alibaba::{
        self, AssumeRole, AssumeRoleWithOidc, Credentials, CredentialsUri,
        DescribeExecutionRequest, EcsRamRole, StartExecutionRequest, StartSyncExecutionRequest,
    },
    fuzzing::World,
    huawei::{
        self, AccessKey, AssumeAgency, EcsMetadata, IamPassword, IdToken, OidcSts, PodIdentity,
        StartSyncWorkflowExecutionRequest, Token,
    },
};
use cloud_workflows_fuzz::{
    block_on, pieces,
    play::{Reply, words, world},
    within,
};
use serde_json::Value;

/// What a byte of a reply may cost: names of a JSON object, each with a place in a map.
const BYTES_PER_BYTE: usize = 64;
/// What any call costs.
const BYTES_PER_CALL: usize = 96 * 1024;

/// What a caller does with an answer, at the caller's expense.
type After = Box<dyn FnOnce()>;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let mut pieces = pieces(data);
    let Some(&[who]) = pieces.next() else { return };
    let pieces: Vec<&[u8]> = pieces.collect();
    let replies = pieces.chunks_exact(3).take(6);
    let replies = replies.map(|reply| Reply::of_pieces(reply[0], reply[1], reply[2]));
    let Some(replies) = replies.collect::<Option<Vec<Reply>>>() else {
        return;
    };
    if replies.is_empty() {
        return;
    }
    check(who, &replies);
});

fn check(who: u8, replies: &[Reply]) {
    let (world, sent) = world(replies.to_vec());
    let attempts = if replies.len() == 1 { 1 } else { 4 };
    let retry = RetryPolicy::default().max_attempts(attempts);
    let bytes: usize = replies.iter().map(|reply| reply.body.len()).sum();
    let allowed = BYTES_PER_CALL + BYTES_PER_BYTE * bytes;
    let Some(outcome) = within(allowed, || ask(who, &world, retry)) else {
        return;
    };
    let sent = sent.lock().expect("no panic").len();
    let error = match outcome {
        Ok(after) => return after(),
        Err(error) => error,
    };
    let words = words(&error);
    if let Some(code) = error.code() {
        assert_eq!(ErrorCode::from(code.as_str()), *code);
        assert_eq!(code.to_string(), code.as_str());
    }
    // An answer to the source of a credential; to a flow's caller, nothing in it is secret.
    let is_of_source = who.is_ascii_uppercase() && error.attempts() == 0;
    if let Some(secret) = replies
        .iter()
        .filter(|_| is_of_source)
        .find_map(only_secret)
    {
        assert!(!words.contains(&secret), "a secret is shown: {words}");
        let excerpt = String::from_utf8_lossy(error.body_excerpt().unwrap_or_default());
        assert!(!excerpt.contains(&secret), "a secret is kept: {excerpt}");
    }
    // The call's own reply, and no other, is what the error is about.
    let is_direct = who.is_ascii_lowercase() && replies.len() == 1;
    if !is_direct || sent == 0 {
        return;
    }
    let [reply] = replies else { return };
    assert_eq!(error.status(), Some(reply.status), "{words}");
    let first = &reply.body[..reply.body.len().min(256)];
    match error.body_excerpt() {
        Some(kept) => {
            let kept = std::str::from_utf8(kept).expect("an excerpt is words");
            assert!(kept.len() <= 256);
            let text = String::from_utf8_lossy(&reply.body);
            let text = text.trim_start_matches('\u{feff}');
            let is_utf16 = matches!(
                reply.body[..],
                [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [b'{', 0, ..] | [0, b'{', ..]
            );
            assert!(is_utf16 || kept.contains("[hidden]") || text.starts_with(kept));
        }
        // Of a 2xx there are no words: what could not be read is data.
        None => assert!(
            first.is_empty()
                || reply.status.is_success()
                || words.contains("[hidden]")
                || echoes(&reply.body),
            "{words}"
        ),
    }
    if error.kind() == ErrorKind::Decode {
        assert!(reply.status.is_success());
    }
}

/// Whether a body may repeat what was signed: of such a one nothing is kept.
fn echoes(body: &[u8]) -> bool {
    let text = match serde_json::from_slice::<Value>(body) {
        Ok(value) => value.to_string(),
        Err(_) => String::from_utf8_lossy(body).into_owned(),
    };
    let text = text.to_ascii_lowercase();
    [
        "%2f&",
        "x-sdk-date",
        "sdk-hmac",
        "signaturedoesnotmatch",
        "verify aksk signature fail",
        "canonicalrequest",
    ]
    .iter()
    .any(|sign| text.contains(sign))
}

/// A secret of a 2xx reply, where it stands nowhere else.
fn only_secret(reply: &Reply) -> Option<String> {
    fn find(value: &Value) -> Option<&str> {
        const NAMES: [&str; 8] = [
            "AccessKeySecret",
            "SecurityToken",
            "secret",
            "secretAccessKey",
            "secret_access_key",
            "securitytoken",
            "securityToken",
            "security_token",
        ];
        let members = value.as_object()?;
        let own = NAMES.iter().find_map(|name| members.get(*name)?.as_str());
        own.or_else(|| members.values().find_map(find))
    }
    if !reply.status.is_success() {
        return None;
    }
    let body: Value = serde_json::from_slice(&reply.body).ok()?;
    let secret = find(&body)?;
    // No word that messages are made of.
    let is_marked = secret.len() >= 8
        && secret.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && secret.bytes().any(|byte| byte.is_ascii_digit());
    let body = std::str::from_utf8(&reply.body).ok()?;
    let headers = format!("{:?}", reply.headers);
    let is_alone = body.matches(secret).count() == 1 && !headers.contains(secret);
    (is_marked && is_alone).then(|| secret.to_owned())
}

/// Makes the call; in capitals where the first replies are for the source of its credential.
fn ask(who: u8, world: &World, retry: RetryPolicy) -> Option<Result<After, Error>> {
    let key = || Credentials::new("id", "secret");
    let iam = || IamPassword::new("domain", "user", "password");
    for (variable, value) in [
        ("ALIBABA_CLOUD_CREDENTIALS_URI", "http://127.0.0.1/key"),
        ("HC_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1/key"),
        ("HC_CONTAINER_AUTHORIZATION_TOKEN_FILE", "/test-home/token"),
    ] {
        world.set(variable, value);
    }
    world.write("~/token", b"token");
    let rpc = |source: Box<dyn FnOnce(alibaba::ClientBuilder) -> alibaba::ClientBuilder>| {
        let builder = source(alibaba::Client::builder().region("cn-hangzhou"));
        world
            .alibaba(builder.retry(retry))
            .build()
            .expect("a client")
    };
    let rest = |source: Box<dyn FnOnce(huawei::ClientBuilder) -> huawei::ClientBuilder>| {
        let builder = source(huawei::Client::builder().region("cn-north-4"));
        world
            .huawei(builder.retry(retry))
            .build()
            .expect("a client")
    };
    block_on(async {
        let named = StartExecutionRequest::new("f")
            .execution_name("n")
            .input_json("{}");
        let unnamed = StartExecutionRequest::new("f").input_json("{}");
        let sync = StartSyncExecutionRequest::new("f");
        let describe = DescribeExecutionRequest::new("f", "n");
        let workflow = StartSyncWorkflowExecutionRequest::new("w").input_json("{}");
        let rpc_client = match who {
            b'a'..=b'd' => rpc(Box::new(|b| b.credentials(key()))),
            b'A' => rpc(Box::new(|b| b.credentials(AssumeRole::new(key(), "arn")))),
            b'B' => rpc(Box::new(|b| {
                b.credentials(AssumeRoleWithOidc::new("arn", "idp", "/test-home/token"))
            })),
            b'C' => rpc(Box::new(|b| {
                b.credentials(EcsRamRole::new().role_name("role"))
            })),
            b'D' => rpc(Box::new(|b| b.credentials(EcsRamRole::new()))),
            b'E' => rpc(Box::new(|b| b.credentials(CredentialsUri::from_env()))),
            _ => {
                let rest_client = match who {
                    b'e' => rest(Box::new(|b| b.project_id("p").credentials(Token::new("t")))),
                    b'f' => rest(Box::new(|b| {
                        b.project_id("p").credentials(AccessKey::new("a", "s"))
                    })),
                    b'I' => rest(Box::new(|b| b.credentials(iam()))),
                    b'J' => rest(Box::new(|b| b.credentials(AccessKey::new("a", "s")))),
                    b'K' => rest(Box::new(|b| {
                        b.project_id("p").credentials(OidcSts::new(
                            "urn",
                            "urn",
                            "/test-home/token",
                        ))
                    })),
                    b'L' => rest(Box::new(|b| {
                        b.project_id("p")
                            .credentials(IdToken::new("idp", "/test-home/token"))
                    })),
                    b'M' => rest(Box::new(|b| {
                        b.project_id("p").credentials(PodIdentity::from_env())
                    })),
                    b'N' => rest(Box::new(|b| {
                        b.project_id("p").credentials(EcsMetadata::new())
                    })),
                    b'O' => rest(Box::new(|b| {
                        b.project_id("p")
                            .credentials(AssumeAgency::new(iam(), "agency", "domain"))
                    })),
                    _ => return None,
                };
                let call = rest_client.start_sync_workflow_execution(workflow);
                let done = call.send_for_response().await;
                return Some(done.map(|done| -> After {
                    Box::new(move || {
                        serde_json::to_string(done.value()).expect("JSON");
                        drop((
                            format!("{done:?}"),
                            done.into_value().into_output::<Value>(),
                        ));
                    })
                }));
            }
        };
        Some(match who {
            b'a' => rpc_client
                .start_execution(named)
                .send()
                .await
                .map(|done| -> After {
                    Box::new(move || {
                        serde_json::to_string(&done).expect("JSON");
                    })
                }),
            b'b' => rpc_client
                .start_execution(unnamed)
                .send()
                .await
                .map(|done| -> After {
                    Box::new(move || {
                        serde_json::to_string(&done).expect("JSON");
                    })
                }),
            b'c' => rpc_client
                .describe_execution(describe)
                .send()
                .await
                .map(|done| -> After {
                    Box::new(move || {
                        serde_json::to_string(&done).expect("JSON");
                        drop(done.into_output::<Value>());
                    })
                }),
            _ => rpc_client
                .start_sync_execution(sync)
                .send()
                .await
                .map(|done| -> After {
                    Box::new(move || {
                        serde_json::to_string(&done).expect("JSON");
                        drop((format!("{done:?}"), done.into_output::<Value>()));
                    })
                }),
        })
    })
}
