//! A cluster of Redis of a test's own: three primaries, a replica of each.

use std::process::{Command, Stdio};
use std::time::Duration;

use crate::redis_server::{RedisServer, free_port};

const PRIMARIES: usize = 3;
/// How many slots change hands: some of our 256 buckets are in them.
const MOVED: &str = "100";
/// A busy machine is no dead one.
const NODE_TIMEOUT_MS: &str = "3000";

pub struct RedisCluster(Vec<RedisServer>);

impl RedisCluster {
    pub fn start() -> Self {
        let (buses, nodes): (Vec<_>, Vec<_>) = (0..2 * PRIMARIES)
            .map(|_| {
                let bus = free_port().to_string();
                let settings =
                    ["--cluster-enabled", "yes", "--cluster-node-timeout", NODE_TIMEOUT_MS, "--cluster-port", &bus];
                let node = RedisServer::start_with(&settings);
                (bus, node)
            })
            .unzip();
        for (n, node) in nodes.iter().enumerate() {
            node.becomes(&["CLUSTER", "SET-CONFIG-EPOCH", &(n + 1).to_string()], "OK");
        }
        for (n, primary) in nodes[..PRIMARIES].iter().enumerate() {
            let (from, to) = (n * 16_384 / PRIMARIES, (n + 1) * 16_384 / PRIMARIES - 1);
            primary.becomes(&["CLUSTER", "ADDSLOTSRANGE", &from.to_string(), &to.to_string()], "OK");
        }
        for (bus, node) in buses.iter().zip(&nodes).skip(1) {
            nodes[0].becomes(&["CLUSTER", "MEET", "127.0.0.1", &node.port.to_string(), bus], "OK");
        }
        for (primary, replica) in nodes.iter().zip(&nodes[PRIMARIES..]) {
            replica.becomes(&["CLUSTER", "REPLICATE", &id(primary)], "OK");
        }
        let this = Self(nodes);
        this.settle();
        this
    }

    /// What a configuration says of it. Some of its nodes are enough.
    pub fn named(&self) -> String {
        let urls: Vec<_> = self.0[..PRIMARIES].iter().map(RedisServer::url_file).collect();
        format!("redis = {{ urls = [{}], cluster = true, replicas = 1 }}", urls.join(", "))
    }

    /// Slots go to another primary while they are in use.
    pub fn reshard(&self, n: usize) {
        let primaries = self.primaries();
        let (from, to) = (primaries[n % PRIMARIES], primaries[(n + 1) % PRIMARIES]);
        let mut cli = Command::new("redis-cli");
        cli.args(["--cluster", "reshard", &format!("127.0.0.1:{}", from.port), "--cluster-yes"]);
        cli.args(["--cluster-from", &id(from), "--cluster-to", &id(to), "--cluster-slots", MOVED]);
        let output = cli.stdin(Stdio::null()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        self.settle();
    }

    /// A primary dies, and its replica takes its place. Then it is back, with nothing in it, as that one's replica.
    pub fn kill_one(&self, n: usize) {
        let (primary, replica) = self.pair(n);
        primary.kill();
        replica.becomes(&["INFO", "replication"], "role:master");
        primary.run();
        self.settle();
    }

    /// A replica that lost its primary takes its place, and asks nobody: both take themselves for it, for a moment.
    pub fn take_over(&self, n: usize) {
        let (primary, replica) = self.pair(n);
        primary.ask(&["CLIENT", "KILL", "TYPE", "replica"]);
        replica.becomes(&["CLUSTER", "FAILOVER", "TAKEOVER"], "OK");
        self.settle();
    }

    fn primaries(&self) -> Vec<&RedisServer> {
        self.0.iter().filter(|node| role(node).contains("role:master")).collect()
    }

    fn pair(&self, n: usize) -> (&RedisServer, &RedisServer) {
        let primary = self.primaries()[n % PRIMARIES];
        let port = format!("master_port:{}\r", primary.port);
        let replica = self.0.iter().find(|node| role(node).contains(&port));
        (primary, replica.expect("each has its replica"))
    }

    /// Until each primary has its replica, and all nodes agree on who has which slot.
    fn settle(&self) {
        for _ in 0..3_000 {
            let roles: Vec<_> = self.0.iter().map(role).collect();
            let count = |what: &str| roles.iter().filter(|role| role.contains(what)).count();
            let whole = || {
                let views: Vec<_> = self.0.iter().map(slots).collect();
                views.iter().all(|view| view.len() == PRIMARIES && *view == views[0])
            };
            let paired = count("master_link_status:up") == PRIMARIES && count("state=online") == PRIMARIES;
            if paired
                && self.0.iter().all(|node| node.ask(&["CLUSTER", "INFO"]).contains("cluster_state:ok"))
                && whole()
            {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("the cluster does not come together: {}", self.0[0].ask(&["CLUSTER", "NODES"]));
    }
}

fn id(node: &RedisServer) -> String {
    node.ask(&["CLUSTER", "MYID"]).trim().to_owned()
}

fn role(node: &RedisServer) -> String {
    node.ask(&["INFO", "replication"])
}

/// Who has which slots, as a node sees it.
fn slots(node: &RedisServer) -> Vec<String> {
    let seen = node.ask(&["CLUSTER", "NODES"]);
    // id address flags master ping pong epoch link slots…
    let primary = |line: &str| {
        let fields: Vec<_> = line.split(' ').collect();
        (fields.len() > 8).then(|| format!("{} {}", fields[0], fields[8..].join(" ")))
    };
    let mut primaries: Vec<_> = seen.lines().filter_map(primary).collect();
    primaries.sort();
    primaries
}
