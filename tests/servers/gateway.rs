//! A gateway for text messages on loopback: it remembers what it gets and answers as it is told.

use std::collections::HashMap;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, LazyLock, Mutex};

use cognate::config::{Config, Secret};
use serde_json::Value;

pub const KEY: &str = "a key that the gateway and we know";

#[derive(Default)]
struct State {
    heard: Vec<String>,
    refusals: Vec<u16>,
}

static GATEWAYS: LazyLock<Mutex<HashMap<u16, Arc<Mutex<State>>>>> = LazyLock::new(Mutex::default);

pub struct Gateway(Arc<Mutex<State>>);

impl Gateway {
    /// Starts one and tells the settings of it.
    pub fn of(config: &mut Config) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(Mutex::new(State::default()));
        GATEWAYS.lock().unwrap().insert(port, state.clone());
        std::thread::spawn(move || listener.incoming().for_each(|stream| answer(stream.unwrap(), &state)));
        config.sms.url = Some(format!("http://127.0.0.1:{port}/send").parse().unwrap());
        config.hooks.signing_key = Some(Secret::new(KEY));
    }

    /// The one that the settings tell of.
    pub fn in_use(config: &Config) -> Self {
        let port = config.sms.url.as_ref().unwrap().port().unwrap();
        Self(GATEWAYS.lock().unwrap()[&port].clone())
    }

    /// Lets the next messages be answered so.
    pub fn refuse(&self, statuses: &[u16]) {
        self.0.lock().unwrap().refusals = statuses.iter().rev().copied().collect();
    }

    /// Takes what came: whole requests.
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap().heard)
    }

    /// Takes the messages that came.
    pub fn messages(&self) -> Vec<Value> {
        let body = |request: &String| serde_json::from_str(request.split_once("\r\n\r\n").unwrap().1).unwrap();
        self.take().iter().map(body).collect()
    }

    /// Takes the one message that came.
    pub fn message(&self) -> Value {
        let [message] = &*self.messages() else { panic!("not one message") };
        message.clone()
    }
}

fn answer(mut stream: TcpStream, state: &Mutex<State>) {
    let mut text = Vec::new();
    let whole = loop {
        let mut part = [0; 4096];
        let count = stream.read(&mut part).unwrap();
        text.extend_from_slice(&part[..count]);
        let whole = String::from_utf8_lossy(&text).into_owned();
        let length = |head: &str| {
            let lines = head.lines().filter_map(|line| line.split_once(": "));
            let mut named = lines.filter(|(name, _)| name.eq_ignore_ascii_case("content-length"));
            named.next().map_or(0, |(_, value)| value.parse::<usize>().unwrap())
        };
        if count == 0 || whole.split_once("\r\n\r\n").is_some_and(|(head, body)| body.len() >= length(head)) {
            break whole;
        }
    };
    let status = {
        let mut state = state.lock().unwrap();
        state.heard.push(whole);
        state.refusals.pop().unwrap_or(204)
    };
    let head = format!("HTTP/1.1 {status} X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).unwrap();
}
