//! What lies between: TLS, StartTLS and who takes it away, referrals, and answers that make no sense.

use std::process::{Child, Command, Stdio};

use cognate::config::{Ldap, Secret};

use super::{app, cause, outcome, register, sign_in};
use crate::servers::directory::{Impostor, certify};
use crate::servers::slapd::{BASE, SERVICE_PASSWORD, Slapd};

/// An extended response to message 1 with a result code.
const REFUSED: &[u8] = b"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x02\x04\x00\x04\x00";
const ACCEPTED: &[u8] = b"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00";
/// The same, and behind it a bind response that says yes to whatever comes.
const ACCEPTED_AND_MORE: &[u8] =
    b"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\x00\x04\x00\x04\x00";

fn at(url: &str, settings: Ldap) -> Ldap {
    Ldap { url: Some(url.parse().unwrap()), ..settings }
}

#[tokio::test]
async fn ldap_becomes_tls_before_anything_is_said() {
    let slapd = Slapd::shared().await;
    let url = format!("ldap://127.0.0.1:{}", slapd.port);
    for (settings, name) in [(slapd.settings_with_service(), "alice"), (slapd.settings_directly(), "carol")] {
        let app = app(at(&url, settings)).await;
        register(&app, name).await.unwrap();
        assert_eq!(outcome(&sign_in(&app, name, &format!("{name}'s word")).await), "signed in");
    }
}

// P11
#[tokio::test]
async fn who_takes_starttls_away_hears_no_password() {
    let slapd = Slapd::shared().await;
    for (answer, words) in [
        (REFUSED, "the directory refuses StartTLS"),
        (b"\x30\x0c\x02\x01\x00\x78\x07\x0a\x01\x34\x04\x00\x04\x00", "the directory refuses StartTLS"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "makes no sense"),
        (b"\x30\x84\xff\xff\xff\xff", "makes no sense"),
        (b"\x16\x03\x01\x00\x05hello", "makes no sense"),
        (ACCEPTED_AND_MORE, ""),
        (ACCEPTED, ""),
    ] {
        let impostor = Impostor::start(answer);
        let url = format!("ldap://127.0.0.1:{}", impostor.port);
        let mut settings = at(&url, slapd.settings_directly());
        settings.connect_timeout = cognate::config::Period::seconds(1);
        let app = crate::app::TestApp::start_with(|config| config.ldap = settings).await;
        register(&app, "carol").await.unwrap();
        let cause = cause(sign_in(&app, "carol", "carol's word").await);
        assert!(cause.contains(words), "{cause}");
        let heard = impostor.heard();
        assert!(heard.starts_with(b"\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037"));
        // Then nothing, or the hello of TLS; never a name or a password.
        assert!(heard.get(31).is_none_or(|first| *first == 0x16), "{heard:02x?}");
        let text = String::from_utf8_lossy(&heard).into_owned();
        assert!(!text.contains("carol") && !text.contains("word"));
    }
}

#[tokio::test]
async fn a_certificate_of_another_name_or_another_authority_is_refused() {
    let slapd = Slapd::shared().await;
    let elsewhere = Slapd::start_as("DNS:dc1.corp.example.test");
    let folder = tempfile::tempdir().unwrap();
    certify(folder.path(), "IP:127.0.0.1");
    let foreign = Some(folder.path().join("ca.pem"));
    for (settings, words) in [
        (elsewhere.settings_with_service(), "not valid for name"),
        (Ldap { ca_file: foreign, ..slapd.settings_with_service() }, "invalid peer certificate"),
        (Ldap { ca_file: None, ..slapd.settings_with_service() }, "invalid peer certificate"),
    ] {
        for scheme in ["ldaps", "ldap"] {
            let port = match (scheme, settings.url.as_ref().unwrap().port().unwrap()) {
                ("ldap", port) if port == elsewhere.tls_port => elsewhere.port,
                ("ldap", _) => slapd.port,
                (_, port) => port,
            };
            let app = app(at(&format!("{scheme}://127.0.0.1:{port}"), settings.clone())).await;
            let cause = cause(register(&app, "alice").await);
            assert!(cause.contains(words), "{cause}");
        }
    }
}

#[tokio::test]
async fn an_account_that_may_not_search_is_an_outage_and_no_wrong_password() {
    let slapd = Slapd::shared().await;
    let good = app(slapd.settings_with_service()).await;
    register(&good, "alice").await.unwrap();
    for settings in [
        Ldap { bind_password: Some(Secret::new("old")), ..slapd.settings_with_service() },
        Ldap { bind_dn: Some(format!("cn=gone,{BASE}")), ..slapd.settings_with_service() },
        Ldap { bind_dn: Some("no dn".to_owned()), ..slapd.settings_with_service() },
        Ldap { base_dn: "dc=elsewhere,dc=test".to_owned(), ..slapd.settings_with_service() },
    ] {
        let app = app(settings).await;
        let cause = cause(register(&app, "alice").await);
        assert!(!cause.contains(SERVICE_PASSWORD) && !cause.contains("alice"), "{cause}");
    }
}

// P11
#[tokio::test]
async fn no_referral_is_followed() {
    let impostor = Impostor::start(b"");
    let slapd = Slapd::start();
    let referral = format!("ref: ldap://127.0.0.1:{}/{BASE}", impostor.port);
    for unit in ["people", "direct"] {
        slapd.modify(&format!(
            "dn: ou=away,ou={unit},{BASE}\nchangetype: add\nobjectClass: referral\nobjectClass: extensibleObject\n\
             ou: away\n{referral}\n"
        ));
    }
    // Beside what is looked for they do no harm.
    let first = app(slapd.settings_with_service()).await;
    register(&first, "alice").await.unwrap();
    assert_eq!(outcome(&sign_in(&first, "alice", "alice's word").await), "signed in");
    assert_eq!(outcome(&register(&first, "ghost").await), "user_not_found");
    // In the way of a search or a bind they are no answer about a person.
    let base_dn = format!("ou=away,ou=people,{BASE}");
    let second = app(Ldap { base_dn, ..slapd.settings_with_service() }).await;
    assert!(cause(register(&second, "alice").await).contains("referrals are not followed"));
    let user_dn = Some(format!("cn={{name}},ou=away,ou=direct,{BASE}"));
    let third = app(Ldap { user_dn, ..slapd.settings_directly() }).await;
    register(&third, "carol").await.unwrap();
    assert_ne!(outcome(&sign_in(&third, "carol", "carol's word").await), "signed in");
    assert_eq!(impostor.callers(), 0);
}

/// A server that speaks TLS well and LDAP badly.
struct Babbler {
    port: u16,
    child: Child,
}

impl Drop for Babbler {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Babbler {
    /// Answers every message with `answer` (hex).
    fn start(folder: &std::path::Path, answer: &str) -> Self {
        let python = std::env::var("COGNATE_TEST_PYTHON").unwrap_or_else(|_| "python3".to_owned());
        let mut child = Command::new(&python)
            .args(["-u", "-c", BABBLER, &folder.display().to_string(), answer])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|fault| panic!("no Python ({fault}): apt-get install python3"));
        let mut line = String::new();
        let said = child.stdout.take().unwrap();
        std::io::BufRead::read_line(&mut std::io::BufReader::new(said), &mut line).unwrap();
        Self { port: line.trim().parse().unwrap(), child }
    }
}

const BABBLER: &str = r#"
import os, socket, ssl, sys, threading
folder, answer = sys.argv[1], bytes.fromhex(sys.argv[2])
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(folder + "/server.pem", folder + "/server.key")
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1])
while True:
    raw, _ = listener.accept()
    try:
        with context.wrap_socket(raw, server_side=True) as caller:
            while caller.recv(65536):
                caller.sendall(answer)
    except OSError:
        pass
"#;

#[tokio::test]
async fn answers_that_make_no_sense_are_an_outage() {
    let slapd = Slapd::shared().await;
    for answer in [
        // Not BER; an empty message; a message without a result; a result without a code; half a message and the end.
        "485454502f312e3120323030204f4b0d0a0d0a",
        "3000",
        "30050201016100",
        "3007020101610204 00",
        "300c02010161070a0100040004",
        // An entry where a bind is answered; a string where the code should be; text that is no text.
        "300a0201016405040161300 0",
        "300c020101610704010004000400",
        "300e020101610 90a01310400040 2ffff",
    ] {
        let babbler = Babbler::start(&slapd.folder, &answer.replace(' ', ""));
        let url = format!("ldaps://127.0.0.1:{}", babbler.port);
        let period = cognate::config::Period::seconds(1);
        for settings in [slapd.settings_with_service(), slapd.settings_directly()] {
            let direct = settings.bind_dn.is_none();
            let settings = Ldap { connect_timeout: period, timeout: period, ..at(&url, settings) };
            let app = crate::app::TestApp::start_with(|config| config.ldap = settings).await;
            let registered = register(&app, "carol").await;
            if direct {
                registered.unwrap();
                cause(sign_in(&app, "carol", "carol's word").await);
            } else {
                cause(registered);
            }
            assert_eq!(app.get("/livez").await.status, 200);
        }
    }
}
