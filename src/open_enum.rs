//! Text enums that keep what they do not know.

/// Declares an enum of wire texts with an `Unknown` variant that keeps any other text.
macro_rules! open_enum {
    (
        $(#[$meta:meta])*
        $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $wire:literal,)* }
    ) => {
        $(#[$meta])*
        ///
        /// Read from a text with `From<&str>` or `parse`, which cannot fail. The order is for maps
        /// and sorting, and says nothing else.
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$variant_meta])* $variant,)*
            /// A text that no document lists, as the service wrote it.
            Unknown(Box<str>),
        }

        impl $name {
            /// The text as it stands on the wire.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $wire,)*
                    Self::Unknown(text) => text,
                }
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                match text {
                    $($wire => Self::$variant,)*
                    _ => Self::Unknown(text.into()),
                }
            }
        }

        impl std::str::FromStr for $name {
            type Err = std::convert::Infallible;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Ok(Self::from(text))
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl $crate::pipeline::record::Value for $name {
            fn read(
                &mut self,
                raw: $crate::pipeline::json::Raw<'_>,
                _: $crate::pipeline::record::Json,
            ) -> bool {
                let text = raw.text();
                if let Some(text) = &text {
                    *self = Self::from(text.as_ref());
                }
                text.is_some()
            }

            fn show(&self, _: $crate::pipeline::record::Json) -> $crate::pipeline::record::Shown<'_> {
                $crate::pipeline::record::Shown::Text(self.as_str())
            }
        }

        impl $crate::pipeline::record::Field for $name {
            #[cfg(test)]
            const KIND: $crate::pipeline::record::Kind = $crate::pipeline::record::Kind::Text;

            fn empty() -> Self {
                Self::Unknown(Box::default())
            }
        }
    };
}
pub(crate) use open_enum;

#[cfg(test)]
mod tests {
    #![expect(unreachable_pub, reason = "declared as for users, and used here only")]

    use std::collections::BTreeMap;

    open_enum! {
        /// How it goes.
        State {
            /// Well.
            Good = "good",
            /// Badly.
            Bad = "bad",
        }
    }

    #[test]
    fn any_text_is_read_and_written_again_unchanged() {
        for (text, state) in [
            ("good", State::Good),
            ("bad", State::Bad),
            ("Good", State::Unknown("Good".into())),
            ("", State::Unknown("".into())),
        ] {
            assert_eq!(State::from(text), state);
            assert_eq!(text.parse(), Ok(state.clone()));
            assert_eq!(state.to_string(), text);
        }
    }

    #[test]
    fn is_a_key_of_ordered_maps() {
        let texts = ["zest", "bad", "good", "bad", "apt"];
        let mut counts = BTreeMap::<State, u32>::new();
        for text in texts {
            *counts.entry(State::from(text)).or_default() += 1;
        }
        let counts: Vec<_> = counts
            .iter()
            .map(|(state, n)| (state.as_str(), *n))
            .collect();
        assert_eq!(counts, [("good", 1), ("bad", 2), ("apt", 1), ("zest", 1)]);
    }
}
