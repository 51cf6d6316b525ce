//! A folder with data of its own, the binary run in it, and a service that dies with the test.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use cognate::config::Config;
use cognate::server::{Assembled, assemble};
use serde_json::{Value, json};
use tempfile::TempDir;

const BINARY: &str = env!("CARGO_BIN_EXE_cognate");
pub const PASSWORD: &str = "correct horse battery";
/// How long a service may take to do what a command asked for; far above the second it takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// Data of its own, and the environment that commands and service share.
pub struct Place {
    pub folder: TempDir,
    pub env: Vec<(String, String)>,
}

/// What a command came to.
pub struct Done {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Done {
    /// What it printed; it must have succeeded.
    pub fn fine(self) -> String {
        assert_eq!(self.code, 0, "{}{}", self.out, self.err);
        self.out
    }

    /// Its line on standard error; it must have failed.
    pub fn failed(self) -> String {
        assert_eq!(self.code, 1, "{}{}", self.out, self.err);
        let line = self.err.trim_end();
        assert!(line.starts_with("cognate: "), "{line}");
        line["cognate: ".len()..].to_owned()
    }

    pub fn json(self) -> Value {
        serde_json::from_str(&self.fine()).unwrap()
    }
}

impl Place {
    pub fn new() -> Self {
        let mut place = Self { folder: tempfile::tempdir().unwrap(), env: Vec::new() };
        place.set("COGNATE__PASSWORD__MEMORY_KIB", "64");
        place.set("COGNATE__PASSWORD__ITERATIONS", "1");
        place.set("COGNATE__KEYS__RELOAD", "200ms");
        place.set("COGNATE__DIRECTORY__TIMEOUT", "10s");
        place.set("COGNATE__PASSWORD__QUEUE_WAIT", "10s");
        place.set("COGNATE__HTTP__PUBLIC_URL", "http://auth.example.test");
        place
    }

    pub fn set(&mut self, name: &str, value: &str) {
        self.env.push((name.to_owned(), value.to_owned()));
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) -> String {
        std::fs::write(self.path(name), text).unwrap();
        self.path(name).display().to_string()
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.folder.path()).env_remove("RUST_LOG").envs(self.env.iter().cloned());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs `cognate` with words separated by spaces; the data is in `./cognate-data`.
    pub fn run(&self, words: &str) -> Done {
        self.run_with(&words.split(' ').collect::<Vec<_>>(), "")
    }

    pub fn run_with(&self, arguments: &[&str], stdin: &str) -> Done {
        let mut child = self.command(BINARY).args(arguments).spawn().unwrap();
        // A command that refuses early does not read.
        let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
        done(child)
    }

    /// Runs a line of shell in which `cognate` is the binary.
    pub fn shell(&self, line: &str, stdin: &str) -> Done {
        let line = format!("set -o pipefail; cognate() {{ {BINARY} \"$@\"; }}; export -f cognate; {line}");
        let mut child = self.command("bash").args(["-c", &line]).spawn().unwrap();
        let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
        done(child)
    }

    /// Runs `cognate` at a terminal of its own (`script` gives one) and types each answer when its question is there;
    /// answers all that the terminal showed.
    pub fn type_to(&self, words: &str, answers: &[(&str, &str)]) -> String {
        let line = format!("{BINARY} {words}");
        let mut child = self.command("script").args(["-qec", &line, "/dev/null"]).spawn().unwrap();
        let (mut keys, mut shown, mut screen) = (child.stdin.take().unwrap(), Vec::new(), child.stdout.take().unwrap());
        let mut seen = 0;
        for (question, answer) in answers {
            while !String::from_utf8_lossy(&shown[seen..]).contains(question) {
                let mut some = [0; 256];
                let count = screen.read(&mut some).unwrap();
                assert!(count > 0, "{}", String::from_utf8_lossy(&shown));
                shown.extend_from_slice(&some[..count]);
            }
            seen = shown.len();
            // The prompt comes a moment before the terminal stops showing what is typed.
            std::thread::sleep(Duration::from_secs(1));
            keys.write_all(answer.as_bytes()).unwrap();
        }
        screen.read_to_end(&mut shown).unwrap();
        child.wait().unwrap();
        String::from_utf8(shown).unwrap()
    }

    /// The same data, for what no command does.
    pub async fn opened(&self) -> Assembled {
        let mut config = Config { data: self.path("cognate-data"), ..Config::default() };
        config.password.memory_kib = 64;
        config.password.iterations = 1;
        let opened = assemble(&config).await.unwrap();
        opened.pools.reload().await.unwrap();
        opened
    }

    /// A user with [`PASSWORD`] and the address NAME@example.test.
    pub fn user(&self, name: &str) {
        let email = format!("{name}@example.test");
        let arguments = ["users", "create", name, "--email", &email, "--password-stdin"];
        self.run_with(&arguments, &format!("{PASSWORD}\n")).fine();
    }

    pub fn serve(&self) -> Service {
        // The shell kills the service when this process, which holds the pipe, is gone in whatever way.
        let guard = r#""$@" & pid=$!; cat >/dev/null; kill -9 $pid; wait $pid"#;
        let mut child = self
            .command("sh")
            .args(["-c", guard, "sh", BINARY, "serve", "--listen", "127.0.0.1:0"])
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let said = Arc::new(Mutex::new(String::new()));
        let (lines, heard) = (BufReader::new(child.stdout.take().unwrap()).lines(), said.clone());
        std::thread::spawn(move || {
            lines.map_while(Result::ok).for_each(|line| *heard.lock().unwrap() += &(line + "\n"))
        });
        let http = reqwest::Client::builder().tls_certs_only([]).build().unwrap();
        let mut service = Service { child, said, url: String::new(), http };
        let address =
            eventually("the service listens", || Some(word_after(&service.said(), "listens on ")?.to_owned()));
        service.url = format!("http://{address}");
        service
    }
}

fn done(child: Child) -> Done {
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Done { code: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) }
}

pub fn word_after<'a>(text: &'a str, mark: &str) -> Option<&'a str> {
    text.split_once(mark)?.1.split_once(char::is_whitespace).map(|(word, _)| word)
}

/// Waits until there is an answer.
pub fn eventually<T>(what: &str, look: impl Fn() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(began.elapsed() < PATIENCE, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// `cognate serve`, killed when dropped.
pub struct Service {
    child: Child,
    said: Arc<Mutex<String>>,
    pub url: String,
    http: reqwest::Client,
}

impl Service {
    /// What it printed so far.
    pub fn said(&self) -> String {
        self.said.lock().unwrap().clone()
    }

    pub async fn post(&self, operation: &str, body: Value) -> (u16, Value) {
        let answer = self.http.post(format!("{}/v1/{operation}", self.url)).json(&body).send().await.unwrap();
        let status = answer.status().as_u16();
        (status, serde_json::from_str(&answer.text().await.unwrap()).unwrap_or(Value::Null))
    }

    pub async fn login(&self, username: &str, password: &str) -> (u16, Value) {
        self.post("login", json!({ "username": username, "password": password })).await
    }

    pub async fn get(&self, path: &str) -> Value {
        let answer = self.http.get(format!("{}{path}", self.url)).send().await.unwrap();
        serde_json::from_str(&answer.text().await.unwrap()).unwrap()
    }

    /// Stops it and waits until it has gone.
    pub fn stop(mut self) {
        drop(self.child.stdin.take());
        self.child.wait().unwrap();
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}
