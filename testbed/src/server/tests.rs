use std::path::Path;
use std::time::{Duration, Instant};

use mysql::prelude::Queryable;

use super::*;

#[test]
fn starts_answers_survives_a_kill_and_leaves_nothing() {
    for flavor in Flavor::ALL {
        if !crate::have(flavor) {
            continue;
        }
        let server = Server::start(flavor, ServerOptions::new()).unwrap();
        assert_eq!(server.version().contains("MariaDB"), flavor == Flavor::MariaDb);
        server.exec("CREATE DATABASE d;\nCREATE TABLE d.t (a INT PRIMARY KEY);\nINSERT INTO d.t VALUES (1);").unwrap();
        server.kill9().unwrap();
        assert!(server.root_conn().is_err());
        server.restart().unwrap();
        let rows: Vec<i64> = server.root_conn().unwrap().query("SELECT a FROM d.t").unwrap();
        assert_eq!(rows, [1]);
        server.restart_with(&["--max-allowed-packet=65536"]).unwrap();
        let packet: Option<u64> = server.root_conn().unwrap().query_first("SELECT @@max_allowed_packet").unwrap();
        assert_eq!(packet, Some(65536));
        let by_socket = server.opts().socket(Some(server.socket_path().unwrap().to_string_lossy())).prefer_socket(true);
        let account: Option<String> = Conn::new(by_socket).unwrap().query_first("SELECT CURRENT_USER()").unwrap();
        assert_eq!(account.as_deref(), Some("root@localhost"));
        let (pid, folder) = (server.pid().unwrap(), server.datadir().unwrap());
        drop(server);
        assert!(!folder.exists());
        assert!(!Path::new(&format!("/proc/{pid}")).exists());
    }
}

/// Not a test of its own: the process that the next test starts and kills.
#[test]
fn holds_a_server_for_ever() {
    let Some(tell) = std::env::var_os("DTSCTL_TESTBED_TELL") else { return };
    let server = Server::start(Flavor::MariaDb, ServerOptions::new()).unwrap();
    std::fs::write(tell, server.pid().unwrap().to_string()).unwrap();
    std::thread::sleep(Duration::from_secs(600));
}

#[test]
fn dies_with_its_owner() {
    if !crate::have(Flavor::MariaDb) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let tell = folder.path().join("pid");
    let mut owner = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "server::tests::holds_a_server_for_ever"])
        .env("DTSCTL_TESTBED_TELL", &tell)
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let wait_for = |what: &dyn Fn() -> bool| {
        let begin = Instant::now();
        while !what() {
            assert!(begin.elapsed() < PATIENCE);
            std::thread::sleep(Duration::from_millis(10));
        }
    };
    wait_for(&|| std::fs::read_to_string(&tell).is_ok_and(|pid| !pid.is_empty()));
    let pid = std::fs::read_to_string(&tell).unwrap();
    let run = crate::fetch::cache_dir().join("run").join(format!("{}-0", owner.id()));
    assert!(run.exists());
    // SIGKILL: no destructor of the owner runs.
    owner.kill().unwrap();
    owner.wait().unwrap();
    wait_for(&|| !Path::new("/proc").join(&pid).exists() && !run.exists());
}

#[test]
fn tls_names_hosts_and_addresses() {
    for flavor in Flavor::ALL {
        if !crate::have(flavor) {
            continue;
        }
        let server = Server::start(flavor, ServerOptions::new().tls()).unwrap();
        let ca = server.tls().unwrap().ca.clone();
        for host in ["127.0.0.1", "localhost"] {
            let tls = mysql::SslOpts::default().with_root_cert_path(Some(ca.clone()));
            let mut conn = Conn::new(server.opts().ip_or_hostname(Some(host)).ssl_opts(tls)).unwrap();
            let cipher: Option<(String, String)> = conn.query_first("SHOW SESSION STATUS LIKE 'Ssl_cipher'").unwrap();
            assert_ne!(cipher.unwrap().1, "");
        }
    }
}

#[test]
fn a_limited_data_folder_fills_up_and_can_grow() {
    for flavor in Flavor::ALL {
        if !crate::have(flavor) {
            continue;
        }
        let server = match Server::start(flavor, ServerOptions::new().data_limit(220 << 20).binlog(false)) {
            Err(error) if format!("{error:#}").contains("cannot mount") => {
                crate::fetch::progress("SKIPPED: no tmpfs can be mounted here");
                continue;
            }
            other => other.unwrap(),
        };
        server.exec("CREATE DATABASE d;\nCREATE TABLE d.t (a INT AUTO_INCREMENT PRIMARY KEY, b VARCHAR(500))").unwrap();
        let mut conn = server.root_conn().unwrap();
        let row = format!("(REPEAT('x', 500)){}", ", (REPEAT('y', 500))".repeat(1999));
        let fill = |conn: &mut Conn| (0..150).try_for_each(|_| conn.query_drop(format!("INSERT INTO d.t (b) VALUES {row}")));
        let error = fill(&mut conn).unwrap_err().to_string();
        assert!(error.contains("full") || error.contains("1114"), "{flavor}: {error}\n{}", server.log().unwrap());
        server.resize_data("1g").unwrap();
        fill(&mut conn).map_err(|error| format!("{error}; {}", server.log().unwrap())).unwrap();
    }
}
