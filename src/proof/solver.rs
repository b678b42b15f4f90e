//! Puts questions to cvc5 by way of Cedar's symbolic compiler, several at a time.
#![expect(
    clippy::disallowed_methods,
    reason = "door: starts the solver and the threads that wait for it, and looks at the clock for their limits"
)]

use std::num::NonZero;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use cedar_policy::{PolicySet, RequestEnv};
use cedar_policy_symcc::err::Error;
use cedar_policy_symcc::solver::LocalSolver;
use cedar_policy_symcc::{CedarSymCompiler, CompiledPolicy, CompiledPolicySet, CompiledSchema};
use tokio::process::Command;
use tokio::runtime::Runtime;

use super::{Ask, Check, Example, Goal, Missing, Outcome, Theory};

/// The compiler follows the rules' expressions into one another; untouched, a stack costs nothing.
const STACK: usize = 256 * 1024 * 1024;

/// One solver process, and what it needs to know of the schema.
pub struct Solver {
    runtime: Runtime,
    schema: CompiledSchema,
    compiler: CedarSymCompiler<LocalSolver>,
    limit: Duration,
}

impl std::fmt::Debug for Solver {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Solver")
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}

impl Solver {
    /// Starts one; a question takes at most `limit`.
    pub fn start(theory: &Theory, limit: Duration) -> Result<Self, Missing> {
        let unfit = |error: &dyn std::fmt::Display| Missing::Unfit(error.to_string());
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|e| unfit(&e))?;
        let compiler = runtime.block_on(async { spawn(limit) })?;
        let schema = CompiledSchema::new(&theory.schema).map_err(|e| unfit(&e))?;
        Ok(Self {
            runtime,
            schema,
            compiler,
            limit,
        })
    }

    /// Whether what is asked holds of every request of the kind.
    pub fn ask(&mut self, theory: &Theory, env: &RequestEnv, ask: &Ask) -> Outcome {
        let limit = self.limit;
        let Self {
            runtime,
            schema,
            compiler,
            ..
        } = self;
        let asked = async { tokio::time::timeout(limit, put(compiler, schema, theory, env, ask)).await };
        match runtime.block_on(asked) {
            Ok(Ok(None)) => Outcome::Proved,
            Ok(Ok(Some(found))) => Outcome::Failed(Some(Box::new(Example {
                request: found.request,
                entities: found.entities,
            }))),
            Ok(Err(Error::SolverUnknown)) => Outcome::Undecided(format!("no answer within {} s", limit.as_secs())),
            Ok(Err(error)) => {
                self.renew();
                Outcome::Undecided(chain(&error))
            }
            Err(_) => {
                self.renew();
                Outcome::Undecided(format!("no answer within {} s", limit.as_secs()))
            }
        }
    }

    /// Replaces a process that is busy or broken.
    fn renew(&mut self) {
        let limit = self.limit;
        if let Ok(compiler) = self.runtime.block_on(async { spawn(limit) }) {
            self.compiler = compiler;
        }
    }
}

fn spawn(limit: Duration) -> Result<CedarSymCompiler<LocalSolver>, Missing> {
    let program = std::env::var("CVC5").unwrap_or_else(|_| "cvc5".to_owned());
    let mut command = Command::new(&program);
    command
        .args(["--lang", "smt"])
        .arg(format!("--tlimit-per={}", limit.as_millis()))
        .kill_on_drop(true);
    let solver = LocalSolver::from_command(&mut command).map_err(|error| Missing::NoSolver {
        program,
        why: std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string),
    })?;
    CedarSymCompiler::new(solver).map_err(|e| Missing::Unfit(e.to_string()))
}

/// Puts one question; an environment is a counterexample.
async fn put(
    compiler: &mut CedarSymCompiler<LocalSolver>,
    schema: &CompiledSchema,
    theory: &Theory,
    env: &RequestEnv,
    ask: &Ask,
) -> Result<Option<cedar_policy_symcc::Env>, Error> {
    let symbols = schema.sym_env(env)?;
    let compiled = |policies: &PolicySet| {
        CompiledPolicySet::compile_with_custom_symenv(policies, env, &theory.schema, symbols.clone()).map_err(Box::new)
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
            let policy = CompiledPolicy::compile_with_custom_symenv(policy, env, &theory.schema, symbols)?;
            compiler.check_never_errors_with_counterexample_opt(&policy).await
        }
    }
}

/// Proves `checks`, as many at a time as there are processors, each within `limit`; tells each outcome as it comes.
pub fn prove(
    theory: &Theory,
    checks: &[Check],
    limit: Duration,
    told: &(dyn Fn(usize, &Outcome) + Sync),
) -> Result<Vec<Outcome>, Missing> {
    let threads = std::thread::available_parallelism()
        .map_or(1, NonZero::get)
        .min(checks.len().max(1));
    let next = AtomicUsize::new(0);
    let outcomes: Mutex<Vec<(usize, Outcome)>> = Mutex::new(Vec::new());
    let work = || -> Result<(), Missing> {
        let mut solver = Solver::start(theory, limit)?;
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some(check) = checks.get(number) else { return Ok(()) };
            let outcome = settle(&mut solver, theory, check);
            told(number, &outcome);
            let mut outcomes = outcomes.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            outcomes.push((number, outcome));
        }
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|_| std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work))
            .collect();
        workers.into_iter().try_for_each(|worker| {
            let ended = worker.map_err(|e| Missing::Unfit(e.to_string()))?.join();
            ended.unwrap_or_else(|_| Err(Missing::Unfit("a thread of it broke".to_owned())))
        })
    })?;
    let mut outcomes = outcomes.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    outcomes.sort_by_key(|(number, _)| *number);
    Ok(outcomes.into_iter().map(|(_, outcome)| outcome).collect())
}

fn settle(solver: &mut Solver, theory: &Theory, check: &Check) -> Outcome {
    let start = Instant::now();
    let mut open = None;
    for Goal { env, ask } in &check.goals {
        if start.elapsed() > solver.limit {
            return Outcome::Undecided(format!("no answer within {} s", solver.limit.as_secs()));
        }
        let Some(env) = theory.envs.get(*env) else { continue };
        match (solver.ask(theory, env, ask), check.wants_all()) {
            (Outcome::Failed(example), true) => {
                let better = ask.lifelike(theory).map(|ask| solver.ask(theory, env, &ask));
                return match better {
                    Some(Outcome::Failed(better)) => Outcome::Failed(better),
                    Some(Outcome::Proved | Outcome::Undecided(_)) | None => Outcome::Failed(example),
                };
            }
            (Outcome::Failed(_), false) => return Outcome::Proved,
            (Outcome::Undecided(why), _) => open = Some(why),
            (Outcome::Proved, _) => {}
        }
    }
    match open {
        Some(why) => Outcome::Undecided(why),
        None if check.wants_all() => Outcome::Proved,
        None => Outcome::Failed(None),
    }
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
