//! `dtsctl apply`: runs the phases.

mod alerted;
mod cutover;
mod execute;
mod follow;
mod log;
mod pause;
mod restart;
mod source;
mod watch;

use std::{io::Write as _, path::PathBuf, sync::Arc, time::Duration};

use clap::Args;

use self::{
    alerted::Alerted,
    execute::{Ended, Execution},
    pause::Pause,
    watch::{Reason, Watch, Watched},
};
use super::{
    Context, Kind, Progress, alert_command,
    args::{Format, duration},
    context::variable,
    error::CommandError,
    exit,
    login::login,
    prepare::{Prepared, Survey, prepare},
    shared_retry,
    until::until,
};
use crate::{
    clock::{Clock, milliseconds, rfc3339},
    connect::{GlobalLock, Taken},
    event::{Event, Observer, Observers, StopToken},
    phase::{
        incremental::{Goal, Hold, Until},
        schema,
        throttle::{Limit, Limits},
    },
    plan::{self, ActionRisk, Plan},
    report::{self, status_follow::in_short},
    spec::{Spec, units::format_duration},
    state::{self, Holder, Opened, RunEnd, RunStart, ServerIdentity, StateFile, StateWriter, Status, TaskIdentity},
};

/// What can be typed behind `dtsctl apply`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dtsctl apply                        plan, ask, run
  dtsctl apply plan.json --yes        from a pipeline
  dtsctl apply --allow-unsafe a3      permit one unsafe action of the plan
  dtsctl apply --time-limit 2h        stop cleanly after two hours; resume later
  dtsctl apply --until caught-up      end when nothing is left to apply
")]
pub struct ApplyArgs {
    /// A plan that `plan --out` wrote
    pub plan: Option<PathBuf>,
    /// Do not ask
    #[arg(short, long)]
    pub yes: bool,
    /// Permit an unsafe action of the plan by its id; repeatable
    #[arg(long, value_name = "ID")]
    pub allow_unsafe: Vec<String>,
    /// Forget the progress of an earlier run and begin again
    #[arg(long)]
    pub restart: bool,
    /// How far the incremental phase runs: caught-up, never, gtid:SET, pos:FILE:POS or time:RFC3339 [default: never]
    #[arg(long, value_name = "POINT", value_parser = until)]
    pub until: Option<Until>,
    /// Stop cleanly after this time
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub time_limit: Option<Duration>,
    /// How many connections copy at each end, 1 to 64 [default: chosen by the processors]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    pub threads: Option<u16>,
    /// How long a statement waits for a lock before it is tried again
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = duration)]
    pub lock_timeout: Duration,
}

/// So many causes of a blocked plan are named.
const NAMED: usize = 20;

/// How often progress is told in lines.
const PLAIN_INTERVAL: Duration = Duration::from_secs(10);

pub(super) fn run(context: &mut Context, args: &ApplyArgs) -> Result<u8, CommandError> {
    let mut spec = context.load_spec()?;
    alert_command::settle(&mut spec);
    let alerted = Alerted::start(context, &spec)?;
    let result = read_and_run(context, args, &mut spec, &alerted);
    alerted.conclude(context, &result, false);
    result
}

fn read_and_run(context: &mut Context, args: &ApplyArgs, spec: &mut Spec, alerted: &Alerted) -> Result<u8, CommandError> {
    Context::read_passwords(spec)?;
    // Nothing is left when the copy is there, which is what `caught-up` says too.
    if !spec.phases.incremental
        && let Some(point) = args.until.as_ref().filter(|until| **until != Until::CaughtUp)
    {
        return Err(CommandError::usage(format!("`--until {point}` needs the incremental phase, and the spec switches it off"))
            .hint("leave it out, or write `phases: {incremental: true}`"));
    }
    let saved = args.plan.as_deref().map(load_plan).transpose()?;
    let state_path = context.state_path(spec);
    shared_retry::settle(spec, &state_path);
    let spec = &*spec;
    let me = Holder { pid: std::process::id(), host: host_name(), since: rfc3339(milliseconds(context.now())) };
    let _lock = state::lock(&state_path, &me)?;
    let destination = login(&spec.destination);
    let global = match GlobalLock::take(&destination, &spec.name)? {
        Taken::Mine(lock) => lock,
        Taken::Held(holder) => {
            return Err(CommandError::new(Kind::Locked, format!("another run of '{}' holds the lock at the destination", spec.name))
                .because(format!("held by {holder}"))
                .hint("wait for it, or stop it with `dtsctl stop` where it runs"));
        }
    };
    schema::wait_for_earlier(&destination, &spec.name, &StopToken::default(), |holder| {
        alerted.waits(&holder.to_string());
        let _ = writeln!(context.stderr, "waiting for a statement of an earlier run that the destination is still at: {holder}");
    })?;
    if args.restart && !restart::forget(context, spec, &destination, &state_path, args.yes)? {
        return Ok(exit::DONE);
    }
    let prepared = prepare(spec, &args.allow_unsafe, context.now())?;
    let plan = match saved {
        Some(saved) => bound(context, saved, prepared.plan, &state_path)?,
        None => prepared.plan,
    };
    if context.settings.format == Format::Table && context.settings.verbosity >= 0 {
        let options = report::plan::Options { color: context.settings.paint_out.color, ..report::plan::Options::default() };
        write!(context.stdout, "{}", report::plan::table(&plan, &options))?;
        context.stdout.flush()?;
    }
    if plan.is_blocked() {
        emit_plan(context, &plan)?;
        return Err(blocked(context, &plan));
    }
    if !plan.has_changes() {
        return finish_without_changes(context, spec, &plan, &prepared.survey, &state_path);
    }
    if !args.yes && !agreed(context, &plan)? {
        return Ok(exit::DONE);
    }
    let prepared = Prepared { plan, survey: prepared.survey };
    carry_out(context, args, spec, prepared, global, &state_path, alerted)
}

fn load_plan(path: &std::path::Path) -> Result<Plan, CommandError> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| CommandError::new(Kind::Unusable, format!("cannot read the plan {}", path.display())).because_of(&error))?;
    plan::load(&text).map_err(|error| {
        CommandError::new(Kind::Unusable, format!("{} is not usable: {error}", path.display())).hint("`dtsctl plan --out PATH` writes one")
    })
}

/// How the last run of a state file ended does not show in the status while this process holds its lock.
fn last_run_finished(status: &Status) -> bool {
    status.run.as_ref().is_some_and(|run| run.ended.is_some() && run.error.is_none())
}

/// The saved plan, when nothing it rests on has changed; or what is left of it, when it was this very plan that the last run had begun
/// and not finished.
fn bound(context: &Context, saved: Plan, fresh: Plan, state_path: &std::path::Path) -> Result<Plan, CommandError> {
    let differences = plan::stale(&saved, &fresh);
    if differences.is_empty() {
        // What the prechecks find and what is permitted counts as of now: rights and rows may have changed since.
        let mut plan = saved;
        for action in &mut plan.actions {
            if let Some(now) = fresh.action(&action.id) {
                action.permitted = now.permitted;
                action.permitted_by = now.permitted_by;
                action.code.clone_from(&now.code);
            }
        }
        plan.findings = fresh.findings;
        plan.summary = fresh.summary;
        return Ok(plan);
    }
    let begun = |status: &Status| status.run.as_ref().and_then(|run| run.plan_id.as_ref()) == Some(&saved.id) && !last_run_finished(status);
    if state::read(state_path, context.now()).is_ok_and(|status| begun(&status))
        && plan::stale_but_for_itself(&saved, &fresh).is_empty()
        && execute::within(&saved, fresh.clone()).is_ok()
    {
        return Ok(Plan { id: saved.id, ..fresh });
    }
    if !fresh.has_changes() && saved.has_changes() {
        return Err(CommandError::new(Kind::Stale, "the saved plan is finished already")
            .because("nothing of it is left to do")
            .hint(format!("`{}` proves what is at the destination", context.next("verify"))));
    }
    let mut error = CommandError::new(Kind::Stale, "the saved plan is stale");
    for difference in differences.iter().take(20) {
        error = error.because(difference.clone());
    }
    if differences.len() > 20 {
        error = error.because(format!("and {} more", differences.len() - 20));
    }
    Err(error.hint(format!("make a new one: `{}`", context.next("plan --out plan.json"))))
}

/// Each cause once, and how to mend the first of them.
fn blocked(context: &Context, plan: &Plan) -> CommandError {
    let mut error = CommandError::new(Kind::Blocked, "the plan is blocked; nothing was executed");
    let findings: Vec<_> = plan.findings.iter().filter(|f| f.blocks()).collect();
    let mut causes = Vec::new();
    let mut unsafe_ids = Vec::new();
    let mut codes = Vec::new();
    for action in plan.blocked() {
        let code = action.code.as_ref().map(|c| c.as_str()).unwrap_or_default();
        match &action.risk {
            ActionRisk::Unsafe { .. } => {
                unsafe_ids.push(action.id.as_str());
                causes.push(format!("{}: {}: {} ({code}, unsafe)", action.id, action.object, action.what));
            }
            ActionRisk::Unsupported { reason } => causes.push(format!("{}: {}: {reason} ({code})", action.id, action.object)),
            // The finding that blocks it says more.
            ActionRisk::Safe => continue,
        }
        codes.push(code);
    }
    for finding in &findings {
        let object = finding.object.as_ref().map(|o| format!("{o}: ")).unwrap_or_default();
        causes.push(format!("{}: {object}{}", finding.code, finding.cause));
        codes.push(finding.code.as_str());
    }
    for cause in causes.iter().take(NAMED) {
        error = error.because(report::text::harmless(cause));
    }
    if causes.len() > NAMED {
        error = error.because(format!("and {} more", causes.len() - NAMED));
    }
    if let Some(first) = unsafe_ids.first() {
        let typed = context.next("apply");
        error = error.hint(format!("permit unsafe actions in the spec under `allow`, or once with `{typed} --allow-unsafe {first}`"));
    }
    if let Some(finding) = findings.first().filter(|f| !f.mend.is_empty()) {
        error = error.hint(report::text::harmless(&finding.mend));
    }
    let code = codes.first().copied().unwrap_or("CODE");
    error.hint(format!("`{}` shows all of it; `dtsctl explain {code}` says more", context.next("plan")))
}

fn finish_without_changes(
    context: &mut Context,
    spec: &Spec,
    plan: &Plan,
    survey: &Survey,
    state_path: &std::path::Path,
) -> Result<u8, CommandError> {
    // What an earlier run did is all there, whatever the state file knows of it: it may be lost, or the run was killed at its very end.
    if let Some(progress) = &survey.progress
        && !state::read(state_path, context.now()).is_ok_and(|status| last_run_finished(&status))
    {
        let (file, _) = StateFile::open_or_create(state_path, &identity(spec, survey)?, &context.clock())?;
        let writer = file.begin_run(&this_run(), &StopToken::default())?;
        writer.save_plan(&plan.id, &plan::save(plan))?;
        execute::note_all_done(&writer, spec, survey, progress);
        writer.end_run(RunEnd::Finished, None)?;
    }
    emit_plan(context, plan)?;
    Ok(exit::DONE)
}

/// The plan as the result, where it comes to nothing more: as a table it stands on standard output already.
fn emit_plan(context: &mut Context, plan: &Plan) -> Result<(), CommandError> {
    let options = report::plan::Options::default();
    let render = |format| {
        Ok(match format {
            Format::Json => report::plan::json(plan),
            Format::Markdown => report::plan::markdown(plan, &options, report::plan::MARKDOWN_LIMIT),
            Format::Table => report::plan::table(plan, &options),
        })
    };
    if context.settings.format == Format::Table { context.emit_reports(&render) } else { context.emit(&render) }
}

fn agreed(context: &mut Context, plan: &Plan) -> Result<bool, CommandError> {
    if !context.settings.can_ask {
        return Err(CommandError::usage("nobody can be asked without a terminal")
            .hint(format!("`{}` runs without asking", context.next("apply --yes"))));
    }
    write!(context.stderr, "\nRun these {} actions? Only `yes` is taken for it: ", plan.actions.len())?;
    context.stderr.flush()?;
    let mut answer = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(&mut context.stdin), &mut answer)?;
    if answer.trim() == "yes" {
        return Ok(true);
    }
    writeln!(context.stderr, "Nothing was executed.")?;
    Ok(false)
}

fn identity(spec: &Spec, survey: &Survey) -> Result<TaskIdentity, CommandError> {
    let server = |session: &crate::connect::Session| ServerIdentity {
        identity: session.info().identity.clone(),
        address: session.address().to_owned(),
        version: session.flavor().to_string(),
    };
    let mut source = server(&survey.source);
    source.identity = source::known(&survey.source_login, &source.identity, survey.progress.as_ref())?;
    Ok(TaskIdentity {
        name: spec.name.clone(),
        spec_digest: spec.digest.clone(),
        spec_document: spec.resolved.to_string(),
        source,
        destination: server(&survey.destination),
    })
}

fn carry_out(
    context: &mut Context,
    args: &ApplyArgs,
    spec: &Spec,
    Prepared { plan, survey }: Prepared,
    global: GlobalLock,
    state_path: &std::path::Path,
    alerted: &Alerted,
) -> Result<u8, CommandError> {
    let clock = Clock::new(std::time::SystemTime::now);
    let (file, opened) = StateFile::open_or_create(state_path, &identity(spec, &survey)?, &clock)?;
    let stop = StopToken::default();
    let writer = Arc::new(file.begin_run(&this_run(), &stop)?);
    writer.save_plan(&plan.id, &plan::save(&plan))?;
    cutover::write(state_path, &plan)?;
    let mut observers: Vec<Arc<dyn Observer>> = vec![Arc::clone(&writer) as Arc<dyn Observer>, Arc::new(log::Log)];
    let shown = match context.settings.progress {
        Progress::Bar => Some(report::progress::bars()),
        Progress::Plain => Some(report::progress::plain(std::io::stderr(), PLAIN_INTERVAL)),
        Progress::None => None,
    };
    observers.extend(shown.clone().map(|progress| progress as Arc<dyn Observer>));
    if let Some(pause) = variable("DTSCTL_TEST_PAUSE").filter(|text| !text.is_empty()) {
        observers.push(Arc::new(Pause::parse(&pause)));
    }
    let limits = limits(spec, args);
    alerted.listen(&mut observers);
    let observer = Arc::new(Observers(observers));
    alerted.without(spec, observer.as_ref());
    if !limits.in_force().is_empty() {
        observer.observe(&Event::LimitsChanged { limits: limits.in_force() });
    }
    if let Some(shared) = &spec.retry_shared {
        let window = format_duration(spec.retry.connection);
        let text = format!("retry.connection is {window}, as task '{}' on {} has it: the shortest counts", shared.task, shared.address);
        observer.observe(&Event::Note { text });
    }
    let hold = Hold::default();
    let goal = Goal::new(args.until.clone().unwrap_or(Until::Never));
    let watch = Watch::start(Watched {
        state: state_path,
        limit: args.time_limit,
        lock: global,
        login: survey.destination_login.clone(),
        task: spec.name.clone(),
        stop: stop.clone(),
        goal: goal.clone(),
        hold: hold.clone(),
        clock: context.clock(),
        limits: limits.clone(),
        observer: Arc::clone(&observer) as Arc<dyn Observer>,
    })?;
    let execution = Execution {
        spec,
        limits: &limits,
        lock_timeout: args.lock_timeout,
        allow_unsafe: &args.allow_unsafe,
        stop: &stop,
        observer,
        writer: &writer,
        new_state: opened == Opened::New,
        goal: &goal,
        hold: &hold,
        state_path,
    };
    let result = execution.run(plan, survey);
    if let Some(shown) = shown {
        shown.finish();
    }
    let reason = watch.reason();
    drop(watch);
    let result = match (writer.check(), result) {
        (Err(broken), _) => Err(broken.into()),
        (Ok(()), result) => result,
    };
    let lock_lost = matches!(reason, Some(Reason::LockLost(_)));
    let result = conclude(context, spec, state_path, &writer, reason, &goal, result);
    // While there is a writer: what goes wrong with the last alert is a note of this run too.
    let taken = lock_lost || result.as_ref().is_err_and(|error| error.kind == Kind::Locked);
    alerted.conclude(context, &result, taken);
    result
}

fn conclude(
    context: &mut Context,
    spec: &Spec,
    state_path: &std::path::Path,
    writer: &StateWriter,
    reason: Option<Reason>,
    goal: &Goal,
    result: Result<Ended, CommandError>,
) -> Result<u8, CommandError> {
    match result {
        Ok(Ended::Done) => {
            writer.end_run(RunEnd::Finished, None)?;
            let status = state::read(state_path, context.now())?;
            let (again, proof) = (context.next("apply"), context.next("verify"));
            context.emit(&|format| {
                Ok(match format {
                    Format::Json => report::status::json(&status),
                    Format::Markdown => report::status::markdown(&status, &again),
                    Format::Table => format!(
                        "\nApply finished: {}, {} at the destination{}{}.\nNext: `{proof}` proves it.\n",
                        report::text::plural(status.totals.tables_finished, "table"),
                        report::text::plural(status.totals.rows_done, "row"),
                        match status.totals.rows_kept {
                            0 => String::new(),
                            kept => format!(", {kept} of them kept as they were there"),
                        },
                        status.follow.as_ref().map(|follow| format!(" by the copy; {}", in_short(follow))).unwrap_or_default(),
                    ),
                })
            })?;
            Ok(exit::DONE)
        }
        Ok(Ended::Stopped) => {
            let why = match reason {
                Some(Reason::Signal) => "stopped by a signal".to_owned(),
                Some(Reason::Asked) => "stopped by `dtsctl stop`".to_owned(),
                Some(Reason::TimeLimit) => "stopped by --time-limit".to_owned(),
                Some(Reason::LockLost(holder)) => format!("another run took the lock at the destination: {holder}"),
                None if goal.was_changed() => format!("stopped at {} by `dtsctl stop --at`", goal.now()),
                None => "stopped".to_owned(),
            };
            writer.end_run(RunEnd::Stopped, Some(&why))?;
            Err(CommandError::new(Kind::Stopped, format!("{why}; the progress of '{}' is saved", spec.name))
                .hint(format!("`{}` resumes", context.next("apply"))))
        }
        Err(error) => {
            let mut text = error.shown.message.clone();
            for cause in &error.shown.causes {
                text.push_str(": ");
                text.push_str(cause);
            }
            // The error that ended the run matters more than one of noting it.
            let _ = writer.end_run(RunEnd::Failed, Some(&text));
            Err(error)
        }
    }
}

/// The limits that the run begins with.
fn limits(spec: &Spec, args: &ApplyArgs) -> Limits {
    #[expect(clippy::cast_precision_loss, reason = "rates; nobody asks for 2^53 rows a second")]
    let whole = |rate: Option<u64>| rate.map(|rate| rate as f64);
    let (full, incremental) = (&spec.throttle.full, &spec.throttle.incremental);
    let threads = args.threads.map_or_else(default_threads, usize::from);
    let limits = Limits::default();
    limits.set(Limit::FullQueries, whole(full.qps));
    limits.set(Limit::FullRows, whole(full.rps));
    limits.set(Limit::FullMegabytes, full.mbps);
    limits.set(Limit::IncrementalRows, whole(incremental.rps));
    limits.set(Limit::IncrementalMegabytes, incremental.mbps);
    limits.set(Limit::Threads, whole(u64::try_from(threads).ok()));
    limits
}

/// Connections at each end: twice the processors, since half of them wait, but no more than eight unasked.
fn default_threads() -> usize {
    std::thread::available_parallelism().map_or(4, |n| (n.get() * 2).clamp(2, 8))
}

fn this_run() -> RunStart {
    RunStart { pid: std::process::id(), host: host_name(), version: env!("CARGO_PKG_VERSION").to_owned() }
}

fn host_name() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname").map(|name| name.trim().to_owned()).unwrap_or_default()
}
