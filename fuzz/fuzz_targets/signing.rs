//! What is signed, and how, of any texts: against the rules written once more.
//!
//! Pieces: `v`, secret, method, then names and values (signature v1 alone); `s`, method, path,
//! query, body, then header names and values (canonical request of SDK-HMAC-SHA256 alone); `a` and
//! `h`, the fields of a call of each cloud's client, whose request is taken apart.

#![no_main]

use std::collections::BTreeMap;

use cloud_workflows::{
    ErrorKind,
    alibaba::{self, Credentials, DescribeExecutionRequest, StartExecutionRequest},
    fuzzing::{canonical_request, percent_encoded, signature_v1},
    huawei::{self, AccessKey, StartSyncWorkflowExecutionRequest},
};
use cloud_workflows_fuzz::{
    block_on, naive,
    play::{Reply, Request, world},
    texts,
};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some(texts) = texts(data) else { return };
    match texts.split_first() {
        Some((&"v", [secret, method, parameters @ ..])) => v1(secret, method, parameters),
        Some((&"s", [method, path, query, body, headers @ ..])) => {
            sdk(method, path, query, body, headers);
        }
        Some((&"a", [id, secret, token, flow, name, text, qualifier])) => {
            alibaba([id, secret, token, flow, name, text, qualifier]);
        }
        Some((&"h", [id, secret, token, project, workflow, header, text])) => {
            huawei([id, secret, token, project, workflow, header, text]);
        }
        _ => {}
    }
});

fn v1(secret: &str, method: &str, parameters: &[&str]) {
    let mut sorted = BTreeMap::new();
    for pair in parameters
        .chunks_exact(2)
        .filter(|pair| pair[0] != "Signature")
    {
        sorted.insert(pair[0], pair[1]);
    }
    let mut encoded = Vec::new();
    let mut plain = Vec::new();
    for (name, value) in sorted {
        for text in [name, value] {
            assert_eq!(percent_encoded(text), naive::encode(text.as_bytes()));
            assert_eq!(naive::decode(&percent_encoded(text)), text.as_bytes());
        }
        encoded.push((percent_encoded(name), percent_encoded(value)));
        plain.push((name.into(), value.into()));
    }
    assert_eq!(
        signature_v1(secret, method, &encoded),
        naive::signature_v1(secret, method, &plain)
    );
}

fn sdk(method: &str, path: &str, query: &str, body: &str, lines: &[&str]) {
    let mut headers = HeaderMap::new();
    let mut signed = Vec::new();
    for pair in lines.chunks_exact(2) {
        let name = HeaderName::from_bytes(pair[0].as_bytes());
        let value = HeaderValue::from_bytes(pair[1].as_bytes());
        if let (Ok(name), Ok(value)) = (name, value) {
            if name != "authorization" && !name.as_str().contains('_') {
                signed.push((name.to_string(), pair[1].to_owned()));
            }
            headers.append(name, value);
        }
    }
    assert_eq!(
        canonical_request(method, path, query, &headers, body.as_bytes()),
        naive::canonical_request(method, path, query, &signed, body.as_bytes())
    );
}

fn alibaba([id, secret, token, flow, name, text, qualifier]: [&str; 7]) {
    let (world, sent) = world(vec![Reply::ok(r#"{"Status":"Running"}"#)]);
    let mut key = Credentials::new(id, secret);
    if !token.is_empty() {
        key = key.security_token(token);
    }
    let client = world.alibaba(
        alibaba::Client::builder()
            .region("cn-hangzhou")
            .credentials(key),
    );
    let client = client.build().expect("a client");
    let input = json!({ text: [text, 1.5, null] }).to_string();
    let request = StartExecutionRequest::new(flow)
        .execution_name(name)
        .input_json(input.as_str())
        .callback_fnf_task_token(text)
        .qualifier(qualifier);
    let read = DescribeExecutionRequest::new(flow, text).wait_time_seconds(7);
    let (started, described) = block_on(async {
        let started = client.start_execution(request).send().await;
        (started, client.describe_execution(read).send().await)
    });

    let keys = [id, secret].into_iter().all(naive::is_visible)
        && (token.is_empty() || naive::is_visible(token));
    let mut sent = std::mem::take(&mut *sent.lock().expect("no panic")).into_iter();
    for (outcome, is_form_right, method, own) in [
        (
            started.map(drop),
            naive::is_name(flow) && naive::is_name(name),
            "POST",
            vec![
                ("Action", "StartExecution"),
                ("CallbackFnFTaskToken", text),
                ("ExecutionName", name),
                ("FlowName", flow),
                ("Input", &input),
                ("Qualifier", qualifier),
            ],
        ),
        (
            described.map(drop),
            naive::is_name(flow) && !text.is_empty(),
            "GET",
            vec![
                ("Action", "DescribeExecution"),
                ("ExecutionName", text),
                ("FlowName", flow),
                ("WaitTimeSeconds", "7"),
            ],
        ),
    ] {
        match outcome {
            Ok(()) => assert!(is_form_right && keys),
            Err(error) if !is_form_right => {
                assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{error}");
                continue;
            }
            Err(error) => {
                assert!(!keys, "{error}");
                assert_eq!(error.kind(), ErrorKind::Credentials, "{error}");
                continue;
            }
        }
        let request = sent.next().expect("a request");
        assert_eq!(request.method, method);
        check_v1(&request, secret, [id, token], own);
    }
    assert!(sent.next().is_none(), "nothing else is sent");
}

/// Every parameter is there once and as it was given, and the signature is over all of them.
fn check_v1(request: &Request, secret: &str, key: [&str; 2], own: Vec<(&str, &str)>) {
    let body = std::str::from_utf8(&request.body).expect("a text");
    let parameters = naive::pairs(match request.method.as_str() {
        "GET" => request.url.query().expect("a query"),
        _ => body,
    });
    let all: BTreeMap<Vec<u8>, Vec<u8>> = parameters.iter().cloned().collect();
    assert_eq!(all.len(), parameters.len(), "no parameter is there twice");
    let mut expected: BTreeMap<&str, &str> = own.into_iter().collect();
    expected.extend([
        ("AccessKeyId", key[0]),
        ("Format", "JSON"),
        ("SignatureMethod", "HMAC-SHA1"),
        ("SignatureVersion", "1.0"),
        ("Timestamp", "2026-11-22T12:00:00Z"),
        ("Version", "2019-03-15"),
    ]);
    if !key[1].is_empty() {
        expected.insert("SecurityToken", key[1]);
    }
    for (name, value) in &expected {
        assert_eq!(
            all.get(name.as_bytes()).map(Vec::as_slice),
            Some(value.as_bytes()),
            "{name}"
        );
    }
    assert_eq!(
        all.len(),
        expected.len() + 2,
        "and the nonce and the signature"
    );
    let signature = naive::signature_v1(secret, request.method.as_str(), &parameters);
    assert_eq!(all[b"Signature".as_slice()], signature.as_bytes());
}

fn huawei([id, secret, token, project, workflow, header, text]: [&str; 7]) {
    let (world, sent) = world(vec![Reply::ok(r#"{"status":"success"}"#)]);
    let mut key = AccessKey::new(id, secret);
    if !token.is_empty() {
        key = key.security_token(token);
    }
    let builder = huawei::Client::builder()
        .region("cn-north-4")
        .project_id(project);
    // White space around it is left out. It is a header as well.
    let project = project.trim();
    let is_project = naive::is_segment(project, 64) && naive::is_visible(project);
    let client = match world.huawei(builder.credentials(key)).build() {
        Ok(client) => client,
        Err(error) => {
            assert!(!is_project, "{error}");
            return;
        }
    };
    assert!(is_project);
    let input = json!({ text: text });
    let request = StartSyncWorkflowExecutionRequest::new(workflow)
        .header(header, text)
        .input_json(input.to_string());
    let outcome = block_on(client.start_sync_workflow_execution(request).send());

    let keys = [id, secret].into_iter().all(naive::is_visible)
        && (token.is_empty() || naive::is_visible(token));
    let is_form_right = naive::is_segment(workflow, 512) && keys;
    let sent = std::mem::take(&mut *sent.lock().expect("no panic"));
    if let Err(error) = outcome {
        assert!(!is_form_right, "{error}");
        assert!(sent.is_empty(), "nothing is sent");
        return;
    }
    assert!(is_form_right);
    let [request] = &sent[..] else {
        panic!("one request is sent")
    };
    let path = format!(
        "/v2/{}/fgs/workflows/{}/sync-executions",
        naive::encode(project.as_bytes()).replace('.', "%2E"),
        naive::encode(workflow.as_bytes()).replace('.', "%2E"),
    );
    assert_eq!(request.url.path(), path);
    assert_eq!(request.url.query(), None);
    let body: Value = serde_json::from_slice(&request.body).expect("JSON");
    assert_eq!(body, json!({"headers": {header: text}, "input": input}));

    let signed: Vec<(String, String)> = request
        .headers
        .iter()
        .filter(|(name, _)| *name != "authorization")
        .map(|(name, value)| (name.to_string(), value.to_str().expect("a text").to_owned()))
        .collect();
    let mut names: Vec<&str> = signed.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    let mut expected = vec!["content-type", "host", "x-project-id", "x-sdk-date"];
    if !token.is_empty() {
        assert_eq!(request.header("x-security-token"), token);
        expected.push("x-security-token");
    }
    expected.sort_unstable();
    assert_eq!(names, expected);
    assert_eq!(
        request.header("host"),
        "functiongraph.cn-north-4.myhuaweicloud.com"
    );
    assert_eq!(request.header("x-sdk-date"), "20261122T120000Z");
    assert_eq!(request.header("x-project-id"), project);
    let canonical = naive::canonical_request("POST", &path, "", &signed, &request.body);
    let signature = naive::signature_sdk(secret, &canonical, "20261122T120000Z");
    assert_eq!(
        request.header("authorization"),
        format!(
            "SDK-HMAC-SHA256 Access={id}, SignedHeaders={}, Signature={signature}",
            names.join(";")
        )
    );
}
