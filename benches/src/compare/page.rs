//! The page of the documentation around the tables.

use super::CompareArguments;

/// The whole page: targets first, then how it was measured, then all tables.
pub fn page(
    goals: &str,
    tables: &str,
    machine: &str,
    versions: &[String],
    arguments: &CompareArguments,
) -> String {
    let versions = versions.join("; ");
    let (rounds, seconds) = (arguments.rounds(), arguments.seconds());
    let machine = machine.trim_end_matches('.');
    let run = format!(
        "**This run:** {machine}. {versions}. {rounds} rounds of {seconds} s:\n\n\
         ```\nbenches/setup-crossbar\nbenches/setup-nexus\nbenches/setup-nats\n\
         cargo build --release -p wampy-cli -p wampy-bench\n\
         cargo run --release -p wampy-bench -- compare --rounds {rounds} --seconds {seconds}\n\
         ```\n",
    );
    include_str!("page.md")
        .replace("{targets}\n", goals)
        .replace("{run}\n", &run)
        .replace("{tables}\n", tables)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Only {
        #[command(flatten)]
        compare: CompareArguments,
    }

    #[test]
    fn the_page_holds_everything_that_it_gets() {
        let arguments = Only::parse_from(["compare"]).compare;
        let text = page(
            "GOALS\n",
            "TABLES\n",
            "MACHINE.",
            &["V 1".into()],
            &arguments,
        );
        for part in ["GOALS", "TABLES", "MACHINE. V 1. 11 rounds", "(scaling.md)"] {
            assert!(text.contains(part), "{part}");
        }
        assert!(!text.contains('{'), "a place was left empty");
    }
}
