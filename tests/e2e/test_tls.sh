#!/bin/bash
# test_tls.sh - the TLS port as curl and openssl see it: versions, protocols, certificates and their renewal; prints
# TAP.
set -euo pipefail

ROOT=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck source=tests/support/tap.sh
source "$ROOT/tests/support/tap.sh"
tap_folder tls
# A port below those that the kernel gives to outgoing connections, and away from those of tests/support/instance.c.
PORT=$((10000 + $$ % 3000 * 3))
TLS=$((PORT + 1))
: >"$DIR/env"
export PAYHOOK_ENV_FILE=$DIR/env PAYHOOK_VAR=$DIR/var PAYHOOK_PORT=$PORT WORKER_METRICS_PORT=$((PORT + 2))
export PROCESSOR_DELAY_MS=100 WORKER_GRACE_MS=200 TLS_PORT=$TLS

clean_up() {
	"$ROOT/payhook" down >/dev/null 2>&1 || true
}

# ---- certificates ----

# authority NAME
authority() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -noenc -days 2 -subj "/CN=$1" \
		-keyout "$DIR/$1.key" -out "$DIR/$1.crt" 2>/dev/null
}

# certificate NAME AUTHORITY SUBJECT [DAYS]
certificate() {
	openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -noenc -subj "$3" -keyout "$DIR/$1.key" \
		-out "$DIR/$1.csr" 2>/dev/null
	openssl x509 -req -in "$DIR/$1.csr" -CA "$DIR/$2.crt" -CAkey "$DIR/$2.key" -CAcreateserial -days "${4:-1}" \
		-extfile <(echo subjectAltName=DNS:localhost) -out "$DIR/$1.crt" 2>/dev/null
}

# use NAME - installs this certificate and key in the files that the settings name.
use() {
	cp "$DIR/$1.crt" "$DIR/in_use.crt"
	cp "$DIR/$1.key" "$DIR/in_use.key"
}

# ---- senders ----

# ask PATH CURL-ARGS... - a request with TLS that trusts the authority; prints headers and body.
ask() {
	curl -sS -m 10 --noproxy '*' --cacert "$DIR/authority.crt" -i "https://localhost:$TLS$1" "${@:2}"
}

# post ID CURL-ARGS... - posts a webhook; prints the status and the HTTP version.
post() {
	ask /v1/webhooks/transactions -o /dev/null -w '%{http_code} %{http_version}\n' -H 'Content-Type: application/json' \
		-d '{"transaction_id":"'"$1"'","source_account":"a","destination_account":"b","amount":1,"currency":"INR"}' "${@:2}"
}

# handshake OPENSSL-ARGS... - one TLS handshake; prints what openssl reports.
handshake() {
	openssl s_client -connect "127.0.0.1:$TLS" -brief "$@" </dev/null 2>&1
}

# serial - prints the serial number of the certificate that the port shows.
serial() {
	openssl s_client -connect "127.0.0.1:$TLS" </dev/null 2>/dev/null | openssl x509 -noout -serial
}

# ---- tests ----

# Only its owner may read the key.
tries_with_a_self_signed_one() {
	[[ $(stat -c %a "$DIR/var/nginx/self-signed.key") == 600 ]] || return
	equal "$(curl -sS -m 10 --noproxy '*' --cacert "$DIR/var/nginx/self-signed.crt" "https://localhost:$TLS/livez")" '{"status":"alive"}'
	! curl -sS -m 10 --noproxy '*' "https://localhost:$TLS/livez" || return
}

takes_webhooks_by_every_version() {
	equal "$(post v1 --tlsv1.2 --tls-max 1.2 --http1.1)" '202 1.1'
	equal "$(post v2 --tlsv1.2 --tls-max 1.2 --http2)" '202 2'
	equal "$(post v3 --tlsv1.3 --http1.1)" '202 1.1'
	equal "$(post v4 --tlsv1.3 --http2)" '202 2'
	equal "$(post v4 --tlsv1.3 --http2)" '202 2'
	ask /v1/transactions/v4 | grep -q '"transaction_id":"v4"'
	# The name that HTTP/2 has in :authority counts as Host.
	equal "$(ask /v1/transactions/v4 --http2 -H 'Host: evil.example' -o /dev/null -w '%{http_code}')" 403
	curl -sS --noproxy '*' "http://localhost:$PORT/v1/transactions/v2" | grep -q '"transaction_id":"v2"'
}

# At level 0 openssl itself would use the old versions, and all its ciphers.
refuses_what_is_old() {
	local version
	for version in -tls1 -tls1_1; do
		! handshake "$version" -cipher ALL:@SECLEVEL=0 >"$DIR/handshake" || { echo "it speaks $version" && return 1; }
		grep -qi 'alert protocol version' "$DIR/handshake"
	done
	for version in AES128-SHA AES256-GCM-SHA384 ECDHE-ECDSA-AES128-SHA256 DHE-RSA-AES128-GCM-SHA256 NULL-SHA256; do
		! handshake -tls1_2 -cipher "$version:@SECLEVEL=0" >"$DIR/handshake" || { echo "it speaks $version" && return 1; }
	done
	handshake -tls1_2 | grep -q '^Ciphersuite: ECDHE-ECDSA-'
}

offers_both_protocols() {
	openssl s_client -connect "127.0.0.1:$TLS" -alpn h2,http/1.1 </dev/null 2>&1 | grep -qx 'ALPN protocol: h2'
	openssl s_client -connect "127.0.0.1:$TLS" -alpn http/1.1 </dev/null 2>&1 | grep -qx 'ALPN protocol: http/1.1'
	openssl s_client -connect "127.0.0.1:$TLS" </dev/null 2>&1 | grep -qx 'No ALPN negotiated'
}

# nginx resumes sessions from its own cache.  It issues no tickets: the key that encrypts them could decrypt all
# sessions.
keeps_sessions_itself() {
	openssl s_client -connect "127.0.0.1:$TLS" -tls1_2 -reconnect </dev/null >"$DIR/sessions" 2>&1
	grep -q '^Reused, TLSv1.2' "$DIR/sessions"
	! grep -q 'TLS session ticket:' "$DIR/sessions"
}

# has_headers NAME... - the answer in $DIR/answer has each of these headers once.
has_headers() {
	local line
	for line in "$@"; do
		equal "$line $(tr -d '\r' <"$DIR/answer" | grep -ixc -- "$line")" "$line 1"
	done
}

sends_headers_for_browsers() {
	local -a all=('x-content-type-options: nosniff' "content-security-policy: default-src 'none'; frame-ancestors 'none'"
		'referrer-policy: no-referrer' 'cross-origin-resource-policy: same-origin' 'server: nginx')
	local path
	# A route, no route, errors that nginx answers, a request that nginx cannot parse.
	for path in /livez /nowhere /metrics/../.. '/%zz' "/$(printf '%09000d' 0)"; do
		ask "$path" --path-as-is --http1.1 >"$DIR/answer"
		has_headers "${all[@]}" 'strict-transport-security: max-age=63072000'
		curl -sS --noproxy '*' --path-as-is -i "http://localhost:$PORT$path" >"$DIR/answer"
		has_headers "${all[@]}"
		! grep -qi '^strict-transport-security' "$DIR/answer" || { echo "$path: HSTS without TLS" && return 1; }
	done
	ask /livez -X POST --http2 >"$DIR/answer"
	has_headers "${all[@]}" 'strict-transport-security: max-age=63072000'
	grep -q '^HTTP/2 405' "$DIR/answer"
}

reports_http_on_the_tls_port() {
	curl -sS --noproxy '*' -i "http://localhost:$TLS/livez" >"$DIR/answer"
	grep -q '^HTTP/1.1 400' "$DIR/answer"
	grep -qi '^content-type: application/problem+json' "$DIR/answer"
	grep -q '"detail":"this port is for TLS: https, not http"' "$DIR/answer"
}

# The same limits as without TLS, of headers, body and time.
bounds_what_h2_senders_may() {
	head -c 65537 /dev/zero | tr '\0' ' ' >"$DIR/large"
	equal "$(ask /v1/webhooks/transactions --http2 -o /dev/null -w '%{http_code}' -H 'Content-Type: application/json' --data-binary "@$DIR/large")" 413
	ask /livez --http2 -H "X-Long: $(head -c 40000 /dev/zero | tr '\0' x)" -o /dev/null -w '%{http_code}' >"$DIR/answer" || true
	[[ $(<"$DIR/answer") == 4?? || $(<"$DIR/answer") == 000 ]]
	# Headers that never arrive, and a handshake that is never completed.
	local began=$SECONDS
	timeout 15 openssl s_client -connect "127.0.0.1:$TLS" -alpn http/1.1 -quiet < <(exec sleep 20) >/dev/null 2>&1 || true
	kill "$!" 2>/dev/null || true
	((SECONDS - began < 12)) || { echo "$((SECONDS - began)) s" && return 1; }
}

# shows_expiry NAME - /metrics and status show when this certificate expires.
shows_expiry() {
	local wanted output
	wanted=$(date -d "$(openssl x509 -noout -enddate -in "$DIR/$1.crt" | cut -d= -f2)" +%s)
	output=$(curl -sS -m 10 --noproxy '*' "http://localhost:$PORT/metrics")
	equal "$(sed -n 's/^payhook_certificate_expiry_timestamp_seconds //p' <<<"$output")" "$wanted"
	output=$("$ROOT/payhook" status)
	[[ $output == *"  TLS       $DIR/in_use.crt expires in $2 days, on $(date -d "@$wanted" +%F)"* ]] || { echo "$output" && return 1; }
}

# What counts is the certificate that nginx has read, not the one in the file.
reports_when_the_certificate_expires() {
	shows_expiry first 0
	use second
	shows_expiry first 0
	"$ROOT/payhook" reload
	await 10 shows_expiry second 8
	use first
	"$ROOT/payhook" reload
	await 10 shows_expiry first 0
}

reads_renewed_certificates() {
	local before after
	before=$(serial)
	use second
	equal "$(serial)" "$before"
	(while [[ ! -e $DIR/enough ]]; do post "r$RANDOM$RANDOM"; done >"$DIR/posts" 2>&1) &
	"$ROOT/payhook" reload
	for _ in {1..100}; do
		after=$(serial)
		[[ $after == "$before" ]] || break
		sleep 0.1
	done
	sleep 0.5
	: >"$DIR/enough"
	wait "$!"
	[[ $after != "$before" ]] || { echo "the certificate is the old one" && return 1; }
	! grep -v '^202 2$' "$DIR/posts" || return 1
	[[ -n $(sed -n 11p "$DIR/posts") ]] || { wc -l "$DIR/posts" && return 1; }
}

# goes_on_without TEXT - a reload fails with this text, and payhook continues unchanged.
goes_on_without() {
	local before output
	before=$(serial)
	! output=$("$ROOT/payhook" reload 2>&1) || { echo "it reloads: $output" && return 1; }
	[[ $output == *"$1"* ]] || { echo "it prints: $output" && return 1; }
	equal "$(serial)" "$before"
	equal "$(post "g$RANDOM$RANDOM")" '202 2'
}

refuses_to_reload_a_bad_certificate() {
	use second
	cp "$DIR/first.key" "$DIR/in_use.key"
	goes_on_without "TLS_KEY=$DIR/in_use.key: the key is not that of the certificate in $DIR/in_use.crt"
	use second
	rm "$DIR/in_use.crt"
	goes_on_without "TLS_CERTIFICATE=$DIR/in_use.crt: there is no such file"
	echo nonsense >"$DIR/in_use.crt"
	goes_on_without "TLS_CERTIFICATE=$DIR/in_use.crt: the file holds no certificate in PEM"
	use second
	openssl pkey -in "$DIR/second.key" -aes256 -passout pass:x -out "$DIR/in_use.key"
	goes_on_without "TLS_KEY=$DIR/in_use.key: the file holds no key without a passphrase in PEM"
	use second
	"$ROOT/payhook" reload
}

# refuses_to_start TEXT NAME=VALUE...
refuses_to_start() {
	local output
	! output=$(env "${@:2}" "$ROOT/payhook" up -d 2>&1) || { echo "it starts" && return 1; }
	[[ $output == *"$1"* ]] || { echo "it prints: $output" && return 1; }
}

reports_bad_settings_before_it_starts() {
	refuses_to_start "TLS_KEY=$DIR/absent: there is no such file" TLS_KEY="$DIR/absent" TLS_CERTIFICATE="$DIR/first.crt"
	refuses_to_start "TLS_KEY=$DIR/second.key: the key is not that of the certificate" TLS_KEY="$DIR/second.key" TLS_CERTIFICATE="$DIR/first.crt"
	refuses_to_start "TLS_CLIENT_CA=$DIR: the file cannot be read" TLS_KEY="$DIR/first.key" TLS_CERTIFICATE="$DIR/first.crt" TLS_CLIENT_CA="$DIR"
	refuses_to_start "TLS_CLIENT_CRL=$DIR/first.crt: the file holds no list of revoked certificates in PEM" TLS_KEY="$DIR/first.key" \
		TLS_CERTIFICATE="$DIR/first.crt" TLS_CLIENT_CA="$DIR/authority.crt" TLS_CLIENT_CRL="$DIR/first.crt"
	refuses_to_start "TLS_CLIENT_CRL=$DIR/revoked.crl: TLS_CLIENT_CA must be set too" TLS_CLIENT_CRL="$DIR/revoked.crl"
	refuses_to_start "TLS_CERTIFICATE=$DIR/first.crt: TLS_KEY must be set too" TLS_CERTIFICATE="$DIR/first.crt"
	refuses_to_start "it has no use without TLS_PORT" TLS_PORT=0 TLS_CERTIFICATE="$DIR/first.crt"
	refuses_to_start "TLS_PORT=$PORT: that is PAYHOOK_PORT too" TLS_PORT="$PORT"
	refuses_to_start "PAYHOOK_PORT=0: it needs TLS_PORT" PAYHOOK_PORT=0 TLS_PORT=0
	refuses_to_start "TLS_PORT=x: must be a whole number" TLS_PORT=x
}

# post_to PATH ID CURL-ARGS... - posts a webhook with TLS; prints the status.
post_to() {
	ask "$1" --path-as-is -o "$DIR/answer" -w '%{http_code}\n' -H 'Content-Type: application/json' \
		-d '{"transaction_id":"'"$2"'","source_account":"a","destination_account":"b","amount":1,"currency":"INR"}' "${@:3}"
}

# by NAME - curl's arguments for this client certificate.
by() {
	printf '%s\n' --cert "$DIR/$1.crt" --key "$DIR/$1.key"
}

# refuses CAUSE REASON PATH CURL-ARGS... - the answer is the same for every cause, and the log has the cause.  Only one
# failure a second is logged, so the request is repeated until it is one of those.
refuses() {
	local id
	for _ in {1..30}; do
		equal "$(post_to "$3" refused "${@:4}")" 403
		grep -q '"detail":"this sender may not send to this source"' "$DIR/answer"
		id=$(grep -i '^x-request-id' "$DIR/answer" | tr -d '\r' | cut -d' ' -f2)
		sleep 0.1
		! grep "$id" "$DIR/var/log/pool.log" >"$DIR/line" || break
	done
	grep -F '"event":"webhook authentication failed"' "$DIR/line" | grep -F "\"cause\":\"$1\"" | grep -qF "$2" || { cat "$DIR/line" && return 1; }
}

wants_the_certificate_of_its_source() {
	local path=/v1/webhooks/certified
	local -a partner other unknown
	mapfile -t partner < <(by partner)
	mapfile -t other < <(by other)
	mapfile -t unknown < <(by unknown)
	equal "$(post_to "$path" c1 "${partner[@]}")" 202
	equal "$(post_to "$path" c2 "${partner[@]}" --http1.1 --tls-max 1.2)" 202
	refuses certificate 'no client certificate was shown' "$path"
	refuses certificate 'the client certificate is another' "$path" "${other[@]}"
	refuses certificate 'the client certificate does not verify' "$path" "${unknown[@]}"
	equal "$(post_to /v1/webhooks/known c3 "${other[@]}")" 202
	equal "$(post_to /v1/webhooks/known c4 "${unknown[@]}")" 403
	# Other sources require no certificate, and ignore any.
	equal "$(post_to /v1/webhooks/transactions c5)" 202
	equal "$(post_to /v1/webhooks/transactions c6 "${unknown[@]}")" 202
	# Without TLS there is no certificate.
	equal "$(curl -sS --noproxy '*' -o /dev/null -w '%{http_code}' -H 'Content-Type: application/json' -d '{}' "http://localhost:$PORT$path")" 403
}

# revoke NAME... - writes the authority's list of revoked certificates, with these on it.
revoke() {
	local name
	: >"$DIR/index"
	for name in "$@"; do
		openssl ca -config "$DIR/ca.conf" -revoke "$DIR/$name.crt" 2>/dev/null
	done
	openssl ca -config "$DIR/ca.conf" -gencrl -crldays 1 -out "$DIR/revoked.crl" 2>/dev/null
}

# A session that may not be resumed is not even saved.
is_not_resumed() {
	[[ -s $DIR/session ]] || return 0
	printf 'GET /livez HTTP/1.0\r\n\r\n' | timeout 5 openssl s_client -connect "127.0.0.1:$TLS" -tls1_2 -quiet \
		-cert "$DIR/other.crt" -key "$DIR/other.key" -sess_in "$DIR/session" >"$DIR/resumed" 2>/dev/null || true
	grep -q '^HTTP/1.1 400' "$DIR/resumed" || { cat "$DIR/resumed" && return 1; }
}

# A session that began before the certificate was revoked is not resumed either.
refuses_a_revoked_certificate() {
	local -a partner other
	mapfile -t partner < <(by partner)
	mapfile -t other < <(by other)
	equal "$(post_to /v1/webhooks/known k1 "${other[@]}")" 202
	openssl s_client -connect "127.0.0.1:$TLS" -tls1_2 -cert "$DIR/other.crt" -key "$DIR/other.key" \
		-sess_out "$DIR/session" </dev/null >/dev/null 2>&1
	revoke other
	"$ROOT/payhook" reload
	await 10 is_refused k2 "${other[@]}"
	grep -q '"detail":"the certificate of the sender does not verify"' "$DIR/answer"
	equal "$(post_to /v1/webhooks/transactions k3 "${other[@]}")" 400
	equal "$(post_to /v1/webhooks/certified k4 "${partner[@]}")" 202
	equal "$(post_to /v1/webhooks/transactions k5)" 202
	is_not_resumed
	revoke
	"$ROOT/payhook" reload
	await 10 is_accepted k6 "${other[@]}"
}

is_refused() {
	[[ $(post_to /v1/webhooks/known "$@") == 400 ]]
}

is_accepted() {
	[[ $(post_to /v1/webhooks/known "$@") == 202 ]]
}

# Neither another spelling of the path nor any header bypasses the certificate.
is_not_got_around() {
	local path header status
	for path in /v1/webhooks/%63ertified /v1/webhooks/certifie%64 //v1/webhooks/certified /v1//webhooks/certified \
		/v1/./webhooks/certified /v1/webhooks/x/../certified /v1/webhooks/certified/ /v1/webhooks/certified%2f /v1/webhooks/certified/. \
		'/v1/webhooks/certified?' '/v1/webhooks/certified?x=/v1/webhooks/transactions' /v1/webhooks/CERTIFIED '/v1/webhooks/certified;a' \
		/v1/webhooks/transactions/../certified '/v1/webhooks/certified%00'; do
		status=$(post_to "$path" around)
		[[ $status == 40[034] ]] || { echo "$path: $status" && return 1; }
	done
	for header in 'PAYHOOK-CLIENT-VERIFY: SUCCESS' 'PAYHOOK_CLIENT_VERIFY: SUCCESS' 'X-SSL-Client-Verify: SUCCESS' \
		'SSL-Client-Verify: SUCCESS' 'Client-Verify: SUCCESS'; do
		equal "$(post_to /v1/webhooks/known around -H "$header" -H "${header/VERIFY: SUCCESS/SUBJECT: CN=partner}")" 403
	done
	equal "$(ask '/v1/transactions/around?source=certified' -o /dev/null -w '%{http_code}')" 404
	equal "$(ask '/v1/transactions/around?source=known' -o /dev/null -w '%{http_code}')" 404
}

# 127.0.0.9 is the load balancer.
wants_the_address_of_its_source() {
	local path=/v1/webhooks/listed
	equal "$(post_to "$path" a1 --interface 127.0.0.5)" 202
	refuses address 127.0.0.6 "$path" --interface 127.0.0.6
	equal "$(post_to "$path" a2 --interface 127.0.0.6 -H 'X-Forwarded-For: 127.0.0.5')" 403
	equal "$(post_to "$path" a2 --interface 127.0.0.6 -H 'X-Forwarded-For: 192.0.2.8' -H 'X-Real-IP: 192.0.2.8' -H 'Forwarded: for=192.0.2.8')" 403
	equal "$(post_to "$path" a2 --interface 127.0.0.9)" 403
	equal "$(post_to "$path" a2 --interface 127.0.0.9 -H 'X-Forwarded-For: 192.0.2.8, 203.0.113.1')" 403
	equal "$(post_to "$path" a3 --interface 127.0.0.9 -H 'X-Forwarded-For: 192.0.2.8')" 202
	equal "$(post_to "$path" a4 --interface 127.0.0.9 -H 'X-Forwarded-For: ::ffff:192.0.2.8')" 202
	equal "$(post_to "$path" a5 --interface 127.0.0.9 -H 'X-Forwarded-For: 2001:db8:7fff::1')" 202
	equal "$(post_to "$path" a6 --interface 127.0.0.9 -H 'X-Forwarded-For: 2001:db8:8000::1')" 403
	equal "$(post_to /v1/webhooks/%6cisted a6 --interface 127.0.0.6)" 403
	equal "$(ask '/v1/transactions/a2?source=listed' -o /dev/null -w '%{http_code}')" 404
}

# On no port is HTTP without TLS answered, and the commands find payhook by TLS.
serves_tls_only() {
	local output
	"$ROOT/payhook" down >/dev/null
	export PAYHOOK_PORT=0
	up
	grep -qF "ready at https://localhost:$TLS after" "$DIR/up"
	grep -qF "curl -ik https://localhost:$TLS/v1/webhooks/transactions" "$DIR/up"
	grep -qF 'unsigned webhooks to ' "$DIR/up"
	grep -qF 'processor simulated: ' "$DIR/up"
	equal "$(post only)" '202 2'
	! curl -sS -m 10 --noproxy '*' "http://localhost:$PORT/livez" || return
	! grep -E '^[[:space:]]*listen ' "$DIR/var/nginx/site.conf" | grep -v ' ssl ' || return
	output=$("$ROOT/payhook" status)
	[[ $output == *"running at https://localhost:$TLS, ready"* && $output == *'  unsigned  webhooks to '* &&
		$output == *'  processor simulated: '* ]] || { echo "$output" && return 1; }
	output=$("$ROOT/payhook" up -d)
	[[ $output == *"already running at https://localhost:$TLS"* ]] || { echo "$output" && return 1; }
	! output=$(PAYHOOK_PORT=$PORT "$ROOT/payhook" up -d 2>&1) || { echo "it starts: $output" && return 1; }
	[[ $output == *"already running at https://localhost:$TLS, not http://localhost:$PORT;"* ]] || { echo "$output" && return 1; }
	"$ROOT/payhook" reload
}

up() {
	"$ROOT/payhook" up -d >"$DIR/up" 2>&1 || { cat "$DIR/up" && return 1; }
}

authority authority
authority stranger
certificate partner authority /O=Partner/CN=partner
certificate other authority /CN=other
certificate unknown stranger /O=Partner/CN=partner
cat >"$DIR/ca.conf" <<END
[ca]
default_ca = authority
[authority]
database = $DIR/index
private_key = $DIR/authority.key
certificate = $DIR/authority.crt
default_md = sha256
END
revoke
cat >"$DIR/sources.json" <<'JSON'
{"sources": [
  {"name": "certified", "scheme": "none", "client_certificate": "CN=partner,O=Partner"},
  {"name": "known", "scheme": "none", "client_certificate": "any"},
  {"name": "listed", "scheme": "none", "allow": ["127.0.0.5", "192.0.2.0/24", "2001:db8::/33"]}
]}
JSON
certificate first authority /CN=localhost
certificate second authority /CN=localhost 9
use first

check "bad settings are reported before the start" reports_bad_settings_before_it_starts
check "without a certificate it makes a self-signed one for trials and reports that" up
check "only clients that are configured to trust it accept it" tries_with_a_self_signed_one
check "sessions are resumed, without tickets" keeps_sessions_itself
"$ROOT/payhook" down >/dev/null
export TLS_CERTIFICATE=$DIR/in_use.crt TLS_KEY=$DIR/in_use.key TLS_CLIENT_CA=$DIR/authority.crt
export TLS_CLIENT_CRL=$DIR/revoked.crl
export SOURCES_FILE=$DIR/sources.json REAL_IP_FROM=127.0.0.9
check "it starts with a certificate" up
check "webhooks come in by TLS 1.2 and 1.3, HTTP/1.1 and HTTP/2" takes_webhooks_by_every_version
check "older versions and weak ciphers are refused" refuses_what_is_old
check "HTTP/2 and HTTP/1.1 are offered" offers_both_protocols
check "every answer has the headers for browsers, HSTS only by TLS" sends_headers_for_browsers
check "a request without TLS on the TLS port gets an explanation" reports_http_on_the_tls_port
check "sizes and times are bounded as without TLS" bounds_what_h2_senders_may
check "a source may require its own client certificate or any known one" wants_the_certificate_of_its_source
check "a certificate that its authority has revoked is refused after a reload" refuses_a_revoked_certificate
check "no spelling of the path and no header is a way around it" is_not_got_around
check "a source may require an address, which a known balancer forwards" wants_the_address_of_its_source
check "metrics and status report when the certificate in use expires" reports_when_the_certificate_expires
check "a renewed certificate is read by reload, and no webhook is lost" reads_renewed_certificates
check "a reload with what cannot be is refused, and all goes on" refuses_to_reload_a_bad_certificate
check "with PAYHOOK_PORT=0 there is TLS only" serves_tls_only
finish
