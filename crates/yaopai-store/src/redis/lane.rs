//! The way to one server: uses and tries that wait go out together in one pipeline with one WAIT at its end, which holds for
//! all of the uses.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use ::redis::{ErrorKind, FromRedisValue as _, Pipeline, RedisResult, ServerErrorKind, Value};
use tokio::sync::{mpsc, oneshot};
use yaopai_core::ports::{Took, Tries, Use, Used};

use super::error::{Cure, Failed};
use super::link::Link;
use super::place::Place;
use super::script::{self, Answer, Keys};

/// Uses and tries in one pipeline, at most.
const BATCH: usize = 128;

/// A part of all nonces, which is always at one server: its keys have one slot.
#[derive(Debug)]
pub(super) struct Bucket {
    keys: Keys,
    /// The highest time that its server was heard to say.
    seen: AtomicI64,
}

impl Bucket {
    pub fn new(number: usize) -> Self {
        Self { keys: Keys::of(number), seen: AtomicI64::new(0) }
    }
}

/// How a server is asked.
#[derive(Debug, Clone)]
pub(super) struct Terms {
    /// How many replicas must have a use before it counts.
    pub replicas: u32,
    /// How long they are waited for.
    pub wait: Duration,
    /// How long anything may take.
    pub timeout: Duration,
    /// Uses and tries that may wait.
    pub queue: usize,
}

/// The way in. Who drops it ends the task behind it.
#[derive(Clone)]
pub(super) struct Lane(mpsc::Sender<Job>);

struct Job {
    ask: Ask,
    reply: oneshot::Sender<Result<Said, Failed>>,
}

/// What Redis is asked.
#[derive(Clone)]
pub(super) enum Ask {
    /// Is it the first use? Nothing, if the bucket's past is only to begin.
    Use(Arc<Bucket>, Option<Use>),
    /// May there be one more of each? With a slot: there was one less.
    Tries(Arc<Tries>, Option<i64>),
}

/// What it says.
#[derive(Debug, Clone, Copy)]
pub(super) enum Said {
    Used(Used),
    Took(Took),
}

impl Lane {
    /// To the one of `places` that is a master. `link`: if there is a connection already.
    pub fn start(places: Vec<Place>, terms: Terms, link: Option<Link>) -> Self {
        let (queue, jobs) = mpsc::channel(terms.queue.max(1));
        tokio::spawn(Worker { places, terms, link }.run(jobs));
        Self(queue)
    }

    pub async fn ask(&self, ask: Ask) -> Result<Said, Failed> {
        let (reply, answer) = oneshot::channel();
        self.0
            .try_send(Job { ask, reply })
            .map_err(|_| Failed::new("too many calls are waiting for Redis", Cure::Nothing))?;
        answer.await.unwrap_or_else(|_| Err(Failed::new("the way to Redis is closed", Cure::LookAgain)))
    }
}

struct Worker {
    places: Vec<Place>,
    terms: Terms,
    link: Option<Link>,
}

impl Worker {
    async fn run(mut self, mut jobs: mpsc::Receiver<Job>) {
        let mut batch = Vec::new();
        while jobs.recv_many(&mut batch, BATCH).await > 0 {
            // Who has given up needs no use counted.
            batch.retain(|job| !job.reply.is_closed());
            let answers = match self.send(&batch).await {
                Ok(answers) => answers,
                Err(e) => vec![Err(e); batch.len()],
            };
            for (job, answer) in batch.drain(..).zip(answers) {
                let _ = job.reply.send(answer);
            }
        }
    }

    /// An answer for each. After an error it is not known what was done.
    async fn send(&mut self, batch: &[Job]) -> Result<Vec<Result<Said, Failed>>, Failed> {
        if batch.is_empty() {
            return Ok(Vec::new());
        }
        // Given up with whatever happens in between; put back when all is answered.
        let mut link = match self.link.take() {
            Some(link) => link,
            None => Link::open(&self.places, self.terms.timeout)
                .await
                .map_err(|e| Failed { error: e.store_error(), cure: Cure::LookAgain })?,
        };
        let done = tokio::time::timeout(self.terms.timeout, exchange(&mut link, &self.terms, batch)).await;
        let answers = done.map_err(|_| Failed::new("Redis is silent", Cure::LookAgain))??;
        let gone = |answer: &Result<_, Failed>| answer.as_ref().is_err_and(|e| e.cure != Cure::Nothing);
        if !answers.iter().any(gone) {
            self.link = Some(link);
        }
        Ok(answers)
    }
}

async fn exchange(link: &mut Link, terms: &Terms, batch: &[Job]) -> Result<Vec<Result<Said, Failed>>, Failed> {
    let all: Vec<&Job> = batch.iter().collect();
    let mut answers = pipeline(link, terms, &all).await?;
    let missing: Vec<usize> =
        answers.iter().enumerate().filter(|(_, answer)| is_no_script(answer)).map(|(n, _)| n).collect();
    if !missing.is_empty() {
        // Those weren't run: what is said of them is said before they begin.
        link.load().await.map_err(|e| Failed::said(&e))?;
        let jobs: Vec<&Job> = missing.iter().map(|n| &batch[*n]).collect();
        for (n, answer) in missing.into_iter().zip(pipeline(link, terms, &jobs).await?) {
            answers[n] = answer;
        }
    }
    let read = |(answer, job): (Answered, &Job)| {
        let value = answer?.map_err(|e| Failed::said(&e))?;
        match &job.ask {
            Ask::Use(bucket, _) => {
                let Answer { used, now } = script::read(value)?;
                bucket.seen.fetch_max(now, Ordering::Relaxed);
                Ok(Said::Used(used))
            }
            Ask::Tries(..) => script::read_tries(value).map(Said::Took),
        }
    };
    Ok(answers.into_iter().zip(batch).map(read).collect())
}

/// What a script said, unless that doesn't count.
type Answered = Result<RedisResult<Value>, Failed>;

fn is_no_script(answer: &Answered) -> bool {
    let said = answer.as_ref().ok().and_then(|said| said.as_ref().err());
    said.is_some_and(|e| e.kind() == ErrorKind::Server(ServerErrorKind::NoScript))
}

/// One round trip. A use that is first and has not reached enough replicas is an error: it may be gone after a failover. Tries count
/// without them: a failover that loses the last few allows those once more, and no login has to wait for a replica.
async fn pipeline(link: &mut Link, terms: &Terms, jobs: &[&Job]) -> Result<Vec<Answered>, Failed> {
    let mut pipe = Pipeline::with_capacity(jobs.len() + 1);
    pipe.ignore_errors();
    for job in jobs {
        pipe.add_command(match &job.ask {
            Ask::Use(bucket, used) => {
                let seen = bucket.seen.load(Ordering::Relaxed);
                script::call(&link.scripts.first_use, &bucket.keys, *used, seen)
            }
            Ask::Tries(tries, back) => script::tries(&link.scripts.tries, tries, *back),
        });
    }
    let waits = terms.replicas > 0 && jobs.iter().any(|job| matches!(job.ask, Ask::Use(..)));
    if waits {
        pipe.cmd("WAIT").arg(terms.replicas).arg(u64::try_from(terms.wait.as_millis()).unwrap_or(u64::MAX));
    }
    let answered = pipe.query_async::<Vec<RedisResult<Value>>>(&mut link.connection).await;
    let mut answers = answered.map_err(|e| Failed { cure: Cure::LookAgain, ..Failed::said(&e) })?;
    let mut few = None;
    if waits {
        let have = answers.pop().and_then(Result::ok).and_then(|have| u32::from_redis_value(have).ok()).unwrap_or(0);
        if have < terms.replicas {
            let what = format!("{have} of {} replicas have it", terms.replicas);
            few = Some(Failed::new(format!("Redis: {what}: is one of them gone?"), Cure::LookAgain));
        }
    }
    if answers.len() != jobs.len() {
        return Err(Failed::new("Redis answers more or less than was asked", Cure::LookAgain));
    }
    let counts = |(answer, job): (_, &&Job)| match (&job.ask, &few) {
        (Ask::Use(..), Some(few)) => Err(few.clone()),
        _ => Ok(answer),
    };
    Ok(answers.into_iter().zip(jobs).map(counts).collect())
}
