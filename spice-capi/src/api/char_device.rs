//! Char devices (`spice-char.h`).

use std::ffi::{CStr, c_char};
use std::ptr::{null, null_mut};
use std::sync::Arc;

use spice_server::devices::{AgentSink, DeviceKind, DeviceSink};

use super::text;
use crate::abi::char_device::SpiceCharDeviceInstance;
use crate::guard::guard;
use crate::host::{CharDevice, Handle};
use crate::plugged::Added;
use crate::server::{Running, SpiceServer};

/// What an instance's `st` points to while it is added.
#[derive(Debug)]
struct CharDeviceState {
    server: *const SpiceServer,
    device: Arc<CharDevice>,
}

/// The state of an instance.
///
/// # Safety
/// The instance is the host's, and its `st` what `add` has put there, or null.
unsafe fn state<'a>(sin: *mut SpiceCharDeviceInstance) -> Option<&'a CharDeviceState> {
    // SAFETY: by the contract.
    unsafe { sin.as_ref()?.st.cast::<CharDeviceState>().as_ref() }
}

/// The server that an instance was added to.
///
/// # Safety
/// As [`state`].
pub(super) unsafe fn server_of<'a>(sin: *mut SpiceCharDeviceInstance) -> Option<&'a SpiceServer> {
    // SAFETY: by the contract; the server outlives what is added to it.
    unsafe { state(sin)?.server.as_ref() }
}

/// The port of a shared folder.
const WEBDAV: &CStr = c"org.spice-space.webdav.0";

/// What a device is by the host's words; nothing for one that is not served.
fn kind(subtype: &CStr, name: Option<&CStr>) -> Option<DeviceKind> {
    match subtype.to_bytes() {
        b"usbredir" => Some(DeviceKind::UsbRedir),
        b"smartcard" => Some(DeviceKind::SmartCard),
        b"port" if name == Some(WEBDAV) => Some(DeviceKind::WebDav),
        b"port" => Some(DeviceKind::Port { name: name?.to_string_lossy().into_owned() }),
        _ => None,
    }
}

/// A device that is refused is said to be added, as by the C library, and nothing ever comes of it.
pub(super) unsafe fn add(server: &SpiceServer, sin: *mut SpiceCharDeviceInstance) -> Option<Added> {
    let running = server.running()?;
    // SAFETY: the instance and its strings are the host's.
    let (subtype, name) = unsafe { (text((*sin).subtype)?, text((*sin).portname)) };
    // SAFETY: the host leaves the instance where it is until it is removed, which ends the device.
    let device = unsafe { CharDevice::new(sin) };
    let handle = match kind(subtype, name) {
        _ if subtype == c"vdagent" => attach_agent(server, running, &device),
        Some(kind) => {
            let (bridge, of) = (Arc::clone(&running.bridge), Arc::downgrade(&device));
            let sink = DeviceSink::new(move |event| {
                let of = of.clone();
                bridge.post(move |_| {
                    if let Some(device) = of.upgrade() {
                        device.handle(event);
                    }
                });
            });
            let added = running.control.add_device(kind, sink);
            let added = added.inspect_err(|error| tracing::warn!("char device: {error}")).ok();
            added.map(|handle| Handle::Device(Arc::new(handle)))
        }
        None => {
            tracing::warn!("a char device of the kind `{}` reaches no viewer", subtype.to_string_lossy());
            None
        }
    };
    let Some(handle) = handle else {
        // SAFETY: the instance is the host's.
        unsafe { (*sin).st = null_mut() };
        return Some(Added::OfNoUse);
    };
    let state = Box::new(CharDeviceState { server, device: Arc::clone(&device) });
    // SAFETY: the instance is the host's. Its functions, which are called from here on, may ask for something of it.
    unsafe { (*sin).st = Box::into_raw(state).cast() };
    // SAFETY: this is the host's thread.
    unsafe { device.attach(&running.core, handle) };
    Some(Added::InUse)
}

/// Attaches the guest's agent; a second one is refused.
fn attach_agent(server: &SpiceServer, running: &Running, device: &Arc<CharDevice>) -> Option<Handle> {
    let (bridge, of) = (Arc::clone(&running.bridge), Arc::downgrade(device));
    let sink = AgentSink::new(move |event| {
        let of = of.clone();
        bridge.post(move |_| {
            if let Some(device) = of.upgrade() {
                device.handle_agent(event);
            }
        });
    });
    let attached = running.control.attach_agent(sink, server.agent_policy());
    let agent = attached.inspect_err(|error| tracing::warn!("agent: {error}")).ok()?;
    server.plugged().agent = Arc::downgrade(device);
    Some(Handle::Agent(Arc::new(agent)))
}

pub(super) unsafe fn remove(sin: *mut SpiceCharDeviceInstance) -> Option<()> {
    // SAFETY: the instance is the host's, and its `st` what `add` has put there, or null.
    let state = unsafe {
        let st = std::mem::replace(&mut (*sin).st, null_mut()).cast::<CharDeviceState>();
        (!st.is_null()).then(|| Box::from_raw(st))?
    };
    state.device.end();
    Some(())
}

/// A list of strings that ends with none.
struct Names([*const c_char; 4]);

// SAFETY: they are constants.
unsafe impl Sync for Names {}

static SUBTYPES: Names = Names([c"vdagent".as_ptr(), c"smartcard".as_ptr(), c"usbredir".as_ptr(), null()]);

/// `spice_server_char_device_recognized_subtypes`: their names, but that of ports, as in the C library; the list
/// ends with a null pointer.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _spice_server_char_device_recognized_subtypes() -> *const *const c_char {
    SUBTYPES.0.as_ptr()
}

/// `spice_server_char_device_wakeup`: the device has something to read, or takes something again.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _spice_server_char_device_wakeup(sin: *mut SpiceCharDeviceInstance) {
    guard("spice_server_char_device_wakeup", (), || {
        // SAFETY: as the module says.
        if let Some(state) = unsafe { state(sin) } {
            state.device.wake();
        }
    });
}

/// `spice_server_port_event`: a port has been opened, closed, or has had a break (`SPICE_PORT_EVENT_*`).
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _spice_server_port_event(sin: *mut SpiceCharDeviceInstance, event: u8) {
    guard("spice_server_port_event", (), || {
        // SAFETY: as the module says.
        if let Some(state) = unsafe { state(sin) } {
            state.device.port_event(event);
        }
    });
}
