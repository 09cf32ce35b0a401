//! `spice-cli check-config`.

use spice_server::Tls;

use crate::args::CheckConfigArgs;
use crate::plan::{self, Plan};
use crate::{guest, wiring};

/// Says whether a server would start, as far as that can be known without listening; what is wrong is one sentence.
pub(crate) fn check(args: &CheckConfigArgs) -> Result<(), String> {
    let options = args.options.clone().or(plan::read(&args.file)?);
    let plan = Plan::new(&options, &[])?;
    if let Some(tls) = &plan.tls {
        Tls::load(wiring::identity(tls, &plan)).map_err(|error| error.to_string())?;
    }
    guest::guest(&options)?;
    println!("{}: ok", args.file.display());
    print!("{plan}");
    println!("  shows {}", guest::name(&options));
    Ok(())
}
