//! Commands of the cursor ring.

use std::sync::Arc;

use spice_proto::cursor::CursorType;

use super::guest::{Guest, Record};
use super::{ParseError, ParseErrorKind};
use crate::memory::QxlPhysical;
use crate::qxl::{Command, CursorCommand, CursorShape, raw};

/// Bytes of `QXLCursorCmd` without the room for the device's own data.
pub(super) const COMMAND: usize = 22;

/// `QXLCursorCmd`, from behind its release info on.
pub(super) fn command(guest: Guest<'_>, record: &mut Record<'_>) -> Result<Command, ParseError> {
    let command = match record.u8()? {
        0 => {
            let position = record.point16()?;
            let visible = record.u8()? != 0;
            let shape = Arc::new(shape(guest, record.address()?)?);
            CursorCommand::Set { position, visible, shape }
        }
        1 => CursorCommand::Move(record.point16()?),
        2 => CursorCommand::Hide,
        3 => CursorCommand::Trail { length: record.u16()?, frequency: record.u16()? },
        other => return Err(record.fault("type", ParseErrorKind::Unknown(other.into()))),
    };
    Ok(Command::Cursor(command))
}

/// `QXLCursor`.
fn shape(guest: Guest<'_>, address: QxlPhysical) -> Result<CursorShape, ParseError> {
    let mut record = guest.record("cursor", address, 42)?;
    let unique = record.u64()?;
    let kind = record.u16()?;
    let (width, height) = (record.u16()?, record.u16()?);
    let (hot_spot_x, hot_spot_y) = (record.u16()?, record.u16()?);
    let len = record.u32()?;
    let unknown = || ParseErrorKind::Unknown(kind.into());
    let kind = u8::try_from(kind).map(CursorType).map_err(|_| record.fault("header.type", unknown()))?;
    let needed =
        raw::cursor_shape_len(kind, width, height).ok_or_else(|| record.fault("header.type", unknown()))?;
    let mut data = guest.chunk_bytes(&mut record)?;
    data.truncate(usize::try_from(len).unwrap_or(usize::MAX));
    if (data.len() as u64) < needed {
        return Err(record.fault("data_size", ParseErrorKind::ShapeShort { needed, len: data.len() }));
    }
    Ok(CursorShape { unique, kind, width, height, hot_spot_x, hot_spot_y, data: data.into() })
}
