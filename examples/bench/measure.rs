//! Wall time, CPU and peak memory of child processes, read from `/proc`.
//!
//! The one hard idea: a process that has ended but was not waited for keeps its CPU times in `/proc/PID/stat`, so they are read whole
//! at its end; its peak memory is gone by then, and is taken from the last look before (every 5 ms).

use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};

/// What a run cost.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Spent {
    /// Seconds on the clock.
    pub(crate) wall: f64,
    /// CPU seconds of the processes, user and system.
    pub(crate) cpu: f64,
    /// Peak resident memory of the largest process.
    pub(crate) peak_mib: u64,
}

impl Spent {
    /// One after the other.
    pub(crate) fn then(self, other: Spent) -> Spent {
        Spent { wall: self.wall + other.wall, cpu: self.cpu + other.cpu, peak_mib: self.peak_mib.max(other.peak_mib) }
    }
}

/// Runs commands as a pipeline and measures them together; all must succeed.
pub(crate) fn run_measured(commands: Vec<Command>) -> Result<Spent> {
    let begin = Instant::now();
    let last = commands.len().saturating_sub(1);
    let mut children = Vec::new();
    let mut input = None;
    for (index, mut command) in commands.into_iter().enumerate() {
        let name = command.get_args().last().map(|argument| argument.to_string_lossy().into_owned()).unwrap_or_default();
        if let Some(input) = input.take() {
            command.stdin(Stdio::from(input));
        }
        if index < last {
            command.stdout(Stdio::piped());
        }
        let mut child = command.spawn().with_context(|| format!("starting {}", command.get_program().to_string_lossy()))?;
        input = child.stdout.take();
        children.push((child, name));
    }

    let mut peaks = vec![0; children.len()];
    let mut cpu = vec![None; children.len()];
    while cpu.iter().any(Option::is_none) {
        for (index, (child, _)) in children.iter().enumerate() {
            if cpu[index].is_some() {
                continue;
            }
            let status = fs::read_to_string(format!("/proc/{}/status", child.id()))?;
            let field = |key: &str| status.lines().find_map(|line| line.strip_prefix(key)).map(str::trim);
            if let Some(peak) = field("VmHWM:").and_then(|value| value.split(' ').next()).and_then(|kib| kib.parse::<u64>().ok()) {
                peaks[index] = peak;
            }
            if field("State:").is_some_and(|state| state.starts_with('Z')) {
                cpu[index] = Some(cpu_of(child.id())?);
            }
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let wall = begin.elapsed().as_secs_f64();
    for (mut child, name) in children {
        let status = child.wait()?;
        if !status.success() {
            bail!("a program ({name}) ended with {status}");
        }
    }
    Ok(Spent { wall, cpu: cpu.into_iter().flatten().sum(), peak_mib: peaks.into_iter().max().unwrap_or_default().div_ceil(1024) })
}

/// CPU seconds a process has spent so far, user and system.
pub(crate) fn cpu_of(pid: u32) -> Result<f64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).with_context(|| format!("reading the times of process {pid}"))?;
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |index: usize| fields.get(index).and_then(|field| field.parse::<u64>().ok());
    // Fields 14 and 15 of proc(5); two stand before the `)`. A tick is 1/100 s on Linux, whatever the kernel's own rate.
    let (user, system) = ticks(11).zip(ticks(12)).ok_or_else(|| anyhow!("unreadable times of process {pid}"))?;
    Ok((user + system) as f64 / 100.0)
}

/// The middle value.
pub(crate) fn median(values: &mut [f64]) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

/// Seconds for people.
pub(crate) fn seconds(value: f64) -> String {
    format!("{value:.2} s")
}
