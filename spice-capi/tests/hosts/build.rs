//! The programs, compiled once for all libraries, and the files that they need.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};

use libtest_mimic::Failed;

/// What a program is compiled against.
const PACKAGES: [&str; 4] = ["spice-server", "glib-2.0", "libssl", "libcrypto"];

/// How a program is compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Build {
    Plain,
    AddressSanitizer,
}

/// A program that is compiled by the first trial that wants it, while others of the same program wait.
type Compiled = Arc<Mutex<Option<Result<PathBuf, String>>>>;

/// A folder with this library under the C library's name, certificates, a recording, and the programs.
#[derive(Debug)]
pub(crate) struct Hosts {
    folder: PathBuf,
    flags: Vec<String>,
    compiled: Mutex<BTreeMap<(String, Build), Compiled>>,
}

/// This library, as it was built with the tests: beside them.
fn our_library() -> Result<PathBuf, Failed> {
    let test = std::env::current_exe()?;
    let folder = test.parent().ok_or("the test is nowhere")?;
    Ok(folder.join("libspice_capi.so"))
}

/// Where the hosts' sources are.
pub(crate) fn source(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hosts").join(name)
}

impl Hosts {
    /// # Errors
    /// In words, what this machine lacks.
    pub(crate) fn new() -> Result<Self, String> {
        let flags = Command::new("pkg-config")
            .args(["--cflags", "--libs"])
            .args(PACKAGES)
            .output()
            .map_err(|error| format!("pkg-config: {error}"))?;
        if !flags.status.success() {
            return Err("the headers of spice-server, GLib or OpenSSL are not installed".into());
        }
        for (program, version) in [
            ("gcc", "--version"),
            ("valgrind", "--version"),
            ("objdump", "--version"),
            ("openssl", "version"),
        ] {
            let found =
                Command::new(program).arg(version).output().is_ok_and(|output| output.status.success());
            if !found {
                return Err(format!("{program} is not installed"));
            }
        }
        let flags = String::from_utf8_lossy(&flags.stdout).split_whitespace().map(str::to_owned).collect();
        Self::prepare(flags).map_err(|error| format!("{error:?}"))
    }

    fn prepare(flags: Vec<String>) -> Result<Self, Failed> {
        let folder = std::env::temp_dir().join(format!("spice-hosts-{}", std::process::id()));
        // From here on its end takes the folder with it.
        let hosts = Self { folder, flags, compiled: Mutex::default() };
        fs::create_dir_all(hosts.library())?;
        symlink(our_library()?, hosts.library().join("libspice-server.so.1"))?;
        fs::create_dir(hosts.certificates())?;
        let made = Command::new("sh").arg(source("certificates.sh")).arg(hosts.certificates()).output()?;
        if !made.status.success() {
            return Err(String::from_utf8_lossy(&made.stderr).into_owned().into());
        }
        let packed =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../spice-display/tests/data/xspice-term.rec.zst");
        let mut decoder = zstd::Decoder::new(fs::File::open(packed)?)?;
        decoder.window_log_max(31)?;
        std::io::copy(&mut decoder, &mut fs::File::create(hosts.recording())?)?;
        Ok(hosts)
    }

    /// The folder for `LD_LIBRARY_PATH`.
    pub(crate) fn library(&self) -> PathBuf {
        self.folder.join("lib")
    }

    pub(crate) fn certificates(&self) -> PathBuf {
        self.folder.join("certificates")
    }

    pub(crate) fn recording(&self) -> PathBuf {
        self.folder.join("recording")
    }

    /// An empty folder of this name.
    pub(crate) fn scratch(&self, name: &str) -> Result<PathBuf, Failed> {
        let folder = self.folder.join(name);
        fs::create_dir(&folder)?;
        Ok(folder)
    }

    /// A program, compiled against the C headers.
    pub(crate) fn program(&self, name: &str, build: Build) -> Result<PathBuf, Failed> {
        let one = {
            let mut compiled = self.compiled.lock().map_err(|_| "a trial has panicked")?;
            Arc::clone(compiled.entry((name.to_owned(), build)).or_default())
        };
        let mut one = one.lock().map_err(|_| "a compilation has failed")?;
        let result = one.get_or_insert_with(|| self.compile(name, build));
        result.clone().map_err(Failed::from)
    }

    fn compile(&self, name: &str, build: Build) -> Result<PathBuf, String> {
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
        gcc.arg("-o").arg(&program).arg(source(&format!("{name}.c")));
        let output =
            gcc.args(&self.flags).args(["-lpthread", "-ldl"]).output().map_err(|error| error.to_string())?;
        if output.status.success() {
            Ok(program)
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned())
        }
    }
}

impl Drop for Hosts {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}
