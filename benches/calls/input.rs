//! What the flows are given.

use serde::Serialize;

/// An order: 100 bytes of JSON, as a program would have it.
#[derive(Clone, Serialize)]
pub(crate) struct Order {
    order: u64,
    customer: &'static str,
    note: &'static str,
    lines: [Line; 1],
}

#[derive(Clone, Serialize)]
struct Line {
    article: &'static str,
    count: u32,
}

pub(crate) const ORDER: Order = Order {
    order: 4711,
    customer: "c-20931",
    note: "ring twice, then wait",
    lines: [Line {
        article: "a-1",
        count: 2,
    }],
};

/// JSON text of exactly this length: an object that holds a text like any other.
pub(crate) fn text_of(length: usize) -> String {
    const PHRASE: &str = "Grüße aus 杭州: 100% of it, \\\"quoted\\\" & more. ";
    let (head, tail) = ("{\"text\":\"", "\"}");
    let mut text = String::with_capacity(length);
    text.push_str(head);
    while text.len() + PHRASE.len() + tail.len() <= length {
        text.push_str(PHRASE);
    }
    while text.len() + tail.len() < length {
        text.push('.');
    }
    text.push_str(tail);
    text
}
