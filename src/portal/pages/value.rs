//! The pages of how much purposes are used, and what comes of them.

use askama::Template;

use super::chart::Columns;
use crate::portal::words::Words;

/// Numbers as they are shown.
#[derive(Clone, Debug)]
pub(in crate::portal) struct Shown {
    pub(in crate::portal) grants: String,
    pub(in crate::portal) flows: String,
    pub(in crate::portal) people: String,
    pub(in crate::portal) data: String,
    pub(in crate::portal) time: String,
    pub(in crate::portal) value: String,
}

/// One purpose among all.
#[derive(Clone, Debug)]
pub(in crate::portal) struct PurposeLine {
    pub(in crate::portal) id: String,
    pub(in crate::portal) title: String,
    /// What is counted of it; none where nothing is.
    pub(in crate::portal) metric: Option<String>,
    pub(in crate::portal) shown: Shown,
    /// How long its bar is.
    pub(in crate::portal) width: u64,
    pub(in crate::portal) over_time: Columns,
}

/// One platform or department.
#[derive(Clone, Debug)]
pub(in crate::portal) struct Line {
    pub(in crate::portal) title: String,
    pub(in crate::portal) shown: Shown,
    pub(in crate::portal) width: u64,
    pub(in crate::portal) over_time: Columns,
}

/// One week.
#[derive(Clone, Debug)]
pub(in crate::portal) struct WeekLine {
    pub(in crate::portal) week: String,
    pub(in crate::portal) shown: Shown,
}

/// Something over time.
#[derive(Clone, Debug)]
pub(in crate::portal) struct Chart {
    pub(in crate::portal) id: &'static str,
    pub(in crate::portal) title: String,
    /// How much the highest bar is.
    pub(in crate::portal) most: String,
    pub(in crate::portal) bars: Columns,
    /// The same for a script.
    pub(in crate::portal) plot: String,
    pub(in crate::portal) from: String,
    pub(in crate::portal) to: String,
}

/// The page of all purposes.
#[derive(Template)]
#[template(path = "value.html", config = "src/portal/askama.toml")]
pub(in crate::portal) struct Overview<'a> {
    pub(in crate::portal) w: &'a Words,
    pub(in crate::portal) who: &'a str,
    /// What is past its review.
    pub(in crate::portal) late: Vec<String>,
    pub(in crate::portal) is_empty: bool,
    pub(in crate::portal) purposes: Vec<PurposeLine>,
    /// The most used of them week by week, for a script.
    pub(in crate::portal) lines: Option<String>,
    pub(in crate::portal) from: String,
    pub(in crate::portal) to: String,
    /// Address, what its link says, and whether it is this one.
    pub(in crate::portal) spans: Vec<(String, String, bool)>,
    pub(in crate::portal) csv: String,
    pub(in crate::portal) contact: Option<String>,
}

/// The page of one purpose.
#[derive(Template)]
#[template(path = "purpose_value.html", config = "src/portal/askama.toml")]
pub(in crate::portal) struct PurposeValue<'a> {
    pub(in crate::portal) w: &'a Words,
    pub(in crate::portal) who: &'a str,
    pub(in crate::portal) title: String,
    pub(in crate::portal) description: String,
    /// What is past its review.
    pub(in crate::portal) late: Vec<String>,
    pub(in crate::portal) is_empty: bool,
    pub(in crate::portal) charts: Vec<Chart>,
    /// What is counted.
    pub(in crate::portal) metric: String,
    pub(in crate::portal) weeks: Vec<WeekLine>,
    pub(in crate::portal) platforms: Vec<Line>,
    pub(in crate::portal) departments: Vec<Line>,
    /// The most used of them week by week, for a script.
    pub(in crate::portal) platform_lines: Option<String>,
    pub(in crate::portal) department_lines: Option<String>,
    pub(in crate::portal) spans: Vec<(String, String, bool)>,
    pub(in crate::portal) csv: String,
    pub(in crate::portal) contact: Option<String>,
}
