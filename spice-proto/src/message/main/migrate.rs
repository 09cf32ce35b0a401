//! How a session moves to another host.
//!
//! ```text
//! viewer                            server
//!                               <-  MigrateBegin or MigrateBeginSeamless
//! (links to the target; on it:)
//! MigrateDstDoSeamless          ->
//!                               <-  MigrateDstSeamlessAck or MigrateDstSeamlessNack
//! (on the source:)
//! MigrateConnected, MigrateConnectedSeamless or MigrateConnectError ->
//!                               <-  MigrateEnd or MigrateCancel
//! (on the target:)
//! MigrateEnd                    ->
//! ```
//!
//! In the older way the viewer gets a `MigrateSwitchHost` when all is over, and links anew.

use bytes::Bytes;

use crate::wire::{
    In, OffsetSlot, Parsed, Wire, Writer, field, named, parse_nonnull_text, parse_text, put_text,
    put_text_place, record,
};

/// Where the session goes (`SpiceMigrationDstInfo`, `SpiceMsgMainMigrationBegin`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DstInfo {
    /// The target's port without TLS; 0 for none, which the C server also sends as 65,535.
    pub port: u16,
    /// The target's port with TLS; 0 for none, which the C server also sends as 65,535.
    pub sport: u16,
    /// The target's name or address. The wire ends it with a NUL, which is not part of it.
    pub host: Bytes,
    /// The subject that the target's certificate must have. The wire ends it with a NUL, which is not part of it.
    pub cert_subject: Option<Bytes>,
}

impl DstInfo {
    fn put_fixed(&self, writer: &mut Writer) -> [OffsetSlot; 2] {
        self.port.put(writer);
        self.sport.put(writer);
        [put_text_place(Some(&self.host), writer), put_text_place(self.cert_subject.as_ref(), writer)]
    }

    fn put_texts(&self, [host, cert_subject]: &[OffsetSlot; 2], writer: &mut Writer) {
        put_text(Some(&self.host), host, writer);
        put_text(self.cert_subject.as_ref(), cert_subject, writer);
    }
}

impl Wire for DstInfo {
    fn parse<'a>(body: &'a Bytes, input: In<'a>) -> Parsed<'a, Self> {
        let (input, port) = field("port", body, input)?;
        let (input, sport) = field("sport", body, input)?;
        let (input, host) = named("host_data", parse_nonnull_text(body, input))?;
        let (input, cert_subject) = named("cert_subject_data", parse_text(body, input))?;
        Ok((input, Self { port, sport, host, cert_subject }))
    }

    fn put(&self, writer: &mut Writer) {
        let slots = self.put_fixed(writer);
        self.put_texts(&slots, writer);
    }

    #[cfg(feature = "arbitrary")]
    fn arbitrary(source: &mut crate::wire::Source<'_>) -> arbitrary::Result<Self> {
        Ok(Self {
            port: Wire::arbitrary(source)?,
            sport: Wire::arbitrary(source)?,
            host: Wire::arbitrary(source)?,
            cert_subject: arbitrary_text(source)?,
        })
    }
}

/// `SpiceMsgMainMigrateBeginSeamless`: the session goes on where it is, each channel with its state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MigrateBeginSeamless {
    /// Where the session goes.
    pub dst_info: DstInfo,
    /// The source's version of the migration data, which the viewer repeats to the target.
    pub src_mig_version: u32,
}

impl Wire for MigrateBeginSeamless {
    fn parse<'a>(body: &'a Bytes, input: In<'a>) -> Parsed<'a, Self> {
        let (input, dst_info) = field("dst_info", body, input)?;
        let (input, src_mig_version) = field("src_mig_version", body, input)?;
        Ok((input, Self { dst_info, src_mig_version }))
    }

    fn put(&self, writer: &mut Writer) {
        let slots = self.dst_info.put_fixed(writer);
        self.src_mig_version.put(writer);
        self.dst_info.put_texts(&slots, writer);
    }

    #[cfg(feature = "arbitrary")]
    fn arbitrary(source: &mut crate::wire::Source<'_>) -> arbitrary::Result<Self> {
        Ok(Self { dst_info: Wire::arbitrary(source)?, src_mig_version: Wire::arbitrary(source)? })
    }
}

/// `SpiceMsgMainMigrationSwitchHost`: the viewer is to link anew, to the target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MigrateSwitchHost {
    /// The target's port without TLS; 0 for none, which the C server also sends as 65,535.
    pub port: u16,
    /// The target's port with TLS; 0 for none, which the C server also sends as 65,535.
    pub sport: u16,
    /// The target's name or address, which only this message may leave out. The wire ends it with a NUL, which is not
    /// part of it.
    pub host: Option<Bytes>,
    /// The subject that the target's certificate must have. The wire ends it with a NUL, which is not part of it.
    pub cert_subject: Option<Bytes>,
}

impl Wire for MigrateSwitchHost {
    fn parse<'a>(body: &'a Bytes, input: In<'a>) -> Parsed<'a, Self> {
        let (input, port) = field("port", body, input)?;
        let (input, sport) = field("sport", body, input)?;
        let (input, host) = named("host_data", parse_text(body, input))?;
        let (input, cert_subject) = named("cert_subject_data", parse_text(body, input))?;
        Ok((input, Self { port, sport, host, cert_subject }))
    }

    fn put(&self, writer: &mut Writer) {
        self.port.put(writer);
        self.sport.put(writer);
        let host = put_text_place(self.host.as_ref(), writer);
        let cert_subject = put_text_place(self.cert_subject.as_ref(), writer);
        put_text(self.host.as_ref(), &host, writer);
        put_text(self.cert_subject.as_ref(), &cert_subject, writer);
    }

    #[cfg(feature = "arbitrary")]
    fn arbitrary(source: &mut crate::wire::Source<'_>) -> arbitrary::Result<Self> {
        Ok(Self {
            port: Wire::arbitrary(source)?,
            sport: Wire::arbitrary(source)?,
            host: arbitrary_text(source)?,
            cert_subject: arbitrary_text(source)?,
        })
    }
}

record! {
    /// `SpiceMsgcMainMigrateDstDoSeamless`, on the target.
    #[derive(Copy, Eq)]
    pub struct MigrateDstDoSeamless {
        /// The source's version of the migration data ([`MigrateBeginSeamless::src_mig_version`]).
        pub src_version: u32,
    }
}

#[cfg(feature = "arbitrary")]
fn arbitrary_text(source: &mut crate::wire::Source<'_>) -> arbitrary::Result<Option<Bytes>> {
    source.arbitrary::<bool>()?.then(|| Wire::arbitrary(source)).transpose()
}
