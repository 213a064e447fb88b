//! Arrows between the rooms of a service.

use proc_macro2::Span;
use syn::visit::{self, Visit};

use super::Scene;
use super::tree::{Finding, SourceFile};

/// The rooms with their floor: an arrow points to a lower room (a higher number), or stays in its
/// own. Rooms on one floor do not know each other.
const ROOMS: [(&str, u8); 12] = [
    ("main", 0),
    ("lib", 1),
    // The gateway's listener: it takes uploads and leads to the doors behind it.
    ("http", 2),
    // The gateway's graph, which asks the services through its gRPC door.
    ("graphql", 3),
    // The doors.
    ("grpc", 4),
    ("activities", 4),
    // What both doors share.
    ("steps", 5),
    // The gateway's count of calls, which all its doors ask.
    ("limit", 5),
    ("store", 6),
    ("error", 7),
    ("config", 7),
    ("domain", 8),
];

/// Crates that belong to some rooms only, by the beginning of their names.
const BOUND: [(&str, &[&str]); 4] = [
    ("async_graphql", &["graphql"]),
    ("sqlx", &["store", "error"]),
    ("tonic", &["grpc", "http", "lib"]),
    ("temporalio_sdk", &["activities", "lib"]),
];

/// What the domain must not know, by the beginning of its path: IO, clocks, SQL, wire types.
const NOT_IN_DOMAIN: [&str; 14] = [
    "aws_",
    "djinn_proto",
    "djinn_temporal",
    "hyper",
    "pbjson",
    "prost::",
    "prost_types",
    "sqlx",
    "std::fs",
    "std::process",
    "std::time::SystemTime",
    "temporalio_",
    "tokio",
    "tonic",
];

/// What the gateway must not know anywhere.
const NOT_IN_GATEWAY: [&str; 4] = ["sqlx", "temporalio_", "djinn_ledger", "djinn_temporal"];

/// Paths in the sources of services that point against the arrows.
pub(super) fn arrows(scene: &Scene) -> Vec<Finding> {
    let sources = scene
        .tree
        .with_ending("rs")
        .filter_map(|file| Some((place(file)?, file)));
    sources
        .flat_map(|(place, file)| check(&place, file))
        .collect()
}

/// Where a source file stands.
struct Place {
    service: String,
    room: String,
    /// How many modules lie between the file and the root of the crate.
    depth: usize,
}

/// `services/<name>/src/..`; files that hold tests only have no place.
fn place(file: &SourceFile) -> Option<Place> {
    let parts: Vec<&str> = file.path.iter().filter_map(|part| part.to_str()).collect();
    let [first, service, "src", inside @ ..] = parts.as_slice() else {
        return None;
    };
    let (last, folders) = inside.split_last()?;
    let name = last.strip_suffix(".rs")?;
    if *first != "services" || name == "tests" || folders.contains(&"tests") {
        return None;
    }
    let room = folders.first().copied().unwrap_or(name).to_owned();
    let at_root = folders.is_empty() && matches!(name, "lib" | "main");
    let is_module_file = !at_root && name != "mod";
    let depth = folders.len() + usize::from(is_module_file);
    Some(Place {
        service: (*service).to_owned(),
        room,
        depth,
    })
}

fn check(place: &Place, file: &SourceFile) -> Vec<Finding> {
    let Some(floor) = floor(&place.room) else {
        let what = format!("`{}` is no room of a service", place.room);
        return vec![file.finding(1, what)];
    };
    let syntax = match syn::parse_file(&file.text) {
        Ok(syntax) => syntax,
        Err(error) => return vec![file.finding(error.span().start().line, error.to_string())],
    };
    let mut paths = Paths {
        depth: place.depth,
        found: Vec::new(),
    };
    paths.visit_file(&syntax);
    let mut findings = Vec::new();
    for (path, line) in &paths.found {
        if let Some(what) = complaint(place, floor, path) {
            findings.push(file.finding(*line, what));
        }
    }
    findings.dedup_by(|one, other| one.line == other.line && one.what == other.what);
    findings
}

fn floor(room: &str) -> Option<u8> {
    ROOMS
        .iter()
        .find(|(name, _)| *name == room)
        .map(|(_, floor)| *floor)
}

/// What is wrong with a path at this place, if anything.
fn complaint(place: &Place, from: u8, path: &[String]) -> Option<String> {
    let room = &place.room;
    let own_name = format!("djinn_{}", place.service);
    if let [first, target, ..] = path
        && (first == "crate" || (room == "main" && *first == own_name))
        && let Some(to) = floor(target)
        && target != room
        && (to <= from || room == "main")
    {
        return Some(format!("{room} may not use {target}"));
    }
    let text = path.join("::");
    let begins = |names: &[&str]| names.iter().any(|name| text.starts_with(name));
    if room == "domain" && begins(&NOT_IN_DOMAIN) {
        return Some(format!("the domain may not use {text}"));
    }
    if place.service == "gateway" && begins(&NOT_IN_GATEWAY) {
        return Some(format!("the gateway may not use {text}"));
    }
    let first = path.first()?;
    let (name, rooms) = BOUND.iter().find(|(name, _)| first.starts_with(name))?;
    (!rooms.contains(&room.as_str()))
        .then(|| format!("{room} may not use {name}: only {} may", rooms.join(", ")))
}

/// Collects every path of a file, `use` or not, from the root of the crate where it is relative.
struct Paths {
    depth: usize,
    found: Vec<(Vec<String>, usize)>,
}

impl Paths {
    fn add(&mut self, parts: Vec<String>, span: Span) {
        let supers = parts.iter().take_while(|part| *part == "super").count();
        let path = match parts.first().map(String::as_str) {
            // As many steps up as there are modules above: that is the root of the crate.
            Some("super") if supers == self.depth => {
                let rest = parts.into_iter().skip(supers);
                std::iter::once("crate".to_owned()).chain(rest).collect()
            }
            Some("super" | "self") | None => return,
            Some(_) => parts,
        };
        self.found.push((path, span.start().line));
    }

    fn tree(&mut self, before: &[String], tree: &syn::UseTree) {
        let with = |ident: &syn::Ident| {
            let mut parts = before.to_vec();
            parts.push(ident.to_string());
            parts
        };
        match tree {
            syn::UseTree::Path(path) => self.tree(&with(&path.ident), &path.tree),
            syn::UseTree::Name(name) => self.add(with(&name.ident), name.ident.span()),
            syn::UseTree::Rename(rename) => self.add(with(&rename.ident), rename.ident.span()),
            syn::UseTree::Glob(glob) => {
                self.add(before.to_vec(), glob.star_token.spans[0]);
            }
            syn::UseTree::Group(group) => {
                group.items.iter().for_each(|item| self.tree(before, item));
            }
        }
    }
}

impl<'ast> Visit<'ast> for Paths {
    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        if !for_tests(&item.attrs) {
            self.tree(&[], &item.tree);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if let Some(first) = path.segments.first() {
            let parts = path
                .segments
                .iter()
                .map(|segment| segment.ident.to_string())
                .collect();
            self.add(parts, first.ident.span());
        }
        visit::visit_path(self, path);
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if !for_tests(&item.attrs) {
            self.depth += 1;
            visit::visit_item_mod(self, item);
            self.depth -= 1;
        }
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        if !for_tests(&item.attrs) {
            visit::visit_item_fn(self, item);
        }
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        if !for_tests(&item.attrs) {
            visit::visit_item_impl(self, item);
        }
    }

    /// Attributes name derives and lints, no rooms.
    fn visit_attribute(&mut self, _attribute: &'ast syn::Attribute) {}
}

/// Whether these attributes hold `#[cfg(test)]`.
fn for_tests(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute
                .parse_args::<syn::Ident>()
                .is_ok_and(|ident| ident == "test")
    })
}

#[cfg(test)]
mod tests {
    use super::super::found;
    use super::*;

    #[test]
    fn paths_against_the_arrows() {
        assert_eq!(
            found(arrows, "rooms"),
            [
                "services/gateway/src/graphql/query.rs:2: graphql may not use http",
                "services/gateway/src/graphql/query.rs:4: \
                 graphql may not use tonic: only grpc, http, lib may",
                "services/gateway/src/http.rs:2: the gateway may not use sqlx::PgPool",
                "services/gateway/src/http.rs:4: http may not use async_graphql: only graphql may",
                "services/imports/src/domain/rows.rs:4: domain may not use grpc",
                "services/imports/src/domain.rs:3: domain may not use store",
                "services/imports/src/domain.rs:5: the domain may not use tokio::fs::File",
                "services/imports/src/grpc.rs:3: grpc may not use sqlx: only store, error may",
                "services/imports/src/grpc.rs:4: grpc may not use activities",
                "services/imports/src/helpers.rs:1: `helpers` is no room of a service",
                "services/imports/src/main.rs:4: main may not use store",
                "services/imports/src/store.rs:2: store may not use grpc",
            ]
        );
    }
}
