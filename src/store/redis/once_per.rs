//! What is made once for each key, when first asked for, and read without a lock.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use arc_swap::ArcSwap;

/// Values by key.
pub struct OncePer<K, V>(ArcSwap<HashMap<K, Arc<V>>>);

impl<K, V> Default for OncePer<K, V> {
    fn default() -> Self {
        Self(ArcSwap::from_pointee(HashMap::new()))
    }
}

impl<K: Clone + Eq + Hash, V> OncePer<K, V> {
    /// The value of `key`. Of several that are made at once one is kept.
    pub fn get<E>(&self, key: K, make: impl FnOnce() -> Result<V, E>) -> Result<Arc<V>, E> {
        if let Some(value) = self.0.load().get(&key) {
            return Ok(Arc::clone(value));
        }
        let fresh = Arc::new(make()?);
        self.0.rcu(|values| {
            let mut more = HashMap::clone(values);
            more.entry(key.clone()).or_insert_with(|| Arc::clone(&fresh));
            more
        });
        Ok(self.0.load().get(&key).map_or(fresh, Arc::clone))
    }

    /// Drops what is not to be kept.
    pub fn retain(&self, keep: impl Fn(&K) -> bool) {
        self.0.rcu(|values| {
            let kept = values.iter().filter(|(key, _)| keep(key));
            kept.map(|(key, value)| (key.clone(), Arc::clone(value))).collect::<HashMap<_, _>>()
        });
    }
}
