//! What the README says about settings is what the program does.

use std::collections::BTreeSet;

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

fn row(setting: &Setting) -> String {
    let default = if setting.default.is_empty() { String::new() } else { format!("`{}`", setting.default) };
    format!("| `{}` | {default} | {} |", setting.name, about(setting))
}

/// As Markdown: what stands in angle brackets would vanish as a tag.
fn about(setting: &Setting) -> String {
    setting.about.replace('|', "\\|").replace('<', "&lt;")
}
