//! Recordings that are played, and what is read of the commands then.

mod host;
mod oracle;
mod played;
mod surfaces;

use std::path::PathBuf;
use std::sync::Arc;
use std::{env, fs};

use spice_display::memory::{GuestMemory, MemSlot, MemSlotSetup, MemSlots, OutOfRange, QxlPhysical};
use spice_display::qxl::parse::{CommandFlags, CommandKind, Parsed, QxlCommand, Refused, parse};

use super::Device;
use super::command::ReplayCommand;
use crate::abi::qxl::QXLDevSurfaceCreate;

/// Short recordings, where no folder of others is named (`SPICE_RECORDINGS`).
const SHORT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../spice-display/tests/data");

/// All recordings, packed.
fn recordings() -> Vec<PathBuf> {
    let folder = env::var_os("SPICE_RECORDINGS").map_or_else(|| SHORT.into(), PathBuf::from);
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let mut files: Vec<_> = files.filter(|file| file.to_string_lossy().ends_with(".rec.zst")).collect();
    files.sort();
    assert!(!files.is_empty());
    files
}

/// The memory of one command, each block where it lies in the process, and nothing between.
#[derive(Debug)]
struct Blocks(Vec<(u64, Vec<u8>)>);

impl GuestMemory for Blocks {
    fn len(&self) -> u64 {
        u64::MAX >> 2
    }

    fn read(&self, offset: u64, into: &mut [u8]) -> Result<(), OutOfRange> {
        let wanted = into.len() as u64;
        let found = self.0.iter().find_map(|(address, block)| {
            let start = usize::try_from(offset.checked_sub(*address)?).ok()?;
            block.get(start..start.checked_add(into.len())?)
        });
        into.copy_from_slice(found.ok_or(OutOfRange { offset, wanted, len: self.len() })?);
        Ok(())
    }
}

/// What the server makes of a command, whose memory alone it sees.
fn read(command: &ReplayCommand) -> Result<Parsed, Refused> {
    let setup =
        MemSlotSetup { groups: 1, slots: 1, generation_bits: 1, id_bits: 1, internal_groupslot_id: 0 };
    let mut slots = MemSlots::new(setup).unwrap();
    let blocks =
        command.arena.regions().map(|block| (block.as_ptr().addr() as u64, block.to_vec())).collect();
    slots.add(0, 0, MemSlot { generation: 0, start: 0, memory: Arc::new(Blocks(blocks)) }).unwrap();
    let (cmd, group, flags) = (command.ext.cmd, command.ext.group_id, command.ext.flags);
    let (kind, data) = (CommandKind(cmd.kind), QxlPhysical(cmd.data));
    parse(&slots, &QxlCommand { group, flags: CommandFlags::from_bits(flags), kind, data })
}

/// A device that writes down what it is told.
#[derive(Debug, Default)]
struct Told(Vec<String>);

impl Device for Told {
    fn create_primary(&mut self, create: &mut QXLDevSurfaceCreate) {
        assert_ne!(create.mem, 0);
        let QXLDevSurfaceCreate { width, height, stride, format, flags, .. } = create;
        self.0.push(format!("create {width}x{height} {stride} {format} {flags}"));
    }

    fn destroy_primary(&mut self) {
        self.0.push("destroy".to_owned());
    }

    fn destroy_surfaces(&mut self) {
        self.0.push("destroy all".to_owned());
    }
}
