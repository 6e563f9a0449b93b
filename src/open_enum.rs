//! Text enums that keep what they do not know.

/// Declares an enum of wire texts with an `Unknown` variant that keeps any other text.
macro_rules! open_enum {
    (
        $(#[$meta:meta])*
        $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $wire:literal,)* }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
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
