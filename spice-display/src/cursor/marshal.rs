//! The pointer as messages.

use bytes::Bytes;
use spice_proto::cursor::{Cursor, CursorFlags, CursorHeader};

use super::cache::{NamedShape, Passage};

/// A shape as it goes to a viewer that takes it so.
pub(super) fn cursor(named: &NamedShape, passage: &Passage) -> Cursor {
    let shape = &named.shape;
    let header = CursorHeader {
        unique: named.number.unwrap_or(0),
        kind: shape.kind,
        width: shape.width,
        height: shape.height,
        hot_spot_x: shape.hot_spot_x,
        hot_spot_y: shape.hot_spot_y,
    };
    let (flags, data) = match passage {
        Passage::FromCache => (CursorFlags::FROM_CACHE, Bytes::new()),
        Passage::Keep { .. } => (CursorFlags::CACHE_ME, shape.data.clone()),
        Passage::Once => (CursorFlags::empty(), shape.data.clone()),
    };
    Cursor { flags, header: Some(header), data }
}
