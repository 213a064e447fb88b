//! What the world can call, word for word: a change here is a change of the public surface.

use expect_test::expect;

use djinn_gateway::public_routes;

#[test]
fn the_public_methods_are_these() {
    let mut table = String::new();
    for (path, route) in public_routes().expect("a contract").iter() {
        let kind = match (route.client_streams, route.server_streams) {
            (false, false) => "unary",
            (true, false) => "client stream",
            (false, true) => "server stream",
            (true, true) => "both stream",
        };
        table += &format!("{} {path} {kind}\n", route.owner.name());
    }
    print!("{table}");
    expect![[r#"
        imports /djinn.imports.v1.ImportService/AnswerImport unary
        imports /djinn.imports.v1.ImportService/BeginUpload unary
        imports /djinn.imports.v1.ImportService/CancelImport unary
        imports /djinn.imports.v1.ImportService/ConfirmImport unary
        imports /djinn.imports.v1.ImportService/CreateImport unary
        imports /djinn.imports.v1.ImportService/DownloadErrorReport server stream
        imports /djinn.imports.v1.ImportService/GetImport unary
        imports /djinn.imports.v1.ImportService/GetUploadProgress unary
        imports /djinn.imports.v1.ImportService/ListImportRows unary
        imports /djinn.imports.v1.ImportService/ListImports unary
        imports /djinn.imports.v1.ImportService/PreviewStatement server stream
        imports /djinn.imports.v1.ImportService/RereadImport unary
        imports /djinn.imports.v1.ImportService/RevertImport unary
        imports /djinn.imports.v1.ImportService/UpdateImportRows unary
        imports /djinn.imports.v1.ImportService/UploadChunk client stream
        imports /djinn.imports.v1.ImportService/UploadStatement client stream
        imports /djinn.imports.v1.ImportService/WatchImport server stream
        imports /djinn.imports.v1.TemplateService/DeleteTemplate unary
        imports /djinn.imports.v1.TemplateService/ExportTemplate unary
        imports /djinn.imports.v1.TemplateService/GetTemplate unary
        imports /djinn.imports.v1.TemplateService/ImportTemplate unary
        imports /djinn.imports.v1.TemplateService/ListTemplates unary
        sync /djinn.sync.v1.LedgerService/CloseAccount unary
        sync /djinn.sync.v1.LedgerService/CreateAccount unary
        sync /djinn.sync.v1.LedgerService/CreateTransaction unary
        sync /djinn.sync.v1.LedgerService/DeleteTransaction unary
        sync /djinn.sync.v1.LedgerService/GetAccount unary
        sync /djinn.sync.v1.LedgerService/GetTransaction unary
        sync /djinn.sync.v1.LedgerService/ListAccounts unary
        sync /djinn.sync.v1.LedgerService/ListTransactionChanges unary
        sync /djinn.sync.v1.LedgerService/ListTransactions unary
        sync /djinn.sync.v1.LedgerService/UnlockTransactionFields unary
        sync /djinn.sync.v1.LedgerService/UpdateAccount unary
        sync /djinn.sync.v1.LedgerService/UpdateTransaction unary
    "#]]
    .assert_eq(&table);
}
