//! Mails in words that a pool brings itself: HTML with placeholders, sent as it is.

use minijinja::HtmlEscape;
use zeroize::Zeroize as _;

use super::{Mail, one_line};

/// Words in place of a template's; what is absent stays the template's.
#[derive(Clone, Copy)]
pub struct OwnText<'a> {
    /// The subject.
    pub subject: Option<&'a str>,
    /// The mail, in HTML.
    pub message: Option<&'a str>,
}

impl Mail {
    /// The same mail in a pool's own words, with values in place of their names. Such a mail is HTML alone, as
    /// Cognito sends it; values are no HTML.
    pub fn in_words(mut self, own: OwnText<'_>, values: &[(&str, &str)]) -> Self {
        if let Some(subject) = own.subject {
            self.subject = one_line(&filled(subject, values));
        }
        if let Some(message) = own.message {
            let escaped: Vec<(&str, String)> =
                values.iter().map(|(name, value)| (*name, HtmlEscape(value).to_string())).collect();
            let escaped: Vec<(&str, &str)> = escaped.iter().map(|(name, value)| (*name, value.as_str())).collect();
            self.text.zeroize();
            self.html = filled(message, &escaped);
        }
        self
    }

    /// The same text message in a pool's own words, with values in place of their names.
    pub fn in_plain_words(mut self, own: Option<&str>, values: &[(&str, &str)]) -> Self {
        if let Some(message) = own {
            self.text.zeroize();
            self.text = filled(message, values);
        }
        self
    }
}

/// A text with values in place of their names. What a value holds is never taken for a name.
fn filled(text: &str, values: &[(&str, &str)]) -> String {
    let Some(((name, value), others)) = values.split_first() else { return text.to_owned() };
    let parts: Vec<String> = text.split(name).map(|part| filled(part, others)).collect();
    parts.join(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALUES: [(&str, &str); 2] = [("{####}", "<1&2>"), ("{username}", "{####}")];

    #[test]
    fn values_stand_where_their_names_were_and_bring_no_names_of_their_own() {
        assert_eq!(filled("{username}: {####}, {####}", &VALUES), "{####}: <1&2>, <1&2>");
        assert_eq!(filled("{##username}", &VALUES), "{##username}");
    }

    #[test]
    fn own_words_replace_only_what_they_are_about() {
        let usual = || Mail { to: "a@b.c".into(), subject: "s".into(), text: "t".into(), html: "h".into() };
        let named = usual().in_words(OwnText { subject: Some("Hi\n{username}"), message: None }, &VALUES);
        assert_eq!((&*named.subject, &*named.text, &*named.html), ("Hi {####}", "t", "h"));
        let told = usual().in_words(OwnText { subject: None, message: Some("<b>{####}</b>") }, &VALUES);
        assert_eq!((&*told.subject, &*told.text, &*told.html), ("s", "", "<b>&lt;1&amp;2&gt;</b>"));
    }
}
