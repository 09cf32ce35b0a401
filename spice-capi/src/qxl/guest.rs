//! The guest behind a device, as its worker polls it.
//!
//! Requests come first, in the order in which they were made; one that comes after what is in the rings has the rings
//! emptied before it. A request is done when the event that it leads to has been handled, which is when the next one is
//! asked for.

use std::collections::VecDeque;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use spice_channel::{DescriptorId, Time};
use spice_display::memory::{GuestMemory, MemSlot, MemSlotSetup, MemSlots, QxlPhysical};
use spice_display::qxl::parse::{
    CommandFlags, CommandKind, Parsed, QxlCommand, Refused, ReleaseInfo, SurfaceCreate, monitors_config,
    parse, primary_surface,
};
use spice_display::qxl::{Command, DeviceEvent, GlScanout, GuestEvent, SurfaceCommand, UpdateArea};
use spice_display::region::Region;
use spice_proto::caps::CapabilitySet;
use spice_proto::display::SurfaceFormat;
use spice_proto::{Rect, SurfaceId};
use spice_server::guest::{GUEST_CAPS, Guest, GuestInput, GuestWaker, ReadBack};

use super::device::Device;
use super::memory::HostMemory;
use super::request::{Dirty, Done, Request, What};
use super::ring::Host;
use super::surfaces::Surfaces;
use crate::abi::qxl::{CAPABILITIES, QXLCommandExt, QXLDevMemSlot, QXLDevSurfaceCreate};

/// Commands that are taken from the rings for a request that comes after them: more than any ring holds, so that a guest
/// that goes on drawing does not keep the host waiting.
const RINGS: usize = 4096;

/// When a ring is looked at again that had a command and has none, as the host says.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// Commands that the host's log is told of.
const REFUSALS_LOGGED: usize = 20;

/// A surface begins with what is in its memory (`QXL_SURF_FLAG_KEEP_DATA`).
const KEEP_DATA: u32 = 1;

/// Display commands between two looks at the cursor's ring.
const CURSOR_EVERY: usize = 16;

/// A guest in the host's memory.
#[derive(Debug)]
pub(crate) struct QxlGuest {
    device: Arc<Device>,
    host: Host,
    slots: MemSlots,
    /// The memory of each slot, which knows where it is.
    memory: Vec<((u32, u32), HostMemory)>,
    surfaces: Surfaces,
    /// A request whose turn comes when the rings are empty, and how many commands they may still hold.
    waiting: Option<(Request, usize)>,
    /// Events of the request that is under way.
    events: VecDeque<GuestEvent>,
    /// Who is told once they have been handled, and of what.
    done: Option<(Done, Dirty)>,
    /// What is read, and who is told of what in it.
    reading: Option<Reading>,
    /// What the graphics processor shows, and how often it was something else.
    scanout: Option<(DescriptorId, Arc<OwnedFd>)>,
    scanouts: u64,
    /// Who waits until viewers have shown what it has drawn.
    drawing: Vec<Done>,
    look_again: Option<Time>,
    since_cursor: usize,
    refused: usize,
    viewers: usize,
    /// What the guest was told of viewers.
    told: Option<(bool, [u8; CAPABILITIES])>,
}

/// A request of pixels.
#[derive(Clone, Copy, Debug)]
struct Reading {
    most: Option<usize>,
    clear: bool,
}

impl QxlGuest {
    /// # Errors
    /// In words, an address layout that makes no sense.
    pub(crate) fn new(device: Arc<Device>, host: Host) -> Result<Self, String> {
        let info = host.init_info();
        let setup = MemSlotSetup {
            groups: info.num_memslots_groups,
            slots: info.num_memslots,
            generation_bits: info.memslot_gen_bits,
            id_bits: info.memslot_id_bits,
            internal_groupslot_id: info.internal_groupslot_id,
        };
        Ok(Self {
            device,
            host,
            slots: MemSlots::new(setup).map_err(|error| error.to_string())?,
            memory: Vec::new(),
            surfaces: Surfaces::default(),
            waiting: None,
            events: VecDeque::new(),
            done: None,
            reading: None,
            scanout: None,
            scanouts: 0,
            drawing: Vec::new(),
            look_again: None,
            since_cursor: 0,
            refused: 0,
            viewers: 0,
            told: None,
        })
    }

    /// Tells who waits for it that a request is done.
    fn finish(&self, done: Done, dirty: Dirty) {
        match done {
            Done::Nobody => {}
            // Who does not wait any more has ended.
            Done::Waits(waits) => drop(waits.send(dirty)),
            Done::Cookie(cookie) => self.host.complete(cookie),
        }
    }

    /// Does what is asked for, or prepares the events of it.
    fn begin(&mut self, Request { what, done }: Request) {
        match what {
            What::AddMemslot(slot) => self.add_memslot(&slot),
            What::DelMemslot { group, slot } => {
                self.slots.remove(group, slot);
                self.memory.retain(|(at, _)| *at != (group, slot));
            }
            What::ResetMemslots => {
                self.slots.reset();
                self.memory.clear();
            }
            What::CreatePrimary(create) => self.create_primary(&create),
            What::DestroyPrimary => {
                self.read_all([SurfaceId::PRIMARY]);
                self.events.push_back(GuestEvent::Device(DeviceEvent::DestroyPrimary));
            }
            What::DestroySurface(surface) => {
                self.read_all([surface]);
                if self.surfaces.area(surface).is_some() {
                    let destroy = SurfaceCommand::Destroy { surface };
                    self.events.push_back(GuestEvent::Command(Command::Surface(destroy)));
                }
            }
            What::DestroySurfaces => {
                self.read_all(self.surfaces.ids());
                self.events.push_back(GuestEvent::Device(DeviceEvent::DestroySurfaces));
            }
            What::UpdateArea { surface, area, most, clear } => {
                self.reading = Some(Reading { most, clear });
                self.read(surface, area);
            }
            What::FlushSurfaces | What::Stop => self.read_all(self.surfaces.ids()),
            What::Monitors { group, address } => self.set_monitors(group, address),
            What::LoadCommands(commands) => {
                for command in commands {
                    if let Some(event) = self.parse(command).map(|event| self.with_content(event)) {
                        self.events.push_back(event);
                    }
                }
            }
            What::ResetCursor => self.events.push_back(GuestEvent::Device(DeviceEvent::ResetCursor)),
            What::DriverUnload => self.events.push_back(GuestEvent::Device(DeviceEvent::DriverUnload)),
            What::GlScanout(scanout) => self.set_scanout(scanout),
            What::GlDraw(_) if self.scanout.is_none() => {
                self.refuse(&"a draw without anything that is shown");
            }
            What::GlDraw(draw) => {
                self.events.push_back(GuestEvent::Device(DeviceEvent::GlDraw(draw)));
                return self.drawing.push(done);
            }
            What::OutOfMemory => self.host.flush_resources(),
        }
        self.done = Some((done, Dirty::new()));
    }

    fn set_scanout(&mut self, scanout: Option<(GlScanout, OwnedFd)>) {
        let shown = scanout.map(|(mut shown, buffer)| {
            self.scanouts += 1;
            shown.descriptor = DescriptorId(self.scanouts);
            self.scanout = Some((shown.descriptor, Arc::new(buffer)));
            shown
        });
        if shown.is_none() {
            self.scanout = None;
        }
        self.events.push_back(GuestEvent::Device(DeviceEvent::GlScanout(shown)));
    }

    fn read(&mut self, surface: SurfaceId, area: Rect) {
        let update = UpdateArea { surface, area, update_id: 0 };
        self.events.push_back(GuestEvent::Command(Command::Update(update)));
    }

    fn read_all(&mut self, surfaces: impl IntoIterator<Item = SurfaceId>) {
        for surface in surfaces {
            if let Some(area) = self.surfaces.area(surface) {
                self.read(surface, area);
            }
        }
    }

    fn add_memslot(&mut self, slot: &QXLDevMemSlot) {
        let (group, id) = (slot.slot_group_id, slot.slot_id);
        let Some(len) = slot.virt_end.checked_sub(slot.virt_start) else {
            return self.refuse(&format_args!("memory slot {id} of group {group} ends before it begins"));
        };
        // SAFETY: the host says so (`QXLDevMemSlot`), until it takes the slot away.
        let memory = unsafe { HostMemory::new(slot.virt_start, len as u64) };
        let start = (slot.virt_start as u64).wrapping_sub(slot.addr_delta);
        let with = MemSlot { generation: slot.generation, start, memory: Arc::new(memory) };
        match self.slots.add(group, id, with) {
            Ok(()) => {
                self.memory.retain(|(at, _)| *at != (group, id));
                self.memory.push(((group, id), memory));
            }
            Err(error) => self.refuse(&error),
        }
    }

    /// The memory from an address on.
    fn locate(&self, group: u32, address: QxlPhysical) -> Option<HostMemory> {
        let place = self.slots.resolve(group, address).ok()?;
        let bits = self.slots.setup().id_bits;
        let slot =
            if bits == 0 { 0 } else { u32::try_from(address.0 >> (u64::BITS - u32::from(bits))).ok()? };
        let (_, memory) = self.memory.iter().find(|(at, _)| *at == (group, slot))?;
        memory.from(memory.len() - place.room())
    }

    fn create_primary(&mut self, create: &QXLDevSurfaceCreate) {
        let mem = QxlPhysical(create.mem);
        let parsed = SurfaceCreate {
            width: create.width,
            height: create.height,
            stride: create.stride,
            format: SurfaceFormat(create.format),
            flags: create.flags,
            mem,
        };
        match primary_surface(&self.slots, create.group_id, &parsed) {
            Ok(primary) => {
                self.surfaces.insert(SurfaceId::PRIMARY, parsed.place(create.group_id), None);
                self.events.push_back(GuestEvent::Device(DeviceEvent::CreatePrimary(primary)));
            }
            Err(error) => self.refuse(&error),
        }
    }

    fn set_monitors(&mut self, group: u32, address: QxlPhysical) {
        match monitors_config(&self.slots, group, address) {
            Ok(monitors) => self.events.push_back(GuestEvent::Device(DeviceEvent::Monitors(monitors))),
            Err(error) => self.refuse(&error),
        }
    }

    fn refuse(&mut self, why: &dyn std::fmt::Display) {
        if self.refused < REFUSALS_LOGGED {
            tracing::warn!("display {}: {why}", self.device.id());
        }
        self.refused += 1;
    }

    /// Gives a command back to the guest.
    fn release(&self, info: &ReleaseInfo) {
        if let Some(memory) = self.locate(info.group, info.address) {
            self.host.release(memory.address(0), info.group);
        }
    }

    /// A surface is gone, and its command goes back to the guest.
    fn release_surface(&mut self, surface: SurfaceId) {
        if let Some(release) = self.surfaces.remove(surface) {
            self.release(&release);
        }
    }

    /// Reads a command; what it needs of the guest's memory is copied, so it goes back to the guest at once.
    fn parse(&mut self, ext: QXLCommandExt) -> Option<GuestEvent> {
        let command = QxlCommand {
            group: ext.group_id,
            flags: CommandFlags::from_bits(ext.flags),
            kind: CommandKind(ext.cmd.kind),
            data: QxlPhysical(ext.cmd.data),
        };
        match parse(&self.slots, &command) {
            Ok(parsed) => {
                self.follow(&parsed);
                Some(GuestEvent::Command(parsed.command))
            }
            Err(Refused { error, release }) => {
                self.refuse(&error);
                if let Some(release) = release {
                    self.release(&release);
                }
                None
            }
        }
    }

    /// A surface of a machine that was saved begins with what is in its memory, whatever its command says.
    fn with_content(&self, event: GuestEvent) -> GuestEvent {
        let GuestEvent::Command(Command::Surface(SurfaceCommand::Create {
            surface,
            width,
            height,
            format,
            ..
        })) = event
        else {
            return event;
        };
        let read = self.surfaces.place(surface).and_then(|place| {
            let (stride, mem) = (place.stride, place.address);
            let kept = SurfaceCreate { width, height, stride, format, flags: KEEP_DATA, mem };
            primary_surface(&self.slots, place.group, &kept).ok()?.content
        });
        GuestEvent::Command(Command::Surface(SurfaceCommand::Create {
            surface,
            width,
            height,
            format,
            content: read,
        }))
    }

    /// Keeps in mind what a command does to surfaces, and gives it back. The command that creates a surface goes back
    /// when the surface ends: drivers take its memory for free then.
    fn follow(&mut self, Parsed { command, release, surface: place }: &Parsed) {
        match command {
            Command::Surface(SurfaceCommand::Destroy { surface }) => self.release_surface(*surface),
            Command::Surface(SurfaceCommand::Create { surface, .. }) => {
                // A number that is in use is refused, and the command is done with.
                if let Some(place) = place.filter(|_| self.surfaces.place(*surface).is_none()) {
                    self.surfaces.insert(*surface, place, Some(*release));
                    return;
                }
            }
            _ => {}
        }
        self.release(release);
    }

    /// The next command of the rings.
    fn ring(&mut self) -> Option<GuestEvent> {
        if !self.device.runs() {
            return None;
        }
        loop {
            let cursor_first = self.since_cursor >= CURSOR_EVERY;
            self.since_cursor = if cursor_first { 0 } else { self.since_cursor + 1 };
            let ext = match cursor_first {
                true => self.host.cursor_command().or_else(|| self.host.command()),
                false => self.host.command().or_else(|| self.host.cursor_command()),
            };
            if let Some(event) = self.parse(ext?) {
                return Some(event);
            }
        }
    }
}

impl Guest for QxlGuest {
    fn attach(&mut self, waker: GuestWaker) {
        self.device.attach(waker);
    }

    fn takes_positions(&self) -> bool {
        false
    }

    fn poll(&mut self, now: Time) -> Option<GuestEvent> {
        self.look_again = None;
        loop {
            if let Some(event) = self.events.pop_front() {
                match &event {
                    GuestEvent::Command(Command::Surface(SurfaceCommand::Destroy { surface })) => {
                        self.release_surface(*surface);
                    }
                    GuestEvent::Device(DeviceEvent::DestroyPrimary) => {
                        self.release_surface(SurfaceId::PRIMARY);
                    }
                    GuestEvent::Device(DeviceEvent::DestroySurfaces) => {
                        self.surfaces.ids().into_iter().for_each(|surface| self.release_surface(surface));
                    }
                    _ => {}
                }
                return Some(event);
            }
            if let Some((done, dirty)) = self.done.take() {
                self.finish(done, dirty);
            }
            if let Some((request, left)) = self.waiting.take() {
                match self.ring().filter(|_| left > 0) {
                    Some(event) => {
                        self.waiting = Some((request, left - 1));
                        return Some(event);
                    }
                    None => self.begin(request),
                }
                continue;
            }
            match self.device.next() {
                Some(request) if request.what.comes_after_rings() => self.waiting = Some((request, RINGS)),
                Some(request) => self.begin(request),
                None => break,
            }
        }
        let event = self.ring();
        if event.is_none() && self.device.runs() && !self.host.wait_for_commands() {
            // Something has come meanwhile, or the host will not say when it does.
            let event = self.ring();
            if event.is_none() {
                self.look_again = Some(now + LOOK_AGAIN);
            }
            return event;
        }
        event
    }

    fn poll_timeout(&self) -> Option<Time> {
        self.look_again
    }

    fn handle_input(&mut self, _: GuestInput, _: Time) {}

    fn read_back(&mut self, update: &UpdateArea, mut display: ReadBack<'_>) {
        let UpdateArea { surface, area, update_id } = *update;
        if let Some(place) = self.surfaces.place(surface)
            && let Some(canvas) = display.canvas(surface, area)
            && let Err(error) = canvas.write_back(area, &self.slots, &place)
        {
            self.refuse(&error);
        }
        match self.reading.take() {
            Some(Reading { most, clear }) => {
                let dirty = display.take_dirty(surface, &area, clear, most.unwrap_or(0));
                let dirty: Dirty = dirty.iter().flat_map(Region::rects).collect();
                if let Some((done, told)) = &mut self.done {
                    if let Done::Cookie(_) = done {
                        self.host.update_area_complete(surface.0, &dirty);
                    }
                    *told = dirty;
                }
            }
            // The guest's own command, or one of all surfaces.
            None if self.done.is_none() => self.host.notify_update(update_id),
            None => {}
        }
    }

    fn descriptor(&self, id: DescriptorId) -> Option<Arc<OwnedFd>> {
        self.scanout.as_ref().filter(|(known, _)| *known == id).map(|(_, buffer)| Arc::clone(buffer))
    }

    fn handle_gl_drawn(&mut self) {
        for done in std::mem::take(&mut self.drawing) {
            self.finish(done, Dirty::new());
        }
    }

    fn handle_viewers(&mut self, displays: usize, _: Time) {
        self.viewers = displays;
    }

    fn handle_abilities(&mut self, caps: &CapabilitySet) {
        let mut bits = [0; CAPABILITIES];
        for cap in GUEST_CAPS.into_iter().filter(|cap| caps.contains(*cap)) {
            if let Some(byte) = bits.get_mut(cap.0 as usize / 8) {
                *byte |= 1 << (cap.0 % 8);
            }
        }
        let told = (self.viewers > 0, bits);
        if self.told != Some(told) {
            self.told = Some(told);
            self.host.set_client_capabilities(told.0, told.1);
        }
    }
}

impl Drop for QxlGuest {
    fn drop(&mut self) {
        self.device.end();
    }
}
