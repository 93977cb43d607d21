//! The results as Markdown.

use std::fmt::Write;

use super::CompareArguments;
use super::matrix::Cell;
use super::peer::Peer;
use super::results::{Figure, Results, Spread, generator, latency, latency_p99, rate, router_cpu};

/// The whole page for the documentation.
pub fn page(
    tables: &str,
    machine: &str,
    versions: &[String],
    arguments: &CompareArguments,
) -> String {
    let versions = versions.join("; ");
    let (rounds, seconds) = (arguments.rounds(), arguments.seconds);
    format!(
        "{}\n**This run:** {} {versions}. {rounds} rounds of {seconds} s:\n\n\
         ```\nbenches/setup-crossbar\ncargo build --release -p wampy-cli -p wampy-bench\n\
         cargo run --release -p wampy-bench -- compare --rounds {rounds} --seconds {seconds}\n\
         ```\n\n{tables}",
        include_str!("page.md"),
        sentence(machine),
    )
}

/// The text with a full stop at its end.
fn sentence(text: &str) -> String {
    format!("{}.", text.trim_end_matches('.'))
}

/// All tables.
pub fn tables(cells: &[Cell], results: &Results, peers: &[Peer]) -> String {
    let routers: Vec<Peer> = peers
        .iter()
        .copied()
        .filter(|peer| !peer.is_floor())
        .collect();
    let tables = Tables { results, routers };
    let (round_trips, others): (Vec<Cell>, Vec<Cell>) =
        cells.iter().partition(|cell| cell.is_round_trip());
    let mut text = String::new();
    if !round_trips.is_empty() {
        text += "## Round trip of one call, median in µs\n\nLower is better.\n\n";
        text += &tables.figures(&round_trips, latency);
        text += "\nThe 99th percentile, in µs:\n\n";
        text += &tables.figures(&round_trips, latency_p99);
        text += "\n";
    }
    if !others.is_empty() {
        text += "## Calls or events per second\n\nHigher is better.\n\n";
        text += &tables.figures(&others, rate);
        text += "\n";
    }
    text += "## Router CPU for each call or event, in µs\n\nLower is better.\n\n";
    text += &tables.figures(cells, router_cpu);
    text += "\n## Share of a core that the load loop used, in percent\n\n";
    text += &tables.load(cells);
    text += "\n## Faults\n\n";
    text += &tables.faults(cells, peers);
    text
}

struct Tables<'a> {
    results: &'a Results,
    routers: Vec<Peer>,
}

impl Tables<'_> {
    /// One figure of the floor and of each router, with ratios to the floor and, for two routers,
    /// of the first to the second.
    fn figures(&self, cells: &[Cell], figure: Figure) -> String {
        let mut header = vec!["work", "payload", "transport", "floor"];
        for router in &self.routers {
            header.extend([router.name(), "÷ floor"]);
        }
        if let [_, _] = self.routers[..] {
            header.push("wampy ÷ Crossbar.io");
        }
        let mut text = head(&header);
        for cell in cells {
            let floor = self.results.floor(*cell);
            let mut row = self.start(cell);
            row.push(number(self.results.spread(*cell, floor, figure)));
            for router in &self.routers {
                row.push(number(self.results.spread(*cell, *router, figure)));
                row.push(ratio(self.results.ratio(*cell, *router, floor, figure)));
            }
            if let [first, second] = self.routers[..] {
                row.push(ratio(self.results.ratio(*cell, first, second, figure)));
            }
            text += &line(&row);
        }
        text
    }

    fn load(&self, cells: &[Cell]) -> String {
        let mut header = vec!["work", "payload", "transport", "floor", "its engine"];
        header.extend(self.routers.iter().map(|router| router.name()));
        let mut text = head(&header);
        for cell in cells {
            let floor = self.results.floor(*cell);
            let mut row = self.start(cell);
            row.push(number(self.results.spread(*cell, floor, generator)));
            row.push(floor.name().trim_start_matches("floor, ").to_owned());
            for router in &self.routers {
                row.push(number(self.results.spread(*cell, *router, generator)));
            }
            text += &line(&row);
        }
        text
    }

    fn start(&self, cell: &Cell) -> Vec<String> {
        vec![
            cell.work(),
            cell.payload(),
            cell.transport.name().to_owned(),
        ]
    }

    /// One line for each measurement with errors, losses, disorder, or no result.
    fn faults(&self, cells: &[Cell], peers: &[Peer]) -> String {
        let mut text = String::new();
        for cell in cells {
            for peer in peers {
                for (round, outcome) in self.results.outcomes(*cell, *peer) {
                    let what = match outcome {
                        Err(error) => format!("failed: {error}"),
                        Ok(report) if report.faults() > 0 => format!(
                            "{} errors ({}), {} lost, {} misplaced, {} corrupt",
                            report.errors,
                            report.first_error.as_deref().unwrap_or("none"),
                            report.lost,
                            report.misplaced,
                            report.corrupt
                        ),
                        Ok(_) => continue,
                    };
                    let (name, peer, round) = (cell.name(), peer.name(), round + 1);
                    // Writing to a string cannot fail.
                    let _ = writeln!(text, "- {peer}, {name}, round {round}: {what}");
                }
            }
        }
        if text.is_empty() {
            text =
                "None: every call was answered, every event arrived, in order, with the content \
                    that was sent, on every peer in every round.\n"
                    .to_owned();
        }
        text
    }
}

fn head(names: &[&str]) -> String {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let rule: Vec<String> = names
        .iter()
        .enumerate()
        .map(|(at, _)| {
            if at < 3 {
                "---".to_owned()
            } else {
                "---:".to_owned()
            }
        })
        .collect();
    line(&names) + &line(&rule)
}

fn line(cells: &[String]) -> String {
    format!("| {} |\n", cells.join(" | "))
}

fn number(spread: Option<Spread>) -> String {
    spread.map_or("–".to_owned(), |spread| plain(spread.median))
}

fn ratio(spread: Option<Spread>) -> String {
    spread.map_or("–".to_owned(), |spread| {
        format!(
            "**{}** ({}–{})",
            short(spread.median),
            short(spread.min),
            short(spread.max)
        )
    })
}

/// A number with as many digits as mean something, thousands set apart.
fn plain(value: f64) -> String {
    if value < 100.0 {
        return short(value);
    }
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn short(value: f64) -> String {
    match value {
        value if value < 0.1 => format!("{value:.3}"),
        value if value < 10.0 => format!("{value:.2}"),
        value if value < 100.0 => format!("{value:.1}"),
        value => format!("{value:.0}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_readable() {
        assert_eq!(plain(1_234_567.8), "1,234,568");
        assert_eq!(plain(999.6), "1,000");
        assert_eq!(plain(12.345), "12.3");
        assert_eq!(short(0.01234), "0.012");
        assert_eq!(ratio(Spread::of([0.5, 0.25, 1.0])), "**0.50** (0.25–1.00)");
        assert_eq!(number(None), "–");
    }

    #[test]
    fn a_comparison_without_routers_still_has_tables() {
        let cells = super::super::matrix::matrix();
        let text = tables(&cells, &Results::default(), &[Peer::FloorReadiness]);
        assert!(
            text.contains("| RPC 1x1 | 16 B | RawSocket-MessagePack | – |\n"),
            "{text}"
        );
        assert!(text.contains("None: every call"));
    }
}
