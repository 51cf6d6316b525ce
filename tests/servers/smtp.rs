//! A real mail server (aiosmtpd) that behaves as told and hands over what it received, read by Python's own mail parser.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde::Deserialize;

/// What the server does with mail.
#[derive(Debug, Clone, Copy)]
pub enum Manner {
    Accepts,
    /// 451 to every recipient.
    SaysLater,
    /// 550 to every recipient, repeating the address.
    SaysNever,
    /// Takes the content and never answers.
    Hangs,
    /// Accepts, and never answers QUIT.
    HangsAtFarewell,
}

/// A received mail.
#[derive(Debug, Clone, Deserialize)]
pub struct Received {
    pub from: String,
    pub to: Vec<String>,
    /// Every header in order, decoded.
    pub headers: Vec<(String, String)>,
    pub text: String,
    pub html: String,
}

impl Received {
    /// The values of all headers of this name.
    pub fn header(&self, name: &str) -> Vec<&str> {
        let named = self.headers.iter().filter(|(header, _)| header.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.as_str()).collect()
    }
}

/// The running server; ends when dropped, also when the test process is killed.
pub struct SmtpServer {
    pub port: u16,
    mails: Arc<Mutex<Vec<Received>>>,
    child: Child,
    alive: Option<ChildStdin>,
}

/// TLS of the server and the one user it knows.
#[derive(Debug, Clone, Copy, Default)]
pub struct Security<'a> {
    /// `implicit` or `starttls`, with a folder that holds `cert.pem` and `key.pem`.
    pub tls: Option<(&'a str, &'a Path)>,
    /// `user:password`.
    pub user: Option<&'a str>,
}

impl SmtpServer {
    pub fn start(manner: Manner) -> Self {
        Self::start_on(0, manner, Security::default())
    }

    pub fn start_on(port: u16, manner: Manner, security: Security<'_>) -> Self {
        let python = std::env::var("COGNATE_TEST_PYTHON").unwrap_or_else(|_| "python3".to_owned());
        let (tls, folder) = security
            .tls
            .map_or((String::new(), String::new()), |(tls, folder)| (tls.to_owned(), folder.display().to_string()));
        let mut child = Command::new("sh")
            .args([
                "-c",
                r#"exec 3<&0; "$@" & pid=$!; { cat <&3; kill -9 $pid; } >/dev/null 2>&1 & wait $pid"#,
                "sh",
                &python,
                "-u",
                "-c",
                SERVER,
            ])
            .args([&port.to_string(), &format!("{manner:?}"), &tls, &folder, security.user.unwrap_or_default()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let alive = child.stdin.take();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let Some(Ok(first)) = lines.next() else {
            panic!(
                "no mail server: `{python} -m pip install aiosmtpd==1.4.6`, or set COGNATE_TEST_PYTHON to a Python that has it"
            );
        };
        let mails = Arc::new(Mutex::new(Vec::new()));
        let caught = Arc::clone(&mails);
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                caught.lock().unwrap().push(serde_json::from_str(&line).unwrap());
            }
        });
        Self { port: first.parse().unwrap(), mails, child, alive }
    }

    /// What has been received so far.
    pub fn mails(&self) -> Vec<Received> {
        self.mails.lock().unwrap().clone()
    }

    /// Waits until `count` mails are there.
    pub async fn receives(&self, count: usize) -> Vec<Received> {
        let deadline = Instant::now() + Duration::from_secs(20);
        while self.mails().len() < count {
            assert!(Instant::now() < deadline, "{} of {count} mails arrived", self.mails().len());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        self.mails()
    }
}

impl Drop for SmtpServer {
    fn drop(&mut self) {
        drop(self.alive.take());
        let _ = self.child.wait();
    }
}

/// Makes `cert.pem` and `key.pem` for localhost in `folder`.
pub fn certificate(folder: &Path) {
    let made = Command::new("openssl")
        .current_dir(folder)
        .args(
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem -out cert.pem -days 2"
                .split(' '),
        )
        .args("-subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1".split(' '))
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .stderr(Stdio::null())
        .status()
        .unwrap_or_else(|fault| panic!("no openssl ({fault}): apt-get install openssl"));
    assert!(made.success());
}

const SERVER: &str = r#"
import asyncio, email, email.policy, json, ssl, sys
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

port, manner, tls, folder, user = sys.argv[1:]

class Handler:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if manner == "SaysLater":
            return "451 4.3.0 try again later, " + address
        if manner == "SaysNever":
            return "550 5.1.1 <" + address + ">: no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        if manner == "Hangs":
            await asyncio.sleep(3600)
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        part = lambda kind: mail.get_body((kind,)).get_content()
        print(json.dumps({"from": envelope.mail_from, "to": envelope.rcpt_tos, "headers": mail.items(),
                          "text": part("plain"), "html": part("html")}))
        return "250 OK"

    async def handle_QUIT(self, server, session, envelope):
        if manner == "HangsAtFarewell":
            await asyncio.sleep(3600)
        return "221 Bye"

def authenticate(server, session, envelope, mechanism, data):
    right = isinstance(data, LoginPassword) and data.login + b":" + data.password == user.encode()
    return AuthResult(success=right, handled=False)

async def main():
    context = None
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder + "/cert.pem", folder + "/key.pem")
    starttls = tls == "starttls"
    make = lambda: SMTP(Handler(), hostname="localhost", authenticator=authenticate if user else None,
                        auth_required=bool(user), auth_require_tls=bool(tls) and starttls,
                        tls_context=context if starttls else None, require_starttls=starttls)
    server = await asyncio.get_running_loop().create_server(
        make, "127.0.0.1", int(port), ssl=None if starttls else context)
    print(server.sockets[0].getsockname()[1])
    await server.serve_forever()

asyncio.run(main())
"#;
