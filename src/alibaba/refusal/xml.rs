//! As much of XML as the gateway's errors need.

use crate::pipeline::words::entity;

/// The text of an element.
pub(super) struct Element {
    pub(super) text: String,
    /// Whether it was not cut.
    pub(super) is_whole: bool,
}

/// The first element of this name, whatever its case, prefix and attributes are.
pub(super) fn element(xml: &str, name: &str) -> Option<Element> {
    let mut rest = xml;
    while let Some((_, behind)) = rest.split_once('<') {
        rest = match (behind.strip_prefix("![CDATA["), behind.strip_prefix("!--")) {
            (Some(inner), _) => behind_end(inner, "]]>"),
            (_, Some(inner)) => behind_end(inner, "-->"),
            _ => behind,
        };
        let end = behind.find(|c: char| c.is_ascii_whitespace() || matches!(c, '>' | '/'));
        let tag = &behind[..end.unwrap_or(behind.len())];
        let local = tag.rsplit_once(':').map_or(tag, |(_, local)| local);
        if !local.eq_ignore_ascii_case(name) {
            continue;
        }
        let (attributes, content) = behind.split_once('>')?;
        if !attributes.ends_with('/') {
            return Some(text(content));
        }
    }
    None
}

fn behind_end<'a>(inner: &'a str, end: &str) -> &'a str {
    inner.split_once(end).map_or("", |(_, behind)| behind)
}

/// The text up to the next tag.
fn text(mut content: &str) -> Element {
    let mut text = String::new();
    loop {
        let (plain, behind) = content.split_once('<').unwrap_or((content, ""));
        push_resolved(&mut text, plain);
        let is_cut = plain.len() == content.len();
        if let Some(inner) = behind.strip_prefix("![CDATA[") {
            let (inner, after) = inner.split_once("]]>").unwrap_or((inner, ""));
            text.push_str(inner);
            content = after;
        } else if behind.starts_with("!--") {
            content = behind_end(behind, "-->");
        } else {
            return Element {
                text: text.trim().to_owned(),
                is_whole: !is_cut,
            };
        }
    }
}

fn push_resolved(out: &mut String, text: &str) {
    let mut parts = text.split('&');
    out.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let resolved = part.split_once(';');
        match resolved.and_then(|(name, behind)| Some((entity(name.as_bytes())?, behind))) {
            Some((c, behind)) => {
                out.push(c);
                out.push_str(behind);
            }
            None => {
                out.push('&');
                out.push_str(part);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(xml: &str) -> Option<(String, bool)> {
        element(xml, "Code").map(|found| (found.text, found.is_whole))
    }

    #[test]
    fn an_element_is_found_whatever_stands_around_it() {
        for xml in [
            "<Code>a&amp;b</Code>",
            "<?xml version='1.0'?>\n<Error xmlns=\"http://x/\"><Code x='1'> a&#38;b\n</Code></Error>",
            "<e:Error><e:Code>a&#x26;b</e:Code>",
            "<Error><Message><![CDATA[<Code>no</Code>]]></Message><Code><![CDATA[a&b]]></Code>",
            "<!-- <Code>no</Code> --><code>a<!-- no -->&amp;b</code>",
            "<Code/><CodeX>no</CodeX><Code>a&amp;b</Code>",
        ] {
            assert_eq!(read(xml), Some(("a&b".to_owned(), true)), "{xml}");
        }
    }

    #[test]
    fn a_cut_element_is_told_from_a_whole_one() {
        assert_eq!(
            read("<Code>a &nosuch; &"),
            Some(("a &nosuch; &".to_owned(), false))
        );
        assert_eq!(read("<Code><![CDATA[a"), Some(("a".to_owned(), false)));
        assert_eq!(read("<Code"), None);
        assert_eq!(read("<!-- <Code>a</Code>"), None);
        assert_eq!(read(""), None);
    }
}
