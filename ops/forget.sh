# shellcheck shell=bash disable=SC2153,SC2154
# "forget" erases the data of one account, which is a person's, by payhook.forget(), and prints its receipt.
#
# The account is not an argument of another program, as all users of the machine can see those; with "-" it is none of this one
# either, and in no history of a shell.  Nor is it in the statement that erases, which a server logs if it is slow or fails: a
# setting of the session has it.

# forget_run [--account ACCOUNT] [--yes] - "-" reads the account from standard input.  Without --yes nothing is erased.
forget_run() {
	local account='' erase=false receipt
	while [[ $# -gt 0 ]]; do
		case $1 in
		--account)
			account=${2-}
			[[ -n $account ]] || fail 2 "$1 needs a value"
			shift
			;;
		--yes) erase=true ;;
		*) fail 2 "forget takes --account ACCOUNT and --yes, not: $1" ;;
		esac
		shift
	done
	[[ -n $account ]] || fail 2 "forget needs --account ACCOUNT (-: from standard input)"
	if [[ $account == - ]]; then
		IFS= read -r account || true
		[[ -n $account ]] || fail 2 "there is no account on standard input"
	fi
	export PGCLIENTENCODING=UTF8 PGAPPNAME='payhook forget'
	receipt=$(FORGET_ACCOUNT=$account printable_errors psql -X -q -At -v ON_ERROR_STOP=1 -v erase="$erase" -d "$CONNINFO" <<-'SQL'
		\getenv account FORGET_ACCOUNT
		SELECT set_config('payhook.account', :'account', false) \g /dev/null
		SELECT payhook.forget(current_setting('payhook.account'), :'erase'::boolean);
	SQL
	) || fail 1 "nothing was erased"
	forget_print "$receipt"
	[[ $erase == true ]] || info "nothing was erased; with --yes it is, and cannot be undone"
}

# forget_print RECEIPT - the key goes to standard error, so that it is not kept with the receipt.
forget_print() {
	local line
	while IFS= read -r line; do
		if [[ $line == 'key '* ]]; then
			printf 'payhook: the key of this receipt, which is stored nowhere, is for the person: %s\n' "${line#key }" >&2
		else
			printf '%s\n' "$line"
		fi
	done < <(printable <<<"$1")
}
