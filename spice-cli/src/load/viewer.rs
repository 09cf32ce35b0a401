//! One viewer, from its first connection to its end.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use rand::RngExt;
use spice_client::ChannelPeer;
use spice_proto::caps::{CapabilitySet, MainCap};
use spice_proto::{ChannelType, ConnectionId, main};
use tokio::time::{Instant, sleep, sleep_until, timeout_at};

use super::channel::{Buffer, Channel, Server};
use super::marker;
use super::screen::{Event, Screen};
use super::tally::{Kind, Phase, Tally};
use super::throttle::{TICK, Throttle};

/// The longest that a viewer stays that comes and goes, in milliseconds.
const VISIT_MS: u64 = 500;
/// How often a viewer that reads nothing looks whether it is still connected.
const LOOK: Duration = Duration::from_millis(500);

/// What all viewers have in common.
#[derive(Debug)]
pub(super) struct Common {
    pub(super) server: Server,
    pub(super) buffer: Buffer,
    /// Bytes a second of a throttled viewer.
    pub(super) rate: u32,
    /// Whether viewers paint everything.
    pub(super) paint: bool,
    pub(super) phase: Cell<Phase>,
    /// Whether any viewer has got as far as to its display.
    pub(super) linked: Cell<bool>,
}

/// A viewer, and what has happened to it.
#[derive(Debug)]
pub(super) struct Viewer {
    pub(super) kind: Kind,
    pub(super) tally: RefCell<Tally>,
    pub(super) screen: RefCell<Option<Screen>>,
}

impl Viewer {
    pub(super) fn new(kind: Kind) -> Self {
        Self { kind, tally: RefCell::default(), screen: RefCell::default() }
    }

    /// Watches until the connection ends, which it says why; one that comes and goes never ends.
    pub(super) async fn run(&self, common: &Common) -> String {
        if self.kind != Kind::Flapping {
            let why = self.watch(common).await;
            self.tally.borrow_mut().dead += 1;
            return why;
        }
        loop {
            let end = Instant::now() + Duration::from_millis(rand::rng().random_range(0..=VISIT_MS));
            if let Ok(why) = timeout_at(end, self.watch(common)).await {
                self.tally.borrow_mut().dead += 1;
                tracing::info!("a viewer that comes and goes was sent away: {why}");
                if !common.linked.get() {
                    return why;
                }
                sleep_until(end).await;
            }
        }
    }

    /// A visit, until it fails.
    async fn watch(&self, common: &Common) -> String {
        self.tally.borrow_mut().join(marker::now());
        match self.connect(common).await {
            Ok((mut main, mut display)) => {
                common.linked.set(true);
                let serve = serve(&mut main.0, &mut main.1, common);
                tokio::select! {
                    why = serve => why,
                    why = self.show(&mut display, common) => why,
                }
                .err()
                .unwrap_or_default()
            }
            Err(why) => why,
        }
    }

    /// Begins a session and links its display.
    async fn connect(&self, common: &Common) -> Result<((Channel, ChannelPeer), Channel), String> {
        let caps = [MainCap::SEMI_SEAMLESS_MIGRATE, MainCap::NAME_AND_UUID, MainCap::SEAMLESS_MIGRATE]
            .map(|cap| cap.0);
        let caps = CapabilitySet::new(caps);
        let mut channel = Channel::link(&common.server, ConnectionId(0), ChannelType::MAIN, caps).await?;
        let mut peer = ChannelPeer::new(channel.header);
        let connection = begin(&mut channel, &mut peer, &common.buffer).await?;
        let caps = Screen::caps(common.paint);
        let display = Channel::link(&common.server, connection, ChannelType::DISPLAY, caps).await?;
        *self.screen.borrow_mut() = Some(Screen::new(display.header, common.paint));
        Ok(((channel, peer), display))
    }

    /// Reads the display as this kind of viewer does.
    async fn show(&self, display: &mut Channel, common: &Common) -> Result<(), String> {
        display.send(&self.answers()).await?;
        let mut throttle = None;
        match self.kind {
            Kind::Fast | Kind::Flapping => {}
            Kind::Throttled => throttle = Some(Throttle::new(common.rate, marker::now())),
            Kind::Stalled => {
                while !display.has_ended().await {
                    sleep(LOOK).await;
                }
                return Err("the server has ended the display".into());
            }
        }
        loop {
            let most = throttle.as_mut().map(|throttle| throttle.allowance(marker::now()));
            if most == Some(0) {
                sleep(TICK).await;
                continue;
            }
            let take = |bytes: &[u8]| self.take(bytes, common).map(|()| bytes.len());
            let read = display.read(&common.buffer, most.unwrap_or(usize::MAX), take).await??;
            if let Some(throttle) = &mut throttle {
                throttle.spend(read);
            }
            display.send(&self.answers()).await?;
        }
    }

    /// Bytes of the display have come.
    fn take(&self, bytes: &[u8], common: &Common) -> Result<(), String> {
        let (now, phase) = (marker::now(), common.phase.get());
        let (mut tally, mut screen) = (self.tally.borrow_mut(), self.screen.borrow_mut());
        tally.read(bytes.len(), phase);
        let Some(screen) = screen.as_mut() else { return Ok(()) };
        screen.take(bytes, |event| match event {
            Event::Image => {
                tally.images += 1;
                tally.picture(now);
            }
            Event::Marker(marker) => tally.paint(Some(marker), now, phase),
            Event::Over(marker) if marker.is_plausible(now) => tally.paint(Some(marker), now, phase),
            Event::Over(_) | Event::Unreadable => tally.paint(None, now, phase),
            Event::Blank => tally.blank(),
        })
    }

    fn answers(&self) -> Vec<u8> {
        self.screen.borrow_mut().as_mut().map(Screen::take_answers).unwrap_or_default()
    }
}

/// Reads the main channel until the server has said which channels there are.
async fn begin(
    channel: &mut Channel,
    peer: &mut ChannelPeer,
    buffer: &Buffer,
) -> Result<ConnectionId, String> {
    let mut session = None;
    loop {
        channel.read(buffer, usize::MAX, |bytes| peer.handle_bytes(bytes)).await?;
        while let Some((id, body)) = peer.poll_message()? {
            match main::ServerMessage::decode(id, &body).map_err(|error| error.to_string())? {
                main::ServerMessage::Init(init) => {
                    session = Some(init.session_id);
                    peer.send_message(main::ClientMessage::AttachChannels.id(), &[]);
                }
                main::ServerMessage::ChannelsList(_) => {
                    channel.send(&peer.take_answers()).await?;
                    return session
                        .ok_or_else(|| "the server lists channels before its first message".into());
                }
                _ => {}
            }
        }
        channel.send(&peer.take_answers()).await?;
    }
}

/// Answers what the server asks on the main channel.
async fn serve(channel: &mut Channel, peer: &mut ChannelPeer, common: &Common) -> Result<(), String> {
    loop {
        channel.read(&common.buffer, usize::MAX, |bytes| peer.handle_bytes(bytes)).await?;
        while peer.poll_message()?.is_some() {}
        channel.send(&peer.take_answers()).await?;
    }
}
