#!/usr/bin/env bash
# with-npm.sh <folder> <command>...: runs a command in a folder with the npm packages of its lock file. Where that cannot
# be tried (no Node, or a registry that does not answer) it says so loudly and ends well; everything else is a failure.
set -euo pipefail
cd "$1"
shift
exec </dev/null

not_run() {
    printf '\n#### NOT RUN: %s in %s: %s\n\n' "$what" "${PWD##*/}" "$1" >&2
    exit 0
}

what="$*"
major=$(node -p 'process.versions.node.split(".")[0]' 2>/dev/null) || not_run 'there is no Node here (20 or later)'
[ "$major" -ge 20 ] || not_run "Node $major is too old (20 or later)"
command -v npm >/dev/null || not_run 'there is no npm here'
# What npm has installed it writes down; a newer lock file means that somebody changed it since.
if [ ! node_modules/.package-lock.json -nt package-lock.json ]; then
    if ! said=$(npm ci --no-audit --no-fund --fetch-retries=1 --fetch-timeout=30000 \
        --loglevel=error 2>&1); then
        printf '%s\n' "$said" >&2
        case $said in
        *ENOTFOUND* | *EAI_AGAIN* | *ECONNREFUSED* | *ECONNRESET* | *ETIMEDOUT* | *ERR_SOCKET_TIMEOUT* | \
            *ENETUNREACH* | *EHOSTUNREACH* | *E403* | *E404* | *ETARGET* | *E429* | *E5[0-9][0-9]*)
            not_run 'the npm registry does not give what the lock file names (see above)'
            ;;
        esac
        exit 1
    fi
fi
"$@"
