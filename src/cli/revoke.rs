//! `wayleave revoke`: takes back what others hold or asked for.

use std::process::ExitCode;

use http::Method;
use serde_json::{Map, Value, json};

use super::counter::{REVOCATIONS, Said, problem};
use super::delegate::line as delegation;
use super::grants::{pages, theirs};
use super::printer;
use super::stop::Stop;
use super::token::theirs as token;
use super::way::Way;

/// Takes back what others hold or asked for, as far as the rules let you. `wayleave grants --everybody` lists what that is.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "It takes your password, also where a certificate brings you to the proxy: from `--password-file`, WAYLEAVE_PASSWORD, or \
                  the terminal.\n\nExit code: 0 revoked; 1 not revoked, or not all of it; \
                  2 the command line or the proxy's URL makes no sense"
)]
pub struct Args {
    #[command(flatten)]
    which: Which,
    /// Why, for whoever holds it.
    #[arg(long, value_name = "TEXT", required_unless_present = "dry_run")]
    reason: Option<String>,
    /// List what would be revoked, and do nothing.
    #[arg(long)]
    dry_run: bool,
    /// Print JSON: an answer a line.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    way: Way,
}

/// What to revoke.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct Which {
    /// These grants.
    #[arg(value_name = "ID")]
    ids: Vec<String>,
    /// All that this person holds, with the tokens of their tools, and who answers for them or for whom they do.
    #[arg(long, value_name = "NAME")]
    of: Option<String>,
    /// All that is held for this purpose.
    #[arg(long)]
    purpose: Option<String>,
    /// All that is held for this platform, also where it is for others, too.
    #[arg(long)]
    platform: Option<String>,
    /// This token for tools, by its id as `wayleave token list --of NAME` shows it.
    #[arg(long, value_name = "ID")]
    token: Option<String>,
    /// That somebody answers for somebody else, by its id as `wayleave delegate --list --of NAME` shows it.
    #[arg(long, value_name = "ID")]
    delegation: Option<String>,
    /// Everything: all grants, tokens and delegations.
    #[arg(long)]
    all: bool,
}

impl Which {
    /// What to ask the API for, one question each.
    fn selectors(&self) -> Vec<(&'static str, Value)> {
        let one = |name, value: &Option<String>| value.as_ref().map(|value| (name, json!(value)));
        let ids = self.ids.iter().map(|id| ("grant", json!(id)));
        let rest = [
            one("user", &self.of),
            one("purpose", &self.purpose),
            one("platform", &self.platform),
            one("token", &self.token),
            one("delegation", &self.delegation),
            self.all.then(|| ("all", json!(true))),
        ];
        ids.chain(rest.into_iter().flatten()).collect()
    }
}

/// Runs the command: 0 when all of it was revoked, 1 when not, 2 when the proxy's URL cannot be understood.
pub async fn run(args: Args) -> Result<ExitCode, Stop> {
    let mut all_done = true;
    let mut kept = Vec::new();
    for (selector, value) in args.which.selectors() {
        let named = value.clone();
        match revoke(&args, selector, value).await {
            Ok(done) => {
                all_done &= done == Done::All;
                kept.extend((done == Done::Nothing).then_some(named));
            }
            // what stopped this one may not stop the next
            Err(Stop::Undone(why)) if args.which.ids.len() > 1 => {
                printer::talk(Stop::Undone(why).told());
                kept.push(named);
            }
            Err(stop) => return Err(stop),
        }
    }
    let kept: Vec<&str> = kept.iter().filter_map(Value::as_str).collect();
    if args.which.ids.len() > 1 && !kept.is_empty() {
        printer::talk(format_args!("not revoked: {}", kept.join(", ")));
        all_done = false;
    }
    Ok(if all_done { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// How much of what was meant was done.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Done {
    All,
    Part,
    Nothing,
}

/// Asks for one of the things that are meant.
async fn revoke(args: &Args, selector: &str, value: Value) -> Result<Done, Stop> {
    let of = value.as_str().unwrap_or_default().to_owned();
    let mut question = Map::from_iter([(selector.to_owned(), value)]);
    question.extend(args.reason.as_ref().map(|reason| ("reason".to_owned(), json!(reason))));
    let said = if args.dry_run {
        question.insert("dry_run".to_owned(), json!(true));
        let question = Value::Object(question);
        let mut said = args.way.ask(Method::POST, REVOCATIONS, Some(&question)).await?;
        if let Some(next) = said.json.get("next").and_then(Value::as_str) {
            match pages(&args.way, (selector, &of), Some(next)).await? {
                Ok(rest) => extend(&mut said.json, rest),
                Err(failed) => said = failed,
            }
        }
        said
    } else {
        let question = Value::Object(question);
        args.way.post_proven(REVOCATIONS, &question).await?
    };
    Ok(tell(args, &said))
}

/// Adds what the first page did not hold.
fn extend(listed: &mut Value, rest: Vec<Value>) {
    if let Some(first) = listed.get_mut("would_revoke").and_then(Value::as_array_mut) {
        first.extend(rest);
    }
    if let Some(members) = listed.as_object_mut() {
        members.remove("next");
    }
}

/// Tells what was revoked, or would be.
fn tell(args: &Args, said: &Said) -> Done {
    let named = if args.dry_run { "would_revoke" } else { "revoked" };
    let grants = said.json.get(named).and_then(Value::as_array);
    if args.json {
        printer::data(&said.json);
    } else {
        grants
            .into_iter()
            .flatten()
            .for_each(|grant| printer::data(theirs(grant)));
        each(&said.json, "delegations").for_each(|one| printer::data(delegation(one)));
        each(&said.json, "tokens").for_each(|one| printer::data(token(one)));
    }
    if !said.status.is_success() {
        printer::talk(problem(said));
        return Done::Nothing;
    }
    let counts = ["count", "delegation_count", "token_count"].map(|name| count(&said.json, name));
    let all: u64 = counts.into_iter().sum();
    let beside = each(&said.json, "delegations").count() + each(&said.json, "tokens").count();
    let listed = (grants.map_or(0, Vec::len) + beside) as u64;
    if all > listed {
        printer::talk(format_args!("and {} more", all - listed));
    }
    let kept = count(&said.json, "not_permitted");
    if kept > 0 {
        printer::talk(format!("the rules do not let you revoke {kept} more that you know of"));
    }
    if args.dry_run {
        printer::talk("nothing was revoked: this only lists what would be");
    }
    if kept == 0 { Done::All } else { Done::Part }
}

fn each<'a>(said: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    said.get(name).and_then(Value::as_array).into_iter().flatten()
}

fn count(said: &Value, name: &str) -> u64 {
    said.get(name).and_then(Value::as_u64).unwrap_or(0)
}
