//! Stock programs on this library: a QEMU that boots the Debian installer, one that moves to another, an Xspice with its
//! programs. Each is a script beside this file that can be run by hand, too, and says what it looks at.
//!
//! Trials that need what this machine lacks are ignored; with `SPICE_E2E=required` in the environment they fail.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use libtest_mimic::{Arguments, Failed, Trial};

/// The kernel of the graphical installer.
const INSTALLER: &str = "/usr/lib/debian-installer/images/12/amd64/gtk/debian-installer/amd64/linux";

/// The trials, with what they need, and how many seconds they may take.
const TRIALS: [(&str, &str, &[&str]); 3] = [
    ("qemu-installer", "400", &["/usr/bin/qemu-system-x86_64", "/usr/bin/spicy-screenshot", INSTALLER]),
    ("qemu-migrate", "400", &["/usr/bin/qemu-system-x86_64", INSTALLER]),
    (
        "xspice",
        "400",
        &["/usr/bin/Xspice", "/usr/bin/spicy-screenshot", "/usr/bin/xterm", "/usr/bin/x11perf"],
    ),
];

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // Each has several busy processes, and waits for pictures that stand still.
    arguments.test_threads.get_or_insert(1);
    let required = std::env::var_os("SPICE_E2E").is_some_and(|value| value == "required");
    let trials = TRIALS.map(|(name, seconds, needs)| {
        let lacks = needs.iter().find(|need| !Path::new(need).exists());
        let ignored = lacks.is_some() && !required;
        Trial::test(name, move || match lacks {
            Some(lacks) => Err(format!("{lacks} is not there").into()),
            None => run(name, seconds),
        })
        .with_ignored_flag(ignored)
    });
    libtest_mimic::run(&arguments, trials.into()).exit_code()
}

/// A folder with this library under the C library's name, until it is dropped.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Result<Self, Failed> {
        let test = std::env::current_exe()?;
        let library = test.parent().ok_or("the test is nowhere")?.join("libspice_capi.so");
        let folder = Self(std::env::temp_dir().join(format!("spice-guests-{}", std::process::id())));
        std::fs::create_dir_all(&folder.0)?;
        std::fs::copy(library, folder.0.join("libspice-server.so.1"))?;
        Ok(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Runs a script to its end.
fn run(name: &str, seconds: &str) -> Result<(), Failed> {
    let folder = Folder::new()?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/guests").join(name);
    let output = Command::new("timeout")
        .arg(seconds)
        .arg(script)
        .arg("--lib")
        .arg(&folder.0)
        .stdin(Stdio::null())
        .output()?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stdout);
    Err(format!("{name}: {}\n{said}{}", output.status, String::from_utf8_lossy(&output.stderr)).into())
}
