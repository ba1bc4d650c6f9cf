//! The rules that no compiler checks: direction of imports, places of things, and that the
//! documents say what the program does.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use clap::CommandFactory as _;
use freepbx_snapshot::{cli::Cli, config::Config, error::ExitCode};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(name: &str) -> String {
    std::fs::read_to_string(root().join(name)).unwrap_or_default()
}

/// Every source file below `src`, by its path from there.
fn sources() -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root().join("src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(root().join("src")).unwrap().to_path_buf();
                found.insert(name, std::fs::read_to_string(&path).unwrap());
            }
        }
    }
    assert!(found.len() > 50, "only {} files found", found.len());
    found
}

/// The part of a file that is neither comment nor unit test.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let is_code = |line: &&str| !line.trim_start().starts_with("//");
    text.lines().filter(is_code).collect::<Vec<_>>().join("\n")
}

/// Whether a file holds nothing but tests.
fn is_test(path: &Path) -> bool {
    path.file_stem().is_some_and(|stem| stem == "tests" || stem == "testing")
}

/// The modules of this crate that a piece of code names after `crate::`.
fn imports(code: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (at, mark) in code.match_indices("crate::") {
        let rest = &code[at + mark.len()..];
        if !rest.starts_with('{') {
            found.insert(word(rest));
            continue;
        }
        let mut depth = 0;
        let mut begins = true;
        for (at, c) in rest.char_indices() {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 1 => begins = true,
                c if depth == 1 && begins && c.is_alphabetic() => {
                    found.insert(word(&rest[at..]));
                    begins = false;
                }
                _ => {}
            }
            if depth == 0 {
                break;
            }
        }
    }
    found
}

fn word(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

#[test]
fn imports_are_found_however_they_are_written() {
    let code =
        "use crate::{\n    ami::{Action, error::E},\n    collect,\n};\nlet x = crate::words::y;";
    assert_eq!(imports(code).into_iter().collect::<Vec<_>>(), ["ami", "collect", "words"]);
}

#[test]
fn modules_import_only_what_lies_before_them() {
    let allowed: BTreeMap<&str, &[&str]> = BTreeMap::from([
        ("ami", &[][..]),
        ("snapshot", &[]),
        ("terminal", &[]),
        // The thresholds of `status` are that reader's own words; it knows nothing of `config`.
        ("config", &["ami", "views"]),
        ("collect", &["ami", "config", "snapshot", "terminal"]),
        ("normalize", &["ami", "collect", "config", "snapshot", "terminal"]),
        ("output", &["snapshot"]),
        ("views", &["snapshot", "terminal"]),
        ("capture", &["ami", "collect"]),
        ("replay", &["ami", "capture"]),
        ("demo", &["ami", "capture", "replay"]),
    ]);
    let mut seen = BTreeSet::new();
    for (path, text) in sources().iter().filter(|(path, _)| !is_test(path)) {
        let first = path.components().next().unwrap().as_os_str().to_string_lossy().into_owned();
        let module = first.trim_end_matches(".rs");
        let Some((module, allowed)) = allowed.get_key_value(module) else { continue };
        seen.insert(*module);
        for import in imports(&code(text)) {
            let fits = import == *module || allowed.contains(&import.as_str());
            assert!(fits, "src/{} imports {import}; {module} may not", path.display());
        }
    }
    assert_eq!(seen.len(), allowed.len(), "modules seen: {seen:?}");
}

#[test]
fn each_of_these_has_one_place() {
    for (what, place) in [("serde_yaml", "config"), ("Utc::now", "main.rs")] {
        for (path, text) in &sources() {
            let fits = path.starts_with(place) || !code(text).contains(what);
            assert!(fits, "{what} in src/{}; its place is {place}", path.display());
        }
    }
}

#[test]
fn library_code_never_prints() {
    for (path, text) in &sources() {
        for print in ["println!", "print!(", "dbg!("] {
            assert!(!code(text).contains(print), "{print} in src/{}", path.display());
        }
    }
}

#[test]
fn every_module_says_what_it_answers() {
    for (path, text) in &sources() {
        assert!(text.starts_with("//! "), "src/{} begins without a comment", path.display());
    }
}

#[test]
fn nothing_is_left_to_do_in_comments() {
    for (path, text) in &sources() {
        // Spelled so that this file does not find itself.
        for mark in ["TO\u{44}O", "FIX\u{4d}E", "XX\u{58}"] {
            assert!(!text.contains(mark), "{mark} in src/{}", path.display());
        }
    }
}

/// Exit codes that are no [`ExitCode`]: the shell's words for a signal.
const SIGNALS: [&str; 2] = ["130", "143"];

#[test]
fn help_lists_the_exit_codes_of_the_program() {
    let help = Cli::command().render_long_help().to_string();
    let (_, table) = help.split_once("Exit codes:\n").expect("a list of exit codes");
    let listed: Vec<_> = table
        .lines()
        .filter_map(|line| line.trim().split_once("  "))
        .filter(|(code, _)| !SIGNALS.contains(code))
        .collect();
    let known = ExitCode::ALL.map(|code| (code.number().to_string(), code.meaning()));
    let known: Vec<_> = known.iter().map(|(code, meaning)| (code.as_str(), *meaning)).collect();
    assert_eq!(listed, known);
}

#[test]
fn the_readme_lists_the_exit_codes_of_the_program() {
    let readme = read("README.md");
    let rows = readme.lines().filter_map(|line| {
        let mut cells = line.strip_prefix('|')?.split('|').map(str::trim);
        let (code, meaning) = (cells.next()?, cells.next()?);
        let is_code = !code.is_empty() && code.bytes().all(|b| b.is_ascii_digit());
        (is_code && !SIGNALS.contains(&code)).then(|| (code.to_owned(), meaning.to_owned()))
    });
    let known = ExitCode::ALL.map(|code| (code.number().to_string(), code.meaning().to_owned()));
    assert_eq!(rows.collect::<Vec<_>>(), known);
}

#[test]
fn the_example_configuration_loads_without_a_warning() {
    let example = read("config.example.yaml");
    let config = Config::parse(Path::new("/etc/c.yaml"), example.into(), &|_| None).unwrap();
    assert!(config.warnings.is_empty(), "{:?}", config.warnings);
}

#[test]
fn the_changelog_has_a_place_for_what_is_new() {
    let changelog = read("CHANGELOG.md");
    let first = changelog.lines().find(|line| line.starts_with("## "));
    let is_unreleased = |line: &str| line.trim_matches(['#', ' ', '[', ']']) == "Unreleased";
    assert!(first.is_some_and(is_unreleased), "{first:?}");
}

#[test]
fn examples_are_short() {
    for entry in std::fs::read_dir(root().join("examples")).unwrap() {
        let path = entry.unwrap().path();
        let lines = std::fs::read_to_string(&path).unwrap().lines().count();
        assert!(lines < 40, "{} has {lines} lines", path.display());
    }
}

#[test]
fn the_documents_name_the_oldest_rust_that_works() {
    let needed = env!("CARGO_PKG_RUST_VERSION");
    for name in ["README.md", "CONTRIBUTING.md"] {
        let text = read(name);
        let named = text.match_indices(" or newer").filter_map(|(at, _)| {
            let version = text[..at].rsplit(['(', ' ']).next()?;
            version.starts_with("1.").then_some(version)
        });
        for version in named {
            assert_eq!(version, needed, "{name}");
        }
    }
}

#[test]
fn every_link_of_the_documents_leads_somewhere() {
    for name in ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md"] {
        for link in read(name).split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let path = link.split('#').next().unwrap_or_default();
            let outside = link.contains("://") || path.is_empty();
            assert!(outside || root().join(path).exists(), "{name} links to {link}");
        }
    }
}
