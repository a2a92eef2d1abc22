//! What neighbours say to each other, one file a seam, from the wire up.
//!
//! | seam | between | unit | moved by |
//! |---|---|---|---|
//! | [`frame`] | device and Ethernet | frame | pull |
//! | [`packet`] | Ethernet and IP | packet, next hop | pull |
//! | [`segment`] | IP and TCP or UDP | segment or datagram, addresses | pull |
//! | [`stream`] | TCP and TLS, TLS and HTTP | bytes of a connection | credit |
//! | [`exchange`] | HTTP and the application | request, response, body | credit |
//! | [`datagram`] | UDP and its users | datagram | pull |
//! | [`resolve`] | DNS and the application | name, addresses | pull |
//! | [`lookup`] | a name server and who knows the names | question, addresses | pull |

pub mod datagram;
pub mod exchange;
pub mod frame;
pub mod lookup;
pub mod packet;
pub mod resolve;
pub mod segment;
pub mod stream;

pub use datagram::Datagrams;
pub use exchange::Exchanges;
pub use frame::Frames;
pub use lookup::Lookups;
pub use packet::Packets;
pub use resolve::Names;
pub use segment::Segments;
pub use stream::Streams;

/// Makes a thin message type of a buffer: one pointer by value, dereferencing to the buffer.
macro_rules! buffer_message {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name(pub $crate::Buf);

        impl std::ops::Deref for $name {
            type Target = $crate::Buf;

            fn deref(&self) -> &$crate::Buf {
                &self.0
            }
        }

        impl std::ops::DerefMut for $name {
            fn deref_mut(&mut self) -> &mut $crate::Buf {
                &mut self.0
            }
        }
    };
}
pub(crate) use buffer_message;
