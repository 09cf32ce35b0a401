//! The life of surfaces.

use std::sync::Arc;

use spice_proto::SurfaceId;
use spice_proto::display::SurfaceFormat;

use super::guest::{Guest, Record};
use super::{CommandFlags, ParseError, ParseErrorKind};
use crate::memory::{MemSlots, QxlPhysical};
use crate::qxl::place::{SurfacePlace, bits_per_pixel};
use crate::qxl::{Bitmap, BitmapFormat, Command, PrimarySurface, SurfaceCommand};

/// Most bytes of a surface in the guest's memory.
pub const MAX_SURFACE: u64 = (1 << 31) - 1;

/// Bytes of `QXLSurfaceCmd`.
pub(super) const COMMAND: usize = 41;

/// The surface begins with what the guest has put there (`QXL_SURF_FLAG_KEEP_DATA`).
const KEEP_DATA: u32 = 1 << 0;

/// The primary surface, as the device's registers have it (`QXLSurfaceCreate`). What else they say means nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SurfaceCreate {
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Bytes from row to row; below 0, the bottom row comes first.
    pub stride: i32,
    /// How its pixels are kept.
    pub format: SurfaceFormat,
    /// `QXL_SURF_FLAG_*`: 1 where it begins with what is in its memory.
    pub flags: u32,
    /// Where its memory begins.
    pub mem: QxlPhysical,
}

impl SurfaceCreate {
    /// Where it lies.
    #[must_use]
    pub const fn place(&self, group: u32) -> SurfacePlace {
        let Self { width, height, stride, format, mem, .. } = *self;
        SurfacePlace { group, address: mem, stride, width, height, format }
    }
}

/// The primary surface that a guest creates, with its content where it keeps that.
///
/// # Errors
/// A format that does not exist, rows that do not fit the stride, more than [`MAX_SURFACE`] bytes or than there are.
pub fn primary_surface(
    slots: &MemSlots,
    group: u32,
    create: &SurfaceCreate,
) -> Result<PrimarySurface, ParseError> {
    let SurfaceCreate { width, height, stride, format, flags, mem } = *create;
    let guest = Guest { slots, group, flags: CommandFlags::default() };
    let fault = |field, kind| ParseError { record: "surface_create", field, address: mem, kind };
    let rows = Rows { width, height, stride, format };
    let content = rows.content(guest, mem, flags).map_err(|(field, kind)| fault(field, kind))?;
    Ok(PrimarySurface { width, height, format, content })
}

/// `QXLSurfaceCmd`, from behind its release info on.
pub(super) fn command(guest: Guest<'_>, record: &mut Record<'_>) -> Result<Command, ParseError> {
    let surface = SurfaceId(record.u32()?);
    let kind = record.u8()?;
    let flags = record.u32()?;
    if surface == SurfaceId::PRIMARY {
        return Err(record.fault("surface_id", ParseErrorKind::PrimarySurface));
    }
    let command = match kind {
        0 => {
            let format = SurfaceFormat(record.u32()?);
            let (width, height) = (record.u32()?, record.u32()?);
            let rows = Rows { width, height, stride: record.i32()?, format };
            let content = rows.content(guest, record.address()?, flags);
            let content = content.map_err(|(field, kind)| record.fault(field, kind))?;
            SurfaceCommand::Create { surface, width, height, format, content }
        }
        1 => SurfaceCommand::Destroy { surface },
        other => return Err(record.fault("type", ParseErrorKind::Unknown(other.into()))),
    };
    Ok(Command::Surface(command))
}

/// Where `QXLSurfaceCmd.u.surface_create.stride` is, with `data` behind it.
const STRIDE: usize = COMMAND - 12;

/// Where the surface lies that a command creates, of what was read of it.
pub(super) fn place(record: &Record<'_>, group: u32, command: &Command) -> Option<SurfacePlace> {
    let Command::Surface(SurfaceCommand::Create { width, height, format, .. }) = *command else {
        return None;
    };
    let stride = i32::from_le_bytes(record.peek(STRIDE)?);
    let address = QxlPhysical(u64::from_le_bytes(record.peek(STRIDE + 4)?));
    Some(SurfacePlace { group, address, stride, width, height, format })
}

/// How a surface lies in the guest's memory.
struct Rows {
    width: u32,
    height: u32,
    stride: i32,
    format: SurfaceFormat,
}

/// What is wrong, and with which field.
type Fault = (&'static str, ParseErrorKind);

impl Rows {
    /// Bytes of all rows.
    fn len(&self) -> Result<u64, Fault> {
        let Self { width, height, stride, format } = *self;
        let bits = bits_per_pixel(format).ok_or(("format", ParseErrorKind::Unknown(format.0.into())))?;
        let row = (u64::from(width) * u64::from(bits)).div_ceil(8);
        if stride == i32::MIN || row > stride.unsigned_abs().into() {
            return Err(("stride", ParseErrorKind::Stride { row, stride }));
        }
        let wanted = u64::from(height) * u64::from(stride.unsigned_abs());
        if wanted > MAX_SURFACE {
            return Err(("height", ParseErrorKind::TooLarge { wanted, most: MAX_SURFACE }));
        }
        Ok(wanted)
    }

    /// The first pixels, where they are kept. The memory has to be there in any case: the surface may be drawn in it.
    fn content(
        &self,
        guest: Guest<'_>,
        address: QxlPhysical,
        flags: u32,
    ) -> Result<Option<Arc<Bitmap>>, Fault> {
        let len = self.len()?;
        let lost = |error| ("data", ParseErrorKind::Memory(error));
        let place = guest.slots.resolve(guest.group, address).map_err(lost)?;
        place.check(len).map_err(lost)?;
        if flags & KEEP_DATA == 0 {
            return Ok(None);
        }
        let format = match self.format {
            SurfaceFormat::RGB32 => BitmapFormat::RGB32,
            SurfaceFormat::ARGB32 => BitmapFormat::RGBA,
            SurfaceFormat::RGB555 => BitmapFormat::RGB16,
            SurfaceFormat::A8 => BitmapFormat::A8,
            other => return Err(("format", ParseErrorKind::Content(other))),
        };
        let data = place.bytes(len).map_err(lost)?;
        let (size, stride) = ((self.width, self.height), self.stride);
        let bitmap = Bitmap::new(format, size, stride.unsigned_abs(), stride >= 0, data.into());
        Ok(Some(Arc::new(bitmap.map_err(|error| ("data", error.into()))?)))
    }
}
