//! Draws a line chart as SVG, for light and dark pages.
//!
//! The x axis is logarithmic, with a tick at each measured value. The y axis starts at zero, because a
//! cost that is cut off at the bottom looks steeper than it is.

use std::fmt::Write;

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 400.0;
const LEFT: f64 = 56.0;
const RIGHT: f64 = 96.0;
const TOP: f64 = 72.0;
const BOTTOM: f64 = 56.0;

/// Least distance between the names of two lines.
const NAME_HEIGHT: f64 = 16.0;

const STYLE: &str = "
  svg { color-scheme: light dark; font: 13px system-ui, sans-serif; }
  .page { fill: #ffffff; } text { fill: #444c56; } .title { fill: #1b1f24; font-size: 17px; font-weight: 600; }
  .grid { stroke: #d8dee4; } .s0 { --ink: #1f6feb; } .s1 { --ink: #bc4c00; } .s2 { --ink: #1a7f37; }
  .line { fill: none; stroke: var(--ink); stroke-width: 2.5; } .dot { fill: var(--ink); } .name { fill: var(--ink); font-weight: 600; }
  @media (prefers-color-scheme: dark) {
    .page { fill: #0d1117; } text { fill: #adbac7; } .title { fill: #f0f6fc; } .grid { stroke: #2d333b; }
    .s0 { --ink: #79b8ff; } .s1 { --ink: #f0a05a; } .s2 { --ink: #6fdd8b; }
  }
";

pub struct Chart {
    pub title: String,
    pub subtitle: String,
    pub x_label: String,
    pub series: Vec<Series>,
}

/// A line: microseconds by the value of the x axis.
pub struct Series {
    pub name: String,
    pub points: Vec<(f64, f64)>,
}

/// Converts values to coordinates.
struct Scale {
    x_min: f64,
    x_max: f64,
    y_max: f64,
}

impl Scale {
    fn of(series: &[Series]) -> Self {
        let points = || series.iter().flat_map(|series| &series.points);
        let x = || points().map(|point| point.0);
        let highest = points().map(|point| point.1).fold(1.0, f64::max);
        Scale {
            x_min: x().fold(f64::INFINITY, f64::min),
            x_max: x().fold(0.0, f64::max),
            y_max: (highest * 1.1 / step(highest)).ceil() * step(highest),
        }
    }

    fn x(&self, value: f64) -> f64 {
        let part = (value / self.x_min).ln() / (self.x_max / self.x_min).ln().max(1e-9);
        LEFT + part * (WIDTH - LEFT - RIGHT)
    }

    fn y(&self, value: f64) -> f64 {
        HEIGHT - BOTTOM - value / self.y_max * (HEIGHT - TOP - BOTTOM)
    }
}

/// Returns a round distance between grid lines, for about five lines below `highest`.
fn step(highest: f64) -> f64 {
    let decade = 10_f64.powf((highest / 5.0).log10().floor());
    let part = highest / 5.0 / decade;
    let round = [1.0, 2.0, 5.0].into_iter().find(|round| part <= *round);
    decade * round.unwrap_or(10.0)
}

impl Chart {
    pub fn to_svg(&self) -> String {
        let scale = Scale::of(&self.series);
        let mut svg = format!(
            "<!-- Written by `cargo bench --bench load -- --plots` from its own figures. -->\n\
             <svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{}\">\n\
             <style>{STYLE}</style>\n<rect class=\"page\" width=\"{WIDTH}\" height=\"{HEIGHT}\"/>\n",
            self.title
        );
        text(&mut svg, LEFT, 28.0, "class=\"title\"", &self.title);
        text(&mut svg, LEFT, 48.0, "", &self.subtitle);
        self.grid(&mut svg, &scale);
        self.lines(&mut svg, &scale);
        svg.push_str("</svg>\n");
        svg
    }

    fn grid(&self, svg: &mut String, scale: &Scale) {
        let distance = step(scale.y_max);
        let lines = (scale.y_max / distance).round() as usize;
        for value in (0..=lines).map(|line| line as f64 * distance) {
            let (y, end) = (scale.y(value), WIDTH - RIGHT);
            put(
                svg,
                &format!("<path class=\"grid\" d=\"M{LEFT} {y:.1}H{end}\"/>"),
            );
            text(
                svg,
                LEFT - 8.0,
                y + 4.0,
                "text-anchor=\"end\"",
                &format!("{value} µs"),
            );
        }
        let bottom = HEIGHT - BOTTOM;
        for (x, _) in self.series.iter().take(1).flat_map(|series| &series.points) {
            text(
                svg,
                scale.x(*x),
                bottom + 20.0,
                "text-anchor=\"middle\"",
                &grouped(*x),
            );
        }
        let middle = LEFT + (WIDTH - LEFT - RIGHT) / 2.0;
        text(
            svg,
            middle,
            bottom + 42.0,
            "text-anchor=\"middle\"",
            &self.x_label,
        );
    }

    fn lines(&self, svg: &mut String, scale: &Scale) {
        let names = self.name_positions(scale);
        for (index, series) in self.series.iter().enumerate() {
            put(svg, &format!("<g class=\"s{index}\">"));
            let positions = series
                .points
                .iter()
                .map(|(x, y)| (scale.x(*x), scale.y(*y)));
            let path: Vec<String> = positions
                .clone()
                .map(|(x, y)| format!("{x:.1} {y:.1}"))
                .collect();
            put(
                svg,
                &format!("<path class=\"line\" d=\"M{}\"/>", path.join("L")),
            );
            for (x, y) in positions {
                put(
                    svg,
                    &format!("<circle class=\"dot\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\"/>"),
                );
            }
            let x = WIDTH - RIGHT + 12.0;
            text(svg, x, names[index] + 4.0, "class=\"name\"", &series.name);
            svg.push_str("</g>\n");
        }
    }

    /// Returns the y coordinate of each line's name: at the end of the line, without overlaps.
    fn name_positions(&self, scale: &Scale) -> Vec<f64> {
        let end = |series: &Series| series.points.last().map_or(0.0, |point| scale.y(point.1));
        let mut positions: Vec<(usize, f64)> = self.series.iter().map(end).enumerate().collect();
        positions.sort_by(|a, b| a.1.total_cmp(&b.1));
        for index in 1..positions.len() {
            positions[index].1 = positions[index].1.max(positions[index - 1].1 + NAME_HEIGHT);
        }
        positions.sort_by_key(|position| position.0);
        positions.into_iter().map(|position| position.1).collect()
    }
}

fn text(svg: &mut String, x: f64, y: f64, attributes: &str, words: &str) {
    put(
        svg,
        &format!("<text x=\"{x:.1}\" y=\"{y:.1}\" {attributes}>{words}</text>"),
    );
}

fn put(svg: &mut String, element: &str) {
    // Writing to a string cannot fail.
    let _ = writeln!(svg, "{element}");
}

/// Formats a whole number with a thousands separator.
fn grouped(value: f64) -> String {
    match value as u64 {
        small @ 0..1000 => small.to_string(),
        large => format!("{},{:03}", large / 1000, large % 1000),
    }
}
