//! Paints a recording without viewers and writes the primary surface as a picture.
//!
//! `cargo run -p spice-server --example paint -- desktop.rec picture.ppm [commands]`

use std::fs::File;
use std::io::{BufReader, BufWriter, Write};

use spice_display::qxl::recording::{Event, Recording};
use spice_display::{RedWorker, WorkerConfig};
use spice_proto::{Rect, SurfaceId};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(from), Some(to)) = (arguments.next(), arguments.next()) else {
        return Err("a recording and a picture are needed".into());
    };
    let commands: u64 = arguments.next().map_or(Ok(u64::MAX), |number| number.parse())?;
    let mut recording = Recording::new(BufReader::new(File::open(from)?))?;
    let mut worker = RedWorker::new(&WorkerConfig::default());
    let mut taken = 0;
    while taken < commands
        && let Some(recorded) = recording.next_event()?
    {
        taken += u64::from(recorded.is_command);
        match recorded.event {
            Event::Guest(event) => {
                if let Err(error) = worker.handle_event(event) {
                    eprintln!("event {}: {error}", recorded.number);
                }
            }
            Event::Refused(refusal) => eprintln!("event {}: {refusal}", recorded.number),
            Event::Ignored => {}
        }
    }
    let canvas = worker.display_mut().canvas(SurfaceId::PRIMARY, Rect::new(0, 0, u32::MAX, u32::MAX));
    let canvas = canvas.ok_or("the recording ends without a primary surface")?;
    let mut picture = BufWriter::new(File::create(to)?);
    write!(picture, "P6\n{} {}\n255\n", canvas.width(), canvas.height())?;
    for &[blue, green, red, _] in canvas.read(canvas.bounds()).as_chunks().0 {
        picture.write_all(&[red, green, blue])?;
    }
    picture.flush()?;
    while let Some(failure) = worker.display_mut().poll_failure() {
        eprintln!("not painted: {failure}");
    }
    Ok(())
}
