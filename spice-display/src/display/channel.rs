//! The channel itself: surfaces, and the viewers that are shown them.

use std::sync::Arc;

use spice_channel::{Channel, ChannelError, ChannelLink, ClientId, RedChannel, Time, Transmit};
use spice_proto::caps::{CapabilitySet, DisplayCap};
use spice_proto::display::{GlDraw, MonitorsConfig};
use spice_proto::{ChannelId, ChannelType, Rect, SurfaceId};

use super::config::DisplayConfig;
use super::draw::{Draw, Target};
use super::encoder::Encoder;
use super::gl::Gl;
use super::monitors::Monitors;
use super::shared::Shared;
use super::snapshots::Snapshots;
use super::viewer::{DisplayViewer, ViewerStats};
use super::wan::WanCompression;
use crate::canvas::{Canvas, PaintError};
use crate::image::{Compression, EncodeDone, EncodeJob, ImageKeys};
use crate::qxl::{Bitmap, Drawable, GlScanout};
use crate::region::Region;
use crate::surface::{DrawError, Drawn, SurfaceError, SurfaceShape, SurfaceTable};

/// One display: its surfaces and its viewers.
#[derive(Debug)]
pub struct DisplayChannel {
    channel: RedChannel<DisplayViewer>,
    id: ChannelId,
    shared: Shared,
    config: DisplayConfig,
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
    pub fn new(id: ChannelId, config: DisplayConfig) -> Self {
        Self {
            channel: RedChannel::new(ChannelType::DISPLAY, id),
            id,
            shared: Shared {
                surfaces: SurfaceTable::new(config.surfaces),
                snapshots: Snapshots::default(),
                encoder: Encoder::default(),
                keys: ImageKeys::new(id, config.seed),
                monitors: Monitors::default(),
                gl: Gl::new(config.gl_draw_limit),
            },
            config,
            failures: Vec::new(),
        }
    }

    /// How viewers get their pictures from now on, those that are here too; images as a viewer likes them, where it has
    /// said how.
    pub fn set_quality(&mut self, compression: Compression, jpeg: WanCompression, zlib_glz: WanCompression) {
        self.config = DisplayConfig { compression, jpeg, zlib_glz, ..self.config };
        for (_, viewer) in self.channel.iter_mut() {
            viewer.set_quality(&self.config);
        }
    }

    /// Which display it is.
    #[must_use]
    pub fn id(&self) -> ChannelId {
        self.id
    }

    /// The surfaces that there are.
    #[must_use]
    pub fn surfaces(&self) -> &SurfaceTable {
        &self.shared.surfaces
    }

    /// Which viewers there are, in the order of their ids.
    pub fn viewers(&self) -> impl Iterator<Item = ClientId> {
        self.channel.iter().map(|(id, _)| id)
    }

    /// Whether the viewer's socket has taken everything, to the last pixel: nothing waits, and nothing is on its way.
    /// False for one that is not here.
    #[must_use]
    pub fn is_current(&self, viewer: ClientId) -> bool {
        self.channel.iter().any(|(id, client)| id == viewer && client.is_current())
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

    /// How each viewer fares, in the order of their ids. It costs a few additions for each, and is made when asked for.
    pub fn viewer_stats(&self, now: Time) -> impl Iterator<Item = (ClientId, ViewerStats)> {
        self.channel.iter().map(move |(id, viewer)| (id, viewer.stats(now)))
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
        self.shared.surfaces.create(id, shape, content)?;
        if id == SurfaceId::PRIMARY {
            self.shared.monitors.handle_primary();
        }
        for (_, viewer) in self.channel.iter_mut() {
            viewer.view_mut().handle_create(id, content.is_some(), &self.shared.surfaces);
        }
        Ok(())
    }

    /// What parts of the primary surface the guest's monitors show, until another primary surface begins. Every viewer
    /// that asks for it (MONITORS_CONFIG) is told as soon as there is room, and those that come later; of changes that
    /// come faster than that only the last. Heads are passed on as the guest has them, wherever they lie. Those without a
    /// pixel are left out; a configuration of none changes nothing, and that is the answer then.
    ///
    /// Once a guest has said it, viewers are told of no monitor of another primary surface before it says so again.
    pub fn set_monitors(&mut self, monitors: MonitorsConfig) -> bool {
        let taken = self.shared.monitors.set(monitors);
        if taken {
            self.tell_monitors();
        }
        taken
    }

    /// The guest's driver is gone: whether there will be word of its monitors is not known any more, and until there is
    /// one monitor shows all of the primary surface.
    pub fn handle_driver_unload(&mut self) {
        let expected = self.shared.monitors.are_expected();
        self.shared.monitors.handle_unload();
        if expected {
            self.tell_monitors();
        }
    }

    fn tell_monitors(&mut self) {
        for (_, viewer) in self.channel.iter_mut() {
            viewer.handle_monitors();
        }
    }

    /// Whether any viewer can do that. What another cannot take is sent to it as a picture, so that one of few abilities
    /// takes none from the others.
    #[must_use]
    pub fn any_viewer_has(&self, cap: DisplayCap) -> bool {
        self.channel.iter().any(|(_, viewer)| viewer.has(cap))
    }

    /// The viewer's connection can carry descriptors: it is a Unix socket with nothing around it. To be said right after
    /// [`Channel::connect`]. Such a viewer is sent what the graphics processor shows if it takes that (GL_SCANOUT). Any
    /// other goes on seeing what was last drawn on surfaces; the C server ends its display channel.
    pub fn allow_descriptors(&mut self, client: ClientId) {
        if let Some(viewer) = self.channel.client_mut(client) {
            viewer.handle_descriptors(&self.shared);
        }
    }

    /// The graphics processor shows this buffer, or none any more; one without a pixel or a format is none. Viewers are
    /// told of buffers as soon as there is room, and of several that come faster than that only of the last. That there is
    /// none any more they are not told: they show surfaces again once something is drawn there.
    ///
    /// A buffer is sent as its [`DescriptorId`](spice_channel::DescriptorId) beside the bytes
    /// ([`Transmit::descriptors`]), also to viewers that come later.
    pub fn set_gl_scanout(&mut self, scanout: Option<GlScanout>) {
        self.shared.gl.set_scanout(scanout);
        let is_there = self.shared.gl.scanout().is_some();
        for (_, viewer) in self.channel.iter_mut() {
            viewer.gl_mut().handle_scanout(is_there);
        }
        self.check_gl();
    }

    /// The graphics processor has drawn there, and the host waits until viewers have shown it: until
    /// [`Self::poll_gl_drawn`] says so. A draw during another one is complete together with it.
    ///
    /// Only viewers that answer in time are waited for, and for [`DisplayConfig::gl_draw_limit`] at most, counted from
    /// when the channel is next told what time it is. Whoever takes longer, has not answered yet, takes nothing or cannot
    /// show it at all holds up nobody; what it is sent next is the newest.
    pub fn gl_draw(&mut self, draw: &GlDraw) {
        if let Some(area) = self.shared.gl.draw(draw) {
            for (_, viewer) in self.channel.iter_mut() {
                viewer.gl_mut().handle_draw(area);
            }
        }
        self.check_gl();
    }

    /// Whether all draws of the graphics processor so far are complete; said once. To be asked after anything that the
    /// channel is told.
    pub fn poll_gl_drawn(&mut self) -> bool {
        self.shared.gl.poll_done()
    }

    fn check_gl(&mut self) {
        let is_under_way = self.shared.gl.is_under_way();
        if is_under_way && !self.channel.iter().any(|(_, viewer)| viewer.gl().is_waited_for()) {
            self.shared.gl.complete();
        }
    }

    fn handle_gl_time(&mut self, now: Time) {
        if self.shared.gl.handle_time(now) {
            for (_, viewer) in self.channel.iter_mut() {
                viewer.gl_mut().give_up();
            }
            self.check_gl();
        }
    }

    /// A surface ends.
    ///
    /// # Errors
    /// [`SurfaceError::Missing`].
    pub fn destroy_surface(&mut self, id: SurfaceId) -> Result<(), SurfaceError> {
        let covered = self.shared.surfaces.destroy(id)?;
        self.report_failures();
        for (_, viewer) in self.channel.iter_mut() {
            viewer.view_mut().handle_covered(&covered);
            viewer.view_mut().handle_destroy(id, &self.shared.surfaces);
        }
        Ok(())
    }

    /// Every surface ends.
    pub fn destroy_surfaces(&mut self) {
        let ids: Vec<SurfaceId> = self.shared.surfaces.iter().map(|(id, _)| id).collect();
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
        let Drawn { sequence, area, covers, added, mut covered } = self.shared.surfaces.draw(&drawable)?;
        if !area.is_empty() && !self.channel.is_empty() {
            covered.sort_unstable();
            let target = Target::of(&drawable, &self.shared.surfaces);
            let draw = Arc::new(Draw::new(sequence, drawable, area, covers, target));
            for (_, viewer) in self.channel.iter_mut() {
                viewer.view_mut().handle_draw(&draw, added, &self.shared.surfaces);
                viewer.view_mut().handle_covered(&covered);
            }
        }
        self.report_failures();
        Ok(())
    }

    /// The pixels of a surface, those of `area` as they are now.
    pub fn canvas(&mut self, id: SurfaceId, area: Rect) -> Option<&Canvas> {
        self.shared.surfaces.canvas(id, area)
    }

    /// What was drawn on a surface within `area` since it was last taken with `clear`, as at most `most` rectangles: see
    /// [`SurfaceTable::take_dirty`].
    pub fn take_dirty(&mut self, id: SurfaceId, area: &Rect, clear: bool, most: usize) -> Option<Region> {
        self.shared.surfaces.take_dirty(id, area, clear, most)
    }

    /// A picture that viewers wait for, to be packed wherever and whenever; what comes of it goes into
    /// [`Self::handle_encoded`]. Meanwhile other viewers, and what has no picture, go on.
    ///
    /// To be asked once every viewer has been polled, so that pictures come in the order of the guest's commands. There
    /// are at most 16 commands or 16 MiB of damage for each viewer that wait or are being packed. A `small` one takes less time than it takes to give
    /// it to somebody else.
    pub fn poll_encode(&mut self, small: bool) -> Option<EncodeJob> {
        self.shared.encoder.poll(small)
    }

    /// A picture has been packed; the viewers that wait for it can be polled.
    pub fn handle_encoded(&mut self, done: EncodeDone) {
        self.shared.encoder.handle_done(done);
        if self.channel.is_empty() {
            self.shared.encoder.forget();
        }
    }

    /// Why a command that was taken could not be painted after all. Viewers are shown what its surface shows.
    pub fn poll_failure(&mut self) -> Option<PaintError> {
        self.failures.pop()
    }

    /// Has viewers shown the truth where a command could not be painted: they were told to draw it.
    fn report_failures(&mut self) {
        while let Some(failure) = self.shared.surfaces.poll_failure() {
            for (_, viewer) in self.channel.iter_mut() {
                viewer.view_mut().handle_change(failure.surface, failure.area, &self.shared.surfaces);
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
        let surfaces = &self.shared.surfaces;
        let dictionary = self.id == ChannelId(0);
        let viewer = DisplayViewer::new(link, &self.config, dictionary, surfaces, now);
        self.channel.attach(client, viewer);
    }

    fn disconnect(&mut self, client: ClientId, _: Time) {
        self.channel.detach(client);
        self.check_gl();
        if self.channel.is_empty() {
            self.shared.encoder.forget();
            self.shared.snapshots.forget();
        }
    }

    fn handle_bytes(&mut self, client: ClientId, bytes: &[u8], now: Time) -> Result<(), ChannelError> {
        let Some(viewer) = self.channel.client_mut(client) else { return Ok(()) };
        let result = viewer.handle_bytes(bytes, self.shared.gl.limit(), now);
        self.check_gl();
        result
    }

    fn handle_written(&mut self, client: ClientId, len: usize, now: Time) {
        self.channel.handle_written(client, len, now);
    }

    fn handle_timeout(&mut self, now: Time) -> Vec<(ClientId, ChannelError)> {
        self.handle_gl_time(now);
        let mut ended = self.channel.handle_timeout(now);
        let unsaid = self.channel.iter().filter_map(|(id, viewer)| Some((id, viewer.check(now).err()?)));
        for (id, error) in unsaid {
            if ended.iter().all(|(known, _)| *known != id) {
                ended.push((id, error));
            }
        }
        ended
    }

    fn poll_transmit(&mut self, client: ClientId, now: Time) -> Option<Transmit> {
        self.handle_gl_time(now);
        let transmit = self.channel.client_mut(client)?.poll_transmit(&mut self.shared, now);
        self.report_failures();
        transmit
    }

    fn poll_timeout(&self) -> Option<Time> {
        let repairs = self.channel.iter().filter_map(|(_, viewer)| viewer.poll_timeout());
        let gl = self.shared.gl.poll_timeout();
        self.channel.poll_timeout().into_iter().chain(repairs).chain(gl).min()
    }
}
