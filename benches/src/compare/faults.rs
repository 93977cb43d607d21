//! Everything that a correct peer has none of, as a table: errors, losses, disorder, wrong content,
//! measurements without a result.

use super::markdown::{head, line};
use super::matrix::Cell;
use super::peer::Peer;
use super::results::{Outcome, Results};

const HEAD: [&str; 10] = [
    "peer",
    "work",
    "payload",
    "transport",
    "what",
    "round",
    "errors",
    "lost",
    "misplaced",
    "corrupt",
];

/// One row for each measurement with faults.
pub fn table(cells: &[Cell], results: &Results, peers: &[Peer]) -> String {
    let mut rows = String::new();
    for cell in cells {
        for peer in peers {
            for (round, outcome) in results.outcomes(*cell, *peer) {
                let Some(found) = found(outcome) else {
                    continue;
                };
                let mut row = vec![peer.name().to_owned()];
                row.extend(cell.columns());
                let [what, counts @ ..] = found;
                row.extend([what, (round + 1).to_string()]);
                row.extend(counts);
                rows += &line(&row);
            }
        }
    }
    match rows.is_empty() {
        true => {
            "None: every call was answered, every event arrived, in order, with the content that \
             was sent, on every peer in every round.\n"
                .to_owned()
        }
        false => head(&HEAD, 5) + &rows,
    }
}

/// What happened, and the counts of errors, lost, misplaced and corrupt; `None` if all was well.
fn found(outcome: &Outcome) -> Option<[String; 5]> {
    match outcome {
        Err(error) => {
            // A cell of a table is one line, and ends at a bar.
            let said = error.replace('|', "/").replace('\n', " ");
            let none = || "–".to_owned();
            Some([format!("failed: {said}"), none(), none(), none(), none()])
        }
        Ok(report) if report.faults() > 0 => Some([
            report.first_error.clone().unwrap_or_default(),
            report.errors.to_string(),
            report.lost.to_string(),
            report.misplaced.to_string(),
            report.corrupt.to_string(),
        ]),
        Ok(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::matrix::matrix;
    use super::super::results::tests::report;
    use super::*;

    #[test]
    fn faults_and_failures_have_rows_and_nothing_else() {
        let cell = matrix()[0];
        let peers = [Peer::Wampy, Peer::Nexus];
        let mut results = Results::default();
        results.add(cell, Peer::Wampy, 0, report(cell, 5));
        assert!(table(&[cell], &results, &peers).starts_with("None: every call"));
        let lossy = report(cell, 5).map(|report| wampy_bench::Report { lost: 7, ..report });
        results.add(cell, Peer::Nexus, 1, lossy);
        results.add(cell, Peer::Nexus, 2, Err("a|b\nc".into()));
        let text = table(&[cell], &results, &peers);
        assert_eq!(text.lines().count(), 4, "{text}");
        assert!(text.contains("|  | 2 | 0 | 7 | 0 | 0 |"), "{text}");
        assert!(text.contains("failed: a/b c | 3 | – |"), "{text}");
    }
}
