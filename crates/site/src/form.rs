//! Forms as browsers send them, urlencoded or in parts with files, within limits.
//!
//! Read RFC 7578 and the section "application/x-www-form-urlencoded" of the WHATWG's URL standard first. Parts are split by
//! `multer`, which is given the whole body, so that it never has to wait.

use std::borrow::Cow;
use std::convert::Infallible;
use std::future::ready;

use bytes::Bytes;
use framewise_http::{Problem, Request, Response, StatusCode};
use futures_util::{FutureExt, stream};
use multer::{Constraints, Multipart, SizeLimit};

/// The bounds of a form. Its body as a whole is bounded by whoever collects it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FormLimits {
    /// Fields, files included.
    pub fields: usize,
    /// Bytes of a field's name, and of a file's.
    pub name_bytes: usize,
    /// Bytes of a field's value, or of a file.
    pub value_bytes: u64,
}

impl Default for FormLimits {
    fn default() -> Self {
        FormLimits { fields: 100, name_bytes: 256, value_bytes: 16 * 1024 * 1024 }
    }
}

/// One field of a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// The file's name, if it is one: as the client says, so never to be used as a path.
    pub file: Option<String>,
    /// The file's type, as the client says.
    pub kind: Option<String>,
    /// The value, or what is in the file.
    pub value: Bytes,
}

impl Field {
    /// The value as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.value).into_owned()
    }
}

/// Why a request holds no form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FormError {
    /// It does not say that it is one.
    #[error("this is no form of a kind that is known here")]
    NoForm,
    /// It says so, and is none.
    #[error("the form can't be read: {0}")]
    Malformed(String),
    /// There are more fields than are taken.
    #[error("the form has more than {0} fields")]
    TooManyFields(usize),
    /// A name is longer than one may be.
    #[error("a field's name is longer than {0} bytes")]
    NameTooLong(usize),
    /// A value, or a file, is longer than one may be.
    #[error("a field is longer than {0} bytes")]
    ValueTooLong(u64),
}

impl FormError {
    /// What was wrong, and what would be right.
    pub fn problem(&self) -> Problem {
        let (status, right, source) = match self {
            FormError::NoForm => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "Send it as application/x-www-form-urlencoded or multipart/form-data, as in: curl -F item=tea -F count=2",
                "RFC 9110 §15.5.16",
            ),
            FormError::Malformed(_) => {
                (StatusCode::BAD_REQUEST, "Send it as in: curl -F item=tea -F count=2", "RFC 7578 §4")
            }
            _ => (StatusCode::PAYLOAD_TOO_LARGE, "Send less.", "RFC 9110 §15.5.14"),
        };
        Problem::new(status, format!("{self}."), right).by(source)
    }

    /// The page that says so.
    pub fn answer(&self, request: &Request) -> Response {
        let page = self.problem().answer(request);
        match self {
            FormError::NoForm => {
                page.header("Accept-Post", "application/x-www-form-urlencoded, multipart/form-data")
            }
            _ => page,
        }
    }
}

/// The fields of the form in a request's body, in order.
///
/// ```
/// use framewise_site::{FormLimits, form};
/// # use framewise_http::{ConnInfo, Method, Params, Request, RequestHead, Version};
/// # let kind = [("Content-Type", "application/x-www-form-urlencoded")].into_iter().collect();
/// # let head = RequestHead { method: Method::POST, target: "/".into(), version: Version::Http11, headers: kind };
/// # let end = "192.0.2.10:80".parse().unwrap();
/// # let connection = ConnInfo { local: end, remote: end, tls: None };
/// # let request = Request { head, connection, params: Params::default(), body: "item=green+tea&count=2".into() };
/// let fields = form(&request, &FormLimits::default())?;
/// assert_eq!((fields[0].name.as_str(), fields[0].text().as_str()), ("item", "green tea"));
/// # Ok::<(), framewise_site::FormError>(())
/// ```
pub fn form(request: &Request, limits: &FormLimits) -> Result<Vec<Field>, FormError> {
    let kind = request.header("content-type").unwrap_or_default();
    let fields = match multer::parse_boundary(kind) {
        Ok(boundary) => parts(request.body.clone(), boundary, limits)?,
        Err(multer::Error::NoBoundary) => {
            return Err(FormError::Malformed("its type says no boundary".to_owned()));
        }
        Err(_) => pairs(request, limits)?,
    };
    check(fields, limits)
}

/// As `application/x-www-form-urlencoded`.
fn pairs(request: &Request, limits: &FormLimits) -> Result<Vec<Field>, FormError> {
    let pairs = request.form_pairs().ok_or(FormError::NoForm)?.take(limits.fields.saturating_add(1));
    let field = |(name, value): (Cow<'_, str>, Cow<'_, str>)| Field {
        name: name.into_owned(),
        file: None,
        kind: None,
        value: value.into_owned().into(),
    };
    Ok(pairs.map(field).collect())
}

/// As `multipart/form-data`.
fn parts(body: Bytes, boundary: String, limits: &FormLimits) -> Result<Vec<Field>, FormError> {
    let size = SizeLimit::new().per_field(limits.value_bytes);
    let whole = stream::once(ready(Ok::<_, Infallible>(body)));
    let mut multipart = Multipart::with_constraints(whole, boundary, Constraints::new().size_limit(size));
    let most = limits.fields.saturating_add(1);
    let all = async {
        let mut fields = Vec::new();
        while fields.len() < most
            && let Some(part) = multipart.next_field().await?
        {
            fields.push(Field {
                name: part.name().unwrap_or_default().to_owned(),
                file: part.file_name().map(str::to_owned),
                kind: part.content_type().map(ToString::to_string),
                value: part.bytes().await?,
            });
        }
        Ok(fields)
    };
    let fields = all.now_or_never().unwrap_or(Err(multer::Error::IncompleteStream));
    fields.map_err(|error| match error {
        multer::Error::FieldSizeExceeded { limit, .. } => FormError::ValueTooLong(limit),
        error => FormError::Malformed(error.to_string()),
    })
}

fn check(fields: Vec<Field>, limits: &FormLimits) -> Result<Vec<Field>, FormError> {
    if fields.len() > limits.fields {
        return Err(FormError::TooManyFields(limits.fields));
    }
    let is_long = |name: &str| name.len() > limits.name_bytes;
    for field in &fields {
        if is_long(&field.name) || field.file.as_deref().is_some_and(is_long) {
            return Err(FormError::NameTooLong(limits.name_bytes));
        }
        if field.value.len() as u64 > limits.value_bytes {
            return Err(FormError::ValueTooLong(limits.value_bytes));
        }
    }
    Ok(fields)
}
