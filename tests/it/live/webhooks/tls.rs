//! Receivers with https: certificates that this machine trusts, and others.

use super::server::Server;
use super::{Receiver, Reply, act, add};
use crate::support::TestAuthority;

#[tokio::test]
async fn only_a_certificate_that_this_machine_trusts_gets_deliveries() {
    let (authority, stranger) = (TestAuthority::new("own"), TestAuthority::new("stranger"));
    let folder = tempfile::tempdir().unwrap();
    let root = authority.write_root(folder.path());
    let environment = [
        ("SSL_CERT_FILE", root.to_str().unwrap()),
        ("SSL_CERT_DIR", "/nowhere"),
    ];
    let server = Server::start(&environment).await;
    let mut anna = server.signed_in().await;
    for (tls, detail) in [
        (authority.server("localhost", 40), "status 200"),
        (
            stranger.server("localhost", 40),
            "the certificate is not from an authority that this machine trusts",
        ),
        (
            authority.server("localhost", -1),
            "the certificate has expired",
        ),
        (
            authority.server("hooks.example", 40),
            "the certificate is for another name",
        ),
    ] {
        let receiver = Receiver::start_with(Some(tls), |_| Reply::status(200)).await;
        let url = format!("https://localhost:{}/", receiver.port());
        let path = add(&mut anna, &url, "standard", &["status"]).await;
        let is_trusted = detail == "status 200";
        let result = if is_trusted { "accepted" } else { "failed" };
        assert_eq!(
            act(&mut anna, &path, &[("do", "test")]).await,
            result,
            "{detail}"
        );
        let page = anna.get(&path).await;
        assert!(page.contains(detail), "{detail}: {page}");
        assert_eq!(receiver.received().len(), usize::from(is_trusted));
    }
}

#[tokio::test]
async fn a_machine_without_root_certificates_is_named_as_the_cause() {
    let authority = TestAuthority::new("own");
    let environment = [("SSL_CERT_FILE", "/dev/null"), ("SSL_CERT_DIR", "/nowhere")];
    let server = Server::start(&environment).await;
    let mut anna = server.signed_in().await;
    let tls = authority.server("localhost", 40);
    let receiver = Receiver::start_with(Some(tls), |_| Reply::status(200)).await;
    let url = format!("https://localhost:{}/", receiver.port());
    let path = add(&mut anna, &url, "standard", &["status"]).await;
    assert_eq!(act(&mut anna, &path, &[("do", "test")]).await, "failed");
    let page = anna.get(&path).await;
    assert!(
        page.contains("install ca-certificates, or set SSL_CERT_FILE"),
        "{page}"
    );
    assert_eq!(receiver.received().len(), 0);
}
