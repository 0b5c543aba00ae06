//! `${NAME}`, `${NAME:-default}`, `${NAME:?message}` and `$$` in the texts under `source` and `destination`.
//!
//! After parsing and once: what a variable holds is never parsed as YAML nor searched for variables again.

use super::{
    problem::Problem,
    yaml::{Kind, Node},
};

/// Replaces the variables in every text of the tree, keys excepted.
pub(super) fn replace(node: &mut Node, env: &dyn Fn(&str) -> Option<String>, problems: &mut Vec<Problem>) {
    match &mut node.kind {
        Kind::List(items) => items.iter_mut().for_each(|item| replace(item, env, problems)),
        Kind::Map(entries) => {
            for entry in entries {
                // A literal password is refused as it stands: a variable in it would only hide that.
                let literal_password = entry.key == "password" && matches!(entry.value.kind, Kind::Text { .. });
                if literal_password {
                    if let Some(name) = whole_variable(&entry.value) {
                        let problem = Problem::at(entry.value.span, "a password is not put together from variables");
                        problems.push(problem.hint(format!("write `password: {{env: {name}}}`; it is read when a command connects")));
                        entry.value.kind = Kind::Broken;
                    }
                } else {
                    replace(&mut entry.value, env, problems);
                }
            }
        }
        Kind::Text { text, replaced, .. } if text.contains('$') => match expand(text, env) {
            Ok((expanded, any)) => {
                *replaced = any;
                *text = expanded;
            }
            Err((message, hint)) => {
                problems.push(Problem::at(node.span, message).hint(hint));
                node.kind = Kind::Broken;
            }
        },
        _ => {}
    }
}

/// The variable's name, when the text is one variable and nothing else.
fn whole_variable(node: &Node) -> Option<&str> {
    let Kind::Text { text, .. } = &node.kind else { return None };
    let inner = text.strip_prefix("${")?.strip_suffix('}')?;
    is_name(inner).then_some(inner)
}

/// Whether the text holds what would be a variable under `source` and `destination`.
pub(super) fn looks_replaceable(text: &str) -> bool {
    text.match_indices("${").any(|(at, _)| {
        let rest = &text[at + 2..];
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
        is_name(&rest[..end]) && (rest[end..].starts_with('}') || rest[end..].starts_with(':')) && rest[end..].contains('}')
    })
}

fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

type Refusal = (String, String);

fn expand(text: &str, env: &dyn Fn(&str) -> Option<String>) -> Result<(String, bool), Refusal> {
    let mut out = String::new();
    let mut any = false;
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        let behind = &rest[at + 1..];
        if let Some(next) = behind.strip_prefix('$') {
            out.push('$');
            rest = next;
        } else if let Some(inner) = behind.strip_prefix('{') {
            let end = inner.find('}').ok_or_else(|| {
                (
                    "`${` without its `}`".to_owned(),
                    "close it, or write `$$` for a dollar sign; inside `{}` put the text in quotes".to_owned(),
                )
            })?;
            out.push_str(&variable(&inner[..end], env)?);
            any = true;
            rest = &inner[end + 1..];
        } else {
            out.push('$');
            rest = behind;
        }
    }
    out.push_str(rest);
    Ok((out, any))
}

fn variable(inner: &str, env: &dyn Fn(&str) -> Option<String>) -> Result<String, Refusal> {
    let (name, rest) = inner.split_once(':').map_or((inner, None), |(name, rest)| (name, Some(rest)));
    if !is_name(name) {
        return Err((
            "not a variable's name between `${` and `}`".to_owned(),
            "the forms are `${NAME}`, `${NAME:-default}`, `${NAME:?message}`; write `$$` for a dollar sign".to_owned(),
        ));
    }
    let value = env(name);
    match rest.map(|rest| rest.split_at_checked(1).unwrap_or((rest, ""))) {
        None => value.ok_or_else(|| {
            (format!("environment variable `{name}` is not set"), format!("set it, or give it a default: `${{{name}:-default}}`"))
        }),
        Some(("-", default)) => Ok(value.filter(|value| !value.is_empty()).unwrap_or_else(|| default.replace("$$", "$"))),
        Some(("?", message)) => value.filter(|value| !value.is_empty()).ok_or_else(|| {
            let message = if message.is_empty() { String::new() } else { format!(": {message}") };
            (format!("environment variable `{name}` is not set{message}"), format!("set `{name}` and run the command again"))
        }),
        Some(_) => Err((
            format!("unknown form of `${{{name}:...}}`"),
            "the forms are `${NAME}`, `${NAME:-default}`, `${NAME:?message}`".to_owned(),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(name: &str) -> Option<String> {
        match name {
            "HOST" => Some("db1".to_owned()),
            "EMPTY" => Some(String::new()),
            "NESTED" => Some("${HOST}".to_owned()),
            _ => None,
        }
    }

    #[test]
    fn the_forms_work_once() {
        for (text, expected) in [
            ("${HOST}", "db1"),
            ("a-${HOST}-${HOST}", "a-db1-db1"),
            ("${NONE:-x:y}", "x:y"),
            ("${NONE:-a$$b}", "a$b"),
            ("${EMPTY:-x}", "x"),
            ("${EMPTY}", ""),
            ("${HOST:?needed}", "db1"),
            ("$$", "$"),
            ("$${HOST}", "${HOST}"),
            ("$HOST", "$HOST"),
            ("${NESTED}", "${HOST}"),
            ("a$", "a$"),
        ] {
            assert_eq!(expand(text, &env).map(|(text, _)| text), Ok(expected.to_owned()), "{text}");
        }
        for text in ["${NONE}", "${NONE:?}", "${EMPTY:?say}", "${HOST", "${}", "${1}", "${HOST:+x}", "${HO ST}"] {
            assert!(expand(text, &env).is_err(), "{text}");
        }
    }

    #[test]
    fn a_variable_elsewhere_is_recognised() {
        assert!(looks_replaceable("shop_${ENV}"));
        assert!(looks_replaceable("${ENV:-x}"));
        assert!(!looks_replaceable("a${"));
        assert!(!looks_replaceable("cost$"));
    }
}
