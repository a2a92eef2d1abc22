//! Why this layer drops segments, and what it gives up.

use framewise_core::drops::{DropReason, table};

/// Every reason that is counted.
#[rustfmt::skip]
pub const DROPS: [DropReason; 37] = table("tcp", [
    // Segments that are none, or for nobody.
    ("header broken", "its lengths make no sense", "RFC 9293 §3.1"),
    ("checksum wrong", "it was damaged, or is for other addresses", "RFC 9293 §3.1"),
    ("port 0", "no program can have it", "RFC 6335 §6"),
    ("not between two hosts", "an address of it is a group's or nobody's", "RFC 9293 §3.9.2.3"),
    ("from itself", "source and destination are one: a trick called LAND", "RFC 9293 §3.9.2.3"),
    ("flags that contradict", "no honest sender opens and ends at once", "RFC 9293 §3.10.7"),
    ("nobody listens", "a SYN to a port that no program has; answered by RST", "RFC 9293 §3.10.7.1"),
    ("neither SYN nor ACK", "a listener has no use for it, and does not answer", "RFC 9293 §3.10.7.2"),
    ("no such connection", "it belongs to no connection that is known", "RFC 9293 §3.10.7.1"),
    ("its connection is over", "only TIME-WAIT or nothing is left of it", "RFC 9293 §3.4.2"),
    ("segment too long", "no packet could have carried it", "RFC 791 §3.1"),
    // Judged before the connection hears of them.
    ("RST does not fit", "a reset that answers nothing that was sent", "RFC 9293 §3.10.7.3"),
    ("RST not at the next byte", "perhaps forged: the peer is asked to confirm it", "RFC 5961 §3.2"),
    ("RST out of the window", "forged, or much too late", "RFC 5961 §3.2"),
    ("SYN in a connection", "perhaps forged: the peer is asked to confirm it", "RFC 5961 §4.2"),
    ("SYN repeated", "the handshake's first step came again", "RFC 9293 §3.10.7.4"),
    ("no SYN in the answer", "what came to our SYN does not open anything", "RFC 9293 §3.10.7.3"),
    ("no ACK", "all but the first segment acknowledge something", "RFC 9293 §3.10.7.4"),
    ("acknowledges what was not sent", "it belongs to another connection; answered by RST", "RFC 9293 §3.10.7.4"),
    ("acknowledgment out of range", "perhaps forged: the peer is told where we are", "RFC 5961 §5.2"),
    ("old acknowledgment", "it tells nothing new", "RFC 9293 §3.10.7.4"),
    ("nothing was sent yet", "an answer before the question", "RFC 9293 §3.10.7.3"),
    ("it came before", "all its bytes are here already: it was sent again, or is late", "RFC 9293 §3.10.7.4"),
    ("out of the window", "its bytes lie beyond what this host offered to take", "RFC 9293 §3.10.7.4"),
    ("too many gaps", "too much is missing before it to keep it: it must come again", ""),
    ("data after FIN", "the peer had said that nothing would follow", "RFC 9293 §3.10.7.4"),
    ("it is being asked about", "the application has not decided about this connection yet", ""),
    // What ICMP says.
    ("ICMP error quotes too little", "not even the ports", "RFC 5927 §4"),
    ("ICMP error quotes no connection", "about nothing that we have", "RFC 5927 §4"),
    ("ICMP error quotes nothing in flight", "a guess: we wait for no such acknowledgment", "RFC 5927 §4.1"),
    // Limits.
    ("too many connections", "as many are open as may be", ""),
    ("peer too slow", "it took less than it must of what was sent to it: the connection is ended", "RFC 6429 §4"),
    ("too many in TIME-WAIT", "the oldest of the finished ones is forgotten early", "RFC 9293 §3.4.2"),
    ("too many answers wait", "the layer below did not take those before", ""),
    ("too many wait for a route", "the layer below has not answered yet", ""),
    ("no answer about a route back", "the layer below does not say how the peer is reached", ""),
    ("no route back", "the peer can't be reached, so it is not accepted", ""),
]);
