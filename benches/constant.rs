//! The yardstick of `load.py`: actix-web answering every GET with the bytes of one file, and doing
//! nothing else. What the service does is measured as a share of this.

use std::io::{Error, ErrorKind};
use std::net::TcpListener;

use actix_web::http::header::ContentType;
use actix_web::{App, HttpResponse, HttpServer, web};

/// `constant PORT FILE`
#[actix_web::main]
async fn main() -> std::io::Result<()> {
    let usage = || Error::new(ErrorKind::InvalidInput, "usage: constant PORT FILE");
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let [port, file] = arguments.as_slice() else { return Err(usage()) };
    let listener = TcpListener::bind(("127.0.0.1", port.parse().map_err(|_| usage())?))?;
    let body = web::Bytes::from(std::fs::read(file)?);
    HttpServer::new(move || {
        let body = body.clone();
        App::new().default_service(web::get().to(move || {
            let body = body.clone();
            async move { HttpResponse::Ok().content_type(ContentType::json()).body(body) }
        }))
    })
    .listen(listener)?
    .run()
    .await
}
