//! Events out of the text of an event stream, in whatever pieces it comes.

/// Gives the data of each whole event of `text` to `take`; what is left of an event waits in
/// `partial` for the next piece.
pub fn events(partial: &mut Vec<u8>, text: &[u8], mut take: impl FnMut(&[u8])) {
    if partial.is_empty() {
        let used = whole_events(text, &mut take);
        partial.extend_from_slice(&text[used..]);
    } else {
        partial.extend_from_slice(text);
        let used = whole_events(partial, &mut take);
        partial.drain(..used);
    }
}

/// Goes through the lines once; an empty line ends an event. All our events have one data line; a peer
/// that merges messages sends a line for each.
fn whole_events(text: &[u8], take: &mut impl FnMut(&[u8])) -> usize {
    let (mut used, mut start, mut data) = (0, 0, Vec::new());
    while let Some(length) = memchr::memchr(b'\n', &text[start..]) {
        let line = &text[start..start + length];
        start += length + 1;
        if let Some(value) = line.strip_prefix(b"data:") {
            data.push(value.trim_ascii_start());
        } else if line.is_empty() {
            data.drain(..).for_each(&mut *take);
            used = start;
        }
    }
    used
}
