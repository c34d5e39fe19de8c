#!/bin/sh
# A mini program in a real browser, and everything that the phone around it can do. See README.md.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
# shellcheck source=scripts/client.sh
. "$root/scripts/client.sh"

need_chromium
npm_install "$here"
need_server
cd "$here"
# Each file has a browser of its own, so not many at a time.
exec node --test --test-concurrency=2 tests/
