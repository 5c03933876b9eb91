//! How the board shows its pets.

use serde::Serialize;

/// How the board shows its pets. Visitors get cards.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum BoardLayout {
    /// A card for each pet, with a large photo.
    #[default]
    Cards,
    /// A row for each pet, of which a phone shows many.
    Rows,
}

impl BoardLayout {
    /// Parses the word used in addresses and in the cookie.
    pub fn parse(word: &str) -> Option<Self> {
        let layouts = [BoardLayout::Cards, BoardLayout::Rows];
        layouts.into_iter().find(|layout| layout.as_str() == word)
    }

    /// Returns the word used in addresses and in the cookie.
    pub const fn as_str(self) -> &'static str {
        match self {
            BoardLayout::Cards => "cards",
            BoardLayout::Rows => "rows",
        }
    }

    /// Returns the layout that a reader of this one can switch to.
    pub const fn other(self) -> Self {
        match self {
            BoardLayout::Cards => BoardLayout::Rows,
            BoardLayout::Rows => BoardLayout::Cards,
        }
    }
}
