//! Links a release as `../linking.rs` tells.

#[path = "../linking.rs"]
mod linking;

fn main() {
    linking::release();
}
