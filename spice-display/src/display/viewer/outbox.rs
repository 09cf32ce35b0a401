//! What a viewer is sent next, in order, while its pictures are packed.

use std::collections::VecDeque;
use std::sync::Arc;

use spice_proto::display::{ImageData, ImageFlags, ServerMessage};
use spice_proto::{Body, Rect, SurfaceId};

use super::super::draw::Draw;
use crate::image::{Method, Packed, Picture};
use crate::surface::Sequence;

/// Commands that may wait here, where they cannot be taken back any more.
const ITEMS: usize = 16;

/// Bytes of their pictures. A single one may have more.
const BYTES: usize = 256 << 10;

/// Parts of surfaces that may: more than a large screen has.
const PARTS: usize = 1024;

/// What is to become bytes.
#[derive(Debug)]
pub(super) enum Outgoing {
    /// A message that needs no picture.
    Message(u16, Body),
    /// A part of a surface.
    Image(SurfaceId, Rect, Wanted),
    /// A drawing command and its pictures.
    Draw(Arc<Draw>, Vec<Chosen>),
}

/// A picture of a command.
#[derive(Debug)]
pub(super) enum Chosen {
    /// The viewer has it.
    Kept(u64, ImageData),
    /// The viewer gets it.
    Wanted(Wanted),
}

impl Chosen {
    fn wanted(&self) -> Option<&Wanted> {
        match self {
            Self::Wanted(wanted) => Some(wanted),
            Self::Kept(..) => None,
        }
    }
}

/// A picture, and how the viewer gets it.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) picture: Arc<Picture>,
    pub(super) method: Method,
    /// What the viewer calls it and does with it.
    pub(super) keep: Option<(u64, ImageFlags)>,
    /// The command that it is of, if it is of one.
    pub(super) sequence: Sequence,
}

impl Wanted {
    /// What it was packed to, once it is.
    pub(super) fn packed(&self) -> Option<&Packed> {
        self.picture.packed(self.method)
    }
}

impl Outgoing {
    /// The pictures that the viewer gets.
    pub(super) fn pictures(&self) -> impl Iterator<Item = &Wanted> {
        let (one, some) = match self {
            Self::Message(..) => (None, &[][..]),
            Self::Image(_, _, wanted) => (Some(wanted), &[][..]),
            Self::Draw(_, chosen) => (None, &chosen[..]),
        };
        one.into_iter().chain(some.iter().filter_map(Chosen::wanted))
    }

    fn weight(&self) -> usize {
        self.pictures().map(|wanted| wanted.picture.len()).sum()
    }
}

/// A short queue: what is in it has been decided, and waits for its pictures only.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    items: VecDeque<Outgoing>,
    bytes: usize,
}

impl Outbox {
    /// Whether another command may wait, or another part of a surface (`parts`), for a viewer for which so many bytes of
    /// pixels may be decided upon.
    pub(super) fn has_room(&self, parts: bool, limit: usize) -> bool {
        let (items, bytes) = if parts { (PARTS, limit) } else { (ITEMS, limit.min(BYTES)) };
        self.items.is_empty() || (self.items.len() < items && self.bytes < bytes)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    pub(super) fn push(&mut self, item: Outgoing) {
        self.bytes += item.weight();
        self.items.push_back(item);
    }

    /// What is sent next.
    pub(super) fn first(&self) -> Option<&Outgoing> {
        self.items.front()
    }

    pub(super) fn push_message(&mut self, message: &ServerMessage) {
        self.push(Outgoing::Message(message.id(), message.encode()));
    }

    pub(super) fn pop(&mut self) -> Option<Outgoing> {
        let item = self.items.pop_front()?;
        self.bytes -= item.weight();
        Some(item)
    }
}
