//! What is said to people, on standard error.

use std::fmt::Display;
use std::io::Write as _;

/// Says a line. Whoever reads standard error may be gone: then nobody is left to tell, and a router
/// must not end because of it, as `eprintln!` would have it.
pub(crate) fn say(line: impl Display) {
    _ = writeln!(std::io::stderr(), "{line}");
}
