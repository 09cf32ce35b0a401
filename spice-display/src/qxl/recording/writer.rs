//! Writing of recordings, so that the C server's replay plays them, too.

use core::time::Duration;
use std::io::{self, Read, Write};

use spice_proto::display::{Glyphs, LineAttr, LineFlags, Path, Ropd, Transform};
use spice_proto::{Point, Point16, Rect, SurfaceId};

use super::writable::{self, WriteError, own_area, stride};
use crate::qxl::{
    Bitmap, Brush, Clip, Command, CursorCommand, DeviceEvent, DrawCopy, DrawOp, Drawable, GuestEvent, Image,
    ImageSource, Mask, PrimarySurface, SurfaceCommand,
};

/// Writes a recording (`SPICE_REPLAY 1`), event by event. Nothing is compressed.
#[derive(Debug)]
pub struct RecordingWriter<W> {
    to: W,
    number: u64,
}

/// `QXL_BITMAP_DIRECT`.
const DIRECT: u32 = 1;
/// `QXL_BITMAP_TOP_DOWN`.
const TOP_DOWN: u32 = 4;
/// `QXL_SURF_FLAG_KEEP_DATA`.
const KEEP_DATA: u32 = 1;

impl<W: Write> RecordingWriter<W> {
    /// Begins a recording.
    ///
    /// # Errors
    /// When the writer fails.
    pub fn new(mut to: W) -> io::Result<Self> {
        to.write_all(b"SPICE_REPLAY 1\n")?;
        Ok(Self { to, number: 0 })
    }

    /// The writer, with everything written to it.
    ///
    /// # Errors
    /// When the writer fails.
    pub fn finish(mut self) -> io::Result<W> {
        self.to.flush()?;
        Ok(self.to)
    }

    /// Writes what a guest said at a moment of its clock. What its monitors and its graphics processor show, that its
    /// pointer was reset and that its driver is gone are left out: the format does not hold them.
    ///
    /// # Errors
    /// When the format cannot say it, of which nothing is written then, or when the writer fails.
    pub fn event(&mut self, event: &GuestEvent, at: Duration) -> Result<(), WriteError> {
        writable::check(event)?;
        let (what, kind) = match event {
            GuestEvent::Command(Command::Draw(_)) => (0, 1),
            GuestEvent::Command(Command::Update(_)) => (0, 2),
            GuestEvent::Command(Command::Cursor(_)) => (0, 3),
            GuestEvent::Command(Command::Message(_)) => (0, 4),
            GuestEvent::Command(Command::Surface(_)) => (0, 5),
            GuestEvent::Device(DeviceEvent::DestroySurfaces) => (1, 19),
            GuestEvent::Device(DeviceEvent::CreatePrimary(_)) => (1, 20),
            GuestEvent::Device(DeviceEvent::DestroyPrimary) => (1, 21),
            GuestEvent::Device(
                DeviceEvent::Monitors(_)
                | DeviceEvent::ResetCursor
                | DeviceEvent::DriverUnload
                | DeviceEvent::GlScanout(_)
                | DeviceEvent::GlDraw(_),
            ) => return Ok(()),
        };
        let number = self.number;
        self.number += 1;
        let nanos = u64::try_from(at.as_nanos()).unwrap_or(u64::MAX);
        writeln!(self.to, "event {number} {what} {kind} {nanos}")?;
        match event {
            GuestEvent::Command(Command::Draw(drawable)) => self.drawable(drawable)?,
            GuestEvent::Command(Command::Update(update)) => {
                writeln!(self.to, "update")?;
                self.rect("area", update.area)?;
                self.number("update_id", update.update_id)?;
                self.number("surface_id", update.surface.0)?;
            }
            GuestEvent::Command(Command::Cursor(command)) => self.cursor(command)?,
            GuestEvent::Command(Command::Message(message)) => self.data("message", message)?,
            GuestEvent::Command(Command::Surface(command)) => self.surface(command)?,
            GuestEvent::Device(DeviceEvent::CreatePrimary(primary)) => self.primary(primary)?,
            GuestEvent::Device(_) => {}
        }
        Ok(())
    }

    fn drawable(&mut self, drawable: &Drawable) -> io::Result<()> {
        writeln!(self.to, "drawable")?;
        self.rect("bbox", drawable.bbox)?;
        self.clip(&drawable.clip)?;
        self.number("effect", drawable.effect.0.into())?;
        self.number("mm_time", drawable.mm_time)?;
        let own = own_area(&drawable.op);
        self.number("self_bitmap", own.is_some().into())?;
        self.rect("self_bitmap_area", own.unwrap_or_default())?;
        self.number("surface_id", drawable.surface.0)?;
        let reads: Vec<SurfaceId> = drawable.reads().filter(|read| *read != drawable.surface).collect();
        for place in 0..3 {
            let read = reads.get(place);
            writeln!(self.to, "surfaces_dest {}", read.map_or(-1, |read| i64::from(read.0)))?;
            // All of it: a rectangle of the whole range is cut to the surface by whoever reads this.
            let area = if read.is_some() { Rect::new(0, 0, 0x7fff, 0x7fff) } else { Rect::default() };
            self.rect("surfaces_rects", area)?;
        }
        self.op(&drawable.op)
    }

    fn op(&mut self, op: &DrawOp) -> io::Result<()> {
        match op {
            DrawOp::Nop => self.kind(0)?,
            DrawOp::Fill(fill) => {
                self.kind(1)?;
                self.brush(&fill.brush)?;
                self.rop("rop_descriptor", fill.rop)?;
                self.mask(fill.mask.as_ref())?;
            }
            DrawOp::Opaque(opaque) => {
                self.kind(2)?;
                self.image(Some(&opaque.source))?;
                self.rect("src_area", opaque.source_area)?;
                self.brush(&opaque.brush)?;
                self.rop("rop_descriptor", opaque.rop)?;
                self.number("scale_mode", opaque.scale_mode.0.into())?;
                self.mask(opaque.mask.as_ref())?;
            }
            DrawOp::Copy(copy) => self.copy(3, copy)?,
            DrawOp::CopyBits(copy) => {
                self.kind(4)?;
                self.point(copy.source)?;
            }
            DrawOp::Blend(copy) => self.copy(5, copy)?,
            DrawOp::Blackness(mask) => self.masked(6, mask.as_ref())?,
            DrawOp::Whiteness(mask) => self.masked(7, mask.as_ref())?,
            DrawOp::Invers(mask) => self.masked(8, mask.as_ref())?,
            DrawOp::Rop3(rop3) => {
                self.kind(9)?;
                self.image(Some(&rop3.source))?;
                self.rect("src_area", rop3.source_area)?;
                self.brush(&rop3.brush)?;
                self.number("rop3", rop3.rop3.0.into())?;
                self.number("scale_mode", rop3.scale_mode.0.into())?;
                self.mask(rop3.mask.as_ref())?;
            }
            DrawOp::Stroke(stroke) => {
                self.kind(10)?;
                self.data_chunk("path", &path_bytes(&stroke.path))?;
                self.line_attr(&stroke.attr)?;
                self.brush(&stroke.brush)?;
                self.rop("fore_mode", stroke.fore_mode)?;
                self.rop("back_mode", stroke.back_mode)?;
            }
            DrawOp::Text(text) => {
                self.kind(11)?;
                let bytes = glyph_bytes(&text.glyphs);
                writeln!(self.to, "data_size {}\nlength {}", bytes.len(), text.glyphs.glyphs.len())?;
                self.number("flags", text.glyphs.flags.bits().into())?;
                self.data_chunk("string", &bytes)?;
                self.rect("back_area", text.back_area)?;
                self.brush(&text.fore_brush)?;
                self.brush(&text.back_brush)?;
                self.rop("fore_mode", text.fore_mode)?;
                self.rop("back_mode", text.back_mode)?;
            }
            DrawOp::Transparent(transparent) => {
                self.kind(12)?;
                self.image(Some(&transparent.source))?;
                self.rect("src_area", transparent.source_area)?;
                self.number("src_color", transparent.source_colour)?;
                self.number("true_color", transparent.true_colour)?;
            }
            DrawOp::AlphaBlend(blend) => {
                self.kind(13)?;
                self.number("alpha_flags", blend.flags.bits().into())?;
                self.number("alpha", blend.alpha.into())?;
                self.image(Some(&blend.source))?;
                self.rect("src_area", blend.source_area)?;
            }
            DrawOp::Composite(composite) => {
                self.kind(14)?;
                self.number("flags", composite.flags.bits())?;
                self.image(Some(&composite.source))?;
                self.transform("src_transform", composite.source_transform)?;
                self.number("mask", composite.mask.is_some().into())?;
                if composite.mask.is_some() {
                    self.image(composite.mask.as_ref())?;
                }
                self.transform("mask_transform", composite.mask_transform)?;
                self.origin("src_origin", composite.source_origin)?;
                self.origin("mask_origin", composite.mask_origin)?;
            }
        }
        Ok(())
    }

    fn copy(&mut self, kind: u32, copy: &DrawCopy) -> io::Result<()> {
        self.kind(kind)?;
        self.image(Some(&copy.source))?;
        self.rect("src_area", copy.source_area)?;
        self.rop("rop_descriptor", copy.rop)?;
        self.number("scale_mode", copy.scale_mode.0.into())?;
        self.mask(copy.mask.as_ref())
    }

    fn masked(&mut self, kind: u32, mask: Option<&Mask>) -> io::Result<()> {
        self.kind(kind)?;
        self.mask(mask)
    }

    fn line_attr(&mut self, attr: &LineAttr) -> io::Result<()> {
        let mut flags = attr.flags;
        flags.set(LineFlags::STYLED, attr.style.is_some());
        self.number("attr.flags", flags.bits().into())?;
        let Some(style) = &attr.style else { return Ok(()) };
        writeln!(self.to, "attr.style_nseg {}", style.len())?;
        let bytes: Vec<u8> = style.iter().flat_map(|length| length.0.to_le_bytes()).collect();
        self.data("style", &bytes)
    }

    fn clip(&mut self, clip: &Clip) -> io::Result<()> {
        match clip {
            Clip::None => self.kind(0),
            Clip::Rects(rects) => {
                self.kind(1)?;
                writeln!(self.to, "num_rects {}", rects.len())?;
                let bytes: Vec<u8> = rects
                    .iter()
                    .flat_map(|rect| [rect.top, rect.left, rect.bottom, rect.right])
                    .flat_map(i32::to_le_bytes)
                    .collect();
                self.data_chunk("clip_rects", &bytes)
            }
        }
    }

    fn brush(&mut self, brush: &Brush) -> io::Result<()> {
        match brush {
            Brush::None => self.kind(0),
            Brush::Solid(colour) => {
                self.kind(1)?;
                self.number("u.color", *colour)
            }
            Brush::Pattern(pattern) => {
                self.kind(2)?;
                self.image(Some(&pattern.image))?;
                self.point(pattern.pos)
            }
        }
    }

    fn mask(&mut self, mask: Option<&Mask>) -> io::Result<()> {
        self.number("flags", mask.is_some_and(|mask| mask.inverted).into())?;
        self.point(mask.map_or(Point::default(), |mask| mask.pos))?;
        self.image(mask.map(|mask| &mask.image))
    }

    /// An image; one of the surface itself is none, and the drawable says which part.
    fn image(&mut self, image: Option<&Image>) -> io::Result<()> {
        let Some(Image { id, flags, source }) = image else { return self.number("image", 0) };
        let (kind, width, height) = match source {
            ImageSource::Own(_) => return self.number("image", 0),
            ImageSource::Bitmap(bitmap) => (0, bitmap.width(), bitmap.height()),
            ImageSource::Quic(quic) => (1, quic.width, quic.height),
            ImageSource::Surface(_) => (104, 0, 0),
        };
        writeln!(self.to, "image 1\ndescriptor.id {id}\ndescriptor.type {kind}")?;
        self.number("descriptor.flags", flags.bits().into())?;
        self.number("descriptor.width", width)?;
        self.number("descriptor.height", height)?;
        match source {
            ImageSource::Own(_) => Ok(()),
            ImageSource::Bitmap(bitmap) => self.bitmap(bitmap),
            ImageSource::Surface(surface) => self.number("surface_image.surface_id", surface.0),
            ImageSource::Quic(quic) => {
                writeln!(self.to, "quic.data_size {}", quic.data.len())?;
                self.data_chunk("quic.data", &quic.data)
            }
        }
    }

    fn bitmap(&mut self, bitmap: &Bitmap) -> io::Result<()> {
        let flags = DIRECT | if bitmap.is_top_down() { TOP_DOWN } else { 0 };
        self.number("bitmap.format", bitmap.format().0.into())?;
        self.number("bitmap.flags", flags)?;
        self.number("bitmap.x", bitmap.width())?;
        self.number("bitmap.y", bitmap.height())?;
        self.number("bitmap.stride", bitmap.stride())?;
        self.number("has_palette", bitmap.palette().is_some().into())?;
        if let Some(palette) = bitmap.palette() {
            writeln!(self.to, "qp.num_ents {}\nunique {}", palette.entries.len(), palette.id.0)?;
            for entry in &palette.entries {
                self.number("ents", *entry)?;
            }
        }
        self.data("image_data_flat", bitmap.data())
    }

    fn cursor(&mut self, command: &CursorCommand) -> io::Result<()> {
        writeln!(self.to, "cursor_cmd")?;
        match command {
            CursorCommand::Set { position, visible, shape } => {
                self.kind(0)?;
                self.origin("point16", *position)?;
                self.number("u.set.visible", (*visible).into())?;
                writeln!(self.to, "header.unique {}", shape.unique)?;
                self.number("header.type", shape.kind.0.into())?;
                self.number("header.width", shape.width.into())?;
                self.number("header.height", shape.height.into())?;
                self.number("header.hot_spot_x", shape.hot_spot_x.into())?;
                self.number("header.hot_spot_y", shape.hot_spot_y.into())?;
                writeln!(self.to, "data_size {}", shape.data.len())?;
                self.data_chunk("cursor", &shape.data)
            }
            CursorCommand::Move(position) => {
                self.kind(1)?;
                self.origin("point16", *position)
            }
            CursorCommand::Hide => self.kind(2),
            CursorCommand::Trail { length, frequency } => {
                self.kind(3)?;
                self.number("u.trail.length", (*length).into())?;
                self.number("u.trail.frequency", (*frequency).into())
            }
        }
    }

    fn surface(&mut self, command: &SurfaceCommand) -> io::Result<()> {
        writeln!(self.to, "surface_cmd")?;
        match command {
            SurfaceCommand::Create { surface, width, height, format, content } => {
                self.number("surface_id", surface.0)?;
                self.kind(0)?;
                self.number("flags", if content.is_some() { KEEP_DATA } else { 0 })?;
                self.number("u.surface_create.format", format.0)?;
                self.number("u.surface_create.width", *width)?;
                self.number("u.surface_create.height", *height)?;
                writeln!(self.to, "u.surface_create.stride {}", stride(*width, content.as_deref()))?;
                content.as_ref().map_or(Ok(()), |content| self.data("data", content.data()))
            }
            SurfaceCommand::Destroy { surface } => {
                self.number("surface_id", surface.0)?;
                self.kind(1)?;
                self.number("flags", 0)
            }
        }
    }

    fn primary(&mut self, primary: &PrimarySurface) -> io::Result<()> {
        let PrimarySurface { width, height, format, content } = primary;
        let stride = stride(*width, content.as_deref());
        writeln!(self.to, "{width} {height} {stride} {}", format.0)?;
        let flags = if content.is_some() { KEEP_DATA } else { 0 };
        writeln!(self.to, "0 1 {flags} 0")?;
        match content {
            Some(content) => self.data("data", content.data()),
            None => {
                let len = stride.unsigned_abs() * u64::from(*height);
                write!(self.to, "binary 0 data {len}:")?;
                io::copy(&mut io::repeat(0).take(len), &mut self.to)?;
                writeln!(self.to)
            }
        }
    }

    fn transform(&mut self, name: &str, transform: Option<Transform>) -> io::Result<()> {
        self.number(name, transform.is_some().into())?;
        let Some(Transform { t00, t01, t02, t10, t11, t12 }) = transform else { return Ok(()) };
        let bytes: Vec<u8> = [t00, t01, t02, t10, t11, t12].iter().flat_map(|n| n.0.to_le_bytes()).collect();
        self.data("transform", &bytes)
    }

    fn data_chunk(&mut self, name: &str, data: &[u8]) -> io::Result<()> {
        writeln!(self.to, "data_chunks 0 {}", data.len())?;
        self.data(name, data)
    }

    fn data(&mut self, name: &str, data: &[u8]) -> io::Result<()> {
        write!(self.to, "binary 0 {name} {}:", data.len())?;
        self.to.write_all(data)?;
        writeln!(self.to)
    }

    fn kind(&mut self, kind: u32) -> io::Result<()> {
        self.number("type", kind)
    }

    fn rop(&mut self, name: &str, rop: Ropd) -> io::Result<()> {
        self.number(name, rop.bits().into())
    }

    /// 32 bits, as the C recorder has them: with a sign.
    fn number(&mut self, name: &str, number: u32) -> io::Result<()> {
        writeln!(self.to, "{name} {}", number.cast_signed())
    }

    fn rect(&mut self, name: &str, Rect { top, left, bottom, right }: Rect) -> io::Result<()> {
        writeln!(self.to, "rect {name} {top} {left} {bottom} {right}")
    }

    fn point(&mut self, Point { x, y }: Point) -> io::Result<()> {
        writeln!(self.to, "point {x} {y}")
    }

    fn origin(&mut self, name: &str, Point16 { x, y }: Point16) -> io::Result<()> {
        writeln!(self.to, "{name} {x} {y}")
    }
}

fn path_bytes(path: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    for segment in &path.segments {
        bytes.extend(u32::from(segment.flags.bits()).to_le_bytes());
        bytes.extend(u32::try_from(segment.points.len()).unwrap_or(u32::MAX).to_le_bytes());
        bytes.extend(
            segment.points.iter().flat_map(|point| [point.x.0, point.y.0]).flat_map(i32::to_le_bytes),
        );
    }
    bytes
}

fn glyph_bytes(glyphs: &Glyphs) -> Vec<u8> {
    let mut bytes = Vec::new();
    for glyph in &glyphs.glyphs {
        let places = [glyph.render_pos.x, glyph.render_pos.y, glyph.origin.x, glyph.origin.y];
        bytes.extend(places.into_iter().flat_map(i32::to_le_bytes));
        bytes.extend([glyph.width, glyph.height].into_iter().flat_map(u16::to_le_bytes));
        bytes.extend_from_slice(&glyph.data);
    }
    bytes
}
