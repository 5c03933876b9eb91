//! Checks that the public address is encrypted, that browsers accept its certificate, and when it expires.

use std::net::IpAddr;
use std::time::Duration;

use x509_cert::Certificate;
use x509_cert::der::Decode;

use super::http::Website;
use super::report::Report;
use crate::auth::BaseUrl;
use crate::model::Timestamp;
use crate::serve::tls::{TlsClient, TlsError};

/// A certificate that expires within this time was not renewed automatically: programs for that renew 30 days before the end.
const SOON: Duration = Duration::from_hours(14 * 24);

/// A short certificate is renewed when a third of its life remains, as Let's Encrypt advises.
const RENEWAL_DIVISOR: u32 = 3;

/// Checks the address. Returns its site; `None` if nothing more can be checked.
pub async fn check(base: &BaseUrl, report: &mut Report) -> Option<Website> {
    let origin = base.origin();
    if !base.is_secure() {
        let site = Website::at(base, None)?;
        if is_this_machine(site.host()) {
            report.ok("https", origin.to_owned());
        } else {
            report.warning(
                "https",
                format!("{origin} is not encrypted"),
                "Put a proxy with a certificate in front, such as Caddy: passwords travel in the clear, and \
                 middleboxes break live connections that they can read.",
            );
        }
        return Some(site);
    }
    let tls = match TlsClient::with_native_roots() {
        Ok(tls) => tls,
        Err(error) => {
            report.warning(
                "root certificates",
                format!("{origin} cannot be checked: {error}"),
                "apt install ca-certificates, or dnf install ca-certificates. Webhooks to https addresses need \
                 them too.",
            );
            return None;
        }
    };
    let site = Website::at(base, Some(tls))?;
    match site.certificate().await {
        // The next check says why.
        Err(_) | Ok(Ok(None)) => {}
        Ok(Ok(Some(certificate))) => check_expiry(&certificate, Timestamp::now(), &site, report),
        Ok(Err(error)) => {
            let advice = advice(&error, site.host());
            report.problem("https", format!("{origin}: {error}"), advice);
            return None;
        }
    }
    Some(site)
}

/// Returns true for a name or an address of this machine alone.
pub fn is_this_machine(host: &str) -> bool {
    host == "localhost" || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

fn advice(error: &TlsError, host: &str) -> String {
    match error {
        TlsError::NoRoots => "Install ca-certificates.".to_owned(),
        TlsError::Expired => {
            "Renew it. Caddy and certbot do that by themselves, and log why they could not: \
                              journalctl -u caddy, or certbot renew."
                .to_owned()
        }
        TlsError::NotYetValid => "Set the clock: timedatectl set-ntp true.".to_owned(),
        TlsError::UnknownIssuer => {
            "Let the proxy send its whole chain, in nginx fullchain.pem. For an \
                                    authority of your own, set SSL_CERT_FILE to its certificate."
                .to_owned()
        }
        TlsError::OtherName => format!("Get a certificate for {host}, or correct --base-url."),
        TlsError::Invalid(_) => {
            "Get a certificate of a public authority; Caddy does that by itself.".to_owned()
        }
        TlsError::Handshake(_) => "Let the proxy speak TLS 1.2 or 1.3 at this port.".to_owned(),
    }
}

/// Reports when a certificate in DER ends.
fn check_expiry(certificate: &[u8], now: Timestamp, site: &Website, report: &mut Report) {
    let host = site.host();
    let Ok(certificate) = Certificate::from_der(certificate) else {
        report.note(
            "https",
            format!("the certificate of {host} is accepted, but its expiry date cannot be read"),
            format!(
                "To see it, run: openssl s_client -connect {host}:{} | openssl x509 -noout -dates",
                site.port()
            ),
        );
        return;
    };
    let validity = certificate.tbs_certificate().validity();
    let [start, end] = [validity.not_before, validity.not_after]
        .map(|time| Timestamp::from_micros(0).plus(time.to_unix_duration()));
    let left = end.since(now);
    let days = left.as_secs() / (24 * 60 * 60);
    let date = end.datetime();
    let date = date.split('T').next().unwrap_or_default();
    let message = format!("the certificate of {host} is valid for {days} more days, until {date}");
    if left < SOON.min(end.since(start) / RENEWAL_DIVISOR) {
        let advice = "Renew it. Caddy and certbot would have done that by now, and log why they could not: \
                      journalctl -u caddy, or certbot renew.";
        report.warning("https", message, advice);
    } else {
        report.ok("https", message);
    }
}
