//! What the command line says about the request: method, fields, body, and what may follow.

use framewise::http::{Method, Url};
use framewise::{Decoding, Fetch, Retry};

use crate::args;
use crate::data;
use crate::exit::{Failure, Kind};
use crate::form;
use crate::upload::Upload;

/// The fetch that the command line asks for; what is wrong with it is told before any file is touched.
/// The run's clock begins at second `epoch` since 1970.
pub(crate) fn fetch_of(args: &args::Fetch, epoch: u64) -> Result<Fetch, Failure> {
    let http = &args.http;
    let url = Url::parse(&args.url).map_err(|error| Failure::of_fetch(&error.into(), &args.url))?;
    let data = data::of(http)?;
    let (url, data) =
        if http.get { (data::in_query(&url, data.as_deref()), None) } else { (args.url.clone(), data) };
    let mut fetch = Fetch::new(method(http, data.is_some())?, url);
    for header in &http.headers {
        let (name, value) = header_of(header)?;
        fetch = fetch.header(name, value);
    }
    if let Some(data) = data {
        if !http.headers.iter().any(|h| h.to_ascii_lowercase().starts_with("content-type:")) {
            fetch = fetch.header("Content-Type", "application/x-www-form-urlencoded");
        }
        fetch = fetch.body(data);
    }
    if let Some(file) = &http.upload_file {
        let upload = Upload::open(file)?;
        fetch = upload.into_body(fetch);
    }
    if !http.form.is_empty() {
        fetch = fetch.form(form::of(&http.form)?);
    }
    fetch = what_may_follow(http, fetch, epoch)?;
    if let Some(limit) = args.connect_timeout {
        fetch = fetch.connect_timeout(limit);
    }
    if let Some(limit) = args.max_time {
        fetch = fetch.max_time(limit);
    }
    Ok(fetch)
}

fn method(http: &args::Http, has_data: bool) -> Result<Method, Failure> {
    match &http.request {
        Some(name) => method_of(name),
        None if http.head && has_data => {
            Err(Failure::new(Kind::Usage, "--head asks for a head alone, and sends no --data")
                .next("the same with --get, which puts the data into the URL"))
        }
        None if http.head => Ok(Method::HEAD),
        None if http.upload_file.is_some() => Ok(Method::PUT),
        None if has_data || !http.form.is_empty() => Ok(Method::POST),
        None => Ok(Method::GET),
    }
}

/// Redirects, retries, content codings, and as whom.
fn what_may_follow(http: &args::Http, mut fetch: Fetch, epoch: u64) -> Result<Fetch, Failure> {
    if http.location {
        fetch = fetch.follow_redirects(http.max_redirs);
    }
    if http.retry > 0 {
        fetch = fetch.retry(Retry { times: http.retry, delay: http.retry_delay, epoch: Some(epoch) });
    }
    if http.compressed {
        fetch = fetch.decode(Decoding::default());
    }
    let Some(user) = &http.user else { return Ok(fetch) };
    let (name, password) = user.split_once(':').ok_or_else(|| {
        Failure::new(Kind::Usage, "--user takes a name and a password with a colon between them")
            .next(format!("-u '{user}:PASSWORD'"))
    })?;
    Ok(fetch.user(name, password))
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
    if has_control(value) {
        return Err(Failure::new(Kind::Usage, format!("the value of {name} has a control character in it")));
    }
    Ok((name, value.trim()))
}

/// Whether a field's value may not hold this (RFC 9110, section 5.5).
pub(crate) fn has_control(value: &str) -> bool {
    value.bytes().any(|b| b < 0x20 && b != b'\t' || b == 0x7f)
}
