//! The channel itself: surfaces, and the viewers that are shown them.

use std::sync::Arc;

use spice_channel::{
    Channel, ChannelConfig, ChannelError, ChannelLink, ClientId, PipeLimits, RedChannel, Time, Transmit,
};
use spice_proto::caps::{CapabilitySet, DisplayCap};
use spice_proto::{ChannelId, ChannelType, SurfaceId};

use super::draw::Draw;
use super::viewer::DisplayViewer;
use crate::qxl::{Bitmap, Drawable};
use crate::surface::{DrawError, SurfaceError, SurfaceLimits, SurfaceShape, SurfaceTable, paint};

/// One display: its surfaces and its viewers.
#[derive(Debug)]
pub struct DisplayChannel {
    channel: RedChannel<DisplayViewer>,
    surfaces: SurfaceTable,
    config: ChannelConfig,
    limits: PipeLimits,
}

/// What a display has waiting for its viewers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DisplayStats {
    /// Viewers.
    pub viewers: usize,
    /// Items in all pipes.
    pub queued: usize,
    /// How often a viewer that is here was squashed, all viewers together.
    pub squashes: u64,
}

impl DisplayChannel {
    /// A display without a surface and without viewers.
    #[must_use]
    pub fn new(id: ChannelId, config: ChannelConfig, limits: PipeLimits, surfaces: SurfaceLimits) -> Self {
        Self {
            channel: RedChannel::new(ChannelType::DISPLAY, id),
            surfaces: SurfaceTable::new(surfaces),
            config,
            limits,
        }
    }

    /// The surfaces as they are now.
    #[must_use]
    pub fn surfaces(&self) -> &SurfaceTable {
        &self.surfaces
    }

    /// Which viewers there are, in the order of their ids.
    pub fn viewers(&self) -> impl Iterator<Item = ClientId> {
        self.channel.iter().map(|(id, _)| id)
    }

    /// Whether the viewer's socket has taken everything, to the last pixel: nothing waits, and nothing is on its way.
    /// False for one that is not here.
    #[must_use]
    pub fn is_current(&self, viewer: ClientId) -> bool {
        let taken = |client: &DisplayViewer| client.view().is_current() && client.as_ref().in_flight() == 0;
        self.channel.iter().any(|(id, client)| id == viewer && taken(client))
    }

    /// What waits for the viewers.
    #[must_use]
    pub fn stats(&self) -> DisplayStats {
        let mut stats = DisplayStats { viewers: self.channel.len(), ..DisplayStats::default() };
        for (_, viewer) in self.channel.iter() {
            stats.queued += viewer.view().pipe_len();
            stats.squashes += viewer.view().squashes();
        }
        stats
    }

    /// A surface begins.
    ///
    /// # Errors
    /// An id, format or size that is not possible, an id in use.
    pub fn create_surface(
        &mut self,
        id: SurfaceId,
        shape: SurfaceShape,
        content: Option<&Bitmap>,
    ) -> Result<(), SurfaceError> {
        self.surfaces.create(id, shape, content)?;
        for (_, viewer) in self.channel.iter_mut() {
            viewer.view_mut().handle_create(id, content.is_some(), &self.surfaces);
        }
        Ok(())
    }

    /// A surface ends.
    ///
    /// # Errors
    /// [`SurfaceError::Missing`].
    pub fn destroy_surface(&mut self, id: SurfaceId) -> Result<(), SurfaceError> {
        self.surfaces.destroy(id)?;
        for (_, viewer) in self.channel.iter_mut() {
            viewer.view_mut().handle_destroy(id, &self.surfaces);
        }
        Ok(())
    }

    /// Every surface ends.
    pub fn destroy_surfaces(&mut self) {
        let ids: Vec<SurfaceId> = self.surfaces.iter().map(|(id, _)| id).collect();
        for id in ids {
            let _ = self.destroy_surface(id);
        }
    }

    /// Paints a drawing command and lets every viewer know.
    ///
    /// # Errors
    /// What cannot be painted is refused, and no viewer hears of it.
    pub fn draw(&mut self, drawable: Drawable) -> Result<(), DrawError> {
        let area = paint(&mut self.surfaces, &drawable)?.extents();
        if area.is_empty() || self.channel.is_empty() {
            return Ok(());
        }
        let draw = Arc::new(Draw::new(drawable, area));
        for (_, viewer) in self.channel.iter_mut() {
            viewer.view_mut().handle_draw(&draw, &self.surfaces);
        }
        Ok(())
    }
}

impl Channel for DisplayChannel {
    fn caps(&self) -> CapabilitySet {
        CapabilitySet::new([DisplayCap::MONITORS_CONFIG.0])
    }

    fn connect(&mut self, client: ClientId, link: ChannelLink, now: Time) {
        let viewer = DisplayViewer::new(link, self.config, self.limits, &self.surfaces, now);
        self.channel.attach(client, viewer);
    }

    fn disconnect(&mut self, client: ClientId, _: Time) {
        self.channel.detach(client);
    }

    fn handle_bytes(&mut self, client: ClientId, bytes: &[u8], now: Time) -> Result<(), ChannelError> {
        self.channel.client_mut(client).map_or(Ok(()), |viewer| viewer.handle_bytes(bytes, now))
    }

    fn handle_written(&mut self, client: ClientId, len: usize, now: Time) {
        self.channel.handle_written(client, len, now);
    }

    fn handle_timeout(&mut self, now: Time) -> Vec<(ClientId, ChannelError)> {
        self.channel.handle_timeout(now)
    }

    fn poll_transmit(&mut self, client: ClientId, now: Time) -> Option<Transmit> {
        self.channel.client_mut(client)?.poll_transmit(&self.surfaces, now)
    }

    fn poll_timeout(&self) -> Option<Time> {
        self.channel.poll_timeout()
    }
}
