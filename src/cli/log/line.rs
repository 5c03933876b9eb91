//! Keeps each event on one line, so that text from a client cannot forge another event.

use std::io::{self, Write};

/// Writes each event as one line with its control characters escaped. `tracing` passes an event in one
/// piece that ends with a line feed.
pub struct OneLine<W> {
    output: W,
}

impl<W: Write> OneLine<W> {
    /// Writes to `output`.
    pub fn new(output: W) -> Self {
        OneLine { output }
    }
}

impl<W: Write> Write for OneLine<W> {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        let content = text.strip_suffix('\n').unwrap_or(&text);
        let mut line = String::with_capacity(content.len() + 1);
        for letter in content.chars() {
            if letter.is_control() || is_hidden_control(letter) {
                line.extend(letter.escape_default());
            } else {
                line.push(letter);
            }
        }
        line.push('\n');
        self.output.write_all(line.as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }
}

/// Returns true for line separators and changes of text direction, which Unicode does not count as
/// control characters.
fn is_hidden_control(letter: char) -> bool {
    matches!(letter, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct SharedBuffer(Arc<Mutex<Vec<u8>>>);

    impl Write for SharedBuffer {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn text_of_a_client_stays_within_its_line() {
        let buffer = SharedBuffer::default();
        let writer = buffer.clone();
        let log = tracing_subscriber::fmt()
            .with_ansi(false)
            .with_writer(move || OneLine::new(writer.clone()))
            .finish();
        let forged = "Miso\n2026-01-01T00:00:00Z  INFO all is well\r\u{2028}\u{1b}[2Jx\u{85}";
        tracing::subscriber::with_default(log, || {
            tracing::error!(name = forged, error = %forged, "{forged}");
        });
        let text = String::from_utf8(buffer.0.lock().unwrap().clone()).unwrap();
        assert_eq!(text.lines().count(), 1, "{text:?}");
        let is_plain = |letter: char| !letter.is_control() && letter != '\u{2028}';
        assert!(text.trim_end().chars().all(is_plain), "{text:?}");
        assert!(text.contains("all is well"));
    }
}
