# shellcheck shell=bash disable=SC2154
# "upgrade-database" moves the private cluster to a newer major version of PostgreSQL, with its pg_upgrade.
#
# pg_upgrade copies the cluster $STATE/pg to $STATE/pg.upgrade/new.  Only when the copy has been started, has the same rows, and
# is flushed, a file "complete" is written, and two renames make the cluster pg.old-VERSION and the copy the cluster.  Until the
# first rename the cluster is what it was, so a kill costs the copy and nothing else; between the two there is no cluster, and
# the file says that the copy is it.  upgrade_settle finds out which; "up" calls it too, before it starts anything.

# Nobody but this command may connect meanwhile, nothing may wait for a standby, and the copy's WAL is none for the archive of the
# cluster.
UPGRADE_OPTIONS='-c listen_addresses= -c port=5432 -c synchronous_standby_names='

cmd_upgrade-database() {
	[[ $# -le 1 ]] || fail 2 "upgrade-database takes a version of PostgreSQL or nothing, not: $*"
	[[ -n $DB_PRIVATE ]] || fail 1 "the database is not payhook's own; upgrade its server as that is upgraded"
	! is_running || fail 1 "it is running; stop it first: ./payhook down"
	[[ -d $STATE/pg || -d $STATE/pg.upgrade ]] || fail 1 "there is no data in $STATE"
	# With the lock held, so that no other process starts payhook meanwhile.
	lock_take || fail 1 "another payhook for $VAR is starting"
	trap upgrade_end EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
	leftovers_end
	database_sockets_make
	upgrade_settle
	upgrade_versions "${1-}"
	upgrade_run
}

# After a failure or an interrupt the copy goes at once; after a kill, at the next "up" or "upgrade-database".
upgrade_end() {
	upgrade_settle
	run_folder_remove
}

# upgrade_versions [VERSION] - sets OLD and NEW, by default the newest version that is installed.
upgrade_versions() {
	OLD=$(database_version)
	is_number "$OLD" || fail 1 "$STATE/pg was made by no version of PostgreSQL that is known"
	NEW=${1:-$(postgres_newest postgres initdb pg_upgrade)}
	is_number "$NEW" || fail 2 "upgrade-database takes a major version of PostgreSQL, not: $NEW"
	if ((NEW == OLD)); then
		info "the database is of PostgreSQL $OLD already; for a newer one, install its package postgresql-VERSION first"
		exit 0
	fi
	((NEW > OLD)) || fail 2 "the database is of PostgreSQL $OLD, and cannot go back to $NEW"
}

# upgrade_programs VERSION PROGRAM... - verifies that the programs are there and of this version.
upgrade_programs() {
	local program answer folder=$POSTGRES_FOLDERS/$1/bin
	for program in "${@:2}"; do
		[[ -x $folder/$program ]] || fail 1 "$folder/$program is missing: package postgresql-$1"
		answer=$("${AS_DB[@]}" "$folder/$program" -V 2>&1 </dev/null 9>&-) || true
		[[ $answer =~ ^"$program (PostgreSQL) $1"([^0-9]|$) ]] ||
			fail 1 "$folder/$program is not of PostgreSQL $1: it prints \"${answer:0:80}\""
	done
}

# Verifies that there is room for a second cluster and that the first can be renamed.
upgrade_room() {
	local size free
	if [[ -L $STATE/pg ]] || mountpoint -q -- "$STATE/pg"; then
		fail 1 "$STATE/pg is a link or a mount, which cannot be renamed: move the data into a plain folder first"
	fi
	[[ ! -e $STATE/pg.old-$OLD ]] || fail 1 "$STATE/pg.old-$OLD, which an earlier upgrade has kept, is in the way: remove it"
	size=$("${AS_DB[@]}" du -sm -- "$STATE/pg" 2>/dev/null </dev/null 9>&- | cut -f1)
	free=$(df -m --output=avail -- "$STATE" | tr -dc 0-9)
	is_number "$size" "$free" || fail 1 "the size of $STATE/pg is unknown"
	# And what the start of the new server writes.
	((free > size + 200)) || fail 1 "the copy of $STATE/pg needs $((size + 200)) MB, and $free MB are free"
}

# Moves the cluster from version OLD to NEW.
upgrade_run() {
	local before after
	upgrade_programs "$OLD" postgres pg_ctl
	upgrade_programs "$NEW" postgres pg_ctl initdb pg_upgrade psql vacuumdb
	upgrade_room
	database_unlock
	database_conf
	upgrade_folder_make
	# A server that was killed has its log to replay, which pg_upgrade does not do.
	info "counting the rows of $STATE/pg, of PostgreSQL $OLD"
	upgrade_start "$OLD" "$STATE/pg"
	before=$(upgrade_rows) || fail 1 "the rows cannot be counted"
	upgrade_stop "$OLD" "$STATE/pg"
	info "copying it to PostgreSQL $NEW"
	upgrade_copy
	info "starting the copy and comparing the rows"
	upgrade_start "$NEW" "$STATE/pg.upgrade/new" '-c archive_mode=off'
	after=$(upgrade_rows) || fail 1 "the rows of the copy cannot be counted"
	[[ $after == "$before" ]] || upgrade_failed rows "the copy has other rows" < <(diff <(echo "$before") <(echo "$after"))
	# The planner's statistics are not copied before version 18.
	upgrade_as "$POSTGRES_FOLDERS/$NEW/bin/vacuumdb" --all --analyze-only -h "$RUN/pg" -U postgres >"$STATE/log/upgrade.log" 2>&1 ||
		upgrade_failed vacuumdb "the copy cannot be analyzed" <"$STATE/log/upgrade.log"
	upgrade_stop "$NEW" "$STATE/pg.upgrade/new"
	upgrade_swap
	info "the database is of PostgreSQL $NEW now, with the same rows; ./payhook up starts it"
	info "what it was is kept in $STATE/pg.old-$OLD: remove that when you have seen payhook work"
}

# Root's, so that its two folders are what they seem; these are of the cluster's user.
upgrade_folder_make() {
	mkdir -m 755 -- "$STATE/pg.upgrade"
	mkdir -m 700 -- "$STATE/pg.upgrade/work"
	[[ -z $APP_USER ]] || chown postgres: -- "$STATE/pg.upgrade/work"
	mkdir -p -- "$STATE/log"
}

# upgrade_as COMMAND... - runs it as the cluster's user, in a folder by which upgrade_settle finds it if this process is killed;
# in the background, so that a signal ends this process at once.
upgrade_as() {
	"${AS_DB[@]}" env -C "$STATE/pg.upgrade/work" "$@" </dev/null 9>&- &
	wait "$!"
}

# upgrade_failed WHAT TEXT - fails, and prints the end of standard input, which is what a program has printed.
upgrade_failed() {
	printf -- '--- the end of what %s printed\n%s\n---\n' "$1" "$(tail -n 20 | printable)" >&2
	fail 1 "$2"
}

# upgrade_start VERSION FOLDER [OPTIONS]
upgrade_start() {
	upgrade_as "$POSTGRES_FOLDERS/$1/bin/pg_ctl" start -s -w -t 86400 -D "$2" -l "$STATE/pg.upgrade/work/server.log" \
		-o "$UPGRADE_OPTIONS ${3-}" && return
	upgrade_failed "the server" "PostgreSQL $1 does not start" \
		< <("${AS_DB[@]}" cat -- "$STATE/pg.upgrade/work/server.log" </dev/null 9>&-)
}

upgrade_stop() {
	upgrade_as "$POSTGRES_FOLDERS/$1/bin/pg_ctl" stop -s -w -t 3600 -m fast -D "$2" || fail 1 "PostgreSQL $1 does not stop"
}

upgrade_psql() {
	printable_errors "${AS_DB[@]}" env PGDATABASE="$1" "$POSTGRES_FOLDERS/$NEW/bin/psql" -X -q -At -v ON_ERROR_STOP=1 -h "$RUN/pg" -p 5432 -U postgres 9>&-
}

# upgrade_rows - prints the number of rows of every table, and how far every sequence is, in all databases.
upgrade_rows() {
	local database
	local -a databases
	mapfile -t databases < <(upgrade_psql postgres <<<"SELECT datname FROM pg_database WHERE datallowconn ORDER BY datname")
	wait "$!" || return
	for database in "${databases[@]}"; do
		printf '%s\n' "$database"
		upgrade_psql "$database" <<-'SQL' || return
			SET search_path = pg_catalog;
			SELECT format('SELECT %L, count(*) FROM ONLY %s', oid::regclass, oid::regclass) FROM pg_class
			WHERE relkind IN ('r', 'm') AND relnamespace NOT IN (SELECT oid FROM pg_namespace WHERE nspname ~ '^(pg_|information_schema$)')
			ORDER BY oid::regclass::text COLLATE "C" \gexec
			SELECT schemaname, sequencename, last_value FROM pg_sequences ORDER BY schemaname, sequencename;
		SQL
	done
}

# Makes $STATE/pg.upgrade/new of the cluster, with its configuration.
upgrade_copy() {
	local copy=$STATE/pg.upgrade/new
	PGBIN=$POSTGRES_FOLDERS/$NEW/bin
	database_init "$copy"
	# shellcheck disable=SC2016
	"${AS_DB[@]}" sh -ec 'cd -- "$1"
		for file in payhook.conf local.conf pg_hba.conf pg_ident.conf postgresql.auto.conf; do
			test ! -f "$file" || cp -f -- "$file" "$2/$file"
		done' sh "$STATE/pg" "$copy" </dev/null 9>&- || fail 1 "the configuration of $STATE/pg cannot be copied"
	upgrade_as "$PGBIN/pg_upgrade" -b "$POSTGRES_FOLDERS/$OLD/bin" -B "$PGBIN" -d "$STATE/pg" -D "$copy" -U postgres \
		-s "$RUN/pg" -o '-c synchronous_standby_names=' -O '-c synchronous_standby_names= -c archive_mode=off' \
		>"$STATE/log/upgrade.log" 2>&1 || upgrade_failed pg_upgrade "pg_upgrade failed" <"$STATE/log/upgrade.log"
}

# The copy becomes the cluster.
upgrade_swap() {
	local folder=$STATE/pg.upgrade
	upgrade_as "$POSTGRES_FOLDERS/$NEW/bin/initdb" --sync-only -D "$folder/new" >/dev/null || fail 1 "$folder/new cannot be flushed"
	: >"$folder/complete"
	sync -- "$folder/complete" "$folder"
	mv -T -- "$STATE/pg" "$STATE/pg.old-$OLD"
	sync -- "$STATE"
	upgrade_finish
}

upgrade_finish() {
	mv -T -- "$STATE/pg.upgrade/new" "$STATE/pg"
	sync -- "$STATE"
	rm -rf -- "$STATE/pg.upgrade"
}

# upgrade_settle - completes what is left of an upgrade, or undoes it.  Only the holder of the lock may do this.
upgrade_settle() {
	local folder=$STATE/pg.upgrade
	[[ -d $folder ]] || return 0
	upgrade_processes_end
	if [[ ! -e $STATE/pg && -d $folder/new && -f $folder/complete ]]; then
		upgrade_finish
		info "the upgrade of the database to PostgreSQL $(database_version) is complete now; it had been interrupted"
		return
	fi
	[[ ! -d $folder/new ]] || info "removing the copy of an upgrade that did not end; the database is what it was"
	rm -rf -- "$folder"
}

# Ends the servers and programs of an upgrade that was killed.  They change nothing but the copy, and a server that is
# killed replays its log.
upgrade_processes_end() {
	while upgrade_processes && [[ ${#LEFT[@]} -gt 0 ]]; do
		kill -KILL "${LEFT[@]}" 2>/dev/null || true
		nap
	done
}

# Sets LEFT to them, by their names and the folders in which they work, in which an operator's shell may be too: "sh" is
# pg_upgrade's in its own folder only.
upgrade_processes() {
	local process name place
	LEFT=()
	for process in /proc/[0-9]*; do
		{ read -r name <"$process/comm"; } 2>/dev/null || continue
		[[ $name =~ ^(postgres|pg_[a-z]+|psql|initdb|vacuumdb|sh)$ ]] || continue
		for place in "$STATE/pg.upgrade/work" "$STATE/pg.upgrade/new" "$STATE/pg"; do
			[[ ! $process/cwd -ef $place ]] || LEFT+=("${process#/proc/}")
			[[ $name != sh ]] || break
		done
	done
}
