//! Reads the files of docs/cluster with free ports in place of the documented ones.

use std::fs::read_to_string;
use std::path::Path;

use crate::cluster::server::ports::free_port;

/// The documented addresses, each with its replacement.
pub struct GuidePorts(Vec<(String, String)>);

impl GuidePorts {
    pub fn find() -> Self {
        let documented = [
            23000, 23001, 23002, 23003, 24222, 24223, 24224, 26222, 26223, 26224, 28222, 28223,
            28224,
        ];
        let address = |port: u16| format!("127.0.0.1:{port}");
        let pairs = documented.map(|port| (address(port), address(free_port())));
        GuidePorts(pairs.to_vec())
    }

    /// Returns the replacement of a documented address.
    pub fn address(&self, port: u16) -> &str {
        let documented = format!("127.0.0.1:{port}");
        let mut pairs = self.0.iter();
        let (_, replacement) = pairs.find(|(old, _)| *old == documented).unwrap();
        replacement
    }

    /// Reads a file of docs/cluster, with every address replaced.
    pub fn read(&self, name: &str) -> String {
        self.read_doc(&format!("cluster/{name}"))
    }

    /// Reads a file of the documentation, with every address replaced.
    pub fn read_doc(&self, name: &str) -> String {
        let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
        let text = read_to_string(docs.join(name)).unwrap();
        let read = self.0.iter().fold(text.clone(), |text, (old, new)| {
            text.replace(old.as_str(), new)
        });
        assert_ne!(read, text, "{name} has no documented address");
        read
    }
}
