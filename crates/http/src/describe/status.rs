//! Status codes: RFC 9110 section 15.

/// What a status code says, and the section that defines it.
pub(super) fn said(code: &str) -> (String, &'static str) {
    if let Some((_, meaning, source)) = KNOWN.iter().find(|(known, ..)| *known == code) {
        return ((*meaning).to_owned(), source);
    }
    // RFC 9110 section 15: a code that is not known counts as the x00 of its class.
    let (meaning, source) = match code.get(..1) {
        Some("1") => ("It goes on: another response follows.", "RFC 9110 §15.2"),
        Some("2") => ("It worked.", "RFC 9110 §15.3"),
        Some("3") => ("Look elsewhere, or at what you have already.", "RFC 9110 §15.4"),
        Some("4") => ("The request was at fault.", "RFC 9110 §15.5"),
        Some("5") => ("The server was at fault.", "RFC 9110 §15.6"),
        _ => ("A code of no class that there is: it counts as an error of the server's.", "RFC 9110 §15"),
    };
    (meaning.to_owned(), source)
}

/// Code, what it says, source.
#[rustfmt::skip]
const KNOWN: &[(&str, &str, &str)] = &[
    ("100", "Go on: the head is welcome, send the body.", "RFC 9110 §15.2.1"),
    ("101", "From here on another protocol is spoken, as was asked for.", "RFC 9110 §15.2.2"),
    ("103", "The response is still being made; here is what it will need.", "RFC 8297 §2"),
    ("200", "It worked: here is what was asked for.", "RFC 9110 §15.3.1"),
    ("201", "It worked: something new was made.", "RFC 9110 §15.3.2"),
    ("202", "It was taken in, and will be done later.", "RFC 9110 §15.3.3"),
    ("204", "It worked, and there is nothing more to say.", "RFC 9110 §15.3.5"),
    ("205", "It worked: empty the form from which this was sent.", "RFC 9110 §15.3.6"),
    ("206", "It worked: here is the part that was asked for.", "RFC 9110 §15.3.7"),
    ("300", "There are several versions of this page: choose one.", "RFC 9110 §15.4.1"),
    ("301", "The page has moved for good: use its new address from now on.", "RFC 9110 §15.4.2"),
    ("302", "The page is elsewhere for now: ask there, and come here again next time.", "RFC 9110 §15.4.3"),
    ("303", "It was done: look at this other page, by GET.", "RFC 9110 §15.4.4"),
    ("304", "The page has not changed: what you have kept is still right.", "RFC 9110 §15.4.5"),
    ("307", "The page is elsewhere for now: send the same request there.", "RFC 9110 §15.4.8"),
    ("308", "The page has moved for good: send the same request there, now and later.", "RFC 9110 §15.4.9"),
    ("400", "The request does not follow the rules: the server can't make sense of it.", "RFC 9110 §15.5.1"),
    ("401", "Say first who you are.", "RFC 9110 §15.5.2"),
    ("403", "You may not see this, whoever you are.", "RFC 9110 §15.5.4"),
    ("404", "There is no such page here.", "RFC 9110 §15.5.5"),
    ("405", "The page is there, but can't be asked for by this method.", "RFC 9110 §15.5.6"),
    ("406", "The page exists in no form that you would take.", "RFC 9110 §15.5.7"),
    ("408", "The request took too long to arrive.", "RFC 9110 §15.5.9"),
    ("409", "It contradicts what is there already.", "RFC 9110 §15.5.10"),
    ("410", "The page was here, and won't come back.", "RFC 9110 §15.5.11"),
    ("411", "Say first how long the body is.", "RFC 9110 §15.5.12"),
    ("412", "The condition that you set is not met.", "RFC 9110 §15.5.13"),
    ("413", "The body is longer than the server takes.", "RFC 9110 §15.5.14"),
    ("414", "The request target is longer than the server takes.", "RFC 9110 §15.5.15"),
    ("415", "The server can't read a body of this kind.", "RFC 9110 §15.5.16"),
    ("416", "The page has no such part.", "RFC 9110 §15.5.17"),
    ("417", "What you expect of the server it can't do.", "RFC 9110 §15.5.18"),
    ("421", "This server does not answer for that name.", "RFC 9110 §15.5.20"),
    ("422", "The body can be read, but makes no sense.", "RFC 9110 §15.5.21"),
    ("426", "Speak another protocol, which the server names.", "RFC 9110 §15.5.22"),
    ("429", "You ask too often.", "RFC 6585 §4"),
    ("431", "The head is longer than the server takes.", "RFC 6585 §5"),
    ("500", "Something broke inside the server.", "RFC 9110 §15.6.1"),
    ("501", "The server can't do what this method asks for.", "RFC 9110 §15.6.2"),
    ("502", "A server behind this one gave no proper answer.", "RFC 9110 §15.6.3"),
    ("503", "The server is overloaded or being mended: ask again later.", "RFC 9110 §15.6.4"),
    ("504", "A server behind this one did not answer in time.", "RFC 9110 §15.6.5"),
    ("505", "The server does not speak this version of HTTP.", "RFC 9110 §15.6.6"),
];
