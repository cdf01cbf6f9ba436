#!/bin/bash
# test_forget_command.sh - ./payhook forget and its receipt; prints TAP.
set -euo pipefail

ROOT=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../../.." && pwd)
# shellcheck source=tests/support/shell_database.sh disable=SC1091
source "$ROOT/tests/support/shell_database.sh"
SCHEMA=yes

fresh() {
	export DATABASE_URL=$DB PAYHOOK_VAR="$DIR/var $COUNT" PAYHOOK_ENV_FILE="$DIR/env"
	mkdir -p "$PAYHOOK_VAR"
	: >"$PAYHOOK_ENV_FILE"
	psql -X -q -v ON_ERROR_STOP=1 -d "$DB" <<-'SQL'
		INSERT INTO payhook.transactions
			(transaction_id, source_account, destination_account, amount, currency, status, processed_at)
		VALUES ('t', E'O''Hara "x" \\ \u00fc $1', 'shop', 1, 'EUR', 'PROCESSED', now()),
			('u', 'ben', 'shop', 1, 'EUR', 'PROCESSED', now());
	SQL
}

ANN=$'O\'Hara "x" \\ ü $1'

# forget EXPECTED-STATUS ARGS... - runs ./payhook forget; its output is in $output, what it reports in $report.
forget() {
	local expected=$1 status=0
	shift
	output=$("$ROOT/payhook" forget "$@" 2>"$DIR/report") || status=$?
	report=$(<"$DIR/report")
	expect "exit status, printing $output $report" "$status" "$expected"
}

accounts() {
	value "SELECT string_agg(source_account, ',' ORDER BY transaction_id) FROM payhook.transactions"
}

without_yes_it_reports_only() {
	forget 0 --account "$ANN"
	[[ $output == *"nothing is erased yet"*"erased    1 transactions"*"with --yes it is"* ]]
	expect "accounts" "$(accounts)" "$ANN,ben"
}

with_yes_it_erases_and_the_key_is_apart_from_the_receipt() {
	forget 0 --account "$ANN" --yes
	expect "accounts" "$(accounts)" "(erased),ben"
	[[ $output == *"receipt of an erasure"*"erased    1 transactions"* ]]
	[[ $output != *"Hara"* && $report != *"Hara"* ]]
	local key=${report##* } hash
	[[ $output != *"$key"* && $key =~ ^[0-9a-f-]{36}$ ]]
	hash=$(printf %s "$key$ANN" | sha256sum)
	[[ $output == *"account: ${hash%% *}"* ]]
}

an_account_may_come_on_standard_input() {
	forget 0 --yes --account - <<<"$ANN"
	expect "accounts" "$(accounts)" "(erased),ben"
	forget 2 --yes --account - </dev/null
}

# A file of another system ends its line with CR LF: the receipt would be of an account that nobody has.
an_account_with_a_control_character_is_refused() {
	forget 1 --yes --account - <<<$'ben\r'
	[[ $report == *"an account has 1 to 255 bytes and no control characters"*"nothing was erased"* ]]
	forget 1 --account $'ben\u0085'
	forget 1 --account $'ben\n'
	expect "accounts" "$(accounts)" "$ANN,ben"
}

# The server logs statements that are slow or fail; the private cluster of "up" logs those of a second.
the_server_s_log_does_not_get_the_account() {
	local other forget logged
	psql -X -q -d "$DB" -c "ALTER DATABASE t$COUNT SET log_min_duration_statement = '1s'" \
		-c "INSERT INTO payhook.transactions (transaction_id, source_account, destination_account, amount, currency, status,
			processed_at) VALUES ('slow', 'secret-ann', 'shop', 1, 'EUR', 'PROCESSED', now())"
	mkfifo "$DIR/pipe"
	psql -X -q -d "$DB" <"$DIR/pipe" &
	other=$!
	exec 7>"$DIR/pipe"
	echo 'BEGIN; LOCK TABLE payhook.transactions IN ACCESS EXCLUSIVE MODE;' >&7
	await_session "state = 'idle in transaction'"
	"$ROOT/payhook" forget --account secret-ann --yes >"$DIR/receipt" 2>&1 7>&- &
	forget=$!
	await_session "application_name = 'payhook forget' AND wait_event_type = 'Lock' AND query_start < clock_timestamp() - interval '1.1 s'"
	exec 7>&-
	wait "$other" "$forget"
	expect "accounts" "$(value "SELECT source_account FROM payhook.transactions WHERE transaction_id = 'slow'")" "(erased)"
	logged=$(grep -c 'duration: .*payhook.forget' "$DIR/log")
	expect "statements logged" "$logged" 1
	expect "accounts logged" "$(grep -c secret-ann "$DIR/log" || true)" 0
}

wrong_arguments_erase_nothing() {
	local -a arguments
	for arguments in '' --yes --account '--account ben --now' '--account ben yes' ben; do
		# shellcheck disable=SC2086
		forget 2 $arguments
	done
	forget 1 --yes --account '(erased)'
	[[ $report == *"nothing was erased"* ]]
	DATABASE_URL="host=$DIR/nowhere" forget 1 --yes --account ben
	[[ $report == *"nothing was erased"* ]]
	expect "accounts" "$(accounts)" "$ANN,ben"
}

run_all without_yes_it_reports_only \
	with_yes_it_erases_and_the_key_is_apart_from_the_receipt \
	an_account_may_come_on_standard_input \
	an_account_with_a_control_character_is_refused \
	the_server_s_log_does_not_get_the_account \
	wrong_arguments_erase_nothing
