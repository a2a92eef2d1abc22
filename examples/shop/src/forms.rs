//! Forms: their fields with what was typed, and beside each what is wrong with it.
//!
//! A rule about input stands here and not in a model, since its other half is a sentence for a reader. What must hold whoever
//! writes (one email, one review of a product, 1 to 5 stars) is in the tables, too.

use framewise_site::Field as Sent;

/// A form, as it is shown and as it came.
pub(crate) struct Form {
    pub(crate) fields: Vec<Field>,
}

/// One field of a form.
pub(crate) struct Field {
    /// By which it is sent.
    pub(crate) name: &'static str,
    /// What a reader calls it.
    pub(crate) label: &'static str,
    pub(crate) kind: Kind,
    /// What was typed.
    pub(crate) value: String,
    /// What is wrong with it.
    pub(crate) error: Option<&'static str>,
    pub(crate) hint: Option<&'static str>,
    /// What a browser may fill in: a token of HTML's `autocomplete`.
    pub(crate) autocomplete: &'static str,
}

/// What is typed into a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A line, which must not be longer than this many letters; what to say where it is missing, and where it is too long.
    Line {
        most: usize,
        missing: &'static str,
        long: &'static str,
    },
    Email,
    /// A password that is being chosen.
    NewPassword,
    /// A password that is shown again. It is only compared.
    Password,
    /// 1 to 5 stars.
    Rating,
    /// Several lines.
    Text,
}

/// Letters of an email address (RFC 5321, section 4.5.3.1.3).
const EMAIL: usize = 254;
const SHORTEST_PASSWORD: usize = 10;
/// Hashing takes time, and nobody types more.
const LONGEST_PASSWORD: usize = 200;
const TEXT: usize = 2000;

impl Field {
    pub(crate) fn new(name: &'static str, label: &'static str, kind: Kind) -> Self {
        let autocomplete = match kind {
            Kind::Email => "email",
            Kind::NewPassword => "new-password",
            Kind::Password => "current-password",
            _ => "off",
        };
        Field { name, label, kind, value: String::new(), error: None, hint: None, autocomplete }
    }

    pub(crate) fn hint(mut self, hint: &'static str) -> Self {
        self.hint = Some(hint);
        self
    }

    pub(crate) fn autocomplete(mut self, token: &'static str) -> Self {
        self.autocomplete = token;
        self
    }

    /// HTML's `type` of its input.
    pub(crate) fn input_type(&self) -> &'static str {
        match self.kind {
            Kind::Email => "email",
            Kind::NewPassword | Kind::Password => "password",
            _ => "text",
        }
    }

    /// What its input shows: what was typed, unless that is a password.
    pub(crate) fn shown(&self) -> &str {
        if self.input_type() == "password" { "" } else { &self.value }
    }

    pub(crate) fn is_text(&self) -> bool {
        self.kind == Kind::Text
    }

    pub(crate) fn is_rating(&self) -> bool {
        self.kind == Kind::Rating
    }

    /// Whether this many stars are chosen.
    pub(crate) fn is_chosen(&self, stars: &usize) -> bool {
        self.value.parse() == Ok(*stars)
    }

    /// What describes it, for `aria-describedby`.
    pub(crate) fn described_by(&self) -> String {
        let parts = [("hint", self.hint), ("error", self.error)].into_iter();
        let there = parts.filter(|(_, text)| text.is_some());
        there.map(|(part, _)| format!("{}-{part}", self.name)).collect::<Vec<_>>().join(" ")
    }

    fn fill(&mut self, typed: &str) {
        self.value = match self.kind {
            // Spaces belong to a password.
            Kind::Password | Kind::NewPassword => typed.to_owned(),
            Kind::Text => typed.replace("\r\n", "\n").trim().to_owned(),
            _ => typed.trim().to_owned(),
        };
        self.error = self.fault();
    }

    fn fault(&self) -> Option<&'static str> {
        let (value, letters) = (self.value.as_str(), self.value.chars().count());
        let may_break = self.kind == Kind::Text;
        let is_unseen = |c: char| match c {
            '\n' | '\t' => !may_break,
            // They turn the order of the letters around them: of other people's words, too.
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => true,
            c => c.is_control(),
        };
        if value.contains(is_unseen) {
            return Some("Leave out the characters that can't be seen.");
        }
        match self.kind {
            Kind::Line { missing, .. } if value.is_empty() => Some(missing),
            Kind::Line { most, long, .. } if letters > most => Some(long),
            Kind::Email if !is_email(value) => Some("Enter an email address, such as ada@example.com."),
            Kind::NewPassword if letters < SHORTEST_PASSWORD => Some("Use at least 10 characters."),
            Kind::NewPassword if letters > LONGEST_PASSWORD => Some("Use at most 200 characters."),
            Kind::Password if value.is_empty() => Some("Enter your password."),
            Kind::Password if letters > LONGEST_PASSWORD => {
                Some("Email and password do not belong together.")
            }
            Kind::Rating if !matches!(value, "1" | "2" | "3" | "4" | "5") => Some("Choose 1 to 5 stars."),
            Kind::Text if value.is_empty() => Some("Write a few words."),
            Kind::Text if letters > TEXT => Some("Use at most 2,000 characters."),
            _ => None,
        }
    }
}

/// Whether this can be an address: whether it is one, only a letter to it would tell.
fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else { return false };
    let is_domain = domain.split('.').count() > 1 && domain.split('.').all(|label| !label.is_empty());
    let is_plain = |c: char| !c.is_whitespace() && !"@<>(),;:\\\"[]".contains(c);
    text.len() <= EMAIL && !local.is_empty() && is_domain && local.chars().chain(domain.chars()).all(is_plain)
}

impl Form {
    /// What a new customer says.
    pub(crate) fn account() -> Self {
        Form {
            fields: vec![
                name(),
                Field::new("email", "Email", Kind::Email),
                Field::new("password", "Password", Kind::NewPassword).hint("At least 10 characters."),
            ],
        }
    }

    /// What a customer says who comes back.
    pub(crate) fn sign_in() -> Self {
        Form {
            fields: vec![
                Field::new("email", "Email", Kind::Email),
                Field::new("password", "Password", Kind::Password),
            ],
        }
    }

    /// What a customer is called.
    pub(crate) fn name() -> Self {
        Form { fields: vec![name()] }
    }

    /// Where parcels go.
    pub(crate) fn address() -> Self {
        let line = |missing| Kind::Line { most: 120, missing, long: "Use at most 120 characters." };
        let short = |missing| Kind::Line { most: 20, missing, long: "Use at most 20 characters." };
        Form {
            fields: vec![
                Field::new("street", "Street and number", line("Enter the street and number."))
                    .autocomplete("shipping street-address"),
                Field::new("postcode", "Postcode", short("Enter the postcode."))
                    .autocomplete("shipping postal-code"),
                Field::new("city", "Town or city", line("Enter the town or city."))
                    .autocomplete("shipping address-level2"),
                Field::new("country", "Country", line("Enter the country."))
                    .autocomplete("shipping country-name"),
            ],
        }
    }

    /// What a customer thinks of a product.
    pub(crate) fn review() -> Self {
        Form {
            fields: vec![
                Field::new("rating", "Rating", Kind::Rating),
                Field::new("text", "Review", Kind::Text),
            ],
        }
    }

    /// The same with what was sent in it, checked. Of a name that came twice the first counts.
    pub(crate) fn with(mut self, sent: &[Sent]) -> Self {
        for field in &mut self.fields {
            let typed = sent.iter().find(|sent| sent.name == field.name).map(Sent::text).unwrap_or_default();
            field.fill(&typed);
        }
        self
    }

    /// The same with what a record says in this field.
    pub(crate) fn showing(mut self, name: &str, value: &str) -> Self {
        if let Some(field) = self.field(name) {
            field.value = value.to_owned();
        }
        self
    }

    /// Whether nothing is wrong.
    pub(crate) fn is_sound(&self) -> bool {
        self.fields.iter().all(|field| field.error.is_none())
    }

    /// Says that something is wrong with this field.
    pub(crate) fn refuse(&mut self, name: &str, error: &'static str) {
        if let Some(field) = self.field(name) {
            field.error = Some(error);
        }
    }

    /// What was typed into this field.
    pub(crate) fn value(&self, name: &str) -> &str {
        self.fields.iter().find(|field| field.name == name).map_or("", |field| &field.value)
    }

    fn field(&mut self, name: &str) -> Option<&mut Field> {
        self.fields.iter_mut().find(|field| field.name == name)
    }
}

fn name() -> Field {
    let kind = Kind::Line { most: 80, missing: "Enter your name.", long: "Use at most 80 characters." };
    Field::new("name", "Name", kind).autocomplete("name")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_email_are_told_from_other_words() {
        for good in ["ada@example.com", "a.b+c@sub.example.org", "ä@bücher.example"] {
            assert!(is_email(good), "{good}");
        }
        let long = format!("{}@example.com", "a".repeat(EMAIL));
        for bad in [
            "",
            "ada",
            "@",
            "ada@",
            "@example.com",
            "ada@example",
            "a@b@c.d",
            "a b@c.d",
            "a@b..c",
            "<a@b.c>",
            &long,
        ] {
            assert!(!is_email(bad), "{bad}");
        }
    }

    #[test]
    fn what_is_wrong_stands_at_its_field() {
        let sent = |name: &str, value: &str| Sent {
            name: name.to_owned(),
            file: None,
            kind: None,
            value: value.to_owned().into(),
        };
        let form = Form::account().with(&[
            sent("name", "  Ada\u{0}"),
            sent("email", " ada@example.com "),
            sent("email", "second@example.com"),
            sent("password", "         "),
        ]);
        let errors: Vec<_> = form.fields.iter().map(|field| field.error).collect();
        let unseen = Some("Leave out the characters that can't be seen.");
        assert_eq!(errors, [unseen, None, Some("Use at least 10 characters.")]);
        assert_eq!(form.value("email"), "ada@example.com", "without the spaces, and the first of two");
        assert_eq!(form.fields[2].described_by(), "password-hint password-error");
        assert_eq!(form.fields[2].shown(), "", "a password is not shown again");
        let turned = Form::name().with(&[sent("name", "Ada\u{202e}")]);
        assert_eq!(turned.fields[0].error, unseen);
        let review = Form::review().with(&[sent("rating", "6"), sent("text", "a\r\nb\r\n")]);
        assert_eq!((review.fields[0].error, review.value("text")), (Some("Choose 1 to 5 stars."), "a\nb"));
    }
}
