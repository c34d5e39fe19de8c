#!/bin/sh
# All that must hold of the library: types, size, what a phone hasn't, unit tests with and without a JIT, and the real server.
# YAOPAI names the server's binary; the tests on it fail without one.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
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
say 'tests without a JIT'; YAOPAI_SDK_SCHEDULES=4 NODE_OPTIONS=--jitless node scripts/test.mjs
say 'the real server'; node --test tests/real
