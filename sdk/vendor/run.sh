#!/bin/sh
# The built package through the vendor's own npm build and ES5 compiler, then the tests on what comes out: on V8 and on
# JavaScriptCore without its JIT, as on an iPhone. What is installed for it is large, so it is installed here only. See README.md.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
sdk=$(dirname "$here")
root=$(cd "$sdk/.." && pwd)
# shellcheck source=scripts/client.sh
. "$root/scripts/client.sh"

npm_install "$sdk"
npm_install "$here"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cd "$sdk"
npm run --silent build
# What npm would publish, and nothing else.
npm pack --silent --ignore-scripts --pack-destination "$work" >"$work/name"
tar -xzf "$work/$(cat "$work/name")" -C "$work"

cd "$here"
es5=$(node compile.mjs "$work/package" "$work/vendor" 2>"$work/log") || { cat "$work/log" >&2; exit 1; }
grep ' as ES5$' "$work/log"
# One file an entry, as the tests expect them, with the helpers that the compiler puts beside them. It fails over anything
# that isn't ES5.
"$sdk/node_modules/.bin/esbuild" "$es5"/*.js --bundle --format=cjs --target=es5 --log-level=error --outdir="$work/dist"
export YAOPAI_SDK_DIST="$work/dist"

echo "== Node $(node --version), ES5"
node "$sdk/scripts/test.mjs" --no-warnings
bun=$here/node_modules/@oven/bun-linux-x64/bin/bun
echo "== JavaScriptCore without JIT (Bun $("$bun" --version)), ES5"
cd "$sdk"
# Bun takes a folder's name as a filter, and would run the tests against the real server as well.
find tests -name '*.test.mjs' -not -path 'tests/real/*' | sort | sed 's,^,./,' |
  BUN_JSC_useJIT=0 xargs "$bun" test --timeout 600000 >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
tail -4 "$work/log"
