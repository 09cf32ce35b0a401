//! Commands whose result is known, as the C server's canvas and pixman paint it.

use std::sync::Arc;

use spice_proto::display::{ImageFlags, Palette, PaletteId, Rop3, Ropd, ScaleMode, SurfaceFormat};
use spice_proto::{Point, Rect, SurfaceId};

use super::{Canvas, PaintError, Surfaces};
use crate::qxl::{
    Bitmap, BitmapFormat, Brush, Clip, CopyBits, DrawCopy, DrawFill, DrawOp, DrawOpaque, DrawRop3,
    DrawTransparent, Drawable, Effect, Image, ImageSource, Mask, Pattern,
};

/// One surface, by the name 1.
struct Other(Canvas);

impl Surfaces for Other {
    fn canvas(&self, id: SurfaceId) -> Option<&Canvas> {
        (id.0 == 1).then_some(&self.0)
    }
}

/// A canvas of one row.
fn row(format: SurfaceFormat, pixels: &[u32]) -> Canvas {
    let mut canvas = Canvas::new(format, pixels.len() as u32, 1).unwrap();
    for (x, bits) in (0..).zip(pixels) {
        canvas.fill(&Rect::new(x, 0, 1, 1).into(), *bits);
    }
    canvas
}

fn pixels(canvas: &Canvas) -> Vec<u32> {
    let size = (canvas.width().cast_signed(), canvas.height().cast_signed());
    let points = (0..size.1).flat_map(|y| (0..size.0).map(move |x| Point::new(x, y)));
    points.map(|at| canvas.pixel(at).unwrap()).collect()
}

fn paint_over(mut canvas: Canvas, bbox: Rect, op: DrawOp, other: Canvas) -> Result<Vec<u32>, PaintError> {
    let drawable =
        Drawable { surface: SurfaceId(0), bbox, clip: Clip::None, effect: Effect::BLEND, mm_time: 0, op };
    let region = bbox.intersect(&canvas.bounds()).into();
    canvas.paint(&drawable, &region, &Other(other))?;
    Ok(pixels(&canvas))
}

/// The pixels of a row after a command on all of it.
fn paint(canvas: Canvas, op: DrawOp) -> Vec<u32> {
    let bbox = canvas.bounds();
    paint_over(canvas, bbox, op, Canvas::default()).unwrap()
}

fn bitmap(format: BitmapFormat, size: (u32, u32), stride: u32, data: &[u8]) -> Bitmap {
    Bitmap::new(format, size, stride, true, data.to_vec().into()).unwrap()
}

fn image(bitmap: Bitmap) -> Image {
    Image::bitmap(1, Arc::new(bitmap))
}

/// A bitmap of one row, put on as many zeros.
fn put_on(target: SurfaceFormat, flags: ImageFlags, bitmap: Bitmap) -> Vec<u32> {
    let canvas = Canvas::new(target, bitmap.width(), 1).unwrap();
    let area = canvas.bounds();
    paint(canvas, DrawOp::Copy(DrawCopy::put(Image { flags, ..image(bitmap) }, area)))
}

fn rgb32(pixels: &[u32]) -> Image {
    let data: Vec<u8> = pixels.iter().flat_map(|pixel| pixel.to_le_bytes()).collect();
    let width = pixels.len() as u32;
    image(bitmap(BitmapFormat::RGB32, (width, 1), width * 4, &data))
}

const NONE: ImageFlags = ImageFlags::empty();
const HIGH: ImageFlags = ImageFlags::HIGH_BITS_SET;
const KEPT: ImageFlags = ImageFlags::CACHE_ME;

#[test]
fn palette_indices_are_read_from_the_end_that_the_format_says() {
    let cases = [
        (BitmapFormat::BIT1_BE, vec![0b1010_0000], vec![1, 0, 1, 0]),
        (BitmapFormat::BIT1_LE, vec![0b0000_0011], vec![1, 1, 0, 0]),
        (BitmapFormat::BIT4_BE, vec![0x12, 0x30], vec![1, 2, 3, 0]),
        (BitmapFormat::BIT4_LE, vec![0x12, 0x30], vec![2, 1, 0, 3]),
        (BitmapFormat::BIT8, vec![3, 2, 0, 200], vec![3, 2, 0, 0xff]),
    ];
    let entries = vec![0xaa00_0000, 0x0001_0203, 0x0012_3456, 0xff65_4321];
    // A pixel beyond the palette is black.
    let colour = |index: u32| entries.get(index as usize).copied().unwrap_or(0);
    for (format, data, indices) in cases {
        let palette = Arc::new(Palette { id: PaletteId(1), entries: entries.clone() });
        let bitmap = bitmap(format, (4, 1), 4, &[data, vec![0; 4]].concat()).with_palette(Some(palette));
        let wide: Vec<u32> = indices.iter().map(|index| colour(*index)).collect();
        let narrow: Vec<u32> = wide.iter().map(|colour| colour & 0xffff).collect();
        let bits: Vec<u32> = wide.iter().map(|colour| 0xff * (colour & 1)).collect();
        assert_eq!(put_on(SurfaceFormat::RGB32, NONE, bitmap.clone()), wide, "{format}");
        assert_eq!(put_on(SurfaceFormat::ARGB32, NONE, bitmap.clone()), wide, "{format}");
        assert_eq!(put_on(SurfaceFormat::RGB555, NONE, bitmap.clone()), narrow, "{format}");
        assert_eq!(put_on(SurfaceFormat::A1, NONE, bitmap), bits, "{format}");
    }
}

#[test]
fn a_bitmap_that_needs_a_palette_is_refused_without_one() {
    let source = image(bitmap(BitmapFormat::BIT8, (1, 1), 1, &[0]));
    let canvas = row(SurfaceFormat::RGB32, &[7]);
    let op = DrawOp::Copy(DrawCopy::put(source, canvas.bounds()));
    let error = paint_over(canvas.clone(), canvas.bounds(), op, Canvas::default());
    assert_eq!(error, Err(PaintError::Palette(BitmapFormat::BIT8)));
}

#[test]
fn pixels_become_those_of_the_surface() {
    let rgb32 = |pixel: u32| bitmap(BitmapFormat::RGB32, (1, 1), 4, &pixel.to_le_bytes());
    let rgba = |pixel: u32| bitmap(BitmapFormat::RGBA, (1, 1), 4, &pixel.to_le_bytes());
    let rgb24 = bitmap(BitmapFormat::RGB24, (1, 1), 4, &[0x33, 0x22, 0x11, 0x99]);
    let rgb16 = |pixel: u16| bitmap(BitmapFormat::RGB16, (1, 1), 4, &[pixel.to_le_bytes(), [0; 2]].concat());
    let a8 = bitmap(BitmapFormat::A8, (1, 1), 4, &[0x80, 0, 0, 0]);
    let cases = [
        (SurfaceFormat::RGB32, NONE, rgb32(0x1234_5678), 0x1234_5678),
        (SurfaceFormat::ARGB32, NONE, rgb32(0x1234_5678), 0x1234_5678),
        (SurfaceFormat::ARGB32, HIGH, rgb32(0x1234_5678), 0xff34_5678),
        (SurfaceFormat::ARGB32, HIGH | KEPT, rgb32(0x1234_5678), 0xff34_5678),
        (SurfaceFormat::RGB32, NONE, rgba(0x8034_5678), 0x8034_5678),
        (SurfaceFormat::ARGB32, HIGH, rgba(0x8034_5678), 0x8034_5678),
        (SurfaceFormat::RGB32, NONE, rgb24.clone(), 0x0011_2233),
        (SurfaceFormat::ARGB32, HIGH, rgb24, 0xff11_2233),
        (SurfaceFormat::ARGB32, NONE, rgb16(0x7c1f), 0xffff_00ff),
        (SurfaceFormat::RGB32, NONE, rgb16(0x0421), 0xff08_0808),
        (SurfaceFormat::ARGB32, NONE, a8.clone(), 0x8000_0000),
        (SurfaceFormat::ARGB32, HIGH, a8.clone(), 0xff00_0000),
        (SurfaceFormat::ARGB32, HIGH | KEPT, a8.clone(), 0x8000_0000),
        (SurfaceFormat::RGB555, NONE, rgb16(0xfc1f), 0xfc1f),
        (SurfaceFormat::RGB565, NONE, rgb16(0xffe0), 0xffe0),
        (SurfaceFormat::RGB565, NONE, rgb16(0x0210), 0x0430),
        (SurfaceFormat::RGB555, NONE, rgb32(0x00ff_8607), 0x7e00),
        (SurfaceFormat::RGB565, NONE, rgba(0x00ff_8607), 0xfc20),
        (SurfaceFormat::A8, NONE, rgb32(0), 0xff),
        (SurfaceFormat::A8, NONE, rgba(0x4200_0000), 0x42),
        (SurfaceFormat::A1, NONE, rgba(0x7f00_0000), 0),
        (SurfaceFormat::A1, NONE, a8.clone(), 0xff),
        (SurfaceFormat::RGB565, NONE, a8, 0),
    ];
    for (target, flags, bitmap, expected) in cases {
        assert_eq!(put_on(target, flags, bitmap.clone()), [expected], "{bitmap:?} {flags:?} on {target}");
    }
}

#[test]
fn surfaces_of_equal_depth_are_taken_bit_by_bit_and_others_converted() {
    use SurfaceFormat as F;
    let cases = [
        (F::RGB555, F::RGB565, 0xabcd, 0xabcd),
        (F::RGB32, F::ARGB32, 0x1234_5678, 0x1234_5678),
        (F::ARGB32, F::RGB32, 0x1234_5678, 0x1234_5678),
        (F::A8, F::A1, 0x80, 0xff),
        (F::A8, F::A1, 0x7f, 0),
        (F::A1, F::A8, 1, 0xff),
        (F::RGB565, F::ARGB32, 0x8410, 0xff84_8284),
        (F::ARGB32, F::RGB555, 0x00ff_8607, 0x7e00),
        (F::A8, F::RGB555, 0x12, 0),
        (F::RGB555, F::A8, 0, 0xff),
    ];
    for (from, to, bits, expected) in cases {
        let canvas = row(to, &[0]);
        let op = DrawOp::Copy(DrawCopy::put(Image::surface(SurfaceId(1)), canvas.bounds()));
        let result = paint_over(canvas.clone(), canvas.bounds(), op, row(from, &[bits]));
        assert_eq!(result, Ok(vec![expected]), "{from} on {to}");
    }
}

#[test]
fn a_number_is_cut_to_the_pixel() {
    let fill = |format| paint(row(format, &[0]), DrawOp::Fill(DrawFill::solid(0x9abc_def1)));
    assert_eq!(fill(SurfaceFormat::ARGB32), [0x9abc_def1]);
    assert_eq!(fill(SurfaceFormat::RGB565), [0xdef1]);
    assert_eq!(fill(SurfaceFormat::A8), [0xf1]);
    assert_eq!(fill(SurfaceFormat::A1), [0xff]);
    assert_eq!(paint(row(SurfaceFormat::A1, &[1]), DrawOp::Fill(DrawFill::solid(0xfe))), [0]);
    for (format, white) in [(SurfaceFormat::RGB32, u32::MAX), (SurfaceFormat::RGB555, 0xffff)] {
        assert_eq!(paint(row(format, &[5]), DrawOp::Whiteness(None)), [white]);
        assert_eq!(paint(row(format, &[5]), DrawOp::Blackness(None)), [0]);
        assert_eq!(paint(row(format, &[5]), DrawOp::Invers(None)), [white ^ 5]);
    }
}

#[test]
fn a_tile_lies_at_its_origin_and_to_all_sides_of_it() {
    let tile = |x, rop| {
        let brush = Brush::Pattern(Pattern { image: rgb32(&[1, 2, 3]), pos: Point::new(x, -7) });
        paint(row(SurfaceFormat::RGB32, &[0x10; 5]), DrawOp::Fill(DrawFill { brush, rop, mask: None }))
    };
    assert_eq!(tile(0, Ropd::OP_PUT), [1, 2, 3, 1, 2]);
    assert_eq!(tile(1, Ropd::OP_PUT), [3, 1, 2, 3, 1]);
    assert_eq!(tile(-1, Ropd::OP_PUT), [2, 3, 1, 2, 3]);
    assert_eq!(tile(300, Ropd::OP_OR), [0x11, 0x12, 0x13, 0x11, 0x12]);
    assert_eq!(tile(i32::MIN, Ropd::OP_PUT), [3, 1, 2, 3, 1]);
    assert_eq!(tile(i32::MAX, Ropd::OP_PUT), [3, 1, 2, 3, 1]);
}

#[test]
fn what_a_source_does_not_reach_keeps_its_value() {
    let copy = |left, rop| {
        let area = Rect::new(left, 0, 4, 1);
        paint(
            row(SurfaceFormat::RGB32, &[8; 4]),
            DrawOp::Copy(DrawCopy { rop, ..DrawCopy::put(rgb32(&[1, 2]), area) }),
        )
    };
    assert_eq!(copy(0, Ropd::OP_PUT), [1, 2, 8, 8]);
    assert_eq!(copy(-3, Ropd::OP_XOR), [8, 8, 8, 9]);
    assert_eq!(copy(1, Ropd::OP_OR), [10, 8, 8, 8]);
    assert_eq!(copy(i32::MIN, Ropd::OP_PUT), [8; 4]);
    assert_eq!(copy(i32::MAX - 4, Ropd::OP_PUT), [8; 4]);
}

#[test]
fn an_opaque_brush_meets_the_image_and_not_what_was_below() {
    let op = DrawOp::Opaque(DrawOpaque {
        source: rgb32(&[0b0011, 0b0101]),
        source_area: Rect::new(0, 0, 2, 1),
        brush: Brush::Solid(0b0110),
        rop: Ropd::OP_AND | Ropd::INVERS_SRC,
        scale_mode: ScaleMode::INTERPOLATE,
        mask: None,
    });
    assert_eq!(paint(row(SurfaceFormat::RGB32, &[0xff, 0xff]), op), [0b0100, 0b0010]);
}

fn rop3(source: Image, source_area: Rect, brush: Brush, rop3: u8) -> DrawOp {
    let scale_mode = ScaleMode::INTERPOLATE;
    DrawOp::Rop3(DrawRop3 { source, source_area, brush, rop3: Rop3(rop3), scale_mode, mask: None })
}

#[test]
fn every_operation_of_three_operands_is_its_truth_table() {
    // All eight combinations of the bits of brush, source and old pixel stand in the low byte of each operand.
    for operation in 0..=u8::MAX {
        let expected = u32::from(operation);
        for format in [SurfaceFormat::A8, SurfaceFormat::RGB565, SurfaceFormat::RGB32] {
            let area = Rect::new(0, 0, 1, 1);
            let solid = rop3(Image::surface(SurfaceId(1)), area, Brush::Solid(0xf0), operation);
            let old = row(format, &[0xaa]);
            let result = paint_over(old, area, solid, row(format, &[0xcc])).unwrap();
            assert_eq!(result[0] & 0xff, expected, "{operation:#x} on {format}");
        }
        let brush = Brush::Pattern(Pattern { image: rgb32(&[0xf0, 0x0f]), pos: Point::new(1, 0) });
        let op = rop3(rgb32(&[0xcc, 0xcc, 0x33]), Rect::new(0, 0, 3, 1), brush, operation);
        let result = paint(row(SurfaceFormat::RGB32, &[0x55, 0xaa, 0x55]), op);
        let inverted = (0..8).fold(0, |bits, bit| bits | (expected >> (bit ^ 7) & 1) << bit);
        assert_eq!((result[1] & 0xff, result[2] & 0xff), (expected, inverted), "{operation:#x}");
    }
}

#[test]
fn three_operands_need_a_source_under_the_whole_box() {
    for area in [Rect::new(1, 0, 2, 1), Rect::new(-1, 0, 2, 1), Rect::new(0, i32::MIN, 2, 1)] {
        let canvas = row(SurfaceFormat::RGB32, &[0; 2]);
        let op = rop3(rgb32(&[1, 2]), area, Brush::None, 0x96);
        let result = paint_over(canvas.clone(), canvas.bounds(), op, Canvas::default());
        assert_eq!(result, Err(PaintError::OutsideImage { area, width: 2, height: 1 }));
    }
}

#[test]
fn one_colour_stays_away() {
    let transparent = |format, source, true_colour| {
        let op =
            DrawTransparent { source, source_area: Rect::new(0, 0, 3, 1), source_colour: 0, true_colour };
        paint(row(format, &[9; 3]), DrawOp::Transparent(op))
    };
    // Nobody looks at the top byte, but it is copied.
    let source = rgb32(&[0x0012_3456, 0xaa12_3456, 0xaa12_3457]);
    assert_eq!(transparent(SurfaceFormat::RGB32, source, 0xff12_3456), [9, 9, 0xaa12_3457]);
    let source = rgb32(&[0x00f8_0000, 0x00ff_0707, 0x0008_0000]);
    assert_eq!(transparent(SurfaceFormat::RGB555, source, 0x00fa_0102), [9, 9, 0x0400]);
    let alpha = image(bitmap(BitmapFormat::A8, (3, 1), 3, &[0, 1, 0xff]));
    assert_eq!(transparent(SurfaceFormat::A8, alpha, 0xff), [9, 1, 0xff]);
}

/// Which pixels of a row of six are white after a fill through this mask.
fn seen(mask: Mask, other: Canvas) -> Vec<u32> {
    let canvas = row(SurfaceFormat::A8, &[0; 6]);
    let bbox = canvas.bounds();
    let result = paint_over(canvas, bbox, DrawOp::Whiteness(Some(mask)), other).unwrap();
    result.into_iter().map(|pixel| pixel & 1).collect()
}

#[test]
fn a_mask_lets_through_what_is_set_and_nothing_beside_it() {
    let mask = |format, x, inverted| Mask {
        inverted,
        pos: Point::new(x, 0),
        image: image(bitmap(format, (5, 1), 4, &[0b1100_1001, 0, 0, 0])),
    };
    let see = |mask| seen(mask, Canvas::default());
    assert_eq!(see(mask(BitmapFormat::BIT1_BE, 0, false)), [1, 1, 0, 0, 1, 0]);
    assert_eq!(see(mask(BitmapFormat::BIT1_LE, 0, false)), [1, 0, 0, 1, 0, 0]);
    assert_eq!(see(mask(BitmapFormat::BIT1_BE, 0, true)), [0, 0, 1, 1, 0, 0]);
    assert_eq!(see(mask(BitmapFormat::BIT1_BE, 1, false)), [1, 0, 0, 1, 0, 0]);
    assert_eq!(see(mask(BitmapFormat::BIT1_BE, -2, true)), [0, 0, 0, 0, 1, 1]);
    assert_eq!(see(mask(BitmapFormat::BIT1_BE, i32::MIN, true)), [0; 6]);
    assert_eq!(see(mask(BitmapFormat::BIT1_BE, i32::MAX, true)), [0; 6]);
}

#[test]
fn a_mask_that_begins_below_is_turned_over() {
    let bits = Bitmap::new(BitmapFormat::BIT1_LE, (1, 2), 1, false, vec![0, 1].into()).unwrap();
    let mask = Mask { inverted: false, pos: Point::default(), image: image(bits) };
    let bbox = Rect::new(0, 0, 1, 2);
    let canvas = Canvas::new(SurfaceFormat::A8, 1, 2).unwrap();
    let result = paint_over(canvas, bbox, DrawOp::Whiteness(Some(mask)), Canvas::default());
    assert_eq!(result, Ok(vec![0xff, 0]));
}

#[test]
fn a_surface_as_a_mask_is_taken_for_bits() {
    let mask = || Mask { inverted: false, pos: Point::default(), image: Image::surface(SurfaceId(1)) };
    assert_eq!(seen(mask(), row(SurfaceFormat::A1, &[1, 0, 1, 1])), [1, 0, 1, 1, 0, 0]);
    assert_eq!(seen(mask(), row(SurfaceFormat::A8, &[0b1101, 0xff, 0xff, 0xff, 0xff])), [1, 0, 1, 1, 0, 0]);
    assert_eq!(seen(mask(), row(SurfaceFormat::RGB32, &[0b0010_1001, 0, 0, 0, 0, 0])), [1, 0, 0, 1, 0, 1]);
}

#[test]
fn colours_are_no_mask() {
    let mask = Mask { inverted: false, pos: Point::default(), image: rgb32(&[1]) };
    let canvas = row(SurfaceFormat::RGB32, &[0]);
    let bbox = canvas.bounds();
    let result = paint_over(canvas, bbox, DrawOp::Whiteness(Some(mask)), Canvas::default());
    assert_eq!(result, Err(PaintError::Format(BitmapFormat::RGB32)));
}

#[test]
fn an_image_of_the_surface_itself_is_what_was_there() {
    let copy = |own| {
        let source = Image { source: ImageSource::Own(own), ..Image::surface(SurfaceId(0)) };
        let canvas = row(SurfaceFormat::RGB565, &[1, 2, 3, 4]);
        let op = DrawOp::Copy(DrawCopy::put(source, Rect::new(0, 0, 3, 1)));
        paint_over(canvas, Rect::new(1, 0, 3, 1), op, Canvas::default())
    };
    assert_eq!(copy(Rect::new(0, 0, 3, 1)), Ok(vec![1, 1, 2, 3]));
    let area = Rect::new(2, 0, 3, 1);
    assert_eq!(copy(area), Err(PaintError::OutsideImage { area, width: 4, height: 1 }));
}

#[test]
fn bits_are_copied_as_far_as_there_are_any() {
    let copy = |x| {
        let op = DrawOp::CopyBits(CopyBits { source: Point::new(x, 0) });
        paint(row(SurfaceFormat::A8, &[1, 2, 3, 4]), op)
    };
    assert_eq!(copy(1), [2, 3, 4, 4]);
    assert_eq!(copy(-2), [1, 2, 1, 2]);
    assert_eq!(copy(i32::MIN), [1, 2, 3, 4]);
    assert_eq!(copy(i32::MAX), [1, 2, 3, 4]);
}
