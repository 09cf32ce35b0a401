//! A `spice_client` over TCP: channels that are read as fast as they come.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use spice_client::{ChannelPeer, DisplayModel, LinkFailure, link};
use spice_proto::caps::{CapabilitySet, DisplayCap, MainCap};
use spice_proto::{ChannelType, ConnectionId, SurfaceId, inputs, main};

use crate::shot::Shot;

/// How long a server may take to answer.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// A message: its number and its body.
type Message = (u16, Bytes);

/// A channel that a thread reads, so that the server never has to wait for what is done with the messages.
#[derive(Debug)]
pub(crate) struct Channel {
    stream: TcpStream,
    peer: Arc<Mutex<ChannelPeer>>,
    messages: Receiver<Result<Message, String>>,
}

/// A connection that gives up when the server does not answer.
pub(crate) fn dial(addr: SocketAddr) -> Result<TcpStream, String> {
    let stream = TcpStream::connect_timeout(&addr, PATIENCE).map_err(|error| format!("{addr}: {error}"))?;
    let set = stream.set_read_timeout(Some(PATIENCE)).and_then(|()| stream.set_write_timeout(Some(PATIENCE)));
    set.and_then(|()| stream.set_nodelay(true)).map_err(|error| error.to_string())?;
    Ok(stream)
}

impl Channel {
    /// Links a channel. A main channel takes the connection id 0.
    pub(crate) fn link(
        addr: SocketAddr,
        connection: ConnectionId,
        kind: ChannelType,
        ticket: &str,
    ) -> Result<Self, LinkFailure> {
        let caps = match kind {
            ChannelType::MAIN => vec![MainCap::AGENT_CONNECTED_TOKENS.0],
            ChannelType::DISPLAY => vec![DisplayCap::MONITORS_CONFIG.0, DisplayCap::LZ4_COMPRESSION.0],
            _ => Vec::new(),
        };
        Self::link_able(addr, connection, kind, ticket, caps, None)
    }

    /// Links a channel of a viewer that can do what `caps` say, and reads it as fast as it can or so many bytes a second.
    fn link_able(
        addr: SocketAddr,
        connection: ConnectionId,
        kind: ChannelType,
        ticket: &str,
        caps: Vec<u32>,
        rate: Option<usize>,
    ) -> Result<Self, LinkFailure> {
        let mut stream = dial(addr).map_err(std::io::Error::other)?;
        let linked = link(&mut stream, connection, kind, CapabilitySet::new(caps), ticket)?;
        stream.set_read_timeout(None)?;
        let peer = Arc::new(Mutex::new(ChannelPeer::new(linked.header)));
        let (sender, messages) = channel();
        let (theirs, socket) = (Arc::clone(&peer), stream.try_clone()?);
        thread::spawn(move || {
            if let Err(error) = read(socket, rate, &theirs, &sender) {
                let _ = sender.send(Err(error));
            }
        });
        Ok(Self { stream, peer, messages })
    }

    pub(crate) fn send(&self, id: u16, body: &[u8]) -> Result<(), String> {
        let mut peer = self.peer.lock().unwrap_or_else(PoisonError::into_inner);
        peer.send_message(id, body);
        (&self.stream).write_all(&peer.take_answers()).map_err(|error| error.to_string())
    }

    /// The next message; nothing when the server has closed the channel, or none has come at `end`.
    fn next(&self, end: Instant) -> Result<Next, String> {
        match self.messages.recv_timeout(end.saturating_duration_since(Instant::now())) {
            Ok(message) => message.map(Next::Message),
            Err(RecvTimeoutError::Timeout) => Ok(Next::Late),
            Err(RecvTimeoutError::Disconnected) => Ok(Next::Closed),
        }
    }

    /// Sends bytes as they are.
    pub(crate) fn send_raw(&self, bytes: &[u8]) -> Result<(), String> {
        (&self.stream).write_all(bytes).map_err(|error| error.to_string())
    }

    /// Says that nothing more comes.
    pub(crate) fn hang_up(&self) {
        let _ = self.stream.shutdown(Shutdown::Write);
    }

    /// Waits until the server closes the channel.
    pub(crate) fn wait_closed(&self) -> Result<(), String> {
        let end = Instant::now() + PATIENCE;
        loop {
            match self.next(end) {
                Ok(Next::Message(_)) => {}
                // A reset is an end as well.
                Ok(Next::Closed) | Err(_) => return Ok(()),
                Ok(Next::Late) => return Err("the server keeps the channel open".into()),
            }
        }
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        // Ends the thread, too.
        let _ = self.stream.shutdown(Shutdown::Both);
    }
}

enum Next {
    Message(Message),
    Closed,
    Late,
}

fn read(
    mut stream: TcpStream,
    rate: Option<usize>,
    peer: &Mutex<ChannelPeer>,
    messages: &Sender<Result<Message, String>>,
) -> Result<(), String> {
    /// How long one that is slow waits between pieces.
    const TICK: Duration = Duration::from_millis(10);
    let mut buffer = vec![0; rate.map_or(256 << 10, |rate| rate / 100)];
    loop {
        if rate.is_some() {
            thread::sleep(TICK);
        }
        let len = match stream.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(len) => len,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            // The server has closed, and an answer was still on its way to it.
            Err(error) if error.kind() == ErrorKind::ConnectionReset => return Ok(()),
            Err(error) => return Err(format!("reading: {error}")),
        };
        let mut peer = peer.lock().unwrap_or_else(PoisonError::into_inner);
        peer.handle_bytes(&buffer[..len]);
        while let Some(message) = peer.poll_message()? {
            if messages.send(Ok(message)).is_err() {
                return Ok(());
            }
        }
        let answers = peer.take_answers();
        // One that cannot be answered any more may still have something to say.
        let _ = stream.write_all(&answers);
    }
}

/// A viewer: its main channel, and what the server has offered it.
#[derive(Debug)]
pub(crate) struct Viewer {
    addr: SocketAddr,
    connection: ConnectionId,
    ticket: String,
    pub(crate) main: Channel,
}

impl Viewer {
    /// Begins a session.
    pub(crate) fn connect(addr: SocketAddr, ticket: &str) -> Result<Self, String> {
        let main = Channel::link(addr, ConnectionId(0), ChannelType::MAIN, ticket)
            .map_err(|error| error.to_string())?;
        let end = Instant::now() + PATIENCE;
        let mut connection = None;
        loop {
            let (id, body) = match main.next(end)? {
                Next::Message(message) => message,
                Next::Closed => return Err("the server has closed the main channel".into()),
                Next::Late => return Err("the server does not say which channels there are".into()),
            };
            match main::ServerMessage::decode(id, &body).map_err(|error| error.to_string())? {
                main::ServerMessage::Init(init) => {
                    connection = Some(init.session_id);
                    main.send(main::ClientMessage::AttachChannels.id(), &[])?;
                }
                main::ServerMessage::ChannelsList(main::ChannelsList(channels)) => {
                    let offered: Vec<_> = channels.iter().map(|channel| channel.channel_type).collect();
                    for kind in [ChannelType::DISPLAY, ChannelType::CURSOR, ChannelType::INPUTS] {
                        if !offered.contains(&kind) {
                            return Err(format!("the server offers {offered:?}, and no {kind} channel"));
                        }
                    }
                    let connection = connection.ok_or("channels before the first message")?;
                    return Ok(Self { addr, connection, ticket: ticket.into(), main });
                }
                _ => {}
            }
        }
    }

    /// Links another channel of the session.
    pub(crate) fn channel(&self, kind: ChannelType) -> Result<Channel, String> {
        Channel::link(self.addr, self.connection, kind, &self.ticket)
            .map_err(|error| format!("{kind}: {error}"))
    }

    /// Links the display.
    pub(crate) fn display(&self) -> Result<Display, String> {
        Self::begin(self.channel(ChannelType::DISPLAY)?)
    }

    /// Links the display of a viewer that can draw all that spice-gtk can.
    pub(crate) fn able_display(&self) -> Result<Display, String> {
        self.able_display_at(None)
    }

    /// The same for a viewer that reads so many bytes a second.
    pub(crate) fn throttled_display(&self, rate: usize) -> Result<Display, String> {
        self.able_display_at(Some(rate))
    }

    fn able_display_at(&self, rate: Option<usize>) -> Result<Display, String> {
        let caps = [
            DisplayCap::MONITORS_CONFIG,
            DisplayCap::COMPOSITE,
            DisplayCap::A8_SURFACE,
            DisplayCap::LZ4_COMPRESSION,
        ];
        let caps = caps.map(|cap| cap.0).to_vec();
        let kind = ChannelType::DISPLAY;
        let channel = Channel::link_able(self.addr, self.connection, kind, &self.ticket, caps, rate);
        Self::begin(channel.map_err(|error| error.to_string())?)
    }

    /// A display that has said how much it keeps.
    fn begin(channel: Channel) -> Result<Display, String> {
        let init = DisplayModel::default().init();
        channel.send(init.id(), &init.encode().to_bytes())?;
        Ok(Display { channel, model: DisplayModel::default() })
    }

    /// Links the display, and never reads what it shows.
    pub(crate) fn stalled_display(&self) -> Result<TcpStream, String> {
        let mut stream = dial(self.addr)?;
        let caps = CapabilitySet::new([DisplayCap::MONITORS_CONFIG.0]);
        let linked = link(&mut stream, self.connection, ChannelType::DISPLAY, caps, &self.ticket)
            .map_err(|error| error.to_string())?;
        let mut peer = ChannelPeer::new(linked.header);
        let init = DisplayModel::default().init();
        peer.send_message(init.id(), &init.encode().to_bytes());
        stream.write_all(&peer.take_answers()).map_err(|error| error.to_string())?;
        Ok(stream)
    }

    /// Links keyboard and mouse.
    pub(crate) fn inputs(&self) -> Result<Inputs, String> {
        Ok(Inputs { channel: self.channel(ChannelType::INPUTS)? })
    }
}

/// A display channel and what it shows.
#[derive(Debug)]
pub(crate) struct Display {
    channel: Channel,
    pub(crate) model: DisplayModel,
}

impl Display {
    /// Paints what comes until `seen` is content after a message.
    pub(crate) fn paint_until(
        &mut self,
        what: &str,
        limit: Duration,
        mut seen: impl FnMut(&DisplayModel, u16, &Bytes) -> bool,
    ) -> Result<(), String> {
        let end = Instant::now() + limit;
        loop {
            match self.channel.next(end)? {
                Next::Message((id, body)) => {
                    self.model.handle(id, &body)?;
                    if seen(&self.model, id, &body) {
                        return Ok(());
                    }
                }
                Next::Closed => return Err(format!("{what}: the server has closed the display channel")),
                Next::Late => return Err(format!("{what}: not within {limit:?}")),
            }
        }
    }

    /// Paints what comes until the server closes the channel.
    pub(crate) fn paint_to_end(&mut self, limit: Duration) -> Result<(), String> {
        self.paint_each_to_end(limit, |_, _| {})
    }

    /// The same, and shows each message to `see`.
    pub(crate) fn paint_each_to_end(
        &mut self,
        limit: Duration,
        mut see: impl FnMut(u16, &Bytes),
    ) -> Result<(), String> {
        let end = Instant::now() + limit;
        loop {
            match self.channel.next(end)? {
                Next::Message((id, body)) => {
                    see(id, &body);
                    self.model.handle(id, &body)?;
                }
                Next::Closed => return Ok(()),
                Next::Late => return Err(format!("the display goes on for more than {limit:?}")),
            }
        }
    }

    /// Paints what comes until the screen is there to be seen.
    pub(crate) fn paint_first(&mut self) -> Result<(), String> {
        self.paint_until("the first picture", PATIENCE, |model, _, _| model.is_marked())
    }

    /// Paints what has come already.
    pub(crate) fn paint_pending(&mut self) -> Result<(), String> {
        let now = Instant::now();
        while let Next::Message((id, body)) = self.channel.next(now)? {
            self.model.handle(id, &body)?;
        }
        Ok(())
    }

    /// Reads a piece at most until the answer is dropped, and acknowledges nothing.
    pub(crate) fn pause(&self) -> MutexGuard<'_, impl Sized> {
        self.channel.peer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What it shows.
    pub(crate) fn shot(&self) -> Result<Shot, String> {
        let screen = self.model.surface(SurfaceId::PRIMARY).ok_or("the viewer has no screen")?;
        Ok(Shot::of(screen))
    }
}

/// A keyboard and a mouse.
#[derive(Debug)]
pub(crate) struct Inputs {
    channel: Channel,
}

impl Inputs {
    fn send(&self, message: &inputs::ClientMessage) -> Result<(), String> {
        self.channel.send(message.id(), &message.encode().to_bytes())
    }

    /// Types lower case letters, spaces and line ends.
    pub(crate) fn type_text(&self, text: &str) -> Result<(), String> {
        for character in text.chars() {
            let code = scan_code(character).ok_or_else(|| format!("no key types {character:?}"))?;
            self.send(&inputs::ClientMessage::KeyDown(inputs::KeyCode { code }))?;
            self.send(&inputs::ClientMessage::KeyUp(inputs::KeyCode { code: code | 0x80 }))?;
        }
        Ok(())
    }

    /// Presses the left button at one place and releases it at another.
    pub(crate) fn drag(&self, from: (u32, u32), to: (u32, u32)) -> Result<(), String> {
        use inputs::{ClientMessage, MouseButton, MouseButtons, MouseClick, MousePosition};
        let position = |(x, y): (u32, u32), buttons_state| {
            ClientMessage::MousePosition(MousePosition { x, y, buttons_state, display_id: 0 })
        };
        let (up, down) = (MouseButtons::empty(), MouseButtons::LEFT);
        let click = |buttons_state| MouseClick { button: MouseButton::LEFT, buttons_state };
        self.send(&position(from, up))?;
        self.send(&ClientMessage::MousePress(click(down)))?;
        self.send(&position(to, down))?;
        self.send(&ClientMessage::MouseRelease(click(up)))
    }
}

/// The key of set 1 that types a character on an American keyboard.
fn scan_code(character: char) -> Option<u32> {
    const ROWS: [(u32, &str); 3] = [(0x10, "qwertyuiop"), (0x1e, "asdfghjkl"), (0x2c, "zxcvbnm")];
    match character {
        ' ' => Some(0x39),
        '\n' => Some(0x1c),
        letter => ROWS.iter().find_map(|(first, row)| Some(first + u32::try_from(row.find(letter)?).ok()?)),
    }
}
