//! `wayleave token`: tokens for one's tools, made, listed and revoked.

use std::process::ExitCode;

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::counter::{Said, problem};
use super::delegate::of;
use super::printer;
use super::records::plain;
use super::stop::Stop;
use super::way::Way;

/// Tokens for your tools: what a program shows in the place of your password, for some of what you may do and for some time.
#[derive(Debug, clap::Args)]
#[command(after_help = "Exit code: 0 done; 1 not done; 2 the command line or the proxy's URL makes no sense")]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Make a token, and print it: it is not shown again
    #[command(
        after_help = "It takes your password, also where a certificate brings you to the proxy: from `--password-file`, \
                      WAYLEAVE_PASSWORD, or the terminal."
    )]
    Create {
        /// What it is good for: decisions, declare, proxy, read; may be repeated
        #[arg(long, value_name = "SCOPE", required = true)]
        scope: Vec<String>,
        /// After how long it is over, e.g. `30d`
        #[arg(long, value_name = "DURATION", default_value = "30d")]
        expires: String,
        /// By which you recognise it
        #[arg(long, value_name = "TEXT", default_value = "")]
        name: String,
        /// Print all that there is to say of it, as JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        way: Way,
    },
    /// List your tokens that are good, one a line
    List {
        /// Those of this person instead, as far as the rules let you end them (`wayleave revoke --token ID`)
        #[arg(long, value_name = "NAME")]
        of: Option<String>,
        /// Print them as JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        way: Way,
    },
    /// Revoke one of your tokens: whatever uses it is cut off
    Revoke {
        /// The token, by its id as `wayleave token list` shows it
        id: String,
        #[command(flatten)]
        way: Way,
    },
}

/// Runs the command: 0 when it was done, 1 when it was not, 2 when the proxy's URL cannot be understood.
pub async fn run(args: Args) -> Result<ExitCode, Stop> {
    match args.command {
        Command::Create {
            scope,
            expires,
            name,
            json,
            way,
        } => {
            let question = json!({ "scope": scope, "expires": expires, "name": name });
            let said = way.post_proven("/v1/tokens", &question).await?;
            Ok(made(&said, json))
        }
        Command::List { of: None, json, way } => {
            let none = "you have no token";
            Ok(list(&way.list("/v1/tokens", "tokens").await?, json, (line, none)))
        }
        Command::List {
            of: Some(who),
            json,
            way,
        } => {
            let none = "they have no token that you could end";
            let said = way.list(&of("/v1/tokens", &who), "tokens").await?;
            Ok(list(&said, json, (theirs, none)))
        }
        Command::Revoke { id, way } => {
            let said = way.ask(Method::DELETE, &format!("/v1/tokens/{id}"), None).await?;
            if !said.status.is_success() {
                printer::talk(problem(&said));
                return Ok(ExitCode::FAILURE);
            }
            printer::talk("revoked: whatever used it is cut off");
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn made(said: &Said, json: bool) -> ExitCode {
    if said.status != StatusCode::CREATED {
        printer::talk(problem(said));
        return ExitCode::FAILURE;
    }
    if json {
        printer::data(&said.json);
        return ExitCode::SUCCESS;
    }
    printer::data(word(&said.json, "token"));
    printer::talk(format_args!(
        "keep it where only your program reads it: it is not shown again; it is over at {}, or once you say `wayleave token revoke {}`",
        word(&said.json, "expires"),
        word(&said.json, "id")
    ));
    ExitCode::SUCCESS
}

fn list(said: &Said, json: bool, (line, none): (fn(&Value) -> String, &str)) -> ExitCode {
    if !said.status.is_success() {
        printer::talk(problem(said));
        return ExitCode::FAILURE;
    }
    if json {
        printer::data(&said.json);
        return ExitCode::SUCCESS;
    }
    let tokens = said.json.get("tokens").and_then(Value::as_array);
    let tokens = tokens.map_or(&[][..], Vec::as_slice);
    for token in tokens {
        printer::data(line(token));
    }
    if tokens.is_empty() {
        printer::talk(none);
    }
    ExitCode::SUCCESS
}

/// One of one's own on one line: id, what it is good for, until when, when it was used last, and its name.
fn line(token: &Value) -> String {
    let scope = token.get("scope").and_then(Value::as_array).into_iter().flatten();
    let scope: Vec<&str> = scope.filter_map(Value::as_str).collect();
    format!(
        "{}  {}  until {}  used {}  {}",
        word(token, "id"),
        scope.join(","),
        word(token, "expires"),
        word(token, "used_on"),
        plain(word(token, "name"))
    )
}

/// The same of somebody else.
pub fn theirs(token: &Value) -> String {
    format!("{}  of {}", line(token), word(token, "subject"))
}

fn word<'a>(token: &'a Value, key: &str) -> &'a str {
    token.get(key).and_then(Value::as_str).unwrap_or("-")
}
