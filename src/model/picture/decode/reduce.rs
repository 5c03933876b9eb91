//! Reduces a picture by a whole number while its rows are read, so that the whole of it is never in
//! memory: each pixel of the result is the mean of a square.

use image::RgbImage;

use crate::model::picture::PhotoError;
use crate::model::picture::header::PhotoHeader;

/// A picture that is being reduced.
pub struct Reducer {
    /// Side of the square.
    side: u32,
    width_px: u32,
    height_px: u32,
    /// Sums of the rows of the current square.
    sums: Vec<[u32; 3]>,
    /// Rows in `sums`.
    rows: u32,
    pixels: Vec<u8>,
}

impl Reducer {
    /// Starts with no rows. The result will be at least as large as the target of `header`.
    pub fn new(header: &PhotoHeader) -> Self {
        let (width, height) = header.target_size();
        let side = (header.width_px / width).min(header.height_px / height);
        let side = side.max(1);
        let (width_px, height_px) = (header.width_px / side, header.height_px / side);
        Reducer {
            side,
            width_px,
            height_px,
            sums: vec![[0; 3]; width_px as usize],
            rows: 0,
            pixels: Vec::with_capacity(width_px as usize * height_px as usize * 3),
        }
    }

    /// Adds the next row. Pixels and rows beyond the last whole square are left out.
    pub fn add_row(&mut self, row: impl Iterator<Item = [u8; 3]>) {
        let (mut column, mut in_square) = (0, 0);
        for pixel in row {
            let Some(sum) = self.sums.get_mut(column) else {
                break;
            };
            for (sum, light) in sum.iter_mut().zip(pixel) {
                *sum += u32::from(light);
            }
            in_square += 1;
            if in_square == self.side {
                (column, in_square) = (column + 1, 0);
            }
        }
        self.rows += 1;
        if self.rows == self.side {
            let count = self.side * self.side;
            let means = self.sums.iter().flatten().map(|sum| (sum / count) as u8);
            self.pixels.extend(means);
            self.sums.fill([0; 3]);
            self.rows = 0;
        }
    }

    /// Returns the picture.
    ///
    /// # Errors
    /// `Damaged` if there were too few rows.
    pub fn finish(mut self) -> Result<RgbImage, PhotoError> {
        let expected = self.width_px as usize * self.height_px as usize * 3;
        self.pixels.truncate(expected);
        RgbImage::from_raw(self.width_px, self.height_px, self.pixels).ok_or(PhotoError::Damaged)
    }
}
