//! What lies beside a file and holds the same, compressed.
//!
//! Read RFC 9110 sections 8.4 and 12.5.3 first.

use framewise_http::{Request, accept};

use super::Found;

/// A content coding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    /// RFC 7932.
    Brotli,
    /// RFC 1952.
    Gzip,
}

impl Coding {
    /// As `Content-Encoding` has it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Coding::Brotli => "br",
            Coding::Gzip => "gzip",
        }
    }

    fn extension(self) -> &'static str {
        match self {
            Coding::Brotli => ".br",
            Coding::Gzip => ".gz",
        }
    }
}

/// The one of a file's forms that the client likes best, how it is coded, and whether there was a choice. Of two that it likes
/// alike, Brotli, which is the shorter.
pub(super) fn best(request: &Request, found: Found) -> (Option<Coding>, bool, Found) {
    let accepted = request.list("accept-encoding").unwrap_or_default();
    let there = [Coding::Brotli, Coding::Gzip].map(|coding| Some((coding, beside(&found, coding)?)));
    let is_choice = there.iter().any(Option::is_some);
    // The last of the greatest is taken.
    let liked = |coding: &Coding| accept::prefers_coding(&accepted, coding.name());
    let taken = there.into_iter().flatten().rev().filter(|(coding, _)| liked(coding));
    match taken.max_by_key(|(coding, _)| accept::coding(&accepted, coding.name())) {
        Some((coding, coded)) => (Some(coding), is_choice, coded),
        None => (None, is_choice, found),
    }
}

/// The file in this coding beside another. A link is not followed, for it might lead elsewhere, and what is older than the
/// file holds what that was before.
fn beside(found: &Found, coding: Coding) -> Option<Found> {
    let mut name = found.path.file_name()?.to_owned();
    name.push(coding.extension());
    let coded = Found::at(found.path.with_file_name(name)).ok().filter(|coded| coded.metadata.is_file())?;
    let [changed, coded_changed] = [found, &coded].map(|file| file.metadata.modified().ok());
    (coded_changed >= changed).then_some(coded)
}
