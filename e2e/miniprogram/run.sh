#!/bin/sh
# The example mini program, unmodified, on phones (e2e/phone), with the client library and the real server. See README.md.
# YAOPAI_QUIRKS says on which ones; `all` takes half an hour.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
# A proxy of this machine must not get between the phone and the shop.
export NO_PROXY="127.0.0.1,localhost,${NO_PROXY:-}" no_proxy="127.0.0.1,localhost,${no_proxy:-}"

CHROMIUM=${CHROMIUM:-$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)}
[ -n "$CHROMIUM" ] || { echo "no Chromium: scripts/setup installs it, or set CHROMIUM=/path/to/it" >&2; exit 1; }
export CHROMIUM

# What is pinned is what is installed: the lock file is hashed, and a change of it installs anew.
for folder in "$root/e2e/phone" "$root/sdk"; do
  cd "$folder"
  if ! cmp -s package-lock.json node_modules/.installed; then
    npm ci --silent --no-audit --no-fund --ignore-scripts
    cp package-lock.json node_modules/.installed
  fi
done
npm run --silent build >/dev/null    # the client library, in sdk/

if [ -z "${YAOPAI:-}" ]; then
  cargo build --quiet --locked --manifest-path "$root/Cargo.toml" -p yaopai
  YAOPAI="${CARGO_TARGET_DIR:-$root/target}/debug/yaopai"
  export YAOPAI
fi
cd "$root"
# Each file has a browser of its own, so not many at a time.
SCREENSHOTS="${SCREENSHOTS:-${CARGO_TARGET_DIR:-$root/target}/screenshots/miniprogram}" \
  exec node --test --test-concurrency=2 examples/miniprogram/tests/ examples/old-miniprogram/tests/ e2e/miniprogram/tests/
