//! The administrator's own word on what is a trunk and what an extension.

use wildmatch::WildMatch;

/// What a device is to FreePBX.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// A user's phone.
    Extension,
    /// A line to the outside.
    Trunk,
    /// Neither: left out of both lists.
    Ignored,
}

/// Names and patterns that overrule how a device is judged. `*` stands for any text and `?` for
/// one character.
#[derive(Debug, Clone, Default)]
pub struct KindRules {
    rules: Vec<(WildMatch, Kind)>,
}

impl KindRules {
    /// Rules from lists of names or patterns; where several fit, the earlier list wins.
    #[must_use]
    pub fn new(extensions: &[String], trunks: &[String], ignored: &[String]) -> Self {
        let lists =
            [(extensions, Kind::Extension), (trunks, Kind::Trunk), (ignored, Kind::Ignored)];
        let rules = lists.into_iter().flat_map(|(patterns, kind)| {
            patterns.iter().map(move |pattern| (WildMatch::new(pattern), kind))
        });
        Self { rules: rules.collect() }
    }

    /// What the administrator says of a device: by its name alone (`provider-a`), or with its
    /// technology (`PJSIP/provider-a`).
    #[must_use]
    pub fn kind(&self, tech: &str, name: &str) -> Option<Kind> {
        let full = format!("{tech}/{name}");
        let fits = |pattern: &WildMatch| pattern.matches(name) || pattern.matches(&full);
        self.rules.iter().find(|(pattern, _)| fits(pattern)).map(|(_, kind)| *kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_patterns_fit_with_and_without_technology() {
        let list = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
        let rules = KindRules::new(&list(&["9*"]), &list(&["SIP/*", "prov-?"]), &list(&["anon"]));
        assert_eq!(rules.kind("PJSIP", "99100"), Some(Kind::Extension));
        assert_eq!(rules.kind("SIP", "200"), Some(Kind::Trunk));
        assert_eq!(rules.kind("PJSIP", "prov-a"), Some(Kind::Trunk));
        assert_eq!(rules.kind("PJSIP", "anon"), Some(Kind::Ignored));
        assert_eq!(rules.kind("PJSIP", "200"), None);
    }
}
