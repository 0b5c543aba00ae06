//! Holds the tree against the JSON schema and reports everything that does not fit, in words for people.
//!
//! It knows as much of JSON Schema as `schemars` makes of our types, and no more.

use serde_json::Value;

use super::{
    near::near,
    problem::Problem,
    units,
    yaml::{self, Entry, Kind, Node},
};

/// Everything in which the tree does not fit the schema. Replaced variables become numbers where numbers belong.
pub(super) fn check(root: &mut Node, schema: &Value) -> Vec<Problem> {
    let mut checker = Checker { definitions: &schema["definitions"], problems: Vec::new() };
    if !matches!(root.kind, Kind::Map(_)) {
        let found = name_of(&root.kind);
        return vec![
            Problem::at(root.span, format!("a spec is a mapping of keys and values, this is {found}"))
                .hint("`dtsctl init` writes a spec to begin with")
                .hide_place(),
        ];
    }
    checker.node(root, schema, &Path { parts: Vec::new() });
    checker.problems
}

struct Checker<'a> {
    definitions: &'a Value,
    problems: Vec<Problem>,
}

/// Where we are, in the words of the spec.
#[derive(Clone)]
struct Path {
    parts: Vec<String>,
}

impl Path {
    fn with(&self, part: impl Into<String>) -> Self {
        let mut parts = self.parts.clone();
        parts.push(part.into());
        Self { parts }
    }

    fn text(&self) -> String {
        let mut text = String::new();
        for part in &self.parts {
            if !text.is_empty() && !part.starts_with('[') {
                text.push('.');
            }
            text.push_str(part);
        }
        text
    }

    /// Whether a value here may hold something that came from the environment, or a password under a wrong key.
    fn is_endpoint(&self) -> bool {
        self.parts.first().is_some_and(|part| part == "source" || part == "destination")
    }
}

fn name_of(kind: &Kind) -> &'static str {
    match kind {
        Kind::Null | Kind::Broken => "nothing",
        Kind::Bool(_) => "true or false",
        Kind::Int(_) => "a whole number",
        Kind::Float(_) => "a number",
        Kind::Text { .. } => "text",
        Kind::List(_) => "a list",
        Kind::Map(_) => "a mapping",
    }
}

impl Checker<'_> {
    fn node(&mut self, node: &mut Node, schema: &Value, path: &Path) {
        if let Some(reference) = reference(schema) {
            let definition = self.definitions[reference].clone();
            return match reference {
                "Password" => self.password(node, path),
                "Time" => self.time(node, path),
                "Rename" => self.rename(node, path),
                _ => self.node(node, &definition, path),
            };
        }
        match &node.kind {
            Kind::Broken => return,
            Kind::Null => return self.problem(node, format!("`{}` has no value", path.text()), "give it one, or leave the key out"),
            _ => {}
        }
        if let Some(choices) = choices(schema) {
            return self.choice(node, &choices, path);
        }
        match schema["type"].as_str() {
            Some("object") => self.object(node, schema, path),
            Some("array") => self.array(node, schema, path),
            Some("string") => self.text(node, path),
            Some("integer") => self.integer(node, schema, path),
            Some("number") => self.number(node, schema, path),
            Some("boolean") => self.boolean(node, path),
            _ => {}
        }
    }

    fn problem(&mut self, node: &Node, message: String, hint: &str) {
        let mut problem = Problem::at(node.span, message);
        if !hint.is_empty() {
            problem = problem.hint(hint);
        }
        self.problems.push(problem);
    }

    fn mismatch(&mut self, node: &Node, expected: &str, path: &Path, hint: &str) {
        self.problem(node, format!("`{}` must be {expected}, this is {}", path.text(), name_of(&node.kind)), hint);
    }

    fn object(&mut self, node: &mut Node, schema: &Value, path: &Path) {
        if !matches!(node.kind, Kind::Map(_)) {
            let keys = schema["properties"].as_object().map(|keys| keys.keys().take(4).cloned().collect::<Vec<_>>().join(", "));
            let hint = keys.map(|keys| format!("its keys begin with: {keys}")).unwrap_or_default();
            return self.mismatch(node, "a mapping", path, &hint);
        }
        let span = node.span;
        let Kind::Map(entries) = &mut node.kind else { return };
        for entry in entries.iter_mut() {
            let below = path.with(&entry.key);
            match (&schema["properties"][&entry.key], &schema["additionalProperties"]) {
                (property @ Value::Object(_), _) => {
                    if matches!(entry.value.kind, Kind::Null) {
                        // An absent value has no place of its own.
                        entry.value.span = entry.key_span;
                    }
                    self.node(&mut entry.value, property, &below);
                }
                (_, free @ Value::Object(_)) => {
                    if matches!(entry.value.kind, Kind::Null) {
                        entry.value.span = entry.key_span;
                    }
                    self.node(&mut entry.value, free, &below);
                }
                _ => self.unknown(entry, schema, path),
            }
        }
        for key in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            if entries.iter().all(|entry| entry.key != key) {
                let (whose, hint) = match (path.parts.is_empty(), key) {
                    (true, "version") => (String::new(), "begin the spec with `version: 1`".to_owned()),
                    (true, _) => (String::new(), String::new()),
                    (_, "password") => (
                        format!(" in `{}`", path.text()),
                        "`password: {env: NAME}`, `password: {file: PATH}`, or `password: \"\"` for an account without one".to_owned(),
                    ),
                    _ => (format!(" in `{}`", path.text()), String::new()),
                };
                let mut problem = Problem::at(first_place(entries, span), format!("key `{key}` is missing{whose}"));
                if !hint.is_empty() {
                    problem = problem.hint(hint);
                }
                self.problems.push(problem);
            }
        }
    }

    fn unknown(&mut self, entry: &Entry, schema: &Value, path: &Path) {
        let keys: Vec<&str> = schema["properties"].as_object().into_iter().flatten().map(|(key, _)| key.as_str()).collect();
        let whose = if path.parts.is_empty() { String::new() } else { format!(" in `{}`", path.text()) };
        let mut problem = Problem::at(entry.key_span, format!("unknown key `{}`{whose}", entry.key));
        problem = match near(&entry.key, keys.iter().copied()) {
            Some(meant) => problem.hint(format!("did you mean `{meant}`?")),
            None => problem.hint(format!("the keys here are: {}", keys.join(", "))),
        };
        if path.is_endpoint() {
            problem = problem.hide_behind();
        }
        self.problems.push(problem);
    }

    fn array(&mut self, node: &mut Node, schema: &Value, path: &Path) {
        if !matches!(node.kind, Kind::List(_)) {
            return self.mismatch(node, "a list", path, "begin each entry with `- `, or write `[a, b]`");
        }
        let Kind::List(items) = &mut node.kind else { return };
        if items.is_empty() && schema["minItems"].as_u64().is_some_and(|least| least > 0) {
            let message = format!("`{}` is empty; it needs at least one entry", path.text());
            self.problems.push(Problem::at(node.span, message));
            return;
        }
        for (index, item) in items.iter_mut().enumerate() {
            let mut below = path.clone();
            below.parts.push(format!("[{index}]"));
            self.node(item, &schema["items"], &below);
        }
    }

    fn text(&mut self, node: &Node, path: &Path) {
        if !matches!(node.kind, Kind::Text { .. }) {
            let hint = if matches!(node.kind, Kind::List(_) | Kind::Map(_)) { "" } else { "put it in quotes to make it text" };
            self.mismatch(node, "text", path, hint);
        }
    }

    /// A variable's value is text; where a number belongs it is read as one.
    fn from_variable(node: &mut Node) {
        if let Kind::Text { text, replaced: true, .. } = &node.kind
            && let Some(kind) = yaml::number(text)
        {
            node.kind = kind;
        }
    }

    fn integer(&mut self, node: &mut Node, schema: &Value, path: &Path) {
        Self::from_variable(node);
        let Kind::Int(value) = node.kind else {
            let quoted = matches!(&node.kind, Kind::Text { text, plain: false, replaced: false } if yaml::number(text).is_some());
            let hint = if quoted { "write it without quotes" } else { "" };
            return self.mismatch(node, "a whole number", path, hint);
        };
        let least = schema["minimum"].as_i64().map_or(i128::MIN, i128::from);
        let most = schema["maximum"].as_i64().map_or(i128::from(u64::MAX), i128::from);
        if value < least || value > most {
            let message = match path.text().as_str() {
                "version" => format!("version {value} of the spec is unknown; this dtsctl reads version {most}"),
                text if schema["maximum"].is_i64() => format!("`{text}` must be from {least} to {most}"),
                text => format!("`{text}` must be at least {least}"),
            };
            let hint = if path.parts.first().is_some_and(|part| part == "throttle") { "leave the key out for no limit" } else { "" };
            self.problem(node, message, hint);
        }
    }

    fn number(&mut self, node: &mut Node, schema: &Value, path: &Path) {
        Self::from_variable(node);
        #[expect(clippy::cast_precision_loss, reason = "only compared with a small bound")]
        let value = match node.kind {
            Kind::Int(value) => value as f64,
            Kind::Float(value) => value,
            _ => return self.mismatch(node, "a number", path, ""),
        };
        if !value.is_finite() || schema["exclusiveMinimum"].as_f64().is_some_and(|bound| value <= bound) {
            self.problem(node, format!("`{}` must be above 0", path.text()), "leave the key out for no limit");
        }
    }

    fn boolean(&mut self, node: &Node, path: &Path) {
        if matches!(node.kind, Kind::Bool(_)) {
            return;
        }
        let hint = match &node.kind {
            Kind::Text { text, .. } => match text.to_ascii_lowercase().as_str() {
                "yes" | "on" | "y" | "true" => "write `true`",
                "no" | "off" | "n" | "false" => "write `false`",
                _ => "",
            },
            _ => "",
        };
        self.mismatch(node, "`true` or `false`", path, hint);
    }

    fn choice(&mut self, node: &Node, choices: &[String], path: &Path) {
        let list = || choices.iter().map(|choice| format!("`{choice}`")).collect::<Vec<_>>().join(", ");
        let Kind::Text { text, replaced, .. } = &node.kind else {
            return self.mismatch(node, &format!("one of {}", list()), path, "");
        };
        if choices.contains(text) {
            return;
        }
        // What a variable held is not repeated.
        let shown = if *replaced || path.is_endpoint() { String::new() } else { format!(", not `{text}`") };
        let mut problem = Problem::at(node.span, format!("`{}` must be one of {}{shown}", path.text(), list()));
        if let Some(meant) = near(text, choices.iter().map(String::as_str)) {
            problem = problem.hint(format!("did you mean `{meant}`?"));
        }
        self.problems.push(problem);
    }

    fn time(&mut self, node: &Node, path: &Path) {
        let problem = match &node.kind {
            Kind::Broken => return,
            Kind::Null => return self.problem(node, format!("`{}` has no value", path.text()), "give it one, or leave the key out"),
            Kind::Int(value) if *value >= 0 => format!("write its unit: `{value}ms`, `{value}s`, `{value}m` or `{value}h`"),
            Kind::Text { text, .. } => match units::parse_duration(text) {
                Ok(_) => return,
                Err(units::UnitError::BareNumber) => {
                    let value = text.trim();
                    format!("write its unit: `{value}ms`, `{value}s`, `{value}m` or `{value}h`")
                }
                Err(_) => "write a whole number and a unit: `1500ms`, `30s`, `10m`, `2h`, `1d`".to_owned(),
            },
            _ => "write a whole number and a unit: `1500ms`, `30s`, `10m`, `2h`, `1d`".to_owned(),
        };
        self.problem(node, format!("`{}` must be a time with its unit", path.text()), &problem);
    }

    fn rename(&mut self, node: &mut Node, path: &Path) {
        match &node.kind {
            Kind::Map(_) => {
                let by = self.definitions["RenameBy"].clone();
                self.object(node, &by, path);
            }
            Kind::Broken => {}
            Kind::Null => self.problem(node, format!("`{}` has no value", path.text()), "give it one, or leave the key out"),
            Kind::Text { .. } => {}
            _ => self.mismatch(node, "a name, or `{match: PATTERN, to: NAME}`", path, "put a name in quotes to make it text"),
        }
    }

    fn password(&mut self, node: &mut Node, path: &Path) {
        const FORMS: &str = "`{env: NAME}`, `{file: PATH}`, or `\"\"` for an account without one";
        match &mut node.kind {
            Kind::Broken => {}
            Kind::Text { text, .. } if text.is_empty() => {}
            Kind::Null => self.problem(node, format!("`{}` has no value", path.text()), FORMS),
            Kind::Map(entries) => {
                let known = entries.iter().filter(|entry| entry.key == "env" || entry.key == "file").count();
                if known != 1 || entries.len() != 1 {
                    let problem = Problem::at(node.span, format!("`{}` needs exactly one of the keys `env` and `file`", path.text()));
                    return self.problems.push(problem.hint(FORMS).hide_place());
                }
                let entry = &entries[0];
                match &entry.value.kind {
                    Kind::Text { text, .. } if !text.is_empty() => {}
                    Kind::Broken => {}
                    _ => {
                        let what = if entry.key == "env" { "the name of an environment variable" } else { "a path" };
                        let message = format!("`{}.{}` must be {what}", path.text(), entry.key);
                        self.problems.push(Problem::at(entry.key_span, message).hide_place());
                    }
                }
            }
            _ => {
                let problem = Problem::at(node.span, format!("a literal password is refused in `{}`", path.text()));
                self.problems.push(problem.hint(format!("write {FORMS}")).hide_place());
            }
        }
    }
}

/// Where a mapping begins: at its first key, which is also right for block mappings whose own start is not.
fn first_place(entries: &[Entry], span: super::problem::Span) -> super::problem::Span {
    entries.first().map_or(span, |entry| entry.key_span)
}

fn reference(schema: &Value) -> Option<&str> {
    let target = match &schema["allOf"] {
        Value::Array(parts) if parts.len() == 1 => &parts[0]["$ref"],
        _ => &schema["$ref"],
    };
    target.as_str()?.strip_prefix("#/definitions/")
}

fn choices(schema: &Value) -> Option<Vec<String>> {
    let mut found = Vec::new();
    let plain = |value: &Value, found: &mut Vec<String>| {
        for item in value["enum"].as_array().into_iter().flatten().chain(value.get("const")) {
            found.extend(item.as_str().map(str::to_owned));
        }
    };
    plain(schema, &mut found);
    for item in schema["oneOf"].as_array().into_iter().flatten() {
        plain(item, &mut found);
    }
    (!found.is_empty()).then_some(found)
}
