//! Any text as a region or an endpoint: refused, or the one host that it names, over https but for
//! loopback, with nothing else in the address.
//!
//! Pieces: a letter for the setting, and the text.

#![no_main]

use cloud_workflows::{
    ErrorKind,
    alibaba::{self, Credentials, Network, StartSyncExecutionRequest},
    huawei::{self, IamPassword, StartSyncWorkflowExecutionRequest},
};
use cloud_workflows_fuzz::{
    block_on,
    play::{Reply, words, world},
    texts,
};
use url::{Host, Url};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some(texts) = texts(data) else { return };
    let &[setting, text] = &texts[..] else { return };
    let (world, sent) = world(vec![Reply::ok("{}")]);
    let built = if setting.starts_with(['a', 'b', 'c', 'd', 'e']) {
        let builder = alibaba::Client::builder().credentials(Credentials::new("id", "secret"));
        let builder = match setting {
            "a" => world.alibaba(builder.region(text)),
            "b" => world.alibaba(builder.region(text).network(Network::Vpc)),
            "c" => world.alibaba(builder.region(text).network(Network::Classic)),
            "d" => world.alibaba(builder.endpoint(text)),
            _ => {
                world.set("ALIBABA_CLOUD_ENDPOINT_FNF", text);
                world
                    .alibaba_from_env()
                    .credentials(Credentials::new("id", "secret"))
            }
        };
        builder.build().map(|client| {
            let request = StartSyncExecutionRequest::new("f");
            drop(block_on(client.start_sync_execution(request).send()));
        })
    } else {
        let builder = huawei::Client::builder().credentials(IamPassword::new("d", "u", "p"));
        let builder = match setting {
            "h" => world.huawei(builder.region(text)),
            "i" => world.huawei(builder.region("cn-north-4").endpoint(text)),
            "j" => world.huawei(builder.region("cn-north-4").iam_endpoint(text)),
            "k" => {
                world.set("OS_REGION_NAME", "cn-north-4");
                world.set("OS_AUTH_URL", text);
                world
                    .huawei_from_env()
                    .credentials(IamPassword::new("d", "u", "p"))
            }
            _ => return,
        };
        builder.build().map(|client| {
            let request = StartSyncWorkflowExecutionRequest::new("w");
            drop(block_on(
                client.start_sync_workflow_execution(request).send(),
            ));
        })
    };
    if let Err(error) = built {
        assert_eq!(error.kind(), ErrorKind::Configuration);
        words(&error);
        return;
    }
    let sent = sent.lock().expect("no panic");
    let Some(first) = sent.first() else {
        // A service elsewhere, and an IAM that nobody named: no password is sent anywhere.
        assert_eq!(setting, "i", "a request");
        return;
    };
    let url = &first.url;
    // White space around a setting is left out.
    let text = text.trim();
    assert!(url.username().is_empty() && url.password().is_none());
    assert!(matches!(url.path(), "/" | "/v3/auth/tokens"), "{url}");
    if url.scheme() != "https" {
        assert_eq!(url.scheme(), "http");
        let is_loopback = match url.host().expect("a host") {
            Host::Domain(name) => name == "localhost" || name.ends_with(".localhost"),
            Host::Ipv4(address) => address.octets()[0] == 127,
            Host::Ipv6(address) => address.segments() == [0, 0, 0, 0, 0, 0, 0, 1],
        };
        assert!(is_loopback, "{url}");
    }
    match setting {
        "a" => of_region(url, text, "", ".fnf.aliyuncs.com"),
        "b" => of_region(url, text, "", "-internal.fnf.aliyuncs.com"),
        "c" => of_region(url, text, "", "-classic.fnf.aliyuncs.com"),
        // The token's call goes to IAM, which regions that are not known share.
        "h" => {
            let host = url.host_str().expect("a host");
            let own = format!("iam.{}.myhuaweicloud.", text.to_ascii_lowercase());
            let is_own = matches!(host.strip_prefix(&own), Some("com" | "eu"));
            assert!(host == "iam.myhuaweicloud.com" || is_own, "{url}");
        }
        "i" => assert_eq!(url.host_str(), Some("iam.cn-north-4.myhuaweicloud.com")),
        _ => of_endpoint(url, text),
    }
});

/// A region is one label of the host, and cannot be more.
fn of_region(url: &Url, region: &str, before: &str, after: &str) {
    let host = format!("{before}{region}{after}").to_ascii_lowercase();
    assert_eq!(
        url.as_str().split('?').next(),
        Some(format!("https://{host}/").as_str())
    );
    assert!(
        region
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    );
}

/// The host of a plain endpoint is the one that is written there.
fn of_endpoint(url: &Url, text: &str) {
    let plain = text.strip_prefix("https://");
    let plain = plain
        .or_else(|| text.strip_prefix("http://"))
        .unwrap_or(text);
    let name = plain.split(['/', '?', '#']).next().unwrap_or_default();
    let is_plain = !name.is_empty()
        && name.bytes().any(|byte| byte.is_ascii_alphabetic())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte))
        && !name.to_ascii_lowercase().split('.').any(|label| label.starts_with("xn--"))
        // The last label decides whether it is an address, which has other spellings.
        && !name.trim_end_matches('.').rsplit('.').next().is_some_and(|last| {
            last.bytes().all(|byte| byte.is_ascii_digit()) || last.to_ascii_lowercase().starts_with("0x")
        });
    if is_plain {
        assert_eq!(
            url.host_str(),
            Some(name.to_ascii_lowercase().as_str()),
            "{text}"
        );
    }
}
