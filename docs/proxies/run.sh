#!/usr/bin/env bash
# Tries the proxies of docs/deploy.md, with the settings that are there, on the loopback before Courant with simulated data.
#
#   docs/proxies/run.sh COURANT [PROXY...]     PROXY: nginx caddy haproxy varnish; without any, all
#
# Needs Debian's packages nginx, caddy, haproxy and varnish (not running), curl, openssl and python3; takes a minute. Another program is
# used if NGINX, CADDY, HAPROXY or VARNISHD names it. Ports from PORT (28100) on are used.
set -euo pipefail

courant=$(realpath "${1:?which courant? docs/proxies/run.sh COURANT [PROXY...]}")
shift
[ $# -gt 0 ] || set -- nginx caddy haproxy varnish
deploy=$(realpath "$(dirname "$0")/../deploy.md")
PATH=$PATH:/usr/sbin
port=${PORT:-28100}
folder=$(mktemp -d /tmp/courant-proxies.XXXXXX)
chmod 755 "$folder"
running=()
failures=0

end() {
  [ ${#running[@]} -eq 0 ] || kill "${running[@]}" 2>/dev/null || true
  wait
  rm -rf "$folder"
}
trap end EXIT
trap 'exit 130' INT TERM

# start LOG COMMAND... runs it until the script ends.
start() {
  local log=$folder/$1.log
  shift
  "$@" >"$log" 2>&1 &
  running+=($!)
}

await() {
  local until=$((SECONDS + 60))
  until "$@" >/dev/null 2>&1; do
    [ $SECONDS -lt $until ] || { echo "waited in vain for: $*" >&2; tail -n 5 "$folder"/*.log >&2; exit 1; }
    sleep 0.3
  done
}

check() { # NAME WANT GOT
  if [ "$2" = "$3" ]; then
    printf '  ok    %s\n' "$1"
  else
    printf '  FAIL  %s: %s, want %s\n' "$1" "$3" "$2"
    failures=$((failures + 1))
  fi
}

# block LANGUAGE prints the settings of docs/deploy.md in that language.
block() { sed -n "/^\`\`\`$1\$/,/^\`\`\`\$/{/^\`\`\`/d;p}" "$deploy"; }

cd "$folder"
openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=localhost -addext subjectAltName=DNS:localhost -keyout key.pem -out cert.pem 2>/dev/null
cat cert.pem key.pem >both.pem

# Courant twice: with data, and with a trusted proxy, whose audit log has the addresses of clients.
start demo "$courant" demo
await grep -q Ctrl-C demo.log
data=$(sed -n 's|^  address   http://127.0.0.1:||p' demo.log)
token=$(sed -n 's/^  token     //p' demo.log)
logged=$((port + 1))
mkdir serve
(
  cd serve
  printf 'server: {addr: "127.0.0.1:%s", trusted_proxies: [127.0.0.1]}\n' "$logged" >config.yaml
  exec "$courant" serve
) >serve.log 2>&1 &
running+=($!)
await curl -sf "http://127.0.0.1:$logged/healthz"
await curl -sf -o months.json -H "Authorization: Bearer $token" "http://127.0.0.1:$data/api/datasets/day-ahead-prices/archive"

# settings PROXY BACKEND PORT prints the settings of the proxy with other ports, names and certificates.
settings() {
  local ported
  case $1 in
    nginx) # it runs as this user, and writes nothing outside its folder
      ported=$(block nginx | sed "s/443 ssl/127.0.0.1:$3 ssl/; s/courant.example.org;/localhost;/; s/:8080/:$2/; s|ssl_certificate .*|ssl_certificate $folder/cert.pem;|; s|ssl_certificate_key .*|ssl_certificate_key $folder/key.pem;|")
      printf 'daemon off;\npid %s/nginx-%s.pid;\nerror_log stderr;\nevents {}\nhttp {\n' "$folder" "$3"
      for kind in client_body fastcgi uwsgi scgi proxy; do printf '%s_temp_path %s/nginx-%s;\n' $kind "$folder" $kind; done
      printf 'access_log off;\ngzip on;\ngzip_proxied any;\ngzip_types *;\n%s\n}\n' "$ported"
      ;;
    caddy)
      printf '{\n\tadmin off\n\tauto_https disable_redirects\n\tskip_install_trust\n\tstorage file_system %s/caddy\n}\n' "$folder"
      block caddyfile | sed "s|^courant.example.org {|localhost:$3 {\n\ttls $folder/cert.pem $folder/key.pem|; s/:8080/:$2/"
      ;;
    haproxy) block haproxy | sed "s/bind :443/bind 127.0.0.1:$3/; s|/etc/haproxy/courant.pem|$folder/both.pem|; s/:8080/:$2/" ;;
    varnish) block vcl | sed "s/\"8080\"/\"$2\"/" ;;
  esac
}

# recoding changes settings so that the proxy compresses what Courant sends without coding.
recoding() {
  sed 's/^\( *\)proxy_buffering off;/&\n\1proxy_set_header Accept-Encoding "";/
    s/^\(\t*\)flush_interval -1/&\n\1header_up Accept-Encoding identity/
    s/^backend courant/&\n    compression algo gzip\n    compression type application\/json\n    compression offload/'
}

# run PROXY BACKEND PORT [FILTER] starts a proxy with its settings, changed by the filter.
run() {
  settings "$@" | "${4:-cat}" >"$1-$3.conf"
  case $1 in
    nginx) start "$1-$3" "${NGINX:-nginx}" -p "$folder" -c "$folder/$1-$3.conf" ;;
    caddy) XDG_DATA_HOME=$folder HOME=$folder start "$1-$3" "${CADDY:-caddy}" run --adapter caddyfile --config "$1-$3.conf" ;;
    haproxy) start "$1-$3" "${HAPROXY:-haproxy}" -db -f "$1-$3.conf" ;;
    varnish) start "$1-$3" "${VARNISHD:-varnishd}" -F -j none -n "$folder/varnish-$3" -a "127.0.0.1:$3" -f "$folder/$1-$3.conf" -s malloc,64m -p feature=+http2 ;;
  esac
}

# ask PATH OPTION... asks the proxy that is tried.
ask() {
  local path=$1
  shift
  curl -sk -m 60 -H "Authorization: Bearer $token" "$@" "$base$path"
}
headerOf() { sed -n "s/\r\$//; s/^$1: //Ip" head | tail -1; }

# revalidates NAME PATH OPTION... checks that the entity tag of an answer gets a 304.
revalidates() {
  local name=$1 path=$2
  shift 2
  check "$name" 200 "$(ask "$path" -D head -o body -w '%{http_code}' "$@")"
  local tag
  tag=$(headerOf etag)
  check "$name: 304 with $(printf %s "$tag" | sed 's/[0-9a-f]\{16,\}/…/')" "304 0" "$(ask "$path" -o body -w '%{http_code} %{size_download}' -H "If-None-Match: $tag" "$@")"
}

# sent prints how many bytes of answers Courant has sent to the token so far.
sent() { curl -s -H "Authorization: Bearer $token" "http://127.0.0.1:$data/api/usage" | python3 -c 'import json, sys; print(sum(day["bytes"] for day in json.load(sys.stdin)["days"]))'; }

# readSlowly reads 100 kB/s of an answer for 3 s, with a small receive buffer.
readSlowly() {
  python3 - "$1" "$token" <<'PYTHON'
import socket, ssl, sys, time, urllib.parse
address, token = sys.argv[1:]
url = urllib.parse.urlsplit(address)
connection = socket.socket()
connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
connection.connect((url.hostname, url.port))
if url.scheme == 'https':
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    connection = context.wrap_socket(connection, server_hostname=url.hostname)
connection.sendall(f'GET {url.path}?{url.query} HTTP/1.1\r\nHost: {url.netloc}\r\nAuthorization: Bearer {token}\r\n\r\n'.encode())
for _ in range(30):
    connection.recv(10_000)
    time.sleep(0.1)
PYTHON
}

# attempt checks everything but the addresses.
attempt() { # PROXY PORT
  local proxy=$1 month range
  case $proxy in varnish) base=http://localhost:$2 ;; *) base=https://localhost:$2 ;; esac
  await curl -skf "$base/healthz"
  for coding in identity gzip zstd 'gzip, deflate, br, zstd'; do
    revalidates "day-ahead prices, $coding" /api/day-ahead-prices -H "Accept-Encoding: $coding"
    revalidates "rows, $coding" '/api/datasets/day-ahead-prices/rows?date=today' -H "Accept-Encoding: $coding"
    revalidates "OpenAPI, $coding" /api/openapi.json -H "Accept-Encoding: $coding"
  done
  check HEAD '200 0' "$(ask /api/day-ahead-prices -I -o head -w '%{http_code} %{size_download}')"
  check 'X-Courant-Data' simulated "$(headerOf x-courant-data)"
  ask '/api/datasets/day-ahead-prices/rows?date=today' -D head -o body
  check 'X-Courant-Position is there' yes "$([ -n "$(headerOf x-courant-position)" ] && echo yes || echo no)"
  month=$(python3 -c 'import json; print(json.load(open("months.json"))["files"][0]["href"])')
  range=$(ask "$month" -r 0-3 -o body -w '%{http_code} %{size_download}')
  check 'a range of a file' '206 4 PAR1' "$range $(cat body)"
  check 'tools of the Model Context Protocol' '200 4' "$(ask /mcp -o body -w '%{http_code}' -H 'Content-Type: application/json' -H 'Accept: application/json, text/event-stream' \
    -d '{"jsonrpc":"2.0","id":1,"method":"tools/list"}') $(python3 -c 'import json; print(len(json.load(open("body"))["result"]["tools"]))')"
  check 'another site does not reach them' 403 "$(ask /mcp -o body -w '%{http_code}' -H 'Origin: https://other.example' -H 'Content-Type: application/json' -d '{}')"
  # A slow client: a proxy that stores the answer takes all of it from Courant, another no more than the buffers of its two sockets, which
  # on the loopback are some 10 MB.
  local before after
  before=$(sent)
  readSlowly "$base$rows"
  after=$(sent)
  check "an answer of $whole bytes is not stored ($((after - before)) bytes left Courant)" yes "$([ $((after - before)) -lt $((whole * 9 / 10)) ] && echo yes || echo no)"
  check 'a long answer is whole' "$whole" "$(ask "$rows" -o body -w '%{size_download}' -H 'Accept-Encoding: identity')"
  if [ "$(ask /api/stream -o body -m 20 -w '%{http_code}' -H 'Accept: text/event-stream' || true)" = 200 ]; then
    check 'the stream arrives' yes "$([ -s body ] && echo yes || echo no)"
  fi
  local http2=--http2
  [ "$proxy" != varnish ] || http2=--http2-prior-knowledge
  check HTTP/2 '2 200' "$(ask /api/day-ahead-prices $http2 -o body -w '%{http_version} %{http_code}')"
}

# recoded PROXY PORT checks what the proxy compresses.
recoded() {
  base=https://localhost:$2
  await curl -skf "$base/healthz"
  for path in /api/day-ahead-prices '/api/datasets/day-ahead-prices/rows?date=today' /api/openapi.json; do
    revalidates "compressed by the proxy, $path" "$path" -H 'Accept-Encoding: gzip'
    check 'it is gzip' gzip "$(headerOf content-encoding)"
  done
}

# address PROXY PORT checks the address of a client in the audit log, after what the client claims.
address() {
  case $1 in varnish) base=http://localhost:$2 ;; *) base=https://localhost:$2 ;; esac
  await curl -skf "$base/healthz"
  curl -sk -o body -H 'X-Forwarded-For: 192.0.2.7' --interface 127.0.0.2 -d "email=$1@example.org" -d password=wrong-password "$base/login"
  check 'the address in the audit log' 127.0.0.2 "$(python3 -c 'import sqlite3, sys
for row in sqlite3.connect("file:serve/courant.db?mode=ro", uri=True).execute("SELECT origin FROM audit WHERE subject = ?", (sys.argv[1],)): print(row[0])' "$1@example.org")"
}

base=http://localhost:$data
columns=$(ask /api/datasets/afrr-energy | python3 -c 'import json, sys; print(",".join(column["name"] for column in json.load(sys.stdin)["columns"]))')
rows="/api/datasets/afrr-energy/rows?from=today-P3D&to=now&format=ndjson&tz=Europe/Paris&columns=$columns,updated_at,source,period_start_unix"
whole=$(ask "$rows" -o body -w '%{size_download}' -H 'Accept-Encoding: identity')
port=$((port + 1))
for proxy in "$@"; do
  echo "$proxy"
  port=$((port + 3))
  run "$proxy" "$data" $port
  run "$proxy" "$logged" $((port + 1))
  attempt "$proxy" $port
  if [ "$proxy" != varnish ]; then # which only removes a coding, for clients that take none
    run "$proxy" "$data" $((port + 2)) recoding
    recoded "$proxy" $((port + 2))
  fi
  address "$proxy" $((port + 1))
done
echo "$failures failures"
[ "$failures" -eq 0 ]
