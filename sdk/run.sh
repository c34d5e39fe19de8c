#!/bin/sh
# All that must hold of the library: types, size, what a phone hasn't, unit tests with and without a JIT, and the real server.
# The server is YAOPAI=/path/to/yaopai, or built.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$here")
# shellcheck source=scripts/client.sh
. "$root/scripts/client.sh"
npm_install "$here"
cd "$here"
say() { echo "--- sdk: $1"; }
say build; node scripts/build.mjs
say 'size, and what a phone has not'; node scripts/check.mjs
say types; node_modules/.bin/tsc -p tsconfig.json; node_modules/.bin/tsc -p tests/types
say tests; node scripts/test.mjs
say 'tests without a JIT'; YAOPAI_SDK_SCHEDULES=4 YAOPAI_COOKIE_SEQUENCES=200 NODE_OPTIONS=--jitless node scripts/test.mjs
need_server
say 'the real server'; node --test tests/real
