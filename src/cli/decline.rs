//! `wayleave decline`: tells somebody that they cannot have what they asked for.

use std::process::ExitCode;

use serde_json::json;

use super::counter::problem;
use super::printer;
use super::stop::Stop;
use super::way::Way;

/// Declines what somebody asked for, and says why. `wayleave grants --to-approve` lists what waits for you.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "It takes your password, also where a certificate brings you to the proxy: from `--password-file`, WAYLEAVE_PASSWORD, or \
                  the terminal.\n\nExit code: 0 declined; 1 not declined; \
                  2 the command line or the proxy's URL makes no sense"
)]
pub struct Args {
    /// The request.
    id: String,
    /// Why, for whoever asked.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Print the grant as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    way: Way,
}

/// Runs the command: 0 when declined, 1 when not, 2 when the proxy's URL cannot be understood.
pub async fn run(args: Args) -> Result<ExitCode, Stop> {
    let note = json!({ "note": args.reason });
    let path = format!("/v1/grants/{}/decline", args.id);
    let said = args.way.post_proven(&path, &note).await?;
    if !said.status.is_success() {
        printer::talk(problem(&said));
        return Ok(ExitCode::FAILURE);
    }
    if args.json {
        printer::data(&said.json);
    } else {
        printer::data(super::grants::line(&said.json));
    }
    Ok(ExitCode::SUCCESS)
}
