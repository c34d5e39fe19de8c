#!/bin/sh
# A club that moves, with a fleet of old and new mini programs before it. See README.md.
# YAOPAI_MOVE_CLIENTS says how many of each kind, YAOPAI_MOVE_STEPS how much each does between two changes.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
# shellcheck source=scripts/client.sh
. "$root/scripts/client.sh"

npm_install "$root/sdk"
(cd "$root/sdk" && node scripts/build.mjs)
need_server
exec node --test --test-concurrency=1 "$here/tests/"
