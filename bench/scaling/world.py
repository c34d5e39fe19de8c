"""What is measured: a PostgreSQL of our own in a temporary folder, a node, and the simulated WeChat."""

import hashlib
import http.client
import json
import os
import pwd
import re
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

API_KEY = "yk_scaling"
APPID, SECRET = "wx0123456789abcdef", "0123456789abcdef0123456789abcdef"
OWN = ("checkpointer", "background writer", "walwriter", "launcher")  # processes of PostgreSQL's own
TICK = os.sysconf("SC_CLK_TCK")


def programs():
    """Where `initdb` and `postgres` are, as crates/yaopai-store/tests/database/postgres.rs looks for them."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: -int(p.parent.name))
    for folder in [Path(os.environ.get("YAOPAI_POSTGRES_BIN", "/nowhere")), *debian]:
        if (folder / "initdb").is_file():
            return folder
    raise SystemExit("PostgreSQL is missing: run scripts/setup (or name its programs' folder in YAOPAI_POSTGRES_BIN)")


class Postgres:
    """As it comes, with memory for a machine of its own, and fsync on. VACUUM is run, and counted, where it belongs."""

    SETTINGS = [
        "listen_addresses=", "max_connections=100", "shared_buffers=2GB",
        "max_wal_size=16GB", "checkpoint_timeout=30min", "autovacuum=off",
    ]

    def __init__(self):
        self.bin = programs()
        self.folder = Path(tempfile.mkdtemp(prefix="scaling-"))
        self.user = None
        if os.geteuid() == 0:
            # It refuses to be root.
            self.user = next(u for u in ("postgres", "nobody") if u in {p.pw_name for p in pwd.getpwall()})
            shutil.chown(self.folder, self.user)
        self._run("initdb", "--username=yaopai", "--auth=trust", "--encoding=UTF8", "--locale=C", "-D", self.folder / "data")
        options = [word for setting in self.SETTINGS for word in ("-c", setting)]
        self.log = open(self.folder / "log", "ab")
        self.process = subprocess.Popen(
            [self.bin / "postgres", "-D", self.folder / "data", "-k", self.folder, *options],
            user=self.user, cwd="/", stdout=self.log, stderr=self.log,
        )
        for _ in range(600):
            if subprocess.run([self.bin / "pg_isready", "-q", "-h", self.folder]).returncode == 0:
                return
            time.sleep(0.05)
        raise SystemExit(f"PostgreSQL does not start: {(self.folder / 'log').read_text()}")

    def _run(self, name, *words):
        subprocess.run([self.bin / name, *words], check=True, user=self.user, cwd="/", stdout=subprocess.DEVNULL)

    def sql(self, text):
        words = [self.bin / "psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-h", self.folder, "-U", "yaopai", "-d", "postgres"]
        return subprocess.run([*words, "-f", "-"], input=text, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()

    def bench(self, script, transactions):
        """`script` so many times over one connection, prepared as our driver does. Answers µs of its CPU, and of time, for each."""
        path = self.folder / "script.sql"
        path.write_text(script)
        env = dict(os.environ, PGOPTIONS="-c jit=off")
        before, start = self.cpu(asked=True), time.monotonic()
        words = [self.bin / "pgbench", "-n", "-M", "prepared", "-c", "1", "-t", str(transactions), "-f", path]
        subprocess.run([*words, "-h", self.folder, "-U", "yaopai", "postgres"], check=True, capture_output=True, env=env)
        wall = time.monotonic() - start
        return (self.cpu(asked=True) - before) / transactions * 1e6, wall / transactions * 1e6

    def cpu(self, asked=False):
        """Seconds of CPU that all its processes have used, those that have ended too; or only those that answer somebody."""
        total = 0
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = stat.read_text().rpartition(") ")[2].split()
                name = (stat.parent / "cmdline").read_text()
            except OSError:
                continue
            if int(stat.parent.name) == self.process.pid:
                total += sum(map(int, fields[13:15] if asked else fields[11:15]))
            elif int(fields[1]) == self.process.pid and not (asked and any(own in name for own in OWN)):
                total += sum(map(int, fields[11:13]))
        return total / TICK

    def wal(self):
        return int(self.sql("SELECT pg_current_wal_insert_lsn() - '0/0'"))

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


class Relay:
    """A socket before PostgreSQL's that counts what goes through it, by connection."""

    def __init__(self, postgres, delay=0.0):
        self.to = str(postgres.folder / ".s.PGSQL.5432")
        self.folder = Path(tempfile.mkdtemp(prefix="relay-"))
        self.delay = delay
        self.connections = []
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(self.folder / ".s.PGSQL.5432"))
        self.listener.listen(64)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            server.connect(self.to)
            counts = {"sent": 0, "received": 0, "messages": 0, "polls": False}
            self.connections.append(counts)
            for pair in ((client, server, "sent"), (server, client, "received")):
                threading.Thread(target=self._copy, args=(*pair, counts), daemon=True).start()

    def _copy(self, source, sink, name, counts):
        while data := source.recv(1 << 20):
            counts[name] += len(data)
            if name == "sent":
                counts["messages"] += 1
                counts["polls"] |= b"pg_walfile_name" in data
                if self.delay:
                    time.sleep(self.delay)
            sink.sendall(data)
        sink.close()

    def poller(self):
        """The connection that reads the log."""
        return dict([c for c in self.connections if c["polls"]][-1])

    def stop(self):
        self.listener.close()
        shutil.rmtree(self.folder, ignore_errors=True)


class Processes:
    """A node and the simulator."""

    def __init__(self, binary, host, flush_interval):
        self.folder = Path(tempfile.mkdtemp(prefix="node-"))
        self.children = []
        sim = self.folder / "sim.toml"
        sim.write_text(
            f'seed = 1\ncontrol_token = "scaling-control-token"\n[[apps]]\nappid = "{APPID}"\nsecret = "{SECRET}"\n'
            'login_limit_per_minute = 1000000\n[[users]]\nname = "p0"\n'
        )
        sim = self._start([binary, "sim", "--config", sim, "--listen", "127.0.0.1:0"], self.folder / "sim.log")
        said = self._wait(sim, r"(http://[0-9.]+:[0-9]+)")
        self.sim = said.group(1).removeprefix("http://")
        (self.folder / "master.key").write_text("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")
        (self.folder / "app.secret").write_text(SECRET)
        (self.folder / "yaopai.toml").write_text(f"""
            master_key = "file:master.key"
            development = true
            live = {{ flush_interval = {flush_interval} }}
            limits = {{ logins_per_identity = 0, logins_per_network = 0, binds_per_identity = 0, binds_per_network = 0 }}
            listen = {{ public = "127.0.0.1:0", check = "127.0.0.1:0", admin = "127.0.0.1:0" }}
            [cluster]
            postgres = "file:postgres"
            node = "node0"
            [[apps]]
            name = "shop"
            keyed = "offered"
            appid = "{APPID}"
            secret = "file:app.secret"
            base_url = "http://{self.sim}"
            binding = "auto"
            [[api_keys]]
            name = "scaling"
            hash = "sha256:{hashlib.sha256(API_KEY.encode()).hexdigest()}"
        """)
        (self.folder / "postgres").write_text(f"host={host} user=yaopai dbname=postgres")
        node = self._start([binary, "serve", "--config", self.folder / "yaopai.toml"], self.folder / "node.log")
        self.node = node[0]
        line = self._wait(node, r"listening.*").group(0)
        at = r"=(?:http://)?([0-9.]+:[0-9]+)"
        self.at = {name: re.search(name + at, line).group(1) for name in ("public", "check", "admin")}
        self.local = threading.local()

    def _start(self, words, log):
        out = open(log, "wb")
        environment = {k: v for k, v in os.environ.items() if not k.startswith("YAOPAI_") and k.lower() != "http_proxy"}
        child = subprocess.Popen(words, stdout=out, stderr=out, env=environment)
        self.children.append(child)
        return child, log

    def _wait(self, started, pattern):
        child, log = started
        for _ in range(600):
            if found := re.search(pattern, re.sub(r"\x1b\[[0-9;]*m", "", log.read_text())):
                return found
            if child.poll() is not None:
                break
            time.sleep(0.05)
        raise SystemExit(f"it does not start: {log.read_text()}")

    def call(self, place, method, path, body=None, token=None):
        at = self.sim if place == "sim" else self.at[place]
        kept = self.local.__dict__.setdefault("kept", {})
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        connection = kept.get(at) or kept.setdefault(at, http.client.HTTPConnection(at, timeout=60))
        connection.request(method, path, body and json.dumps(body), headers)
        answer = connection.getresponse()
        text = answer.read()
        if answer.will_close:
            kept.pop(at).close()
        return answer.status, text

    def sim_call(self, method, path, body):
        status, text = self.call("sim", method, "/_sim" + path, body, "scaling-control-token")
        assert status < 300, text
        return json.loads(text)

    def add_people(self, first, last):
        for n in range(first, last):
            self.sim_call("POST", "/users", {"name": f"p{n}"})

    def code(self, n):
        return self.sim_call("POST", "/code", {"user": f"p{n}"})["code"]

    def login(self, code):
        device = {"type": "phone", "name": "iPhone 15"}
        body = {"app": "shop", "code": code, "request_id": secrets.token_hex(16), "device": device}
        status, text = self.call("public", "POST", "/yaopai/v1/session", body)
        assert status == 201, text
        return json.loads(text)

    def refresh(self, session):
        body = {"request_id": secrets.token_hex(16)}
        status, text = self.call("public", "POST", "/yaopai/v1/session/refresh", body, session["token"])
        assert status == 200, text
        return json.loads(text)

    def check(self, session):
        path = "/check/nginx/require=session/GET/https/shop.example/orders"
        status, text = self.call("check", "GET", path, None, session["token"])
        assert status == 200, text
        return session

    def kick(self, session):
        status, text = self.call("admin", "DELETE", f"/admin/v1/sessions/{session['session_id']}", None, API_KEY)
        assert status == 204, text

    def stop(self):
        for child in reversed(self.children):
            child.terminate()
        for child in self.children:
            child.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def each(work, items, threads):
    """Runs `work` on all items, so many at a time."""
    if threads == 1:
        return [work(item) for item in items]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(work, items))
