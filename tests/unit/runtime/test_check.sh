#!/bin/bash
# test_check.sh - "payhook-app --check" warns of events that would hide each other, and still succeeds; prints TAP.
set -euo pipefail

HERE=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../../.." && pwd)
# shellcheck source=tests/support/tap.sh
source "$HERE/tests/support/tap.sh"
tap_folder check
BUILD=${PAYHOOK_BUILD:-$HERE/build}

# judge FILE - the output is in $DIR/out.
judge() {
	DATABASE_URL=postgresql:///nowhere SOURCES_FILE=$1 "$BUILD/app/payhook-app" --check >"$DIR/out" 2>&1
}

# A capture and its whole refund have one identity and one amount.
of_a_payment_s_id() {
	cat >"$DIR/sources.json" <<-'EOF'
		{"sources": [{"name": "provider", "scheme": "none",
		  "filter": [{"at": "/event", "is": ["payment.captured", "payment.refunded"]}],
		  "mapping": {"transaction_id": {"at": "/payment/id"}, "source_account": {"value": "a"}, "destination_account": {"value": "b"},
		    "amount": {"at": "/payment/amount", "unit": "minor"}, "currency": {"at": "/payment/currency"}}}]}
	EOF
	judge "$DIR/sources.json"
	grep -A1 '^source provider: none, 0 secrets$' "$DIR/out" >"$DIR/two"
	equal "$(tail -n 1 "$DIR/two")" "warning: source provider: several events pass, by /event: payment.captured payment.refunded;$(
	) if the transaction_id, /payment/id, is that of the payment, one event hides another; use the provider's id of the event, or$(
	) join /event: \"transaction_id\": {\"at\": [\"/payment/id\", \"/event\"], \"join\": \":\"}"
}

# Each request is an event, and so are repetitions.
of_a_request_s_id() {
	cat >"$DIR/sources.json" <<-'EOF'
		{"sources": [{"name": "mollie", "scheme": "none",
		  "mapping": {"transaction_id": {"request": "id"}, "source_account": {"value": "a"}, "destination_account": {"value": "b"},
		    "amount": {"at": "/amount", "unit": "minor", "optional": true}, "currency": {"value": "EUR"}, "payment_id": {"at": "/id"}}}]}
	EOF
	judge "$DIR/sources.json"
	equal "$(grep ^warning "$DIR/out")" "warning: source mollie: the transaction_id is the id of the request, so each request is$(
	) an event: what the provider sends again is stored and processed again"
}

not_of_the_examples() {
	local file
	for file in "$HERE"/docs/sources/*/sources.json; do
		TLS_PORT=443 judge "$file"
		! grep ^warning "$DIR/out" | grep -v "the transaction_id is the id of the request" || return 1
	done
}

# What is sent instead of a signature must not travel in clear.
of_a_token_without_tls() {
	printf 'a token of more than sixteen bytes\n' >"$DIR/token"
	printf 'user:a password of many bytes\n' >"$DIR/user"
	for scheme in '"scheme": "token", "header": "X-Token", "secrets": [{"file": "token"}]' \
		'"scheme": "basic", "secrets": [{"file": "user"}]' \
		'"scheme": "github", "secrets": [{"file": "token"}], "basic": {"file": "user"}'; do
		printf '{"sources": [{"name": "plain", %s}]}' "$scheme" >"$DIR/sources.json"
		! judge "$DIR/sources.json" || return 1
		grep -q '^payhook-app: source plain: its token or password would travel without TLS; set TLS_PORT, or' "$DIR/out" || return 1
		TLS_PORT=443 judge "$DIR/sources.json" || return 1
		REAL_IP_FROM=192.0.2.1 judge "$DIR/sources.json" || return 1
		! grep -q 'of many bytes\|of more than' "$DIR/out" || return 1
	done
}

# "up" suggests "payhook send" for the first source that it can send to.
of_what_only_the_provider_signs() {
	local key
	printf 'a secret of more than sixteen bytes\n' >"$DIR/shared"
	printf 'a token of more than sixteen bytes\n' >"$DIR/token"
	key=$(head -c 32 /dev/zero | base64)
	printf 'whpk_%s\n' "$key" >"$DIR/public"
	openssl req -x509 -newkey rsa:2048 -nodes -keyout /dev/null -subj /CN=x -days 2 -out "$DIR/certificate" 2>/dev/null
	cat >"$DIR/sources.json" <<-'EOF'
		{"sources": [{"name": "public", "scheme": "standard-webhooks", "secrets": [{"file": "public"}]},
		  {"name": "wise", "scheme": "rsa", "header": "X-Signature", "encoding": "base64", "secrets": [{"file": "certificate"}]},
		  {"name": "ended", "scheme": "github", "secrets": [{"file": "shared", "not_after": "2020-01-01T00:00:00Z"}]},
		  {"name": "transactions", "scheme": "closed"},
		  {"name": "token", "scheme": "token", "header": "X-Token", "secrets": [{"file": "token"}]}]}
	EOF
	TLS_PORT=443 judge "$DIR/sources.json" || cat "$DIR/out"
	equal "$(sed -n 's/^source //p' "$DIR/out" | paste -sd'|')" "public: standard-webhooks, 1 secrets, none to sign with|$(
	)wise: rsa, 1 secrets, none to sign with|ended: github, 1 secrets, none to sign with|transactions: closed, 0 secrets|$(
	)token: token, 1 secrets"
	# As ops/up.sh selects it.
	equal "$(sed -nE "$(sed -nE "s/.*sed -nE '(.*closed,.*)' <<<.*/\1/p" "$HERE/ops/up.sh")" < <(sed -n 's/^source //p' "$DIR/out"))" token
}

check "a source that only its provider can sign for is marked" of_what_only_the_provider_signs
check "a token or a password is refused without TLS" of_a_token_without_tls
check "a filter that lets several events of a payment pass is warned of" of_a_payment_s_id
check "an identity that makes repetitions events is warned of" of_a_request_s_id
check "no example is warned of" not_of_the_examples
finish
