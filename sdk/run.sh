#!/bin/sh
# All that must hold of the library: types, size, what a phone hasn't, unit tests with and without a JIT, and the real server.
# The server is YAOPAI=/path/to/yaopai, or built.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$here")
# A proxy of this machine must not get between the library and the server.
export NO_PROXY="127.0.0.1,localhost,${NO_PROXY:-}" no_proxy="127.0.0.1,localhost,${no_proxy:-}"
cd "$here"

# What is pinned is what is installed: the lock file is hashed, and a change of it installs anew.
if ! cmp -s package-lock.json node_modules/.installed; then
  npm ci --silent --no-audit --no-fund --ignore-scripts
  cp package-lock.json node_modules/.installed
fi
say() { echo "--- sdk: $1"; }
say build; node scripts/build.mjs
say 'size, and what a phone has not'; node scripts/check.mjs
say types; node_modules/.bin/tsc -p tsconfig.json; node_modules/.bin/tsc -p tests/types
say tests; node scripts/test.mjs
say 'tests without a JIT'; YAOPAI_SDK_SCHEDULES=4 YAOPAI_COOKIE_SEQUENCES=200 NODE_OPTIONS=--jitless node scripts/test.mjs
if [ -z "${YAOPAI:-}" ]; then
  cargo build --quiet --locked --manifest-path "$root/Cargo.toml" -p yaopai
  YAOPAI="${CARGO_TARGET_DIR:-$root/target}/debug/yaopai"
fi
export YAOPAI
[ -x "$YAOPAI" ] || { echo "no server: $YAOPAI is not a program" >&2; exit 1; }
say 'the real server'; node --test tests/real
