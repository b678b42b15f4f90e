//! How deep a text of Cedar goes, told before it is parsed. Pure.
//!
//! Cedar's parser, and everything that walks the tree it makes, calls itself for each level of that tree. A text that
//! anybody may write must not use up the stack of the thread that reads it, or of one that judges by it: that would end the
//! whole program, and not be an error of anybody. Brackets and operators are counted alone, so that a text may be less deep
//! than is said here, and never deeper. What passes is measured exactly once it is parsed, by [`depth`](super::depth).

use crate::facts::{Problem, SourceText};

/// Brackets in brackets, and `if` in `if`. Of the stack of a worker, 2 MiB, each takes about 16 KiB while it is read.
const MOST_NESTED: usize = 64;
/// Operators one after the other, with those in brackets among them: `a && b && c` is two levels deep.
/// Each takes about 5 KiB while it is judged.
const MOST_CHAINED: usize = 256;

/// What is written in Cedar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cedar {
    /// Rules, or an expression of one.
    Rules,
    /// A schema, where `<` and `>` are brackets.
    Schema,
}

/// Where a text becomes too deep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooDeep {
    /// The byte at which it does.
    pub at: usize,
    what: &'static str,
    most: usize,
}

impl TooDeep {
    /// What is wrong.
    pub fn message(&self) -> String {
        format!("{} {} deep is more than is read", self.what, self.most + 1)
    }

    /// What to do.
    pub fn help(&self) -> &'static str {
        if self.most == MOST_CHAINED {
            "write a long `||` of names as `[\"…\"].contains(resource.host)`, or as several rules"
        } else {
            "split it into several rules, or write it flat: `a && b` instead of brackets in brackets"
        }
    }

    pub(super) fn problem(&self, code: &str, source: &SourceText) -> Problem {
        Problem::error(code, source, (self.at, 1), self.message()).with_help(self.help())
    }
}

/// What is open: a bracket, or the text itself.
#[derive(Clone, Copy, Debug, Default)]
struct Level {
    /// `if`s that wait for their end.
    ifs: usize,
    /// Operators of the expression that is being read,
    operators: usize,
    /// the most in one of its brackets,
    within: usize,
    /// and the attributes of attributes that end it.
    dots: usize,
    /// The most of the expressions before it.
    before: usize,
}

impl Level {
    fn chained(self) -> usize {
        self.operators + self.within.max(self.dots)
    }

    fn operator(&mut self) {
        self.operators += 1;
        self.within = self.within.max(self.dots);
        self.dots = 0;
    }

    /// The expression is over; another may follow.
    fn next(&mut self) {
        *self = Self {
            before: self.before.max(self.chained()),
            ..Self::default()
        };
    }
}

/// Where a text becomes too deep, if it does.
pub fn too_deep(text: &str, cedar: Cedar) -> Option<TooDeep> {
    let (mut outer, mut level): (Vec<Level>, Level) = Default::default();
    for (at, token) in tokens(text, cedar) {
        match token {
            Token::Open => outer.push(std::mem::take(&mut level)),
            Token::Close => {
                level.next();
                let within = level.before;
                level = outer.pop().unwrap_or_default();
                level.within = level.within.max(within);
            }
            Token::Comma => level.next(),
            Token::End => level = Level::default(),
            Token::If => level.ifs += 1,
            Token::Operator => level.operator(),
            Token::Dot => level.dots += 1,
        }
        let nested = outer.len() + level.ifs + outer.iter().map(|level| level.ifs).sum::<usize>();
        let refused = |what, most| Some(TooDeep { at, what, most });
        if nested > MOST_NESTED {
            return refused("brackets", MOST_NESTED);
        }
        if level.chained() > MOST_CHAINED {
            return refused("a chain", MOST_CHAINED);
        }
    }
    None
}

enum Token {
    Open,
    Close,
    Comma,
    End,
    If,
    Operator,
    Dot,
}

/// What matters of a text, outside texts in quotes and comments.
fn tokens(text: &str, cedar: Cedar) -> impl Iterator<Item = (usize, Token)> {
    let code = super::rule::without_comments(text);
    let (mut quoted, mut escaped, mut before) = (false, false, ' ');
    // whether what was last read can have an attribute: then a `[` asks for one, and does not begin a set
    let mut is_operand = false;
    let mut word = String::new();
    let mut found = Vec::new();
    for (at, c) in code.char_indices().chain([(text.len(), ' ')]) {
        if c == '"' && !escaped {
            quoted = !quoted;
        }
        escaped = quoted && c == '\\' && !escaped;
        if quoted {
            continue;
        }
        let last = std::mem::replace(&mut before, c);
        let after_operand = is_operand;
        is_operand = matches!(c, ')' | ']' | '"' | '_') || c.is_alphanumeric() || (is_operand && c.is_whitespace());
        if last == '!' && c != '=' {
            found.push((at, Token::Operator));
        }
        if c.is_alphanumeric() || c == '_' {
            word.push(c);
            continue;
        }
        match std::mem::take(&mut word).as_str() {
            "if" => found.push((at, Token::If)),
            "when" | "unless" => found.push((at, Token::Operator)),
            _ => {}
        }
        let token = match c {
            '(' | '[' | '{' => Some(Token::Open),
            ')' | ']' | '}' => Some(Token::Close),
            '<' if cedar == Cedar::Schema => Some(Token::Open),
            '>' if cedar == Cedar::Schema => Some(Token::Close),
            ',' => Some(Token::Comma),
            ';' => Some(Token::End),
            '+' | '-' | '*' => Some(Token::Operator),
            '.' => Some(Token::Dot),
            '&' | '|' if last == c => Some(Token::Operator),
            _ => None,
        };
        if c == '[' && after_operand {
            found.push((at, Token::Dot));
        }
        found.extend(token.map(|token| (at, token)));
    }
    found.into_iter()
}
