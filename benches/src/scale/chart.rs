//! Line charts as SVG: axes with units, linear or logarithmic, a legend, one marker for each point.
//!
//! Deliberately absent: everything that a page of documentation does not need (other kinds of
//! charts, styles, interaction). Colors are told apart by color-blind readers as well, and the floor
//! is dashed.

use std::fmt::Write;

const WIDTH: f64 = 800.0;
const HEIGHT: f64 = 470.0;
const LEFT: f64 = 84.0;
const RIGHT: f64 = 24.0;
const TOP: f64 = 52.0;
const BOTTOM: f64 = 96.0;

/// Labels of the x axis are at least so far from each other.
const TICK_DISTANCE_MIN: f64 = 44.0;

/// Labels of the y axis at most.
const TICKS_MAX: usize = 9;

/// Colors of the series, in their order: the palette of Okabe and Ito.
const COLORS: [&str; 6] = [
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9",
];
const FLOOR_COLOR: &str = "#555555";

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

/// One line.
#[derive(Debug, Clone)]
pub struct Series {
    pub name: String,
    pub points: Vec<(f64, f64)>,
    /// Whether it is the floor, which is drawn dashed.
    pub is_floor: bool,
}

/// A chart.
#[derive(Debug, Clone)]
pub struct Chart {
    pub title: String,
    pub x: Axis,
    pub y: Axis,
    pub series: Vec<Series>,
}

/// An axis with the range that it shows, and the pixels where that begins and ends.
struct Ruler {
    scale: Scale,
    low: f64,
    high: f64,
    from: f64,
    to: f64,
}

impl Ruler {
    fn new(scale: Scale, values: &[f64], pad: f64, pixels: (f64, f64)) -> Self {
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

    fn place(&self, value: f64) -> f64 {
        let share = match self.scale {
            Scale::Linear => (value - self.low) / (self.high - self.low),
            Scale::Log => (value / self.low).ln() / (self.high / self.low).ln(),
        };
        self.from + share * (self.to - self.from)
    }

    /// Round values for labels.
    fn ticks(&self) -> Vec<f64> {
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

impl Chart {
    /// The whole SVG document.
    pub fn svg(&self) -> String {
        let (xs, ys) = self.values();
        let x = Ruler::new(self.x.scale, &xs, 0.12, (LEFT, WIDTH - RIGHT));
        let y = Ruler::new(self.y.scale, &ys, 0.12, (HEIGHT - BOTTOM, TOP));
        let mut out = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
             width=\"{WIDTH}\" height=\"{HEIGHT}\" font-family=\"sans-serif\" font-size=\"13\" \
             fill=\"#222222\">\n<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n"
        );
        text(
            &mut out,
            WIDTH / 2.0,
            28.0,
            "middle\" font-size=\"17",
            &self.title,
        );
        self.draw_x(&mut out, &x, &xs);
        self.draw_y(&mut out, &y);
        for (at, series) in self.series.iter().enumerate() {
            self.draw_series(&mut out, series, self.color(at), &x, &y);
        }
        self.draw_legend(&mut out);
        out.push_str("</svg>\n");
        out
    }

    /// What can be shown: a logarithm needs values above zero.
    fn shown(&self, point: (f64, f64)) -> bool {
        let fits = |scale, value: f64| value.is_finite() && (scale == Scale::Linear || value > 0.0);
        fits(self.x.scale, point.0) && fits(self.y.scale, point.1)
    }

    fn values(&self) -> (Vec<f64>, Vec<f64>) {
        let points = self.series.iter().flat_map(|series| &series.points);
        points.copied().filter(|point| self.shown(*point)).unzip()
    }

    fn color(&self, at: usize) -> &'static str {
        match self.series[at].is_floor {
            true => FLOOR_COLOR,
            false => {
                let before = self.series[..at].iter().filter(|series| !series.is_floor);
                COLORS[before.count() % COLORS.len()]
            }
        }
    }

    /// The values that were measured are the labels, as far as there is room.
    fn draw_x(&self, out: &mut String, ruler: &Ruler, xs: &[f64]) {
        let bottom = HEIGHT - BOTTOM;
        let mut values = xs.to_vec();
        values.sort_by(f64::total_cmp);
        let mut last = f64::MIN;
        for value in values {
            let at = ruler.place(value);
            if at - last < TICK_DISTANCE_MIN {
                continue;
            }
            last = at;
            line(out, (at, TOP), (at, bottom), "#e4e4e4");
            text(
                out,
                at,
                bottom + 18.0,
                "middle",
                &write_value(value, self.x.unit),
            );
        }
        line(out, (LEFT, bottom), (WIDTH - RIGHT, bottom), "#222222");
        let middle = LEFT + (WIDTH - RIGHT - LEFT) / 2.0;
        let suffix = log_note(self.x.scale);
        text(
            out,
            middle,
            bottom + 40.0,
            "middle",
            &format!("{}{suffix}", self.x.label),
        );
    }

    fn draw_y(&self, out: &mut String, ruler: &Ruler) {
        for value in ruler.ticks() {
            let at = ruler.place(value);
            line(out, (LEFT, at), (WIDTH - RIGHT, at), "#e4e4e4");
            text(
                out,
                LEFT - 8.0,
                at + 4.0,
                "end",
                &write_value(value, self.y.unit),
            );
        }
        line(out, (LEFT, TOP), (LEFT, HEIGHT - BOTTOM), "#222222");
        let middle = TOP + (HEIGHT - BOTTOM - TOP) / 2.0;
        let rotated = format!("middle\" transform=\"rotate(-90 20 {middle})");
        let suffix = log_note(self.y.scale);
        text(
            out,
            20.0,
            middle,
            &rotated,
            &format!("{}{suffix}", self.y.label),
        );
    }

    fn draw_series(&self, out: &mut String, series: &Series, color: &str, x: &Ruler, y: &Ruler) {
        let dashes = if series.is_floor {
            " stroke-dasharray=\"6 4\""
        } else {
            ""
        };
        let shown: Vec<(f64, f64)> = series
            .points
            .iter()
            .copied()
            .filter(|point| self.shown(*point))
            .collect();
        let path: Vec<String> = shown
            .iter()
            .map(|point| format!("{:.1},{:.1}", x.place(point.0), y.place(point.1)))
            .collect();
        // Writing into a string cannot fail.
        let _ = writeln!(
            out,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"2\"{dashes}/>",
            path.join(" ")
        );
        for point in shown {
            let _ = writeln!(
                out,
                "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"3.5\" fill=\"{color}\"><title>{}: {} at {}\
                 </title></circle>",
                x.place(point.0),
                y.place(point.1),
                escape(&series.name),
                write_value(point.1, self.y.unit),
                write_value(point.0, self.x.unit),
            );
        }
    }

    fn draw_legend(&self, out: &mut String) {
        let room = (WIDTH - LEFT - RIGHT) / self.series.len().max(1) as f64;
        for (at, series) in self.series.iter().enumerate() {
            let (left, y) = (LEFT + at as f64 * room, HEIGHT - 24.0);
            let dashes = if series.is_floor {
                "\" stroke-dasharray=\"6 4"
            } else {
                ""
            };
            let stroke = format!("{}\" stroke-width=\"2.5{dashes}", self.color(at));
            line(out, (left, y - 4.0), (left + 26.0, y - 4.0), &stroke);
            text(out, left + 32.0, y, "start", &series.name);
        }
    }
}

fn log_note(scale: Scale) -> &'static str {
    match scale {
        Scale::Linear => "",
        Scale::Log => " (log scale)",
    }
}

fn line(out: &mut String, from: (f64, f64), to: (f64, f64), stroke: &str) {
    let _ = writeln!(
        out,
        "<line x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\" stroke=\"{stroke}\"/>",
        from.0, from.1, to.0, to.1
    );
}

fn text(out: &mut String, x: f64, y: f64, anchor: &str, words: &str) {
    let words = escape(words);
    let _ = writeln!(
        out,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{words}</text>"
    );
}

fn escape(words: &str) -> String {
    words
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
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

    fn chart(scale: Scale, points: Vec<(f64, f64)>) -> Chart {
        let axis = |label| Axis {
            label,
            scale,
            unit: Unit::Count,
        };
        Chart {
            title: "calls <of> one & all".to_owned(),
            x: axis("sessions"),
            y: axis("calls per second"),
            series: vec![
                Series {
                    name: "wampy".to_owned(),
                    points,
                    is_floor: false,
                },
                Series {
                    name: "floor".to_owned(),
                    points: vec![(1.0, 2.0)],
                    is_floor: true,
                },
            ],
        }
    }

    /// The values of an attribute of all elements of a kind.
    fn attributes(svg: &str, element: &str, name: &str) -> Vec<f64> {
        svg.split(&format!("<{element} "))
            .skip(1)
            .filter_map(|rest| {
                let (_, value) = rest.split_once(&format!("{name}=\""))?;
                value.split('"').next()?.parse().ok()
            })
            .collect()
    }

    #[test]
    fn equal_factors_have_equal_distances_on_a_logarithmic_axis() {
        let svg = chart(Scale::Log, vec![(1.0, 1.0), (10.0, 10.0), (100.0, 100.0)]).svg();
        let x = attributes(&svg, "circle", "cx");
        let y = attributes(&svg, "circle", "cy");
        assert_eq!(x.len(), 4, "{svg}");
        assert!((x[1] - x[0] - (x[2] - x[1])).abs() < 0.2, "{x:?}");
        assert!(y[0] > y[1] && y[1] > y[2], "up is more: {y:?}");
        assert!(
            x.iter().all(|x| (LEFT..=WIDTH - RIGHT).contains(x)),
            "{x:?}"
        );
        assert!(
            y.iter().all(|y| (TOP..=HEIGHT - BOTTOM).contains(y)),
            "{y:?}"
        );
    }

    #[test]
    fn a_linear_axis_begins_at_zero() {
        let ruler = Ruler::new(Scale::Linear, &[50.0, 100.0], 0.0, (200.0, 0.0));
        assert_eq!((ruler.place(0.0), ruler.place(100.0)), (200.0, 0.0));
        assert_eq!(ruler.place(50.0), 100.0);
        assert_eq!(ruler.ticks(), [0.0, 20.0, 40.0, 60.0, 80.0, 100.0]);
    }

    #[test]
    fn what_has_no_logarithm_is_left_out() {
        let points = vec![(0.0, 5.0), (5.0, 0.0), (2.0, f64::NAN), (3.0, 3.0)];
        let svg = chart(Scale::Log, points).svg();
        assert_eq!(attributes(&svg, "circle", "cx").len(), 2);
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
    }

    #[test]
    fn no_data_and_data_without_extent_are_drawn() {
        for points in [vec![], vec![(1.0, 2.0)]] {
            let svg = chart(Scale::Log, points).svg();
            assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
        }
    }

    #[test]
    fn words_are_escaped_and_the_floor_is_dashed() {
        let svg = chart(Scale::Log, vec![(1.0, 1.0)]).svg();
        assert!(svg.contains("calls &lt;of&gt; one &amp; all"), "{svg}");
        assert!(svg.contains("calls per second (log scale)"), "{svg}");
        assert_eq!(
            svg.matches("stroke-dasharray").count(),
            2,
            "line and legend"
        );
        assert!(svg.ends_with("</svg>\n"));
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
