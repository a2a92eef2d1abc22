//! The program above HTTP, which a message is from, or for: step 1 of the six.

use framewise_core::{Description, Field};

/// Explains what a message, described as `message`, is to the program that sends it or gets it.
pub fn describe_app(message: &Description) -> Description {
    let is_request = message.fields.iter().any(|field| field.name == "method");
    let said = &message.outbound;
    let bytes = message.payload.len();
    let (name, outbound, inbound, meaning) = match is_request {
        true => (
            "question",
            "asks for a page".to_owned(),
            "is asked for a page".to_owned(),
            format!(
                "A program wants a page, and says no more than its URL: {said}. How that gets to the other side, and the answer \
                 back, is the affair of the layers below."
            ),
        ),
        false => (
            "answer",
            "gives an answer".to_owned(),
            "has its answer".to_owned(),
            format!(
                "The program has what it asked for: {said}, with {bytes} bytes in this message. Of frames, packets, segments and \
                 records it has seen nothing."
            ),
        ),
    };
    Description {
        protocol: "App",
        unit: "page",
        outbound,
        inbound,
        next: String::new(),
        header: message.payload.start..message.payload.start,
        payload: message.payload.clone(),
        fields: vec![Field::new(name, message.payload.clone(), said.clone(), meaning, "RFC 9110 §3.4")],
    }
}
