//! Which method packs an image.

use core::fmt;
use core::str::FromStr;

use spice_proto::display::{BitmapFormat, ImageCompression};

use super::graduality::is_gradual;
use super::pixmap_cache::Fidelity;
use crate::qxl::Bitmap;

/// How a viewer gets its images. Whatever is named, an image is sent bare where packing does not make it smaller.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Compression {
    /// Bare pixels.
    Off,
    /// QUIC for images without hard edges, GLZ for the others.
    #[default]
    AutoGlz,
    /// QUIC for images without hard edges, LZ for the others.
    AutoLz,
    /// QUIC, and bare pixels where it cannot be.
    Quic,
    /// GLZ, and LZ for images with a palette.
    Glz,
    /// LZ.
    Lz,
    /// LZ4, and LZ for images with a palette and for viewers that do not know LZ4.
    Lz4,
}

/// A name of no compression.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no image compression {0:?}; there are off, auto_glz, auto_lz, quic, glz, lz and lz4")]
pub struct UnknownCompression(String);

impl Compression {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Off, Self::AutoGlz, Self::AutoLz, Self::Quic, Self::Glz, Self::Lz, Self::Lz4];

    /// What it is called on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::AutoGlz => "auto_glz",
            Self::AutoLz => "auto_lz",
            Self::Quic => "quic",
            Self::Glz => "glz",
            Self::Lz => "lz",
            Self::Lz4 => "lz4",
        }
    }

    /// What a viewer's message says; none when that is a compression nobody knows.
    #[must_use]
    pub const fn of_wire(wire: ImageCompression) -> Option<Self> {
        Some(match wire {
            ImageCompression::OFF => Self::Off,
            ImageCompression::AUTO_GLZ => Self::AutoGlz,
            ImageCompression::AUTO_LZ => Self::AutoLz,
            ImageCompression::QUIC => Self::Quic,
            ImageCompression::GLZ => Self::Glz,
            ImageCompression::LZ => Self::Lz,
            ImageCompression::LZ4 => Self::Lz4,
            _ => return None,
        })
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Compression {
    type Err = UnknownCompression;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.into_iter().find(|compression| compression.name() == name);
        known.ok_or_else(|| UnknownCompression(name.to_owned()))
    }
}

/// How an image is packed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Method {
    /// Not at all.
    #[default]
    Raw,
    Quic,
    Lz,
    Lz4,
    /// GLZ, with a dictionary that viewers share.
    Glz(GlzLane),
    /// GLZ that refers to no other picture.
    GlzAlone,
    /// What comes of GLZ, packed once more.
    GlzZlib(GlzLane),
    /// The same of [`Self::GlzAlone`].
    GlzAloneZlib,
    /// JPEG, with loss.
    Jpeg,
}

impl Method {
    /// How much of a picture it leaves.
    pub(crate) const fn fidelity(self) -> Fidelity {
        match self {
            Self::Raw | Self::Lz4 => Fidelity::Exact,
            Self::Jpeg => Fidelity::Lossy,
            _ => Fidelity::Shown,
        }
    }
}

/// Viewers that are sent the same pictures with GLZ, and so can share a dictionary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum GlzLane {
    /// Those that get QUIC for images without hard edges.
    Auto,
    /// Those that get GLZ for everything.
    Fixed,
}

/// How one viewer gets its images. Where two packings choose the same methods, viewers are sent the same bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Packing {
    compression: Compression,
    /// Whether the viewer knows LZ4.
    lz4: bool,
}

/// Images of fewer bytes are not worth packing: `MIN_SIZE_TO_COMPRESS` of the C server.
const PACK_FROM: u64 = 54;

/// Columns and rows that QUIC needs at least: `MIN_DIMENSION_TO_QUIC` of the C server.
const QUIC_FROM: u32 = 3;

impl Packing {
    /// What a viewer gets that is to have `compression`, and may know LZ4.
    pub(crate) const fn new(compression: Compression, lz4: bool) -> Self {
        Self { compression, lz4 }
    }

    /// The same for an image of which every bit counts. Bare, and by LZ4, colours come with bits that mean nothing, and
    /// that the other methods drop.
    pub(crate) fn exact_method(self, bitmap: &Bitmap) -> Method {
        let bare = match bitmap.format() {
            BitmapFormat::RGBA | BitmapFormat::A8 | BitmapFormat::RGB24 => 0,
            BitmapFormat::RGB32 => fourth_bytes(bitmap),
            BitmapFormat::RGB16 => u8::MAX,
            _ => bitmap
                .palette()
                .map_or(0, |palette| palette.entries.iter().fold(0, |all, entry| all | (entry >> 24) as u8)),
        };
        match self.method(bitmap) {
            Method::Raw => Method::Raw,
            method if bare == 0 => method,
            _ if self.lz4 && suits_lz4(bitmap.format()) => Method::Lz4,
            _ => Method::Raw,
        }
    }

    /// How this bitmap is packed.
    pub(crate) fn method(self, bitmap: &Bitmap) -> Method {
        if u64::from(bitmap.stride()) * u64::from(bitmap.height()) < PACK_FROM {
            return Method::Raw;
        }
        match self.compression {
            Compression::Off => Method::Raw,
            Compression::Quic if suits_quic(bitmap) => Method::Quic,
            Compression::Quic => Method::Raw,
            Compression::AutoGlz | Compression::AutoLz if suits_quic(bitmap) && is_gradual(bitmap) => {
                Method::Quic
            }
            Compression::AutoGlz if has_colours(bitmap.format()) => Method::Glz(GlzLane::Auto),
            Compression::Glz if has_colours(bitmap.format()) => Method::Glz(GlzLane::Fixed),
            Compression::Lz4 if self.lz4 && suits_lz4(bitmap.format()) => Method::Lz4,
            _ => Method::Lz,
        }
    }
}

/// Whether its pixels are colours: not numbers of colours, and not alpha alone.
fn has_colours(format: BitmapFormat) -> bool {
    matches!(format, BitmapFormat::RGB16 | BitmapFormat::RGB24 | BitmapFormat::RGB32 | BitmapFormat::RGBA)
}

fn suits_quic(bitmap: &Bitmap) -> bool {
    has_colours(bitmap.format()) && bitmap.width() >= QUIC_FROM && bitmap.height() >= QUIC_FROM
}

/// What viewers unpack from LZ4.
fn suits_lz4(format: BitmapFormat) -> bool {
    matches!(format, BitmapFormat::RGB16 | BitmapFormat::RGB32 | BitmapFormat::RGBA)
}

/// The bits that are set in bytes between colours.
fn fourth_bytes(bitmap: &Bitmap) -> u8 {
    let rows = (0..bitmap.height()).map(|y| bitmap.row(y).as_chunks::<4>().0);
    rows.flatten().fold(0, |all, pixel| all | pixel[3])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bitmap(format: BitmapFormat, (width, height): (u32, u32), stride: u32, ramp: bool) -> Bitmap {
        let data: Vec<u8> = (0..stride * height)
            .map(|at| if ramp { ((at / 4 % width) + at / stride) as u8 } else { (at / 4 % 2 * 255) as u8 })
            .collect();
        Bitmap::new(format, (width, height), stride, true, data.into()).unwrap()
    }

    fn method(compression: Compression, bitmap: &Bitmap) -> Method {
        Packing::new(compression, true).method(bitmap)
    }

    #[test]
    fn names_are_read_back() {
        for compression in Compression::ALL {
            assert_eq!(compression.name().parse(), Ok(compression));
            let wire = ImageCompression(compression as u8 + 1);
            assert_eq!(Compression::of_wire(wire), Some(compression));
        }
        assert!("zip".parse::<Compression>().unwrap_err().to_string().contains("auto_glz"));
        assert_eq!(Compression::of_wire(ImageCompression(0)), None);
        assert_eq!(Compression::of_wire(ImageCompression(8)), None);
    }

    #[test]
    fn soft_images_take_quic_and_hard_ones_a_dictionary() {
        let soft = bitmap(BitmapFormat::RGB32, (40, 30), 160, true);
        let hard = bitmap(BitmapFormat::RGB32, (40, 30), 160, false);
        assert_eq!(method(Compression::AutoGlz, &soft), Method::Quic);
        assert_eq!(method(Compression::AutoLz, &soft), Method::Quic);
        assert_eq!(method(Compression::AutoGlz, &hard), Method::Glz(GlzLane::Auto));
        assert_eq!(method(Compression::AutoLz, &hard), Method::Lz);
        assert_eq!(method(Compression::Glz, &soft), Method::Glz(GlzLane::Fixed));
        assert_eq!(method(Compression::Lz4, &soft), Method::Lz4);
    }

    #[test]
    fn what_a_method_cannot_pack_takes_the_next() {
        // The C server has QUIC for images with something between their rows, hard or soft, as its LZ cannot skip that.
        let padded = |soft| bitmap(BitmapFormat::RGB32, (40, 30), 168, soft);
        assert_eq!(method(Compression::AutoGlz, &padded(false)), Method::Glz(GlzLane::Auto));
        assert_eq!(method(Compression::AutoGlz, &padded(true)), Method::Quic);
        let thin = bitmap(BitmapFormat::RGB32, (40, 2), 160, true);
        assert_eq!(method(Compression::AutoLz, &thin), Method::Lz);
        assert_eq!(method(Compression::Quic, &thin), Method::Raw);
        let indexed = bitmap(BitmapFormat::BIT8, (40, 30), 40, true);
        for compression in [Compression::AutoGlz, Compression::Glz, Compression::Lz4, Compression::Lz] {
            assert_eq!(method(compression, &indexed), Method::Lz);
        }
        assert_eq!(method(Compression::Quic, &indexed), Method::Raw);
        let three = bitmap(BitmapFormat::RGB24, (40, 30), 120, true);
        assert_eq!(method(Compression::Lz4, &three), Method::Lz);
        let small = bitmap(BitmapFormat::RGB32, (4, 3), 16, true);
        assert_eq!(method(Compression::AutoGlz, &small), Method::Raw);
    }

    #[test]
    fn lz4_is_for_viewers_that_know_it() {
        let soft = bitmap(BitmapFormat::RGB32, (40, 30), 160, true);
        assert_eq!(Packing::new(Compression::Lz4, false).method(&soft), Method::Lz);
        let exact = |compression, lz4| Packing::new(compression, lz4).exact_method(&soft);
        assert_eq!(exact(Compression::AutoGlz, true), Method::Lz4);
        assert_eq!(exact(Compression::AutoGlz, false), Method::Raw);
        assert_eq!(exact(Compression::Off, true), Method::Raw);
    }

    #[test]
    fn a_fourth_byte_of_zero_is_nothing_to_keep() {
        let zero = Bitmap::new(BitmapFormat::RGB32, (40, 30), 160, true, vec![0; 160 * 30].into()).unwrap();
        assert_eq!(Packing::new(Compression::Lz, true).exact_method(&zero), Method::Lz);
    }
}
