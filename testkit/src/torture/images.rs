//! Made-up images of every format.

use std::sync::Arc;

use spice_display::codec::quic::{self, QuicFormat};
use spice_display::qxl::{Bitmap, BitmapFormat, Image, ImageSource, Mask, QuicImage};
use spice_proto::Point;
use spice_proto::display::{ImageFlags, Palette, PaletteId};

/// Columns and rows of a cell.
pub(super) const SIDE: u32 = 32;

/// A source of images, the same ones every time.
pub(super) struct Images {
    random: u32,
    next_id: u64,
}

/// How an image comes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    Bitmap(BitmapFormat),
    /// 32 bits, to be taken as opaque.
    HighBits,
    /// The bottom row first, with bytes behind each row.
    BottomUp(BitmapFormat),
    Quic(QuicFormat),
}

impl Kind {
    /// Every one that the C server takes on a surface of 32 bits.
    pub(super) const ALL: [Self; 16] = [
        Self::Bitmap(BitmapFormat::RGB32),
        Self::Bitmap(BitmapFormat::RGBA),
        Self::Bitmap(BitmapFormat::RGB24),
        Self::Bitmap(BitmapFormat::RGB16),
        Self::Bitmap(BitmapFormat::BIT8),
        Self::Bitmap(BitmapFormat::BIT4_BE),
        Self::Bitmap(BitmapFormat::BIT1_BE),
        Self::Bitmap(BitmapFormat::A8),
        Self::HighBits,
        Self::BottomUp(BitmapFormat::RGB32),
        Self::BottomUp(BitmapFormat::RGB24),
        Self::BottomUp(BitmapFormat::BIT4_BE),
        Self::Quic(QuicFormat::Rgb32),
        Self::Quic(QuicFormat::Rgba),
        Self::Quic(QuicFormat::Rgb24),
        Self::Quic(QuicFormat::Rgb16),
    ];

    /// Those without a palette.
    pub(super) fn direct() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|kind| match kind {
            Self::Bitmap(format) | Self::BottomUp(format) => {
                !matches!(*format, BitmapFormat::BIT8 | BitmapFormat::BIT4_BE | BitmapFormat::BIT1_BE)
            }
            Self::HighBits | Self::Quic(_) => true,
        })
    }
}

impl Images {
    pub(super) fn new(seed: u32) -> Self {
        Self { random: seed, next_id: 1 }
    }

    /// A number below `limit`.
    pub(super) fn below(&mut self, limit: u32) -> u32 {
        self.random = self.random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.random >> 8) % limit.max(1)
    }

    /// A byte, often an extreme one.
    pub(super) fn byte(&mut self) -> u8 {
        match self.below(8) {
            0 => 0,
            1 => 255,
            _ => self.below(256).to_le_bytes()[0],
        }
    }

    /// Something to draw on, a cell of 32-bit pixels without alpha.
    pub(super) fn background(&mut self) -> Image {
        self.image(Kind::Bitmap(BitmapFormat::RGB32), SIDE, SIDE)
    }

    /// An image of this size.
    pub(super) fn image(&mut self, kind: Kind, width: u32, height: u32) -> Image {
        self.next_id += 1;
        let (source, flags) = match kind {
            Kind::Bitmap(format) => (self.bitmap(format, width, height, true, 0), ImageFlags::empty()),
            Kind::HighBits => {
                (self.bitmap(BitmapFormat::RGB32, width, height, true, 0), ImageFlags::HIGH_BITS_SET)
            }
            Kind::BottomUp(format) => (self.bitmap(format, width, height, false, 8), ImageFlags::empty()),
            Kind::Quic(format) => (self.quic(format, width, height), ImageFlags::empty()),
        };
        Image { id: self.next_id << 32 | 1, flags, source }
    }

    /// A mask of this size.
    pub(super) fn mask(
        &mut self,
        format: BitmapFormat,
        (width, height): (u32, u32),
        top_down: bool,
    ) -> Image {
        self.next_id += 1;
        let source = self.bitmap(format, width, height, top_down, 0);
        Image { id: self.next_id << 32 | 1, flags: ImageFlags::empty(), source }
    }

    /// A mask that covers a whole cell.
    pub(super) fn any_mask(&mut self) -> Mask {
        let image = self.mask(BitmapFormat::BIT1_BE, (SIDE, SIDE), true);
        Mask { inverted: false, pos: Point::new(1, 1), image }
    }

    /// Pixels of a surface, or of an image.
    pub(super) fn content(&mut self, format: BitmapFormat, top_down: bool, behind: u32) -> Arc<Bitmap> {
        self.pixels(format, (SIDE, SIDE), top_down, behind)
    }

    fn bitmap(
        &mut self,
        format: BitmapFormat,
        width: u32,
        height: u32,
        top_down: bool,
        behind: u32,
    ) -> ImageSource {
        ImageSource::Bitmap(self.pixels(format, (width, height), top_down, behind))
    }

    #[expect(clippy::expect_used, reason = "as many bytes are made up as the rows take")]
    fn pixels(
        &mut self,
        format: BitmapFormat,
        (width, height): (u32, u32),
        top_down: bool,
        behind: u32,
    ) -> Arc<Bitmap> {
        let (bits, colours) = match format {
            BitmapFormat::BIT1_LE | BitmapFormat::BIT1_BE => (1, 2),
            BitmapFormat::BIT4_LE | BitmapFormat::BIT4_BE => (4, 16),
            BitmapFormat::BIT8 => (8, 256),
            BitmapFormat::A8 => (8, 0),
            BitmapFormat::RGB16 => (16, 0),
            BitmapFormat::RGB24 => (24, 0),
            _ => (32, 0),
        };
        // Rows begin at multiples of four bytes, as those of most guests do.
        let stride = (width * bits).div_ceil(32) * 4 + behind;
        let mut data: Vec<u8> = (0..stride * height).map(|_| self.byte()).collect();
        if format == BitmapFormat::RGBA {
            data.as_chunks_mut().0.iter_mut().for_each(premultiply);
        }
        if format == BitmapFormat::RGB32 {
            data.as_chunks_mut().0.iter_mut().for_each(|[_, _, _, top]: &mut [u8; 4]| *top = 0);
        }
        let palette = (colours > 0).then(|| {
            let entries = (0..colours).map(|_| self.below(1 << 24)).collect();
            Arc::new(Palette { id: PaletteId(self.next_id), entries })
        });
        let bitmap = Bitmap::new(format, (width, height), stride, top_down, data.into());
        Arc::new(bitmap.expect("a made-up bitmap holds its rows").with_palette(palette))
    }

    #[expect(clippy::expect_used, reason = "a picture of as many bytes as it takes is one")]
    fn quic(&mut self, format: QuicFormat, width: u32, height: u32) -> ImageSource {
        let stride = width as usize * format.bytes_per_pixel();
        let mut pixels: Vec<u8> = Vec::with_capacity(stride * height as usize);
        for at in 0..stride * height as usize {
            // A slope with some noise, which QUIC has been made for.
            let level = (at / stride * 3 + at % stride) % 256;
            let noise = self.below(9);
            pixels.push((u32::try_from(level).unwrap_or(0) + noise).to_le_bytes()[0]);
        }
        match format {
            QuicFormat::Rgba => pixels.as_chunks_mut().0.iter_mut().for_each(premultiply),
            QuicFormat::Rgb32 => {
                pixels.as_chunks_mut().0.iter_mut().for_each(|[_, _, _, top]: &mut [u8; 4]| *top = 0);
            }
            QuicFormat::Rgb16 => {
                pixels.as_chunks_mut().0.iter_mut().for_each(|[_, high]: &mut [u8; 2]| *high &= 0x7f);
            }
            _ => {}
        }
        let data = quic::encode(&pixels, width, height, stride, format).expect("a made-up picture is one");
        ImageSource::Quic(Arc::new(QuicImage { width, height, data: data.into() }))
    }
}

/// No colour is more than the alpha.
fn premultiply([blue, green, red, alpha]: &mut [u8; 4]) {
    for colour in [blue, green, red] {
        let product = u16::from(*colour) * u16::from(*alpha);
        *colour = u8::try_from(product / 255).unwrap_or(u8::MAX);
    }
}
