#!/bin/sh
# The demo's page in a real browser: every button, in both languages. See README.md.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
# shellcheck source=scripts/client.sh
. "$root/scripts/client.sh"

need_chromium
npm_install "$here"

# The mini program that the binary embeds is what its sources make.
"$root/scripts/demo-phone" --check

cargo build --quiet --locked --manifest-path "$root/Cargo.toml" -p yaopai
YAOPAI="${CARGO_TARGET_DIR:-$root/target}/debug/yaopai" \
  SCREENSHOTS="${CARGO_TARGET_DIR:-$root/target}/screenshots/demo" node "$here/main.mjs"
