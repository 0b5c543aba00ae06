//! Objects: names, duplicates, what would land in one place, and what would land on itself.

use std::collections::HashMap;

use crate::spec::{
    interpolate::looks_replaceable,
    model::Operation,
    pattern::Pattern,
    rename::RenamePattern,
    select::is_system_database,
    written::{Columns, Endpoint, Object, Rename, RenameBy, Spec},
};

use super::Problems;

/// Most tables of a task that lists tables and renames any (requirements B03).
const MOST_RENAMED: usize = 1000;

pub(super) fn check(found: &mut Problems<'_>, spec: &Spec) {
    for (index, object) in spec.objects.iter().enumerate() {
        names(found, &index.to_string(), object);
    }
    operations_without_a_phase(found, spec);
    duplicates(found, spec);
    collisions(found, spec);
    if same_server(&spec.source, &spec.destination) {
        onto_itself(found, spec);
    }
    count(found, spec);
}

/// Whether some entry may write to this destination database.
pub(super) fn may_write_to(spec: &Spec, database: &str) -> bool {
    spec.objects.iter().any(|object| match &object.rename {
        Some(Rename::To(name)) => name == database,
        Some(Rename::By(by)) => {
            by.read().is_none_or(|pattern| pattern.targets().matches(database)) || Pattern::new(&*object.database).matches(database)
        }
        None => Pattern::new(&*object.database).matches(database),
    })
}

fn names(found: &mut Problems<'_>, index: &str, object: &Object) {
    let database = ["objects", index, "database"];
    name(found, &database, &object.database, "database");
    if is_system_database(&object.database) {
        let message = format!("`{}` is never carried: it belongs to the server or to dtsctl", object.database);
        found.value(&database, message, "");
    }
    if let Some(Rename::By(by)) = &object.rename {
        rename_by(found, &["objects", index, "rename"], by);
    }
    if let Some(by) = &object.rename_tables {
        rename_by(found, &["objects", index, "rename_tables"], by);
        if object.tables.is_some() {
            found.key(
                &["objects", index, "rename_tables"],
                "`rename_tables` is for a database that is selected as a whole, and here its tables are listed",
                "write `rename: {match: ..., to: ...}` at the tables",
            );
        }
    }
    if let Some(Rename::To(rename)) = &object.rename {
        let path = ["objects", index, "rename"];
        new_name(found, &path, rename, &object.database);
        if is_system_database(rename) {
            found.value(&path, format!("`{rename}` belongs to the server or to dtsctl; no database can be renamed to it"), "");
        }
    }
    if let Some(list) = &object.operations {
        operations(found, &["objects", index, "operations"], list, object.tables.is_none());
    }
    for (at, pattern) in object.exclude.iter().flatten().enumerate() {
        name(found, &["objects", index, "exclude", &at.to_string()], pattern, "name");
    }
    for (at, table) in object.tables.iter().flatten().enumerate() {
        let at = at.to_string();
        let path = ["objects", index, "tables", at.as_str(), "name"];
        name(found, &path, &table.name, "table");
        match &table.rename {
            Some(Rename::To(rename)) => new_name(found, &["objects", index, "tables", &at, "rename"], rename, &table.name),
            Some(Rename::By(by)) => rename_by(found, &["objects", index, "tables", &at, "rename"], by),
            None => {}
        }
        if let Some(list) = &table.operations {
            operations(found, &["objects", index, "tables", &at, "operations"], list, false);
        }
        if let Some(columns) = &table.columns {
            check_columns(found, &["objects", index, "tables", &at, "columns"], columns);
        }
        let excluded = object.exclude.iter().flatten().find(|pattern| Pattern::new(pattern.as_str()).matches(&table.name));
        if let Some(pattern) = excluded
            && !Pattern::new(&*table.name).is_glob()
        {
            found.value(&path, format!("`{}` is selected here and left out by `exclude: {pattern}`", table.name), "remove one of the two");
        }
    }
}

fn rename_by(found: &mut Problems<'_>, path: &[&str], by: &RenameBy) {
    let Err(error) = RenamePattern::new(&by.matches, &by.to) else { return };
    let place: Vec<&str> = path.iter().copied().chain([error.key()]).collect();
    found.value(&place, error.to_string(), "for example `{match: \"t_(\\\\d+)\", to: \"orders_$1\"}`");
}

/// Each once, and none that is about what the entry does not select.
fn operations(found: &mut Problems<'_>, path: &[&str], list: &[Operation], whole: bool) {
    for (at, operation) in list.iter().enumerate() {
        let index = at.to_string();
        let place: Vec<&str> = path.iter().copied().chain([index.as_str()]).collect();
        let name = operation.name();
        if list[..at].contains(operation) {
            found.value(&place, format!("`{name}` is listed for the second time"), "keep one of the two");
        } else if operation.is_of_whole_databases() && !whole {
            found.value(
                &place,
                format!("`{name}` is carried only of a database that is selected as a whole, and here are tables alone"),
                "remove it, or select the whole database",
            );
        }
    }
}

fn operations_without_a_phase(found: &mut Problems<'_>, spec: &Spec) {
    if spec.phases.as_ref().is_none_or(|phases| phases.incremental != Some(false)) {
        return;
    }
    let mut refuse =
        |path: &[&str]| found.key(path, "`operations` is about a phase that is off", "remove it, or turn on `phases.incremental`");
    for (index, object) in spec.objects.iter().enumerate() {
        let index = index.to_string();
        if object.operations.is_some() {
            refuse(&["objects", &index, "operations"]);
        }
        for (at, _) in object.tables.iter().flatten().enumerate().filter(|(_, table)| table.operations.is_some()) {
            refuse(&["objects", &index, "tables", &at.to_string(), "operations"]);
        }
    }
}

/// Names alone: whether the columns are there, the plan sees (DT238).
fn check_columns(found: &mut Problems<'_>, path: &[&str], columns: &Columns) {
    let at = |key: &'static str, inner: &str| -> Vec<String> {
        path.iter().map(|part| (*part).to_owned()).chain([key.to_owned(), inner.to_owned()]).collect()
    };
    let mut targets: HashMap<String, &str> = HashMap::new();
    for (index, column) in columns.exclude.iter().flatten().enumerate() {
        let place = at("exclude", &index.to_string());
        let place: Vec<&str> = place.iter().map(String::as_str).collect();
        column_name(found, &place, column);
        if columns.rename.iter().flatten().any(|(from, _)| from.to_lowercase() == column.to_lowercase()) {
            found.value(&place, format!("column `{column}` is left out here and renamed below"), "keep one of the two");
        }
    }
    for (from, to) in columns.rename.iter().flatten() {
        let place = at("rename", from);
        let place: Vec<&str> = place.iter().map(String::as_str).collect();
        column_name(found, &place, from);
        column_name(found, &place, to);
        if let Some(other) = targets.insert(to.to_lowercase(), from) {
            found.value(&place, format!("columns `{other}` and `{from}` would both be called `{to}`"), "give each a name of its own");
        }
    }
}

fn column_name(found: &mut Problems<'_>, path: &[&str], column: &str) {
    name(found, path, column, "column");
    if column.contains(['*', '?']) {
        found.value(path, format!("`{column}`: columns are named outright, without `*` and `?`"), "list the columns");
    }
}

/// A name or a glob of at most 64 characters, as the server's identifiers are (manual: Identifier Length Limits).
fn name(found: &mut Problems<'_>, path: &[&str], name: &str, what: &str) {
    if name.is_empty() || name.chars().count() > 64 || name.ends_with(' ') || name.chars().any(char::is_control) {
        found.value(path, format!("a {what} has 1 to 64 characters and does not end in a space"), "");
    } else if looks_replaceable(name) {
        let literal = name.replacen("${", "?{", 1);
        found.value(
            path,
            "variables are not replaced in objects: what was reviewed is what runs",
            format!("write the name itself; a name that really holds `${{` can be matched by `{literal}`"),
        );
    }
}

fn new_name(found: &mut Problems<'_>, path: &[&str], rename: &str, original: &str) {
    name(found, path, rename, "name");
    if Pattern::new(original).is_glob() {
        found.value(
            path,
            format!("`{original}` may match several names, which cannot all become `{rename}`"),
            "rename only literal names, or by a pattern: `{match: ..., to: ...}`",
        );
    } else if Pattern::new(rename).is_glob() {
        found.value(path, "a new name holds neither `*` nor `?`", "");
    }
}

fn duplicates(found: &mut Problems<'_>, spec: &Spec) {
    let mut databases: HashMap<&str, usize> = HashMap::new();
    for (index, object) in spec.objects.iter().enumerate() {
        if let Some(first) = databases.insert(&object.database, index) {
            let line = found.root.place(&["objects", &first.to_string(), "database"]).start.line;
            let message = format!("database `{}` is selected for the second time, first on line {line}", object.database);
            found.value(&["objects", &index.to_string(), "database"], message, "put its tables into one entry");
        }
        let mut tables: HashMap<&str, usize> = HashMap::new();
        for (at, table) in object.tables.iter().flatten().enumerate() {
            if let Some(first) = tables.insert(&table.name, at) {
                let line = found.root.place(&["objects", &index.to_string(), "tables", &first.to_string(), "name"]).start.line;
                let message = format!("table `{}` is selected for the second time, first on line {line}", table.name);
                found.value(&["objects", &index.to_string(), "tables", &at.to_string(), "name"], message, "keep one of the two");
            }
        }
    }
}

/// Literal tables that would land in one destination table. What globs and whole databases bring is known only to the plan.
fn collisions(found: &mut Problems<'_>, spec: &Spec) {
    let mut targets: HashMap<(String, String), (&str, &str)> = HashMap::new();
    for (index, object) in spec.objects.iter().enumerate() {
        if Pattern::new(&*object.database).is_glob() {
            continue;
        }
        let called = |rename: &Option<Rename>, name: &str| rename.as_ref().map_or_else(|| name.to_owned(), |rename| rename.apply(name));
        let database = called(&object.rename, &object.database);
        for (at, table) in object.tables.iter().flatten().enumerate() {
            if Pattern::new(&*table.name).is_glob() {
                continue;
            }
            let target = called(&table.rename, &table.name);
            let source = (object.database.as_str(), table.name.as_str());
            let Some(first) = targets.insert((database.clone(), target.clone()), source) else { continue };
            if first != source {
                let key = if table.rename.is_some() { "rename" } else { "name" };
                let message = format!("`{}.{}` would land in `{database}.{target}`, as `{}.{}` does", source.0, source.1, first.0, first.1);
                found.value(&["objects", &index.to_string(), "tables", &at.to_string(), key], message, "give one of them another name");
            }
        }
    }
}

/// On one server, nothing may land on itself, nor inside a database that is itself selected as a whole.
fn onto_itself(found: &mut Problems<'_>, spec: &Spec) {
    let stays = |rename: &Option<Rename>, name: &str| rename.as_ref().is_none_or(|rename| rename.outright() == Some(name));
    const HINT: &str = "source and destination are the same server; give it another name with `rename`";
    for (index, object) in spec.objects.iter().enumerate() {
        let index = index.to_string();
        if stays(&object.rename, &object.database) {
            // What a pattern makes of the names, only the plan can see (DT205).
            if object.rename_tables.is_some() {
                continue;
            }
            let Some(tables) = &object.tables else {
                let message = format!("database `{}` would be copied onto itself", object.database);
                found.value(&["objects", &index, "database"], message, HINT);
                continue;
            };
            for (at, table) in tables.iter().enumerate().filter(|(_, table)| stays(&table.rename, &table.name)) {
                let message = format!("table `{}.{}` would be copied onto itself", object.database, table.name);
                found.value(&["objects", &index, "tables", &at.to_string(), "name"], message, HINT);
            }
        } else if let Some(Rename::To(target)) = &object.rename {
            let whole = |other: &&Object| other.tables.is_none() && Pattern::new(&*other.database).matches(target);
            if spec.objects.iter().find(whole).is_some() {
                let message = format!("database `{target}` is itself selected, on the same server");
                found.value(&["objects", &index, "rename"], message, "copy into a database that is not a source");
            }
        }
    }
}

/// Whether both ends are one server as far as their addresses tell. The plan asks the servers themselves.
fn same_server(source: &Endpoint, destination: &Endpoint) -> bool {
    let place = |end: &Endpoint| match (&end.socket, &end.host) {
        (Some(path), _) => Some((path.clone(), 0)),
        (None, Some(host)) => {
            let host = host.trim_end_matches('.').to_ascii_lowercase();
            let local = matches!(host.as_str(), "localhost" | "127.0.0.1" | "::1");
            Some((if local { "localhost".to_owned() } else { host }, end.port.unwrap_or(3306)))
        }
        (None, None) => None,
    };
    place(source).is_some() && place(source) == place(destination)
}

fn count(found: &mut Problems<'_>, spec: &Spec) {
    let tables: usize = spec.objects.iter().map(|object| object.tables.as_ref().map_or(0, Vec::len)).sum();
    let renames = spec.objects.iter().any(|object| {
        object.tables.as_ref().is_some_and(|tables| {
            object.rename.is_some()
                || tables
                    .iter()
                    .any(|table| table.rename.is_some() || table.columns.as_ref().is_some_and(|columns| columns.rename.is_some()))
        })
    });
    if tables > MOST_RENAMED && renames {
        found.key(
            &["objects"],
            format!("{tables} tables are listed and some are renamed; at most {MOST_RENAMED} can be"),
            "split the task into several specs, or select whole databases",
        );
    }
}
