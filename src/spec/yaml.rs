//! YAML text to a tree in which every node knows its place.
//!
//! Plain scalars are read by the YAML 1.2 core schema (`yes` and `on` are text). Refused, each with its place: a second document,
//! a key that stands twice, merge keys (`<<`), tags, keys that are not scalars. Anchors and aliases work, within a bound on the nodes.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle, Span as RawSpan};

use super::problem::{Mark, Problem, Span};

/// More nodes than any spec has, aliases expanded.
const MAX_NODES: usize = 500_000;
/// Deeper than any spec goes.
const MAX_DEPTH: usize = 32;

/// A node and its place.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) span: Span,
    pub(super) kind: Kind,
}

/// What a node is.
#[derive(Clone, Debug)]
pub(super) enum Kind {
    Null,
    Bool(bool),
    Int(i128),
    Float(f64),
    Text {
        text: String,
        /// Whether it stands without quotes, and so was meant to be anything.
        plain: bool,
        /// Whether a variable was replaced in it.
        replaced: bool,
    },
    List(Vec<Node>),
    Map(Vec<Entry>),
    /// Something about which a problem has been reported already.
    Broken,
}

/// A key with its value.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) key_span: Span,
    pub(super) value: Node,
}

impl Node {
    /// The entry of a mapping.
    pub(super) fn entry(&self, key: &str) -> Option<&Entry> {
        match &self.kind {
            Kind::Map(entries) => entries.iter().find(|entry| entry.key == key),
            _ => None,
        }
    }

    /// The place of the value at a path of keys and list indexes; where the path ends early, the last place there is.
    pub(super) fn place(&self, path: &[&str]) -> Span {
        self.walk(path, false)
    }

    /// As [`Node::place`], but the place of the last key rather than of its value.
    pub(super) fn key_place(&self, path: &[&str]) -> Span {
        self.walk(path, true)
    }

    fn walk(&self, path: &[&str], key: bool) -> Span {
        let (mut node, mut span) = (self, self.span);
        for part in path {
            let next = match &node.kind {
                Kind::List(items) => part.parse::<usize>().ok().and_then(|index| items.get(index)).map(|item| (item, item.span)),
                _ => node.entry(part).map(|entry| {
                    let null = matches!(entry.value.kind, Kind::Null);
                    (&entry.value, if key || null { entry.key_span } else { entry.value.span })
                }),
            };
            let Some((next, at)) = next else { break };
            node = next;
            span = at;
        }
        span
    }

    /// The tree without its places, for the typed decoder.
    pub(super) fn to_value(&self) -> serde_yaml::Value {
        use serde_yaml::Value;
        match &self.kind {
            Kind::Null | Kind::Broken => Value::Null,
            Kind::Bool(value) => Value::Bool(*value),
            Kind::Int(value) => match (u64::try_from(*value), i64::try_from(*value)) {
                (Ok(number), _) => Value::Number(number.into()),
                (_, Ok(number)) => Value::Number(number.into()),
                _ => Value::Null,
            },
            Kind::Float(value) => Value::Number((*value).into()),
            Kind::Text { text, .. } => Value::String(text.clone()),
            Kind::List(items) => Value::Sequence(items.iter().map(Self::to_value).collect()),
            Kind::Map(entries) => {
                Value::Mapping(entries.iter().map(|entry| (Value::String(entry.key.clone()), entry.value.to_value())).collect())
            }
        }
    }
}

/// The text of a file: UTF-8 without its byte order mark.
pub(super) fn decode(bytes: &[u8]) -> Result<&str, Problem> {
    if bytes.len() as u64 > super::MAX_BYTES {
        return Err(Problem::whole("the file is larger than 8 MiB; this is no spec"));
    }
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    std::str::from_utf8(bytes).map_err(|error| {
        let line = bytes[..error.valid_up_to()].iter().filter(|byte| **byte == b'\n').count() + 1;
        Problem::whole(format!("the file is not UTF-8 text (line {line})")).hint("save it as UTF-8")
    })
}

/// Parses the text. On failure there is at least one problem.
pub(super) fn parse(text: &str) -> Result<Node, Vec<Problem>> {
    if let Some((index, line)) = text.lines().enumerate().find(|(_, line)| line.contains('\0')) {
        let column = line.chars().position(|c| c == '\0').unwrap_or_default() + 1;
        let mark = Mark { line: index + 1, column };
        return Err(vec![Problem::at(Span { start: mark, end: mark }, "a NUL character cannot stand in a spec")]);
    }
    let mut builder = Builder { problems: Vec::new(), anchors: HashMap::new(), nodes: 0 };
    let mut events = Parser::new_from_str(text);
    match builder.document(&mut events) {
        Ok(root) if builder.problems.is_empty() => Ok(root),
        Ok(_) => Err(builder.problems),
        Err(stop) => {
            builder.problems.push(stop);
            Err(builder.problems)
        }
    }
}

/// Parts of the parser's messages, and what usually mends their cause.
const HINTS: [(&str, &str); 8] = [
    ("tab", "indent with spaces"),
    ("expected ',' or", "inside `{}` and `[]`, put texts that hold `${...}`, `:` or `,` in quotes; is a closing bracket missing?"),
    ("mapping values", "check the indentation, and put texts that hold `: ` in quotes"),
    ("simple key", "is a `:` missing behind a key on the line before?"),
    ("did not find expected key", "keys of one mapping begin in the same column"),
    ("quoted scalar", "is a closing quote missing?"),
    ("quote", "is a closing quote missing?"),
    ("anchor", "an alias (`*name`) refers to an anchor (`&name`) further up"),
];

struct Builder {
    problems: Vec<Problem>,
    anchors: HashMap<usize, (Node, usize)>,
    nodes: usize,
}

type Events<'a> = Parser<'a, saphyr_parser::StrInput<'a>>;

fn next<'a>(events: &mut Events<'a>) -> Result<(Event<'a>, Span), Problem> {
    match events.next() {
        Some(Ok((event, span))) => Ok((event, place(span))),
        Some(Err(error)) => {
            let mark = Mark { line: error.marker().line().max(1), column: error.marker().col() + 1 };
            let mut problem = Problem::at(Span { start: mark, end: mark }, format!("not valid YAML: {}", error.info()));
            let hint = HINTS.iter().find(|(part, _)| error.info().contains(part)).map(|(_, hint)| *hint);
            if let Some(hint) = hint {
                problem = problem.hint(hint);
            }
            Err(problem)
        }
        None => Ok((Event::StreamEnd, Span::default())),
    }
}

fn place(span: RawSpan) -> Span {
    let mark = |marker: saphyr_parser::Marker| Mark { line: marker.line().max(1), column: marker.col() + 1 };
    Span { start: mark(span.start), end: mark(span.end) }
}

impl Builder {
    fn document(&mut self, events: &mut Events<'_>) -> Result<Node, Problem> {
        let mut root = None;
        loop {
            let (event, span) = next(events)?;
            match event {
                Event::StreamEnd => break,
                Event::StreamStart | Event::DocumentEnd | Event::Nothing => {}
                Event::DocumentStart(_) if root.is_some() => {
                    return Err(Problem::at(span, "a second document begins here; a spec is one document")
                        .hint("write each spec to a file of its own"));
                }
                Event::DocumentStart(_) => {}
                other => root = Some(self.node(other, span, events, 0)?),
            }
        }
        match root {
            Some(Node { kind: Kind::Null, .. }) | None => {
                Err(Problem::whole("the file is empty").hint("`dtsctl init` writes a spec to begin with"))
            }
            Some(root) => Ok(root),
        }
    }

    fn count(&mut self, nodes: usize, span: Span) -> Result<(), Problem> {
        self.nodes += nodes;
        if self.nodes > MAX_NODES {
            return Err(Problem::at(span, format!("more than {MAX_NODES} nodes with its aliases expanded; this is no spec")));
        }
        Ok(())
    }

    fn node(&mut self, event: Event<'_>, span: Span, events: &mut Events<'_>, depth: usize) -> Result<Node, Problem> {
        if depth > MAX_DEPTH {
            return Err(Problem::at(span, format!("nested deeper than {MAX_DEPTH} levels; this is no spec")));
        }
        let before = self.nodes;
        self.count(1, span)?;
        let (anchor, tag, node) = match event {
            Event::Alias(id) => {
                let Some((node, size)) = self.anchors.get(&id).cloned() else {
                    return Err(Problem::at(span, "this alias refers to itself or to nothing"));
                };
                self.count(size, span)?;
                return Ok(node);
            }
            Event::Scalar(text, style, anchor, tag) => (anchor, tag, Node { span, kind: scalar(&text, style == ScalarStyle::Plain) }),
            Event::SequenceStart(anchor, tag) => {
                let mut items = Vec::new();
                let end = loop {
                    let (event, at) = next(events)?;
                    if matches!(event, Event::SequenceEnd) {
                        break at.end;
                    }
                    items.push(self.node(event, at, events, depth + 1)?);
                };
                (anchor, tag, Node { span: Span { start: span.start, end }, kind: Kind::List(items) })
            }
            Event::MappingStart(anchor, tag) => {
                let mut entries: Vec<Entry> = Vec::new();
                let end = loop {
                    let (event, at) = next(events)?;
                    if matches!(event, Event::MappingEnd) {
                        break at.end;
                    }
                    self.entry(&mut entries, event, at, events, depth)?;
                };
                (anchor, tag, Node { span: Span { start: span.start, end }, kind: Kind::Map(entries) })
            }
            _ => return Err(Problem::at(span, "not valid YAML here")),
        };
        if let Some(tag) = tag {
            let name = format!("{}{}", tag.handle, tag.suffix);
            self.problems.push(Problem::at(span, format!("tags such as `{name}` are not supported")).hint("write the value without it"));
        }
        if anchor > 0 {
            self.anchors.insert(anchor, (node.clone(), self.nodes - before));
        }
        Ok(node)
    }

    fn entry(
        &mut self,
        entries: &mut Vec<Entry>,
        event: Event<'_>,
        at: Span,
        events: &mut Events<'_>,
        depth: usize,
    ) -> Result<(), Problem> {
        let text = match &event {
            Event::Scalar(text, ..) => Some(text.to_string()),
            _ => None,
        };
        let key_node = self.node(event, at, events, depth + 1)?;
        let (event, value_at) = next(events)?;
        let value = self.node(event, value_at, events, depth + 1)?;
        let key = match (text, key_node.kind) {
            (Some(text), _) => text,
            (None, Kind::Text { text, .. }) => text,
            _ => {
                self.problems.push(Problem::at(at, "a key must be a plain name"));
                return Ok(());
            }
        };
        if key == "<<" {
            self.problems
                .push(Problem::at(at, "merge keys (`<<`) are not supported").hint("write the keys out, or use an alias for a whole value"));
            return Ok(());
        }
        if let Some(first) = entries.iter().find(|entry| entry.key == key) {
            let line = first.key_span.start.line;
            self.problems.push(Problem::at(at, format!("key `{key}` stands here for the second time, first on line {line}")).hide_behind());
            return Ok(());
        }
        entries.push(Entry { key, key_span: at, value });
        Ok(())
    }
}

/// The YAML 1.2 core schema.
fn scalar(text: &str, plain: bool) -> Kind {
    let as_text = || Kind::Text { text: text.to_owned(), plain, replaced: false };
    if !plain {
        return as_text();
    }
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Kind::Null,
        "true" | "True" | "TRUE" => Kind::Bool(true),
        "false" | "False" | "FALSE" => Kind::Bool(false),
        _ => number(text).unwrap_or_else(as_text),
    }
}

/// A plain scalar as a number, if it is one.
pub(super) fn number(text: &str) -> Option<Kind> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let radix = |digits: &str, radix: u32| i128::from_str_radix(digits, radix).ok().map(Kind::Int);
    if let Some(digits) = text.strip_prefix("0x") {
        return radix(digits, 16);
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return radix(digits, 8);
    }
    if !unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.') || unsigned == "." {
        return None;
    }
    if unsigned.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().ok().map(Kind::Int).or(Some(Kind::Float(f64::INFINITY)));
    }
    if unsigned.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'+' | b'-')) {
        return text.parse().ok().map(Kind::Float);
    }
    None
}
