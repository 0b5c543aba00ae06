//! The tool is killed again and again while it follows a source that is written to, and so are the servers and the network. At the end
//! both ends are equal, and at no moment has a reader of the destination seen anything that the source never was.
//!
//! The bank's ledger and some tables of the workload have no key: a change applied twice or never would stay visible there for ever.

use std::time::{Duration, Instant};

use mysql::prelude::Queryable as _;
use testbed::{
    Flavor, Server, ServerOptions, equal,
    proxy::Proxy,
    workload::{
        Options, Running as Writers, Workload,
        bank::{Bank, Transfers},
    },
};

use super::bank::Reader;
use super::bed::CATCH_UP;
use super::random::{compare, objects};
use crate::support::{End, PATIENCE, Random, Running, Task, say, until};

/// Follows without end, as a task in production does.
const FOLLOW: [&str; 4] = ["apply", "--yes", "--until", "never"];

/// A source under load, and a destination that has its copy.
struct Scene {
    source: Server,
    destination: Server,
    workload: Workload,
    writers: Option<Writers>,
    bank: Bank,
    transfers: Option<Transfers>,
    task: Task,
    random: Random,
}

impl Scene {
    fn new((from, to): (Flavor, Flavor), name: &str, proxies: impl Fn(&Server, &Server) -> (End, End)) -> Option<Self> {
        if !testbed::have(from) || !testbed::have(to) {
            return None;
        }
        let mut random = Random::new(name);
        let source = Server::start(from, ServerOptions::new()).unwrap();
        let destination = Server::start(to, ServerOptions::new()).unwrap();
        let mut workload = Workload::new(random.next(), &source, Options { tables: 8, xa: false, ..Options::new(from, to, "crash") });
        workload.create().unwrap();
        workload.run(40).unwrap();
        let bank = Bank::new("bank", 20);
        bank.create(&mut source.root_conn().unwrap()).unwrap();
        let mut databases = workload.databases().to_vec();
        databases.push("bank".to_owned());
        let (from, to) = proxies(&source, &destination);
        let task = Task::new("crash", from, to, &objects(&databases, false));
        task.run(&CATCH_UP).expect(0);
        Some(Self { source, destination, workload, writers: None, bank, transfers: None, task, random })
    }

    /// Load begins, definitions change too; nothing of it is in the copy.
    fn load(&mut self) -> Reader {
        let writers = self.workload.start(1);
        writers.allow_xa(true);
        writers.allow_ddl(true);
        self.writers = Some(writers);
        let mut seed = testbed::workload::Random::new(self.random.next());
        self.transfers = Some(self.bank.start(&self.source.opts(), 1, &mut seed));
        Reader::start(&self.bank, "bank", &self.destination)
    }

    fn follow(&self, environment: &[(&str, &str)]) -> Running {
        self.task.start(&FOLLOW, environment)
    }

    /// How many lines the journal of the destination has; `None` while it cannot be asked.
    fn lines(&self) -> Option<u64> {
        self.destination.root_conn().ok()?.query_first("SELECT COUNT(*) FROM bank.journal").ok()?
    }

    /// Waits until something more has arrived than at the last look.
    fn until_more_arrived(&self, running: &mut Running) {
        let (before, begin) = (self.lines(), Instant::now());
        until("more to arrive", || {
            let late = begin.elapsed() > PATIENCE * 3 / 4;
            assert!(!late && !running.has_ended(), "workload of seed {}: ended or stuck: {}", self.workload.seed(), running.said());
            self.lines() > before
        });
    }

    /// The load ends, the rest is applied, and the servers find both ends equal.
    #[track_caller]
    fn ends_equal(mut self, reader: Reader) {
        self.writers.take().map(Writers::stop).transpose().unwrap();
        let transfers = self.transfers.take().unwrap().stop().unwrap();
        let outcome = self.task.run(&CATCH_UP);
        assert_eq!(
            outcome.code,
            Some(0),
            "workload of seed {}\n{}\nlast statements:\n{}",
            self.workload.seed(),
            outcome.stderr,
            self.workload.recent().join("\n")
        );
        compare(&self.workload, &self.source, &self.destination, false);
        let (mut here, mut there) = (self.source.root_conn().unwrap(), self.destination.root_conn().unwrap());
        equal::compare_databases(&mut here, "bank", &mut there, "bank").unwrap_or_else(|problem| panic!("{problem}"));
        let (looks, lines) = reader.stop();
        let counts = self.workload.counts();
        let changed: u64 = counts.iter().filter(|(kind, _)| kind.starts_with("ddl ")).map(|(_, count)| count).sum();
        say(&format!("{transfers} transfers, {changed} DDL, {looks} looks, the last at line {lines}"));
        assert!(changed > 0, "no DDL succeeded: {counts:?}");
        assert!(lines > 0 && looks > 0, "{looks} looks, {lines} lines");
    }
}

fn direct(source: &Server, destination: &Server) -> (End, End) {
    (End::from(source), End::from(destination))
}

/// Moments that a following run comes by again and again, and what makes it come by.
const POINTS: [(&str, &[(&str, &str)]); 6] = [
    ("batch-written", &[]),
    ("batch-committed", &[]),
    ("ddl-intent", &[]),
    ("ddl-run", &[]),
    ("ddl-done", &[]),
    // A transaction that counts as large is written as it is read.
    ("window-written", &[("DTSCTL_TEST_MEMORY", "2000"), ("DTSCTL_TEST_BATCH", "5")]),
];

fn killed_again_and_again(pair: (Flavor, Flavor), at_random: u32, rounds: u32) {
    let Some(mut scene) = Scene::new(pair, "follow_killed_again_and_again", direct) else { return };
    let reader = scene.load();
    let mut kills = 0;
    for round in 0..rounds {
        for (point, environment) in POINTS {
            let at = format!("{point}:{}", 1 + round * 2);
            let mut running = scene.follow(&[environment, &[("DTSCTL_TEST_PAUSE", &at)]].concat());
            let paused = running.says(&format!("paused at {point}\n"));
            let outcome = running.kill9();
            assert!(
                paused,
                "workload of seed {}: after {kills} kills, {at} was not reached:\n{}\nlast statements:\n{}",
                scene.workload.seed(),
                outcome.stderr,
                scene.workload.recent().join("\n")
            );
            kills += 1;
        }
    }
    for _ in 0..at_random {
        let mut running = scene.follow(&[]);
        // From the first look at the servers to the middle of following.
        let (begin, after) = (Instant::now(), Duration::from_millis(scene.random.below(1500)));
        until("a random moment", || begin.elapsed() >= after || running.has_ended());
        let outcome = running.kill9();
        assert_eq!(
            outcome.code,
            None,
            "workload of seed {}: it ended before it was killed: {}\nlast statements:\n{}",
            scene.workload.seed(),
            outcome.stderr,
            scene.workload.recent().join("\n")
        );
        kills += 1;
    }
    let points = POINTS.map(|(point, _)| point).join(", ");
    say(&format!("{kills} kills, {at_random} of them at random moments, the others at {points}"));
    scene.ends_equal(reader);
}

#[test]
fn killed_again_and_again_on_mariadb() {
    killed_again_and_again((Flavor::MariaDb, Flavor::MariaDb), 38, 2);
}

#[test]
fn killed_again_and_again_on_mysql() {
    killed_again_and_again((Flavor::MySql, Flavor::MySql), 38, 2);
}

#[test]
fn killed_again_and_again_from_mysql_to_mariadb() {
    killed_again_and_again((Flavor::MySql, Flavor::MariaDb), 10, 1);
}

#[test]
fn killed_again_and_again_from_mariadb_to_mysql() {
    killed_again_and_again((Flavor::MariaDb, Flavor::MySql), 10, 1);
}

/// Killed while it copies and while it catches up what came in during the copy: repeating must be harmless there.
#[test]
fn killed_between_the_copy_and_its_end() {
    let flavor = Flavor::MariaDb;
    if !testbed::have(flavor) {
        return;
    }
    let mut random = Random::new("killed_between_the_copy_and_its_end");
    let source = Server::start(flavor, ServerOptions::new()).unwrap();
    let destination = Server::start(flavor, ServerOptions::new()).unwrap();
    let mut workload = Workload::new(random.next(), &source, Options { xa: false, ..Options::new(flavor, flavor, "early") });
    workload.create().unwrap();
    workload.run(120).unwrap();
    let task = Task::new("early", &source, &destination, &(objects(workload.databases(), false) + "throttle: {full: {mbps: 1}}\n"));
    let writers = workload.start(2);
    let mut kills = 0;
    for _ in 0..16 {
        let mut running = task.start(&FOLLOW, &[("DTSCTL_TEST_CHUNK", "50")]);
        let (begin, after) = (Instant::now(), Duration::from_millis(200 + random.below(1500)));
        until("a random moment", || begin.elapsed() >= after || running.has_ended());
        let outcome = running.kill9();
        assert_eq!(outcome.code, None, "workload of seed {}: it ended before it was killed: {}", workload.seed(), outcome.stderr);
        kills += 1;
    }
    writers.stop().unwrap();
    say(&format!("{kills} kills"));
    task.run(&CATCH_UP).expect(0);
    compare(&workload, &source, &destination, false);
}

/// Killed where what may be repeated ends and what is strict begins, in the middle of what the next run does again.
fn killed_where_the_copy_ends(flavor: Flavor) {
    if !testbed::have(flavor) {
        return;
    }
    let mut random = Random::new("killed_where_the_copy_ends");
    let source = Server::start(flavor, ServerOptions::new()).unwrap();
    let destination = Server::start(flavor, ServerOptions::new()).unwrap();
    let mut workload = Workload::new(random.next(), &source, Options { xa: false, ..Options::new(flavor, flavor, "ends") });
    workload.create().unwrap();
    workload.run(60).unwrap();
    let task = Task::new("ends", &source, &destination, &objects(workload.databases(), false));
    let writers = workload.start(2);
    for point in ["copy-end-passed", "batch-written"] {
        let mut running = task.start(&FOLLOW, &[("DTSCTL_TEST_PAUSE", point), ("DTSCTL_TEST_BATCH", "5")]);
        let paused = running.says(&format!("paused at {point}\n"));
        let outcome = running.kill9();
        assert!(paused, "workload of seed {}: {}", workload.seed(), outcome.stderr);
    }
    writers.stop().unwrap();
    task.run(&CATCH_UP).expect(0);
    compare(&workload, &source, &destination, false);
}

#[test]
fn killed_where_the_copy_ends_on_mariadb() {
    killed_where_the_copy_ends(Flavor::MariaDb);
}

#[test]
fn killed_where_the_copy_ends_on_mysql() {
    killed_where_the_copy_ends(Flavor::MySql);
}

/// Both servers die and come back while it follows.
fn servers_killed(flavor: Flavor) {
    let Some(mut scene) = Scene::new((flavor, flavor), "follow_servers_killed", direct) else { return };
    let reader = scene.load();
    let mut running = scene.follow(&[]);
    scene.until_more_arrived(&mut running);
    for round in 0..4 {
        let server = if round % 2 == 0 { &scene.destination } else { &scene.source };
        let (begin, after) = (Instant::now(), Duration::from_millis(scene.random.below(400)));
        until("a random moment", || begin.elapsed() >= after);
        server.kill9().unwrap();
        server.restart().unwrap();
        scene.until_more_arrived(&mut running);
    }
    running.signal("TERM");
    running.end().expect(5);
    scene.ends_equal(reader);
}

#[test]
fn servers_killed_on_mariadb() {
    servers_killed(Flavor::MariaDb);
}

#[test]
fn servers_killed_on_mysql() {
    servers_killed(Flavor::MySql);
}

/// Connections are cut after random amounts of bytes, and once the network is away for a while, on either side.
#[test]
fn network_cut() {
    let proxies = std::cell::RefCell::new(None);
    let between = |source: &Server, destination: &Server| {
        let (near, far) = (Proxy::start(&[source]).unwrap(), Proxy::start(&[destination]).unwrap());
        let ends = (End::via(source, &near), End::via(destination, &far));
        proxies.replace(Some((near, far)));
        ends
    };
    let Some(mut scene) = Scene::new((Flavor::MariaDb, Flavor::MariaDb), "follow_network_cut", between) else { return };
    let (near, far) = proxies.into_inner().unwrap();
    let reader = scene.load();
    let mut running = scene.follow(&[]);
    scene.until_more_arrived(&mut running);
    for round in 0..6 {
        let proxy = if scene.random.below(2) == 0 { &near } else { &far };
        let more = scene.random.below(60_000) + 1;
        let at = proxy.bytes() + more;
        proxy.cut_after(more);
        until("a cut", || running.has_ended() || proxy.bytes() >= at);
        if round == 3 {
            proxy.refuse(true);
            proxy.cut();
            std::thread::sleep(Duration::from_millis(scene.random.below(300)));
            proxy.refuse(false);
        }
        // Cut again before anything has arrived, it would wait longer each time.
        scene.until_more_arrived(&mut running);
    }
    near.cut_never();
    far.cut_never();
    scene.until_more_arrived(&mut running);
    running.signal("TERM");
    running.end().expect(5);
    scene.ends_equal(reader);
}
