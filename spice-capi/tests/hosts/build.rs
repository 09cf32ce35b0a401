//! The hosts, compiled once for all libraries, and what they need.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use libtest_mimic::Failed;

/// How a host is compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Build {
    Plain,
    AddressSanitizer,
}

/// A folder with this library under the C library's name, the hosts that have been compiled, and what they read.
#[derive(Debug)]
pub(crate) struct Hosts {
    folder: PathBuf,
    flags: Vec<String>,
    compiled: Mutex<BTreeMap<(String, Build), PathBuf>>,
}

/// Where the hosts' sources are.
pub(crate) fn source(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hosts").join(name)
}

/// This library, as it was built with the tests: beside them.
fn our_library() -> Result<PathBuf, Failed> {
    let test = std::env::current_exe()?;
    let folder = test.parent().ok_or("the test is nowhere")?;
    Ok(folder.join("libspice_capi.so"))
}

impl Hosts {
    /// # Errors
    /// In words, what this machine lacks.
    pub(crate) fn new() -> Result<Self, String> {
        let flags = Command::new("pkg-config")
            .args(["--cflags", "--libs", "spice-server", "glib-2.0", "libssl", "libcrypto"])
            .output()
            .map_err(|error| format!("pkg-config: {error}"))?;
        if !flags.status.success() {
            return Err("the headers of spice-server, GLib or OpenSSL are not installed".into());
        }
        for (program, asks) in [
            ("gcc", "--version"),
            ("valgrind", "--version"),
            ("objdump", "--version"),
            ("openssl", "version"),
        ] {
            let found = Command::new(program).arg(asks).output().is_ok_and(|output| output.status.success());
            if !found {
                return Err(format!("{program} is not installed"));
            }
        }
        let flags = String::from_utf8_lossy(&flags.stdout).split_whitespace().map(str::to_owned).collect();
        Self::prepare(flags).map_err(|error| format!("{error:?}"))
    }

    fn prepare(flags: Vec<String>) -> Result<Self, Failed> {
        let folder = std::env::temp_dir().join(format!("spice-hosts-{}", std::process::id()));
        let hosts = Self { folder, flags, compiled: Mutex::default() };
        for made in ["lib", "tls"] {
            fs::create_dir_all(hosts.folder.join(made))?;
        }
        symlink(our_library()?, hosts.library())?;
        let output = Command::new("sh").arg(source("certificates.sh")).arg(hosts.certificates()).output()?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
        }
        let packed =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../spice-display/tests/data/qemu-kms-term.rec.zst");
        let mut decoder = zstd::Decoder::new(fs::File::open(packed)?)?;
        decoder.window_log_max(31)?;
        std::io::copy(&mut decoder, &mut fs::File::create(hosts.recording())?)?;
        Ok(hosts)
    }

    /// This library, by the name that hosts look for.
    pub(crate) fn library(&self) -> PathBuf {
        self.folder.join("lib/libspice-server.so.1")
    }

    /// The folder with an authority, its certificates and their keys.
    pub(crate) fn certificates(&self) -> PathBuf {
        self.folder.join("tls")
    }

    pub(crate) fn recording(&self) -> PathBuf {
        self.folder.join("recording")
    }

    /// An empty folder of one run.
    pub(crate) fn scratch(&self, name: &str) -> Result<PathBuf, Failed> {
        let scratch = self.folder.join(name);
        fs::create_dir_all(&scratch)?;
        Ok(scratch)
    }

    /// A host, compiled against the C headers.
    pub(crate) fn program(&self, name: &str, build: Build) -> Result<PathBuf, Failed> {
        let mut compiled = self.compiled.lock().map_err(|_| "a compilation has failed")?;
        let key = (name.to_owned(), build);
        if let Some(program) = compiled.get(&key) {
            return Ok(program.clone());
        }
        let program = self.folder.join(format!("{name}-{build:?}"));
        let mut gcc = Command::new("gcc");
        gcc.args(["-std=gnu11", "-g", "-O1", "-Wall", "-Wextra", "-Werror", "-Wno-deprecated-declarations"]);
        gcc.arg("-Wno-address-of-packed-member");
        if build == Build::AddressSanitizer {
            gcc.args([
                "-fsanitize=address,undefined",
                "-fno-sanitize-recover=undefined",
                "-fno-sanitize=alignment",
            ]);
        }
        gcc.arg("-o").arg(&program).arg(source(&format!("{name}.c"))).args(&self.flags);
        let output = gcc.args(["-lpthread", "-ldl"]).output()?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
        }
        compiled.insert(key, program.clone());
        Ok(program)
    }
}

impl Drop for Hosts {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}
