//! `gait policy import`: what other systems know, as policies. Each kind of source is one file in `import/`.

mod gait_yaml;
mod tools;

use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::ui::Ui;
use crate::host::Host;

/// Turn what another system knows into a policy
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    GaitYaml(gait_yaml::Args),
    Tools(tools::Args),
}

/// Starts the importer.
pub fn run(ui: &mut Ui, host: &dyn Host, args: Args) -> Result<Exit, CliError> {
    match args.what {
        What::Tools(args) => tools::run(ui, host, args),
        What::GaitYaml(args) => gait_yaml::run(ui, host, args),
    }
}
