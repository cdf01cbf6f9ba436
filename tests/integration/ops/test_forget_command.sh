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
	wrong_arguments_erase_nothing
