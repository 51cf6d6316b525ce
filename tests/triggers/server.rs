//! One hook for all tests of this process. Whose event it is stands in the event: each test has a pool of its own, says
//! what its triggers answer, and sees what they heard.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, OnceLock};

use cognate::config::{Config, List, Secret};
use cognate::crypto::hmac_sha256;
use cognate::pool::Trigger;
use serde_json::{Value, json};

use crate::app::TestApp;

pub const ARN: &str = "arn:aws:lambda:us-east-1:123456789012:function:everything";
const KEY: &str = "a key that only this deployment has";

/// What a trigger answers.
#[derive(Clone)]
pub enum Reply {
    /// The event with these members of its response.
    Fill(Value),
    /// No.
    Refuse(&'static str),
    /// What no trigger answers.
    Say(u16, String),
    /// Nothing.
    Leave,
}

type Answer = Arc<dyn Fn(&Value) -> Reply + Send + Sync>;

#[derive(Default)]
struct Stage {
    /// By pool and the first part of the trigger's source.
    answers: HashMap<(String, String), Answer>,
    heard: HashMap<String, Vec<Value>>,
}

fn stage() -> &'static Mutex<Stage> {
    static STAGE: OnceLock<Mutex<Stage>> = OnceLock::new();
    STAGE.get_or_init(Mutex::default)
}

fn port() -> u16 {
    static PORT: OnceLock<u16> = OnceLock::new();
    *PORT.get_or_init(|| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                std::thread::spawn(move || serve(stream.unwrap()));
            }
        });
        port
    })
}

/// The settings of a deployment that knows the hook.
pub fn with_hook(config: &mut Config) {
    config.hooks.functions = List(vec![format!("everything=http://127.0.0.1:{}/hook", port())]);
    config.hooks.signing_key = Some(Secret::new(KEY));
}

fn serve(mut stream: TcpStream) {
    let Some((head, body)) = request(&stream) else { return };
    let event: Value = serde_json::from_str(&body).unwrap();
    check_signature(&head, &body);
    let pool = event["userPoolId"].as_str().unwrap().to_owned();
    let source = event["triggerSource"].as_str().unwrap();
    let place = (pool.clone(), source.split_once('_').unwrap().0.to_owned());
    let answer = {
        let mut stage = stage().lock().unwrap();
        stage.heard.entry(pool).or_default().push(event.clone());
        stage.answers.get(&place).cloned()
    };
    let (status, body) = match answer.map_or(Reply::Fill(json!({})), |answer| answer(&event)) {
        Reply::Fill(members) => (200, filled(event, members).to_string()),
        Reply::Refuse(words) => (400, json!({ "errorMessage": words }).to_string()),
        Reply::Say(status, body) => (status, body),
        Reply::Leave => return,
    };
    let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
    stream.write_all((head + &body).as_bytes()).unwrap();
}

fn filled(mut event: Value, members: Value) -> Value {
    event["response"].as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    event
}

/// Head and body; none when nobody says anything.
fn request(stream: &TcpStream) -> Option<(String, String)> {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let mut body = vec![0; header(&head, "content-length").parse().unwrap()];
    reader.read_exact(&mut body).ok()?;
    Some((head, String::from_utf8(body).unwrap()))
}

fn header<'a>(head: &'a str, name: &str) -> &'a str {
    let lines = head.lines().filter_map(|line| line.split_once(": "));
    lines.into_iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).unwrap().1
}

/// As README says a hook does it.
fn check_signature(head: &str, body: &str) {
    let signature = header(head, "cognate-signature");
    let (time, tag) = signature.strip_prefix("t=").unwrap().split_once(",v1=").unwrap();
    let wanted = hmac_sha256(KEY.as_bytes(), &[time.as_bytes(), b".", body.as_bytes()]);
    assert_eq!(tag, hex::encode(wanted));
}

impl TestApp {
    /// Gives the first pool these triggers.
    pub async fn have_triggers(&self, triggers: &[Trigger]) {
        self.change_pool(|pool| {
            pool.triggers.functions = triggers.iter().map(|of| (of.name().to_owned(), ARN.to_owned())).collect();
        })
        .await;
    }

    /// What triggers of the first pool answer from now on whose source begins so.
    pub fn on(&self, source: &str, reply: Reply) {
        self.on_event(source, move |_| reply.clone());
    }

    /// The same, event by event.
    pub fn on_event(&self, source: &str, answer: impl Fn(&Value) -> Reply + Send + Sync + 'static) {
        let place = (self.pool().id().to_owned(), source.to_owned());
        stage().lock().unwrap().answers.insert(place, Arc::new(answer));
    }

    /// The events of the first pool since this was asked last.
    pub fn heard(&self) -> Vec<Value> {
        stage().lock().unwrap().heard.remove(self.pool().id()).unwrap_or_default()
    }

    /// Their sources.
    pub fn heard_sources(&self) -> Vec<String> {
        self.heard().iter().map(|event| event["triggerSource"].as_str().unwrap().to_owned()).collect()
    }
}
