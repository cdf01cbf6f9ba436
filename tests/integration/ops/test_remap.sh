#!/bin/bash
# test_remap.sh - payhook remap: what could not be mapped is stored, once, whatever happens meanwhile; prints TAP.
set -euo pipefail

ROOT=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../../.." && pwd)
CTL=$PAYHOOK_BUILD/ctl/payhook-ctl
# shellcheck source=tests/support/shell_database.sh
source "$ROOT/tests/support/shell_database.sh"
SCHEMA=yes

# The secret of the source is not there: remap needs none.
fresh() {
	cat >"$DIR/sources.json" <<-'END'
		{"sources": [
			{"name": "bank", "scheme": "hmac", "secrets": [{"file": "absent"}], "header": "x-signature", "algorithm": "sha256",
				"encoding": "hex", "items": "/events", "unreadable": "keep",
				"filter": [{"at": "/type", "is": ["paid"]}],
				"mapping": {"transaction_id": {"at": "/id"}, "source_account": {"at": "/from"}, "destination_account": {"value": "us"},
					"amount": {"at": "/sum", "unit": "major"}, "currency": {"at": "/currency"}}},
			{"name": "shop", "scheme": "github", "secrets": [{"file": "none"}], "body": {"form_member": "payload"}, "unreadable": "keep",
				"mapping": {"transaction_id": {"at": "/id"}, "source_account": {"value": "shop"}, "destination_account": {"value": "us"},
					"amount": {"at": "/sum", "unit": "major"}, "currency": {"value": "EUR"}}}
		]}
	END
}

# kept BODY [SOURCE] - as a responder keeps it.
kept() {
	psql -X -q -At -d "$DB" -v body="$1" -v source="${2-bank}" >/dev/null <<-'SQL'
		SELECT payhook.keep_unreadable(ARRAY[:'source'], ARRAY['0123456789abcdef0123456789abcdef'], ARRAY['application/json'],
			ARRAY['{"user-agent": "Bank/1.0"}'], ARRAY[convert_to(:'body', 'UTF8')], ARRAY[''], ARRAY['/events/0/sum missing']);
	SQL
}

# kept_in_gzip BODY HEADERS - in gzip; HEADERS are those that are kept with it.
kept_in_gzip() {
	local digits
	digits=$(gzip -c <<<"$1" | od -An -v -tx1 | tr -d ' \n')
	psql -X -q -At -d "$DB" -v digits="$digits" -v headers="$2" >/dev/null <<-'SQL'
		SELECT payhook.keep_unreadable(ARRAY['bank'], ARRAY['0123456789abcdef0123456789abcdef'], ARRAY['application/json'],
			ARRAY[:'headers'], ARRAY[decode(:'digits', 'hex')], ARRAY[''], ARRAY['/events/0/sum missing']);
	SQL
}

item() {
	printf '{"type": "%s", "id": "%s", "from": "ann", "sum": %s, "currency": "EUR"}' "${3-paid}" "$1" "$2"
}

# remap STATUS ARGUMENT...
remap() {
	local status=0
	DATABASE_URL=$DB SOURCES_FILE=$DIR/sources.json "$CTL" remap "${@:2}" >"$DIR/out" 2>"$DIR/err" || status=$?
	[[ $status == "$1" ]] || { printf 'status %s, wanted %s: %s\n' "$status" "$1" "$(<"$DIR/err")" && return 1; }
}

transactions() {
	value "SELECT coalesce(string_agg(transaction_id || ' ' || amount || ' ' || (SELECT count(*) FROM payhook.jobs j
		WHERE j.transaction_id = t.transaction_id AND j.source = t.source), ',' ORDER BY transaction_id), '') FROM payhook.transactions t"
}

what_can_be_mapped_now_is_stored_and_removed() {
	kept "{\"events\": [$(item a 1.50), $(item b 2)]}"
	kept "{\"events\": [$(item c 3)]}"
	remap 0
	equal "$(transactions)" 'a 1.50 1,b 2 1,c 3 1'
	equal "$(value 'SELECT count(*) FROM payhook.unreadable')" 0
	equal "$(tail -n 1 "$DIR/out")" \
		'2 webhooks: 2 removed, 0 stay; transactions: 3 new, 0 duplicates, 0 conflicts, 0 cannot be read'
	# With the request that brought it.
	equal "$(value "SELECT DISTINCT p.headers->>'user-agent' FROM payhook.payloads p JOIN payhook.transactions t
		ON t.payload_id = p.payload_id")" 'Bank/1.0'
}

a_body_in_gzip_is_read_decoded_and_kept_as_it_came() {
	local before
	kept_in_gzip "{\"events\": [$(item a 1.50)]}" '{"content-encoding": "gzip"}'
	kept_in_gzip "{\"events\": [$(item b 2)]}" '{"content-encoding": "X-GZIP", "user-agent": "Bank/1.0"}'
	# Without its coding among the headers it is bytes that are no JSON.
	kept_in_gzip "{\"events\": [$(item c 3)]}" '{}'
	before=$(value 'SELECT sha256(body) FROM payhook.unreadable_webhooks ORDER BY unreadable_id LIMIT 1')
	remap 0
	equal "$(transactions)" 'a 1.50 1,b 2 1'
	equal "$(value "SELECT sha256(p.body) FROM payhook.payloads p JOIN payhook.transactions t USING (payload_id)
		WHERE t.transaction_id = 'a' AND p.headers->>'content-encoding' = 'gzip'")" "$before"
	equal "$(value 'SELECT reason FROM payhook.unreadable')" malformed
}

# Only the owner of the table can have written them.
kept_headers_that_are_no_object_are_none() {
	local headers number=0
	value 'ALTER TABLE payhook.unreadable_webhooks DROP CONSTRAINT unreadable_webhooks_headers_check'
	for headers in '[]' '"content-encoding"' '7' 'null' '["content-encoding", "gzip"]'; do
		number=$((number + 1))
		kept "{\"events\": [$(item "plain$number" 1)]}"
		kept_in_gzip "{\"events\": [$(item "zipped$number" 1)]}" "$headers"
		psql -X -q -d "$DB" -v headers="$headers" \
			<<<"UPDATE payhook.unreadable_webhooks SET headers = :'headers' WHERE headers->>'user-agent' <> ''"
	done
	remap 0
	equal "$(value 'SELECT count(*) FROM payhook.transactions')" 5
	equal "$(value "SELECT count(*), string_agg(DISTINCT reason, ',') FROM payhook.unreadable")" '5|malformed'
}

a_form_is_read_by_its_field() {
	kept 'x=1&payload=%7B%22id%22%3A%22a%22%2C%22sum%22%3A1.50%7D' shop
	kept 'pay=%7B%7D' shop
	kept 'payload=%7B' shop
	remap 0
	equal "$(transactions)" 'a 1.50 1'
	equal "$(value "SELECT string_agg(reason, ',' ORDER BY unreadable_id) FROM payhook.unreadable")" 'form_member,malformed'
}

a_dry_run_reports_and_changes_nothing() {
	kept "{\"events\": [$(item a 1), $(item b '"x"')]}"
	kept "{\"events\": [$(item c 3)]}"
	remap 0 --dry-run
	equal "$(transactions)" ''
	equal "$(value 'SELECT count(*) FROM payhook.unreadable')" 2
	equal "$(head -n 1 "$DIR/out")" \
		'webhook 1 of bank: 1 transactions would be stored or are there already; stays, as 1 cannot be read: /events/1/sum not_a_decimal'
	equal "$(tail -n 1 "$DIR/out")" \
		'nothing was changed: of 2 webhooks 1 would be removed, 1 would stay; 2 transactions would be stored or are there already, 1 cannot be read'
}

one_that_cannot_be_read_yet_stays_with_its_reason_and_the_rest_is_stored() {
	kept "{\"events\": [$(item a 1), $(item b '"x"'), $(item c 3)]}"
	kept 'no JSON'
	kept "{\"events\": 7}"
	remap 0
	remap 0
	equal "$(transactions)" 'a 1 1,c 3 1'
	equal "$(value "SELECT string_agg(reason, ',' ORDER BY unreadable_id) FROM payhook.unreadable")" '/events/1/sum not_a_decimal,malformed,items'
	equal "$(tail -n 1 "$DIR/out")" \
		'3 webhooks: 0 removed, 3 stay; transactions: 0 new, 2 duplicates, 0 conflicts, 3 cannot be read'
}

items_that_contradict_each_other_stay_and_the_others_are_stored() {
	kept "{\"events\": [$(item a 1), $(item b 2), $(item a 3)]}"
	remap 0
	equal "$(transactions)" 'b 2 1'
	equal "$(value 'SELECT reason FROM payhook.unreadable')" items_differ
}

what_the_filter_leaves_out_and_what_has_no_source_stays() {
	kept "{\"events\": [$(item a 1 refunded)]}"
	kept "{\"events\": [$(item b 1)]}" gone
	remap 0
	equal "$(transactions)" ''
	equal "$(value 'SELECT count(*) FROM payhook.unreadable')" 2
	grep -q 'webhook 1 of bank: stays: the filter lets nothing of it pass' "$DIR/out"
	grep -q 'webhook 2 of gone: stays: there is no such source, or it is closed' "$DIR/out"
}

what_is_stored_already_is_a_duplicate_or_a_conflict() {
	kept "{\"events\": [$(item a 1), $(item b 1)]}"
	value "INSERT INTO payhook.transactions (transaction_id, source, source_account, destination_account, amount, currency)
		VALUES ('a', 'bank', 'ann', 'us', 1, 'EUR'), ('b', 'bank', 'ann', 'us', 2, 'EUR')"
	remap 0
	equal "$(tail -n 1 "$DIR/out")" \
		'1 webhooks: 1 removed, 0 stay; transactions: 0 new, 1 duplicates, 1 conflicts, 0 cannot be read'
	equal "$(value 'SELECT count(*) FROM payhook.conflicts')" 1
}

only_the_source_that_is_named_is_mapped() {
	kept "{\"events\": [$(item a 1)]}"
	kept "{\"events\": [$(item b 1)]}" other
	remap 0 other
	equal "$(tail -n 1 "$DIR/out")" \
		'1 webhooks: 0 removed, 1 stay; transactions: 0 new, 0 duplicates, 0 conflicts, 0 cannot be read'
	remap 0 bank
	equal "$(transactions)" 'a 1 1'
}

# A deletion that waits for a lock stands for one that a kill prevents: the transaction is stored then, and the webhook is not gone.
it_may_be_killed_between_storing_and_removing() {
	local pid holder
	kept "{\"events\": [$(item a 1)]}"
	psql -X -q -d "$DB" -c "BEGIN; SELECT FROM payhook.unreadable_sources FOR UPDATE; SELECT pg_sleep(60)" >/dev/null 2>&1 &
	holder=$!
	await_session "wait_event = 'PgSleep'"
	DATABASE_URL=$DB SOURCES_FILE=$DIR/sources.json "$CTL" remap >/dev/null 2>&1 &
	pid=$!
	await_session "wait_event_type = 'Lock' AND query ~ 'drop_unreadable'"
	kill -KILL "$pid"
	wait "$pid" || true
	# The one that waits goes first, or it would go on when it has the lock.
	value "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
		WHERE datname = current_database() AND query ~ 'drop_unreadable' AND pid <> pg_backend_pid()" >/dev/null
	value "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'" >/dev/null
	wait "$holder" || true
	equal "$(transactions) $(value 'SELECT count(*) FROM payhook.unreadable')" 'a 1 1 1'
	remap 0
	equal "$(transactions) $(value 'SELECT count(*) FROM payhook.unreadable')" 'a 1 1 0'
	grep -q '0 transactions new, 1 duplicates' "$DIR/out"
}

the_list_of_sources_may_come_from_standard_input() {
	kept "{\"events\": [$(item a 1)]}"
	DATABASE_URL=$DB SOURCES_FILE='' "$CTL" remap --sources - <"$DIR/sources.json" >"$DIR/out"
	equal "$(transactions)" 'a 1 1'
}

arguments_are_checked_and_a_database_that_is_away_is_reported() {
	remap 2 bank card
	grep -q 'usage: remap' "$DIR/err"
	remap 2 --sources
	DATABASE_URL='' SOURCES_FILE='' "$CTL" remap >/dev/null 2>"$DIR/err" && return 1
	grep -q 'DATABASE_URL is not set' "$DIR/err"
	DB="host=$DIR/none dbname=x" remap 1
	grep -q 'stopped; what is reported above is done' "$DIR/err"
}

run_all what_can_be_mapped_now_is_stored_and_removed a_body_in_gzip_is_read_decoded_and_kept_as_it_came \
	kept_headers_that_are_no_object_are_none a_form_is_read_by_its_field a_dry_run_reports_and_changes_nothing \
	one_that_cannot_be_read_yet_stays_with_its_reason_and_the_rest_is_stored \
	items_that_contradict_each_other_stay_and_the_others_are_stored what_the_filter_leaves_out_and_what_has_no_source_stays \
	what_is_stored_already_is_a_duplicate_or_a_conflict only_the_source_that_is_named_is_mapped \
	it_may_be_killed_between_storing_and_removing the_list_of_sources_may_come_from_standard_input \
	arguments_are_checked_and_a_database_that_is_away_is_reported
