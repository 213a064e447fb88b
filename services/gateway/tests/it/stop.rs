//! Stopping: watchers are sent away, calls under way finish, new ones are not taken.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tonic::Code;

use djinn_proto::imports::v1::{
    UploadStatementRequest, WatchImportRequest, WatchImportResponse,
    import_service_client::ImportServiceClient, upload_statement_request::Part,
};

use crate::{
    backend::{Backend, Seen},
    edge::{Gateway, SOON},
    grpc::reason,
};

#[tokio::test]
async fn a_stop_ends_watchers_finishes_uploads_and_then_the_gateway() {
    let mut backend = Backend::start().await;
    let mut gateway = Gateway::before(backend.address).await;
    let mut client = ImportServiceClient::new(gateway.channel());
    let asked = gateway.request(WatchImportRequest::default());
    let mut updates = client
        .watch_import(asked)
        .await
        .expect("a stream")
        .into_inner();
    backend
        .watch
        .send(Ok(WatchImportResponse::default()))
        .await
        .expect("sent");
    updates.message().await.expect("fine").expect("a message");

    let (sender, queue) = tokio::sync::mpsc::channel(1);
    let asked = gateway.request(tokio_stream::wrappers::ReceiverStream::new(queue));
    let upload = tokio::spawn(async move { client.upload_statement(asked).await });
    let chunk = || UploadStatementRequest {
        part: Some(Part::Chunk(vec![0].into())),
    };
    sender.send(chunk()).await.expect("sent");
    assert_eq!(backend.uploads.recv().await, Some(Seen::More));

    gateway.shutdown.begin();
    let end = timeout(SOON, updates.message())
        .await
        .expect("an end")
        .expect_err("not clean");
    assert_eq!(
        (end.code(), &*reason(&end)),
        (Code::Unavailable, "SERVER_STOPPING")
    );
    sender.send(chunk()).await.expect("sent");
    drop(sender);
    let stored = upload
        .await
        .expect("no panic")
        .expect("stored")
        .into_inner();
    assert_eq!(stored.upload.expect("an upload").size_bytes, 2);

    let ended = timeout(SOON, &mut gateway.task).await.expect("an end");
    ended.expect("no panic").expect("a clean end");
    assert!(TcpStream::connect(gateway.address).await.is_err());
}

#[tokio::test]
async fn a_connection_that_never_asks_is_closed() {
    let backend = Backend::start().await;
    let gateway = Gateway::before(backend.address).await;
    let mut silent = TcpStream::connect(gateway.address)
        .await
        .expect("connected");
    let mut slow = TcpStream::connect(gateway.address)
        .await
        .expect("connected");
    slow.write_all(b"GET /health HTTP/1.1\r\nhost: x\r\n")
        .await
        .expect("sent");
    let mut half = TcpStream::connect(gateway.address)
        .await
        .expect("connected");
    half.write_all(b"PRI * HTTP/2.0\r\n").await.expect("sent");
    for stream in [&mut silent, &mut slow, &mut half] {
        // Longer than the limit and the pause between two looks.
        let limit = std::time::Duration::from_secs(25);
        let read = timeout(limit, stream.read_to_end(&mut Vec::new())).await;
        read.expect("closed by the gateway").ok();
    }
}
