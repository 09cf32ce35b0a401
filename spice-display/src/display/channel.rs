//! The channel itself: surfaces, and the viewers that are shown them.

use std::sync::Arc;

use spice_channel::{
    Channel, ChannelConfig, ChannelError, ChannelLink, ClientId, PipeLimits, RedChannel, Time, Transmit,
};
use spice_proto::caps::{CapabilitySet, DisplayCap};
use spice_proto::{ChannelId, ChannelType, Rect, SurfaceId};

use super::draw::{Draw, Target};
use super::viewer::DisplayViewer;
use crate::canvas::{Canvas, PaintError};
use crate::image::Compression;
use crate::qxl::{Bitmap, Drawable};
use crate::surface::{DrawError, Drawn, SurfaceError, SurfaceLimits, SurfaceShape, SurfaceTable};

/// One display: its surfaces and its viewers.
#[derive(Debug)]
pub struct DisplayChannel {
    channel: RedChannel<DisplayViewer>,
    surfaces: SurfaceTable,
    config: ChannelConfig,
    limits: PipeLimits,
    compression: Compression,
    failures: Vec<PaintError>,
}

/// Failures that are kept for whoever asks.
const MAX_FAILURES: usize = 64;

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
    pub fn new(
        id: ChannelId,
        config: ChannelConfig,
        limits: PipeLimits,
        surfaces: SurfaceLimits,
        compression: Compression,
    ) -> Self {
        Self {
            channel: RedChannel::new(ChannelType::DISPLAY, id),
            surfaces: SurfaceTable::new(surfaces),
            config,
            limits,
            compression,
            failures: Vec::new(),
        }
    }

    /// The surfaces that there are.
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

    /// Whether nothing waits for any viewer, so that each is sent the next command as it is. Bytes may still be on their
    /// way. True without viewers.
    #[must_use]
    pub fn viewers_keep_up(&self) -> bool {
        self.channel.iter().all(|(_, viewer)| viewer.view().is_current())
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
        let covered = self.surfaces.destroy(id)?;
        self.report_failures();
        for (_, viewer) in self.channel.iter_mut() {
            viewer.view_mut().handle_covered(&covered);
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

    /// Takes a drawing command and lets every viewer know. It is painted when somebody needs it.
    ///
    /// # Errors
    /// What cannot be drawn is refused, and no viewer hears of it.
    pub fn draw(&mut self, drawable: Drawable) -> Result<(), DrawError> {
        let drawable = Arc::new(drawable);
        let Drawn { sequence, area, added, mut covered } = self.surfaces.draw(&drawable)?;
        if !area.is_empty() && !self.channel.is_empty() {
            covered.sort_unstable();
            let target = Target::of(&drawable, &self.surfaces);
            let draw = Arc::new(Draw::new(sequence, drawable, area, target));
            for (_, viewer) in self.channel.iter_mut() {
                viewer.view_mut().handle_draw(&draw, added, &self.surfaces);
                viewer.view_mut().handle_covered(&covered);
            }
        }
        self.report_failures();
        Ok(())
    }

    /// The pixels of a surface, those of `area` as they are now.
    pub fn canvas(&mut self, id: SurfaceId, area: Rect) -> Option<&Canvas> {
        self.surfaces.canvas(id, area)
    }

    /// Why a command that was taken could not be painted after all. Viewers are shown what its surface shows.
    pub fn poll_failure(&mut self) -> Option<PaintError> {
        self.failures.pop()
    }

    /// Has viewers shown the truth where a command could not be painted: they were told to draw it.
    fn report_failures(&mut self) {
        while let Some(failure) = self.surfaces.poll_failure() {
            for (_, viewer) in self.channel.iter_mut() {
                viewer.view_mut().handle_change(failure.surface, failure.area, &self.surfaces);
            }
            if self.failures.len() < MAX_FAILURES {
                self.failures.push(failure.error);
            }
        }
    }
}

impl Channel for DisplayChannel {
    fn caps(&self) -> CapabilitySet {
        CapabilitySet::new([DisplayCap::MONITORS_CONFIG.0, DisplayCap::PREF_COMPRESSION.0])
    }

    fn connect(&mut self, client: ClientId, link: ChannelLink, now: Time) {
        let viewer =
            DisplayViewer::new(link, self.config, self.limits, self.compression, &self.surfaces, now);
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
        let transmit = self.channel.client_mut(client)?.poll_transmit(&mut self.surfaces, now);
        self.report_failures();
        transmit
    }

    fn poll_timeout(&self) -> Option<Time> {
        self.channel.poll_timeout()
    }
}
