//! What a viewer makes of the bytes of its display channel.

use std::hash::{DefaultHasher, Hash, Hasher};

use bytes::Bytes;
use spice_client::{ChannelPeer, CornerModel, DisplayModel, Skimmer};
use spice_proto::caps::{CapabilitySet, DisplayCap};
use spice_proto::display::{ClientMessage, Init};
use spice_proto::{HeaderKind, SurfaceId};

use super::marker::{self, Marker};

/// The message of an image that is drawn.
const DRAW_COPY: u16 = 304;
/// The messages of a surface's beginning and its end.
const SURFACES: [u16; 2] = [314, 315];
/// Pixels that a viewer says it keeps of images: as many as 20 MiB have.
const PIXMAP_CACHE: i64 = 5 << 20;
/// Pixels that a viewer says it keeps for GLZ: as many as 64 MiB have, as spice-gtk says.
const GLZ_WINDOW: i32 = 16 << 20;

/// What has happened on a screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// An image was drawn, somewhere.
    Image,
    /// The marker was drawn, as a marker.
    Marker(Marker),
    /// An image or something else was drawn over the marker: what is there now.
    Over(Marker),
    /// And nobody can tell what is there now.
    Unreadable,
    /// The surface with the marker has begun or ended.
    Blank,
}

/// A display channel's messages, and as much of the screen as is painted.
#[derive(Debug)]
pub(super) enum Screen {
    /// The marker alone: all other messages pass.
    Corner(Skimmer, CornerModel),
    /// Everything.
    Whole(ChannelPeer, Box<Whole>),
}

/// A display that is painted.
#[derive(Debug)]
pub(super) struct Whole {
    model: DisplayModel,
    /// It says what concerns the marker.
    corner: CornerModel,
    /// Whether something could not be painted.
    failed: bool,
}

impl Screen {
    /// The screen of a channel with such a header, which says what it can keep.
    pub(super) fn new(header: HeaderKind, paint: bool) -> Self {
        let corner = CornerModel::new(marker::SIDE, marker::SIDE);
        let init;
        let mut screen = if paint {
            let model = DisplayModel::default();
            init = model.init();
            Self::Whole(ChannelPeer::new(header), Box::new(Whole { model, corner, failed: false }))
        } else {
            init = ClientMessage::Init(Init {
                pixmap_cache_id: 1,
                pixmap_cache_size: PIXMAP_CACHE,
                glz_dictionary_id: 1,
                glz_dictionary_window_size: GLZ_WINDOW,
            });
            Self::Corner(Skimmer::new(header), corner)
        };
        let body = init.encode().to_bytes();
        match &mut screen {
            Self::Corner(skimmer, _) => skimmer.send_message(init.id(), &body),
            Self::Whole(peer, _) => peer.send_message(init.id(), &body),
        }
        screen
    }

    /// What it can draw.
    pub(super) fn caps(paint: bool) -> CapabilitySet {
        use DisplayCap as Cap;
        let caps = if paint {
            [Cap::MONITORS_CONFIG, Cap::COMPOSITE, Cap::A8_SURFACE, Cap::LZ4_COMPRESSION]
        } else {
            [Cap::MONITORS_CONFIG, Cap::SIZED_STREAM, Cap::STREAM_REPORT, Cap::LZ4_COMPRESSION]
        };
        CapabilitySet::new(caps.map(|cap| cap.0))
    }

    /// Takes bytes of the channel, and tells what they do.
    pub(super) fn take(&mut self, mut bytes: &[u8], mut tell: impl FnMut(Event)) -> Result<(), String> {
        match self {
            Self::Corner(skimmer, corner) => {
                while let Some((id, body)) =
                    skimmer.poll_message(&mut bytes, |id, front| corner.concerns(id, front))?
                {
                    if let Some(body) = body {
                        // What it cannot paint it does not know.
                        let _ = corner.handle(id, &body);
                        tell(seen(id, &body, corner.pixel(marker::PLACE)));
                    }
                    if id == DRAW_COPY {
                        tell(Event::Image);
                    }
                }
            }
            Self::Whole(peer, whole) => {
                peer.handle_bytes(bytes);
                while let Some((id, body)) = peer.poll_message()? {
                    if let Some(event) = whole.take(id, &body) {
                        tell(event);
                    }
                    if id == DRAW_COPY {
                        tell(Event::Image);
                    }
                }
            }
        }
        Ok(())
    }

    /// What is to be sent to the server.
    pub(super) fn take_answers(&mut self) -> Vec<u8> {
        match self {
            Self::Corner(skimmer, _) => skimmer.take_answers(),
            Self::Whole(peer, _) => peer.take_answers(),
        }
    }

    /// What the whole screen shows, in one number: equal screens have the same. None where it is not painted.
    pub(super) fn picture(&self) -> Option<u64> {
        let Self::Whole(_, whole) = self else { return None };
        let canvas = whole.model.surface(SurfaceId::PRIMARY)?;
        let mut hasher = DefaultHasher::new();
        (canvas.width(), canvas.height(), canvas.read(canvas.bounds())).hash(&mut hasher);
        Some(hasher.finish())
    }
}

impl Whole {
    fn take(&mut self, id: u16, body: &Bytes) -> Option<Event> {
        let painted = self.model.handle(id, body);
        let concerns = self.corner.concerns(id, body);
        match painted {
            Ok(()) => {
                let canvas = self.model.surface(SurfaceId::PRIMARY);
                concerns.then(|| seen(id, body, canvas.and_then(|canvas| canvas.pixel(marker::PLACE))))
            }
            Err(error) => {
                if !std::mem::replace(&mut self.failed, true) {
                    tracing::warn!("a viewer cannot paint message {id}: {error}");
                }
                concerns.then_some(Event::Unreadable)
            }
        }
    }
}

/// What a message has done to the marker's pixel, which it concerns.
fn seen(id: u16, body: &[u8], pixel: Option<u32>) -> Event {
    match pixel.map(Marker::of_pixel) {
        _ if SURFACES.contains(&id) => Event::Blank,
        Some(marker) if marker::is_drawn(id, body) => Event::Marker(marker),
        Some(marker) => Event::Over(marker),
        None => Event::Unreadable,
    }
}
