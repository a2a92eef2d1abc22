//! Names for connections and exchanges: who opens one names it.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;

/// The name of a connection on the stream seam.
pub type ConnId = Id<Connection>;
/// The name of an exchange (one request and its response) on the exchange seam.
pub type ExchangeId = Id<Exchange>;

/// Marks the names of connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Connection {}
/// Marks the names of exchanges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exchange {}

/// Which side of the seam opened something, and so named it (as QUIC does with its streams, RFC 9000 section 2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Opener {
    /// The upper layer: it connects, it requests.
    Upper,
    /// The lower layer: it accepted a connection, it received a request.
    Lower,
}

/// A place in a table and how often that place was used before, so that a late message about an ended
/// connection never reaches the next one in the same place.
pub struct Id<K> {
    index: u32,
    generation: u32,
    kind: PhantomData<K>,
}

const LOWER: u32 = 1 << 31;

impl<K> Id<K> {
    /// The name of place `index` (below 2³¹) in its use number `generation`.
    pub const fn new(opener: Opener, index: u32, generation: u32) -> Self {
        let side = match opener {
            Opener::Upper => 0,
            Opener::Lower => LOWER,
        };
        Id { index: (index & !LOWER) | side, generation, kind: PhantomData }
    }

    /// Who opened it.
    pub const fn opener(self) -> Opener {
        if self.index & LOWER == 0 { Opener::Upper } else { Opener::Lower }
    }

    /// Its place in the table of its opener.
    pub const fn index(self) -> usize {
        (self.index & !LOWER) as usize
    }

    /// Which use of that place this is.
    pub const fn generation(self) -> u32 {
        self.generation
    }

    /// The name as one number.
    pub const fn as_u64(self) -> u64 {
        ((self.generation as u64) << 32) | self.index as u64
    }
}

impl<K> Clone for Id<K> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<K> Copy for Id<K> {}
impl<K> PartialEq for Id<K> {
    fn eq(&self, other: &Self) -> bool {
        self.as_u64() == other.as_u64()
    }
}
impl<K> Eq for Id<K> {}
impl<K> PartialOrd for Id<K> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl<K> Ord for Id<K> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.as_u64().cmp(&other.as_u64())
    }
}
impl<K> Hash for Id<K> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_u64().hash(state);
    }
}
impl<K> fmt::Display for Id<K> {
    /// `a3` for the third place of accepted ones, `o3.1` for one opened here in a place used once before.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = if self.opener() == Opener::Upper { 'o' } else { 'a' };
        write!(f, "{side}{}", self.index())?;
        if self.generation > 0 { write!(f, ".{}", self.generation) } else { Ok(()) }
    }
}
impl<K> fmt::Debug for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A table that names what is put into it: the opener's side.
#[derive(Debug, Clone)]
pub struct Slab<K, T> {
    opener: Opener,
    limit: usize,
    places: Vec<(u32, Option<T>)>,
    free: Vec<u32>,
    kind: PhantomData<K>,
}

impl<K, T> Slab<K, T> {
    /// An empty table for what `opener` opens, of at most `limit` at a time.
    pub fn new(opener: Opener, limit: usize) -> Self {
        Slab { opener, limit, places: Vec::new(), free: Vec::new(), kind: PhantomData }
    }

    /// Puts a value in and names it; gives it back when the table is full.
    pub fn insert(&mut self, value: T) -> Result<Id<K>, T> {
        if self.len() >= self.limit {
            return Err(value);
        }
        let index = self.free.pop().unwrap_or_else(|| {
            self.places.push((0, None));
            (self.places.len() - 1) as u32
        });
        let place = &mut self.places[index as usize];
        place.1 = Some(value);
        Ok(Id::new(self.opener, index, place.0))
    }

    /// The value of this name, while it is in.
    pub fn get(&self, id: Id<K>) -> Option<&T> {
        let (generation, value) = self.places.get(id.index())?;
        value.as_ref().filter(|_| id.opener() == self.opener && *generation == id.generation())
    }

    /// The value of this name, to be changed.
    pub fn get_mut(&mut self, id: Id<K>) -> Option<&mut T> {
        let (generation, value) = self.places.get_mut(id.index())?;
        value.as_mut().filter(|_| id.opener() == self.opener && *generation == id.generation())
    }

    /// Takes the value out; its name is never used again, its place is.
    pub fn remove(&mut self, id: Id<K>) -> Option<T> {
        self.get(id)?;
        let (generation, value) = self.places.get_mut(id.index())?;
        *generation = generation.wrapping_add(1);
        self.free.push(id.index() as u32);
        value.take()
    }

    /// How many are in.
    pub fn len(&self) -> usize {
        self.places.len() - self.free.len()
    }

    /// Whether none is in.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All that are in, by place.
    pub fn iter(&self) -> impl Iterator<Item = (Id<K>, &T)> {
        self.places.iter().enumerate().filter_map(|(index, (generation, value))| {
            Some((Id::new(self.opener, index as u32, *generation), value.as_ref()?))
        })
    }
}

/// A table by names that were given elsewhere, one place per name, both openers' in one.
#[derive(Debug, Clone)]
pub struct IdMap<K, T> {
    limit: usize,
    sides: [Vec<Option<(u32, T)>>; 2],
    len: usize,
    kind: PhantomData<K>,
}

impl<K, T> IdMap<K, T> {
    /// An empty table that takes names whose place is below `limit`.
    pub fn new(limit: usize) -> Self {
        IdMap { limit, sides: [Vec::new(), Vec::new()], len: 0, kind: PhantomData }
    }

    /// Puts a value under a name. Gives it back where the name's place is taken or beyond the limit.
    pub fn insert(&mut self, id: Id<K>, value: T) -> Result<(), T> {
        if id.index() >= self.limit {
            return Err(value);
        }
        let side = &mut self.sides[side(id)];
        if side.len() <= id.index() {
            side.resize_with(id.index() + 1, || None);
        }
        let place = &mut side[id.index()];
        if place.is_some() {
            return Err(value);
        }
        *place = Some((id.generation(), value));
        self.len += 1;
        Ok(())
    }

    /// The value under this name.
    pub fn get(&self, id: Id<K>) -> Option<&T> {
        let (generation, value) = self.sides[side(id)].get(id.index())?.as_ref()?;
        (*generation == id.generation()).then_some(value)
    }

    /// The value under this name, to be changed.
    pub fn get_mut(&mut self, id: Id<K>) -> Option<&mut T> {
        let (generation, value) = self.sides[side(id)].get_mut(id.index())?.as_mut()?;
        (*generation == id.generation()).then_some(value)
    }

    /// Takes the value out.
    pub fn remove(&mut self, id: Id<K>) -> Option<T> {
        self.get(id)?;
        self.len -= 1;
        self.sides[side(id)].get_mut(id.index())?.take().map(|(_, value)| value)
    }

    /// How many are in.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether none is in.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// All that are in: what the upper side opened first, each by place.
    pub fn iter(&self) -> impl Iterator<Item = (Id<K>, &T)> {
        [Opener::Upper, Opener::Lower].into_iter().zip(&self.sides).flat_map(|(opener, side)| {
            side.iter().enumerate().filter_map(move |(index, place)| {
                let (generation, value) = place.as_ref()?;
                Some((Id::new(opener, index as u32, *generation), value))
            })
        })
    }
}

fn side<K>(id: Id<K>) -> usize {
    match id.opener() {
        Opener::Upper => 0,
        Opener::Lower => 1,
    }
}
