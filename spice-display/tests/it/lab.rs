//! The lab: one worker and viewers behind links that carry so many bytes a step.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use spice_channel::{Channel, ChannelLink, ClientId, PipeLimits, Time};
use spice_client::{ChannelPeer, DisplayModel};
use spice_display::canvas::Canvas;
use spice_display::qxl::GuestEvent;
use spice_display::{CommandError, DisplayConfig, EncodeJob, RedWorker, WorkerConfig};
use spice_proto::caps::{Capabilities, CapabilitySet, CommonCap, DisplayCap};
use spice_proto::display::{ClientMessage, ImageCompression, SurfaceFormat};
use spice_proto::{HeaderKind, Point, Rect};

pub(crate) struct Lab {
    pub(crate) worker: RedWorker,
    pub(crate) now: Time,
    viewers: BTreeMap<ClientId, Viewer>,
    next_id: u64,
    pub(crate) encoders: Encoders,
    /// How many pictures have been packed.
    pub(crate) packed: usize,
    jobs: Vec<EncodeJob>,
    steps: usize,
}

/// How pictures are packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoders {
    /// At once.
    Prompt,
    /// One a millisecond, in any order.
    Slow,
    /// Never.
    Stuck,
    /// One a millisecond, and every third fails.
    Failing,
}

/// Pictures that are packed at a time.
const ENCODERS: usize = 3;

pub(crate) struct Viewer {
    peer: ChannelPeer,
    pub(crate) model: DisplayModel,
    able: bool,
    link: VecDeque<u8>,
    /// Bytes that the link carries in one step.
    pub(crate) rate: usize,
    /// All that the viewer has been sent.
    pub(crate) transcript: Vec<u8>,
}

/// What a viewer says it can: everything, or as little as may be.
pub(crate) fn caps(header: HeaderKind, able: bool) -> Capabilities {
    let mini = (header == HeaderKind::Mini).then_some(CommonCap::MINI_HEADER.0);
    let skills = [DisplayCap::LZ4_COMPRESSION.0, DisplayCap::COMPOSITE.0, DisplayCap::A8_SURFACE.0];
    let skills = skills.into_iter().filter(|_| able);
    Capabilities {
        common: CapabilitySet::new(mini),
        channel: CapabilitySet::new(skills.chain([DisplayCap::MONITORS_CONFIG.0])),
    }
}

impl Lab {
    pub(crate) fn new(pipe: PipeLimits) -> Self {
        Self::with(DisplayConfig { pipe, ..DisplayConfig::default() })
    }

    pub(crate) fn with(config: DisplayConfig) -> Self {
        let worker = RedWorker::new(&WorkerConfig { display: config, ..WorkerConfig::default() });
        Self {
            worker,
            now: Time::from_millis(1),
            viewers: BTreeMap::new(),
            next_id: 1,
            encoders: Encoders::Prompt,
            packed: 0,
            jobs: Vec::new(),
            steps: 0,
        }
    }

    pub(crate) fn join(&mut self, header: HeaderKind, able: bool, rate: usize) -> ClientId {
        let id = ClientId(self.next_id);
        self.next_id += 1;
        self.worker.display_mut().connect(id, ChannelLink { caps: caps(header, able) }, self.now);
        let mut peer = ChannelPeer::new(header);
        // Few enough for images to go that could be needed again.
        let model = DisplayModel::new(1 << 14);
        let init = model.init();
        peer.send_message(init.id(), &init.encode().to_bytes());
        let viewer = Viewer { peer, model, able, link: VecDeque::new(), rate, transcript: Vec::new() };
        self.viewers.insert(id, viewer);
        id
    }

    /// The viewer asks for its images to be packed this way.
    pub(crate) fn prefer(&mut self, id: ClientId, compression: ImageCompression) {
        let wish = ClientMessage::PreferredCompression(compression);
        let peer = &mut self.viewer(id).peer;
        peer.send_message(wish.id(), &wish.encode().to_bytes());
    }

    pub(crate) fn leave(&mut self, id: ClientId) {
        self.worker.display_mut().disconnect(id, self.now);
        self.viewers.remove(&id);
    }

    pub(crate) fn viewer(&mut self, id: ClientId) -> &mut Viewer {
        self.viewers.get_mut(&id).unwrap()
    }

    pub(crate) fn ids(&self) -> Vec<ClientId> {
        self.viewers.keys().copied().collect()
    }

    pub(crate) fn event(&mut self, event: GuestEvent) -> Result<(), CommandError> {
        self.worker.handle_event(event)
    }

    /// Every viewer is given what there is, and the pictures that they wait for are packed, as fast as that
    /// goes.
    fn transmit(&mut self) {
        let display = self.worker.display_mut();
        loop {
            for (id, viewer) in &mut self.viewers {
                while let Some(transmit) = display.poll_transmit(*id, self.now) {
                    viewer.link.extend(transmit.pieces.iter().flatten());
                }
            }
            while self.jobs.len() < ENCODERS
                && let Some(job) = display.poll_encode(true).or_else(|| display.poll_encode(false))
            {
                self.jobs.push(job);
            }
            if self.jobs.is_empty() || self.encoders == Encoders::Stuck {
                return;
            }
            let prompt = self.encoders == Encoders::Prompt;
            let job = self.jobs.remove(if prompt { 0 } else { self.steps % self.jobs.len() });
            self.packed += 1;
            let fails = self.encoders == Encoders::Failing && self.packed.is_multiple_of(3);
            display.handle_encoded(if fails { job.bare() } else { job.run() });
            if !prompt {
                return;
            }
        }
    }

    /// A millisecond passes: every link carries what it can.
    pub(crate) fn step(&mut self) {
        self.now += Duration::from_millis(1);
        self.steps += 1;
        self.transmit();
        let display = self.worker.display_mut();
        for (id, viewer) in &mut self.viewers {
            let len = viewer.rate.min(viewer.link.len());
            let bytes: Vec<u8> = viewer.link.drain(..len).collect();
            if len > 0 {
                display.handle_written(*id, len, self.now);
            }
            viewer.transcript.extend_from_slice(&bytes);
            viewer.peer.handle_bytes(&bytes);
            while let Some((message, body)) = viewer.peer.poll_message().unwrap() {
                viewer.model.handle(message, &body).unwrap();
            }
            display.handle_bytes(*id, &viewer.peer.take_answers(), self.now).unwrap();
        }
    }

    /// Every link is as fast as it takes, until nothing is left to send.
    pub(crate) fn run_until_idle(&mut self) {
        for viewer in self.viewers.values_mut() {
            viewer.rate = usize::MAX;
        }
        for _ in 0..10_000 {
            self.step();
            let idle = self
                .viewers
                .iter()
                .all(|(id, viewer)| viewer.link.is_empty() && self.worker.display().is_current(*id));
            if idle {
                return;
            }
            // Nothing is under way: something waits for its time.
            if self.jobs.is_empty() && self.viewers.values().all(|viewer| viewer.link.is_empty()) {
                self.now += Duration::from_millis(99);
            }
        }
        panic!("viewers do not come to rest");
    }

    /// What the viewer has differs from what the server has: where, or nothing.
    pub(crate) fn difference(&mut self, id: ClientId) -> Option<String> {
        let Viewer { model, able, .. } = &self.viewers[&id];
        let surfaces = self.worker.display().surfaces();
        let kept =
            surfaces.iter().filter(|(_, surface)| *able || surface.shape().format != SurfaceFormat::A8);
        let (here, there): (Vec<_>, Vec<_>) =
            (kept.map(|(id, _)| id).collect(), model.surfaces().map(|(id, _)| id).collect());
        if here != there {
            return Some(format!("surfaces {there:?} instead of {here:?}"));
        }
        for surface in here {
            let all = Rect::new(0, 0, u32::MAX, u32::MAX);
            let canvas = self.worker.display_mut().canvas(surface, all)?;
            let theirs = model.surface(surface)?;
            if canvas.bounds() != theirs.bounds() || canvas.format() != theirs.format() {
                return Some(format!("surface {surface} is {theirs:?} instead of {canvas:?}"));
            }
            // The top bits of what has no alpha mean nothing.
            let seen = match canvas.format() {
                SurfaceFormat::RGB32 => 0x00ff_ffff,
                SurfaceFormat::RGB555 => 0x7fff,
                _ => u32::MAX,
            };
            for at in (0..canvas.height()).flat_map(|y| (0..canvas.width()).map(move |x| point(x, y))) {
                let pixel = |canvas: &Canvas| canvas.pixel(at).map(|bits| bits & seen);
                let (here, there) = (pixel(canvas), pixel(theirs));
                if here != there {
                    let format = canvas.format();
                    return Some(format!("{format} surface {surface} at {at:?}: {there:x?}, not {here:x?}"));
                }
            }
        }
        None
    }
}

fn point(x: u32, y: u32) -> Point {
    Point::new(x.cast_signed(), y.cast_signed())
}
