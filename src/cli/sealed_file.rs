//! The file of `cognate export`: a line that says how its key is made of the passphrase, then portions. Each portion is
//! sealed by itself (AES-256-GCM) together with the first line, its number and whether it is the last, so that none can
//! be changed, left out, moved or cut off without being noticed, and neither writing nor reading holds the whole file.

use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, BufWriter, ErrorKind, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::failure::Failure;
use crate::crypto::{self, PassphraseRule, Random, SealKey};

const FORMAT: &str = "cognate-export";
const VERSION: u32 = 1;
const LONGEST_FIRST_LINE: u64 = 4096;
/// Bytes after which a portion is closed.
const PORTION: usize = 256 * 1024;
/// Longer ones are not ours.
const LONGEST_PORTION: u32 = 64 * 1024 * 1024;

/// The first line.
#[derive(Serialize, Deserialize)]
struct Head {
    format: String,
    version: u32,
    passphrase: PassphraseRule,
}

/// What the portions of one file have in common.
struct Seal {
    key: SealKey,
    head: [u8; 32],
    number: u64,
}

impl Seal {
    fn new(head: &Head, line: &str, passphrase: &str) -> Result<Self, Failure> {
        Ok(Self { key: head.passphrase.key(passphrase)?, head: crypto::sha256(line), number: 0 })
    }

    /// What the next portion is bound to.
    fn context(&mut self, last: bool) -> Vec<u8> {
        let context = [self.head.as_slice(), &self.number.to_be_bytes(), &[u8::from(last)]].concat();
        self.number += 1;
        context
    }
}

/// A new file, which only its owner can read.
pub(super) fn create(path: &Path) -> Result<File, Failure> {
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    made.map_err(|fault| format!("cannot make {}: {fault}", path.display()).into())
}

/// Writes a file.
pub(super) struct Writer {
    file: BufWriter<File>,
    path: PathBuf,
    seal: Seal,
    random: Random,
    portion: Zeroizing<Vec<u8>>,
}

impl Writer {
    /// Makes the file, which must not be there.
    pub(super) fn create(path: &Path, passphrase: &str, random: &Random) -> Result<Self, Failure> {
        let head = Head { format: FORMAT.to_owned(), version: VERSION, passphrase: PassphraseRule::new(random)? };
        let line = serde_json::to_string(&head).map_err(|fault| fault.to_string())? + "\n";
        let seal = Seal::new(&head, &line, passphrase)?;
        let mut file = BufWriter::new(create(path)?);
        file.write_all(line.as_bytes()).map_err(|fault| unwritten(path, &fault))?;
        let portion = Zeroizing::new(Vec::with_capacity(2 * PORTION));
        Ok(Self { file, path: path.to_owned(), seal, random: random.clone(), portion })
    }

    /// Adds a record.
    pub(super) fn add(&mut self, record: &impl Serialize) -> Result<(), Failure> {
        serde_json::to_writer(&mut *self.portion, record).map_err(|fault| fault.to_string())?;
        self.portion.push(b'\n');
        if self.portion.len() >= PORTION { self.close_portion(false) } else { Ok(()) }
    }

    /// Closes the file; without this it is one that was cut off.
    pub(super) fn end(mut self) -> Result<(), Failure> {
        self.close_portion(true)?;
        let synced = self.file.flush().and_then(|()| self.file.get_ref().sync_all());
        synced.map_err(|fault| unwritten(&self.path, &fault))
    }

    fn close_portion(&mut self, last: bool) -> Result<(), Failure> {
        let context = self.seal.context(last);
        let sealed = self.seal.key.seal(&self.random, &context, &self.portion)?;
        self.portion.clear();
        let length = u32::try_from(sealed.len()).map_err(|_| "a user is too large")?;
        let written = self
            .file
            .write_all(&[u8::from(last)])
            .and_then(|()| self.file.write_all(&length.to_be_bytes()))
            .and_then(|()| self.file.write_all(&sealed));
        written.map_err(|fault| unwritten(&self.path, &fault))
    }
}

fn unwritten(path: &Path, fault: &std::io::Error) -> Failure {
    format!("cannot write {}: {fault}", path.display()).into()
}

/// Reads a file.
pub(super) struct Reader {
    file: BufReader<File>,
    path: PathBuf,
    seal: Seal,
    ended: bool,
}

impl Reader {
    /// Opens a file.
    pub(super) fn open(
        path: &Path,
        passphrase: impl FnOnce() -> Result<Zeroizing<String>, Failure>,
    ) -> Result<Self, Failure> {
        let unreadable = |fault: std::io::Error| format!("cannot read {}: {fault}", path.display());
        let mut file = BufReader::new(File::open(path).map_err(unreadable)?);
        let mut line = Vec::new();
        file.by_ref().take(LONGEST_FIRST_LINE).read_until(b'\n', &mut line).map_err(unreadable)?;
        let line = String::from_utf8(line).unwrap_or_default();
        let head = serde_json::from_str::<Head>(&line).ok().filter(|head| head.format == FORMAT);
        let head = head.ok_or_else(|| format!("{} is no file of `cognate export`", path.display()))?;
        if head.version != VERSION {
            return Err(
                format!("{} is of a newer Cognate (version {} of the format)", path.display(), head.version).into()
            );
        }
        let seal = Seal::new(&head, &line, &passphrase()?)?;
        Ok(Self { file, path: path.to_owned(), seal, ended: false })
    }

    /// The records of the next portion; none after the last. Errors: it is not as it was written.
    pub(super) fn portion<T: DeserializeOwned>(&mut self) -> Result<Option<Vec<T>>, Failure> {
        if self.ended {
            return if self.is_at_end()? { Ok(None) } else { Err(self.broken("goes on after its end")) };
        }
        let mut head = [0; 5];
        self.read_exact(&mut head)?;
        let [last, length @ ..] = head;
        let length = u32::from_be_bytes(length);
        if last > 1 || length > LONGEST_PORTION {
            return Err(self.broken("was changed"));
        }
        let mut sealed = vec![0; length as usize];
        self.read_exact(&mut sealed)?;
        let first = self.seal.number == 0;
        let context = self.seal.context(last == 1);
        let plain = self.seal.key.open(&context, &sealed).map(Zeroizing::new);
        let plain = plain.ok_or_else(|| {
            self.broken(if first { "does not open: the passphrase is wrong, or it was changed" } else { "was changed" })
        })?;
        self.ended = last == 1;
        let lines = plain.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let records = lines.map(serde_json::from_slice).collect::<Result<Vec<T>, _>>();
        // The fault is told without what stands there.
        records
            .map(Some)
            .map_err(|fault| self.broken(&format!("holds what is not known here ({:?})", fault.classify())))
    }

    fn read_exact(&mut self, bytes: &mut [u8]) -> Result<(), Failure> {
        self.file.read_exact(bytes).map_err(|fault| {
            if fault.kind() == ErrorKind::UnexpectedEof {
                return self.broken("was cut off");
            }
            format!("cannot read {}: {fault}", self.path.display()).into()
        })
    }

    fn is_at_end(&mut self) -> Result<bool, Failure> {
        let rest = self.file.fill_buf().map_err(|fault| format!("cannot read {}: {fault}", self.path.display()))?;
        Ok(rest.is_empty())
    }

    fn broken(&self, how: &str) -> Failure {
        format!("{} {how}", self.path.display()).into()
    }
}
