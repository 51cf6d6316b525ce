//! PostgreSQL: one server that all tests share, or one of one's own to break.

use std::net::TcpListener;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use cognate::crypto::Random;
use sqlx::Connection as _;

/// Ends the server when the pipe of the test process closes, however that process ended.
const KEEPER: &str = r#"
"$@" & server=$!
cat > /dev/null
kill -CONT $server; kill -QUIT $server; wait $server
[ -z "$REMOVE" ] || rm -rf "$REMOVE"
"#;

/// A running PostgreSQL.
pub struct Postgres {
    folder: PathBuf,
    port: u16,
    keeper: Child,
}

impl Postgres {
    /// Makes and starts a server of one's own.
    pub fn start() -> Self {
        let folder = std::env::temp_dir().join(format!("cognate-pg-{}", Random::default().uuid().unwrap().simple()));
        std::fs::create_dir(&folder).unwrap();
        if is_root() {
            let owned = Command::new("chown").arg("nobody:nogroup").arg(&folder).status().unwrap();
            assert!(owned.success());
        }
        let data = folder.join("data");
        let made = unprivileged(&program("initdb"))
            .current_dir(&folder)
            .args(["--no-sync", "-A", "trust", "-U", "postgres", "-E", "UTF8", "-D"])
            .arg(&data)
            .output()
            .unwrap();
        assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let keeper = launch(&folder, port);
        let server = Self { folder, port, keeper };
        server.wait_until_ready();
        server
    }

    /// The address of a new, empty database.
    pub async fn database(&self) -> String {
        let name = format!("t_{}", Random::default().uuid().unwrap().simple());
        let mut connection = sqlx::PgConnection::connect(&self.url("postgres")).await.unwrap();
        let text = format!("CREATE DATABASE {name}");
        sqlx::raw_sql(sqlx::AssertSqlSafe(text)).execute(&mut connection).await.unwrap();
        self.url(&name)
    }

    /// The address of a database.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    /// What it has logged so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    /// Freezes the server and all its processes: connections stay open and nobody answers.
    pub fn freeze(&self) {
        self.signal("-STOP");
    }

    /// Lets a frozen server go on.
    pub fn thaw(&self) {
        self.signal("-CONT");
    }

    /// Kills the server as a power cut would.
    pub fn kill(&mut self) {
        // The keeper first: it would remove the folder.
        self.keeper.kill().unwrap();
        self.keeper.wait().unwrap();
        self.signal("-KILL");
    }

    /// Starts a killed server again, on the same data and port.
    pub fn restart(&mut self) {
        // Its process is dead, but may still be listed where nobody collects the dead.
        std::fs::remove_file(self.folder.join("data/postmaster.pid")).unwrap();
        self.keeper = launch(&self.folder, self.port);
        self.wait_until_ready();
    }

    /// Freezes the processes of all connections there are; new ones are served.
    pub fn freeze_connections(&self) {
        send("-STOP", &self.processes()[1..]);
    }

    fn signal(&self, signal: &str) {
        send(signal, &self.processes());
    }

    /// The server's process, then those it started.
    fn processes(&self) -> Vec<String> {
        let first = std::fs::read_to_string(self.folder.join("data/postmaster.pid")).unwrap();
        let first = first.lines().next().unwrap().to_owned();
        let children = std::fs::read_to_string(format!("/proc/{first}/task/{first}/children")).unwrap();
        std::iter::once(first).chain(children.split_whitespace().map(str::to_owned)).collect()
    }

    fn wait_until_ready(&self) {
        let limit = Instant::now() + Duration::from_secs(60);
        let port = self.port.to_string();
        let ask = || Command::new(program("pg_isready")).args(["-h", "127.0.0.1", "-p", &port]).output().unwrap();
        while !ask().status.success() {
            assert!(Instant::now() < limit, "PostgreSQL did not start:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.keeper.stdin.take();
        let _ = self.keeper.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// The address of a new database on the server that all tests of this process share.
pub async fn database() -> String {
    static SHARED: OnceLock<Postgres> = OnceLock::new();
    let server = tokio::task::spawn_blocking(|| SHARED.get_or_init(Postgres::start)).await.unwrap();
    server.database().await
}

/// A signal to one that has just ended is no fault.
fn send(signal: &str, processes: &[String]) {
    let _ = Command::new("kill").arg(signal).args(processes).output();
}

fn launch(folder: &Path, port: u16) -> Child {
    let log = std::fs::File::create(folder.join("log")).unwrap();
    let server = unprivileged(&program("postgres"));
    let mut keeper = Command::new("sh");
    keeper.args(["-c", KEEPER, "sh"]).arg(server.get_program()).args(server.get_args());
    keeper.arg("-D").arg(folder.join("data")).args(["-p", &port.to_string()]);
    for setting in ["listen_addresses=127.0.0.1", "unix_socket_directories=", "fsync=off", "max_connections=300"] {
        keeper.args(["-c", setting]);
    }
    keeper.env("REMOVE", folder).current_dir(folder).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(log);
    keeper.spawn().unwrap()
}

/// PostgreSQL refuses to run as root.
fn unprivileged(program: &Path) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=nobody", "--regid=nogroup", "--clear-groups"]).arg(program);
    command
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").unwrap().uid() == 0
}

fn program(name: &str) -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let found = versions.map(|version| version.path().join("bin").join(name)).filter(|path| path.exists()).max();
    found.expect("PostgreSQL is missing: apt-get install postgresql")
}
