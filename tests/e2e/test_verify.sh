#!/bin/bash
# test_verify.sh - payhook verify with the examples of docs/sources, and with requests that openssl signs here; prints
# TAP.
set -euo pipefail

ROOT=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)
EXAMPLES=$ROOT/docs/sources
CTL=$PAYHOOK_BUILD/ctl/payhook-ctl
# shellcheck source=tests/support/tap.sh
source "$ROOT/tests/support/tap.sh"
tap_folder verify
THEN=2026-02-19T12:00:00Z
: >"$DIR/env"
: >"$DIR/all"
export PAYHOOK_VAR=$DIR/var PAYHOOK_ENV_FILE=$DIR/env
declare -A SOURCE=([stripe]=stripe [razorpay]=razorpay [adyen]=adyen [square]=square [paypal]=paypal
	[standard-webhooks]=bank [github]=ledger [hmac]=clearing)

# verify STATUS EXAMPLE ARGS...: judges what standard input holds; its output is in $DIR/out.
verify() {
	local status=0
	SOURCES_FILE=${FILE:-$EXAMPLES/$2/sources.json} "$CTL" verify "${SOURCE[$2]}" "${@:3}" >"$DIR/out" 2>&1 || status=$?
	cat "$DIR/out" >>"$DIR/all"
	[[ $status == "$1" ]] || echo "status $status, and not $1"
	[[ $status == "$1" ]]
}

# prints TEXT... - the output contains each text.
prints() {
	local text
	for text in "$@"; do
		grep -qF -- "$text" "$DIR/out" || {
			echo "not printed: $text"
			return 1
		}
	done
}

request() {
	cat "$EXAMPLES/$1/request.http"
}

# ---- signing ----

secret() {
	tr -d '\n' <"$EXAMPLES/$1/secret"
}

# hmac ALGORITHM HEXKEY - of standard input, in hex.
hmac() {
	openssl dgst "-$1" -mac HMAC -macopt "hexkey:$2" -r | cut -d' ' -f1
}

hex() {
	od -An -v -tx1 | tr -d ' \n'
}

unhex() {
	python3 -c 'import sys; sys.stdout.buffer.write(bytes.fromhex(sys.stdin.read()))'
}

base64_of_hex() {
	unhex | base64 -w0
}

key() {
	secret "$1" | hex
}

# send NAME BODYFILE HEADER... - prints a request.
send() {
	printf 'POST /v1/webhooks/%s HTTP/1.1\r\nHost: pay.example\r\nContent-Type: application/json\r\n' "$1"
	(($# < 3)) || printf '%s\r\n' "${@:3}"
	printf '\r\n'
	cat "$2"
}

# stripe BODYFILE TIME
stripe() {
	send stripe "$1" "Stripe-Signature: t=$2,v1=$({ printf '%s.' "$2"; cat "$1"; } | hmac sha256 "$(key stripe)")"
}

standard() {
	local body=$EXAMPLES/standard-webhooks/payload.json id=msg_now
	{ printf '%s.%s.' "$id" "$1"; cat "$body"; } >"$DIR/message"
	if [[ $2 == v1 ]]; then
		hmac sha256 "$(secret standard-webhooks | sed 's/^whsec_//' | base64 -d | hex)" <"$DIR/message" | base64_of_hex
	else
		# An Ed25519 private key of 32 bytes, in the form that openssl reads.
		printf '302e020100300506032b657004220420%s' "$(printf 'this is no secret but an example' | hex)" |
			unhex >"$DIR/ed25519.der"
		openssl pkey -inform DER -in "$DIR/ed25519.der" -out "$DIR/ed25519.pem"
		openssl pkeyutl -sign -rawin -inkey "$DIR/ed25519.pem" -in "$DIR/message" | base64 -w0
	fi >"$DIR/signature"
	send bank "$body" "webhook-id: $id" "webhook-timestamp: $1" "webhook-signature: $2,$(cat "$DIR/signature")"
}

paypal() {
	local body=$EXAMPLES/paypal/payload.json crc
	crc=$(python3 -c 'import sys, zlib; print(zlib.crc32(sys.stdin.buffer.read()))' <"$body")
	send paypal "$body" "PayPal-Transmission-Id: id-now" "PayPal-Transmission-Time: $1" "PayPal-Auth-Algo: SHA256withRSA" \
		"PayPal-Transmission-Sig: $(printf '%s' "id-now|$1|8PT597110X687430LKGECATA|$crc" |
			openssl dgst -sha256 -sign "$EXAMPLES/paypal/example-signing-key.pem" | base64 -w0)"
}

# ---- tests ----

takes_every_example() {
	local example line taken=0 ignored=0
	for example in "${!SOURCE[@]}"; do
		echo "example $example"
		verify 0 "$example" --at "$THEN" < <(request "$example") || return 1
		prints "signature  good" "answer     202" "verdict    it verifies" "(/sources/0/secrets/0)" || return 1
		while IFS= read -r line; do
			[[ $line != *' is read:' ]] || taken=$((taken + 1))
			[[ $line != *' is ignored'* ]] || ignored=$((ignored + 1))
		done <"$DIR/out"
	done
	echo "$taken taken, $ignored ignored"
	((taken == 10 && ignored == 1))
}

examples_hold_their_payloads() {
	local example
	for example in "${!SOURCE[@]}"; do
		request "$example" | sed '1,/^$/d' | cmp - "$EXAMPLES/$example/payload.json" || return 1
	done
}

takes_what_openssl_signed_now() {
	local now body=$EXAMPLES/razorpay/payload.json
	now=$(date +%s)
	stripe "$EXAMPLES/stripe/payload.json" "$now" | verify 0 stripe || return 1
	standard "$now" v1 | verify 0 standard-webhooks && prints "1 of 2" || return 1
	standard "$now" v1a | verify 0 standard-webhooks && prints "2 of 2" || return 1
	paypal "$(date -u -d "@$now" +%FT%TZ)" | verify 0 paypal || return 1
	send razorpay "$body" "X-Razorpay-Signature: $(hmac sha256 "$(key razorpay)" <"$body")" | verify 0 razorpay || return 1
	body=$EXAMPLES/github/payload.json
	send ledger "$body" "X-Hub-Signature-256: sha256=$(hmac sha256 "$(key github)" <"$body")" | verify 0 github || return 1
	body=$EXAMPLES/square/payload.json
	send square "$body" "X-Square-HmacSha256-Signature: $({ printf 'https://pay.example/v1/webhooks/square'; cat "$body"; } |
		hmac sha256 "$(key square)" | base64_of_hex)" | verify 0 square || return 1
	body=$EXAMPLES/hmac/payload.json
	send clearing "$body" "X-Bank-Time: $now" "X-Bank-Signature: sha512:$({ printf '%s:' "$now"; cat "$body"; } |
		hmac sha512 "$(key hmac)")" | verify 0 hmac || return 1
	prints "item 1     is ignored"
}

shows_every_field() {
	verify 0 adyen --at "$THEN" < <(request adyen) &&
		prints "item 0     is read:" "transaction_id       AUTHORISATION:PAYHOOKEXAMPLE01:true" "source_account       adyen:order:1001" \
			"destination_account  adyen:PayhookExampleECOM" "amount               1130.50" "currency             EUR" \
			"item 1     is read:" "amount               15000.00" "signed at  no time is signed" \
			"payment_id           PAYHOOKEXAMPLE01" "kind                 authorised" \
			"occurred_at          2026-02-19T11:59:58.000000Z" && ! prints "part "
}

# A thin event of Stripe's has neither an amount nor a destination account.
shows_nothing_of_what_an_event_lacks() {
	python3 -c 'import json, sys; json.dump(json.load(sys.stdin)["events"][-1], sys.stdout)' <"$EXAMPLES/stripe/life.json" >"$DIR/thin"
	stripe "$DIR/thin" "$(date +%s)" | verify 0 stripe || return 1
	prints "body       is read:" "transaction_id       evt_test_65PayhookLife0010" "kind                 other" || return 1
	! grep -E '^ +(destination_account|amount|currency|part|total)\b' "$DIR/out"
}

reports_the_time_at_which_it_would_verify() {
	verify 1 stripe < <(request stripe) &&
		prints "signature  old: " "it would have verified at its own time: --at $THEN" "1 of 1" "it would have been read so:" &&
		verify 1 stripe --at 2026-02-19T11:54:59Z < <(request stripe) && prints "signature  future: " "--at $THEN" &&
		verify 0 stripe --at 1771502700 < <(request stripe) && prints "300 s before; 300 s are allowed" &&
		verify 1 stripe --at 1771502701 < <(request stripe)
}

finds_an_editor_s_newline() {
	local where="it is right without the newline at the end of the body"
	{ request stripe && echo; } | verify 1 stripe --at "$THEN" && prints "$where" "its Content-Length says" || return 1
	{ request stripe && printf '\r\n'; } | verify 1 stripe --at "$THEN" && prints "$where" || return 1
	{ request stripe && echo; } | verify 1 stripe && prints "$where" || return 1
	{ request razorpay && echo; } | verify 1 razorpay && prints "$where" || return 1
	# A space at the end is no newline.
	{ request stripe && printf ' '; } | verify 1 stripe --at "$THEN" && ! prints "it is right"
}

finds_turned_line_ends() {
	request stripe | sed '$!s/$/\r/' | verify 1 stripe --at "$THEN" && prints "it is right with LF where the body has CR LF" || return 1
	# In the headers both line ends are equivalent.
	request stripe | sed '1,/^$/s/$/\r/' | verify 0 stripe --at "$THEN"
}

reports_why_a_changed_request_fails() {
	request stripe | sed 's/109900/109901/' | verify 1 stripe --at "$THEN" &&
		prints "secret     none of 1" "signature  wrong: " "it does not verify, and is answered 401" && ! prints " is read" || return 1
	request stripe | sed '/^Stripe-Signature/d' | verify 1 stripe --at "$THEN" && prints "signature  missing: the header stripe-signature" || return 1
	request stripe | sed 's/v1=/v1=zz/' | verify 1 stripe --at "$THEN" && prints "signature  malformed: " || return 1
	request paypal | sed 's/SHA256withRSA/SHA1withRSA/' | verify 1 paypal --at "$THEN" && prints "signature  unsupported: " || return 1
	request adyen | sed 's/1500000/1500001/' | verify 1 adyen && prints "signature  wrong: item 1: "
}

reports_a_wrong_url() {
	cp -r "$EXAMPLES/square" "$DIR/square"
	sed -i 's|"https://pay|"http://pay|' "$DIR/square/sources.json"
	FILE=$DIR/square/sources.json verify 1 square < <(request square) &&
		prints "signature  wrong_url: " "url        http://pay.example/v1/webhooks/square" || return 1
	request square | sed 's|webhooks/square HTTP|hooks/square?key=k3y HTTP|' | verify 0 square &&
		prints "it was not sent to /v1/webhooks/square" && ! prints k3y
}

reports_which_secret() {
	cp -r "$EXAMPLES/stripe" "$DIR/stripe"
	printf 'another secret of the endpoint' >"$DIR/stripe/new"
	sed -i 's|\[{"file": "secret"}\]|[{"file": "new"}, {"file": "secret", "not_after": "2026-02-19T11:00:00Z"}]|' "$DIR/stripe/sources.json"
	FILE=$DIR/stripe/sources.json verify 1 stripe --at "$THEN" < <(request stripe) &&
		prints "secret     2 of 2 (/sources/0/secrets/1), counts until 2026-02-19T11:00:00Z" "signature  expired: " || return 1
	sed -i 's|T11:00:00Z|T13:00:00Z|' "$DIR/stripe/sources.json"
	FILE=$DIR/stripe/sources.json verify 0 stripe --at "$THEN" < <(request stripe) && prints "secret     2 of 2"
}

reports_what_becomes_of_the_body() {
	local now
	now=$(date +%s)
	sed 's/"usd"/"xyz"/; s/"pi_3PayhookExample0001",/7.5,/' "$EXAMPLES/stripe/payload.json" >"$DIR/body"
	stripe "$DIR/body" "$now" | verify 0 stripe &&
		prints "body       cannot be read:" "answer     422, and nothing of it is stored" "/data/object/id  wrong_type:" "/data/object/currency  unknown_currency:" || return 1
	sed 's/payment_intent.succeeded/charge.updated/' "$EXAMPLES/stripe/payload.json" >"$DIR/body"
	stripe "$DIR/body" "$now" | verify 0 stripe && prints "is ignored: the filter does not let it pass" "answer     200: ignored" || return 1
	printf '{"a":1,}' >"$DIR/body"
	stripe "$DIR/body" "$now" | verify 0 stripe && prints "answer     400: " || return 1
	head -c 65537 /dev/zero | tr '\0' ' ' >"$DIR/body"
	stripe "$DIR/body" "$now" | verify 0 stripe && prints "answer     413: " || return 1
	sed 's/"GBP"/"XYZ"/' "$EXAMPLES/hmac/payload.json" >"$DIR/body"
	send clearing "$DIR/body" "X-Bank-Time: $now" "X-Bank-Signature: sha512:$({ printf '%s:' "$now"; cat "$DIR/body"; } |
		hmac sha512 "$(key hmac)")" | verify 0 hmac &&
		prints "item 0     cannot be read:" "/transfers/0/currency  unknown_currency:" "item 2     is read:" \
			"answer     422, and nothing of it is stored" || return 1
	request stripe | sed 's|application/json|text/plain|' | verify 0 stripe --at "$THEN" && prints "answer     415: "
}

reports_an_open_source() {
	SOURCES_FILE='' "$CTL" verify transactions <"$EXAMPLES/github/request.http" >"$DIR/out" &&
		prints "the source is open" "transaction_id       txn_payhook_example_1"
}

refuses_what_cannot_be_judged() {
	verify 2 stripe --at tomorrow < <(request stripe) && prints "--at tomorrow: no time" || return 1
	verify 2 stripe --then 7 < <(request stripe) && prints "usage: verify SOURCE" || return 1
	verify 2 stripe </dev/null && prints "the request on standard input: line 1: " || return 1
	verify 2 stripe < <(head -c 3000000 /dev/zero) && prints "it is longer than" || return 1
	request stripe | sed 's|^Host: |Host : |' | verify 2 stripe && prints "line 2 is no header" || return 1
	FILE=$EXAMPLES/adyen/sources.json verify 2 stripe < <(request stripe) && prints "no source is named stripe" "there are: adyen" || return 1
	FILE=$DIR/none.json verify 2 stripe < <(request stripe) && prints "SOURCES_FILE=$DIR/none.json" || return 1
	printf '{"sources":[{"name":"stripe","scheme":"stripe","secrets":[{"file":"none"}]}]}' >"$DIR/bad.json"
	FILE=$DIR/bad.json verify 2 stripe < <(request stripe) && prints "bad.json:1: /sources/0/secrets/0/file: it cannot be opened"
}

is_the_operator_s_command_too() {
	local status=0
	SOURCES_FILE=$EXAMPLES/stripe/sources.json "$ROOT/payhook" verify stripe --at "$THEN" \
		<"$EXAMPLES/stripe/request.http" >"$DIR/out" && prints "verdict    it verifies" || return 1
	# A relative path starts from the operator's directory.
	(cd "$EXAMPLES" && SOURCES_FILE=stripe/sources.json "$ROOT/payhook" verify stripe <stripe/request.http >"$DIR/out") || status=$?
	((status == 1)) && prints "signature  old"
}

# In the output of all tests above.
shows_no_secret_and_no_signature() {
	local example word
	for example in "${!SOURCE[@]}"; do
		[[ ! -e $EXAMPLES/$example/secret ]] || ! grep -qF -- "$(secret "$example")" "$DIR/all" || return 1
		for word in $(request "$example" | grep -iE '^[a-z0-9-]*(signature|sig)[a-z0-9-]*:' | grep -oE '[A-Za-z0-9+/]{32,}'); do
			! grep -qF -- "$word" "$DIR/all" || return 1
		done
	done
	! grep -qF "IIRruXO/SM97ZEzUeq" "$DIR/all" && [[ -s $DIR/all ]]
}

check "takes every example at its own time" takes_every_example
check "examples hold their payloads" examples_hold_their_payloads
check "takes what openssl signed now, by every scheme" takes_what_openssl_signed_now
check "shows every field of every item" shows_every_field
check "shows nothing of what an event lacks" shows_nothing_of_what_an_event_lacks
check "reports at which time it would have verified" reports_the_time_at_which_it_would_verify
check "finds an editor's newline" finds_an_editor_s_newline
check "finds line ends that were turned" finds_turned_line_ends
check "reports why a changed request does not verify" reports_why_a_changed_request_fails
check "reports that the URL is another one, and where the request was sent" reports_a_wrong_url
check "reports which secret signed, and that it has expired" reports_which_secret
check "reports what becomes of the body" reports_what_becomes_of_the_body
check "reports that a source is open" reports_an_open_source
check "refuses what cannot be judged" refuses_what_cannot_be_judged
check "is the operator's command too" is_the_operator_s_command_too
check "shows no secret and no signature" shows_no_secret_and_no_signature
finish
