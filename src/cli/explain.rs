//! `dtsctl explain`: what a finding of the plan or a stop of the incremental phase means, its risk, and how to mend it; offline, from the pages in
//! `docs/checks/` and `docs/stops/`.

mod pages;

use clap::Args;

use super::{Context, args::Format, error::CommandError, exit};
use crate::spec::{Finding, near::near};

pub use pages::{PAGES, STOPS};

/// What can be typed behind `dtsctl explain`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  dtsctl explain                     every code with its title\n  dtsctl explain DT221\n  dtsctl explain ddl-out-of-scope\n"
)]
pub struct ExplainArgs {
    /// The code of a finding, such as DT221, or of a stop, such as ddl-out-of-scope [default: a list of all]
    pub code: Option<String>,
}

/// One page, taken apart.
struct Page {
    code: &'static str,
    title: &'static str,
    severity: &'static str,
    ignorable: bool,
    text: &'static str,
}

/// A page begins with `# CODE: title` and a table with the rows `severity` and `ignorable`; a test holds every page to that.
fn page(code: &'static str, text: &'static str) -> Page {
    let title = text.lines().next().and_then(|line| line.split_once(": ")).map_or("", |(_, title)| title);
    let row = |name: &str| {
        text.lines()
            .find_map(|line| line.strip_prefix("| ")?.strip_prefix(name)?.trim_start().strip_prefix("| "))
            .map_or("", |rest| rest.trim_end_matches(['|', ' ']))
    };
    Page { code, title, severity: row("severity"), ignorable: row("ignorable").starts_with("yes"), text }
}

/// Findings of the plan.
fn pages() -> impl Iterator<Item = Page> {
    PAGES.iter().map(|(code, text)| page(code, text))
}

/// What stops a task that follows the binlog.
fn stops() -> impl Iterator<Item = Page> {
    STOPS.iter().map(|(code, text)| page(code, text))
}

/// What a finding's code stands for, for `precheck.ignore`.
pub fn finding(code: &str) -> Finding {
    match pages().find(|page| page.code == code) {
        None => Finding::Unknown,
        Some(page) if page.ignorable => Finding::Ignorable,
        Some(_) => Finding::Fixed,
    }
}

pub(super) fn run(context: &mut Context, args: &ExplainArgs) -> Result<u8, CommandError> {
    let Some(code) = &args.code else {
        context.emit(&|format| Ok(list(format)))?;
        return Ok(exit::DONE);
    };
    let all = || pages().chain(stops());
    let Some(page) = all().find(|page| page.code.eq_ignore_ascii_case(code)) else {
        let shown = CommandError::usage(format!("there is no finding and no stop `{code}`"));
        let of = |typed: String| near(&typed, all().map(|page| page.code));
        let meant = of(code.to_ascii_uppercase()).or_else(|| of(code.to_ascii_lowercase()));
        return Err(match meant {
            Some(meant) => shown.hint(format!("did you mean `{meant}`? `dtsctl explain` lists all")),
            None => shown.hint("`dtsctl explain` lists all codes"),
        });
    };
    context.emit(&|format| {
        Ok(match format {
            Format::Json => format!("{:#}\n", json(&page, true)),
            Format::Table | Format::Markdown => page.text.to_owned(),
        })
    })?;
    Ok(exit::DONE)
}

fn json(page: &Page, whole: bool) -> serde_json::Value {
    let mut value = serde_json::json!({
        "format_version": "1.0",
        "code": page.code,
        "title": page.title,
        "severity": page.severity,
        "ignorable": page.ignorable,
    });
    if whole {
        value["page"] = page.text.into();
    }
    value
}

fn list(format: Format) -> String {
    match format {
        Format::Json => {
            let findings: Vec<_> = pages()
                .chain(stops())
                .map(|page| {
                    let mut value = json(&page, false);
                    if let Some(object) = value.as_object_mut() {
                        object.remove("format_version");
                    }
                    value
                })
                .collect();
            format!("{:#}\n", serde_json::json!({"format_version": "1.0", "findings": findings}))
        }
        Format::Markdown => {
            let mut text = "| code | severity | ignorable | title |\n|---|---|---|---|\n".to_owned();
            for page in pages().chain(stops()) {
                let ignorable = if page.ignorable { "yes" } else { "no" };
                text.push_str(&format!("| {} | {} | {ignorable} | {} |\n", page.code, page.severity, page.title.replace('|', "\\|")));
            }
            text
        }
        Format::Table => {
            let findings = pages().map(|page| format!("{}  {:<11}  {}\n", page.code, page.severity, page.title));
            let width = STOPS.iter().map(|(code, _)| code.len()).max().unwrap_or(0);
            let stops = stops().map(|page| format!("{:<width$}  {}\n", page.code, page.title));
            findings.chain(["\n".to_owned()]).chain(stops).collect()
        }
    }
}
