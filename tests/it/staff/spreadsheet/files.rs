//! Files that staff choose for an import, as programs write them.

use reqwest::Response;

use super::key;
use crate::support::{Browser, Rescue, unescape};

/// A file of ASM3 from a computer with Windows: `Müller`, `Renée`, `Zoë’s`.
const WINDOWS_1252: &[u8] = b"\"ANIMALNAME\";\"SPECIESNAME\";\"BREEDNAME\";\"ANIMALCOMMENTS\"\r\n\
    \"M\xfcller\";\"Dog\";\"Beagle\";\"Ren\xe9e\x92s dog \x96 shy.\"\r\n\
    \"Zo\xeb\";\"Cat\";\"\";\"\"\r\n";

/// Sends the form with these fields and the file `pets.csv`.
async fn send(browser: &Browser, fields: &[(&str, &str)], file: &[u8]) -> Response {
    let mut body = Vec::new();
    for (name, value) in fields {
        let part =
            format!("--x\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
        body.extend(part.into_bytes());
    }
    body.extend(b"--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"pets.csv\"\r\n");
    body.extend([b"Content-Type: text/csv\r\n\r\n", file, b"\r\n--x--\r\n"].concat());
    let request = browser.ask("POST", "/pets/import");
    let request = request.header("origin", &browser.origin);
    let request = request.header("content-type", "multipart/form-data; boundary=x");
    request.body(body).send().await.unwrap()
}

/// Sends a file from the page, and returns the status and the text of the answer.
async fn choose(browser: &Browser, text: &str, file: &[u8]) -> (u16, String) {
    let fields = [
        ("form-token", browser.form_token.as_str()),
        ("text", text),
        ("dates", "day-first"),
    ];
    let answer = send(browser, &fields, file).await;
    (
        answer.status().as_u16(),
        unescape(&answer.text().await.unwrap()),
    )
}

#[tokio::test]
async fn a_file_of_windows_is_previewed_with_its_encoding_and_imported() {
    let (rescue, mut boris) = Rescue::start_as("boris").await;
    let form = boris.get("/pets/import").await;
    assert!(form.contains("enctype=\"multipart/form-data\"") && form.contains("type=\"file\""));
    let (status, preview) = choose(&boris, "", WINDOWS_1252).await;
    assert_eq!(status, 200, "{preview}");
    for part in [
        "<bdi>pets.csv</bdi> was read as Windows-1252.",
        "<bdi>Müller</bdi>",
        "<bdi>Renée’s dog – shy.</bdi>",
        "<bdi>Zoë</bdi>",
        "Add 2 pets",
    ] {
        assert!(preview.contains(part), "{part} in {preview}");
    }
    // The preview carries the text, in UTF-8.
    let (_, text) = preview.split_once("name=\"text\" value=\"").unwrap();
    let (text, _) = text.split_once("\">\n").unwrap();
    let fields = [
        ("text", text),
        ("confirm", "yes"),
        ("request", key(&preview)),
    ];
    assert_eq!(boris.submit("/pets/import", &fields).await, 303);
    let board = rescue.app.text("/pets").await;
    assert!(board.contains("Müller") && board.contains("Zoë"), "{board}");
}

#[tokio::test]
async fn a_byte_order_mark_says_the_encoding() {
    let (_rescue, mut boris) = Rescue::start_as("boris").await;
    boris.get("/pets/import").await;
    let sheet = "\u{feff}Name;Species\nZoë;Cat\n";
    let utf_16 = sheet.encode_utf16().flat_map(u16::to_le_bytes);
    for (file, encoding) in [
        (sheet.as_bytes(), "UTF-8"),
        (&sheet.as_bytes()[3..], "UTF-8"),
        (&utf_16.collect::<Vec<u8>>(), "UTF-16LE"),
    ] {
        let (status, preview) = choose(&boris, "", file).await;
        assert_eq!(status, 200, "{preview}");
        let read = format!("was read as {encoding}.</p>");
        assert!(preview.contains(&read), "{encoding}: {preview}");
        assert!(preview.contains("<bdi>Zoë</bdi>"), "{preview}");
    }
}

#[tokio::test]
async fn a_file_that_cannot_be_read_says_what_to_do_and_keeps_the_text() {
    let (rescue, mut boris) = Rescue::start_as("boris").await;
    boris.get("/pets/import").await;
    let too_large = "The spreadsheet is larger than 1 MB. Import it in parts.";
    let row = b"Miso,Cat\n";
    let large = row.repeat(1024 * 1024 / row.len() + 1);
    for (file, message) in [
        (&large[..], too_large),
        (b"PK\x03\x04\x14\0\x06\0\x08\0", "save the sheet as CSV"),
        (b"Name,Species\nA,\xff\0\n", "save the sheet as CSV"),
    ] {
        let (status, page) = choose(&boris, "typed", file).await;
        assert_eq!(status, 422, "{page}");
        assert!(page.contains(message), "{message} in {page}");
        assert!(!page.contains("Row 0") && page.contains(">\ntyped</textarea>"));
    }
    // More than is read at all.
    let (status, page) = choose(&boris, "", &large.repeat(3)).await;
    assert_eq!(status, 413);
    assert!(page.contains(too_large), "{page}");
    let (status, page) = choose(&boris, " ", b"").await;
    assert_eq!(status, 422);
    assert!(page.contains("Choose a file, or paste the rows"), "{page}");
    assert!(!rescue.app.text("/pets").await.contains("Miso"));
}

#[tokio::test]
async fn a_file_is_read_from_the_page_of_staff_and_from_nowhere_else() {
    let (rescue, mut boris) = Rescue::start_as("boris").await;
    boris.get("/pets/import").await;
    for token in ["", "0"] {
        let answer = send(&boris, &[("form-token", token)], WINDOWS_1252).await;
        assert_eq!(answer.status(), 403, "{token:?}");
    }
    let mut visitor = rescue.browser();
    visitor.get("/sign-in").await;
    let (status, _) = choose(&visitor, "", WINDOWS_1252).await;
    assert_eq!(status, 401);
    // A file is read instead of the text.
    let (status, preview) = choose(&boris, "Name,Species\nRex,Dog\n", WINDOWS_1252).await;
    assert_eq!(status, 200);
    assert!(preview.contains("Zoë") && !preview.contains("Rex"));
}
