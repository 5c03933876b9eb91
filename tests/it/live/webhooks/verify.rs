//! Verifies signatures without the code of the program: HMAC by RFC 2104, and the example of the guide in
//! Python.

use std::process::Stdio;

use data_encoding::BASE64;
use serde_json::json;
use sha2::{Digest, Sha256};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use super::{ALL, Receiver, Reply, add, secret, set_status, start, until_received};
use crate::live::webhooks::receiver::Received;

fn hmac_sha256(key: &[u8], message: &[u8]) -> Vec<u8> {
    assert!(key.len() <= 64);
    let pad = |byte: u8| -> Vec<u8> {
        let filled = key.iter().copied().chain(std::iter::repeat(0)).take(64);
        filled.map(|part| part ^ byte).collect()
    };
    let inner = Sha256::new().chain_update(pad(0x36)).chain_update(message);
    let outer = Sha256::new()
        .chain_update(pad(0x5c))
        .chain_update(inner.finalize());
    outer.finalize().to_vec()
}

/// Asserts that a delivery is signed with `secret`, now.
pub fn check_signature(delivery: &Received, secret: &str) {
    let key = secret.strip_prefix("whsec_").unwrap();
    let key = BASE64.decode(key.as_bytes()).unwrap();
    let [id, timestamp, signature] =
        ["id", "timestamp", "signature"].map(|name| delivery.header(&format!("webhook-{name}")));
    let signed = format!("{id}.{timestamp}.{}", delivery.body);
    let expected = BASE64.encode(&hmac_sha256(&key, signed.as_bytes()));
    assert_eq!(signature, format!("v1,{expected}"));
    let sent: u64 = timestamp.parse().unwrap();
    let now = std::time::SystemTime::UNIX_EPOCH
        .elapsed()
        .unwrap()
        .as_secs();
    assert!(now.abs_diff(sent) < 300);
}

/// The guide's example accepts a delivery, and refuses it if one byte or its time is another.
#[tokio::test]
async fn the_example_of_the_guide_verifies_a_delivery() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/webhooks.md");
    let guide = std::fs::read_to_string(path).unwrap();
    let (_, example) = guide.split_once("```python\n").unwrap();
    let example = example.split("```").next().unwrap();
    let receiver = Receiver::start(|_| Reply::status(200)).await;
    let (rescue, mut anna) = start().await;
    let page = add(&mut anna, &receiver.url("/"), "standard", &ALL).await;
    set_status(&rescue, 1, "eating").await;
    let delivery = until_received(&receiver, 1).await.remove(0);
    let secret = secret(&mut anna, &page).await;
    let program = format!(
        "{example}\nimport sys\ngiven = json.load(sys.stdin)\n\
         print(verify(given['secret'], given['headers'], given['body'].encode())['type'])"
    );
    let verify = async |secret: &str, headers: &[(String, String)], body: &str| {
        let headers: serde_json::Map<_, _> = headers
            .iter()
            .map(|(name, value)| (name.clone(), value.clone().into()))
            .collect();
        let given = json!({ "secret": secret, "headers": headers, "body": body });
        let mut python = Command::new("python3")
            .args(["-c", &program])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut input = python.stdin.take().unwrap();
        input.write_all(given.to_string().as_bytes()).await.unwrap();
        drop(input);
        let output = python.wait_with_output().await.unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let (headers, body) = (&delivery.headers, &delivery.body);
    assert_eq!(verify(&secret, headers, body).await, "pet.status\n");
    let other = body.replace("eating", "bathing");
    assert_eq!(verify(&secret, headers, &other).await, "");
    let mut old = headers.clone();
    let time = old.iter_mut().find(|(name, _)| name == "webhook-timestamp");
    time.unwrap().1 = "1700000000".to_owned();
    assert_eq!(verify(&secret, &old, body).await, "");
}
