//! What a check costs a node of many: beside one on the embedded database, and beside a node that is alone at its PostgreSQL and Redis.
//! What is counted is the CPU of that node's process.

use std::fmt::Write as _;
use std::path::Path;

use yaopai::clock::SystemClock;
use yaopai_core::ports::Clock as _;

use crate::cpu::{Pace, Ratio, Side, several};
use crate::load::{CORE, Load};
use crate::memory;
use crate::people::People;
use crate::programs::postgres::Server;
use crate::programs::redis::RedisServer;
use crate::request::TARGET;
use crate::server::{self, Process};

/// Live sessions, all of them in turn.
const PEOPLE: u64 = 1024;
/// Signed requests for each second of a round: more than one core answers.
const SIGNED_RATE: u64 = 160_000;
/// Nodes at one PostgreSQL.
const NODES: usize = 3;
const RATIOS: [Ratio<'static>; 2] = [
    Ratio { name: "one of three ÷ one that is alone (at most 1.05)", of: 2, to: 1 },
    Ratio { name: "one of three ÷ the embedded database", of: 2, to: 0 },
];

/// Nodes with a PostgreSQL and a Redis of their own.
struct Fleet {
    nodes: Vec<Process>,
    _redis: RedisServer,
    _folder: tempfile::TempDir,
}

impl Fleet {
    async fn start(
        postgres: &Server,
        database: &str,
        nodes: usize,
        (people, keyed): (People, bool),
    ) -> anyhow::Result<Self> {
        let (redis, folder) = (RedisServer::start(), tempfile::tempdir()?);
        postgres.sql(&format!("CREATE DATABASE {database}"));
        let mut configs = Vec::new();
        for n in 0..nodes {
            let folder = folder.path().join(format!("node{n}"));
            std::fs::create_dir(&folder)?;
            let url = format!("host={} user=yaopai dbname={database}", postgres.folder().display());
            std::fs::write(folder.join("postgres"), url)?;
            let config = server::config(&folder, None)?;
            let mut text = std::fs::read_to_string(&config)?;
            let nonces = redis.named();
            write!(text, "[cluster]\npostgres = \"file:postgres\"\nnode = \"node{n}\"\n{nonces}\n")?;
            std::fs::write(&config, text)?;
            configs.push(config);
        }
        memory::fill(&configs[0], people, PEOPLE, keyed).await?;
        // The one that is measured has its core for itself.
        let cores = std::iter::once(server::CORE).chain(std::iter::repeat(CORE));
        let start = |(config, core): (&std::path::PathBuf, _)| {
            Process::start_on(core, &["serve", "check", &config.display().to_string()])
        };
        let nodes = configs.iter().zip(cores).map(start).collect::<Result<_, _>>()?;
        Ok(Self { nodes, _redis: redis, _folder: folder })
    }
}

/// Both tables.
///
/// # Errors
/// A program is missing, or a request isn't answered with 200.
#[allow(clippy::print_stdout, reason = "the tables are for people")]
pub async fn tables(folder: &Path, pace: Pace) -> anyhow::Result<()> {
    let postgres = Server::start_with(&["max_connections=120"]);
    for keyed in [false, true] {
        let people = People::new(PEOPLE, SystemClock::default().now());
        let folder = tempfile::tempdir_in(folder)?;
        let config = server::config(folder.path(), None)?;
        memory::fill(&config, people, PEOPLE, keyed).await?;
        let (embedded, _) = memory::restart(&config)?;
        let kind = if keyed { "signed" } else { "bearer" };
        let alone = Fleet::start(&postgres, &format!("alone_{kind}"), 1, (people, keyed)).await?;
        let many = Fleet::start(&postgres, &format!("many_{kind}"), NODES, (people, keyed)).await?;
        // What was signed before the stores began to remember is refused.
        tokio::time::sleep(std::time::Duration::from_secs(7)).await;
        let load = if keyed {
            Load::signed_to(people, PEOPLE, PEOPLE, (TARGET, SIGNED_RATE))?
        } else {
            Load::of((0..PEOPLE).map(|n| people.asked(n)))?
        };
        let sides = [
            Side::alone("embedded database", &embedded, &load),
            Side::alone("one node, alone at its PostgreSQL and Redis", &alone.nodes[0], &load),
            Side::alone("one node of three", &many.nodes[0], &load),
        ];
        println!("{}", several(&sides, &format!("{kind} checks, {PEOPLE} live sessions in turn"), &RATIOS, pace)?);
    }
    Ok(())
}
