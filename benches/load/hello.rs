//! The smallest server of the same framework, with an answer of the size of a JWKS: what an answer costs before it is
//! anybody's.

use actix_web::{App, HttpResponse, HttpServer, web};

const BODY: &str = concat!(
    "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789",
    "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789",
    "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789",
    "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789",
    "0123456789",
);

/// Answers `GET /hello` until it is killed.
pub async fn serve(port: u16) {
    let hello = || async { HttpResponse::Ok().content_type("application/json").body(BODY) };
    HttpServer::new(move || App::new().route("/hello", web::get().to(hello)))
        .workers(1)
        .bind(("127.0.0.1", port))
        .unwrap()
        .run()
        .await
        .unwrap();
}
