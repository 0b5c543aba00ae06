//! Every precheck failing against real servers, with its severity, its texts and the exit code of the plan, by snapshot; and a look at the
//! source that no severity of any check is without such a snapshot or a reason.

mod accounts;
mod ends;
mod existing;
mod filters;
mod following;
mod formats;
mod names;
mod objects;
mod settings;
mod source_log;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use testbed::Server;

use crate::{
    spec::dtsctl,
    support::{End, account},
};

/// A spec for one plan.
pub(super) struct Case<'s> {
    folder: tempfile::TempDir,
    ends: (&'s Server, &'s Server),
    logins: (End, End),
    /// Further keys of `source` and `destination`, each with a comma before it.
    keys: (String, String),
    phases: &'static str,
    objects: String,
    rest: String,
    db: String,
}

/// What a plan came to.
pub(super) struct Planned {
    code: i32,
    findings: Vec<serde_json::Value>,
    redact: Vec<(String, &'static str)>,
}

impl<'s> Case<'s> {
    /// Carries database `db`, which is made anew at the source and is gone from the destination.
    pub(super) fn new(source: &'s Server, destination: &'s Server, db: &str) -> Self {
        destination.exec(&format!("DROP DATABASE IF EXISTS `{db}`")).expect("dropped");
        source.exec(&format!("DROP DATABASE IF EXISTS `{db}`;\nCREATE DATABASE `{db}`")).expect("made");
        Self {
            folder: tempfile::tempdir().expect("a folder"),
            ends: (source, destination),
            logins: (source.into(), destination.into()),
            keys: Default::default(),
            phases: "{schema: true, full: true, incremental: false}",
            objects: format!("[{{database: {db}}}]"),
            rest: String::new(),
            db: db.to_owned(),
        }
    }

    pub(super) fn source(&self, sql: &str) -> &Self {
        self.ends.0.exec(&format!("USE `{}`;\n{sql}", self.db)).unwrap_or_else(|e| panic!("{e:#}"));
        self
    }

    /// Makes the database at the destination, and this in it.
    pub(super) fn destination(&self, sql: &str) -> &Self {
        self.ends.1.exec(&format!("CREATE DATABASE IF NOT EXISTS `{0}`;\nUSE `{0}`;\n{sql}", self.db)).unwrap_or_else(|e| panic!("{e:#}"));
        self
    }

    pub(super) fn follows(&mut self) -> &mut Self {
        self.phases = "{schema: true, full: true, incremental: true}";
        self
    }

    pub(super) fn phases(&mut self, phases: &'static str) -> &mut Self {
        self.phases = phases;
        self
    }

    pub(super) fn objects(&mut self, objects: &str) -> &mut Self {
        self.objects = objects.to_owned();
        self
    }

    pub(super) fn rest(&mut self, rest: &str) -> &mut Self {
        self.rest = rest.to_owned();
        self
    }

    pub(super) fn keys(&mut self, source: &str, destination: &str) -> &mut Self {
        self.keys = (source.to_owned(), destination.to_owned());
        self
    }

    /// An account of this name and with these rights at the source, made anew.
    pub(super) fn source_as(&mut self, name: &str, grants: &[&str]) -> &mut Self {
        account(self.ends.0, name, grants);
        (self.logins.0.user, self.logins.0.password) = (name.to_owned(), format!("pw-{name}"));
        self
    }

    pub(super) fn destination_as(&mut self, name: &str, grants: &[&str]) -> &mut Self {
        account(self.ends.1, name, grants);
        (self.logins.1.user, self.logins.1.password) = (name.to_owned(), format!("pw-{name}"));
        self
    }

    /// Another port, or another host, to reach an end by.
    pub(super) fn by(&mut self, source: bool, host: &str, port: u16) -> &mut Self {
        let end = if source { &mut self.logins.0 } else { &mut self.logins.1 };
        (end.host, end.port) = (host.to_owned(), port);
        self
    }

    fn command(&self, arguments: &[&str]) -> std::process::Command {
        let mut text = format!("version: 1\nname: {}\n", self.db);
        for (name, end, keys, variable) in
            [("source", &self.logins.0, &self.keys.0, "SRC"), ("destination", &self.logins.1, &self.keys.1, "DST")]
        {
            let (host, port, user) = (&end.host, end.port, &end.user);
            text += &format!("{name}: {{host: \"{host}\", port: {port}, user: {user}, password: {{env: {variable}}}{keys}}}\n");
        }
        text += &format!("phases: {}\nobjects: {}\n{}", self.phases, self.objects, self.rest);
        fs::write(self.folder.path().join("dtsctl.yaml"), text).expect("a spec");
        let mut command = dtsctl();
        command.current_dir(&self.folder).env("SRC", &self.logins.0.password).env("DST", &self.logins.1.password).args(arguments);
        command
    }

    /// Runs a command that must end well.
    pub(super) fn run(&self, arguments: &[&str]) {
        let output = self.command(arguments).output().expect("runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    pub(super) fn plan(&self) -> Planned {
        self.plan_with(&[])
    }

    pub(super) fn plan_with(&self, arguments: &[&str]) -> Planned {
        let output = self.command(&[&["plan", "--format", "json"], arguments].concat()).output().expect("runs");
        let said = String::from_utf8_lossy(&output.stderr);
        let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {said}"));
        let mut redact = Vec::new();
        for (server, login) in [(self.ends.0, &self.logins.0), (self.ends.1, &self.logins.1)] {
            let version = server.version().split(|c: char| c != '.' && !c.is_ascii_digit()).next().unwrap_or_default();
            redact.push((version.to_owned(), "VERSION"));
            redact.push((server.port().to_string(), "PORT"));
            redact.push((login.port.to_string(), "PORT"));
        }
        Planned { code: output.status.code().expect("a code"), findings: json["findings"].as_array().expect("findings").clone(), redact }
    }
}

/// Without what is a server's own: its address, version and name.
fn without_places(text: &str, servers: &[&Server]) -> String {
    servers.iter().fold(text.to_owned(), |text, server| {
        let version = server.version().split(|c: char| c != '.' && !c.is_ascii_digit()).next().unwrap_or_default();
        text.replace(version, "VERSION").replace(&server.port().to_string(), "PORT")
    })
}

fn text<'f>(finding: &'f serde_json::Value, key: &str) -> &'f str {
    finding[key].as_str().unwrap_or("-")
}

impl Planned {
    /// What the check of this name's code found, and the exit code, by snapshot: `DT217`, or `DT218_destination` for one of several.
    #[track_caller]
    pub(super) fn shows(&self, name: &str) -> &Self {
        let code = name.split('_').next().unwrap_or_default();
        let found: Vec<&serde_json::Value> =
            self.findings.iter().filter(|f| text(f, "code") == code && text(f, "severity") != "passed").collect();
        assert!(!found.is_empty(), "{code} has nothing to say: {:#?}", self.said());
        let mut shown = format!("exit {}\n", self.code);
        for finding in found {
            let how = if finding["ignorable"] == true { " (may be ignored)" } else { "" };
            let head = ["severity", "code", "name", "object"].map(|key| text(finding, key)).join(" ");
            shown += &format!("{head}{how}\n  {}\n  {}\n", text(finding, "cause"), text(finding, "mend"));
        }
        for (what, word) in &self.redact {
            shown = shown.replace(what, word);
        }
        insta::with_settings!({snapshot_path => "../snapshots/prechecks", prepend_module_to_snapshot => false, omit_expression => true}, {
            insta::assert_snapshot!(name, shown);
        });
        // A failure, of this check or another, stops a plan.
        assert!(self.code == 3 || !self.findings.iter().any(|f| text(f, "severity") == "failed"), "{:#?}", self.said());
        self
    }

    /// The same with `N` for every number of the causes: what is in them differs from run to run.
    pub(super) fn without_figures(mut self) -> Self {
        for finding in &mut self.findings {
            let words = text(finding, "cause").to_owned();
            let is_number = |word: &str| word.bytes().all(|b| b.is_ascii_digit());
            let shown: Vec<&str> = words.split(' ').map(|word| if is_number(word) { "N" } else { word }).collect();
            finding["cause"] = shown.join(" ").into();
        }
        self
    }

    /// The check has nothing to say.
    #[track_caller]
    pub(super) fn passes(&self, code: &str) -> &Self {
        assert!(self.findings.iter().any(|f| text(f, "code") == code && text(f, "severity") == "passed"), "{:#?}", self.said());
        self
    }

    fn said(&self) -> Vec<String> {
        let said = self.findings.iter().filter(|f| text(f, "severity") != "passed");
        said.map(|f| ["severity", "code", "object", "cause"].map(|key| text(f, key)).join(" ")).collect()
    }
}

/// What no server of ours can be brought to: the code, the severity, and why.
const BEYOND: [(&str, &str, &str); 4] = [
    ("DT283", "failed", "the bench shows it; what the right is enough for: tests/follow/filter.rs"),
    ("DT284", "alert", "shown by tests/follow/filter.rs"),
    ("DT202", "failed", "a server that old is refused when the session is opened, with exit 1: `ends.rs` shows that instead"),
    (
        "DT211",
        "failed",
        "the spec is refused when it renames a database so, and a source database of that name is never selected: `ends.rs`",
    ),
];

/// Every severity that a check's source can give has a snapshot here, which a test above wrote, or stands in [`BEYOND`].
#[test]
fn every_check_fails_here_in_every_way_it_can() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut can: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for entry in fs::read_dir(root.join("src/precheck")).expect("checks") {
        let path = entry.expect("a file").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_uppercase();
        let source = fs::read_to_string(&path).expect("a file");
        let source = source.split("#[cfg(test)]").next().unwrap_or_default();
        if let Some(number) = name.strip_prefix("DT").and_then(|rest| rest.split('_').next()) {
            let severities = ["failed", "alert", "info"].into_iter().filter(|s| source.contains(&format!("CHECK.{s}(")));
            can.insert(format!("DT{number}"), severities.collect());
        }
    }
    for (code, severity) in
        [("DT121", "info"), ("DT122", "info"), ("DT123", "info"), ("DT124", "info"), ("DT125", "alert"), ("DT126", "info")]
    {
        can.insert(code.to_owned(), [severity].into());
    }
    assert!(can.len() > 70 && can.values().all(|severities| !severities.is_empty()), "{can:#?}");
    let mut shown: BTreeSet<(String, String)> = BTreeSet::new();
    let mut named = String::new();
    for entry in fs::read_dir(root.join("tests/prechecks")).expect("tests") {
        named += &fs::read_to_string(entry.expect("a file").path()).expect("a test");
    }
    for entry in fs::read_dir(root.join("tests/snapshots/prechecks")).expect("snapshots") {
        let path = entry.expect("a file").path();
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        assert!(named.contains(&format!("shows(\"{name}\")")), "snapshot {name} belongs to no test");
        for line in fs::read_to_string(&path).expect("a snapshot").lines() {
            if let [severity, code, ..] = line.split(' ').collect::<Vec<_>>()[..]
                && ["failed", "alert", "info"].contains(&severity)
            {
                shown.insert((code.to_owned(), severity.to_owned()));
            }
        }
    }
    for (code, severity, why) in BEYOND {
        assert!(!why.is_empty() && shown.insert((code.to_owned(), severity.to_owned())), "{code} {severity} is shown after all");
    }
    let missing: Vec<String> = can
        .iter()
        .flat_map(|(code, severities)| severities.iter().map(move |severity| (code.clone(), (*severity).to_owned())))
        .filter(|pair| !shown.contains(pair))
        .map(|(code, severity)| format!("{code} {severity}"))
        .collect();
    assert_eq!(missing, Vec::<String>::new(), "no test shows these");
}
