//! What the directories that people sign in from have in common: certificates, changes by `ldapmodify`, and a wire that
//! does not do what it should.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A CA, and a certificate of it for `names` (`IP:127.0.0.1,DNS:localhost`), in a folder.
pub fn certify(folder: &Path, names: &str) {
    let script = format!(
        "openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 2 -subj '/CN=Test CA'
        openssl req -newkey rsa:2048 -nodes -keyout server.key -out server.csr -subj /CN=localhost
        echo 'subjectAltName={names}' > ext
        openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out server.pem -days 2 -extfile ext
        chmod 600 *.key"
    );
    let made = Command::new("sh").args(["-ec", &script]).current_dir(folder).output().unwrap();
    assert!(made.status.success(), "openssl is missing or failed: {}", String::from_utf8_lossy(&made.stderr));
}

/// Changes a directory by LDIF; an entry without `changetype` is added.
pub fn modify(url: &str, ca: &Path, binder: &str, password: &str, ldif: &str) {
    let mut command = Command::new("ldapmodify");
    command.args(["-a", "-x", "-H", url, "-D", binder, "-w", password]).env("LDAPTLS_CACERT", ca);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child =
        command.spawn().unwrap_or_else(|fault| panic!("no ldapmodify ({fault}): apt-get install ldap-utils"));
    child.stdin.take().unwrap().write_all(ldif.as_bytes()).unwrap();
    let done = child.wait_with_output().unwrap();
    assert!(done.status.success(), "{}\n{ldif}", String::from_utf8_lossy(&done.stderr));
}

/// Somebody on the wire who answers what he is told to, and notes what he is sent.
pub struct Impostor {
    pub port: u16,
    heard: Arc<Mutex<Vec<u8>>>,
    callers: Arc<Mutex<u32>>,
}

impl Impostor {
    /// Answers the first words of every caller with `answer`, then only listens.
    pub fn start(answer: &'static [u8]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let impostor =
            Self { port: listener.local_addr().unwrap().port(), heard: Arc::default(), callers: Arc::default() };
        let (heard, callers) = (impostor.heard.clone(), impostor.callers.clone());
        std::thread::spawn(move || {
            for caller in listener.incoming().flatten() {
                *callers.lock().unwrap() += 1;
                listen(caller, answer, &heard);
            }
        });
        impostor
    }

    /// Everything that was sent to him.
    pub fn heard(&self) -> Vec<u8> {
        self.heard.lock().unwrap().clone()
    }

    /// How many called.
    pub fn callers(&self) -> u32 {
        *self.callers.lock().unwrap()
    }
}

fn listen(mut caller: TcpStream, answer: &[u8], heard: &Mutex<Vec<u8>>) {
    caller.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let mut words = [0; 4096];
    let mut answer = Some(answer);
    while let Ok(length @ 1..) = caller.read(&mut words) {
        heard.lock().unwrap().extend_from_slice(&words[..length]);
        if let Some(answer) = answer.take() {
            let _ = caller.write_all(answer);
        }
    }
}
