//! Records that break off: RFC 8446 section 5.1. The header, and which message begins, may be there all the same.

use framewise_core::Description;

use super::{Context, DECISION, content_fields, header_fields, is_sealed};
use crate::handshake::Message;
use crate::record::{ContentType, HEADER, Record, RecordError};

/// Describes the beginning of a record of which the rest was not seen. Its header has to be there.
///
/// ```
/// use framewise_tls::{Context, describe::describe_cut};
/// let cut = describe_cut(&[22, 3, 1, 1, 0, 1, 0, 0, 252, 3, 3], &Context::default())?;
/// assert_eq!(cut.outbound, "client hello, cut off");
/// assert_eq!(cut.fields[2].value, "256");
/// # Ok::<(), framewise_tls::record::RecordError>(())
/// ```
pub fn describe_cut(bytes: &[u8], context: &Context) -> Result<Description, RecordError> {
    let needed = match Record::parse(bytes) {
        Err(RecordError::TooShort { needed, .. }) if bytes.len() >= HEADER => needed,
        Ok(record) => record.wire_len(),
        Err(error) => return Err(error),
    };
    let mut padded = bytes.to_vec();
    padded.resize(needed, 0);
    let record = Record::parse(&padded)?;
    let sealed = is_sealed(&record, context);
    let mut fields = header_fields(&record, sealed, context);
    fields.extend(content_fields(bytes, &record, sealed, context));
    let said = format!("{}, cut off", said(&record, bytes, sealed));
    let said: String = said.chars().take(DECISION).collect();
    let end = bytes.len().min(needed);
    Ok(Description {
        protocol: "TLS",
        unit: "record",
        outbound: said.clone(),
        inbound: said,
        next: "nobody: it is cut off".to_owned(),
        header: 0..HEADER,
        payload: HEADER..end,
        fields,
    })
}

/// What begins here.
fn said(record: &Record<'_>, bytes: &[u8], sealed: bool) -> String {
    let message = match (record.content_type, bytes.get(HEADER)) {
        (ContentType::Handshake, Some(&number)) if !sealed => Some(Message { number, bytes: 0..0 }),
        _ => None,
    };
    let name = message.as_ref().map_or(record.content_type.name(), Message::name).replace('_', " ");
    if sealed { format!("{name}, sealed") } else { name }
}
