//! What of an apply's course is told to `alerts.command`, from the reading of the spec to the exit code.

use std::{io::Write as _, sync::Arc};

use super::host_name;
use crate::{
    alert::{Alerts, StoppedAlert, Teller},
    cli::{Context, Kind, error::CommandError, exit},
    event::{Event, Observer, Observers},
    spec::{AlertProgram, Spec},
};

/// The alerts of one apply; nothing for a spec without them.
pub(super) struct Alerted(Option<Arc<Alerts>>);

impl Alerted {
    /// Begins to listen.
    pub(super) fn start(context: &Context, spec: &Spec) -> std::io::Result<Self> {
        let teller = Teller { host: host_name(), pid: std::process::id() };
        Ok(Self(Alerts::start(spec, teller, &context.clock())?))
    }

    /// A wait before there is a run.
    pub(super) fn waits(&self, reason: &str) {
        if let Some(alerts) = &self.0 {
            alerts.observe(&Event::Waiting { who: "apply".to_owned(), reason: reason.to_owned() });
        }
    }

    /// Joins the listeners of a run; its own notes go to the others.
    pub(super) fn listen(&self, observers: &mut Vec<Arc<dyn Observer>>) {
        if let Some(alerts) = &self.0 {
            alerts.observe(&Event::WaitOver { who: "apply".to_owned() });
            alerts.note_to(Arc::new(Observers(observers.clone())));
            observers.push(Arc::clone(alerts) as Arc<dyn Observer>);
        }
    }

    /// Says so when nobody will be told of anything, which the plan's DT305 was ignored for.
    pub(super) fn without(&self, spec: &Spec, observer: &dyn Observer) {
        if let Some(AlertProgram::Unusable(reason)) = spec.alerts.as_ref().map(|alerts| &alerts.program) {
            observer.observe(&Event::Note { text: format!("no alert will be told: alerts.command: {reason}") });
        }
    }

    /// Tells how it ended, unless somebody asked for that end, and delivers what still waits. Once; later calls do nothing.
    ///
    /// Whoever stops an apply knows it (a signal, `stop`, `--time-limit`), and a lock that another run holds at the beginning means that
    /// the task runs. A task that another run has `taken` under way is told.
    pub(super) fn conclude(&self, context: &mut Context, result: &Result<u8, CommandError>, taken: bool) {
        let Some(alerts) = &self.0 else { return };
        match result {
            Err(error) if taken || !matches!(error.kind, Kind::Stopped | Kind::Locked | Kind::Usage) => {
                alerts.stopped(StoppedAlert {
                    exit_code: error.kind.code(),
                    error: error.shown.message.clone(),
                    causes: error.shown.causes.clone(),
                    hints: error.shown.hints.clone(),
                });
            }
            Ok(exit::DONE) => alerts.finished(),
            _ => {}
        }
        if let Some(problem) = alerts.close() {
            // Nobody minds a stream that is gone here.
            let _ = writeln!(context.stderr, "note: {problem}");
        }
    }
}
