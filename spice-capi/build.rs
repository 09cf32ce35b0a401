//! Gives the library its soname, and each function its name and version.
//!
//! `exports.txt` has a line for each: the version node and the name. The Rust function has the name with an underscore
//! before it, because a name that rustc exports by itself cannot be given a version.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs, io};

const EXPORTS: &str = "exports.txt";

/// The nodes in the order in which they were made: each takes up the one before.
const NODES: [&str; 22] = [
    "0.6.0", "0.6.1", "0.8.0", "0.8.1", "0.8.2", "0.8.3", "0.10.0", "0.10.1", "0.10.2", "0.10.3", "0.10.4",
    "0.11.2", "0.11.4", "0.12.2", "0.12.3", "0.12.4", "0.12.5", "0.12.6", "0.13.1", "0.13.2", "0.14.2",
    "0.14.3",
];

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed={EXPORTS}");
    let exports = fs::read_to_string(EXPORTS)?;
    let mut nodes: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for line in exports.lines() {
        if let Some((node, name)) = line.split_once(' ') {
            nodes.entry(node).or_default().push(name);
            println!("cargo::rustc-cdylib-link-arg=-Wl,--defsym={name}=_{name}");
        }
    }
    let mut map = String::new();
    let mut before = None;
    for version in NODES {
        let node = format!("SPICE_SERVER_{version}");
        let names = nodes.remove(node.as_str()).unwrap_or_default();
        let _ = writeln!(map, "{node} {{\nglobal:");
        for name in names {
            let _ = writeln!(map, "    {name};");
        }
        if before.is_none() {
            let _ = writeln!(map, "local:\n    *;");
        }
        let _ = writeln!(map, "}}{};", before.map(|before| format!(" {before}")).unwrap_or_default());
        before = Some(node);
    }
    if let Some((node, _)) = nodes.first_key_value() {
        return Err(io::Error::other(format!("{EXPORTS}: there is no node {node}")));
    }
    let out = env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("OUT_DIR is not set"))?;
    let path = Path::new(&out).join("exports.map");
    fs::write(&path, map)?;
    println!("cargo::rustc-cdylib-link-arg=-Wl,--version-script={}", path.display());
    println!("cargo::rustc-cdylib-link-arg=-Wl,--soname=libspice-server.so.1");
    Ok(())
}
