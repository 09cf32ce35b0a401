//! The three shapes that repeat in every message: a record of fields, a number with a name, a table of messages.

/// An open enumeration: a number with named values. A value without a name survives and prints as a number.
///
/// ```
/// spice_proto::open_enum! {
///     /// How loud.
///     pub enum Loudness: u8 {
///         /// Not at all.
///         SILENT = 0,
///         /// Very.
///         LOUD = 10,
///     }
/// }
/// assert_eq!(Loudness::LOUD.to_string(), "LOUD");
/// assert_eq!(Loudness(3).to_string(), "3");
/// ```
#[macro_export]
macro_rules! open_enum {
    ($(#[$meta:meta])* pub enum $name:ident: $repr:ty {
        $($(#[$value_meta:meta])* $value:ident = $number:literal,)*
    }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub $repr);

        impl $name {
            $($(#[$value_meta])* pub const $value: Self = Self($number);)*

            /// The name that the protocol has for this value, if it has one.
            #[must_use]
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($number => Some(stringify!($value)),)*
                    _ => None,
                }
            }
        }

        impl ::core::fmt::Debug for $name {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                match self.name() {
                    Some(name) => write!(f, concat!(stringify!($name), "::{}"), name),
                    None => write!(f, concat!(stringify!($name), "({})"), self.0),
                }
            }
        }

        impl ::core::fmt::Display for $name {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                match self.name() {
                    Some(name) => f.write_str(name),
                    None => write!(f, "{}", self.0),
                }
            }
        }
    };
}

/// `Wire` for a type around one number.
macro_rules! wire_newtype {
    ($($name:ident($repr:ty)),* $(,)?) => {$(
        impl $crate::wire::Wire for $name {
            fn parse<'a>(body: &'a ::bytes::Bytes, input: $crate::wire::In<'a>) -> $crate::wire::Parsed<'a, Self> {
                let (left, number) = <$repr as $crate::wire::Wire>::parse(body, input)?;
                Ok((left, Self(number)))
            }

            fn put(&self, writer: &mut $crate::wire::Writer) {
                $crate::wire::Wire::put(&self.0, writer);
            }

            #[cfg(feature = "arbitrary")]
            fn arbitrary(source: &mut $crate::wire::Source<'_>) -> ::arbitrary::Result<Self> {
                $crate::wire::Wire::arbitrary(source).map(Self)
            }
        }
    )*};
}

/// An identifier: a number that is no quantity and no other identifier.
macro_rules! id {
    ($(#[$meta:meta])* pub struct $name:ident($repr:ty);) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub $repr);

        impl ::core::fmt::Display for $name {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                self.0.fmt(f)
            }
        }

        $crate::wire::wire_newtype!($name($repr));
    };
}

/// A set of flags; bits without a name survive.
macro_rules! flags {
    ($(#[$($meta:tt)*])* pub struct $name:ident: $repr:ty {
        $($(#[$($flag_meta:tt)*])* const $flag:ident = $bits:expr;)*
    }) => {
        bitflags::bitflags! {
            $(#[$($meta)*])*
            #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
            pub struct $name: $repr {
                $($(#[$($flag_meta)*])* const $flag = $bits;)*
                /// Bits that have no name here are kept.
                const _ = !0;
            }
        }

        impl $crate::wire::Wire for $name {
            fn parse<'a>(body: &'a ::bytes::Bytes, input: $crate::wire::In<'a>) -> $crate::wire::Parsed<'a, Self> {
                let (left, bits) = <$repr as $crate::wire::Wire>::parse(body, input)?;
                Ok((left, Self::from_bits_retain(bits)))
            }

            fn put(&self, writer: &mut $crate::wire::Writer) {
                $crate::wire::Wire::put(&self.bits(), writer);
            }

            #[cfg(feature = "arbitrary")]
            fn arbitrary(source: &mut $crate::wire::Source<'_>) -> ::arbitrary::Result<Self> {
                $crate::wire::Wire::arbitrary(source).map(Self::from_bits_retain)
            }
        }
    };
}

/// A structure whose fields follow one another on the wire.
macro_rules! record {
    ($(#[$meta:meta])* pub struct $name:ident {
        $($(#[$field_meta:meta])* pub $field:ident: $type:ty,)*
    }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $name {
            $($(#[$field_meta])* pub $field: $type,)*
        }

        impl $crate::wire::Wire for $name {
            fn parse<'a>(body: &'a ::bytes::Bytes, input: $crate::wire::In<'a>) -> $crate::wire::Parsed<'a, Self> {
                $(let (input, $field) = $crate::wire::field(stringify!($field), body, input)?;)*
                Ok((input, Self { $($field),* }))
            }

            fn put(&self, writer: &mut $crate::wire::Writer) {
                $($crate::wire::Wire::put(&self.$field, writer);)*
            }

            #[cfg(feature = "arbitrary")]
            fn arbitrary(source: &mut $crate::wire::Source<'_>) -> ::arbitrary::Result<Self> {
                Ok(Self { $($field: $crate::wire::Wire::arbitrary(source)?,)* })
            }
        }
    };
}

/// The messages of one channel in one direction: number, name and content. `end` says what follows the content:
/// nothing (`all`), or what its offsets point to (`front`).
macro_rules! messages {
    ($(#[$meta:meta])* pub enum $name:ident in $channel:literal {
        $($(#[$message_meta:meta])* $id:literal $message:ident $(($content:ty, $end:ident))?,)*
    }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq)]
        #[non_exhaustive]
        pub enum $name {
            $(
                $(#[$message_meta])*
                #[doc = ""]
                #[doc = concat!("`", $channel, "` message ", stringify!($id), ".")]
                $message $(($content))?,
            )*
        }

        impl $name {
            /// The numbers of all messages in this table.
            pub const IDS: &[u16] = &[$($id),*];

            /// Makes up the message with this number; one that is not in the table is an error of `arbitrary`.
            #[cfg(feature = "arbitrary")]
            pub fn arbitrary_with_id(id: u16, source: &mut ::arbitrary::Unstructured<'_>) -> ::arbitrary::Result<Self> {
                match id {
                    $($id => $crate::wire::messages!(@arbitrary $message source $(($content))?),)*
                    _ => Err(::arbitrary::Error::IncorrectFormat),
                }
            }

            /// The number that stands in the data header.
            #[must_use]
            pub const fn id(&self) -> u16 {
                match self {
                    $($crate::wire::messages!(@pattern $message $(($content))?) => $id,)*
                }
            }

            /// The name of the message with this number.
            #[must_use]
            pub const fn name(id: u16) -> Option<&'static str> {
                match id {
                    $($id => Some(concat!($channel, ".", stringify!($message))),)*
                    _ => None,
                }
            }

            /// Decodes the whole body of message number `id`. Payloads share the body's memory.
            ///
            /// # Errors
            /// A number that is not in this table; a body that is too short, too long, or means nothing.
            pub fn decode(id: u16, body: &::bytes::Bytes) -> Result<Self, $crate::DecodeError> {
                match id {
                    $($id => $crate::wire::messages!(@decode $channel $message body $(($content, $end))?),)*
                    _ => Err($crate::DecodeError {
                        message: $channel,
                        field: "type",
                        offset: 0,
                        kind: $crate::DecodeErrorKind::Unknown { id },
                    }),
                }
            }

            /// The body as it goes on the wire, after a data header with [`Self::id`].
            #[must_use]
            pub fn encode(&self) -> $crate::Body {
                let mut writer = $crate::wire::Writer::default();
                match self {
                    $($crate::wire::messages!(@bind $message content $(($content))?) =>
                        $crate::wire::messages!(@put writer content $(($content))?),)*
                }
                writer.finish()
            }
        }

        #[cfg(feature = "arbitrary")]
        impl<'a> ::arbitrary::Arbitrary<'a> for $name {
            fn arbitrary(source: &mut ::arbitrary::Unstructured<'a>) -> ::arbitrary::Result<Self> {
                let id = *source.choose(Self::IDS)?;
                Self::arbitrary_with_id(id, source)
            }
        }
    };
    (@pattern $message:ident ($content:ty)) => { Self::$message(_) };
    (@pattern $message:ident) => { Self::$message };
    (@bind $message:ident $bound:ident ($content:ty)) => { Self::$message($bound) };
    (@bind $message:ident $bound:ident) => { Self::$message };
    (@put $writer:ident $bound:ident ($content:ty)) => { $crate::wire::Wire::put($bound, &mut $writer) };
    (@put $writer:ident $bound:ident) => { () };
    (@arbitrary $message:ident $source:ident ($content:ty)) => {
        <$content as $crate::wire::Wire>::arbitrary($source).map(Self::$message)
    };
    (@arbitrary $message:ident $source:ident) => { Ok(Self::$message) };
    (@decode $channel:literal $message:ident $body:ident ($content:ty, all)) => {
        $crate::wire::decode_all(concat!($channel, ".", stringify!($message)), $body).map(Self::$message)
    };
    (@decode $channel:literal $message:ident $body:ident ($content:ty, front)) => {
        $crate::wire::decode_front(concat!($channel, ".", stringify!($message)), $body).map(Self::$message)
    };
    (@decode $channel:literal $message:ident $body:ident) => {
        $crate::wire::decode_all::<$crate::wire::Nothing>(concat!($channel, ".", stringify!($message)), $body)
            .map(|_| Self::$message)
    };
}

pub(crate) use {flags, id, messages, record, wire_newtype};
