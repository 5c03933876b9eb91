//! The files of docs/cluster with other addresses: free ones, so that nothing else is in their way.

use std::fs::read_to_string;
use std::path::Path;

use crate::cluster::server::ports::free_port;

/// Addresses of the guide, and the free ones that are put into their place.
pub struct ViewerSlots(Vec<(String, String)>);

impl ViewerSlots {
    pub fn find() -> Self {
        let documented = [
            23000, 23001, 23002, 23003, 24222, 24223, 24224, 26222, 26223, 26224, 28222, 28223,
            28224,
        ];
        let address = |port: u16| format!("127.0.0.1:{port}");
        let pairs = documented.map(|port| (address(port), address(free_port())));
        ViewerSlots(pairs.to_vec())
    }

    /// The address that stands for the documented one.
    pub fn of(&self, port: u16) -> &str {
        let documented = format!("127.0.0.1:{port}");
        let mut pairs = self.0.iter();
        let (_, place) = pairs.find(|(old, _)| *old == documented).unwrap();
        place
    }

    /// A file of the guide's folder, with every address replaced.
    pub fn read(&self, name: &str) -> String {
        self.read_doc(&format!("cluster/{name}"))
    }

    /// A file of the documentation, with every address replaced.
    pub fn read_doc(&self, name: &str) -> String {
        let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
        let text = read_to_string(guide.join(name)).unwrap();
        let read = self.0.iter().fold(text.clone(), |text, (old, place)| {
            text.replace(old.as_str(), place)
        });
        assert_ne!(read, text, "{name} names no address of the guide");
        read
    }
}
