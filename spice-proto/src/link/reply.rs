//! `SpiceLinkReply`: what the server answers.

use bytes::Bytes;

use super::{LinkHeader, parse_capabilities, put_capabilities};
use crate::caps::Capabilities;
use crate::error::DecodeError;
use crate::ids::LinkError;
use crate::wire::{In, Parsed, Wire, Writer, decode_all, field};

/// Bytes of the server's public key: a 1024-bit RSA key as `SubjectPublicKeyInfo` in DER.
pub const PUBLIC_KEY_LEN: usize = 162;
/// Bytes of an encrypted ticket: one block under that key (RSA-OAEP with SHA-1).
pub const TICKET_LEN: usize = 128;

/// The server takes or refuses the link, and says what it can do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkReply {
    /// [`LinkError::OK`] or the reason of a refusal, after which nothing follows.
    pub error: LinkError,
    /// The key for the viewer's ticket.
    pub public_key: [u8; PUBLIC_KEY_LEN],
    /// What the server can do.
    pub caps: Capabilities,
}

impl LinkReply {
    /// A refusal: no key, no capabilities.
    #[must_use]
    pub fn refusal(error: LinkError) -> Self {
        Self { error, public_key: [0; PUBLIC_KEY_LEN], caps: Capabilities::default() }
    }

    /// Decodes what follows a server's [`LinkHeader`].
    ///
    /// # Errors
    /// Too few bytes, more capability words than are taken, words that lie outside the message.
    pub fn decode(body: &Bytes) -> Result<Self, DecodeError> {
        decode_all("LinkReply", body)
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

impl Wire for LinkReply {
    fn parse<'a>(body: &'a Bytes, input: In<'a>) -> Parsed<'a, Self> {
        let (input, error) = field("error", body, input)?;
        let (input, public_key) = field("pub_key", body, input)?;
        let (input, caps) = parse_capabilities(body, input)?;
        Ok((input, Self { error, public_key, caps }))
    }

    fn put(&self, writer: &mut Writer) {
        self.error.put(writer);
        self.public_key.put(writer);
        put_capabilities(&self.caps, writer);
    }

    #[cfg(feature = "arbitrary")]
    fn arbitrary(source: &mut crate::wire::Source<'_>) -> arbitrary::Result<Self> {
        Ok(Self {
            error: Wire::arbitrary(source)?,
            public_key: source.arbitrary()?,
            caps: super::arbitrary_capabilities(source)?,
        })
    }
}

#[cfg(feature = "arbitrary")]
impl<'a> arbitrary::Arbitrary<'a> for LinkReply {
    fn arbitrary(source: &mut arbitrary::Unstructured<'a>) -> arbitrary::Result<Self> {
        Wire::arbitrary(source)
    }
}
