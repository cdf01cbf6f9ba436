#!/bin/bash
# test_console_commands.sh - ls, show, payment, retry, sources and actions of payhook-ctl, on a database of their own; prints TAP.
set -euo pipefail

ROOT=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../../.." && pwd)
CTL=$PAYHOOK_BUILD/ctl/payhook-ctl
# shellcheck source=tests/support/shell_database.sh
source "$ROOT/tests/support/shell_database.sh"
SCHEMA=yes

# store ID SOURCE STATUS [AGE] - a transaction.
store() {
	value "INSERT INTO payhook.transactions (transaction_id, source, source_account, destination_account, amount, currency, status,
		processed_at, failure, created_at)
		VALUES (E'$1', '$2', 'acc_a', 'acc_b', 1500.10, 'EUR', '$3', CASE '$3' WHEN 'PROCESSED' THEN now() END,
			CASE '$3' WHEN 'FAILED' THEN 'no answer' END, now() - interval '${4:-1 minute}')"
}

# fail_as ID SOURCE ERROR - a FAILED transaction with its dead job.
fail_as() {
	store "$1" "$2" FAILED '3 hours'
	value "INSERT INTO payhook.dead_jobs (transaction_id, source, attempts, error, enqueued_at, died_at)
		VALUES (E'$1', '$2', 12, '$3', now() - interval '3 hours', now() - interval '2 hours')"
}

# fail_many COUNT ERROR - evt_1, evt_2, ... of the source bank.
fail_many() {
	value "INSERT INTO payhook.transactions (transaction_id, source, source_account, destination_account, amount, currency, status, failure)
		SELECT 'evt_' || g, 'bank', 'acc_a', 'acc_b', 1500.10, 'EUR', 'FAILED', 'no answer' FROM generate_series(1, $1) g;
		INSERT INTO payhook.dead_jobs (transaction_id, source, attempts, error, enqueued_at)
		SELECT 'evt_' || g, 'bank', 12, '$2', now() FROM generate_series(1, $1) g"
}

status_of() {
	value "SELECT status FROM payhook.transactions WHERE transaction_id = '$1' AND source = '$2'"
}

# ends STATUS ARGUMENT... - payhook-ctl has this status; its outputs are in $DIR/out and $DIR/err.
ends() {
	local status=0
	DATABASE_URL=${URL:-$DB} timeout 60 "$CTL" "${@:2}" >"$DIR/out" 2>"$DIR/err" </dev/null || status=$?
	[[ $status == "$1" ]] || { echo "status $status, wanted $1: $(<"$DIR/err") $(<"$DIR/out")" && return 1; }
}

# prints TEXT... - each is in the output; complains TEXT... - in the errors.
prints() {
	has "$DIR/out" "$@"
}

complains() {
	has "$DIR/err" "$@"
}

has() {
	local text
	for text in "${@:2}"; do
		grep -qF -- "$text" "$1" || { echo "\"$text\" is missing: $(<"$1")" && return 1; }
	done
}

# of_json EXPRESSION - of the output, which is j.
of_json() {
	python3 -c "import json, sys; j = json.load(sys.stdin); print($1)" <"$DIR/out"
}

# ---- looking ----

transactions_are_listed_in_columns() {
	store txn_1 bank PROCESSED '3 hours'
	store a_longer_id_2 bank PROCESSING '2 minutes'
	ends 0 ls
	equal "$(head -n 1 "$DIR/out" | tr -s ' ')" 'SOURCE ID STATUS AMOUNT CUR ACCEPTED AGO'
	equal "$(sed -n 2p "$DIR/out" | tr -s ' ' | sed -E 's/20[0-9:TZ-]+/TIME/')" 'bank a_longer_id_2 PROCESSING 1500.10 EUR TIME 2 min ago'
	equal "$(sed -n 3p "$DIR/out" | tr -s ' ' | sed -E 's/20[0-9:TZ-]+/TIME/')" 'bank txn_1 PROCESSED 1500.10 EUR TIME 3 h ago'
	equal "$(awk '{ print index($0, "EUR") index($0, "CUR") }' "$DIR/out" | tr -d 0 | sort -u | wc -l)" 1
	equal "$(<"$DIR/err")" ''
}

a_list_goes_on_with_its_cursor() {
	local cursor
	store one bank PROCESSED '1 hour'
	store two bank PROCESSED '2 hours'
	store three bank PROCESSED '3 hours'
	ends 0 ls --limit 2
	prints one two
	complains 'there is more: the same command with --cursor '
	cursor=$(sed -n 's/.*--cursor //p' "$DIR/err")
	ends 0 ls --limit 2 --cursor "$cursor"
	prints three
	equal "$(wc -l <"$DIR/out")" 2
	equal "$(<"$DIR/err")" ''
}

filters_are_those_of_the_console() {
	store fine bank PROCESSED
	store other card PROCESSED
	fail_as bad bank 'Timeout after 5 s'
	ends 0 ls --error timeout
	prints bad 'no answer' '2 h ago'
	equal "$(wc -l <"$DIR/out")" 2
	ends 0 ls --source=card --status PROCESSED --account acc_b --currency EUR --amount-min 1500.1 --amount-max 1500.10
	equal "$(wc -l <"$DIR/out")" 2
	ends 0 ls bad
	prints bad
	ends 0 ls --kind captured
	complains 'no transaction matches; without --from and --to, those of the last 24 hours are searched'
	ends 2 ls --status DONE
	complains 'status is "DONE": it is one of PROCESSING, PROCESSED, FAILED'
	ends 2 ls --amount-min x
	ends 2 ls --source ''
	complains 'has an empty value'
	ends 2 ls one two
	ends 2 ls --id one two
}

json_is_the_answer_of_the_api() {
	store txn_1 bank PROCESSED
	ends 0 ls --json
	equal "$(of_json 'j["data"][0]["transaction_id"], j["next"], j["truncated"]')" 'txn_1 None False'
	ends 0 show txn_1 --json
	equal "$(of_json 'j["transaction"]["amount"], j["may"]["retry"]')" '1500.10 False'
	ends 0 sources --json
	equal "$(of_json 'j')" "{'data': []}"
	ends 0 actions --json
	equal "$(of_json 'j["data"]')" '[]'
	ends 1 show none --json
	equal "$(<"$DIR/out")" ''
}

the_story_of_a_transaction_is_shown() {
	fail_as evt_1 bank 'the processor answered 500'
	value "INSERT INTO payhook.job_attempts (transaction_id, source, attempt, started_at, finished_at, outcome, error, worker)
		VALUES ('evt_1', 'bank', 1, now() - interval '3 s', now(), 'retried', 'HTTP 500', 7),
			('evt_1', 'bank', 2, now() - interval '1 s', now(), 'failed', 'HTTP 500', 7)"
	value "SELECT status FROM payhook.console_skip('bank', 'evt_1', 'a look', NULL, NULL)"
	ends 0 show evt_1
	prints '  id        evt_1' '  source    bank' '  status    FAILED' '  amount    1500.10 EUR' '  from      acc_a' \
		'  failed    20' 'Z (2 h ago)' 'attempts: 2' 'HTTP 500' 'given up' '  error     the processor answered 500' \
		'actions' 'a look' '"retry" gives it a new job'
	ends 1 show evt_2
	complains 'there is no transaction evt_2'
	ends 1 show evt_1 --source card
	complains 'source "card" has no transaction "evt_1"'
	ends 2 show
	complains 'an id is missing'
}

a_source_is_named_if_several_have_the_id() {
	store same bank PROCESSED
	store same card PROCESSED
	ends 1 show same
	complains 'several sources have a transaction same; name one with --source'
	prints bank card
	ends 0 show same --source card
	prints '  source    card'
}

a_payment_is_shown_with_its_events() {
	store evt_1 bank PROCESSED '2 hours'
	store evt_2 bank PROCESSED '1 hour'
	value "UPDATE payhook.transactions SET payment_id = 'pay_1', kind = CASE transaction_id WHEN 'evt_1' THEN 'authorised' ELSE 'captured' END"
	ends 0 payment pay_1
	prints '  payment   pay_1' '  source    bank' 'authorised 1500.10' 'captured 1500.10' evt_1 evt_2 '  events    2'
	ends 1 show pay_1
	complains 'there is no transaction pay_1; it is the id of a payment: "payment" shows it'
	ends 1 payment evt_1
	complains 'there is no payment evt_1'
	ends 0 show evt_2
	prints 'payment' '  state     '
}

# Imports and other programs may have stored any character.
ids_control_no_terminal_and_name_the_transaction() {
	local id=$'a\e]0;x\a\u202eb'
	fail_as "$id" bank $'\e[2Jcleared\u009b'
	ends 0 ls --status FAILED
	prints 'a\x1b]0;x\x07\xe2\x80\xaeb'
	plain
	ends 0 show "$id"
	prints '\x1b[2Jcleared\xc2\x9b'
	plain
	ends 0 show "$id" --json
	equal "$(of_json 'j["transaction"]["transaction_id"] == "a\x1b]0;x\x07\u202eb", j["dead"]["error"] == "\x1b[2Jcleared\x9b"')" 'True True'
	plain
	ends 1 show $'none\e[2J'
	plain
	complains 'there is no transaction none\x1b[2J'
	ends 0 retry "$id"
	plain
	equal "$(value 'SELECT count(*) FROM payhook.jobs')" 1
}

# plain - neither output has a control character, nor one that sets the direction of writing.
plain() {
	! LC_ALL=C.UTF-8 grep -nP '[\x00-\x09\x0b-\x1f\x7f-\x9f\x{202e}]' "$DIR/out" "$DIR/err" || { echo 'there is a control character' && return 1; }
}

an_id_may_look_like_an_option() {
	store --json bank PROCESSED
	ends 0 show -- --json
	prints '  id        --json'
	ends 2 show --jsom
	complains 'is no option of this command'
}

# ---- retrying ----

one_is_retried() {
	fail_as evt_1 bank timeout
	store fine bank PROCESSED
	ends 0 retry evt_1 --reason 'looked at it'
	prints 'evt_1 of source bank is PROCESSING again'
	equal "$(status_of evt_1 bank)" PROCESSING
	ends 1 retry evt_1
	complains 'it is PROCESSING already'
	ends 1 retry fine
	complains 'even_processed and a reason'
	ends 2 retry fine --even-processed
	complains 'reason is missing'
	ends 0 retry fine --even-processed --reason 'lost there'
	ends 1 retry none
	complains 'there is no transaction none'
	ends 0 actions
	prints 'retry_processed' 'lost there' 'looked at it' 'done' 'nothing' psql
	ends 0 actions --id evt_1 --action retry --limit 1 --json
	equal "$(of_json 'len(j["data"]), j["data"][0]["transaction_id"]')" '1 evt_1'
}

a_filter_shows_what_matches_and_changes_nothing() {
	fail_as one bank 'Timeout after 5 s'
	fail_as two bank 'HTTP 500'
	fail_as three card 'timeout'
	ends 0 retry --source bank --error timeout
	prints '1 FAILED transactions match' one 'Nothing was changed: --yes --reason TEXT retries them'
	equal "$(value "SELECT count(*) FROM payhook.dead_jobs")" 3
	equal "$(value "SELECT count(*) FROM payhook.operations")" 0
	ends 0 retry --error TIMEOUT --json
	equal "$(of_json 'j["total"], j["dry_run"]')" '2 True'
	ends 0 retry --error nothing
	prints '0 FAILED transactions match'
	ends 2 retry --error x --yes
	complains '--yes needs --reason TEXT'
	ends 1 retry --error nothing --yes --reason r
	complains 'no FAILED transaction matches the filter'
	ends 2 retry
	complains 'one of these: an ID; a filter'
	ends 2 retry --source '' --yes --reason r
	ends 2 retry one --error x
	ends 2 retry --error x --even-processed
	ends 2 retry --error x --rate 0 --yes --reason r
	complains 'rate is "0"'
	equal "$(value "SELECT count(*) FROM payhook.dead_jobs")" 3
}

# carry_out - as the workers do, until $DIR/enough is there.
carry_out() {
	rm -f -- "$DIR/enough"
	(while [[ ! -e $DIR/enough ]]; do
		value 'SELECT payhook.run_operations()' >/dev/null
		sleep 0.1
	done) &
	CARRIER=$!
}

carry_no_more() {
	: >"$DIR/enough"
	wait "$CARRIER"
}

# A quote and a backslash are no syntax.
all_that_match_are_retried() {
	fail_many 30 'it said \"no\"'
	fail_as other bank timeout
	carry_out
	ends 0 retry --error 'said \"no\"' --yes --reason 'it is "repaired"' --rate 100
	carry_no_more
	prints '30 transactions will be retried, 100 a second' 'Operation 1 goes on if this command ends; "retry --cancel 1" cancels it.' \
		'30 of 30 (100 %)' 'done: 30 retried, 0 passed over'
	equal "$(value "SELECT string_agg(transaction_id, ' ') FROM payhook.dead_jobs")" other
	ends 0 retry --operations
	prints 'it is "repaired"' 'done'
	ends 0 retry --follow 1 --json
	equal "$(of_json 'j["state"], j["retried"]')" 'done 30'
}

an_operation_can_be_canceled() {
	fail_many 3 timeout
	ends 0 retry --source bank --yes --reason 'too early' --background
	ends 0 retry --cancel 1 --reason 'not yet'
	prints 'operation 1 is canceled: 0 of 3 had their turn'
	equal "$(value "SELECT count(*) FROM payhook.dead_jobs")" 3
	ends 1 retry --follow 1
	prints 'canceled: 0 retried'
	ends 1 retry --cancel 1
	complains 'operation 1 is canceled already'
	ends 1 retry --cancel 9
	complains 'there is no operation "9"'
	ends 1 retry --follow x
}

# ---- sources, rights, trouble ----

sources_are_listed() {
	value "SELECT payhook.add_rates('{bank,card}', '{5,0}', '{0,2}', '{4,0}', '{1,0}')"
	# A minute that is whole, and that stays one of the last five while this test runs.
	value "UPDATE payhook.rates SET minute = minute - interval '2 minutes'"
	value "SELECT status FROM payhook.console_pause('card', 'their outage', NULL, NULL)"
	ends 0 sources
	equal "$(sed -n 2p "$DIR/out" | tr -s ' ' | sed -E 's/[0-9]+ s ago/AGO/g')" 'bank 1.0 5 4 1 0 AGO - - - -'
	equal "$(sed -n 3p "$DIR/out" | tr -s ' ' | sed -E 's/[0-9]+ s ago/AGO/g')" 'card 0.0 0 0 0 2 - AGO AGO postgres their outage'
}

the_operator_s_role_may_act() {
	fail_as evt_1 bank timeout
	value "DO \$\$ BEGIN CREATE ROLE emma LOGIN IN ROLE payhook_operator; CREATE ROLE fred LOGIN IN ROLE payhook_app; END \$\$"
	URL=${DB/user=postgres/user=emma} ends 0 retry evt_1
	equal "$(value 'SELECT actor FROM payhook.operator_actions')" emma
	URL=${DB/user=postgres/user=fred} ends 1 ls
	complains 'connect as the owner of the tables or as a member of payhook_operator'
	value 'DROP ROLE emma, fred'
}

what_is_wrong_with_the_database_is_named() {
	URL="host=$DIR/none user=postgres dbname=none" ends 1 ls
	complains 'the database cannot be asked: '
	value 'DROP FUNCTION payhook.console_sources()'
	ends 1 sources
	complains 'its schema is of an earlier version: migrate it'
	DATABASE_URL='' "$CTL" ls >"$DIR/out" 2>"$DIR/err" </dev/null || equal "$?" 2
	complains 'DATABASE_URL is not set'
}

run_all transactions_are_listed_in_columns a_list_goes_on_with_its_cursor filters_are_those_of_the_console json_is_the_answer_of_the_api \
	the_story_of_a_transaction_is_shown a_source_is_named_if_several_have_the_id a_payment_is_shown_with_its_events \
	ids_control_no_terminal_and_name_the_transaction an_id_may_look_like_an_option one_is_retried \
	a_filter_shows_what_matches_and_changes_nothing all_that_match_are_retried an_operation_can_be_canceled sources_are_listed \
	the_operator_s_role_may_act what_is_wrong_with_the_database_is_named
