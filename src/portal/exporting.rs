//! A file on its way: read piece by piece, as fast as whoever asked takes it, so that it takes as much memory as one piece however
//! long it is.

use std::path::PathBuf;
use std::sync::Arc;

use serde_json::{Value, json};

use super::Anew;
use super::book_lines::Teller;
use super::decisions::{Decided, LOOKED_AT, Unseen};
use super::formats::{Format, OF_DECISIONS, OF_LINES};
use super::searches::{Exporter, Searches};
use super::wanted::Wanted;
use crate::audit::{Bookmark, Bounds, Found, ReadProblem, decisions, records};
use crate::facts::{Channel, Record};

/// How many lines are read and sent at once.
const PIECE: usize = 500;
/// So often one piece is read at most while rules and people keep changing.
const TURNS: usize = 16;

/// What is taken away.
#[derive(Clone)]
pub(super) struct Request {
    pub(super) wanted: Wanted,
    pub(super) is_of_decisions: bool,
    pub(super) from: Option<Bookmark>,
    pub(super) format: Format,
    pub(super) most: usize,
    pub(super) channel: Channel,
}

/// A file on its way.
pub(super) struct Exporting {
    pub(super) searches: Arc<Searches>,
    pub(super) folder: PathBuf,
    pub(super) teller: Teller,
    pub(super) request: Request,
    /// How many lines may still come.
    pub(super) left: usize,
    /// How many cannot be read.
    pub(super) unreadable: u64,
    pub(super) exporter: Exporter,
}

/// One piece of it.
pub(super) struct Piece {
    pub(super) text: String,
    pub(super) count: usize,
    pub(super) next: Option<Bookmark>,
}

impl Request {
    /// The columns of a table of it.
    pub(super) fn columns(&self) -> &'static [&'static str] {
        if self.is_of_decisions { OF_DECISIONS } else { OF_LINES }
    }
}

impl Exporting {
    /// The next piece, as the rules have it that are in force once it is read; nothing where the file ends before it.
    pub(super) async fn more(self, anew: &mut Anew) -> Option<(Piece, Self)> {
        if !self.exporter.takes_more() {
            return None;
        }
        let mut exporting = self;
        for _ in 0..TURNS {
            if anew.has_changed() {
                let (in_force, at) = anew.look();
                exporting.teller = exporting.teller.by_now(&in_force, at)?;
            }
            let (from, left, unreadable) = (exporting.request.from, exporting.left, exporting.unreadable);
            let (piece, read) = tokio::select! {
                biased;
                () = anew.over() => return None,
                piece = exporting.piece() => piece.ok()?,
            };
            if !anew.has_changed() {
                return Some((piece, read));
            }
            // what was read by the rules of before is not told
            exporting = Self {
                left,
                unreadable,
                ..read
            };
            exporting.request.from = from;
        }
        None
    }

    /// The next piece, read where it may wait for the disk.
    pub(super) async fn piece(mut self) -> Result<(Piece, Self), Unseen> {
        let searches = Arc::clone(&self.searches);
        let read = searches.step(move || self.read().map(|piece| (piece, self))).await?;
        read.map_err(|trouble| {
            tracing::warn!(%trouble, "the records cannot be searched");
            Unseen::NotRead
        })
    }

    fn read(&mut self) -> Result<Piece, ReadProblem> {
        let bounds = Bounds {
            records: PIECE.min(self.left),
            bytes: LOOKED_AT,
        };
        let Request { wanted, from, .. } = &self.request;
        let (asked, sees) = ((&wanted.filter, *from), &mut self.teller.sees);
        let found = if self.request.is_of_decisions {
            decisions(&self.folder, asked, bounds, |one| {
                wanted.admits(one) && sees.admits(one)
            })?
        } else {
            records(&self.folder, asked, bounds, |one| sees.finds(wanted, one))?
        };
        let rows = self.rows(&found);
        self.left = self.left.saturating_sub(rows.len());
        self.unreadable += found.unreadable;
        self.request.from = found.next;
        let columns = self.request.columns();
        let text = rows.iter().map(|row| self.request.format.row(row, columns)).collect();
        Ok(Piece {
            text,
            count: rows.len(),
            next: found.next,
        })
    }

    fn rows(&mut self, found: &Found) -> Vec<Value> {
        let lines = found.records.iter().zip(&found.lines);
        let row = |(record, at): (&Record, &Bookmark)| {
            if self.request.is_of_decisions {
                return Some(Decided::of(record)?.listed(*at));
            }
            Some(json!(self.teller.told(record, *at)?))
        };
        lines.filter_map(row).collect()
    }

    /// What is said at the end of a file that does not tell all.
    pub(super) fn end(&self, last: &Piece) -> Option<String> {
        let (words, format) = (self.teller.words(), self.request.format);
        let next = last.next.map(|next| next.to_string());
        match next {
            Some(next) if self.left == 0 => {
                let most = (words.outcome.number)(u64::try_from(self.request.most).unwrap_or(u64::MAX));
                let text = self.and_unreadable((words.book.file_cut_off)(&most, &next));
                Some(format.end("cut-off", &text, Some(&next)))
            }
            Some(_) => None,
            None => (self.unreadable > 0).then(|| {
                let text = (words.decisions.unreadable)(self.unreadable);
                format.end("unreadable", &text, None)
            }),
        }
    }

    /// What is said where it breaks off before the next piece: the rest follows from there.
    pub(super) fn broken_off(&self) -> String {
        let next = self.request.from.map(|from| from.to_string());
        let text = (self.teller.words().book.file_broken_off)(next.as_deref().unwrap_or_default());
        let text = self.and_unreadable(text);
        self.request.format.end("broken-off", &text, next.as_deref())
    }

    /// With how many lines until there could not be read.
    fn and_unreadable(&self, text: String) -> String {
        if self.unreadable == 0 {
            return text;
        }
        let unreadable = (self.teller.words().decisions.unreadable)(self.unreadable);
        format!("{text} {unreadable}")
    }
}
