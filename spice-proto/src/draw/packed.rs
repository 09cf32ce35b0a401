//! Packed pixels that have more to say than their length.

use bytes::Bytes;

use super::bitmap::BitmapFlags;
use super::palette::{ImagePalette, Palette};
use super::pointer::{Behind, required};
use crate::error::DecodeErrorKind;
use crate::wire::{Body, Fault, In, Parsed, Wire, Writer, field, flags, named, shared};

/// Bytes behind their number (`SpiceQUICData`, `SpiceLZRGBData`, `SpiceJPEGData`, `SpiceLZ4Data`).
pub(super) fn parse_sized<'a>(body: &'a Bytes, input: In<'a>) -> Parsed<'a, Bytes> {
    let (input, len) = field::<u32>("image.data_size", body, input)?;
    named("image.data", shared(body, input, len as usize))
}

pub(super) fn put_sized(data: &Bytes, writer: &mut Writer) {
    put_len(data.len(), writer);
    data.put(writer);
}

/// The same, from pieces.
pub(super) fn put_pieces(data: &Body, writer: &mut Writer) {
    put_len(data.len(), writer);
    data.pieces().iter().for_each(|piece| piece.put(writer));
}

fn put_len(len: usize, writer: &mut Writer) {
    u32::try_from(len).unwrap_or(u32::MAX).put(writer);
}

/// LZ over a palette (`SpiceLZPLTData`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LzPaletteImage {
    /// What becomes of the palette. [`BitmapFlags::PAL_FROM_CACHE`] is set exactly where it is
    /// [`ImagePalette::Cached`]; encoding makes it so.
    pub flags: BitmapFlags,
    /// Its palette.
    pub palette: ImagePalette,
    /// The LZ stream, which begins with its own header.
    pub data: Bytes,
}

impl LzPaletteImage {
    pub(super) fn parse<'a>(body: &'a Bytes, input: In<'a>) -> Parsed<'a, Self> {
        let (input, flags) = field::<BitmapFlags>("lz_plt.flags", body, input)?;
        let (input, len) = field::<u32>("lz_plt.data_size", body, input)?;
        let (input, palette) = if flags.contains(BitmapFlags::PAL_FROM_CACHE) {
            let (input, id) = field("lz_plt.palette_id", body, input)?;
            (input, ImagePalette::Cached(id))
        } else {
            let (input, palette) = named("lz_plt.palette", required(body, input, Palette::parse))?;
            (input, ImagePalette::Sent(palette))
        };
        let (input, data) = named("lz_plt.data", shared(body, input, len as usize))?;
        Ok((input, Self { flags, palette, data }))
    }

    pub(super) fn put<'a>(&'a self, writer: &mut Writer, behind: &mut Behind<'a>) {
        let palette = Some(&self.palette);
        self.flags.matching(palette).put(writer);
        put_len(self.data.len(), writer);
        ImagePalette::put(palette, writer, behind);
        self.data.put(writer);
    }

    #[cfg(feature = "arbitrary")]
    pub(super) fn arbitrary(source: &mut crate::wire::Source<'_>) -> arbitrary::Result<Self> {
        let palette = ImagePalette::arbitrary(source)?;
        let flags: BitmapFlags = Wire::arbitrary(source)?;
        Ok(Self { flags: flags.matching(Some(&palette)), palette, data: Wire::arbitrary(source)? })
    }
}

/// zlib over GLZ (`SpiceZlibGlzRGBData`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ZlibGlzImage {
    /// Bytes of the GLZ stream once zlib is undone (`glz_data_size`).
    pub glz_size: u32,
    /// The zlib stream, in pieces: the first is for one viewer.
    pub data: Body,
}

impl Wire for ZlibGlzImage {
    fn parse<'a>(body: &'a Bytes, input: In<'a>) -> Parsed<'a, Self> {
        let (input, glz_size) = field("zlib_glz.glz_data_size", body, input)?;
        let (input, data) = parse_sized(body, input)?;
        Ok((input, Self { glz_size, data: data.into() }))
    }

    fn put(&self, writer: &mut Writer) {
        self.glz_size.put(writer);
        put_pieces(&self.data, writer);
    }

    #[cfg(feature = "arbitrary")]
    fn arbitrary(source: &mut crate::wire::Source<'_>) -> arbitrary::Result<Self> {
        Ok(Self { glz_size: Wire::arbitrary(source)?, data: Bytes::arbitrary(source)?.into() })
    }
}

flags! {
    /// `SPICE_JPEG_ALPHA_FLAGS_*`.
    pub struct JpegAlphaFlags: u8 {
        /// The top row comes first.
        const TOP_DOWN = 1;
    }
}

/// Colours in JPEG and alpha in LZ (`SpiceJPEGAlphaData`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JpegAlphaImage {
    /// The order of the rows.
    pub flags: JpegAlphaFlags,
    /// The colours.
    pub jpeg: Bytes,
    /// The alpha, an LZ stream that begins with its own header.
    pub alpha: Bytes,
}

impl Wire for JpegAlphaImage {
    fn parse<'a>(body: &'a Bytes, input: In<'a>) -> Parsed<'a, Self> {
        let (input, flags) = field("jpeg_alpha.flags", body, input)?;
        let at = input;
        let (input, jpeg_len) = field::<u32>("jpeg_alpha.jpeg_size", body, input)?;
        let (input, len) = field::<u32>("jpeg_alpha.data_size", body, input)?;
        let Some(alpha_len) = len.checked_sub(jpeg_len) else {
            let kind = DecodeErrorKind::TooMany { count: jpeg_len.into(), max: len.into() };
            return named("jpeg_alpha.jpeg_size", Err(Fault::at(at, kind)));
        };
        let (input, jpeg) = named("jpeg_alpha.data", shared(body, input, jpeg_len as usize))?;
        let (input, alpha) = named("jpeg_alpha.data", shared(body, input, alpha_len as usize))?;
        Ok((input, Self { flags, jpeg, alpha }))
    }

    fn put(&self, writer: &mut Writer) {
        self.flags.put(writer);
        put_len(self.jpeg.len(), writer);
        put_len(self.jpeg.len().saturating_add(self.alpha.len()), writer);
        self.jpeg.put(writer);
        self.alpha.put(writer);
    }

    #[cfg(feature = "arbitrary")]
    fn arbitrary(source: &mut crate::wire::Source<'_>) -> arbitrary::Result<Self> {
        Ok(Self {
            flags: Wire::arbitrary(source)?,
            jpeg: Wire::arbitrary(source)?,
            alpha: Wire::arbitrary(source)?,
        })
    }
}
