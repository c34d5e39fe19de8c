#!/bin/sh
# Our jar against two others, in other languages and by other people: tough-cookie and Python's http.cookiejar. See README.md.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
many=${YAOPAI_COOKIE_JAR_SEQUENCES:-1000}
seed=${YAOPAI_COOKIE_JAR_SEED:-6265}

# shellcheck source=scripts/client.sh
. "$root/scripts/client.sh"
command -v python3 >/dev/null || { echo "python3 is missing: scripts/setup installs it" >&2; exit 1; }
npm_install "$here"
cd "$here"

cargo build --quiet --locked --manifest-path "$root/Cargo.toml" -p yaopai-store --example cookie_jar
ours="${CARGO_TARGET_DIR:-$root/target}/debug/examples/cookie_jar"
lines=$(mktemp -d)
trap 'rm -rf "$lines"' EXIT
"$ours" make "$many" "$seed" >"$lines/sequences"
"$ours" run <"$lines/sequences" >"$lines/ours"
node tough.mjs <"$lines/sequences" >"$lines/tough-cookie"
python3 jar.py <"$lines/sequences" >"$lines/http.cookiejar"
node compare.mjs "$lines"
