//! `.env.example` against what the programs read.

use std::collections::BTreeMap;

use syn::punctuated::Punctuated;
use syn::visit::{self, Visit};
use syn::{Expr, ExprLit, Lit, Meta, Token};

use super::Scene;
use super::tree::{Finding, SourceFile};

const EXAMPLE: &str = ".env.example";

/// Variables of these beginnings are read by Temporal's SDK and by compose themselves.
const OF_OTHERS: [&str; 2] = ["TEMPORAL_", "COMPOSE_"];

/// Variables that one side has and the other has not.
pub(super) fn example(scene: &Scene) -> Vec<Finding> {
    let mut read = BTreeMap::new();
    // What an operator runs: no tests, and no stand-ins for tests and the demo.
    let ours = |file: &&SourceFile| {
        !file.path.starts_with("xtask") && !file.below("tests") && !file.below("examples")
    };
    for file in scene.tree.with_ending("rs").filter(ours) {
        if let Ok(syntax) = syn::parse_file(&file.text) {
            let mut arguments = Arguments { found: Vec::new() };
            arguments.visit_file(&syntax);
            for (name, line) in arguments.found {
                read.entry(name).or_insert((file, line));
            }
        }
    }
    let Some(example) = scene.tree.file(EXAMPLE) else {
        return vec![Finding {
            path: EXAMPLE.into(),
            line: 1,
            what: "is missing".to_owned(),
        }];
    };
    let written: BTreeMap<&str, usize> = example
        .lines()
        .filter_map(|(number, line)| Some((name(line)?, number)))
        .collect();
    let mut findings = Vec::new();
    for (name, line) in &written {
        let of_others = OF_OTHERS.iter().any(|it| name.starts_with(it));
        let known = read.contains_key(*name) || of_others;
        if !known && !in_compose(scene, name) {
            findings.push(example.finding(*line, format!("{name} is read by no program")));
        }
    }
    for (name, (file, line)) in &read {
        if !written.contains_key(name.as_str()) {
            findings.push(file.finding(*line, format!("{name} is not in {EXAMPLE}")));
        }
    }
    findings
}

/// The variable of a line `NAME=value` or, for one that is usually left alone, `# NAME=value`.
fn name(line: &str) -> Option<&str> {
    let (name, _) = line.trim_start_matches(['#', ' ']).split_once('=')?;
    let plain = |it: char| it.is_ascii_uppercase() || it.is_ascii_digit() || it == '_';
    (!name.is_empty() && name.chars().all(plain)).then_some(name)
}

/// Whether the compose file takes it: `${NAME}`, `${NAME:-default}`, `${NAME:?message}`.
fn in_compose(scene: &Scene, name: &str) -> bool {
    let compose = scene.tree.file("docker-compose.yml");
    compose.is_some_and(|file| {
        ["}", ":", "-", "?"]
            .iter()
            .any(|end| file.text.contains(&format!("${{{name}{end}")))
    })
}

/// Collects the variables of clap's arguments.
struct Arguments {
    found: Vec<(String, usize)>,
}

impl<'ast> Visit<'ast> for Arguments {
    fn visit_field(&mut self, field: &'ast syn::Field) {
        for attribute in field.attrs.iter().filter(|it| it.path().is_ident("arg")) {
            let parse = Punctuated::<Meta, Token![,]>::parse_terminated;
            let Ok(list) = attribute.parse_args_with(parse) else {
                continue;
            };
            let Some(env) = list.iter().find(|meta| meta.path().is_ident("env")) else {
                continue;
            };
            let line = attribute.pound_token.span.start().line;
            match env {
                Meta::NameValue(pair) => {
                    if let Expr::Lit(ExprLit {
                        lit: Lit::Str(text),
                        ..
                    }) = &pair.value
                    {
                        self.found.push((text.value(), line));
                    }
                }
                Meta::Path(_) | Meta::List(_) => {
                    let name = field.ident.as_ref().map(ToString::to_string);
                    self.found
                        .extend(name.map(|name| (name.to_uppercase(), line)));
                }
            }
        }
        visit::visit_field(self, field);
    }
}

#[cfg(test)]
mod tests {
    use super::super::found;
    use super::*;

    #[test]
    fn variables_of_one_side_only() {
        assert_eq!(
            found(example, "environment"),
            [
                ".env.example:4: DJINN_OLD is read by no program",
                "services/sync/src/config.rs:8: DJINN_SYNC_LISTEN is not in .env.example",
                "services/sync/src/config.rs:11: GRACE is not in .env.example",
            ]
        );
    }
}
