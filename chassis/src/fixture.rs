//! What the chassis' own tests share: a service that no other crate generates.

use std::sync::OnceLock;

/// The full name of the service.
pub(crate) const SERVICE: &str = "djinn.test.v1.EchoService";

const EDGE: &str = r#"
syntax = "proto3";
package djinn;
import "google/protobuf/descriptor.proto";
enum Edge { INTERNAL = 0; PUBLIC = 1; SERVICE = 2; }
extend google.protobuf.MethodOptions { Edge edge = 50401; }
"#;

const ECHO: &str = r#"
syntax = "proto3";
package djinn.test.v1;
import "djinn/edge.proto";
message Text { string value = 1; }
service EchoService {
  rpc Say(Text) returns (Text) { option (djinn.edge) = PUBLIC; }
  rpc Relay(Text) returns (Text) { option (djinn.edge) = SERVICE; }
  rpc Forgotten(Text) returns (Text);
  rpc WatchTicks(Text) returns (stream Text) { option (djinn.edge) = PUBLIC; }
}
service OtherService {
  rpc Say(Text) returns (Text) { option (djinn.edge) = PUBLIC; }
}
"#;

/// The service's descriptors, made as `djinn-proto` makes its own: without losing the extension.
pub(crate) fn descriptors() -> &'static [u8] {
    static DESCRIPTORS: OnceLock<Vec<u8>> = OnceLock::new();
    DESCRIPTORS.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("djinn")).unwrap();
        std::fs::write(folder.path().join("djinn/edge.proto"), EDGE).unwrap();
        std::fs::write(folder.path().join("djinn/echo.proto"), ECHO).unwrap();
        let mut compiler = protox::Compiler::new([folder.path()]).unwrap();
        compiler.include_imports(true);
        compiler.open_file("djinn/echo.proto").unwrap();
        compiler.encode_file_descriptor_set()
    })
}
