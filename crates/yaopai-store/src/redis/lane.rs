//! The way to one server: uses that wait go out together in one pipeline with one WAIT at its end, which holds for all of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use ::redis::{ConnectionInfo, ErrorKind, FromRedisValue as _, Pipeline, RedisResult, ServerErrorKind, Value};
use tokio::sync::{mpsc, oneshot};
use yaopai_core::ports::{Use, Used};

use super::error::{Cure, Failed};
use super::link::Link;
use super::script::{self, Answer, Keys};

/// Uses in one pipeline, at most.
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
    /// Uses that may wait.
    pub queue: usize,
}

/// The way in. Who drops it ends the task behind it.
#[derive(Clone)]
pub(super) struct Lane(mpsc::Sender<Job>);

struct Job {
    bucket: Arc<Bucket>,
    used: Option<Use>,
    reply: oneshot::Sender<Result<Used, Failed>>,
}

impl Lane {
    /// To the one of `places` that is a master. `link`: if there is a connection already.
    pub fn start(places: Vec<ConnectionInfo>, terms: Terms, link: Option<Link>) -> Self {
        let (queue, jobs) = mpsc::channel(terms.queue.max(1));
        tokio::spawn(Worker { places, terms, link }.run(jobs));
        Self(queue)
    }

    /// `used`: nothing if the bucket's past is only to begin.
    pub async fn ask(&self, bucket: &Arc<Bucket>, used: Option<Use>) -> Result<Used, Failed> {
        let (reply, answer) = oneshot::channel();
        let job = Job { bucket: Arc::clone(bucket), used, reply };
        self.0
            .try_send(job)
            .map_err(|_| Failed::new("too many signed requests are waiting for Redis", Cure::Nothing))?;
        answer.await.unwrap_or_else(|_| Err(Failed::new("the way to Redis is closed", Cure::LookAgain)))
    }
}

struct Worker {
    places: Vec<ConnectionInfo>,
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
    async fn send(&mut self, batch: &[Job]) -> Result<Vec<Result<Used, Failed>>, Failed> {
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

async fn exchange(link: &mut Link, terms: &Terms, batch: &[Job]) -> Result<Vec<Result<Used, Failed>>, Failed> {
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
    Ok(answers
        .into_iter()
        .zip(batch)
        .map(|(answer, job)| {
            let Answer { used, now } = answer.map_err(|e| Failed::said(&e)).and_then(script::read)?;
            job.bucket.seen.fetch_max(now, Ordering::Relaxed);
            Ok(used)
        })
        .collect())
}

fn is_no_script(answer: &RedisResult<Value>) -> bool {
    answer.as_ref().is_err_and(|e| e.kind() == ErrorKind::Server(ServerErrorKind::NoScript))
}

/// One round trip. What is first and has not reached enough replicas is an error: it may be gone after a failover.
async fn pipeline(link: &mut Link, terms: &Terms, jobs: &[&Job]) -> Result<Vec<RedisResult<Value>>, Failed> {
    let mut pipe = Pipeline::with_capacity(jobs.len() + 1);
    pipe.ignore_errors();
    for job in jobs {
        let seen = job.bucket.seen.load(Ordering::Relaxed);
        pipe.add_command(script::call(&link.script, &job.bucket.keys, job.used, seen));
    }
    if terms.replicas > 0 {
        pipe.cmd("WAIT").arg(terms.replicas).arg(u64::try_from(terms.wait.as_millis()).unwrap_or(u64::MAX));
    }
    let answered = pipe.query_async::<Vec<RedisResult<Value>>>(&mut link.connection).await;
    let mut answers = answered.map_err(|e| Failed { cure: Cure::LookAgain, ..Failed::said(&e) })?;
    if terms.replicas > 0 {
        let have = answers.pop().and_then(Result::ok).and_then(|have| u32::from_redis_value(have).ok()).unwrap_or(0);
        if have < terms.replicas {
            let what = format!("{have} of {} replicas have it", terms.replicas);
            return Err(Failed::new(format!("Redis: {what}: is one of them gone?"), Cure::LookAgain));
        }
    }
    if answers.len() != jobs.len() {
        return Err(Failed::new("Redis answers more or less than was asked", Cure::LookAgain));
    }
    Ok(answers)
}
