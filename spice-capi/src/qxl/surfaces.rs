//! Surfaces in the guest's memory: where their pixels go when the guest wants to read them.

use std::collections::BTreeMap;

use spice_display::canvas::Canvas;
use spice_display::memory::QxlPhysical;
use spice_proto::display::SurfaceFormat;
use spice_proto::{Rect, SurfaceId};

use super::memory::HostMemory;
use super::request::Dirty;

/// How a surface lies in memory.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lies {
    /// The memory from the surface's first byte on.
    pub(super) memory: HostMemory,
    pub(super) width: u32,
    pub(super) height: u32,
    /// Bytes from row to row; below 0, the bottom row comes first.
    pub(super) stride: i32,
    pub(super) format: SurfaceFormat,
    /// The command that created it, which the guest gets back when the surface ends.
    pub(super) created_by: Option<(QxlPhysical, u32)>,
}

/// A surface, and what was drawn on it since the host asked.
#[derive(Debug)]
struct Surface {
    lies: Lies,
    dirty: Rect,
}

/// The surfaces that there are.
#[derive(Debug, Default)]
pub(super) struct Surfaces(BTreeMap<SurfaceId, Surface>);

impl Surfaces {
    pub(super) fn insert(&mut self, id: SurfaceId, lies: Lies) {
        self.0.insert(id, Surface { lies, dirty: Rect::default() });
    }

    pub(super) fn remove(&mut self, id: SurfaceId) -> Option<Lies> {
        self.0.remove(&id).map(|surface| surface.lies)
    }

    pub(super) fn remove_all(&mut self) -> impl Iterator<Item = Lies> {
        std::mem::take(&mut self.0).into_values().map(|surface| surface.lies)
    }

    pub(super) fn ids(&self) -> Vec<SurfaceId> {
        self.0.keys().copied().collect()
    }

    /// All of a surface.
    pub(super) fn area(&self, id: SurfaceId) -> Option<Rect> {
        let lies = self.0.get(&id)?.lies;
        Some(Rect::new(0, 0, lies.width, lies.height))
    }

    /// Something was drawn there.
    pub(super) fn mark(&mut self, id: SurfaceId, area: &Rect) {
        if let Some(surface) = self.0.get_mut(&id) {
            surface.dirty = surface.dirty.union(area);
        }
    }

    /// What was drawn in an area, at most so many rectangles; with `clear`, it counts as told.
    pub(super) fn dirty(&mut self, id: SurfaceId, area: &Rect, most: usize, clear: bool) -> Dirty {
        let Some(surface) = self.0.get_mut(&id) else { return Dirty::new() };
        let dirty = surface.dirty.intersect(area);
        if clear && area.contains(&surface.dirty) {
            surface.dirty = Rect::default();
        }
        Some(dirty).into_iter().filter(|dirty| !dirty.is_empty()).take(most).collect()
    }

    /// Puts the pixels of an area where the guest reads them.
    pub(super) fn write(&self, id: SurfaceId, area: &Rect, canvas: &Canvas) {
        let Some(Surface { lies, .. }) = self.0.get(&id) else { return };
        let area = area.intersect(&Rect::new(0, 0, lies.width, lies.height));
        if area.is_empty() {
            return;
        }
        let bits = bits(lies.format);
        // Whole bytes, where several pixels share one.
        let first = (i64::from(area.left) * bits / 8) as u64;
        let wide = Rect::from_edges((first as i64 * 8 / bits) as i32, area.top, area.right, area.bottom);
        let row_len = (u64::from(wide.width()) * bits.unsigned_abs()).div_ceil(8) as usize;
        let pixels = canvas.read(wide);
        let Some(stored) = pixels.len().checked_div(wide.height() as usize) else { return };
        for (y, row) in (wide.top..).zip(pixels.chunks_exact(stored.max(1))) {
            let from_top = if lies.stride < 0 { lies.height as i64 - 1 - i64::from(y) } else { y.into() };
            let at = from_top as u64 * u64::from(lies.stride.unsigned_abs()) + first;
            let row = row.get(..row_len.min(stored)).unwrap_or_default();
            // Where it does not lie in the slot any more, the guest has taken the slot away.
            let _ = lies.memory.write(at, row);
        }
    }
}

fn bits(format: SurfaceFormat) -> i64 {
    match format {
        SurfaceFormat::A1 => 1,
        SurfaceFormat::A8 => 8,
        SurfaceFormat::RGB555 | SurfaceFormat::RGB565 => 16,
        _ => 32,
    }
}
