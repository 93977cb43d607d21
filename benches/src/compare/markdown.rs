//! Pieces of Markdown tables, and numbers for people.

use super::results::Spread;

/// The first rows of a table: names, and a rule that sets numbers to the right. `texts` columns at
/// the left are texts.
pub fn head(names: &[&str], texts: usize) -> String {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let rule: Vec<String> = (0..names.len())
        .map(|at| if at < texts { "---" } else { "---:" }.to_owned())
        .collect();
    line(&names) + &line(&rule)
}

/// One row.
pub fn line(cells: &[String]) -> String {
    format!("| {} |\n", cells.join(" | "))
}

/// The median.
pub fn number(spread: Option<Spread>) -> String {
    spread.map_or("–".to_owned(), |spread| plain(spread.median))
}

/// The median, with the smallest and the largest.
pub fn ratio(spread: Option<Spread>) -> String {
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

/// A number with three digits or so.
pub fn short(value: f64) -> String {
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
        assert_eq!(head(&["a", "b"], 1), "| a | b |\n| --- | ---: |\n");
    }
}
