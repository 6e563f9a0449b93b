//! What holds of every source that gets its keys over the network.

use super::*;

/// Everybody at the other end, each with a key or token of this name.
fn give(request: &HttpRequest, key: &str) -> Step {
    // In a token's own name, so that the call it is used for tells it.
    let marked = &format!("{key}{MARKER}");
    match request.url.path() {
        "/v3/auth/tokens" | "/v3.0/OS-AUTH/id-token/tokens" => token(marked),
        "/v3/projects" => project(),
        "/v1/keys" | "/v3.0/OS-CREDENTIAL/securitytokens" | "/v5/agencies/assume-with-oidc" => {
            reply(200, issued(key))
        }
        _ => instance(request, key).unwrap(),
    }
}

fn sources() -> Vec<testing::Renewing<FunctionGraph>> {
    let with = |variables: &[(&str, &str)]| {
        let environment = Environment::fake(variables);
        environment.write("/token", MARKER);
        environment
    };
    let pod = with(&[
        ("HC_CONTAINER_CREDENTIALS_FULL_URI", "http://agent/v1/keys"),
        ("HC_CONTAINER_AUTHORIZATION_TOKEN_FILE", "/token"),
    ]);
    let oidc = with(&[
        ("HUAWEICLOUD_OIDC_PROVIDER_URN", "provider"),
        ("HUAWEICLOUD_OIDC_AGENCY_URN", "agency"),
        ("HUAWEICLOUD_OIDC_ID_TOKEN", MARKER),
    ]);
    let password = with(&[
        ("HW_DOMAIN_NAME", "domain"),
        ("HW_USER_NAME", "user"),
        ("HW_USER_PASSWORD", MARKER),
    ]);
    let idp = with(&[
        ("HUAWEICLOUD_SDK_IDP_ID", "idp"),
        ("HUAWEICLOUD_SDK_ID_TOKEN_FILE", "/token"),
    ]);
    let profile = with(&[]);
    profile.write(
        "~/.huaweicloud/credentials",
        "[basic]\nidp_id = idp\nid_token_file = /token\n",
    );
    let cases: [testing::Case<FunctionGraph>; 14] = [
        ("ECS metadata", with(&[]), || Arc::new(EcsMetadata::new())),
        ("pod identity", pod, || Arc::new(PodIdentity::from_env())),
        ("OIDC", with(&[]), || {
            Arc::new(OidcSts::new("provider", "agency", "/token"))
        }),
        ("OIDC of the environment", oidc.clone(), || {
            Arc::new(OidcSts::from_env())
        }),
        ("id token", with(&[]), || {
            Arc::new(IdToken::new("idp", "/token"))
        }),
        ("id token of the environment", idp, || {
            Arc::new(EnvironmentCredentials::new())
        }),
        ("id token of the profile", profile, || {
            Arc::new(Profile::new())
        }),
        ("password", with(&[]), || {
            Arc::new(IamPassword::new("domain", "user", MARKER))
        }),
        ("password of the environment", password.clone(), || {
            Arc::new(EnvironmentCredentials::new())
        }),
        ("agency, by token", with(&[]), || {
            Arc::new(AssumeAgency::new(Token::new(MARKER), "agency", "their"))
        }),
        ("agency, by password", with(&[]), || {
            let source = IamPassword::new("domain", "user", MARKER);
            Arc::new(AssumeAgency::new(source, "agency", "their"))
        }),
        ("agency, by key", with(&[]), || {
            let source = AccessKey::new("ak", MARKER).project_id("own");
            Arc::new(AssumeAgency::new(source, "agency", "their"))
        }),
        ("chain with OIDC", oidc, || {
            Arc::new(DefaultCredentials::new())
        }),
        ("chain on a machine", with(&[]), || {
            Arc::new(DefaultCredentials::new())
        }),
    ];
    testing::Renewing::all(give, cases)
}

#[tokio::test(start_paused = true)]
async fn every_source_obeys_the_laws() {
    testing::obey(&sources()).await;
}

/// Every source, with a marker in every value that may be secret.
#[tokio::test(start_paused = true)]
async fn nothing_leaks() {
    let profile = Environment::fake(&[]);
    profile.write(
        "~/.huaweicloud/credentials",
        format!("[basic]\nak = ak\nsk = {MARKER}\nsecurity_token = {MARKER}\n"),
    );
    let key = Environment::fake(&[
        ("HUAWEICLOUD_SDK_AK", "ak"),
        ("HUAWEICLOUD_SDK_SK", MARKER),
        ("HUAWEICLOUD_SDK_SECURITY_TOKEN", MARKER),
    ]);
    let token = Environment::fake(&[("HW_AUTH_TOKEN", MARKER)]);
    let fixed: [(Environment, testing::Source<FunctionGraph>); 6] = [
        (profile.clone(), Arc::new(Profile::new())),
        (profile, Arc::new(DefaultCredentials::new())),
        (key, Arc::new(EnvironmentCredentials::new())),
        (token.clone(), Arc::new(EnvironmentCredentials::new())),
        (token.clone(), Arc::new(Token::new(MARKER))),
        (
            token,
            Arc::new(AccessKey::new("ak", MARKER).security_token(MARKER)),
        ),
    ];
    testing::nothing_leaks(fixed, sources(), context).await;
}
