//! What makes a drawing command one that can be drawn at all.

use spice_proto::Rect;
use spice_proto::display::{PathFlags, PathSegment};

use super::{DrawOp, Drawable, Image, ImageSource, QuicImage};
use crate::codec::quic::{QuicError, QuicHeader};

/// Why a drawing command makes no sense, whatever the surfaces are.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ShapeError {
    /// A source area that ends before it begins.
    #[error("the source area {0:?} is inverted")]
    Inverted(Rect),
    /// A source area that lies before or beyond its image.
    #[error("the source area {area:?} is no part of an image of {width}x{height} pixels")]
    SourceArea {
        /// The area.
        area: Rect,
        /// Columns of the image; `u32::MAX` where they are not known.
        width: u32,
        /// Rows of the image.
        height: u32,
    },
    /// A Bézier segment without three points for each curve, or one that begins a figure without a point.
    #[error("path segment {0} has no place to begin or points left over")]
    Path(usize),
    /// A QUIC stream that does not begin as one.
    #[error("an image's stream: {0}")]
    Quic(QuicError),
    /// A QUIC stream of another size than its image. Viewers would take the stream's word for it.
    #[error("an image of {width}x{height} pixels has a stream of {stream_width}x{stream_height}")]
    QuicSize {
        /// Columns, by the image.
        width: u32,
        /// Rows, by the image.
        height: u32,
        /// Columns, by the stream.
        stream_width: u32,
        /// Rows, by the stream.
        stream_height: u32,
    },
}

impl Drawable {
    /// Whether its QUIC streams begin as the images say. Viewers are sent them as they are.
    ///
    /// # Errors
    /// A stream that is none, or one of another size than its image.
    pub fn check_streams(&self) -> Result<(), ShapeError> {
        self.op.images().try_for_each(stream_of)
    }

    /// Whether it makes sense. Where an image may be smaller than what is taken of it, that is not looked at:
    /// OPAQUE, TRANSPARENT and ALPHA_BLEND draw what there is.
    ///
    /// # Errors
    /// A source area that no pixel can come from, a path that cannot be followed.
    pub fn check(&self) -> Result<(), ShapeError> {
        match &self.op {
            DrawOp::Copy(op) | DrawOp::Blend(op) => within(&op.source, op.source_area),
            DrawOp::Rop3(op) => within(&op.source, op.source_area),
            DrawOp::Opaque(op) => ordered(op.source_area),
            DrawOp::Transparent(op) => ordered(op.source_area),
            DrawOp::AlphaBlend(op) => ordered(op.source_area),
            DrawOp::Stroke(op) => match op.path.segments.iter().position(|segment| !is_whole(segment)) {
                None => Ok(()),
                Some(index) => Err(ShapeError::Path(index)),
            },
            _ => Ok(()),
        }
    }
}

fn ordered(area: Rect) -> Result<(), ShapeError> {
    if area.left <= area.right && area.top <= area.bottom { Ok(()) } else { Err(ShapeError::Inverted(area)) }
}

/// Whether an image's stream is what the image says.
fn stream_of(image: &Image) -> Result<(), ShapeError> {
    let ImageSource::Quic(quic) = &image.source else { return Ok(()) };
    let QuicImage { width, height, .. } = **quic;
    let stream = QuicHeader::read(&quic.data).map_err(ShapeError::Quic)?;
    let (stream_width, stream_height) = (stream.width, stream.height);
    if (stream_width, stream_height) == (width, height) {
        return Ok(());
    }
    Err(ShapeError::QuicSize { width, height, stream_width, stream_height })
}

/// Whether `area` lies within an image, as far as it is known how large that is.
fn within(image: &Image, area: Rect) -> Result<(), ShapeError> {
    ordered(area)?;
    let (width, height) = match &image.source {
        ImageSource::Bitmap(bitmap) => (bitmap.width(), bitmap.height()),
        ImageSource::Quic(quic) => (quic.width, quic.height),
        ImageSource::Surface(_) | ImageSource::Own(_) => (u32::MAX, u32::MAX),
    };
    let is_within = |from: i32, to: i32, len: u32| from >= 0 && to.unsigned_abs() <= len;
    if is_within(area.left, area.right, width) && is_within(area.top, area.bottom, height) {
        return Ok(());
    }
    Err(ShapeError::SourceArea { area, width, height })
}

fn is_whole(segment: &PathSegment) -> bool {
    let begins = segment.flags.contains(PathFlags::BEGIN);
    let Some(points) = segment.points.len().checked_sub(begins.into()) else { return false };
    !segment.flags.contains(PathFlags::BEZIER) || points.is_multiple_of(3)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;
    use spice_proto::display::{AlphaFlags, Fixed28_4, LineAttr, Path, PointFix, Rop3, Ropd, ScaleMode};
    use spice_proto::display::{BitmapFormat, SurfaceFormat};
    use spice_proto::{Point, SurfaceId};

    use super::*;
    use crate::qxl::recording::made_up;
    use crate::qxl::{
        Bitmap, Brush, Clip, Command, DeviceEvent, DrawAlphaBlend, DrawCopy, DrawOpaque, DrawRop3,
        DrawStroke, DrawTransparent, Effect, GuestEvent, PrimarySurface, QuicImage, SurfaceCommand,
    };
    use crate::{RedWorker, WorkerConfig};

    /// Columns and rows of what is drawn on.
    const SIDE: u32 = 24;

    fn drawable(op: DrawOp) -> Drawable {
        let bbox = Rect::new(2, 3, 8, 6);
        let (surface, clip, effect) = (SurfaceId::PRIMARY, Clip::None, Effect::OPAQUE);
        Drawable { surface, bbox, clip, effect, mm_time: 0, op }
    }

    fn bitmap() -> Image {
        let bitmap = Bitmap::new(BitmapFormat::RGB32, (8, 6), 32, true, vec![9; 192].into()).unwrap();
        Image::bitmap(1, Arc::new(bitmap))
    }

    fn quic() -> Image {
        let quic = QuicImage { width: 8, height: 6, data: vec![1, 2, 3].into() };
        Image { source: ImageSource::Quic(Arc::new(quic)), ..bitmap() }
    }

    /// The operations that need all of their area, then those that take what there is.
    fn ops(source: &Image, source_area: Rect) -> ([DrawOp; 3], [DrawOp; 3]) {
        let (source, mask, scale_mode) = (source.clone(), None, ScaleMode::INTERPOLATE);
        let copy = DrawCopy::put(source.clone(), source_area);
        let (brush, rop) = (Brush::Solid(5), Ropd::OP_XOR);
        let rop3 = DrawRop3 {
            source: source.clone(),
            source_area,
            brush: brush.clone(),
            rop3: Rop3(0x96),
            scale_mode,
            mask: None,
        };
        let opaque = DrawOpaque { source: source.clone(), source_area, brush, rop, scale_mode, mask };
        let colour =
            DrawTransparent { source: source.clone(), source_area, source_colour: 1, true_colour: 2 };
        let blend = DrawAlphaBlend { flags: AlphaFlags::empty(), alpha: 99, source, source_area };
        (
            [DrawOp::Copy(copy.clone()), DrawOp::Blend(copy), DrawOp::Rop3(rop3)],
            [DrawOp::Opaque(opaque), DrawOp::Transparent(colour), DrawOp::AlphaBlend(blend)],
        )
    }

    #[test]
    fn copies_lie_within_their_image_and_nothing_is_inverted() {
        let edges = |left, top, right, bottom| Rect::from_edges(left, top, right, bottom);
        let fine = [edges(0, 0, 8, 6), edges(7, 5, 8, 6), edges(3, 3, 3, 3), edges(8, 6, 8, 6)];
        let beyond = [edges(0, 0, 9, 6), edges(0, 0, 8, 7), edges(-1, 0, 8, 6), edges(0, -1, 8, 6)];
        let extreme = [edges(-9, -9, -1, -1), edges(i32::MIN, i32::MIN, i32::MAX, i32::MAX)];
        let inverted = [edges(4, 0, 3, 6), edges(0, 4, 8, 3), edges(i32::MAX, 0, i32::MIN, 6)];
        for image in [bitmap(), quic()] {
            for area in fine {
                let (strict, lax) = ops(&image, area);
                assert!(strict.into_iter().chain(lax).all(|op| drawable(op).check() == Ok(())), "{area:?}");
            }
            for area in beyond.into_iter().chain(extreme) {
                let (strict, lax) = ops(&image, area);
                let wrong = Err(ShapeError::SourceArea { area, width: 8, height: 6 });
                assert!(strict.into_iter().all(|op| drawable(op).check() == wrong), "{area:?}");
                assert!(lax.into_iter().all(|op| drawable(op).check() == Ok(())), "{area:?}");
            }
            for area in inverted {
                let (strict, lax) = ops(&image, area);
                let wrong = Err(ShapeError::Inverted(area));
                assert!(strict.into_iter().chain(lax).all(|op| drawable(op).check() == wrong), "{area:?}");
            }
        }
        // Of a surface only the beginning is known.
        let (strict, _) = ops(&Image::surface(SurfaceId(3)), edges(0, 0, i32::MAX, i32::MAX));
        assert!(strict.into_iter().all(|op| drawable(op).check() == Ok(())));
        let (strict, _) = ops(&Image::surface(SurfaceId(3)), edges(-1, 0, 5, 5));
        assert!(strict.into_iter().all(|op| drawable(op).check().is_err()));
    }

    #[test]
    fn curves_have_three_points_each_and_figures_begin_somewhere() {
        let stroke = |flags: &[(PathFlags, usize)]| {
            let point = PointFix { x: Fixed28_4(0), y: Fixed28_4(0) };
            let segments = flags
                .iter()
                .map(|(flags, count)| PathSegment { flags: *flags, points: vec![point; *count] })
                .collect();
            drawable(DrawOp::Stroke(DrawStroke {
                path: Arc::new(Path { segments }),
                attr: LineAttr::default(),
                brush: Brush::None,
                fore_mode: Ropd::OP_PUT,
                back_mode: Ropd::OP_PUT,
            }))
            .check()
        };
        let (begin, bezier) = (PathFlags::BEGIN, PathFlags::BEZIER);
        let none = PathFlags::empty();
        assert_eq!(stroke(&[]), Ok(()));
        assert_eq!(stroke(&[(begin, 1), (none, 0), (none, 5), (bezier, 0), (bezier, 6)]), Ok(()));
        assert_eq!(stroke(&[(begin | bezier, 1), (begin | bezier, 7)]), Ok(()));
        assert_eq!(stroke(&[(begin, 0)]), Err(ShapeError::Path(0)));
        assert_eq!(stroke(&[(begin, 1), (bezier, 4)]), Err(ShapeError::Path(1)));
        assert_eq!(stroke(&[(begin, 1), (none, 1), (begin | bezier, 3)]), Err(ShapeError::Path(2)));
        assert_eq!(stroke(&[(begin | bezier, 0)]), Err(ShapeError::Path(0)));
    }

    const SURFACES: [SurfaceFormat; 6] = [
        SurfaceFormat::RGB32,
        SurfaceFormat::ARGB32,
        SurfaceFormat::RGB555,
        SurfaceFormat::RGB565,
        SurfaceFormat::A8,
        SurfaceFormat::RGB32,
    ];

    /// A worker with a surface of each format.
    fn worker() -> RedWorker {
        let (width, height) = (SIDE, SIDE);
        let mut worker = RedWorker::new(&WorkerConfig::default());
        for (id, format) in (0..).map(SurfaceId).zip(SURFACES) {
            let event = match id {
                SurfaceId::PRIMARY => GuestEvent::Device(DeviceEvent::CreatePrimary(PrimarySurface {
                    width,
                    height,
                    format,
                    content: None,
                })),
                surface => GuestEvent::Command(Command::Surface(SurfaceCommand::Create {
                    surface,
                    width,
                    height,
                    format,
                    content: None,
                })),
            };
            worker.handle_event(event).unwrap();
        }
        worker
    }

    fn area() -> impl Strategy<Value = Rect> {
        let edge = || {
            prop_oneof![
                8 => -9..40_i32,
                1 => prop::sample::select(vec![i32::MIN, i32::MIN + 1, -32_769, 32_767, i32::MAX - 1, i32::MAX]),
            ]
        };
        [edge(), edge(), edge(), edge()].prop_map(|[left, top, right, bottom]| {
            Rect::from_edges(left.min(right), top.min(bottom), left.max(right), top.max(bottom))
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 3000, ..ProptestConfig::default() })]

        /// What makes sense is drawn or refused, on every surface, with whatever part of its image.
        #[test]
        fn what_makes_sense_is_no_reason_to_panic(
            drawn in prop::collection::vec((made_up::drawable(), area(), 0..6_u32, (0..20_i32, 0..20_i32)), 1..5),
        ) {
            let mut worker = worker();
            for (mut drawable, area, surface, (x, y)) in drawn {
                drawable.surface = SurfaceId(surface);
                let at = Point::new(x, y);
                drawable.bbox = Rect::new(at.x, at.y, SIDE - x.unsigned_abs(), SIDE - y.unsigned_abs());
                match &mut drawable.op {
                    DrawOp::Opaque(op) => op.source_area = area,
                    DrawOp::Transparent(op) => op.source_area = area,
                    DrawOp::AlphaBlend(op) => op.source_area = area,
                    _ => {}
                }
                prop_assert_eq!(drawable.check(), Ok(()));
                let _refused = worker.handle_event(GuestEvent::Command(Command::Draw(drawable)));
            }
            for id in (0..6).map(SurfaceId) {
                worker.display_mut().canvas(id, Rect::new(0, 0, SIDE, SIDE));
            }
        }
    }
}
