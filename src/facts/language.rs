//! The languages in which people are spoken to, and what somebody wrote for them in one or more of them.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A language in which people are spoken to.
#[derive(Deserialize, Serialize, Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[serde(rename_all = "kebab-case")]
pub enum Language {
    /// English.
    #[default]
    En,
    /// French.
    Fr,
}

impl Language {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::En, Self::Fr];
    /// Their tags.
    pub const TAGS: [&'static str; 2] = [Self::En.as_str(), Self::Fr.as_str()];

    /// The language's tag (RFC 5646), as in settings, files and headers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Fr => "fr",
        }
    }

    /// What the language calls itself.
    pub fn own_name(self) -> &'static str {
        match self {
            Self::En => "English",
            Self::Fr => "Français",
        }
    }

    /// The language that a tag names: a region or a script behind it is no other language (`fr-CA`). In any case
    /// (RFC 5646 §2.1.1).
    pub fn of_tag(tag: &str) -> Option<Self> {
        let primary = tag.split('-').next().unwrap_or_default();
        Self::ALL
            .into_iter()
            .find(|one| primary.eq_ignore_ascii_case(one.as_str()))
    }
}

/// What somebody wrote for people, in the languages in which they wrote it. By itself it reads as the first of them: so do
/// records and answers for machines, and whoever reads a language that is missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wording {
    first: Arc<str>,
    others: BTreeMap<Language, Arc<str>>,
}

impl Wording {
    /// The same in another language.
    #[must_use]
    pub fn with(mut self, language: Language, text: &str) -> Self {
        self.others.insert(language, text.into());
        self
    }

    /// The text for whoever reads `language`.
    pub fn said_in(&self, language: Language) -> &str {
        self.others.get(&language).unwrap_or(&self.first)
    }
}

impl From<&str> for Wording {
    fn from(text: &str) -> Self {
        Self {
            first: text.into(),
            others: BTreeMap::new(),
        }
    }
}

impl Deref for Wording {
    type Target = str;

    fn deref(&self) -> &str {
        &self.first
    }
}

impl fmt::Display for Wording {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.first)
    }
}

impl Serialize for Wording {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        self.first.serialize(out)
    }
}

impl<'de> Deserialize<'de> for Wording {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from).map(|text| Self::from(text.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_names_its_language_wherever_it_is_spoken() {
        for (tag, language) in [
            ("fr", Some(Language::Fr)),
            ("FR-ca", Some(Language::Fr)),
            ("en-GB", Some(Language::En)),
            ("fra", None),
            ("de", None),
            ("*", None),
            ("", None),
        ] {
            assert_eq!(Language::of_tag(tag), language, "{tag}");
        }
        assert_eq!(Language::ALL.map(Language::as_str), Language::TAGS);
    }

    #[test]
    fn a_language_that_is_missing_reads_the_first() {
        let both = Wording::from("Recruiting").with(Language::Fr, "Recrutement");
        assert_eq!(both.said_in(Language::Fr), "Recrutement");
        assert_eq!(both.said_in(Language::En), "Recruiting");
        assert_eq!(Wording::from("Recruiting").said_in(Language::Fr), "Recruiting");
        assert_eq!(serde_json::to_string(&both).unwrap(), "\"Recruiting\"");
    }
}
