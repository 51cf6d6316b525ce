//! Trigger webhooks against real servers on loopback, each of which does one thing right or wrong.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use cognate::clock::Timestamp;
use cognate::config::{self, List, Period, Secret};
use cognate::crypto;
use cognate::outbound::hook::{CallerContext, Event, HookError, Hooks};
use serde_json::{Map, Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use url::Url;

const KEY: &str = "a key that only this deployment has";
const ARN: &str = "arn:aws:lambda:us-east-1:123456789012:function:pre-sign-up";
const NOW: Timestamp = Timestamp(1_790_000_000_500);
const FILLED: &str = r#"{"version":"1","response":{"autoConfirmUser":true}}"#;

/// What a server does with one connection, once it has the request.
#[derive(Clone)]
enum Act {
    /// Answers.
    Say(u16, String),
    /// Answers with a head of its own.
    Head(&'static str),
    /// Says nothing, for ever.
    Wait,
    /// Hangs up.
    Leave,
    /// Sends as much as is taken.
    Flood,
}

/// A server: each connection gets the next act, and the last one from then on.
struct Server {
    url: Url,
    heard: Arc<Mutex<Vec<String>>>,
    sent: Arc<AtomicUsize>,
}

impl Server {
    async fn start(acts: Vec<Act>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = Url::parse(&format!("http://{}/hook?pool=1", listener.local_addr().unwrap())).unwrap();
        let server = Self { url, heard: Arc::default(), sent: Arc::default() };
        let (heard, sent) = (server.heard.clone(), server.sent.clone());
        tokio::spawn(async move {
            for next in 0.. {
                let (stream, _) = listener.accept().await.unwrap();
                let act = acts[next.min(acts.len() - 1)].clone();
                tokio::spawn(play(stream, act, heard.clone(), sent.clone()));
            }
        });
        server
    }

    async fn call(&self) -> Result<Map<String, Value>, HookError> {
        hooks(&[&format!("pre-sign-up={}", self.url)]).unwrap().call(ARN, &event(), NOW).await
    }

    fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }
}

async fn play(mut stream: TcpStream, act: Act, heard: Arc<Mutex<Vec<String>>>, sent: Arc<AtomicUsize>) {
    let request = request(&mut stream).await;
    heard.lock().unwrap().push(request);
    match act {
        Act::Say(status, body) => {
            let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
            stream.write_all((head + &body).as_bytes()).await.unwrap();
        }
        Act::Head(head) => stream.write_all(head.as_bytes()).await.unwrap(),
        Act::Wait => std::future::pending().await,
        Act::Leave => {}
        Act::Flood => {
            let head = "HTTP/1.1 200 OK\r\ncontent-length: 1073741824\r\n\r\n";
            stream.write_all(head.as_bytes()).await.unwrap();
            while let Ok(count) = stream.write(&[b'x'; 65_536]).await {
                sent.fetch_add(count, Ordering::SeqCst);
            }
        }
    }
}

/// Head and body of one request.
async fn request(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    loop {
        let mut part = [0; 4096];
        let count = stream.read(&mut part).await.unwrap();
        text.extend_from_slice(&part[..count]);
        let whole = String::from_utf8_lossy(&text).into_owned();
        if count == 0 {
            return whole;
        }
        let Some((head, body)) = whole.split_once("\r\n\r\n") else { continue };
        let length: usize = header(head, "content-length").unwrap().parse().unwrap();
        if body.len() == length {
            return whole;
        }
    }
}

fn header<'a>(request: &'a str, name: &str) -> Option<&'a str> {
    let lines = request.lines().take_while(|line| !line.is_empty());
    lines
        .filter_map(|line| line.split_once(": "))
        .find(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
}

fn hooks(functions: &[&str]) -> Result<Hooks, String> {
    let functions = List(functions.iter().map(|entry| (*entry).to_owned()).collect());
    let (signing_key, timeout) = (Some(Secret::new(KEY)), Period::milliseconds(500));
    Hooks::new(&config::Hooks { functions, signing_key, timeout, ..config::Hooks::default() })
}

fn event() -> Event {
    Event {
        version: "1".to_owned(),
        trigger_source: "PreSignUp_SignUp".to_owned(),
        region: "us-east-1".to_owned(),
        user_pool_id: "us-east-1_Sample000".to_owned(),
        user_name: "alice".to_owned(),
        caller_context: CallerContext { aws_sdk_version: "unknown".to_owned(), client_id: "web".to_owned() },
        request: json!({"userAttributes": {"email": "alice@example.com"}}),
        response: json!({"autoConfirmUser": false}),
    }
}

fn say(status: u16, body: impl Into<String>) -> Act {
    Act::Say(status, body.into())
}

#[tokio::test]
async fn a_hook_gets_the_event_signed_and_answers_it_filled_in() {
    let server = Server::start(vec![say(200, FILLED)]).await;
    assert_eq!(Value::Object(server.call().await.unwrap()), json!({"autoConfirmUser": true}));
    let heard = server.heard();
    let (head, body) = heard[0].split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("POST /hook?pool=1 HTTP/1.1\r\n"), "{head}");
    assert_eq!(header(head, "content-type"), Some("application/json"));
    assert_eq!(
        serde_json::from_str::<Value>(body).unwrap(),
        json!({
            "version": "1",
            "triggerSource": "PreSignUp_SignUp",
            "region": "us-east-1",
            "userPoolId": "us-east-1_Sample000",
            "userName": "alice",
            "callerContext": {"awsSdkVersion": "unknown", "clientId": "web"},
            "request": {"userAttributes": {"email": "alice@example.com"}},
            "response": {"autoConfirmUser": false},
        })
    );
    let tag = crypto::hmac_sha256(KEY.as_bytes(), &[b"1790000000.", body.as_bytes()]);
    assert_eq!(header(head, "cognate-signature"), Some(format!("t=1790000000,v1={}", hex::encode(tag)).as_str()));
    assert_eq!(heard.len(), 1);
}

#[tokio::test]
async fn a_hook_that_is_away_for_a_moment_is_asked_again() {
    for moment in [say(503, ""), Act::Leave, Act::Wait, Act::Head("nonsense\r\n\r\n")] {
        let server = Server::start(vec![moment, say(500, "{}"), say(200, FILLED)]).await;
        assert!(server.call().await.is_ok());
        let heard = server.heard();
        assert_eq!(heard.len(), 3);
        assert_eq!(heard[0], heard[2]);
    }
}

#[tokio::test]
async fn a_hook_that_stays_away_is_asked_three_times() {
    let server = Server::start(vec![say(500, r#"{"errorMessage":"a fault of the hook"}"#)]).await;
    assert_eq!(server.call().await, Err(HookError::Unreachable("it answered 500".to_owned())));
    assert_eq!(server.heard().len(), 3);
}

// P14: a slow hook keeps nobody longer than three tries.
#[tokio::test]
async fn a_slow_hook_is_left_at_the_deadline() {
    let slow = Act::Head("HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{\"response\"");
    let server = Server::start(vec![Act::Wait, slow, Act::Wait]).await;
    let began = Instant::now();
    assert!(matches!(server.call().await, Err(HookError::Unreachable(_))));
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    assert_eq!(server.heard().len(), 3);
}

#[tokio::test]
async fn a_port_without_a_server_is_unreachable() {
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let hooks = hooks(&[&format!("pre-sign-up=http://{gone}/?token=secret")]).unwrap();
    let Err(HookError::Unreachable(why)) = hooks.call(ARN, &event(), NOW).await else {
        panic!("nobody is there");
    };
    assert!(!why.contains("secret"), "{why}");
}

// P14: a redirect leads nowhere, least of all past the list.
#[tokio::test]
async fn a_redirect_is_not_followed() {
    let server = Server::start(vec![Act::Head(
        "HTTP/1.1 307 X\r\nlocation: http://169.254.169.254/latest/meta-data/\r\ncontent-length: 0\r\n\r\n",
    )])
    .await;
    assert_eq!(server.call().await, Err(HookError::Malformed("it answered 307".to_owned())));
    assert_eq!(server.heard().len(), 1);
}

// P14: an answer of 1 GB is cut.
#[tokio::test]
async fn an_answer_without_end_is_cut() {
    let server = Server::start(vec![Act::Flood]).await;
    assert_eq!(server.call().await, Err(HookError::Malformed("it is larger than 1 MiB".to_owned())));
    // What lies in the buffers on the way has been sent, and no more.
    assert!(server.sent.load(Ordering::SeqCst) < 64 << 20);
    assert_eq!(server.heard().len(), 1);
}

#[tokio::test]
async fn a_hook_refuses_in_its_own_words() {
    let server = Server::start(vec![say(400, r#"{"errorMessage":"no such plan","errorType":"Error"}"#)]).await;
    assert_eq!(server.call().await, Err(HookError::Failed { message: "no such plan".to_owned() }));
    assert_eq!(server.heard().len(), 1, "a refusal is an answer");
    let wordy = json!({"errorMessage": "é".repeat(5000)}).to_string();
    let Err(HookError::Failed { message }) = Server::start(vec![say(403, wordy)]).await.call().await else {
        panic!("a refusal");
    };
    assert_eq!(message, "é".repeat(1000));
}

#[tokio::test]
async fn an_answer_that_nobody_understands_is_malformed() {
    for (status, body, why) in [
        (200, "", "it has no response"),
        (200, "null", "it has no response"),
        (200, "[]", "it has no response"),
        (200, "{}", "it has no response"),
        (200, r#"{"response":null}"#, "it has no response"),
        (200, r#"{"response":[true]}"#, "it has no response"),
        (200, r#"{"response":{}"#, "it has no response"),
        (200, &"[".repeat(100_000), "it has no response"),
        (404, "Not found", "it answered 404"),
        (400, r#"{"message":"no"}"#, "it answered 400"),
        (304, "", "it answered 304"),
    ] {
        let outcome = Server::start(vec![say(status, body)]).await.call().await;
        assert_eq!(outcome, Err(HookError::Malformed(why.to_owned())), "{status} {body:.20}");
    }
}

// P14: only what is listed is called, and the cloud's own services are not even then.
#[tokio::test]
async fn what_is_not_listed_is_not_called() {
    let server = Server::start(vec![say(200, FILLED)]).await;
    let port = server.url.port().unwrap();
    let call = async |entry: &str, arn: &str| {
        let hooks = hooks(&[entry]).unwrap();
        let outcome = hooks.call(arn, &event(), NOW).await.map(drop);
        assert_eq!(outcome.is_ok(), hooks.serves(arn));
        outcome.err().map(|error| error.to_string())
    };
    let here = format!("http://127.0.0.1:{port}/");
    for (entry, arn) in [
        (format!("other={here}"), ARN),
        (format!("pre-sign-up={here}"), "arn:aws:lambda:us-east-1:123456789012:function:pre-sign-up-2"),
        (format!("pre-sign-up={here}"), "arn:aws:lambda:us-east-1:123456789012:layer"),
        (format!("{ARN}={here}"), "arn:aws:lambda:us-east-1:999999999999:function:pre-sign-up"),
    ] {
        let unlisted = format!("the hook did not answer: hooks.functions has no URL for {arn}");
        assert_eq!(call(&entry, arn).await, Some(unlisted), "{entry}");
    }
    assert_eq!(server.heard(), Vec::<String>::new());
    let version = "arn:aws:lambda:us-east-1:123456789012:function:pre-sign-up:7";
    assert_eq!(call(&format!("pre-sign-up={here}"), version).await, None);
    assert_eq!(call(&format!("{ARN}=http://localhost:{port}/"), ARN).await, None);
    assert_eq!(server.heard().len(), 2);
    for never in ["https://169.254.169.254/latest/meta-data/", "https://[::ffff:169.254.169.254]/"] {
        let refused = hooks(&[&format!("pre-sign-up={never}")]).err();
        assert_eq!(refused.as_deref(), Some("hooks.functions: pre-sign-up: the address is never called"), "{never}");
    }
}

#[tokio::test]
async fn of_a_name_and_a_whole_arn_the_arn_is_meant() {
    let (by_name, by_arn) = (Server::start(vec![say(500, "")]).await, Server::start(vec![say(200, FILLED)]).await);
    let hooks = hooks(&[&format!("pre-sign-up={}", by_name.url), &format!("{ARN}={}", by_arn.url)]).unwrap();
    assert!(hooks.call(ARN, &event(), NOW).await.is_ok());
    assert_eq!((by_name.heard().len(), by_arn.heard().len()), (0, 1));
}

#[tokio::test]
async fn what_does_not_speak_tls_gets_no_event() {
    let server = Server::start(vec![say(200, FILLED)]).await;
    let mut url = server.url.clone();
    url.set_scheme("https").unwrap();
    let heard = server.heard.clone();
    let hooks = hooks(&[&format!("pre-sign-up={url}")]).unwrap();
    assert!(matches!(hooks.call(ARN, &event(), NOW).await, Err(HookError::Unreachable(_))));
    assert!(heard.lock().unwrap().iter().all(|request| !request.contains("alice")));
}
