//! `cargo xtask lint`: formatting, clippy, protos, and the house rules as a machine can.
//!
//! A rule is one small function from the tree to findings; `fixtures/<rule>` holds a small tree
//! that breaks it, and the tests below prove that it is found. All checks run before the verdict.

mod append_only;
mod containers;
mod crates;
mod environment;
mod rooms;
mod sql;
mod tables;
mod text;
mod tree;

#[cfg(test)]
use std::path::PathBuf;

use anyhow::bail;

use crate::install;
use crate::workspace::{Package, Workspace};
use crate::{command, interrupt};

pub(crate) use tree::rust_files;
use tree::{Finding, Tree};

/// How to check.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Only the house rules, without rustfmt, clippy and buf: a second instead of minutes.
    #[arg(long)]
    rules: bool,
    /// Notes the migrations that exist now as shipped; those noted before may not have changed.
    #[arg(long)]
    note_migrations: bool,
}

/// One rule of the house.
struct Rule {
    /// Also the name of its folder of fixtures.
    name: &'static str,
    /// What holds.
    law: &'static str,
    /// What to do about a finding.
    way_out: &'static str,
    find: fn(&Scene) -> Vec<Finding>,
}

/// What a rule looks at.
struct Scene {
    tree: Tree,
    packages: Vec<Package>,
}

const RULES: [Rule; 15] = [
    Rule {
        name: "crates",
        law: "crates depend on each other only as DESIGN section 3 draws it",
        way_out: "call the other service through djinn-proto, or move the code to where it belongs",
        find: crates::arrows,
    },
    Rule {
        name: "versions",
        law: "the crates of Temporal are of one release",
        way_out: "write the version of the root Cargo.toml into temporal/Cargo.toml",
        find: crates::versions,
    },
    Rule {
        name: "rooms",
        law: "main > lib > http > graphql > {grpc, activities} > steps > store > {error, config} \
              > domain",
        way_out: "move the code to the room that may do this, and pass the result in",
        find: rooms::arrows,
    },
    Rule {
        name: "keys",
        law: "every key of a table of user data begins with user_id",
        way_out: "put user_id first in the key; foreign-key checks bypass row-level security",
        find: tables::keys,
    },
    Rule {
        name: "row-security",
        law: "a table with user_id forces row-level security and has a policy",
        way_out: "ENABLE and FORCE ROW LEVEL SECURITY, CREATE POLICY; exceptions are in DESIGN 5",
        find: tables::row_security,
    },
    Rule {
        name: "ledger",
        law: "the ledger's tables are touched only through djinn-ledger",
        way_out: "write the statement in ledger/src and call it",
        find: sql::ledger_only,
    },
    Rule {
        name: "floats",
        law: "no floating point and no type `money` in SQL",
        way_out: "bigint in the currency's smallest unit; scores as ten-thousandths in an integer",
        find: sql::floats,
    },
    Rule {
        name: "append-only",
        law: "a migration that has shipped never changes",
        way_out: "undo the change and write a new migration (new ones: lint --note-migrations)",
        find: append_only::check,
    },
    Rule {
        name: "environment",
        law: ".env.example has exactly the variables that the programs read",
        way_out: "add or remove the line in .env.example",
        find: environment::example,
    },
    Rule {
        name: "containers",
        law: "containers have limits, health, no rights and no open ports, and fit into 4 GB",
        way_out: "see the head of docker-compose.yml and DESIGN section 9",
        find: containers::check,
    },
    Rule {
        name: "length",
        law: "a Rust file has at most 500 lines of at most 100 columns",
        way_out: "split the file by noun into a folder, break the line",
        find: text::length,
    },
    Rule {
        name: "ignored",
        law: "no test is ignored or expected to panic",
        way_out: "repair or delete the test; assert on the error instead of a panic",
        find: text::ignored,
    },
    Rule {
        name: "sleeps",
        law: "tests wait for conditions, never for a time",
        way_out: "use chassis::testing::eventually",
        find: text::sleeps,
    },
    Rule {
        name: "machine",
        law: "nothing names a folder of the machine it was written on",
        way_out: "use a path from the root of the repository",
        find: text::machine,
    },
    Rule {
        name: "placeholders",
        law: "no TODO or FIXME without the number of an issue",
        way_out: "do it now, or name the issue as in `TODO(#12)`",
        find: text::placeholders,
    },
];

/// Runs every check.
pub(crate) async fn run(workspace: &Workspace, arguments: Arguments) -> anyhow::Result<()> {
    if arguments.note_migrations {
        return append_only::note(&workspace.root);
    }
    interrupt::guard(async {
        let mut failed = rules(workspace)?;
        if !arguments.rules {
            failed.extend(tools(workspace).await?);
        }
        if failed.is_empty() {
            println!("lint: all is well");
            return Ok(());
        }
        bail!("lint failed: {}", failed.join(", "))
    })
    .await
}

/// Checks the house rules; returns the names of the broken ones.
fn rules(workspace: &Workspace) -> anyhow::Result<Vec<&'static str>> {
    let tree = Tree::load(&workspace.root)?;
    let scene = Scene {
        tree,
        packages: workspace.packages.clone(),
    };
    let mut failed = Vec::new();
    for rule in &RULES {
        let findings = (rule.find)(&scene);
        if findings.is_empty() {
            println!("ok      {:<13} {}", rule.name, rule.law);
            continue;
        }
        failed.push(rule.name);
        println!("FAILED  {:<13} {}", rule.name, rule.law);
        for finding in &findings {
            println!(
                "  {}:{}: {}",
                finding.path.display(),
                finding.line,
                finding.what
            );
        }
        println!("  way out: {}", rule.way_out);
    }
    Ok(failed)
}

/// Runs the tools that others made; returns the names of those that found something.
async fn tools(workspace: &Workspace) -> anyhow::Result<Vec<&'static str>> {
    let mut failed = Vec::new();
    let mut format = workspace.cargo();
    format.args(["fmt", "--all", "--check"]);
    let buf = install::BUF.path(workspace).await?;
    let mut protos = tokio::process::Command::new(buf);
    protos.arg("lint").current_dir(workspace.root.join("proto"));
    let mut clippy = workspace.cargo();
    clippy
        .args(["clippy", "--workspace", "--all-targets"])
        .args(workspace.features());
    clippy.args(["--", "--deny", "warnings"]);
    for (name, law, command) in [
        (
            "rustfmt",
            "the code is formatted (way out: cargo fmt)",
            &mut format,
        ),
        (
            "buf",
            "the protos follow buf's STANDARD and COMMENTS",
            &mut protos,
        ),
        (
            "clippy",
            "clippy and the compiler have nothing to say",
            &mut clippy,
        ),
    ] {
        if command::status(command).await?.success() {
            println!("ok      {name:<13} {law}");
        } else {
            println!("FAILED  {name:<13} {law}");
            failed.push(name);
        }
    }
    Ok(failed)
}

#[cfg(test)]
fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures")
        .join(name)
}

/// What a rule finds in its fixture, as `path:line: what`.
#[cfg(test)]
fn found(find: fn(&Scene) -> Vec<Finding>, name: &str) -> Vec<String> {
    let folder = fixture(name);
    let packages = std::fs::read_to_string(folder.join("packages.json"))
        .map(|text| serde_json::from_str(&text).unwrap())
        .unwrap_or_default();
    let scene = Scene {
        tree: Tree::load(&folder).unwrap(),
        packages,
    };
    find(&scene)
        .iter()
        .map(|it| format!("{}:{}: {}", it.path.display(), it.line, it.what))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_has_a_fixture_that_breaks_it() {
        for rule in &RULES {
            assert!(
                fixture(rule.name).is_dir(),
                "there is no fixtures/{}",
                rule.name
            );
            assert!(
                !found(rule.find, rule.name).is_empty(),
                "{} found nothing",
                rule.name
            );
        }
    }
}
