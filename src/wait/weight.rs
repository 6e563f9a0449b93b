//! What a wait costs beside its call.

use super::{ExecutionRef, Wait};
use crate::huawei::{Client, StartWorkflowExecutionRequest, Token};

fn weight<A>(wait: &Wait<A>) -> usize {
    wait.running.as_ref().map_or(usize::MAX, |running| {
        size_of_val::<dyn Future<Output = _> + Send>(&**running)
    })
}

/// A wait keeps what it looks for, and each look comes and goes. Alibaba Cloud's are the same with a
/// layer around it.
#[test]
fn ten_thousand_waits_are_small() {
    let client = Client::builder()
        .endpoint("http://127.0.0.1:1")
        .iam_endpoint("http://127.0.0.1:1")
        .project_id("p")
        .credentials(Token::new("t"))
        .build()
        .unwrap();
    let weights = [
        weight(&client.wait(ExecutionRef::new("flow", "execution"))),
        weight(&client.start_and_wait(StartWorkflowExecutionRequest::new("flow"))),
    ];
    assert!(weights.iter().all(|bytes| *bytes <= 3072), "{weights:?}");
}
