//! A field of a pet is spelled in few files: most code loops over the table of fields in the model.

use super::files;

/// Fields, each with the most files that may spell it, samples and tests aside. Views of the board have a
/// parameter for the species, and messages about namesakes name it.
const FIELDS: [(&str, usize); 3] = [("breed", 7), ("sex", 7), ("species", 13)];

/// Returns the code of a Rust file above its tests, and the whole of any other file.
fn without_tests(text: &str) -> &str {
    text.split("#[cfg(test)]\nmod tests {").next().unwrap()
}

fn spells(text: &str, word: &str) -> bool {
    let is_letter = |letter: char| letter.is_alphanumeric() || letter == '_';
    text.split(|letter| !is_letter(letter))
        .any(|found| found == word)
}

#[test]
fn a_field_of_a_pet_is_spelled_in_few_files() {
    for (field, most_files) in FIELDS {
        let mut spelled = Vec::new();
        for folder in ["src", "views", "public"] {
            for (path, text) in files(folder, &["rs", "html", "js", "css"]) {
                let name = path.to_string_lossy();
                let is_exempt = ["/tests", "/contract", "/samples"]
                    .iter()
                    .any(|part| name.contains(part));
                if !is_exempt && spells(without_tests(&text), field) {
                    spelled.push(name.into_owned());
                }
            }
        }
        assert!(!spelled.is_empty(), "no file has the field {field}");
        assert!(spelled.len() <= most_files, "{field}: {spelled:#?}");
    }
}
