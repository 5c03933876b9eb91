//! The API's OpenAPI document: as JSON for programs, as a page for people, and as what says which
//! methods an address allows.

use std::sync::Arc;

use poem::http::header;
use poem::web::Data;
use poem::{Endpoint, Response, handler};
use poem_openapi::OpenApiService;
use serde_json::Value;

use super::{Api, failures};
use crate::auth::Principal;
use crate::views::ApiDocsPage;
use crate::web::Site;

/// The document, made once at the start.
#[derive(Clone)]
pub struct OpenApiDocument(Arc<Document>);

struct Document {
    json: String,
    spec: Value,
}

impl OpenApiDocument {
    pub fn of(service: &OpenApiService<Api, ()>) -> Self {
        let spec = service.spec();
        let mut spec = serde_json::from_str(&spec).expect("poem-openapi writes JSON");
        failures::describe(&mut spec);
        let json = spec.to_string();
        OpenApiDocument(Arc::new(Document { json, spec }))
    }

    /// The methods of the operation at `path` (below the API's address), as `Allow` lists them.
    pub fn allowed(&self, path: &str) -> String {
        let paths = self.0.spec["paths"].as_object();
        let mut described = paths.into_iter().flatten();
        let methods = described.find(|(template, _)| is_at(template, path));
        let methods = methods.and_then(|(_, methods)| methods.as_object());
        let names = methods.into_iter().flat_map(|methods| methods.keys());
        let mut names: Vec<String> = names.map(|name| name.to_uppercase()).collect();
        if names.iter().any(|name| name == "GET") {
            names.push("HEAD".to_owned());
        }
        if !names.is_empty() {
            names.push("OPTIONS".to_owned());
        }
        names.join(", ")
    }

    pub fn into_json(self) -> impl Endpoint {
        poem::endpoint::make_sync(move |_| {
            Response::builder()
                .content_type("application/json")
                .header(header::CACHE_CONTROL, "no-cache")
                .body(self.0.json.clone())
        })
    }

    pub fn into_page(self) -> impl Endpoint {
        poem::EndpointExt::data(docs_page, self)
    }
}

#[handler]
fn docs_page(
    Data(site): Data<&Arc<Site>>,
    Data(document): Data<&OpenApiDocument>,
    caller: Principal,
) -> poem::Result<Response> {
    let spec = document.0.spec.clone();
    site.show(&caller, &ApiDocsPage { spec })
}

/// Whether `path` is an address of `template`, in which `{name}` stands for one segment.
fn is_at(template: &str, path: &str) -> bool {
    let (mut template, mut path) = (template.split('/'), path.split('/'));
    loop {
        match (template.next(), path.next()) {
            (None, None) => return true,
            (Some(pattern), Some(segment)) if pattern == segment || pattern.starts_with('{') => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::is_at;

    #[test]
    fn a_parameter_stands_for_one_segment() {
        assert!(is_at("/pets/{id}/status", "/pets/7/status"));
        assert!(!is_at("/pets/{id}", "/pets/7/status"));
        assert!(!is_at("/pets/{id}/status", "/pets/7"));
    }
}
