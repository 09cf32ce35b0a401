//! The thread of one guest: it owns the guest and its display and cursor channels, and nothing waits for anything else.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SendError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use spice_channel::{ChannelLink, ClientId, Time};
use spice_display::qxl::{Command, DeviceEvent, GuestEvent};
use spice_display::{DisplayStats, EncodeDone, EncodeJob, RedWorker};
use spice_proto::ChannelType;
use spice_proto::caps::CapabilitySet;
use spice_proto::inputs::KeyModifiers;
use tokio::runtime::Handle;
use tokio::sync::watch;

use crate::clock;
use crate::guest::{GUEST_CAPS, Guest, GuestInput, GuestWaker, ReadBack};
use crate::io::{ChannelDriver, Connection, ConnectionEvent, Ended, Opening, ReadPermit, connect};
use crate::quality::Quality;
use crate::reds::{RedsEvent, RedsHandle};
use crate::stats::Counters;
use crate::transport::Stream;
use crate::viewers::{HasDisplay, Roll};

/// What the worker is told.
#[derive(Debug)]
pub(crate) enum WorkerMessage {
    /// A viewer has linked a display or cursor channel; only the result is still to be sent.
    Connect(ChannelType, ClientId, ChannelLink, Opening),
    /// A connection says something.
    Connection(ChannelType, ClientId, ConnectionEvent),
    /// A viewer is gone.
    Disconnect(ChannelType, ClientId),
    /// Viewers typed or moved their mice.
    Inputs(Vec<GuestInput>, Option<ReadPermit>),
    /// Whether viewers draw the pointer where their own mouse is.
    PointerIsLocal(bool),
    /// A picture has been packed.
    Encoded(EncodeDone),
    /// Pictures are packed otherwise from now on.
    Quality(Quality),
    /// Somebody asks how the viewers fare.
    Call(Roll),
    /// Something may be new.
    Wake,
    /// The server ends.
    Stop,
}

/// How others reach the worker.
#[derive(Clone, Debug)]
pub(crate) struct WorkerHandle {
    mailbox: Sender<WorkerMessage>,
}

impl HasDisplay for WorkerHandle {
    fn call(&self, roll: Roll) -> Result<(), Roll> {
        match self.mailbox.send(WorkerMessage::Call(roll)) {
            Err(SendError(WorkerMessage::Call(roll))) => Err(roll),
            _ => Ok(()),
        }
    }
}

impl WorkerHandle {
    pub(crate) fn send(&self, message: WorkerMessage) {
        let _ = self.mailbox.send(message);
    }

    /// Starts a connection whose events come to the worker. The worker itself does, so that it knows the connection
    /// before it hears from it.
    fn connect(&self, runtime: &Handle, kind: ChannelType, id: ClientId, opening: Opening) -> Connection {
        let mailbox = self.mailbox.clone();
        let _runtime = runtime.enter();
        connect(opening, move |event| {
            let _ = mailbox.send(WorkerMessage::Connection(kind, id, event));
        })
    }

    /// Packs a picture on a thread of its own; the worker hears of it, even if that fails.
    fn encode(&self, runtime: &Handle, job: EncodeJob) {
        let mailbox = self.mailbox.clone();
        runtime.spawn_blocking(move || {
            let bare = job.bare();
            let done = catch_unwind(AssertUnwindSafe(|| job.run())).unwrap_or_else(|_| {
                tracing::error!("a picture could not be packed, and is sent bare");
                bare
            });
            let _ = mailbox.send(WorkerMessage::Encoded(done));
        });
    }
}

/// A worker that runs.
#[derive(Debug)]
pub(crate) struct WorkerThread {
    pub(crate) handle: WorkerHandle,
    /// Turns true when the guest has ended and its last picture is with every viewer that keeps up.
    pub(crate) finished: watch::Receiver<bool>,
    thread: Option<JoinHandle<()>>,
}

impl WorkerThread {
    pub(crate) fn stop(&mut self) {
        self.handle.send(WorkerMessage::Stop);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Worker {
    core: RedWorker,
    display_connections: ChannelDriver,
    cursor_connections: ChannelDriver,
    guest: Box<dyn Guest>,
    handle: WorkerHandle,
    mailbox: Receiver<WorkerMessage>,
    runtime: Handle,
    woken: Arc<AtomicBool>,
    reds: RedsHandle,
    counters: Arc<Counters>,
    leds: KeyModifiers,
    /// Pictures that are being packed elsewhere.
    encoding: usize,
    /// How many may be at a time.
    encoders: usize,
    /// What has been counted of this display.
    told: DisplayStats,
    finished: watch::Sender<bool>,
    finished_since: Option<Time>,
}

/// Commands that are taken before viewers get what there is.
const BATCH: usize = 64;

/// Messages that are taken before the guest and the viewers have their turn: who never stops talking keeps nobody from
/// theirs.
const MESSAGES: usize = 64;

/// Pictures that are packed at a time, where there are so many processors.
const MOST_ENCODERS: usize = 8;

/// How long the last picture of a guest that has ended may take to reach its viewers.
const LINGER: Duration = Duration::from_secs(2);

/// The mailbox of a worker that does not run yet.
pub(crate) struct WorkerMailbox {
    handle: WorkerHandle,
    mailbox: Receiver<WorkerMessage>,
}

impl WorkerMailbox {
    pub(crate) fn new() -> Self {
        let (sender, mailbox) = channel();
        Self { handle: WorkerHandle { mailbox: sender }, mailbox }
    }

    pub(crate) fn handle(&self) -> WorkerHandle {
        self.handle.clone()
    }

    /// Starts the thread.
    pub(crate) fn start(
        self,
        core: RedWorker,
        mut guest: Box<dyn Guest>,
        reds: RedsHandle,
        counters: Arc<Counters>,
        runtime: Handle,
    ) -> io::Result<WorkerThread> {
        let woken = Arc::new(AtomicBool::new(false));
        guest.attach(self.waker(Arc::clone(&woken)));
        let (finished, finished_receiver) = watch::channel(false);
        let worker = Worker {
            core,
            display_connections: ChannelDriver::new(Arc::clone(&counters)),
            cursor_connections: ChannelDriver::new(Arc::clone(&counters)),
            leds: guest.leds(),
            encoding: 0,
            encoders: thread::available_parallelism().map_or(1, usize::from).min(MOST_ENCODERS),
            guest,
            handle: self.handle(),
            mailbox: self.mailbox,
            runtime,
            told: DisplayStats::default(),
            woken,
            reds,
            counters,
            finished,
            finished_since: None,
        };
        let thread = thread::Builder::new().name("red-worker".into()).spawn(move || worker.run())?;
        Ok(WorkerThread { handle: self.handle, finished: finished_receiver, thread: Some(thread) })
    }

    /// Wakes the worker at most once until it has looked.
    fn waker(&self, woken: Arc<AtomicBool>) -> GuestWaker {
        let handle = self.handle.clone();
        GuestWaker::new(move || {
            if !woken.swap(true, Ordering::AcqRel) {
                handle.send(WorkerMessage::Wake);
            }
        })
    }
}

impl Worker {
    fn run(mut self) {
        loop {
            let more = self.poll_guest(clock::now());
            self.flush(clock::now());
            self.check_finished(clock::now());
            let wait = if more { Duration::ZERO } else { self.wait(clock::now()) };
            match self.mailbox.recv_timeout(wait) {
                Ok(WorkerMessage::Stop) | Err(RecvTimeoutError::Disconnected) => return,
                Ok(message) => self.handle_message(message, clock::now()),
                Err(RecvTimeoutError::Timeout) => {}
            }
            for _ in 1..MESSAGES {
                match self.mailbox.try_recv() {
                    Ok(WorkerMessage::Stop) => return,
                    Ok(message) => self.handle_message(message, clock::now()),
                    Err(_) => break,
                }
            }
            self.handle_timeout(clock::now());
        }
    }

    /// Whether the guest has to wait until its viewers keep up.
    fn is_held(&self) -> bool {
        self.guest.waits_for_viewers() && !self.core.display().viewers_keep_up()
    }

    /// Takes what the guest has, up to a batch; answers whether there may be more.
    fn poll_guest(&mut self, now: Time) -> bool {
        self.woken.store(false, Ordering::Release);
        for _ in 0..BATCH {
            if self.is_held() {
                return false;
            }
            let Some(event) = self.guest.poll(now) else { return false };
            self.counters.commands.fetch_add(1, Ordering::Relaxed);
            if let GuestEvent::Device(DeviceEvent::GlScanout(scanout)) = &event {
                let id = scanout.as_ref().map(|scanout| scanout.descriptor);
                let descriptor = id.and_then(|id| Some((id, self.guest.descriptor(id)?)));
                self.display_connections.set_descriptor(descriptor);
            }
            if let GuestEvent::Command(Command::Update(update)) = event {
                self.guest.read_back(&update, ReadBack::new(self.core.display_mut()));
            } else if let Err(error) = self.core.handle_event(event) {
                let earlier = self.counters.refused.fetch_add(1, Ordering::Relaxed);
                if earlier < REFUSALS_LOGGED {
                    tracing::warn!("guest: {error}");
                }
            }
        }
        true
    }

    fn wait(&self, now: Time) -> Duration {
        let guest = self.guest.poll_timeout().filter(|_| !self.is_held());
        let channels = self.core.poll_timeout();
        let linger = self.finished_since.filter(|_| !*self.finished.borrow()).map(|since| since + LINGER);
        let until = guest.into_iter().chain(channels).chain(linger).min();
        until.map_or(IDLE, |until| until.since(now).min(IDLE))
    }

    fn handle_message(&mut self, message: WorkerMessage, now: Time) {
        let (display, cursor) = self.core.channels_mut();
        match message {
            WorkerMessage::Connect(kind @ ChannelType::CURSOR, id, link, opening) => {
                let connection = self.handle.connect(&self.runtime, kind, id, opening);
                self.cursor_connections.connect(cursor, id, link, connection, now);
            }
            WorkerMessage::Connect(kind, id, link, opening) => {
                let bare = matches!(opening.stream, Stream::Unix(_));
                let connection = self.handle.connect(&self.runtime, kind, id, opening);
                self.display_connections.connect(display, id, link, connection, now);
                if bare {
                    display.allow_descriptors(id);
                }
                self.tell_viewers(now);
            }
            WorkerMessage::Connection(ChannelType::CURSOR, id, event) => {
                if let Some(ended) = self.cursor_connections.handle_event(cursor, id, event, now) {
                    self.report(ChannelType::CURSOR, ended);
                }
            }
            WorkerMessage::Connection(_, id, event) => {
                if let Some(ended) = self.display_connections.handle_event(display, id, event, now) {
                    self.tell_viewers(now);
                    self.report(ChannelType::DISPLAY, ended);
                }
            }
            WorkerMessage::Disconnect(ChannelType::CURSOR, id) => {
                self.cursor_connections.disconnect(cursor, id, now);
            }
            WorkerMessage::Disconnect(_, id) => {
                if self.display_connections.disconnect(display, id, now) {
                    self.tell_viewers(now);
                }
            }
            WorkerMessage::Inputs(inputs, _permit) => self.handle_inputs(inputs, now),
            WorkerMessage::PointerIsLocal(local) => cursor.set_local(local),
            WorkerMessage::Encoded(done) => {
                self.encoding -= 1;
                display.handle_encoded(done);
            }
            WorkerMessage::Quality(quality) => {
                display.set_quality(quality.compression, quality.jpeg, quality.zlib_glz);
            }
            WorkerMessage::Call(roll) => roll.pass_on(display, now),
            WorkerMessage::Wake | WorkerMessage::Stop => {}
        }
    }

    /// Tells the guest who is here.
    fn tell_viewers(&mut self, now: Time) {
        let display = self.core.display();
        let caps = GUEST_CAPS.into_iter().filter(|cap| display.any_viewer_has(*cap));
        let caps = CapabilitySet::new(caps.map(|cap| cap.0));
        self.guest.handle_viewers(self.display_connections.len(), now);
        self.guest.handle_abilities(&caps);
    }

    fn handle_inputs(&mut self, inputs: Vec<GuestInput>, now: Time) {
        for input in inputs {
            self.guest.handle_input(input, now);
        }
        let leds = self.guest.leds();
        if leds != self.leds {
            self.leds = leds;
            let _ = self.reds.send(RedsEvent::Leds(leds));
        }
    }

    fn handle_timeout(&mut self, now: Time) {
        let (display, cursor) = self.core.channels_mut();
        let displays = self.display_connections.handle_timeout(display, now);
        let cursors = self.cursor_connections.handle_timeout(cursor, now);
        if !displays.is_empty() {
            self.tell_viewers(now);
        }
        displays.into_iter().for_each(|ended| self.report(ChannelType::DISPLAY, ended));
        cursors.into_iter().for_each(|ended| self.report(ChannelType::CURSOR, ended));
    }

    fn flush(&mut self, now: Time) {
        let (display, cursor) = self.core.channels_mut();
        self.cursor_connections.flush(cursor, now);
        self.display_connections.flush(display, now);
        while self.encode() {
            self.display_connections.flush(self.core.display_mut(), now);
        }
        if self.core.display_mut().poll_gl_drawn() {
            self.guest.handle_gl_drawn();
        }
        let stats = self.core.display().stats();
        self.counters.change(self.told, stats);
        self.told = stats;
    }

    /// Has the pictures packed that viewers wait for: small ones here and now, the others elsewhere, some at a time.
    /// Answers whether one is packed already.
    fn encode(&mut self) -> bool {
        let display = self.core.display_mut();
        let mut packed = false;
        while let Some(job) = display.poll_encode(true) {
            display.handle_encoded(job.run());
            packed = true;
        }
        while self.encoding < self.encoders
            && let Some(job) = display.poll_encode(false)
        {
            self.encoding += 1;
            self.handle.encode(&self.runtime, job);
        }
        packed
    }

    fn check_finished(&mut self, now: Time) {
        if *self.finished.borrow() || !self.guest.is_finished() {
            return;
        }
        let since = *self.finished_since.get_or_insert(now);
        let display = self.core.display();
        let all_current = display.viewers().all(|viewer| display.is_current(viewer));
        if all_current || now.since(since) >= LINGER {
            let _ = self.finished.send(true);
        }
    }

    fn report(&self, kind: ChannelType, ended: Ended) {
        let _ = self.reds.send(RedsEvent::Ended(kind, self.core.display().id(), ended));
    }
}

/// Refused commands that are logged one by one; the others are only counted.
const REFUSALS_LOGGED: u64 = 20;

/// The longest sleep, so that a clock that stood still is noticed.
const IDLE: Duration = Duration::from_secs(60);
