//! TCP, tried: two hosts joined by a link in virtual time, and single segments made by hand.

mod errors;
mod guard;
mod header;
mod hostile;
mod life;
mod pair;
mod transfer;
