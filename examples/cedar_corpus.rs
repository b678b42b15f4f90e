//! Holds the engine against Cedar's integration tests: decision, determining policies and errors of every request.
//!
//!     cargo run --release --example cedar_corpus -- DIR
//!
//! `DIR` is a folder of tests in the form of `cedar-policy/cedar-integration-tests` (`corpus-tests.tar.gz`, unpacked): one
//! JSON file a test, which names its schema, policies and entities, and what each request is to be answered. Each request
//! is also put to the plain `Authorizer`. Prints `N passed, M failed`, and ends with 1 if any failed.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "it reads files and reports to whoever runs it"
)]

use std::collections::BTreeSet;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use cedar_policy::{
    AuthorizationError, Authorizer, Context, Decision, Entities, EntityUid, Policy, PolicySet, Request, Response,
    Schema,
};
use serde::Deserialize;
use serde_json::Value;
use wayleave::policy::engine::{Answer, Engine, Leaves, Scratch};

#[derive(Deserialize)]
struct Test {
    schema: PathBuf,
    policies: PathBuf,
    entities: PathBuf,
    requests: Vec<Asked>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Asked {
    #[serde(default)]
    description: String,
    principal: Value,
    action: Value,
    resource: Value,
    context: Value,
    #[serde(default = "yes")]
    validate_request: bool,
    decision: String,
    reason: BTreeSet<String>,
    errors: BTreeSet<String>,
}

fn yes() -> bool {
    true
}

/// What an answer tells.
#[derive(Debug, PartialEq, Eq)]
struct Told {
    allowed: bool,
    reason: BTreeSet<String>,
    errors: BTreeSet<String>,
}

/// How it went.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Score {
    /// Requests that were answered as expected.
    pub(crate) passed: usize,
    /// Requests that were not, and tests that could not be read.
    pub(crate) failed: usize,
    /// Requests that the engine left to Cedar, since something failed to evaluate.
    pub(crate) left_to_cedar: usize,
}

fn main() -> ExitCode {
    let Some(folder) = std::env::args_os().nth(1).map(PathBuf::from) else {
        eprintln!("usage: cedar_corpus DIR");
        return ExitCode::from(2);
    };
    match score(&folder) {
        Ok(score) if score == Score::default() => {
            eprintln!(
                "{}: no tests here; unpack the corpus and name its folder",
                folder.display()
            );
            ExitCode::from(2)
        }
        Ok(score) => {
            println!(
                "{} left to Cedar, since something fails to evaluate",
                score.left_to_cedar
            );
            println!("{} passed, {} failed", score.passed, score.failed);
            ExitCode::from(u8::from(score.failed > 0))
        }
        Err(error) => {
            eprintln!("{}: {error}", folder.display());
            ExitCode::from(2)
        }
    }
}

/// Runs all tests below a folder, and prints those that fail.
pub(crate) fn score(folder: &Path) -> std::io::Result<Score> {
    let mut score = Score::default();
    for file in tests(folder)? {
        if let Err(error) = run(&file, &mut score) {
            println!("{}: {error}", file.display());
            score.failed += 1;
        }
    }
    Ok(score)
}

fn tests(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let is_json = path.extension().is_some_and(|kind| kind == "json");
        let is_entities = path
            .file_stem()
            .is_some_and(|name| Path::new(name).extension().is_some());
        if path.is_dir() {
            found.extend(tests(&path)?);
        } else if is_json && !is_entities {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn run(file: &Path, score: &mut Score) -> Result<(), Box<dyn Error>> {
    // what a test names lies beside it, whatever folder it says
    let beside = |named: &Path| {
        let name = named.file_name().unwrap_or_default();
        std::fs::read_to_string(file.with_file_name(name))
    };
    let test: Test = serde_json::from_str(&std::fs::read_to_string(file)?)?;
    let policies: PolicySet = beside(&test.policies)?.parse()?;
    let (schema, _) = Schema::from_cedarschema_str(&beside(&test.schema)?)?;
    let entities = Entities::from_json_str(&beside(&test.entities)?, Some(&schema))?;
    let mut numbered: Vec<Policy> = policies.policies().cloned().collect();
    numbered.sort_by(|one, other| one.id().cmp(other.id()));
    let engine = Engine::new(numbered, &schema, &schema.action_entities()?, Leaves(&[]));
    let (authorizer, mut scratch) = (Authorizer::new(), Scratch::default());
    for asked in &test.requests {
        let expected = Told {
            allowed: asked.decision == "allow",
            reason: asked.reason.clone(),
            errors: asked.errors.clone(),
        };
        let request = request(asked, &schema)?;
        let plain = told(&authorizer.is_authorized(&request, &policies, &entities));
        let answer = engine
            .answer((&request, &entities), &mut scratch, |_| true)
            .ok_or("the schema does not know the action")?;
        score.left_to_cedar += usize::from(matches!(answer, Answer::Cedars(_)));
        let ours = told_by(&engine, &answer);
        if ours == expected && ours == plain {
            score.passed += 1;
        } else {
            score.failed += 1;
            println!("{}: {}", file.display(), asked.description);
            println!("  expected   {expected:?}\n  authorizer {plain:?}\n  engine     {ours:?}");
        }
    }
    Ok(())
}

fn request(asked: &Asked, schema: &Schema) -> Result<Request, Box<dyn Error>> {
    let uid = |value: &Value| EntityUid::from_json(value.clone()).map_err(Box::new);
    let action = uid(&asked.action)?;
    let context = Context::from_json_value(asked.context.clone(), Some((schema, &action)))?;
    let schema = asked.validate_request.then_some(schema);
    let request = Request::new(uid(&asked.principal)?, action, uid(&asked.resource)?, context, schema)?;
    Ok(request)
}

fn told(response: &Response) -> Told {
    let errors = response.diagnostics().errors();
    Told {
        allowed: response.decision() == Decision::Allow,
        reason: response.diagnostics().reason().map(ToString::to_string).collect(),
        errors: errors
            .map(|AuthorizationError::PolicyEvaluationError(error)| error.policy_id().to_string())
            .collect(),
    }
}

fn told_by(engine: &Engine, answer: &Answer) -> Told {
    match answer {
        Answer::Cedars(response) => told(response),
        Answer::Ours(verdict) => {
            let rules = verdict.determining.iter().filter_map(|number| engine.policy(*number));
            Told {
                allowed: verdict.allowed,
                reason: rules.map(|rule| rule.id().to_string()).collect(),
                errors: BTreeSet::new(),
            }
        }
    }
}
