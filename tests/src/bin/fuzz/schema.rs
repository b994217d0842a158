//! The schema as the server tells it: what can be asked, with what arguments. How a document is made of it is not said here.

use std::collections::HashMap;

use serde_json::Value;

/// Asks for everything that a document can be made of.
pub(crate) const INTROSPECTION: &str = "{ __schema { types { name kind \
    fields { name args { name type { ...T } } type { ...T } } inputFields { name type { ...T } } \
    enumValues { name } possibleTypes { name } } } } \
    fragment T on __Type { kind name ofType { kind name ofType { kind name ofType { kind name } } } }";

/// Every type by its name.
#[derive(Debug)]
pub(crate) struct Schema(HashMap<String, Type>);

/// One type. What its kind does not have is empty.
#[derive(Debug, Default)]
pub(crate) struct Type {
    pub(crate) fields: Vec<Field>,
    pub(crate) inputs: Vec<Input>,
    pub(crate) words: Vec<String>,
    pub(crate) possible: Vec<String>,
}

/// A field that can be selected.
#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) arguments: Vec<Input>,
    pub(crate) result: Shape,
}

/// An argument, or a field of an input object.
#[derive(Debug)]
pub(crate) struct Input {
    pub(crate) name: String,
    pub(crate) shape: Shape,
}

/// A reference to a type.
#[derive(Debug)]
pub(crate) enum Shape {
    Named(String),
    List(Box<Shape>),
    Required(Box<Shape>),
}

impl Schema {
    /// Reads an answer to [`INTROSPECTION`].
    pub(crate) fn read(data: &Value) -> Self {
        let types = list(&data["__schema"]["types"]).iter().map(|it| (text(&it["name"]), Type::read(it)));
        Self(types.collect())
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Type> {
        self.0.get(name)
    }
}

impl Type {
    fn read(of: &Value) -> Self {
        let names = |list_of: &Value| list(list_of).iter().map(|it| text(&it["name"])).collect();
        let field = |it: &Value| Field {
            name: text(&it["name"]),
            arguments: inputs(&it["args"]),
            result: Shape::read(&it["type"]),
        };
        Self {
            fields: list(&of["fields"]).iter().map(field).collect(),
            inputs: inputs(&of["inputFields"]),
            words: names(&of["enumValues"]),
            possible: names(&of["possibleTypes"]),
        }
    }
}

impl Shape {
    fn read(of: &Value) -> Self {
        match of["kind"].as_str() {
            Some("NON_NULL") => Self::Required(Box::new(Self::read(&of["ofType"]))),
            Some("LIST") => Self::List(Box::new(Self::read(&of["ofType"]))),
            _ => Self::Named(text(&of["name"])),
        }
    }

    /// The type within lists and the like.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Named(name) => name,
            Self::List(of) | Self::Required(of) => of.name(),
        }
    }

    pub(crate) const fn is_required(&self) -> bool {
        matches!(self, Self::Required(_))
    }

    /// As it stands in the declaration of a variable.
    pub(crate) fn written(&self) -> String {
        match self {
            Self::Named(name) => name.clone(),
            Self::List(of) => format!("[{}]", of.written()),
            Self::Required(of) => format!("{}!", of.written()),
        }
    }
}

fn inputs(of: &Value) -> Vec<Input> {
    list(of).iter().map(|it| Input { name: text(&it["name"]), shape: Shape::read(&it["type"]) }).collect()
}

fn list(of: &Value) -> &[Value] {
    of.as_array().map_or(&[], Vec::as_slice)
}

fn text(of: &Value) -> String {
    of.as_str().unwrap_or_default().to_owned()
}
