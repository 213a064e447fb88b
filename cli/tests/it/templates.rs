//! `djinn templates`: looking at them, sharing and forgetting them.

use crate::{
    process::{djinn, file},
    server::Fake,
};

/// A server with two accounts and a template for each.
async fn two() -> (Fake, String) {
    let (fake, url) = Fake::start().await;
    for name in ["Main", "Spare"] {
        let create = ["account", "create", "--name", name, "--currency", "EUR"];
        djinn(&url, &create).await.ended(0);
        let (_folder, path) = file("template.json", name.as_bytes());
        let args = ["--json", "templates", "import", &path, "--account", name];
        let taken = djinn(&url, &args).await.ended(0).document();
        assert_eq!(taken["name"], name);
    }
    (fake, url)
}

#[tokio::test]
async fn templates_are_listed_over_all_pages_and_shown() {
    let (fake, url) = two().await;
    let listed = djinn(&url, &["--json", "templates", "list"])
        .await
        .ended(0)
        .document();
    assert_eq!(listed["templates"].as_array().unwrap().len(), 2);
    let args = ["--json", "templates", "list", "--account", "Spare"];
    let of_one = djinn(&url, &args).await.ended(0).document();
    assert_eq!(of_one["templates"].as_array().unwrap().len(), 1);
    assert_eq!(
        of_one["templates"][0]["accountId"],
        fake.state().accounts[1].account_id
    );
    let table = djinn(&url, &["templates", "list"]).await.ended(0).stdout;
    assert!(table.contains("date_order=day_first"), "{table}");

    let id = listed["templates"][0]["templateId"].as_str().unwrap();
    let shown = djinn(&url, &["templates", "show", id]).await.ended(0);
    assert!(
        shown.stdout.contains("Columns   Datum | Betrag\n"),
        "{}",
        shown.stdout
    );
    let unknown = "0190a0a0-0000-7000-8000-000000000009";
    djinn(&url, &["templates", "show", unknown]).await.ended(6);
}

#[tokio::test]
async fn a_template_is_written_to_a_file_or_to_stdout() {
    let (fake, url) = two().await;
    let id = fake.state().templates[0].template_id.clone();
    let plain = djinn(&url, &["templates", "export", &id]).await.ended(0);
    assert_eq!(plain.stdout, "Main\n");
    let (_folder, path) = file("out.json", b"");
    let args = ["templates", "export", &id, "--output", &path];
    let written = djinn(&url, &args).await.ended(0);
    assert_eq!(written.stdout, format!("Wrote {path}\n"));
    assert_eq!(std::fs::read(&path).unwrap(), b"Main");
    let document = djinn(&url, &["--json", "templates", "export", &id])
        .await
        .ended(0)
        .document();
    assert_eq!(document["fileName"], "giro.djinn-template.json");
    let args = [
        "--json",
        "templates",
        "export",
        &id,
        "--output",
        "/nowhere/t.json",
    ];
    let failed = djinn(&url, &args).await.ended(2);
    assert_eq!(failed.failure()["reason"], "UNWRITABLE_FILE");
}

#[tokio::test]
async fn what_is_no_template_is_refused_and_what_is_deleted_is_gone() {
    let (fake, url) = two().await;
    let (_folder, path) = file("page.html", b"<html>");
    let args = ["--json", "templates", "import", &path, "--account", "Main"];
    let refused = djinn(&url, &args).await.ended(2);
    assert_eq!(refused.failure()["reason"], "INVALID_FIELD");
    let missing = [
        "--json",
        "templates",
        "import",
        "/nowhere/t.json",
        "--account",
        "Main",
    ];
    djinn(&url, &missing).await.ended(2);

    let id = fake.state().templates[0].template_id.clone();
    let args = ["--json", "templates", "delete", &id];
    let gone = djinn(&url, &args).await.ended(0).document();
    assert_eq!(gone["templateId"], *id);
    assert_eq!(fake.state().templates.len(), 1);
    djinn(&url, &args).await.ended(6);
}
