//! SIGINT and SIGTERM: the first asks for a clean stop, the second ends the process at once with exit 5.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

use signal_hook::consts::{SIGINT, SIGTERM};

use super::exit;
use crate::event::StopToken;

/// A flag that the first signal puts up.
pub(super) fn flag() -> io::Result<Arc<AtomicBool>> {
    let signalled = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        // In this order: the first signal finds the flag down and only puts it up.
        signal_hook::flag::register_conditional_shutdown(signal, i32::from(exit::STOPPED), Arc::clone(&signalled))?;
        signal_hook::flag::register(signal, Arc::clone(&signalled))?;
    }
    Ok(signalled)
}

/// Pulls a stop token at the first signal, until dropped.
pub(super) struct Signals {
    end: StopToken,
    thread: Option<JoinHandle<()>>,
}

impl Signals {
    /// Begins to watch.
    pub(super) fn watch(stop: &StopToken) -> io::Result<Self> {
        let signalled = flag()?;
        let end = StopToken::default();
        let (until, stop) = (end.clone(), stop.clone());
        let thread = std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
            while !until.wait(Duration::from_millis(100)) {
                if signalled.load(Ordering::SeqCst) {
                    stop.stop();
                }
            }
        })?;
        Ok(Self { end, thread: Some(thread) })
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        self.end.stop();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
