//! The service itself, as a process on the stores of a case: its start, and refreshes over HTTP.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::json;

use crate::case::Case;
use crate::times::{self, Times};

pub const PROGRAM: &str = env!("CARGO_BIN_EXE_cognate");
const CALLERS: usize = 8;
const MEASURE_FOR: Duration = Duration::from_secs(2);

/// A running service.
struct Service {
    url: String,
    child: Child,
    started_in: Duration,
}

/// Start and refreshes at every size.
pub async fn print(stores: &str, cases: &[Case]) {
    times::head(&format!("{stores}: the service"), cases.iter().map(|case| case.size));
    let (mut starts, mut all) = (Vec::new(), Vec::new());
    for case in cases {
        let service = Service::start(case).await;
        starts.push(service.started_in.as_secs_f64() * 1e3);
        all.push(service.refresh(case).await);
    }
    times::row("first answer after, ms (of a file that is checked)", &starts);
    let rates: Vec<f64> = all.iter().map(|times| times.count() / MEASURE_FOR.as_secs_f64()).collect();
    times::row(&format!("refreshes a second, {CALLERS} callers"), &rates);
    times::rows("refresh", &all);
}

/// The program with the settings of a case.
pub fn program(case: &Case) -> Command {
    let mut program = Command::new(PROGRAM);
    program.env("COGNATE__DATA", &case.config.data).env("COGNATE__V1__MAX_ACCESS_TOKENS", "0");
    if let Some(url) = &case.config.directory.url {
        program.env("COGNATE__DIRECTORY__URL", url.expose());
    }
    program.env("COGNATE__TOKENS__URL", case.config.tokens.url.expose());
    program.stdout(Stdio::null()).stderr(Stdio::null());
    program
}

impl Service {
    async fn start(case: &Case) -> Self {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let began = Instant::now();
        let child = program(case).args(["serve", "--listen", &address.to_string()]).spawn().unwrap();
        let url = format!("http://{address}/v1");
        while reqwest::get(format!("{url}/status")).await.is_err() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        Self { url, child, started_in: began.elapsed() }
    }

    async fn refresh(&self, case: &Case) -> Times {
        let (client, began) = (reqwest::Client::new(), Instant::now());
        let caller = async |caller: usize| {
            let mut times = Times::default();
            let mut mine = case.sample.iter().cycle().skip(caller * case.sample.len() / CALLERS);
            while began.elapsed() < MEASURE_FOR {
                let known = mine.next().unwrap();
                let body = json!({ "username": known.user.username, "refresh_token": known.refresh_token });
                let call = client.post(format!("{}/token-refresh", self.url)).json(&body).send();
                assert_eq!(times.time(call).await.unwrap().status(), 200);
            }
            times
        };
        let mut all = Times::default();
        join_all((0..CALLERS).map(caller)).await.into_iter().for_each(|times| all.add(times));
        all
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}
