//! A real Active Directory domain controller (Samba). Its ports cannot be chosen, so it has a network of its own, and
//! a folder of its own instead of what lies in /etc. Needs root (or sudo without a password) and Debian's packages
//! `samba samba-ad-dc samba-ad-provision samba-dsdb-modules samba-vfs-modules winbind`, `openssl` and `ldap-utils`.

use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;

use cognate::config::{Ldap, List, Secret};
use tokio::net::{TcpListener, TcpStream, UnixStream};

use super::directory::{certify, modify};

pub const BASE: &str = "DC=corp,DC=example,DC=test";
const PACKAGES: &str =
    "apt-get install samba samba-ad-dc samba-ad-provision samba-dsdb-modules samba-vfs-modules winbind";
/// Process 1 of its own space: when it ends, because the test process did, everything in there ends.
const INSIDE: &str = r#"
cd "$1"
ip link set lo up
: > none.conf
samba-tool domain provision --configfile=none.conf --realm=CORP.EXAMPLE.TEST --domain=CORP --adminpass='Passw0rd!Admin1' \
    --server-role=dc --dns-backend=NONE --use-rfc2307 --host-name=dc1 --host-ip=127.0.0.1 --targetdir="$1/dc" \
    --option="interfaces=lo" --option="bind interfaces only=yes" --option="posix:eadb=$1/eadb.tdb" \
    --option="server services=ldap" --option="ldap server require strong auth=allow_sasl_over_tls" > log 2>&1 &&
/usr/bin/python3 people.py "$1" >> log 2>&1 || { tail -n 3 log; exit 1; }
chown 0 server.key
samba -F --no-process-group -M single -s dc/etc/smb.conf --option="pid directory=$1" --option="ncalrpc dir=$1/ncalrpc" \
    --option="log file=$1/log.samba" --option="tls cafile=$1/ca.pem" --option="tls certfile=$1/server.pem" \
    --option="tls keyfile=$1/server.key" >> log 2>&1 </dev/null &
/usr/bin/python3 relay.py "$1" </dev/null &
read word
rm -rf "$1"
"#;
/// Everybody's password is `Passw0rd!` and the name.
const PEOPLE: &str = r#"
import sys
from samba.auth import system_session
from samba.param import LoadParm
from samba.samdb import SamDB
folder = sys.argv[1]
settings = LoadParm()
settings.load(folder + "/dc/etc/smb.conf")
db = SamDB(url=folder + "/dc/private/sam.ldb", session_info=system_session(), lp=settings)
for name in ["alice", "guessed", "must.change", "disabled", "expired", "locked", "leaver", "mover", "service"]:
    db.newuser(name, "Passw0rd!" + name, force_password_change_at_next_login_req=name == "must.change",
               givenname=name.title(), surname="Example", mailaddress=name + "@corp.example.test")
db.disable_account("(sAMAccountName=disabled)")
db.modify_ldif("dn: CN=expired,CN=Users,%s\nchangetype: modify\nreplace: accountExpires\naccountExpires: 1\n" % db.domain_dn())
db.modify_ldif("dn: %s\nchangetype: modify\nreplace: lockoutThreshold\nlockoutThreshold: 12\n" % db.domain_dn())
for group, kind, member in [("Sales", "user", "alice"), ("Staff", "group", "Sales"), ("Chiefs", "user", "mover")]:
    db.newgroup(group)
    db.add_remove_group_members(group, [member], member_types=[kind])
"#;
/// Leads from files to the ports inside; says so once the domain controller listens.
const RELAY: &str = r#"
import asyncio, sys
async def pump(source, sink):
    try:
        while data := await source.read(65536):
            sink.write(data)
            await sink.drain()
    except OSError:
        pass
    finally:
        sink.close()
def relay(port):
    async def relay(source, sink):
        inner_source, inner_sink = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(pump(source, inner_sink), pump(inner_source, sink))
    return relay
async def main():
    for port in (389, 636):
        await asyncio.start_unix_server(relay(port), f"{sys.argv[1]}/{port}")
        while True:
            try:
                (await asyncio.open_connection("127.0.0.1", port))[1].close()
                break
            except OSError:
                await asyncio.sleep(0.1)
    print("ready", flush=True)
    await asyncio.Event().wait()
asyncio.run(main())
"#;

/// The running domain controller, which all tests of this process share.
pub struct Samba {
    folder: PathBuf,
    _process: (Child, ChildStdin),
}

/// A way to it, as long as the test runs.
pub struct Door {
    /// LDAP with StartTLS.
    pub port: u16,
    /// LDAP inside TLS.
    pub tls_port: u16,
    folder: PathBuf,
}

impl Samba {
    /// Opens a way to it.
    pub async fn door() -> Door {
        static SHARED: OnceLock<Samba> = OnceLock::new();
        let samba = tokio::task::spawn_blocking(|| SHARED.get_or_init(Self::start)).await.unwrap();
        let (port, tls_port) = (lead(samba.folder.join("389")).await, lead(samba.folder.join("636")).await);
        Door { port, tls_port, folder: samba.folder.clone() }
    }

    fn start() -> Self {
        let found = ["/usr/sbin/samba", "/usr/bin/samba-tool", "/usr/share/samba/setup/provision.ldif"];
        assert!(found.iter().all(|file| Path::new(file).exists()), "Samba is missing: {PACKAGES}");
        let folder = tempfile::Builder::new().prefix("cognate-samba-").tempdir().unwrap().keep();
        certify(&folder, "IP:127.0.0.1,DNS:localhost");
        std::fs::write(folder.join("people.py"), PEOPLE).unwrap();
        std::fs::write(folder.join("relay.py"), RELAY).unwrap();
        let mut process = space().args(["sh", "-c", INSIDE, "sh"]).arg(&folder).spawn().unwrap();
        let pipe = process.stdin.take().unwrap();
        let mut said = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut said).unwrap();
        assert_eq!(said, "ready\n", "Samba did not start ({PACKAGES}, and root or sudo); see {}", folder.display());
        Self { folder, _process: (process, pipe) }
    }
}

/// Own network, mounts and processes.
fn space() -> Command {
    let root = std::fs::metadata("/proc/self").unwrap().uid() == 0;
    let mut command = if root { Command::new("unshare") } else { Command::new("sudo") };
    if !root {
        command.args(["-n", "unshare"]);
    }
    command.args(["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    command
}

/// A port that leads to a file that leads inside.
async fn lead(file: PathBuf) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((caller, _)) = listener.accept().await {
            tokio::spawn(join(caller, file.clone()));
        }
    });
    port
}

async fn join(mut caller: TcpStream, file: PathBuf) {
    if let Ok(mut inside) = UnixStream::connect(file).await {
        let _ = tokio::io::copy_bidirectional(&mut caller, &mut inside).await;
    }
}

impl Door {
    /// Changes what it knows, by LDIF; an entry without `changetype` is added.
    pub async fn modify(&self, ldif: &str) {
        let (url, ca, ldif) = (self.url(), self.folder.join("ca.pem"), ldif.to_owned());
        let modify = move || modify(&url, &ca, r"CORP\Administrator", "Passw0rd!Admin1", &ldif);
        tokio::task::spawn_blocking(modify).await.unwrap();
    }

    pub fn url(&self) -> String {
        format!("ldaps://127.0.0.1:{}", self.tls_port)
    }

    /// Settings with an account that searches.
    pub fn settings_with_service(&self) -> Ldap {
        Ldap {
            bind_dn: Some(format!("CN=service,CN=Users,{BASE}")),
            bind_password: Some(Secret::new("Passw0rd!service")),
            ..self.settings_directly()
        }
    }

    /// Settings by which people are bound directly, as `CORP\name`.
    pub fn settings_directly(&self) -> Ldap {
        Ldap {
            url: Some(self.url().parse().unwrap()),
            ca_file: Some(self.folder.join("ca.pem")),
            domain: Some("CORP".to_owned()),
            upn_suffix: Some("corp.example.test".to_owned()),
            base_dn: BASE.to_owned(),
            groups: List(vec![
                "Sales=sales".to_owned(),
                "Staff=staff".to_owned(),
                format!("CN=Chiefs,CN=Users,{BASE}=chiefs"),
            ]),
            ..Ldap::default()
        }
    }
}
