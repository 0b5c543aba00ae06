//! Colour, or none.

/// Paints text when colour is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Paint {
    /// Whether colour is wanted.
    pub color: bool,
}

impl Paint {
    /// With or without colour.
    pub fn new(color: bool) -> Self {
        Self { color }
    }

    fn wrap(self, code: &str, text: &str) -> String {
        if self.color && !text.is_empty() { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    /// For errors, what is unsafe and what is blocked: bold red.
    pub fn bad(self, text: &str) -> String {
        self.wrap("1;31", text)
    }

    /// For alerts: yellow.
    pub fn alert(self, text: &str) -> String {
        self.wrap("33", text)
    }

    /// For what is well: green.
    pub fn good(self, text: &str) -> String {
        self.wrap("32", text)
    }

    /// For hints and names to type: cyan.
    pub fn hint(self, text: &str) -> String {
        self.wrap("36", text)
    }

    /// For headings: bold.
    pub fn strong(self, text: &str) -> String {
        self.wrap("1", text)
    }

    /// For what is beside the point: dim.
    pub fn dim(self, text: &str) -> String {
        self.wrap("2", text)
    }
}
