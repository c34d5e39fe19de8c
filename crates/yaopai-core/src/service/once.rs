//! Questions that are asked once, however often and by how many they are put: of a single-use code, or of what costs a quota.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::OnceCell;

use crate::time::Timestamp;

/// How many answers are remembered at a time.
const ANSWERS_MAX: usize = 20_000;
/// How often a full memory is looked through for old ones.
const TIDIED_EVERY: Duration = Duration::from_secs(1);

type Key = [u8; 32];

/// Answers, by a digest of their question. For a time only, and so many only.
pub struct Once<T>(Mutex<Known<T>>);

struct Known<T> {
    answers: HashMap<Key, Asked<T>>,
    /// When it was full last and looked through.
    tidied: Option<Timestamp>,
}

struct Asked<T> {
    since: Timestamp,
    answer: Arc<OnceCell<T>>,
}

impl<T> Default for Once<T> {
    fn default() -> Self {
        Self(Mutex::new(Known { answers: HashMap::new(), tidied: None }))
    }
}

impl<T: Clone + Send + Sync + 'static> Once<T> {
    /// The answer to a question that was put at most so long ago; otherwise it is put now. `None` if too many are
    /// remembered, or the question panicked.
    pub async fn ask(
        &self,
        key: Key,
        now: Timestamp,
        kept: Duration,
        question: impl Future<Output = T> + Send + 'static,
    ) -> Option<T> {
        let answer = self.place(key, now, kept)?;
        // On its own task: a client that hangs up must neither lose the answer nor have it asked for again.
        let asked = tokio::spawn(async move { answer.get_or_init(|| question).await.clone() });
        asked.await.ok()
    }

    /// Forgets an answer, so that its question may be put again.
    pub fn forget(&self, key: &Key) {
        self.lock().answers.remove(key);
    }

    /// Forgets all answers to questions put longer ago than this.
    pub fn purge(&self, now: Timestamp, kept: Duration) {
        self.lock().answers.retain(|_, a| now < a.since + kept);
    }

    /// Puts another answer in the place of a known one.
    pub fn replace(&self, key: &Key, answer: T) {
        if let Some(asked) = self.lock().answers.get_mut(key) {
            asked.answer = Arc::new(OnceCell::new_with(Some(answer)));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Known<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn place(&self, key: Key, now: Timestamp, kept: Duration) -> Option<Arc<OnceCell<T>>> {
        let mut known = self.lock();
        if let Some(asked) = known.answers.get(&key).filter(|a| now < a.since + kept) {
            return Some(Arc::clone(&asked.answer));
        }
        // Not at each question: whoever finds it full would have everybody wait for that.
        if known.answers.len() >= ANSWERS_MAX && known.tidied.is_none_or(|at| now < at || now >= at + TIDIED_EVERY) {
            known.answers.retain(|_, a| now < a.since + kept);
            known.tidied = Some(now);
        }
        if known.answers.len() >= ANSWERS_MAX {
            return None;
        }
        let answer = Arc::new(OnceCell::new());
        known.answers.insert(key, Asked { since: now, answer: Arc::clone(&answer) });
        Some(answer)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[tokio::test]
    async fn together_and_within_the_time_it_is_asked_once() {
        let (once, count) = (Arc::new(Once::default()), Arc::new(AtomicU32::new(0)));
        let ask = |at: i64, key: u8| {
            let (once, count) = (once.clone(), count.clone());
            async move {
                let question = async move {
                    tokio::task::yield_now().await;
                    count.fetch_add(1, Ordering::SeqCst)
                };
                once.ask([key; 32], Timestamp(at), MINUTE, question).await
            }
        };
        let together = tokio::join!(ask(0, 1), ask(0, 1), ask(0, 1), ask(59_999, 1));
        assert_eq!(together, (Some(0), Some(0), Some(0), Some(0)));
        assert_eq!(ask(0, 2).await, Some(1), "another question");
        assert_eq!(ask(60_000, 1).await, Some(2));
        once.forget(&[2; 32]);
        assert_eq!(ask(60_000, 2).await, Some(3));
    }

    #[tokio::test]
    async fn who_hangs_up_has_asked() {
        let (once, count) = (Arc::new(Once::default()), Arc::new(AtomicU32::new(0)));
        let counts = count.clone();
        let slow = async move {
            tokio::task::yield_now().await;
            counts.fetch_add(1, Ordering::SeqCst)
        };
        {
            let ask = once.ask([1; 32], Timestamp(0), MINUTE, slow);
            let mut ask = std::pin::pin!(ask);
            assert!(futures_poll(ask.as_mut()).await.is_none());
        }
        let again = once.ask([1; 32], Timestamp(1), MINUTE, async { 77 }).await;
        assert_eq!((again, count.load(Ordering::SeqCst)), (Some(0), 1));
    }

    /// Polls once.
    async fn futures_poll<F: Future + Unpin>(mut future: F) -> Option<F::Output> {
        std::future::poll_fn(|cx| match std::pin::Pin::new(&mut future).poll(cx) {
            std::task::Poll::Ready(out) => std::task::Poll::Ready(Some(out)),
            std::task::Poll::Pending => std::task::Poll::Ready(None),
        })
        .await
    }

    #[tokio::test]
    async fn the_old_ones_make_room_and_the_new_ones_do_not() {
        let once = Once::default();
        for n in 0..u32::try_from(ANSWERS_MAX).unwrap() {
            let mut key = [0; 32];
            key[..4].copy_from_slice(&n.to_be_bytes());
            assert!(once.place(key, Timestamp(0), MINUTE).is_some());
        }
        let (new, known) = ([255; 32], [0; 32]);
        assert_eq!(once.ask(new, Timestamp(1), MINUTE, async { 1 }).await, None);
        assert_eq!(once.ask(known, Timestamp(1), MINUTE, async { 2 }).await, Some(2));
        assert_eq!(once.ask(new, Timestamp(60_000), MINUTE, async { 3 }).await, Some(3));
    }
}
