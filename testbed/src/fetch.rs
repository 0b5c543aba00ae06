//! Obtains server and client programs: from the environment, from the machine, or fetched without installing anything.
//!
//! Fetching means: `apt-get` resolves and downloads with a source list, state, cache and (empty) status file of its own, all inside the
//! cache folder; `dpkg -x` unpacks; the program then runs through the dynamic loader that came with it, so that a MySQL from Debian
//! unstable runs on an older Debian. Neither root nor an installed package is needed, and nothing outside the cache folder is touched.
//!
//! The packages' signatures are always checked with Debian's own keyring. The mirror is the one this machine uses.
//!
//! The one hard idea: several test processes may want the same program at once. Each bundle is made under an exclusive file lock, in a
//! folder that gets its final name only when it is complete.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, anyhow, bail};

/// A program and what it takes to run it where it lies.
#[derive(Debug, Clone)]
pub struct Program {
    /// The executable.
    pub path: PathBuf,
    /// The root under which its package was unpacked; `None` when it is installed on this machine.
    pub root: Option<PathBuf>,
    /// The dynamic loader and the library path to run it with; `None` for a program of this machine.
    loader: Option<(PathBuf, OsString)>,
}

impl Program {
    fn of_machine(path: PathBuf) -> Self {
        Self { path, root: None, loader: None }
    }

    fn in_root(root: &Path, relative: &str) -> Result<Self> {
        let path = root.join(relative);
        if !path.exists() {
            bail!("{} is not among the fetched packages", path.display());
        }
        let mut folders = Vec::new();
        for base in ["usr/lib", "lib"] {
            for entry in fs::read_dir(root.join(base)).into_iter().flatten().flatten() {
                if entry.file_name().to_string_lossy().ends_with("-linux-gnu") {
                    folders.push(entry.path());
                }
            }
        }
        let loader = folders
            .iter()
            .flat_map(|folder| fs::read_dir(folder).into_iter().flatten().flatten())
            .find(|entry| {
                let name = entry.file_name().to_string_lossy().into_owned();
                name.starts_with("ld-linux") && name.contains(".so")
            })
            .map(|entry| entry.path())
            .ok_or_else(|| anyhow!("no dynamic loader under {}", root.display()))?;
        let library_path = std::env::join_paths(folders)?;
        Ok(Self { path, root: Some(root.to_owned()), loader: Some((loader, library_path)) })
    }

    /// The words that start this program: the loader with its library path where one is needed, then the program.
    pub fn words(&self) -> Vec<OsString> {
        match &self.loader {
            None => vec![self.path.clone().into()],
            Some((loader, library_path)) => {
                vec![loader.clone().into(), "--library-path".into(), library_path.clone(), self.path.clone().into()]
            }
        }
    }

    /// A command that runs this program; add arguments to it.
    pub fn command(&self) -> Command {
        let mut words = self.words().into_iter();
        let mut command = Command::new(words.next().unwrap_or_default());
        command.args(words);
        command
    }
}

/// Where fetched programs, templates and running servers are kept: `DTSCTL_TEST_CACHE`, else `target/servers` of the workspace.
pub fn cache_dir() -> PathBuf {
    match std::env::var_os("DTSCTL_TEST_CACHE") {
        Some(path) if !path.is_empty() => PathBuf::from(path),
        _ => workspace_dir().join("target").join("servers"),
    }
}

/// The root of the cargo workspace this crate was built in.
pub fn workspace_dir() -> PathBuf {
    let testbed = Path::new(env!("CARGO_MANIFEST_DIR"));
    testbed.parent().unwrap_or(testbed).to_owned()
}

/// A set of packages from one Debian suite, unpacked together.
#[derive(Debug, Clone, Copy)]
struct Bundle {
    /// Its folder in the cache, and its name in progress lines.
    name: &'static str,
    title: &'static str,
    /// `None`: the suite of this machine.
    suite: Option<&'static str>,
    /// Names another suite, from which it is taken though the machine has the program.
    other_suite: Option<&'static str>,
    /// Installed with all they depend on.
    packages: &'static [&'static str],
    /// Unpacked without what they depend on: wanted for single files.
    alone: &'static [&'static str],
}

/// `mariadb-server` is wanted for its plugins only (`auth_ed25519.so`); its dependencies (galera, rsync, Perl's DBI) are not.
const MARIADB: Bundle = Bundle {
    name: "mariadb",
    title: "MariaDB server",
    suite: None,
    other_suite: Some("DTSCTL_MARIADB_SUITE"),
    packages: &["mariadb-server-core"],
    alone: &["mariadb-server"],
};
const MYSQL: Bundle = Bundle {
    name: "mysql",
    title: "MySQL server",
    suite: Some("unstable"),
    other_suite: None,
    packages: &["mysql-server-core"],
    alone: &[],
};
const TOOLS: Bundle = Bundle {
    name: "tools",
    title: "comparison tool",
    suite: None,
    other_suite: None,
    packages: &["mydumper", "mariadb-client-core", "mariadb-client", "sysbench"],
    alone: &[],
};

impl Bundle {
    /// The suite that the environment names for it.
    fn asked(&self) -> Option<String> {
        self.other_suite.and_then(|variable| std::env::var(variable).ok()).filter(|suite| !suite.is_empty())
    }

    /// Its folder in the cache.
    fn folder(&self) -> String {
        self.asked().map_or_else(|| self.name.to_owned(), |suite| format!("{}-{suite}", self.name))
    }
}

/// Packages that only scripts, documentation or rare character conversions need.
const NEEDLESS: &[&str] = &["perl", "libperl", "libdbi-perl", "libdbd", "libc-gconv-modules", "libconfig-inifiles-perl", "mariadb-common"];

/// Folders of a package that no server reads.
const NEEDLESS_FOLDERS: &[&str] =
    &["usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/lintian", "usr/lib/x86_64-linux-gnu/gconv"];

/// `mariadbd`: `DTSCTL_MARIADBD`; else fetched from the Debian suite that `DTSCTL_MARIADB_SUITE` names; else the machine's, else fetched from this
/// machine's suite.
pub fn mariadbd() -> Result<Program> {
    server_program("DTSCTL_MARIADBD", "mariadbd", &MARIADB)
}

/// Where below `/` or another root a server's packages put its messages, charsets and scripts. Debian's MariaDB has a folder of its own since
/// 11.8.
pub(crate) fn share(root: &Path) -> PathBuf {
    either(root, "usr/share/mariadb", "usr/share/mysql", "charsets")
}

/// The same of its plugins.
pub(crate) fn plugins(root: &Path) -> PathBuf {
    either(root, "usr/lib/mariadb/plugin", "usr/lib/mysql/plugin", "")
}

fn either(root: &Path, newer: &str, older: &str, holds: &str) -> PathBuf {
    let newer = root.join(newer);
    if newer.join(holds).exists() { newer } else { root.join(older) }
}

/// The folder of MariaDB's plugins, for `--plugin-dir`: the machine's, else fetched. A machine may have the server without them.
pub fn mariadb_plugins() -> Result<PathBuf> {
    let of_machine = plugins(Path::new("/"));
    if MARIADB.asked().is_none() && of_machine.join("auth_ed25519.so").is_file() {
        return Ok(of_machine);
    }
    Ok(plugins(&unpacked(&MARIADB)?))
}

/// `mysqld` of MySQL: `DTSCTL_MYSQLD`, else the machine's, else fetched from Debian unstable.
///
/// Debian machines may have a `mysqld` that is a link to MariaDB's server: such a one does not count.
pub fn mysqld() -> Result<Program> {
    server_program("DTSCTL_MYSQLD", "mysqld", &MYSQL)
}

fn server_program(variable: &str, name: &str, bundle: &Bundle) -> Result<Program> {
    if let Some(path) = std::env::var_os(variable).filter(|path| !path.is_empty()) {
        let path = PathBuf::from(path);
        if !path.is_file() {
            bail!("{variable} names {}, which is no file", path.display());
        }
        return Ok(Program::of_machine(path));
    }
    if bundle.asked().is_none()
        && let Some(path) = on_machine(name).filter(|path| name != "mysqld" || is_mysql(path))
    {
        return Ok(Program::of_machine(path));
    }
    let root = unpacked(bundle)?;
    Program::in_root(&root, &format!("usr/sbin/{name}"))
}

/// A client program for comparisons (`mydumper`, `myloader`, `mariadb`, `mariadb-dump`, `sysbench`): the machine's, else fetched.
pub fn tool(name: &str) -> Result<Program> {
    if let Some(path) = on_machine(name) {
        return Ok(Program::of_machine(path));
    }
    let root = unpacked(&TOOLS)?;
    Program::in_root(&root, &format!("usr/bin/{name}"))
}

fn on_machine(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain([PathBuf::from("/usr/sbin"), PathBuf::from("/usr/libexec")])
        .map(|folder| folder.join(name))
        .find(|candidate| candidate.is_file())
}

fn is_mysql(path: &Path) -> bool {
    Command::new(path)
        .args(["--no-defaults", "--version"])
        .output()
        .is_ok_and(|output| !String::from_utf8_lossy(&output.stdout).contains("MariaDB"))
}

/// Holds a file of the cache locked against other processes until dropped.
pub(crate) fn lock(name: &str) -> Result<File> {
    let cache = cache_dir();
    fs::create_dir_all(&cache).with_context(|| format!("creating {}", cache.display()))?;
    let path = cache.join(format!("{name}.lock"));
    let file = File::create(&path).with_context(|| format!("creating {}", path.display()))?;
    file.lock().with_context(|| format!("locking {}", path.display()))?;
    Ok(file)
}

/// Says something to the person who waits. Not through `eprintln!`, which the test harness keeps to itself when a test passes: a skip
/// must be seen.
pub(crate) fn progress(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "testbed: {line}");
}

/// The root folder of a bundle, fetched and unpacked if it is not there yet.
fn unpacked(bundle: &Bundle) -> Result<PathBuf> {
    let home = cache_dir().join("roots");
    let (asked, folder) = (bundle.asked(), bundle.folder());
    let root = home.join(&folder);
    if root.is_dir() {
        return Ok(root);
    }
    let _lock = lock(&folder)?;
    if root.is_dir() {
        return Ok(root);
    }
    progress(&format!("fetching {} packages ...", bundle.title));
    let partial = home.join(format!("{folder}.partial"));
    let work = cache_dir().join("apt").join(&folder);
    for folder in [&partial, &work] {
        if folder.exists() {
            fs::remove_dir_all(folder).with_context(|| format!("removing {}", folder.display()))?;
        }
        fs::create_dir_all(folder).with_context(|| format!("creating {}", folder.display()))?;
    }
    let apt = Apt::prepare(&work, asked.as_deref().or(bundle.suite))?;
    apt.update()?;
    let packages = apt.download(bundle)?;
    for package in &packages {
        let name = package.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if NEEDLESS.iter().any(|prefix| name.starts_with(prefix)) {
            continue;
        }
        run(Command::new("dpkg").arg("-x").arg(package).arg(&partial))?;
    }
    for folder in NEEDLESS_FOLDERS {
        let _ = fs::remove_dir_all(partial.join(folder));
    }
    fs::remove_dir_all(&work).with_context(|| format!("removing {}", work.display()))?;
    fs::rename(&partial, &root).with_context(|| format!("renaming {}", partial.display()))?;
    progress(&format!("{} ready ({} packages)", bundle.title, packages.len()));
    Ok(root)
}

/// An `apt-get` with a life of its own.
struct Apt {
    work: PathBuf,
    config: PathBuf,
}

impl Apt {
    fn prepare(work: &Path, suite: Option<&str>) -> Result<Self> {
        let (mirror, own_suite) = mirror()?;
        let suite = suite.unwrap_or(&own_suite);
        for folder in ["parts", "sources", "state/lists/partial", "cache/archives/partial", "log", "debs"] {
            fs::create_dir_all(work.join(folder))?;
        }
        fs::write(work.join("status"), "")?;
        let keyring = Path::new("/usr/share/keyrings/debian-archive-keyring.gpg");
        let signed = if keyring.exists() { format!("[signed-by={}] ", keyring.display()) } else { String::new() };
        fs::write(work.join("sources.list"), format!("deb {signed}{mirror} {suite} main\n"))?;

        let folder = work.display();
        let mut config = format!(
            r#"Dir::Etc::SourceList "{folder}/sources.list";
Dir::Etc::SourceParts "{folder}/sources";
Dir::Etc::Main "{folder}/none";
Dir::Etc::Parts "{folder}/parts";
Dir::Etc::Preferences "{folder}/none";
Dir::Etc::PreferencesParts "{folder}/parts";
Dir::State "{folder}/state";
Dir::State::status "{folder}/status";
Dir::Cache "{folder}/cache";
Dir::Log "{folder}/log";
APT::Install-Recommends "false";
APT::Get::AllowUnauthenticated "false";
Acquire::Languages "none";
Acquire::Retries "3";
"#
        );
        if run(Command::new("id").arg("-u"))?.trim() == "0" {
            // apt's own unprivileged user cannot enter a cache folder under a private home.
            config.push_str("APT::Sandbox::User \"root\";\n");
        }
        // The way out of this machine (proxies, certificates) is the machine's; its hooks and pins are not wanted.
        for line in run(Command::new("apt-config").arg("dump"))?.lines() {
            if ["Acquire::http", "Acquire::https", "Acquire::ForceIPv"].iter().any(|prefix| line.starts_with(prefix)) {
                config.push_str(line);
                config.push('\n');
            }
        }
        let path = work.join("apt.conf");
        fs::write(&path, config)?;
        Ok(Self { work: work.to_owned(), config: path })
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env("APT_CONFIG", &self.config).env("LC_ALL", "C").env("DEBIAN_FRONTEND", "noninteractive");
        command
    }

    /// Reads the package lists. A release file past its date (a mirror that lags, or a clock that runs ahead) is told and accepted:
    /// its signature is checked all the same, and what is fetched serves throwaway servers only.
    fn update(&self) -> Result<()> {
        // `update` also exits 0 when it could read nothing.
        let strict = run(self.command("apt-get").args(["-qq", "-o", "APT::Update::Error-Mode=any", "update"]));
        let Err(error) = strict else { return Ok(()) };
        if !format!("{error:#}").contains("is expired") {
            return Err(error);
        }
        progress(
            "the mirror's release file is past its date (old mirror, or this clock runs ahead): using it, signatures are still checked",
        );
        run(self.command("apt-get").args([
            "-qq",
            "-o",
            "APT::Update::Error-Mode=any",
            "-o",
            "Acquire::Check-Valid-Until=false",
            "update",
        ]))?;
        let mut config = fs::read_to_string(&self.config)?;
        config.push_str("Acquire::Check-Valid-Until \"false\";\n");
        fs::write(&self.config, config)?;
        Ok(())
    }

    fn download(&self, bundle: &Bundle) -> Result<Vec<PathBuf>> {
        // MariaDB's server package would be dragged in by nothing we ask for; `--download-only` runs no script of any package.
        run(self.command("apt-get").args(["-qq", "-y", "--no-install-recommends", "--download-only", "install"]).args(bundle.packages))?;
        let debs = self.work.join("debs");
        for package in bundle.alone {
            run(self.command("apt-get").current_dir(&debs).args(["-qq", "download", package]))?;
        }
        let mut found = Vec::new();
        for folder in [self.work.join("cache/archives"), debs] {
            for entry in fs::read_dir(&folder).with_context(|| format!("reading {}", folder.display()))? {
                let path = entry?.path();
                if path.extension().is_some_and(|extension| extension == "deb") {
                    found.push(path);
                }
            }
        }
        if found.is_empty() {
            bail!("apt-get downloaded nothing for {}", bundle.title);
        }
        found.sort();
        Ok(found)
    }
}

/// The address of this machine's Debian mirror and the name of its own suite.
///
/// `apt-get indextargets` knows them once package lists were read; on a bare machine the source files are read instead.
fn mirror() -> Result<(String, String)> {
    let release = fs::read_to_string("/etc/os-release").context("reading /etc/os-release")?;
    let field = |key: &str| {
        release.lines().find_map(|line| line.strip_prefix(key)).map(|value| value.trim_matches('"').to_owned()).unwrap_or_default()
    };
    if field("ID=") != "debian" {
        bail!(
            "servers can be fetched on Debian only (this is {}): install them, or name binaries in DTSCTL_MARIADBD and DTSCTL_MYSQLD",
            field("ID=")
        );
    }
    let codename = field("VERSION_CODENAME=");
    let known = |suite: &str| suite == codename || ["oldstable", "stable", "testing", "unstable", "sid"].contains(&suite);

    let targets = run(Command::new("apt-get").args([
        "indextargets",
        "--no-release-info",
        "--format",
        "$(REPO_URI) $(RELEASE) $(COMPONENT)",
        "Created-By: Packages",
    ]))
    .unwrap_or_default();
    for line in targets.lines() {
        if let [address, suite, "main"] = line.split_whitespace().collect::<Vec<_>>()[..]
            && known(suite)
        {
            return Ok((address.to_owned(), suite.to_owned()));
        }
    }

    let mut files = vec![PathBuf::from("/etc/apt/sources.list")];
    for entry in fs::read_dir("/etc/apt/sources.list.d").into_iter().flatten().flatten() {
        files.push(entry.path());
    }
    files
        .iter()
        .filter_map(|path| fs::read_to_string(path).ok())
        .find_map(|text| source_in(&text, &known))
        .ok_or_else(|| anyhow!("no Debian mirror in /etc/apt/sources.list and /etc/apt/sources.list.d"))
}

/// Finds address and suite in a source file of either style: `deb [options] address suite components`, or `Key: value` stanzas.
fn source_in(text: &str, known: &dyn Fn(&str) -> bool) -> Option<(String, String)> {
    for line in text.lines() {
        let Some(rest) = line.trim().strip_prefix("deb ") else {
            continue;
        };
        let rest = rest.trim();
        let rest = if rest.starts_with('[') { rest.split_once(']').map_or("", |(_, rest)| rest) } else { rest };
        if let [address, suite, components @ ..] = &rest.split_whitespace().collect::<Vec<_>>()[..]
            && known(suite)
            && components.contains(&"main")
        {
            return Some(((*address).to_owned(), (*suite).to_owned()));
        }
    }
    for stanza in text.split("\n\n") {
        let value = |key: &str| {
            stanza
                .lines()
                .find_map(|line| line.strip_prefix(key))
                .map(|value| value.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
        };
        let (Some(addresses), Some(suites), Some(components)) = (value("URIs:"), value("Suites:"), value("Components:")) else {
            continue;
        };
        if let (Some(address), Some(suite), true) =
            (addresses.first(), suites.iter().find(|suite| known(suite)), components.iter().any(|component| component == "main"))
        {
            return Some((address.clone(), suite.clone()));
        }
    }
    None
}

/// Runs a command to its end; its standard output on success, its words and standard error in the failure.
pub(crate) fn run(command: &mut Command) -> Result<String> {
    let shown = format!(
        "{} {}",
        command.get_program().to_string_lossy(),
        command.get_args().map(|a| a.to_string_lossy()).collect::<Vec<_>>().join(" ")
    );
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("running `{shown}`"))?;
    if !output.status.success() {
        bail!("`{shown}` failed ({}): {}", output.status, String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::source_in;

    #[test]
    fn finds_the_mirror_in_both_styles_of_source_file() {
        let known = |suite: &str| suite == "bookworm";
        let old = "# comment\ndeb http://security.test/debian-security bookworm-security main\ndeb [arch=amd64] http://mirror.test/debian bookworm main contrib\n";
        let new = "Types: deb\n# note\nURIs: http://mirror.test/debian\nSuites: bookworm bookworm-updates\nComponents: main\n";
        let expected = Some(("http://mirror.test/debian".to_owned(), "bookworm".to_owned()));
        assert_eq!(source_in(old, &known), expected);
        assert_eq!(source_in(new, &known), expected);
        assert_eq!(source_in("deb http://mirror.test/debian sid main", &known), None);
    }
}
