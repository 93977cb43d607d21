//! Axes of charts: where a value lies, which values are labels, and how they are written.

/// Labels of the y axis at most.
const TICKS_MAX: usize = 9;

/// How values are placed along an axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// From zero.
    Linear,
    /// Values that are not above zero are left out.
    Log,
}

/// How values are written at an axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// A number, with k and M for thousands and millions.
    Count,
    /// Bytes, with KiB and MiB.
    Bytes,
}

/// One axis.
#[derive(Debug, Clone, Copy)]
pub struct Axis {
    /// What is shown, with its unit.
    pub label: &'static str,
    pub scale: Scale,
    pub unit: Unit,
}

impl Axis {
    /// A linear axis of numbers.
    pub fn linear(label: &'static str) -> Self {
        Self {
            label,
            scale: Scale::Linear,
            unit: Unit::Count,
        }
    }

    /// A logarithmic axis of numbers.
    pub fn log(label: &'static str) -> Self {
        Self {
            label,
            scale: Scale::Log,
            unit: Unit::Count,
        }
    }
}

/// An axis with the range that it shows, and the pixels where that begins and ends.
pub struct Ruler {
    scale: Scale,
    low: f64,
    high: f64,
    from: f64,
    to: f64,
}

impl Ruler {
    pub fn new(scale: Scale, values: &[f64], pad: f64, pixels: (f64, f64)) -> Self {
        let high = values.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
        let (low, high) = match scale {
            Scale::Linear => (0.0, high * (1.0 + pad)),
            Scale::Log => {
                let low = values.iter().copied().fold(high, f64::min);
                // A range without extent has no scale.
                let stretch = if high / low < 2.0 { 2.0 } else { 1.0 + pad };
                (low / stretch, high * stretch)
            }
        };
        let (from, to) = pixels;
        Self {
            scale,
            low,
            high,
            from,
            to,
        }
    }

    /// Where a value lies, in pixels.
    pub fn place(&self, value: f64) -> f64 {
        let share = match self.scale {
            Scale::Linear => (value - self.low) / (self.high - self.low),
            Scale::Log => (value / self.low).ln() / (self.high / self.low).ln(),
        };
        self.from + share * (self.to - self.from)
    }

    /// Round values for labels.
    pub fn ticks(&self) -> Vec<f64> {
        match self.scale {
            Scale::Linear => {
                let step = round_step(self.high / (TICKS_MAX - 2) as f64);
                let steps = (self.high / step) as usize;
                (0..=steps).map(|number| number as f64 * step).collect()
            }
            Scale::Log => {
                let decades = self.low.log10().floor() as i32..=self.high.log10().ceil() as i32;
                let within = |steps: &[f64]| -> Vec<f64> {
                    let all = decades.clone().flat_map(|decade| {
                        steps
                            .iter()
                            .map(move |step| step * 10f64.powi(decade))
                            .collect::<Vec<_>>()
                    });
                    all.filter(|value| (self.low..=self.high).contains(value))
                        .collect()
                };
                let fine = within(&[1.0, 2.0, 5.0]);
                if fine.len() <= TICKS_MAX {
                    fine
                } else {
                    within(&[1.0])
                }
            }
        }
    }
}

/// The smallest of 1, 2, 5, 10, … that is not below `step`.
fn round_step(step: f64) -> f64 {
    let decade = 10f64.powi(step.log10().floor() as i32);
    [1.0, 2.0, 5.0, 10.0]
        .map(|factor| factor * decade)
        .into_iter()
        .find(|candidate| *candidate >= step * 0.999)
        .unwrap_or(step)
}

/// A value as short as a label has to be.
pub fn write_value(value: f64, unit: Unit) -> String {
    let scaled = |divisor: f64, suffix: &str| {
        let scaled = value / divisor;
        let digits = if scaled >= 100.0 || scaled.fract().abs() < 0.05 {
            0
        } else {
            1
        };
        format!("{scaled:.digits$}{suffix}")
    };
    match unit {
        Unit::Bytes if value >= 1024.0 * 1024.0 => scaled(1024.0 * 1024.0, " MiB"),
        Unit::Bytes if value >= 1024.0 => scaled(1024.0, " KiB"),
        Unit::Bytes => scaled(1.0, " B"),
        Unit::Count if value >= 1e6 => scaled(1e6, "M"),
        Unit::Count if value >= 1e4 => scaled(1e3, "k"),
        Unit::Count if value > 0.0 && value < 1.0 => format!("{value:.2}"),
        Unit::Count => scaled(1.0, ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_linear_axis_begins_at_zero() {
        let ruler = Ruler::new(Scale::Linear, &[50.0, 100.0], 0.0, (200.0, 0.0));
        assert_eq!((ruler.place(0.0), ruler.place(100.0)), (200.0, 0.0));
        assert_eq!(ruler.place(50.0), 100.0);
        assert_eq!(ruler.ticks(), [0.0, 20.0, 40.0, 60.0, 80.0, 100.0]);
    }

    #[test]
    fn values_are_written_short() {
        let count = |value| write_value(value, Unit::Count);
        let written = [0.25, 1.0, 2.5, 250.4, 9_999.0, 50_000.0, 1_500_000.0].map(count);
        assert_eq!(written, ["0.25", "1", "2.5", "250", "9999", "50k", "1.5M"]);
        let bytes =
            [16.0, 1024.0, 1536.0, 1_048_576.0].map(|value| write_value(value, Unit::Bytes));
        assert_eq!(bytes, ["16 B", "1 KiB", "1.5 KiB", "1 MiB"]);
    }

    #[test]
    fn labels_of_an_axis_are_round_and_few() {
        let ticks = |low, high| Ruler::new(Scale::Log, &[low, high], 0.0, (0.0, 1.0)).ticks();
        assert_eq!(ticks(1.0, 50.0), [1.0, 2.0, 5.0, 10.0, 20.0, 50.0]);
        assert_eq!(ticks(1.0, 1e6).len(), 7);
    }
}
