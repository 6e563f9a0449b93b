//! One setting as it was given: by whom errors call it, and without the white space around it.

use std::fmt;

use url::Url;

use super::{
    environment::Environment,
    settings::{endpoint, region},
};
use crate::error::Error;

/// The text of a setting, and the variable that it came from. `Debug` shows nothing of it.
#[derive(Clone)]
pub(crate) struct Setting {
    name: &'static str,
    variable: Option<String>,
    text: String,
}

impl Setting {
    /// What the caller set.
    pub(crate) fn given(name: &'static str, text: impl Into<String>) -> Self {
        Self {
            name,
            variable: None,
            text: text.into(),
        }
    }

    /// What the first of these variables holds that is set.
    pub(crate) fn of_variables(
        name: &'static str,
        environment: &Environment,
        variables: &[&str],
    ) -> Option<Self> {
        variables.iter().find_map(|variable| {
            Some(Self {
                name,
                variable: Some((*variable).to_owned()),
                text: environment.variable(variable)?,
            })
        })
    }

    /// The same setting, of which only a part is meant.
    #[cfg(feature = "huawei")]
    pub(crate) fn part(self, part: impl FnOnce(&str) -> &str) -> Self {
        let text = part(trimmed(&self.text)).to_owned();
        Self { text, ..self }
    }

    /// The text, without the white space that shells, files and forms leave around it.
    pub(crate) fn text(&self) -> &str {
        trimmed(&self.text)
    }

    /// The region that it names.
    pub(crate) fn region(&self) -> Result<String, Error> {
        region(self.text()).map_err(|rule| self.refused(rule))
    }

    /// The address that it holds.
    pub(crate) fn endpoint(&self, allow_http: bool) -> Result<Url, Error> {
        endpoint(self.text(), allow_http).map_err(|rule| self.refused(rule))
    }

    /// The error of a setting that breaks a rule: names setting and variable, and shows no text.
    pub(crate) fn refused(&self, rule: impl fmt::Display) -> Error {
        match &self.variable {
            Some(variable) => {
                Error::configuration(self.name, format_args!("{rule} (`{variable}`)"))
            }
            None => Error::configuration(self.name, rule),
        }
    }
}

impl fmt::Debug for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.variable.as_deref().unwrap_or("set"))
    }
}

/// Without white space at its ends, or the mark that some editors begin a file with.
fn trimmed(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn white_space_around_a_setting_is_left_out() {
        for text in [
            "cn-hangzhou\n",
            " cn-hangzhou\r\n",
            "\u{feff}cn-hangzhou\t",
            "cn-hangzhou\u{a0}",
        ] {
            let region = Setting::given("region", text).region();
            assert_eq!(region.unwrap(), "cn-hangzhou");
            let endpoint = Setting::given("endpoint", text).endpoint(false).unwrap();
            assert_eq!(endpoint.as_str(), "https://cn-hangzhou/");
        }
        let part = Setting::given("endpoint", " https://a/v3\n");
        #[cfg(feature = "huawei")]
        let part = part.part(|text| text.strip_suffix("/v3").unwrap());
        assert!(part.endpoint(false).is_ok() == cfg!(feature = "huawei"));
    }

    #[test]
    fn a_setting_that_breaks_a_rule_is_named_with_its_variable_and_not_shown() {
        let environment = Environment::fake(&[("SECOND", "MARK er"), ("THIRD", "x")]);
        let variables = ["FIRST", "SECOND", "THIRD"];
        let setting = Setting::of_variables("region", &environment, &variables).unwrap();
        let white_space = "region: holds white space between its characters (`SECOND`)";
        assert_eq!(setting.region().unwrap_err().message(), white_space);
        let refused = setting.endpoint(true).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Configuration);
        assert_eq!(refused.message(), white_space);
        assert_eq!(format!("{setting:?}"), "SECOND");
        assert!(Setting::of_variables("region", &environment, &["FIRST"]).is_none());

        for (text, rule) in [
            (" \n", "is empty, or holds nothing but white space"),
            ("http://x.test", "plain http is refused"),
            (
                "https://user:MARK@x.test",
                "must not hold a user or password",
            ),
            (
                "https://x.test/MARK",
                "must have no path, query or fragment",
            ),
            ("x.test:MARK", "is not a URL"),
        ] {
            let setting = Setting::given("endpoint", text);
            let message = setting.endpoint(false).unwrap_err().to_string();
            assert!(message.contains(&format!("endpoint: {rule}")), "{message}");
            assert!(!message.contains("MARK") && !format!("{setting:?}").contains("MARK"));
        }
    }
}
