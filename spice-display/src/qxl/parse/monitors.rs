//! What monitors a guest shows.

use spice_proto::SurfaceId;
use spice_proto::display::{Head, MonitorsConfig};

use super::guest::Guest;
use super::{CommandFlags, ParseError, ParseErrorKind};
use crate::memory::{MemSlots, QxlPhysical};
use crate::qxl::raw::Cursor;

/// Most monitors of one display; those beyond are left out.
pub const MAX_HEADS: u16 = 256;

/// Bytes of `QXLHead`.
const HEAD: u64 = 7 * 4;

/// The monitors of a `QXLMonitorsConfig`: how many there are is read once, and that many are read.
///
/// They may be without a pixel, overlap and lie anywhere: what becomes of such is for the caller to say. Where the
/// guest sets no limit to their number, there is that of [`MAX_HEADS`].
///
/// # Errors
/// No monitor, more than the guest says there can be, or a list of them that is not in the guest's memory.
pub fn monitors_config(
    slots: &MemSlots,
    group: u32,
    address: QxlPhysical,
) -> Result<MonitorsConfig, ParseError> {
    let guest = Guest { slots, group, flags: CommandFlags::default() };
    let mut record = guest.record("monitors_config", address, 4)?;
    let (count, max_allowed) = (record.u16()?, record.u16()?);
    if count == 0 || (max_allowed != 0 && count > max_allowed) {
        return Err(record.fault("count", ParseErrorKind::Heads { count, max_allowed }));
    }
    let count = count.min(MAX_HEADS);
    let data = record.wrap("heads", record.behind("heads")?.bytes(u64::from(count) * HEAD))?;
    let mut cursor = Cursor::new(&data);
    let heads = std::iter::from_fn(|| head(&mut cursor)).collect();
    let max_allowed = if max_allowed == 0 { MAX_HEADS } else { max_allowed.min(MAX_HEADS) };
    Ok(MonitorsConfig { max_allowed, heads })
}

/// `QXLHead`.
fn head(cursor: &mut Cursor<'_>) -> Option<Head> {
    Some(Head {
        monitor_id: cursor.u32()?,
        surface_id: SurfaceId(cursor.u32()?),
        width: cursor.u32()?,
        height: cursor.u32()?,
        x: cursor.u32()?,
        y: cursor.u32()?,
        flags: cursor.u32()?,
    })
}
