//! Compresses a response piece by piece.

use std::io::{self, Write};
use std::mem;

use brotli::CompressorWriter;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;

use super::content_coding::ContentCoding;

/// Levels for the cards of 100 pets (141 kB): Brotli takes 0.6 ms and leaves 5.2 kB; for a stream, which
/// needs its memory for longer, 0.3 ms and 6.2 kB; gzip 0.3 ms and 6.9 kB.
const WHOLE_QUALITY: u32 = 5;
const STREAM_QUALITY: u32 = 4;
const GZIP_LEVEL: Compression = Compression::new(5);

/// Binary logarithm of the window of Brotli: 256 KiB, the cards of some hundred pets.
const BROTLI_WINDOW: u32 = 18;

/// Size of the input buffer of Brotli.
const BUFFER_BYTES: usize = 4096;

/// Compresses one response.
pub struct Compressor(Encoder);

enum Encoder {
    Brotli(Box<CompressorWriter<Vec<u8>>>),
    Gzip(GzEncoder<Vec<u8>>),
}

impl Compressor {
    /// Starts a response that is sent piece by piece.
    pub fn new(coding: ContentCoding) -> Self {
        Compressor::with_quality(coding, STREAM_QUALITY)
    }

    /// Returns the memory of a compressor until its response ends: resident memory per compressor,
    /// measured over 60 of them after 1.1 MB each.
    pub fn memory_bytes(coding: ContentCoding) -> usize {
        match coding {
            ContentCoding::Brotli => 2 * 1024 * 1024,
            ContentCoding::Gzip => 400 * 1024,
        }
    }

    fn with_quality(coding: ContentCoding, quality: u32) -> Self {
        Compressor(match coding {
            ContentCoding::Brotli => {
                let writer =
                    CompressorWriter::new(Vec::new(), BUFFER_BYTES, quality, BROTLI_WINDOW);
                Encoder::Brotli(Box::new(writer))
            }
            ContentCoding::Gzip => Encoder::Gzip(GzEncoder::new(Vec::new(), GZIP_LEVEL)),
        })
    }

    /// Adds a piece. Returns what can be sent already, which may be empty.
    ///
    /// # Errors
    /// None that can happen: the result is written to memory.
    pub fn push(&mut self, piece: &[u8]) -> io::Result<Bytes> {
        match &mut self.0 {
            Encoder::Brotli(writer) => writer.write_all(piece)?,
            Encoder::Gzip(writer) => writer.write_all(piece)?,
        }
        Ok(self.take_output())
    }

    /// Returns everything that was held back, so that the client can show all pieces so far.
    ///
    /// # Errors
    /// As for `push`.
    pub fn flush(&mut self) -> io::Result<Bytes> {
        match &mut self.0 {
            Encoder::Brotli(writer) => writer.flush()?,
            Encoder::Gzip(writer) => writer.flush()?,
        }
        Ok(self.take_output())
    }

    /// Ends the response.
    ///
    /// # Errors
    /// As for `push`.
    pub fn finish(self) -> io::Result<Bytes> {
        Ok(match self.0 {
            Encoder::Brotli(writer) => writer.into_inner().into(),
            Encoder::Gzip(writer) => writer.finish()?.into(),
        })
    }

    fn take_output(&mut self) -> Bytes {
        let output = match &mut self.0 {
            Encoder::Brotli(writer) => writer.get_mut(),
            Encoder::Gzip(writer) => writer.get_mut(),
        };
        mem::take(output).into()
    }
}

/// Compresses a response of known length.
///
/// # Errors
/// As for `Compressor::push`.
pub fn compress_whole(coding: ContentCoding, pieces: &[Bytes]) -> io::Result<Bytes> {
    let mut compressor = Compressor::with_quality(coding, WHOLE_QUALITY);
    let mut output = Vec::new();
    for piece in pieces {
        output.extend_from_slice(&compressor.push(piece)?);
    }
    output.extend_from_slice(&compressor.finish()?);
    Ok(output.into())
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    fn decompress(coding: ContentCoding, compressed: &[u8]) -> String {
        let mut text = String::new();
        match coding {
            ContentCoding::Brotli => {
                brotli::Decompressor::new(compressed, 4096).read_to_string(&mut text)
            }
            ContentCoding::Gzip => {
                flate2::read::GzDecoder::new(compressed).read_to_string(&mut text)
            }
        }
        .unwrap();
        text
    }

    #[test]
    fn what_was_pushed_comes_out_again_and_is_smaller() {
        let pieces: Vec<Bytes> = (0..100)
            .map(|pet| format!("<li data-pet=\"{pet}\">Biscuit</li>").into())
            .collect();
        let text = pieces.concat();
        for coding in ContentCoding::ALL {
            let whole = compress_whole(coding, &pieces).unwrap();
            assert!(whole.len() < text.len() / 5, "{coding:?}: {}", whole.len());
            assert_eq!(decompress(coding, &whole).as_bytes(), text);
        }
    }

    #[test]
    fn a_flushed_piece_can_be_read_before_the_end() {
        for coding in ContentCoding::ALL {
            let mut compressor = Compressor::new(coding);
            let mut sent = compressor.push(b"first").unwrap().to_vec();
            sent.extend_from_slice(&compressor.flush().unwrap());
            let mut read = vec![0; 5];
            match coding {
                ContentCoding::Brotli => {
                    brotli::Decompressor::new(&sent[..], 1).read_exact(&mut read)
                }
                ContentCoding::Gzip => {
                    flate2::read::GzDecoder::new(&sent[..]).read_exact(&mut read)
                }
            }
            .unwrap();
            assert_eq!(read, b"first", "{coding:?}");
            sent.extend_from_slice(&compressor.push(b", second").unwrap());
            sent.extend_from_slice(&compressor.finish().unwrap());
            assert_eq!(decompress(coding, &sent), "first, second");
        }
    }
}
