//! Reads what people and tools send: a bounded body, a form, a declaration in JSON. Pure after the body has arrived.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aws_lc_rs::digest::{Context, SHA256};
use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode, Uri, header};
use http_body::Body;
use http_body_util::{BodyExt, Limited};
use serde_json::{Map, Value};

use super::pages::{Problem, field};
use super::unread::{self, Unread};
use super::words::{ENGLISH, Words};
use crate::facts::{PlatformId, PurposeId, Secret, did_you_mean, hex};
use crate::purpose::{Declaration, Note, UnfitNote, parse_duration};

/// How much a form or a declaration may hold.
pub(super) const MOST: usize = 16 * 1024;

/// What the name of a box begins with that is ticked for a purpose.
pub(super) const FOR: &str = "for.";

/// What the name of a box begins with that is ticked for a platform.
pub(super) const ON: &str = "on.";

/// What the name of a box begins with that is ticked for a further platform of a purpose: both follow, with a dot between.
pub(super) const ALSO: &str = "also.";

/// What the name of the box begins with that stands for all platforms of a purpose.
pub(super) const ALL: &str = "all.";

/// What the name of the choice begins with how far a purpose should go.
pub(super) const COVERS: &str = "covers.";

/// A whole request.
pub struct Received {
    pub(super) method: Method,
    pub(super) headers: HeaderMap,
    uri: Uri,
    body: Bytes,
}

/// Reads the whole request; its body may take as long as `patience`.
pub(super) async fn receive<B>(request: Request<B>, patience: Duration) -> Result<Received, Unread>
where
    B: Body<Data = Bytes>,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let (head, body) = request.into_parts();
    let mut body = std::pin::pin!(body);
    let whole = tokio::time::timeout(patience, Limited::new(body.as_mut(), MOST).collect()).await;
    let body = match whole {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => {
            // over HTTP/2, the end of a stream that is read no further may overtake the answer
            unread::hear_out(body).await;
            return Err(Unread::TooLarge);
        }
        Ok(Err(_)) => return Err(Unread::Broken),
        Err(_) => return Err(Unread::TooSlow),
    };
    Ok(Received {
        method: head.method,
        headers: head.headers,
        uri: head.uri,
        body,
    })
}

impl Received {
    pub(super) fn path(&self) -> &str {
        self.uri.path()
    }

    fn query(&self) -> Option<&str> {
        self.uri.query()
    }

    /// Tells a call from others: a digest of what it asks for.
    pub(super) fn fingerprint(&self) -> String {
        let mut context = Context::new(&SHA256);
        for part in [self.method.as_str().as_bytes(), self.target().as_bytes(), &self.body] {
            context.update(part);
            context.update(b"\n");
        }
        hex(context.finish().as_ref())
    }

    /// What the address says of `name`, the first time.
    pub(super) fn asked(&self, name: &str) -> Option<String> {
        self.pairs()
            .find_map(|(key, value)| (key == name).then(|| value.into_owned()))
    }

    /// All that the address says.
    pub(super) fn pairs(&self) -> form_urlencoded::Parse<'_> {
        form_urlencoded::parse(self.query().unwrap_or_default().as_bytes())
    }

    /// Path and query.
    pub(super) fn target(&self) -> &str {
        self.uri.path_and_query().map_or("/", |target| target.as_str())
    }

    /// The fields of a form; none where it is no form, or names a field twice.
    pub(super) fn form(&self) -> Option<Form> {
        if self.content_type() != Some("application/x-www-form-urlencoded") {
            return None;
        }
        let mut form = Form::default();
        let mut seen = BTreeSet::new();
        for (name, value) in form_urlencoded::parse(&self.body) {
            if !seen.insert(name.to_string()) {
                return None;
            }
            match name.as_ref() {
                "refusal" => form.refusal = value.into_owned(),
                "token" => form.token = value.into_owned(),
                "purpose" => form.purpose = value.into_owned(),
                // Browsers send line breaks as CR LF (HTML, "normalize newlines in form data").
                "statement" => form.statement = value.replace("\r\n", "\n"),
                "ticket" => form.ticket = value.into_owned(),
                "note" => form.note = value.replace("\r\n", "\n"),
                "grant" => form.grant = value.into_owned(),
                "user" => form.user = value.into_owned(),
                "accepted" => form.accepted = value.into_owned(),
                "amount" => form.amount = value.into_owned(),
                "skip" => form.skip = value.into_owned(),
                "platform" => form.platform = value.into_owned(),
                WHICH_TOKEN => form.which_token = value.into_owned(),
                "delegation" => form.delegation = value.into_owned(),
                "to" => form.to = value.into_owned(),
                "from" => form.from = value.into_owned(),
                "until" => form.until = value.into_owned(),
                // a choice, and a box that is ticked, for each purpose
                name => match name.strip_prefix(COVERS) {
                    Some(purpose) => drop(form.covers.insert(purpose.to_owned(), value.into_owned())),
                    None if name.starts_with(ALSO) => form.also.extend(name.strip_prefix(ALSO).map(str::to_owned)),
                    None if name.starts_with(ALL) => form.all.extend(name.strip_prefix(ALL).map(str::to_owned)),
                    None if name.starts_with(ON) => form.places.extend(name.strip_prefix(ON).map(str::to_owned)),
                    None => form.purposes.extend(name.strip_prefix(FOR).map(str::to_owned)),
                },
            }
        }
        Some(form)
    }

    /// All fields of the form.
    pub(super) fn fields(&self) -> form_urlencoded::Parse<'_> {
        form_urlencoded::parse(&self.body)
    }

    /// The password of the form for signing in.
    pub(super) fn password(&self) -> Option<Secret> {
        let mut fields = form_urlencoded::parse(&self.body);
        let (_, password) = fields.find(|(name, _)| name == "password")?;
        Some(Secret::new(password.into_owned()))
    }

    /// The declaration in the body; a problem that names everything that is wrong with it otherwise.
    pub(super) fn declaration(&self) -> Result<Declaration, Problem> {
        let members = self.object("The declaration is not JSON")?;
        read(&members).map_err(|wrong| unfit(&ENGLISH, wrong).in_english())
    }

    /// The note in the body of an answer: `{"note": "…"}`, or no body at all.
    pub(super) fn note(&self) -> Result<Note, Problem> {
        if self.body.is_empty() {
            return Ok(Note::default());
        }
        let members = self.object("The answer is not JSON")?;
        let mut wrong = Vec::new();
        for name in members.keys().filter(|name| *name != "note") {
            wrong.push(field(
                name,
                format!("there is no field `{name}`: the only one is note, e.g. {{\"note\": \"not before the fair\"}}"),
            ));
        }
        let note = Note::parse(&text(&members, "note", &mut wrong).unwrap_or_default());
        wrong.extend(note.as_ref().err().map(|why| field("note", unfit_note(*why))));
        note.ok().filter(|_| wrong.is_empty()).ok_or_else(|| {
            let detail = sentence(&format!("Nothing was answered: {}", joined(&wrong, "; ")));
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            Problem::new(status, "answer-unfit", "The answer cannot be read", &detail)
                .in_english()
                .with("errors", wrong)
        })
    }

    /// The members of the JSON object in the body.
    pub(super) fn object(&self, title: &str) -> Result<Map<String, Value>, Problem> {
        if self.content_type() != Some("application/json") {
            let detail = "Send it as JSON, with the header Content-Type: application/json.";
            let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
            return Err(Problem::new(status, "not-json", title, detail).in_english());
        }
        let parsed: Result<Map<String, Value>, _> = serde_json::from_slice(&self.body);
        parsed.map_err(|error| {
            let detail = format!("The body is not a JSON object: {error}.");
            Problem::new(StatusCode::BAD_REQUEST, "not-json", title, &detail).in_english()
        })
    }

    /// The media type without parameters, lower-case; none where it is given more than once.
    fn content_type(&self) -> Option<&str> {
        let mut values = self.headers.get_all(header::CONTENT_TYPE).iter();
        let (first, second) = (values.next()?, values.next());
        let kind = first.to_str().ok()?.split(';').next()?.trim();
        second.is_none().then_some(kind)
    }
}

/// The fields of the portal's forms; empty where they are not filled in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Form {
    pub(super) refusal: String,
    pub(super) token: String,
    pub(super) purpose: String,
    pub(super) statement: String,
    pub(super) ticket: String,
    pub(super) note: String,
    pub(super) to: String,
    pub(super) grant: String,
    pub(super) user: String,
    pub(super) platform: String,
    pub(super) which_token: String,
    pub(super) delegation: String,
    pub(super) accepted: String,
    pub(super) from: String,
    pub(super) until: String,
    pub(super) purposes: BTreeSet<String>,
    pub(super) amount: String,
    pub(super) skip: String,
    /// How far a purpose should go, by its id.
    pub(super) covers: BTreeMap<String, String>,
    /// The platforms that are ticked.
    pub(super) places: BTreeSet<String>,
    /// The further ones, each with the purpose for which it is: `recruiting.xing`.
    pub(super) also: BTreeSet<String>,
    /// The purposes for which all platforms are ticked.
    pub(super) all: BTreeSet<String>,
}

/// The field that names a token for tools: `token` is the form's own.
pub(super) const WHICH_TOKEN: &str = "which-token";

impl Form {
    /// The further platforms that are ticked for a purpose.
    pub(super) fn also(&self, purpose: &PurposeId) -> impl Iterator<Item = PlatformId> {
        let of = |ticked: &String| Some(ticked.strip_prefix(purpose.as_str())?.strip_prefix('.')?.to_owned());
        self.also.iter().filter_map(of).map(PlatformId::new)
    }

    /// What the form selects by `name`; nothing where that is empty.
    pub(super) fn selects(&self, name: &str) -> Option<String> {
        let value = match name {
            "grant" => &self.grant,
            "user" => &self.user,
            "purpose" => &self.purpose,
            "platform" => &self.platform,
            "token" => &self.which_token,
            "delegation" => &self.delegation,
            _ => return None,
        };
        Some(value.clone()).filter(|value| !value.is_empty())
    }
}

/// The problem of a declaration whose fields are wrong.
pub(super) fn unfit(words: &Words, wrong: Vec<Value>) -> Problem {
    let detail = (words.unfit_detail)(&joined(&wrong, words.semicolon));
    let status = StatusCode::UNPROCESSABLE_ENTITY;
    Problem::new(status, "declaration-unfit", words.unfit_title, &detail).with("errors", wrong)
}

/// That, as a sentence: some end by themselves, as a question does.
pub(super) fn sentence(said: &str) -> String {
    let stop = if said.ends_with(['?', '.', '!']) { "" } else { "." };
    format!("{said}{stop}")
}

/// What is wrong with a note, for whoever writes a client.
pub(super) fn unfit_note(why: UnfitNote) -> String {
    match why {
        UnfitNote::Long => format!("say it in at most {} characters", Note::MOST),
        UnfitNote::Invisible(sign) => (ENGLISH.stating.invisible)(sign),
    }
}

/// What is wrong, as one text.
pub(super) fn joined(wrong: &[Value], between: &str) -> String {
    let sentences: Vec<&str> = wrong.iter().filter_map(|one| one.get("detail")?.as_str()).collect();
    sentences.join(between)
}

const FIELDS: [&str; 6] = ["purpose", "platforms", "covers", "statement", "ticket", "duration"];

fn read(members: &Map<String, Value>) -> Result<Declaration, Vec<Value>> {
    let mut wrong = Vec::new();
    for name in members.keys().filter(|name| !FIELDS.contains(&name.as_str())) {
        let hint = did_you_mean(name, FIELDS).map_or_else(
            || format!("the fields are {}", FIELDS.join(", ")),
            |near| format!("did you mean `{near}`?"),
        );
        wrong.push(field(name, format!("there is no field `{name}`: {hint}")));
    }
    let purpose = text(members, "purpose", &mut wrong);
    if purpose.is_none() && !members.contains_key("purpose") {
        wrong.push(field(
            "purpose",
            "say which purpose, e.g. \"recruiting\"; GET /v1/purposes lists them",
        ));
    }
    let platforms = list(members, "platforms", &mut wrong);
    if platforms.is_none() && !members.contains_key("platforms") {
        wrong.push(field("platforms", "say where, e.g. [\"linkedin\"]"));
    }
    let covers = list(members, "covers", &mut wrong);
    let statement = text(members, "statement", &mut wrong);
    let ticket = text(members, "ticket", &mut wrong);
    let wanted = text(members, "duration", &mut wrong);
    let duration = wanted.as_deref().and_then(duration);
    if let Some(wanted) = wanted.filter(|_| duration.is_none()) {
        let shown: String = wanted.chars().take(40).collect();
        let why = format!("`{shown}` is not a duration: write \"PT4H\", \"4h\" or \"1h30m\"");
        wrong.push(field("duration", why));
    }
    if !wrong.is_empty() {
        return Err(wrong);
    }
    Ok(Declaration {
        purpose: PurposeId::new(purpose.unwrap_or_default()),
        platforms: platforms.into_iter().flatten().map(PlatformId::new).collect(),
        covers: covers.map(BTreeSet::from_iter),
        statement: statement.unwrap_or_default(),
        ticket,
        duration,
    })
}

/// ISO 8601 (`PT4H`, `P1D`) or as people write it (`4h`).
pub(super) fn duration(text: &str) -> Option<Duration> {
    if !text.starts_with('P') {
        return parse_duration(text).ok();
    }
    let span: jiff::Span = text.parse().ok()?;
    let length = span.to_duration(jiff::SpanRelativeTo::days_are_24_hours()).ok()?;
    Duration::try_from(length).ok().filter(|length| !length.is_zero())
}

/// A text; null counts as absent.
pub(super) fn text(members: &Map<String, Value>, name: &str, wrong: &mut Vec<Value>) -> Option<String> {
    match members.get(name) {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => Some(text.clone()),
        Some(_) => {
            wrong.push(field(name, format!("`{name}` must be a text")));
            None
        }
    }
}

/// A list of texts; null counts as absent.
pub(super) fn list(members: &Map<String, Value>, name: &str, wrong: &mut Vec<Value>) -> Option<Vec<String>> {
    let value = members.get(name).filter(|value| !value.is_null())?;
    let items = value
        .as_array()
        .map(|items| items.iter().map(|item| item.as_str().map(str::to_owned)));
    let texts: Option<Vec<String>> = items.and_then(Iterator::collect);
    if texts.is_none() {
        wrong.push(field(name, format!("`{name}` must be a list of texts")));
    }
    texts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn received(kind: &str, body: &str) -> Received {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, kind.parse().unwrap());
        Received {
            method: Method::POST,
            headers,
            uri: Uri::from_static("/declare"),
            body: Bytes::from(body.to_owned()),
        }
    }

    fn json(body: &str) -> Result<Declaration, String> {
        let declaration = received("application/json; charset=utf-8", body).declaration();
        declaration.map_err(|problem| format!("{problem:?}"))
    }

    #[test]
    fn a_declaration_reads_with_and_without_what_may_be_left_out() {
        let short = json(r#"{"purpose":"recruiting","platforms":["linkedin"],"statement":"hi"}"#).unwrap();
        assert_eq!((short.ticket, short.duration, short.covers), (None, None, None));
        let long = r#"{"purpose":"r","platforms":["a","b"],"covers":["read"],"statement":"x","ticket":"HR-1","duration":"PT4H"}"#;
        let long = json(long).unwrap();
        assert_eq!(long.duration, Some(Duration::from_hours(4)));
        assert_eq!(long.platforms.len(), 2);
        assert_eq!(long.covers, Some(BTreeSet::from(["read".to_owned()])));
    }

    #[test]
    fn durations_read_as_iso_8601_and_as_people_write_them() {
        let read = |text| duration(text).map(|length| length.as_secs());
        assert_eq!(read("PT4H"), Some(14_400));
        assert_eq!(read("PT1H30M"), Some(5_400));
        assert_eq!(read("P1D"), Some(86_400));
        assert_eq!(read("90m"), Some(5_400));
        for bad in ["", "P", "PT", "PT0S", "-PT4H", "P1M", "P1Y", "four hours", "4"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    #[test]
    fn everything_that_is_wrong_is_said_at_once() {
        let problem = json(r#"{"purpos":"recruiting","platforms":"linkedin","statement":7,"duration":"soon"}"#);
        let said = problem.unwrap_err();
        for part in [
            "did you mean `purpose`?",
            "say which purpose",
            "`platforms` must be a list of texts",
            "`statement` must be a text",
            "`soon` is not a duration",
        ] {
            assert!(said.contains(part), "{part} in {said}");
        }
    }

    /// A body of which nothing ever comes, or the whole.
    struct Dripping(Option<Bytes>);

    impl Body for Dripping {
        type Data = Bytes;
        type Error = std::convert::Infallible;

        fn poll_frame(
            mut self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<Result<http_body::Frame<Bytes>, Self::Error>>> {
            match self.0.take() {
                Some(bytes) => std::task::Poll::Ready(Some(Ok(http_body::Frame::data(bytes)))),
                None => std::task::Poll::Pending,
            }
        }
    }

    #[tokio::test]
    async fn a_body_that_does_not_come_in_time_is_answered_with_408() {
        for begun in [None, Some(Bytes::from_static(b"purpose=recr"))] {
            let request = Request::post("/declare").body(Dripping(begun)).unwrap();
            let unread = receive(request, Duration::ZERO).await.err().unwrap();
            let page = unread.answer(&ENGLISH);
            assert_eq!(page.status(), StatusCode::REQUEST_TIMEOUT);
            assert_eq!(page.headers()[header::CONTENT_TYPE], "application/problem+json");
            assert_eq!(page.headers()[header::CONNECTION], "close");
        }
        let whole = Request::post("/declare").body(http_body_util::Full::new(Bytes::from_static(b"a=b")));
        assert!(
            receive(whole.unwrap(), Duration::ZERO).await.is_ok(),
            "what is there is read"
        );
    }

    #[test]
    fn a_form_with_a_field_twice_is_no_form() {
        let kind = "application/x-www-form-urlencoded";
        assert!(received(kind, "token=a&token=b").form().is_none());
        assert!(received("text/plain", "token=a").form().is_none());
        let form = received(kind, "token=a&statement=one%0D%0Atwo&x=1").form().unwrap();
        assert_eq!(form.statement, "one\ntwo");
    }
}
