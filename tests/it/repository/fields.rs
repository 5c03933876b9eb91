//! A field of a pet is spelled in few files: most code loops over the table of fields in the model.

use super::files;

/// The most files that may spell a field, samples and tests aside.
const MOST_FILES: usize = 7;

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
    for field in ["breed", "sex", "species"] {
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
        assert!(spelled.len() <= MOST_FILES, "{field}: {spelled:#?}");
    }
}
