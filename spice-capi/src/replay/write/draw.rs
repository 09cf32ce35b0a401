//! Drawables.

use spice_display::qxl::{Brush, Clip, DrawCopy, DrawOp, DrawStroke, DrawText, Drawable, ImageSource, Mask};
use spice_proto::Rect;
use spice_proto::display::{Glyphs, LineFlags, Path, Transform};

use super::Writer;
use crate::replay::fields::Fields;

/// Bytes of `QXLDrawable`, whose operation is as large as the largest.
const DRAWABLE: usize = 191;
/// Bytes of the brush in an operation.
const BRUSH: usize = 20;
/// Surfaces that a drawable says it reads. It reads those of its images, whatever it says, so it says none.
const READS: usize = 3;

impl Writer<'_> {
    /// `QXLDrawable`.
    pub(super) fn drawable(&mut self, drawable: &Drawable) -> u64 {
        let own = drawable.op.images().find_map(|image| match image.source {
            ImageSource::Own(area) => Some(area),
            _ => None,
        });
        let mut fields = self.begin(DRAWABLE);
        fields.u32(self.shown(drawable.surface)).u8(drawable.effect.0).u8(kind(&drawable.op));
        fields.u8(own.is_some().into()).rect(own.unwrap_or_default()).rect(drawable.bbox);
        self.clip(&mut fields, &drawable.clip);
        fields.u32(drawable.mm_time);
        for _ in 0..READS {
            fields.u32(u32::MAX);
        }
        for _ in 0..READS {
            fields.rect(Rect::default());
        }
        self.operation(&mut fields, &drawable.op);
        fields.padded(DRAWABLE);
        self.keep(fields)
    }

    fn operation(&mut self, fields: &mut Fields, op: &DrawOp) {
        match op {
            DrawOp::Nop => {}
            DrawOp::Fill(op) => {
                self.brush(fields, &op.brush);
                fields.u16(op.rop.bits());
                self.mask(fields, op.mask.as_ref());
            }
            DrawOp::Opaque(op) => {
                fields.u64(self.image(&op.source)).rect(op.source_area);
                self.brush(fields, &op.brush);
                fields.u16(op.rop.bits()).u8(op.scale_mode.0);
                self.mask(fields, op.mask.as_ref());
            }
            DrawOp::Copy(op) | DrawOp::Blend(op) => self.copy(fields, op),
            DrawOp::CopyBits(op) => {
                fields.point(op.source);
            }
            DrawOp::Blackness(mask) | DrawOp::Whiteness(mask) | DrawOp::Invers(mask) => {
                self.mask(fields, mask.as_ref());
            }
            DrawOp::Rop3(op) => {
                fields.u64(self.image(&op.source)).rect(op.source_area);
                self.brush(fields, &op.brush);
                fields.u8(op.rop3.0).u8(op.scale_mode.0);
                self.mask(fields, op.mask.as_ref());
            }
            DrawOp::Stroke(op) => self.stroke(fields, op),
            DrawOp::Text(op) => self.text(fields, op),
            DrawOp::Transparent(op) => {
                fields.u64(self.image(&op.source)).rect(op.source_area);
                fields.u32(op.source_colour).u32(op.true_colour);
            }
            DrawOp::AlphaBlend(op) => {
                fields.u16(op.flags.bits().into()).u8(op.alpha);
                fields.u64(self.image(&op.source)).rect(op.source_area);
            }
            DrawOp::Composite(op) => {
                fields.u32(op.flags.bits()).u64(self.image(&op.source));
                fields.u64(self.transform(op.source_transform));
                fields.u64(op.mask.as_ref().map_or(0, |mask| self.image(mask)));
                fields.u64(self.transform(op.mask_transform));
                fields.point16(op.source_origin).point16(op.mask_origin);
            }
        }
    }

    /// `QXLCopy`, `QXLBlend`.
    fn copy(&mut self, fields: &mut Fields, op: &DrawCopy) {
        fields.u64(self.image(&op.source)).rect(op.source_area);
        fields.u16(op.rop.bits()).u8(op.scale_mode.0);
        self.mask(fields, op.mask.as_ref());
    }

    /// `QXLStroke`.
    fn stroke(&mut self, fields: &mut Fields, op: &DrawStroke) {
        fields.u64(self.path(&op.path));
        let style = op.attr.style.as_deref();
        let mut flags = op.attr.flags;
        flags.set(LineFlags::STYLED, style.is_some());
        let style = style.unwrap_or_default();
        let mut lengths = Fields::with_capacity(size_of_val(style));
        for length in style {
            lengths.i32(length.0);
        }
        let lengths = if style.is_empty() { 0 } else { self.keep(lengths) };
        // Joins, ends and the limit of a mitre: nobody looks at them.
        fields.u8(flags.bits()).u16(0).u8(u8::try_from(style.len()).unwrap_or(u8::MAX));
        fields.u64(0).u64(lengths);
        self.brush(fields, &op.brush);
        fields.u16(op.fore_mode.bits()).u16(op.back_mode.bits());
    }

    /// `QXLText`.
    fn text(&mut self, fields: &mut Fields, op: &DrawText) {
        fields.u64(self.string(&op.glyphs)).rect(op.back_area);
        self.brush(fields, &op.fore_brush);
        self.brush(fields, &op.back_brush);
        fields.u16(op.fore_mode.bits()).u16(op.back_mode.bits());
    }

    /// `QXLClip`, and its `QXLClipRects`.
    fn clip(&mut self, fields: &mut Fields, clip: &Clip) {
        match clip {
            Clip::None => {
                fields.u32(0).u64(0);
            }
            Clip::Rects(rects) => {
                let len = rects.len() * 16;
                let mut list = Fields::with_capacity(24 + len);
                list.count(rects.len()).chunk(len);
                for rect in rects.iter() {
                    list.rect(*rect);
                }
                fields.u32(1).u64(self.keep(list));
            }
        }
    }

    /// `QXLBrush`.
    fn brush(&mut self, fields: &mut Fields, brush: &Brush) {
        let mut part = Fields::with_capacity(BRUSH);
        match brush {
            Brush::None => part.u32(0),
            Brush::Solid(colour) => part.u32(1).u32(*colour),
            Brush::Pattern(pattern) => part.u32(2).u64(self.image(&pattern.image)).point(pattern.pos),
        };
        part.padded(BRUSH);
        fields.bytes(&part.into_bytes());
    }

    /// `QXLQMask`.
    fn mask(&mut self, fields: &mut Fields, mask: Option<&Mask>) {
        match mask {
            None => fields.u8(0).u64(0).u64(0),
            Some(mask) => fields.u8(mask.inverted.into()).point(mask.pos).u64(self.image(&mask.image)),
        };
    }

    /// `QXLPath`.
    fn path(&mut self, Path { segments }: &Path) -> u64 {
        let mut data = Fields::with_capacity(64);
        for segment in segments {
            data.u32(segment.flags.bits().into()).count(segment.points.len());
            for point in &segment.points {
                data.i32(point.x.0).i32(point.y.0);
            }
        }
        if segments.last().is_some_and(|segment| segment.points.is_empty()) {
            // A head is read only where something follows it.
            data.u32(0);
        }
        let data = data.into_bytes();
        let mut path = Fields::with_capacity(24 + data.len());
        path.count(data.len()).chunk(data.len()).bytes(&data);
        self.keep(path)
    }

    /// `QXLString`.
    fn string(&mut self, Glyphs { flags, glyphs }: &Glyphs) -> u64 {
        let mut data = Fields::with_capacity(512);
        for glyph in glyphs {
            data.point(glyph.render_pos).point(glyph.origin).u16(glyph.width).u16(glyph.height);
            data.bytes(&glyph.data);
        }
        let data = data.into_bytes();
        let mut string = Fields::with_capacity(28 + data.len());
        string.count(data.len()).u16(u16::try_from(glyphs.len()).unwrap_or(u16::MAX));
        string.u16(flags.bits().into()).chunk(data.len()).bytes(&data);
        self.keep(string)
    }

    /// Six numbers, row by row.
    fn transform(&mut self, transform: Option<Transform>) -> u64 {
        let Some(Transform { t00, t01, t02, t10, t11, t12 }) = transform else { return 0 };
        let mut fields = Fields::with_capacity(24);
        for number in [t00, t01, t02, t10, t11, t12] {
            fields.i32(number.0);
        }
        self.keep(fields)
    }
}

/// `QXL_DRAW_*`.
fn kind(op: &DrawOp) -> u8 {
    match op {
        DrawOp::Nop => 0,
        DrawOp::Fill(_) => 1,
        DrawOp::Opaque(_) => 2,
        DrawOp::Copy(_) => 3,
        DrawOp::CopyBits(_) => 4,
        DrawOp::Blend(_) => 5,
        DrawOp::Blackness(_) => 6,
        DrawOp::Whiteness(_) => 7,
        DrawOp::Invers(_) => 8,
        DrawOp::Rop3(_) => 9,
        DrawOp::Stroke(_) => 10,
        DrawOp::Text(_) => 11,
        DrawOp::Transparent(_) => 12,
        DrawOp::AlphaBlend(_) => 13,
        DrawOp::Composite(_) => 14,
    }
}
