//! What the command line says about the request: method, fields, body.

use std::fs;

use framewise::Fetch;
use framewise::http::{Method, Url};

use crate::args;
use crate::exit::{Failure, Kind};
use crate::upload::Upload;

/// The fetch that the command line asks for; what is wrong with it is told before any file is touched.
pub(crate) fn fetch_of(args: &args::Fetch) -> Result<Fetch, Failure> {
    Url::parse(&args.url).map_err(|error| Failure::of_fetch(&error.into(), &args.url))?;
    let method = match &args.request {
        Some(name) => method_of(name)?,
        None if args.head => Method::HEAD,
        None if args.upload_file.is_some() => Method::PUT,
        None if !args.data.is_empty() => Method::POST,
        None => Method::GET,
    };
    let mut fetch = Fetch::new(method, &args.url);
    for header in &args.headers {
        let (name, value) = header_of(header)?;
        fetch = fetch.header(name, value);
    }
    if !args.data.is_empty() {
        if !args.headers.iter().any(|h| h.to_ascii_lowercase().starts_with("content-type:")) {
            fetch = fetch.header("Content-Type", "application/x-www-form-urlencoded");
        }
        fetch = fetch.body(body_of(&args.data)?);
    }
    if let Some(file) = &args.upload_file {
        let upload = Upload::open(file)?;
        fetch = fetch.body_stream(upload.length(), Box::new(upload));
    }
    if let Some(limit) = args.connect_timeout {
        fetch = fetch.connect_timeout(limit);
    }
    if let Some(limit) = args.max_time {
        fetch = fetch.max_time(limit);
    }
    Ok(fetch)
}

fn method_of(name: &str) -> Result<Method, Failure> {
    Method::from_bytes(name.as_bytes()).map_err(|_| {
        Failure::new(Kind::Usage, format!("{name:?} is no method: it takes letters only, such as GET"))
    })
}

fn header_of(text: &str) -> Result<(&str, &str), Failure> {
    let (name, value) = text.split_once(':').ok_or_else(|| {
        Failure::new(Kind::Usage, format!("{text:?} is no header field: a colon is missing"))
            .next(format!("-H '{text}: VALUE'"))
    })?;
    let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    if name.is_empty() || !name.bytes().all(token) {
        return Err(Failure::new(
            Kind::Usage,
            format!("{name:?} is no field name: letters, digits and hyphens are"),
        ));
    }
    if value.bytes().any(|b| b < 0x20 && b != b'\t' || b == 0x7f) {
        return Err(Failure::new(Kind::Usage, format!("the value of {name} has a control character in it")));
    }
    Ok((name, value.trim()))
}

/// All `--data` joined by `&`, those that begin with `@` read from files.
fn body_of(data: &[String]) -> Result<Vec<u8>, Failure> {
    let mut body = Vec::new();
    for (index, part) in data.iter().enumerate() {
        if index > 0 {
            body.push(b'&');
        }
        match part.strip_prefix('@') {
            Some(file) => body.extend(
                fs::read(file)
                    .map_err(|error| Failure::new(Kind::File, format!("{file} can't be read: {error}")))?,
            ),
            None => body.extend(part.as_bytes()),
        }
    }
    Ok(body)
}
