//! Patterns of paths: `/items/{id}`, `/static/{*rest}`.

use framewise_http::Params;
use percent_encoding::percent_decode_str;

/// A path with names in the place of parts that vary.
///
/// ```
/// use framewise_site::Pattern;
/// let items = Pattern::parse("/items/{id}").unwrap();
/// assert_eq!(items.matches("/items/7").unwrap().get("id"), Some("7"));
/// assert!(items.matches("/items/7/photo").is_none());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    text: String,
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    /// This text.
    Fixed(String),
    /// Any one part that is not empty.
    One(String),
    /// All that is left, slashes included.
    Rest(String),
}

/// Why a text is not a pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// It does not begin with a slash.
    #[error("a pattern begins with /, but this is {0:?}")]
    NoSlash(String),
    /// A part is neither text nor one whole name in braces.
    #[error("a part of a pattern is text, {{name}} or {{*name}}, but this is {0:?}")]
    BadPart(String),
    /// Something follows `{*name}`.
    #[error("{{*{0}}} takes all that is left, so nothing may follow it")]
    RestNotLast(String),
}

impl Pattern {
    /// Reads a pattern.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let Some(rest) = text.strip_prefix('/') else {
            return Err(PatternError::NoSlash(text.to_owned()));
        };
        let mut parts = Vec::new();
        for part in rest.split('/') {
            if let Some(Part::Rest(name)) = parts.last() {
                return Err(PatternError::RestNotLast(name.clone()));
            }
            parts.push(Part::parse(part)?);
        }
        Ok(Pattern { text: text.to_owned(), parts })
    }

    /// The pattern as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What the names stand for in `path`, decoded, if it fits.
    pub fn matches(&self, path: &str) -> Option<Params> {
        let mut rest = Some(path.strip_prefix('/')?);
        let mut params = Params::default();
        for part in &self.parts {
            let all = rest?;
            let (this, left) = match all.split_once('/') {
                Some((this, left)) => (this, Some(left)),
                None => (all, None),
            };
            rest = left;
            match part {
                Part::Fixed(text) => (decode(this)? == *text).then_some(())?,
                Part::One(name) if !this.is_empty() => params.push(name, decode(this)?),
                Part::One(_) => return None,
                Part::Rest(name) => {
                    params.push(name, decode(all)?);
                    rest = None;
                }
            }
        }
        rest.is_none().then_some(params)
    }

    /// How exact it is: of two patterns that fit, the one with more fixed parts from the left wins.
    pub(crate) fn rank(&self) -> Vec<u8> {
        let rank = |part: &Part| match part {
            Part::Fixed(_) => 0,
            Part::One(_) => 1,
            Part::Rest(_) => 2,
        };
        self.parts.iter().map(rank).collect()
    }
}

impl Part {
    fn parse(text: &str) -> Result<Self, PatternError> {
        let inner = text.strip_prefix('{').and_then(|text| text.strip_suffix('}'));
        let (part, name) = match inner {
            None => (Part::Fixed(text.to_owned()), text),
            Some(inner) => match inner.strip_prefix('*') {
                Some(name) => (Part::Rest(name.to_owned()), name),
                None => (Part::One(inner.to_owned()), inner),
            },
        };
        let nameless = inner.is_some() && name.is_empty();
        if nameless || name.contains(['{', '}', '*']) {
            return Err(PatternError::BadPart(text.to_owned()));
        }
        Ok(part)
    }
}

fn decode(text: &str) -> Option<String> {
    let decoded = percent_decode_str(text).decode_utf8().ok()?;
    Some(decoded.into_owned())
}
