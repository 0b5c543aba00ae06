//! Text for people: names made harmless, figures made short, sentences kept within a width.

/// Replaces what could move a cursor, break a line, hide or reorder text: control characters, and Unicode's line separators, direction
/// marks and invisible characters. A table's name can hold any of these.
pub fn harmless(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' => {
                out.push_str(&format!("\\u{{{:x}}}", u32::from(c)));
            }
            '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}' => out.push_str(&format!("\\u{{{:x}}}", u32::from(c))),
            c if c.is_control() => out.push_str(&format!("\\u{{{:x}}}", u32::from(c))),
            c => out.push(c),
        }
    }
    out
}

/// As [`harmless`], line by line: line feeds stay.
pub fn harmless_lines(text: &str) -> String {
    text.split('\n').map(harmless).collect::<Vec<_>>().join("\n")
}

/// Bytes in binary units with three digits at most: `310 MiB`, `1.5 GiB`.
pub fn bytes(bytes: u64) -> String {
    scaled(bytes, 1024.0, &["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"])
}

/// A count with three digits at most: `812`, `1.2 M`.
pub fn count(count: u64) -> String {
    scaled(count, 1000.0, &["", "k", "M", "G", "T", "P", "E"])
}

fn scaled(value: u64, step: f64, units: &[&str]) -> String {
    // Three digits are shown; what an f64 rounds away is far behind them.
    #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
    let mut scaled = value as f64;
    let mut unit = 0;
    while scaled >= step - 0.5 && unit + 1 < units.len() {
        scaled /= step;
        unit += 1;
    }
    let digits = if unit == 0 || scaled >= 9.95 { format!("{scaled:.0}") } else { format!("{scaled:.1}") };
    if units[unit].is_empty() { digits } else { format!("{digits} {}", units[unit]) }
}

/// `1 table`, `2 tables`.
pub fn plural(count: u64, one: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{count} {one}s") }
}

/// At most `most` of the names, joined by commas, and how many more there are.
pub fn some_of<S: AsRef<str>>(names: &[S], most: usize) -> String {
    let mut text = names.iter().take(most).map(|n| harmless(n.as_ref())).collect::<Vec<_>>().join(", ");
    if names.len() > most {
        text.push_str(&format!(" and {} more", names.len() - most));
    }
    text
}

/// Breaks a sentence at spaces so that no line is longer than `width` characters, words that are longer apart. The first line begins with
/// `first`, the others with `rest`. What stands between backticks is a command to be copied and stays in one piece.
pub fn wrap(text: &str, width: usize, first: &str, rest: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut line = first.to_owned();
    let mut empty = true;
    let mut quoted = false;
    let words = text.split(|c: char| {
        quoted ^= c == '`';
        c == ' ' && !quoted
    });
    for word in words {
        if !empty && line.chars().count() + 1 + word.chars().count() > width {
            lines.push(std::mem::replace(&mut line, rest.to_owned()));
            empty = true;
        }
        if !empty {
            line.push(' ');
        }
        line.push_str(word);
        empty = false;
    }
    lines.push(line);
    lines.iter().map(|l| l.trim_end()).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_fake_output() {
        assert_eq!(harmless("a\nb\u{1b}[31mc\u{202e}d"), "a\\nb\\u{1b}[31mc\\u{202e}d");
        assert_eq!(harmless("große_tabelle 表"), "große_tabelle 表");
        assert_eq!(harmless_lines("a\nb\r"), "a\nb\\r");
    }

    #[test]
    fn figures_are_short() {
        assert_eq!([0, 812, 999, 1000, 1_234_567, 12_345_678].map(count), ["0", "812", "999", "1.0 k", "1.2 M", "12 M"]);
        assert_eq!([0, 1023, 1024, 310 << 20, 3 << 29].map(bytes), ["0 B", "1023 B", "1.0 KiB", "310 MiB", "1.5 GiB"]);
        assert_eq!(plural(1, "table"), "1 table");
        assert_eq!(some_of(&["a", "b", "c"], 2), "a, b and 1 more");
    }

    #[test]
    fn sentences_keep_within_the_width() {
        assert_eq!(wrap("one two three four", 9, "", "  "), "one two\n  three\n  four");
        assert_eq!(wrap("say `one two` three", 8, "", ""), "say\n`one two`\nthree");
        assert_eq!(wrap("a-very-long-word b", 5, "> ", "  "), "> a-very-long-word\n  b");
    }
}
