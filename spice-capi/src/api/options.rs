//! What the host decides before it initialises a server, and some of it later (`spice-server.h`).

use std::ffi::{CString, c_char, c_int};
use std::os::fd::BorrowedFd;
use std::path::PathBuf;
use std::ptr::null;
use std::sync::Arc;

use spice_server::{ChannelType, Compression, Quality, Security, TlsIdentity, WanCompression};

use super::{server, status, text};
use crate::codecs::known_codecs;
use crate::guard::guard;
use crate::server::SpiceServer;
use crate::settings::AddrFlags;

/// `spice_server_set_port`: 0 for no port.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _spice_server_set_port(s: *mut SpiceServer, port: c_int) -> c_int {
    guard("spice_server_set_port", -1, || {
        // SAFETY: as the module says.
        let (Some(server), Ok(port)) = (unsafe { server(s) }, port.try_into()) else { return -1 };
        server.settings().port = port;
        0
    })
}

/// `spice_server_set_addr`: a name, an address, or with `SPICE_ADDR_FLAG_UNIX_ONLY` the path of a socket.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _spice_server_set_addr(
    s: *mut SpiceServer,
    addr: *const c_char,
    flags: c_int,
) {
    guard("spice_server_set_addr", (), || {
        // SAFETY: as the module says.
        let (server, addr) = unsafe { (server(s), text(addr)) };
        let Some(server) = server else { return };
        let mut settings = server.settings();
        settings.addr = addr.map(|addr| addr.to_string_lossy().into_owned()).unwrap_or_default();
        settings.flags = AddrFlags(flags);
    });
}

/// `spice_server_set_listen_socket_fd`: a socket that listens already.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _spice_server_set_listen_socket_fd(
    s: *mut SpiceServer,
    listen_fd: c_int,
) -> c_int {
    guard("spice_server_set_listen_socket_fd", -1, || {
        // SAFETY: as the module says.
        let Some(server) = (unsafe { server(s) }) else { return -1 };
        if listen_fd < 0 {
            return -1;
        }
        // SAFETY: the host says that it is an open descriptor.
        let Ok(own) = unsafe { BorrowedFd::borrow_raw(listen_fd) }.try_clone_to_owned() else { return -1 };
        server.settings().listen_fd = Some(Arc::new(own));
        0
    })
}

/// `spice_server_set_sasl`: -1, as from a C library that was built without SASL: there is no Cyrus here.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _spice_server_set_sasl(_: *mut SpiceServer, _: c_int) -> c_int {
    -1
}

/// `spice_server_set_sasl_appname`: -1, as above.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _spice_server_set_sasl_appname(
    _: *mut SpiceServer,
    _: *const c_char,
) -> c_int {
    -1
}

/// `spice_server_set_tls`: PEM files of the certificate and its key. The authority's certificate is what viewers need,
/// not the server; how keys are agreed on is not for a file of parameters to say any more, and ciphers are those of
/// TLS 1.2 and 1.3. -1 for no port, no file, or a key that is encrypted.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _spice_server_set_tls(
    s: *mut SpiceServer,
    port: c_int,
    ca_cert_file: *const c_char,
    certs_file: *const c_char,
    private_key_file: *const c_char,
    key_passwd: *const c_char,
    _dh_key_file: *const c_char,
    _ciphersuite: *const c_char,
) -> c_int {
    guard("spice_server_set_tls", -1, || {
        // SAFETY: as the module says.
        let (server, ca, cert, key, password) = unsafe {
            (server(s), text(ca_cert_file), text(certs_file), text(private_key_file), text(key_passwd))
        };
        let (Some(server), Some(_), Some(cert), Some(key), Ok(port @ 1..)) =
            (server, ca, cert, key, u16::try_from(port))
        else {
            return -1;
        };
        if password.is_some_and(|password| !password.is_empty()) {
            tracing::warn!("an encrypted private key cannot be read here: store it without a password");
            server.settings().tls_fails = true;
            return -1;
        }
        let path = |text: &std::ffi::CStr| PathBuf::from(text.to_string_lossy().into_owned());
        let mut settings = server.settings();
        settings.tls_port = port;
        settings.tls_fails = false;
        settings.tls = Some(TlsIdentity::Files { cert: path(cert), key: path(key) });
        0
    })
}

/// `spice_server_set_channel_security`: `SPICE_CHANNEL_SECURITY_*` of a channel by its name, or of all others.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _spice_server_set_channel_security(
    s: *mut SpiceServer,
    channel: *const c_char,
    security: c_int,
) -> c_int {
    guard("spice_server_set_channel_security", -1, || {
        // SAFETY: as the module says.
        let (server, channel) = unsafe { (server(s), text(channel)) };
        let Some(server) = server else { return -1 };
        let demand = match security & 3 {
            1 => Security::Plain,
            2 => Security::Secure,
            _ => Security::Any,
        };
        let kind = match channel.map(|name| name.to_string_lossy().parse::<ChannelType>()) {
            None => None,
            Some(Ok(kind)) => Some(kind),
            Some(Err(_)) => return -1,
        };
        let security = {
            let mut settings = server.settings();
            match kind {
                None => settings.security.set_default(demand),
                Some(kind) => settings.security.set(kind, demand),
            }
            settings.security.clone()
        };
        if let Some(running) = server.running() {
            running.control.set_security(security);
        }
        0
    })
}

/// `spice_server_add_renderer`: 0 for `sw`, which is the only one that there ever was.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _spice_server_add_renderer(
    _: *mut SpiceServer,
    name: *const c_char,
) -> c_int {
    // SAFETY: as the module says.
    guard("spice_server_add_renderer", -1, || status(unsafe { text(name) } == Some(c"sw")))
}

/// The compressions, by their numbers (`SpiceImageCompression`).
const COMPRESSIONS: [Compression; 7] = [
    Compression::Off,
    Compression::AutoGlz,
    Compression::AutoLz,
    Compression::Quic,
    Compression::Glz,
    Compression::Lz,
    Compression::Lz4,
];

fn change_quality(server: Option<&SpiceServer>, change: impl FnOnce(&mut Quality)) -> c_int {
    let Some(server) = server else { return -1 };
    let quality = {
        let mut settings = server.settings();
        change(&mut settings.quality);
        settings.quality
    };
    if let Some(running) = server.running() {
        running.control.set_quality(quality);
    }
    0
}

/// `spice_server_set_image_compression`: also while viewers are there.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _spice_server_set_image_compression(
    s: *mut SpiceServer,
    comp: c_int,
) -> c_int {
    guard("spice_server_set_image_compression", -1, || {
        let named = usize::try_from(comp).ok().and_then(|comp| COMPRESSIONS.get(comp.checked_sub(1)?));
        let Some(compression) = named else { return -1 };
        // SAFETY: as the module says.
        change_quality(unsafe { server(s) }, |quality| quality.compression = *compression)
    })
}

/// `spice_server_get_image_compression`.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _spice_server_get_image_compression(s: *mut SpiceServer) -> c_int {
    guard("spice_server_get_image_compression", 0, || {
        // SAFETY: as the module says.
        let Some(server) = (unsafe { server(s) }) else { return 0 };
        let compression = server.settings().quality.compression;
        let at = COMPRESSIONS.iter().position(|known| *known == compression);
        at.and_then(|at| c_int::try_from(at + 1).ok()).unwrap_or(0)
    })
}

/// `SPICE_WAN_COMPRESSION_*`.
fn wan(value: c_int) -> Option<WanCompression> {
    match value {
        1 => Some(WanCompression::Auto),
        2 => Some(WanCompression::Always),
        3 => Some(WanCompression::Never),
        _ => None,
    }
}

/// `spice_server_set_jpeg_compression`.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _spice_server_set_jpeg_compression(
    s: *mut SpiceServer,
    comp: c_int,
) -> c_int {
    guard("spice_server_set_jpeg_compression", -1, || {
        let Some(wan) = wan(comp) else { return -1 };
        // SAFETY: as the module says.
        change_quality(unsafe { server(s) }, |quality| quality.jpeg = wan)
    })
}

/// `spice_server_set_zlib_glz_compression`.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _spice_server_set_zlib_glz_compression(
    s: *mut SpiceServer,
    comp: c_int,
) -> c_int {
    guard("spice_server_set_zlib_glz_compression", -1, || {
        let Some(wan) = wan(comp) else { return -1 };
        // SAFETY: as the module says.
        change_quality(unsafe { server(s) }, |quality| quality.zlib_glz = wan)
    })
}

/// `spice_server_set_streaming_video`: 1 off, 2 all, 3 filter. Kept; there is no video stream yet.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _spice_server_set_streaming_video(
    s: *mut SpiceServer,
    value: c_int,
) -> c_int {
    guard("spice_server_set_streaming_video", -1, || {
        // SAFETY: as the module says.
        let Some(server) = (unsafe { server(s) }) else { return -1 };
        if !(1..=3).contains(&value) {
            return -1;
        }
        server.settings().streaming_video = value;
        0
    })
}

/// `spice_server_set_video_codecs`: what is known of the list is kept; there is no video stream yet. -1 for a list of which
/// nothing is known, which leaves the one before.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _spice_server_set_video_codecs(
    s: *mut SpiceServer,
    video_codecs: *const c_char,
) -> c_int {
    guard("spice_server_set_video_codecs", -1, || {
        // SAFETY: as the module says.
        let (server, list) = unsafe { (server(s), text(video_codecs)) };
        let known = list.and_then(|list| known_codecs(&list.to_string_lossy()));
        let (Some(server), Some(known)) = (server, known) else { return -1 };
        tracing::info!("the host would like video as {known}; there is no video stream yet");
        server.settings().video_codecs = known;
        0
    })
}

/// `spice_server_get_video_codecs`: the list that was kept; an empty string if there was none.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _spice_server_get_video_codecs(s: *mut SpiceServer) -> *const c_char {
    guard("spice_server_get_video_codecs", null(), || {
        // SAFETY: as the module says.
        let list = unsafe { server(s) }.map(|server| server.settings().video_codecs.clone());
        CString::new(list.unwrap_or_default()).unwrap_or_default().into_raw().cast_const()
    })
}

/// `spice_server_free_video_codecs`.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _spice_server_free_video_codecs(
    _: *mut SpiceServer,
    video_codecs: *const c_char,
) {
    guard("spice_server_free_video_codecs", (), || {
        if !video_codecs.is_null() {
            // SAFETY: the host gives back what `spice_server_get_video_codecs` gave to it.
            drop(unsafe { CString::from_raw(video_codecs.cast_mut()) });
        }
    });
}

/// `spice_server_set_playback_compression`: 0; sound goes out as it is, and which of the two was wanted is not kept.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _spice_server_set_playback_compression(
    _: *mut SpiceServer,
    _: c_int,
) -> c_int {
    0
}

fn set(server: Option<&SpiceServer>, change: impl FnOnce(&mut crate::settings::Settings)) -> c_int {
    let Some(server) = server else { return -1 };
    change(&mut server.settings());
    server.update_agent();
    0
}

/// `spice_server_set_agent_mouse`.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _spice_server_set_agent_mouse(s: *mut SpiceServer, enable: c_int) -> c_int {
    guard("spice_server_set_agent_mouse", -1, || {
        // SAFETY: as the module says.
        set(unsafe { server(s) }, |settings| settings.agent_mouse = enable != 0)
    })
}

/// `spice_server_set_agent_copypaste`.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _spice_server_set_agent_copypaste(
    s: *mut SpiceServer,
    enable: c_int,
) -> c_int {
    guard("spice_server_set_agent_copypaste", -1, || {
        // SAFETY: as the module says.
        set(unsafe { server(s) }, |settings| settings.agent_copypaste = enable != 0)
    })
}

/// `spice_server_set_agent_file_xfer`.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _spice_server_set_agent_file_xfer(
    s: *mut SpiceServer,
    enable: c_int,
) -> c_int {
    guard("spice_server_set_agent_file_xfer", -1, || {
        // SAFETY: as the module says.
        set(unsafe { server(s) }, |settings| settings.agent_file_xfer = enable != 0)
    })
}
