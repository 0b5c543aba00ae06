//! What of a run's events is worth an alert, and what has been told already. It is given the time, and does nothing itself.

use std::{
    collections::{BTreeMap, HashMap},
    time::{Duration, Instant},
};

use super::document::{
    ConflictAlert, Course, DdlFailedAlert, FinishedUnexpectedAlert, FullTimeoutAlert, LagAlert, Told, WaitingAlert, What,
};
use crate::{
    event::{DdlOutcome, DdlSeen, Event, Phase},
    spec::{AlertEvent, Alerts},
};

/// The lag is told about once a second. Without word of it for so long it is reckoned from the last word.
const SILENT: Duration = Duration::from_secs(5);

/// So many objects are told apart; when there are more, those whose time is over are forgotten.
const OBJECTS: usize = 10_000;

pub(super) struct Judge {
    settings: Alerts,
    phase: Option<Phase>,
    lag: LagWatch,
    waits: BTreeMap<String, Wait>,
    /// Since when the full copy runs.
    full: Option<Instant>,
    /// What was told of an object, by event and object.
    told: HashMap<(AlertEvent, String), Repeats>,
    unexpected: FinishedUnexpectedAlert,
}

#[derive(Default)]
struct LagWatch {
    /// The last measurement, and when it was.
    last: Option<(Duration, Instant)>,
    /// Since when it is on the other side than what was told last.
    since: Option<Instant>,
    /// It was told to be above.
    above: bool,
}

struct Wait {
    since: Instant,
    reason: String,
    told: bool,
}

struct Repeats {
    /// When it was told last.
    at: Instant,
    /// The same since then, in one.
    held: Option<Told>,
}

impl Judge {
    pub(super) fn new(settings: Alerts) -> Self {
        Self {
            settings,
            phase: None,
            lag: LagWatch::default(),
            waits: BTreeMap::new(),
            full: None,
            told: HashMap::new(),
            unexpected: FinishedUnexpectedAlert { conflict_rows: 0, ddl_failed: 0 },
        }
    }

    /// The phase that began last.
    pub(super) fn phase(&self) -> Option<Phase> {
        self.phase
    }

    pub(super) fn wants(&self, event: AlertEvent) -> bool {
        self.settings.events.contains(&event)
    }

    /// Whether an event can matter. Most do not, and their listeners need not wait for each other.
    pub(super) fn minds(event: &Event) -> bool {
        match event {
            Event::PhaseStarted { .. }
            | Event::PhaseFinished { .. }
            | Event::Lag(_)
            | Event::ConflictMet { .. }
            | Event::Waiting { .. }
            | Event::WaitOver { .. } => true,
            Event::DdlSeen(ddl) => matches!(ddl.outcome, DdlOutcome::Failed { .. }),
            _ => false,
        }
    }

    /// What an event leads to.
    pub(super) fn event(&mut self, event: &Event, now: Instant) -> Vec<Told> {
        match event {
            Event::PhaseStarted { phase } => {
                self.phase = Some(*phase);
                if *phase == Phase::Full {
                    // A second pass after a lost connection goes on with the first.
                    self.full.get_or_insert(now);
                }
                Vec::new()
            }
            Event::PhaseFinished { phase } => {
                match phase {
                    Phase::Full => self.full = None,
                    Phase::Incremental => self.lag.last = None,
                    Phase::Schema | Phase::Finish => {}
                }
                Vec::new()
            }
            Event::Lag(lag) => {
                // In a quiet source what is measured is the age of its last change.
                let behind = if lag.idle { Some(0) } else { lag.micros };
                let Some(behind) = behind.map(Duration::from_micros) else { return Vec::new() };
                self.lag.last = Some((behind, now));
                self.judge_lag(behind, true, now)
            }
            Event::ConflictMet { table, kind, key, rows } => {
                self.unexpected.conflict_rows += rows;
                let alert = ConflictAlert { table: table.clone(), kind: (*kind).to_owned(), key: key.clone(), rows: *rows };
                self.tell(What::Conflict(alert), format!("{table} {kind}"), now)
            }
            Event::DdlSeen(ddl) => self.ddl(ddl, now),
            Event::Waiting { who, reason } => {
                let wait = self.waits.entry(who.clone()).or_insert_with(|| Wait { since: now, reason: String::new(), told: false });
                wait.reason.clone_from(reason);
                self.judge_waits(now)
            }
            Event::WaitOver { who } => match self.waits.remove(who) {
                Some(wait) if wait.told => {
                    let seconds = now.duration_since(wait.since).as_secs_f64();
                    let alert = WaitingAlert { course: Course::Over, who: who.clone(), reason: wait.reason, seconds };
                    once(What::Waiting(alert))
                }
                _ => Vec::new(),
            },
            _ => Vec::new(),
        }
    }

    /// What the time alone leads to.
    pub(super) fn tick(&mut self, now: Instant) -> Vec<Told> {
        let mut told = self.judge_waits(now);
        told.extend(self.judge_full(now));
        if let Some((behind, at)) = self.lag.last
            && now.duration_since(at) >= SILENT
        {
            told.extend(self.judge_lag(behind + now.duration_since(at), false, now));
        }
        let repeat = self.settings.repeat;
        for repeats in self.told.values_mut().filter(|repeats| now.duration_since(repeats.at) >= repeat) {
            if let Some(held) = repeats.held.take() {
                repeats.at = now;
                told.push(held);
            }
        }
        told
    }

    /// What was held back, at the end.
    pub(super) fn held(&mut self) -> Vec<Told> {
        self.told.values_mut().filter_map(|repeats| repeats.held.take()).collect()
    }

    /// What keeps the end from being as expected.
    pub(super) fn unexpected(&self) -> Option<FinishedUnexpectedAlert> {
        let found = self.unexpected.clone();
        (found.conflict_rows > 0 || found.ddl_failed > 0).then_some(found)
    }

    fn ddl(&mut self, ddl: &DdlSeen, now: Instant) -> Vec<Told> {
        let DdlOutcome::Failed { error } = &ddl.outcome else { return Vec::new() };
        self.unexpected.ddl_failed += 1;
        let alert = DdlFailedAlert {
            place: ddl.place.to_string(),
            gtid: ddl.gtid.clone(),
            class: ddl.class.clone(),
            object: ddl.object.clone(),
            error: error.clone(),
        };
        let object = format!("{} {}", ddl.class, ddl.object.as_deref().unwrap_or_default());
        self.tell(What::DdlFailed(alert), object, now)
    }

    /// Tells of an object now, or keeps it until `repeat` is over. The latest stands for those held back; rows are counted together.
    fn tell(&mut self, what: What, object: String, now: Instant) -> Vec<Told> {
        if !self.wants(what.event()) {
            return Vec::new();
        }
        let repeat = self.settings.repeat;
        if self.told.len() >= OBJECTS {
            self.told.retain(|_, repeats| repeats.held.is_some() || now.duration_since(repeats.at) < repeat);
        }
        let key = (what.event(), object);
        let Some(repeats) = self.told.get_mut(&key) else {
            self.told.insert(key, Repeats { at: now, held: None });
            return once(what);
        };
        let repeated = repeats.held.as_ref().map_or(0, |held| held.repeated + 1);
        let what = match (what, &repeats.held) {
            (What::Conflict(new), Some(Told { what: What::Conflict(old), .. })) => {
                What::Conflict(ConflictAlert { rows: old.rows + new.rows, ..new })
            }
            (what, _) => what,
        };
        let told = Told { what, repeated };
        if now.duration_since(repeats.at) >= repeat {
            (repeats.at, repeats.held) = (now, None);
            return vec![told];
        }
        repeats.held = Some(told);
        Vec::new()
    }

    fn judge_lag(&mut self, behind: Duration, measured: bool, now: Instant) -> Vec<Told> {
        let Some(limit) = self.settings.lag.filter(|_| self.wants(AlertEvent::Lag)) else { return Vec::new() };
        let watch = &mut self.lag;
        if (behind > limit) == watch.above {
            watch.since = None;
            return Vec::new();
        }
        let since = *watch.since.get_or_insert(now);
        if now.duration_since(since) < self.settings.lag_for {
            return Vec::new();
        }
        watch.above = !watch.above;
        watch.since = None;
        let course = if watch.above { Course::Begun } else { Course::Over };
        once(What::Lag(LagAlert { course, seconds: behind.as_secs_f64(), limit_seconds: limit.as_secs_f64(), measured }))
    }

    fn judge_waits(&mut self, now: Instant) -> Vec<Told> {
        if !self.wants(AlertEvent::Waiting) {
            return Vec::new();
        }
        let limit = self.settings.waiting;
        let long = self.waits.iter_mut().filter(|(_, wait)| !wait.told && now.duration_since(wait.since) >= limit);
        long.map(|(who, wait)| {
            wait.told = true;
            let seconds = now.duration_since(wait.since).as_secs_f64();
            let alert = WaitingAlert { course: Course::Begun, who: who.clone(), reason: wait.reason.clone(), seconds };
            Told { what: What::Waiting(alert), repeated: 0 }
        })
        .collect()
    }

    fn judge_full(&mut self, now: Instant) -> Vec<Told> {
        let Some(limit) = self.settings.full_timeout.filter(|_| self.wants(AlertEvent::FullTimeout)) else { return Vec::new() };
        match self.full {
            Some(since) if now.duration_since(since) >= limit => {
                // Told once a run.
                self.settings.full_timeout = None;
                let (seconds, limit_seconds) = (now.duration_since(since).as_secs_f64(), limit.as_secs_f64());
                once(What::FullTimeout(FullTimeoutAlert { seconds, limit_seconds }))
            }
            _ => Vec::new(),
        }
    }
}

fn once(what: What) -> Vec<Told> {
    vec![Told { what, repeated: 0 }]
}
