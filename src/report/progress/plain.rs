//! Lines for logs and pipes.

use std::{io::Write, time::Duration};

use super::{
    View,
    model::{Active, Frame},
};
use crate::report::{
    status::{how_far, lasting, percent},
    text,
};

/// So many tables at work are named.
const NAMED: usize = 4;

pub(super) struct Plain {
    out: Box<dyn Write + Send>,
    interval: u64,
    /// When the last status line was written.
    last: u64,
}

impl Plain {
    pub(super) fn new(out: Box<dyn Write + Send>, interval: Duration) -> Self {
        Self { out, interval: u64::try_from(interval.as_millis()).unwrap_or(u64::MAX), last: 0 }
    }
}

impl View for Plain {
    fn show(&mut self, frame: Frame, now: u64) {
        let mut block = String::new();
        for line in &frame.lines {
            block.push_str(&line.text);
            block.push('\n');
        }
        if now >= self.last.saturating_add(self.interval) {
            self.last = now;
            for line in status(&frame) {
                block.push_str(&line);
                block.push('\n');
            }
        }
        if !block.is_empty() {
            // Nobody is told when nobody listens.
            let _ = self.out.write_all(block.as_bytes()).and_then(|()| self.out.flush());
        }
    }
}

fn status(frame: &Frame) -> Vec<String> {
    let Some(phase) = frame.phase else { return Vec::new() };
    let mut lines = Vec::new();
    if !frame.active.is_empty() {
        let far = how_far(frame.done, frame.expected, true, frame.rows_per_second, frame.bytes_per_second, frame.seconds_left);
        let tables = format!("{} of {}", frame.tables_finished, text::plural(frame.tables, "table"));
        lines.push(format!("{}: {far}; {tables}; now {}", phase.name(), now_at(&frame.active)));
    }
    #[expect(clippy::cast_precision_loss, reason = "a time, shown to the second")]
    for (what, seconds) in &frame.running {
        lines.push(format!("{}: {what}, for {}", phase.name(), lasting(*seconds as f64)));
    }
    lines.extend(frame.follows.iter().map(|(whole, _)| format!("{}: {whole}", phase.name())));
    lines.extend(frame.waits.iter().map(|wait| format!("waits: {wait}")));
    lines
}

fn now_at(active: &[Active]) -> String {
    let one = |table: &Active| match table.expected {
        Some(expected) => format!("{} {} %", table.name, percent(table.done, expected.max(1))),
        None => table.name.clone(),
    };
    let mut out = active.iter().take(NAMED).map(one).collect::<Vec<_>>().join(", ");
    if active.len() > NAMED {
        out.push_str(&format!(" and {} more", active.len() - NAMED));
    }
    out
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::{
        super::model::{
            Model,
            tests::{chunk, name, planned, started},
        },
        *,
    };
    use crate::event::{Event, Observer, Phase};

    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    impl Shared {
        fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    #[test]
    fn a_run_as_a_log_tells_it() {
        let out = Shared::default();
        let mut view = Plain::new(Box::new(out.clone()), Duration::from_secs(10));
        let mut model = Model::default();
        let mut at = |now: u64, events: Vec<Event>| {
            for event in &events {
                model.take(event, now);
            }
            view.show(model.frame(now), now);
        };
        let statement = |index| Event::StatementStarted { action: "a1".into(), index, object: "shop.orders".into(), sql: "CREATE".into() };
        let ran = |index| Event::StatementFinished { action: "a1".into(), index, milliseconds: 1, warnings: vec![], found_done: false };
        at(0, vec![Event::PhaseStarted { phase: Phase::Schema }, statement(0), ran(0), statement(1)]);
        at(12_000, vec![]);
        at(15_000, vec![ran(1), Event::PhaseFinished { phase: Phase::Schema }]);
        at(15_000, vec![Event::PhaseStarted { phase: Phase::Full }]);
        at(15_000, vec![Event::TablesPlanned { tables: vec![planned("orders", 1_000_000), planned("users", 50)] }]);
        at(15_000, vec![started("orders", 1_000_000, 0), started("users", 50, 0)]);
        for second in 16..26 {
            at(second * 1000, vec![chunk("orders", 24_000)]);
        }
        at(26_000, vec![chunk("users", 60), Event::TableFinished { table: name("users"), rows: 60, bytes: 6000 }]);
        at(27_000, vec![Event::Waiting { who: "full copy".into(), reason: "connection lost (next try in 4 s)".into() }]);
        at(28_000, vec![Event::Waiting { who: "full copy".into(), reason: "connection lost (next try in 8 s)".into() }]);
        at(36_000, vec![]);
        at(37_000, vec![Event::WaitOver { who: "full copy".into() }, Event::Note { text: "look here".into() }]);
        at(38_000, vec![Event::StatementFailed { action: "a2".into(), index: 0, error: "server error 1114".into() }]);
        insta::assert_snapshot!(out.text());
    }

    #[test]
    fn nothing_is_lost_at_the_end_and_a_broken_stream_is_no_failure() {
        let out = Shared::default();
        let progress = crate::report::progress::plain(out.clone(), Duration::from_secs(3600));
        progress.observe(&Event::Note { text: "the last word".into() });
        progress.finish();
        progress.finish();
        assert_eq!(out.text(), "note: the last word\n");

        struct Broken;
        impl Write for Broken {
            fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
                Err(std::io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }
        let progress = crate::report::progress::plain(Broken, Duration::from_millis(1));
        progress.observe(&Event::Note { text: "nobody listens".into() });
        drop(progress);
    }
}
