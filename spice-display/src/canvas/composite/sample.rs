//! The pixels of an image at places between its own.

use spice_proto::display::{CompositeFlags, Fixed16_16, SurfaceFormat, Transform};
use spice_proto::{Point, Rect};

use super::super::convert::Argb;
use super::super::plane::Pixel;
use super::super::{Canvas, each_depth};
use super::with_alpha;

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
    first: (i64, i64),
    /// Where the first pixel lies before anything is transformed.
    origin: Point,
    /// Whether anything is.
    transformed: bool,
}

const ONE: i64 = 1 << 16;
const HALF: i64 = ONE / 2;

/// A transform that changes nothing.
const IDENTITY: Transform = Transform {
    t00: Fixed16_16::ONE,
    t01: Fixed16_16(0),
    t02: Fixed16_16(0),
    t10: Fixed16_16(0),
    t11: Fixed16_16::ONE,
    t12: Fixed16_16(0),
};

impl Affine {
    /// The place under the pixel that is `origin` away from the image's corner before it is transformed.
    pub(in super::super) fn new(transform: Option<Transform>, origin: Point) -> Self {
        let (x, y) = (i64::from(origin.x), i64::from(origin.y));
        let transform = transform.unwrap_or(IDENTITY);
        let Transform { t00, t01, t02, t10, t11, t12 } = transform;
        let [t00, t01, t02, t10, t11, t12] = [t00, t01, t02, t10, t11, t12].map(|number| i64::from(number.0));
        let place = |by_x: i64, by_y: i64, constant: i64| {
            let centre = constant + (((by_x + by_y) * HALF + HALF) >> 16);
            (by_x * x).wrapping_add(by_y * y).wrapping_add(centre)
        };
        Self {
            column: (t00, t10),
            row: (t01, t11),
            first: (place(t00, t01, t02), place(t10, t11, t12)),
            origin,
            transformed: transform != IDENTITY,
        }
    }

    /// Every pixel over that of the same place.
    pub(in super::super) fn identity() -> Self {
        Self::new(None, Point::default())
    }

    fn at(&self, x: i64, y: i64) -> (i64, i64) {
        let place = |column: i64, row: i64, first: i64| {
            column.wrapping_mul(x).wrapping_add(row.wrapping_mul(y)).wrapping_add(first)
        };
        (place(self.column.0, self.row.0, self.first.0), place(self.column.1, self.row.1, self.first.1))
    }

    /// The least and the greatest place, in both directions, under the pixels from one column and row to another.
    fn span(&self, (left, top): (i64, i64), (right, bottom): (i64, i64)) -> [(i64, i64); 2] {
        let corners =
            [(left, top), (right, top), (left, bottom), (right, bottom)].map(|(x, y)| self.at(x, y));
        corners.iter().fold([corners[0]; 2], |[least, most], (x, y)| {
            [(least.0.min(*x), least.1.min(*y)), (most.0.max(*x), most.1.max(*y))]
        })
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

    /// The pixel at a place of the target.
    pub(in super::super) fn pixel(&self, x: i32, y: i32) -> u32 {
        let (x, y) = self.affine.at(x.into(), y.into());
        match self.filter {
            Filter::Nearest => self.texel(x.wrapping_sub(1) >> 16, y.wrapping_sub(1) >> 16),
            Filter::Bilinear => {
                let (x, y) = (x.wrapping_sub(HALF), y.wrapping_sub(HALF));
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
        let (x, y) = self.affine.at(x.into(), y.into());
        match self.filter {
            _ if self.is_single() => self.wide_texel(0, 0),
            Filter::Nearest => self.wide_texel(x.wrapping_sub(1) >> 16, y.wrapping_sub(1) >> 16),
            Filter::Bilinear => {
                let (x, y) = (x.wrapping_sub(HALF), y.wrapping_sub(HALF));
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

    /// Whether anything is drawn on the pixels of a box. pixman gives up, silently, on an image, or on places in it,
    /// that its numbers of 16.16 bits do not hold.
    pub(in super::super) fn is_drawn(&self, area: Rect) -> bool {
        const SIZE_LIMIT: u32 = 0x7fff;
        const SLACK: i64 = 8;
        if !is_near(area, self.affine.origin)
            || self.image.width() >= SIZE_LIMIT
            || self.image.height() >= SIZE_LIMIT
        {
            return false;
        }
        let (begin, end) = ((area.left, area.top), (area.right, area.bottom));
        let (begin, end) = (both(begin, |edge| edge - 1), both(end, |edge| edge));
        let (before, after) = if self.filter == Filter::Bilinear { (HALF, HALF) } else { (1, -1) };
        let [least, most] = self.affine.span(begin, end);
        let holds = |at: i64| i32::try_from(at).is_ok();
        [least.0, least.1].into_iter().all(|at| holds(at) && holds(at.wrapping_sub(before + SLACK)))
            && [most.0, most.1].into_iter().all(|at| holds(at) && holds(at.wrapping_add(after + SLACK)))
    }

    /// Whether every sample for the pixels of a box has full alpha for sure.
    pub(super) fn is_opaque(&self, area: Rect) -> bool {
        if matches!(self.format, SurfaceFormat::ARGB32 | SurfaceFormat::A8 | SurfaceFormat::A1) {
            return false;
        }
        self.repeat != Repeat::None || self.covers(area)
    }

    /// Whether every sample for the pixels of a box lies within the image.
    fn covers(&self, area: Rect) -> bool {
        let (begin, end) = ((area.left, area.top), (area.right, area.bottom));
        let [least, most] = self.affine.span(both(begin, |edge| edge), both(end, |edge| edge - 1));
        let (before, after) = match self.filter {
            Filter::Bilinear if self.affine.transformed => (HALF, HALF),
            _ => (1, -1),
        };
        let inside = |least: i64, most: i64, size: u32| {
            least.wrapping_sub(before) >> 16 >= 0 && most.wrapping_add(after) >> 16 < i64::from(size)
        };
        inside(least.0, most.0, self.image.width()) && inside(least.1, most.1, self.image.height())
    }

    /// The same image for a target that takes its opaque pixels as they are: where neither has an alpha, the byte that
    /// means nothing comes along, provided that pixman has a way of copying such pixels.
    pub(super) fn copied(mut self, area: Rect) -> Self {
        let Affine { column, row, transformed, .. } = self.affine;
        let copied = if transformed {
            column.0 > 0 && (column.1, row.0) == (0, 0) && self.repeat != Repeat::Reflect
        } else {
            self.repeat == Repeat::Normal || self.covers(area)
        };
        if copied {
            self.format = with_alpha(self.format);
        }
        self
    }

    /// Whether pixman looks at the image only where a mask lets anything of it through.
    pub(super) fn is_sparse(&self) -> bool {
        let plain = !self.affine.transformed && matches!(self.repeat, Repeat::None | Repeat::Normal);
        !plain && !self.is_single()
    }

    /// Whether it is of one colour everywhere.
    fn is_single(&self) -> bool {
        (self.image.width(), self.image.height()) == (1, 1) && self.repeat != Repeat::None
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

/// Whether a box, moved by `origin`, and the pixels around it have coordinates of 16 bits.
pub(super) fn is_near(area: Rect, origin: Point) -> bool {
    let edge = |at: i32, origin: i32, by: i64| i64::from(at) + i64::from(origin) + by;
    let edges = [
        edge(area.left, origin.x, -1),
        edge(area.top, origin.y, -1),
        edge(area.right, origin.x, 1),
        edge(area.bottom, origin.y, 1),
    ];
    edges.iter().all(|edge| i16::try_from(*edge).is_ok())
}

fn both((x, y): (i32, i32), edge: impl Fn(i64) -> i64) -> (i64, i64) {
    (edge(x.into()), edge(y.into()))
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
