//! The binary `djinn-sync`: it starts from its environment alone, ends on SIGTERM, and says what is
//! wrong with a configuration.

use std::process::{Command, Stdio};

use djinn_chassis::testing::{self, Process};

use crate::service::free_address;

#[tokio::test]
async fn it_starts_from_its_environment_and_ends_on_sigterm() {
    let database = testing::database().await;
    let (address, admin) = (free_address(), free_address());
    let auth = testing::auth();
    let key = auth.public_key.unwrap();
    let environment = [
        ("DJINN_SYNC_LISTEN", address.to_string()),
        ("DJINN_SYNC_ADMIN_LISTEN", admin.to_string()),
        ("DJINN_SYNC_DATABASE_URL", database.url("djinn_sync")),
        ("DJINN_AUTH_ISSUER", auth.issuer),
        ("DJINN_AUTH_AUDIENCE", auth.audience),
        ("DJINN_AUTH_PUBLIC_KEY", key.display().to_string()),
    ];
    let process = Process::start("djinn-sync", environment, admin).await;
    assert!(!process.log().contains("postgres://"), "{}", process.log());
    assert!(process.terminate().await.success());
}

#[test]
fn a_wrong_configuration_ends_with_64_and_names_the_variable() {
    let with = |variables: &[(&str, &str)]| {
        let output = Command::new(env!("CARGO_BIN_EXE_djinn-sync"))
            .env_clear()
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        (
            output.status.code(),
            String::from_utf8(output.stderr).unwrap(),
        )
    };
    let (code, text) = with(&[]);
    assert_eq!(code, Some(64), "{text}");
    assert!(text.contains("--database-url"), "{text}");
    let (code, text) = with(&[("DJINN_SYNC_LISTEN", "everywhere")]);
    assert_eq!(code, Some(64), "{text}");
    assert!(text.contains("--listen"), "{text}");
    let secret = "postgres://djinn_sync:secret@localhost/djinn";
    let (code, text) = with(&[("DJINN_SYNC_DATABASE_URL", secret)]);
    assert_eq!(code, Some(64), "{text}");
    assert!(!text.contains("secret@"), "{text}");
}
