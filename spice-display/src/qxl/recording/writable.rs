//! What a recording can say.

use std::io;

use spice_proto::Rect;
use spice_proto::display::{Glyph, Glyphs, SurfaceFormat};

use super::decode::content_format;
use super::{MAX_EVENT_DATA, MAX_EVENT_PARTS};
use crate::qxl::{
    Bitmap, Clip, Command, CursorCommand, DeviceEvent, DrawOp, DrawStroke, Drawable, GuestEvent, Image,
    ImageSource, Mask, ShapeError, SurfaceCommand,
};

/// Why an event is not written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// The writer below failed. Part of the event may have been written.
    #[error("writing failed ({0})")]
    Write(#[from] io::Error),
    /// A drawing command that reads two different parts of what it covers; a drawable has one.
    #[error("a draw that reads two parts of its own surface cannot be recorded")]
    OwnAreas,
    /// A copy or a mask that is a part of the surface itself, which the format has no place for.
    #[error("a copy or a mask that is the surface itself cannot be recorded")]
    OwnPlace,
    /// A drawing command that makes no sense.
    #[error(transparent)]
    Shape(#[from] ShapeError),
    /// More of something than is counted, or than is read again.
    #[error("{count} {what} cannot be recorded, only {limit}")]
    TooMany {
        /// What there is too much of.
        what: &'static str,
        /// How much.
        count: u64,
        /// How much is taken.
        limit: u64,
    },
    /// A path whose last segment has no points: nobody would see it.
    #[error("a path cannot end with a segment without points")]
    EmptySegment,
    /// A glyph without the bytes of its size, or one without a depth.
    #[error("glyph {0} does not have the bytes of its size")]
    Glyph(usize),
    /// A string that does not say how deep its glyphs are.
    #[error("glyphs without a depth cannot be recorded")]
    Depth,
    /// Content of another size or format than the surface's, or of a surface whose content no bitmap holds.
    #[error("content of a surface of {width}x{height}, format {format}, cannot be recorded as it is")]
    Content {
        /// Columns of the surface.
        width: u32,
        /// Rows of the surface.
        height: u32,
        /// Format of the surface.
        format: SurfaceFormat,
    },
}

/// Lines of an event that are neither a palette's nor a chunk's.
const OTHER_PARTS: usize = 1 << 10;

/// Bytes in front of a glyph's own.
const GLYPH: u64 = 20;

/// Whether an event can be written and read again.
pub(super) fn check(event: &GuestEvent) -> Result<(), WriteError> {
    match event {
        GuestEvent::Command(Command::Draw(drawable)) => check_drawable(drawable),
        GuestEvent::Command(Command::Message(message)) => most_data(message.len() as u64),
        GuestEvent::Command(Command::Cursor(CursorCommand::Set { shape, .. })) => {
            most_data(shape.data.len() as u64)
        }
        GuestEvent::Command(Command::Surface(SurfaceCommand::Create {
            width,
            height,
            format,
            content,
            ..
        })) => surface((*width, *height), *format, content.as_deref(), false),
        GuestEvent::Device(DeviceEvent::CreatePrimary(primary)) => {
            let size = (primary.width, primary.height);
            surface(size, primary.format, primary.content.as_deref(), true)
        }
        GuestEvent::Command(Command::Cursor(_) | Command::Surface(_) | Command::Update(_))
        | GuestEvent::Device(_) => Ok(()),
    }
}

/// Bytes from row to row of a surface, below 0 when the bottom row comes first.
pub(super) fn stride(width: u32, content: Option<&Bitmap>) -> i64 {
    match content {
        None => i64::from(width) * 4,
        Some(content) if content.is_top_down() => content.stride().into(),
        Some(content) => -i64::from(content.stride()),
    }
}

/// What an image that is not there stands for: this part of the surface itself.
pub(super) fn own_area(op: &DrawOp) -> Option<Rect> {
    op.images().find_map(|image| own(Some(image)))
}

fn own(image: Option<&Image>) -> Option<Rect> {
    match image?.source {
        ImageSource::Own(area) => Some(area),
        _ => None,
    }
}

fn surface(
    (width, height): (u32, u32),
    format: SurfaceFormat,
    content: Option<&Bitmap>,
    always_data: bool,
) -> Result<(), WriteError> {
    let stride = stride(width, content).unsigned_abs();
    most("bytes from row to row of a surface", stride, i32::MAX.unsigned_abs().into())?;
    if let Some(content) = content {
        let same = (content.width(), content.height()) == (width, height);
        if !same || content_format(format) != Some(content.format()) {
            return Err(WriteError::Content { width, height, format });
        }
    }
    if content.is_some() || always_data {
        most_data(stride.saturating_mul(height.into()))?;
    }
    Ok(())
}

fn check_drawable(drawable: &Drawable) -> Result<(), WriteError> {
    drawable.check()?;
    let op = &drawable.op;
    if places_without_own(op).into_iter().any(|image| own(image).is_some()) {
        return Err(WriteError::OwnPlace);
    }
    let first = own_area(op);
    if op.images().any(|image| own(Some(image)).is_some_and(|area| Some(area) != first)) {
        return Err(WriteError::OwnAreas);
    }
    let mut data = match &drawable.clip {
        Clip::None => 0,
        Clip::Rects(rects) => size_of_val::<[Rect]>(rects) as u64,
    };
    let mut lines = OTHER_PARTS;
    for image in op.images() {
        match &image.source {
            ImageSource::Bitmap(bitmap) => {
                let colours = bitmap.palette().map_or(0, |palette| palette.entries.len());
                most("colours of a palette", colours as u64, u16::MAX.into())?;
                lines += colours;
                data += bitmap.data().len() as u64;
            }
            ImageSource::Quic(quic) => data += quic.data.len() as u64,
            ImageSource::Surface(_) | ImageSource::Own(_) => {}
        }
    }
    most("colours of palettes", lines as u64, MAX_EVENT_PARTS as u64)?;
    data += match op {
        DrawOp::Stroke(stroke) => check_stroke(stroke)?,
        DrawOp::Text(text) => check_glyphs(&text.glyphs)?,
        _ => 0,
    };
    most_data(data)
}

/// The images of an operation where one that is not there is nothing, rather than a part of the surface itself.
fn places_without_own(op: &DrawOp) -> [Option<&Image>; 2] {
    fn image(mask: Option<&Mask>) -> Option<&Image> {
        mask.map(|mask| &mask.image)
    }
    match op {
        DrawOp::Copy(op) | DrawOp::Blend(op) => [Some(&op.source), image(op.mask.as_ref())],
        DrawOp::Blackness(mask) | DrawOp::Whiteness(mask) | DrawOp::Invers(mask) => {
            [image(mask.as_ref()), None]
        }
        DrawOp::Composite(op) => [op.mask.as_ref(), None],
        DrawOp::Fill(op) => [image(op.mask.as_ref()), None],
        DrawOp::Opaque(op) => [image(op.mask.as_ref()), None],
        DrawOp::Rop3(op) => [image(op.mask.as_ref()), None],
        _ => [None, None],
    }
}

/// Bytes of a path and its dashes.
fn check_stroke(stroke: &DrawStroke) -> Result<u64, WriteError> {
    let segments = &stroke.path.segments;
    if segments.last().is_some_and(|segment| segment.points.is_empty()) {
        return Err(WriteError::EmptySegment);
    }
    let dashes = stroke.attr.style.as_ref().map_or(0, Vec::len) as u64;
    most("dashes and gaps", dashes, u8::MAX.into())?;
    Ok(segments.iter().map(|segment| 8 + segment.points.len() as u64 * 8).sum::<u64>() + dashes * 4)
}

/// Bytes of a string.
fn check_glyphs(Glyphs { flags, glyphs }: &Glyphs) -> Result<u64, WriteError> {
    let depth = flags.depth().ok_or(WriteError::Depth)?;
    most("glyphs", glyphs.len() as u64, u16::MAX.into())?;
    let wrong = |glyph: &Glyph| glyph.data.len() as u64 != Glyph::size(depth, glyph.width, glyph.height);
    if let Some(index) = glyphs.iter().position(wrong) {
        return Err(WriteError::Glyph(index));
    }
    Ok(glyphs.iter().map(|glyph| GLYPH + glyph.data.len() as u64).sum())
}

fn most_data(len: u64) -> Result<(), WriteError> {
    most("bytes of data", len, MAX_EVENT_DATA as u64)
}

fn most(what: &'static str, count: u64, limit: u64) -> Result<(), WriteError> {
    if count <= limit { Ok(()) } else { Err(WriteError::TooMany { what, count, limit }) }
}
