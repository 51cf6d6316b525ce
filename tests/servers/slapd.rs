//! slapd (OpenLDAP) with people described as Active Directory does. It takes passwords only inside TLS. Needs `slapd`
//! and `ldapmodify` (Debian: `apt-get install slapd ldap-utils`) and `openssl`.

use std::fmt::Write as _;
use std::io::Write as _;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cognate::config::{Ldap, List, Secret};

use super::directory::{certify, modify};
use super::redis::free_port;

pub const BASE: &str = "dc=corp,dc=example,dc=test";
const ROOT: &str = "cn=root,dc=corp,dc=example,dc=test";
pub const SERVICE_PASSWORD: &str = "service word";

/// The people, each with a password of `NAME's word`, and what is known of them besides.
const PEOPLE: [(&str, &str); 4] = [
    ("alice", "givenName: Alice\ndisplayName: Alice A. Example\nmail: alice@corp.example.test\n"),
    ("bob", ""),
    ("o'neil, (ann) *", ""),
    ("a+b=\"c\"", ""),
];
const SCHEMA: &str = "
attributetype ( 1.2.840.113556.1.4.221 NAME 'sAMAccountName' EQUALITY caseIgnoreMatch
  SUBSTR caseIgnoreSubstringsMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
attributetype ( 1.2.840.113556.1.4.2 NAME 'objectGUID' EQUALITY octetStringMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.40 SINGLE-VALUE )
objectclass ( 1.2.840.113556.1.5.9 NAME 'user' SUP inetOrgPerson STRUCTURAL MAY ( sAMAccountName $ objectGUID ) )
";
/// Ends the server when the pipe of the test process closes, however that process ended.
const KEEPER: &str = r#"exec 3<&0; "$@" 3<&- >/dev/null 2>&1 & server=$!; echo $server
                        read word <&3; kill -CONT $server; kill -9 $server; wait $server; [ "$word" = keep ] || rm -rf "$FOLDER""#;

/// A running slapd.
pub struct Slapd {
    pub folder: PathBuf,
    /// LDAP with StartTLS.
    pub port: u16,
    /// LDAP inside TLS.
    pub tls_port: u16,
    process: Option<(Child, ChildStdin, String)>,
}

impl Slapd {
    /// Starts one of one's own.
    pub fn start() -> Self {
        Self::start_as("IP:127.0.0.1,DNS:localhost")
    }

    /// The same with a certificate for other names.
    pub fn start_as(names: &str) -> Self {
        let folder = tempfile::Builder::new().prefix("cognate-slapd-").tempdir().unwrap().keep();
        let mut server = Self { port: free_port(), tls_port: free_port(), folder, process: None };
        certify(&server.folder, names);
        server.prepare();
        server.up();
        server
    }

    /// The one that all tests of this process share; they only read it.
    pub async fn shared() -> &'static Self {
        static SHARED: OnceLock<Slapd> = OnceLock::new();
        tokio::task::spawn_blocking(|| SHARED.get_or_init(Self::start)).await.unwrap()
    }

    fn prepare(&self) {
        let found = Path::new("/usr/sbin/slapd").exists() && Path::new("/usr/lib/ldap/back_mdb.so").exists();
        assert!(found, "slapd is missing: apt-get install slapd ldap-utils");
        // Under its own name AppArmor would keep it out of this folder.
        std::fs::copy("/usr/sbin/slapd", self.folder.join("server")).unwrap();
        std::fs::create_dir(self.folder.join("db")).unwrap();
        std::fs::write(self.folder.join("slapd.conf"), self.settings()).unwrap();
        std::fs::write(self.folder.join("people.ldif"), people()).unwrap();
        let added = Command::new(self.folder.join("server"))
            .args(["-T", "add", "-f", "slapd.conf", "-l", "people.ldif"])
            .current_dir(&self.folder)
            .output()
            .unwrap();
        assert!(added.status.success(), "{}", String::from_utf8_lossy(&added.stderr));
    }

    fn settings(&self) -> String {
        let mut text = String::new();
        for schema in ["core", "cosine", "inetorgperson"] {
            writeln!(text, "include /etc/ldap/schema/{schema}.schema").unwrap();
        }
        let folder = self.folder.display();
        write!(
            text,
            "{SCHEMA}
modulepath /usr/lib/ldap
moduleload back_mdb
TLSCACertificateFile {folder}/ca.pem
TLSCertificateFile {folder}/server.pem
TLSCertificateKeyFile {folder}/server.key
security simple_bind=128
database mdb
maxsize 16777216
suffix \"{BASE}\"
rootdn \"{ROOT}\"
rootpw root
directory {folder}/db
access to attrs=userPassword by anonymous auth by * none
access to * by users read by * none
"
        )
        .unwrap();
        text
    }

    /// Starts it and waits until it listens.
    pub fn up(&mut self) {
        let listen = format!("ldap://127.0.0.1:{}/ ldaps://127.0.0.1:{}/", self.port, self.tls_port);
        let server = self.folder.join("server");
        let mut shell = Command::new("sh");
        shell.args(["-c", KEEPER, "sh"]).arg(&server).args(["-d", "0", "-f", "slapd.conf", "-h", &listen]);
        shell.env("FOLDER", &self.folder).current_dir(&self.folder).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut shell = shell.stderr(Stdio::null()).spawn().unwrap();
        let pipe = shell.stdin.take().unwrap();
        let mut pid = String::new();
        std::io::BufRead::read_line(&mut std::io::BufReader::new(shell.stdout.take().unwrap()), &mut pid).unwrap();
        self.process = Some((shell, pipe, pid.trim().to_owned()));
        let limit = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(("127.0.0.1", self.tls_port)).is_err() {
            assert!(Instant::now() < limit, "slapd does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// SIGKILL; the data stays.
    pub fn kill(&mut self) {
        let (mut shell, mut pipe, _) = self.process.take().unwrap();
        pipe.write_all(b"keep\n").unwrap();
        shell.wait().unwrap();
    }

    /// `STOP` and `CONT`.
    pub fn signal(&self, name: &str) {
        let (_, _, pid) = self.process.as_ref().unwrap();
        assert!(Command::new("kill").args(["-s", name, pid]).status().unwrap().success());
    }

    /// Changes what it knows, by LDIF; an entry without `changetype` is added.
    pub fn modify(&self, ldif: &str) {
        modify(&self.url(), &self.folder.join("ca.pem"), ROOT, "root", ldif);
    }

    pub fn url(&self) -> String {
        format!("ldaps://127.0.0.1:{}", self.tls_port)
    }

    /// Settings with an account that searches.
    pub fn settings_with_service(&self) -> Ldap {
        Ldap {
            bind_dn: Some(format!("cn=service,{BASE}")),
            bind_password: Some(Secret::new(SERVICE_PASSWORD)),
            ..self.settings_without()
        }
    }

    /// Settings by which people are bound directly.
    pub fn settings_directly(&self) -> Ldap {
        let user_dn = Some(format!("sAMAccountName={{name}},ou=direct,{BASE}"));
        Ldap { user_dn, ..self.settings_without() }
    }

    fn settings_without(&self) -> Ldap {
        Ldap {
            url: Some(self.url().parse().unwrap()),
            ca_file: Some(self.folder.join("ca.pem")),
            domain: Some("CORP".to_owned()),
            upn_suffix: Some("corp.example.test".to_owned()),
            base_dn: BASE.to_owned(),
            groups: List(vec!["Sales=sales".to_owned(), format!("cn=Admins,ou=groups,{BASE}=chiefs")]),
            ..Ldap::default()
        }
    }
}

impl Drop for Slapd {
    fn drop(&mut self) {
        if let Some((mut shell, pipe, _)) = self.process.take() {
            drop(pipe);
            let _ = shell.wait();
        }
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// The LDIF of one person.
pub fn person(name: &str, unit: &str, guid: u8, more: &str) -> String {
    let guid = STANDARD.encode([guid; 16]);
    format!(
        "dn: {}\nobjectClass: user\ncn: {name}\nsn: Example\nsAMAccountName: {name}\n\
         objectGUID:: {guid}\nuserPassword: {name}'s word\n{more}\n",
        dn(name, unit)
    )
}

/// Where a person is found.
pub fn dn(name: &str, unit: &str) -> String {
    format!("sAMAccountName={},ou={unit},{BASE}", ldap3::dn_escape(name))
}

fn people() -> String {
    let mut text = format!(
        "dn: {BASE}\nobjectClass: domain\ndc: corp\n\n\
         dn: cn=service,{BASE}\nobjectClass: person\ncn: service\nsn: service\nuserPassword: {SERVICE_PASSWORD}\n\n"
    );
    for unit in ["people", "direct", "groups"] {
        write!(text, "dn: ou={unit},{BASE}\nobjectClass: organizationalUnit\nou: {unit}\n\n").unwrap();
    }
    for (number, (name, more)) in (1..).zip(PEOPLE) {
        text += &person(name, "people", number, more);
    }
    text += &person("carol", "direct", 100, "");
    for (name, member) in [("Sales", "alice"), ("Admins", "bob"), ("Others", "alice")] {
        let members = format!("member: {}\nmember: {}\n", dn(member, "people"), dn("carol", "direct"));
        write!(text, "dn: cn={name},ou=groups,{BASE}\nobjectClass: groupOfNames\ncn: {name}\n{members}\n").unwrap();
    }
    text
}
