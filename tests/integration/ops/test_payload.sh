#!/bin/bash
# test_payload.sh - payhook payload, and payhook verify --transaction; prints TAP.
set -euo pipefail

ROOT=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../../.." && pwd)
CTL=$PAYHOOK_BUILD/ctl/payhook-ctl
# shellcheck source=tests/support/shell_database.sh
source "$ROOT/tests/support/shell_database.sh"
SCHEMA=yes
EXAMPLE=$ROOT/docs/sources/stripe
THEN=2026-02-19T12:00:00.25Z
: >"$DIR/env"
export PAYHOOK_VAR=$DIR/var PAYHOOK_ENV_FILE=$DIR/env

every_byte() {
	perl -e 'print map { chr } 0 .. 255'
}

# hex - of standard input.
hex() {
	od -An -v -tx1 | tr -d ' \n'
}

# transaction ID SOURCE [TIME]
transaction() {
	value "INSERT INTO payhook.transactions (transaction_id, source, source_account, destination_account, amount, currency, created_at)
		VALUES ('$1', '$2', 'a', 'b', 1, 'EUR', '${3:-now()}')"
}

# keep ID SOURCE HEADERS HEX [TIME] - a transaction with its request, and a partition for the day.
keep() {
	local time=${5:-now()}
	transaction "$1" "$2" "$time"
	[[ $time == now* ]] || value "CREATE TABLE IF NOT EXISTS payhook.payloads_20260219 PARTITION OF payhook.payloads
		FOR VALUES FROM ('2026-02-19 00:00+00') TO ('2026-02-20 00:00+00')"
	value "WITH kept AS (INSERT INTO payhook.payloads (received_at, request_id, source, content_type, headers, body)
		VALUES ('$time', '0123456789abcdef0123456789abcdef', '$2', 'application/json', '$3', decode('$4', 'hex'))
		RETURNING payload_id, received_at)
		UPDATE payhook.transactions t SET payload_id = k.payload_id, payload_at = k.received_at FROM kept k
		WHERE t.transaction_id = '$1' AND t.source = '$2'"
}

# keep_example ID [HEADER] - the request of the example, or one with that header instead of the signature's.
keep_example() {
	local signature
	signature=$(sed -n 's/^Stripe-Signature: \(.*\)/\1/p' "$EXAMPLE/request.http" | tr -d '\r')
	keep "$1" stripe "{\"${2:-stripe-signature}\": \"$signature\", \"user-agent\": \"Stripe/1.0\"}" \
		"$(hex <"$EXAMPLE/payload.json")" "$THEN"
}

# ends STATUS COMMAND... - the command has this status; its outputs are in $DIR/out and $DIR/err.
ends() {
	local status=0
	DATABASE_URL=${URL:-$DB} SOURCES_FILE=${FILE-$EXAMPLE/sources.json} "${@:2}" >"$DIR/out" 2>"$DIR/err" || status=$?
	[[ $status == "$1" ]] || { printf 'status %s, wanted %s: %s\n' "$status" "$1" "$(<"$DIR/err")" && return 1; }
}

# complains TEXT... - each is on standard error, and nothing on standard output.
complains() {
	local text
	[[ ! -s $DIR/out ]] || { echo 'there is an output' && return 1; }
	for text in "$@"; do
		grep -qF -- "$text" "$DIR/err" || { echo "\"$text\" is missing: $(<"$DIR/err")" && return 1; }
	done
}

prints() {
	local text
	for text in "$@"; do
		grep -qF -- "$text" "$DIR/out" || { echo "\"$text\" is missing: $(<"$DIR/out")" && return 1; }
	done
}

sha256() {
	sha256sum | cut -d' ' -f1
}

the_bytes_are_those_that_came() {
	local wanted
	wanted=$(every_byte | sha256)
	keep t bank '{"x-signature": "a\tb\u0007"}' "$(every_byte | hex)"
	ends 0 "$CTL" payload t --body
	equal "$(sha256 <"$DIR/out")" "$wanted"
	ends 0 "$CTL" payload t
	equal "$(tail -c 256 "$DIR/out" | sha256)" "$wanted"
	equal "$(head -c -256 "$DIR/out" | tail -c 4 | od -An -tx1)" ' 0d 0a 0d 0a'
	prints 'POST /v1/webhooks/bank HTTP/1.1' 'X-Request-Id: 0123456789abcdef0123456789abcdef' 'Content-Type: application/json' \
		'Content-Length: 256' 'X-Payhook-Received-At: 20' 'x-signature: a\x09b\x07'
	ends 0 "$CTL" payload t --headers
	prints 'Content-Length: 256'
	equal "$(tail -c 2 "$DIR/out" | od -An -tx1)" ' 0d 0a'
}

a_terminal_gets_no_control_character() {
	keep t bank '{}' "$(every_byte | hex)c3bc"
	printf 'DATABASE_URL="%s" "%s" payload t --body\n' "$DB" "$CTL" >"$DIR/line"
	TERM=dumb timeout 30 script -qec "bash '$DIR/line'" /dev/null </dev/null >"$DIR/out" 2>&1
	prints '\x00\x01' '\x1b\x1c' '\x7f' '\xff' ü
	equal "$(tr -d '\r\n' <"$DIR/out" | LC_ALL=C tr -d '\040-\176\303\274' | wc -c)" 0
	ends 0 "$CTL" payload t --body --escape
	prints '\x00\x01' '\xffü'
}

headers_that_are_no_object_are_left_out() {
	local headers
	for headers in '[1, [2]]' '"x"' '7' 'null'; do
		value "DELETE FROM payhook.transactions; DELETE FROM payhook.payloads"
		keep t bank "$headers" 00
		ends 0 "$CTL" payload t --headers
		equal "$(grep -c . "$DIR/out")" 5
	done
}

a_source_is_named_if_several_have_the_id() {
	keep t bank '{}' 00
	keep t card '{}' 0102
	ends 1 "$CTL" payload t
	complains 'several sources have a transaction t; name one with --source: bank card'
	ends 0 "$CTL" payload t --body --source card
	equal "$(od -An -tx1 <"$DIR/out")" ' 01 02'
}

what_is_missing_is_explained() {
	local day
	day=$(value "SELECT to_char(now(), 'YYYYMMDD')")
	ends 1 "$CTL" payload none
	complains 'there is no transaction none'
	transaction plain bank
	ends 1 "$CTL" payload plain --source card
	complains 'there is no transaction plain of the source card'
	ends 1 "$CTL" payload plain
	complains 'its request is not kept: it was imported, came to a version that kept none, or while PAYLOADS_KEEP_DAYS was 0'
	PAYLOADS_KEEP_DAYS=0 ends 1 "$CTL" payload plain
	complains 'its request is not kept: PAYLOADS_KEEP_DAYS=0'
	transaction old bank '2026-01-01'
	ends 1 "$CTL" payload old
	complains 'its request is not kept any more: it is ' 'PAYLOADS_KEEP_DAYS=30'
	# The day before an upgrade, or of the old service.
	transaction before bank "$(date -u -d '2 days ago' +%F)"
	ends 1 "$CTL" payload before
	complains 'its request is not kept: there is no partition for its day, as it was imported or came to a version that kept none'
	keep dropped bank '{}' 00
	keep deleted bank '{}' 0001
	value "DELETE FROM payhook.payloads WHERE body = '\\x0001'"
	ends 1 "$CTL" payload deleted
	complains 'its request is not kept any more: it was deleted, as "payhook forget" does'
	value "DROP TABLE payhook.payloads_$day"
	ends 1 "$CTL" payload dropped
	complains 'its request is not kept any more: it is 0 days old'
	ends 1 "$CTL" payload plain
	complains 'there is no partition for its day' 'or no worker had run for a week'
}

arguments_are_checked() {
	local -a words
	for words in '' 't --source' 't --headers --body' 't --what'; do
		# shellcheck disable=SC2086
		ends 2 "$CTL" payload $words
		complains 'usage: payload ID'
	done
	URL=' ' ends 1 "$CTL" payload t
	DATABASE_URL='' ends 2 env DATABASE_URL= "$CTL" payload t
	complains 'DATABASE_URL is not set'
}

# The responders may write payloads and not read them.
the_operator_s_role_may_read_it() {
	keep t bank '{}' 00
	value "DO \$\$ BEGIN
		CREATE ROLE anna LOGIN IN ROLE payhook_operator;
		CREATE ROLE bert LOGIN IN ROLE payhook_app;
	END \$\$"
	URL=${DB/user=postgres/user=anna} ends 0 "$CTL" payload t
	URL=${DB/user=postgres/user=bert} ends 1 "$CTL" payload t
	complains 'the database cannot be asked: the database reports 42501'
	value 'DROP ROLE anna, bert'
}

# ---- verify ----

a_kept_request_verifies_as_of_its_time() {
	keep_example evt
	ends 0 "$ROOT/payhook" verify stripe --transaction evt
	prints 'judged at  2026-02-19T12:00:00Z (received)' 'secret     1 of 1' 'signature  good' 'verdict    it verifies'
}

verify_transaction_of_the_tree() {
	bash -euo pipefail -c 'source "$1/ops/payload.sh"; fail() { echo "${*:2}" >&2; exit "$1"; }; verify_transaction "${@:2}"' \
		bash "$ROOT" "$CTL" "$@"
}

the_secret_may_be_gone() {
	keep_example evt
	mkdir -p "$DIR/rotated"
	cp -- "$EXAMPLE/sources.json" "$DIR/rotated/"
	printf 'a secret that came later' >"$DIR/rotated/secret"
	FILE=$DIR/rotated/sources.json ends 1 verify_transaction_of_the_tree stripe --transaction evt
	prints 'secret     none of 1' 'signature  wrong' 'a secret that the source no longer has may have signed it' \
		'verdict    it does not verify'
}

a_header_may_not_be_kept() {
	keep_example evt x-other
	ends 1 verify_transaction_of_the_tree stripe --transaction evt
	prints 'signature  missing' 'no header is kept that is a credential itself: a request with one cannot be verified again'
}

# The body is larger than a pipe, so the reader ends before the writer.
a_source_may_be_gone() {
	keep evt old-bank '{}' 00
	value "UPDATE payhook.payloads SET body = decode(repeat('00', 200000), 'hex')"
	ends 2 verify_transaction_of_the_tree old-bank --transaction evt
	complains 'no source is named old-bank, or it is closed'
	equal "$(wc -l <"$DIR/err")" 1
}

what_is_not_there_is_explained_once() {
	keep_example evt
	ends 1 verify_transaction_of_the_tree stripe --transaction none
	complains 'there is no transaction none of the source stripe'
	equal "$(wc -l <"$DIR/err")" 1
	ends 1 verify_transaction_of_the_tree none --transaction evt
	ends 2 verify_transaction_of_the_tree stripe --transaction
	complains 'usage: verify SOURCE --transaction ID'
	printf 'POST / HTTP/1.1\r\n\r\n' | ends 2 "$CTL" verify stripe --kept
	complains 'it has no header X-Payhook-Received-At'
}

run_all the_bytes_are_those_that_came headers_that_are_no_object_are_left_out a_terminal_gets_no_control_character a_source_is_named_if_several_have_the_id \
	what_is_missing_is_explained arguments_are_checked the_operator_s_role_may_read_it a_kept_request_verifies_as_of_its_time \
	the_secret_may_be_gone a_header_may_not_be_kept a_source_may_be_gone what_is_not_there_is_explained_once
