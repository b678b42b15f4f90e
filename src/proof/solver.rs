//! Puts questions to cvc5 by way of Cedar's symbolic compiler, several at a time.
#![expect(
    clippy::disallowed_methods,
    reason = "door: starts the solver and the threads that wait for it, and looks at the clock for their limits"
)]

use std::num::NonZero;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use cedar_policy::{PolicySet, RequestEnv, Schema};
use cedar_policy_symcc::err::Error;
use cedar_policy_symcc::solver::LocalSolver;
use cedar_policy_symcc::{CedarSymCompiler, CompiledPolicy, CompiledPolicySet, CompiledSchema};
use tokio::process::Command;
use tokio::runtime::Runtime;

use super::form::Form;
use super::found::Found;
use super::{Ask, Effort, Example, Missing, Outcome};

/// The compiler follows the rules' expressions into one another; untouched, a stack costs nothing.
const STACK: usize = 256 * 1024 * 1024;

/// One solver process, and what it needs to know of the schema.
pub struct Solver {
    runtime: Runtime,
    schema: Schema,
    compiled: CompiledSchema,
    /// A process that waits for a question; none while the last one may still be busy with an old one.
    compiler: Option<CedarSymCompiler<LocalSolver>>,
    effort: Arc<Effort>,
    found: Arc<Found>,
}

impl std::fmt::Debug for Solver {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Solver").finish_non_exhaustive()
    }
}

impl Solver {
    /// Starts one.
    fn start(schema: &Schema, effort: &Arc<Effort>, found: &Arc<Found>) -> Result<Self, Missing> {
        let unfit = |error: &dyn std::fmt::Display| Missing::Unfit(error.to_string());
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|e| unfit(&e))?;
        let compiler = runtime.block_on(async { spawn() })?;
        let compiled = CompiledSchema::new(schema).map_err(|e| unfit(&e))?;
        Ok(Self {
            runtime,
            schema: schema.clone(),
            compiled,
            compiler: Some(compiler),
            effort: Arc::clone(effort),
            found: Arc::clone(found),
        })
    }

    /// What is left of `limit` and of the time for everything; else why nobody knows.
    pub(super) fn left(&self, limit: Duration) -> Result<Duration, Outcome> {
        let left = self.effort.left();
        if left.is_zero() {
            return Err(Effort::is_up());
        }
        if limit.is_zero() {
            return Err(Outcome::Undecided("the time was up".to_owned()));
        }
        Ok(left.min(limit))
    }

    /// Whether what is asked holds of every request of the kind, and how long it took to say. Where no time is left, it is
    /// not even compiled, which nothing interrupts.
    pub fn ask(&mut self, env: &RequestEnv, ask: &Ask, limit: Duration) -> (Outcome, Duration) {
        let left = match self.left(limit) {
            Ok(left) => left,
            Err(undecided) => return (undecided, Duration::ZERO),
        };
        let start = Instant::now();
        let form = Form::of(env, ask);
        if let Some(outcome) = form.as_ref().and_then(|form| self.found.answer(form, ask)) {
            return (outcome, start.elapsed());
        }
        self.effort.note(ask.rules());
        let outcome = match self.answered(env, ask, left) {
            Ok(Ok(None)) => Outcome::Proved,
            Ok(Ok(Some(found))) => Outcome::Failed(Some(Box::new(Example {
                request: found.request,
                entities: found.entities,
            }))),
            Ok(Err(Error::SolverUnknown)) => Outcome::Undecided("the solver gave up".to_owned()),
            Ok(Err(error @ (Error::EncodeError(_) | Error::SolverError(_) | Error::DecodeModel(_)))) => {
                let why = chain(&error);
                Outcome::Undecided(format!(
                    "`{}` does not answer as the solver cvc5 does: {why}",
                    program()
                ))
            }
            Ok(Err(error)) => Outcome::Undecided(chain(&error)),
            Err(why) => Outcome::Undecided(why),
        };
        if let Some(form) = form {
            self.found.keep(form, &outcome);
        }
        (outcome, start.elapsed())
    }

    /// What a process says within a time. One that did not say it to the end is never asked again: what it says late would
    /// be taken for the answer to the next question.
    fn answered(&mut self, env: &RequestEnv, ask: &Ask, limit: Duration) -> Result<Answer, String> {
        let waiting = self.compiler.take();
        let mut compiler = match waiting {
            Some(compiler) => compiler,
            None => self
                .runtime
                .block_on(async { spawn() })
                .map_err(|missing| missing.to_string())?,
        };
        let put = put(&mut compiler, &self.compiled, &self.schema, env, ask);
        let answer = self
            .runtime
            .block_on(async { tokio::time::timeout(limit, put).await })
            .map_err(|_| "the time was up".to_owned())?;
        if matches!(answer, Ok(_) | Err(Error::SolverUnknown)) {
            self.compiler = Some(compiler);
        }
        Ok(answer)
    }
}

/// What the solver says it is, in its first line.
pub fn version() -> Option<String> {
    let output = std::process::Command::new(program()).arg("--version").output().ok()?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    said.lines()
        .next()
        .map(|line| line.trim().to_owned())
        .filter(|line| !line.is_empty())
}

fn program() -> String {
    std::env::var("CVC5").unwrap_or_else(|_| "cvc5".to_owned())
}

fn spawn() -> Result<CedarSymCompiler<LocalSolver>, Missing> {
    let program = program();
    let mut command = Command::new(&program);
    command.args(["--lang", "smt"]).kill_on_drop(true);
    let solver = LocalSolver::from_command(&mut command).map_err(|error| Missing::NoSolver {
        program,
        why: std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string),
    })?;
    CedarSymCompiler::new(solver).map_err(|e| Missing::Unfit(e.to_string()))
}

/// A counterexample, if there is one.
type Answer = Result<Option<cedar_policy_symcc::Env>, Error>;

/// Puts one question; an environment is a counterexample.
async fn put(
    compiler: &mut CedarSymCompiler<LocalSolver>,
    compiled: &CompiledSchema,
    schema: &Schema,
    env: &RequestEnv,
    ask: &Ask,
) -> Answer {
    let symbols = compiled.sym_env(env)?;
    let compiled = |policies: &PolicySet| {
        CompiledPolicySet::compile_with_custom_symenv(policies, env, schema, symbols.clone()).map_err(Box::new)
    };
    match ask {
        Ask::Disjoint(one, other) => {
            let (one, other) = (compiled(one).map_err(|e| *e)?, compiled(other).map_err(|e| *e)?);
            compiler.check_disjoint_with_counterexample_opt(&one, &other).await
        }
        Ask::Implies(one, other) => {
            let (one, other) = (compiled(one).map_err(|e| *e)?, compiled(other).map_err(|e| *e)?);
            compiler.check_implies_with_counterexample_opt(&one, &other).await
        }
        Ask::NeverErrors(policy) => {
            let policy = CompiledPolicy::compile_with_custom_symenv(policy, env, schema, symbols)?;
            compiler.check_never_errors_with_counterexample_opt(&policy).await
        }
    }
}

/// Does `work` on as many solvers as there are processors; each is handed the next number below `many` until none is left.
pub fn crew(
    schema: &Schema,
    effort: &Arc<Effort>,
    many: usize,
    work: &(dyn Fn(&mut Solver, usize) + Sync),
) -> Result<(), Missing> {
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get).min(many);
    let next = AtomicUsize::new(0);
    let found = Arc::new(Found::default());
    let one = || -> Result<(), Missing> {
        let mut solver = Solver::start(schema, effort, &found)?;
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= many {
                return Ok(());
            }
            work(&mut solver, number);
        }
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|_| std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, one))
            .collect();
        workers.into_iter().try_for_each(|worker| {
            let ended = worker.map_err(|e| Missing::Unfit(e.to_string()))?.join();
            ended.unwrap_or_else(|_| Err(Missing::Unfit("a thread of it broke".to_owned())))
        })
    })
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut said = error.to_string();
    let mut inner = error.source();
    while let Some(error) = inner {
        said = format!("{said}: {error}");
        inner = error.source();
    }
    said
}
