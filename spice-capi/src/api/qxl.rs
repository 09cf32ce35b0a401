//! QXL devices (`spice-qxl.h`). These may be called on any thread of the host but the worker's own.

use std::ffi::{c_char, c_int, c_uint};
use std::os::fd::{FromRawFd, OwnedFd};
use std::sync::Arc;

use spice_channel::DescriptorId;
use spice_display::memory::QxlPhysical;
use spice_display::qxl::GlScanout;
use spice_proto::display::GlDraw;
use spice_proto::{Rect, SurfaceId};

use crate::abi::qxl::{QXLCommandExt, QXLDevMemSlot, QXLDevSurfaceCreate, QXLInstance, QXLRect};
use crate::guard::guard;
use crate::host::Screen;
use crate::qxl::{Device, What};
use crate::server::SpiceServer;

/// What an instance's `st` points to while it is added.
#[derive(Debug)]
pub(crate) struct QxlState {
    pub(crate) server: *const SpiceServer,
    pub(crate) device: Arc<Device>,
}

/// The state of an instance.
///
/// # Safety
/// The instance is the host's; its `st` is null or what `spice_server_add_interface` has put there.
unsafe fn state<'a>(instance: *mut QXLInstance) -> Option<&'a QxlState> {
    // SAFETY: by the contract.
    unsafe { instance.as_ref()?.st.cast::<QxlState>().as_ref() }
}

impl QxlState {
    /// The primary surface is another one: viewers may point at it, or not.
    fn set_screen(&self, screen: Option<Screen>) {
        // SAFETY: the server outlives the instances that are added to it.
        let server = unsafe { &*self.server };
        if self.device.id() != 0 {
            return;
        }
        if let Some(running) = server.running() {
            running.bridge.post(move |server| server.set_screen(screen));
        }
    }
}

fn screen(surface: &QXLDevSurfaceCreate) -> Screen {
    Screen { width: surface.width, height: surface.height, absolute: surface.mouse_mode != 0 }
}

fn rect(rect: &QXLRect) -> Rect {
    Rect::from_edges(rect.left, rect.top, rect.right, rect.bottom)
}

/// Asks the worker for something and waits for it.
///
/// # Safety
/// As [`state`].
unsafe fn call(name: &'static str, instance: *mut QXLInstance, what: What) {
    guard(name, (), || {
        // SAFETY: by the contract.
        if let Some(state) = unsafe { state(instance) } {
            state.device.call(what);
        }
    });
}

/// Asks the worker for something of which the host is told by its cookie.
///
/// # Safety
/// As [`state`].
unsafe fn start(name: &'static str, instance: *mut QXLInstance, what: What, cookie: u64) {
    guard(name, (), || {
        // SAFETY: by the contract.
        if let Some(state) = unsafe { state(instance) } {
            state.device.start(what, cookie);
        }
    });
}

/// `spice_qxl_wakeup`.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _spice_qxl_wakeup(instance: *mut QXLInstance) {
    // SAFETY: as the module says.
    if let Some(state) = unsafe { state(instance) } {
        state.device.wake();
    }
}

/// `spice_qxl_oom`: the guest has no memory left. Nothing of it is held here for longer than it takes to read it, so what
/// there is to give back is what is in the rings.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _spice_qxl_oom(instance: *mut QXLInstance) {
    // SAFETY: as the module says.
    if let Some(state) = unsafe { state(instance) } {
        state.device.post(What::OutOfMemory);
    }
}

/// `spice_qxl_start`, in place of which there is `spice_server_vm_start`.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _spice_qxl_start(instance: *mut QXLInstance) {
    guard("spice_qxl_start", (), || {
        // SAFETY: as the module says.
        if let Some(state) = unsafe { state(instance) } {
            state.device.set_running(true);
        }
    });
}

/// `spice_qxl_stop`, in place of which there is `spice_server_vm_stop`.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _spice_qxl_stop(instance: *mut QXLInstance) {
    guard("spice_qxl_stop", (), || {
        // SAFETY: as the module says.
        if let Some(state) = unsafe { state(instance) } {
            state.device.set_running(false);
        }
    });
}

/// `spice_qxl_update_area`: when it returns, the area's pixels are in the guest's memory. What was drawn since the host
/// asked last goes into `dirty_rects`, and what is left of those is emptied.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _spice_qxl_update_area(
    instance: *mut QXLInstance,
    surface_id: u32,
    area: *mut QXLRect,
    dirty_rects: *mut QXLRect,
    num_dirty_rects: u32,
    clear_dirty_region: u32,
) {
    guard("spice_qxl_update_area", (), || {
        // SAFETY: as the module says.
        let (Some(state), Some(area)) = (unsafe { (state(instance), area.as_ref()) }) else { return };
        let most = (!dirty_rects.is_null() && num_dirty_rects > 0).then_some(num_dirty_rects as usize);
        let dirty = state.device.call(What::UpdateArea {
            surface: SurfaceId(surface_id),
            area: rect(area),
            most,
            clear: clear_dirty_region != 0,
        });
        for at in 0..most.unwrap_or(0) {
            let told = dirty.get(at).copied().map(QXLRect::from).unwrap_or_default();
            // SAFETY: the host has so many of them.
            unsafe { dirty_rects.add(at).write(told) };
        }
    });
}

/// `spice_qxl_update_area_async`: the host is told of rectangles by `update_area_complete`, and then of the end.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _spice_qxl_update_area_async(
    instance: *mut QXLInstance,
    surface_id: u32,
    qxl_area: *mut QXLRect,
    clear_dirty_region: u32,
    cookie: u64,
) {
    // SAFETY: as the module says.
    let Some(area) = (unsafe { qxl_area.as_ref() }) else { return };
    let what = What::UpdateArea {
        surface: SurfaceId(surface_id),
        area: rect(area),
        most: Some(MOST_RECTANGLES),
        clear: clear_dirty_region != 0,
    };
    // SAFETY: as the module says.
    unsafe { start("spice_qxl_update_area_async", instance, what, cookie) };
}

/// Rectangles that the host is told of after an area was asked for in the background.
const MOST_RECTANGLES: usize = 64;

/// `spice_qxl_add_memslot`.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _spice_qxl_add_memslot(instance: *mut QXLInstance, slot: *mut QXLDevMemSlot) {
    // SAFETY: as the module says.
    if let Some(slot) = unsafe { slot.as_ref() } {
        // SAFETY: as the module says.
        unsafe { call("spice_qxl_add_memslot", instance, What::AddMemslot(*slot)) };
    }
}

/// `spice_qxl_add_memslot_async`.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _spice_qxl_add_memslot_async(
    instance: *mut QXLInstance,
    slot: *mut QXLDevMemSlot,
    cookie: u64,
) {
    // SAFETY: as the module says.
    if let Some(slot) = unsafe { slot.as_ref() } {
        // SAFETY: as the module says.
        unsafe { start("spice_qxl_add_memslot_async", instance, What::AddMemslot(*slot), cookie) };
    }
}

/// `spice_qxl_del_memslot`.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _spice_qxl_del_memslot(
    instance: *mut QXLInstance,
    slot_group_id: u32,
    slot_id: u32,
) {
    let what = What::DelMemslot { group: slot_group_id, slot: slot_id };
    // SAFETY: as the module says.
    unsafe { call("spice_qxl_del_memslot", instance, what) };
}

/// `spice_qxl_reset_memslots`.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _spice_qxl_reset_memslots(instance: *mut QXLInstance) {
    // SAFETY: as the module says.
    unsafe { call("spice_qxl_reset_memslots", instance, What::ResetMemslots) };
}

/// `spice_qxl_create_primary_surface`.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _spice_qxl_create_primary_surface(
    instance: *mut QXLInstance,
    _surface_id: u32,
    surface: *mut QXLDevSurfaceCreate,
) {
    // SAFETY: as the module says.
    let (Some(state), Some(surface)) = (unsafe { (state(instance), surface.as_ref()) }) else { return };
    // SAFETY: as the module says.
    unsafe { call("spice_qxl_create_primary_surface", instance, What::CreatePrimary(*surface)) };
    state.set_screen(Some(screen(surface)));
}

/// `spice_qxl_create_primary_surface_async`.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _spice_qxl_create_primary_surface_async(
    instance: *mut QXLInstance,
    _surface_id: u32,
    surface: *mut QXLDevSurfaceCreate,
    cookie: u64,
) {
    // SAFETY: as the module says.
    let (Some(state), Some(surface)) = (unsafe { (state(instance), surface.as_ref()) }) else { return };
    state.set_screen(Some(screen(surface)));
    let what = What::CreatePrimary(*surface);
    // SAFETY: as the module says.
    unsafe { start("spice_qxl_create_primary_surface_async", instance, what, cookie) };
}

/// `spice_qxl_destroy_primary_surface`.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _spice_qxl_destroy_primary_surface(
    instance: *mut QXLInstance,
    _surface_id: u32,
) {
    // SAFETY: as the module says.
    if let Some(state) = unsafe { state(instance) } {
        state.set_screen(None);
    }
    // SAFETY: as the module says.
    unsafe { call("spice_qxl_destroy_primary_surface", instance, What::DestroyPrimary) };
}

/// `spice_qxl_destroy_primary_surface_async`.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _spice_qxl_destroy_primary_surface_async(
    instance: *mut QXLInstance,
    _surface_id: u32,
    cookie: u64,
) {
    // SAFETY: as the module says.
    if let Some(state) = unsafe { state(instance) } {
        state.set_screen(None);
    }
    // SAFETY: as the module says.
    unsafe { start("spice_qxl_destroy_primary_surface_async", instance, What::DestroyPrimary, cookie) };
}

/// `spice_qxl_destroy_surfaces`.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _spice_qxl_destroy_surfaces(instance: *mut QXLInstance) {
    // SAFETY: as the module says.
    unsafe { call("spice_qxl_destroy_surfaces", instance, What::DestroySurfaces) };
}

/// `spice_qxl_destroy_surfaces_async`.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _spice_qxl_destroy_surfaces_async(instance: *mut QXLInstance, cookie: u64) {
    // SAFETY: as the module says.
    unsafe { start("spice_qxl_destroy_surfaces_async", instance, What::DestroySurfaces, cookie) };
}

/// `spice_qxl_destroy_surface_wait`.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _spice_qxl_destroy_surface_wait(instance: *mut QXLInstance, surface_id: u32) {
    let what = What::DestroySurface(SurfaceId(surface_id));
    // SAFETY: as the module says.
    unsafe { call("spice_qxl_destroy_surface_wait", instance, what) };
}

/// `spice_qxl_destroy_surface_async`.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _spice_qxl_destroy_surface_async(
    instance: *mut QXLInstance,
    surface_id: u32,
    cookie: u64,
) {
    let what = What::DestroySurface(SurfaceId(surface_id));
    // SAFETY: as the module says.
    unsafe { start("spice_qxl_destroy_surface_async", instance, what, cookie) };
}

/// `spice_qxl_flush_surfaces_async`: then the guest's memory has the pixels of all surfaces.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _spice_qxl_flush_surfaces_async(instance: *mut QXLInstance, cookie: u64) {
    // SAFETY: as the module says.
    unsafe { start("spice_qxl_flush_surfaces_async", instance, What::FlushSurfaces, cookie) };
}

/// `spice_qxl_monitors_config_async`.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _spice_qxl_monitors_config_async(
    instance: *mut QXLInstance,
    monitors_config: u64,
    group_id: c_int,
    cookie: u64,
) {
    let what = What::Monitors { group: group_id.cast_unsigned(), address: QxlPhysical(monitors_config) };
    // SAFETY: as the module says.
    unsafe { start("spice_qxl_monitors_config_async", instance, what, cookie) };
}

/// `spice_qxl_reset_image_cache`: nothing to do: what viewers keep is named by what it shows, not by the guest.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _spice_qxl_reset_image_cache(_: *mut QXLInstance) {}

/// `spice_qxl_reset_cursor`.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _spice_qxl_reset_cursor(instance: *mut QXLInstance) {
    // SAFETY: as the module says.
    unsafe { call("spice_qxl_reset_cursor", instance, What::ResetCursor) };
}

/// `spice_qxl_loadvm_commands`: the host's commands of a machine that was saved.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _spice_qxl_loadvm_commands(
    instance: *mut QXLInstance,
    ext: *mut QXLCommandExt,
    count: u32,
) {
    let commands = match ext.is_null() {
        true => Vec::new(),
        // SAFETY: the host has so many of them.
        false => (0..count as usize).map(|at| unsafe { ext.add(at).read() }).collect(),
    };
    // SAFETY: as the module says.
    unsafe { call("spice_qxl_loadvm_commands", instance, What::LoadCommands(commands)) };
}

/// `spice_qxl_driver_unload`: the guest's driver is gone, and whether the next one speaks of monitors is not known.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _spice_qxl_driver_unload(instance: *mut QXLInstance) {
    // SAFETY: as the module says.
    unsafe { call("spice_qxl_driver_unload", instance, What::DriverUnload) };
}

/// `spice_qxl_set_max_monitors`: kept by nobody: the guest's own configuration says how many there are.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _spice_qxl_set_max_monitors(_: *mut QXLInstance, _: c_uint) {}

/// `spice_qxl_set_device_info`: which device shows which monitors; for the agent, who is not told yet.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _spice_qxl_set_device_info(
    _: *mut QXLInstance,
    _: *const c_char,
    _: u32,
    _: u32,
) {
}

/// `spice_qxl_gl_scanout`: what the graphics processor shows, for viewers on Unix sockets; a descriptor below 0 is nothing.
/// The descriptor is the library's from here on.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _spice_qxl_gl_scanout(
    instance: *mut QXLInstance,
    fd: c_int,
    width: u32,
    height: u32,
    stride: u32,
    format: u32,
    y_0_top: c_int,
) {
    guard("spice_qxl_gl_scanout", (), || {
        // SAFETY: the host says that it is an open descriptor, and gives it away.
        let buffer = (fd >= 0).then(|| unsafe { OwnedFd::from_raw_fd(fd) });
        let top_first = y_0_top != 0;
        let shown = GlScanout { width, height, stride, format, top_first, descriptor: DescriptorId(0) };
        // SAFETY: as the module says.
        if let Some(state) = unsafe { state(instance) } {
            state.device.post(What::GlScanout(buffer.map(|buffer| (shown, buffer))));
        }
    });
}

/// `spice_qxl_gl_draw_async`: the host is told when those viewers have shown it that answer in time.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _spice_qxl_gl_draw_async(
    instance: *mut QXLInstance,
    x: u32,
    y: u32,
    w: u32,
    h: u32,
    cookie: u64,
) {
    let what = What::GlDraw(GlDraw { x, y, width: w, height: h });
    // SAFETY: as the module says.
    unsafe { start("spice_qxl_gl_draw_async", instance, what, cookie) };
}
