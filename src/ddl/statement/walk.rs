//! A walk over the tokens of a statement that mean something.

use super::{Name, NameKind};
use crate::ddl::lex::{self, Kind, Mode, Token};

/// Where a walk stands and what it walks over.
pub(super) struct Walk<'a> {
    pub(super) text: &'a str,
    tokens: Vec<Token>,
    at: usize,
}

impl<'a> Walk<'a> {
    pub(super) fn new(text: &'a str, mode: Mode) -> Self {
        let mut tokens = lex::significant(text, mode);
        tokens.retain(|t| !matches!(t.kind, Kind::ExecOpen | Kind::ExecClose));
        // A statement may end with a semicolon; two statements it cannot be.
        while tokens.last().is_some_and(|t| t.is_symbol(text, ";")) {
            tokens.pop();
        }
        Self { text, tokens, at: 0 }
    }

    pub(super) fn mark(&self) -> usize {
        self.at
    }

    pub(super) fn back_to(&mut self, mark: usize) {
        self.at = mark;
    }

    pub(super) fn peek(&self) -> Option<Token> {
        self.tokens.get(self.at).copied()
    }

    pub(super) fn ahead(&self, by: usize) -> Option<Token> {
        self.tokens.get(self.at + by).copied()
    }

    pub(super) fn at_end(&self) -> bool {
        self.at >= self.tokens.len()
    }

    pub(super) fn skip(&mut self, tokens: usize) {
        self.at = (self.at + tokens).min(self.tokens.len());
    }

    pub(super) fn next(&mut self) -> Option<Token> {
        let token = self.peek()?;
        self.at += 1;
        Some(token)
    }

    /// Where the next token begins; the text's end behind the last.
    pub(super) fn start(&self) -> usize {
        self.peek().map_or(self.text.len(), |t| t.start)
    }

    /// Where the last token that was walked over ends.
    pub(super) fn end(&self) -> usize {
        self.at.checked_sub(1).and_then(|i| self.tokens.get(i)).map_or(0, |t| t.end)
    }

    /// The next token's text.
    pub(super) fn word(&self) -> &'a str {
        self.peek().map_or("", |t| t.text(self.text))
    }

    pub(super) fn is_word(&self, word: &str) -> bool {
        self.peek().is_some_and(|t| t.is_word(self.text, word))
    }

    pub(super) fn is_any(&self, words: &[&str]) -> bool {
        words.iter().any(|w| self.is_word(w))
    }

    pub(super) fn is_symbol(&self, symbol: &str) -> bool {
        self.peek().is_some_and(|t| t.is_symbol(self.text, symbol))
    }

    pub(super) fn at_words(&self, words: &[&str]) -> bool {
        words.iter().enumerate().all(|(i, w)| self.ahead(i).is_some_and(|t| t.is_word(self.text, w)))
    }

    pub(super) fn at_word_symbol(&self, word: &str, symbol: &str) -> bool {
        self.is_word(word) && self.ahead(1).is_some_and(|t| t.is_symbol(self.text, symbol))
    }

    pub(super) fn eat_word(&mut self, word: &str) -> bool {
        let found = self.is_word(word);
        self.at += usize::from(found);
        found
    }

    pub(super) fn eat_words(&mut self, words: &[&str]) -> bool {
        let found = self.at_words(words);
        if found {
            self.at += words.len();
        }
        found
    }

    pub(super) fn eat_symbol(&mut self, symbol: &str) -> bool {
        let found = self.is_symbol(symbol);
        self.at += usize::from(found);
        found
    }

    /// Over the next token, or over a whole parenthesised group when it opens one.
    pub(super) fn skip_group(&mut self) {
        let mut depth = 0_usize;
        while let Some(token) = self.next() {
            if token.is_symbol(self.text, "(") {
                depth += 1;
            } else if token.is_symbol(self.text, ")") {
                depth = depth.saturating_sub(1);
            }
            if depth == 0 {
                return;
            }
        }
    }

    /// Tokens up to the parenthesis that closes the group in which the walk stands.
    pub(super) fn inside_group(&self) -> Option<usize> {
        let mut depth = 1_usize;
        for (i, token) in self.tokens[self.at..].iter().enumerate() {
            if token.is_symbol(self.text, "(") {
                depth += 1;
            } else if token.is_symbol(self.text, ")") {
                depth -= 1;
                if depth == 0 {
                    return Some(i);
                }
            }
        }
        None
    }

    /// A walk over the next tokens alone.
    pub(super) fn part(&self, tokens: usize) -> Walk<'a> {
        Walk { text: self.text, tokens: self.tokens[self.at..self.at + tokens].to_vec(), at: 0 }
    }

    /// A single identifier.
    pub(super) fn identifier(&mut self) -> Option<(String, Token)> {
        let token = self.peek().filter(|t| matches!(t.kind, Kind::Word | Kind::Quoted))?;
        self.at += 1;
        Some((lex::name_of(token.text(self.text)), token))
    }

    /// `name`, `database.name` or `.name`.
    pub(super) fn name(&mut self, kind: NameKind) -> Option<Name> {
        let start = self.start();
        if self.eat_symbol(".") {
            let (name, token) = self.identifier()?;
            return Some(Name { kind, database: None, name, span: start..token.end, clause: None });
        }
        let (first, token) = self.identifier()?;
        if !self.eat_symbol(".") {
            return Some(Name { kind, database: None, name: first, span: token.span(), clause: None });
        }
        let (name, last) = self.identifier()?;
        Some(Name { kind, database: Some(first), name, span: start..last.end, clause: None })
    }

    /// Names between commas.
    pub(super) fn names(&mut self, kind: NameKind) -> Option<Vec<Name>> {
        let mut names = vec![self.name(kind)?];
        while self.eat_symbol(",") {
            names.push(self.name(kind)?);
        }
        Some(names)
    }

    /// The first keywords, for a message: nothing that could be a value or a name of somebody's.
    pub(super) fn first_words(&self) -> String {
        let words = self.tokens[self.at..].iter().take_while(|t| t.kind == Kind::Word).take(2);
        words.map(|t| t.text(self.text).to_ascii_uppercase()).collect::<Vec<_>>().join(" ")
    }
}
