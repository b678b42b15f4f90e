//! Charts of pages: where bars stand, and what a script draws better.
//!
//! Each chart comes with the page as bars that need no script: whole numbers in, whole numbers out, and the templates draw
//! them. Where scripts run, uPlot takes their place, vendored with its licence, and answers to whoever points at a week.
//!
//! Why no library draws the bars as well: the page has no style but those that its `Content-Security-Policy` names by their
//! digests, two colour schemes, forced colours for who needs them, and the width of a phone. Of the libraries that write SVG,
//! plotters writes fixed colours and sizes of letters into each element, and neither classes nor titles, so that its charts
//! are black on black in the dark, shrink to nothing on a phone and have no name for whoever cannot see them; charts-rs brings
//! a font renderer to measure letters; charming is a script; poloto needs a `<style>` of its own, which the policy refuses.
//! What is left to do here is a division.

use serde::Serialize;

/// The style of pages with charts, beside that of all pages.
pub(in crate::portal) const STYLE: &str = concat!(include_str!("uplot/uplot.css"), include_str!("charts.css"));

/// The script of pages with charts: the library, under its licence, and ours.
pub(in crate::portal) const SCRIPT: &str = concat!(
    "/*! uPlot 1.6.32. ",
    include_str!("uplot/LICENSE"),
    "*/\n",
    include_str!("uplot/uplot.js"),
    "\n",
    include_str!("charts.js"),
);

/// More lines in one chart cannot be told apart.
pub(in crate::portal) const MOST_LINES: usize = 6;

/// What the script draws.
#[derive(Clone, Debug, Serialize)]
pub(in crate::portal) struct Plot<'a> {
    /// When each week begins, in seconds since 1970 (UTC).
    pub(in crate::portal) weeks: Vec<i64>,
    pub(in crate::portal) series: Vec<Series>,
    pub(in crate::portal) shape: Shape,
    /// What a week is called.
    pub(in crate::portal) week: &'a str,
    /// What is said where nothing is told.
    pub(in crate::portal) few: &'a str,
}

/// How a chart is drawn.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::portal) enum Shape {
    Bars,
    Lines,
}

/// One thing over the weeks.
#[derive(Clone, Debug, Serialize)]
pub(in crate::portal) struct Series {
    pub(in crate::portal) label: String,
    /// One for each week; none where nothing is told.
    pub(in crate::portal) counts: Vec<Option<u64>>,
}

impl Plot<'_> {
    /// The whole of it, for `data-plot`.
    pub(in crate::portal) fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// The width of a chart, and its height, in its own units; the page stretches it.
pub(in crate::portal) const WIDE: u64 = 1_000;
const HIGH: u64 = 100;

/// How much of the room of a week its bar takes, in hundredths.
const FILLED: u64 = 70;

/// One bar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::portal) struct Bar {
    /// Of which value, from 0 on.
    pub(in crate::portal) nth: usize,
    pub(in crate::portal) x: u64,
    pub(in crate::portal) y: u64,
    pub(in crate::portal) width: u64,
    pub(in crate::portal) height: u64,
    /// What it says to who points at it.
    pub(in crate::portal) title: String,
}

/// Bars side by side, from the ground up; none where there is nothing to tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::portal) struct Columns {
    pub(in crate::portal) bars: Vec<Bar>,
}

/// The bars of `counts`: the largest is as high as the chart, and what is more than nothing can be seen.
pub(in crate::portal) fn columns(counts: &[Option<u64>]) -> Columns {
    let room = WIDE / u64::try_from(counts.len().max(1)).unwrap_or(1);
    let width = (room * FILLED / 100).max(1);
    let most = counts.iter().flatten().copied().max().unwrap_or(0);
    let bar = |(nth, count): (usize, &Option<u64>)| {
        let height = share(HIGH, (*count)?, most);
        let place = u64::try_from(nth).unwrap_or(0);
        Some(Bar {
            nth,
            x: place * room + (room - width) / 2,
            y: HIGH - height,
            width,
            height,
            title: String::new(),
        })
    };
    Columns {
        bars: counts.iter().enumerate().filter_map(bar).collect(),
    }
}

/// The length of a lying bar.
pub(in crate::portal) fn width(count: u64, most: u64) -> u64 {
    share(WIDE, count, most)
}

fn share(whole: u64, count: u64, most: u64) -> u64 {
    if count == 0 {
        return 0;
    }
    let share = u128::from(whole) * u128::from(count) / u128::from(most.max(count));
    u64::try_from(share).unwrap_or(whole).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_bar_fills_the_chart_the_smallest_can_be_seen_and_nothing_has_none() {
        let heights = |counts: &[Option<u64>]| -> Vec<(usize, u64)> {
            let bars = columns(counts).bars;
            bars.iter().map(|bar| (bar.nth, bar.height)).collect()
        };
        assert_eq!(
            heights(&[Some(50), None, Some(200), Some(1)]),
            [(0, 25), (2, 100), (3, 1)]
        );
        assert_eq!(heights(&[Some(0), Some(u64::MAX)]), [(0, 0), (1, 100)]);
        assert_eq!(heights(&[]), []);
        assert_eq!(heights(&[None; 13]), []);
        assert_eq!(width(1, 4), 250);
        assert_eq!(width(0, 0), 0);
    }

    #[test]
    fn bars_stand_in_the_chart_and_do_not_touch() {
        for weeks in [1, 13, 26, 52, 104] {
            let bars = columns(&vec![Some(1); weeks]).bars;
            assert!(
                bars.iter()
                    .all(|bar| bar.x + bar.width <= WIDE && bar.y + bar.height == HIGH)
            );
            assert!(bars.windows(2).all(|two| two[0].x + two[0].width < two[1].x), "{weeks}");
        }
    }
}
