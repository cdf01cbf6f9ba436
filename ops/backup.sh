# shellcheck shell=bash disable=SC2154
# "backup" writes payhook's schema as one file of pg_dump; "restore" loads such a file into an instance without
# transactions.

# backup_run FILE - "-" is standard output.  The file gets its name only when it is complete and flushed to disk.
backup_run() {
	local file=${1-} dump=(pg_dump -Fc --schema=payhook -d "$CONNINFO")
	[[ $# -eq 1 && -n $file ]] || fail 2 "backup takes the name of a file, or - for standard output"
	command -v pg_dump >/dev/null || fail 1 "pg_dump is missing: package postgresql-client-15"
	export PGAPPNAME='payhook backup'
	if [[ $file == - ]]; then
		[[ ! -t 1 ]] || fail 2 "a backup is binary data: redirect standard output to a file or a pipe"
		"${dump[@]}" || fail 1 "the backup failed"
		return
	fi
	[[ ! -e $file ]] || fail 1 "$file is there already"
	# The dump contains accounts and amounts, so only its owner may read it.
	# Another user may have put a link in its place.
	rm -f -- "$file.part"
	if ! (umask 077 && set -o noclobber && "${dump[@]}" >"$file.part" && pg_restore -l -- "$file.part" >/dev/null); then
		rm -f -- "$file.part"
		fail 1 "the backup failed"
	fi
	sync -- "$file.part" || fail 1 "the backup could not be flushed to disk; it is in $file.part"
	# ln does not overwrite a file that was created meanwhile.
	ln -- "$file.part" "$file" || fail 1 "the backup could not be named $file; it is in $file.part"
	rm -f -- "$file.part"
	sync -- "$(dirname -- "$file")"
	info "$file: $(stat -c %s -- "$file") bytes, the data as of the start of the backup"
}

# restore_run FILE - "-" is standard input.  The restore is one transaction, so a truncated file or an instance that is
# not empty changes nothing.  The COMMIT is sent only after pg_restore has read the whole file.
restore_run() {
	local file=${1-}
	local -a from=()
	[[ $# -eq 1 && -n $file ]] || fail 2 "restore takes the name of a file, or - for standard input"
	command -v pg_restore >/dev/null || fail 1 "pg_restore is missing: package postgresql-client-15"
	# Not /dev/stdin: pg_restore opens its file twice, and would miss the beginning of a pipe.
	if [[ $file != - ]]; then
		[[ -r $file ]] || fail 1 "$file cannot be read"
		from=(-- "$file")
	fi
	export PGAPPNAME='payhook restore'
	{ restore_begin && pg_restore --no-owner --no-acl -f - "${from[@]}" && restore_end; } |
		psql -X -q -At -v ON_ERROR_STOP=1 -d "$CONNINFO" >/dev/null || fail 1 "nothing was restored"
	DATABASE_URL=$CONNINFO "$HERE/schema/migrate" || fail 1 "restored, but the database could not be migrated"
	# The view outside of the schema went with the old tables.  The roles of this server may differ from those of the other.
	psql -X -q -At -d "$CONNINFO" -c 'SELECT payhook.create_compatibility_view(), payhook.grant_rights()' >/dev/null || fail 1 "restored, but the roles could not be granted their rights"
	restore_report
}

# Drops the schema that "up" has created, if it has no transactions.  Transactions that arrive now wait for the new
# tables.
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
	IFS='|' read -r count last jobs < <(psql -X -q -At -d "$CONNINFO" -c "
		SELECT count(*), to_char(max(created_at) AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS\"Z\"'),
			(SELECT count(*) FROM payhook.jobs) FROM payhook.transactions")
	info "restored $count transactions, the last accepted at ${last:--}; $jobs are to be processed"
	info "transactions accepted after the backup are missing; those processed after it will be processed again"
	info "the workers are paused; resume them after you have considered this: payhook psql -c 'select resume()'"
}
