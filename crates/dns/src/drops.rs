//! Why this layer drops messages.

use framewise_core::drops::{DropReason, table};

/// Every reason that is counted.
#[rustfmt::skip]
pub const DROPS: [DropReason; 17] = table("dns", [
    ("malformed message", "its counts, names or lengths make no sense", "RFC 9267"),
    ("reply to no question", "no question of ours waits on its port", "RFC 5452 §9.1"),
    ("reply from a server not asked", "it is from another address or port than was asked", "RFC 5452 §9.1"),
    ("reply with another id", "a guess, or an answer that is too late", "RFC 5452 §9.2"),
    ("not a reply", "what came to a question's port asks itself", "RFC 1035 §4.1.1"),
    ("reply to another question", "its question is not ours", "RFC 5452 §9.1"),
    ("error about no question", "an ICMP error quotes nothing that we asked", "RFC 5927 §4"),
    ("question number in use", "the application asks twice under one number", ""),
    ("too many answers wait", "the application did not take those before", ""),
    ("query from port 0", "nobody could get the answer", "RFC 768"),
    ("response to a server", "only queries come to port 53", "RFC 1035 §4.1.1"),
    ("too many responses wait", "they could not leave", ""),
    ("response can't be written", "it fits no message", "RFC 1035 §4.2.1"),
    ("response did not arrive", "an ICMP error about an answer of ours", "RFC 1122 §4.1.3.3"),
    ("port 53 is taken: nobody is answered", "another program of this host has it", ""),
    ("too many questions wait", "those before were not answered yet", ""),
    ("answer to no question", "its question is over", ""),
]);
