//! Tells cargo that the migrations are part of this program: the macro that takes them in looks at
//! their folders only when something else makes it compile.

fn main() {
    for folder in ["../ledger", "../services/imports", "../services/sync"] {
        println!("cargo::rerun-if-changed={folder}/migrations");
    }
}
