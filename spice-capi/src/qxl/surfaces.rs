//! Surfaces in the guest's memory: where their pixels go when the guest wants to read them.

use std::collections::BTreeMap;

use bytes::Bytes;
use spice_display::canvas::Canvas;
use spice_display::memory::QxlPhysical;
use spice_proto::display::SurfaceFormat;
use spice_proto::{Point, Rect, SurfaceId};

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
        let mut area = area.intersect(&Rect::new(0, 0, lies.width, lies.height)).intersect(&canvas.bounds());
        if lies.format == SurfaceFormat::A1 {
            // Eight pixels share a byte.
            area = Rect::from_edges(area.left & !7, area.top, area.right, area.bottom);
        }
        if area.is_empty() {
            return;
        }
        let first = area.left as u64 * bits(lies.format) / 8;
        let pixels = pixels(canvas, area);
        let Some(row_len) = pixels.len().checked_div(area.height() as usize).filter(|len| *len > 0) else {
            return;
        };
        for (y, row) in (area.top..).zip(pixels.chunks_exact(row_len)) {
            let from_top = if lies.stride < 0 { i64::from(lies.height) - 1 - i64::from(y) } else { y.into() };
            let at = from_top as u64 * u64::from(lies.stride.unsigned_abs()) + first;
            // Where it does not lie in the slot any more, the guest has taken the slot away.
            let _ = lies.memory.write(at, row);
        }
    }
}

/// Bits of a pixel in the guest's memory.
fn bits(format: SurfaceFormat) -> u64 {
    match format {
        SurfaceFormat::A1 => 1,
        SurfaceFormat::A8 => 8,
        SurfaceFormat::RGB555 | SurfaceFormat::RGB565 => 16,
        _ => 32,
    }
}

/// The pixels of an area as the guest has them, rows from the top without gaps.
fn pixels(canvas: &Canvas, area: Rect) -> Bytes {
    let row = |y: i32| (area.left..area.right).filter_map(move |x| canvas.pixel(Point::new(x, y)));
    match canvas.format() {
        // The first of eight is in the lowest bit.
        SurfaceFormat::A1 => (area.top..area.bottom)
            .flat_map(|y| {
                let row: Vec<u32> = row(y).collect();
                let byte = |eight: &[u32]| {
                    (0..).zip(eight).fold(0, |byte, (at, bit)| byte | ((bit & 1) as u8) << at)
                };
                row.chunks(8).map(byte).collect::<Vec<u8>>()
            })
            .collect(),
        SurfaceFormat::RGB565 => {
            (area.top..area.bottom).flat_map(row).flat_map(|pixel| (pixel as u16).to_le_bytes()).collect()
        }
        _ => canvas.read(area),
    }
}
