//! Memory slots: which memory an address means.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::{GuestMemory, OutOfRange, WriteError};

/// An address as guests write it (`QXLPHYSICAL`): a slot's id in the top bits, the slot's generation below it, and a
/// place in the slot's memory. 0 stands for nothing where something may be missing.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QxlPhysical(pub u64);

impl QxlPhysical {
    /// Nothing.
    pub const NULL: Self = Self(0);

    /// Whether it stands for nothing.
    #[must_use]
    pub const fn is_null(self) -> bool {
        self.0 == 0
    }
}

impl fmt::Display for QxlPhysical {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}

impl fmt::Debug for QxlPhysical {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "QxlPhysical({self})")
    }
}

/// How addresses are put together: what the host and the guest have agreed on (`QXLDevInitInfo`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemSlotSetup {
    /// How many groups of slots there are.
    pub groups: u32,
    /// How many slots a group has.
    pub slots: u32,
    /// Bits of an address that are the slot's generation.
    pub generation_bits: u8,
    /// Bits of an address that are the slot's id.
    pub id_bits: u8,
    /// The slot of a group's that is the host's own. Nothing depends on it here.
    pub internal_groupslot_id: u8,
}

/// Why addresses cannot be put together so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SetupError {
    /// No group, or no slot in a group.
    #[error("{groups} groups of {slots} memory slots are none")]
    NoSlot {
        /// Groups.
        groups: u32,
        /// Slots of each.
        slots: u32,
    },
    /// No bit is left for a place in a slot's memory.
    #[error(
        "{generation_bits} bits of generation and {id_bits} bits of slot leave none of 64 for the address"
    )]
    Bits {
        /// Bits of the generation.
        generation_bits: u8,
        /// Bits of the slot's id.
        id_bits: u8,
    },
    /// A group or a slot that the setup does not have.
    #[error("there is no memory slot {slot} of group {group} among {groups} groups of {slots}")]
    Outside {
        /// The group.
        group: u32,
        /// The slot.
        slot: u32,
        /// Groups that there are.
        groups: u32,
        /// Slots that each has.
        slots: u32,
    },
}

/// Why an address names no memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MemoryError {
    /// A group that does not exist.
    #[error("there is no group {group}, only {groups} groups of memory slots")]
    Group {
        /// The group.
        group: u32,
        /// How many there are.
        groups: u32,
    },
    /// A slot that cannot exist.
    #[error("there is no slot {slot}, only {slots} slots in a group")]
    Slot {
        /// The slot.
        slot: u64,
        /// How many a group has.
        slots: u32,
    },
    /// A slot that has no memory.
    #[error("slot {slot} of group {group} has no memory")]
    Empty {
        /// The group.
        group: u32,
        /// The slot.
        slot: u32,
    },
    /// An address from before the slot got its memory, or after.
    #[error("slot {slot} of group {group} is of generation {expected}, not {found}")]
    Generation {
        /// The group.
        group: u32,
        /// The slot.
        slot: u32,
        /// What the address says.
        found: u64,
        /// What the slot has.
        expected: u32,
    },
    /// Not all bytes lie within the slot's memory.
    #[error(transparent)]
    Range(#[from] OutOfRange),
    /// The slot's memory is only read.
    #[error("this memory is only read")]
    ReadOnly,
}

impl From<WriteError> for MemoryError {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::ReadOnly => Self::ReadOnly,
            WriteError::Range(range) => Self::Range(range),
        }
    }
}

/// The memory of one slot (`QXLDevMemSlot`).
#[derive(Clone, Debug)]
pub struct MemSlot {
    /// What an address must have as its generation.
    pub generation: u32,
    /// What an address of the first byte has below its generation: `virt_start - addr_delta`, modulo 2^64.
    pub start: u64,
    /// The memory.
    pub memory: Arc<dyn GuestMemory>,
}

/// The memory of a guest, slot by slot.
#[derive(Clone, Debug)]
pub struct MemSlots {
    setup: MemSlotSetup,
    slots: BTreeMap<(u32, u32), MemSlot>,
}

impl MemSlots {
    /// No memory yet.
    ///
    /// # Errors
    /// A setup without any slot, or without any bit for a place in it.
    pub fn new(setup: MemSlotSetup) -> Result<Self, SetupError> {
        let MemSlotSetup { groups, slots, generation_bits, id_bits, .. } = setup;
        if groups == 0 || slots == 0 {
            return Err(SetupError::NoSlot { groups, slots });
        }
        if u32::from(generation_bits) + u32::from(id_bits) >= u64::BITS {
            return Err(SetupError::Bits { generation_bits, id_bits });
        }
        Ok(Self { setup, slots: BTreeMap::new() })
    }

    /// How addresses are put together.
    #[must_use]
    pub const fn setup(&self) -> &MemSlotSetup {
        &self.setup
    }

    /// A slot gets this memory, in place of any that it has.
    ///
    /// # Errors
    /// [`SetupError::Outside`].
    pub fn add(&mut self, group: u32, slot: u32, memory: MemSlot) -> Result<(), SetupError> {
        let MemSlotSetup { groups, slots, .. } = self.setup;
        if group >= groups || slot >= slots {
            return Err(SetupError::Outside { group, slot, groups, slots });
        }
        self.slots.insert((group, slot), memory);
        Ok(())
    }

    /// A slot loses its memory. Whether it had any is the answer.
    pub fn remove(&mut self, group: u32, slot: u32) -> bool {
        self.slots.remove(&(group, slot)).is_some()
    }

    /// All slots lose their memory.
    pub fn reset(&mut self) {
        self.slots.clear();
    }

    /// Bytes of all memory of a group.
    #[must_use]
    pub fn group_len(&self, group: u32) -> u64 {
        let slots = self.slots.range((group, 0)..=(group, u32::MAX));
        slots.fold(0, |sum: u64, (_, slot)| sum.saturating_add(slot.memory.len()))
    }

    /// The memory that an address names.
    ///
    /// # Errors
    /// A group or a slot that does not exist, a slot without memory, another generation, a place that is not in it.
    pub fn resolve(&self, group: u32, address: QxlPhysical) -> Result<Place<'_>, MemoryError> {
        let MemSlotSetup { groups, slots, generation_bits, id_bits, .. } = self.setup;
        if group >= groups {
            return Err(MemoryError::Group { group, groups });
        }
        let (id, rest) = split(address.0, 0, id_bits);
        let (found, rest) = split(rest, id_bits, generation_bits);
        let slot = u32::try_from(id).ok().filter(|slot| *slot < slots);
        let slot = slot.ok_or(MemoryError::Slot { slot: id, slots })?;
        let memory = self.slots.get(&(group, slot)).ok_or(MemoryError::Empty { group, slot })?;
        if found != u64::from(memory.generation) {
            return Err(MemoryError::Generation { group, slot, found, expected: memory.generation });
        }
        let offset = rest.wrapping_sub(memory.start);
        let len = memory.memory.len();
        if offset > len {
            return Err(OutOfRange { offset, wanted: 0, len }.into());
        }
        Ok(Place { memory: memory.memory.as_ref(), offset, address })
    }
}

/// The `bits` of `value` below its upper `skip`, and what is below them.
const fn split(value: u64, skip: u8, bits: u8) -> (u64, u64) {
    let below = u64::BITS - skip as u32 - bits as u32;
    if bits == 0 {
        return (0, value);
    }
    (value >> below, value & ((1 << below) - 1))
}

/// A place in guest memory: it lies in a region, or right at its end.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    memory: &'a dyn GuestMemory,
    offset: u64,
    address: QxlPhysical,
}

impl Place<'_> {
    /// What the guest calls it.
    #[must_use]
    pub const fn address(&self) -> QxlPhysical {
        self.address
    }

    /// Bytes from here to the end of the region.
    #[must_use]
    pub fn room(&self) -> u64 {
        self.memory.len().saturating_sub(self.offset)
    }

    /// The place `by` bytes behind.
    ///
    /// # Errors
    /// Where that is beyond the end of the region.
    pub fn behind(&self, by: u64) -> Result<Self, MemoryError> {
        self.check(by)?;
        let address = QxlPhysical(self.address.0.wrapping_add(by));
        Ok(Self { offset: self.offset.saturating_add(by), address, ..*self })
    }

    /// Whether so many bytes are there.
    ///
    /// # Errors
    /// Where they are not.
    pub fn check(&self, wanted: u64) -> Result<(), MemoryError> {
        if wanted > self.room() {
            return Err(OutOfRange { offset: self.offset, wanted, len: self.memory.len() }.into());
        }
        Ok(())
    }

    /// Copies bytes from here on.
    ///
    /// # Errors
    /// Where the region ends before them. Then `into` is as it was.
    pub fn read(&self, into: &mut [u8]) -> Result<(), MemoryError> {
        Ok(self.memory.read(self.offset, into)?)
    }

    /// Puts bytes there, from here on.
    ///
    /// # Errors
    /// Where the region ends before them, or is only read. Then the memory is as it was.
    pub fn write(&self, from: &[u8]) -> Result<(), MemoryError> {
        Ok(self.memory.write(self.offset, from)?)
    }

    /// The next bytes. Nothing is allocated for bytes that are not there.
    ///
    /// # Errors
    /// Where the region ends before them.
    pub fn bytes(&self, len: u64) -> Result<Vec<u8>, MemoryError> {
        self.check(len)?;
        let out_of_range = OutOfRange { offset: self.offset, wanted: len, len: self.memory.len() };
        let mut bytes = vec![0; usize::try_from(len).map_err(|_| out_of_range)?];
        self.read(&mut bytes)?;
        Ok(bytes)
    }
}
