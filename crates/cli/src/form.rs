//! `--form`: the fields of a form of several parts, files among them.

use std::path::Path;

use framewise::{Form, Part};

use crate::exit::{Failure, Kind};
use crate::upload::{Upload, read};

/// The form that these fields are.
pub(crate) fn of(fields: &[String]) -> Result<Form, Failure> {
    fields.iter().try_fold(Form::new(), |form, field| Ok(form.part(part(field)?)))
}

/// One field, as it is written.
#[derive(Debug, PartialEq, Eq)]
struct Field<'a> {
    name: &'a str,
    value: Value<'a>,
    content_type: Option<&'a str>,
    file_name: Option<&'a str>,
}

/// Where a field's value comes from.
#[derive(Debug, PartialEq, Eq)]
enum Value<'a> {
    Text(&'a str),
    /// A file, which is sent as one.
    File(&'a str),
    /// What is in a file.
    Content(&'a str),
}

fn part(field: &str) -> Result<Part, Failure> {
    let field = parse(field)?;
    let mut part = match field.value {
        Value::Text(text) => Part::bytes(field.name, text.to_owned()),
        Value::Content(file) => Part::bytes(field.name, read(file.as_ref())?),
        Value::File(file) => {
            let name = Path::new(file).file_name().map(|name| name.to_string_lossy().into_owned());
            let part = Upload::open(file.as_ref())?.into_part(field.name);
            part.file_name(name.unwrap_or_default()).content_type("application/octet-stream")
        }
    };
    if let Some(content_type) = field.content_type {
        part = part.content_type(content_type);
    }
    if let Some(name) = field.file_name {
        part = part.file_name(name);
    }
    Ok(part)
}

fn parse(field: &str) -> Result<Field<'_>, Failure> {
    let (name, rest) = field.split_once('=').filter(|(name, _)| !name.is_empty()).ok_or_else(|| {
        Failure::new(Kind::Usage, format!("{field:?} is no field of a form: a name, = and a value are"))
            .next("-F name=value, or -F name=@FILE")
    })?;
    let (mut rest, mut content_type, mut file_name) = (rest, None, None);
    // From behind, so that a value may have semicolons of its own.
    while let Some((value, said)) = rest.rsplit_once(';') {
        match said.trim_start().split_once('=') {
            Some(("type", it)) if content_type.is_none() => content_type = Some(it),
            Some(("filename", it)) if file_name.is_none() => file_name = Some(it),
            _ => break,
        }
        rest = value;
    }
    let value = match (rest.strip_prefix('@'), rest.strip_prefix('<')) {
        (Some(file), _) => Value::File(file),
        (_, Some(file)) => Value::Content(file),
        _ => Value::Text(rest),
    };
    Ok(Field { name, value, content_type, file_name })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_read_as_curl_reads_it() {
        let field = |text: &'static str| {
            let field = parse(text).expect("it is a field");
            (field.name, field.value, field.content_type, field.file_name)
        };
        assert_eq!(field("item=tea"), ("item", Value::Text("tea"), None, None));
        assert_eq!(field("a=b=c;d"), ("a", Value::Text("b=c;d"), None, None));
        assert_eq!(field("a="), ("a", Value::Text(""), None, None));
        assert_eq!(
            field("p=@tea.png;type=image/png"),
            ("p", Value::File("tea.png"), Some("image/png"), None)
        );
        assert_eq!(
            field("p=@/tmp/x; filename=tea.png;type=image/png"),
            ("p", Value::File("/tmp/x"), Some("image/png"), Some("tea.png"))
        );
        assert_eq!(field("t=<notes"), ("t", Value::Content("notes"), None, None));
        assert!(parse("no value").is_err() && parse("=x").is_err());
    }
}
