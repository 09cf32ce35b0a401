//! Reading of structures, each in one piece.

use spice_proto::{Point, Point16, Rect};

use super::{CommandFlags, ParseError, ParseErrorKind};
use crate::memory::{ChunkHeader, ChunkList, MemSlots, MemoryError, Place, QxlPhysical};

/// Bytes of the largest structure that is read.
const MAX_RECORD: usize = 192;

/// A guest while one of its commands is read.
#[derive(Clone, Copy)]
pub(super) struct Guest<'a> {
    pub(super) slots: &'a MemSlots,
    pub(super) group: u32,
    pub(super) flags: CommandFlags,
}

impl<'a> Guest<'a> {
    /// Copies a structure out.
    pub(super) fn record(
        self,
        name: &'static str,
        address: QxlPhysical,
        len: usize,
    ) -> Result<Record<'a>, ParseError> {
        let place = self.slots.resolve(self.group, address);
        place.and_then(|place| Record::read(name, place, len)).map_err(|error| ParseError {
            record: name,
            field: "address",
            address,
            kind: error.into(),
        })
    }

    /// A place that a field of `record` names.
    pub(super) fn place(
        self,
        record: &Record<'_>,
        field: &'static str,
        address: QxlPhysical,
    ) -> Result<Place<'a>, ParseError> {
        record.wrap(field, self.slots.resolve(self.group, address))
    }

    /// The list of chunks that begins with the next field of `record`, which is its last.
    pub(super) fn chunks(self, record: &mut Record<'a>) -> Result<ChunkList<'a>, ParseError> {
        let header = ChunkHeader::decode(record.array()?);
        let data = record.behind("chunk")?;
        record.wrap("chunk", self.slots.chunks_from(self.group, header, data))
    }

    /// The bytes of such a list, of which there have to be so many.
    pub(super) fn sized_chunks(self, record: &mut Record<'a>, expected: u64) -> Result<Vec<u8>, ParseError> {
        let list = self.chunks(record)?;
        if list.len() != expected {
            let kind = ParseErrorKind::Length { expected, found: list.len() };
            return Err(record.fault("data_size", kind));
        }
        record.wrap("chunk", list.bytes())
    }

    /// The bytes of such a list.
    pub(super) fn chunk_bytes(self, record: &mut Record<'a>) -> Result<Vec<u8>, ParseError> {
        let list = self.chunks(record)?;
        record.wrap("chunk", list.bytes())
    }
}

/// A structure that was copied out, read from its front on.
#[derive(Debug)]
pub(super) struct Record<'a> {
    name: &'static str,
    place: Place<'a>,
    bytes: [u8; MAX_RECORD],
    len: usize,
    at: usize,
}

impl<'a> Record<'a> {
    fn read(name: &'static str, place: Place<'a>, len: usize) -> Result<Self, MemoryError> {
        let mut record = Self { name, place, bytes: [0; MAX_RECORD], len: len.min(MAX_RECORD), at: 0 };
        if let Some(bytes) = record.bytes.get_mut(..record.len) {
            place.read(bytes)?;
        }
        Ok(record)
    }

    /// The structure right behind this one.
    pub(super) fn follow(&self, name: &'static str, len: usize) -> Result<Self, ParseError> {
        let place = self.behind(name)?;
        self.wrap(name, Record::read(name, place, len))
    }

    /// What lies right behind it.
    pub(super) fn behind(&self, field: &'static str) -> Result<Place<'a>, ParseError> {
        self.wrap(field, self.place.behind(self.len as u64))
    }

    /// Something is wrong with one of its fields.
    pub(super) fn fault(&self, field: &'static str, kind: impl Into<ParseErrorKind>) -> ParseError {
        ParseError { record: self.name, field, address: self.place.address(), kind: kind.into() }
    }

    /// What was made of one of its fields.
    pub(super) fn wrap<T, E: Into<ParseErrorKind>>(
        &self,
        field: &'static str,
        result: Result<T, E>,
    ) -> Result<T, ParseError> {
        result.map_err(|error| self.fault(field, error))
    }

    /// The next bytes of it.
    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], ParseError> {
        let left = self.bytes.get(self.at..self.len).unwrap_or_default();
        let bytes = *left.first_chunk().ok_or_else(|| self.fault("end", ParseErrorKind::Truncated))?;
        self.at += N;
        Ok(bytes)
    }

    /// Bytes of it, wherever they are.
    pub(super) fn peek<const N: usize>(&self, at: usize) -> Option<[u8; N]> {
        self.bytes.get(at..self.len)?.first_chunk().copied()
    }

    pub(super) fn skip<const N: usize>(&mut self) -> Result<(), ParseError> {
        self.array().map(|_: [u8; N]| ())
    }

    pub(super) fn u8(&mut self) -> Result<u8, ParseError> {
        self.array().map(|[byte]| byte)
    }

    pub(super) fn u16(&mut self) -> Result<u16, ParseError> {
        self.array().map(u16::from_le_bytes)
    }

    pub(super) fn u32(&mut self) -> Result<u32, ParseError> {
        self.array().map(u32::from_le_bytes)
    }

    pub(super) fn i32(&mut self) -> Result<i32, ParseError> {
        self.array().map(i32::from_le_bytes)
    }

    pub(super) fn u64(&mut self) -> Result<u64, ParseError> {
        self.array().map(u64::from_le_bytes)
    }

    pub(super) fn address(&mut self) -> Result<QxlPhysical, ParseError> {
        self.u64().map(QxlPhysical)
    }

    pub(super) fn point(&mut self) -> Result<Point, ParseError> {
        Ok(Point::new(self.i32()?, self.i32()?))
    }

    pub(super) fn point16(&mut self) -> Result<Point16, ParseError> {
        let mut number = || self.array().map(i16::from_le_bytes);
        Ok(Point16 { x: number()?, y: number()? })
    }

    pub(super) fn rect(&mut self) -> Result<Rect, ParseError> {
        let (top, left, bottom, right) = (self.i32()?, self.i32()?, self.i32()?, self.i32()?);
        Ok(Rect::from_edges(left, top, right, bottom))
    }
}
