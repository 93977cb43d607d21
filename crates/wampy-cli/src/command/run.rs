//! `wampy run`: apps written in Python, which the Python package runs.
//!
//! Deliberately absent: running them. The package's own `wampy` takes this command before it comes
//! here; it stands here for the help and the completions of both.

use clap::Args;

use crate::exit::{Exit, UsageError};

/// Run apps written in Python: module:Class. Needs the Python package.
///
/// `wampy run --help` of the Python package (`pip install wampy`) says more.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wampy run date_service:DateService
  wampy run shop.stock:Stock shop.orders:Orders --url wss://wamp.example.com --realm shop
  wampy run date_service:DateService --router --reload")]
pub(crate) struct Run {
    /// The apps, and options of the Python package.
    #[arg(
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "APP"
    )]
    arguments: Vec<String>,
}

impl Run {
    /// Says who can do it.
    #[allow(clippy::unused_self, clippy::needless_pass_by_value)]
    pub(crate) fn run(self) -> anyhow::Result<Exit> {
        let problem = "`wampy run` needs the Python package, which brings a `wampy` of its own: \
                       pip install wampy";
        Err(UsageError(problem.to_owned()).into())
    }
}
