#!/usr/bin/env bash
# Installs Debian's PostgreSQL and Redis without starting Debian's own services: the suite starts private ones in a temporary folder.
# The last line on stderr says in one sentence why it did not work.
set -euo pipefail

refuse() {
    echo "$1" >&2
    exit 1
}

command -v apt-get >/dev/null || refuse "this machine has no apt-get: install PostgreSQL and Redis by hand, or start a Docker engine, or set GATEHOUSE_TEST_POSTGRES_URL and GATEHOUSE_TEST_REDIS_URL"

as_root=()
if [ "$(id -u)" != 0 ]; then
    sudo -n true 2>/dev/null || refuse "installing PostgreSQL and Redis needs root: run \`sudo apt-get install postgresql redis-server\`, or start a Docker engine"
    as_root=(sudo -n)
fi

# Debian's packages ask this file whether they may start their services.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null
    "${as_root[@]}" chmod 755 "$policy"
    trap '"${as_root[@]}" rm -f "$policy"' EXIT
fi

"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -q </dev/null >&2 \
    || refuse "apt-get update failed: is the Debian mirror reachable?"
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends postgresql redis-server </dev/null >&2 \
    || refuse "apt-get could not install postgresql and redis-server"
