//! Servers that require credentials, and servers with a certificate.

use std::path::{Path, PathBuf};
use std::process::Command;

use data_encoding::BASE64URL_NOPAD as BASE64;
use nkeys::KeyPair;
use serde_json::{Value, json};

use super::server::Servers;
use crate::support::{Process, refused};

/// Starts a node, and makes a change.
async fn assert_writes(folder: &Path, flags: &[&str], environment: &[(&str, &str)]) {
    let common = ["demo", "--listen", "127.0.0.1:0", "--simulate", "off"];
    let arguments = [&common, flags].concat();
    let node = Process::start_with(folder, &arguments, environment).await;
    let answer = node.set_status(1, "bathing").await.unwrap();
    assert_eq!(answer.status(), 200);
}

/// Starts a node that must exit. Returns the one line that it prints.
async fn start_error(folder: &Path, flags: &[&str]) -> String {
    let arguments = [&["demo", "--listen", "127.0.0.1:0"], flags].concat();
    let (code, lines) = refused(folder, &arguments, &[]).await;
    assert_ne!(code, 0);
    assert_eq!(lines.len(), 1, "one line: {lines:?}");
    lines[0].clone()
}

/// Creates a certificate: a certificate authority, or one for 127.0.0.1 that `ca` signs.
fn create_certificate(folder: &Path, name: &str, ca: Option<&str>) -> PathBuf {
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
async fn only_servers_with_a_certificate_of_the_named_authority_are_trusted() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let ca = create_certificate(folder, "ca", None);
    let other = create_certificate(folder, "other", None);
    let certificate = create_certificate(folder, "server", Some("ca"));
    let settings = format!(
        "tls: {{ cert_file: \"{}\", key_file: \"{}\" }}\n",
        certificate.display(),
        folder.join("server.key").display()
    );
    let servers = Servers::start_with(&settings);
    let address = servers.address().replace("nats://", "tls://");
    let (ca, other) = (ca.to_str().unwrap(), other.to_str().unwrap());
    assert_writes(folder, &["--engine", &address, "--engine-ca", ca], &[]).await;
    let system = [("SSL_CERT_FILE", ca)];
    assert_writes(folder, &["--engine", &address], &system).await;
    let line = start_error(folder, &["--engine", &address, "--engine-ca", other]).await;
    assert!(line.contains("certificate"), "{line}");
}

/// Otherwise an attacker on the network could claim that the servers have no TLS.
#[tokio::test]
async fn no_plain_connection_is_made_to_servers_that_must_have_a_certificate() {
    let folder = tempfile::tempdir().unwrap();
    let ca = create_certificate(folder.path(), "ca", None);
    let servers = Servers::start_with("");
    let flags = ["--engine", &servers.address(), "--engine-ca"];
    let line = start_error(
        folder.path(),
        &[&flags[..], &[ca.to_str().unwrap()]].concat(),
    )
    .await;
    assert!(line.contains("cannot reach the engine"), "{line}");
    let address = servers.address().replace("nats://", "tls://");
    let line = start_error(folder.path(), &["--engine", &address]).await;
    assert!(line.contains("cannot reach the engine"), "{line}");
}

/// Returns a token as `nsc` creates it: a claim by `issuer` about `subject` (NATS ADR-14).
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

/// Returns the token of an account without limits; with `JetStream` unless it is the system account.
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

/// Creates a credentials file of a user of `account`. Returns its path and the seed in it.
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
async fn only_valid_credentials_are_accepted_and_none_are_logged() {
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
    assert_writes(folder, &with("right.creds"), &[]).await;
    let line = start_error(folder, &engine).await;
    assert!(line.contains("--engine-credentials"), "{line}");
    let line = start_error(folder, &with("wrong.creds")).await;
    assert!(
        line.contains("rejects the credentials") && line.contains("wrong.creds"),
        "{line}"
    );
    assert!(!line.contains(&seed), "{line}");
    let line = start_error(folder, &with("none.creds")).await;
    assert!(line.contains("none.creds"), "{line}");
    let token = std::fs::read_to_string(wrong).unwrap();
    let half = token.split("-----BEGIN USER").next().unwrap();
    std::fs::write(folder.join("half.creds"), half).unwrap();
    let line = start_error(folder, &with("half.creds")).await;
    assert!(line.contains("half.creds"), "{line}");
    assert!(!line.contains(half.lines().nth(1).unwrap()), "{line}");
}

#[tokio::test]
async fn a_password_in_the_address_is_refused_and_not_repeated() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["demo", "--engine", "nats://user:secret@127.0.0.1:1"];
    let (code, lines) = refused(folder.path(), &arguments, &[]).await;
    assert_ne!(code, 0);
    let lines = lines.join("\n");
    assert!(lines.contains("--engine-credentials"), "{lines}");
    assert!(!lines.contains("secret"), "{lines}");
}
