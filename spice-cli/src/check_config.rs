//! `spice-cli check-config`.

use crate::args::CheckConfigArgs;
use crate::guest;
use crate::plan::{self, Plan};

/// Says whether a server would start, as far as that can be known without listening; what is wrong is one sentence.
pub(crate) fn check(args: &CheckConfigArgs) -> Result<(), String> {
    let options = args.options.clone().or(plan::read(&args.file)?);
    let plan = Plan::new(&options, &[])?;
    guest::guest(&options)?;
    println!("{}: ok", args.file.display());
    print!("{plan}");
    println!("  shows {}", guest::name(&options));
    Ok(())
}
