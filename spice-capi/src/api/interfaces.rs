//! What a host plugs into a server (`spice-server.h`, `spice-input.h`).

use std::ffi::{CStr, c_int, c_void};
use std::ptr::null_mut;
use std::sync::Arc;

use super::qxl::QxlState;
use super::{audio, char_device, migration, server, status, text};
use crate::abi::base::SpiceBaseInstance;
use crate::abi::input::{SpiceKbdInstance, SpiceMouseInstance, SpiceTabletInstance};
use crate::abi::qxl::{QXLInstance, QXLInterface};
use crate::guard::guard;
use crate::host::known_leds;
use crate::plugged::{Added, Instance, Kind, Plug};
use crate::qxl::{Device, Host, QxlGuest};
use crate::server::SpiceServer;

/// The kinds of interfaces, by their names in C, and the versions that are understood: this major one, and no later
/// minor one.
const KINDS: [(&CStr, Kind, u32, u32); 8] = [
    (c"keyboard", Kind::Keyboard, 1, 1),
    (c"mouse", Kind::Mouse, 1, 1),
    (c"tablet", Kind::Tablet, 1, 1),
    (c"qxl", Kind::Qxl, 3, 3),
    (c"playback", Kind::Playback, 1, 3),
    (c"record", Kind::Record, 2, 3),
    (c"char_device", Kind::CharDevice, 1, 3),
    (c"migration", Kind::Migration, 1, 1),
];

/// Why an instance is not added.
enum Unfit {
    /// Of no known kind.
    Unknown,
    /// Of another version, or nothing at all.
    Version,
}

/// What the host says of an instance.
///
/// # Safety
/// The instance is the host's, with its interface.
unsafe fn kind(sin: *mut SpiceBaseInstance) -> Result<Kind, Unfit> {
    // SAFETY: by the contract.
    let interface = unsafe { sin.as_ref().and_then(|sin| sin.sif.as_ref()) }.ok_or(Unfit::Version)?;
    // SAFETY: by the contract: the name of a kind.
    let name = unsafe { text(interface.kind) }.ok_or(Unfit::Unknown)?;
    let Some((_, kind, major, minor)) = KINDS.iter().find(|kind| kind.0 == name) else {
        tracing::warn!("there is no interface `{}`", name.to_string_lossy());
        return Err(Unfit::Unknown);
    };
    if interface.major_version != *major || interface.minor_version > *minor {
        let (is, least) = ((interface.major_version, interface.minor_version), (major, minor));
        tracing::warn!(
            "the host's {kind:?} interface is of version {}.{}, not {}.{}",
            is.0,
            is.1,
            least.0,
            least.1
        );
        return Err(Unfit::Version);
    }
    Ok(*kind)
}

/// `spice_server_add_interface`: 0, or -1 for a version that is not known, or one of a kind too many. What is of no known
/// kind is said to be added, as by the C library, and is never used; so is a char device that cannot be one, whose `st`
/// is null then.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _spice_server_add_interface(
    s: *mut SpiceServer,
    sin: *mut SpiceBaseInstance,
) -> c_int {
    guard("spice_server_add_interface", -1, || {
        // SAFETY: as the module says.
        let Some(server) = (unsafe { server(s) }) else { return -1 };
        // SAFETY: as the module says.
        let kind = match unsafe { kind(sin) } {
            Ok(kind) => kind,
            Err(Unfit::Unknown) => return 0,
            Err(Unfit::Version) => return -1,
        };
        // SAFETY: an instance of a kind is that kind's structure.
        let added = unsafe {
            match kind {
                Kind::Keyboard => in_use(add_keyboard(server, sin.cast())),
                Kind::Mouse => in_use(add_mouse(server, sin.cast())),
                Kind::Tablet => in_use(add_tablet(server, sin.cast())),
                Kind::Qxl => in_use(add_qxl(server, sin.cast())),
                Kind::Playback => in_use(audio::add_playback(server, sin.cast())),
                Kind::Record => in_use(audio::add_record(server, sin.cast())),
                Kind::CharDevice => char_device::add(server, sin.cast()),
                Kind::Migration => in_use(migration::add(server, sin.cast())),
            }
        };
        match added {
            Some(Added::InUse) => server.plugged().instances.push((kind, Instance(sin))),
            Some(Added::OfNoUse) => {}
            None => tracing::warn!("the {kind:?} interface cannot be added"),
        }
        status(added.is_some())
    })
}

fn in_use(added: Option<()>) -> Option<Added> {
    added.map(|()| Added::InUse)
}

/// `spice_server_remove_interface`: then nothing of it is used any more. -1 for keyboards and mice, which the C library
/// does not let go either, and for what was not added.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _spice_server_remove_interface(sin: *mut SpiceBaseInstance) -> c_int {
    guard("spice_server_remove_interface", -1, || {
        // SAFETY: as the module says.
        let Ok(kind) = (unsafe { kind(sin) }) else { return -1 };
        // SAFETY: as the module says.
        if let Some(server) = unsafe { server_of(kind, sin) } {
            server.plugged().instances.retain(|(_, instance)| *instance != Instance(sin));
        }
        // SAFETY: an instance of a kind is that kind's structure.
        status(unsafe { remove(kind, sin) }.is_some())
    })
}

/// # Safety
/// The instance is the host's, and of this kind.
unsafe fn remove(kind: Kind, sin: *mut SpiceBaseInstance) -> Option<()> {
    // SAFETY: an instance of a kind is that kind's structure.
    unsafe {
        match kind {
            Kind::Keyboard | Kind::Mouse | Kind::Migration => None,
            Kind::Tablet => remove_tablet(sin.cast()),
            Kind::Qxl => remove_qxl(sin.cast()),
            Kind::Playback => audio::remove_playback(sin.cast()),
            Kind::Record => audio::remove_record(sin.cast()),
            Kind::CharDevice => char_device::remove(sin.cast()),
        }
    }
}

/// Removes what the host has not removed from a server that ends.
///
/// # Safety
/// On the host's thread; the instances are there still.
pub(crate) unsafe fn remove_all(server: &SpiceServer) {
    let instances = std::mem::take(&mut server.plugged().instances);
    for (kind, Instance(sin)) in instances.into_iter().rev() {
        // SAFETY: by the contract.
        unsafe { remove(kind, sin) };
    }
}

/// The server that an instance was added to.
///
/// # Safety
/// The instance is the host's, and of this kind.
unsafe fn server_of<'a>(kind: Kind, sin: *mut SpiceBaseInstance) -> Option<&'a SpiceServer> {
    // SAFETY: an instance of a kind is that kind's structure; its `st` is null or what was put there.
    unsafe {
        match kind {
            Kind::Keyboard | Kind::Mouse | Kind::Migration => None,
            Kind::Tablet => (*sin.cast::<SpiceTabletInstance>()).st.cast::<SpiceServer>().as_ref(),
            Kind::Qxl => (*sin.cast::<QXLInstance>()).st.cast::<QxlState>().as_ref()?.server.as_ref(),
            Kind::Playback | Kind::Record => audio::server_of(sin),
            Kind::CharDevice => char_device::server_of(sin.cast()),
        }
    }
}

/// An instance's `st` while it is added: its server.
fn handle(server: &SpiceServer) -> *mut c_void {
    std::ptr::from_ref(server).cast_mut().cast()
}

unsafe fn add_keyboard(server: &SpiceServer, sin: *mut SpiceKbdInstance) -> Option<()> {
    if !server.plugged().inputs.keyboard.is_null() {
        return None;
    }
    server.plugged().inputs.keyboard = sin;
    // SAFETY: the instance is the host's.
    unsafe { (*sin).st = handle(server) };
    server.read_leds();
    Some(())
}

unsafe fn add_mouse(server: &SpiceServer, sin: *mut SpiceMouseInstance) -> Option<()> {
    let mut plugged = server.plugged();
    if !plugged.inputs.mouse.is_null() {
        return None;
    }
    plugged.inputs.mouse = sin;
    // SAFETY: the instance is the host's.
    unsafe { (*sin).st = handle(server) };
    Some(())
}

unsafe fn add_tablet(server: &SpiceServer, sin: *mut SpiceTabletInstance) -> Option<()> {
    if !server.plugged().inputs.tablet.is_null() {
        return None;
    }
    server.plugged().inputs.tablet = sin;
    // SAFETY: the instance is the host's.
    unsafe { (*sin).st = handle(server) };
    server.update_positions();
    Some(())
}

unsafe fn remove_tablet(sin: *mut SpiceTabletInstance) -> Option<()> {
    // SAFETY: the instance is the host's; its `st` is null or its server.
    let server = unsafe { (*sin).st.cast::<SpiceServer>().as_ref()? };
    server.plugged().inputs.tablet = null_mut();
    // SAFETY: as above.
    unsafe { (*sin).st = null_mut() };
    server.update_positions();
    Some(())
}

/// `spice_server_kbd_leds`: the lights that are on, bit 0 for scroll lock, then num lock and caps lock.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _spice_server_kbd_leds(sin: *mut SpiceKbdInstance, leds: c_int) -> c_int {
    guard("spice_server_kbd_leds", 0, || {
        // SAFETY: the instance is the host's; its `st` is null or its server.
        let Some(server) = (unsafe { sin.as_ref().and_then(|sin| sin.st.cast::<SpiceServer>().as_ref()) })
        else {
            return 0;
        };
        let leds = known_leds(leds.cast_unsigned());
        server.plugged().inputs.locks = leds;
        if let Some(running) = server.running() {
            running.control.set_leds(leds);
        }
        0
    })
}

unsafe fn add_qxl(server: &SpiceServer, instance: *mut QXLInstance) -> Option<()> {
    let running = server.running()?;
    // SAFETY: the instance is the host's.
    let id = unsafe { (*instance).id };
    let id = u8::try_from(id).ok()?;
    // Nothing is taken of it before the host has said where its memory is.
    let device = Device::new(id);
    // SAFETY: the host leaves the instance where it is until it is removed, which ends the worker first.
    let host = unsafe { Host::new(instance) };
    let guest = QxlGuest::new(Arc::clone(&device), host)
        .inspect_err(|error| tracing::warn!("display {id}: {error}"))
        .ok()?;
    running
        .control
        .add_display(spice_server::ChannelId(id), Box::new(guest))
        .inspect_err(|error| tracing::warn!("display {id}: {error}"))
        .ok()?;
    let state = Box::new(QxlState { server, device: Arc::clone(&device) });
    // SAFETY: the instance is the host's.
    unsafe { (*instance).st = Box::into_raw(state).cast() };
    server.plugged().displays.push(Plug { instance, device: Arc::clone(&device), host });
    server.update_agent();
    // SAFETY: the interface of a QXL device is a QXLInterface; the host may use the device from here on.
    unsafe {
        let interface = (*instance).base.sif.cast::<QXLInterface>();
        if let Some(attached) = (*interface).attached_worker {
            attached(instance);
        }
        if let Some(set) = (*interface).set_compression_level {
            set(instance, 0);
        }
    }
    device.set_running(server.vm_runs());
    Some(())
}

unsafe fn remove_qxl(instance: *mut QXLInstance) -> Option<()> {
    // SAFETY: the instance is the host's; its `st` is null or what `add_qxl` has put there.
    let state = unsafe {
        let st = std::mem::replace(&mut (*instance).st, null_mut()).cast::<QxlState>();
        (!st.is_null()).then(|| Box::from_raw(st))?
    };
    // SAFETY: the server outlives what is added to it.
    let server = unsafe { &*state.server };
    server.plugged().displays.retain(|plug| plug.instance != instance);
    let running = server.running()?;
    running.control.remove_display(spice_server::ChannelId(state.device.id())).then_some(())
}
