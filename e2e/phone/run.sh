#!/bin/sh
# A mini program in a real browser, and everything that the phone around it can do. See README.md.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
# A proxy of this machine must not get between the browser and the phone.
export NO_PROXY="127.0.0.1,localhost,${NO_PROXY:-}" no_proxy="127.0.0.1,localhost,${no_proxy:-}"

CHROMIUM=${CHROMIUM:-$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)}
[ -n "$CHROMIUM" ] || { echo "no Chromium: scripts/setup installs it, or set CHROMIUM=/path/to/it" >&2; exit 1; }
export CHROMIUM

# What is pinned is what is installed: the lock file is hashed, and a change of it installs anew.
cd "$here"
if ! cmp -s package-lock.json node_modules/.installed; then
  npm ci --silent --no-audit --no-fund --ignore-scripts
  cp package-lock.json node_modules/.installed
fi

if [ -z "${YAOPAI:-}" ]; then
  cargo build --quiet --locked --manifest-path "$root/Cargo.toml" -p yaopai
  YAOPAI="${CARGO_TARGET_DIR:-$root/target}/debug/yaopai"
fi
export YAOPAI
[ -x "$YAOPAI" ] || { echo "no server: $YAOPAI is not a program" >&2; exit 1; }
# Each file has a browser of its own, so not many at a time.
exec node --test --test-concurrency=2 tests/
