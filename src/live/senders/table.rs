//! A sender's viewers, and who of them watches what.

use std::collections::{BTreeSet, HashMap};

use mio::net::TcpStream;
use slab::Slab;

use super::viewer::{Socket, Viewer};
use crate::hub::Filter;
use crate::model::PetId;

/// Rows of viewers. A row's number is its token in the event loop, and is used again.
pub struct Table<S = TcpStream> {
    viewers: Slab<Viewer<S>>,
    /// Rows that watch every pet. In order, so that a pass walks through memory in one direction.
    everyone: BTreeSet<usize>,
    by_pet: HashMap<PetId, BTreeSet<usize>>,
}

impl<S> Default for Table<S> {
    fn default() -> Self {
        Table {
            viewers: Slab::new(),
            everyone: BTreeSet::new(),
            by_pet: HashMap::new(),
        }
    }
}

impl<S: Socket> Table<S> {
    /// The row that the next viewer gets.
    pub fn vacant_row(&self) -> usize {
        self.viewers.vacant_key()
    }

    pub fn insert(&mut self, viewer: Viewer<S>) -> usize {
        let filter = viewer.filter().clone();
        let row = self.viewers.insert(viewer);
        match filter {
            Filter::All => {
                self.everyone.insert(row);
            }
            Filter::Pets(pets) => {
                for pet in pets.iter() {
                    self.by_pet.entry(*pet).or_default().insert(row);
                }
            }
        }
        row
    }

    /// Takes a viewer out; dropping it closes its connection.
    pub fn remove(&mut self, row: usize) -> Option<Viewer<S>> {
        let viewer = self.viewers.try_remove(row)?;
        match viewer.filter() {
            Filter::All => {
                self.everyone.remove(&row);
            }
            Filter::Pets(pets) => {
                for pet in pets.iter() {
                    if let Some(rows) = self.by_pet.get_mut(pet) {
                        rows.remove(&row);
                        if rows.is_empty() {
                            self.by_pet.remove(pet);
                        }
                    }
                }
            }
        }
        if self.viewers.is_empty() {
            // A crowd that left leaves no room behind.
            *self = Table::default();
        }
        Some(viewer)
    }

    pub fn get_mut(&mut self, row: usize) -> Option<&mut Viewer<S>> {
        self.viewers.get_mut(row)
    }

    pub fn is_empty(&self) -> bool {
        self.viewers.is_empty()
    }

    /// Every row, in order.
    pub fn rows(&self) -> Vec<usize> {
        self.viewers.iter().map(|(row, _)| row).collect()
    }

    pub fn iter_mut(&mut self) -> impl Iterator<Item = (usize, &mut Viewer<S>)> {
        self.viewers.iter_mut()
    }

    /// Calls `visit` for every viewer that watches all pets.
    pub fn each_of_everyone(&mut self, mut visit: impl FnMut(usize, &mut Viewer<S>)) {
        for row in &self.everyone {
            visit(*row, &mut self.viewers[*row]);
        }
    }

    /// Rows of those who watch this pet and not all.
    pub fn watchers(&self, pet: PetId) -> impl Iterator<Item = usize> {
        self.by_pet.get(&pet).into_iter().flatten().copied()
    }
}
