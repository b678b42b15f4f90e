//! Lists, page by page: `?limit=…&after=…`, and a link to the page that follows (RFC 8288). Pure.
//!
//! What is listed has names that sort by time, or by themselves, and `after` is the last one of a page: so what comes and goes
//! between two pages neither repeats nor hides anything else.

use http::StatusCode;
use http::header::{self, HeaderValue};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value;

use super::intake::{Received, joined, sentence};
use super::pages::{self, Page, Problem, field};
use crate::clock::Timestamp;

/// How much one page holds at most, and holds where nobody says how much.
pub(super) const PAGE: usize = 100;
/// How long a name may be.
const LONGEST: usize = 64;

/// Which page is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Paging {
    pub(super) limit: usize,
    pub(super) after: Option<String>,
}

/// In which order names are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// The first, or the oldest, first.
    Rising,
    /// The latest first.
    Falling,
}

/// A page, and the name after which the next one begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Listed<T> {
    pub(super) items: Vec<T>,
    pub(super) next: Option<String>,
}

/// How a page is written: `{"<what>": […], "next": …}`, straight into the answer. Some are a megabyte.
struct Written<'a, T> {
    what: &'a str,
    listed: &'a Listed<T>,
}

impl<T: Serialize> Serialize for Written<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry(self.what, &self.listed.items)?;
        map.serialize_entry("next", &self.listed.next)?;
        map.end()
    }
}

impl Paging {
    /// The page that an address asks for; all that is wrong with it otherwise.
    pub(super) fn of(received: &Received) -> Result<Self, Problem> {
        let (limit, after) = (received.asked("limit"), received.asked("after"));
        let mut wrong = Vec::new();
        let count = limit.as_deref().map_or(Some(PAGE), count);
        if count.is_none() {
            wrong.push(field("limit", format!("`limit` must be a number from 1 to {PAGE}")));
        }
        if !after.as_deref().is_none_or(is_name) {
            wrong.push(no_next());
        }
        match count.filter(|_| wrong.is_empty()) {
            Some(limit) => Ok(Self { limit, after }),
            None => Err(unfit(wrong)),
        }
    }

    /// The same of a list of what has names by the time at which they were given.
    pub(super) fn by_time(received: &Received) -> Result<Self, Problem> {
        let paging = Self::of(received)?;
        // as it was given: what is spelt otherwise stands elsewhere in the order of names
        let is_name = |after: &str| Timestamp::spelt(after).as_deref() == Some(after);
        if paging.after.as_deref().is_none_or(is_name) {
            Ok(paging)
        } else {
            Err(unfit(vec![no_next()]))
        }
    }

    /// The page of `items`, which come in this order of their names.
    pub(super) fn page<T>(
        &self,
        items: impl IntoIterator<Item = T>,
        order: Order,
        name: impl Fn(&T) -> String,
    ) -> Listed<T> {
        let follows = |item: &T| {
            self.after.as_ref().is_none_or(|after| match order {
                Order::Rising => name(item) > *after,
                Order::Falling => name(item) < *after,
            })
        };
        let mut theirs = items.into_iter().filter(follows);
        let items: Vec<T> = theirs.by_ref().take(self.limit).collect();
        let more = theirs.next().is_some();
        let next = items.last().filter(|_| more).map(&name);
        Listed { items, next }
    }
}

/// An answer that lists `items` as `what`, and where the next page is.
pub(super) fn list<T: Serialize>(received: &Received, what: &str, listed: &Listed<T>) -> Page {
    let mut page = pages::json(StatusCode::OK, &Written { what, listed });
    if let Some(next) = &listed.next {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(received.pairs().filter(|(name, _)| name != "after"));
        query.append_pair("after", next);
        let link = format!("<{}?{}>; rel=\"next\"", received.path(), query.finish());
        if let Ok(link) = HeaderValue::from_str(&link) {
            page.headers_mut().insert(header::LINK, link);
        }
    }
    page
}

/// The problem of an address whose query cannot be read.
pub(super) fn unfit(wrong: Vec<Value>) -> Problem {
    let wrongly = joined(&wrong, "; ");
    let detail = sentence(&format!("The address asks for something that there is not: {wrongly}"));
    let status = StatusCode::UNPROCESSABLE_ENTITY;
    Problem::new(status, "query-unfit", "It cannot be read what is wanted", &detail)
        .in_english()
        .with("errors", wrong)
}

fn no_next() -> Value {
    field("after", "`after` must be the `next` of a page, as it was given")
}

fn count(text: &str) -> Option<usize> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let count = text.parse().ok().filter(|_| digits)?;
    (1..=PAGE).contains(&count).then_some(count)
}

/// Whether something can be a name: what cannot is no `next` that was given.
pub(super) fn is_name(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    (1..=LONGEST).contains(&text.len()) && text.bytes().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(items: &[&str], order: Order, limit: usize, after: Option<&str>) -> (Vec<String>, Option<String>) {
        let paging = Paging {
            limit,
            after: after.map(str::to_owned),
        };
        let items = items.iter().map(|item| (*item).to_owned());
        let listed = paging.page(items, order, Clone::clone);
        (listed.items, listed.next)
    }

    #[test]
    fn pages_follow_each_other_and_the_last_one_says_so() {
        let all = ["a", "b", "c"];
        let texts = |some: &[&str]| some.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>();
        assert_eq!(
            page(&all, Order::Rising, 2, None),
            (texts(&["a", "b"]), Some("b".into()))
        );
        assert_eq!(page(&all, Order::Rising, 2, Some("b")), (texts(&["c"]), None));
        assert_eq!(page(&all, Order::Rising, 3, None), (texts(&all), None));
        let falling = ["c", "b", "a"];
        assert_eq!(
            page(&falling, Order::Falling, 1, Some("c")),
            (texts(&["b"]), Some("b".into()))
        );
        assert_eq!(page(&[], Order::Falling, 1, None), (Vec::new(), None));
    }

    #[test]
    fn what_went_between_two_pages_hides_nothing_else() {
        let (_, next) = page(&["a", "b", "c"], Order::Rising, 2, None);
        let (items, _) = page(&["a", "c"], Order::Rising, 2, next.as_deref());
        assert_eq!(items, ["c"]);
    }

    #[test]
    fn a_count_is_one_to_a_hundred_in_plain_digits() {
        for (text, expected) in [
            ("1", Some(1)),
            ("100", Some(100)),
            ("0", None),
            ("101", None),
            ("", None),
            ("+5", None),
            ("-1", None),
            ("5.0", None),
            ("99999999999999999999999", None),
        ] {
            assert_eq!(count(text), expected, "{text}");
        }
    }
}
