//! JSON text as a tree, read as simply as it can be: of a text that a library has said is JSON.

/// One value; numbers, texts and words stay as they are written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Node<'a> {
    Plain(&'a str),
    List(Vec<Node<'a>>),
    /// Names with their quotes, in the order of the text.
    Map(Vec<(&'a str, Node<'a>)>),
}

/// How deep a text may be for the rules that are tried with it.
const DEEPEST: usize = 200;

/// The tree of a text; none where it is too deep.
pub fn read(text: &str) -> Option<Node<'_>> {
    Reader { rest: text }.value(0)
}

struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn skip(&mut self) -> Option<char> {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\r', '\n']);
        self.rest.chars().next()
    }

    fn take(&mut self, bytes: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(bytes);
        self.rest = rest;
        taken
    }

    fn value(&mut self, depth: usize) -> Option<Node<'a>> {
        if depth > DEEPEST {
            return None;
        }
        let mut items = Vec::new();
        let mut members = Vec::new();
        let is_map = match self.skip()? {
            '{' => true,
            '[' => false,
            '"' => return self.text().map(Node::Plain),
            _ => {
                let end = self.rest.find([',', ']', '}', ' ', '\t', '\r', '\n']);
                return Some(Node::Plain(self.take(end.unwrap_or(self.rest.len()))));
            }
        };
        self.take(1);
        loop {
            match self.skip()? {
                ',' => {
                    self.take(1);
                }
                '}' | ']' => {
                    self.take(1);
                    return Some(match is_map {
                        true => Node::Map(members),
                        false => Node::List(items),
                    });
                }
                _ if is_map => {
                    let name = self.text()?;
                    self.skip()?;
                    self.take(1);
                    members.push((name, self.value(depth + 1)?));
                }
                _ => items.push(self.value(depth + 1)?),
            }
        }
    }

    fn text(&mut self) -> Option<&'a str> {
        let mut is_escaped = false;
        let mut characters = self.rest.char_indices().skip(1);
        let (end, _) = characters.find(|(_, c)| {
            let is_end = *c == '"' && !is_escaped;
            is_escaped = *c == '\\' && !is_escaped;
            is_end
        })?;
        Some(self.take(end + 1))
    }
}

impl<'a> Node<'a> {
    pub fn members(&self) -> &[(&'a str, Node<'a>)] {
        match self {
            Self::Map(members) => members,
            _ => &[],
        }
    }

    /// With members the other way round wherever no name stands twice.
    #[must_use]
    pub fn turned(self) -> Self {
        match self {
            Self::Plain(text) => Self::Plain(text),
            Self::List(items) => Self::List(items.into_iter().map(Self::turned).collect()),
            Self::Map(members) => {
                let turned = members
                    .into_iter()
                    .map(|(name, value)| (name, value.turned()));
                let mut turned: Vec<_> = turned.collect();
                if !twice(&turned) {
                    turned.reverse();
                }
                Self::Map(turned)
            }
        }
    }

    /// With members in the order of their names.
    #[must_use]
    pub fn sorted(self) -> Self {
        match self {
            Self::Plain(text) => Self::Plain(text),
            Self::List(items) => Self::List(items.into_iter().map(Self::sorted).collect()),
            Self::Map(members) => {
                let sorted = members
                    .into_iter()
                    .map(|(name, value)| (name, value.sorted()));
                let mut sorted: Vec<_> = sorted.collect();
                sorted.sort_by_key(|(name, _)| *name);
                Self::Map(sorted)
            }
        }
    }

    /// As text, with this between any two parts of it.
    pub fn written(&self, space: &str) -> String {
        let joined = |parts: Vec<String>| parts.join(&format!("{space},{space}"));
        match self {
            Self::Plain(text) => (*text).to_owned(),
            Self::List(items) => {
                let items = items.iter().map(|item| item.written(space)).collect();
                format!("[{space}{}{space}]", joined(items))
            }
            Self::Map(members) => {
                let member = |(name, value): &(&str, Self)| {
                    format!("{name}{space}:{space}{}", value.written(space))
                };
                let members = members.iter().map(member).collect();
                format!("{{{space}{}{space}}}", joined(members))
            }
        }
    }
}

/// Whether a name stands twice, however it is written.
pub fn twice(members: &[(&str, Node<'_>)]) -> bool {
    let name = |name: &str| serde_json::from_str(name).unwrap_or_else(|_| name.to_owned());
    let mut names: Vec<String> = members.iter().map(|(written, _)| name(written)).collect();
    names.sort_unstable();
    names.windows(2).any(|pair| pair[0] == pair[1])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_is_the_text_it_was_read_from() {
        let text = r#"{ "b" : [1.50, -0, "}\"", {} ],"a":{"\\":null,"c":[ ]} }"#;
        let tree = read(text).expect("JSON");
        let compact = r#"{"b":[1.50,-0,"}\"",{}],"a":{"\\":null,"c":[]}}"#;
        assert_eq!(tree.written(""), compact);
        assert_eq!(read(&tree.written("\t ")), Some(tree.clone()));
        let turned = tree.clone().turned();
        let other = r#"{"a":{"c":[],"\\":null},"b":[1.50,-0,"}\"",{}]}"#;
        assert_eq!(turned.written(""), other);
        assert_eq!(turned.sorted(), tree.sorted());
    }

    #[test]
    fn names_that_stand_twice_keep_their_order() {
        let text = r#"{"a":1,"\u0061":2,"b":{"x":1,"y":2}}"#;
        let turned = read(text).expect("JSON").turned();
        assert_eq!(
            turned.written(""),
            r#"{"a":1,"\u0061":2,"b":{"y":2,"x":1}}"#
        );
        assert!(twice(turned.members()));
        assert_eq!(
            read(&format!("{}1{}", "[".repeat(300), "]".repeat(300))),
            None
        );
    }
}
