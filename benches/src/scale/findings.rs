//! What a measurement hands to the page: verdicts on targets, text with tables, charts.

use super::chart::Chart;

/// What a value has to be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Bound {
    AtMost(f64),
    AtLeast(f64),
}

/// A target and what was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// What was measured.
    pub what: String,
    pub bound: Bound,
    pub found: f64,
    /// Behind both numbers.
    pub unit: &'static str,
}

impl Verdict {
    pub fn is_met(&self) -> bool {
        match self.bound {
            Bound::AtMost(most) => self.found <= most,
            Bound::AtLeast(least) => self.found >= least,
        }
    }

    /// One row of the table of targets.
    pub fn row(&self) -> String {
        let (sign, bound) = match self.bound {
            Bound::AtMost(most) => ("≤", most),
            Bound::AtLeast(least) => ("≥", least),
        };
        let with_unit = |value| {
            format!("{} {}", number(value), self.unit)
                .trim_end()
                .to_owned()
        };
        let (bound, found) = (with_unit(bound), with_unit(self.found));
        let met = if self.is_met() { "yes" } else { "**no**" };
        format!("| {} | {sign} {bound} | {found} | {met} |", self.what)
    }
}

/// All that one measurement found.
#[derive(Debug, Clone, Default)]
pub struct Findings {
    pub verdicts: Vec<Verdict>,
    /// Markdown below the measurement's heading.
    pub text: String,
    /// Charts by the name of their file, without its extension.
    pub charts: Vec<(&'static str, Chart)>,
}

impl Findings {
    /// A verdict, unless there was nothing to judge.
    pub fn judge(
        &mut self,
        what: impl Into<String>,
        bound: Bound,
        found: Option<f64>,
        unit: &'static str,
    ) {
        if let Some(found) = found {
            self.verdicts.push(Verdict {
                what: what.into(),
                bound,
                found,
                unit,
            });
        }
    }
}

/// A Markdown table.
pub fn table(header: &[&str], rows: &[Vec<String>]) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let header: Vec<String> = header.iter().map(ToString::to_string).collect();
    let rule: Vec<String> = (0..header.len())
        .map(|column| if column == 0 { "---" } else { "---:" }.to_owned())
        .collect();
    let rows: String = rows.iter().map(|row| line(row)).collect();
    format!("{}{}{rows}", line(&header), line(&rule))
}

/// A number with as many digits as mean something.
pub fn number(value: f64) -> String {
    let digits = match value.abs() {
        value if value.fract() == 0.0 && value < 1000.0 => 0,
        value if value >= 100.0 => 0,
        value if value >= 10.0 => 1,
        _ => 2,
    };
    let text = format!("{value:.digits$}");
    let (sign, text) = match text.strip_prefix('-') {
        Some(rest) => ("-", rest.to_owned()),
        None => ("", text),
    };
    let (whole, fraction) = text.split_at(text.find('.').unwrap_or(text.len()));
    let mut grouped = String::new();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    format!("{sign}{grouped}{fraction}")
}

/// A count with thousands apart.
pub fn count(value: usize) -> String {
    number(value as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_compares_with_its_bound() {
        let verdict = |bound, found| Verdict {
            what: "memory".to_owned(),
            bound,
            found,
            unit: "KiB",
        };
        assert!(verdict(Bound::AtMost(4.0), 4.0).is_met());
        assert!(!verdict(Bound::AtMost(4.0), 4.01).is_met());
        assert!(!verdict(Bound::AtLeast(15_000.0), 14_999.0).is_met());
        assert_eq!(
            verdict(Bound::AtMost(4.0), 5.25).row(),
            "| memory | ≤ 4 KiB | 5.25 KiB | **no** |"
        );
    }

    #[test]
    fn what_was_not_found_is_not_judged() {
        let mut findings = Findings::default();
        findings.judge("a", Bound::AtMost(1.0), None, "x");
        findings.judge("b", Bound::AtMost(1.0), Some(0.5), "x");
        assert_eq!(findings.verdicts.len(), 1);
    }

    #[test]
    fn numbers_are_short_and_grouped() {
        let written = [0.004, 1.0, 1.236, 12.36, 999.6, 1_234_567.0, -1500.5].map(number);
        assert_eq!(
            written,
            ["0.00", "1", "1.24", "12.4", "1,000", "1,234,567", "-1,500"]
        );
        assert_eq!(count(50_000), "50,000");
    }

    #[test]
    fn a_table_has_a_header_and_rows() {
        let text = table(&["n", "x"], &[vec!["1".to_owned(), "2".to_owned()]]);
        assert_eq!(text, "| n | x |\n| --- | ---: |\n| 1 | 2 |\n");
    }
}
