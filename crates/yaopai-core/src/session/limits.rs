//! How many sessions a user may have at a time, and who makes room.

use std::collections::HashMap;

use crate::app::{Policy, Yields};
use crate::ids::SessionId;

/// An app's limits, as a store needs them inside its transaction.
#[derive(Debug, Clone)]
pub struct Limits {
    /// In all.
    pub max: u32,
    /// Of the new session's device type, if that type is limited.
    pub max_of_type: Option<u32>,
    /// Who makes room.
    pub yields: Yields,
}

/// An app's limits for sessions that rise to a user by the back end's word. The oldest make room, whoever does at a login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RiseLimits {
    /// In all.
    pub max: u32,
    /// By device type; a type that isn't named has no limit of its own.
    pub max_of_type: HashMap<String, u32>,
}

impl RiseLimits {
    /// An app's.
    pub fn of(policy: &Policy) -> Self {
        Self { max: policy.max_sessions, max_of_type: policy.max_sessions_per_device_type.clone() }
    }

    /// The limits for a session of this device type.
    pub fn of_type(&self, device_type: Option<&str>) -> Limits {
        let max_of_type = device_type.and_then(|t| self.max_of_type.get(t).copied());
        Limits { max: self.max, max_of_type, yields: Yields::Oldest }
    }
}

/// A live session of the same user in the same app.
#[derive(Debug, Clone)]
pub struct Other {
    /// Which.
    pub id: SessionId,
    /// Is it of the new session's device type?
    pub same_type: bool,
}

/// Is there room for one more?
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Room {
    /// Yes, once these have ended as `replaced`; often none.
    After(Vec<SessionId>),
    /// No: the newest yields.
    Full,
}

impl Limits {
    /// The limits for a session of this device type.
    pub fn of(policy: &Policy, device_type: Option<&str>) -> Self {
        let max_of_type = device_type.and_then(|t| policy.max_sessions_per_device_type.get(t).copied());
        Self { max: policy.max_sessions, max_of_type, yields: policy.yields }
    }

    /// Decides. `others` may come in any order.
    pub fn room(&self, others: &[Other]) -> Room {
        // Ids are time-ordered: the smallest is the oldest.
        let mut others: Vec<&Other> = others.iter().collect();
        others.sort_by_key(|o| o.id);
        let mut yielding: Vec<SessionId> = Vec::new();
        if let Some(max) = self.max_of_type {
            let same: Vec<_> = others.iter().filter(|o| o.same_type).collect();
            yielding.extend(same.iter().take(surplus(same.len(), max)).map(|o| o.id));
        }
        others.retain(|o| !yielding.contains(&o.id));
        let more = surplus(others.len(), self.max);
        yielding.extend(others.iter().take(more).map(|o| o.id));
        match self.yields {
            Yields::Newest if !yielding.is_empty() => Room::Full,
            _ => Room::After(yielding),
        }
    }
}

/// How many must go so that one more fits.
fn surplus(have: usize, max: u32) -> usize {
    (have + 1).saturating_sub(usize::try_from(max.max(1)).unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn other(n: u8, same_type: bool) -> Other {
        Other { id: SessionId([n; 16]), same_type }
    }

    fn ids(ids: &[u8]) -> Room {
        Room::After(ids.iter().map(|n| SessionId([*n; 16])).collect())
    }

    #[test]
    fn the_oldest_makes_room() {
        let limits = Limits { max: 2, max_of_type: None, yields: Yields::Oldest };
        assert_eq!(limits.room(&[]), ids(&[]));
        assert_eq!(limits.room(&[other(1, false)]), ids(&[]));
        assert_eq!(limits.room(&[other(2, false), other(1, false)]), ids(&[1]));
        assert_eq!(limits.room(&[other(3, false), other(2, false), other(1, false)]), ids(&[1, 2]));
    }

    #[test]
    fn a_device_type_has_its_own_limit() {
        let limits = Limits { max: 3, max_of_type: Some(1), yields: Yields::Oldest };
        assert_eq!(limits.room(&[other(1, false), other(2, true)]), ids(&[2]));
        assert_eq!(limits.room(&[other(1, false), other(2, true), other(3, false)]), ids(&[2]));
        assert_eq!(limits.room(&[other(1, false), other(2, false), other(3, false)]), ids(&[1]));
    }

    #[test]
    fn or_the_newest_is_refused() {
        let limits = Limits { max: 1, max_of_type: None, yields: Yields::Newest };
        assert_eq!(limits.room(&[]), ids(&[]));
        assert_eq!(limits.room(&[other(1, false)]), Room::Full);
    }
}
