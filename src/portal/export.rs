//! What a search found as a file: as a table, or as JSON Lines, the newest first. It is read and sent piece by piece, as fast
//! as whoever asked takes it, so a file of any length takes as much memory as one piece. Whoever takes one away is recorded.

use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream;
use http::header::{self, HeaderMap, HeaderValue};
use http::{Method, Response};
use http_body::Frame;
use http_body_util::StreamBody;
use serde_json::{Value, json};

use super::api::channel;
use super::book::{asked, place};
use super::book_lines::Teller;
use super::decisions::{Decided, LOOKED_AT, Unseen};
use super::intake::Received;
use super::pages::{self, Page};
use super::paging::Paging;
use super::searches::{Exporter, Searches};
use super::tail::{Events, Tail, Until};
use super::wanted::{self, BadFilter, Wanted};
use super::{Portal, Visit, book, provenance};
use crate::audit::{Bookmark, Bounds, Found, ReadProblem, Topic, decisions, records};
use crate::facts::{AccessAct, Channel, Record, Scope, csv_cell};
use crate::rulebook::Visitor;

/// How many lines one file holds at most.
pub(super) const MOST: u32 = 100_000;
/// How many are read and sent at once.
const PIECE: usize = 500;

/// How what was found is written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Csv,
    Lines,
}

impl Format {
    /// The name in addresses.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Lines => "jsonl",
        }
    }

    fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            Self::Lines => "application/jsonl",
        }
    }
}

/// What an address says of how it is to be written down; nothing where that is as ever.
pub(super) fn format_of(received: &Received) -> Result<Option<Format>, BadFilter> {
    match received.asked("format").as_deref() {
        None | Some("" | "json") => Ok(None),
        Some("csv") => Ok(Some(Format::Csv)),
        Some("jsonl") => Ok(Some(Format::Lines)),
        Some(_) => Err(BadFilter::Unreadable("format")),
    }
}

/// What a tool would rather have (RFC 9110 §12.5.1), where it says so: JSON where it likes that as well.
fn accepted(headers: &HeaderMap) -> Option<Format> {
    let mut liked: Vec<(u16, Option<Format>)> = Vec::new();
    for value in headers.get_all(header::ACCEPT) {
        for range in value.to_str().ok()?.split(',') {
            let mut parts = range.split(';').map(str::trim);
            let format = match parts.next()?.to_ascii_lowercase().as_str() {
                "text/csv" => Some(Format::Csv),
                "application/jsonl" | "application/x-ndjson" => Some(Format::Lines),
                "application/json" | "application/*" | "*/*" => None,
                _ => continue,
            };
            let weight = parts.find_map(|part| part.strip_prefix("q="));
            liked.push((weight.map_or(1_000, thousandths), format));
        }
    }
    let most = liked.iter().map(|(weight, _)| *weight).max().filter(|most| *most > 0)?;
    let mut best = liked.into_iter().filter(|(weight, _)| *weight == most).map(|(_, format)| format);
    let first = best.next().flatten();
    first.filter(|_| best.all(|format| format.is_some()))
}

/// `0.5` as thousandths; nothing that cannot be read counts.
fn thousandths(weight: &str) -> u16 {
    let (whole, rest) = weight.split_once('.').unwrap_or((weight, ""));
    let digits: String = rest.chars().chain("000".chars()).take(3).collect();
    let whole: u16 = whole.parse().unwrap_or(0);
    whole.saturating_mul(1_000).saturating_add(digits.parse().unwrap_or(0)).min(1_000)
}

/// The columns of a table of decisions, each a member of what tools are told of one.
const OF_DECISIONS: &[&str] = &[
    "id", "at", "user", "host", "platform", "activity", "outcome", "purpose", "grant", "let_pass", "policies", "ended",
    "status", "decrypted", "policy_revision",
];

/// The same of other lines.
const OF_LINES: &[&str] = &[
    "id", "at", "kind", "act", "by", "whose", "grant", "token", "purpose", "platforms", "what", "why", "withheld",
    "policies", "policy_revision",
];

/// What is taken away.
#[derive(Clone)]
struct Request {
    wanted: Wanted,
    is_of_decisions: bool,
    from: Option<Bookmark>,
    format: Format,
    most: usize,
    channel: Channel,
}

/// A file on its way.
struct Exporting {
    searches: Arc<Searches>,
    folder: PathBuf,
    teller: Teller,
    request: Request,
    /// How many lines may still come.
    left: usize,
    /// How many cannot be read.
    unreadable: u64,
    _exporter: Exporter,
}

/// How far it is.
enum Stage {
    /// What comes before its lines, and the first of them.
    Begins(String, Piece, Box<Exporting>, Until),
    /// More follows.
    GoesOn(Box<Exporting>, Until),
    Over,
}

/// One piece of it.
struct Piece {
    text: String,
    count: usize,
    next: Option<Bookmark>,
}

impl Portal {
    /// The file that is asked for, which flows until then; a page says why there is none, and nothing is answered here to any
    /// other request.
    pub(super) async fn export(
        &self,
        visit: &Visit<'_>,
        received: &Received,
        until: Until,
    ) -> Option<Result<Tail, Page>> {
        let is_call = received.path().starts_with("/v1/");
        let reads = received.method == Method::GET || received.method == Method::HEAD;
        let of_page = || format_of(received).ok().flatten();
        let format = if is_call {
            format_of(received).ok()?.or_else(|| accepted(&received.headers))
        } else {
            of_page()
        };
        let (format, visitor) = (format.filter(|_| reads)?, visit.visitor()?);
        let counter = self.for_request(received);
        let answer = match received.path() {
            "/decisions" => counter.page_as_file(visit, visitor, (received, format))?,
            "/v1/decisions" if super::decisions::is_about_others(visit, visitor, received) => {
                counter.call_as_file(visit, visitor, (received, format))
            }
            "/v1/records" => counter.call_as_file(visit, visitor, (received, format)),
            _ => return None,
        };
        let words = counter.words;
        let file = match answer {
            Ok(request) => counter.file(visit, visitor, request, until).await,
            Err(page) => Err(page),
        };
        Some(file.map_err(|page| pages::in_language(page, words, super::language::BY_CHOICE)))
    }

    /// What a page asks for; nothing where the page itself says what is wrong, or that somebody else's link led there.
    fn page_as_file(
        &self,
        visit: &Visit<'_>,
        visitor: Visitor<'_>,
        (received, format): (&Received, Format),
    ) -> Option<Result<Request, Page>> {
        let is_theirs = provenance::may_open(&received.headers) && !provenance::is_led_here(&received.headers);
        let is_ours = visit.secure && visit.token.is_none() && is_theirs;
        Self::may_watch(visit, visitor, Channel::Portal).filter(|_| is_ours)?;
        let after = received.asked("after").map(|after| after.parse());
        let from = after.transpose().ok()?;
        let is_of_decisions = matches!(wanted::topic(received), None | Some(Ok(Topic::Flows)));
        let (wanted, bad) = if is_of_decisions {
            Wanted::of(received, visit.at, super::decision_pages::ALSO)
        } else {
            book::looked_for(received, visit.at, super::book_pages::ALSO)
        };
        bad.is_empty().then_some(Ok(Request {
            wanted,
            is_of_decisions,
            from,
            format,
            most: usize::try_from(MOST).unwrap_or(usize::MAX),
            channel: Channel::Portal,
        }))
    }

    /// What a call asks for.
    fn call_as_file(
        &self,
        visit: &Visit<'_>,
        visitor: Visitor<'_>,
        (received, format): (&Received, Format),
    ) -> Result<Request, Page> {
        let channel = channel(received);
        if let Some(foreign) = self.foreign(received) {
            return Err(foreign);
        }
        if let Some(refused) = self.not_covered(visit, &received.headers, &[Scope::Decisions]) {
            return Err(refused);
        }
        if Self::may_watch(visit, visitor, channel).is_none() {
            return Err(self.unseen_decisions(&Unseen::NotAllowed));
        }
        let is_of_decisions = received.path() == "/v1/decisions";
        let (wanted, from, limit) = if is_of_decisions {
            let paging = Paging::of(received).map_err(|problem| problem.answer())?;
            let (wanted, bad) = Wanted::of(received, visit.at, super::decisions::BESIDE);
            if !bad.is_empty() {
                return Err(wanted::unfit(&bad, Vec::new()).answer());
            }
            (wanted, place(&paging)?, paging.limit)
        } else {
            asked(received, visit.at)?
        };
        let most = usize::try_from(MOST).unwrap_or(usize::MAX);
        Ok(Request {
            wanted,
            is_of_decisions,
            from,
            format,
            most: received.asked("limit").map_or(most, |_| limit),
            channel,
        })
    }

    /// The file, once it is recorded that it is taken away; its first piece is there before the answer begins, so that what
    /// cannot be read, or is not known, is said instead.
    async fn file(
        &self,
        visit: &Visit<'_>,
        visitor: Visitor<'_>,
        request: Request,
        until: Until,
    ) -> Result<Tail, Page> {
        let unseen = |why: Unseen| match request.channel {
            Channel::Portal => self.unseen_decisions_page(&why),
            Channel::Cli | Channel::Api | Channel::ProxyName | Channel::Header => self.unseen_decisions(&why),
        };
        let policies = Self::may_watch(visit, visitor, request.channel);
        let policies = policies.ok_or_else(|| unseen(Unseen::NotAllowed))?;
        let exporter = self.searches.export(&visitor.person.id);
        let exporter = exporter.map_err(|why| unseen(why.into()))?;
        let mut noted = request.wanted.clone();
        noted.said.insert("format".to_owned(), request.format.as_str().to_owned());
        let noted = self.note_looking(visit, &noted, AccessAct::Exported, policies).await;
        noted.map_err(&unseen)?;
        let exporting = Exporting {
            searches: Arc::clone(&self.searches),
            folder: self.book.folder().to_owned(),
            teller: Teller::of(self, visit, visitor, request.channel),
            left: request.most,
            unreadable: 0,
            _exporter: exporter,
            request: request.clone(),
        };
        let (piece, exporting) = exporting.piece().await.map_err(&unseen)?;
        let is_nothing = piece.count == 0 && piece.next.is_none() && request.from.is_none();
        let unknown = request.wanted.unknown(visit, visitor, request.channel);
        if is_nothing && !unknown.is_empty() && request.channel != Channel::Portal {
            return Err(wanted::unfit(&unknown, Vec::new()).answer());
        }
        Ok(flowing(&request, (piece, Box::new(exporting), until)))
    }
}

/// The answer with the whole file, piece by piece.
fn flowing(request: &Request, (first, exporting, until): (Piece, Box<Exporting>, Until)) -> Tail {
    let head = match request.format {
        Format::Csv => format!("{}\r\n", columns(request).join(",")),
        Format::Lines => String::new(),
    };
    let begins = Stage::Begins(head, first, exporting, until);
    let pieces = stream::unfold(begins, |stage| async move {
        let (text, on) = stage.next().await?;
        Some((Ok(Frame::data(Bytes::from(text))), on))
    });
    let pieces: Events = Box::pin(pieces);
    let name = if request.is_of_decisions { "decisions" } else { "records" };
    let name = format!("wayleave-{name}.{}", request.format.as_str());
    let (mut head, _) = pages::download(request.format.media_type(), &name, String::new()).into_parts();
    let hung_on = HeaderValue::from_str(&format!("Accept, {}", super::language::BY_CHOICE));
    head.headers.extend(hung_on.ok().map(|hung_on| (header::VARY, hung_on)));
    Response::from_parts(head, StreamBody::new(pieces))
}

fn columns(request: &Request) -> &'static [&'static str] {
    if request.is_of_decisions { OF_DECISIONS } else { OF_LINES }
}

impl Stage {
    /// What comes next, and what then; nothing once it is over.
    async fn next(self) -> Option<(String, Self)> {
        let (head, piece, exporting, until) = match self {
            Self::Begins(head, piece, exporting, until) => (head, piece, exporting, until),
            Self::GoesOn(exporting, mut until) => {
                let (words, format) = (exporting.teller.words(), exporting.request.format);
                let more = tokio::select! {
                    biased;
                    () = &mut until => None,
                    piece = exporting.piece() => piece.ok(),
                };
                let Some((piece, exporting)) = more else {
                    let text = words.book.file_broken_off;
                    return Some((format.end("broken-off", text, None), Self::Over));
                };
                (String::new(), piece, Box::new(exporting), until)
            }
            Self::Over => return None,
        };
        let end = exporting.end(&piece);
        let goes_on = piece.next.is_some() && exporting.left > 0;
        let text = format!("{head}{}{}", piece.text, end.unwrap_or_default());
        let on = if goes_on {
            Self::GoesOn(exporting, until)
        } else {
            Self::Over
        };
        Some((text, on))
    }
}

impl Exporting {
    /// The next piece, read where it may wait for the disk.
    async fn piece(mut self) -> Result<(Piece, Self), Unseen> {
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
            decisions(&self.folder, asked, bounds, |one| wanted.admits(one) && sees.admits(one))?
        } else {
            records(&self.folder, asked, bounds, |one| wanted.admits(one) && sees.admits_line(one))?
        };
        let rows = self.rows(&found);
        self.left = self.left.saturating_sub(rows.len());
        self.unreadable += found.unreadable;
        self.request.from = found.next;
        let columns = columns(&self.request);
        let text = rows.iter().map(|row| self.request.format.row(row, columns)).collect();
        Ok(Piece {
            text,
            count: rows.len(),
            next: found.next,
        })
    }

    fn rows(&self, found: &Found) -> Vec<Value> {
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
    fn end(&self, last: &Piece) -> Option<String> {
        let (words, format) = (self.teller.words(), self.request.format);
        let next = last.next.map(|next| next.to_string());
        match next {
            Some(next) if self.left == 0 => {
                let most = (words.outcome.number)(u64::try_from(self.request.most).unwrap_or(u64::MAX));
                Some(format.end("cut-off", &(words.book.file_cut_off)(&most, &next), Some(&next)))
            }
            Some(_) => None,
            None => (self.unreadable > 0).then(|| {
                let text = (words.decisions.unreadable)(self.unreadable);
                format.end("unreadable", &text, None)
            }),
        }
    }
}

impl Format {
    fn row(self, row: &Value, columns: &[&str]) -> String {
        match self {
            Self::Lines => format!("{row}\n"),
            Self::Csv => {
                let cells = columns.iter().map(|column| cell(row.get(column).unwrap_or(&Value::Null)));
                format!("{}\r\n", cells.collect::<Vec<_>>().join(","))
            }
        }
    }

    /// The last line of a file that does not tell all, which says so.
    fn end(self, what: &str, text: &str, next: Option<&str>) -> String {
        match self {
            Self::Lines => format!("{}\n", json!({ "end": what, "text": text, "next": next })),
            Self::Csv => format!("{}\r\n", csv_cell(text)),
        }
    }
}

/// What a table says of a member: several things with spaces between, sentences as well.
fn cell(value: &Value) -> String {
    let text = match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            let texts = items.iter().map(|item| item.as_str().unwrap_or_default());
            texts.collect::<Vec<_>>().join(" ")
        }
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => value.to_string(),
    };
    csv_cell(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_sent_where_a_tool_likes_that_more_than_json() {
        for (accept, format) in [
            ("*/*", None),
            ("text/csv", Some(Format::Csv)),
            ("text/csv, */*;q=0.1", Some(Format::Csv)),
            ("text/csv;q=0.5, application/json", None),
            ("application/json, text/csv", None),
            ("application/jsonl", Some(Format::Lines)),
            ("application/x-ndjson;q=0.9, text/csv;q=0.8", Some(Format::Lines)),
            ("text/csv;q=0", None),
            ("text/html", None),
        ] {
            let headers = HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(accept))]);
            assert_eq!(accepted(&headers), format, "{accept}");
        }
        assert_eq!(accepted(&HeaderMap::new()), None);
    }

    #[test]
    fn nothing_that_somebody_wrote_is_a_formula_in_a_table() {
        let row = json!({ "by": "=1+1", "what": "a, \"b\"", "why": ["@x", "-y"], "let_pass": false, "grant": null });
        let told = Format::Csv.row(&row, &["by", "what", "why", "let_pass", "grant"]);
        assert_eq!(told, "'=1+1,\"a, \"\"b\"\"\",'@x -y,false,\r\n");
        assert_eq!(Format::Csv.end("cut-off", "=x", None), "'=x\r\n");
    }
}
