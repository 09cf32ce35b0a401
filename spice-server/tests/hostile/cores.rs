//! The display and cursor cores with a virtual clock, twice: once with hostile viewers and once without. What the
//! well-behaved viewer is sent is the same to the byte.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use spice_channel::{Channel, ChannelLink, ClientId, Time};
use spice_client::{ChannelPeer, CursorModel, DisplayModel};
use spice_display::qxl::{
    Bitmap, BitmapFormat, Clip, Command, CursorCommand, CursorShape, DeviceEvent, DrawCopy, DrawFill, DrawOp,
    Drawable, Effect, GuestEvent, Image, PrimarySurface, SurfaceCommand,
};
use spice_display::{RedWorker, WorkerConfig};
use spice_proto::caps::{Capabilities, CapabilitySet, CommonCap, DisplayCap};
use spice_proto::cursor::CursorType;
use spice_proto::display::SurfaceFormat;
use spice_proto::{ChannelType, HeaderKind, Point16, Rect, SurfaceId};

use crate::panics;
use crate::steps::{Ending, Random, Sequence, Step, Witness, seed_of, share};

const SIDE: u32 = 64;
const HONEST: ClientId = ClientId(1 << 40);
const LATE: ClientId = ClientId(1 << 50);

fn caps(header: HeaderKind) -> ChannelLink {
    let mini = (header == HeaderKind::Mini).then_some(CommonCap::MINI_HEADER.0);
    let channel = [DisplayCap::MONITORS_CONFIG.0, DisplayCap::COMPOSITE.0, DisplayCap::LZ4_COMPRESSION.0];
    let caps = Capabilities { common: CapabilitySet::new(mini), channel: CapabilitySet::new(channel) };
    ChannelLink { caps }
}

/// A viewer that reads and answers everything.
struct Honest {
    id: ClientId,
    display: ChannelPeer,
    cursor: ChannelPeer,
    picture: DisplayModel,
    pointer: CursorModel,
    /// All that it has been sent, in short.
    transcript: DefaultHasher,
    len: usize,
}

/// A worker, its guest and a viewer.
struct World {
    worker: RedWorker,
    now: Time,
    ticks: u32,
    honest: Honest,
}

impl Honest {
    fn join(worker: &mut RedWorker, id: ClientId, now: Time) -> Self {
        let (display, cursor) = worker.channels_mut();
        display.connect(id, caps(HeaderKind::Mini), now);
        cursor.connect(id, caps(HeaderKind::Mini), now);
        let picture = DisplayModel::new(1 << 14);
        let mut peer = ChannelPeer::new(HeaderKind::Mini);
        let init = picture.init();
        peer.send_message(init.id(), &init.encode().to_bytes());
        let cursor = ChannelPeer::new(HeaderKind::Mini);
        let (pointer, transcript) = (CursorModel::default(), DefaultHasher::new());
        Self { id, display: peer, cursor, picture, pointer, transcript, len: 0 }
    }

    /// Takes what there is and answers it; says whether there was anything.
    fn poll(&mut self, worker: &mut RedWorker, now: Time) -> bool {
        let mut any = false;
        let (display, cursor) = worker.channels_mut();
        display.handle_bytes(self.id, &self.display.take_answers(), now).unwrap();
        while let Some(transmit) = display.poll_transmit(self.id, now) {
            let bytes = self.note(&transmit.to_bytes());
            display.handle_written(self.id, transmit.len, now);
            self.display.handle_bytes(&bytes);
            while let Some((id, body)) = self.display.poll_message().unwrap() {
                self.picture.handle(id, &body).unwrap();
            }
            display.handle_bytes(self.id, &self.display.take_answers(), now).unwrap();
            any = true;
        }
        while let Some(transmit) = cursor.poll_transmit(self.id, now) {
            let bytes = self.note(&transmit.to_bytes());
            cursor.handle_written(self.id, transmit.len, now);
            self.cursor.handle_bytes(&bytes);
            while let Some((id, body)) = self.cursor.poll_message().unwrap() {
                self.pointer.handle(id, &body).unwrap();
            }
            cursor.handle_bytes(self.id, &self.cursor.take_answers(), now).unwrap();
            any = true;
        }
        any
    }

    fn note(&mut self, bytes: &[u8]) -> Vec<u8> {
        bytes.hash(&mut self.transcript);
        self.len += bytes.len();
        bytes.to_vec()
    }
}

/// A hostile viewer in the middle of its sequence.
struct Hostile {
    id: ClientId,
    sequence: Sequence,
    left: VecDeque<Step>,
    peer: ChannelPeer,
    /// What it has been sent and does not take.
    unread: Vec<u8>,
    listens: bool,
    over: bool,
}

impl World {
    fn new() -> Self {
        let mut worker = RedWorker::new(&WorkerConfig::default());
        let primary =
            PrimarySurface { width: SIDE, height: SIDE, format: SurfaceFormat::RGB32, content: None };
        worker.handle_event(GuestEvent::Device(DeviceEvent::CreatePrimary(primary))).unwrap();
        let now = Time::from_millis(1);
        let honest = Honest::join(&mut worker, HONEST, now);
        Self { worker, now, ticks: 0, honest }
    }

    /// So many milliseconds pass. The guest draws, and everybody is sent what there is.
    fn pass(&mut self, millis: u32, hostiles: &mut [Hostile]) {
        // Long waits go by in steps of a second.
        let step = if millis > 1000 { 1000 } else { 4 };
        let mut left = millis;
        loop {
            self.tick();
            self.exchange(hostiles);
            if left == 0 {
                return;
            }
            self.now += Duration::from_millis(left.min(step).into());
            left = left.saturating_sub(step);
        }
    }

    fn exchange(&mut self, hostiles: &mut [Hostile]) {
        let now = self.now;
        for _ in 0..100 {
            let mut any = self.honest.poll(&mut self.worker, now);
            for hostile in hostiles.iter_mut().filter(|hostile| !hostile.over) {
                any |= hostile.take(&mut self.worker, now);
            }
            let display = self.worker.display_mut();
            while let Some(job) = display.poll_encode(true).or_else(|| display.poll_encode(false)) {
                display.handle_encoded(job.run());
                any = true;
            }
            if !any {
                break;
            }
        }
        let (display, cursor) = self.worker.channels_mut();
        let ended = display.handle_timeout(now).into_iter().chain(cursor.handle_timeout(now));
        for (id, error) in ended.collect::<Vec<_>>() {
            let hostile = hostiles.iter_mut().find(|hostile| hostile.id == id);
            let hostile = hostile.unwrap_or_else(|| panic!("{id} has done nothing: {error}"));
            hostile.leave(&mut self.worker, now);
        }
    }

    /// The guest draws something: text-like and photo-like, surfaces that come and go, a pointer that moves and changes.
    fn tick(&mut self) {
        let tick = self.ticks;
        self.ticks += 1;
        let mut random = Random::new(tick.into());
        let (x, y) = (random.below(32) as i32, random.below(32) as i32);
        let area = Rect::new(x, y, 1 + random.below(32) as u32, 1 + random.below(32) as u32);
        let colour = random.next() as u32 & 0x00ff_ffff;
        let other = SurfaceId(1 + random.below(3) as u32);
        let event = match tick % 16 {
            0..6 => draw(SurfaceId::PRIMARY, area, DrawOp::Fill(DrawFill::solid(colour))),
            6..10 => {
                let seed = random.below(24) as u32;
                let image = Image::bitmap(u64::from(seed), bitmap(area.width(), area.height(), seed));
                let source = Rect::new(0, 0, area.width(), area.height());
                draw(SurfaceId::PRIMARY, area, DrawOp::Copy(DrawCopy::put(image, source)))
            }
            10 => {
                let (width, height, format) = (SIDE, SIDE, SurfaceFormat::ARGB32);
                let create = SurfaceCommand::Create { surface: other, width, height, format, content: None };
                GuestEvent::Command(Command::Surface(create))
            }
            11 => GuestEvent::Command(Command::Surface(SurfaceCommand::Destroy { surface: other })),
            12 => draw(other, area, DrawOp::Fill(DrawFill::solid(colour))),
            13 => {
                let image = Image::surface(other);
                let source = Rect::new(0, 0, area.width(), area.height());
                draw(SurfaceId::PRIMARY, area, DrawOp::Copy(DrawCopy::put(image, source)))
            }
            _ => GuestEvent::Command(Command::Cursor(pointer(&mut random))),
        };
        // A surface that is not there, or there already, is refused in both worlds.
        let _ = self.worker.handle_event(event);
    }
}

fn draw(surface: SurfaceId, bbox: Rect, op: DrawOp) -> GuestEvent {
    let effect = Effect::OPAQUE;
    GuestEvent::Command(Command::Draw(Drawable { surface, bbox, clip: Clip::None, effect, mm_time: 0, op }))
}

/// The pointer moves, changes, hides.
fn pointer(random: &mut Random) -> CursorCommand {
    let position = Point16 { x: random.below(64) as i16, y: random.below(64) as i16 };
    match random.below(5) {
        0 => CursorCommand::Hide,
        1 => CursorCommand::Trail { length: random.below(5) as u16, frequency: 10 },
        2 => {
            let unique = 1 + random.below(6) as u64;
            let data = vec![unique as u8; 8 * 8 * 4].into();
            let (kind, width, height, hot_spot_x, hot_spot_y) = (CursorType::ALPHA, 8, 8, 1, 1);
            let shape = CursorShape { unique, kind, width, height, hot_spot_x, hot_spot_y, data };
            CursorCommand::Set { position, visible: !random.one_in(4), shape: Arc::new(shape) }
        }
        _ => CursorCommand::Move(position),
    }
}

/// Flat, or soft: what is packed in different ways.
fn bitmap(width: u32, height: u32, seed: u32) -> Arc<Bitmap> {
    let pixel = |x: u32, y: u32| match seed % 3 {
        0 => (x / 5 * 0x0031_4159) ^ (y / 3 * 0x0027_1828) ^ seed,
        1 => ((x * 4 + seed) & 0xff) << 16 | ((y * 4 + seed) & 0xff) << 8 | ((x + y) & 0xff),
        _ => (x * y).wrapping_mul(2_654_435_761).wrapping_add(seed) & 0x00ff_ffff,
    };
    let pixels: Vec<u8> =
        (0..height).flat_map(|y| (0..width).flat_map(move |x| pixel(x, y).to_le_bytes())).collect();
    let size = (width, height);
    Arc::new(Bitmap::new(BitmapFormat::RGB32, size, width * 4, true, pixels.into()).unwrap())
}

impl Hostile {
    fn join(world: &mut World, id: ClientId, sequence: Sequence) -> Self {
        let link = caps(sequence.header);
        let (display, cursor) = world.worker.channels_mut();
        match sequence.channel {
            ChannelType::CURSOR => cursor.connect(id, link, world.now),
            _ => display.connect(id, link, world.now),
        }
        let (left, peer) = (sequence.steps.clone().into(), ChannelPeer::new(sequence.header));
        Self { id, sequence, left, peer, unread: Vec::new(), listens: true, over: false }
    }

    fn channel<'a>(&self, worker: &'a mut RedWorker) -> &'a mut dyn Channel {
        let (display, cursor) = worker.channels_mut();
        if self.sequence.channel == ChannelType::CURSOR { cursor } else { display }
    }

    /// Takes what it is sent, and answers it if it listens.
    fn take(&mut self, worker: &mut RedWorker, now: Time) -> bool {
        let mut any = false;
        while let Some(transmit) = self.channel(worker).poll_transmit(self.id, now) {
            any = true;
            self.unread.extend_from_slice(&transmit.to_bytes());
        }
        if self.listens && !self.unread.is_empty() {
            any = true;
            let unread = std::mem::take(&mut self.unread);
            self.channel(worker).handle_written(self.id, unread.len(), now);
            self.peer.handle_bytes(&unread);
            while self.peer.poll_message().unwrap().is_some() {}
            let answers = self.peer.take_answers();
            self.send(worker, &answers, now);
        }
        any
    }

    fn send(&mut self, worker: &mut RedWorker, bytes: &[u8], now: Time) {
        // As sockets cut them.
        for piece in bytes.chunks(16 << 10) {
            if !self.over && self.channel(worker).handle_bytes(self.id, piece, now).is_err() {
                self.leave(worker, now);
            }
        }
    }

    fn leave(&mut self, worker: &mut RedWorker, now: Time) {
        self.channel(worker).disconnect(self.id, now);
        self.over = true;
    }
}

/// The worlds and everybody in them, who take turns.
struct Play {
    attacked: World,
    quiet: World,
    hostiles: Vec<Hostile>,
    /// How many have come to the end of what they had to say.
    said_all: u64,
}

impl Play {
    fn pass(&mut self, millis: u32) {
        self.attacked.pass(millis, &mut self.hostiles);
        self.quiet.pass(millis, &mut []);
        let (here, there) = (&self.attacked.honest, &self.quiet.honest);
        assert_eq!(here.len, there.len, "the well-behaved viewer is sent something else");
        assert_eq!(here.transcript.finish(), there.transcript.finish(), "other bytes of the same length");
    }

    /// One of the hostile viewers does the next thing.
    fn act(&mut self, which: usize) {
        let hostile = &mut self.hostiles[which];
        let now = self.attacked.now;
        match hostile.left.pop_front() {
            Some(Step::Wait(millis)) => self.pass(millis),
            Some(Step::Listen(listens)) => hostile.listens = listens,
            Some(step) => hostile.send(&mut self.attacked.worker, &step.bytes(hostile.sequence.header), now),
            None => {
                if hostile.sequence.ending == Ending::HalfClose {
                    hostile.listens = true;
                    self.pass(1);
                }
                self.said_all += 1;
                self.hostiles[which].leave(&mut self.attacked.worker, now);
            }
        }
    }
}

/// Hostile viewers that are there at a time.
const AT_A_TIME: usize = 3;

fn play(part: u64, channel: ChannelType, sequences: u64) {
    panics::watch();
    let _shared = panics::ALONE.read().unwrap_or_else(PoisonError::into_inner);
    let mut play = Play { attacked: World::new(), quiet: World::new(), hostiles: Vec::new(), said_all: 0 };
    let mut random = Random::new(seed_of(part, u64::MAX));
    let mut begun = 0;
    while begun < sequences || !play.hostiles.is_empty() {
        while play.hostiles.len() < AT_A_TIME && begun < sequences {
            let sequence = Sequence::new(seed_of(part, begun), channel);
            begun += 1;
            // Before the well-behaved one in every list, or behind it.
            let id = ClientId(begun + if begun % 2 == 0 { HONEST.0 } else { 0 });
            play.hostiles.push(Hostile::join(&mut play.attacked, id, sequence));
        }
        let going_on: Vec<Sequence> = play.hostiles.iter().map(|hostile| hostile.sequence.clone()).collect();
        let going_on: Vec<&Sequence> = going_on.iter().collect();
        let _witness = Witness(&going_on);
        play.act(random.below(play.hostiles.len()));
        if random.one_in(4) {
            play.pass(random.below(8) as u32);
        }
        play.hostiles.retain(|hostile| !hostile.over);
        let stats = play.attacked.worker.display().stats();
        let displays =
            play.hostiles.iter().filter(|hostile| hostile.sequence.channel == ChannelType::DISPLAY);
        assert_eq!(stats.viewers, 1 + displays.count());
        assert!(stats.queued <= 256 * stats.viewers, "{stats:?}");
    }
    play.pass(2000);
    // Some are heard out, and some are ended.
    assert!((begun / 10..=begun * 9 / 10).contains(&play.said_all), "{} of {begun}", play.said_all);
    let stats = play.attacked.worker.display().stats();
    assert_eq!((stats.viewers, stats.queued), (1, 0), "{stats:?}");
    same_pictures(&mut play.attacked);
    assert_eq!(panics::seen(), Vec::<String>::new());
}

/// A viewer that comes when all is over shows what the well-behaved one does.
fn same_pictures(world: &mut World) {
    let mut late = Honest::join(&mut world.worker, LATE, world.now);
    for _ in 0..10 {
        let display = world.worker.display_mut();
        while let Some(job) = display.poll_encode(true).or_else(|| display.poll_encode(false)) {
            display.handle_encoded(job.run());
        }
        late.poll(&mut world.worker, world.now);
        world.honest.poll(&mut world.worker, world.now);
        world.now += Duration::from_millis(50);
    }
    let (ours, theirs): (Vec<_>, Vec<_>) =
        (world.honest.picture.surfaces().collect(), late.picture.surfaces().collect());
    assert!(late.picture.is_marked());
    assert_eq!(ours.len(), theirs.len());
    for ((id, ours), (other, theirs)) in ours.into_iter().zip(theirs) {
        assert_eq!((id, ours.bounds(), ours.format()), (other, theirs.bounds(), theirs.format()));
        assert!(ours.read(ours.bounds()) == theirs.read(theirs.bounds()), "surface {id} differs");
    }
}

#[test]
fn requirement_displays_in_wrong_orders_change_no_byte_of_another_viewer() {
    play(1, ChannelType::DISPLAY, share(25_000));
}

#[test]
fn requirement_more_displays_in_wrong_orders_change_no_byte_of_another_viewer() {
    play(2, ChannelType::DISPLAY, share(25_000));
}

#[test]
fn requirement_cursors_in_wrong_orders_change_no_byte_of_another_viewer() {
    play(3, ChannelType::CURSOR, share(15_000));
}
