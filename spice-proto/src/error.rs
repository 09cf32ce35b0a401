//! Why bytes could not be decoded.

/// Bytes that are not what they should be: which message, which field of it, at which byte, and what is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}.{field} at {offset}: {kind}")]
pub struct DecodeError {
    /// The message or structure that was being decoded.
    pub message: &'static str,
    /// Its innermost named field; `body` where the fault lies outside all of them.
    pub field: &'static str,
    /// Bytes from the start of the message's body to the fault.
    pub offset: usize,
    /// What is wrong.
    pub kind: DecodeErrorKind,
}

/// What is wrong with a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeErrorKind {
    /// The bytes end inside the field.
    #[error("{missing} bytes missing")]
    Truncated {
        /// How many more would be needed at least.
        missing: usize,
    },
    /// Bytes follow the end of the message.
    #[error("{left} bytes left over")]
    Trailing {
        /// How many.
        left: usize,
    },
    /// More elements or bytes than the protocol or this library allows.
    #[error("{count} is more than {max}")]
    TooMany {
        /// What the field says.
        count: u64,
        /// What is allowed.
        max: u64,
    },
    /// An offset inside the message that does not point to a place behind the fields before it.
    #[error("offset {target} points outside")]
    Offset {
        /// Where it points.
        target: u32,
    },
    /// A value that means nothing here.
    #[error("value {value} is not allowed")]
    Value {
        /// The value.
        value: u64,
    },
    /// No message of this channel and direction has this number.
    #[error("unknown message {id}")]
    Unknown {
        /// The number.
        id: u16,
    },
}
