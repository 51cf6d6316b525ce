//! Redis as operators run it: one server, with TLS and ACL, behind Sentinels, as a Cluster. Needs `redis-server`,
//! `redis-cli` (Debian: `apt-get install redis-server`) and `openssl`.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use cognate::config::{Period, Secret, Tokens};
use cognate::store::tokens::TokenStore;
use redis::{Connection, FromRedisValue};

/// The user that the program is, and its password in a URL. What it may do is what src/store/redis/mod.rs says.
const ACL: &str = "cognate on >p@ss/word ~cognate:* -@all +eval +evalsha +hget +hset +hdel +hkeys +hgetall \
                   +hmget +hincrby +hrandfield +del +set +pexpire +pttl +time +info";
const USER: &str = "cognate:p%40ss%2Fword";

/// A port of which nobody listens on it or on the one that a Cluster node opens beside it.
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = 12_000 + u16::try_from(std::process::id() % 200).unwrap() * 40;
    let free = |port| TcpListener::bind(("127.0.0.1", port)).is_ok();
    (0..2_000)
        .map(|_| first + NEXT.fetch_add(1, Ordering::Relaxed))
        .find(|port| free(*port) && free(port + 10_000))
        .expect("no free port")
}

/// Waits until `ready` holds.
pub fn eventually(what: &str, ready: impl Fn() -> bool) {
    let started = Instant::now();
    while !ready() {
        assert!(started.elapsed() < Duration::from_secs(20), "{what} did not come about in 20 s");
        sleep(Duration::from_millis(20));
    }
}

/// A process of ours. It ends with the test process however that ends: its shell waits on a pipe that we hold.
struct Process {
    shell: Child,
    pipe: ChildStdin,
    pid: String,
}

const SHELL: &str = r#"dir=$1; shift; "$@" >/dev/null 2>&1 & pid=$!; echo $pid; read word; kill -9 $pid
                       [ "$word" = keep ] || rm -rf "$dir""#;

impl Process {
    fn start(dir: &Path, program: &[&str]) -> Self {
        let mut shell = Command::new("sh");
        shell.args(["-c", SHELL, "sh"]).arg(dir).args(program).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut shell = shell.stderr(Stdio::null()).spawn().unwrap();
        let pipe = shell.stdin.take().unwrap();
        let mut pid = String::new();
        BufReader::new(shell.stdout.take().unwrap()).read_line(&mut pid).unwrap();
        Self { shell, pipe, pid: pid.trim().to_owned() }
    }

    /// SIGKILL; the folder stays.
    fn kill(mut self) {
        self.pipe.write_all(b"keep\n").unwrap();
        self.shell.wait().unwrap();
    }

    fn signal(&self, name: &str) {
        assert!(Command::new("kill").args(["-s", name, &self.pid]).status().unwrap().success());
    }
}

/// One `redis-server`, which can be stopped and started again on its port and folder.
pub struct Server {
    pub port: u16,
    pub dir: PathBuf,
    /// Userinfo of an administrator, as it stands in a URL.
    admin: &'static str,
    args: Vec<String>,
    process: Option<Process>,
}

impl Server {
    /// Starts a server with `args` besides the port and the folder.
    pub fn start(args: &[&str]) -> Self {
        let mut server = Self::stopped(args);
        server.up();
        server
    }

    /// A server that is not started yet.
    pub fn stopped(args: &[&str]) -> Self {
        let dir = tempfile::Builder::new().prefix("cognate-redis-").tempdir().unwrap().keep();
        let args = args.iter().map(|arg| (*arg).to_owned()).collect();
        Self { port: free_port(), dir, admin: "", args, process: None }
    }

    fn program(&self) -> Vec<String> {
        let fixed = [
            "redis-server".to_owned(),
            "--port".to_owned(),
            self.port.to_string(),
            "--dir".to_owned(),
            self.dir.display().to_string(),
        ];
        let quiet = ["--bind", "127.0.0.1", "--save", "", "--logfile", "log"].map(str::to_owned);
        fixed.into_iter().chain(quiet).chain(self.args.iter().cloned()).collect()
    }

    /// Starts it and waits until it answers.
    pub fn up(&mut self) {
        let found = Command::new("redis-server").arg("--version").output().is_ok();
        assert!(found, "redis-server is missing: apt-get install redis-server");
        let program = self.program();
        let program: Vec<&str> = program.iter().map(String::as_str).collect();
        self.process = Some(Process::start(&self.dir, &program));
        eventually("an answering redis-server", || self.try_ask::<String>(&["PING"]).is_ok());
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        self.process.take().unwrap().kill();
    }

    /// SIGSTOP: it keeps its connections and says nothing.
    pub fn pause(&self) {
        self.process.as_ref().unwrap().signal("STOP");
    }

    /// SIGCONT.
    pub fn resume(&self) {
        self.process.as_ref().unwrap().signal("CONT");
    }

    fn connect(&self) -> redis::RedisResult<Connection> {
        let url = format!("redis://{}127.0.0.1:{}", self.admin, self.port);
        redis::Client::open(url)?.get_connection_with_timeout(Duration::from_secs(2))
    }

    fn try_ask<T: FromRedisValue>(&self, command: &[&str]) -> redis::RedisResult<T> {
        let mut connection = self.connect()?;
        connection.set_read_timeout(Some(Duration::from_secs(5)))?;
        let (name, args) = command.split_first().unwrap();
        redis::cmd(name).arg(args).query(&mut connection)
    }

    /// What the administrator is told. A server that changes its role drops its connections, so a dropped one is
    /// asked again.
    pub fn ask<T: FromRedisValue>(&self, command: &[&str]) -> T {
        for _ in 0..20 {
            match self.try_ask(command) {
                Err(fault) if fault.is_io_error() => std::thread::sleep(Duration::from_millis(50)),
                answer => return answer.unwrap(),
            }
        }
        self.try_ask(command).unwrap()
    }

    /// Lets the program's user in, who may also do `more`.
    fn admit(&self, more: &[&str]) {
        let rights: Vec<&str> = ACL.split_whitespace().collect();
        self.ask::<()>(&[&["ACL", "SETUSER"], rights.as_slice(), more].concat());
    }

    /// The same on a node of a Cluster.
    pub fn admit_to_cluster(&self) {
        self.admit(&["+cluster|slots", "+asking", "+wait"]);
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }
}

/// Settings for `url` with the default deadlines.
pub fn settings(url: &str) -> Tokens {
    Tokens { url: Secret::new(url), ..Tokens::default() }
}

/// A store as the program opens it.
pub fn open(settings: &Tokens) -> Arc<dyn TokenStore> {
    Arc::new(cognate::store::redis::open(settings).unwrap())
}

/// A store whose deadlines do not matter: what is tested is not how fast a busy machine is.
pub fn patient(settings: Tokens) -> Arc<dyn TokenStore> {
    open(&Tokens { connect_timeout: Period::seconds(5), timeout: Period::seconds(10), ..settings })
}

/// A server that speaks TLS under a CA of its own and knows the user `cognate`, who may do only what is needed.
pub struct Guarded {
    pub server: Server,
    tls_port: u16,
}

impl Guarded {
    pub fn start() -> Self {
        let mut server = Server::stopped(&[]);
        certify(&server.dir);
        let tls_port = free_port();
        let args = format!(
            "--tls-port {tls_port} --tls-cert-file server.pem --tls-key-file server.key --tls-ca-cert-file ca.pem \
             --tls-auth-clients no --requirepass admin"
        );
        server.args = args.split(' ').map(str::to_owned).collect();
        server.admin = ":admin@";
        server.up();
        server.admit(&[]);
        Self { server, tls_port }
    }

    pub fn settings(&self) -> Tokens {
        let url = format!("rediss://{USER}@127.0.0.1:{}", self.tls_port);
        Tokens { ca_file: Some(self.server.dir.join("ca.pem")), ..settings(&url) }
    }
}

/// A CA and a certificate for 127.0.0.1.
fn certify(dir: &Path) {
    let script = "openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 2 -subj '/CN=Test CA'
        openssl req -newkey rsa:2048 -nodes -keyout server.key -out server.csr -subj /CN=localhost
        echo 'subjectAltName=IP:127.0.0.1,DNS:localhost' > ext
        openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out server.pem -days 2 -extfile ext";
    let made = Command::new("sh").args(["-ec", script]).current_dir(dir).output().unwrap();
    assert!(made.status.success(), "openssl is missing or failed: {}", String::from_utf8_lossy(&made.stderr));
}

/// A master, its replica and three Sentinels.
pub struct Watched {
    pub master: Server,
    pub replica: Server,
    sentinels: Vec<Server>,
}

impl Watched {
    /// Starts them; a silent master is given up after `down_after` milliseconds.
    pub fn start(down_after: u32) -> Self {
        let master = Server::start(&["--repl-diskless-sync-delay", "0"]);
        let port = master.port.to_string();
        let replica = Server::start(&["--replicaof", "127.0.0.1", &port]);
        eventually("replication", || replica.ask::<String>(&["INFO", "replication"]).contains("master_link_status:up"));
        [&master, &replica].iter().for_each(|server| server.admit(&["+role", "+wait"]));
        let sentinels: Vec<Server> = (0..3).map(|_| sentinel(&port, down_after)).collect();
        let watched = Self { master, replica, sentinels };
        eventually("Sentinels that know each other", || watched.sentinels.iter().all(Server::is_informed));
        watched
    }

    pub fn url(&self) -> String {
        let hosts: Vec<_> = self.sentinels.iter().map(|sentinel| format!("127.0.0.1:{}", sentinel.port)).collect();
        format!("redis-sentinel://{USER}@{}/main", hosts.join(","))
    }

    /// Makes the replica master while the old master lives, and waits until that is done.
    pub fn fail_over(&self) {
        eventually("a fail-over that begins", || {
            self.sentinels[0].try_ask::<String>(&["SENTINEL", "FAILOVER", "main"]).is_ok()
        });
        let role = |server: &Server| server.ask::<String>(&["INFO", "replication"]);
        eventually("a new master", || role(&self.replica).contains("role:master"));
        eventually("an old master that follows", || role(&self.master).contains("role:slave"));
    }
}

fn sentinel(master_port: &str, down_after: u32) -> Server {
    let mut sentinel = Server::stopped(&[]);
    let rules = format!(
        "sentinel monitor main 127.0.0.1 {master_port} 2\nsentinel down-after-milliseconds main {down_after}\n\
         sentinel failover-timeout main 5000\n"
    );
    let file = sentinel.dir.join("sentinel.conf");
    std::fs::write(&file, rules).unwrap();
    sentinel.args = vec!["--sentinel".to_owned()];
    let program = sentinel.program();
    let mut program: Vec<&str> = program.iter().map(String::as_str).collect();
    let file = file.display().to_string();
    program.insert(1, &file);
    program.retain(|arg| !["--save", ""].contains(arg));
    sentinel.process = Some(Process::start(&sentinel.dir, &program));
    eventually("an answering Sentinel", || sentinel.try_ask::<String>(&["PING"]).is_ok());
    sentinel
}

impl Server {
    fn is_informed(&self) -> bool {
        let others = self.ask::<Vec<redis::Value>>(&["SENTINEL", "SENTINELS", "main"]).len();
        let replicas = self.ask::<Vec<redis::Value>>(&["SENTINEL", "REPLICAS", "main"]).len();
        others == 2 && replicas == 1
    }
}

/// Three nodes that share the slots.
pub struct Cluster {
    pub nodes: Vec<Server>,
}

impl Cluster {
    /// Starts them with `args` besides what makes them a Cluster.
    pub fn start(args: &[&str]) -> Self {
        let args = [&["--cluster-enabled", "yes", "--cluster-node-timeout", "2000"], args].concat();
        let cluster = Self { nodes: (0..3).map(|_| Server::start(&args)).collect() };
        cluster.create(cluster.nodes.iter().map(|node| node.port), &[]);
        cluster
    }

    fn create(&self, ports: impl Iterator<Item = u16>, more: &[&str]) {
        let mut create = vec!["--cluster".to_owned(), "create".to_owned()];
        create.extend(ports.map(|port| format!("127.0.0.1:{port}")));
        create.push("--cluster-yes".to_owned());
        create.extend(more.iter().map(|arg| (*arg).to_owned()));
        redis_cli(&create);
        self.nodes.iter().for_each(Server::admit_to_cluster);
        self.whole();
    }

    pub fn url(&self) -> String {
        let hosts: Vec<_> = self.nodes.iter().map(|node| format!("127.0.0.1:{}", node.port)).collect();
        format!("redis-cluster://{USER}@{}", hosts.join(","))
    }

    /// A replica of one of the nodes.
    pub fn replica_of(&self, node: usize) -> Server {
        let replica = Server::start(&["--cluster-enabled", "yes", "--cluster-node-timeout", "2000"]);
        let master = &self.nodes[node];
        replica.ask::<()>(&["CLUSTER", "MEET", "127.0.0.1", &master.port.to_string()]);
        let id: String = master.ask(&["CLUSTER", "MYID"]);
        eventually("a replica of a node", || replica.try_ask::<()>(&["CLUSTER", "REPLICATE", &id]).is_ok());
        eventually("replication", || replica.ask::<String>(&["INFO", "replication"]).contains("master_link_status:up"));
        replica.admit_to_cluster();
        replica
    }

    /// Waits until every node finds every slot served.
    pub fn whole(&self) {
        let ok = |node: &Server| node.ask::<String>(&["CLUSTER", "INFO"]).contains("cluster_state:ok");
        eventually("a whole Cluster", || self.nodes.iter().all(ok));
    }

    /// Moves `slots` slots from one node to another, keys and all.
    pub fn reshard(&self, from: usize, to: usize, slots: usize) {
        let id = |index: usize| self.nodes[index].ask::<String>(&["CLUSTER", "MYID"]);
        let address = format!("127.0.0.1:{}", self.nodes[0].port);
        let (from, to, slots) = (id(from), id(to), slots.to_string());
        let words = ["--cluster", "reshard", &address, "--cluster-from", &from, "--cluster-to", &to];
        let more = ["--cluster-slots", &slots, "--cluster-yes", "--cluster-pipeline", "1"];
        redis_cli(&[words.as_slice(), more.as_slice()].concat().into_iter().map(str::to_owned).collect::<Vec<_>>());
    }
}

/// A Cluster whose nodes speak TLS to clients and to each other, under a CA of its own.
pub struct GuardedCluster {
    _nodes: Cluster,
    tls_ports: Vec<u16>,
    ca: PathBuf,
}

impl GuardedCluster {
    pub fn start() -> Self {
        let ca = Server::stopped(&[]).dir;
        certify(&ca);
        let tls_ports: Vec<u16> = (0..3).map(|_| free_port()).collect();
        let node = |port: &u16| {
            let file = |name: &str| ca.join(name).display().to_string();
            let args = format!(
                "--cluster-enabled yes --tls-cluster yes --tls-port {port} --tls-auth-clients no \
                 --tls-cert-file {} --tls-key-file {} --tls-ca-cert-file {}",
                file("server.pem"),
                file("server.key"),
                file("ca.pem"),
            );
            Server::start(&args.split_whitespace().collect::<Vec<_>>())
        };
        let cluster = Cluster { nodes: tls_ports.iter().map(node).collect() };
        let ca = ca.join("ca.pem");
        cluster.create(tls_ports.iter().copied(), &["--tls", "--cacert", &ca.display().to_string()]);
        Self { _nodes: cluster, tls_ports, ca }
    }

    /// One node is named; the others are found.
    pub fn settings(&self) -> Tokens {
        let url = format!("redis-cluster://{USER}@127.0.0.1:{}?tls=true", self.tls_ports[0]);
        Tokens { ca_file: Some(self.ca.clone()), ..settings(&url) }
    }
}

fn redis_cli(args: &[String]) {
    let said = Command::new("redis-cli").args(args).stdin(Stdio::null()).output().unwrap();
    assert!(
        said.status.success(),
        "{}{}",
        String::from_utf8_lossy(&said.stdout),
        String::from_utf8_lossy(&said.stderr)
    );
}
