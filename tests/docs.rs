//! What the README says about settings is what the program does.

use std::collections::BTreeSet;
use std::path::Path;

use cognate::config::{Config, Setting};

const README: &str = include_str!("../README.md");
const HEAD: &str = "| Setting | Default | What it does |";

#[test]
fn the_settings_table_lists_every_setting_with_its_default_and_no_other() {
    let wanted: Vec<String> = Config::default().settings().iter().map(row).collect();
    let found: Vec<&str> =
        README.lines().skip_while(|line| *line != HEAD).skip(2).take_while(|line| line.starts_with('|')).collect();
    assert!(found == wanted, "the table in README.md should be:\n\n{HEAD}\n|---|---|---|\n{}\n", wanted.join("\n"));
}

#[test]
fn every_variable_that_the_readme_names_is_a_setting() {
    let settings = Config::default().settings();
    let known: BTreeSet<String> = settings.iter().map(Setting::variable).collect();
    let named = README
        .split(|c: char| !(c.is_ascii_uppercase() || c == '_'))
        .filter(|word| word.starts_with("COGNATE__") && !word.ends_with('_'));
    let unknown: Vec<&str> = named.filter(|word| !known.contains(*word)).collect();
    assert_eq!(unknown, Vec::<&str>::new());
}

#[test]
fn every_metric_stands_in_the_readme_as_it_describes_itself() {
    let code = [include_str!("../src/telemetry.rs"), include_str!("../src/api/ops.rs")];
    let described = code.iter().flat_map(|code| code.lines()).filter_map(|line| {
        let (kind, rest) = line.trim().split_once("!(\"")?;
        let rest = rest.strip_suffix("\");")?.split_once("\", \"")?;
        ["counter", "gauge", "histogram"].contains(&kind).then(|| format!("| `{}` | {} |", rest.0, rest.1))
    });
    let described: Vec<String> = described.collect();
    let found: Vec<&str> = README.lines().filter(|line| line.starts_with("| `cognate_")).collect();
    assert!(described.len() > 10 && found == described, "the table in README.md should be:\n{}", described.join("\n"));
}

#[test]
fn every_event_that_is_logged_stands_in_the_readme_and_no_other() {
    let mut logged = BTreeSet::new();
    for code in sources(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src"))) {
        for call in code.split("tracing::").skip(1) {
            let level = ["info", "warn", "error"].into_iter().find(|level| call.starts_with(&format!("{level}!(")));
            let Some(level) = level else { continue };
            let message = call.split("\")").next().unwrap().rsplit('"').next().unwrap();
            logged.insert(format!("| `{message}` | {level} |"));
        }
    }
    let rows = README.lines().skip_while(|line| *line != "| Event | Level | When |").skip(2);
    let rows = rows.take_while(|line| line.starts_with('|')).map(|row| row.rsplit_once(" | ").unwrap().0);
    let named: BTreeSet<String> = rows.map(|row| format!("{row} |")).collect();
    assert_eq!(logged, named);
}

/// The text of every source file.
fn sources(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(std::fs::read_to_string(path).unwrap());
        }
    }
    found
}

fn row(setting: &Setting) -> String {
    let default = if setting.default.is_empty() { String::new() } else { format!("`{}`", setting.default) };
    format!("| `{}` | {default} | {} |", setting.name, about(setting))
}

/// As Markdown: what stands in angle brackets would vanish as a tag.
fn about(setting: &Setting) -> String {
    setting.about.replace('|', "\\|").replace('<', "&lt;")
}
