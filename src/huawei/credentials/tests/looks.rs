//! Looks: who would call where, told without asking anybody.

use super::*;
use crate::Identity;

async fn identity(environment: &Environment) -> Result<Identity, Error> {
    let script = Script::new([]);
    let builder = ClientBuilder::of_environment(environment.clone()).region("cn-north-4");
    let builder = builder.scripted(&script, Clock::starting_at(wall()));
    let seen = builder.build().unwrap().identity().await;
    assert!(script.sent().is_empty(), "a look sends nothing");
    seen
}

/// Source, key, project, and who would be asked.
async fn seen(environment: &Environment) -> [Option<String>; 4] {
    let seen = identity(environment).await.unwrap();
    assert_eq!(seen.host, "functiongraph.cn-north-4.myhuaweicloud.com");
    assert!(!format!("{seen:?}").contains(MARKER));
    [Some(seen.source), seen.key, seen.project_id, seen.asks]
}

#[tokio::test]
async fn a_look_tells_source_key_and_project_and_sends_nothing() {
    let environment = Environment::fake(&[
        ("HUAWEICLOUD_SDK_AK", "HPUA1234567890ABCDEF"),
        ("HUAWEICLOUD_SDK_SK", MARKER),
        ("HUAWEICLOUD_SDK_PROJECT_ID", "p1"),
    ]);
    let of = |parts: [Option<&str>; 4]| parts.map(|part| part.map(str::to_owned));
    let (source, key) = (Some("environment"), Some("****CDEF"));
    assert_eq!(
        seen(&environment).await,
        of([source, key, Some("p1"), None])
    );
    environment.set("HUAWEICLOUD_SDK_PROJECT_ID", "");
    let iam = Some("KeystoneListProjects at iam.cn-north-4.myhuaweicloud.com");
    assert_eq!(seen(&environment).await, of([source, key, None, iam]));
    for name in ["HUAWEICLOUD_SDK_AK", "HUAWEICLOUD_SDK_SK"] {
        environment.set(name, "");
    }
    for name in ["HW_DOMAIN_NAME", "HW_USER_NAME"] {
        environment.set(name, "name");
    }
    environment.set("HW_USER_PASSWORD", MARKER);
    let [_, key, _, asks] = seen(&environment).await;
    assert_eq!(key, None);
    assert!(
        asks.unwrap()
            .ends_with(" at iam.cn-north-4.myhuaweicloud.com")
    );
    environment.set("HW_AUTH_TOKEN", MARKER);
    environment.set("HW_PROJECT_ID", "p2");
    assert_eq!(
        seen(&environment).await,
        of([source, None, Some("p2"), None])
    );
    let environment = Environment::fake(&[]);
    let metadata = Some("the metadata service at 169.254.169.254:80");
    assert_eq!(
        seen(&environment).await,
        of([Some("ECS metadata"), None, None, metadata])
    );
}

#[tokio::test]
async fn a_look_asks_no_user_for_a_passcode() {
    let source = IamPassword::new("domain", "user", MARKER).passcode("id", || async {
        Err::<String, _>(Error::credentials("nobody is to be asked", false, None))
    });
    let script = Script::new([]);
    let builder = Client::builder().region("cn-north-4").credentials(source);
    let builder = builder.scripted(&script, Clock::starting_at(wall()));
    let seen = builder.build().unwrap().identity().await.unwrap();
    assert_eq!(seen.source, "IamPassword(..)");
    assert_eq!(seen.asks.as_deref(), Some("the user, for the passcode"));
}
