//! The pixels of an image at places between its own.

use spice_proto::Point;
use spice_proto::display::{CompositeFlags, SurfaceFormat, Transform};

use super::super::convert::Argb;
use super::super::plane::Pixel;
use super::super::{Canvas, each_depth};

/// What lies between an image's pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Filter {
    /// The nearest one.
    Nearest,
    /// A mean of the four around, with weights of 7 bits.
    Bilinear,
}

impl Filter {
    /// By pixman's number: 0 fast, 1 good, 2 best, 3 nearest, 4 bilinear; those that need more than a number are the
    /// nearest.
    pub(super) const fn new(number: u8) -> Self {
        match number {
            1 | 2 | 4 => Self::Bilinear,
            _ => Self::Nearest,
        }
    }
}

/// What lies around an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Repeat {
    /// Nothing: transparent pixels.
    None,
    /// The image, over and over.
    Normal,
    /// Its outermost pixels.
    Pad,
    /// Its mirror image.
    Reflect,
}

impl Repeat {
    /// By pixman's number.
    pub(super) const fn new(number: u8) -> Self {
        match number {
            0 => Self::None,
            1 => Self::Normal,
            2 => Self::Pad,
            _ => Self::Reflect,
        }
    }

    /// The column or row of an image of `size` that shows at `at`, if one does.
    fn place(self, at: i64, size: u32) -> Option<u32> {
        let size = i64::from(size);
        let place = match self {
            _ if size == 0 => return None,
            Self::None => at,
            Self::Normal => at.rem_euclid(size),
            Self::Pad => at.clamp(0, size - 1),
            Self::Reflect => {
                let place = at.rem_euclid(2 * size);
                if place < size { place } else { 2 * size - 1 - place }
            }
        };
        u32::try_from(place).ok().filter(|place| i64::from(*place) < size)
    }
}

/// Which place of an image, in parts of 65,536 pixels, lies under a pixel's centre.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Affine {
    /// What a column adds to the column and to the row.
    column: (i64, i64),
    /// What a row adds to the column and to the row.
    row: (i64, i64),
    /// The place under the first pixel.
    origin: (i64, i64),
}

const ONE: i64 = 1 << 16;
const HALF: i64 = ONE / 2;

impl Affine {
    /// The place under the pixel that is `origin` away from the image's corner before it is transformed.
    pub(super) fn new(transform: Option<Transform>, origin: Point) -> Self {
        let (x, y) = (i64::from(origin.x), i64::from(origin.y));
        let Some(Transform { t00, t01, t02, t10, t11, t12 }) = transform else {
            return Self { column: (ONE, 0), row: (0, ONE), origin: (x * ONE + HALF, y * ONE + HALF) };
        };
        let [t00, t01, t02, t10, t11, t12] = [t00, t01, t02, t10, t11, t12].map(|number| i64::from(number.0));
        let place = |by_x: i64, by_y: i64, constant: i64| {
            by_x * x + by_y * y + constant + (((by_x + by_y) * HALF + HALF) >> 16)
        };
        Self { column: (t00, t10), row: (t01, t11), origin: (place(t00, t01, t02), place(t10, t11, t12)) }
    }

    /// Every pixel over that of the same place.
    pub(in super::super) fn identity() -> Self {
        Self::new(None, Point::default())
    }

    /// A scale by `x` and `y`, and where it begins, all in parts of 65,536.
    pub(in super::super) fn scale((x, y): (i64, i64), begin: (i64, i64)) -> Self {
        let centre = |by: i64| (by * HALF + HALF) >> 16;
        Self { column: (x, 0), row: (0, y), origin: (begin.0 + centre(x), begin.1 + centre(y)) }
    }

    fn at(&self, x: i32, y: i32) -> (i64, i64) {
        let (x, y) = (i64::from(x), i64::from(y));
        let place = |column: i64, row: i64, origin: i64| column * x + row * y + origin;
        (place(self.column.0, self.row.0, self.origin.0), place(self.column.1, self.row.1, self.origin.1))
    }
}

/// An image that is read at any place.
#[derive(Clone, Copy)]
pub(in super::super) struct Sampler<'a> {
    pub(in super::super) image: &'a Canvas,
    /// How its bits are read; of the same depth as the image.
    pub(in super::super) format: SurfaceFormat,
    pub(in super::super) affine: Affine,
    pub(in super::super) filter: Filter,
    pub(in super::super) repeat: Repeat,
}

impl<'a> Sampler<'a> {
    /// An operand of COMPOSITE.
    pub(super) fn source(
        image: &'a Canvas,
        flags: CompositeFlags,
        transform: Option<Transform>,
        origin: Point,
    ) -> Self {
        let opaque = flags.contains(CompositeFlags::SOURCE_OPAQUE) && image.format == SurfaceFormat::ARGB32;
        Self {
            image,
            format: if opaque { SurfaceFormat::RGB32 } else { image.format },
            affine: Affine::new(transform, origin),
            filter: Filter::new(flags.source_filter()),
            repeat: Repeat::new(flags.source_repeat()),
        }
    }

    /// The mask of COMPOSITE.
    pub(super) fn mask(
        image: &'a Canvas,
        flags: CompositeFlags,
        transform: Option<Transform>,
        origin: Point,
    ) -> Self {
        Self {
            image,
            format: image.format,
            affine: Affine::new(transform, origin),
            filter: Filter::new(flags.mask_filter()),
            repeat: Repeat::new(flags.mask_repeat()),
        }
    }

    /// An image whose corner lies at `corner`, without anything around it.
    pub(in super::super) fn plain(image: &'a Canvas, format: SurfaceFormat, corner: Point) -> Self {
        let origin = Point::new(corner.x.saturating_neg(), corner.y.saturating_neg());
        Self {
            image,
            format,
            affine: Affine::new(None, origin),
            filter: Filter::Nearest,
            repeat: Repeat::None,
        }
    }

    /// The pixel at a place of the target.
    pub(in super::super) fn pixel(&self, x: i32, y: i32) -> u32 {
        let (x, y) = self.affine.at(x, y);
        match self.filter {
            Filter::Nearest => self.texel((x - 1) >> 16, (y - 1) >> 16),
            Filter::Bilinear => {
                let (x, y) = (x - HALF, y - HALF);
                let weight = |at: i64| u32::try_from(at >> 9 & 0x7f).unwrap_or(0);
                let (right, lower) = (weight(x), weight(y));
                let (left, upper) = (128 - right, 128 - lower);
                let (x, y) = (x >> 16, y >> 16);
                let texels = [
                    (self.texel(x, y), left * upper),
                    (self.texel(x + 1, y), right * upper),
                    (self.texel(x, y + 1), left * lower),
                    (self.texel(x + 1, y + 1), right * lower),
                ];
                let channel = |shift: u32| {
                    texels.iter().map(|(texel, weight)| (texel >> shift & 0xff) * weight).sum::<u32>() >> 14
                };
                channel(24) << 24 | channel(16) << 16 | channel(8) << 8 | channel(0)
            }
        }
    }

    /// The same with fractions: alpha, red, green, blue.
    pub(super) fn wide(&self, x: i32, y: i32) -> [f32; 4] {
        let (x, y) = self.affine.at(x, y);
        match self.filter {
            Filter::Nearest => self.wide_texel((x - 1) >> 16, (y - 1) >> 16),
            Filter::Bilinear => {
                let (x, y) = (x - HALF, y - HALF);
                #[expect(clippy::cast_precision_loss, reason = "16 bits")]
                let weight = |at: i64| (at & 0xffff) as f32 / 65536.0;
                let (right, lower) = (weight(x), weight(y));
                let (x, y) = (x >> 16, y >> 16);
                let weights = [
                    (1.0 - right) * (1.0 - lower),
                    right * (1.0 - lower),
                    (1.0 - right) * lower,
                    right * lower,
                ];
                let [tl, tr, bl, br] = [
                    self.wide_texel(x, y),
                    self.wide_texel(x + 1, y),
                    self.wide_texel(x, y + 1),
                    self.wide_texel(x + 1, y + 1),
                ];
                std::array::from_fn(|at| {
                    tl[at] * weights[0] + tr[at] * weights[1] + bl[at] * weights[2] + br[at] * weights[3]
                })
            }
        }
    }

    /// Whether a sample at every place of this box has full alpha.
    pub(super) fn is_opaque(&self, width: u32, height: u32) -> bool {
        if matches!(self.format, SurfaceFormat::ARGB32 | SurfaceFormat::A8 | SurfaceFormat::A1) {
            return false;
        }
        if self.repeat != Repeat::None {
            return true;
        }
        let (right, bottom) = (width.cast_signed() - 1, height.cast_signed() - 1);
        let reach = if self.filter == Filter::Bilinear { HALF } else { 0 };
        [(0, 0), (right, 0), (0, bottom), (right, bottom)].into_iter().all(|(x, y)| {
            let (x, y) = self.affine.at(x, y);
            let inside = |at: i64, size: u32| at - reach > 0 && at + reach <= i64::from(size) * ONE;
            inside(x, self.image.width()) && inside(y, self.image.height())
        })
    }

    fn texel(&self, x: i64, y: i64) -> u32 {
        self.bits(x, y).map_or(0, |bits| Argb::load(self.format, bits).0)
    }

    fn wide_texel(&self, x: i64, y: i64) -> [f32; 4] {
        self.bits(x, y).map_or([0.0; 4], |bits| widen(self.format, Argb::load(self.format, bits)))
    }

    fn bits(&self, x: i64, y: i64) -> Option<u32> {
        let x = self.repeat.place(x, self.image.width())?;
        let y = self.repeat.place(y, self.image.height())?;
        each_depth!(&self.image.pixels, plane => plane.row(y).get(x as usize).map(|pixel| pixel.bits()))
    }
}

/// A pixel of `format` in fractions: alpha, red, green, blue.
pub(super) fn widen(format: SurfaceFormat, pixel: Argb) -> [f32; 4] {
    let [blue, green, red, alpha] = pixel.0.to_le_bytes();
    let (red_bits, green_bits) = match format {
        SurfaceFormat::RGB555 => (5, 5),
        SurfaceFormat::RGB565 => (5, 6),
        _ => (8, 8),
    };
    let fraction = |value: u8, bits: u32| {
        let most = (1_u16 << bits) - 1;
        f32::from(value >> (8 - bits)) * (1.0 / f32::from(most))
    };
    [fraction(alpha, 8), fraction(red, red_bits), fraction(green, green_bits), fraction(blue, red_bits)]
}
