//! The matrix for people at a terminal. Pure.

use std::fmt::Write as _;

use super::{Matrix, alike, legend, opened};

pub(super) fn text(matrix: &Matrix) -> String {
    let mut text = String::new();
    for sheet in &matrix.sheets {
        let _ = writeln!(text, "{} ({})", sheet.id, sheet.about.join(", "));
        for (access, platforms) in alike(sheet) {
            let _ = writeln!(text, "  on {}", platforms.join(", "));
            for (way, activities) in opened(access) {
                let _ = writeln!(text, "    {way}: {activities}");
            }
        }
        text.push('\n');
    }
    if let Some(legend) = legend(matrix) {
        let _ = writeln!(text, "{legend}");
    }
    let _ = writeln!(
        text,
        "at {} from `{}`, by {}",
        matrix.at, matrix.network, matrix.rulebook
    );
    text
}
