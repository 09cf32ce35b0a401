//! STROKE.

use std::sync::Arc;

use spice_display::qxl::{Clip, DrawOp, DrawStroke};
use spice_proto::Rect;
use spice_proto::display::{
    BitmapFormat, Fixed28_4, LineAttr, LineFlags, Path, PathFlags, PathSegment, PointFix, Ropd,
};

use super::cell::Sheet;
use super::images::{Images, Kind};
use super::rops::{BrushKind, brush};

/// A point within the box or a little outside, sometimes between pixels.
fn point(images: &mut Images, bbox: Rect) -> PointFix {
    let mut place = |from: i32, len: u32| {
        let pixel = from - 4 + images.below(len + 8).cast_signed();
        let part = if images.below(3) == 0 { images.below(16).cast_signed() } else { 0 };
        Fixed28_4(pixel * 16 + part)
    };
    PointFix { x: place(bbox.left, bbox.width()), y: place(bbox.top, bbox.height()) }
}

fn segment(images: &mut Images, bbox: Rect, flags: PathFlags, points: usize) -> PathSegment {
    PathSegment { flags, points: (0..points).map(|_| point(images, bbox)).collect() }
}

/// A path of one figure or two.
pub(super) fn path(images: &mut Images, bbox: Rect, shape: u32) -> Path {
    let (begin, end) = (PathFlags::BEGIN, PathFlags::END);
    let segments = match shape {
        0 => vec![segment(images, bbox, begin | end, 2)],
        1 => vec![segment(images, bbox, begin | end | PathFlags::CLOSE, 4)],
        2 => vec![segment(images, bbox, begin | end | PathFlags::BEZIER, 7)],
        3 => vec![segment(images, bbox, begin, 3), segment(images, bbox, end | PathFlags::BEZIER, 3)],
        4 => vec![segment(images, bbox, begin | end, 3), segment(images, bbox, begin | end, 3)],
        _ => vec![segment(images, bbox, begin | end, 9)],
    };
    Path { segments }
}

fn style(images: &mut Images, kind: u32) -> LineAttr {
    let fixed = |lengths: &[i32]| Some(lengths.iter().map(|length| Fixed28_4(length * 16)).collect());
    let (flags, style) = match kind {
        0 => (LineFlags::empty(), None),
        1 => (LineFlags::STYLED, fixed(&[3, 2])),
        2 => (LineFlags::STYLED | LineFlags::START_WITH_GAP, fixed(&[1, 1])),
        3 => (LineFlags::STYLED, fixed(&[5, 1, 2, 1])),
        _ => (LineFlags::STYLED, fixed(&[1 + images.below(6).cast_signed(), 4])),
    };
    LineAttr { flags, style }
}

pub(super) fn line(
    images: &mut Images,
    bbox: Rect,
    shape: u32,
    dash: u32,
    kind: BrushKind,
    rop: Ropd,
) -> DrawOp {
    DrawOp::Stroke(DrawStroke {
        path: Arc::new(path(images, bbox, shape)),
        attr: style(images, dash),
        brush: brush(images, kind, bbox),
        fore_mode: rop,
        back_mode: Ropd::OP_PUT,
    })
}

pub(super) fn stroke(sheet: &mut Sheet) {
    for shape in 0..6 {
        for dash in 0..5 {
            for (kind, rop) in [
                (BrushKind::Solid, Ropd::OP_PUT),
                (BrushKind::Solid, Ropd::OP_XOR),
                (BrushKind::Solid, Ropd::OP_OR | Ropd::INVERS_BRUSH),
                (BrushKind::Pattern(Kind::Bitmap(BitmapFormat::RGB32)), Ropd::OP_PUT),
                (BrushKind::Pattern(Kind::Bitmap(BitmapFormat::RGB32)), Ropd::OP_XOR),
            ] {
                for round in 0..8 {
                    sheet.clipped(
                        format!("STROKE shape {shape} dash {dash} {kind:?} {rop:?} {round}"),
                        |bbox| match round {
                            7 => {
                                let rects =
                                    [bbox.translate(15, 9), Rect::new(bbox.left, bbox.top + 3, 30, 4)];
                                (bbox, Clip::Rects(rects.into()))
                            }
                            _ => (bbox, Clip::None),
                        },
                        |images, bbox| line(images, bbox, shape, dash, kind, rop),
                    );
                }
            }
        }
    }
}
