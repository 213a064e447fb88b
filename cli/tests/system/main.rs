//! The whole mesh as a person meets it: imports, sync and gateway as processes, the `djinn` binary
//! in front, real servers behind. Run by `cargo xtask test`.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test stops at the first surprise"
)]

mod mesh;
mod privacy;
mod surface;
mod trace;

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

/// What a person does to the ledger stands against the file it came from.
#[tokio::test]
async fn edits_by_hand_outlive_the_same_file() {
    let mesh = Mesh::new().await;
    let user = testing::user();
    let create = ["account", "create", "--name", "Giro", "--currency", "EUR"];
    mesh.json(user, &create).await;
    let file = mesh.file("statement.csv", STATEMENT.as_bytes());
    let import = ["import", &file, "--account", "Giro", "--yes"];
    mesh.json(user, &import).await;
    let list = ["transactions", "list", "--account", "Giro"];
    let listed = mesh.json(user, &list).await;
    let ids: Vec<String> = (0..2)
        .map(|at| {
            listed["transactions"][at]["transactionId"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    let edit = ["transactions", "edit", &ids[0], "--description", "Espresso"];
    let edited = mesh.json(user, &edit).await;
    assert_eq!(edited["lockedFields"].to_string(), r#"["description"]"#);
    mesh.json(user, &["transactions", "delete", &ids[1], "--yes"])
        .await;
    let mut add = vec!["transactions", "add", "--account", "Giro", "--amount", "-1"];
    add.extend(["--date", "2024-02-14", "--description", "Tip"]);
    mesh.json(user, &add).await;

    let again = mesh.json(user, &import).await;
    assert_eq!(again["state"], "IMPORT_STATE_COMMITTED");
    assert_eq!(again["counts"]["duplicateCount"], "3");
    assert_eq!(again["counts"]["deletedBeforeCount"], "1");
    let listed = mesh.json(user, &list).await;
    let rows = listed["transactions"].as_array().unwrap();
    let texts: Vec<_> = rows.iter().map(|row| row["description"].as_str()).collect();
    assert_eq!(texts, ["Tip", "Espresso", "Rent", "Salary"].map(Some));
    let shown = mesh.json(user, &["transactions", "show", &ids[1]]).await;
    assert_eq!(
        shown["changes"][0]["kind"],
        "TRANSACTION_CHANGE_KIND_DELETED"
    );
    assert_eq!(
        shown["changes"][1]["actor"],
        "TRANSACTION_CHANGE_ACTOR_IMPORT"
    );
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

/// Asked once, answered by the terminal, and the month after read by the template; the template as
/// a file serves another user.
#[tokio::test]
async fn a_question_is_answered_once() {
    const OPEN: &str = "Date,Description,Amount\n02/01/2024,Rent,-900.50\n\
                        01/02/2024,Salary,2500.00\n05/01/2024,Coffee,-3.20\n";
    let mesh = Mesh::new().await;
    let (user, friend) = (testing::user(), testing::user());
    let create = ["account", "create", "--name", "Giro", "--currency", "EUR"];
    mesh.json(user, &create).await;
    let january = mesh.file("january.csv", OPEN.as_bytes());
    let import = ["import", &january, "--account", "Giro", "--yes"];
    let asks = mesh.run(user, &import).await;
    assert_eq!(asks.code, Some(3), "{}", asks.stderr);
    let asking: Value = serde_json::from_str(&asks.stdout).unwrap();
    let id = asking["importId"].as_str().unwrap();
    let wrong = ["imports", "answer", id, "--answer", "date=0:ymd", "--yes"];
    let refused = mesh.run(user, &wrong).await;
    assert_eq!(refused.code, Some(2), "{}", refused.stderr);
    assert!(
        refused.stderr.contains("0:dmy, 0:mdy"),
        "{}",
        refused.stderr
    );
    let right = ["imports", "answer", id, "--answer", "date=0:dmy", "--yes"];
    let done = mesh.json(user, &right).await;
    assert_eq!(done["state"], "IMPORT_STATE_COMMITTED");
    assert_eq!(money(&done["includedAmount"]), 159_630);

    let february = mesh.file("february.csv", OPEN.replace("2024", "2023").as_bytes());
    let import = ["import", &february, "--account", "Giro", "--yes"];
    let next = mesh.json(user, &import).await;
    assert_eq!(next["state"], "IMPORT_STATE_COMMITTED");
    let listed = mesh.json(user, &["templates", "list"]).await;
    let template = listed["templates"][0]["templateId"].as_str().unwrap();
    assert_eq!(next["templateId"], template);

    mesh.json(friend, &create).await;
    let shared = mesh.file("shared.json", b"");
    let export = ["templates", "export", template, "--output", &shared];
    mesh.json(user, &export).await;
    let take = ["templates", "import", &shared, "--account", "Giro"];
    let taken = mesh.json(friend, &take).await;
    assert_ne!(taken["templateId"], template);
    let import = ["import", &january, "--account", "Giro", "--yes"];
    let theirs = mesh.json(friend, &import).await;
    assert_eq!(theirs["templateId"], taken["templateId"]);
    let stolen = mesh.run(friend, &["templates", "show", template]).await;
    assert_eq!(stolen.code, Some(6), "{}", stolen.stderr);
    mesh.json(user, &["templates", "delete", template]).await;
    let import = ["import", &february, "--account", "Giro"];
    assert_eq!(mesh.run(user, &import).await.code, Some(3));
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
        mapping: None,
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
