//! The memory of one command.

use bytes::Bytes;

/// Blocks that stay where they are until all of them go.
#[derive(Debug, Default)]
pub(super) struct Arena {
    blocks: Vec<Vec<u8>>,
    shared: Vec<Bytes>,
}

impl Arena {
    /// Takes a block. The answer is its address. The server may write it.
    pub(super) fn keep(&mut self, mut block: Vec<u8>) -> u64 {
        let address = address(&mut block);
        self.blocks.push(block);
        address
    }

    /// Takes bytes without copying them, which nobody may write.
    pub(super) fn share(&mut self, bytes: &Bytes) -> u64 {
        self.shared.push(bytes.clone());
        bytes.as_ptr().expose_provenance() as u64
    }

    /// All blocks with their addresses.
    #[cfg(test)]
    pub(super) fn regions(&self) -> impl Iterator<Item = &[u8]> {
        self.blocks.iter().map(Vec::as_slice).chain(self.shared.iter().map(Bytes::as_ref))
    }
}

/// Where a block lies, as a guest writes an address of the one slot that there is.
pub(super) fn address(block: &mut Vec<u8>) -> u64 {
    block.as_mut_ptr().expose_provenance() as u64
}
