//! GraphQL documents: well-formed ones of the schema with values of every kind, and those that are made to cost much.

use gatehouse_tests::crowd::Dice;
use serde_json::{Map, Value, json};

use crate::{
    noise,
    schema::{Field, Input, Schema, Shape},
};

/// What would take the fuzzer's own accounts away from it; sent with ids of nothing only.
const OWN_GROUND: [&str; 3] = ["unlinkVendorAccount", "rotateWebhookAddress", "reauthorizeVendorAccount"];
const DEEPEST: usize = 7;

/// What documents are made of.
#[derive(Debug)]
pub(crate) struct Words {
    pub(crate) schema: Schema,
    /// Ids of things that exist.
    pub(crate) ids: Vec<String>,
}

/// A document, and variables for it.
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) text: String,
    pub(crate) variables: Value,
}

impl Words {
    /// A document that fits the schema, with its values in it.
    pub(crate) fn well_formed(&self, dice: &mut Dice) -> Document {
        let (keyword, root) = self.operation(dice);
        let mut text = format!("{keyword} {{");
        for number in 0..=dice.roll(3) {
            if let Some(field) = self.schema.get(root).and_then(|of| dice.one(&of.fields)) {
                text.push_str(&format!(" f{number}: "));
                self.select(dice, field, &mut text, DEEPEST);
            }
        }
        text.push_str(" }");
        Document { text, variables: json!({}) }
    }

    /// One root field whose arguments are all variables, with values that may be of any kind.
    pub(crate) fn with_variables(&self, dice: &mut Dice) -> Document {
        let (keyword, root) = self.operation(dice);
        let Some(field) = self.schema.get(root).and_then(|of| dice.one(&of.fields)) else {
            return Document { text: "{ __typename }".to_owned(), variables: Value::Null };
        };
        let declared: Vec<_> =
            field.arguments.iter().map(|it| format!("${}: {}", it.name, it.shape.written())).collect();
        let passed: Vec<_> = field.arguments.iter().map(|it| format!("{0}: ${0}", it.name)).collect();
        let brackets = |of: &[String]| if of.is_empty() { String::new() } else { format!("({})", of.join(", ")) };
        let mut text = format!("{keyword}{} {{ {}{}", brackets(&declared), field.name, brackets(&passed));
        self.selection(dice, &field.result, &mut text, 3);
        text.push_str(" }");
        let ids_exist = !OWN_GROUND.contains(&field.name.as_str());
        let mut variables = Map::new();
        for argument in &field.arguments {
            let value = self.value(dice, &argument.shape, 4, ids_exist);
            variables.insert(argument.name.clone(), if dice.comes(60) { noise::dented(dice, value) } else { value });
        }
        Document { text, variables: Value::Object(variables) }
    }

    /// A document that is small to send and made to cost much.
    pub(crate) fn bomb(&self, dice: &mut Dice) -> Document {
        let many = 1 + dice.roll(3_000);
        let text = match dice.roll(9) {
            0 => {
                let levels = 2 + dice.roll(60);
                let link = |level: usize| format!("fragment F{level} on Query {{ ...F{0} ...F{0} }} ", level + 1);
                let chain: String = (0..levels).map(link).collect();
                format!("{{ ...F0 }} {chain} fragment F{levels} on Query {{ __typename }}")
            }
            1 => "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }".to_owned(),
            2 => format!("{{ {} }}", (0..many).map(|number| format!("a{number}: __typename ")).collect::<String>()),
            3 => format!("{}__typename{}", "{ doors { nodes ".repeat(many), " } }".repeat(many)),
            4 => format!("{{ __typename {} }}", "@include(if: true) ".repeat(many)),
            5 => format!(
                "query({}) {{ __typename }}",
                (0..many).map(|number| format!("$v{number}: Int ")).collect::<String>()
            ),
            6 => format!("{{ door(id: {}1{}) {{ id }} }}", "[".repeat(many), "]".repeat(many)),
            7 => format!("{{ door(id: \"{}\") {{ id }} }}", "\\u0041".repeat(many)),
            _ => (0..many).map(|number| format!("query Q{number} {{ __typename }} ")).collect(),
        };
        Document { text, variables: json!({}) }
    }

    /// Representations of entities, some of them of nothing.
    pub(crate) fn entities(&self, dice: &mut Dice) -> Document {
        let text = "query($of: [_Any!]!) { _entities(representations: $of) { __typename ... on Door { id name } } }";
        let types =
            ["Organization", "Site", "Device", "Door", "Command", "VendorAccount", "User", "Reservation", "Nobody"];
        let one = |dice: &mut Dice| {
            let whole = json!({ "__typename": dice.one(&types), "id": self.id(dice, true) });
            if dice.comes(20) { noise::dented(dice, whole) } else { whole }
        };
        let representations: Vec<_> = (0..dice.roll(30)).map(|_| one(dice)).collect();
        Document { text: text.to_owned(), variables: json!({ "of": representations }) }
    }

    fn operation(&self, dice: &mut Dice) -> (&'static str, &'static str) {
        match dice.roll(10) {
            0..6 => ("query", "Query"),
            6..9 => ("mutation", "Mutation"),
            _ => ("subscription", "Subscription"),
        }
    }

    fn select(&self, dice: &mut Dice, field: &Field, text: &mut String, depth: usize) {
        text.push_str(&field.name);
        let ids_exist = !OWN_GROUND.contains(&field.name.as_str());
        // A cursor that was made up is refused before anything else is looked at, so there are few.
        let chance = |name: &str| if matches!(name, "after" | "before" | "last") { 8 } else { 60 };
        let chosen: Vec<&Input> = field
            .arguments
            .iter()
            .filter(|argument| argument.shape.is_required() || dice.comes(chance(&argument.name)))
            .collect();
        let written: Vec<String> = chosen
            .into_iter()
            .map(|argument| {
                let value = self.value(dice, &argument.shape, 4, ids_exist);
                format!("{}: {}", argument.name, self.literal(&argument.shape, &value))
            })
            .collect();
        if !written.is_empty() {
            text.push_str(&format!("({})", written.join(", ")));
        }
        self.selection(dice, &field.result, text, depth);
    }

    fn selection(&self, dice: &mut Dice, result: &Shape, text: &mut String, depth: usize) {
        let Some(of) = self.schema.get(result.name()).filter(|of| !of.fields.is_empty() || !of.possible.is_empty())
        else {
            return;
        };
        text.push_str(" { __typename");
        let leaf = |field: &&Field| self.schema.get(field.result.name()).is_none_or(|of| of.fields.is_empty());
        for _ in 0..=dice.roll(4) {
            let leaves: Vec<&Field> = of.fields.iter().filter(leaf).collect();
            let field = if depth == 0 { dice.one(&leaves).copied() } else { dice.one(&of.fields) };
            if let Some(field) = field {
                text.push_str(&format!(" x{}: ", dice.roll(1_000_000)));
                self.select(dice, field, text, depth.saturating_sub(1));
            }
        }
        if let Some(name) = dice.one(&of.possible).filter(|_| depth > 0)
            && let Some(field) = self.schema.get(name).and_then(|of| dice.one(&of.fields))
        {
            text.push_str(&format!(" ... on {name} {{ y{}: ", dice.roll(1_000_000)));
            self.select(dice, field, text, depth - 1);
            text.push_str(" }");
        }
        text.push_str(" }");
    }

    fn value(&self, dice: &mut Dice, shape: &Shape, depth: usize, ids_exist: bool) -> Value {
        match shape {
            Shape::Required(of) => self.value(dice, of, depth, ids_exist),
            Shape::List(of) => (0..dice.roll(4)).map(|_| self.value(dice, of, depth, ids_exist)).collect(),
            Shape::Named(name) => self.scalar(dice, name, depth, ids_exist),
        }
    }

    fn scalar(&self, dice: &mut Dice, name: &str, depth: usize, ids_exist: bool) -> Value {
        match name {
            "ID" => json!(self.id(dice, ids_exist)),
            "Int" if dice.comes(80) => json!(1 + dice.roll(100)),
            "Int" => json!(i64::try_from(dice.roll(400)).unwrap_or(0) - 20),
            "Float" => json!(0.5),
            "Boolean" => json!(dice.comes(50)),
            "DateTime" if dice.comes(70) => {
                json!(format!(
                    "20{:02}-{:02}-{:02}T{:02}:30:00Z",
                    20 + dice.roll(12),
                    dice.roll(14),
                    dice.roll(33),
                    dice.roll(26)
                ))
            }
            "String" | "DateTime" => json!(noise::string(dice)),
            _ => match self.schema.get(name) {
                Some(of) if !of.words.is_empty() => json!(dice.one(&of.words)),
                Some(of) if !of.inputs.is_empty() => {
                    let mut members = Map::new();
                    for input in &of.inputs {
                        if input.shape.is_required() || (depth > 0 && dice.comes(50)) {
                            let value = self.value(dice, &input.shape, depth.saturating_sub(1), ids_exist);
                            members.insert(input.name.clone(), value);
                        }
                    }
                    Value::Object(members)
                }
                _ => noise::value(dice, 2),
            },
        }
    }

    fn id(&self, dice: &mut Dice, may_exist: bool) -> String {
        let existing = self.ids.get(dice.roll(self.ids.len())).filter(|_| may_exist && dice.comes(75));
        existing.cloned().unwrap_or_else(|| noise::string(dice))
    }

    /// A value as it is written in a document: only enums look different from JSON, and the names of members.
    fn literal(&self, shape: &Shape, value: &Value) -> String {
        match (shape, value) {
            (Shape::Required(of), _) => self.literal(of, value),
            (Shape::List(of), Value::Array(items)) => {
                let items: Vec<_> = items.iter().map(|item| self.literal(of, item)).collect();
                format!("[{}]", items.join(", "))
            }
            (Shape::Named(name), Value::Object(members)) => {
                let shape_of = |member: &str| {
                    let inputs = self.schema.get(name).map_or(&[][..], |of| of.inputs.as_slice());
                    inputs.iter().find(|input| input.name == member).map(|input| &input.shape)
                };
                let members: Vec<_> = members
                    .iter()
                    .filter_map(|(member, value)| Some(format!("{member}: {}", self.literal(shape_of(member)?, value))))
                    .collect();
                format!("{{{}}}", members.join(", "))
            }
            (Shape::Named(name), Value::String(word))
                if self.schema.get(name).is_some_and(|of| !of.words.is_empty()) =>
            {
                word.clone()
            }
            _ => value.to_string(),
        }
    }
}
