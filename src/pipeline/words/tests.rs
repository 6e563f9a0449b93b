use percent_encoding::utf8_percent_encode;
#[cfg(unix)]
use rustix::time::{ClockId, clock_gettime};

use super::*;
use crate::pipeline::percent::RESERVED;

const TOKEN: &str = "CAIS+tok/en==~with*chars%2Fand";
const INPUT: &str =
    r#"{"who":"Müller \"x\" 中+&=","path":"C:\\temp\\a","n":[1,2,3],"u":"\u4e2d%41"}"#;

fn sensitive() -> Sensitive {
    let mut sensitive = Sensitive::default();
    sensitive.secret(TOKEN);
    sensitive.secret("k3y+");
    sensitive.data(INPUT);
    sensitive.data(r#"{"a":12}"#);
    sensitive
}

fn scrub(text: &str) -> String {
    sensitive().scrub(text, Hide::All).into_owned()
}

fn percent(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

fn json(text: &str) -> String {
    let quoted = serde_json::to_string(text).unwrap();
    quoted[1..quoted.len() - 1].to_owned()
}

/// As Python writes it.
fn ascii_json(text: &str) -> String {
    let units = json(text);
    let units = units.chars().map(|c| match c.is_ascii() {
        true => c.to_string(),
        false => {
            let mut units = [0; 2];
            let units = c.encode_utf16(&mut units);
            units.iter().map(|unit| format!("\\u{unit:04x}")).collect()
        }
    });
    units.collect()
}

fn xml(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}

type Encoding = fn(&str) -> String;

const ENCODINGS: [(&str, Encoding); 12] = [
    ("as it is", |text| text.to_owned()),
    ("percent", percent),
    ("percent, twice", |text| percent(&percent(text))),
    ("form", |text| percent(text).replace("%20", "+")),
    ("lower-case percent", |text| {
        percent(text)
            .replace("%2F", "%2f")
            .replace("%3D", "%3d")
            .replace("%2B", "%2b")
    }),
    ("JSON", json),
    ("JSON in ASCII", ascii_json),
    ("JSON, twice", |text| json(&json(text))),
    ("XML", xml),
    ("percent in XML", |text| xml(&percent(&percent(text)))),
    ("percent in JSON", |text| json(&percent(&percent(text)))),
    ("JSON in percent", |text| percent(&json(text))),
];

#[test]
fn every_long_enough_piece_is_hidden_in_every_encoding() {
    let sensitive = sensitive();
    for (name, encode) in ENCODINGS {
        for (text, least) in [(TOKEN, 8), (INPUT, 24)] {
            let ends: Vec<usize> = (0..=text.len())
                .filter(|at| text.is_char_boundary(*at))
                .collect();
            for (at, start) in ends.iter().enumerate() {
                let longer = ends[at..].iter().filter(|end| **end >= start + least);
                for end in longer
                    .take(7)
                    .chain(ends.last().filter(|end| **end >= start + least))
                {
                    let piece = &text[*start..*end];
                    let said = format!("no such thing: <{}> there", encode(piece));
                    let shown = sensitive.scrub(&said, Hide::All);
                    // The ends of a piece may be half an escape, which reads otherwise.
                    let left = shown.len() - "no such thing: <[hidden]> there".len();
                    assert!(
                        shown.contains("[hidden]") && left <= 24,
                        "{name}: {piece} is shown: {shown}"
                    );
                }
            }
        }
    }
}

#[test]
fn an_echo_is_hidden_wherever_it_is_cut() {
    for (name, encode) in ENCODINGS {
        let sensitive = sensitive();
        for text in [TOKEN, INPUT] {
            let whole = encode(text);
            for end in (0..whole.len()).filter(|at| whole.is_char_boundary(*at)) {
                for piece in [&whole[..end], &whole[end..]] {
                    let shown = sensitive.scrub(piece, Hide::All);
                    // Nothing is left that is as long as what is looked for, in whatever form.
                    let shown = Plain::of(shown.as_bytes()).bytes;
                    let least = if text == TOKEN { 8 } else { 24 };
                    let plain = Plain::of(text.as_bytes()).bytes;
                    for window in plain.windows(least) {
                        let is_shown = shown.windows(least).any(|shown| shown == window);
                        assert!(!is_shown, "{name}: {piece}");
                    }
                }
            }
        }
    }
}

#[test]
fn what_is_everybodys_stays() {
    for said in [
        "order 42 not found",
        "cannot read {\"who\":\"Müller \\\" at 3",
        "CAIS+to is no token",
        "k3y, that is short",
        "{\"a\":1}",
        "100 %2 and %zz, \\u12, &amp and &nosuch; a+b",
        "GET /v2/x said: no; see https://error.example/?a=b&c=d%2Fe",
        "host: a\nx-note: all is well",
        "",
    ] {
        assert_eq!(scrub(said), said);
    }
}

#[test]
fn short_secrets_and_inputs_are_hidden_as_a_whole() {
    assert_eq!(scrub("key k3y+!"), "key [hidden]!");
    assert_eq!(scrub("key k3y%2B!"), "key [hidden]!");
    assert_eq!(scrub(r#"got {\"a\":12}."#), "got [hidden].");
    let secrets = sensitive()
        .scrub(r#"k3y+ got {"a":12}"#, Hide::Secrets)
        .into_owned();
    assert_eq!(secrets, r#"[hidden] got {"a":12}"#);
}

#[test]
fn a_piece_is_as_long_as_it_is_written() {
    let shown = |text: &str| !scrub(text).contains("[hidden]");
    // 23 and 24 bytes as they are written.
    assert!(shown(r#"x[{"who":"Müller \"x\" ]x"#));
    assert!(!shown(r#"x[{"who":"Müller \"x\" 中]x"#));
    assert!(shown(&xml(r#"x[ath":"C:\\temp\\a","n":]x"#)[..]));
}

#[test]
fn signed_texts_are_hidden_whoever_wrote_them() {
    let query = "A=1&Input=%7B%22a%22%3A%22b%20c%22%7D&Z=";
    let to_sign = format!("POST&%2F&{}", percent(query));
    assert_eq!(
        scrub(&format!("signed [{to_sign}], said no")),
        "signed [[hidden]], said no"
    );
    assert_eq!(scrub(&format!("is:{}", xml(&to_sign))), "is:[hidden]");
    assert_eq!(
        scrub(&format!("is:{}", to_sign.replace('&', "\\u0026"))),
        "is:[hidden]"
    );
    for cut in 12..to_sign.len() {
        assert_eq!(
            scrub(&format!("is {}", &to_sign[..cut])),
            "is [hidden]",
            "{cut}"
        );
    }
    assert_eq!(scrub(&to_sign[20..]), "[hidden]");

    let hash = "0123456789abcdef".repeat(4);
    let canonical = format!(
        "POST\n/v2/p/x/\n\ncontent-type:application/json; a\nx-auth-token:a b c\n\ncontent-type;x-auth-token\n{hash}"
    );
    for canonical in [
        canonical.clone(),
        canonical.replace('\n', "|"),
        json(&canonical),
    ] {
        let said = scrub(&format!("read {canonical} and more"));
        assert_eq!(said, "read [hidden] and more");
        for cut in 8..canonical.len() {
            let said = scrub(&canonical[..cut]);
            assert!(
                said.starts_with("[hidden]") && said.len() < 10,
                "{cut}: {said}"
            );
        }
        let from = canonical.find("content-type").unwrap();
        assert!(!scrub(&canonical[from..]).contains("a b c"), "{canonical}");
    }
    let to_sign = format!("SDK-HMAC-SHA256\n20260131T080910Z\n{hash}");
    assert_eq!(scrub(&format!("is {to_sign}!")), "is SDK[hidden]!");
}

/// Neither texts that repeat themselves nor those full of escapes take long: of this thread's own
/// time, so that it does not matter what else runs.
#[cfg(unix)]
#[test]
fn long_words_are_read_at_once() {
    let began = clock_gettime(ClockId::ThreadCPUTime);
    let mut sensitive = Sensitive::default();
    sensitive.secret("a".repeat(4096));
    sensitive.data("a\\\"".repeat(20_000));
    for unit in [
        "a", "\\", "%25", "GET|/", "POST&/&", "|", "&amp;", "\\u0061", "x-a:b|",
    ] {
        let text = unit.repeat((1 << 18) / unit.len());
        sensitive.scrub(&text, Hide::All);
    }
    let seconds = clock_gettime(ClockId::ThreadCPUTime).tv_sec - began.tv_sec;
    assert!(seconds < 30, "{seconds} s");
}
