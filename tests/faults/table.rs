//! Tables on stderr, for the one who runs the long form.

/// Prints rows below their headings, each column as wide as it must be.
pub fn print(title: &str, headings: &[&str], rows: &[Vec<String>]) {
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells
            .max()
            .unwrap_or(0)
            .max(headings[column].chars().count())
    };
    let widths: Vec<usize> = (0..headings.len()).map(width).collect();
    let line = |cells: &[String]| {
        let cells = cells.iter().zip(&widths);
        let cells: Vec<String> = cells
            .map(|(cell, width)| format!("{cell:>width$}"))
            .collect();
        cells.join("  ")
    };
    let headings: Vec<String> = headings.iter().map(|&heading| heading.to_owned()).collect();
    eprintln!("\n{title}\n{}", line(&headings));
    for row in rows {
        eprintln!("{}", line(row));
    }
}
