//! The clipboard: who has it, and what is in it.
//!
//! Parsers take the layout, since these messages do not say whether they begin with a selection.

use bytes::Bytes;

use super::AgentLayout;
use crate::open_enum;
use crate::wire::{In, Parsed, Wire, Writer, counted, field, named, record, rest, wire_newtype};

open_enum! {
    /// Which of the clipboards (`VD_AGENT_CLIPBOARD_SELECTION_*`).
    #[derive(Default)]
    pub enum ClipboardSelection: u8 {
        /// The clipboard; the only one in a layout without selections.
        CLIPBOARD = 0,
        /// What is marked.
        PRIMARY = 1,
        /// The secondary selection of X11.
        SECONDARY = 2,
    }
}

open_enum! {
    /// What kind of content (`VD_AGENT_CLIPBOARD_*`).
    pub enum ClipboardType: u32 {
        /// None: the content cannot be had.
        NONE = 0,
        /// Text in UTF-8.
        UTF8_TEXT = 1,
        /// A PNG image.
        IMAGE_PNG = 2,
        /// A BMP image.
        IMAGE_BMP = 3,
        /// A TIFF image.
        IMAGE_TIFF = 4,
        /// A JPEG image.
        IMAGE_JPG = 5,
        /// Paths on the session's shared folder, separated by NULs, after `copy` or `cut`.
        FILE_LIST = 6,
    }
}

wire_newtype!(ClipboardSelection(u8), ClipboardType(u32));

/// Content, as it was requested (`VDAgentClipboard`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clipboard {
    /// Of which clipboard.
    pub selection: ClipboardSelection,
    /// Which kind.
    pub kind: ClipboardType,
    /// The content.
    pub data: Bytes,
}

/// The sender's end has the clipboard now, with content of these kinds (`VDAgentClipboardGrab`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClipboardGrab {
    /// Which clipboard.
    pub selection: ClipboardSelection,
    /// Counts the grabs of this clipboard by both ends, from 0: the end that sees a number it did not expect ignores
    /// the grab. 0 in a layout without numbers.
    pub serial: u32,
    /// The kinds that can be requested.
    pub kinds: Vec<ClipboardType>,
}

/// The sender wants the content (`VDAgentClipboardRequest`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClipboardRequest {
    /// Of which clipboard.
    pub selection: ClipboardSelection,
    /// As which kind.
    pub kind: ClipboardType,
}

/// The sender's end has the clipboard no longer (`VDAgentClipboardRelease`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClipboardRelease {
    /// Which clipboard.
    pub selection: ClipboardSelection,
}

record! {
    /// The most content that the viewer takes (`VDAgentMaxClipboard`).
    #[derive(Copy, Eq)]
    pub struct MaxClipboard {
        /// Bytes; -1 for no limit.
        pub max: i32,
    }
}

impl Clipboard {
    pub(super) fn parse<'a>(layout: AgentLayout, body: &'a Bytes, input: In<'a>) -> Parsed<'a, Self> {
        let (input, selection) = parse_selection(layout, body, input)?;
        let (input, kind) = field("type", body, input)?;
        let (input, data) = named("data", rest(body, input))?;
        Ok((input, Self { selection, kind, data }))
    }

    pub(super) fn put(&self, layout: AgentLayout, writer: &mut Writer) {
        put_selection(self.selection, layout, writer);
        self.kind.put(writer);
        self.data.put(writer);
    }
}

impl ClipboardGrab {
    pub(super) fn parse<'a>(layout: AgentLayout, body: &'a Bytes, input: In<'a>) -> Parsed<'a, Self> {
        let (input, selection) = parse_selection(layout, body, input)?;
        let (input, serial) = if layout.grab_serial { field("serial", body, input)? } else { (input, 0) };
        let (input, kinds) = named("types", counted(body, input, input.len() / 4, 4))?;
        Ok((input, Self { selection, serial, kinds }))
    }

    pub(super) fn put(&self, layout: AgentLayout, writer: &mut Writer) {
        put_selection(self.selection, layout, writer);
        if layout.grab_serial {
            self.serial.put(writer);
        }
        for kind in &self.kinds {
            kind.put(writer);
        }
    }
}

impl ClipboardRequest {
    pub(super) fn parse<'a>(layout: AgentLayout, body: &'a Bytes, input: In<'a>) -> Parsed<'a, Self> {
        let (input, selection) = parse_selection(layout, body, input)?;
        let (input, kind) = field("type", body, input)?;
        Ok((input, Self { selection, kind }))
    }

    pub(super) fn put(&self, layout: AgentLayout, writer: &mut Writer) {
        put_selection(self.selection, layout, writer);
        self.kind.put(writer);
    }
}

impl ClipboardRelease {
    pub(super) fn parse<'a>(layout: AgentLayout, body: &'a Bytes, input: In<'a>) -> Parsed<'a, Self> {
        let (input, selection) = parse_selection(layout, body, input)?;
        Ok((input, Self { selection }))
    }

    pub(super) fn put(&self, layout: AgentLayout, writer: &mut Writer) {
        put_selection(self.selection, layout, writer);
    }
}

/// One byte of selection and three that mean nothing, where the layout has them.
fn parse_selection<'a>(
    layout: AgentLayout,
    body: &'a Bytes,
    input: In<'a>,
) -> Parsed<'a, ClipboardSelection> {
    if !layout.selection {
        return Ok((input, ClipboardSelection::CLIPBOARD));
    }
    let (input, selection) = field("selection", body, input)?;
    let (input, _) = field::<[u8; 3]>("reserved", body, input)?;
    Ok((input, selection))
}

fn put_selection(selection: ClipboardSelection, layout: AgentLayout, writer: &mut Writer) {
    if layout.selection {
        selection.put(writer);
        writer.put_slice(&[0; 3]);
    }
}

#[cfg(feature = "arbitrary")]
mod made_up {
    use super::{
        AgentLayout, Clipboard, ClipboardGrab, ClipboardRelease, ClipboardRequest, ClipboardSelection,
    };
    use crate::wire::{Source, Wire, arbitrary_list};
    use arbitrary::Result;

    fn selection(layout: AgentLayout, source: &mut Source<'_>) -> Result<ClipboardSelection> {
        if layout.selection { Wire::arbitrary(source) } else { Ok(ClipboardSelection::CLIPBOARD) }
    }

    impl Clipboard {
        pub(in crate::agent) fn arbitrary(layout: AgentLayout, source: &mut Source<'_>) -> Result<Self> {
            Ok(Self {
                selection: selection(layout, source)?,
                kind: Wire::arbitrary(source)?,
                data: Wire::arbitrary(source)?,
            })
        }
    }

    impl ClipboardGrab {
        pub(in crate::agent) fn arbitrary(layout: AgentLayout, source: &mut Source<'_>) -> Result<Self> {
            Ok(Self {
                selection: selection(layout, source)?,
                serial: if layout.grab_serial { Wire::arbitrary(source)? } else { 0 },
                kinds: arbitrary_list(source, 8)?,
            })
        }
    }

    impl ClipboardRequest {
        pub(in crate::agent) fn arbitrary(layout: AgentLayout, source: &mut Source<'_>) -> Result<Self> {
            Ok(Self { selection: selection(layout, source)?, kind: Wire::arbitrary(source)? })
        }
    }

    impl ClipboardRelease {
        pub(in crate::agent) fn arbitrary(layout: AgentLayout, source: &mut Source<'_>) -> Result<Self> {
            Ok(Self { selection: selection(layout, source)? })
        }
    }
}
