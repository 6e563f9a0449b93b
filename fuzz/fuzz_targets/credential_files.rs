//! Any credentials file, any variables: no panic, no secret in an error, no program run, and the
//! key that a plain reading of an ini file finds.
//!
//! Pieces: a letter for the source, the file (or lines of `NAME=value`), and what a program prints
//! or a token file holds.

#![no_main]

use bytes::Bytes;
use cloud_workflows::{
    Error,
    alibaba::{self, CliProfile, IniProfile, StartSyncExecutionRequest},
    fuzzing::{Play, World},
    huawei::{self, Profile, StartSyncWorkflowExecutionRequest},
};
use cloud_workflows_fuzz::{WALL, block_on, naive, pieces, play::words};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::Value;
use std::sync::{Arc, Mutex};

type Log = Arc<Mutex<Vec<String>>>;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let mut pieces = pieces(data);
    let (Some(&[source]), Some(file), Some(printed)) =
        (pieces.next(), pieces.next(), pieces.next())
    else {
        return;
    };
    let (world, keys) = world();
    world.write("~/printed", printed);
    world.write("~/token", printed);
    let outcome = match source {
        b'c' => {
            world.write("~/.aliyun/config.json", file);
            let builder = alibaba::Client::builder().region("cn-hangzhou");
            start_sync(world.alibaba(builder.credentials(CliProfile::new())))
        }
        b'i' => {
            world.write("~/.alibabacloud/credentials", file);
            let builder = alibaba::Client::builder().region("cn-hangzhou");
            start_sync(world.alibaba(builder.credentials(IniProfile::new())))
        }
        b'h' => {
            world.write("~/.huaweicloud/credentials", file);
            let builder = huawei::Client::builder()
                .region("cn-north-4")
                .project_id("p");
            start_workflow(world.huawei(builder.credentials(Profile::new())))
        }
        b'e' | b'f' => {
            let Ok(lines) = std::str::from_utf8(file) else {
                return;
            };
            for line in lines.split('\n') {
                // The system takes no others.
                if let Some((name, value)) = line.split_once('=').filter(|_| !line.contains('\0'))
                    && name != "HOME"
                {
                    world.set(name, value);
                }
            }
            match source {
                b'e' => start_sync(world.alibaba_from_env()),
                _ => start_workflow(world.huawei_from_env()),
            }
        }
        _ => return,
    };
    let text = String::from_utf8_lossy(file);
    if let Err(error) = &outcome {
        let words = words(error);
        for secret in secrets(source, &text) {
            assert!(!words.contains(&secret), "a secret is shown: {words}");
        }
    }
    let used = keys.lock().expect("no panic").last().cloned();
    if let Some((section, kind, id)) = plain_key(source, &text) {
        match outcome {
            // A source of one key signs with that key.
            Ok(()) if kind != "role" => assert_eq!(used, Some(id), "[{section}]"),
            _ => {}
        }
    }
});

/// A world in which every service answers, and the ids of the keys that signed calls of a flow.
fn world() -> (World, Log) {
    let keys = Log::default();
    let log = Arc::clone(&keys);
    let world = World::new(*WALL, move |_, url, headers, body| {
        let mut parameters = naive::pairs(url.query().unwrap_or_default());
        parameters.extend(naive::pairs(std::str::from_utf8(body).unwrap_or_default()));
        let id = parameters.iter().find(|(name, _)| name == b"AccessKeyId");
        let id = id.map(|(_, id)| String::from_utf8_lossy(id).into_owned());
        let id = id.or_else(|| {
            let signed = headers.get("authorization")?.to_str().ok()?;
            let (_, rest) = signed.split_once("Access=")?;
            Some(rest.split_once(", SignedHeaders=")?.0.to_owned())
        });
        log.lock().expect("no panic").extend(id);
        let mut headers = HeaderMap::new();
        headers.insert("x-subject-token", HeaderValue::from_static("subject"));
        Play::Reply(
            StatusCode::OK,
            headers,
            Bytes::from_static(ANSWER.as_bytes()),
        )
    });
    (world, keys)
}

/// What all services together answer.
const ANSWER: &str = r#"{"Status": "Succeeded", "status": "success", "Code": "Success",
    "AccessKeyId": "STS.id", "AccessKeySecret": "s", "SecurityToken": "t",
    "Expiration": "2026-11-22T13:00:00Z",
    "Credentials": {"AccessKeyId": "STS.id", "AccessKeySecret": "s", "SecurityToken": "t",
        "Expiration": "2026-11-22T13:00:00Z"},
    "credential": {"access": "a", "secret": "s", "securitytoken": "t",
        "expires_at": "2026-11-22T13:00:00Z"},
    "token": {"expires_at": "2026-11-22T13:00:00Z", "project": {"id": "p"}},
    "projects": [{"id": "p"}]}"#;

fn start_sync(builder: alibaba::ClientBuilder) -> Result<(), Error> {
    let client = builder.build()?;
    let request = StartSyncExecutionRequest::new("f");
    block_on(client.start_sync_execution(request).send()).map(drop)
}

fn start_workflow(builder: huawei::ClientBuilder) -> Result<(), Error> {
    let client = builder.build()?;
    let request = StartSyncWorkflowExecutionRequest::new("w");
    block_on(client.start_sync_workflow_execution(request).send()).map(drop)
}

/// Section, kind and id of the key in an ini file, read plainly.
fn plain_key(source: u8, text: &str) -> Option<(String, &'static str, String)> {
    let (section, id) = match source {
        b'i' => ("default", "access_key_id"),
        b'h' => ("basic", "ak"),
        _ => return None,
    };
    let sections = naive::ini(text, source == b'i');
    let (_, keys) = sections.into_iter().find(|(name, _)| name == section)?;
    let value = |name: &str| {
        let found = keys.iter().find(|(key, _)| key == name);
        found
            .map(|(_, value)| value.clone())
            .filter(|value| !value.is_empty())
    };
    let is_role = match source {
        b'i' => value("type")? != "access_key",
        _ => value("idp_id").is_some() && value("id_token_file").is_some(),
    };
    let kind = if is_role { "role" } else { "key" };
    Some((section.to_owned(), kind, value(id)?))
}

/// Values under the names of secrets that stand nowhere else in the file.
fn secrets(source: u8, text: &str) -> Vec<String> {
    fn collect(value: &Value, into: &mut Vec<String>) {
        match value {
            Value::Object(members) => {
                for (name, value) in members {
                    match value.as_str() {
                        Some(value) if is_secret(name) => into.push(value.to_owned()),
                        _ => collect(value, into),
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| collect(item, into)),
            _ => {}
        }
    }
    let mut secrets = Vec::new();
    match source {
        b'c' => {
            let value = serde_json::from_str(text).unwrap_or_default();
            collect(&value, &mut secrets);
        }
        b'i' | b'h' => {
            for (_, keys) in naive::ini(text, source == b'i') {
                let keys = keys.into_iter().filter(|(name, _)| is_secret(name));
                secrets.extend(keys.map(|(_, value)| value));
            }
        }
        _ => {
            for line in text.split('\n') {
                if let Some((name, value)) = line.split_once('=')
                    && is_secret(name)
                {
                    secrets.push(value.to_owned());
                }
            }
        }
    }
    secrets.retain(|secret| {
        secret.len() >= 8
            && secret.bytes().all(|byte| byte.is_ascii_alphanumeric())
            && text.matches(secret.as_str()).count() == 1
            // No word that messages are made of.
            && secret.bytes().any(|byte| byte.is_ascii_digit())
    });
    secrets
}

fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    [
        "secret",
        "sts_token",
        "security_token",
        "password",
        "_sk",
        "auth_token",
        "oidc_id_token",
    ]
    .iter()
    .any(|part| name.ends_with(part))
        || name == "sk"
}
