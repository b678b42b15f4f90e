//! `wayleave grants`: lists what you hold and asked for, renews it and ends it; or what waits for your answer, or you could revoke.

use std::process::ExitCode;
use std::time::Duration;

use http::Method;
use serde_json::{Value, json};

use super::counter::{Said, problem};
use super::printer;
use super::records::plain;
use super::stop::Stop;
use super::waits::{for_whom, so_far};
use super::way::Way;
use crate::purpose::show_duration;

/// Lists your grants, renews or ends one; or lists what waits for your approval, or what you could revoke.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit code: 0 done; 1 not done; 2 the command line or the proxy's URL makes no sense; 4 a renewal is asked for: \
                  it waits for an approval"
)]
pub struct Args {
    /// End the grant with this id.
    #[arg(long, value_name = "ID")]
    end: Option<String>,
    /// Renew the grant with this id, which is in force or was until a while ago: the same once more, from now on.
    #[arg(long, value_name = "ID", conflicts_with = "end")]
    renew: Option<String>,
    /// List what waits for your approval instead: `wayleave approve` and `wayleave decline` answer it.
    #[arg(long, conflicts_with_all = ["end", "renew"])]
    to_approve: bool,
    /// List what was taken in an emergency and waits for your review: `wayleave review` does it.
    #[arg(long, conflicts_with_all = ["end", "renew", "to_approve"])]
    to_review: bool,
    #[command(flatten)]
    came: Came,
    #[command(flatten)]
    others: Others,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    way: Way,
}

/// What came of a grant that is over.
#[derive(Debug, clap::Args)]
struct Came {
    /// Say what came of the grant with this id, which is over: with `--amount`, `--text` or both, or `--skip`.
    #[arg(long, value_name = "ID", conflicts_with_all = ["end", "renew", "to_approve", "to_review"])]
    outcome: Option<String>,
    /// How much, in what the value of its purpose is counted in: a whole number.
    #[arg(long, value_name = "NUMBER", requires = "outcome")]
    amount: Option<u64>,
    /// What, in your own words.
    #[arg(long, value_name = "TEXT", requires = "outcome")]
    text: Option<String>,
    /// There is nothing to say.
    #[arg(long, requires = "outcome", conflicts_with_all = ["amount", "text"])]
    skip: bool,
}

impl Came {
    /// What is sent of it.
    fn said(&self) -> Value {
        if self.skip {
            return json!({ "skip": true });
        }
        json!({ "amount": self.amount, "text": self.text })
    }
}

/// What others hold, as far as you could revoke it.
#[derive(Debug, clap::Args)]
#[group(multiple = false, conflicts_with_all = ["end", "renew", "to_approve", "to_review", "outcome"])]
struct Others {
    /// List what this person holds or asked for, as far as you could revoke it.
    #[arg(long, value_name = "NAME")]
    of: Option<String>,
    /// List what is held for this purpose.
    #[arg(long)]
    purpose: Option<String>,
    /// List what is held for this platform.
    #[arg(long)]
    platform: Option<String>,
    /// List what anybody holds.
    #[arg(long)]
    everybody: bool,
}

impl Others {
    /// What the list is of; none where nobody else is meant.
    fn selector(&self) -> Option<(&'static str, String)> {
        let one = |name, value: &Option<String>| value.as_ref().map(|value| (name, value.clone()));
        let named = [
            one("user", &self.of),
            one("purpose", &self.purpose),
            one("platform", &self.platform),
            self.everybody.then(|| ("all", String::new())),
        ];
        named.into_iter().flatten().next()
    }
}

/// Runs the command: 0 when it was done, 1 when it was not, 2 when the proxy's URL cannot be understood, 4 when it waits.
pub async fn run(args: Args) -> Result<ExitCode, Stop> {
    if let Some((name, value)) = args.others.selector() {
        return list(&args, (name, &value)).await;
    }
    if let Some(id) = &args.renew {
        let said = args
            .way
            .ask(Method::POST, &format!("/v1/grants/{id}/renew"), None)
            .await?;
        return Ok(super::declare::tell(&said, args.json));
    }
    if let Some(id) = &args.came.outcome {
        return report(&args, id).await;
    }
    let said = match &args.end {
        Some(id) => args.way.ask(Method::DELETE, &format!("/v1/grants/{id}"), None).await?,
        None if args.to_approve => args.way.list("/v1/approvals", "approvals").await?,
        None if args.to_review => args.way.list("/v1/reviews", "reviews").await?,
        None => args.way.list("/v1/grants", "grants").await?,
    };
    if !said.status.is_success() {
        printer::talk(problem(&said));
        return Ok(ExitCode::FAILURE);
    }
    if args.json {
        printer::data(&said.json);
        return Ok(ExitCode::SUCCESS);
    }
    if args.to_approve {
        let waiting = said.json.get("approvals").and_then(Value::as_array);
        let waiting = waiting.map_or(&[][..], Vec::as_slice);
        for grant in waiting {
            printer::data(asked(grant));
        }
        if waiting.is_empty() {
            printer::talk("nothing waits for you");
        }
        return Ok(ExitCode::SUCCESS);
    }
    if args.to_review {
        let waiting = said.json.get("reviews").and_then(Value::as_array);
        let waiting = waiting.map_or(&[][..], Vec::as_slice);
        for grant in waiting {
            printer::data(taken(grant));
        }
        if waiting.is_empty() {
            printer::talk("nothing waits for your review");
        }
        return Ok(ExitCode::SUCCESS);
    }
    let listed = said.json.get("grants").and_then(Value::as_array).cloned();
    match listed {
        Some(grants) if grants.is_empty() => printer::talk("you hold no grant"),
        Some(grants) => grants.iter().for_each(|grant| printer::data(mine(grant))),
        None => printer::talk("ended"),
    }
    Ok(ExitCode::SUCCESS)
}

/// Says what came of a grant.
async fn report(args: &Args, id: &str) -> Result<ExitCode, Stop> {
    let path = format!("/v1/grants/{id}/outcome");
    let said = args.way.ask(Method::POST, &path, Some(&args.came.said())).await?;
    if !said.status.is_success() {
        printer::talk(problem(&said));
        return Ok(ExitCode::FAILURE);
    }
    if args.json {
        printer::data(&said.json);
    } else {
        printer::data(line(&said.json));
    }
    Ok(ExitCode::SUCCESS)
}

/// What you could revoke of that, from `after` to the last page; or the answer that is none.
pub(super) async fn pages(
    way: &Way,
    (name, value): (&str, &str),
    after: Option<&str>,
) -> Result<Result<Vec<Value>, Said>, Stop> {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair(name, value);
    query.extend_pairs(after.iter().map(|after| ("after", after)));
    let said = way.list(&format!("/v1/grants?{}", query.finish()), "grants").await?;
    if !said.status.is_success() {
        return Ok(Err(said));
    }
    let grants = said.json.get("grants").and_then(Value::as_array);
    Ok(Ok(grants.cloned().unwrap_or_default()))
}

/// Lists what you could revoke, to the last page.
async fn list(args: &Args, selector: (&str, &str)) -> Result<ExitCode, Stop> {
    let all = match pages(&args.way, selector, None).await? {
        Ok(all) => all,
        Err(said) => {
            printer::talk(problem(&said));
            return Ok(ExitCode::FAILURE);
        }
    };
    if args.json {
        printer::data(json!({ "grants": all }));
    } else {
        for grant in &all {
            printer::data(theirs(grant));
        }
    }
    if all.is_empty() {
        printer::talk("nothing that you could revoke is in force, or waits, and fits");
    }
    Ok(ExitCode::SUCCESS)
}

/// A grant of somebody on one line: as one's own, with who holds it.
pub fn theirs(grant: &Value) -> String {
    format!("{}  of {}", line(grant), word(grant, "subject"))
}

/// A grant of one's own on one line; of what waits also who approved so far, and who must as well.
fn mine(grant: &Value) -> String {
    let line = line(grant);
    if word(grant, "state") != "requested" {
        return line;
    }
    let so_far = so_far(grant).map(|so_far| format!(", {so_far}")).unwrap_or_default();
    format!("{line}{so_far}, waits for {}", for_whom(grant))
}

/// One grant on one line: id, purpose, platforms, what it covers, until when, state. Of what waits: until when it can be
/// answered.
pub fn line(grant: &Value) -> String {
    let until = if word(grant, "state") == "requested" {
        "answer_by"
    } else {
        "expires"
    };
    let (terms, until, state) = (terms(grant), word(grant, until), word(grant, "state"));
    let unused = grant.get("idle_left_s").and_then(Value::as_u64);
    let note = match unused {
        Some(left) => format!(", {} unused left", show_duration(Duration::from_secs(left))),
        None if word(grant, "expired_by") == "idle" => ", unused".to_owned(),
        None => String::new(),
    };
    let came = came(grant);
    format!("{terms}  until {until}  {state}{note}{came}")
}

/// What its holder said came of a grant; or that they are asked.
fn came(grant: &Value) -> String {
    let amount = |report: &Value| report.get("amount").and_then(Value::as_u64);
    match grant.get("report") {
        Some(report) => amount(report).map_or_else(String::new, |amount| format!(", came to {amount}")),
        None if grant.get("outcome_asked").is_some() => ", what came of it?".to_owned(),
        None => String::new(),
    }
}

/// A request of somebody else: who asks for what, until when it can be answered, and what they wrote.
fn asked(grant: &Value) -> String {
    let (terms, who, until) = (terms(grant), word(grant, "subject"), word(grant, "answer_by"));
    let statement = plain(word(grant, "statement"));
    let so_far = so_far(grant).map(|so_far| format!("  {so_far}")).unwrap_or_default();
    let acts_for = grant.get("for").and_then(Value::as_str);
    let acts_for = acts_for.map(|whom| format!("  for {whom}")).unwrap_or_default();
    format!("{terms}  by {who}  answer until {until}{acts_for}{so_far}\n    {statement}")
}

/// What was taken in an emergency: by whom, with which ticket, until when it is to be reviewed, and what they wrote.
fn taken(grant: &Value) -> String {
    let due = grant
        .get("emergency")
        .map_or("-", |emergency| word(emergency, "review_by"));
    let (who, ticket) = (word(grant, "subject"), plain(word(grant, "ticket")));
    let statement = plain(word(grant, "statement"));
    format!(
        "{}  by {who}  ticket {ticket}  review until {due}\n    {statement}",
        terms(grant)
    )
}

fn terms(grant: &Value) -> String {
    let words = |key: &str| {
        let words = grant.get(key).and_then(Value::as_array).into_iter().flatten();
        words.filter_map(Value::as_str).collect::<Vec<_>>().join(",")
    };
    let (id, purpose) = (word(grant, "id"), word(grant, "purpose"));
    format!("{id}  {purpose}  {}  {}", words("platforms"), words("covers"))
}

fn word<'a>(grant: &'a Value, key: &str) -> &'a str {
    grant.get(key).and_then(Value::as_str).unwrap_or("-")
}
