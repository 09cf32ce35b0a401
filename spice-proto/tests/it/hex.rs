//! Bytes as the structures of the C headers have them, written down.

use bytes::Bytes;

/// The bytes of a string of hexadecimal digits.
pub(crate) fn hex(digits: &str) -> Bytes {
    let digits: Vec<u8> =
        digits.chars().map(|digit| digit.to_digit(16).unwrap().try_into().unwrap()).collect();
    digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}
