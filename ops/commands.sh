# shellcheck shell=bash disable=SC2034,SC2154
# Every command but "up".

LOG_MOST=$((50 * 1024 * 1024))

# setting_help NAME DEFAULT MEANING: its entry in the help, in lines of at most 100 columns.
setting_help() {
	local word line
	local -a words
	read -ra words <<<"$3${2:+ [$2]}"
	printf -v line '  %-28s' "$1"
	for word in "${words[@]}"; do
		if ((${#line} + 1 + ${#word} > 100)); then
			printf '%s\n' "$line"
			printf -v line '  %-28s' ''
		fi
		line+=" $word"
	done
	printf '%s\n' "$line"
}

cmd_help() {
	local line name default text
	cat <<-'END'
		payhook - receives transaction webhooks, and processes them in the background

		usage: ./payhook COMMAND
		  up [-d]            install, build and start everything; -d: in the background
		  down               stop what "up" started
		  status             what runs, since when; what is queued; where the data lies
		  logs [-f] [PART]   what the parts logged; -f: and what they log from now on
		  psql [ARGS]        psql on the database, as its owner
		  reload             build, migrate, put the new programs and certificates in place; no request is lost
		  backup FILE        save the data in a file (- for standard output), while it runs
		  restore FILE       put such a file (-: standard input) into a payhook without transactions
		  import [ARGS]      take over the transactions of the Django service that this one replaces:
		                     --from CONNINFO (default: the same database), --refused FILE,
		                     --table [SCHEMA.]TABLE (public.transactions_transaction)
		  verify SOURCE [--at TIME]
		                     why the HTTP request on standard input does or does not verify as one of
		                     this source of SOURCES_FILE, now or at a time: 2026-02-19T12:00:00Z
		  key NAME SCOPE...  make a key for who may read, and its entry for API_KEYS_FILE; scopes: read, operate
		  reset [--yes]      delete the data
		  test [ARGS]        build and run every test suite; --deploy: the real deployments too; --help: more
		  bench [ARGS]       measure it beside what the machine leaves possible
		  build              build only
		  deb                build the Debian package
		  help               this

		settings, from the environment or from lines NAME=value of the file .env (PAYHOOK_ENV_FILE names
		another), with their [default]; DATABASE_URL_FILE and POSTGRES_PASSWORD_FILE name a file that holds
		the value instead:
	END
	for line in "${SETTINGS[@]}"; do
		IFS='|' read -r name _ _ default _ text <<<"$line"
		setting_help "$name" "$default" "$text"
	done
}

cmd_build() {
	packages_need build
	build_programs
}

cmd_down() {
	local most=$((10#${WORKER_GRACE_MS:-2000} / 1000 + 90))
	if ! is_running; then
		leftovers_clear
		say "not running"
		return
	fi
	say "stopping"
	if part_runs payhook; then
		kill -TERM "$R_PID"
	fi
	if ! stopped_await "$most"; then
		say "the supervisor did not end within $most s; killing it"
		part_signal payhook KILL
		stopped_await 5 || fail 1 "another process holds $RUN/lock"
	fi
	leftovers_clear
	say "stopped"
}

# What a supervisor that was killed left behind, and its run folder.
leftovers_clear() {
	[[ -e $RUN/lock ]] || return 0
	lock_take || fail 1 "another payhook for $VAR is starting"
	leftovers_end
	run_folder_remove
}

ago() {
	local s=$(($1 < 0 ? 0 : $1))
	if ((s < 120)); then
		echo "$s s"
	elif ((s < 7200)); then
		echo "$((s / 60)) min"
	elif ((s < 172800)); then
		echo "$((s / 3600)) h"
	else
		echo "$((s / 86400)) days"
	fi
}

status_part() {
	local now more=''
	printf -v now '%(%s)T' -1
	if ! part_runs "$1"; then
		printf '  %-9s down\n' "$1"
		return
	fi
	if [[ $1 == pool ]]; then
		part_members pool
		more="  (responders: ${#MEMBERS[@]})"
	fi
	printf '  %-9s pid %-8s up %-8s since %(%F %T)T  restarts %s%s\n' \
		"$1" "$R_PID" "$(ago $((now - R_SINCE)))" "$R_SINCE" "$R_RESTARTS" "$more"
}

queue_depth() {
	PGCONNECT_TIMEOUT=2 PGOPTIONS='-c statement_timeout=2s' psql -X -At -d "$CONNINFO" -c "
		SELECT format('%s ready, %s waiting for a retry, %s claimed', count(*) FILTER (WHERE state = 'ready'),
			count(*) FILTER (WHERE state = 'waiting'), count(*) FILTER (WHERE state = 'claimed'))
		FROM payhook.queue" 2>/dev/null || echo "the database does not answer"
}

# Status 3 when it does not run, as of other services.
cmd_status() {
	local port='' part
	if ! is_running; then
		say "not running; data folder $STATE"
		exit 3
	fi
	{ read -r port <"$RUN/port"; } 2>/dev/null || true
	if [[ -z $port ]]; then
		say "starting or stopping; data folder $STATE"
		exit 3
	fi
	if [[ $(ready_code "$port") == 200 ]]; then
		say "running at $(address "$port"), ready"
	else
		say "running at $(address "$port"), not ready"
	fi
	for part in "${ALL_PARTS[@]}"; do
		[[ $part == postgres && -z $DB_PRIVATE ]] || status_part "$part"
	done
	printf '  queue     %s\n' "$(queue_depth)"
	[[ -n $DB_PRIVATE ]] || printf '  database  an existing server\n'
	printf '  data      %s\n  sockets   %s\n' "$STATE" "$RUN"
}

# A log that has grown too long makes room: its content goes to a second file, whose content is dropped.
logs_bound() {
	local size file
	while read -r size file; do
		((size > LOG_MOST)) || continue
		cp -- "$file" "$file.1" && : >"$file"
	done < <(stat -c '%s %n' -- "$STATE"/log/*.log 2>/dev/null)
}

# logs_show TAIL-ARGS -- FILES: what tail shows, each line led by its file's name.
logs_show() {
	tail -v "$@" 2>/dev/null | perl -ne '
		BEGIN { $| = 1 }
		if (m{^==> (?:.*/)?([^/]*?)(?:\.log)? <==$}) { $name = $1; $blank = 0; next }
		if ($blank) { printf "%-8s |\n", $name; $blank = 0 }
		if (/^$/) { $blank = 1; next }
		printf "%-8s | %s", $name, $_;
	'
}

cmd_logs() {
	local part
	local -a how=(-n 200) files=()
	if [[ ${1-} == -f || ${1-} == --follow ]]; then
		how=(-n 20 -F)
		shift
	fi
	[[ -d $STATE/log ]] || fail 1 "there are no logs yet in $STATE"
	for part in "$@"; do
		[[ -e $STATE/log/$part.log ]] || fail 2 "$part: no such part; there are: $(cd -- "$STATE/log" && echo ./*.log)"
		files+=("$STATE/log/$part.log")
	done
	[[ ${#files[@]} -gt 0 ]] || files=("$STATE"/log/*.log)
	logs_show "${how[@]}" -- "${files[@]}"
}

# What speaks to the database needs a client, and a private database that runs.
database_need() {
	command -v psql >/dev/null || fail 1 "psql is missing: package postgresql-client-15"
	[[ -z $DB_PRIVATE ]] || part_runs postgres || fail 1 "the database does not run; ./payhook up starts it"
}

cmd_psql() {
	database_need
	exec psql -d "$CONNINFO" "$@"
}

cmd_backup() {
	database_need
	backup_run "$@"
}

cmd_restore() {
	database_need
	restore_run "$@"
}

cmd_import() {
	database_need
	packages_need build
	build_programs
	import_run "$BUILD/ctl/payhook-ctl" "$STATE/import-refused.tsv" "$@"
}

cmd_key() {
	packages_need build >&2
	build_programs >&2
	exec "$BUILD/ctl/payhook-ctl" key "$@"
}

cmd_verify() {
	packages_need build >&2
	build_programs >&2
	exec "$BUILD/ctl/payhook-ctl" verify "$@"
}

# The database first: a migration lets the programs before it go on, not the other way round.  multiwatch hands USR2 to
# the responders: each finishes what it has, ends, and is started again from the new file.  The worker gives its jobs
# back and is started again.
cmd_reload() {
	local before after
	if ! is_running || ! part_runs pool; then
		fail 1 "not running"
	fi
	nginx_certificates_check
	before=$(cksum <"$STATE/bin/payhook-worker")
	build_programs
	programs_copy
	pool_check
	database_migrate || fail 1 "the database could not be migrated; the programs that run go on"
	part_signal pool USR2
	nginx_certificates_reload
	after=$(cksum <"$STATE/bin/payhook-worker")
	[[ $before == "$after" ]] || part_signal worker TERM
	say "reloaded"
}

cmd_reset() {
	local answer=''
	[[ $# -eq 0 || $* == --yes ]] || fail 2 "reset takes --yes or nothing, not: $*"
	[[ -n $DB_PRIVATE ]] || fail 1 "the database is not payhook's own; delete its schema payhook by hand"
	! is_running || fail 1 "it is running; stop it first: ./payhook down"
	[[ -d $STATE/pg ]] || { say "there is no data in $STATE" && return; }
	if [[ $# -eq 0 ]]; then
		read -r -p "Delete all transactions in $STATE/pg? Type yes: " answer || true
		[[ $answer == yes ]] || fail 1 "nothing was deleted"
	fi
	# With the lock held, so that nobody starts it meanwhile.
	lock_take || fail 1 "another payhook for $VAR is starting"
	leftovers_end
	rm -rf -- "$STATE/pg" "$STATE/pg.new"
	run_folder_remove
	say "deleted $STATE/pg"
}

# A build folder made when the test packages were missing has the tests left out.
tests_configure() {
	build_is_ours || return 0
	if tr -d '\n' <"$BUILD/meson-info/intro-buildoptions.json" | grep -qE '"name": "tests", "value": false'; then
		meson configure "$BUILD" -Dtests=true
	fi
}

cmd_test() {
	local word line
	local -a more=()
	for word in "$@"; do
		[[ $word != --deploy && $word != deploy ]] || more=(package deploy)
	done
	packages_need run database build test bench "${more[@]}"
	tests_configure
	# Whose settings these are does not matter: tests have instances of their own, with settings of their own.
	for line in "${SETTINGS[@]}"; do
		unset "${line%%|*}"
	done
	exec "$HERE/tests/run" "$@"
}

# Its settings and its folders are its own; only where the figures go is ours to say.
cmd_bench() {
	packages_need run database build bench
	BUILD_TARGETS+=(bench/payhook-bench bench/payhook-bench-echo)
	build_programs
	user_make
	folder_make "$VAR/bench" 755 "$VAR/bench"
	export PAYHOOK_SOURCE=$HERE PAYHOOK_BUILD=$BUILD PAYHOOK_BENCH=$VAR/bench
	exec "$BUILD/bench/payhook-bench" "$@"
}
