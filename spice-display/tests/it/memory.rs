//! What is laid out in guest memory is what is read there, for every case of the torture.

use std::sync::Arc;

use spice_display::memory::{MemSlot, MemSlotSetup, MemSlots, QxlPhysical};
use spice_display::qxl::parse::{CommandFlags, QxlCommand, parse};
use spice_display::qxl::{Command, GuestEvent};
use testkit::torture::{self, Part};

use crate::layout::{Layout, RELEASE_ID, Style, whole};

/// The group that a guest's commands are of.
pub(crate) const GROUP: u32 = 1;
/// The address of the first byte of a guest's memory.
pub(crate) const BASE: u64 = 1 << 56 | 3 << 48 | 0x100;

/// The setup that a guest has agreed on.
pub(crate) const SETUP: MemSlotSetup =
    MemSlotSetup { groups: 2, slots: 8, generation_bits: 8, id_bits: 8, internal_groupslot_id: 0 };

/// A guest with this memory.
pub(crate) fn slots(memory: Vec<u8>) -> MemSlots {
    let mut slots = MemSlots::new(SETUP).unwrap();
    slots.add(GROUP, 1, MemSlot { generation: 3, start: 0x100, memory: Arc::new(memory) }).unwrap();
    slots
}

/// A command that a guest has laid out.
pub(crate) struct Laid {
    pub(crate) memory: Vec<u8>,
    pub(crate) command: QxlCommand,
}

pub(crate) fn lay_out(command: &Command, style: Style) -> Laid {
    let mut layout = Layout::new(BASE, style);
    let (kind, address) = layout.command(command);
    let flags = CommandFlags { compat: style.compat, ..CommandFlags::default() };
    let command = QxlCommand { group: GROUP, flags, kind, data: QxlPhysical(address) };
    Laid { memory: layout.into_memory(), command }
}

#[test]
fn every_draw_of_the_torture_comes_out_of_guest_memory_as_it_went_in() {
    let mut commands = 0;
    for part in Part::ALL {
        for case in torture::cases(part) {
            for event in &case.events {
                let GuestEvent::Command(command) = event else { continue };
                for (chunk, direct) in [(usize::MAX, true), (usize::MAX, false), (61, false)] {
                    let laid = lay_out(command, Style { chunk, direct, compat: false });
                    let parsed = parse(&slots(laid.memory), &laid.command);
                    let parsed = parsed.unwrap_or_else(|error| panic!("{}: {error}", case.name));
                    assert_eq!(whole(&parsed.command), whole(command), "{}", case.name);
                    assert_eq!(parsed.release.id, RELEASE_ID);
                }
                commands += 1;
            }
        }
    }
    assert!(commands > 1000, "{commands} commands are few");
}
