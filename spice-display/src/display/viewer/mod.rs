//! One viewer of the display channel.

mod ahead;
mod damage;
mod glz;
mod lossy;
mod outbox;
mod pictures;
mod scanout;
mod stats;
mod view;

use core::time::Duration;

use spice_channel::{ChannelError, ChannelLink, RedChannelClient, Time, Transmit};
use spice_proto::caps::{Capabilities, DisplayCap};
use spice_proto::display::{ClientMessage, ServerMessage};
use spice_proto::{HeaderKind, SurfaceId};

use super::abilities::Abilities;
use super::config::DisplayConfig;
use super::gl::{draw_message, scanout_message};
use super::marshal::{create_message, image_message};
use super::shared::Shared;
use super::translate::SentImage;
use super::wan::{LinkSpeed, WanCompression};
use crate::image::{Compression, Packing, PaletteCache, PixmapCache};
use crate::surface::SurfaceTable;
use ahead::Ahead;
use glz::GlzHistory;
use lossy::Lossy;
use outbox::{Chosen, Outbox, Outgoing};
use scanout::{NextGl, Scanout};
use stats::Updates;
use view::{Next, View};

pub use stats::{ViewerState, ViewerStats};

#[derive(Debug)]
pub(super) struct DisplayViewer {
    red: RedChannelClient,
    caps: Capabilities,
    packing: Packing,
    /// Whether the viewer has said itself how it would like its images.
    prefers: bool,
    /// Whether the viewer's dictionary is this display's to use: it has one for all its displays.
    dictionary: bool,
    /// Whether the viewer has said how much it can keep. Until then it is sent nothing.
    ready: bool,
    /// When it was linked, and how long it may take to say so.
    linked: Time,
    init_limit: Duration,
    view: View,
    /// What it is sent next.
    outbox: Outbox,
    glz: GlzHistory,
    pixmaps: PixmapCache,
    palettes: PaletteCache,
    speed: LinkSpeed,
    ahead: Ahead,
    jpeg: WanCompression,
    zlib_glz: WanCompression,
    /// Whether GLZ is packed once more for this viewer now.
    zlib: bool,
    lossy: Lossy,
    /// The viewer is to be told to show its primary surface as soon as there is something on it.
    mark_due: bool,
    /// The viewer is to be told what the monitors show now.
    monitors_due: bool,
    /// It has been told what some monitors show.
    knows_monitors: bool,
    /// What it has yet to be shown of what the graphics processor shows.
    gl: Scanout,
    updates: Updates,
}

impl DisplayViewer {
    pub(super) fn new(
        link: ChannelLink,
        config: &DisplayConfig,
        dictionary: bool,
        surfaces: &SurfaceTable,
        now: Time,
    ) -> Self {
        let abilities = Abilities::new(&link.caps);
        let packing = Packing::new(config.compression, link.caps.has_display(DisplayCap::LZ4_COMPRESSION));
        Self {
            red: RedChannelClient::new(link.header(), config.connections, now),
            caps: link.caps,
            packing,
            prefers: false,
            dictionary,
            ready: false,
            linked: now,
            init_limit: config.connections.stall_limit,
            view: View::new(config.pipe, abilities, surfaces),
            outbox: Outbox::default(),
            glz: GlzHistory::new(0),
            pixmaps: PixmapCache::new(0, 1),
            palettes: PaletteCache::default(),
            speed: LinkSpeed::default(),
            ahead: Ahead::default(),
            jpeg: config.jpeg,
            zlib_glz: config.zlib_glz,
            zlib: false,
            lossy: Lossy::default(),
            mark_due: false,
            monitors_due: true,
            knows_monitors: false,
            gl: Scanout::default(),
            updates: Updates::default(),
        }
    }

    /// What is packed from now on is packed like this; images as the viewer likes them, if it has said how.
    pub(super) fn set_quality(&mut self, config: &DisplayConfig) {
        if !self.prefers {
            self.set_compression(config.compression);
        }
        self.jpeg = config.jpeg;
        self.zlib_glz = config.zlib_glz;
    }

    fn set_compression(&mut self, compression: Compression) {
        self.packing = Packing::new(compression, self.caps.has_display(DisplayCap::LZ4_COMPRESSION));
    }

    pub(super) fn view(&self) -> &View {
        &self.view
    }

    pub(super) fn view_mut(&mut self) -> &mut View {
        &mut self.view
    }

    pub(super) fn gl(&self) -> &Scanout {
        &self.gl
    }

    pub(super) fn gl_mut(&mut self) -> &mut Scanout {
        &mut self.gl
    }

    /// The connection can carry descriptors.
    pub(super) fn handle_descriptors(&mut self, shared: &Shared) {
        if self.caps.has_display(DisplayCap::GL_SCANOUT) {
            self.gl.enable(shared.gl.scanout().is_some(), shared.gl.whole());
        }
    }

    /// When something is to be sent that nobody else asks for. A viewer that has to take something else first will be
    /// looked at when it has.
    pub(super) fn poll_timeout(&self) -> Option<Time> {
        if !self.ready {
            return Some(self.linked + self.init_limit);
        }
        if self.can_be_repaired() { self.lossy.poll_timeout() } else { None }
    }

    /// Time has passed.
    ///
    /// # Errors
    /// A viewer that should have said how much it can keep.
    pub(super) fn check(&self, now: Time) -> Result<(), ChannelError> {
        let waited = now.since(self.linked);
        if self.ready || waited < self.init_limit {
            return Ok(());
        }
        Err(ChannelError::Unsaid { message: "display.Init", waited })
    }

    /// What is repaired is to hold up nothing.
    fn can_be_repaired(&self) -> bool {
        self.ready && self.outbox.is_empty() && self.red.in_flight() == 0 && self.red.has_room()
    }

    /// Whether the viewer has been sent everything, without loss, and its socket has taken it.
    pub(super) fn is_current(&self) -> bool {
        let waits = !self.view.is_current() || !self.outbox.is_empty() || !self.lossy.is_empty();
        !waits && self.gl.is_sent() && self.red.in_flight() == 0
    }

    pub(super) fn stats(&self, now: Time) -> ViewerStats {
        ViewerStats {
            state: ViewerState::new(self.ready, &self.view),
            bytes: self.red.written(),
            updates: self.updates.count(),
            round_trip: self.red.round_trip(),
            throughput: self.red.throughput(now),
            has_slow_link: self.speed.is_slow(),
            in_flight: self.red.in_flight(),
            room: self.red.room(),
            queued: self.view.pipe_len(),
            queued_bytes: self.view.pipe_bytes(),
            damaged_pixels: self.view.damaged_pixels(),
            squashes: self.view.squashes(),
        }
    }

    pub(super) fn handle_bytes(
        &mut self,
        bytes: &[u8],
        gl_limit: Duration,
        now: Time,
    ) -> Result<(), ChannelError> {
        self.red.handle_bytes(bytes, now);
        while let Some(message) = self.red.poll_message(now)? {
            self.handle_message(&ClientMessage::decode(message.id, &message.body)?, gl_limit, now)?;
        }
        Ok(())
    }

    fn handle_message(
        &mut self,
        message: &ClientMessage,
        gl_limit: Duration,
        now: Time,
    ) -> Result<(), ChannelError> {
        match message {
            ClientMessage::Init(_) if self.ready => Err(ChannelError::OutOfTurn { message: "display.Init" }),
            ClientMessage::Init(init) => {
                self.ready = true;
                self.pixmaps = PixmapCache::new(init.pixmap_cache_size, 1);
                if self.dictionary {
                    self.glz = GlzHistory::new(u32::try_from(init.glz_dictionary_window_size).unwrap_or(0));
                }
                self.send(&ServerMessage::InvalAllPalettes);
                Ok(())
            }
            ClientMessage::PreferredCompression(wire) => {
                // A name that nobody knows is no reason to end a viewer: it goes on as it was.
                if let Some(compression) = Compression::of_wire(*wire) {
                    self.prefers = true;
                    self.set_compression(compression);
                }
                Ok(())
            }
            ClientMessage::GlDrawDone if self.gl.handle_answer(gl_limit, now) => Ok(()),
            ClientMessage::GlDrawDone => Err(ChannelError::OutOfTurn { message: "display.GlDrawDone" }),
            _ => Ok(()),
        }
    }

    pub(super) fn poll_transmit(&mut self, shared: &mut Shared, now: Time) -> Option<Transmit> {
        self.gl.handle_time(now);
        while self.ready && self.red.has_room() {
            self.fill_outbox(shared, now);
            if !self.is_packed(&mut shared.encoder) {
                break;
            }
            let Some(outgoing) = self.outbox.pop() else {
                if self.send_gl(shared, now) {
                    continue;
                }
                break;
            };
            if !matches!(outgoing, Outgoing::Message(..)) {
                self.updates.handle_drawing(now);
            }
            self.render(outgoing);
        }
        self.view.handle_polled(self.red.has_room(), now, &shared.surfaces);
        self.red.poll_transmit(now)
    }

    /// Decides what comes next, and asks for its pictures.
    fn fill_outbox(&mut self, shared: &mut Shared, now: Time) {
        let rate = self.red.throughput(now);
        let slow = self.speed.judge(rate);
        let limit = self.ahead.limit(rate, slow);
        let jpeg = self.jpeg.applies(slow);
        self.zlib = self.zlib_glz.applies(slow);
        while self.outbox.has_room(self.view.catches_up(&shared.surfaces), limit) {
            let Some(next) = self.view.poll_next(&shared.surfaces) else { break };
            match next {
                Next::Create(id, shape) => {
                    self.outbox.push_message(&create_message(id, shape));
                    if id == SurfaceId::PRIMARY {
                        self.mark_due = self.view.is_damaged(id);
                        if !self.mark_due {
                            self.mark(shared);
                        }
                    }
                }
                Next::Destroy(id) => {
                    self.lossy.forget(id);
                    self.outbox.push_message(&ServerMessage::SurfaceDestroy(id));
                }
                Next::Damage(id, area) => {
                    self.push_image(id, area, jpeg, shared, now);
                    if id == SurfaceId::PRIMARY && std::mem::take(&mut self.mark_due) {
                        self.mark(shared);
                    }
                }
                Next::Draw(draw) if self.lossy.spoils(&draw) => {
                    self.view.handle_change(draw.surface(), draw.area(), &shared.surfaces);
                }
                Next::Draw(draw) => {
                    let (chosen, loses) = self.choose_pictures(&draw, jpeg, shared);
                    self.lossy.handle_draw(&draw, loses, now);
                    if let Some(gone) = self.pixmaps.take_inval_list() {
                        self.outbox.push_message(&ServerMessage::InvalList(gone));
                    }
                    self.outbox.push(Outgoing::Draw(draw, chosen));
                }
            }
        }
        if self.monitors_due
            && !self.mark_due
            && self.outbox.has_room(false, limit)
            && self.view.has_primary(&shared.surfaces)
        {
            self.push_monitors(shared);
        }
        if self.can_be_repaired()
            && let Some((id, area)) = self.lossy.poll_repair(now)
        {
            self.push_image(id, area, false, shared, now);
        }
    }

    fn render(&mut self, outgoing: Outgoing) {
        match outgoing {
            Outgoing::Message(id, body) => self.red.send(id, &body),
            Outgoing::Image(id, area, wanted) => {
                let data = self.data(&wanted);
                let message = image_message(id, area, data);
                let body = message.encode();
                self.ahead.handle_packed(wanted.picture.len(), body.len());
                self.red.send(message.id(), &body);
            }
            Outgoing::Draw(draw, chosen) if chosen.is_empty() => {
                if let Some((id, body)) = draw.message() {
                    self.red.send(*id, body);
                }
            }
            Outgoing::Draw(draw, chosen) => {
                let mut sent: Vec<SentImage> = chosen.iter().map(|chosen| self.sent_image(chosen)).collect();
                if draw.copies_picture()
                    && let (Some(sent), Some(Chosen::Wanted(wanted))) = (sent.first_mut(), chosen.first())
                {
                    self.pass_palette(&mut sent.data, &wanted.picture);
                }
                if let Some((id, body)) = draw.message_with(sent) {
                    self.red.send(id, &body);
                }
            }
        }
    }

    /// Sends what the graphics processor shows, once nothing of surfaces waits, which would make the viewer show these;
    /// answers whether there was any.
    fn send_gl(&mut self, shared: &Shared, now: Time) -> bool {
        let Some(scanout) = shared.gl.scanout() else { return false };
        match self.gl.poll_next(now) {
            Some(NextGl::Scanout) => {
                let message = ServerMessage::GlScanoutUnix(scanout_message(scanout));
                self.red.send_with_descriptor(message.id(), &message.encode(), scanout.descriptor);
            }
            Some(NextGl::Draw(area)) => {
                self.updates.handle_drawing(now);
                self.send(&ServerMessage::GlDraw(draw_message(&area)));
                self.red.invite(1, HeaderKind::Full.len() as u64);
            }
            None => return false,
        }
        true
    }

    /// Has the viewer told which part of the primary surface is a monitor, and to show it.
    fn mark(&mut self, shared: &Shared) {
        if self.knows_monitors && shared.monitors.are_expected() {
            self.monitors_due = false;
        } else {
            self.push_monitors(shared);
        }
        self.outbox.push_message(&ServerMessage::Mark);
    }

    /// Has the viewer told, or keeps it due where there is nothing yet that monitors could show.
    fn push_monitors(&mut self, shared: &Shared) {
        let scanout = self.gl.is_shown() && shared.gl.scanout().is_some();
        if !self.caps.has_display(DisplayCap::MONITORS_CONFIG) {
            self.monitors_due = false;
        } else if let Some(monitors) = shared.monitors.message(&shared.surfaces, scanout) {
            self.monitors_due = false;
            self.knows_monitors = true;
            self.outbox.push_message(&monitors);
        }
    }

    /// The monitors show something else.
    pub(super) fn handle_monitors(&mut self) {
        self.monitors_due = true;
    }

    /// Whether the viewer can do that.
    pub(super) fn has(&self, cap: DisplayCap) -> bool {
        self.caps.has_display(cap)
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
