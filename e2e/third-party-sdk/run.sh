#!/bin/sh
# Three WeChat SDKs that know nothing of Yaopai, unmodified, against the simulator. See README.md.
set -eu
here=$(cd "$(dirname "$0")" && pwd)

# The simulator's default app and one of its users.
export SIM_APPID="${SIM_APPID:-wx0123456789abcdef}"
export SIM_APP_SECRET="${SIM_APP_SECRET:-0123456789abcdef0123456789abcdef}"
export SIM_USER="${SIM_USER:-lilei}"
# A proxy of this machine must not get between an SDK and the simulator.
export NO_PROXY="127.0.0.1,localhost,${NO_PROXY:-}" no_proxy="127.0.0.1,localhost,${no_proxy:-}"

# What is pinned is what is installed: the lock files are hashed, and a change of one installs anew.
# The pip programs are wheels but for the SDK itself, which is only published as source.
install_npm() (
  cd "$here/npm"
  cmp -s package-lock.json node_modules/.installed && return
  npm ci --silent --no-audit --no-fund --ignore-scripts
  cp package-lock.json node_modules/.installed
)
install_pypi() (
  cd "$here/pypi"
  cat requirements-build.txt requirements.txt | cmp -s - .venv/.installed && return
  rm -rf .venv
  python3 -m venv .venv
  .venv/bin/pip install --quiet --require-hashes --requirement requirements-build.txt
  .venv/bin/pip install --quiet --require-hashes --no-build-isolation --requirement requirements.txt
  cat requirements-build.txt requirements.txt >.venv/.installed
)
# Maven has no lock file, so every jar is compared with the list, and only what is on the list gets on the class path.
jars_are_right() (cd "$here/maven/lib" 2>/dev/null && sha256sum --check --quiet --strict ../jars.sha256)
install_maven() {
  jars_are_right 2>/dev/null && return
  rm -rf "$here/maven/lib"
  (cd "$here/maven" && mvn --batch-mode --quiet -Dstyle.color=never -Dmaven.wagon.http.retryHandler.count=3 \
    org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies -DincludeScope=runtime -DoutputDirectory=lib)
  jars_are_right
}
install_npm
install_pypi
install_maven

# What the JVM and the SDK's logger say is only of interest if it fails.
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if [ -z "${SIM_BASE_URL:-}" ]; then
  ready=$(mktemp)
  SIM_LISTEN=127.0.0.1:0 cargo run -q --locked --manifest-path "$here/../../Cargo.toml" -p yaopai-sim --example sim >"$ready" &
  sim=$!
  trap 'kill "$sim" 2>/dev/null || true; rm -f "$ready" "$log"' EXIT
  until grep -q base_url "$ready"; do
    kill -0 "$sim" 2>/dev/null || { echo "the simulator did not start" >&2; exit 1; }
    sleep 0.2
  done
  SIM_BASE_URL=$(sed 's/.*"base_url":"\([^"]*\)".*/\1/' "$ready")
  SIM_CONTROL_TOKEN=$(sed 's/.*"control_token":"\([^"]*\)".*/\1/' "$ready")
fi
: "${SIM_CONTROL_TOKEN:?SIM_BASE_URL is set, so SIM_CONTROL_TOKEN must be, too}"
export SIM_BASE_URL SIM_CONTROL_TOKEN

node "$here/npm/login.mjs"
"$here/pypi/.venv/bin/python" "$here/pypi/login.py"
jars=$(sed "s|^[0-9a-f]*  |$here/maven/lib/|" "$here/maven/jars.sha256" | paste -s -d : -)
java -cp "$jars" "$here/maven/MiniProgram.java" 2>"$log" || { cat "$log" >&2; exit 1; }
