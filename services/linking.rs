//! How a release of a service is linked, for the build scripts of all of them: a process holds most
//! of its program in memory, so a smaller program is a smaller process (measured by
//! `cargo xtask bench idle`).

/// Arguments for LLD, which is what the toolchain links with on this target.
const ARGUMENTS: [&str; 2] = [
    // The addresses that are set at the start are listed in packed form: in the other one the list
    // is 2 MiB, each page of which is read once and held from then on. Needs glibc 2.36, as the
    // images have it.
    "-Wl,-z,pack-relative-relocs",
    // Functions of equal code become one. Generic code has thousands of these.
    "-Wl,--icf=all",
];

/// Hands the arguments to cargo where they are understood.
pub(crate) fn release() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=../linking.rs");
    let is = |name: &str, value: &str| std::env::var(name).is_ok_and(|found| found == value);
    let lld = is("CARGO_CFG_TARGET_ARCH", "x86_64")
        && is("CARGO_CFG_TARGET_OS", "linux")
        && is("CARGO_CFG_TARGET_ENV", "gnu");
    if is("PROFILE", "release") && lld {
        for argument in ARGUMENTS {
            println!("cargo:rustc-link-arg-bins={argument}");
        }
    }
}
