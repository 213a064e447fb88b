//! The page for developers, which is there only when asked for.

use axum::body::Body;
use http::Request;

use crate::{backend::Backend, edge::Gateway, wire};

const ASSETS: [(&str, &str); 4] = [
    ("/graphql", "text/html; charset=utf-8"),
    ("/graphql/page.js", "text/javascript; charset=utf-8"),
    ("/graphql/page.css", "text/css; charset=utf-8"),
    ("/graphql/schema.graphql", "text/plain; charset=utf-8"),
];

#[tokio::test]
async fn there_is_a_page_only_where_it_was_asked_for() {
    let backend = Backend::start().await;
    let services = [backend.address, backend.address];
    let get = async |gateway: &Gateway, path: &str| {
        let request = Request::get(gateway.uri(path)).body(Body::empty());
        wire::http1(request.expect("a request")).await
    };
    let gateway = Gateway::with(&services, |config| config.graphiql = true).await;
    for (path, content_type) in ASSETS {
        let answer = get(&gateway, path).await;
        assert_eq!(
            (answer.status().as_u16(), answer.body().is_empty()),
            (200, false),
            "{path}"
        );
        let headers = answer.headers();
        assert_eq!(headers["content-type"], content_type);
        let policy = headers["content-security-policy"].to_str().expect("text");
        assert!(
            policy.starts_with("default-src 'none'; script-src 'self';"),
            "{policy}"
        );
        // Nothing is loaded from elsewhere.
        let text = String::from_utf8_lossy(answer.body());
        let foreign = [
            "src=\"http",
            "href=\"http",
            "src=\"//",
            "href=\"//",
            "@import",
        ];
        assert!(foreign.iter().all(|it| !text.contains(it)), "{path}");
    }
    let gateway = Gateway::before(backend.address).await;
    for (path, _) in ASSETS {
        let code = if path == "/graphql" { 405 } else { 404 };
        assert_eq!(get(&gateway, path).await.status(), code, "{path}");
    }
}
