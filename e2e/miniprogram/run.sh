#!/bin/sh
# The example mini program, unmodified, on phones (e2e/phone), with the client library and the real server. See README.md.
# YAOPAI_QUIRKS says on which ones; `all` takes half an hour.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
# shellcheck source=scripts/client.sh
. "$root/scripts/client.sh"

need_chromium
npm_install "$root/e2e/phone"
npm_install "$root/sdk"
(cd "$root/sdk" && npm run --silent build >/dev/null)
need_server
cd "$root"
# Each file has a browser of its own, so not many at a time.
SCREENSHOTS="${SCREENSHOTS:-${CARGO_TARGET_DIR:-$root/target}/screenshots/miniprogram}" \
  exec node --test --test-concurrency=2 examples/miniprogram/tests/ examples/old-miniprogram/tests/ e2e/miniprogram/tests/
