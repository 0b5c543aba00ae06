//! A ping as a table and as JSON.

use comfy_table::{Table, presets};

use super::text;
use crate::precheck::{End, Ping};

/// The ping as a table with a line end at the end.
pub fn table(ping: &Ping) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).force_no_tty();
    table.set_header(["", "source", "destination"]);
    for (name, show) in ROWS {
        let cell = |end: &Option<End>| end.as_ref().map_or_else(|| "-".to_owned(), |e| text::harmless(&show(e)));
        table.add_row([(*name).to_owned(), cell(&ping.source), cell(&ping.destination)]);
    }
    let mut out = table.lines().map(|l| l.trim_end().to_owned()).collect::<Vec<_>>().join("\n");
    out.push('\n');
    if let Some(clock) = clock(ping) {
        out.push_str(&format!("\n{clock}\n"));
    }
    out
}

/// The ping as Markdown.
pub fn markdown(ping: &Ping) -> String {
    let mut out = String::from("|  | source | destination |\n|---|---|---|\n");
    let plain = |text: String| text::harmless(&text).replace('\\', "\\\\").replace('|', "\\|").replace('`', "\\`").replace('<', "&lt;");
    for (name, show) in ROWS {
        let cell = |end: &Option<End>| end.as_ref().map_or_else(|| "-".to_owned(), |e| plain(show(e)));
        out.push_str(&format!("| {name} | {} | {} |\n", cell(&ping.source), cell(&ping.destination)));
    }
    if let Some(clock) = clock(ping) {
        out.push_str(&format!("\n{clock}\n"));
    }
    out
}

/// The ping as JSON with a line end at the end.
pub fn json(ping: &Ping) -> String {
    let mut out = serde_json::to_string_pretty(ping).expect("strings and integers only");
    out.push('\n');
    out
}

type Show = fn(&End) -> String;

const ROWS: &[(&str, Show)] = &[
    ("address", |e| e.address.clone()),
    ("server", |e| format!("{} {}", e.vendor, e.version)),
    ("account", |e| e.account.clone()),
    ("tls", |e| e.tls.clone().unwrap_or_else(|| "none".to_owned())),
    ("latency", |e| milliseconds(e.latency_us)),
    ("time zone", |e| e.time_zone.clone()),
    ("writes", |e| if e.read_only { "read-only" } else { "allowed" }.to_owned()),
];

fn milliseconds(us: u64) -> String {
    format!("{}.{} ms", us / 1000, us % 1000 / 100)
}

fn clock(ping: &Ping) -> Option<String> {
    let (difference, doubt) = (ping.clock_difference_ms?, ping.clock_uncertainty_ms?);
    Some(if difference.abs() <= doubt {
        format!("The clocks agree within {doubt} ms.")
    } else {
        let word = if difference > 0 { "ahead of" } else { "behind" };
        format!("The destination's clock is {} ms {word} the source's (give or take {doubt} ms).", difference.abs())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ping() -> Ping {
        let end = |address: &str, vendor: &str, version: &str| End {
            address: address.into(),
            vendor: vendor.into(),
            version: version.into(),
            account: "dts@10.0.0.%".into(),
            tls: Some("TLSv1.3 TLS_AES_256_GCM_SHA384".into()),
            latency_us: 1_234,
            time_zone: "SYSTEM (CET)".into(),
            read_only: false,
            identity: "x".into(),
        };
        let mut destination = end("db2:3306", "mariadb", "10.11.19-MariaDB");
        destination.tls = None;
        destination.read_only = true;
        Ping {
            format_version: "1.0".into(),
            source: Some(end("db1:3306", "mysql", "8.0.36")),
            destination: Some(destination),
            clock_difference_ms: Some(-1500),
            clock_uncertainty_ms: Some(2),
        }
    }

    #[test]
    fn a_ping_as_a_table_and_as_markdown() {
        insta::assert_snapshot!(format!("{}\n{}", table(&ping()), markdown(&ping())));
    }

    #[test]
    fn one_end_alone() {
        let mut one = ping();
        one.source = None;
        one.clock_difference_ms = None;
        assert!(table(&one).contains(" address    -       db2:3306"), "{}", table(&one));
        assert!(json(&one).contains("\"source\": null"));
    }
}
