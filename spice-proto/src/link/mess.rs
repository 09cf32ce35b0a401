//! `SpiceLinkMess`: what a viewer asks for.

use bytes::Bytes;

use super::{LinkHeader, parse_capabilities, put_capabilities};
use crate::caps::Capabilities;
use crate::error::DecodeError;
use crate::ids::{ChannelId, ChannelType, ConnectionId};
use crate::wire::{In, Parsed, Wire, Writer, decode_all, field};

/// A viewer asks for one channel of one session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkMess {
    /// The session that the channel joins; 0, on a main channel, begins one.
    pub connection_id: ConnectionId,
    /// The kind of channel.
    pub channel_type: ChannelType,
    /// Which channel of that kind.
    pub channel_id: ChannelId,
    /// What the viewer can do.
    pub caps: Capabilities,
}

impl LinkMess {
    /// Decodes what follows a viewer's [`LinkHeader`].
    ///
    /// # Errors
    /// Too few bytes, more capability words than are taken, words that lie outside the message.
    pub fn decode(body: &Bytes) -> Result<Self, DecodeError> {
        decode_all("LinkMess", body)
    }

    /// Appends header and message.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let mut writer = Writer::default();
        self.put(&mut writer);
        let body = writer.finish().to_bytes();
        LinkHeader::new(u32::try_from(body.len()).unwrap_or(u32::MAX)).encode(out);
        out.extend_from_slice(&body);
    }
}

impl Wire for LinkMess {
    fn parse<'a>(body: &'a Bytes, input: In<'a>) -> Parsed<'a, Self> {
        let (input, connection_id) = field("connection_id", body, input)?;
        let (input, channel_type) = field("channel_type", body, input)?;
        let (input, channel_id) = field("channel_id", body, input)?;
        let (input, caps) = parse_capabilities(body, input)?;
        Ok((input, Self { connection_id, channel_type, channel_id, caps }))
    }

    fn put(&self, writer: &mut Writer) {
        self.connection_id.put(writer);
        self.channel_type.put(writer);
        self.channel_id.put(writer);
        put_capabilities(&self.caps, writer);
    }

    #[cfg(feature = "arbitrary")]
    fn arbitrary(source: &mut crate::wire::Source<'_>) -> arbitrary::Result<Self> {
        Ok(Self {
            connection_id: Wire::arbitrary(source)?,
            channel_type: Wire::arbitrary(source)?,
            channel_id: Wire::arbitrary(source)?,
            caps: super::arbitrary_capabilities(source)?,
        })
    }
}

#[cfg(feature = "arbitrary")]
impl<'a> arbitrary::Arbitrary<'a> for LinkMess {
    fn arbitrary(source: &mut arbitrary::Unstructured<'a>) -> arbitrary::Result<Self> {
        Wire::arbitrary(source)
    }
}
