//! One batch, to everyone it is for.

use std::time::Instant;

use super::batch::{Batch, concatenated};
use super::table::Table;
use super::viewer::{Outcome, Socket, Viewer};
use crate::wire::Frame;

impl<S: Socket> Table<S> {
    /// Gives each viewer what the batch has for it. Whose connection turns out to be broken is
    /// taken out. Whether somebody was given something that is to be followed up.
    pub fn fan_out(&mut self, mut batch: Batch, now: Instant) -> bool {
        let (mut gone, mut is_followed_up) = (Vec::new(), false);
        self.each_of_everyone(|row, viewer| {
            if give_all(viewer, &mut batch, now) == Outcome::Gone {
                gone.push(row);
            }
            is_followed_up |= viewer.is_followed_up;
        });
        let frames = batch.frames();
        for wanted in self
            .wanted(frames)
            .chunk_by(|(row, _), (other, _)| row == other)
        {
            let row = wanted[0].0;
            let frames = wanted.iter().map(|(_, index)| &frames[*index]);
            let Some(viewer) = self.get_mut(row) else {
                continue;
            };
            if give_some(viewer, frames, now) == Outcome::Gone {
                gone.push(row);
            }
            is_followed_up |= viewer.is_followed_up;
        }
        for row in gone {
            self.remove(row);
        }
        is_followed_up
    }

    /// The rows of those who do not watch everything, each with a frame it wants; a row's frames
    /// side by side and in order.
    fn wanted(&self, frames: &[Frame]) -> Vec<(usize, usize)> {
        let mut wanted = Vec::new();
        for (index, frame) in frames.iter().enumerate() {
            let watchers = frame.pet().map(|pet| self.watchers(pet));
            wanted.extend(watchers.into_iter().flatten().map(|row| (row, index)));
        }
        wanted.sort_unstable();
        wanted
    }
}

/// Gives a viewer of everything its part of the batch.
fn give_all<S: Socket>(viewer: &mut Viewer<S>, batch: &mut Batch, now: Instant) -> Outcome {
    if is_left_out(viewer) {
        return Outcome::Alive;
    }
    let bytes = batch.after(viewer.at, viewer.encoding());
    if bytes.is_empty() {
        return Outcome::Alive;
    }
    viewer.at = batch.reaches();
    viewer.send_event(bytes, now)
}

/// Gives a viewer of some pets the frames of those.
fn give_some<'a, S: Socket>(
    viewer: &mut Viewer<S>,
    frames: impl Iterator<Item = &'a Frame> + Clone,
    now: Instant,
) -> Outcome {
    if is_left_out(viewer) {
        return Outcome::Alive;
    }
    let at = viewer.at;
    let bytes = concatenated(
        frames.clone().filter(|frame| frame.rev() > at),
        viewer.encoding(),
    );
    viewer.at = frames.last().map_or(at, |last| at.max(last.rev()));
    viewer.send_event(bytes, now)
}

/// Whether it is given nothing now. One whose socket is full is given what it missed later.
fn is_left_out<S: Socket>(viewer: &mut Viewer<S>) -> bool {
    viewer.has_missed |= viewer.is_stalled();
    viewer.is_stalled() || viewer.is_closing()
}
