//! What holds for every text, not only for those that somebody thought of.
//!
//! The cases are the same at every run. `PROPTEST_RNG_SEED` gives others, `PROPTEST_CASES` more.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    fmt::Debug,
    sync::{Arc, Mutex},
};

use chrono::{DateTime, SecondsFormat};
use cloud_workflows::{
    Error, ErrorCode, ErrorKind, Payload, Secret,
    alibaba::{
        self, AssumeRole, Credentials, CredentialsUri, DescribeExecutionRequest,
        StartExecutionRequest, StartSyncExecutionRequest,
    },
    emulator::{Emulator, Fault},
    huawei::{self, AccessKey, IamPassword, PodIdentity, StartSyncWorkflowExecutionRequest, Token},
};
use proptest::{
    collection::vec,
    prelude::*,
    string::string_regex,
    test_runner::{Config, RngSeed, TestRunner},
};
use serde_json::{Map, Value, json, value::RawValue};
use tokio::runtime::Runtime;

/// Runs a property on this many cases.
fn for_all<S: Strategy>(
    cases: u32,
    strategy: S,
    property: impl Fn(S::Value) -> Result<(), TestCaseError>,
) {
    let mut config = Config::default();
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = cases;
    }
    if config.rng_seed == RngSeed::Random {
        config.rng_seed = RngSeed::Fixed(20_190_315);
    }
    config.failure_persistence = None;
    let run = TestRunner::new(config).run(&strategy, property);
    run.unwrap_or_else(|failure| panic!("{failure}"));
}

/// Any text: control characters and all planes, mostly short.
fn text() -> impl Strategy<Value = String> {
    let short = vec(any::<char>(), 0..40).prop_map(String::from_iter);
    let ascii = string_regex("[ -~]{0,60}").unwrap();
    let long = (any::<char>(), 1..8_000usize).prop_map(|(c, n)| String::from_iter(vec![c; n]));
    prop_oneof![6 => short, 3 => ascii, 1 => long]
}

/// A name that CloudFlow takes, or any text.
fn name() -> impl Strategy<Value = String> {
    prop_oneof![3 => string_regex("[A-Za-z_][A-Za-z0-9_-]{0,127}").unwrap(), 1 => text()]
}

fn is_name(text: &str) -> bool {
    let mut characters = text.chars();
    let first = characters.next();
    text.len() <= 128
        && first.is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && characters.all(|c| c.is_ascii_alphanumeric() || "_-".contains(c))
}

/// The text of a JSON value, spaced and escaped in ways that no serialiser would choose.
fn json_text() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        text().prop_map(|text| serde_json::to_string(&text).unwrap()),
        string_regex(r#""(\\u[0-9aA]{3}1|\\/|é)*""#).unwrap(),
        string_regex("-?(0|[1-9][0-9]{0,40})(\\.[0-9]{1,20})?([eE][+-]?[0-9])?").unwrap(),
        Just("null".to_owned()),
        Just("true".to_owned()),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        let spaced = || string_regex("[ \t\r\n]{0,2}").unwrap();
        let item = (spaced(), inner.clone(), spaced()).prop_map(|(a, text, b)| a + &text + &b);
        let items = vec(item, 1..4).prop_map(|items| format!("[{}]", items.join(",")));
        prop_oneof![items, object_of(inner)]
    })
}

fn object_of(inner: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    let space = string_regex("[ \t\r\n]{0,2}").unwrap();
    vec((text(), space, inner), 0..4).prop_map(|members| {
        let members = members.into_iter().enumerate();
        let members = members.map(|(i, (key, space, value))| {
            // No name twice: what that means is not for us to say.
            let key = serde_json::to_string(&format!("{i}{key}")).unwrap();
            format!("{space}{key}{space}:{space}{value}{space}")
        });
        format!("{{{}}}", members.collect::<Vec<_>>().join(","))
    })
}

fn form(text: &str) -> Vec<(String, String)> {
    let pairs = url::form_urlencoded::parse(text.as_bytes());
    pairs.into_owned().collect()
}

/// Whether a call was refused here, for its form, and nothing was sent.
fn refused<T: Debug>(outcome: Result<T, Error>, emulator: &Emulator) -> bool {
    let error = outcome.unwrap_err();
    error.kind() == ErrorKind::InvalidRequest && emulator.requests().is_empty()
}

#[test]
fn every_text_reaches_cloud_flow_as_it_was() {
    let runtime = Runtime::new().unwrap();
    let emulator = Emulator::start().unwrap();
    let client = emulator.alibaba().build().unwrap();
    let cases = (name(), name(), object_of(json_text()), text(), text());
    for_all(300, cases, |(flow, name, input, token, qualifier)| {
        emulator.clear_requests();
        emulator.standard(&*flow, |input: Box<RawValue>| Ok(input));
        let request = StartExecutionRequest::new(&flow)
            .execution_name(&name)
            .input_json(&*input)
            .callback_fnf_task_token(&token)
            .qualifier(&qualifier);
        let started = runtime.block_on(client.start_execution(request).send());
        if !is_name(&flow) || !is_name(&name) {
            prop_assert!(refused(started, &emulator));
            return Ok(());
        }
        let started = started.unwrap();
        prop_assert_eq!(started.flow_name, Some(flow.clone()));
        prop_assert_eq!(started.name, Some(name.clone()));
        prop_assert_eq!(String::from(started.input.unwrap()), input.clone());
        // The emulator has no use for these two; they arrived all the same.
        let requests = emulator.requests();
        let sent = form(std::str::from_utf8(&requests[0].body).unwrap());
        for (field, text) in [("CallbackFnFTaskToken", &token), ("Qualifier", &qualifier)] {
            let pair = (field.to_owned(), text.clone());
            prop_assert!(sent.contains(&pair), "{} is not {:?}", field, text);
        }

        let request = DescribeExecutionRequest::new(&flow, &name).wait_time_seconds(60);
        let ended = runtime.block_on(client.describe_execution(request).send());
        let ended = ended.unwrap();
        prop_assert_eq!(String::from(ended.input.unwrap()), input.clone());
        prop_assert_eq!(String::from(ended.output.unwrap()), input.clone());
        Ok(())
    });
}

#[test]
fn every_text_comes_back_from_a_synchronous_flow_of_either_cloud() {
    let runtime = Runtime::new().unwrap();
    let emulator = Emulator::start().unwrap();
    emulator.express("express", |input: Box<RawValue>| Ok(input));
    let alibaba = emulator.alibaba().build().unwrap();
    let (id, secret) = emulator.huawei_key();
    let by_key = emulator.huawei().credentials(AccessKey::new(id, secret));
    let by_key = by_key.build().unwrap();
    let by_token = emulator.huawei().build().unwrap();
    let cases = (text(), object_of(json_text()), text());
    for_all(300, cases, |(workflow, input, header)| {
        let request = StartSyncExecutionRequest::new("express").input_json(&*input);
        let done = runtime.block_on(alibaba.start_sync_execution(request).send());
        prop_assert_eq!(String::from(done.unwrap().output.unwrap()), input.clone());

        emulator.workflow(&*workflow, |input: Box<RawValue>| Ok(input));
        let takes = (1..=512).contains(&workflow.chars().count())
            && !matches!(&*workflow, "." | "..")
            && !workflow.contains(|c: char| c == '/' || c == '\\' || c.is_control());
        for client in [&by_key, &by_token] {
            emulator.clear_requests();
            let request = StartSyncWorkflowExecutionRequest::new(&workflow)
                .input_json(&*input)
                .header(&header, &*header);
            let done = runtime.block_on(client.start_sync_workflow_execution(request).send());
            if !takes {
                prop_assert!(refused(done, &emulator));
                continue;
            }
            prop_assert_eq!(String::from(done.unwrap().output.unwrap()), input.clone());
            let sent = emulator.requests();
            let sent: Value = serde_json::from_slice(&sent.last().unwrap().body).unwrap();
            prop_assert_eq!(&sent["headers"], &json!({ &*header: header }));
        }
        Ok(())
    });
}

#[test]
fn every_code_is_printed_as_it_was_read() {
    let documented = ErrorCode::DOCUMENTED;
    let near = (0..documented.len(), text()).prop_map(|(at, tail)| {
        let code = documented[at].as_str();
        format!("{code}{}", tail.chars().take(1).collect::<String>())
    });
    for_all(5_000, prop_oneof![text(), near], |text| {
        let code = ErrorCode::from(&*text);
        prop_assert_eq!(code.as_str(), &text);
        prop_assert_eq!(code.to_string(), text.clone());
        prop_assert_eq!(text.parse::<ErrorCode>().unwrap(), code);
        Ok(())
    });
}

#[test]
fn a_payload_is_the_text_it_was_made_of() {
    for_all(5_000, text(), |text| {
        let payload = Payload::from_json(&*text);
        prop_assert_eq!(payload.as_str(), &text);
        prop_assert_eq!(
            format!("{payload:?}"),
            format!("Payload({} bytes)", text.len())
        );
        prop_assert_eq!(String::from(payload), text);
        Ok(())
    });
}

/// What is shown of a value that holds secrets is the same whatever they are.
#[test]
fn nothing_that_is_shown_depends_on_a_secret() {
    fn shown(secret: &str) -> Vec<String> {
        let key = Credentials::new(secret, secret);
        let temporary = key.clone().security_token(secret);
        let huawei_key = AccessKey::new(secret, secret);
        let role = AssumeRole::new(key.clone(), secret).external_id(secret);
        let builder = alibaba::Client::builder()
            .region("r")
            .credentials(key.clone());
        let client = builder.endpoint("http://127.0.0.1:1").build().unwrap();
        let builder = huawei::Client::builder().region("r");
        let builder = builder.credentials(IamPassword::new(secret, secret, secret));
        let request = StartExecutionRequest::new("f").callback_fnf_task_token(secret);
        let header = StartSyncWorkflowExecutionRequest::new("w").header("h", secret);
        [
            &Secret::new(secret) as &dyn Debug,
            &key,
            &temporary,
            &role,
            &CredentialsUri::new(secret),
            &client,
            &request,
            &huawei_key,
            &huawei_key.clone().security_token(secret),
            &Token::new(secret),
            &IamPassword::new(secret, secret, secret),
            &PodIdentity::new(secret, secret),
            &builder,
            &header,
        ]
        .into_iter()
        .map(|value| format!("{value:?} {value:#?}"))
        .collect()
    }
    let any_other = shown("another");
    for_all(200, text(), |secret| {
        prop_assert_eq!(shown(&secret), any_other.clone());
        Ok(())
    });
}

/// What a field of an answer holds.
#[derive(Clone, Copy, Debug)]
enum Field {
    /// A text, which may come as another scalar.
    Text,
    Time,
    /// JSON in a text, or as it is.
    JsonInText,
    Json,
    /// The name that was asked for, where there is one.
    Name,
    /// An object with `Variables`.
    Environment,
    /// A list of objects.
    Errors,
}

/// The execution that is started or asked for.
const NAME: &str = "an_execution";

const STARTED: &[(&str, Field)] = &[
    ("RequestId", Field::Text),
    ("FlowName", Field::Text),
    ("Name", Field::Name),
    ("Input", Field::JsonInText),
    ("Output", Field::JsonInText),
    ("FlowDefinition", Field::Text),
    ("StartedTime", Field::Time),
    ("StoppedTime", Field::Time),
];
const RAN: &[(&str, Field)] = &[
    ("RequestId", Field::Text),
    ("FlowName", Field::Text),
    ("Name", Field::Text),
    ("ErrorCode", Field::Text),
    ("ErrorMessage", Field::Text),
    ("Output", Field::JsonInText),
    ("StartedTime", Field::Time),
    ("StoppedTime", Field::Time),
    ("Environment", Field::Environment),
];
const DESCRIBED: &[(&str, Field)] = &[
    ("RequestId", Field::Text),
    ("FlowName", Field::Text),
    ("Name", Field::Name),
    ("Input", Field::JsonInText),
    ("Output", Field::JsonInText),
    ("FlowDefinition", Field::Text),
    ("StartedTime", Field::Time),
    ("StoppedTime", Field::Time),
    ("Environment", Field::Environment),
];
const WORKFLOW: &[(&str, Field)] = &[
    ("execution_id", Field::Text),
    ("output", Field::Json),
    ("errors", Field::Errors),
    ("begin_time", Field::Time),
    ("end_time", Field::Time),
];

/// A field as it is written, if it is, and as it is to be read, if anything is.
type Written = (Option<String>, Option<Value>);

/// Anything that may stand in a field's place, and what is to be read from it.
fn field(kind: Field) -> BoxedStrategy<Written> {
    let wrong = |text: &str| (Some(text.to_owned()), None);
    let nothing = prop_oneof![Just((None, None)), Just(wrong("null")),];
    let no_scalar = prop_oneof![
        Just(wrong(r#"{"a": [{}, 1]}"#)),
        Just(wrong(r#"["a", "b", "c", "d"]"#)),
        Just(wrong("[]")),
    ];
    let scalar = prop_oneof![
        any::<i64>().prop_map(|n| n.to_string()),
        Just(u64::MAX.to_string()),
        any::<bool>().prop_map(|flag| flag.to_string()),
        Just("1.5".to_owned()),
    ];
    let right = text().prop_filter("an empty text is none", |text| !text.is_empty());
    let right = right.boxed();
    match kind {
        Field::Text => {
            let right = right.prop_map(|text| (Some(json!(text).to_string()), Some(json!(text))));
            let scalar = scalar.prop_map(|text| (Some(text.clone()), Some(json!(text))));
            prop_oneof![3 => right, 1 => nothing, 1 => no_scalar, 1 => scalar, 1 => Just(wrong(r#""""#))].boxed()
        }
        Field::Name => {
            let right = Just((Some(json!(NAME).to_string()), Some(json!(NAME))));
            let number = any::<i64>();
            let number = number.prop_map(|n| (Some(n.to_string()), Some(json!(n.to_string()))));
            prop_oneof![3 => right, 1 => nothing, 1 => no_scalar, 1 => number, 1 => Just(wrong(r#""""#))].boxed()
        }
        Field::Time => {
            let time = (
                -62_000_000_000i64..250_000_000_000,
                0..3u32,
                0..1_000_000_000u32,
            );
            let right = time.prop_map(|(seconds, form, nanoseconds)| {
                let time = DateTime::from_timestamp(seconds, nanoseconds).unwrap();
                let written = match form {
                    0 => time.to_rfc3339_opts(SecondsFormat::AutoSi, true),
                    1 => time.to_rfc3339_opts(SecondsFormat::Nanos, false),
                    _ => time.format("%Y-%m-%d %H:%M:%S%.f").to_string(),
                };
                (Some(json!(written).to_string()), Some(json!(time)))
            });
            let scalar = scalar.prop_map(|text| (Some(text), None));
            let no_time = Just(wrong(r#""yesterday""#));
            prop_oneof![3 => right, 1 => nothing, 1 => no_scalar, 1 => scalar, 1 => no_time].boxed()
        }
        Field::JsonInText => {
            let right = right.prop_map(|text| (Some(json!(text).to_string()), Some(json!(text))));
            // Not in a text, as it should be, but as it is.
            let bare = json_text().prop_filter("a text is read as one", |text| {
                !text.starts_with('"') && text != "null"
            });
            let bare = bare.prop_map(|text| (Some(text.clone()), Some(json!(text))));
            prop_oneof![3 => right, 1 => nothing, 2 => bare].boxed()
        }
        Field::Json => {
            let right = json_text().prop_filter("null is none", |text| text != "null");
            let right = right.prop_map(|text| {
                let value = serde_json::from_str(&text).unwrap();
                (Some(text), Some(value))
            });
            prop_oneof![3 => right, 1 => nothing].boxed()
        }
        Field::Environment => {
            let right = vec((right.clone(), right), 0..3).prop_map(|variables| {
                let variables: Vec<Value> = variables
                    .iter()
                    .map(|(name, value)| json!({"Name": name, "Value": value}))
                    .collect();
                let environment = json!({"Variables": variables});
                (Some(environment.to_string()), Some(environment))
            });
            let scalar = scalar.prop_map(|text| (Some(text), None));
            let list = Just(wrong(r#"[{"Name": "a"}]"#));
            prop_oneof![3 => right, 1 => nothing, 1 => scalar, 1 => list].boxed()
        }
        Field::Errors => {
            let right = vec((right.clone(), right), 1..3).prop_map(|nodes| {
                let written: Vec<Value> = nodes
                    .iter()
                    .map(|(id, message)| json!({"node_id": id, "error_message": message, "x": 1}))
                    .collect();
                let read: Vec<Value> = nodes
                    .iter()
                    .map(|(id, message)| json!({"node_id": id, "error_message": message}))
                    .collect();
                (Some(json!(written).to_string()), Some(json!(read)))
            });
            let scalar = scalar.prop_map(|text| (Some(text), None));
            // What is in the list and no object is no error of a node.
            let mixed = Just((
                Some(r#"[1, "a", ["b"], {"node_id": 7}]"#.to_owned()),
                Some(json!([{"node_id": "7"}])),
            ));
            prop_oneof![3 => right, 1 => nothing, 1 => scalar, 1 => mixed].boxed()
        }
    }
}

/// An answer with its essential field, and what is to be read from it.
fn answer(
    status: &'static str,
    fields: &'static [(&'static str, Field)],
) -> impl Strategy<Value = (String, Value)> {
    let values: Vec<BoxedStrategy<Written>> = fields.iter().map(|(_, kind)| field(*kind)).collect();
    let unknown = vec(json_text(), 0..3);
    let right = text().prop_filter("the essential field is there", |text| !text.is_empty());
    (values, unknown, right, any::<usize>()).prop_map(move |(values, unknown, state, turn)| {
        let mut read = Map::new();
        let mut members = vec![format!("\"{status}\": {}", json!(state))];
        read.insert(status.to_owned(), json!(state));
        for ((name, _), (written, to_be_read)) in fields.iter().zip(values) {
            members.extend(written.map(|written| format!("\"{name}\": {written}")));
            read.extend(to_be_read.map(|value| ((*name).to_owned(), value)));
        }
        for (i, value) in unknown.iter().enumerate() {
            members.push(format!("\"Unknown{i}\": {value}"));
        }
        let middle = turn % members.len();
        members.rotate_left(middle);
        (format!("{{{}}}", members.join(", ")), Value::Object(read))
    })
}

/// An emulator that answers everything with a text of ours.
fn answering() -> (Emulator, Arc<Mutex<String>>) {
    let emulator = Emulator::start().unwrap();
    let body = Arc::new(Mutex::new(String::new()));
    let next = Arc::clone(&body);
    emulator.fault_with(move |request| match &*request.operation {
        "KeystoneCreateUserTokenByPassword" => Fault::none(),
        _ => Fault::answer(200, "application/json", next.lock().unwrap().clone()),
    });
    (emulator, body)
}

#[test]
fn an_answer_of_cloud_flow_is_read_whatever_else_is_in_it() {
    let runtime = Runtime::new().unwrap();
    let (emulator, body) = answering();
    let client = emulator.alibaba().build().unwrap();
    for_all(300, answer("Status", STARTED), |(text, expected)| {
        body.lock().unwrap().clone_from(&text);
        let call = client.start_execution(StartExecutionRequest::new("f").execution_name(NAME));
        let read = runtime.block_on(call.send()).unwrap();
        prop_assert_eq!(serde_json::to_value(read).unwrap(), expected);
        Ok(())
    });
    for_all(300, answer("Status", RAN), |(text, expected)| {
        body.lock().unwrap().clone_from(&text);
        let call = client.start_sync_execution(StartSyncExecutionRequest::new("f"));
        let read = runtime.block_on(call.send()).unwrap();
        prop_assert_eq!(serde_json::to_value(read).unwrap(), expected);
        Ok(())
    });
    for_all(300, answer("Status", DESCRIBED), |(text, expected)| {
        body.lock().unwrap().clone_from(&text);
        let call = client.describe_execution(DescribeExecutionRequest::new("f", NAME));
        let read = runtime.block_on(call.send()).unwrap();
        prop_assert_eq!(serde_json::to_value(read).unwrap(), expected);
        Ok(())
    });
}

#[test]
fn an_answer_of_function_graph_is_read_whatever_else_is_in_it() {
    let runtime = Runtime::new().unwrap();
    let (emulator, body) = answering();
    let client = emulator.huawei().build().unwrap();
    for_all(400, answer("status", WORKFLOW), |(text, expected)| {
        body.lock().unwrap().clone_from(&text);
        let request = StartSyncWorkflowExecutionRequest::new("w");
        let call = client.start_sync_workflow_execution(request);
        let read = runtime.block_on(call.send()).unwrap();
        prop_assert_eq!(serde_json::to_value(read).unwrap(), expected);
        Ok(())
    });
}
