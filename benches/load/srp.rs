//! Sign-ins by SRP, each with both of its calls, from several callers at once: what wrk can not do, because every answer
//! has to be reckoned with.

use std::path::Path;
use std::time::{Duration, Instant};

use cognate::clock::{Clock as _, SystemClock};
use futures_util::future::join_all;
use reqwest::Client;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::macros::format_description;

use crate::seed::PASSWORD;
use crate::srp_client::SrpClient;

const TARGET: &str = "AWSCognitoIdentityProviderService";

/// Whom the sign-ins go to, and as whose client.
struct Place<'a> {
    http: Client,
    url: &'a str,
    client: &'a str,
    pool: &'a str,
    proof: SrpClient,
}

/// Signs the users of a file in, one after the other and again, as long as it is said; prints figures as wrk.lua does.
/// `client` is `POOL/CLIENT`.
pub async fn sign_in(url: &str, client: &str, file: &Path, (callers, seconds): (usize, u64)) {
    let (pool, client) = client.split_once('/').unwrap();
    let place = Place { http: Client::new(), url, client, pool, proof: SrpClient::new(7) };
    let lines = std::fs::read_to_string(file).unwrap();
    let names: Vec<&str> = lines.lines().map(|line| line.split(' ').next().unwrap()).collect();
    let (began, whole) = (Instant::now(), Duration::from_secs(seconds));
    let callers = (0..callers).map(|number| {
        let (place, names) = (&place, names.iter().cycle().skip(number * names.len() / callers));
        async move {
            let mut times = Vec::new();
            for name in names.take_while(|_| began.elapsed() < whole) {
                let asked = Instant::now();
                times.push((place.one(name).await, asked.elapsed()));
            }
            times
        }
    });
    let times = join_all(callers).await.concat();
    print(&times, began.elapsed());
}

impl Place<'_> {
    /// Whether one sign-in came to tokens.
    async fn one(&self, name: &str) -> bool {
        let parameters = json!({ "USERNAME": name, "SRP_A": self.proof.srp_a() });
        let first = json!({ "ClientId": self.client, "AuthFlow": "USER_SRP_AUTH", "AuthParameters": parameters });
        let asked = self.call("InitiateAuth", &first).await;
        let parameters = &asked["ChallengeParameters"];
        if !parameters["SRP_B"].is_string() {
            return false;
        }
        let responses = self.proof.answer(self.pool, parameters, PASSWORD, &now());
        let second =
            json!({ "ClientId": self.client, "ChallengeName": "PASSWORD_VERIFIER", "ChallengeResponses": responses });
        let answered = self.call("RespondToAuthChallenge", &second).await;
        answered["AuthenticationResult"]["AccessToken"].is_string()
    }

    async fn call(&self, operation: &str, body: &Value) -> Value {
        let request = self.http.post(self.url).header("content-type", "application/x-amz-json-1.1");
        let request = request.header("x-amz-target", format!("{TARGET}.{operation}"));
        request.body(body.to_string()).send().await.unwrap().json().await.unwrap()
    }
}

/// The instant as SRP has it.
fn now() -> String {
    let form = format_description!(
        "[weekday repr:short] [month repr:short] [day padding:none] [hour]:[minute]:[second] UTC [year]"
    );
    OffsetDateTime::from_unix_timestamp(SystemClock::default().now().seconds()).unwrap().format(form).unwrap()
}

fn print(times: &[(bool, Duration)], whole: Duration) {
    let mut good: Vec<Duration> = times.iter().filter(|(right, _)| *right).map(|(_, time)| *time).collect();
    good.sort();
    let part = |percent: usize| good.get(good.len() * percent / 100).copied().unwrap_or_default().as_secs_f64() * 1e3;
    let figures = json!({
        "requests": times.len(), "seconds": whole.as_secs_f64(), "bad": times.len() - good.len(), "p50": part(50),
        "p99": part(99),
    });
    println!("RESULT {figures}");
}
