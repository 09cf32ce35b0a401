//! The link: what both ends say on a new connection before any message.
//!
//! ```text
//! viewer                                   server
//! LinkHeader + LinkMess               ->
//!                                     <-   LinkHeader + LinkReply
//! AuthMechanism (both AUTH_SELECTION) ->
//! EncryptedTicket                     ->
//!                                     <-   LinkError
//! messages                           <->   messages
//! ```
//!
//! With SASL there are [`sasl`] messages in place of the ticket.

mod header;
mod mess;
mod reply;

pub mod sasl;

pub use header::{LinkHeader, MAGIC, MAX_LINK_BODY, VERSION_MAJOR, VERSION_MINOR};
pub use mess::LinkMess;
pub use reply::{LinkReply, PUBLIC_KEY_LEN, TICKET_LEN};

use bytes::Bytes;

use crate::caps::{Capabilities, CapabilitySet, MAX_CAPABILITY_WORDS};
use crate::error::DecodeErrorKind;
use crate::wire::{Fault, In, Parsed, Wire, Writer, counted, field, named, wire_newtype};

crate::open_enum! {
    /// How the viewer authenticates (`SpiceLinkAuthMechanism`).
    pub enum AuthMechanism: u32 {
        /// A ticket under the server's RSA key.
        SPICE = 1,
        /// SASL.
        SASL = 2,
    }
}

wire_newtype!(AuthMechanism(u32));

/// The two capability sets at the end of both link messages: two counts, then an offset to the words.
fn parse_capabilities<'a>(body: &'a Bytes, input: In<'a>) -> Parsed<'a, Capabilities> {
    let (input, common) = word_count("num_common_caps", body, input)?;
    let (input, channel) = word_count("num_channel_caps", body, input)?;
    let at = input;
    let (input, offset) = field::<u32>("caps_offset", body, input)?;
    if common + channel == 0 {
        return Ok((&[], Capabilities::default()));
    }
    let behind = body.len() - input.len();
    let words =
        usize::try_from(offset).ok().filter(|offset| *offset >= behind).and_then(|offset| body.get(offset..));
    let Some(words) = words else {
        return named("caps_offset", Err(Fault::at(at, DecodeErrorKind::Offset { target: offset })));
    };
    let (words, common) = named("common_caps", counted(body, words, common as usize, 4))?;
    let (_, channel) = named("channel_caps", counted(body, words, channel as usize, 4))?;
    let caps = Capabilities {
        common: CapabilitySet::from_words(common),
        channel: CapabilitySet::from_words(channel),
    };
    Ok((&[], caps))
}

fn word_count<'a>(name: &'static str, body: &'a Bytes, input: In<'a>) -> Parsed<'a, u32> {
    let (left, count) = field::<u32>(name, body, input)?;
    if count > MAX_CAPABILITY_WORDS {
        let kind = DecodeErrorKind::TooMany { count: count.into(), max: MAX_CAPABILITY_WORDS.into() };
        return named(name, Err(Fault::at(input, kind)));
    }
    Ok((left, count))
}

fn put_capabilities(caps: &Capabilities, writer: &mut Writer) {
    let count = |set: &CapabilitySet| u32::try_from(set.words().len()).unwrap_or(u32::MAX);
    count(&caps.common).put(writer);
    count(&caps.channel).put(writer);
    let offset = writer.put_offset();
    writer.point_here(&offset);
    for word in caps.common.words().iter().chain(caps.channel.words()) {
        word.put(writer);
    }
}

#[cfg(feature = "arbitrary")]
fn arbitrary_capabilities(source: &mut crate::wire::Source<'_>) -> arbitrary::Result<Capabilities> {
    let mut words = || crate::wire::arbitrary_list(source, 8).map(CapabilitySet::from_words);
    Ok(Capabilities { common: words()?, channel: words()? })
}
