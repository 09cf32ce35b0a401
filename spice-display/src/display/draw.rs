//! A drawing command on its way to the viewers.

use std::sync::OnceLock;

use spice_proto::{Body, Rect, SurfaceId};

use super::translate::draw_message;
use crate::image::ImageMethod;
use crate::qxl::Drawable;

/// A painted drawing command, shared by the pipes of all viewers.
///
/// It becomes a message when the first viewer has room for it, and the message's bytes are kept: another viewer that
/// gets its images by the same method is sent the same ones.
#[derive(Debug)]
pub(super) struct Draw {
    drawable: Drawable,
    area: Rect,
    messages: [OnceLock<Option<(u16, Body)>>; ImageMethod::COUNT],
}

impl Draw {
    /// A command that has touched pixels in `area` only.
    pub(super) fn new(drawable: Drawable, area: Rect) -> Self {
        Self { drawable, area, messages: Default::default() }
    }

    pub(super) fn surface(&self) -> SurfaceId {
        self.drawable.surface
    }

    /// The smallest rectangle around the pixels that it touched.
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
