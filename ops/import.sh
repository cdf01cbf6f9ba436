# shellcheck shell=bash disable=SC2153,SC2154
# "import" takes over the transactions of the service that payhook replaces.
#
# The old table is read once, as one stream in one snapshot, and merged in batches; ops/import.sql merges each in a
# transaction of its own.  An interrupted import is continued by a new one: transactions that were imported before are
# skipped.

IMPORT_TABLE=public.transactions_transaction
IMPORT_BATCH=2000        # rows a batch; webhooks with the same ids wait for it, so it must take well under 450 ms
IMPORT_REFUSED_MAX=10000 # refused rows that are listed; all are counted

# import_run CTL REFUSED [ARG...]: CTL is payhook-ctl, which lists the accepted currencies; refused rows are written to the
# file REFUSED.
import_run() {
	local program=$1 refused=$2 from='' table=$IMPORT_TABLE view='' currencies AMOUNT='' CREATED=''
	shift 2
	while [[ $# -gt 0 ]]; do
		case $1 in
		--from) from=${2-} ;;
		--table) table=${2-} ;;
		--refused) refused=${2-} ;;
		--view)
			view=yes
			shift
			continue
			;;
		*) fail 2 "import takes --from CONNINFO, --table [SCHEMA.]TABLE, --refused FILE and --view, not: $1" ;;
		esac
		[[ -n ${2-} ]] || fail 2 "$1 needs a value"
		shift 2
	done
	export PGCLIENTENCODING=UTF8 PGAPPNAME='payhook import'
	currencies=$("$program" currencies | paste -sd,) || exit 1
	if [[ -n $view ]]; then
		import_view || fail 1 "the old table's database cannot be read"
		return
	fi
	import_check_target
	import_check_source
	# The rows and the reasons are what the two servers say.  Refused rows go to the file as they are.
	{
		import_list
		import_report < <(import_read | import_merge || echo failed)
	} | printable
}

# Opens the list of refused rows as descriptor 8.  "-" is standard output itself: if another user opened it, this one
# could not open it by name.
import_list() {
	if [[ $refused == - ]]; then
		exec 8>&1
	else
		(umask 027 && : >"$refused") 2>/dev/null || fail 1 "$refused cannot be written"
		exec 8>"$refused"
	fi
}

# import_source [ARG...] - runs psql on the database of the old table, in a subshell: it must not use the password of payhook's
# database.
import_source() {
	if [[ -n $from ]]; then
		CONNINFO=$from
		unset PGPASSWORD
		conninfo_hide_passwords || fail 2 "$REASON"
	fi
	printable_errors psql -X -q -At -v ON_ERROR_STOP=1 -v table="$table" "$@" -d "$CONNINFO"
}

import_check_target() {
	local answer
	answer=$(printable_errors psql -X -q -At -v ON_ERROR_STOP=1 -d "$CONNINFO" -c '
		SELECT EXISTS (SELECT FROM payhook.pauses)') || fail 1 "payhook's database does not answer, or has no schema yet"
	[[ $answer == t ]] || fail 1 "the workers are not paused, so what the old service has processed could be processed" \
		"again meanwhile: payhook psql -c 'select pause()', import, then select resume()"
}

# Prints a CREATE VIEW for an old table that cannot be read as it is; nothing is created.
import_view() {
	import_source -v currencies="$currencies" <"$HERE/ops/import_view.sql" | printable
}

# Sets AMOUNT, the type of the old amounts, and CREATED, the column with the time of creation or nothing.
import_check_source() {
	local answer trouble
	answer=$(import_source <"$HERE/ops/import_check.sql") || fail 1 "the old table's database cannot be read"
	IFS='|' read -r AMOUNT CREATED trouble <<<"$answer"
	if [[ -n $trouble ]]; then
		trouble=$(printable <<<"$trouble")
		[[ $trouble != "this is payhook's own view"* ]] || fail 1 "$table: $trouble"
		import_view || true
		fail 1 "$table: $trouble; what is above may mend it"
	fi
	[[ $CREATED =~ ^[a-z_]*$ ]] || fail 1 "$table: its columns cannot be read: $(printable_start "$answer")"
	case $AMOUNT in
	numeric) ;;
	bigint | integer | smallint)
		info "its column amount is $AMOUNT: 1500 is 1500 units of the currency; if the old service has minor units, stop this" \
			"and see import --view"
		AMOUNT=numeric
		;;
	'double precision' | real)
		info "its column amount is $AMOUNT: an amount is taken if no other one of its currency is the same $AMOUNT"
		;;
	*) fail 1 "$table: its columns cannot be read: $(printable_start "$answer")" ;;
	esac
	if [[ -z $CREATED ]]; then
		info "it has no column created_at: transactions get the time of the import, or that in processed_at if it is earlier"
	elif [[ $CREATED != created_at ]]; then
		info "it has no column created_at: transactions get the time in $CREATED"
	fi
}

# In the physical order of the rows, which is roughly that of their creation.  A double has all its digits, and a char(n) loses
# the blanks behind its text.
import_read() {
	import_source -v created="$CREATED" <<-'SQL'
		SELECT coalesce(nullif(array_to_string(p[1:cardinality(p) - 1], '.'), ''), 'public') AS schema, p[cardinality(p)] AS name
		FROM parse_ident(:'table') AS p \gset
		SELECT :'created' <> '' AS has_time \gset
		\if :has_time
			\set created :"created"
		\else
			\set created 'least(processed_at, now())'
		\endif
		SET datestyle = ISO;
		SET extra_float_digits = 3;
		SET synchronize_seqscans = off;
		COPY (
			SELECT transaction_id::text, source_account::text, destination_account::text, amount, currency::text, status::text,
				:created, processed_at
			FROM :"schema".:"name"
		) TO STDOUT;
	SQL
}

# Runs one psql for each batch: COPY writes one line for each row, whatever it contains.  split needs SHELL, since the
# services' user has no login shell.
import_merge() {
	export IMPORT_SQL=$HERE/ops/import.sql IMPORT_ORIGIN=$table IMPORT_CURRENCIES=$currencies IMPORT_AMOUNT=$AMOUNT CONNINFO
	# shellcheck disable=SC2016
	SHELL=/bin/sh printable_errors split -l "$IMPORT_BATCH" --filter='exec psql -X -q -v origin="$IMPORT_ORIGIN" \
		-v currencies="$IMPORT_CURRENCIES" -v amount_type="$IMPORT_AMOUNT" -d "$CONNINFO" -f "$IMPORT_SQL"'
}

# Adds up the counts of the batches.  Returns 1 if rows were refused: an operator must check them before the workers
# continue.
import_report() {
	local line field reason lines=0 reported=-1
	local -a sum=(0 0 0 0 0 0 0) counts
	local -A reasons=()
	while IFS= read -r line; do
		if [[ $line == counts$'\t'* ]]; then
			read -ra counts <<<"${line#*$'\t'}"
			if [[ ${#counts[@]} -ne ${#sum[@]} ]] || ! is_number "${counts[@]}"; then
				fail 1 "stopped after ${sum[0]} rows: the counts of a batch are not numbers"
			fi
			for field in "${!sum[@]}"; do
				sum[field]=$((sum[field] + counts[field]))
			done
			((SECONDS == reported)) || info "  ${sum[0]} rows"
			reported=$SECONDS
		elif [[ $line == failed ]]; then
			fail 1 "stopped after ${sum[0]} rows; import again to go on"
		else
			reason=${line##*$'\t'}
			reason=${reason:-none}
			reasons[$reason]=$((${reasons[$reason]-0} + 1))
			lines=$((lines + 1))
			((lines > IMPORT_REFUSED_MAX)) || printf '%s\n' "${line#*$'\t'}" >&8
		fi
	done
	info "${sum[0]} rows of $table: ${sum[1]} imported, ${sum[2]} of them enqueued; ${sum[3]} settled, as the old" \
		"service has processed them; ${sum[4]} already there; ${sum[5]} refused"
	((sum[5] > 0)) || return 0
	for reason in "${!reasons[@]}"; do
		printf '%7d %s\n' "${reasons[$reason]}" "$reason"
	done | sort -rn | head -n 10
	[[ $refused == - ]] || info "the refused rows are listed in $refused"
	info "${sum[6]} that payhook had yet to process are held back, as FAILED"
	[[ "${!reasons[*]}" != *"status '"*"' is unknown"* ]] || import_view || true
	fail 1 "check the refused rows before you resume the workers with select resume()"
}
