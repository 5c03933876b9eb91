//! Bytes that a connection received and that hyper has not read yet.
//!
//! hyper reads ahead, and drops what it has read when the socket leaves HTTP. So it is given no byte beyond
//! the head of a request before that is answered or has a body.

/// The longest head that is kept.
const KEPT_HEAD_BYTES: usize = 2 * 1024;

/// Input that is not of the present request, and the search for the end of a head.
pub struct HeldInput {
    bytes: Vec<u8>,
    /// The phase of the head that is searched.
    phase: u32,
    line: Line,
    /// True if a part of the head was read.
    is_begun: bool,
    /// The last head, if it was short and was read at once.
    head: Vec<u8>,
}

/// The line of a head at which the search is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Line {
    /// A line that is not empty, as the first line.
    Filled,
    /// A line without a byte.
    Empty,
    /// A line with a carriage return alone.
    Return,
}

impl HeldInput {
    /// Starts with bytes that were read before.
    pub fn new(bytes: Vec<u8>) -> Self {
        HeldInput {
            bytes,
            phase: 0,
            line: Line::Filled,
            is_begun: false,
            head: Vec::new(),
        }
    }

    /// Returns true if there are none.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Moves bytes into `buffer`, as many as fit. Returns how many.
    pub fn take(&mut self, buffer: &mut [u8]) -> usize {
        let count = self.bytes.len().min(buffer.len());
        buffer[..count].copy_from_slice(&self.bytes[..count]);
        self.bytes.drain(..count);
        if self.bytes.is_empty() {
            self.bytes = Vec::new();
        }
        count
    }

    /// Returns the last head, if it was short and was read at once.
    pub fn take_head(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.head)
    }

    /// Returns all bytes.
    pub fn take_all(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.bytes)
    }

    /// Holds `bytes`, which come before those that are held already.
    pub fn hold(&mut self, bytes: &[u8]) {
        self.bytes.splice(..0, bytes.iter().copied());
    }

    /// Holds the bytes of `read` after the end of the head that is read in `phase`. Returns the number of
    /// bytes up to there.
    pub fn hold_after_head(&mut self, phase: u32, read: &[u8]) -> usize {
        if phase != self.phase {
            self.phase = phase;
            self.line = Line::Filled;
            self.is_begun = false;
        }
        self.head.clear();
        let is_begun = std::mem::replace(&mut self.is_begun, true);
        for (index, byte) in read.iter().enumerate() {
            self.line = match (byte, self.line) {
                (b'\n', Line::Filled) => Line::Empty,
                (b'\n', Line::Empty | Line::Return) => {
                    self.line = Line::Filled;
                    let head = &read[..=index];
                    if !is_begun && head.len() <= KEPT_HEAD_BYTES {
                        self.head.extend_from_slice(head);
                    }
                    self.hold(&read[index + 1..]);
                    return head.len();
                }
                (b'\r', Line::Empty) => Line::Return,
                _ => Line::Filled,
            };
        }
        read.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_after_a_head_are_held_and_a_head_that_is_read_at_once_is_kept() {
        for end in ["\r\n\r\n", "\n\n", "\n\r\n", "\r\n\n"] {
            let head = format!("GET / HTTP/1.1\r\nHost: x{end}");
            let text = format!("{head}GET /next HTTP/1.1\r\n\r\n");
            for split in 1..text.len() {
                let mut input = HeldInput::new(text.as_bytes().to_vec());
                let mut given = Vec::new();
                while given.len() < head.len() {
                    let mut buffer = vec![0; split];
                    let count = input.take(&mut buffer);
                    let count = input.hold_after_head(0, &buffer[..count]);
                    given.extend_from_slice(&buffer[..count]);
                }
                assert_eq!(String::from_utf8(given).unwrap(), head, "{split}");
                let kept = if split < head.len() { "" } else { &head };
                assert_eq!(String::from_utf8(input.take_head()).unwrap(), kept);
                let rest = String::from_utf8(input.take_all()).unwrap();
                assert_eq!(rest, text[head.len()..], "{split}");
            }
        }
    }
}
