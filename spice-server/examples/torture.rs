//! Writes a recording that draws with every operation and every kind of operand, for other servers to play.
//!
//! `cargo run -p spice-server --example torture -- fill fill.rec` writes one part, `-- --names fill` names its cells in order;
//! without arguments it names the parts.

use std::fs::File;
use std::io::BufWriter;
use std::time::Duration;

use spice_display::qxl::recording::RecordingWriter;
use testkit::torture::{Part, cases, events};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(name), Some(path)) = (arguments.next(), arguments.next()) else {
        for part in Part::ALL {
            println!("{}: {} cases", part.name(), cases(part).len());
        }
        return Ok(());
    };
    let part =
        |name: &str| Part::ALL.into_iter().find(|part| part.name() == name).ok_or("there is no such part");
    if name == "--names" {
        cases(part(&path)?).iter().for_each(|case| println!("{}", case.name));
        return Ok(());
    }
    let part = part(&name)?;
    let mut writer = RecordingWriter::new(BufWriter::new(File::create(path)?))?;
    for (number, event) in (0_u64..).zip(events(part)) {
        writer.event(&event, Duration::from_millis(number))?;
    }
    writer.finish()?;
    Ok(())
}
