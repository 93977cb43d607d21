//! The page and its charts: `scaling.md` and the directory `scaling`.

use std::fs;
use std::io;
use std::path::Path;
use std::process::Command;

use super::findings::Findings;
use super::{Measurement, Setup};
use crate::compare::machine;

/// A measurement with what came of it.
pub type Outcome<'a> = (&'a Measurement, Result<Findings, String>);

/// What stands on the page before the results: the machine, the versions, the command.
pub fn heading(setup: &Setup) -> String {
    let version = Command::new(&setup.wampy).arg("--version").output();
    let version = version.map_or_else(
        |_| "wampy".to_owned(),
        |output| String::from_utf8_lossy(&output.stdout).trim().to_owned(),
    );
    let disturbance = machine::disturbance().map_or(String::new(), |said| format!(" {said}"));
    let quick = if setup.quick { " --quick" } else { "" };
    format!(
        "{}\n**This run:** {}, {version}.{disturbance}\n\n```\n\
         cargo build --release -p wampy-cli -p wampy-bench\n\
         cargo run --release -p wampy-bench -- scale{quick}\n```\n",
        include_str!("page.md"),
        machine::describe(),
    )
}

/// One measurement on the page.
pub fn section(measurement: &Measurement, outcome: &Result<Findings, String>) -> String {
    let heading = measurement.heading;
    match outcome {
        Err(error) => format!("## {heading}\n\nThis measurement failed: {error}\n"),
        Ok(findings) => {
            let charts = findings.charts.iter();
            let charts: String = charts
                .map(|(file, chart)| format!("\n![{}](scaling/{file}.svg)\n", chart.title))
                .collect();
            format!("## {heading}\n\n{}{charts}", findings.text)
        }
    }
}

/// The table of targets.
pub fn targets(outcomes: &[Outcome<'_>]) -> String {
    let found = outcomes
        .iter()
        .filter_map(|(_, outcome)| outcome.as_ref().ok());
    let rows: String = found
        .flat_map(|findings| &findings.verdicts)
        .map(|verdict| verdict.row() + "\n")
        .collect();
    format!("## Targets\n\n| what | target | found | met |\n| --- | ---: | ---: | --- |\n{rows}")
}

/// Writes the page and its charts below a directory.
pub fn write(directory: &Path, heading: &str, outcomes: &[Outcome<'_>]) -> io::Result<()> {
    let charts = directory.join("scaling");
    fs::create_dir_all(&charts)?;
    let sections: Vec<String> = outcomes
        .iter()
        .map(|(measurement, outcome)| section(measurement, outcome))
        .collect();
    for (_, outcome) in outcomes {
        for (file, chart) in outcome.iter().flat_map(|findings| &findings.charts) {
            fs::write(charts.join(format!("{file}.svg")), chart.svg())?;
        }
    }
    let page = format!("{heading}\n{}\n{}", targets(outcomes), sections.join("\n"));
    fs::write(directory.join("scaling.md"), page)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scale::MEASUREMENTS;
    use crate::scale::axis::Axis;
    use crate::scale::chart::{Chart, Series};
    use crate::scale::findings::Bound;

    fn findings() -> Findings {
        let axis = Axis::log("x");
        let mut findings = Findings {
            text: "What was done.\n".to_owned(),
            ..Findings::default()
        };
        findings.judge("memory", Bound::AtMost(4.0), Some(3.0), "KiB");
        findings.charts.push((
            "curve",
            Chart {
                title: "A curve".to_owned(),
                x: axis,
                y: axis,
                series: vec![Series::new("wampy", [(1.0, 1.0)])],
            },
        ));
        findings
    }

    #[test]
    fn the_page_has_targets_sections_charts_and_failures() {
        let directory = std::env::temp_dir().join(format!("wampy-page-{}", std::process::id()));
        let outcomes = [
            (&MEASUREMENTS[0], Ok(findings())),
            (&MEASUREMENTS[1], Err("no router".to_owned())),
        ];
        write(&directory, "# Scaling\n", &outcomes).unwrap();
        let page = fs::read_to_string(directory.join("scaling.md")).unwrap();
        for expected in [
            "# Scaling\n",
            "| memory | ≤ 4 KiB | 3 KiB | yes |",
            "## Idle sessions\n\nWhat was done.\n\n![A curve](scaling/curve.svg)",
            "This measurement failed: no router",
        ] {
            assert!(page.contains(expected), "{expected} in {page}");
        }
        let chart = fs::read_to_string(directory.join("scaling/curve.svg")).unwrap();
        assert!(chart.starts_with("<svg"), "{chart}");
        fs::remove_dir_all(directory).unwrap();
    }
}
