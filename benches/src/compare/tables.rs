//! The results as Markdown tables.

use super::faults;
use super::markdown::{head, line, number, ratio};
use super::matrix::Cell;
use super::peer::Peer;
use super::results::{Figure, Results, bytes, generator, latency, latency_p99, rate, router_cpu};

/// What every table begins with.
const COLUMNS: [&str; 3] = ["work", "payload", "transport"];

/// All tables.
pub fn tables(cells: &[Cell], results: &Results, peers: &[Peer]) -> String {
    let routers = peers.iter().copied().filter(|peer| !peer.is_floor());
    let tables = Tables {
        results,
        routers: routers.collect(),
    };
    let (round_trips, others): (Vec<Cell>, Vec<Cell>) =
        cells.iter().partition(|cell| cell.is_round_trip());
    let large: Vec<Cell> = cells.iter().copied().filter(Cell::is_large).collect();
    let mut text = tables.section(
        "Round trip of one call, median in µs",
        "Lower is better.",
        &round_trips,
        latency,
    );
    text += &tables.section(
        "Round trip of one call, 99th percentile in µs",
        "Lower is better.",
        &round_trips,
        latency_p99,
    );
    text += &tables.section(
        "Calls or events per second",
        "Higher is better.",
        &others,
        rate,
    );
    text += &tables.section(
        "Payload megabytes per second",
        "Higher is better. The arguments of the calls that returned (each went there and back) or \
         of the events that arrived.",
        &large,
        bytes,
    );
    text += &tables.section(
        "Router CPU for each call or event, in µs",
        "Lower is better.",
        cells,
        router_cpu,
    );
    text += &tables.against_others(cells);
    text += "## Share of a core that the load loop used, in percent\n\n";
    text += &tables.load(cells);
    text += "\n## Faults\n\n";
    text += &faults::table(cells, results, peers);
    text
}

struct Tables<'a> {
    results: &'a Results,
    routers: Vec<Peer>,
}

impl Tables<'_> {
    /// One figure of the floor and of each router, with ratios to the floor; nothing without cells.
    fn section(&self, title: &str, says: &str, cells: &[Cell], figure: Figure) -> String {
        if cells.is_empty() {
            return String::new();
        }
        let mut header = [&COLUMNS[..], &["floor"]].concat();
        for router in &self.routers {
            header.extend([router.name(), "÷ floor"]);
        }
        let mut text = format!("## {title}\n\n{says}\n\n{}", head(&header, COLUMNS.len()));
        for cell in cells {
            let floor = self.results.floor(*cell);
            let mut row = cell.columns();
            row.push(number(self.results.spread(*cell, floor, figure)));
            for router in &self.routers {
                row.push(number(self.results.spread(*cell, *router, figure)));
                row.push(ratio(self.results.ratio(*cell, *router, floor, figure)));
            }
            text += &line(&row);
        }
        text + "\n"
    }

    /// wampy's figure over that of each other router.
    fn against_others(&self, cells: &[Cell]) -> String {
        let others = self.routers.iter().copied();
        let others: Vec<Peer> = others.filter(|router| *router != Peer::Wampy).collect();
        let compared = |cell: &&Cell| others.iter().any(|other| cell.takes(*other));
        if others.is_empty() || !self.routers.contains(&Peer::Wampy) {
            return String::new();
        }
        let mut header = COLUMNS.to_vec();
        header.extend(others.iter().map(|other| other.name()));
        let mut text = "## wampy ÷ the others\n\nRound trips of RPC 1x1, where less is better; \
             otherwise calls or events per second, where more is better.\n\n"
            .to_owned();
        text += &head(&header, COLUMNS.len());
        for cell in cells.iter().filter(compared) {
            let figure = if cell.is_round_trip() { latency } else { rate };
            let mut row = cell.columns();
            for other in &others {
                row.push(ratio(self.results.ratio(
                    *cell,
                    Peer::Wampy,
                    *other,
                    figure,
                )));
            }
            text += &line(&row);
        }
        text + "\n"
    }

    fn load(&self, cells: &[Cell]) -> String {
        let mut header = [&COLUMNS[..], &["floor", "its engine"]].concat();
        header.extend(self.routers.iter().map(|router| router.name()));
        let mut text = head(&header, COLUMNS.len());
        for cell in cells {
            let floor = self.results.floor(*cell);
            let mut row = cell.columns();
            row.push(number(self.results.spread(*cell, floor, generator)));
            row.push(floor.name().trim_start_matches("floor, ").to_owned());
            for router in &self.routers {
                row.push(number(self.results.spread(*cell, *router, generator)));
            }
            text += &line(&row);
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::super::matrix::matrix;
    use super::super::results::tests::report;
    use super::*;

    #[test]
    fn a_comparison_without_routers_still_has_tables() {
        let text = tables(&matrix(), &Results::default(), &[Peer::FloorReadiness]);
        assert!(
            text.contains("| RPC 1x1 | 16 B | RawSocket-MessagePack | – |\n"),
            "{text}"
        );
        assert!(text.contains("None: every call"));
        assert!(!text.contains("the others"));
    }

    #[test]
    fn every_router_has_its_column_and_what_it_skips_is_empty() {
        let cells = [matrix()[4], matrix()[5]];
        let peers = [Peer::FloorReadiness, Peer::Wampy, Peer::Nats];
        let mut results = Results::default();
        for peer in peers {
            results.add(cells[0], peer, 0, report(cells[0], 100));
        }
        results.add(cells[1], Peer::FloorReadiness, 0, report(cells[1], 200));
        results.add(cells[1], Peer::Wampy, 0, report(cells[1], 100));
        let text = tables(&cells, &results, &peers);
        let one = "**1.00** (1.00–1.00)";
        assert!(text.contains(&format!("| 100 | 100 | {one} | 100 | {one} |")));
        assert!(text.contains("| 200 | 100 | **0.50** (0.50–0.50) | – | – |"));
        assert!(text.contains(&format!("RawSocket-MessagePack | {one} |\n")));
    }
}
