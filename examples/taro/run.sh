#!/bin/sh
# Compiles the example with Taro and walks through it on the phone of e2e/phone, against the shop of examples/miniprogram.
# YAOPAI names the server's binary, CHROMIUM the browser; nginx is needed, too.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
# shellcheck source=scripts/client.sh
. "$root/scripts/client.sh"

need_chromium
npm_install "$root/sdk"
npm_install "$root/e2e/phone"
# Not `npm ci`: it refuses a lock file without Taro 4.2.1's optional binaries for other systems, which npm doesn't have.
npm_install "$here" install --no-save

(cd "$root/sdk" && npm run --silent build)
cd "$here"
for patch in yes no; do
  PATCH=$patch npm run --silent build >build.log 2>&1 || { cat build.log; exit 1; }
done
need_server
exec node --test tests/
