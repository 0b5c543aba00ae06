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
                match behind.map(Duration::from_micros) {
                    Some(behind) => {
                        self.lag.last = Some((behind, now));
                        self.judge_lag(behind, true, now)
                    }
                    // Nothing has been applied yet in this connection, and there is something to apply: since the last word, or since now.
                    None => {
                        self.lag.last.get_or_insert((Duration::ZERO, now));
                        self.reckon_lag(now)
                    }
                }
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
        if self.lag.last.is_some_and(|(_, at)| now.duration_since(at) >= SILENT) {
            told.extend(self.reckon_lag(now));
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

    /// The lag when nothing has been applied since the last word of it.
    fn reckon_lag(&mut self, now: Instant) -> Vec<Told> {
        let Some((behind, at)) = self.lag.last else { return Vec::new() };
        self.judge_lag(behind + now.duration_since(at), false, now)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        binlog::{Place, Position},
        catalog::TableName,
        event::Lag,
    };

    struct Bench {
        judge: Judge,
        begin: Instant,
    }

    impl Bench {
        fn new() -> Self {
            let seconds = Duration::from_secs;
            let settings = Alerts {
                command: vec!["notify".into()],
                folder: "".into(),
                program: crate::spec::AlertProgram::Unknown,
                events: AlertEvent::ALL.to_vec(),
                lag: Some(seconds(60)),
                lag_for: seconds(10),
                waiting: seconds(300),
                full_timeout: Some(seconds(3600)),
                repeat: seconds(600),
                timeout: seconds(10),
            };
            Self { judge: Judge::new(settings), begin: Instant::now() }
        }

        /// What it tells of an event at that second, in short.
        fn at(&mut self, second: u64, event: &Event) -> Vec<String> {
            let now = self.begin + Duration::from_secs(second);
            short(self.judge.event(event, now))
        }

        fn tick(&mut self, second: u64) -> Vec<String> {
            let now = self.begin + Duration::from_secs(second);
            short(self.judge.tick(now))
        }
    }

    fn short(told: Vec<Told>) -> Vec<String> {
        let word = |course| if course == Course::Begun { "begun" } else { "over" };
        told.into_iter()
            .map(|told| {
                let text = match told.what {
                    What::Lag(lag) => {
                        format!("lag {} {} {}", word(lag.course), lag.seconds, if lag.measured { "measured" } else { "reckoned" })
                    }
                    What::Waiting(wait) => format!("{} {} {}: {}", wait.who, word(wait.course), wait.seconds, wait.reason),
                    What::Conflict(conflict) => format!("{} {} {}", conflict.table, conflict.kind, conflict.rows),
                    What::FullTimeout(full) => format!("full {}", full.seconds),
                    other => format!("{:?}", other.event()),
                };
                if told.repeated == 0 { text } else { format!("{text} +{}", told.repeated) }
            })
            .collect()
    }

    fn lag(seconds: Option<u64>, idle: bool) -> Event {
        let position = Position::new(Place { file: "b.1".into(), offset: 4 }, None);
        Event::Lag(Box::new(Lag {
            applied: position.clone(),
            read: position,
            micros: seconds.map(|s| s * 1_000_000),
            idle,
            by_heartbeat: true,
            lanes_busy: 0,
            backlog_bytes: 0,
        }))
    }

    fn conflict(table: &str, rows: u64) -> Event {
        Event::ConflictMet { table: TableName::new("shop", table), kind: "insert-exists", key: vec!["id".into()], rows }
    }

    const NONE: [&str; 0] = [];

    #[test]
    fn a_lag_is_told_when_it_has_stayed_above_and_when_it_has_stayed_below() {
        let mut bench = Bench::new();
        assert_eq!(bench.at(0, &lag(Some(61), false)), NONE);
        assert_eq!(bench.at(9, &lag(Some(70), false)), NONE);
        // A dip begins the count anew; nobody's knowledge is no dip, and the limit itself is not above.
        assert_eq!(bench.at(10, &lag(Some(60), false)), NONE);
        assert_eq!(bench.at(11, &lag(Some(71), false)), NONE);
        assert_eq!(bench.at(12, &lag(None, false)), NONE);
        assert_eq!(bench.at(21, &lag(Some(81), false)), ["lag begun 81 measured"]);
        assert_eq!(bench.at(40, &lag(Some(99), false)), NONE, "told once");
        assert_eq!(bench.at(50, &lag(Some(3), false)), NONE);
        assert_eq!(bench.at(55, &lag(Some(61), false)), NONE);
        assert_eq!(bench.at(56, &lag(Some(3), false)), NONE);
        assert_eq!(bench.at(66, &lag(Some(2), false)), ["lag over 2 measured"]);
    }

    #[test]
    fn a_quiet_source_is_no_lag_and_silence_is_one() {
        let mut bench = Bench::new();
        assert_eq!(bench.at(0, &lag(Some(5000), true)), NONE);
        assert_eq!(bench.at(30, &lag(Some(5030), true)), NONE);
        assert_eq!(bench.tick(34), NONE, "too short a silence");
        // A statement that runs for long: the last word was 30.
        assert_eq!(bench.tick(89), NONE);
        assert_eq!(bench.tick(91), NONE);
        assert_eq!(bench.tick(101), ["lag begun 71 reckoned"]);
        assert_eq!(bench.at(102, &lag(Some(1), false)), NONE);
        assert_eq!(bench.at(112, &lag(Some(1), false)), ["lag over 1 measured"]);
        // After the phase nothing is behind.
        assert_eq!(bench.at(113, &Event::PhaseFinished { phase: Phase::Incremental }), NONE);
        assert_eq!(bench.tick(9999), NONE);
    }

    /// Held up from the first change on: no measurement comes at all (seen with a row that was locked at the destination).
    #[test]
    fn a_task_that_never_applies_anything_falls_behind_too() {
        let mut bench = Bench::new();
        assert_eq!(bench.at(0, &lag(None, true)), NONE);
        for second in 1..=61 {
            assert_eq!(bench.at(second, &lag(None, false)), NONE, "{second}");
        }
        assert_eq!(bench.at(71, &lag(None, false)), ["lag begun 71 reckoned"]);
        assert_eq!(bench.at(72, &lag(Some(2), false)), NONE);
        assert_eq!(bench.at(82, &lag(Some(1), false)), ["lag over 1 measured"]);
    }

    #[test]
    fn a_wait_is_told_once_and_only_when_it_was_long_also_its_end() {
        let mut bench = Bench::new();
        let wait = |reason: &str| Event::Waiting { who: "full copy".into(), reason: reason.into() };
        let over = Event::WaitOver { who: "full copy".into() };
        assert_eq!(bench.at(0, &wait("a")), NONE);
        assert_eq!(bench.at(299, &over), NONE);
        assert_eq!(bench.at(400, &wait("a")), NONE);
        assert_eq!(bench.at(410, &wait("b")), NONE, "another reason is the same wait");
        assert_eq!(bench.tick(699), NONE);
        assert_eq!(bench.tick(700), ["full copy begun 300: b"]);
        assert_eq!(bench.at(710, &wait("c")), NONE);
        assert_eq!(bench.at(720, &over), ["full copy over 320: c"]);
        assert_eq!(bench.at(730, &over), NONE);
    }

    #[test]
    fn the_same_is_told_once_in_a_while_with_the_number_of_the_others() {
        let mut bench = Bench::new();
        assert_eq!(bench.at(0, &conflict("a", 2)), ["shop.a insert-exists 2"]);
        assert_eq!(bench.at(1, &conflict("b", 1)), ["shop.b insert-exists 1"]);
        for second in 2..=4 {
            assert_eq!(bench.at(second, &conflict("a", 10)), NONE);
        }
        assert_eq!(bench.tick(599), NONE);
        assert_eq!(bench.tick(600), ["shop.a insert-exists 30 +2"]);
        assert_eq!(bench.tick(1300), NONE, "nothing is held any more");
        assert_eq!(bench.at(1300, &conflict("a", 1)), ["shop.a insert-exists 1"]);
        assert_eq!(bench.at(1301, &conflict("a", 5)), NONE);
        assert_eq!(short(bench.judge.held()), ["shop.a insert-exists 5"]);
        assert_eq!(short(bench.judge.held()), NONE);
        let unexpected = bench.judge.unexpected().expect("conflicts");
        assert_eq!((unexpected.conflict_rows, unexpected.ddl_failed), (39, 0));
    }

    #[test]
    fn what_is_not_chosen_is_not_told_and_still_counts_for_the_end() {
        let mut bench = Bench::new();
        bench.judge.settings.events = vec![AlertEvent::FinishedUnexpected];
        assert_eq!(bench.at(0, &conflict("a", 2)), NONE);
        assert_eq!(bench.at(0, &lag(Some(9999), false)), NONE);
        assert_eq!(bench.at(60, &lag(Some(9999), false)), NONE);
        assert_eq!(bench.at(60, &Event::Waiting { who: "x".into(), reason: "y".into() }), NONE);
        assert_eq!(bench.at(60, &Event::PhaseStarted { phase: Phase::Full }), NONE);
        assert_eq!(bench.tick(99_999), NONE);
        assert_eq!(bench.judge.unexpected().map(|u| u.conflict_rows), Some(2));
    }

    #[test]
    fn a_full_copy_is_told_once_and_not_when_it_is_done() {
        let mut bench = Bench::new();
        let (started, finished) = (Event::PhaseStarted { phase: Phase::Full }, Event::PhaseFinished { phase: Phase::Full });
        assert_eq!(bench.at(0, &started), NONE);
        // Another pass after a lost connection is the same copy.
        assert_eq!(bench.at(3000, &started), NONE);
        assert_eq!(bench.tick(3599), NONE);
        assert_eq!(bench.tick(3601), ["full 3601"]);
        assert_eq!(bench.tick(9999), NONE);
        let mut bench = Bench::new();
        bench.at(0, &started);
        bench.at(100, &finished);
        assert_eq!(bench.tick(9999), NONE);
    }
}
