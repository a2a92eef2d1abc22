//! What two neighbouring layers say to each other.

use crate::buf::InterfaceId;
use crate::message::{Message, Subject};

/// The vocabulary between an upper layer and a lower one.
///
/// On a *credited* seam the lower side says how much it can take (`Writable`), the upper side how much it
/// wants (`Grant`), and messages are pushed down as soon as there are any. On every other seam the lower side
/// *pulls* one message when it is ready to send one, so that a single message is in flight and needs no queue.
pub trait Seam {
    /// The name of the seam in traces: `stream`, `segment`, `packet`, `frame`.
    const NAME: &'static str;
    /// Whether messages are pushed down under credit (`true`) or pulled by the lower side (`false`).
    const CREDITED: bool = false;
    /// What the upper side says to the lower.
    type Down: Message;
    /// What the lower side says to the upper.
    type Up: Message;
}

/// A message of one of two branches: what [`Both`] carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Either<A, B> {
    /// Of the left branch.
    Left(A),
    /// Of the right branch.
    Right(B),
}

impl<A: Message, B: Message> Message for Either<A, B> {
    fn summary(&self) -> String {
        match self {
            Either::Left(message) => message.summary(),
            Either::Right(message) => message.summary(),
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            Either::Left(message) => message.kind(),
            Either::Right(message) => message.kind(),
        }
    }

    fn bytes(&self) -> &[u8] {
        match self {
            Either::Left(message) => message.bytes(),
            Either::Right(message) => message.bytes(),
        }
    }

    fn subject(&self) -> Subject {
        match self {
            Either::Left(message) => message.subject(),
            Either::Right(message) => message.subject(),
        }
    }

    fn interface(&self) -> Option<InterfaceId> {
        match self {
            Either::Left(message) => message.interface(),
            Either::Right(message) => message.interface(),
        }
    }
}

/// Two seams side by side: the upper seam of [`Beside`](crate::Beside).
#[derive(Debug, Clone, Copy, Default)]
pub struct Both<A, B>(std::marker::PhantomData<(A, B)>);

impl<A: Seam, B: Seam> Seam for Both<A, B> {
    const NAME: &'static str = "both";
    const CREDITED: bool = A::CREDITED && B::CREDITED;
    type Down = Either<A::Down, B::Down>;
    type Up = Either<A::Up, B::Up>;
}
