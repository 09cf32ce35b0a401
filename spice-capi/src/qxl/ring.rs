//! The host's functions of one device, as its worker calls them (`QXLInterface`).

use std::ffi::c_void;
use std::mem::MaybeUninit;

use spice_proto::Rect;
use spice_proto::agent::{MonitorsConfig, MonitorsFlags};

use crate::abi::qxl::{
    CAPABILITIES, QXLCommandExt, QXLDevInitInfo, QXLInstance, QXLInterface, QXLRect, QXLReleaseInfo,
    QXLReleaseInfoExt,
};

/// A device of the host. Hosts expect these calls on one thread, the device's worker.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Host {
    instance: *mut QXLInstance,
}

// SAFETY: the host gives it to the device's worker; who has it does not share it.
unsafe impl Send for Host {}

impl Host {
    /// # Safety
    /// The instance and its interface stay where they are until the device's worker has ended.
    pub(crate) const unsafe fn new(instance: *mut QXLInstance) -> Self {
        Self { instance }
    }

    fn interface(&self) -> &QXLInterface {
        // SAFETY: by the contract of `new`; the interface of a QXL device is a QXLInterface.
        unsafe { &*(*self.instance).base.sif.cast::<QXLInterface>() }
    }

    pub(crate) fn init_info(&self) -> QXLDevInitInfo {
        let mut info = QXLDevInitInfo::default();
        if let Some(ask) = self.interface().get_init_info {
            // SAFETY: the host's function, with a place for its answer.
            unsafe { ask(self.instance, &raw mut info) };
        }
        info
    }

    pub(super) fn command(&self) -> Option<QXLCommandExt> {
        self.take(self.interface().get_command)
    }

    pub(super) fn cursor_command(&self) -> Option<QXLCommandExt> {
        self.take(self.interface().get_cursor_command)
    }

    fn take(
        &self,
        from: Option<unsafe extern "C" fn(*mut QXLInstance, *mut QXLCommandExt) -> i32>,
    ) -> Option<QXLCommandExt> {
        let mut command = MaybeUninit::<QXLCommandExt>::zeroed();
        // SAFETY: the host's function, with a place for its answer.
        let taken = unsafe { from?(self.instance, command.as_mut_ptr()) };
        // SAFETY: it is made of numbers, and was zeroed.
        (taken != 0).then(|| unsafe { command.assume_init() })
    }

    /// Has the host wake the worker when something comes; answers whether nothing has come meanwhile.
    pub(super) fn wait_for_commands(&self) -> bool {
        let interface = self.interface();
        [interface.req_cmd_notification, interface.req_cursor_notification].into_iter().all(|ask| {
            // SAFETY: the host's function.
            ask.is_none_or(|ask| unsafe { ask(self.instance) } != 0)
        })
    }

    /// Gives a command back to the guest. `info` is where it lies in the host's memory.
    pub(super) fn release(&self, info: usize, group: u32) {
        if let Some(release) = self.interface().release_resource {
            let info = QXLReleaseInfoExt { info: info as *mut QXLReleaseInfo, group_id: group };
            // SAFETY: the host's function, with what the guest has given to it.
            unsafe { release(self.instance, info) };
        }
    }

    pub(super) fn notify_update(&self, update_id: u32) {
        if let Some(notify) = self.interface().notify_update {
            // SAFETY: the host's function.
            unsafe { notify(self.instance, update_id) };
        }
    }

    pub(super) fn flush_resources(&self) {
        if let Some(flush) = self.interface().flush_resources {
            // SAFETY: the host's function.
            unsafe { flush(self.instance) };
        }
    }

    pub(super) fn complete(&self, cookie: u64) {
        if let Some(complete) = self.interface().async_complete {
            // SAFETY: the host's function.
            unsafe { complete(self.instance, cookie) };
        }
    }

    pub(super) fn update_area_complete(&self, surface: u32, rects: &[Rect]) {
        let Some(complete) = self.interface().update_area_complete else { return };
        let mut rects: Vec<_> = rects.iter().map(|rect| QXLRect::from(*rect)).collect();
        let count = u32::try_from(rects.len()).unwrap_or(u32::MAX);
        // SAFETY: the host's function, with as many rectangles as it is told.
        unsafe { complete(self.instance, surface, rects.as_mut_ptr(), count) };
    }

    /// Whether the device takes what viewers say of their monitors. On the host's thread.
    pub(crate) fn takes_monitors(&self) -> bool {
        // SAFETY: the host's function; without a configuration it only answers.
        self.monitors_function().is_some_and(|take| unsafe { take(self.instance, std::ptr::null_mut()) } == 1)
    }

    /// Hands over how viewers would like the monitors. On the host's thread.
    pub(crate) fn set_monitors(&self, config: &MonitorsConfig) {
        if let Some(take) = self.monitors_function() {
            let mut bytes = monitors_config(config);
            // SAFETY: the host's function, with as many monitors as it is told.
            unsafe { take(self.instance, bytes.as_mut_ptr().cast()) };
        }
    }

    /// Hosts from before interface 3.3 have no such function.
    fn monitors_function(&self) -> Option<unsafe extern "C" fn(*mut QXLInstance, *mut c_void) -> i32> {
        let interface = self.interface();
        let version = (interface.base.major_version, interface.base.minor_version);
        interface.client_monitors_config.filter(|_| version >= (3, 3))
    }

    /// Tells the guest what viewers can do; hosts from before interface 3.2 have no such function.
    pub(super) fn set_client_capabilities(&self, present: bool, mut caps: [u8; CAPABILITIES]) {
        let interface = self.interface();
        if (interface.base.major_version, interface.base.minor_version) < (3, 2) {
            return;
        }
        if let Some(set) = interface.set_client_capabilities {
            // SAFETY: the host's function, with as many bytes as the header says.
            unsafe { set(self.instance, present.into(), caps.as_mut_ptr()) };
        }
    }
}

impl From<Rect> for QXLRect {
    fn from(rect: Rect) -> Self {
        Self { top: rect.top, left: rect.left, bottom: rect.bottom, right: rect.right }
    }
}

/// `VDAgentMonitorsConfig`.
fn monitors_config(config: &MonitorsConfig) -> Vec<u8> {
    let count = u32::try_from(config.monitors.len()).unwrap_or(0);
    let mut bytes = [count, config.flags.bits()].map(u32::to_le_bytes).concat();
    for monitor in &config.monitors {
        let numbers = [monitor.height, monitor.width, monitor.depth];
        let numbers = numbers.into_iter().chain([monitor.x, monitor.y].map(i32::cast_unsigned));
        bytes.extend(numbers.flat_map(u32::to_le_bytes));
    }
    if config.flags.contains(MonitorsFlags::PHYSICAL_SIZE) {
        let sizes = config.monitors.iter().map(|monitor| monitor.physical_size);
        bytes.extend(sizes.flat_map(|size| [size.height, size.width]).flat_map(u16::to_le_bytes));
    }
    bytes
}
