//! zlib over GLZ, the lossless packing of SPICE for slow links (`ZLIB_GLZ_RGB`).
//!
//! A whole stream of [`GLZ`](super::glz), its header with it, is packed once more, the header in a block of its own, so
//! that the body is packed once for all viewers; the message says how many bytes it
//! has unpacked. The C server (`image-encoders.cpp`) does so for streams of [`MIN_GLZ`] bytes at least, and sends the
//! GLZ stream itself where that is not longer.

use std::io::Write;

use bytes::Bytes;
use flate2::write::ZlibEncoder;
use flate2::{Compression, Decompress, FlushDecompress, Status};
use spice_proto::Body;
use spice_proto::display::ZlibGlzImage;

use super::glz::GlzHeader;

/// How hard zlib tries: `ZLIB_DEFAULT_COMPRESSION_LEVEL` of the C server's `image-encoders.cpp`.
pub const LEVEL: u32 = 3;

/// Fewest bytes of a GLZ stream that the C server packs: `MIN_GLZ_SIZE_FOR_ZLIB` of its `image-encoders.cpp`. Shorter
/// ones are encoded all the same.
pub const MIN_GLZ: usize = 100;

/// Bytes that one of a zlib stream can stand for at most: two bits for a repetition of 258 bytes.
const MOST_OF_ONE: u64 = 1032;

/// Why a stream is not packed or unpacked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ZlibError {
    /// More bytes than are allowed, or than a message can say.
    #[error("a stream of {size} bytes is longer than {most}")]
    TooLarge {
        /// Bytes, unpacked.
        size: u64,
        /// What is allowed.
        most: u64,
    },
    /// A zlib stream that ends early.
    #[error("the stream ends before its end is told")]
    Truncated,
    /// Fewer bytes than were promised.
    #[error("{len} bytes come of a stream that is to have {size}")]
    Short {
        /// What comes of it.
        len: u64,
        /// What was promised.
        size: u64,
    },
    /// More bytes than were promised.
    #[error("more comes of a stream than the {0} bytes that it is to have")]
    Overrun(u64),
    /// A zlib stream that is followed by something else.
    #[error("the stream is followed by {0} bytes")]
    Trailing(usize),
    /// No zlib stream, or one whose check sum is wrong.
    #[error("zlib: {0}")]
    Corrupt(String),
}

/// A body packed with zlib, to which each viewer's header can be set in front without packing it again.
#[derive(Clone, Debug)]
pub struct ZlibBody {
    /// What comes of deflate.
    deflated: Bytes,
    /// Bytes of the body.
    len: u32,
    sum: Adler,
}

impl ZlibBody {
    /// Packs a body.
    ///
    /// # Errors
    /// More bytes than a message can say, with a header.
    pub fn new(body: &[u8]) -> Result<Self, ZlibError> {
        let most = u64::from(u32::MAX) - u64::from(u16::MAX);
        let size = body.len() as u64;
        let len =
            u32::try_from(size).ok().filter(|_| size <= most).ok_or(ZlibError::TooLarge { size, most })?;
        let corrupt = |error: std::io::Error| ZlibError::Corrupt(error.to_string());
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::new(LEVEL));
        encoder.write_all(body).map_err(corrupt)?;
        let stream = encoder.finish().map_err(corrupt)?;
        let ends = stream.split_first_chunk::<2>().and_then(|(_, rest)| rest.split_last_chunk::<4>());
        let (deflated, sum) = ends.ok_or(ZlibError::Truncated)?;
        Ok(Self { deflated: Bytes::copy_from_slice(deflated), len, sum: Adler::from_bytes(*sum) })
    }

    /// Bytes of a stream beside what comes of deflate and the header.
    pub const OVERHEAD: usize = 11;

    /// Bytes that come of deflate.
    pub fn packed_len(&self) -> usize {
        self.deflated.len()
    }

    /// The stream of that header and the body: the header stands in a block of its own, as it is.
    pub fn behind(&self, header: &[u8; GlzHeader::LEN]) -> ZlibGlzImage {
        const LEN: [u8; 2] = (GlzHeader::LEN as u16).to_le_bytes();
        const NOT_LEN: [u8; 2] = (!(GlzHeader::LEN as u16)).to_le_bytes();
        // A window of 32 KiB and no preset dictionary; a block that is stored, and not the last one.
        let mut front = vec![0x78, 0x5e, 0x00, LEN[0], LEN[1], NOT_LEN[0], NOT_LEN[1]];
        front.extend_from_slice(header);
        let sum = Adler::of(header).followed_by(self.sum, self.len);
        let pieces = [Bytes::from(front), self.deflated.clone(), Bytes::copy_from_slice(&sum.to_bytes())];
        ZlibGlzImage { glz_size: self.len + GlzHeader::LEN as u32, data: Body::from_iter(pieces) }
    }
}

/// The check sum of zlib streams (RFC 1950).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Adler {
    low: u32,
    high: u32,
}

impl Adler {
    const BASE: u64 = 65_521;

    const fn from_bytes([h1, h0, l1, l0]: [u8; 4]) -> Self {
        Self { low: u16::from_be_bytes([l1, l0]) as u32, high: u16::from_be_bytes([h1, h0]) as u32 }
    }

    fn to_bytes(self) -> [u8; 4] {
        (self.high << 16 | self.low).to_be_bytes()
    }

    /// Of a few bytes.
    fn of(bytes: &[u8]) -> Self {
        let mut sum = (1, 0);
        for byte in bytes {
            sum.0 = (sum.0 + u64::from(*byte)) % Self::BASE;
            sum.1 = (sum.1 + sum.0) % Self::BASE;
        }
        Self { low: sum.0 as u32, high: sum.1 as u32 }
    }

    /// Of what this one is of, and behind it `len` bytes with the check sum `next`.
    fn followed_by(self, next: Self, len: u32) -> Self {
        let [low, high, next_low, next_high] = [self.low, self.high, next.low, next.high].map(u64::from);
        let before = low + Self::BASE - 1;
        Self {
            low: ((before + next_low) % Self::BASE) as u32,
            high: ((high + next_high + u64::from(len) % Self::BASE * before) % Self::BASE) as u32,
        }
    }
}

/// Unpacks a GLZ stream that is to have `size` bytes, `most` at most.
///
/// Nothing is allocated before the size is known to be allowed, and the zlib stream to be long enough for it at the
/// least; never more than `size` bytes come of it.
///
/// # Errors
/// Too large a size, and a zlib stream that is none, ends early or is followed by something, or of which fewer or more
/// bytes come than `size`.
pub fn decode(data: &[u8], size: u32, most: u64) -> Result<Vec<u8>, ZlibError> {
    let size = u64::from(size);
    if size > most {
        return Err(ZlibError::TooLarge { size, most });
    }
    if size > (data.len() as u64).saturating_mul(MOST_OF_ONE) {
        return Err(ZlibError::Truncated);
    }
    let len = usize::try_from(size).map_err(|_| ZlibError::TooLarge { size, most })?;
    let mut stream = vec![0; len];
    let mut zlib = Decompress::new(true);
    let status = zlib.decompress(data, &mut stream, FlushDecompress::Finish);
    let read = usize::try_from(zlib.total_in()).unwrap_or(usize::MAX);
    match status.map_err(|error| ZlibError::Corrupt(error.to_string()))? {
        Status::StreamEnd if zlib.total_out() < size => Err(ZlibError::Short { len: zlib.total_out(), size }),
        Status::StreamEnd if read < data.len() => Err(ZlibError::Trailing(data.len() - read)),
        Status::StreamEnd => Ok(stream),
        Status::Ok | Status::BufError if read < data.len() => Err(ZlibError::Overrun(size)),
        Status::Ok | Status::BufError => Err(ZlibError::Truncated),
    }
}

#[cfg(test)]
mod tests {
    use super::super::made::{KINDS, Kind};
    use super::*;

    /// A zlib stream of these bytes: those of a header, and others.
    struct Packed {
        data: Bytes,
        glz_size: u32,
    }

    fn packed(stream: &[u8]) -> Packed {
        let (header, body) = stream.split_first_chunk().unwrap();
        let packed = ZlibBody::new(body).unwrap();
        let image = packed.behind(header);
        assert_eq!(image.glz_size as usize, stream.len());
        assert_eq!(image.data.len(), packed.packed_len() + ZlibBody::OVERHEAD + header.len());
        Packed { data: image.data.to_bytes(), glz_size: image.glz_size }
    }

    #[test]
    fn streams_come_back() {
        for (kind, len) in KINDS.into_iter().flat_map(|kind| [33, 34, 100, 70_000].map(|len| (kind, len))) {
            let stream = kind.pixels(1, len.max(1), 1, 7);
            let stream = &stream[..len];
            let image = packed(stream);
            assert_eq!(
                decode(&image.data, image.glz_size, len as u64).as_deref(),
                Ok(stream),
                "{kind:?} {len}"
            );
        }
        let text = Kind::Text.pixels(4, 4000, 100, 7);
        assert!(packed(&text).data.len() < text.len() / 4);
    }

    #[test]
    fn no_more_comes_of_a_stream_than_was_promised_and_no_less() {
        for kind in KINDS {
            let stream = kind.pixels(1, 5000, 1, 3);
            let image = packed(&stream);
            let of = |size| decode(&image.data, size, 1 << 20);
            assert_eq!(of(5000).as_ref(), Ok(&stream));
            for size in [5001, 5100] {
                assert_eq!(of(size), Err(ZlibError::Short { len: 5000, size: size.into() }), "{kind:?}");
            }
            for size in [0, 1, 33, 2500, 4741, 4742, 4743, 4998, 4999] {
                let refused = of(size).unwrap_err();
                // At the very end, all has been read when the room is out.
                let known = [ZlibError::Overrun(size.into()), ZlibError::Truncated];
                assert!(known.contains(&refused), "{kind:?} {size}: {refused}");
            }
        }
    }

    #[test]
    fn a_stream_cut_anywhere_is_truncated_and_one_that_goes_on_is_refused() {
        for kind in KINDS {
            let stream = kind.pixels(1, 600, 1, 5);
            let image = packed(&stream);
            for len in 0..image.data.len() {
                assert_eq!(decode(&image.data[..len], 600, 600), Err(ZlibError::Truncated), "{kind:?} {len}");
            }
            let on = [&image.data[..], &[0, 0]].concat();
            assert_eq!(decode(&on, 600, 600), Err(ZlibError::Trailing(2)));
        }
    }

    #[test]
    fn sizes_that_cannot_be_are_refused_before_anything_is_allocated() {
        let image = packed(&[7; 4000]);
        assert_eq!(decode(&image.data, 4000, 3999), Err(ZlibError::TooLarge { size: 4000, most: 3999 }));
        assert_eq!(decode(&image.data, u32::MAX, u64::MAX), Err(ZlibError::Truncated));
        assert_eq!(decode(&[], 1, u64::MAX), Err(ZlibError::Truncated));
        assert_eq!(decode(&[], 0, 0), Err(ZlibError::Truncated));
        // The most that a byte can stand for is not taken for too much.
        let level = packed(&vec![0; 1 << 24]);
        assert!(level.data.len() as u64 * MOST_OF_ONE >= 1 << 24);
        assert!(decode(&level.data, 1 << 24, 1 << 24).is_ok());
    }

    #[test]
    fn what_is_no_zlib_stream_is_corrupt() {
        let image = packed(&[5; 300]);
        let corrupt = |data: &[u8]| matches!(decode(data, 300, 300), Err(ZlibError::Corrupt(_)));
        assert!(corrupt(&[0; 30]));
        // No deflate, a window too large, a preset dictionary, a wrong check of the header, a block of no kind.
        for (at, byte) in [(0, 0x79), (0, 0x88), (1, 0x3f), (1, 0), (2, 0xff), (5, 0)] {
            let mut data = image.data.to_vec();
            data[at] = byte;
            assert!(corrupt(&data), "{byte:#x} at {at}");
        }
        let mut data = image.data.to_vec();
        *data.last_mut().unwrap() ^= 1;
        assert!(corrupt(&data));
    }
}
