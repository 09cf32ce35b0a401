//! The header before every message after the link: full or mini, by capability.

/// Which header both ends have agreed on: mini where both have [`CommonCap::MINI_HEADER`](crate::caps::CommonCap).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeaderKind {
    /// `SpiceDataHeader`: serial, type, size, sub-message list; 18 bytes.
    Full,
    /// `SpiceMiniDataHeader`: type, size; 6 bytes. Both ends count serials by themselves.
    Mini,
}

/// What a header says, in either form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DataHeader {
    /// The message's place in the channel's order, from 1; in the full header only.
    pub serial: Option<u64>,
    /// The message's number.
    pub id: u16,
    /// Bytes of body that follow.
    pub size: u32,
    /// Offset in the body of a list of sub-messages, 0 for none; in the full header only.
    /// [`SubMessageList::split`](crate::base::SubMessageList::split) takes such a body apart.
    pub sub_list: u32,
}

impl HeaderKind {
    /// Bytes that the header takes.
    #[must_use]
    pub const fn len(self) -> usize {
        match self {
            Self::Full => 18,
            Self::Mini => 6,
        }
    }

    /// Always false: a header has bytes.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        false
    }

    /// The header at the front of `bytes`, or `None` while it is not whole.
    #[must_use]
    pub fn decode(self, bytes: &[u8]) -> Option<DataHeader> {
        match self {
            Self::Full => {
                let (serial, rest) = bytes.split_first_chunk()?;
                let (id, rest) = rest.split_first_chunk()?;
                let (size, rest) = rest.split_first_chunk()?;
                let (sub_list, _) = rest.split_first_chunk()?;
                Some(DataHeader {
                    serial: Some(u64::from_le_bytes(*serial)),
                    id: u16::from_le_bytes(*id),
                    size: u32::from_le_bytes(*size),
                    sub_list: u32::from_le_bytes(*sub_list),
                })
            }
            Self::Mini => {
                let (id, rest) = bytes.split_first_chunk()?;
                let (size, _) = rest.split_first_chunk()?;
                Some(DataHeader {
                    serial: None,
                    id: u16::from_le_bytes(*id),
                    size: u32::from_le_bytes(*size),
                    sub_list: 0,
                })
            }
        }
    }

    /// Appends the header of message number `id` with a body of `size` bytes and no sub-messages. The mini header
    /// does not carry `serial`.
    pub fn encode(self, serial: u64, id: u16, size: u32, out: &mut Vec<u8>) {
        DataHeader { serial: Some(serial), id, size, sub_list: 0 }.encode(self, out);
    }
}

impl DataHeader {
    /// Appends the header in this form. The mini header carries neither `serial` nor `sub_list`; the full one carries
    /// a `serial` of 0 where there is none.
    pub fn encode(&self, kind: HeaderKind, out: &mut Vec<u8>) {
        if kind == HeaderKind::Full {
            out.extend_from_slice(&self.serial.unwrap_or(0).to_le_bytes());
        }
        out.extend_from_slice(&self.id.to_le_bytes());
        out.extend_from_slice(&self.size.to_le_bytes());
        if kind == HeaderKind::Full {
            out.extend_from_slice(&self.sub_list.to_le_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_headers_come_back_and_no_truncation_passes() {
        for (kind, serial) in [(HeaderKind::Full, Some(77)), (HeaderKind::Mini, None)] {
            let mut bytes = Vec::new();
            kind.encode(77, 304, 0x0102_0304, &mut bytes);
            assert_eq!(bytes.len(), kind.len());
            let header = DataHeader { serial, id: 304, size: 0x0102_0304, sub_list: 0 };
            assert_eq!(kind.decode(&bytes), Some(header));
            for short in 0..bytes.len() {
                assert_eq!(kind.decode(&bytes[..short]), None);
            }
        }
    }

    #[test]
    fn a_full_header_carries_its_sub_list_and_a_mini_header_none() {
        let header = DataHeader { serial: Some(1 << 40), id: 101, size: 70_000, sub_list: 69_000 };
        for (kind, back) in [
            (HeaderKind::Full, header),
            (HeaderKind::Mini, DataHeader { serial: None, sub_list: 0, ..header }),
        ] {
            let mut bytes = Vec::new();
            header.encode(kind, &mut bytes);
            assert_eq!(kind.decode(&bytes), Some(back));
        }
    }
}
