//! Stochastic memoisation: what is sampled for a key is sampled once in a run.

use std::cell::RefCell;
use std::collections::BTreeMap;

/// Values that were sampled for keys of one type, in one run of a model: Church's `mem`. The statement
/// [`mem!`](crate::mem) reads and fills it.
#[derive(Clone, Debug)]
pub struct Memo<K, V> {
    known: RefCell<BTreeMap<K, V>>,
}

impl<K: Ord, V: Clone> Memo<K, V> {
    /// No values.
    pub fn new() -> Self {
        Memo { known: RefCell::new(BTreeMap::new()) }
    }

    /// The value of a key, if it has one.
    pub fn get(&self, key: &K) -> Option<V> {
        self.known.borrow().get(key).cloned()
    }

    /// Gives a key its value, unless it has one, and returns the one it has.
    pub fn insert(&self, key: K, value: V) -> V {
        self.known.borrow_mut().entry(key).or_insert(value).clone()
    }

    /// How many keys have values.
    pub fn len(&self) -> usize {
        self.known.borrow().len()
    }

    /// Whether no key has a value.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<K: Ord, V: Clone> Default for Memo<K, V> {
    fn default() -> Self {
        Self::new()
    }
}

/// The value of a key in a [`Memo`](crate::memo::Memo), which is evaluated when the key is met for the first time:
/// `let colour: Colour = mem!(eyes[person], sample!("eyes_{person}", colours))`.
///
/// The names of the sites in it must hold the key, so that every key has sites of its own; a name that comes twice in a run is an
/// error. A key type of one's own stands in names by [`SiteIndex`](crate::address::SiteIndex). The value may ask for other keys of
/// the same memo.
///
/// ```
/// use ppl_core::{mem, memo::Memo};
/// let squares = Memo::new();
/// let mut evaluated = 0;
/// for x in [3, 4, 3] {
///     let square: i32 = mem!(squares[x], { evaluated += 1; x * x });
///     assert_eq!(square, x * x);
/// }
/// assert_eq!((evaluated, squares.len()), (2, 2));
/// ```
#[macro_export]
macro_rules! mem {
    ($memo:ident [ $key:expr ], $value:expr $(,)?) => {
        match $memo.get(&$key) {
            ::core::option::Option::Some(known) => known,
            ::core::option::Option::None => {
                let value = $value;
                $memo.insert($key, value)
            }
        }
    };
}
