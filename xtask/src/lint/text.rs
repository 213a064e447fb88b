//! Rules about lines.

use super::Scene;
use super::tree::{Finding, SourceFile};

const LINES_MAX: usize = 500;
const COLUMNS_MAX: usize = 100;

/// Where tests wait on everybody's behalf.
const WAITING_ROOM: &str = "chassis/src/testing";

/// Files and lines that are too long.
pub(super) fn length(scene: &Scene) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in scene.tree.with_ending("rs") {
        let count = file.text.lines().count();
        if count > LINES_MAX {
            findings.push(file.finding(count, format!("{count} lines")));
        }
        for (number, line) in file.lines() {
            let columns = line.chars().count();
            if columns > COLUMNS_MAX {
                findings.push(file.finding(number, format!("{columns} columns")));
            }
        }
    }
    findings
}

/// Tests that do not run, or that pass when anything at all goes wrong.
pub(super) fn ignored(scene: &Scene) -> Vec<Finding> {
    let attributes = ["#[ignore", "#[should_panic"];
    lines(scene, |line| {
        let attribute = attributes
            .iter()
            .find(|it| line.trim_start().starts_with(**it))?;
        Some(format!("{attribute}]"))
    })
}

/// Sleeps in tests.
pub(super) fn sleeps(scene: &Scene) -> Vec<Finding> {
    let mut findings = Vec::new();
    let files = scene
        .tree
        .with_ending("rs")
        .filter(|it| !it.path.starts_with("xtask/src/lint"));
    for file in files {
        if file.path.to_string_lossy().starts_with(WAITING_ROOM) {
            continue;
        }
        let whole = file.below("tests") || file.path.ends_with("tests.rs");
        let mut testing = whole;
        for (number, line) in file.lines() {
            testing = testing || line.trim_start().starts_with("#[cfg(test)]");
            if testing && line.contains("sleep(") {
                findings.push(file.finding(number, "a sleep in a test"));
            }
        }
    }
    findings
}

/// Folders of the machine that this was written on.
pub(super) fn machine(scene: &Scene) -> Vec<Finding> {
    // In pieces, or this file would be the first finding.
    let names = [
        concat!("/wo", "rk/"),
        concat!("/ro", "ot/"),
        concat!("/tm", "p/spec"),
    ];
    let mut findings = Vec::new();
    for file in &scene.tree.files {
        for (number, line) in file.lines() {
            for name in names {
                let at_start = |at: usize| {
                    let before = line.get(..at).and_then(|text| text.chars().next_back());
                    !before.is_some_and(|it| it.is_alphanumeric() || matches!(it, '.' | '_' | '}'))
                };
                if line.match_indices(name).any(|(at, _)| at_start(at)) {
                    findings.push(file.finding(number, format!("names {name}")));
                }
            }
        }
    }
    findings
}

/// Work that was left for later without an issue.
pub(super) fn placeholders(scene: &Scene) -> Vec<Finding> {
    let words = [concat!("TO", "DO"), concat!("FIX", "ME")];
    lines(scene, |line| {
        let (_, comment) = line.split_once("//").or_else(|| line.split_once("-- "))?;
        let word = words.iter().find(|word| comment.contains(**word))?;
        (!comment.contains("(#")).then(|| format!("{word} without an issue"))
    })
}

/// What `look` says about each line of Rust, SQL and proto.
fn lines(scene: &Scene, look: impl Fn(&str) -> Option<String>) -> Vec<Finding> {
    let ours = |file: &&SourceFile| {
        let ending = file.path.extension().and_then(|ending| ending.to_str());
        matches!(ending, Some("rs" | "sql" | "proto"))
    };
    let mut findings = Vec::new();
    for file in scene.tree.files.iter().filter(ours) {
        for (number, line) in file.lines() {
            findings.extend(look(line).map(|what| file.finding(number, what)));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::found;
    use super::*;

    #[test]
    fn files_and_lines_that_are_too_long() {
        let found = found(length, "length");
        assert_eq!(
            found,
            [
                "cli/src/long.rs:501: 501 lines",
                "cli/src/wide.rs:2: 101 columns"
            ]
        );
    }

    #[test]
    fn tests_that_do_not_count() {
        assert_eq!(
            found(ignored, "ignored"),
            [
                "cli/src/lib.rs:4: #[ignore]",
                "cli/src/lib.rs:7: #[should_panic]"
            ]
        );
    }

    #[test]
    fn sleeps_in_tests_only() {
        assert_eq!(
            found(sleeps, "sleeps"),
            [
                "cli/src/lib.rs:9: a sleep in a test",
                "cli/tests/it/main.rs:2: a sleep in a test"
            ]
        );
    }

    #[test]
    fn folders_of_this_machine() {
        assert_eq!(found(machine, "machine").len(), 1);
    }

    #[test]
    fn work_left_without_an_issue() {
        assert_eq!(found(placeholders, "placeholders").len(), 1);
    }
}
