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
        let class = route.class.name();
        table += &format!("{} {path} {kind}, {class}\n", route.owner.name());
    }
    print!("{table}");
    expect![[r#"
        imports /djinn.imports.v1.ImportService/AnswerImport unary, writes
        imports /djinn.imports.v1.ImportService/BeginUpload unary, uploads
        imports /djinn.imports.v1.ImportService/CancelImport unary, writes
        imports /djinn.imports.v1.ImportService/ConfirmImport unary, writes
        imports /djinn.imports.v1.ImportService/CreateImport unary, writes
        imports /djinn.imports.v1.ImportService/DownloadErrorReport server stream, reads
        imports /djinn.imports.v1.ImportService/GetImport unary, reads
        imports /djinn.imports.v1.ImportService/GetUploadProgress unary, reads
        imports /djinn.imports.v1.ImportService/ListImportRows unary, reads
        imports /djinn.imports.v1.ImportService/ListImports unary, reads
        imports /djinn.imports.v1.ImportService/PreviewStatement server stream, writes
        imports /djinn.imports.v1.ImportService/RereadImport unary, writes
        imports /djinn.imports.v1.ImportService/RevertImport unary, writes
        imports /djinn.imports.v1.ImportService/UpdateImportRows unary, writes
        imports /djinn.imports.v1.ImportService/UploadChunk client stream, chunks
        imports /djinn.imports.v1.ImportService/UploadStatement client stream, uploads
        imports /djinn.imports.v1.ImportService/WatchImport server stream, reads
        imports /djinn.imports.v1.TemplateService/DeleteTemplate unary, writes
        imports /djinn.imports.v1.TemplateService/ExportTemplate unary, reads
        imports /djinn.imports.v1.TemplateService/GetTemplate unary, reads
        imports /djinn.imports.v1.TemplateService/ImportTemplate unary, writes
        imports /djinn.imports.v1.TemplateService/ListTemplates unary, reads
        sync /djinn.sync.v1.LedgerService/CloseAccount unary, writes
        sync /djinn.sync.v1.LedgerService/CreateAccount unary, writes
        sync /djinn.sync.v1.LedgerService/CreateTransaction unary, writes
        sync /djinn.sync.v1.LedgerService/DeleteTransaction unary, writes
        sync /djinn.sync.v1.LedgerService/GetAccount unary, reads
        sync /djinn.sync.v1.LedgerService/GetTransaction unary, reads
        sync /djinn.sync.v1.LedgerService/ListAccounts unary, reads
        sync /djinn.sync.v1.LedgerService/ListTransactionChanges unary, reads
        sync /djinn.sync.v1.LedgerService/ListTransactions unary, reads
        sync /djinn.sync.v1.LedgerService/UnlockTransactionFields unary, writes
        sync /djinn.sync.v1.LedgerService/UpdateAccount unary, writes
        sync /djinn.sync.v1.LedgerService/UpdateTransaction unary, writes
    "#]]
    .assert_eq(&table);
}
