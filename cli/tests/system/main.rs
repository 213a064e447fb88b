//! The whole mesh as a person meets it: imports, sync and gateway as processes, the `djinn` binary
//! in front, real servers behind. Run by `cargo xtask test`.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test stops at the first surprise"
)]

mod mesh;
mod surface;

use djinn_chassis::testing;
use djinn_proto::imports::v1 as proto;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use mesh::{Mesh, money};

const STATEMENT: &str = "Date,Description,Amount\n\
    2024-01-31,Salary,2500.00\n\
    2024-02-01,Rent,-900.50\n\
    2024-02-13,Coffee,-3.20\n\
    2024-02-13,Coffee,-3.20\n";

#[tokio::test]
async fn a_statement_travels_from_file_to_ledger_and_a_second_time_adds_nothing() {
    let mesh = Mesh::new().await;
    let user = testing::user();
    let account = mesh.json(
        user,
        &["account", "create", "--name", "Giro", "--currency", "EUR"],
    );
    let account_id = account.await["accountId"].as_str().unwrap().to_owned();
    let file = mesh.file("statement.csv", STATEMENT.as_bytes());
    let first = mesh
        .json(user, &["import", &file, "--account", &account_id, "--yes"])
        .await;
    assert_eq!(first["state"], "IMPORT_STATE_COMMITTED");
    assert_eq!(money(&first["balanceAfter"]), 159_310);
    let again = mesh
        .json(user, &["import", &file, "--account", "Giro", "--yes"])
        .await;
    assert_eq!(again["state"], "IMPORT_STATE_COMMITTED");
    assert_eq!(again["counts"]["duplicateCount"], "4");
    let listed = mesh
        .json(user, &["transactions", "list", "--account", &account_id])
        .await;
    let rows = listed["transactions"].as_array().unwrap();
    let amounts: Vec<i64> = rows.iter().map(|row| money(&row["amount"])).collect();
    assert_eq!(amounts, [-320, -320, -90_050, 250_000]);
    let accounts = mesh.json(user, &["account", "list"]).await;
    assert_eq!(money(&accounts["accounts"][0]["balance"]), 159_310);
}

#[tokio::test]
async fn another_users_account_is_not_found_and_an_infected_file_is_refused() {
    let mesh = Mesh::new().await;
    let (owner, thief) = (testing::user(), testing::user());
    let create = ["account", "create", "--name", "Giro", "--currency", "EUR"];
    let account_id = mesh.json(owner, &create).await["accountId"]
        .as_str()
        .unwrap()
        .to_owned();
    let file = mesh.file("statement.csv", STATEMENT.as_bytes());
    let stolen = mesh
        .run(thief, &["import", &file, "--account", &account_id, "--yes"])
        .await;
    assert_eq!(stolen.code, Some(6), "{}", stolen.stderr);
    let eicar = [
        "X5O!P%@AP[4\\PZX54(P^)7CC)7}$",
        "EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*",
    ]
    .concat();
    let infected = mesh.file(
        "infected.csv",
        format!("{STATEMENT}2024-02-14,{eicar},-1.00\n").as_bytes(),
    );
    let refused = mesh
        .run(
            owner,
            &["import", &infected, "--account", &account_id, "--yes"],
        )
        .await;
    assert_eq!(refused.code, Some(4), "{}", refused.stderr);
    let import: Value = serde_json::from_str(&refused.stdout).unwrap();
    assert_eq!(import["state"], "IMPORT_STATE_REFUSED");
    assert_eq!(import["job"]["failure"]["reason"], "INFECTED");
}

/// The phone's way in: a body over HTTP, then gRPC at the same port.
#[tokio::test]
async fn a_file_sent_over_http_is_imported_over_grpc() {
    let mesh = Mesh::new().await;
    let user = testing::user();
    let create = ["account", "create", "--name", "Giro", "--currency", "EUR"];
    let account_id = mesh.json(user, &create).await["accountId"]
        .as_str()
        .unwrap()
        .to_owned();
    let mut stream = tokio::net::TcpStream::connect(mesh.gateway())
        .await
        .unwrap();
    let head = format!(
        "POST /v1/statements?file_name=statement.csv HTTP/1.1\r\nhost: djinn\r\n\
         authorization: Bearer {}\r\ncontent-type: text/csv\r\ncontent-length: {}\r\n\
         connection: close\r\n\r\n",
        testing::token(user),
        STATEMENT.len(),
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(STATEMENT.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    let json = body
        .find('{')
        .and_then(|start| body.get(start..=body.rfind('}')?))
        .unwrap();
    let upload: Value = serde_json::from_str(json).unwrap();
    let mut client = mesh.imports(user);
    let request = proto::CreateImportRequest {
        request_id: uuid::Uuid::new_v4().to_string(),
        upload_id: upload["uploadId"].as_str().unwrap().to_owned(),
        account_id,
        auto_confirm: true,
    };
    let import = client
        .create_import(request)
        .await
        .unwrap()
        .into_inner()
        .import
        .unwrap();
    let request = proto::WatchImportRequest {
        import_id: import.import_id,
    };
    let mut states = client.watch_import(request).await.unwrap().into_inner();
    let mut last = proto::ImportState::Unspecified;
    while let Some(message) = states.message().await.unwrap() {
        last = message.import.unwrap().state();
    }
    assert_eq!(last, proto::ImportState::Committed);
}
