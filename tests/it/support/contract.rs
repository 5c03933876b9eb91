//! The JSON Schema of the live routes, against which each message is checked that a test receives.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use boon::{Compiler, SchemaIndex, Schemas};
use pet_store::web::live_schema;
use serde_json::{Map, Value};

/// Address at which the schema is compiled. Nothing is fetched from there.
const ADDRESS: &str = "http://pets.example/api/live.schema.json";

/// The contract, compiled once.
pub static CONTRACT: LazyLock<Contract> = LazyLock::new(|| Contract::new(&live_schema()));

/// A schema and the parts of it that have a name.
pub struct Contract {
    schemas: Schemas,
    root: SchemaIndex,
    by_anchor: BTreeMap<String, Part>,
}

struct Part {
    schema: SchemaIndex,
    required: BTreeSet<String>,
    allowed: BTreeSet<String>,
}

impl Contract {
    /// Compiles a schema, which must be valid itself.
    pub fn new(document: &Value) -> Self {
        let mut schemas = Schemas::new();
        let mut compiler = Compiler::new();
        compiler.enable_format_assertions();
        compiler.add_resource(ADDRESS, document.clone()).unwrap();
        let mut compile = |place: &str| {
            let compiled = compiler.compile(&format!("{ADDRESS}{place}"), &mut schemas);
            compiled.unwrap_or_else(|error| panic!("{place}: {error:#}"))
        };
        let root = compile("");
        let definitions = document["$defs"].as_object().unwrap();
        let parts = definitions.values().map(|definition| {
            let anchor = definition["$anchor"].as_str().unwrap();
            let required = definition["required"].as_array().into_iter().flatten();
            let properties = definition["properties"].as_object();
            let part = Part {
                schema: compile(&format!("#{anchor}")),
                required: required
                    .map(|name| name.as_str().unwrap().to_owned())
                    .collect(),
                allowed: properties.map(names).unwrap_or_default(),
            };
            (anchor.to_owned(), part)
        });
        Contract {
            by_anchor: parts.collect(),
            root,
            schemas,
        }
    }

    /// Returns the fields that the part has at least, and at most.
    pub fn fields(&self, anchor: &str) -> (&BTreeSet<String>, &BTreeSet<String>) {
        let part = &self.by_anchor[anchor];
        (&part.required, &part.allowed)
    }

    /// Returns true if `value` is as the part with this anchor says.
    pub fn is_valid(&self, anchor: &str, value: &Value) -> bool {
        let schema = self.by_anchor[anchor].schema;
        self.schemas.validate(value, schema).is_ok()
    }

    /// Returns true if a reader of messages may receive `value`.
    pub fn is_valid_message(&self, value: &Value) -> bool {
        self.schemas.validate(value, self.root).is_ok()
    }

    /// Asserts that the server may send `message`: it has a known type, and only fields that are described.
    #[track_caller]
    pub fn assert_message(&self, message: &Value) {
        self.assert_valid(message["type"].as_str().unwrap(), message);
        assert!(self.is_valid_message(message));
    }

    /// Asserts that a live route at `path` may answer so. Other answers are not checked.
    #[track_caller]
    pub fn assert_answer(&self, path: &str, answer: &Value) {
        let path = path.split('?').next().unwrap();
        match path.strip_prefix("/live/") {
            Some("state") => self.assert_message(answer),
            Some(poll) if poll.starts_with("poll") => self.assert_valid("poll-answer", answer),
            Some(log) if log.starts_with("log") || log.starts_with("state/") => {
                self.assert_valid("log-answer", answer);
            }
            _ => return,
        }
        for message in answer["messages"].as_array().into_iter().flatten() {
            self.assert_message(message);
        }
    }

    #[track_caller]
    fn assert_valid(&self, anchor: &str, value: &Value) {
        let part = self.by_anchor.get(anchor);
        let part = part.unwrap_or_else(|| panic!("no schema describes {value}"));
        let valid = self.schemas.validate(value, part.schema);
        valid.unwrap_or_else(|error| panic!("{error:#}\n{value}"));
        let fields = names(value.as_object().unwrap());
        let unknown: Vec<_> = fields.difference(&part.allowed).collect();
        assert!(
            unknown.is_empty(),
            "no schema describes {unknown:?} of {value}"
        );
    }
}

fn names(object: &Map<String, Value>) -> BTreeSet<String> {
    object.keys().cloned().collect()
}
