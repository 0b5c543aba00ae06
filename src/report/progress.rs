//! Progress of an apply while it runs: bars on a terminal, status lines elsewhere.
//!
//! An event only changes numbers in memory; one thread of its own draws them now and then. So a terminal that stands still, or a pipe
//! nobody reads, cannot slow a phase down, and a stream that fails cannot fail it.

mod bars;
mod follow;
mod model;
mod plain;

use std::{
    io::Write,
    sync::{Arc, Mutex, PoisonError},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use self::model::{Frame, Model};
use crate::event::{Event, Observer, StopToken};

/// Shows one moment.
trait View: Send {
    /// Draws. `now` in milliseconds since the beginning; lines of the frame are told once and then forgotten.
    fn show(&mut self, frame: Frame, now: u64);
    /// Takes away what should not stay on the screen.
    fn end(&mut self) {}
}

/// An observer that shows progress. [`Progress::finish`] before anything else is written to the same stream.
pub struct Progress {
    model: Arc<Mutex<Model>>,
    over: StopToken,
    thread: Mutex<Option<JoinHandle<()>>>,
    begin: Instant,
}

/// Bars on standard error, which must be a terminal: on anything else nothing is shown.
pub fn bars() -> Arc<Progress> {
    Progress::start(Box::new(bars::Bars::new(indicatif::ProgressDrawTarget::stderr())), Duration::from_millis(200))
}

/// Lines to `out`: a status line every `interval`, and one at each end of a phase or table.
pub fn plain(out: impl Write + Send + 'static, interval: Duration) -> Arc<Progress> {
    Progress::start(Box::new(plain::Plain::new(Box::new(out), interval)), Duration::from_millis(250).min(interval))
}

impl Progress {
    fn start(mut view: Box<dyn View>, tick: Duration) -> Arc<Self> {
        let (model, over, begin) = (Arc::new(Mutex::new(Model::default())), StopToken::default(), Instant::now());
        let thread = std::thread::Builder::new().name("progress".to_owned()).spawn({
            let (model, over) = (model.clone(), over.clone());
            move || {
                loop {
                    let last = over.wait(tick);
                    let now = milliseconds(begin);
                    let frame = model.lock().unwrap_or_else(PoisonError::into_inner).frame(now);
                    view.show(frame, now);
                    if last {
                        return view.end();
                    }
                }
            }
        });
        // Without a thread nothing is shown, which is no reason not to copy.
        Arc::new(Self { model, over, thread: Mutex::new(thread.ok()), begin })
    }

    /// Shows what has not been shown yet and ends. Later events are not shown.
    pub fn finish(&self) {
        self.over.stop();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            let _ = thread.join();
        }
    }
}

impl Observer for Progress {
    fn observe(&self, event: &Event) {
        let now = milliseconds(self.begin);
        self.model.lock().unwrap_or_else(PoisonError::into_inner).take(event, now);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.finish();
    }
}

fn milliseconds(begin: Instant) -> u64 {
    u64::try_from(begin.elapsed().as_millis()).unwrap_or(u64::MAX)
}
