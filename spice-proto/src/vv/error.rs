//! Why a connection file could not be read.

/// A connection file that cannot be read: at which line, and why. No value of the file is in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {kind}")]
pub struct ConnectionFileError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub kind: ConnectionFileErrorKind,
}

/// What is wrong with a line of a connection file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectionFileErrorKind {
    /// It is nothing that a line can be.
    #[error("neither a group, nor a key with a value, nor a comment")]
    NoMeaning,
    /// A group cannot be called so.
    #[error("not a name for a group")]
    GroupName,
    /// A key cannot be called so.
    #[error("not a name for a key")]
    KeyName,
    /// A key that no group comes before.
    #[error("a key before the first group")]
    NoGroup,
    /// A backslash and what follows it mean nothing.
    #[error("`{sequence}` in the value of `{key}` means nothing")]
    Escape {
        /// The key.
        key: &'static str,
        /// The backslash, and what follows it.
        sequence: String,
    },
    /// The value has to be a number.
    #[error("the value of `{key}` is not a number from {min} to {max}")]
    Number {
        /// The key.
        key: &'static str,
        /// The least number that is allowed.
        min: i32,
        /// The greatest.
        max: i32,
    },
    /// The file ends, and has not said what kind of session it is about.
    #[error("the file ends without a `type` in a group `virt-viewer`")]
    NoType,
}
