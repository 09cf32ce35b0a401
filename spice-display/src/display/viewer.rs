//! One viewer of the display channel.

use spice_channel::{ChannelConfig, ChannelError, ChannelLink, PipeLimits, RedChannelClient, Time, Transmit};
use spice_proto::SurfaceId;
use spice_proto::caps::{Capabilities, DisplayCap};
use spice_proto::display::{ClientMessage, ServerMessage};

use super::abilities::Abilities;
use super::marshal::{create_message, image_message, monitors_message};
use super::view::{Next, View};
use crate::image::{Compression, Packing};
use crate::surface::SurfaceTable;

#[derive(Debug)]
pub(super) struct DisplayViewer {
    red: RedChannelClient,
    caps: Capabilities,
    packing: Packing,
    /// Whether the viewer has said how much it can keep. Until then it is sent nothing.
    ready: bool,
    view: View,
    /// The viewer is to be told to show its primary surface as soon as there is something on it.
    mark_due: bool,
}

impl DisplayViewer {
    pub(super) fn new(
        link: ChannelLink,
        config: ChannelConfig,
        limits: PipeLimits,
        compression: Compression,
        surfaces: &SurfaceTable,
        now: Time,
    ) -> Self {
        let abilities = Abilities::new(&link.caps);
        let packing = Packing::new(compression, link.caps.has_display(DisplayCap::LZ4_COMPRESSION));
        Self {
            red: RedChannelClient::new(link.header(), config, now),
            caps: link.caps,
            packing,
            ready: false,
            view: View::new(limits, abilities, surfaces),
            mark_due: false,
        }
    }

    pub(super) fn view(&self) -> &View {
        &self.view
    }

    pub(super) fn view_mut(&mut self) -> &mut View {
        &mut self.view
    }

    pub(super) fn handle_bytes(&mut self, bytes: &[u8], now: Time) -> Result<(), ChannelError> {
        self.red.handle_bytes(bytes, now);
        while let Some(message) = self.red.poll_message(now)? {
            self.handle_message(&ClientMessage::decode(message.id, &message.body)?)?;
        }
        Ok(())
    }

    fn handle_message(&mut self, message: &ClientMessage) -> Result<(), ChannelError> {
        match message {
            ClientMessage::Init(_) if self.ready => Err(ChannelError::OutOfTurn { message: "display.Init" }),
            ClientMessage::Init(_) => {
                self.ready = true;
                self.send(&ServerMessage::InvalAllPalettes);
                Ok(())
            }
            ClientMessage::PreferredCompression(wire) => {
                // A name that nobody knows is no reason to end a viewer: it goes on as it was.
                if let Some(compression) = Compression::of_wire(*wire) {
                    self.packing =
                        Packing::new(compression, self.caps.has_display(DisplayCap::LZ4_COMPRESSION));
                }
                Ok(())
            }
            ClientMessage::GlDrawDone => Err(ChannelError::OutOfTurn { message: "display.GlDrawDone" }),
            _ => Ok(()),
        }
    }

    pub(super) fn poll_transmit(&mut self, surfaces: &mut SurfaceTable, now: Time) -> Option<Transmit> {
        while self.ready && self.red.has_room() {
            let Some(next) = self.view.poll_next(surfaces) else { break };
            self.render(next, surfaces);
        }
        self.red.poll_transmit(now)
    }

    fn render(&mut self, next: Next, surfaces: &mut SurfaceTable) {
        match next {
            Next::Create(id, shape) => {
                self.send(&create_message(id, shape));
                if id == SurfaceId::PRIMARY {
                    self.mark_due = self.view.is_damaged(id);
                    if !self.mark_due {
                        self.mark(surfaces);
                    }
                }
            }
            Next::Destroy(id) => self.send(&ServerMessage::SurfaceDestroy(id)),
            Next::Damage(id, area) => {
                let pixels = surfaces.canvas(id, area).and_then(|canvas| canvas.bitmap(area));
                let Some(pixels) = pixels else { return };
                self.send(&image_message(id, area, &pixels, self.packing));
                if id == SurfaceId::PRIMARY && std::mem::take(&mut self.mark_due) {
                    self.mark(surfaces);
                }
            }
            Next::Draw(draw) => {
                if let Some((id, body)) = draw.message(self.packing) {
                    self.red.send(*id, body);
                }
            }
        }
    }

    /// Tells the viewer which part of the primary surface is a monitor, and to show it.
    fn mark(&mut self, surfaces: &SurfaceTable) {
        if self.caps.has_display(DisplayCap::MONITORS_CONFIG)
            && let Some(monitors) = monitors_message(surfaces)
        {
            self.send(&monitors);
        }
        self.send(&ServerMessage::Mark);
    }

    fn send(&mut self, message: &ServerMessage) {
        self.red.send(message.id(), &message.encode());
    }
}

impl AsRef<RedChannelClient> for DisplayViewer {
    fn as_ref(&self) -> &RedChannelClient {
        &self.red
    }
}

impl AsMut<RedChannelClient> for DisplayViewer {
    fn as_mut(&mut self) -> &mut RedChannelClient {
        &mut self.red
    }
}
