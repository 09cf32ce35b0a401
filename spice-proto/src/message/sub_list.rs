//! Several messages in the body of one.

use bytes::Bytes;

use crate::error::{DecodeError, DecodeErrorKind};
use crate::wire::{Body, Fault, In, Parsed, Wire, Writer, decode_at, field, named, shared};

/// The number of a message that is nothing but a list.
const LIST: u16 = 8;
/// Bytes of a sub-message's header (`SpiceSubMessage`): type and size.
const SUB_HEADER_LEN: usize = 6;

/// One message of a [`SubMessageList`] (`SpiceSubMessage`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubMessage {
    /// Its number, a base one or the channel's own.
    pub id: u16,
    /// Its body. Offsets in it count from its own start.
    pub body: Bytes,
}

/// Messages of one channel that travel in the body of another (`SpiceSubMessageList`), to be taken in this order and
/// as if each had come by itself; they count as one message for acknowledgements and serials.
///
/// They are the whole body of a [`ServerMessage::List`](crate::base::ServerMessage::List), or they lie behind the
/// content of any message whose full header has a `sub_list`, and are to be taken before it.
///
/// A list is flat: one in a list is an error. A list whose messages have more bytes together than the body is refused,
/// so that taking them all is no more work than the body's length allows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SubMessageList(pub Vec<SubMessage>);

impl SubMessageList {
    /// Decodes the body of a [`ServerMessage::List`](crate::base::ServerMessage::List). Bodies share its memory.
    ///
    /// # Errors
    /// Offsets or sizes that lie outside the body, messages that reach into the list of offsets, a list in the list,
    /// more bytes together than the body has.
    pub fn decode(body: &Bytes) -> Result<Self, DecodeError> {
        decode_at("SubMessageList", body, 0, parse).map(|(list, _)| list)
    }

    /// Takes apart the body that came after a full header with this `sub_list`: the message's own content, and the
    /// messages to be taken before it. With a `sub_list` of 0 there are none.
    ///
    /// # Errors
    /// As in [`Self::decode`]; or a `sub_list` that lies outside the body.
    pub fn split(body: &Bytes, sub_list: u32) -> Result<(Bytes, Self), DecodeError> {
        if sub_list == 0 {
            return Ok((body.clone(), Self::default()));
        }
        let (list, start) = decode_at("SubMessageList", body, sub_list, parse)?;
        Ok((body.slice(..start), list))
    }

    /// The body of a [`ServerMessage::List`](crate::base::ServerMessage::List): at most 65,535 messages, what is above
    /// that is left out.
    #[must_use]
    pub fn encode(&self) -> Body {
        let mut writer = Writer::default();
        self.put_offsets(2 + 4 * self.messages().count(), &mut writer);
        self.put_messages(&mut writer);
        writer.finish()
    }

    /// A message's own content with the list behind it, and the `sub_list` for its full header. An empty list leaves
    /// the content as it is.
    #[must_use]
    pub fn append_to(&self, content: &Body) -> (Body, u32) {
        if self.0.is_empty() {
            return (content.clone(), 0);
        }
        let mut writer = Writer::default();
        for piece in content.pieces() {
            writer.put_bytes(piece);
        }
        let first = writer.position();
        self.put_messages(&mut writer);
        let sub_list = offset(writer.position());
        self.put_offsets(first, &mut writer);
        (writer.finish(), sub_list)
    }

    fn messages(&self) -> impl Iterator<Item = &SubMessage> {
        self.0.iter().take(u16::MAX.into())
    }

    /// The count, and the places of the messages, which lie one behind the other from `first` on.
    fn put_offsets(&self, first: usize, writer: &mut Writer) {
        u16::try_from(self.0.len()).unwrap_or(u16::MAX).put(writer);
        let mut place = first;
        for message in self.messages() {
            offset(place).put(writer);
            place = place.saturating_add(SUB_HEADER_LEN).saturating_add(message.body.len());
        }
    }

    fn put_messages(&self, writer: &mut Writer) {
        for message in self.messages() {
            message.id.put(writer);
            offset(message.body.len()).put(writer);
            message.body.put(writer);
        }
    }
}

fn offset(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}

/// Reads the list that `input` begins with. Answers it and where the first byte of it or of its messages lies.
fn parse<'a>(body: &'a Bytes, input: In<'a>) -> Parsed<'a, (SubMessageList, usize)> {
    let list_start = body.len() - input.len();
    let (mut left, count) = field::<u16>("size", body, input)?;
    let offsets_len = 4 * usize::from(count);
    let Some(list_end) = left.len().checked_sub(offsets_len).map(|behind| body.len() - behind) else {
        let kind = DecodeErrorKind::Truncated { missing: offsets_len - left.len() };
        return named("sub_messages", Err(Fault::at(left, kind)));
    };
    let mut messages = Vec::with_capacity(count.into());
    let mut start = list_start;
    let mut total = 0;
    for _ in 0..count {
        let at = left;
        let target: u32;
        (left, target) = field("sub_messages", body, left)?;
        let place = target as usize;
        let outside = || named("sub_messages", Err(Fault::at(at, DecodeErrorKind::Offset { target })));
        let Some(sub) = body.get(place..).filter(|_| !(list_start..list_end).contains(&place)) else {
            return outside();
        };
        let (behind, message) = parse_sub_message(body, sub)?;
        let end = body.len() - behind.len();
        if place < list_start && end > list_start {
            return outside();
        }
        total += end - place;
        if total > body.len() {
            let kind = DecodeErrorKind::TooMany { count: total as u64, max: body.len() as u64 };
            return named("sub_messages", Err(Fault::at(at, kind)));
        }
        start = start.min(place);
        messages.push(message);
    }
    Ok((left, (SubMessageList(messages), start)))
}

fn parse_sub_message<'a>(body: &'a Bytes, input: In<'a>) -> Parsed<'a, SubMessage> {
    let (left, id) = field::<u16>("sub_message.type", body, input)?;
    if id == LIST {
        let kind = DecodeErrorKind::Value { value: id.into() };
        return named("sub_message.type", Err(Fault::at(input, kind)));
    }
    let (left, size) = field::<u32>("sub_message.size", body, left)?;
    let (left, content) = named("sub_message.data", shared(body, left, size as usize))?;
    Ok((left, SubMessage { id, body: content }))
}

#[cfg(feature = "arbitrary")]
impl<'a> arbitrary::Arbitrary<'a> for SubMessageList {
    fn arbitrary(source: &mut arbitrary::Unstructured<'a>) -> arbitrary::Result<Self> {
        let len = source.int_in_range(0..=4)?;
        let messages = (0..len).map(|_| {
            let id = source.int_in_range(LIST + 1..=400)?;
            Ok(SubMessage { id, body: source.arbitrary::<Vec<u8>>()?.into() })
        });
        messages.collect::<arbitrary::Result<_>>().map(Self)
    }
}
