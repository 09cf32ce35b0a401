//! `SpiceLinkHeader`: the first 16 bytes from either end.

/// `REDQ`, the first four bytes of every SPICE connection.
pub const MAGIC: [u8; 4] = *b"REDQ";
/// The protocol's major version; another one is refused.
pub const VERSION_MAJOR: u32 = 2;
/// The protocol's minor version; another one is taken.
pub const VERSION_MINOR: u32 = 2;
/// The most bytes that a link message may have after its header.
pub const MAX_LINK_BODY: u32 = 4096;

/// Version and length of a link message (`SpiceLinkHeader`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkHeader {
    /// [`MAGIC`], from a peer that speaks SPICE.
    pub magic: [u8; 4],
    /// [`VERSION_MAJOR`], from a peer that can be understood.
    pub major: u32,
    /// The peer's minor version.
    pub minor: u32,
    /// Bytes of link message that follow.
    pub size: u32,
}

impl LinkHeader {
    /// Bytes of a link header.
    pub const LEN: usize = 16;

    /// The header of this library's version before a link message of `size` bytes.
    #[must_use]
    pub const fn new(size: u32) -> Self {
        Self { magic: MAGIC, major: VERSION_MAJOR, minor: VERSION_MINOR, size }
    }

    /// The header in these bytes. Nothing is judged: a receiver has a different answer for each fault.
    #[must_use]
    pub const fn decode(bytes: [u8; Self::LEN]) -> Self {
        let [m0, m1, m2, m3, a0, a1, a2, a3, i0, i1, i2, i3, s0, s1, s2, s3] = bytes;
        Self {
            magic: [m0, m1, m2, m3],
            major: u32::from_le_bytes([a0, a1, a2, a3]),
            minor: u32::from_le_bytes([i0, i1, i2, i3]),
            size: u32::from_le_bytes([s0, s1, s2, s3]),
        }
    }

    /// Appends the header.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.magic);
        for number in [self.major, self.minor, self.size] {
            out.extend_from_slice(&number.to_le_bytes());
        }
    }
}
