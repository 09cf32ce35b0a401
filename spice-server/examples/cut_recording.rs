//! Cuts a recording off after a number of commands: what comes out is the beginning of what went in.
//!
//! ```text
//! cargo run --release --example cut_recording -- IN --commands N OUT
//! ```
//!
//! IN is plain or compressed with xz or zstd; OUT is compressed with zstd when its name ends in `.zst`.

use std::error::Error;
use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use spice_display::qxl::recording::Recording;
use spice_server::guest::replay::open;

const USAGE: &str = "usage: cut_recording IN --commands N OUT";
/// Every decoder takes a window of this size, as a power of two, without being asked to.
const WINDOW_LOG: u32 = 27;
const LEVEL: i32 = 19;

struct Cut {
    input: PathBuf,
    commands: u64,
    output: PathBuf,
}

fn main() -> Result<(), Box<dyn Error>> {
    let cut = parse(std::env::args().skip(1)).ok_or(USAGE)?;
    let (commands, length) = measure(&cut.input, cut.commands)?;
    copy(&cut.input, length, &cut.output)?;
    println!("{commands} commands, {length} bytes before compression");
    Ok(())
}

fn parse(mut arguments: impl Iterator<Item = String>) -> Option<Cut> {
    let mut files = Vec::new();
    let mut commands = None;
    while let Some(argument) = arguments.next() {
        if argument == "--commands" {
            commands = Some(arguments.next()?.parse().ok()?);
        } else {
            files.push(PathBuf::from(argument));
        }
    }
    let [input, output] = files.try_into().ok()?;
    Some(Cut { input, commands: commands?, output })
}

/// How many of the `limit` commands there are, and where the last one ends.
fn measure(input: &Path, limit: u64) -> Result<(u64, u64), Box<dyn Error>> {
    let mut recording = Recording::new(open(input)?)?;
    let mut commands = 0;
    while commands < limit {
        let Some(event) = recording.next_event()? else { break };
        commands += u64::from(event.is_command);
    }
    Ok((commands, recording.position()))
}

fn copy(input: &Path, length: u64, output: &Path) -> Result<(), Box<dyn Error>> {
    let mut bytes = open(input)?.take(length);
    let mut file = BufWriter::new(File::create(output)?);
    if output.extension().is_some_and(|extension| extension == "zst") {
        let mut stream = zstd::Encoder::new(&mut file, LEVEL)?;
        stream.window_log(WINDOW_LOG)?;
        stream.long_distance_matching(true)?;
        io::copy(&mut bytes, &mut stream)?;
        stream.finish()?;
    } else {
        io::copy(&mut bytes, &mut file)?;
    }
    file.flush()?;
    Ok(())
}
