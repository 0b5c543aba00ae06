//! Differences between JSON documents, as PARTIAL_UPDATE_ROWS events hold them (`binlog_row_value_options=PARTIAL_JSON`).

use super::{
    DEEPEST, Damaged,
    node::{Node, tag},
};
use crate::binlog::bytes::Cursor;

/// A document that is being changed: what was not touched is still in its binary form.
enum Tree<'a> {
    Whole(Node<'a>),
    Array(Vec<Tree<'a>>),
    Object(Vec<(Vec<u8>, Tree<'a>)>),
}

/// A step of a path.
enum Leg {
    Member(Vec<u8>),
    Cell(usize),
}

/// Operations of a difference (`enum_json_diff_operation` of MySQL's `sql/json_diff.h`).
mod operation {
    pub(super) const REPLACE: u8 = 0;
    pub(super) const INSERT: u8 = 1;
    pub(super) const REMOVE: u8 = 2;
}

/// The binary document that `differences` make of `document`.
///
/// A difference is an operation, a path and, unless it removes, a binary value, both with packed lengths before them.
///
/// # Errors
/// When a path leads nowhere, or the bytes are no differences.
pub(in crate::binlog) fn apply(document: &[u8], differences: &[u8]) -> Result<Vec<u8>, Damaged> {
    let mut tree = Tree::Whole(Node::document(document)?);
    let mut at = Cursor::new(differences);
    while !at.is_empty() {
        let operation = at.byte()?;
        let path = parse_path(at.packed()?)?;
        let value = match operation {
            operation::REPLACE | operation::INSERT => Some(Tree::Whole(Node::document(at.packed()?)?)),
            operation::REMOVE => None,
            _ => return Err(Damaged),
        };
        match (path.split_last(), value) {
            (None, Some(value)) if operation == operation::REPLACE => tree = value,
            (Some((last, parents)), value) => {
                let mut parent = &mut tree;
                for leg in parents {
                    parent = parent.child(leg)?;
                }
                parent.change(last, value, operation)?;
            }
            _ => return Err(Damaged),
        }
    }
    let mut out = vec![0];
    out[0] = encode(&mut out, &tree, 0)?;
    Ok(out)
}

impl<'a> Tree<'a> {
    /// Takes a container apart, one level.
    fn open(&mut self) -> Result<(), Damaged> {
        *self =
            match self {
                Self::Whole(Node::Array(items)) => {
                    Self::Array((0..items.len()).map(|i| items.value(i).map(Tree::Whole)).collect::<Result<_, _>>()?)
                }
                Self::Whole(Node::Object(members)) => Self::Object(
                    (0..members.len())
                        .map(|i| Ok((members.key(i)?.to_vec(), Tree::Whole(members.value(i)?))))
                        .collect::<Result<_, Damaged>>()?,
                ),
                _ => return Ok(()),
            };
        Ok(())
    }

    fn child(&mut self, leg: &Leg) -> Result<&mut Tree<'a>, Damaged> {
        self.open()?;
        match (self, leg) {
            (Self::Array(items), Leg::Cell(i)) => items.get_mut(*i).ok_or(Damaged),
            (Self::Object(members), Leg::Member(name)) => members.iter_mut().find(|(n, _)| n == name).map(|(_, v)| v).ok_or(Damaged),
            _ => Err(Damaged),
        }
    }

    fn change(&mut self, leg: &Leg, value: Option<Tree<'a>>, operation: u8) -> Result<(), Damaged> {
        if operation == operation::REPLACE {
            *self.child(leg)? = value.ok_or(Damaged)?;
            return Ok(());
        }
        self.open()?;
        match (self, leg, value) {
            (Self::Array(items), Leg::Cell(i), Some(value)) => items.insert((*i).min(items.len()), value),
            (Self::Array(items), Leg::Cell(i), None) if *i < items.len() => {
                items.remove(*i);
            }
            (Self::Object(members), Leg::Member(name), value) => {
                // Members are ordered by the length of their names, then by bytes.
                match (members.binary_search_by(|(n, _)| (n.len(), n.as_slice()).cmp(&(name.len(), name.as_slice()))), value) {
                    (Ok(i), Some(value)) => members[i].1 = value,
                    (Err(i), Some(value)) => members.insert(i, (name.clone(), value)),
                    (Ok(i), None) => {
                        members.remove(i);
                    }
                    (Err(_), None) => return Err(Damaged),
                }
            }
            _ => return Err(Damaged),
        }
        Ok(())
    }
}

/// `$`, then `.name`, `."name in JSON"` and `[number]`.
fn parse_path(path: &[u8]) -> Result<Vec<Leg>, Damaged> {
    let mut rest = path.strip_prefix(b"$").ok_or(Damaged)?;
    let mut legs = Vec::new();
    while let Some((&first, after)) = rest.split_first() {
        let end = match (first, after.first()) {
            (b'.', Some(b'"')) => {
                // The quote that ends the name is the next one without a backslash before it.
                let mut end = 1;
                while after.get(end).is_some_and(|&b| b != b'"') {
                    end += if after[end] == b'\\' { 2 } else { 1 };
                }
                let name: String = serde_json::from_slice(after.get(..=end).ok_or(Damaged)?).map_err(|_| Damaged)?;
                legs.push(Leg::Member(name.into_bytes()));
                end + 1
            }
            (b'.', _) => {
                let end = after.iter().position(|b| matches!(b, b'.' | b'[')).unwrap_or(after.len());
                legs.push(Leg::Member(after[..end].to_vec()));
                end
            }
            (b'[', _) => {
                let end = after.iter().position(|&b| b == b']').ok_or(Damaged)?;
                let number = std::str::from_utf8(&after[..end]).ok().and_then(|n| n.trim().parse().ok()).ok_or(Damaged)?;
                legs.push(Leg::Cell(number));
                end + 1
            }
            _ => return Err(Damaged),
        };
        rest = after.get(end..).ok_or(Damaged)?;
    }
    Ok(legs)
}

/// A container's entries while it is written.
type Entries<'t, 'a> = Vec<(Option<&'t [u8]>, &'t Tree<'a>)>;

/// Appends a value's data and gives its tag. Always the large format, which any reader takes.
fn encode(out: &mut Vec<u8>, tree: &Tree<'_>, depth: usize) -> Result<u8, Damaged> {
    if depth > DEEPEST {
        return Err(Damaged);
    }
    match tree {
        Tree::Array(items) => container(out, &items.iter().map(|v| (None, v)).collect(), depth)?,
        Tree::Object(members) => container(out, &members.iter().map(|(k, v)| (Some(k.as_slice()), v)).collect(), depth)?,
        Tree::Whole(node) => return whole(out, *node, depth),
    }
    Ok(if matches!(tree, Tree::Array(_)) { tag::LARGE_ARRAY } else { tag::LARGE_OBJECT })
}

fn whole(out: &mut Vec<u8>, node: Node<'_>, depth: usize) -> Result<u8, Damaged> {
    Ok(match node {
        Node::Null => literal(out, 0),
        Node::Bool(value) => literal(out, if value { 1 } else { 2 }),
        Node::Int(value) => {
            out.extend_from_slice(&value.to_le_bytes());
            tag::INT64
        }
        Node::Uint(value) => {
            out.extend_from_slice(&value.to_le_bytes());
            tag::UINT64
        }
        Node::Double(value) => {
            out.extend_from_slice(&value.to_le_bytes());
            tag::DOUBLE
        }
        Node::String(value) => {
            sized(out, value);
            tag::STRING
        }
        Node::Opaque(code, value) => {
            out.push(code);
            sized(out, value);
            tag::OPAQUE
        }
        Node::Array(_) | Node::Object(_) => {
            let mut tree = Tree::Whole(node);
            tree.open()?;
            return encode(out, &tree, depth);
        }
    })
}

fn literal(out: &mut Vec<u8>, value: u8) -> u8 {
    out.push(value);
    tag::LITERAL
}

fn sized(out: &mut Vec<u8>, value: &[u8]) {
    let mut length = value.len();
    loop {
        let low = u8::try_from(length & 0x7f).unwrap_or(0);
        length >>= 7;
        out.push(if length > 0 { low | 0x80 } else { low });
        if length == 0 {
            break;
        }
    }
    out.extend_from_slice(value);
}

fn container(out: &mut Vec<u8>, entries: &Entries<'_, '_>, depth: usize) -> Result<(), Damaged> {
    let start = out.len();
    let four = |number: usize| u32::try_from(number).map(u32::to_le_bytes).map_err(|_| Damaged);
    let is_object = entries.first().is_some_and(|(key, _)| key.is_some());
    out.extend_from_slice(&four(entries.len())?);
    out.resize(start + 8 + entries.len() * if is_object { 11 } else { 5 }, 0);
    for (i, (key, _)) in entries.iter().enumerate() {
        let Some(key) = key else { continue };
        let (at, offset) = (start + 8 + 6 * i, four(out.len() - start)?);
        out[at..at + 4].copy_from_slice(&offset);
        out[at + 4..at + 6].copy_from_slice(&u16::try_from(key.len()).map_err(|_| Damaged)?.to_le_bytes());
        out.extend_from_slice(key);
    }
    let values = start + 8 + if is_object { 6 * entries.len() } else { 0 };
    for (i, (_, value)) in entries.iter().enumerate() {
        let at = values + 5 * i;
        let offset = out.len();
        let tag = encode(out, value, depth + 1)?;
        out[at] = tag;
        if tag == tag::LITERAL {
            // Stands in the entry itself.
            out[at + 1] = out.pop().unwrap_or(0);
        } else {
            out[at + 1..at + 5].copy_from_slice(&four(offset - start)?);
        }
    }
    let size = four(out.len() - start)?;
    out[start + 4..start + 8].copy_from_slice(&size);
    Ok(())
}
