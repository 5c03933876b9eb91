//! Reads the rows of a spreadsheet into pets, and names row and column of each problem.

use csv::{ReaderBuilder, StringRecord};

use super::columns::{DateOrder, find_columns, translate};
use super::formula::restore;
use crate::model::{Profile, ProfileInput};
use crate::store::MAX_COMMIT_CREATIONS;

/// The most rows of one import. They are one commit.
pub const MAX_ROWS: usize = MAX_COMMIT_CREATIONS;

/// The longest text or largest file of one import.
pub const MAX_BYTES: usize = 1024 * 1024;

/// Message for more than `MAX_BYTES`.
pub const TOO_LARGE: &str = "The spreadsheet is larger than 1 MB. Import it in parts.";

/// The pets of a spreadsheet, each with its row, and what is wrong with it.
#[derive(Debug, Default)]
pub struct Sheet {
    /// The pets of the rows without a problem.
    pub pets: Vec<(usize, Profile)>,
    /// The problems, in the order of the rows.
    pub problems: Vec<Problem>,
    /// Headers of columns that no field has.
    pub ignored: Vec<String>,
}

/// A cell, row or file that cannot be imported.
#[derive(Debug, PartialEq, Eq, serde::Serialize)]
pub struct Problem {
    /// Row as spreadsheets count: the headers are row 1. Row 0 is the spreadsheet as a whole.
    pub row: usize,
    /// Header of the column; empty for a problem of the whole row.
    pub column: String,
    /// Sentence that says what to do.
    pub message: String,
}

impl Sheet {
    /// Reads a text with commas, semicolons or tabs between its cells. The first row has the headers.
    pub fn parse(text: &str, dates: DateOrder) -> Self {
        if text.len() > MAX_BYTES {
            return Sheet::unreadable(TOO_LARGE);
        }
        let text = text.trim_start_matches('\u{feff}').replace("\r\n", "\n");
        if text.trim().is_empty() {
            return Sheet::unreadable("Choose a file, or paste the rows of a spreadsheet.");
        }
        let mut sheet = Sheet::default();
        let mut reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(delimiter(&text))
            .from_reader(text.as_bytes());
        let mut rows = reader.records().map_while(Result::ok);
        let first = rows.next();
        let mut row = 1 + first
            .as_ref()
            .map_or(0, |first| blank_lines_before(first, &text));
        let headers: Vec<String> = first
            .iter()
            .flatten()
            .map(|header| header.trim().to_owned())
            .collect();
        let columns = find_columns(&headers);
        for (field, column) in Profile::FIELDS.iter().zip(columns) {
            if field.is_required && column.is_none() {
                let message = format!("Add a column with the header {}.", field.label);
                sheet.add_problem(row, field.label, &message);
            }
        }
        let ignored = headers.iter().enumerate();
        let ignored = ignored.filter(|(place, _)| !columns.contains(&Some(*place)));
        sheet.ignored = ignored.map(|(_, header)| header.clone()).collect();
        sheet.ignored.retain(|header| !header.is_empty());
        if !sheet.problems.is_empty() {
            return sheet;
        }
        for (record, count) in rows.zip(1..) {
            row += 1 + blank_lines_before(&record, &text);
            if count > MAX_ROWS {
                let message = format!("Import at most {MAX_ROWS} rows at a time.");
                sheet.add_problem(row, "", &message);
                break;
            }
            sheet.add_row(row, &record, &headers, &columns, dates);
        }
        if sheet.pets.is_empty() && sheet.problems.is_empty() {
            sheet.add_problem(row + 1, "", "Add a row for each pet below the headers.");
        }
        sheet
    }

    /// A spreadsheet whose rows cannot be read.
    pub fn unreadable(message: &str) -> Self {
        let mut sheet = Sheet::default();
        sheet.add_problem(0, "", message);
        sheet
    }

    fn add_row(
        &mut self,
        row: usize,
        record: &StringRecord,
        headers: &[String],
        columns: &[Option<usize>],
        dates: DateOrder,
    ) {
        if record.iter().all(|cell| cell.trim().is_empty()) {
            return;
        }
        if record
            .iter()
            .skip(headers.len())
            .any(|cell| !cell.is_empty())
        {
            let message = "This row has more cells than the headers. Check its quotation marks.";
            self.add_problem(row, "", message);
            return;
        }
        let mut columns_left = columns.iter();
        let input = ProfileInput::collect(|field| {
            let column = (*columns_left.next()?)?;
            let cell = restore(record.get(column).unwrap_or_default());
            Some(translate(field, &headers[column], cell, dates))
        });
        match input.into_profile() {
            Ok(profile) => self.pets.push((row, profile)),
            Err(invalid) => {
                for error in invalid.0 {
                    let place = Profile::FIELDS
                        .iter()
                        .position(|field| field.name == error.field);
                    let column = place.and_then(|place| columns[place]);
                    let header = column.map_or(error.field, |column| &headers[column]);
                    self.add_problem(row, header, &error.message);
                }
            }
        }
    }

    fn add_problem(&mut self, row: usize, column: &str, message: &str) {
        self.problems.push(Problem {
            row,
            column: column.to_owned(),
            message: message.to_owned(),
        });
    }
}

/// Returns the number of blank lines above a row. The reader skips them, and spreadsheets count them.
fn blank_lines_before(record: &StringRecord, text: &str) -> usize {
    let start = record.position().map_or(0, csv::Position::byte);
    let lines = text.bytes().skip(start as usize);
    lines.take_while(|byte| *byte == b'\n').count()
}

/// Returns the separator that the headers have most of.
fn delimiter(text: &str) -> u8 {
    let headers = text.lines().next().unwrap_or_default();
    let count = |separator: &u8| headers.bytes().filter(|byte| byte == separator).count();
    *b",;\t"
        .iter()
        .rev()
        .max_by_key(|separator| count(separator))
        .unwrap_or(&b',')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Sheet {
        Sheet::parse(text, DateOrder::MonthFirst)
    }

    #[test]
    fn a_file_of_asm3_is_read() {
        let sheet = parse(
            "\u{feff}AnimalName;SpeciesName;BreedName;Sex;DateOfBirth;BaseColourName;SizeName;\
             ShelterLocationName;DateBroughtIn;ShelterCode;AnimalComments\r\n\
             Biscuit;Dog;Beagle;0;2021-03-04 00:00:00;Tan;Medium;Kennel 4;2024-05-31 10:00:00;D1;\
             \"Shy.\r\nKind.\"\r\n",
        );
        assert_eq!(
            (&sheet.problems[..], &sheet.ignored[..]),
            (&[][..], &["ShelterCode".to_owned()][..])
        );
        let (row, pet) = &sheet.pets[0];
        let texts = Profile::FIELDS.each_ref().map(|field| field.text(pet));
        assert_eq!(*row, 2);
        assert_eq!(
            texts,
            [
                "Biscuit",
                "Dog",
                "Beagle",
                "female",
                "2021-03-04",
                "",
                "medium",
                "Tan",
                "available",
                "",
                "",
                "Shy.\nKind.",
                "2024-05-31",
                "Kennel 4"
            ]
        );
    }

    #[test]
    fn a_file_of_shelterluv_is_read() {
        let sheet = parse(
            "Animal ID,Name,Species,Primary Breed,Sex,Color,Age,DOB,Size,Intake Date,Location,Status\n\
             42,Miso,Cat,\"Siamese, mixed\",Male,Cream,3Y,05/31/2021,Small (0-24),12/01/2023,Foster,\
             Available For Adoption\n",
        );
        assert_eq!(sheet.problems, []);
        assert_eq!(sheet.ignored, ["Animal ID"]);
        let texts = Profile::FIELDS
            .each_ref()
            .map(|field| field.text(&sheet.pets[0].1));
        assert_eq!(
            texts,
            [
                "Miso",
                "Cat",
                "Siamese, mixed",
                "male",
                "2021-05-31",
                "3Y",
                "small",
                "Cream",
                "available",
                "",
                "",
                "",
                "2023-12-01",
                "Foster"
            ]
        );
    }

    #[test]
    fn each_problem_has_its_row_and_column() {
        let sheet = parse(
            "Name\tSpecies\tDOB\tStatus\nA\tDog\t\t\r\n\r\n\n\"B\nb\"\t\t2/30/2024\tDeceased\nC\tCat\t\t\t5\n",
        );
        let places = sheet
            .problems
            .iter()
            .map(|problem| (problem.row, problem.column.as_str()));
        let places: Vec<_> = places.collect();
        assert_eq!(
            places,
            [
                (5, "Name"),
                (5, "Species"),
                (5, "DOB"),
                (5, "Status"),
                (6, "")
            ]
        );
        let missing = parse("\nKind\nDog\n");
        let places = missing
            .problems
            .iter()
            .map(|problem| (problem.row, problem.column.as_str()));
        assert_eq!(places.collect::<Vec<_>>(), [(2, "Name"), (2, "Species")]);
        for nothing in ["", " \n", "\u{feff}"] {
            assert_eq!(parse(nothing).problems[0].row, 0);
        }
        let rows = "a,dog\n".repeat(MAX_ROWS + 1);
        assert_eq!(
            parse(&format!("name,species\n{rows}")).problems[0].row,
            MAX_ROWS + 2
        );
        assert_eq!(parse(&"x".repeat(MAX_BYTES + 1)).problems.len(), 1);
    }
}
