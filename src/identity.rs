//! Who a client is, as far as it can be told without asking anybody.

use serde::Serialize;

/// What a client would call with, and where: told from its settings, variables and files alone.
///
/// It holds no secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Identity {
    /// Where the credential comes from: one of the sources of `DefaultCredentials` by name, a
    /// profile with its file, or how a source that was given prints with `Debug`.
    pub source: String,
    /// The key's id without most of it, such as `****7XbA`: the last four characters at most, and
    /// never more than a quarter of it. Absent where there is none before somebody is asked, or
    /// where the credential is a token.
    pub key: Option<String>,
    /// The region.
    pub region: Option<String>,
    /// The host that calls go to, with its port where it is not the usual one.
    pub host: String,
    /// The project's id, where it is known (Huawei Cloud).
    pub project_id: Option<String>,
    /// Who would be asked for the credential, or for what belongs to it, before the first call:
    /// only that side knows whether it would give it. Absent where nobody would be.
    pub asks: Option<String>,
}

/// A key's id of which one recognises the key, and no more: somebody may have put the secret there.
pub(crate) fn masked(id: &str) -> String {
    let count = id.chars().count();
    let shown = (count / 4).min(4);
    let tail: String = id.chars().skip(count - shown).collect();
    format!("****{tail}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_recognised_by_its_end_alone() {
        for (id, shown) in [
            ("LTAI5tFooBarBazQuux7XbA", "****7XbA"),
            ("testid", "****d"),
            ("abc", "****"),
            ("", "****"),
            ("密钥密钥密钥密钥", "****密钥"),
        ] {
            assert_eq!(masked(id), shown);
        }
    }
}
