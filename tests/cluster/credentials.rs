//! Servers that let in only those they know, and that are known only by a certificate.

use std::path::{Path, PathBuf};
use std::process::Command;

use data_encoding::BASE64URL_NOPAD as BASE64;
use nkeys::KeyPair;
use serde_json::{Value, json};

use super::server::Servers;
use crate::support::{Process, refused};

/// Starts a node that is let in, and changes something.
async fn writes(folder: &Path, flags: &[&str], environment: &[(&str, &str)]) {
    let common = ["demo", "--listen", "127.0.0.1:0", "--simulate", "off"];
    let arguments = [&common, flags].concat();
    let node = Process::start_with(folder, &arguments, environment).await;
    let answer = node.set_status(1, "bathing").await.unwrap();
    assert_eq!(answer.status(), 200);
}

/// The one sentence with which a node does not start.
async fn said(folder: &Path, flags: &[&str]) -> String {
    let arguments = [&["demo", "--listen", "127.0.0.1:0"], flags].concat();
    let (code, lines) = refused(folder, &arguments, &[]).await;
    assert_ne!(code, 0);
    assert_eq!(lines.len(), 1, "one sentence: {lines:?}");
    lines[0].clone()
}

/// Makes a certificate: an authority of its own, or one for 127.0.0.1 that `ca` signs.
fn certify(folder: &Path, name: &str, ca: Option<&str>) -> PathBuf {
    let file = |name: &str, kind: &str| folder.join(format!("{name}.{kind}"));
    let mut command = Command::new("openssl");
    command.args(["req", "-x509", "-newkey", "ec", "-days", "2", "-nodes"]);
    command.args(["-pkeyopt", "ec_paramgen_curve:P-256"]);
    command.args(["-subj", &format!("/CN={name}")]);
    command.arg("-keyout").arg(file(name, "key"));
    command.arg("-out").arg(file(name, "pem"));
    if let Some(ca) = ca {
        command.arg("-CA").arg(file(ca, "pem"));
        command.arg("-CAkey").arg(file(ca, "key"));
        command.args(["-addext", "subjectAltName=IP:127.0.0.1"]);
        command.args(["-addext", "basicConstraints=critical,CA:FALSE"]);
    }
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    file(name, "pem")
}

#[tokio::test]
async fn servers_are_believed_that_the_named_certificate_vouches_for_and_no_others() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let ca = certify(folder, "ca", None);
    let other = certify(folder, "other", None);
    let certificate = certify(folder, "server", Some("ca"));
    let settings = format!(
        "tls: {{ cert_file: \"{}\", key_file: \"{}\" }}\n",
        certificate.display(),
        folder.join("server.key").display()
    );
    let servers = Servers::start_with(&settings);
    let address = servers.address().replace("nats://", "tls://");
    let (ca, other) = (ca.to_str().unwrap(), other.to_str().unwrap());
    writes(folder, &["--engine", &address, "--engine-ca", ca], &[]).await;
    let system = [("SSL_CERT_FILE", ca)];
    writes(folder, &["--engine", &address], &system).await;
    let line = said(folder, &["--engine", &address, "--engine-ca", other]).await;
    assert!(line.contains("certificate"), "{line}");
}

/// Whoever sits on the way could otherwise say that the servers know no TLS.
#[tokio::test]
async fn nothing_is_said_in_the_clear_to_servers_that_are_to_have_a_certificate() {
    let folder = tempfile::tempdir().unwrap();
    let ca = certify(folder.path(), "ca", None);
    let servers = Servers::start_with("");
    let flags = ["--engine", &servers.address(), "--engine-ca"];
    let line = said(
        folder.path(),
        &[&flags[..], &[ca.to_str().unwrap()]].concat(),
    )
    .await;
    assert!(line.contains("cannot reach the engine"), "{line}");
    let address = servers.address().replace("nats://", "tls://");
    let line = said(folder.path(), &["--engine", &address]).await;
    assert!(line.contains("cannot reach the engine"), "{line}");
}

/// A token as `nsc` makes it: what `issuer` says of `subject` (NATS' ADR-14).
fn token(issuer: &KeyPair, subject: &KeyPair, claims: &Value) -> String {
    let encode = |value: Value| BASE64.encode(value.to_string().as_bytes());
    let head = encode(json!({ "typ": "JWT", "alg": "ed25519-nkey" }));
    let body = encode(json!({
        "jti": "1",
        "iat": 1_700_000_000,
        "iss": issuer.public_key(),
        "sub": subject.public_key(),
        "name": "pet-store",
        "nats": claims,
    }));
    let signed = format!("{head}.{body}");
    let signature = issuer.sign(signed.as_bytes()).unwrap();
    format!("{signed}.{}", BASE64.encode(&signature))
}

/// An account that may have anything, and JetStream unless it is the servers' own.
fn account(operator: &KeyPair, account: &KeyPair, has_jetstream: bool) -> String {
    let unlimited = [
        "subs", "data", "payload", "imports", "exports", "conn", "leaf",
    ];
    let stored = ["mem_storage", "disk_storage", "streams", "consumer"];
    let stored = stored.iter().filter(|_| has_jetstream);
    let mut limits: Value = unlimited
        .iter()
        .chain(stored)
        .map(|name| (*name, -1))
        .collect();
    limits["wildcards"] = json!(true);
    let claims = json!({ "limits": limits, "type": "account", "version": 2 });
    token(operator, account, &claims)
}

/// A credentials file of a user of `account`.
fn credentials(folder: &Path, name: &str, account: &KeyPair) -> (PathBuf, String) {
    let user = KeyPair::new_user();
    let claims = json!({
        "pub": {}, "sub": {}, "subs": -1, "data": -1, "payload": -1, "type": "user", "version": 2,
    });
    let (jwt, seed) = (token(account, &user, &claims), user.seed().unwrap());
    let path = folder.join(name);
    let text = format!(
        "-----BEGIN NATS USER JWT-----\n{jwt}\n------END NATS USER JWT------\n\n\
         -----BEGIN USER NKEY SEED-----\n{seed}\n------END USER NKEY SEED------\n"
    );
    std::fs::write(&path, text).unwrap();
    (path, seed)
}

#[tokio::test]
async fn only_the_right_credentials_are_let_in_and_none_are_written_down() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let (operator, system) = (KeyPair::new_operator(), KeyPair::new_account());
    let (ours, theirs) = (KeyPair::new_account(), KeyPair::new_account());
    let claims = json!({ "type": "operator", "version": 2 });
    let settings = format!(
        "operator: {}\nsystem_account: {}\nresolver: MEMORY\n\
         resolver_preload: {{ {}: {}, {}: {} }}\n",
        token(&operator, &operator, &claims),
        system.public_key(),
        system.public_key(),
        account(&operator, &system, false),
        ours.public_key(),
        account(&operator, &ours, true),
    );
    let servers = Servers::start_with(&settings);
    let address = servers.address();
    let (right, _) = credentials(folder, "right.creds", &ours);
    let (wrong, seed) = credentials(folder, "wrong.creds", &theirs);
    let engine = ["--engine", &address];
    let with = |file: &'static str| [&engine[..], &["--engine-credentials", file]].concat();
    assert!(right.ends_with("right.creds"));
    writes(folder, &with("right.creds"), &[]).await;
    let line = said(folder, &engine).await;
    assert!(line.contains("--engine-credentials"), "{line}");
    let line = said(folder, &with("wrong.creds")).await;
    assert!(
        line.contains("does not let in") && line.contains("wrong.creds"),
        "{line}"
    );
    assert!(!line.contains(&seed), "{line}");
    let line = said(folder, &with("none.creds")).await;
    assert!(line.contains("none.creds"), "{line}");
    let token = std::fs::read_to_string(wrong).unwrap();
    let half = token.split("-----BEGIN USER").next().unwrap();
    std::fs::write(folder.join("half.creds"), half).unwrap();
    let line = said(folder, &with("half.creds")).await;
    assert!(line.contains("half.creds"), "{line}");
    assert!(!line.contains(half.lines().nth(1).unwrap()), "{line}");
}

#[tokio::test]
async fn a_password_in_the_address_is_refused_and_not_repeated() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["demo", "--engine", "nats://user:secret@127.0.0.1:1"];
    let (code, lines) = refused(folder.path(), &arguments, &[]).await;
    assert_ne!(code, 0);
    let said = lines.join("\n");
    assert!(said.contains("--engine-credentials"), "{said}");
    assert!(!said.contains("secret"), "{said}");
}
