//! The house: calls run one way, each thing is named where it lives, and no file grows out of sight.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Every module at the top, and what it may use.
const MAY_USE: [(&str, &[&str]); 14] = [
    ("main", &["cli"]),
    ("cli", &["server", "api", "pool", "store", "outbound", "keys", "telemetry", "config", "error", "crypto", "clock"]),
    ("server", &["telemetry", "api", "pool", "store", "outbound", "keys", "config", "error", "crypto", "clock"]),
    ("telemetry", &["api", "config"]),
    ("api", &["pool", "config", "error", "crypto", "clock"]),
    ("pool", &["store", "outbound", "keys", "config", "error", "crypto", "clock"]),
    ("store", &["config", "error", "crypto", "clock"]),
    ("outbound", &["config", "error", "crypto", "clock"]),
    ("keys", &["error", "crypto", "clock"]),
    ("crypto", &["error"]),
    ("config", &[]),
    ("error", &[]),
    ("clock", &[]),
    ("lib", &[]),
];
/// Who may name a foreign crate that brings its ways with it.
const CRATES: [(&str, &[&str]); 11] = [
    ("sqlx", &["store"]),
    ("redis", &["store"]),
    ("actix_web", &["api", "server", "telemetry"]),
    ("actix_cors", &["api"]),
    ("lettre", &["outbound", "pool", "config"]),
    ("ldap3", &["outbound"]),
    ("ring", &["crypto"]),
    ("aws_lc_rs", &["keys", "crypto", "server"]),
    ("jsonwebtoken", &["keys"]),
    ("crypto_bigint", &["pool"]),
    ("reqwest", &["outbound"]),
];
const LONGEST_FILE: usize = 350;
/// What a value is called that nobody must learn byte by byte from how long a comparison takes.
const SECRETS: [&str; 9] = ["secret", "signature", "mac", "m1", "digest", "tag", "password", "answer", "verifier"];
/// Where a word among them is no secret that a caller guesses at: a type in BER, a password beside itself, two hashes that
/// are both ours.
const NO_SECRETS: [(&str, &str); 5] = [
    ("api/account/pm415/request.rs", "password"),
    ("outbound/ldap/start_tls.rs", "tag"),
    ("pool/password.rs", "password"),
    ("pool/password_change.rs", "password"),
    ("pool/next_password.rs", "password"),
];
/// Who compares what a caller says with a secret.
const COMPARE: [&str; 9] = [
    "api/cognito/sigv4.rs",
    "pool/api_key.rs",
    "pool/app_secret.rs",
    "pool/credential.rs",
    "pool/hash/stored.rs",
    "pool/refresh_token.rs",
    "pool/srp/challenge.rs",
    "pool/totp.rs",
    "store/sql/challenges.rs",
];

struct Source {
    path: PathBuf,
    /// The top module it belongs to.
    module: String,
    /// What the program is made of: no comments, no tests.
    code: String,
    lines: usize,
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    collect(&root, &root, &mut found);
    assert!(found.len() > 50, "only {} files in src", found.len());
    found
}

fn collect(root: &Path, folder: &Path, found: &mut Vec<Source>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(root, &path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            let inside = path.strip_prefix(root).unwrap().to_owned();
            let module = inside.iter().next().unwrap().to_str().unwrap().trim_end_matches(".rs").to_owned();
            let program = text.split("#[cfg(test)]").next().unwrap();
            let code =
                program.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
            found.push(Source { path: inside, module, code, lines: text.lines().count() });
        }
    }
}

/// Every word that follows `prefix` where that stands as a path of its own.
fn words_after<'a>(code: &'a str, prefix: &str) -> BTreeSet<&'a str> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut words = BTreeSet::new();
    for (at, _) in code.match_indices(prefix) {
        if code[..at].ends_with(|c: char| is_word(c) || c == ':') {
            continue;
        }
        let rest = &code[at + prefix.len()..];
        let list = rest.strip_prefix('{').map_or(rest, |list| list.split("};").next().unwrap());
        let items: Vec<&str> = if rest.starts_with('{') { list.split(',').collect() } else { vec![rest] };
        words.extend(items.iter().map(|item| item.trim().split(|c| !is_word(c)).next().unwrap()));
    }
    words.retain(|word| !word.is_empty());
    words
}

#[test]
fn calls_run_one_way() {
    let tops: BTreeSet<String> = sources().into_iter().map(|source| source.module).collect();
    assert_eq!(tops, MAY_USE.iter().map(|(module, _)| (*module).to_owned()).collect(), "a module has no place yet");
    for source in sources() {
        let allowed = MAY_USE.iter().find(|(module, _)| *module == source.module).unwrap().1;
        // The binary names the library by its name.
        let name = if source.module == "main" { "cognate::" } else { "crate::" };
        for used in words_after(&source.code, name) {
            let fine = used == source.module || allowed.contains(&used) || !tops.contains(used);
            assert!(fine, "{}: {} must not use {used}", source.path.display(), source.module);
        }
    }
}

#[test]
fn no_two_modules_use_each_other() {
    for (module, used) in MAY_USE {
        for other in used {
            let back = MAY_USE.iter().find(|(name, _)| name == other).unwrap().1;
            assert!(!back.contains(&module), "{module} and {other}");
        }
    }
}

#[test]
fn a_foreign_crate_is_named_where_it_belongs_and_nowhere_else() {
    for source in sources() {
        for (name, owners) in CRATES {
            let named = !words_after(&source.code, &format!("{name}::")).is_empty();
            let own_module = source.code.contains(&format!("mod {name};"));
            assert!(
                !named || own_module || owners.contains(&source.module.as_str()),
                "{}: {name} belongs to {owners:?}",
                source.path.display()
            );
        }
    }
}

#[test]
fn time_and_memory_are_read_in_the_open() {
    for source in sources() {
        let words: BTreeSet<&str> = source.code.split(|c: char| !(c.is_alphanumeric() || c == '_')).collect();
        assert!(!words.contains("unsafe"), "{}", source.path.display());
        for clock in ["SystemTime::now", "now_utc", "now_local", "Utc::now", "thread_rng", ".connection_info("] {
            let reads = source.code.contains(clock);
            assert!(!reads || (source.module == "clock" && clock == "SystemTime::now"), "{}", source.path.display());
        }
    }
}

/// The last words of both sides of every `==` and `!=`.
fn compared(code: &str) -> BTreeSet<&str> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let last = |side: &'_ str| side.len() - side.trim_end_matches(|c| !is_word(c)).len();
    let mut words = BTreeSet::new();
    for (at, _) in code.match_indices("==").chain(code.match_indices("!=")) {
        let (left, right) = (&code[..at], code[at + 2..].trim_start());
        let path = right.split(|c: char| !(is_word(c) || ".&*:()".contains(c))).next().unwrap();
        for side in [left, path] {
            let side = &side[..side.len() - last(side)];
            words.insert(side.rsplit(|c| !is_word(c)).next().unwrap());
        }
    }
    words
}

// K04: how long it takes is looked at by `cargo bench --bench constant_time`. Redis compares the answer to a challenge, which
// is a tag under a key that no caller has.
#[test]
fn secrets_are_compared_in_constant_time_alone() {
    assert_eq!(compared("if self.tag() != other.secret && a == *b.m1 {"), BTreeSet::from(["a", "m1", "secret", "tag"]));
    let sources = sources();
    let path = |source: &Source| source.path.to_str().unwrap().to_owned();
    let mut open = Vec::new();
    for source in &sources {
        let found = compared(&source.code).into_iter().filter(|word| SECRETS.contains(word));
        open.extend(found.map(|word| (path(source), word)));
    }
    open.retain(|(path, word)| !NO_SECRETS.contains(&(path, word)));
    assert!(open.is_empty(), "crypto::same compares secrets: {open:?}");
    for file in COMPARE {
        assert!(sources.iter().any(|source| path(source) == file && source.code.contains("crypto::same(")), "{file}");
    }
}

#[test]
fn every_file_says_what_it_is_and_can_be_taken_in() {
    for source in sources() {
        let text =
            std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(&source.path)).unwrap();
        assert!(text.starts_with("//! "), "{} does not begin with a sentence about itself", source.path.display());
        assert!(source.lines <= LONGEST_FILE, "{} has {} lines", source.path.display(), source.lines);
        assert!(!text.contains("TODO") && !text.contains("FIXME"), "{}", source.path.display());
    }
}

#[test]
fn a_stranger_finds_what_he_looks_for() {
    for file in [
        "Cargo.toml",
        "Cargo.lock",
        "README.md",
        "LICENSE",
        "CHANGELOG.md",
        "SECURITY.md",
        "openapi.yaml",
        "deny.toml",
        "clippy.toml",
        "rustfmt.toml",
        ".ci/run",
        "tests/run",
    ] {
        assert!(Path::new(env!("CARGO_MANIFEST_DIR")).join(file).is_file(), "{file}");
    }
}
