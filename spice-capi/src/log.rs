//! The log: GLib's, in the domain of the C library, where the host has GLib; else standard error.

use std::ffi::{CString, c_char, c_int, c_void};
use std::io::{self, Write};
use std::sync::Once;

use tracing::{Level, Metadata};
use tracing_subscriber::fmt::MakeWriter;

/// `g_log`.
type GLog = unsafe extern "C" fn(domain: *const c_char, level: c_int, format: *const c_char, ...);

/// Begins to log, once for all servers of the process.
pub(crate) fn start() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let log = tracing_subscriber::fmt()
            .with_writer(HostLog { glog: find() })
            .with_max_level(Level::INFO)
            .with_ansi(false)
            .with_level(false)
            .with_target(false)
            .without_time();
        let _ = log.try_init();
    });
}

/// The host's `g_log`, if it has GLib.
fn find() -> Option<GLog> {
    // SAFETY: a name with its NUL, looked up among what the process has loaded.
    let found: *mut c_void = unsafe { libc::dlsym(libc::RTLD_DEFAULT, c"g_log".as_ptr()) };
    // SAFETY: GLib's function of this name has this type.
    (!found.is_null()).then(|| unsafe { std::mem::transmute::<*mut c_void, GLog>(found) })
}

#[derive(Clone, Copy)]
struct HostLog {
    glog: Option<GLog>,
}

/// One line on its way.
struct Line {
    glog: Option<GLog>,
    level: c_int,
    text: Vec<u8>,
}

/// GLib's levels (`GLogLevelFlags`). None of ours is its error or critical: those can end the host.
fn glib_level(level: Level) -> c_int {
    match level {
        Level::ERROR | Level::WARN => 1 << 4,
        Level::INFO => 1 << 6,
        _ => 1 << 7,
    }
}

impl<'a> MakeWriter<'a> for HostLog {
    type Writer = Line;

    fn make_writer(&'a self) -> Line {
        Line { glog: self.glog, level: glib_level(Level::INFO), text: Vec::new() }
    }

    fn make_writer_for(&'a self, meta: &Metadata<'_>) -> Line {
        Line { glog: self.glog, level: glib_level(*meta.level()), text: Vec::new() }
    }
}

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.text.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        let text = self.text.trim_ascii_end();
        match self.glog {
            Some(glog) => {
                let text: Vec<u8> = text.iter().copied().filter(|byte| *byte != 0).collect();
                if let Ok(text) = CString::new(text) {
                    // SAFETY: strings with their NULs, and a format that takes one.
                    unsafe { glog(c"Spice".as_ptr(), self.level, c"%s".as_ptr(), text.as_ptr()) };
                }
            }
            None if self.level < glib_level(Level::INFO) => {
                let mut line = b"spice: ".to_vec();
                line.extend_from_slice(text);
                line.push(b'\n');
                let _ = io::stderr().write_all(&line);
            }
            None => {}
        }
    }
}
