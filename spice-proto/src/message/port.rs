//! The port channel: a byte stream with a name, open or closed.
//!
//! A webdav channel is a port whose stream carries many WebDAV connections; it has the same messages.

pub use super::vmc::{CompressedData, DataCompression};

use bytes::Bytes;

use crate::open_enum;
use crate::wire::{
    In, Parsed, Wire, Writer, field, messages, named, parse_nonnull_text, put_text, put_text_place, record,
    wire_newtype,
};

messages! {
    /// From the server.
    pub enum ServerMessage in "port" {
        /// A piece of the stream.
        101 Data(Bytes, all),
        /// A piece of the stream, packed; only where the viewer has
        /// [`VmcCap::DATA_COMPRESS_LZ4`](crate::caps::VmcCap).
        102 CompressedData(CompressedData, all),
        /// The first message: what the port is called.
        201 Init(Init, front),
        /// Something has become of the port.
        202 Event(Event, all),
    }
}

messages! {
    /// From the viewer.
    pub enum ClientMessage in "port" {
        /// A piece of the stream.
        101 Data(Bytes, all),
        /// A piece of the stream, packed; only where the server has
        /// [`VmcCap::DATA_COMPRESS_LZ4`](crate::caps::VmcCap).
        102 CompressedData(CompressedData, all),
        /// Something is to become of the port.
        201 Event(Event, all),
    }
}

open_enum! {
    /// What becomes of a port (`SPICE_PORT_EVENT_*`).
    pub enum PortEvent: u8 {
        /// It is open.
        OPENED = 0,
        /// It is closed.
        CLOSED = 1,
        /// A serial line's break.
        BREAK = 2,
    }
}

wire_newtype!(PortEvent(u8));

/// `SpiceMsgPortInit`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Init {
    /// What the port is called, for instance `org.spice-space.webdav.0`; UTF-8 by custom. The wire ends it with a
    /// NUL, which is not part of it.
    pub name: Bytes,
    /// Not 0 where the guest has it open.
    pub opened: u8,
}

impl Wire for Init {
    fn parse<'a>(body: &'a Bytes, input: In<'a>) -> Parsed<'a, Self> {
        let (input, name) = named("name", parse_nonnull_text(body, input))?;
        let (input, opened) = field("opened", body, input)?;
        Ok((input, Self { name, opened }))
    }

    fn put(&self, writer: &mut Writer) {
        let slot = put_text_place(Some(&self.name), writer);
        self.opened.put(writer);
        put_text(Some(&self.name), &slot, writer);
    }

    #[cfg(feature = "arbitrary")]
    fn arbitrary(source: &mut crate::wire::Source<'_>) -> arbitrary::Result<Self> {
        Ok(Self { name: Wire::arbitrary(source)?, opened: Wire::arbitrary(source)? })
    }
}

record! {
    /// `SpiceMsgPortEvent`, `SpiceMsgcPortEvent`.
    #[derive(Copy, Eq)]
    pub struct Event {
        /// What has become of it.
        pub event: PortEvent,
    }
}
