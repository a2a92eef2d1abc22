//! Between a name server that knows nothing itself and whoever knows the names: the mirror image of [`resolve`].
//!
//! [`resolve`]: super::resolve

use std::net::IpAddr;

use crate::message::Message;
use crate::seam::Seam;

/// The lookup seam.
#[derive(Debug, Clone, Copy)]
pub enum Lookups {}

impl Seam for Lookups {
    const NAME: &'static str = "lookup";
    type Down = LookupDown;
    type Up = LookupUp;
}

/// What the name server says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LookupUp {
    /// A client asks for the addresses of `name`. To be answered, at any time, by one [`LookupDown::Answer`].
    Asked {
        /// The server's number for this question.
        question: u64,
        /// The name, in ASCII, without the last dot.
        name: String,
    },
}

/// What is said to the name server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LookupDown {
    /// The addresses of a name, of both IP versions; none where the name has none.
    Answer {
        /// The number of the question.
        question: u64,
        /// The addresses, or why there are none.
        result: Result<Vec<IpAddr>, LookupError>,
    },
}

/// Why nobody knows the addresses of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LookupError {
    /// There is no such name.
    #[error("there is no such name")]
    NoSuchName,
    /// It can't be found out now.
    #[error("it can't be found out now")]
    Failed,
}

impl Message for LookupUp {
    fn summary(&self) -> String {
        let LookupUp::Asked { name, .. } = self;
        format!("somebody asks which address {name} has")
    }
}

impl Message for LookupDown {
    fn summary(&self) -> String {
        let LookupDown::Answer { result, .. } = self;
        match result {
            Ok(addresses) if addresses.is_empty() => "it has no address".to_owned(),
            Ok(addresses) => {
                let list: Vec<String> = addresses.iter().map(IpAddr::to_string).collect();
                format!("it is {}", list.join(", "))
            }
            Err(error) => error.to_string(),
        }
    }
}
