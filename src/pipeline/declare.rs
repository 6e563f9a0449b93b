//! The two ways to declare: an answer, and an operation with its request.
//!
//! A declaration is the vendor's table: one line a field, with its words above. The macros write
//! the struct, its setters and lists of its fields; everything else walks those lists, in code that
//! is compiled once. One invocation a struct, so that errors and "source" links stay near.

/// Declares what an answer, or a part of one, holds.
///
/// A field is its words, its type and its wire name. The type says what is read: a bare type is
/// essential, an `Option` absent and a `Vec` or map empty where nothing of use stands. Fields under
/// `also` are no part of the wire.
macro_rules! response {
    (
        $json:ident;
        $(#[$about:meta])*
        $name:ident {
            $($(#[$words:meta])* pub $field:ident: $type:ty = $wire:literal $(($($rule:expr),+))?,)*
        }
        $(also { $($(#[$also_words:meta])* pub $also:ident: $also_type:ty,)* })?
    ) => {
        $(#[$about])*
        #[derive(Clone, PartialEq)]
        #[non_exhaustive]
        pub struct $name {
            $($(#[$words])* pub $field: $type,)*
            $($($(#[$also_words])* pub $also: $also_type,)*)?
        }

        $crate::pipeline::declare::record! {
            $json $name
            [$($field: $type = Member $wire (Presence::of::<$type>()) ($($($rule),+)?),)*]
            [$($($also,)*)?]
            []
        }
        $crate::pipeline::declare::kept!($name);
    };
}

/// Declares a part that stands in requests, and in answers too.
///
/// `new` has what it always has, `with` what may be left out, `json` what two setters write. One
/// that was read goes out again as it came, but for what was changed: see
/// [`Came`](super::record::Came).
macro_rules! part {
    (
        $json:ident;
        $(#[$about:meta])*
        $name:ident;
        $(#[$new_words:meta])*
        new {
            $($(#[$words:meta])* pub $field:ident: $type:ty = $wire:literal $(($($rule:expr),+))?,)*
        }
        $(with {
            $($(#[$with_words:meta])* pub $with:ident: $with_type:ty = $with_wire:literal $(($($with_rule:expr),+))?,)*
        })?
        $(json {
            $($(#[$json_words:meta])* pub $value:ident | $text:ident: $json_type:ty = $json_wire:literal $(($($json_rule:expr),+))?,)*
        })?
    ) => {
        $crate::pipeline::declare::request! {
            $json $(#[$about])* $name; [came]
            $(#[$new_words])*
            new { $($(#[$words])* pub $field: $type = Member $wire ($($($rule),+)?),)* }
            with { $($($(#[$with_words])* pub $with: $with_type = Member $with_wire ($($($with_rule),+)?),)*)? }
            json { $($($(#[$json_words])* pub $value | $text: $json_type = Member $json_wire ($($($json_rule),+)?),)*)? }
            plain {}
        }
        $crate::pipeline::declare::kept!($name);
    };
}

/// Declares an operation: its request, where each parameter stands, whether it may be repeated.
///
/// Behind `as` stands the client's method that sends it, for the documentation to link to.
/// `new` has what the constructor takes, `with` what may be left out and has a setter, `json` what
/// two setters write (a value, a text), `plain` what has setters of its own. What the operation
/// does otherwise than others stands last: `about` names the fields that say which execution it is
/// about, its flow first; `writing` has functions of
/// [`Declared`](super::declared::Declared), `outcome` of [`Exchange`](super::operation::Exchange),
/// and `settle` names the function that says what became of a call that failed.
macro_rules! operation {
    (
        $json:ident $protocol:ty, $client:literal;
        $(#[$about:meta])*
        $name:ident = $operation:literal $(as $call:ident)?, $method:ident $path:literal, $replay:ident, $limits:ident => $answer:ty;
        $(#[$new_words:meta])*
        new {
            $($(#[$words:meta])* pub $field:ident: $type:ty = $place:ident $wire:literal $(($($rule:expr),+))?,)*
        }
        $(with {
            $($(#[$with_words:meta])* pub $with:ident: $with_type:ty = $with_place:ident $with_wire:literal $(($($with_rule:expr),+))?,)*
        })?
        $(json {
            $($(#[$json_words:meta])* pub $value:ident | $text:ident: $json_type:ty = $json_place:ident $json_wire:literal $(($($json_rule:expr),+))?,)*
        })?
        $(plain {
            $($(#[$plain_words:meta])* pub $plain:ident: $plain_type:ty = $plain_place:ident $plain_wire:literal $(($($plain_rule:expr),+))?,)*
        })?
        $(about $flow:ident, $execution:ident;)?
        $(writing { $($writing:tt)* })?
        $(outcome { $($outcome:tt)* })?
        $(settle $settle:path;)?
    ) => {
        $crate::pipeline::declare::request! {
            $json
            #[doc = concat!("The request of `", $operation, "`: made by [`new`](Self::new), answered by [`", stringify!($answer), "`].")]
            $(#[doc = concat!("[`Client::", stringify!($call), "`](", $client, "::", stringify!($call), ") sends it; an example stands there.")])?
            #[doc = ""]
            #[doc = "[`()`]: prim@unit"]
            #[doc = ""]
            $(#[$about])*
            $name; []
            #[doc = concat!("A `", $operation, "` with what it always has; the rest has setters.")]
            #[doc = ""]
            $(#[$new_words])*
            new { $($(#[$words])* pub $field: $type = $place $wire ($($($rule),+)?),)* }
            with { $($($(#[$with_words])* pub $with: $with_type = $with_place $with_wire ($($($with_rule),+)?),)*)? }
            json { $($($(#[$json_words])* pub $value | $text: $json_type = $json_place $json_wire ($($($json_rule),+)?),)*)? }
            plain { $($($(#[$plain_words])* pub $plain: $plain_type = $plain_place $plain_wire ($($($plain_rule),+)?),)*)? }
        }

        impl $crate::pipeline::operation::Operation for $name {
            type Output = $answer;
        }

        impl $crate::pipeline::declared::Declared for $name {
            const ENTRY: &'static $crate::pipeline::declared::Entry =
                &$crate::pipeline::declared::Entry {
                    name: $operation,
                    method: ::http::Method::$method,
                    path: $path,
                    replay: $crate::pipeline::operation::Replay::$replay,
                    limits: $crate::pipeline::operation::Timeouts::$limits,
                    #[cfg(test)]
                    parameters: <$name as $crate::pipeline::record::Record>::MEMBERS,
                    #[cfg(test)]
                    answer: <$answer as $crate::pipeline::record::Record>::MEMBERS,
                };

            $(
                fn encoded(
                    self,
                ) -> ::std::result::Result<
                    $crate::pipeline::operation::EncodedFor<Self>,
                    $crate::error::Error,
                > {
                    let encoded = $crate::pipeline::declared::write(&self)?;
                    let subject = $crate::pipeline::operation::Subject::named(self.$flow, self.$execution);
                    ::std::result::Result::Ok(encoded.about(subject))
                }
            )?

            $($($writing)*)?
        }

        impl $crate::pipeline::operation::Exchange for $name {
            type Protocol = $protocol;
            type Answer = $answer;

            fn name(&self) -> ::std::borrow::Cow<'static, str> {
                $operation.into()
            }

            fn encode(
                self,
            ) -> ::std::result::Result<
                $crate::pipeline::operation::EncodedFor<Self>,
                $crate::error::Error,
            > {
                $crate::pipeline::declared::Declared::encoded(self)
            }

            fn decode(
                reply: &$crate::pipeline::transport::Reply,
            ) -> ::std::result::Result<$answer, $crate::pipeline::operation::DecodeError> {
                let mut answer = <$answer as $crate::pipeline::record::Record>::empty();
                <$protocol as $crate::pipeline::declared::Family>::read(reply, &mut answer)?;
                ::std::result::Result::Ok(answer)
            }

            fn scrub(
                answer: &mut $answer,
                words: &mut dyn FnMut(&mut $crate::payload::FlowText),
            ) {
                $crate::pipeline::record::Value::words(answer, words);
            }

            fn request_id(answer: &$answer) -> ::std::option::Option<&str> {
                <$protocol as $crate::pipeline::declared::Family>::request_id_in(answer)
            }

            $($($outcome)*)?

            $(
                fn settle<'a>(
                    answer: &'a mut ::std::option::Option<$answer>,
                    outcome: $crate::pipeline::operation::Outcome<()>,
                    sent: $crate::pipeline::operation::Sent<'a, $protocol>,
                ) -> $crate::pipeline::answer::Settled<'a> {
                    $crate::pipeline::answer::Settled::failed(answer, outcome, |error| {
                        $settle(error, sent)
                    })
                }
            )?
        }
    };
}

/// Writes a struct that stands in requests, with its constructor and setters.
macro_rules! request {
    (
        $json:ident
        $(#[$about:meta])*
        $name:ident; [$($came:ident)?]
        $(#[$new_words:meta])*
        new { $($(#[$words:meta])* pub $field:ident: $type:ty = $place:ident $wire:literal ($($rule:expr),*),)* }
        with { $($(#[$with_words:meta])* pub $with:ident: $with_type:ty = $with_place:ident $with_wire:literal ($($with_rule:expr),*),)* }
        json { $($(#[$json_words:meta])* pub $value:ident | $text:ident: $json_type:ty = $json_place:ident $json_wire:literal ($($json_rule:expr),*),)* }
        plain { $($(#[$plain_words:meta])* pub $plain:ident: $plain_type:ty = $plain_place:ident $plain_wire:literal ($($plain_rule:expr),*),)* }
    ) => {
        $(#[$about])*
        #[derive(Clone, PartialEq)]
        #[non_exhaustive]
        pub struct $name {
            $(#[doc = concat!("`", $wire, "`:")] $(#[$words])* pub $field: $type,)*
            $(#[doc = concat!("`", $with_wire, "`:")] $(#[$with_words])* pub $with: Option<$with_type>,)*
            $(#[doc = concat!("`", $plain_wire, "`:")] $(#[$plain_words])* pub $plain: $plain_type,)*
            $(#[doc = concat!("`", $json_wire, "`:")] $(#[$json_words])* pub $value: Option<$json_type>,)*
            $($came: $crate::pipeline::record::Came,)?
        }

        $crate::pipeline::declare::default!($name $($field)*);

        impl $name {
            $(#[$new_words])*
            pub fn new($($field: impl Into<$type>),*) -> Self {
                Self {
                    $($field: $field.into(),)*
                    $($with: None,)*
                    $($value: None,)*
                    $($plain: <$plain_type as $crate::pipeline::record::Field>::empty(),)*
                    $($came: ::std::default::Default::default(),)?
                }
            }

            $(
                #[doc = concat!("`", $with_wire, "`:")]
                $(#[$with_words])*
                #[must_use]
                pub fn $with(mut self, $with: impl Into<$crate::given::Given<$with_type>>) -> Self {
                    self.$with = $with.into().0;
                    self
                }
            )*

            $(
                #[doc = concat!("`", $json_wire, "`:")]
                $(#[$json_words])*
                ///
                /// Takes a value and serialises it at once; a failure is reported by the call.
                #[must_use]
                pub fn $value(mut self, value: impl ::serde::Serialize) -> Self {
                    self.$value = Some($crate::payload::Payload::from_value(&value));
                    self
                }

                #[doc = concat!("`", $json_wire, "`:")]
                $(#[$json_words])*
                ///
                /// Takes JSON text, which is sent as it is.
                #[must_use]
                pub fn $text(mut self, text: impl Into<String>) -> Self {
                    self.$value = Some($crate::payload::Payload::from_json(text));
                    self
                }
            )*
        }

        $crate::pipeline::declare::record! {
            $json $name
            [
                $($field: $type = $place $wire (Presence::Required) ($($rule),*),)*
                $($with: Option<$with_type> = $with_place $with_wire (Presence::Given) ($($with_rule),*),)*
                $($plain: $plain_type = $plain_place $plain_wire (Presence::Optional) ($($plain_rule),*),)*
                $($value: Option<$json_type> = $json_place $json_wire (Presence::Given) ($($json_rule),*),)*
            ]
            []
            [$($came)?]
        }
    };
}

/// Writes the lists of a struct's fields.
macro_rules! record {
    (
        $json:ident $name:ident
        [$($field:ident: $type:ty = $place:ident $wire:literal ($presence:expr) ($($rule:expr),*),)*]
        [$($also:ident,)*]
        [$($came:ident)?]
    ) => {
        const _: () = {
            use $crate::pipeline::{
                record::{Field, Fields, Json, Member, Place, Presence, Record, Value},
                show, value::{slot, value},
            };

            impl Fields for $name {
                fn name(&self) -> &'static str {
                    stringify!($name)
                }

                fn members(&self) -> &'static [Member] {
                    Self::MEMBERS
                }

                fn json(&self) -> Json {
                    Json::$json
                }

                fn values<'a>(&'a self, see: &mut dyn FnMut(&'a dyn Value)) {
                    $(see(value::<$type>(&self.$field));)*
                }

                fn slots(&mut self, see: &mut dyn FnMut(&mut dyn Value)) {
                    $(see(slot::<$type>(&mut self.$field));)*
                }

                $(
                    fn came(&self) -> Option<&str> {
                        self.$came.text()
                    }

                    fn keep(&mut self, text: &str) {
                        self.$came.keep(text);
                    }

                    fn another(&self) -> Option<Box<dyn Fields>> {
                        Some(Box::new(<Self as Record>::empty()))
                    }
                )?
            }

            impl Record for $name {
                const MEMBERS: &'static [Member] = &[$(Member {
                    field: stringify!($field),
                    wire: $wire,
                    place: Place::$place,
                    #[cfg(test)]
                    kind: <$type as Field>::KIND,
                    presence: $presence,
                    rules: $crate::pipeline::declare::rules!($($rule),*),
                },)*];

                fn empty() -> Self {
                    Self {
                        $($field: <$type as Field>::empty(),)*
                        $($also: Default::default(),)*
                        $($came: Default::default(),)?
                    }
                }
            }

            impl ::std::fmt::Debug for $name {
                fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                    show::debug(self, f)$(.field(stringify!($also), &self.$also))*.finish()
                }
            }
        };
    };
}

/// For what has nothing that it always has.
macro_rules! default {
    ($name:ident) => {
        impl ::std::default::Default for $name {
            fn default() -> Self {
                Self::new()
            }
        }
    };
    ($name:ident $($field:ident)+) => {};
}

/// What stands in the parentheses behind a wire name.
macro_rules! rules {
    () => {
        &[]
    };
    ($($rule:expr),+) => {{
        use $crate::pipeline::record::Rule::*;
        &[$($rule),+]
    }};
}

/// What users keep and read again: answers and parts, no requests, which hold tokens.
macro_rules! kept {
    ($name:ident) => {
        impl ::serde::Serialize for $name {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                $crate::pipeline::show::serialize(self, serializer)
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $name {
            fn deserialize<D: ::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> Result<Self, D::Error> {
                $crate::pipeline::show::deserialize(deserializer)
            }
        }
    };
}

pub(crate) use {default, kept, operation, part, record, request, response, rules};
