//! Asks the server on this machine whether it works, and who answers there.

use std::net::SocketAddr;

use super::http::{Website, get};
use super::report::Report;
use crate::serve::connectable;
use crate::web::{ARRIVED, ArrivedRequest};

/// Checks the server at `listen`. Returns what it says about a request, if it is this program.
pub async fn check(listen: SocketAddr, report: &mut Report) -> Option<ArrivedRequest> {
    let site = Website::local(connectable(listen));
    let (status, body) = match get(&site, "/readyz").await {
        Ok(answer) => answer,
        Err(error) => {
            report.warning(
                "server",
                format!("no server answers at {listen}: {error}"),
                "Start it: systemctl start pet-store. If it runs, set --listen to its address, as in \
                 pet-store.socket.",
            );
            return None;
        }
    };
    let arrived = arrived(&site).await;
    let Some(arrived) = arrived else {
        report.problem(
            "server",
            format!("another program answers at {listen}"),
            "Stop that program, or let pet-store listen at another address.",
        );
        return None;
    };
    let says = body.trim();
    match says.split_once("; warning: ") {
        Some((_, warning)) => report.problem(
            "server",
            warning.to_owned(),
            "Name the proxy: --trusted-proxy ADDRESS. The warning stays for an hour after the last such \
             request.",
        ),
        None if status == 200 && says == "ready" => {
            report.ok("server", format!("ready at {listen}, version {}", arrived.version));
        }
        None => report.problem("server", says.to_owned(), "Read its log: journalctl -u pet-store"),
    }
    Some(arrived)
}

/// Asks a site what arrives of a request. `None` if it is not this program.
pub async fn arrived(site: &Website) -> Option<ArrivedRequest> {
    let (_, body) = get(site, ARRIVED).await.ok()?;
    serde_json::from_str(&body).ok()
}
