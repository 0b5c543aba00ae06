//! `dtsctl set`: changes a speed limit or the number of copies at once of the running apply.

use std::io::Write as _;

use clap::Args;

use super::{Context, error::CommandError, exit};
use crate::{phase::throttle::Limit, state};

/// What can be typed behind `dtsctl set`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dtsctl set throttle.full.rps=20000             at most 20,000 rows a second
  dtsctl set throttle.incremental.mbps=none      no limit
  dtsctl set threads=2 throttle.full.qps=100     several at once

The running apply heeds it within a second, and until it ends. Fewer threads than before take effect as each ends the range it is at. The spec keeps what it says: the next apply begins with that.
")]
pub struct SetArgs {
    /// throttle.full.qps, throttle.full.rps, throttle.full.mbps, throttle.incremental.rps, throttle.incremental.mbps (a number, or
    /// `none` for no limit) or threads (1 to 64)
    #[arg(required = true, value_name = "KEY=VALUE", value_parser = pair)]
    pub settings: Vec<(String, String)>,
}

pub(super) fn run(context: &mut Context, args: &SetArgs) -> Result<u8, CommandError> {
    let path = match &context.settings.state {
        Some(path) => path.clone(),
        None => {
            let spec = context.load_spec()?;
            context.state_path(&spec)
        }
    };
    for (key, value) in &args.settings {
        state::request_setting(&path, key, value, &context.clock())?;
    }
    if context.settings.verbosity >= 0 {
        let asked: Vec<String> = args.settings.iter().map(|(key, value)| format!("{key}={value}")).collect();
        let next = context.next("status");
        writeln!(context.stderr, "asked for {}; `{next}` shows what is in force", asked.join(", "))?;
    }
    Ok(exit::DONE)
}

/// Takes `KEY=VALUE` apart and checks both.
fn pair(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("write KEY=VALUE, such as throttle.full.rps=20000")?;
    let (key, value) = (key.trim(), value.trim());
    setting(key, value)?;
    Ok((key.to_owned(), value.to_owned()))
}

/// Reads a limit: which one, and its value, `None` for no limit.
///
/// # Errors
/// What is wrong with it, in words.
pub(super) fn setting(key: &str, value: &str) -> Result<(Limit, Option<f64>), String> {
    let limit = Limit::ALL.into_iter().find(|limit| limit.name() == key).ok_or_else(|| {
        let known: Vec<&str> = Limit::ALL.into_iter().map(Limit::name).collect();
        format!("`{key}` cannot be set; these can: {}", known.join(", "))
    })?;
    let whole = |what: &str, range: std::ops::RangeInclusive<u64>| {
        let number = value.parse::<u64>().ok().filter(|number| range.contains(number));
        #[expect(clippy::cast_precision_loss, reason = "a rate or a count of connections")]
        number.map(|number| number as f64).ok_or_else(|| format!("`{key}` takes {what}"))
    };
    let number = match limit {
        Limit::Threads => Some(whole("a whole number from 1 to 64", 1..=64)?),
        _ if value == "none" => None,
        Limit::FullMegabytes | Limit::IncrementalMegabytes => {
            let number = value.parse::<f64>().ok().filter(|number| number.is_finite() && *number > 0.0);
            Some(number.ok_or_else(|| format!("`{key}` takes a number above 0, in megabytes a second, or `none`"))?)
        }
        _ => Some(whole("a whole number above 0, or `none`", 1..=u64::MAX)?),
    };
    Ok((limit, number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_read_and_refused() {
        let read = |text| pair(text).map(|(key, value)| setting(&key, &value).unwrap());
        assert_eq!(read("throttle.full.rps=20000"), Ok((Limit::FullRows, Some(20_000.0))));
        assert_eq!(read("throttle.incremental.mbps = 2.5"), Ok((Limit::IncrementalMegabytes, Some(2.5))));
        assert_eq!(read("throttle.full.qps=none"), Ok((Limit::FullQueries, None)));
        assert_eq!(read("threads=2"), Ok((Limit::Threads, Some(2.0))));
        for text in [
            "threads",
            "threads=0",
            "threads=65",
            "threads=none",
            "throttle.full.rps=0",
            "throttle.full.rps=-1",
            "throttle.full.rps=1.5",
            "throttle.full.mbps=0",
            "throttle.full.mbps=NaN",
            "throttle.full.mbps=inf",
            "throttle.incremental.qps=5",
            "retry.other=10m",
            "throttle.full.rps=",
        ] {
            assert!(pair(text).is_err(), "{text}");
        }
    }
}
