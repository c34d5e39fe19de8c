//! A mini program's storage, as the phone keeps it over restarts.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::protocol::Item;

/// How many items, and how many bytes of them, a person's mini program may keep. WeChat has room for 10 MB; this shop needs little.
const ITEMS_MAX: usize = 100;
const BYTES_MAX: usize = 256 * 1024;

/// By key. The session's token and its key are in here, as on a phone.
#[derive(Default)]
pub struct Storage(BTreeMap<String, (Zeroizing<String>, bool)>);

impl Storage {
    /// Keeps an item, or forgets it. False if there is no room for it.
    pub fn keep(&mut self, Item { key, value, encrypted }: Item) -> bool {
        let old = self.0.remove(&key);
        let Some(value) = value.map(Zeroizing::new) else { return true };
        let size: usize = self.0.iter().map(|(key, (value, _))| key.len() + value.len()).sum();
        if self.0.len() >= ITEMS_MAX || size + key.len() + value.len() > BYTES_MAX {
            old.map(|old| self.0.insert(key, old));
            return false;
        }
        self.0.insert(key, (value, encrypted));
        true
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// As the runtime is told of it.
    pub fn told(&self) -> Value {
        self.0
            .iter()
            .map(|(key, (value, encrypted))| json!({ "key": key, "value": **value, "encrypted": encrypted }))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(key: &str, value: Option<&str>) -> Item {
        Item { key: key.into(), value: value.map(Into::into), encrypted: true }
    }

    #[test]
    fn items_are_kept_replaced_and_forgotten() {
        let mut storage = Storage::default();
        assert!(
            storage.keep(item("a", Some("1")))
                && storage.keep(item("a", Some("2")))
                && storage.keep(item("b", Some("3")))
        );
        assert!(storage.keep(item("b", None)));
        assert_eq!(storage.told(), json!([{ "key": "a", "value": "2", "encrypted": true }]));
        storage.clear();
        assert_eq!(storage.told(), json!([]));
    }

    #[test]
    fn it_is_bounded_and_what_is_too_much_changes_nothing() {
        let mut storage = Storage::default();
        assert!(storage.keep(item("a", Some("1"))));
        assert!(!storage.keep(item("a", Some(&"x".repeat(BYTES_MAX)))));
        assert_eq!(storage.told()[0]["value"], "1");
        assert!((1..ITEMS_MAX).all(|n| storage.keep(item(&n.to_string(), Some("1")))));
        assert!(!storage.keep(item("one more", Some("1"))) && storage.keep(item("a", Some("2"))));
    }
}
