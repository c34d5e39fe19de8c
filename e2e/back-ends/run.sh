#!/bin/sh
# Back ends with sessions of their own (PHP, Express, Shiro) behind the gateway, and clients without cookies. See README.md.
# YAOPAI_FLEET_CLIENTS and YAOPAI_FLEET_REQUESTS say how many, and of how many requests each.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
# shellcheck source=scripts/client.sh
. "$root/scripts/client.sh"

examples=$root/examples/back-ends
npm_install "$examples/express"
# Maven has no lock file: what it brought is compared with the list.
(
  cd "$examples/shiro"
  mvn --batch-mode --quiet -Dstyle.color=never -Dmaven.wagon.http.retryHandler.count=3 process-classes
  cd target/lib && sha256sum --check --quiet --strict ../../jars.sha256
)
need_server
exec node --test --test-concurrency=1 "$here/tests/"
