# shellcheck shell=bash disable=SC2154
# "backup" writes payhook's schema as one file of pg_dump; "restore" loads such a file into an instance without
# transactions.  Both use the newest programs that are installed: pg_dump refuses a server that is newer than itself, and
# pg_restore a file of a newer pg_dump; neither minds what is older.

# shellcheck source=ops/postgres.sh
source "${BASH_SOURCE[0]%/*}/postgres.sh"

# backup_check_output FILE - refuses a terminal.
backup_check_output() {
	[[ $1 != - || ! -t 1 ]] || fail 2 "a backup is binary data: redirect standard output to a file or a pipe"
}

# backup_run FILE - "-" is standard output.  The file gets its name only when it is complete and flushed to disk.
backup_run() {
	local file=${1-}
	local -a dump
	[[ $# -eq 1 && -n $file ]] || fail 2 "backup takes the name of a file, or - for standard output"
	export PGAPPNAME='payhook backup'
	postgres_client pg_dump
	postgres_server
	((CLIENT_VERSION >= SERVER_VERSION)) || fail 1 "the server is PostgreSQL $SERVER_VERSION, and the newest pg_dump here" \
		"is of $CLIENT_VERSION: install package postgresql-client-$SERVER_VERSION"
	dump=("$CLIENT" -Fc --schema=payhook -d "$CONNINFO")
	if [[ $file == - ]]; then
		backup_check_output -
		printable_errors "${dump[@]}" || fail 1 "the backup failed"
		return
	fi
	[[ ! -e $file ]] || fail 1 "$file is there already"
	# The dump contains accounts and amounts, so only its owner may read it.
	# Another user may have put a link in its place.
	rm -f -- "$file.part"
	if ! (umask 077 && set -o noclobber && printable_errors "${dump[@]}" >"$file.part" &&
		printable_errors "${CLIENT%/*}/pg_restore" -l -- "$file.part" >/dev/null); then
		rm -f -- "$file.part"
		fail 1 "the backup failed"
	fi
	sync -- "$file.part" || fail 1 "the backup could not be flushed to disk; it is in $file.part"
	# ln does not overwrite a file that was created meanwhile.
	ln -- "$file.part" "$file" || fail 1 "the backup could not be named $file; it is in $file.part"
	rm -f -- "$file.part"
	sync -- "$(dirname -- "$file")"
	info "$file: $(stat -c %s -- "$file") bytes, the data as of the start of the backup; to be restored with PostgreSQL's programs" \
		"of version $CLIENT_VERSION or newer"
}

# restore_run FILE - "-" is standard input.  The restore is one transaction, so a truncated file or an instance that is
# not empty changes nothing.  The COMMIT is sent only after pg_restore has read the whole file.
restore_run() {
	local file=${1-}
	local -a from=()
	[[ $# -eq 1 && -n $file ]] || fail 2 "restore takes the name of a file, or - for standard input"
	postgres_client pg_restore
	# Not /dev/stdin: pg_restore opens its file twice, and would miss the beginning of a pipe.
	if [[ $file != - ]]; then
		[[ -r $file ]] || fail 1 "$file cannot be read"
		from=(-- "$file")
	fi
	export PGAPPNAME='payhook restore'
	{ restore_begin && restore_statements "${from[@]}" && restore_end; } |
		printable_errors psql -X -q -At -v ON_ERROR_STOP=1 -d "$CONNINFO" >/dev/null || fail 1 "nothing was restored"
	DATABASE_URL=$CONNINFO "$HERE/schema/migrate" || fail 1 "restored, but the database could not be migrated"
	# The view outside of the schema went with the old tables.  The roles of this server may differ from those of the other.
	# The partitions are those of the day of the backup.
	printable_errors psql -X -q -At -d "$CONNINFO" \
		-c 'SELECT payhook.create_compatibility_view(), payhook.grant_rights(), payhook.keep_partitions(NULL, NULL)' >/dev/null ||
		fail 1 "restored, but the roles could not be granted their rights"
	restore_report
}

# restore_statements [-- FILE] - prints the statements of a backup.
restore_statements() {
	local status=0 errors
	{
		errors=$({ LC_ALL=C "$CLIENT" --no-owner --no-acl -f - "$@" | restore_timeouts >&3; } 2>&1) || status=1
	} 3>&1
	[[ -z $errors ]] || printable <<<"$errors" >&2
	[[ $errors != *'unsupported version'* ]] || printf 'payhook: %s\n' >&2 \
		"the file was written by a pg_dump that is newer than PostgreSQL $CLIENT_VERSION, the newest here: install that postgresql-client"
	return "$status"
}

# The file begins by switching timeouts off, of which an older server may not know some: transaction_timeout came with 17.
restore_timeouts() {
	LC_ALL=C sed "1,/^SET client_encoding/s/^SET \([a-z_]*_timeout\) = 0;\$/SELECT set_config(name, '0', false) FROM pg_settings WHERE name = '\1';/"
}

# Drops the schema that "up" has created, if it has no transactions, no payloads and no unreadable webhooks.  Transactions that arrive now wait for the
# new tables.
restore_begin() {
	cat <<-'SQL'
		BEGIN;
		SET LOCAL client_min_messages = warning;
		DO $$ BEGIN
			IF to_regclass('payhook.transactions') IS NOT NULL THEN
				LOCK TABLE payhook.transactions IN ACCESS EXCLUSIVE MODE;
				IF EXISTS (SELECT FROM payhook.transactions) THEN
					RAISE EXCEPTION 'this payhook has transactions; restore into an empty one';
				END IF;
			END IF;
			IF to_regclass('payhook.payloads') IS NOT NULL THEN
				LOCK TABLE payhook.payloads IN ACCESS EXCLUSIVE MODE;
				IF EXISTS (SELECT FROM payhook.payloads) THEN
					RAISE EXCEPTION 'this payhook has kept webhooks; restore into an empty one';
				END IF;
			END IF;
			IF to_regclass('payhook.unreadable_webhooks') IS NOT NULL THEN
				LOCK TABLE payhook.unreadable_webhooks IN ACCESS EXCLUSIVE MODE;
				IF EXISTS (SELECT FROM payhook.unreadable_webhooks) THEN
					RAISE EXCEPTION 'this payhook has webhooks that could not be mapped; restore into an empty one';
				END IF;
			END IF;
			DROP SCHEMA IF EXISTS payhook CASCADE;
		END $$;
	SQL
}

# Workers of the other server have no row here, so the jobs that they held are freed under fresh ids.  The workers are
# paused: otherwise transactions that were processed after the backup would be processed again before an operator can
# decide about them.
restore_end() {
	cat <<-'SQL'
		DELETE FROM payhook.workers;
		UPDATE payhook.jobs SET id = DEFAULT, owner = NULL, claimed_at = NULL WHERE owner IS NOT NULL;
		INSERT INTO payhook.pauses DEFAULT VALUES ON CONFLICT DO NOTHING;
		SELECT format('ALTER DATABASE %I SET search_path = payhook, public', current_database()) \gexec
		COMMIT;
		ANALYZE payhook.transactions, payhook.jobs;
	SQL
}

restore_report() {
	local count last jobs
	IFS='|' read -r count last jobs < <(printable_errors psql -X -q -At -d "$CONNINFO" -c "
		SELECT count(*), to_char(max(created_at) AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS\"Z\"'),
			(SELECT count(*) FROM payhook.jobs) FROM payhook.transactions" | printable)
	info "restored $count transactions, the last accepted at ${last:--}; $jobs are to be processed"
	info "transactions accepted after the backup are missing; those processed after it will be processed again"
	info "the workers are paused; resume them after you have considered this: payhook psql -c 'select resume()'"
}
