//! `CREATE USER`: how an account logs in and what limits it. Whatever restricts it is carried or refuses the account.

use super::{Accounts, HASH};
use crate::{
    connect::Vendor,
    ddl::{
        account::{AccountName, AccountText, Authentication, Hidden},
        lex,
    },
};

/// Plugins whose second argument means the same on another server of the vendor.
const OWN: [(Vendor, &[&str]); 2] = [
    (Vendor::MySql, &["mysql_native_password", "caching_sha2_password", "sha256_password", "auth_socket", "mysql_no_login"]),
    (Vendor::MariaDb, &["mysql_native_password", "ed25519", "parsec", "unix_socket"]),
];

/// Plugins with which an account without a hash is one that logs in with an empty password.
const PASSWORDS: [&str; 5] = ["mysql_native_password", "caching_sha2_password", "sha256_password", "ed25519", "parsec"];

/// The longest user name that MySQL takes, in characters (manual: account names).
const MYSQL_USER: usize = 32;

/// The statement that makes an account.
pub(super) struct Login {
    /// With [`HASH`] in the place of every hash.
    pub(super) shown: String,
    /// As it runs.
    pub(super) real: Hidden,
    /// Names of the plugins, for people.
    pub(super) plugins: String,
}

pub(super) fn login(of: &Accounts<'_>, name: &AccountName, text: &AccountText, told: &mut Vec<String>) -> Result<Login, String> {
    let to = of.destination_info.flavor.vendor;
    if to == Vendor::MySql && name.user.chars().count() > MYSQL_USER {
        return Err(format!("a user's name has at most {MYSQL_USER} characters at the destination"));
    }
    if to == Vendor::MariaDb && name.host.split_once('/').is_some_and(|(_, mask)| !mask.contains('.')) {
        return Err(format!("MariaDB does not know hosts with the length of a mask, as {}", name.host));
    }
    let ways = ways(of, text)?;
    let plugins: Vec<&str> = ways.iter().map(|way| way.plugin.as_str()).collect();
    let rest = clauses(of, text, told)?;
    let statement = |hash: &dyn Fn(&Hidden) -> String| {
        let literal = |way: &Authentication, word: &str| way.hash.as_ref().map_or_else(String::new, |h| format!(" {word} {}", hash(h)));
        let identified = match to {
            Vendor::MySql => ways.iter().map(|w| format!("WITH {}{}", lex::string_literal(&w.plugin), literal(w, "AS"))).collect(),
            Vendor::MariaDb => {
                let all: Vec<String> = ways.iter().map(|w| format!("{}{}", w.plugin, literal(w, "USING"))).collect();
                format!("VIA {}", all.join(" OR "))
            }
        };
        format!("CREATE USER {} IDENTIFIED {identified}{rest}", name.quoted())
    };
    Ok(Login {
        shown: statement(&|_| HASH.to_owned()),
        real: Hidden::new(statement(&|h| h.expose().to_owned())),
        plugins: plugins.join(", "),
    })
}

/// The ways to log in, as the destination takes them.
fn ways(of: &Accounts<'_>, text: &AccountText) -> Result<Vec<Authentication>, String> {
    let to = of.destination_info.flavor.vendor;
    let active = |plugin: &str| of.destination.plugins.contains(plugin);
    let none = text.ways.iter().all(|way| without_password(way) && PASSWORDS.contains(&way.plugin.as_str())) && text.ways.len() <= 1;
    if none {
        // Nothing to carry but that there is no password: the plugin that the destination has will do.
        let same = text.ways.first().map(|way| way.plugin.as_str()).filter(|plugin| of.one_vendor() && active(plugin));
        let own = if to == Vendor::MySql { ["caching_sha2_password", "mysql_native_password"] } else { ["mysql_native_password", ""] };
        let plugin = same.or_else(|| own.into_iter().find(|plugin| active(plugin)));
        let plugin = plugin.ok_or("the destination has no plugin for an account without a password")?;
        return Ok(vec![Authentication { plugin: plugin.to_owned(), hash: None }]);
    }
    if text.ways.len() > 1 && !of.one_vendor() {
        return Err("it may log in by several plugins, which MySQL does not know".to_owned());
    }
    for way in &text.ways {
        let plugin = way.plugin.as_str();
        let known = OWN.iter().any(|(vendor, own)| *vendor == of.source_info.flavor.vendor && own.contains(&plugin));
        if !known {
            return Err(format!("it logs in by plugin {plugin}, which is not carried"));
        }
        if !of.one_vendor() {
            let hash = way.hash.as_ref().map(characters).unwrap_or_default();
            let common = plugin == "mysql_native_password";
            if !common {
                return Err(format!("its password is kept by plugin {plugin}, whose hashes the other vendor does not take"));
            }
            if !is_native(&hash) {
                return Err("its password's hash is none of mysql_native_password's usual ones".to_owned());
            }
        }
        if !active(plugin) {
            return Err(format!("plugin {plugin} is not at work at the destination, and a hash serves no other plugin"));
        }
    }
    // Only one form of a literal is a hash to both vendors.
    let native = |way: &Authentication| Authentication {
        hash: way.hash.as_ref().map(|hash| Hidden::new(lex::string_literal(&characters(hash)))),
        plugin: way.plugin.clone(),
    };
    Ok(if of.one_vendor() { text.ways.clone() } else { text.ways.iter().map(native).collect() })
}

/// The characters of a hash, whichever literal it was printed as.
fn characters(hash: &Hidden) -> String {
    let Some(digits) = hash.expose().strip_prefix("0x") else { return lex::string_value(hash.expose()) };
    let pair = |at: usize| digits.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok());
    (0..digits.len()).step_by(2).filter_map(pair).map(char::from).collect()
}

fn without_password(way: &Authentication) -> bool {
    way.hash.as_ref().is_none_or(|hash| lex::string_value(hash.expose()).is_empty() && hash.expose().len() <= 2)
}

/// `*` and 40 hexadecimal digits.
fn is_native(hash: &str) -> bool {
    hash.strip_prefix('*').is_some_and(|digits| digits.len() == 40 && digits.chars().all(|c| c.is_ascii_hexdigit()))
}

/// What stands behind the ways to log in. Always locked: the last of the account's statements unlocks it.
fn clauses(of: &Accounts<'_>, text: &AccountText, told: &mut Vec<String>) -> Result<String, String> {
    let mut clauses = format!(" REQUIRE {}", text.require.as_deref().unwrap_or("NONE"));
    let mysql = of.destination_info.flavor.is_mysql();
    if mysql && let Some((limit, value)) = text.limits.iter().find(|(limit, _)| limit == "MAX_STATEMENT_TIME") {
        return Err(format!("MySQL does not know its limit {limit} {value}"));
    }
    if !text.limits.is_empty() {
        let limits: Vec<String> = text.limits.iter().map(|(limit, value)| format!("{limit} {value}")).collect();
        clauses.push_str(&format!(" WITH {}", limits.join(" ")));
    }
    if !mysql && let Some(rule) = text.rules.first() {
        return Err(format!("MariaDB does not know its rule {rule}"));
    }
    let expire = text.expire.as_ref().map(|expire| format!(" PASSWORD EXPIRE {expire}").trim_end().to_owned()).unwrap_or_default();
    if text.expire.as_ref().is_some_and(|expire| expire.starts_with("INTERVAL")) {
        told.push(format!("the age of its password: the days of{expire} begin anew"));
    }
    // MariaDB wants the lock first.
    if mysql {
        clauses.push_str(&expire);
        clauses.push_str(" ACCOUNT LOCK");
        text.rules.iter().for_each(|rule| clauses.push_str(&format!(" {rule}")));
        text.attribute.iter().for_each(|attribute| clauses.push_str(&format!(" {attribute}")));
    } else {
        clauses.push_str(" ACCOUNT LOCK");
        clauses.push_str(&expire);
        if text.attribute.is_some() {
            told.push("its comment or attributes, which MariaDB does not know".to_owned());
        }
    }
    if text.default_role {
        told.push("its default roles".to_owned());
    }
    Ok(clauses)
}
