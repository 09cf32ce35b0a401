//! Commands that are laid out in guest memory, and what is read of them there.

mod layout;
mod meant;
mod refused;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use proptest::prelude::*;

use self::layout::{Layout, RELEASE_ID, Style, whole};
use super::{CommandFlags, CommandKind, Parsed, QxlCommand, Refused, ReleaseInfo, SurfacePlace, parse};
use crate::memory::{GuestMemory, MemSlot, MemSlotSetup, MemSlots, OutOfRange, QxlPhysical};
use crate::qxl;

/// The group that commands are of.
const GROUP: u32 = 1;
/// The address of the first byte of a guest's memory: slot 3, generation 7, 64 KiB.
const BASE: u64 = 3 << 56 | 7 << 48 | 0x1_0000;

/// Slots of which one has this memory.
fn slots(memory: impl GuestMemory + 'static) -> MemSlots {
    let setup =
        MemSlotSetup { groups: 2, slots: 4, generation_bits: 8, id_bits: 8, internal_groupslot_id: 0 };
    let mut slots = MemSlots::new(setup).unwrap();
    slots.add(GROUP, 3, MemSlot { generation: 7, start: 0x1_0000, memory: Arc::new(memory) }).unwrap();
    slots
}

/// What is read at an address of such a guest.
fn read(memory: impl GuestMemory + 'static, kind: CommandKind, data: u64) -> Result<Parsed, Refused> {
    read_with(memory, kind, data, CommandFlags::default())
}

fn read_with(
    memory: impl GuestMemory + 'static,
    kind: CommandKind,
    data: u64,
    flags: CommandFlags,
) -> Result<Parsed, Refused> {
    parse(&slots(memory), &QxlCommand { group: GROUP, flags, kind, data: QxlPhysical(data) })
}

/// Memory whose every byte is read once at most.
#[derive(Debug)]
struct Once {
    bytes: Vec<u8>,
    read: Vec<AtomicBool>,
}

impl Once {
    fn new(bytes: Vec<u8>) -> Self {
        let read = bytes.iter().map(|_| AtomicBool::new(false)).collect();
        Self { bytes, read }
    }
}

impl GuestMemory for Once {
    fn len(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn read(&self, offset: u64, into: &mut [u8]) -> Result<(), OutOfRange> {
        self.bytes.read(offset, into)?;
        for (index, read) in self.read.iter().enumerate().skip(offset as usize).take(into.len()) {
            assert!(!read.swap(true, Ordering::Relaxed), "byte {index:#x} is read twice");
        }
        Ok(())
    }
}

fn style() -> impl Strategy<Value = Style> {
    let chunk = prop_oneof![1..40_usize, Just(usize::MAX)];
    (chunk, any::<bool>()).prop_map(|(chunk, direct)| Style { chunk, direct, compat: false })
}

fn comes_back(command: &qxl::Command, style: Style) {
    let mut layout = Layout::new(BASE, style);
    let (kind, address) = layout.command(command);
    let flags = CommandFlags { compat: style.compat, compat_16bpp: false };
    let memory = layout.into_memory();
    let parsed = read_with(Once::new(memory.clone()), kind, address, flags).unwrap();
    assert_eq!(whole(&parsed.command), whole(command));
    assert_place(command, parsed.surface, memory);
    let release = ReleaseInfo { group: GROUP, address: QxlPhysical(address), id: RELEASE_ID };
    assert_eq!(parsed.release, release);
}

/// Whether a surface that is created lies where it is said to, and nothing else lies anywhere.
fn assert_place(command: &qxl::Command, place: Option<SurfacePlace>, memory: Vec<u8>) {
    let qxl::Command::Surface(qxl::SurfaceCommand::Create { width, height, format, content, .. }) = command
    else {
        return assert_eq!(place, None);
    };
    let place = place.unwrap();
    assert_eq!((place.width, place.height, place.format), (*width, *height, *format));
    let there = slots(memory);
    let there = there.resolve(place.group, place.address).unwrap();
    if let Some(content) = content {
        assert_eq!(
            (place.stride.unsigned_abs(), place.stride > 0),
            (content.stride(), content.is_top_down())
        );
        assert_eq!(there.bytes(content.data().len() as u64).unwrap(), *content.data());
    } else {
        assert_eq!(there.bytes(4).unwrap(), [0x99; 4]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn what_is_meant_is_what_is_read_and_each_byte_is_read_once(
        command in meant::command(),
        style in style(),
    ) {
        comes_back(&command, style);
    }

    #[test]
    fn what_the_first_revision_can_say_is_read(command in meant::command(), style in style()) {
        if let Some(command) = meant::without_surfaces(command) {
            comes_back(&command, Style { compat: true, ..style });
        }
    }

    #[test]
    fn whatever_is_flipped_is_read_or_refused(
        command in meant::command(),
        style in style(),
        flips in proptest::collection::vec((any::<u16>(), any::<u8>()), 1..8),
        flags in 0..4_u32,
    ) {
        let mut layout = Layout::new(BASE, style);
        let (kind, address) = layout.command(&command);
        let mut memory = layout.into_memory();
        for (at, byte) in flips {
            let at = usize::from(at) % memory.len();
            memory[at] = byte;
        }
        let read = read_with(memory, kind, address, CommandFlags::from_bits(flags));
        // The structure itself lies in memory, so it is given back in either case.
        if let Err(refused) = read {
            prop_assert!(refused.release.is_some());
        }
    }

    #[test]
    fn a_command_in_memory_that_ends_early_is_read_or_refused(
        command in meant::command(),
        style in style(),
        cut in any::<u16>(),
    ) {
        let mut layout = Layout::new(BASE, style);
        let (kind, address) = layout.command(&command);
        let mut memory = layout.into_memory();
        memory.truncate(usize::from(cut) % memory.len());
        // The command itself is laid out last.
        let refused = read(memory, kind, address);
        prop_assert!(refused.is_ok() || refused.unwrap_err().release.is_none() || kind == CommandKind::MESSAGE);
    }
}
