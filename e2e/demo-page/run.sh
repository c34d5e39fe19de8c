#!/bin/sh
# The demo's page in a real browser: every button, in both languages. See README.md.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
# A proxy of this machine must not get between the browser and the demo.
export NO_PROXY="127.0.0.1,localhost,${NO_PROXY:-}" no_proxy="127.0.0.1,localhost,${no_proxy:-}"

chromium=${CHROMIUM:-$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)}
[ -n "$chromium" ] || { echo "no Chromium: scripts/setup installs it, or set CHROMIUM=/path/to/it" >&2; exit 1; }

# What is pinned is what is installed: the lock file is hashed, and a change of it installs anew.
cd "$here"
if ! cmp -s package-lock.json node_modules/.installed; then
  npm ci --silent --no-audit --no-fund --ignore-scripts
  cp package-lock.json node_modules/.installed
fi

# The mini program that the binary embeds is what its sources make.
"$root/scripts/demo-phone" --check

cargo build --quiet --locked --manifest-path "$root/Cargo.toml" -p yaopai
YAOPAI="${CARGO_TARGET_DIR:-$root/target}/debug/yaopai" CHROMIUM=$chromium \
  SCREENSHOTS="${CARGO_TARGET_DIR:-$root/target}/screenshots/demo" node "$here/main.mjs"
