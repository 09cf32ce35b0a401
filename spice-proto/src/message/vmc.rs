//! Channels that carry one byte stream each way (`SpicevmcChannel` in `spice.proto`).
//!
//! A usbredir channel has these messages and no others; what they carry is the usbredir protocol. A port or a webdav
//! channel has those of [`port`](crate::port) besides.

use bytes::Bytes;

use crate::open_enum;
use crate::wire::{In, Parsed, Wire, Writer, field, messages, named, rest, wire_newtype};

messages! {
    /// From the server.
    pub enum ServerMessage in "vmc" {
        /// A piece of the stream.
        101 Data(Bytes, all),
        /// A piece of the stream, packed; only where the viewer has
        /// [`VmcCap::DATA_COMPRESS_LZ4`](crate::caps::VmcCap).
        102 CompressedData(CompressedData, all),
    }
}

messages! {
    /// From the viewer.
    pub enum ClientMessage in "vmc" {
        /// A piece of the stream.
        101 Data(Bytes, all),
        /// A piece of the stream, packed; only where the server has
        /// [`VmcCap::DATA_COMPRESS_LZ4`](crate::caps::VmcCap).
        102 CompressedData(CompressedData, all),
    }
}

open_enum! {
    /// How a piece of a stream is packed (`SPICE_DATA_COMPRESSION_TYPE_*`).
    pub enum DataCompression: u8 {
        /// Not at all.
        NONE = 0,
        /// One LZ4 block, without a frame around it.
        LZ4 = 1,
    }
}

wire_newtype!(DataCompression(u8));

/// `SpiceMsgCompressedData`: a packed piece of a stream. Neither end of the C project sends
/// [`DataCompression::NONE`] in it, or takes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompressedData {
    /// How it is packed.
    pub compression: DataCompression,
    /// Bytes that it has when it is unpacked, as the sender says. With [`DataCompression::NONE`] these are `data`'s
    /// own and do not go on the wire.
    pub uncompressed_size: u32,
    /// The packed piece.
    pub data: Bytes,
}

impl Wire for CompressedData {
    fn parse<'a>(body: &'a Bytes, input: In<'a>) -> Parsed<'a, Self> {
        let (input, compression) = field("type", body, input)?;
        let (input, uncompressed_size) = match compression {
            DataCompression::NONE => (input, u32::try_from(input.len()).unwrap_or(u32::MAX)),
            _ => field("uncompressed_size", body, input)?,
        };
        let (input, data) = named("compressed_data", rest(body, input))?;
        Ok((input, Self { compression, uncompressed_size, data }))
    }

    fn put(&self, writer: &mut Writer) {
        self.compression.put(writer);
        if self.compression != DataCompression::NONE {
            self.uncompressed_size.put(writer);
        }
        self.data.put(writer);
    }

    #[cfg(feature = "arbitrary")]
    fn arbitrary(source: &mut crate::wire::Source<'_>) -> arbitrary::Result<Self> {
        let compression = DataCompression(source.int_in_range(0..=3)?);
        let size: u32 = Wire::arbitrary(source)?;
        let data: Bytes = Wire::arbitrary(source)?;
        let uncompressed_size = match compression {
            DataCompression::NONE => u32::try_from(data.len()).unwrap_or(u32::MAX),
            _ => size,
        };
        Ok(Self { compression, uncompressed_size, data })
    }
}
