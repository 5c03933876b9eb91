//! What the doctor says about https and its certificate.

use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::{QUIET, address, assert_found, examined_with, relay};
use crate::support::{Process, TestAuthority};

/// A proxy that ends TLS and names the client. Returns its public address.
async fn https_proxy(upstream: &str, tls: TlsAcceptor) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!(
        "https://localhost:{}",
        listener.local_addr().unwrap().port()
    );
    let upstream = upstream.to_owned();
    let edit = |head: &str| head.replacen("\r\n", "\r\nX-Forwarded-For: 192.0.2.9\r\n", 1);
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let upstream = TcpStream::connect(&upstream).await.unwrap();
            let tls = tls.clone();
            tokio::spawn(async move {
                // Fails for a client that refuses the certificate.
                relay(tls.accept(client).await?, upstream, edit, false).await
            });
        }
    });
    base
}

#[tokio::test]
async fn the_certificate_is_checked_and_its_last_day_named() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = [&QUIET[..], &["--trusted-proxy", "127.0.0.1"]].concat();
    let process = Process::start(folder.path(), &arguments).await;
    let (authority, stranger) = (TestAuthority::new("rescue"), TestAuthority::new("stranger"));
    let root = authority.write_root(folder.path());
    let empty = folder.path().join("empty.pem");
    std::fs::write(&empty, "").unwrap();
    let examined = async |tls: TlsAcceptor, roots: &std::path::Path| {
        let base = https_proxy(address(&process), tls).await;
        let doctor = ["--listen", address(&process), "--base-url", &base];
        let roots = roots.to_str().unwrap();
        let environment = [("SSL_CERT_FILE", roots), ("SSL_CERT_DIR", "/nowhere")];
        examined_with(folder.path(), &doctor, &environment).await
    };

    let (code, findings) = examined(authority.server("localhost", 40), &root).await;
    assert_eq!(code, 0, "{findings:#?}");
    assert_found(
        &findings,
        "https ok",
        "localhost is valid for 40 more days, until 20",
        "",
    );
    assert_found(&findings, "base URL ok", "is this program", "");
    assert_found(&findings, "client address ok", "192.0.2.9", "");
    assert_found(&findings, "WebSocket ok", "passes", "");

    let (code, findings) = examined(authority.server("localhost", 13), &root).await;
    assert_eq!(code, 0, "{findings:#?}");
    assert_found(
        &findings,
        "https warning",
        "valid for 13 more days",
        "certbot renew",
    );

    for (tls, message, advice) in [
        (authority.server("localhost", -1), "has expired", "Renew it"),
        (
            authority.server("pets.example", 40),
            "for another name",
            "a certificate for localhost",
        ),
        (
            stranger.server("localhost", 40),
            "not from an authority",
            "SSL_CERT_FILE",
        ),
    ] {
        let (code, findings) = examined(tls, &root).await;
        assert_eq!(code, 1, "{findings:#?}");
        assert_found(&findings, "https problem", message, advice);
        assert!(!findings.iter().any(|found| found.0.starts_with("base URL")));
    }

    // The machine lacks something, and the certificate has no fault.
    let (code, findings) = examined(authority.server("localhost", 40), &empty).await;
    assert_eq!(code, 0, "{findings:#?}");
    let advice = "install ca-certificates";
    assert_found(
        &findings,
        "root certificates warning",
        "has no root certificates",
        advice,
    );
    assert!(
        !findings
            .iter()
            .any(|found| found.1.contains("the certificate"))
    );
}
