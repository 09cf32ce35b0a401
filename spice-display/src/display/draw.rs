//! A drawing command on its way to the viewers.

use std::sync::{Arc, OnceLock};

use spice_proto::{Body, Rect, SurfaceId};

use super::abilities::Abilities;
use super::translate::draw_message;
use crate::image::ImageMethod;
use crate::qxl::{DrawOp, Drawable, ImageSource};
use crate::surface::Sequence;

/// A drawing command, shared by the pipes of all viewers.
///
/// It becomes a message when the first viewer has room for it, and the message's bytes are kept: another viewer that
/// gets its images by the same method is sent the same ones.
#[derive(Debug)]
pub(super) struct Draw {
    sequence: Sequence,
    drawable: Arc<Drawable>,
    area: Rect,
    messages: [OnceLock<Option<(u16, Body)>>; ImageMethod::COUNT],
}

impl Draw {
    /// A command that touches pixels in `area` only.
    pub(super) fn new(sequence: Sequence, drawable: Arc<Drawable>, area: Rect) -> Self {
        Self { sequence, drawable, area, messages: Default::default() }
    }

    /// Its place in the order of all commands.
    pub(super) fn sequence(&self) -> Sequence {
        self.sequence
    }

    /// Whether a viewer with these abilities can draw it. Else it gets what the surface shows afterwards.
    pub(super) fn suits(&self, abilities: Abilities) -> bool {
        let op = &self.drawable.op;
        // Viewers copy a surface to itself in one direction only, whichever way it overlaps.
        let own = op.images().any(|image| match image.source {
            ImageSource::Own(_) => true,
            ImageSource::Surface(surface) => surface == self.drawable.surface,
            _ => false,
        });
        !own && match op {
            DrawOp::Composite(_) => abilities.composite,
            // Viewers shift glyphs of 8 bits by a row, and read what lies behind them.
            DrawOp::Text(text) => text.glyphs.flags.depth() != Some(8),
            _ => true,
        }
    }

    pub(super) fn surface(&self) -> SurfaceId {
        self.drawable.surface
    }

    /// The smallest rectangle around the pixels that it touches.
    pub(super) fn area(&self) -> Rect {
        self.area
    }

    /// The other surfaces that it reads.
    pub(super) fn reads(&self) -> impl Iterator<Item = SurfaceId> {
        self.drawable.reads().filter(|read| *read != self.drawable.surface)
    }

    /// Bytes that it keeps alive.
    pub(super) fn weight(&self) -> usize {
        self.drawable.weight()
    }

    /// Its message, number and body; none where there is none ([`draw_message`]).
    pub(super) fn message(&self, method: ImageMethod) -> Option<&(u16, Body)> {
        let message = self.messages[method.index()].get_or_init(|| {
            let message = draw_message(&self.drawable, method)?;
            Some((message.id(), message.encode()))
        });
        message.as_ref()
    }
}
