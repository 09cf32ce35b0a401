//! What is wrong with what a server sends.

use spice_proto::DecodeError;

/// A stream of messages that makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PeerError {
    /// A message that any channel has and that does not decode.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// A message that numbers itself otherwise than it comes.
    #[error("serial {serial} of message {expected}")]
    Serial {
        /// By its header.
        serial: u64,
        /// By what came before.
        expected: u64,
    },
}

/// A message that a model does not take, in words: it does not decode, it comes out of turn, it names what was never
/// sent, it cannot be painted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ModelError(pub(crate) String);

// For who reports errors in words, as tests do.
impl From<ModelError> for String {
    fn from(error: ModelError) -> Self {
        error.0
    }
}

impl From<PeerError> for String {
    fn from(error: PeerError) -> Self {
        error.to_string()
    }
}
