//! Line charts as SVG: axes with units, linear or logarithmic, a legend, one marker for each point.
//!
//! Deliberately absent: everything that a page of documentation does not need (other kinds of
//! charts, styles, interaction). Colors are told apart by color-blind readers as well, and the floor
//! is dashed.

use std::fmt::Write;

use super::axis::{Axis, Ruler, Scale, write_value};

const WIDTH: f64 = 800.0;
const HEIGHT: f64 = 470.0;
const LEFT: f64 = 84.0;
const RIGHT: f64 = 24.0;
const TOP: f64 = 52.0;
const BOTTOM: f64 = 96.0;

/// Labels of the x axis are at least so far from each other.
const TICK_DISTANCE_MIN: f64 = 44.0;

/// Colors of the series, in their order: the palette of Okabe and Ito.
const COLORS: [&str; 6] = [
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9",
];
const FLOOR_COLOR: &str = "#555555";

/// One line.
#[derive(Debug, Clone)]
pub struct Series {
    pub name: String,
    pub points: Vec<(f64, f64)>,
    /// Whether it is the floor, which is drawn dashed.
    pub is_floor: bool,
}

impl Series {
    /// A line of a router.
    pub fn new(name: &str, points: impl IntoIterator<Item = (f64, f64)>) -> Self {
        Self {
            name: name.to_owned(),
            points: points.into_iter().collect(),
            is_floor: false,
        }
    }
}

/// A chart.
#[derive(Debug, Clone)]
pub struct Chart {
    pub title: String,
    pub x: Axis,
    pub y: Axis,
    pub series: Vec<Series>,
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

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(scale: Scale, points: Vec<(f64, f64)>) -> Chart {
        let axis = |label| match scale {
            Scale::Linear => Axis::linear(label),
            Scale::Log => Axis::log(label),
        };
        Chart {
            title: "calls <of> one & all".to_owned(),
            x: axis("sessions"),
            y: axis("calls per second"),
            series: vec![
                Series::new("wampy", points),
                Series {
                    is_floor: true,
                    ..Series::new("floor", [(1.0, 2.0)])
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
}
