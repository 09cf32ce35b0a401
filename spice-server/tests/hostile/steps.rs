//! What a hostile viewer says on a channel, made up from a seed: valid messages in any order, and everything beside them.
//!
//! A sequence is data, so that one that fails can be printed, and made again from its seed.

use core::fmt;

use arbitrary::Unstructured;
use spice_proto::{
    ChannelType, DataHeader, HeaderKind, LAST_BASE_ID, base, cursor, display, inputs, main, port, record,
    smartcard,
};

/// Numbers from a seed, the same on every machine (`splitmix64`).
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below this one.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }

    pub(crate) fn one_in(&mut self, many: usize) -> bool {
        self.below(many) == 0
    }

    pub(crate) fn pick<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())].clone()
    }

    pub(crate) fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.next() as u8).collect()
    }

    /// A number as peers like them: around the ends of its range, or small, or any.
    pub(crate) fn word(&mut self) -> u32 {
        match self.below(4) {
            0 => self.pick(&EDGES),
            1 => self.below(5) as u32,
            2 => 1 << self.below(32),
            _ => self.next() as u32,
        }
    }
}

/// Sizes and counts around those where something overflows, and around the caps.
pub(crate) const EDGES: [u32; 14] = [
    0,
    1,
    4095,
    4096,
    4097,
    0xffff,
    1 << 16,
    (1 << 24) + 1,
    (1 << 31) - 1,
    1 << 31,
    (1 << 31) + 1,
    u32::MAX - 18,
    u32::MAX - 1,
    u32::MAX,
];

/// One thing that a hostile viewer does.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// A message with a header that says the truth, so many times over.
    Say { id: u16, body: Vec<u8>, times: usize },
    /// A header that announces a body of which only this much comes.
    Announce { id: u16, size: u32, body: Vec<u8> },
    /// Bytes without a meaning.
    Noise(Vec<u8>),
    /// So many milliseconds pass.
    Wait(u32),
    /// It takes what it is sent and answers it from here on, or takes nothing.
    Listen(bool),
}

/// How it leaves when it has said everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// It closes the connection.
    Close,
    /// It closes its half of it and waits for the server.
    HalfClose,
    /// It breaks it.
    Reset,
}

/// What a hostile viewer does on one connection.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Sequence {
    pub(crate) seed: u64,
    pub(crate) channel: ChannelType,
    pub(crate) header: HeaderKind,
    pub(crate) steps: Vec<Step>,
    pub(crate) ending: Ending,
}

impl Sequence {
    /// The sequence of this seed on this channel.
    pub(crate) fn new(seed: u64, channel: ChannelType) -> Self {
        let mut random = Random::new(seed);
        let header = random.pick(&[HeaderKind::Mini, HeaderKind::Mini, HeaderKind::Full]);
        // Two of three err at their end only, if at all: what follows an error is never read.
        let polite = !random.one_in(3);
        let len = 1 + random.below(16);
        let mut steps: Vec<Step> = (0..len).map(|_| step(&mut random, channel, polite)).collect();
        if channel == ChannelType::DISPLAY && !random.one_in(8) {
            steps.insert(random.below(2), say(display_init(&mut random)));
        }
        if polite && random.one_in(2) {
            steps.push(step(&mut random, channel, false));
        }
        let ending = random.pick(&[Ending::Close, Ending::Close, Ending::HalfClose, Ending::Reset]);
        Self { seed, channel, header, steps, ending }
    }
}

impl Step {
    /// The bytes that it sends, if any.
    pub(crate) fn bytes(&self, header: HeaderKind) -> Vec<u8> {
        let mut out = Vec::new();
        let frame = |id: u16, size: u32, body: &[u8], out: &mut Vec<u8>| {
            // The serial and the list of a full header are a viewer's word, too.
            let sub_list = if size & 3 == 3 { u32::MAX - size } else { 0 };
            let said = DataHeader { serial: Some(u64::from(size) << 33 | u64::from(id)), id, size, sub_list };
            said.encode(header, out);
            out.extend_from_slice(body);
        };
        match self {
            Self::Say { id, body, times } => {
                let size = u32::try_from(body.len()).unwrap_or(u32::MAX);
                (0..*times).for_each(|_| frame(*id, size, body, &mut out));
            }
            Self::Announce { id, size, body } => frame(*id, *size, body, &mut out),
            Self::Noise(bytes) => out.extend_from_slice(bytes),
            Self::Wait(_) | Self::Listen(_) => {}
        }
        out
    }
}

type Message = (u16, Vec<u8>);

fn say((id, body): Message) -> Step {
    Step::Say { id, body, times: 1 }
}

fn step(random: &mut Random, channel: ChannelType, polite: bool) -> Step {
    match random.below(if polite { 60 } else { 100 }) {
        0..34 => say(own(random, channel, polite)),
        34..46 => say(base_message(random, polite)),
        46..50 => {
            let (id, body) =
                if random.one_in(2) { own(random, channel, polite) } else { base_message(random, polite) };
            Step::Say { id, body, times: random.pick(&[2, 3, 5, 50, 300]) }
        }
        50..56 => Step::Wait(if random.one_in(400) { 40_000 } else { random.below(40) as u32 }),
        56..60 => Step::Listen(random.one_in(2)),
        60..68 => {
            let other = random.pick(&CHANNELS);
            say(own(random, other, false))
        }
        68..78 => {
            let (id, mut body) = own(random, channel, false);
            if random.one_in(2) {
                body.truncate(random.below(body.len()));
            } else {
                let more = 1 + random.below(20);
                body.extend(random.bytes(more));
            }
            say((id, body))
        }
        78..86 => {
            let (id, mut body) = own(random, channel, false);
            body.truncate(random.below(64));
            Step::Announce { id, size: random.pick(&EDGES), body }
        }
        86..92 => {
            let len = random.below(120);
            say((100 + random.below(20) as u16, random.bytes(len)))
        }
        92..96 => say((random.next() as u16, Vec::new())),
        _ => {
            let len = random.below(200);
            Step::Noise(random.bytes(len))
        }
    }
}

/// The channels whose messages are spoken, on the right ones and on others.
const CHANNELS: [ChannelType; 7] = [
    ChannelType::MAIN,
    ChannelType::DISPLAY,
    ChannelType::CURSOR,
    ChannelType::INPUTS,
    ChannelType::RECORD,
    ChannelType::SMARTCARD,
    ChannelType::PORT,
];

/// A valid message of the channel's own: by hand, with numbers that hurt, or made up. A polite one does not end it.
fn own(random: &mut Random, channel: ChannelType, polite: bool) -> Message {
    loop {
        let (id, body) = any_own(random, channel);
        let ends = match channel {
            ChannelType::MAIN => matches!(id, 102 | 103 | 109) || body.len() > 2048,
            // A second init, and a frame that was never sent.
            ChannelType::DISPLAY => matches!(id, 101 | 104),
            ChannelType::CURSOR => id > LAST_BASE_ID,
            _ => false,
        };
        if !(polite && ends) {
            return (id, body);
        }
    }
}

fn any_own(random: &mut Random, channel: ChannelType) -> Message {
    match channel {
        ChannelType::DISPLAY if random.one_in(4) => display_init(random),
        ChannelType::MAIN if random.one_in(2) => agent(random),
        ChannelType::INPUTS if random.one_in(2) => mouse(random),
        ChannelType::MAIN => made_up!(random, main::ClientMessage),
        ChannelType::DISPLAY => made_up!(random, display::ClientMessage),
        ChannelType::INPUTS => made_up!(random, inputs::ClientMessage),
        // A viewer has none of its own on the cursor channel; those of the server are as good.
        ChannelType::CURSOR if random.one_in(2) => made_up!(random, cursor::ServerMessage),
        ChannelType::CURSOR => base_message(random, true),
        ChannelType::RECORD => made_up!(random, record::ClientMessage),
        ChannelType::SMARTCARD => made_up!(random, smartcard::ClientMessage),
        _ => made_up!(random, port::ClientMessage),
    }
}

/// A message of this table with contents made up.
macro_rules! made_up {
    ($random:expr, $table:ty) => {{
        let id = $random.pick(<$table>::IDS);
        let len = $random.below(96);
        let bytes = $random.bytes(len);
        // What needs more bytes than there are gets none.
        let message = <$table>::arbitrary_with_id(id, &mut Unstructured::new(&bytes));
        (id, message.map_or_else(|_| Vec::new(), |message| message.encode().to_bytes().to_vec()))
    }};
}
use made_up;

fn base_message(random: &mut Random, polite: bool) -> Message {
    let message = match random.below(if polite { 3 } else { 4 }) {
        0 => base::ClientMessage::Ack,
        1 => base::ClientMessage::AckSync(base::AckSync { generation: random.word() }),
        // Pings are numbered from 1: some of these are answers to one that has not been read, or sent.
        2 => {
            let pong = base::Pong { id: random.word(), timestamp: random.next() };
            base::ClientMessage::Pong(pong)
        }
        // Migration that nobody asked for, and the word that it leaves.
        _ => return made_up!(random, base::ClientMessage),
    };
    (message.id(), message.encode().to_bytes().to_vec())
}

fn display_init(random: &mut Random) -> Message {
    let sizes = [i64::MIN, -1, 0, 1, 1000, 1 << 14, 1 << 20, i64::from(i32::MAX), i64::MAX];
    let windows = [i32::MIN, -1, 0, 1, 1 << 10, 1 << 22, i32::MAX];
    let init = display::ClientMessage::Init(display::Init {
        pixmap_cache_id: random.next() as u8,
        pixmap_cache_size: random.pick(&sizes),
        glz_dictionary_id: random.next() as u8,
        glz_dictionary_window_size: random.pick(&windows),
    });
    (init.id(), init.encode().to_bytes().to_vec())
}

/// What belongs to an agent, of which there is none, and mouse modes, of which there may be none.
fn agent(random: &mut Random) -> Message {
    let num_tokens = random.word();
    let message = match random.below(5) {
        0 => main::ClientMessage::AgentStart(main::AgentTokens { num_tokens }),
        1 => main::ClientMessage::AgentToken(main::AgentTokens { num_tokens }),
        2 => {
            // A piece with the head of a message that is as long as it says, or longer than everything.
            let mut piece = Vec::new();
            let (kind, size) = (random.below(20) as u32, random.word());
            for word in [1, kind, 0, 0, size] {
                piece.extend_from_slice(&u32::to_le_bytes(word));
            }
            let len = random.pick(&[0, 1, 100, 2048 - 20, 2048, 4000]);
            piece.extend(random.bytes(len));
            main::ClientMessage::AgentData(piece.into())
        }
        _ => {
            let mode = main::MouseModes::from_bits_retain(random.pick(&[0, 1, 1, 2, 2, 3, 4, 0xffff]));
            main::ClientMessage::MouseModeRequest(main::MouseModeRequest { mode })
        }
    };
    (message.id(), message.encode().to_bytes().to_vec())
}

/// The mouse in either mode, beyond every screen, and buttons that there are not.
fn mouse(random: &mut Random) -> Message {
    let buttons_state = inputs::MouseButtons::from_bits_retain(random.word() as u16);
    let click = inputs::MouseClick { button: inputs::MouseButton(random.below(10) as u8), buttons_state };
    let (x, y) = (random.word(), random.word());
    let message = match random.below(5) {
        0 => inputs::ClientMessage::MousePress(click),
        1 => inputs::ClientMessage::MouseRelease(click),
        2 => inputs::ClientMessage::MouseMotion(inputs::MouseMotion {
            dx: x.cast_signed(),
            dy: y.cast_signed(),
            buttons_state,
        }),
        3 => {
            let display_id = random.next() as u8;
            inputs::ClientMessage::MousePosition(inputs::MousePosition { x, y, buttons_state, display_id })
        }
        _ => inputs::ClientMessage::KeyDown(inputs::KeyCode { code: random.word() }),
    };
    (message.id(), message.encode().to_bytes().to_vec())
}

/// Long runs of the same are printed as their beginning and their length.
struct Hex<'a>(&'a [u8]);

impl fmt::Debug for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 64;
        self.0.iter().take(SHOWN).try_for_each(|byte| write!(f, "{byte:02x}"))?;
        if self.0.len() > SHOWN { write!(f, "... ({} bytes)", self.0.len()) } else { Ok(()) }
    }
}

impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Say { id, body, times } => write!(f, "say {id} {:?} x {times}", Hex(body)),
            Self::Announce { id, size, body } => write!(f, "announce {id} of {size} bytes {:?}", Hex(body)),
            Self::Noise(bytes) => write!(f, "noise {:?}", Hex(bytes)),
            Self::Wait(millis) => write!(f, "wait {millis} ms"),
            Self::Listen(listens) => write!(f, "listen {listens}"),
        }
    }
}

impl fmt::Debug for Sequence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "seed {:#x} on {}, {:?} header:", self.seed, self.channel, self.header)?;
        self.steps.iter().try_for_each(|step| writeln!(f, "    {step:?}"))?;
        writeln!(f, "    then {:?}", self.ending)
    }
}

/// Prints the sequences that were going on, should the test fail.
pub(crate) struct Witness<'a>(pub(crate) &'a [&'a Sequence]);

impl Drop for Witness<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("going on were, of SPICE_HOSTILE_SEED={:#x}:", seed());
            self.0.iter().for_each(|sequence| eprint!("{sequence:?}"));
        }
    }
}

/// A number out of the environment, decimal or `0x...`.
fn setting(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    let parsed = match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16),
        None => text.parse(),
    };
    Some(parsed.unwrap_or_else(|_| panic!("{name}={text} is no number")))
}

/// What all seeds are made from: fixed, unless `SPICE_HOSTILE_SEED` says otherwise.
pub(crate) fn seed() -> u64 {
    setting("SPICE_HOSTILE_SEED").unwrap_or(0x5350_4943)
}

/// How many sequences a part runs whose share is so many of 100,000; `SPICE_HOSTILE_SEQUENCES` says how many there are
/// in all.
pub(crate) fn share(of_100_000: u64) -> u64 {
    let all = setting("SPICE_HOSTILE_SEQUENCES").unwrap_or(100_000);
    (all * of_100_000).div_ceil(100_000)
}

/// The seed of one of a part's sequences.
pub(crate) fn seed_of(part: u64, index: u64) -> u64 {
    Random::new(seed() ^ Random::new(part << 40 | index).next()).next()
}
