//! One event, one line: text that came from a visitor cannot begin another.

use std::io::{self, Write};

/// Writes each event as one line, in which control characters are spelled out. `tracing` hands an
/// event over in one piece, with the line's end.
pub struct OneLine<W> {
    to: W,
}

impl<W: Write> OneLine<W> {
    pub fn new(to: W) -> Self {
        OneLine { to }
    }
}

impl<W: Write> Write for OneLine<W> {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        let content = text.strip_suffix('\n').unwrap_or(&text);
        let mut line = String::with_capacity(content.len() + 1);
        for letter in content.chars() {
            match letter.is_control() || is_hidden_break(letter) {
                true => line.extend(letter.escape_default()),
                false => line.push(letter),
            }
        }
        line.push('\n');
        self.to.write_all(line.as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// Ends of lines and turns of direction that are no control characters.
fn is_hidden_break(letter: char) -> bool {
    matches!(letter, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn what_a_visitor_wrote_stays_within_its_line() {
        let kept = Kept::default();
        let writer = kept.clone();
        let log = tracing_subscriber::fmt()
            .with_ansi(false)
            .with_writer(move || OneLine::new(writer.clone()))
            .finish();
        let forged = "Miso\n2026-01-01T00:00:00Z  INFO all is well\r\u{2028}\u{1b}[2Jx\u{85}";
        tracing::subscriber::with_default(log, || {
            tracing::error!(name = forged, error = %forged, "{forged}");
        });
        let text = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
        assert_eq!(text.lines().count(), 1, "{text:?}");
        let is_plain = |letter: char| !letter.is_control() && letter != '\u{2028}';
        assert!(text.trim_end().chars().all(is_plain), "{text:?}");
        assert!(text.contains("all is well"));
    }
}
