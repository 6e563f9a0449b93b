use super::*;
use crate::pipeline::record::Record as _;

#[test]
fn words_are_whole_behind_accessors_and_bounded_where_printed() {
    let long = "é".repeat(1 << 19);
    let error = Error::new(ErrorKind::Service, long.as_str())
        .with_operation("StartExecution")
        .with_code(Some(ErrorCode::from(long.as_str())))
        .with_request_id(Some(long.clone()))
        .with_execution(Some(long.clone()), Some(long.clone()))
        .with_delivery(Delivery::Unknown)
        .with_subject(true, false, None);
    assert_eq!(error.message(), long);
    assert_eq!(error.request_id(), Some(long.as_str()));
    assert_eq!(error.code().map(ErrorCode::as_str), Some(long.as_str()));
    for printed in [
        error.to_string(),
        format!("{error:?}"),
        format!("{error:#?}"),
    ] {
        let words = printed.chars().filter(|c| *c == 'é').count() * 'é'.len_utf8();
        assert!((512..=WORDS_BYTES).contains(&words), "{words}");
        assert!(printed.len() < 2 * WORDS_BYTES, "{printed}");
    }
}

#[test]
fn a_code_and_an_id_are_printed_beside_a_long_message() {
    let error = Error::new(ErrorKind::Service, "x".repeat(1 << 20))
        .with_code(Some("New.Code".into()))
        .with_request_id(Some("r-17".to_owned()));
    let printed = error.to_string();
    assert!(printed.starts_with("New.Code: xxx"), "{printed}");
    assert!(
        printed.ends_with("x... (1048576 bytes) [request id r-17]"),
        "{printed}"
    );
}

#[test]
fn a_flow_s_own_words_are_bounded_where_printed() {
    let words = "x".repeat(5000);
    let node = || NodeError {
        node_id: Some(words.as_str().into()),
        error_message: Some(words.as_str().into()),
        ..NodeError::empty()
    };
    let failure = FlowFailure::of(FlowFailureParts {
        status: words.as_str().into(),
        code: Some(words.as_str().into()),
        message: Some(words.as_str().into()),
        node_errors: (0..3).map(|_| node()).collect(),
        execution: Some(words.clone()),
        ..FlowFailureParts::default()
    });
    assert!(failure.to_string().len() < 2 * WORDS_BYTES);
    let error = Error::flow(ErrorKind::FlowFailed, failure);
    assert!(error.message().len() > 9 * 5000);
    for printed in [error.to_string(), format!("{error:?}")] {
        assert!(printed.len() < 2 * WORDS_BYTES, "{printed}");
    }
    assert_eq!(
        error.flow_failure().and_then(FlowFailure::message),
        Some(&*words)
    );
}
