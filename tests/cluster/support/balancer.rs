//! nginx in front of the nodes, without sticky sessions, configured by `docs/cluster/nginx.conf`.

use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::cluster::server::ports::free_port;
use crate::support::until;

/// The documented configuration, and the addresses in it.
const SETTINGS: &str = include_str!("../../../docs/cluster/nginx.conf");
const LISTEN: &str = "127.0.0.1:23000";
const NODES: [&str; 3] = ["127.0.0.1:23001", "127.0.0.1:23002", "127.0.0.1:23003"];

/// A viewer takes two connections: one to the balancer, and one to a node.
const CONNECTIONS: usize = 10_000;

/// The nginx process; killed when dropped.
pub struct Balancer {
    child: Child,
    pub address: SocketAddr,
    _folder: TempDir,
}

impl Balancer {
    /// Starts nginx in front of the nodes at `bases`.
    pub async fn start(bases: &[&str; 3]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
        let mut settings = replaced(SETTINGS, LISTEN, &address.to_string());
        for (example, base) in NODES.iter().zip(bases) {
            let node = base.strip_prefix("http://").unwrap();
            settings = replaced(&settings, example, node);
        }
        let place = folder.path().display();
        let config = folder.path().join("nginx.conf");
        let errors = folder.path().join("errors.log");
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|name| format!("{name}_temp_path {place}/{name};\n"))
            .concat();
        // A single process leaves nothing behind when it is killed. `multi_accept` is required by the
        // documented file.
        let text = format!(
            "daemon off;\nmaster_process off;\npid {place}/pid;\n\
             events {{ worker_connections {CONNECTIONS}; multi_accept on; }}\n\
             http {{\naccess_log off;\n{temporary}{settings}}}\n"
        );
        std::fs::write(&config, text).unwrap();
        let child = Command::new("nginx")
            .arg("-e")
            .arg(&errors)
            .arg("-c")
            .arg(&config)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("nginx is installed");
        let balancer = Balancer {
            child,
            address,
            _folder: folder,
        };
        until("the balancer", async || TcpStream::connect(address).is_ok()).await;
        balancer
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        // Fails when nginx has exited by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn replaced(settings: &str, example: &str, address: &str) -> String {
    assert!(settings.contains(example), "{example} is not in the file");
    settings.replace(example, address)
}
