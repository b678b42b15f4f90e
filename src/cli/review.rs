//! `wayleave review`: looks at what somebody took in an emergency.

use std::process::ExitCode;

use serde_json::json;

use super::counter::problem;
use super::printer;
use super::stop::Stop;
use super::way::Way;

/// Reviews what somebody took in an emergency: whether it was one. `wayleave grants --to-review` lists what waits.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "It takes your password, also where a certificate brings you to the proxy: from `--password-file`, WAYLEAVE_PASSWORD, or \
                  the terminal.\n\nExit code: 0 reviewed; 1 not reviewed; 2 the command line or the proxy's URL makes no sense"
)]
pub struct Args {
    /// The grant.
    id: String,
    #[command(flatten)]
    finding: Finding,
    /// What you found, for whoever broke the glass.
    #[arg(long, value_name = "TEXT")]
    note: String,
    /// Print the grant as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    way: Way,
}

/// Whether it was an emergency.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct Finding {
    /// It was an emergency.
    #[arg(long)]
    accepted: bool,
    /// It was none.
    #[arg(long)]
    not_accepted: bool,
}

/// Runs the command: 0 when reviewed, 1 when not, 2 when the proxy's URL cannot be understood.
pub async fn run(args: Args) -> Result<ExitCode, Stop> {
    let path = format!("/v1/grants/{}/review", args.id);
    let question = json!({"accepted": args.finding.accepted && !args.finding.not_accepted, "note": args.note});
    let said = args.way.post_proven(&path, &question).await?;
    if !said.status.is_success() {
        printer::talk(problem(&said));
        return Ok(ExitCode::FAILURE);
    }
    if args.json {
        printer::data(&said.json);
    } else {
        printer::data(super::grants::theirs(&said.json));
    }
    Ok(ExitCode::SUCCESS)
}
