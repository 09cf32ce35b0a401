//! Cursor commands.

use std::sync::Arc;

use bytes::Bytes;
use spice_proto::Point16;
use spice_proto::cursor::CursorType;

use super::super::error::RecordingError;
use super::super::fields::Fields;
use super::super::refusal::Refusal;
use super::Stop;
use crate::qxl::{CursorCommand, CursorShape, raw};

pub(super) fn cursor_command(fields: &mut Fields<'_>) -> Result<CursorCommand, Stop> {
    fields.keyword("cursor_cmd")?;
    match fields.word("type")? {
        0 => {
            let position = position(fields)?;
            let visible = fields.word("u.set.visible")? != 0;
            let shape = Arc::new(shape(fields)?);
            Ok(CursorCommand::Set { position, visible, shape })
        }
        1 => Ok(CursorCommand::Move(position(fields)?)),
        2 => Ok(CursorCommand::Hide),
        3 => {
            let length = fields.number("u.trail.length")?;
            let frequency = fields.number("u.trail.frequency")?;
            Ok(CursorCommand::Trail { length, frequency })
        }
        other => Err(Refusal::Cursor(other).into()),
    }
}

fn position(fields: &mut Fields<'_>) -> Result<Point16, RecordingError> {
    let [x, y] = fields.numbers("point16")?;
    Ok(Point16 { x: fields.fit("point16", x)?, y: fields.fit("point16", y)? })
}

fn shape(fields: &mut Fields<'_>) -> Result<CursorShape, Stop> {
    let unique = fields.number("header.unique")?;
    let kind = CursorType(fields.number("header.type")?);
    let width = fields.number("header.width")?;
    let height = fields.number("header.height")?;
    let hot_spot_x = fields.number("header.hot_spot_x")?;
    let hot_spot_y = fields.number("header.hot_spot_y")?;
    fields.word("data_size")?;
    let data = fields.chunks("cursor")?;
    let data = whole(kind, (width, height), data)?;
    Ok(CursorShape { unique, kind, width, height, hot_spot_x, hot_spot_y, data })
}

/// `data`, when a shape of this size has all its bytes there.
fn whole(kind: CursorType, (width, height): (u16, u16), data: Bytes) -> Result<Bytes, Refusal> {
    let needed = raw::cursor_shape_len(kind, width, height).unwrap_or(0);
    if (data.len() as u64) < needed {
        return Err(Refusal::ShapeShort { needed, len: data.len() });
    }
    Ok(data)
}
