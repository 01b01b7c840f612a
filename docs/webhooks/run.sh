#!/bin/sh
# Makes webhooks in a running `courant demo`, and checks what they send with the library for npm.
#   COURANT_URL=http://127.0.0.1:8080 COURANT_EMAIL=… COURANT_PASSWORD=… docs/webhooks/run.sh [FOLDER]
# It needs node, npm and the network, and writes to FOLDER only (default: a new one below the temporary folder).
set -eu
: "${COURANT_URL:?}" "${COURANT_EMAIL:?the login that the demo prints}" "${COURANT_PASSWORD:?}"
here=$(cd "$(dirname "$0")" && pwd)
work=${1:-$(mktemp -d)}
mkdir -p "$work"
cd "$work"
[ -f package.json ] || {
  npm init -y >/dev/null
  npm pkg set type=module >/dev/null
  npm install --silent --no-fund --no-audit standardwebhooks@1.1.1
}
cp "$here/check.mjs" .
node check.mjs
