//! The password in a ticket.

use core::fmt;
use std::sync::Arc;

use subtle::{Choice, ConstantTimeEq};
use zeroize::Zeroizing;

/// A password of at most [`Secret::MAX_LEN`] bytes. It is not printed, and wiped when the last of its clones is dropped.
#[derive(Clone)]
pub struct Secret(Arc<Padded>);

/// A password filled up with zeros, so that comparing two takes the same time however long either is.
#[derive(Clone)]
struct Padded {
    bytes: Zeroizing<[u8; Secret::MAX_LEN]>,
    len: u64,
}

/// A password that cannot be one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SecretError {
    /// No byte.
    #[error("the ticket is empty")]
    Empty,
    /// More bytes than viewers send.
    #[error("the ticket has {0} bytes, more than the {max} that viewers send", max = Secret::MAX_LEN)]
    TooLong(usize),
    /// A NUL, which ends a password on the wire.
    #[error("the ticket has a NUL in it")]
    Nul,
}

impl Padded {
    fn new(secret: &[u8]) -> Self {
        let mut bytes = Zeroizing::new([0; Secret::MAX_LEN]);
        bytes.iter_mut().zip(secret).for_each(|(to, from)| *to = *from);
        Self { bytes, len: secret.len() as u64 }
    }
}

impl Secret {
    /// What viewers send at most (`SPICE_MAX_PASSWORD_LENGTH`).
    pub const MAX_LEN: usize = 60;

    /// A password of these bytes.
    ///
    /// # Errors
    /// No byte, more than [`Secret::MAX_LEN`], a NUL among them.
    pub fn new(secret: &[u8]) -> Result<Self, SecretError> {
        match secret {
            [] => Err(SecretError::Empty),
            long if long.len() > Self::MAX_LEN => Err(SecretError::TooLong(long.len())),
            nul if nul.contains(&0) => Err(SecretError::Nul),
            secret => Ok(Self(Arc::new(Padded::new(secret)))),
        }
    }

    /// Whether `offered` is this password; takes the same time wherever they differ.
    #[cfg(test)]
    fn matches(&self, offered: &[u8]) -> bool {
        Offered::new(offered).is(self).into()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// What somebody says the password is, ready to be compared with any number of them.
pub(crate) struct Offered(Padded);

impl Offered {
    /// Of whatever length.
    pub(crate) fn new(offered: &[u8]) -> Self {
        Self(Padded::new(offered))
    }

    /// Whether it is `secret`; takes the same time for all that are offered and all secrets.
    pub(crate) fn is(&self, secret: &Secret) -> Choice {
        let Padded { bytes, len } = &*secret.0;
        self.0.bytes.as_slice().ct_eq(bytes.as_slice()) & self.0.len.ct_eq(len)
    }
}

impl From<&Secret> for Offered {
    fn from(secret: &Secret) -> Self {
        Self((*secret.0).clone())
    }
}

impl fmt::Debug for Offered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Offered")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_have_1_to_60_bytes_and_no_nul() {
        assert_eq!(Secret::new(b"").unwrap_err(), SecretError::Empty);
        assert_eq!(Secret::new(&[b'x'; 61]).unwrap_err(), SecretError::TooLong(61));
        assert_eq!(Secret::new(b"a\0b").unwrap_err(), SecretError::Nul);
    }

    #[test]
    fn a_secret_is_matched_by_its_own_bytes_alone() {
        let longest = Secret::new(&[b'x'; 60]).unwrap();
        for len in (0..80).filter(|len| *len != 60) {
            assert!(!longest.matches(&vec![b'x'; len]), "{len}");
        }
        assert!(longest.matches(&[b'x'; 60]));
        let short = Secret::new(b"abc").unwrap();
        assert!(short.matches(b"abc"));
        for other in [&b"abd"[..], b"xbc", b"abc\0", b"ab", b"", b"abc "] {
            assert!(!short.matches(other), "{other:?}");
        }
    }
}
