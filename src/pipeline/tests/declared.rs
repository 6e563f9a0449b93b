//! What declarations give: requests as they go out, answers as they are read.

#![expect(unreachable_pub, reason = "declared as for users, and used here only")]

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::*;
use crate::{
    Payload, Secret,
    pipeline::{
        declare::{operation, part, response},
        declared::{Declared as _, Entry},
        read,
        record::{Kind, Member, Record as _},
    },
};

response! {
    AsValue;
    /// An answer with a field of every type.
    Everything {
        /// Essential.
        pub state: String = "state",
        /// A text.
        pub text: Option<String> = "text",
        /// A whole number.
        pub count: Option<i64> = "count",
        /// A small one.
        pub small: Option<i32> = "small",
        /// A number.
        pub share: Option<f64> = "share",
        /// A truth value.
        pub flag: Option<bool> = "flag",
        /// A time.
        pub time: Option<DateTime<Utc>> = "time",
        /// Any JSON.
        pub output: Option<Payload> = "output",
        /// Texts.
        pub names: Vec<String> = "names",
        /// Parts.
        pub nodes: Vec<Node> = "nodes",
        /// A part.
        pub node: Option<Node> = "node",
        /// Texts by name.
        pub labels: BTreeMap<String, String> = "labels",
        /// Nobody's business.
        pub private: Option<String> = "private" (Hidden),
    }
    also {
        /// Not of the wire.
        pub seen: bool,
    }
}

response! {
    InText;
    /// JSON in a text.
    Texts {
        /// Any JSON, in a text.
        pub output: Option<Payload> = "Output",
    }
}

part! {
    AsValue;
    /// A part of answers and requests.
    Node;
    /// A node of this name.
    new {
        /// What it is called.
        pub name: String = "name" (Name),
    }
    with {
        /// How often.
        pub times: i32 = "times" (Range(1, 9)),
        /// What follows.
        pub next: Vec<String> = "next",
    }
}

operation! {
    AsValue crate::huawei::protocol::Rest, "crate::huawei::Client";
    /// A request with a field at every place.
    Change = "Change", DELETE "/v2/{project_id}/things/{thing_id}/parts/{part}", Once, SHORT => Everything;
    /// A change of this thing.
    new {
        /// Which thing.
        pub thing: String = Path "thing_id" (Length(1, 8)),
        /// Which part.
        pub part: i64 = Path "part",
        /// A list that is always sent.
        pub nodes: Vec<Node> = Member "nodes",
    }
    with {
        /// A header.
        pub run: String = Header "X-Run" (Bytes(8)),
        /// In the query.
        pub limit: u32 = Query "limit" (Range(1, 100)),
        /// In the query too.
        pub since: DateTime<Utc> = Query "since",
        /// A share.
        pub share: f64 = Query "share" (Range(0, 100)),
        /// A secret.
        pub token: Secret = Member "token",
        /// Whether.
        pub flag: bool = Member "flag",
        /// A list that is sent when it is given.
        pub names: Vec<String> = Member "names",
    }
    json {
        /// A JSON object.
        pub input | input_json: Payload = Member "input" (Object, Else("{}")),
        /// Any JSON.
        pub value | value_json: Payload = Member "value" (Value),
    }
    plain {
        /// Labels.
        pub labels: BTreeMap<String, Payload> = Member "labels",
    }
}

operation! {
    AsValue crate::huawei::protocol::Rest, "crate::huawei::Client";
    /// A request that is a list.
    Replace = "Replace", PUT "/v2/{project_id}/things", Repeatable, SHORT => Texts;
    /// These things.
    new {
        /// All of them.
        pub nodes: Vec<Node> = Body "body",
    }
}

fn read(text: &str) -> Everything {
    read::record(text).unwrap()
}

/// What goes out for a request.
async fn sent<O: crate::Operation<Protocol = crate::huawei::protocol::Rest>>(
    request: O,
) -> Result<HttpRequest, Error> {
    let script = Script::new([at_once(reply(200, r#"{"state":"x"}"#))]);
    let _answer = huawei_client(&script).call(request).send().await?;
    Ok(script.sent().remove(0).1)
}

#[tokio::test(start_paused = true)]
async fn every_field_stands_where_it_is_declared() {
    let node = Node::new("n").times(2).next(vec![]);
    let request = Change::new("a b/ü".replace('/', "%"), 7, [node])
        .run("run-1")
        .limit(5)
        .since("2026-11-22T08:09:10.5Z".parse::<DateTime<Utc>>().unwrap())
        .share(12.5)
        .token("secret")
        .flag(false)
        .names(vec!["x".to_owned()])
        .input_json(r#"{"big":10000000000000000000001 }"#)
        .value(json!([1]));
    let request = sent(request).await.unwrap();
    assert_eq!(request.method, "DELETE");
    assert_eq!(request.url.path(), "/v2/p/things/a%20b%25%C3%BC/parts/7");
    assert_eq!(
        request.url.query(),
        Some("limit=5&since=2026-11-22T08%3A09%3A10Z&share=12.5")
    );
    assert_eq!(request.headers["x-run"], "run-1");
    assert_eq!(request.headers["content-type"], "application/json");
    assert_eq!(
        std::str::from_utf8(&request.body).unwrap(),
        r#"{"nodes":[{"name":"n","times":2,"next":[]}],"token":"secret","flag":false,"names":["x"],"input":{"big":10000000000000000000001 },"value":[1]}"#
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_not_given_is_left_out() {
    let request = sent(Change::new("t", 1, []).run(None::<String>))
        .await
        .unwrap();
    assert_eq!(request.url.query(), None);
    assert!(!request.headers.contains_key("x-run"));
    assert_eq!(&request.body[..], br#"{"nodes":[],"input":{}}"#);

    let request = sent(Replace::new([Node::new("a")])).await.unwrap();
    assert_eq!(
        (request.method.as_str(), request.url.path()),
        ("PUT", "/v2/p/things")
    );
    assert_eq!(&request.body[..], br#"[{"name":"a"}]"#);
}

#[tokio::test(start_paused = true)]
async fn what_breaks_a_rule_is_named_and_not_sent() {
    let fine = || Change::new("t", 1, []);
    for (request, message) in [
        (
            Change::new("", 1, []),
            "thing_id: must be 1 to 8 characters",
        ),
        (
            Change::new("123456789", 1, []),
            "thing_id: must be 1 to 8 characters",
        ),
        (Change::new("..", 1, []), "thing_id: must not be . or .."),
        (Change::new("a/b", 1, []), "thing_id: must not be . or .."),
        (fine().limit(0), "limit: must be 1 to 100"),
        (fine().limit(101), "limit: must be 1 to 100"),
        (fine().share(100.5), "share: must be 0 to 100"),
        (
            fine().input_json("[]"),
            "input: must be the text of a JSON object",
        ),
        (
            fine().value_json("x"),
            "value: must be the text of a JSON value",
        ),
        (fine().run("a\nb"), "X-Run: must be visible ASCII text"),
        (fine().run("123456789"), "X-Run: must be at most 8 bytes"),
        (
            Change::new("t", 1, [Node::new("1")]),
            "name: must be 1 to 128 characters",
        ),
        (
            Change::new("t", 1, [Node::new("n").times(10)]),
            "times: must be 1 to 9",
        ),
    ] {
        let error = sent(request).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest);
        assert_eq!(error.operation(), Some("Change"));
        assert!(error.message().starts_with(message), "{error}");
        assert_eq!(error.delivery(), Delivery::NotSent);
    }
}

#[test]
fn an_answer_is_read_whatever_its_fields_look_like() {
    let usual = r#""state":"x""#;
    let same = [
        // Absent, null, empty, of no use.
        "",
        r#","text":null,"count":null,"time":null,"output":null,"names":null,"nodes":null,"labels":null"#,
        r#","text":"","count":"","time":"","node":"","names":[],"nodes":[null,"x"],"labels":{}"#,
        r#","text":{"a":1},"count":[1],"small":1e99,"share":"x","flag":7,"time":"soon","node":[]"#,
        r#","unknown":[{"a":[1,2]}]"#,
    ];
    for rest in same {
        let text = format!("{{{usual}{rest}}}");
        let read = read(&text);
        assert_eq!(read, self::read(r#"{"state":"x"}"#), "{text}");
        assert_eq!(serde_json::to_string(&read).unwrap(), r#"{"state":"x"}"#);
    }

    let text = r#"{"st\u0061te":1, "text":true, "count":"7", "small":3.0, "share":"0.5", "flag":"true",
        "time":1763800000123, "output":"", "names":["a",2,null,""], "node":{"name":"n","times":"2"},
        "nodes":[{"name":"m"},7], "labels":{"a":"b","c":{}}, "private":"p"} and more"#;
    let read = read(text);
    assert_eq!(read.state, "1");
    assert_eq!(read.text.as_deref(), Some("true"));
    assert_eq!((read.count, read.small), (Some(7), Some(3)));
    assert_eq!((read.share, read.flag), (Some(0.5), Some(true)));
    assert_eq!(read.time.unwrap().timestamp_millis(), 1_763_800_000_123);
    assert_eq!(read.output.as_ref().unwrap().as_str(), "\"\"");
    assert_eq!(read.names, ["a", "2"]);
    assert_eq!(read.node, Some(Node::new("n").times(2)));
    assert_eq!(read.nodes, [Node::new("m")]);
    assert_eq!(read.labels.len(), 1);
    assert!(!format!("{read:?}").contains("\"p\""), "{read:?}");
    // What is kept is read again as it was.
    let kept = serde_json::to_string(&read).unwrap();
    assert_eq!(serde_json::from_str::<Everything>(&kept).unwrap(), read);
}

#[test]
fn times_are_read_in_every_form() {
    let time: DateTime<Utc> = "2026-11-22T08:09:10Z".parse().unwrap();
    for form in [
        "\"2026-11-22T08:09:10Z\"",
        "\"2026-11-22T16:09:10+08:00\"",
        "\"2026-11-22T08:09:10\"",
        "\"2026-11-22 08:09:10\"",
        "\" 2026-11-22T08:09:10.000000Z\"",
        "1795334950000",
        "\"1795334950000\"",
    ] {
        let read = read(&format!(r#"{{"state":"x","time":{form}}}"#));
        assert_eq!(read.time, Some(time), "{form}");
    }
}

#[test]
fn only_what_is_essential_is_missed_and_it_is_named() {
    for text in [
        "{}",
        r#"{"state":null}"#,
        r#"{"state":""}"#,
        r#"{"state":{}}"#,
        r#"{"text":"x","State":"y"}"#,
    ] {
        let fault = read::record::<Everything>(text).unwrap_err();
        assert_eq!(fault, read::Fault::Lacks("state"), "{text}");
    }
    for text in ["", "[]", "null", r#"["x"]"#, r#"{"state":"x""#, "NaN"] {
        let fault = read::record::<Everything>(text).unwrap_err();
        assert!(matches!(fault, read::Fault::Json(_)), "{text}: {fault}");
    }
}

#[test]
fn of_a_name_that_stands_twice_the_first_of_use_is_read() {
    let read = read(r#"{"state":null,"state":{},"state":"a","state":"b","names":7,"names":["c"]}"#);
    assert_eq!(read.state, "a");
    assert_eq!(read.names, ["c"]);
}

#[test]
fn a_bad_byte_or_half_a_character_spoils_its_own_field_only() {
    let body = b"\xef\xbb\xbf{\"text\":\"a\xffb\",\"labels\":{\"k\":\"\\ud800\"},\"state\":\"x\"}";
    let read = read(&crate::pipeline::json::text(body));
    assert_eq!(read.state, "x");
    assert_eq!(read.text.as_deref(), Some("a\u{fffd}b"));
    assert_eq!(read.labels["k"], "\u{fffd}");
}

#[test]
fn outputs_are_kept_byte_for_byte_and_what_is_no_json_as_a_text() {
    for output in [
        "{ \"a\" : 1.0e400 }",
        "\"\"",
        "10000000000000000000001",
        "[1 ,2]",
        "NaN",
        "[NaN]",
    ] {
        let read = read(&format!("{{\"output\": {output} ,\"state\":\"x\"}}"));
        assert_eq!(read.output.as_ref().unwrap().as_str(), output);
        assert!(serde_json::to_string(&read).is_ok());

        let quoted = json!(output).to_string();
        let texts: Texts = read::record(&format!("{{\"Output\":{quoted}}}")).unwrap();
        assert_eq!(texts.output.as_ref().unwrap().as_str(), output);
        let bare: Texts = read::record(&format!("{{\"Output\":{output}}}")).unwrap();
        match output {
            "\"\"" => assert_eq!(bare.output, None, "a text of nothing"),
            _ => assert_eq!(bare.output, texts.output, "without the text"),
        }
        let kept: Value = serde_json::to_value(&texts).unwrap();
        assert_eq!(kept, json!({"Output": output}));
    }
}

#[test]
fn debug_shows_no_secret_and_no_payload() {
    let mut request = Change::new("t", 1, [])
        .token("MARK")
        .input(json!({"MARK": 1}))
        .value_json("\"MARK\"");
    request
        .labels
        .insert("label".to_owned(), Payload::from_value("MARK"));
    let shown = format!("{request:?}");
    assert!(!shown.contains("MARK"), "{shown}");
    assert!(shown.contains("label"), "{shown}");
}

/// All structs that an operation's request and answer are made of.
fn structs(entry: &Entry) -> Vec<&'static [Member]> {
    fn parts(members: &'static [Member], found: &mut Vec<&'static [Member]>) {
        found.push(members);
        for member in members {
            let mut kind = &member.kind;
            while let Kind::List(inner) | Kind::Map(inner) = kind {
                kind = inner;
            }
            if let Kind::Part(inner) = kind {
                parts(inner, found);
            }
        }
    }
    let mut found = Vec::new();
    parts(entry.parameters, &mut found);
    parts(entry.answer, &mut found);
    found
}

fn twice(entry: &Entry) -> Option<&'static str> {
    structs(entry).into_iter().find_map(|members| {
        let mut seen = BTreeSet::new();
        let again = members.iter().find(|member| !seen.insert(member.wire));
        again.map(|member| member.wire)
    })
}

#[test]
fn no_wire_name_stands_twice_in_a_struct() {
    for entry in alibaba::operations::ALL
        .iter()
        .chain(huawei::operations::ALL)
    {
        assert_eq!(twice(entry), None, "{}", entry.name);
    }
    assert_eq!(twice(Change::ENTRY), None);
    assert_eq!(structs(Change::ENTRY).len(), 5);

    response! {
        InText;
        /// With a slip.
        Slip {
            /// One.
            pub one: Option<String> = "Name",
            /// Another.
            pub other: Option<String> = "Name",
        }
    }
    let slip = Entry {
        name: "Slip",
        method: http::Method::GET,
        path: "/",
        replay: Change::ENTRY.replay,
        limits: Change::ENTRY.limits,
        parameters: Node::MEMBERS,
        answer: Slip::MEMBERS,
    };
    assert_eq!(twice(&slip), Some("Name"));
}
