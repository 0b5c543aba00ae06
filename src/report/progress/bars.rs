//! Bars for a terminal: one for each table at work, one for all; a finished table goes into the latter.

use std::{collections::BTreeMap, time::Duration};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{
    View,
    model::{Active, Frame},
};
use crate::report::{status::lasting, text};

/// So many tables have a bar at once.
const BARS: usize = 10;
/// Columns of a name.
const NAME: usize = 26;

pub(super) struct Bars {
    screen: MultiProgress,
    tables: BTreeMap<String, ProgressBar>,
    all: Option<ProgressBar>,
    /// What is told in words below the bars: statements that run, waits.
    words: Vec<ProgressBar>,
}

impl Bars {
    pub(super) fn new(target: ProgressDrawTarget) -> Self {
        Self { screen: MultiProgress::with_draw_target(target), tables: BTreeMap::new(), all: None, words: Vec::new() }
    }

    fn bar() -> ProgressBar {
        // The template is a constant that the tests draw.
        let style = ProgressStyle::with_template(&format!("{{prefix:{NAME}}} [{{bar:16}}] {{msg}}"))
            .unwrap_or_else(|_| ProgressStyle::default_bar())
            .progress_chars("=> ");
        ProgressBar::new(1).with_style(style)
    }

    fn say(&mut self, lines: Vec<String>) {
        while self.words.len() > lines.len() {
            if let Some(bar) = self.words.pop() {
                self.screen.remove(&bar);
            }
        }
        for (i, line) in lines.into_iter().enumerate() {
            if i == self.words.len() {
                let style = ProgressStyle::with_template("{spinner} {wide_msg}").unwrap_or_else(|_| ProgressStyle::default_spinner());
                let bar = self.screen.add(ProgressBar::new_spinner().with_style(style));
                bar.enable_steady_tick(Duration::from_millis(500));
                self.words.push(bar);
            }
            self.words[i].set_message(line);
        }
    }
}

impl View for Bars {
    fn show(&mut self, frame: Frame, _now: u64) {
        for line in frame.lines.iter().filter(|line| line.beside_bars) {
            let _ = self.screen.println(&line.text);
        }
        let shown = &frame.active[..frame.active.len().min(BARS)];
        let screen = &self.screen;
        self.tables.retain(|name, bar| {
            let stays = shown.iter().any(|table| &table.name == name);
            if !stays {
                screen.remove(bar);
            }
            stays
        });
        for table in shown {
            let bar = self.tables.entry(table.name.clone()).or_insert_with(|| {
                let bar = screen.insert(0, Self::bar());
                bar.set_prefix(short(&table.name));
                bar
            });
            fill(bar, table.done, table.expected);
            bar.set_message(message(table));
        }
        if frame.active.is_empty() {
            if let Some(bar) = self.all.take() {
                self.screen.remove(&bar);
            }
        } else {
            let bar = self.all.get_or_insert_with(|| screen.add(Self::bar()));
            bar.set_prefix(format!("all {} of {}", frame.tables_finished, text::plural(frame.tables, "table")));
            fill(bar, frame.done, Some(frame.expected));
            bar.set_message(overall(&frame));
        }
        #[expect(clippy::cast_precision_loss, reason = "a time, shown to the second")]
        let running = frame.running.iter().map(|(what, seconds)| format!("{what}, for {}", lasting(*seconds as f64)));
        let waits = frame.waits.iter().map(|wait| format!("waits: {wait}"));
        let follows = frame.follows.iter().map(|(_, short)| short.clone());
        let lines = follows.chain(running.take(5)).chain(waits.take(5)).collect();
        self.say(lines);
    }

    fn end(&mut self) {
        let _ = self.screen.clear();
    }
}

/// A bar is full only when its table has left; one with an unknown end stands near it.
fn fill(bar: &ProgressBar, done: u64, expected: Option<u64>) {
    let length = expected.unwrap_or(done).max(done).max(1);
    bar.set_length(length);
    bar.set_position(done.min(length - length.div_ceil(50)));
}

/// The name's end is cut, as its beginning tells more.
fn short(name: &str) -> String {
    if name.chars().count() <= NAME {
        return name.to_owned();
    }
    let mut out: String = name.chars().take(NAME - 2).collect();
    out.push_str("..");
    out
}

fn figures(rate: Option<f64>, left: Option<u64>) -> String {
    let mut out = String::new();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rate, shown with three digits")]
    if let Some(rate) = rate {
        out.push_str(&format!(", {}/s", text::count(rate as u64)));
    }
    #[expect(clippy::cast_precision_loss, reason = "a time left, shown to the minute")]
    if let Some(seconds) = left {
        out.push_str(&format!(", {} left", lasting(seconds as f64)));
    }
    out
}

fn message(table: &Active) -> String {
    let of = table.expected.map(|expected| format!(" of ~{}", text::count(expected))).unwrap_or_default();
    format!("{}{of}{}", text::count(table.done), figures(table.rows_per_second, table.seconds_left))
}

fn overall(frame: &Frame) -> String {
    let about = if frame.tables_finished < frame.tables { "~" } else { "" };
    let far = format!("{} of {about}{}", text::count(frame.done), text::count(frame.expected));
    format!("{far}{}", figures(frame.rows_per_second, frame.seconds_left))
}

#[cfg(test)]
mod tests {
    use super::{
        super::model::{
            Model,
            tests::{chunk, name, planned, started},
        },
        *,
    };
    use crate::event::{Event, Phase};

    /// Draws into nothing; shows that bars come and go with their tables.
    #[test]
    fn a_finished_table_goes_into_the_bar_of_all() {
        let mut bars = Bars::new(ProgressDrawTarget::hidden());
        let mut model = Model::default();
        model.take(&Event::PhaseStarted { phase: Phase::Full }, 0);
        model.take(&Event::TablesPlanned { tables: vec![planned("orders", 1000), planned("users", 500)] }, 0);
        model.take(&started("orders", 1000, 0), 0);
        model.take(&started("users", 500, 0), 0);
        bars.show(model.frame(0), 0);
        model.take(&chunk("orders", 2000), 4000);
        model.take(&chunk("users", 250), 4000);
        bars.show(model.frame(5000), 5000);
        assert_eq!(bars.tables.len(), 2);
        let all = bars.all.as_ref().unwrap();
        assert_eq!((all.prefix().as_str(), all.message().as_str()), ("all 0 of 2 tables", "2.2 k of ~2.5 k, 450/s"));
        assert_eq!(bars.tables["shop.users"].message(), "250 of ~500, 50/s, 5 s left");
        assert_eq!(bars.tables["shop.orders"].message(), "2.0 k, 400/s", "more than the statistics knew of");
        assert!(bars.tables["shop.orders"].position() < bars.tables["shop.orders"].length().unwrap());

        model.take(&Event::TableFinished { table: name("orders"), rows: 2000, bytes: 1 }, 6000);
        model.take(&Event::Waiting { who: "full copy".into(), reason: "lost".into() }, 6000);
        bars.show(model.frame(6000), 6000);
        assert_eq!(bars.tables.keys().collect::<Vec<_>>(), ["shop.users"]);
        assert_eq!(bars.words.len(), 1);
        model.take(&Event::TableFinished { table: name("users"), rows: 500, bytes: 1 }, 7000);
        model.take(&Event::WaitOver { who: "full copy".into() }, 7000);
        bars.show(model.frame(7000), 7000);
        assert!(bars.tables.is_empty() && bars.all.is_none() && bars.words.is_empty());
        bars.end();
    }

    #[test]
    fn names_are_cut_to_their_columns() {
        assert_eq!(short("shop.orders"), "shop.orders");
        assert_eq!(short(&"ä".repeat(40)).chars().count(), NAME);
    }
}
