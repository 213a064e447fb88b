//! Generates messages, clients, servers and their JSON from the protos, without protoc.

use std::{env, error::Error, fs, path::PathBuf};

use prost::Message;

/// Every file of the contract; `common` and `edge` come along as imports.
const FILES: [&str; 6] = [
    "djinn/edge.proto",
    "djinn/common/v1/job.proto",
    "djinn/common/v1/money.proto",
    "djinn/imports/v1/import_service.proto",
    "djinn/imports/v1/template_service.proto",
    "djinn/sync/v1/ledger_service.proto",
];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=djinn");
    let out = PathBuf::from(env::var("OUT_DIR")?);

    let mut compiler = protox::Compiler::new(["."])?;
    compiler
        .include_source_info(true)
        .include_imports(true)
        .open_files(FILES)?;
    // Taken from protox as bytes: prost would drop the extension `(djinn.edge)` on the way.
    let descriptors = compiler.encode_file_descriptor_set();
    fs::write(out.join("djinn.bin"), &descriptors)?;

    tonic_prost_build::configure()
        .bytes(".djinn.imports.v1.UploadStatementRequest")
        .bytes(".djinn.imports.v1.UploadChunkRequest")
        .compile_well_known_types(true)
        .extern_path(".google.protobuf", "::pbjson_types")
        .compile_fds(prost_types::FileDescriptorSet::decode(&*descriptors)?)?;
    pbjson_build::Builder::new()
        .register_descriptors(&descriptors)?
        .build(&[".djinn"])?;
    Ok(())
}
