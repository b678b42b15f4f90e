//! Where the bars of a chart stand. Pure: whole numbers in, whole numbers out; the templates draw them.
//!
//! Why no library draws them: these charts are part of a page that has no script, no style but one that its
//! `Content-Security-Policy` names by its hash, two colour schemes, forced colours for who needs them, and the width of a
//! phone. Of the libraries that write SVG, plotters writes fixed colours and sizes of letters into each element, and neither
//! classes nor titles, so that its charts are black on black in the dark, shrink to nothing on a phone and have no name for
//! whoever cannot see them; charts-rs brings a font renderer to measure letters; charming is a script; poloto needs a
//! `<style>` of its own, which the policy refuses. What is left to do here is a division: rectangles have the theme's colours,
//! stretch with the page, and all words stand beside them as text.

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
