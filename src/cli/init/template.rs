//! The text of a new spec. It must pass `validate` as it is written: a test says so.

use crate::spec::{Address, Endpoint};

/// A new spec, with a source if one was asked.
pub(super) fn text(source: Option<&Endpoint>, databases: &[String]) -> String {
    let (host, port, user) = match source.map(|source| (&source.address, &source.user)) {
        Some((Address::Tcp { host, port }, user)) => (quote(host), *port, quote(user)),
        _ => ("source.example".to_owned(), 3306, "dts".to_owned()),
    };
    let objects = if source.is_some() && databases.is_empty() {
        "  # The source has no database of its own yet.\n  - database: shop\n".to_owned()
    } else if databases.is_empty() {
        "  - database: shop               # a whole database, with what appears in it later\n".to_owned()
    } else {
        databases.iter().map(|name| format!("  - database: {}\n", quote(name))).collect()
    };
    TEMPLATE
        .replace("@HOST@", &host)
        .replace("@PORT@", &port.to_string())
        .replace("@USER@", &user)
        .replace("@OBJECTS@", objects.trim_end_matches('\n'))
}

/// A text as YAML, in quotes where it needs them. Dollar signs are doubled: these places replace variables.
fn quote(text: &str) -> String {
    let plain = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'))
        && !matches!(text.to_ascii_lowercase().as_str(), "null" | "true" | "false" | "yes" | "no" | "on" | "off" | "y" | "n");
    if plain { text.to_owned() } else { serde_json::Value::from(text).to_string() }
}

const TEMPLATE: &str = r#"# yaml-language-server: $schema=./schemas/spec.v1.json
# The schema for your editor: `dtsctl json-schema > schemas/spec.v1.json`. Every key: docs/spec.md.
# Next: edit this file, then `dtsctl validate`, `dtsctl ping`, `dtsctl plan`.
version: 1

# name: shop-to-dr               # lock and state key; default: this file's name
# labels: {environment: online}

source:
  host: @HOST@
  port: @PORT@
  user: @USER@
  password: {env: DTS_SOURCE_PASSWORD}          # or {file: PATH}; never the password itself
  # tls: {mode: verify-identity, ca: ca.pem}    # disabled | preferred | required | verify-ca | verify-identity

destination:
  host: destination.example
  port: 3306
  user: dts
  password: {env: DTS_DESTINATION_PASSWORD}

phases: {schema: true, full: true, incremental: false}

objects:
@OBJECTS@
  # - database: crm
  #   rename: crm_copy             # its name at the destination
  #   exclude: ["tmp_*"]           # names, or globs with * and ?
  # - database: billing
  #   tables:                      # only these
  #     - name: invoices
  #       rename: invoices_copy
  #     - name: "log_*"

conflict:
  existing_tables: fail            # fail | ignore | align

# schema: {engine: innodb, secondary_indexes: auto}   # auto | before | after the rows
# retry: {connection: 720m, other: 10m}
# throttle: {full: {qps: 500, rps: 20000, mbps: 50}}
# verify: {mode: full}             # full | sample | count
# precheck: {ignore: []}           # codes of alerts, see `dtsctl explain`
# allow: [{action: drop-column, table: shop.orders, column: note}]
"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_yaml_would_misread_are_quoted() {
        assert_eq!(quote("shop_1"), "shop_1");
        assert_eq!(quote("1st"), "\"1st\"");
        assert_eq!(quote("a: b"), "\"a: b\"");
        assert_eq!(quote("no"), "\"no\"");
    }
}
