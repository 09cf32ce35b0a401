//! SASL: what both ends say after [`AuthMechanism::SASL`](super::AuthMechanism), in place of a ticket.
//!
//! ```text
//! viewer                                         server
//! AuthMechanism SASL                         ->
//!                                            <-  Mechanisms
//! Start (a mechanism of these, and data)     ->
//!                                            <-  Challenge
//! Step, while the challenge is not complete  ->
//!                                            <-  Challenge
//!                                            <-  Outcome, after the one that is complete
//!                                            <-  LinkError, unless refused
//! messages                                  <->  messages
//! ```
//!
//! Where the mechanism has a security layer, it is in force behind the outcome: the link result is in it already. Over
//! TLS there is none; without TLS the C project takes no mechanism without one, nor one of less than 56 bits.
//!
//! The C server ends the connection without a word where a mechanism's name or a length is out of bounds or a step
//! fails; to a mechanism that it has not offered it answers with a [`LinkReply`](super::LinkReply) of
//! [`LinkError::INVALID_DATA`] and its header, in place of a challenge.
//!
//! These messages have no header, so each is decoded from the front of what has been received. The data in them is a
//! mechanism's own; no data is something else than data of no bytes.

use bytes::Bytes;

use crate::error::{DecodeError, DecodeErrorKind};
use crate::ids::LinkError;
use crate::wire::{Body, Fault, In, Parsed, Wire, Writer, decode_stream, field, named, shared};

/// The most bytes that a list of mechanisms may have; it is the C client that says so.
pub const MAX_MECHANISMS_LEN: u32 = 300;
/// The most bytes that a mechanism's name may have; at least one.
pub const MAX_MECHANISM_LEN: u32 = 100;
/// The most bytes that data may have, with the NUL that ends it on the wire.
pub const MAX_DATA_LEN: u32 = 1 << 20;

/// Decoding and encoding for each message, by what its decoder refuses.
macro_rules! sasl_messages {
    ($($(#[$refuses:meta])* $message:ident,)*) => {$(
        impl $message {
            /// The message at the front of `bytes`, and how many bytes it takes; `None` while it is not whole. What
            /// is too long is refused as soon as its length is there.
            ///
            /// # Errors
            $(#[$refuses])*
            pub fn decode(bytes: &Bytes) -> Result<Option<(Self, usize)>, DecodeError> {
                decode_stream(concat!("sasl.", stringify!($message)), bytes)
            }

            /// The message as it goes on the wire. Nothing is cut or refused: what is longer than this module's
            /// limits will not be taken at the other end.
            #[must_use]
            pub fn encode(&self) -> Body {
                let mut writer = Writer::default();
                self.put(&mut writer);
                writer.finish()
            }
        }

        #[cfg(feature = "arbitrary")]
        impl<'a> arbitrary::Arbitrary<'a> for $message {
            fn arbitrary(source: &mut arbitrary::Unstructured<'a>) -> arbitrary::Result<Self> {
                Wire::arbitrary(source)
            }
        }
    )*};
}

sasl_messages! {
    /// More than [`MAX_MECHANISMS_LEN`] bytes.
    Mechanisms,
    /// A name of no bytes or of more than [`MAX_MECHANISM_LEN`], more than [`MAX_DATA_LEN`] bytes of data.
    Start,
    /// More than [`MAX_DATA_LEN`] bytes of data.
    Step,
    /// More than [`MAX_DATA_LEN`] bytes of data.
    Challenge,
    /// A reason of more than [`MAX_DATA_LEN`] bytes.
    Outcome,
}

/// From the server: the mechanisms that it takes, with a comma before, between and behind them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mechanisms(pub Bytes);

impl Mechanisms {
    /// The list of these names.
    #[must_use]
    pub fn new<'n>(names: impl IntoIterator<Item = &'n str>) -> Self {
        let mut list = String::from(",");
        for name in names {
            list.push_str(name);
            list.push(',');
        }
        Self(list.into())
    }

    /// The names in the list.
    pub fn names(&self) -> impl Iterator<Item = &[u8]> {
        self.0.split(|byte| *byte == b',').filter(|name| !name.is_empty())
    }

    /// Whether the mechanism is in the list, written just so.
    #[must_use]
    pub fn contains(&self, mechanism: &[u8]) -> bool {
        self.names().any(|name| name == mechanism)
    }
}

/// From the viewer: the mechanism that it has chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Start {
    /// One of [`Mechanisms`]; whether it is, is for the server to see.
    pub mechanism: Bytes,
    /// The mechanism's first data, if it has any.
    pub data: Option<Bytes>,
}

/// From the viewer: the answer to a challenge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The mechanism's data, if it has any.
    pub data: Option<Bytes>,
}

/// From the server: the answer to [`Start`] and to each [`Step`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// The mechanism's data, if it has any.
    pub data: Option<Bytes>,
    /// Whether the server is content; an [`Outcome`] follows then, and no step. The viewer still has to take the data,
    /// in which the server may have to prove who it is.
    pub complete: bool,
}

/// From the server, behind the [`Challenge`] that is complete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The viewer is who it says.
    Accepted,
    /// It is, but the security layer is too weak. The connection ends.
    Refused {
        /// Why, in a number; not [`LinkError::OK`], which would be read as [`Outcome::Accepted`]. The C server sends
        /// [`LinkError::ERROR`].
        error: LinkError,
        /// Why, in a text. The wire ends it with a NUL, which is not part of it.
        reason: Bytes,
    },
}

fn parse_sized<'a>(body: &'a Bytes, input: In<'a>, max: u32) -> Parsed<'a, Bytes> {
    let (left, len) = u32::parse(body, input)?;
    if len > max {
        return Err(Fault::at(input, DecodeErrorKind::TooMany { count: len.into(), max: max.into() }));
    }
    shared(body, left, len as usize)
}

fn put_sized(bytes: &Bytes, writer: &mut Writer) {
    u32::try_from(bytes.len()).unwrap_or(u32::MAX).put(writer);
    writer.put_bytes(bytes);
}

/// Data with the byte that ends it on the wire, whatever that byte is; a length of 0 means none.
fn parse_data<'a>(body: &'a Bytes, input: In<'a>) -> Parsed<'a, Option<Bytes>> {
    let (left, mut data) = named("data", parse_sized(body, input, MAX_DATA_LEN))?;
    let Some(len) = data.len().checked_sub(1) else { return Ok((left, None)) };
    data.truncate(len);
    Ok((left, Some(data)))
}

fn put_data(data: Option<&Bytes>, writer: &mut Writer) {
    let Some(data) = data else { return 0_u32.put(writer) };
    u32::try_from(data.len().saturating_add(1)).unwrap_or(u32::MAX).put(writer);
    writer.put_bytes(data);
    0_u8.put(writer);
}

#[cfg(feature = "arbitrary")]
fn arbitrary_data(source: &mut crate::wire::Source<'_>) -> arbitrary::Result<Option<Bytes>> {
    source.arbitrary::<bool>()?.then(|| Wire::arbitrary(source)).transpose()
}

impl Wire for Mechanisms {
    fn parse<'a>(body: &'a Bytes, input: In<'a>) -> Parsed<'a, Self> {
        let (left, list) = named("mechlist", parse_sized(body, input, MAX_MECHANISMS_LEN))?;
        Ok((left, Self(list)))
    }

    fn put(&self, writer: &mut Writer) {
        put_sized(&self.0, writer);
    }

    #[cfg(feature = "arbitrary")]
    fn arbitrary(source: &mut crate::wire::Source<'_>) -> arbitrary::Result<Self> {
        let mut list: Bytes = Wire::arbitrary(source)?;
        list.truncate(MAX_MECHANISMS_LEN as usize);
        Ok(Self(list))
    }
}

impl Wire for Start {
    fn parse<'a>(body: &'a Bytes, input: In<'a>) -> Parsed<'a, Self> {
        let (left, mechanism) = named("mechname", parse_sized(body, input, MAX_MECHANISM_LEN))?;
        if mechanism.is_empty() {
            return named("mechname", Err(Fault::at(input, DecodeErrorKind::Value { value: 0 })));
        }
        let (left, data) = parse_data(body, left)?;
        Ok((left, Self { mechanism, data }))
    }

    fn put(&self, writer: &mut Writer) {
        put_sized(&self.mechanism, writer);
        put_data(self.data.as_ref(), writer);
    }

    #[cfg(feature = "arbitrary")]
    fn arbitrary(source: &mut crate::wire::Source<'_>) -> arbitrary::Result<Self> {
        let mut mechanism: Vec<u8> = vec![source.arbitrary()?];
        mechanism.extend(source.arbitrary::<[u8; 9]>()?);
        Ok(Self { mechanism: mechanism.into(), data: arbitrary_data(source)? })
    }
}

impl Wire for Step {
    fn parse<'a>(body: &'a Bytes, input: In<'a>) -> Parsed<'a, Self> {
        let (left, data) = parse_data(body, input)?;
        Ok((left, Self { data }))
    }

    fn put(&self, writer: &mut Writer) {
        put_data(self.data.as_ref(), writer);
    }

    #[cfg(feature = "arbitrary")]
    fn arbitrary(source: &mut crate::wire::Source<'_>) -> arbitrary::Result<Self> {
        Ok(Self { data: arbitrary_data(source)? })
    }
}

impl Wire for Challenge {
    fn parse<'a>(body: &'a Bytes, input: In<'a>) -> Parsed<'a, Self> {
        let (left, data) = parse_data(body, input)?;
        let (left, complete) = field::<u8>("complete", body, left)?;
        Ok((left, Self { data, complete: complete != 0 }))
    }

    fn put(&self, writer: &mut Writer) {
        put_data(self.data.as_ref(), writer);
        u8::from(self.complete).put(writer);
    }

    #[cfg(feature = "arbitrary")]
    fn arbitrary(source: &mut crate::wire::Source<'_>) -> arbitrary::Result<Self> {
        Ok(Self { data: arbitrary_data(source)?, complete: source.arbitrary()? })
    }
}

impl Wire for Outcome {
    fn parse<'a>(body: &'a Bytes, input: In<'a>) -> Parsed<'a, Self> {
        let (left, error) = field("error", body, input)?;
        if error == LinkError::OK {
            return Ok((left, Self::Accepted));
        }
        let (left, mut reason) = named("reason", parse_sized(body, left, MAX_DATA_LEN))?;
        if reason.last() == Some(&0) {
            reason.truncate(reason.len() - 1);
        }
        Ok((left, Self::Refused { error, reason }))
    }

    fn put(&self, writer: &mut Writer) {
        match self {
            Self::Accepted => LinkError::OK.put(writer),
            Self::Refused { error, reason } => {
                error.put(writer);
                put_data(Some(reason), writer);
            }
        }
    }

    #[cfg(feature = "arbitrary")]
    fn arbitrary(source: &mut crate::wire::Source<'_>) -> arbitrary::Result<Self> {
        Ok(match Wire::arbitrary(source)? {
            LinkError::OK => Self::Accepted,
            error => Self::Refused { error, reason: Wire::arbitrary(source)? },
        })
    }
}
