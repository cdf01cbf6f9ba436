# shellcheck shell=bash disable=SC2154
# "backup" and "restore": the whole of payhook's schema as one file of pg_dump's, and back into an instance without
# transactions.

# backup_run FILE: "-" is standard output.  The file has its name when it is whole and on the disk.
backup_run() {
	local file=${1-} dump=(pg_dump -Fc --schema=payhook -d "$CONNINFO")
	[[ $# -eq 1 && -n $file ]] || fail 2 "backup takes the name of a file, or - for standard output"
	command -v pg_dump >/dev/null || fail 1 "pg_dump is missing: package postgresql-client-15"
	export PGAPPNAME='payhook backup'
	if [[ $file == - ]]; then
		[[ ! -t 1 ]] || fail 2 "a backup is nothing for a terminal"
		"${dump[@]}" || fail 1 "the backup failed"
		return
	fi
	[[ ! -e $file ]] || fail 1 "$file is there already"
	# It holds accounts and amounts.
	if ! (umask 077 && "${dump[@]}" -f "$file.part" && pg_restore -l -- "$file.part" >/dev/null); then
		rm -f -- "$file.part"
		fail 1 "the backup failed"
	fi
	# Never over a file that has come meanwhile.
	ln -- "$file.part" "$file" || fail 1 "the backup is in $file.part"
	rm -f -- "$file.part"
	sync -- "$file" "$(dirname -- "$file")"
	say "$file: $(stat -c %s -- "$file") bytes, as of when it began"
}

# Everything is one transaction: a file that ends too early, or an instance that is not empty, changes nothing.  The end
# is sent only when all of the file has been read.
restore_run() {
	local file=${1-}
	local -a from=()
	[[ $# -eq 1 && -n $file ]] || fail 2 "restore takes the name of a file, or - for standard input"
	command -v pg_restore >/dev/null || fail 1 "pg_restore is missing: package postgresql-client-15"
	# Not /dev/stdin, which pg_restore opens twice: of a pipe the beginning would be gone.
	if [[ $file != - ]]; then
		[[ -r $file ]] || fail 1 "$file cannot be read"
		from=(-- "$file")
	fi
	export PGAPPNAME='payhook restore'
	{ restore_begin && pg_restore --no-owner --no-acl -f - "${from[@]}" && restore_end; } |
		psql -X -q -At -v ON_ERROR_STOP=1 -d "$CONNINFO" >/dev/null || fail 1 "nothing was restored"
	DATABASE_URL=$CONNINFO "$HERE/schema/migrate" || fail 1 "restored, but the database could not be migrated"
	# The roles of this server, which need not be those of the other.
	psql -X -q -At -d "$CONNINFO" -c 'SELECT payhook.grant_rights()' >/dev/null || fail 1 "restored, but the rights are missing"
	restore_tell
}

# What "payhook up" has made is taken away, if no transaction has come.  Those that come now wait for the new tables.
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

# Workers of another server have no row here, so what they held is free, under fresh ids.  Paused: what was processed after
# the backup would otherwise be processed again before anybody has thought about it.
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

restore_tell() {
	local count last jobs
	IFS='|' read -r count last jobs < <(psql -X -q -At -d "$CONNINFO" -c "
		SELECT count(*), to_char(max(created_at) AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS\"Z\"'),
			(SELECT count(*) FROM payhook.jobs) FROM payhook.transactions")
	say "restored $count transactions, the last accepted at ${last:--}; $jobs are to be processed"
	say "what was accepted after the backup is not here, and what was processed after it will be processed again."
	say "the workers are paused; when that is clear: payhook psql -c 'select resume()'"
}
