//! Forms: create, edit, set a status, remove, and errors.

use crate::support::unescape;
use crate::support::{TestApp, spawn_app};

async fn redirect(app: &TestApp, path: &str, fields: &[(&str, &str)]) -> String {
    let response = app.post_form(path, fields).await;
    assert_eq!(response.status(), 303, "{path}");
    response.headers()["location"].to_str().unwrap().to_owned()
}

#[tokio::test]
async fn forms_create_edit_and_remove_a_pet() {
    let app = spawn_app().await;
    assert_eq!(app.get("/pets/new").await.status(), 200);
    let fields = [("name", "Biscuit"), ("species", "Dog")];
    let address = redirect(&app, "/pets", &fields).await;
    assert_eq!(address, "/pets/1");
    let edit = app.text("/pets/1/edit").await;
    assert!(edit.contains(r#"value="Biscuit""#) && edit.contains("action=\"&#x2f;pets&#x2f;1\""));
    let fields = [
        ("name", "Biscuit"),
        ("species", "Dog"),
        ("about", "one\r\ntwo"),
    ];
    assert_eq!(redirect(&app, "/pets/1", &fields).await, "/pets/1");
    assert_eq!(app.json("/api/v1/pets/1").await["about"], "one\ntwo");
    let status = [("status", "eating")];
    assert_eq!(redirect(&app, "/pets/1/status", &status).await, "/pets/1");
    assert_eq!(app.json("/api/v1/pets/1").await["status"], "eating");
    assert_eq!(redirect(&app, "/pets/1/delete", &[]).await, "/pets");
    assert_eq!(app.get("/pets/1").await.status(), 404);
}

#[tokio::test]
async fn a_status_form_redirects_to_the_page_that_sent_it_and_nowhere_else() {
    let app = spawn_app().await;
    app.add_pet("Biscuit").await;
    for (from, back) in [
        (app.url("/pets"), "/pets"),
        (app.url("/pets/1"), "/pets/1"),
        ("https://elsewhere.example/steal".to_owned(), "/pets/1"),
        ("not a url".to_owned(), "/pets/1"),
    ] {
        let request = app
            .request("POST", "/pets/1/status")
            .header("referer", &from);
        let response = request.form(&[("status", "eating")]).send().await.unwrap();
        assert_eq!(response.headers()["location"], back, "{from}");
    }
}

#[tokio::test]
async fn an_invalid_form_is_shown_again_with_its_input_and_a_message_at_each_field() {
    let app = spawn_app().await;
    app.add_pet("Biscuit").await;
    let age = "x".repeat(41);
    let fields = [
        ("name", " "),
        ("species", "Dog & \"cat\""),
        ("breed", "Beagle"),
        ("sex", "male"),
        ("age", age.as_str()),
        ("about", "\nKind."),
    ];
    let before = app.cursor().await;
    for path in ["/pets", "/pets/1"] {
        let response = app.post_form(path, &fields).await;
        assert_eq!(response.status(), 422, "{path}");
        let page = response.text().await.unwrap();
        for wrong in ["name", "age"] {
            assert!(page.contains(&format!(r#"id="{wrong}-error""#)), "{wrong}");
            assert!(page.contains(&format!("href=\"#{wrong}\"")), "{wrong}");
        }
        assert!(
            !page.contains(r#"id="species-error""#),
            "what is right has no message"
        );
        assert!(page.contains("Dog &amp; &quot;cat&quot;"));
        assert!(page.contains(r#"value="male" checked"#));
        assert!(page.contains(&age));
        assert!(
            page.contains("\n\nKind.</textarea>"),
            "a browser drops the first line end"
        );
    }
    assert_eq!(app.cursor().await, before);
}

#[tokio::test]
async fn an_unreadable_form_is_refused_with_a_page() {
    let app = spawn_app().await;
    app.add_pet("Biscuit").await;
    let form = "application/x-www-form-urlencoded";
    let long = format!("name={}", "x".repeat(70_000));
    for (path, kind, body, status) in [
        ("/pets", "text/plain", "name=x", 415),
        ("/pets", "multipart/form-data; boundary=x", "", 415),
        ("/pets", form, "", 422),
        ("/pets", form, long.as_str(), 413),
        ("/pets/1/status", form, "status=napping", 422),
        ("/pets/1/status", form, "", 422),
        ("/pets/99/status", form, "status=eating", 404),
        ("/pets/99/delete", form, "", 404),
    ] {
        let request = app.request("POST", path).header("content-type", kind);
        let response = request.body(body.to_owned()).send().await.unwrap();
        assert_eq!(response.status(), status, "{path} {kind} {body:.40}");
        let page = response.text().await.unwrap();
        assert!(page.contains("<main"), "{path} {kind} {body:.40}");
    }
}

#[tokio::test]
async fn an_edit_form_shows_the_current_value_of_every_field() {
    let app = spawn_app().await;
    let about = "Line one.\n\n<b>\"Line\" two & 'three'</b>";
    let fields = [
        ("name", "Otto \"the\" <dog>"),
        ("species", "Dog"),
        ("breed", "Greyhound"),
        ("sex", "female"),
        ("age", "7 years"),
        ("about", about),
    ];
    app.post_form("/pets", &fields).await;
    let page = app.text("/pets/1/edit").await;
    let (_, rest) = page.split_once("<textarea").unwrap();
    let (_, text) = rest.split_once(">\n").unwrap();
    let (text, _) = text.split_once("</textarea>").unwrap();
    assert_eq!(unescape(text), about);
    let values = super::attributes(&page, "value");
    for expected in ["Otto \"the\" <dog>", "Dog", "Greyhound", "7 years"] {
        assert!(values.iter().any(|value| value == expected), "{expected}");
    }
}

/// The same pet was added by two volunteers, and each of the two set the status of another card.
#[tokio::test]
async fn a_second_pet_of_the_same_name_and_species_is_added_after_a_warning() {
    let app = spawn_app().await;
    let pet = |name, species| [("name", name), ("species", species)];
    let add = async |fields: &[(&str, &str)]| {
        let answer = app.post_form("/pets", fields).await;
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    assert_eq!(add(&pet("Zo\u{eb}", "Cat")).await.0, 303);
    assert_eq!(add(&pet("Zo\u{eb}", "Dog")).await.0, 303);
    let (status, page) = add(&[("name", "ZOE"), ("species", "cat"), ("age", "3 years")]).await;
    assert_eq!(status, 409);
    for shown in [
        "There is already a pet with this name",
        "Zo\u{eb} (Cat) is already on the board.",
        "href=\"/pets/1\"",
        "value=\"3 years\"",
        "<input type=\"hidden\" name=\"another-animal\" value=\"yes\">",
        "Add anyway",
    ] {
        assert!(page.contains(shown), "{shown} in {page}");
    }
    let anyway = [
        ("name", "ZOE"),
        ("species", "cat"),
        ("another-animal", "yes"),
    ];
    assert_eq!(add(&anyway).await.0, 303);
    let edit = async |path, fields: &[(&str, &str)]| {
        let answer = app.post_form(path, fields).await;
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    let (status, page) = edit("/pets/2", &[("species", "CAT")]).await;
    assert_eq!(status, 409);
    assert!(
        page.contains("Save anyway") && page.contains("value=\"CAT\""),
        "{page}"
    );
    let anyway = [("species", "CAT"), ("another-animal", "yes")];
    assert_eq!(edit("/pets/2", &anyway).await.0, 303);
    let other_field = edit("/pets/2", &[("age", "2"), ("name", "Zoe")]).await;
    assert_eq!(other_field.0, 303, "warned once, when it became one of two");
}
