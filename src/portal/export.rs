//! What a search found as a file: as a table, or as JSON Lines, the newest first. It is read and sent piece by piece, as fast
//! as whoever asked takes it, so a file of any length takes as much memory as one piece. Whoever takes one away is recorded.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http::header::{self, HeaderValue};
use http::{Method, Response};
use http_body::Frame;
use http_body_util::StreamBody;

use super::api::channel;
use super::book::{asked, place};
use super::book_lines::Teller;
use super::decisions::Unseen;
use super::exporting::{Exporting, Piece, Request};
use super::formats::{Format, accepted, format_of};
use super::intake::Received;
use super::pages::{self, Page, Problem};
use super::paging::Paging;
use super::tail::{Events, Tail};
use super::wanted::{self, Wanted};
use super::{Anew, Portal, Visit, book, provenance};
use crate::audit::Topic;
use crate::facts::{AccessAct, Channel, Scope};
use crate::rulebook::Visitor;

/// How many lines one file holds at most.
pub(super) const MOST: u32 = 100_000;
/// How long what is said last has to reach the wire before the body breaks off.
const SAID: Duration = Duration::from_secs(1);

/// How far it is.
enum Stage {
    /// What comes before its lines, and the first of them.
    Begins(String, Piece, Box<Exporting>, Anew),
    /// More follows.
    GoesOn(Box<Exporting>, Anew),
    /// It has said that it broke off.
    Breaks,
    Over,
}

impl Portal {
    /// The file that is asked for, which flows for as long as they may have it; a page says why there is none, and nothing is
    /// answered here to any other request.
    pub(super) async fn export(
        &self,
        visit: &Visit<'_>,
        received: &Received,
        anew: Anew,
    ) -> Option<Result<Tail, Page>> {
        let is_call = received.path().starts_with("/v1/");
        let reads = received.method == Method::GET || received.method == Method::HEAD;
        let said = format_of(received).ok()?;
        let is_said = received.asked("format").is_some_and(|said| !said.is_empty());
        let format = said.or_else(|| accepted(&received.headers).filter(|_| is_call && !is_said));
        let (format, visitor) = (format.filter(|_| reads)?, visit.visitor()?);
        let counter = self.for_request(received);
        let answer = match received.path() {
            "/decisions" => Self::page_as_file(visit, visitor, (received, format))?,
            "/v1/decisions" => match super::decisions::own_as_file(visit, visitor, received) {
                Some(refused) => Err(refused),
                None => counter.call_as_file(visit, visitor, (received, format)),
            },
            "/v1/records" => counter.call_as_file(visit, visitor, (received, format)),
            _ => return None,
        };
        let words = counter.words;
        let file = match answer {
            // of a file that nobody takes only the head is answered, and nothing recorded
            Ok(request) if received.method == Method::HEAD => Ok(headed(&request, pieces(Stage::Over))),
            Ok(request) => counter.file(visit, visitor, request, anew).await,
            Err(page) => Err(page),
        };
        Some(file.map_err(|page| pages::in_language(page, words, super::language::BY_CHOICE)))
    }

    /// What a page asks for; nothing where the page itself says what is wrong, or that somebody else's link led there.
    fn page_as_file(
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
        let is_of_decisions = received.path() == "/v1/decisions";
        let refused = if is_of_decisions {
            self.not_covered(visit, &received.headers, &[Scope::Decisions])
        } else {
            self.not_covered_of_lines(visit, received)
        };
        if let Some(refused) = refused {
            return Err(refused);
        }
        if Self::may_watch(visit, visitor, channel).is_none() {
            return Err(self.unseen_decisions(&Unseen::NotAllowed));
        }
        let (wanted, from, limit) = if is_of_decisions {
            let paging = Paging::of(received).map_err(Problem::answer)?;
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
    async fn file(&self, visit: &Visit<'_>, visitor: Visitor<'_>, request: Request, anew: Anew) -> Result<Tail, Page> {
        let unseen = |why: Unseen| match request.channel {
            Channel::Portal => self.unseen_decisions_page(&why),
            Channel::Cli | Channel::Api | Channel::ProxyName | Channel::Header => self.unseen_decisions(&why),
        };
        let policies = Self::may_watch(visit, visitor, request.channel);
        let policies = policies.ok_or_else(|| unseen(Unseen::NotAllowed))?;
        let exporter = self.searches.export(&visitor.person.id);
        let exporter = exporter.map_err(|why| unseen(why.into()))?;
        let mut noted = request.wanted.clone();
        noted
            .said
            .insert("format".to_owned(), request.format.as_str().to_owned());
        let noted = self.note_looking(visit, &noted, AccessAct::Exported, policies).await;
        noted.map_err(&unseen)?;
        let exporting = Exporting {
            searches: Arc::clone(&self.searches),
            folder: self.book.folder().to_owned(),
            teller: Teller::of(self, visit, visitor, request.channel),
            left: request.most,
            unreadable: 0,
            exporter,
            request: request.clone(),
        };
        let (piece, exporting) = exporting.piece().await.map_err(&unseen)?;
        // of a large book one piece is only the newest part, and what nobody knows of is a slip there as well
        let is_nothing = piece.count == 0 && request.from.is_none();
        let unknown = request.wanted.unknown(visit, visitor, request.channel);
        if is_nothing && !unknown.is_empty() && request.channel != Channel::Portal {
            let next = piece.next.map(|next| next.to_string());
            return Err(wanted::unfit(&unknown, Vec::new()).with("next", next).answer());
        }
        Ok(flowing(&request, (piece, Box::new(exporting), anew)))
    }
}

/// The answer with the whole file, piece by piece.
fn flowing(request: &Request, (first, exporting, anew): (Piece, Box<Exporting>, Anew)) -> Tail {
    let head = match request.format {
        Format::Csv => format!("{}\r\n", request.columns().join(",")),
        Format::Lines => String::new(),
    };
    let begins = Stage::Begins(head, first, exporting, anew);
    headed(request, pieces(begins))
}

/// The answer that carries them.
fn headed(request: &Request, pieces: Events) -> Tail {
    let name = if request.is_of_decisions {
        "decisions"
    } else {
        "records"
    };
    let name = format!("wayleave-{name}.{}", request.format.as_str());
    let (mut head, _) = pages::download(request.format.media_type(), &name, String::new()).into_parts();
    let hung_on = HeaderValue::from_str(&format!("Accept, {}", super::language::BY_CHOICE));
    head.headers.extend(hung_on.ok().map(|hung_on| (header::VARY, hung_on)));
    Response::from_parts(head, StreamBody::new(pieces))
}

/// What flows from there on.
fn pieces(begins: Stage) -> Events {
    let pieces = stream::unfold(begins, |stage| async move {
        if matches!(stage, Stage::Breaks) {
            // what was said last is on the wire first: an error drops what still waits
            tokio::time::sleep(SAID).await;
            return Some((Err(std::io::Error::other("the file broke off")), Stage::Over));
        }
        let (text, on) = stage.next().await?;
        Some((Ok(Frame::data(Bytes::from(text))), on))
    });
    Box::pin(pieces)
}

impl Stage {
    /// What comes next, and what then; nothing once it is over.
    async fn next(self) -> Option<(String, Self)> {
        let (head, piece, exporting, anew) = match self {
            Self::Begins(head, piece, exporting, anew) => (head, piece, exporting, anew),
            Self::GoesOn(exporting, mut anew) => {
                let broken_off = exporting.broken_off();
                let Some((piece, exporting)) = exporting.more(&mut anew).await else {
                    return Some((broken_off, Self::Breaks));
                };
                (String::new(), piece, Box::new(exporting), anew)
            }
            Self::Breaks | Self::Over => return None,
        };
        let end = exporting.end(&piece);
        let goes_on = piece.next.is_some() && exporting.left > 0;
        let text = format!("{head}{}{}", piece.text, end.unwrap_or_default());
        let on = if goes_on {
            Self::GoesOn(exporting, anew)
        } else {
            Self::Over
        };
        Some((text, on))
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;

    #[tokio::test]
    async fn a_file_that_broke_off_is_not_whole_to_the_transport_either() {
        let pieces = pieces(Stage::Breaks);
        let read = StreamBody::new(pieces).collect().await;
        assert!(read.is_err());
        assert!(
            StreamBody::new(super::pieces(Stage::Over))
                .collect()
                .await
                .unwrap()
                .to_bytes()
                .is_empty()
        );
    }
}
