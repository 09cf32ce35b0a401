//! A guest's memory, and the commands in it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

use spice_display::memory::{GuestMemory, MemSlot, MemSlotSetup, MemSlots, OutOfRange, QxlPhysical};
use spice_display::qxl::parse::{
    CommandFlags, CommandKind, MAX_HEADS, QxlCommand, SurfaceCreate, monitors_config, parse, primary_surface,
};
use spice_display::qxl::{Command, CursorCommand, SurfaceCommand};
use spice_proto::display::SurfaceFormat;

/// Bytes that the guest changes whenever it sees one of its bytes read: half of the time among those.
#[derive(Debug)]
struct Turning {
    bytes: Vec<AtomicU8>,
    state: AtomicU64,
}

impl GuestMemory for Turning {
    fn len(&self) -> u64 {
        GuestMemory::len(&self.bytes)
    }

    fn read(&self, offset: u64, into: &mut [u8]) -> Result<(), OutOfRange> {
        self.bytes.read(offset, into)?;
        let state = self.state.load(Ordering::Relaxed);
        self.state.store(turn(&self.bytes, state, offset, into.len() as u64), Ordering::Relaxed);
        Ok(())
    }
}

/// Changes a byte, and says what is to choose the next one.
fn turn(bytes: &[AtomicU8], state: u64, offset: u64, len: u64) -> u64 {
    let next = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    let [value, which, ..] = next.to_be_bytes();
    let (from, len) = if which & 1 == 0 { (offset, len) } else { (0, bytes.len() as u64) };
    let at = from + (next >> 8).checked_rem(len).unwrap_or(0);
    if let Some(byte) = usize::try_from(at).ok().and_then(|at| bytes.get(at)) {
        byte.fetch_xor(value, Ordering::Relaxed);
    }
    next
}

fn slots(memory: impl GuestMemory + 'static) -> MemSlots {
    let setup =
        MemSlotSetup { groups: 2, slots: 2, generation_bits: 1, id_bits: 2, internal_groupslot_id: 0 };
    let mut slots = MemSlots::new(setup).expect("there are slots");
    let memory = MemSlot { generation: 0, start: 0, memory: Arc::new(memory) };
    slots.add(0, 0, memory).expect("there is a slot");
    slots
}

/// What is read.
struct What {
    kind: u8,
    flags: CommandFlags,
    at: u64,
}

/// Reads it, and does not believe that it takes more than the guest has. The answer is all there is to know of it.
fn read(slots: &MemSlots, what: &What) -> String {
    let most = 8 * slots.group_len(0) + 4096;
    let bounded = |weight: usize| assert!(weight as u64 <= most, "{weight} bytes are more than {most}");
    let data = QxlPhysical(what.at);
    match what.kind {
        6 => {
            let config = monitors_config(slots, 0, data);
            assert!(config.iter().all(|config| (1..=MAX_HEADS.into()).contains(&config.heads.len())));
            format!("{config:?}")
        }
        7 => {
            let mut fields = [0; 28];
            if slots.resolve(0, data).and_then(|place| place.read(&mut fields)).is_err() {
                return String::new();
            }
            let mut fields = fields.as_chunks().0.iter().map(|field| u32::from_le_bytes(*field));
            let mut field = || fields.next().unwrap_or_default();
            let create = SurfaceCreate {
                width: field(),
                height: field(),
                stride: field().cast_signed(),
                format: SurfaceFormat(field()),
                flags: field(),
                mem: QxlPhysical(u64::from(field()) | u64::from(field()) << 32),
            };
            let primary = primary_surface(slots, 0, &create);
            if let Ok(primary) = &primary {
                bounded(primary.content.as_ref().map_or(0, |content| content.weight()));
            }
            format!("{primary:?}")
        }
        kind => {
            let command = QxlCommand { group: 0, flags: what.flags, kind: CommandKind(kind.into()), data };
            let parsed = parse(slots, &command);
            if let Ok(parsed) = &parsed {
                bounded(weight(&parsed.command));
            }
            format!("{parsed:?}")
        }
    }
}

fn weight(command: &Command) -> usize {
    match command {
        Command::Draw(drawable) => drawable.weight(),
        Command::Message(text) => text.len(),
        Command::Cursor(CursorCommand::Set { shape, .. }) => shape.data.len(),
        Command::Surface(SurfaceCommand::Create { content: Some(content), .. }) => content.weight(),
        _ => 0,
    }
}

/// What a ring names in a guest's memory: a command or a refusal, of bounded size, and the same from the same bytes.
///
/// The first byte says whether the guest holds still, writes whenever it is read, or writes all the time; the second
/// what is read, 6 and 7 being the monitors and the primary surface; the third is the flags, two more are the place.
/// All others are the memory.
pub fn qxl_command(data: &[u8]) {
    let Some(([mode, kind, flags, low, high], memory)) = data.split_first_chunk() else { return };
    let flags = CommandFlags::from_bits((*flags).into());
    let what = &What { kind: kind % 8, flags, at: u16::from_le_bytes([*low, *high]).into() };
    let atomic = || memory.iter().copied().map(AtomicU8::new).collect::<Vec<_>>();
    match mode % 3 {
        0 => {
            let slots = slots(memory.to_vec());
            assert_eq!(read(&slots, what), read(&slots, what));
        }
        1 => {
            let turning = || Turning { bytes: atomic(), state: u64::from(*mode).into() };
            assert_eq!(read(&slots(turning()), what), read(&slots(turning()), what));
        }
        _ => {
            let shared = Arc::new(atomic());
            let slots = slots(Arc::clone(&shared));
            std::thread::scope(|scope| {
                let reading = Arc::new(());
                let read_on = Arc::downgrade(&reading);
                let guest = scope.spawn(move || {
                    let mut state = u64::from(*mode);
                    while read_on.strong_count() > 0 {
                        state = turn(&shared, state, what.at, 191);
                    }
                });
                for _ in 0..4 {
                    read(&slots, what);
                }
                drop(reading);
                guest.join().expect("it only writes");
            });
        }
    }
}
