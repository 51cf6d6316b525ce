//! Asking the operator: passwords hidden and twice, or one line of standard input; and whether he is sure.

use std::io::{BufRead as _, BufReader, IsTerminal as _, Read as _, Write as _};
use std::path::Path;

use zeroize::Zeroizing;

use super::failure::Failure;

/// More than any password may have, in bytes.
const LONGEST_LINE: u64 = 4096;

/// A password as it was entered; wiped when dropped.
pub(super) type Entered = Zeroizing<String>;

/// Whether somebody sits at the keyboard.
pub(super) fn at_terminal() -> bool {
    std::io::stdin().is_terminal()
}

/// The first line of standard input, without its line feed and nothing else.
pub(super) fn password_from_stdin() -> Result<Entered, Failure> {
    let mut line = Zeroizing::new(String::new());
    let mut input = std::io::stdin().lock().take(LONGEST_LINE);
    input.read_line(&mut line).map_err(|fault| format!("cannot read the password from standard input: {fault}"))?;
    if line.ends_with('\n') {
        line.pop();
    }
    if line.is_empty() {
        return Err("there is no password on standard input: --password-stdin reads one line".into());
    }
    Ok(line)
}

/// A new password, typed twice without showing it.
pub(super) fn new_password(username: &str) -> Result<Entered, Failure> {
    if !at_terminal() {
        return Err("there is no terminal to ask for the password on: pipe it in and say --password-stdin, \
                    or say --temporary to have one made up"
            .into());
    }
    let first = hidden(&format!("New password for {username}: "))?;
    let second = hidden("The same again: ")?;
    if first != second { Err("the two passwords differ; nothing was changed".into()) } else { Ok(first) }
}

fn hidden(prompt: &str) -> Result<Entered, Failure> {
    let entered = rpassword::prompt_password(prompt);
    entered.map(Zeroizing::new).map_err(|fault| format!("cannot ask for the password: {fault}").into())
}

/// Goes on only if the operator says so, or said so beforehand with `--yes`.
pub(super) fn confirm(question: &str, yes: bool) -> Result<(), Failure> {
    if yes {
        return Ok(());
    }
    if !at_terminal() {
        return Err(format!("{question} There is no terminal to ask on: say --yes").into());
    }
    eprint!("{question} [y/N] ");
    // Only the prompt's comfort is lost.
    let _ = std::io::stderr().flush();
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).map_err(|fault| format!("cannot read the answer: {fault}"))?;
    match answer.trim().to_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => Err("nothing was changed".into()),
    }
}

/// Fewer characters are guessed by whoever gets hold of the file.
const SHORTEST_PASSPHRASE: usize = 12;

/// The words that seal a file: the first line of another file, or typed; twice where they are new.
pub(super) fn passphrase(file: Option<&Path>, new: bool) -> Result<Entered, Failure> {
    let words = match file {
        Some(file) => first_line(file)?,
        None if !at_terminal() => {
            return Err("there is no terminal to ask for the passphrase on: say --passphrase-file".into());
        }
        None => hidden("Passphrase: ")?,
    };
    if new && words.chars().count() < SHORTEST_PASSPHRASE {
        return Err(format!("the passphrase must have at least {SHORTEST_PASSPHRASE} characters").into());
    }
    if new && file.is_none() && words != hidden("The same again: ")? {
        return Err("the two passphrases differ; nothing was written".into());
    }
    Ok(words)
}

fn first_line(path: &Path) -> Result<Entered, Failure> {
    let unreadable = |fault: std::io::Error| format!("cannot read {}: {fault}", path.display());
    let mut line = Zeroizing::new(String::new());
    let file = std::fs::File::open(path).map_err(unreadable)?;
    BufReader::new(file.take(LONGEST_LINE)).read_line(&mut line).map_err(unreadable)?;
    let end = line.trim_end_matches(['\r', '\n']).len();
    line.truncate(end);
    if line.is_empty() {
        Err(format!("{} has no passphrase on its first line", path.display()).into())
    } else {
        Ok(line)
    }
}
