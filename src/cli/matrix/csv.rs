//! The matrix for spreadsheets, quoted as RFC 4180 §2 has it; lines end as those of every other text here. Pure.

use super::Matrix;
use crate::facts::csv_cell;
use crate::rulebook::{Access, Cell, Ways};

pub(super) fn text(matrix: &Matrix) -> String {
    let mut lines = vec!["who,platform,activity,purpose,answer".to_owned()];
    for sheet in &matrix.sheets {
        for (platform, access) in &sheet.platforms {
            let mut line = |activity: &str, purpose: &str, answer: &str| {
                let cells = [&sheet.id, platform.as_str(), activity, purpose, answer].map(csv_cell);
                lines.push(cells.join(","));
            };
            match access {
                Access::Closed => line("*", "", "deny"),
                Access::Unread(reached) => {
                    answers(reached).for_each(|(purpose, answer)| match answer {
                        "deny" => line("*", purpose, answer),
                        passes => line("*", purpose, &format!("{passes}-unread")),
                    });
                }
                Access::Read(cells) => {
                    for (activity, cell) in cells {
                        answers(cell).for_each(|(purpose, answer)| line(activity.as_str(), purpose, answer));
                    }
                }
            }
        }
    }
    lines.join("\n")
}

fn answers(cell: &Cell) -> impl Iterator<Item = (&str, &'static str)> {
    let bare = match (cell.open.free, cell.coached.free) {
        (true, _) => "allow",
        (false, true) => "coach",
        (false, false) => "deny",
    };
    let open = under(&cell.open, "allow", "allow-once-approved");
    let coached = under(&cell.coached, "coach", "coach-once-approved");
    std::iter::once(("", bare)).chain(open).chain(coached)
}

fn under<'a>(
    ways: &'a Ways,
    declared: &'static str,
    approved: &'static str,
) -> impl Iterator<Item = (&'a str, &'static str)> {
    let once_declared = ways.declared.iter().map(move |purpose| (purpose.as_str(), declared));
    let once_approved = ways.approved.iter().map(move |purpose| (purpose.as_str(), approved));
    once_declared.chain(once_approved)
}
