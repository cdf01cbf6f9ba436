# shellcheck shell=bash disable=SC2034,SC2154
# All commands except "up".

# setting_help NAME DEFAULT MEANING - prints the setting's entry of the help, in lines of at most 100 columns.
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
		payhook - receives transaction webhooks, stores them, and processes them in the background

		usage: ./payhook COMMAND
		  up [-d]            install what is missing, build, and start all parts; -d: in the background
		  down               stop all parts
		  status [--json]    show the parts, health and problems, the queue, pauses, workers, the processor, the
		                     certificate's last day, the version, and where the data is.  Exit status 0: all is
		                     well; 1: something needs attention; 2: a setting is wrong; 3: down
		  ls [ID] [FILTER...] [--json]
		                     list transactions, newest first: of the last 24 hours; with --status FAILED all
		                     that are; with an id those with it or with this payment.  Filters: --source,
		                     --status, --kind, --payment, --account, --currency, --amount-min,
		                     --amount-max, --from, --to, --error TEXT; --limit N, --cursor CURSOR
		  show ID [--source NAME] [--json]
		                     show all that happened to one transaction: job, attempts, conflicts, payment
		  payment ID [--source NAME] [--json]
		                     show one payment: state, sums and events
		  retry ID [--source NAME] [--even-processed] [--reason TEXT] [--json]
		                     call the processor again for a FAILED transaction; --even-processed: for one that
		                     is PROCESSED, with a reason
		  retry FILTER... [--yes --reason TEXT [--rate N] [--background]] [--json]
		                     show how many FAILED transactions match and the first 20; with --yes, retry them.
		                     Filters as of ls, without --status and --payment
		  retry --operations | --follow OPERATION | --cancel OPERATION
		                     list such retries, show the progress of one, or cancel the rest of it
		  sources [--json]   list the sources: rates, last webhooks, pauses
		  actions [--source NAME] [--id ID] [--actor NAME] [--action NAME] [--json]
		                     list what operators did, newest first
		  logs [-f] [PART...]
		                     show the logs of all parts, or of those named; -f: and follow them
		  psql [ARGS]        run psql on the database, as its owner
		  reload             build, migrate, and replace programs and certificates; no request is lost
		  backup FILE        write the data to a file (-: standard output); payhook may be running
		  restore FILE       restore a backup (-: standard input) into a payhook without transactions
		  import [ARGS]      import the transactions of the Django service that payhook replaces:
		                     --from CONNINFO (default: the same database), --refused FILE,
		                     --table [SCHEMA.]TABLE (public.transactions_transaction); --view: print a view
		                     that mends a table which cannot be read as it is, and import nothing
		  forget --account ACCOUNT [--yes]
		                     erase the data of one account (-: read it from standard input) and print a
		                     receipt; without --yes, only print what would be erased
		  payload ID [--source NAME] [--headers | --body]
		                     show the webhook that brought a transaction, as it came: its bytes exactly, or
		                     escaped on a terminal.  It is personal data
		  remap [SOURCE] [--dry-run]
		                     map again the webhooks that a source with "unreadable": "keep" could not map,
		                     and store their transactions; --dry-run: only report
		  verify SOURCE [--at TIME | --transaction ID]
		                     check the signature of the HTTP request on standard input for a source of
		                     SOURCES_FILE, as of now or of a time: 2026-02-19T12:00:00Z; or of the webhook
		                     that brought a transaction, as of its time
		  send SOURCE [--kind KIND] [--bad-signature | --old | --duplicate | --conflict]
		                     post an example of the provider's webhooks to payhook, signed with the secret
		                     of the source, and show the answer
		  listen [--source NAME] [--since TIME] [--to URL] [--json]
		                     print the events that are accepted, as they come, and post each to a program
		                     under development (--to); TIME: 2026-02-19T12:00:00+01:00, or Unix seconds
		  key [--save] NAME SCOPE...
		                     create an API key and its entry for API_KEYS_FILE; scopes: read, operate, payload.
		                     --save: and add the entry to that file, or to one that "up" reads without it
		  check              print the settings in force, and whether the database keeps the promise of a 202
		  upgrade-database [VERSION]
		                     move payhook's own database to a newer PostgreSQL that is installed
		  reset [--yes]      delete the data
		  purge [--yes]      remove everything that payhook has left on the machine: data, logs, build, users
		  test [ARGS]        build and run all test suites; --deploy: the real deployments too; --help: more
		  test --chaos [SCENARIO...]
		                     break a running payhook in many ways and check that nothing accepted is lost (root)
		  bench [ARGS]       measure payhook against what the machine can achieve
		  build              build the programs
		  deb                build the Debian package
		  help               print this summary; COMMAND --help: what it has about one command
		  --version          print the version

		settings, from the environment or from lines NAME=value of the file .env (PAYHOOK_ENV_FILE names
		another file), each with its [default]; DATABASE_URL_FILE and POSTGRES_PASSWORD_FILE name a file
		that contains the value instead:
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

# supervisor_stop SECONDS - asks the supervisor to stop, which there may not be yet, since "up" first builds the programs.
# Waits until nothing holds the lock.
supervisor_stop() {
	local until asked=''
	now_ms
	until=$((NOW + $1 * 1000))
	while is_running; do
		now_ms
		if part_runs payhook && [[ $R_PID != "$asked" ]]; then
			asked=$R_PID
			until=$((NOW + $1 * 1000))
			part_signal payhook TERM
		fi
		((NOW < until)) || return 1
		nap
	done
}

cmd_down() {
	local most=$((10#${WORKER_GRACE_MS:-2000} / 1000 + 90))
	if ! is_running; then
		leftovers_clear
		info "not running"
		return
	fi
	info "stopping"
	if ! supervisor_stop "$most"; then
		info "the supervisor did not end within $most s; killing it"
		part_signal payhook KILL
		stopped_await 5 || fail 1 "another process holds $RUN/lock"
	fi
	leftovers_clear
	info "stopped"
}

# Stops the processes that a killed supervisor left behind, and removes its run directory.
leftovers_clear() {
	[[ -e $RUN/lock ]] || return 0
	lock_take || fail 1 "another payhook for $VAR is starting"
	leftovers_end
	run_folder_remove
}

# logs_show TAIL-ARGS -- FILES - prints the output of tail with the file's name before each line.
logs_show() {
	tail -v "$@" 2>/dev/null | perl -ne '
		BEGIN { $| = 1 }
		if (m{^==> (?:.*/)?([^/]*?)(?:\.log)? <==$}) { $name = $1; $blank = 0; next }
		if ($blank) { printf "%-8s |\n", $name; $blank = 0 }
		if (/^$/) { $blank = 1; next }
		printf "%-8s | %s", $name, $_;
	' | printable
}

logs_list() {
	local -a names=("$STATE"/log/*.log)
	names=("${names[@]##*/}")
	printf '%s\n' "${names[*]%.log}"
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
		[[ $part != */* && -e $STATE/log/$part.log ]] || fail 2 "$part: no such log; there are: $(logs_list)"
		files+=("$STATE/log/$part.log")
	done
	[[ ${#files[@]} -gt 0 ]] || files=("$STATE"/log/*.log)
	logs_show "${how[@]}" -- "${files[@]}"
}

# Commands that use the database need psql, and the private database must be running.
database_need() {
	command -v psql >/dev/null || fail 1 "psql is missing: package postgresql-client"
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
	packages_need build >&2
	build_programs >&2
	import_run "$BUILD/ctl/payhook-ctl" "$STATE/import-refused.tsv" "$@"
}

cmd_forget() {
	database_need
	forget_run "$@"
}

cmd_key() {
	packages_need build >&2
	build_programs >&2
	if [[ ${1-} == --save ]]; then
		key_save "${@:2}"
		return
	fi
	exec "$BUILD/ctl/payhook-ctl" key "$@"
}

# tool_run COMMAND ARGUMENT... - becomes payhook-ctl.
tool_run() {
	database_need
	packages_need build >&2
	build_programs >&2
	exec "$BUILD/ctl/payhook-ctl" "$@"
}

cmd_payload() {
	tool_run payload "$@"
}

# The URL is that of the running payhook; its port may be another than that of the settings now.
cmd_send() {
	local url=''
	trust_check_lists
	packages_need build >&2
	build_programs >&2
	{ read -r url <"$RUN/port"; } 2>/dev/null || true
	exec "$BUILD/ctl/payhook-ctl" send "${@:1:1}" --url "${url:-$(address)}" --examples "$HERE/docs/sources" "${@:2}"
}

cmd_listen() {
	trust_check_lists
	tool_run listen "$@"
}

cmd_remap() {
	trust_check_lists
	tool_run remap "$@"
}

cmd_verify() {
	trust_check_lists
	packages_need build >&2
	build_programs >&2
	if [[ ${2-} == --transaction ]]; then
		database_need
		verify_transaction "$BUILD/ctl/payhook-ctl" "$@"
		return
	fi
	exec "$BUILD/ctl/payhook-ctl" verify "$@"
}

# pool_check OPTION - checks by this option of the program that new responders will start: with the environment of the running
# pool, which they inherit, and as its user.  It comes from the file that "up" wrote, never from /proc: the pool's user can
# change what is there.  No variable is passed as an argument, which every user could read.
pool_check() {
	local answer variable
	part_runs pool || fail 1 "the pool does not run"
	mapfile -d '' -t ENVIRONMENT 2>/dev/null <"$RUN/pool.env" || true
	[[ ${#ENVIRONMENT[@]} -gt 0 ]] || fail 1 "$RUN/pool.env cannot be read; the responders continue unchanged"
	answer=$(
		SOURCES_FILE='' API_KEYS_FILE=''
		for variable in "${ENVIRONMENT[@]}"; do
			case $variable in
			SOURCES_FILE=*) SOURCES_FILE=${variable#*=} ;;
			API_KEYS_FILE=*) API_KEYS_FILE=${variable#*=} ;;
			esac
		done
		trust_check_lists 2>&1
		with_environment "${AS_APP[@]}" "$STATE/bin/payhook-app" "$1" 2>&1 >/dev/null
	) && return 0
	[[ -z $answer ]] || printable <<<"$answer" >&2
	fail 2 "refused; the responders go on with what they have"
}

# worker_check - the same for the worker.  It sets WORKER_HAS_FILES if the worker has files that it reads when it starts.
worker_check() {
	local answer variable
	mapfile -d '' -t ENVIRONMENT 2>/dev/null <"$RUN/worker.env" || true
	[[ ${#ENVIRONMENT[@]} -gt 0 ]] || return 0 # of an older "up"
	PROCESSOR_HEADERS='' PROCESSOR_SIGNING_SECRETS_FILE='' PROCESSOR_CA='' PROCESSOR_CLIENT_CERTIFICATE='' PROCESSOR_CLIENT_KEY=''
	for variable in "${ENVIRONMENT[@]}"; do
		case $variable in
		PROCESSOR_HEADERS=*) PROCESSOR_HEADERS=${variable#*=} ;;
		PROCESSOR_SIGNING_SECRETS_FILE=*) PROCESSOR_SIGNING_SECRETS_FILE=${variable#*=} ;;
		PROCESSOR_CA=*) PROCESSOR_CA=${variable#*=} ;;
		PROCESSOR_CLIENT_CERTIFICATE=*) PROCESSOR_CLIENT_CERTIFICATE=${variable#*=} ;;
		PROCESSOR_CLIENT_KEY=*) PROCESSOR_CLIENT_KEY=${variable#*=} ;;
		esac
	done
	WORKER_HAS_FILES=$PROCESSOR_HEADERS$PROCESSOR_SIGNING_SECRETS_FILE$PROCESSOR_CA$PROCESSOR_CLIENT_CERTIFICATE
	answer=$(
		trust_check_processor 2>&1
		with_environment "${AS_WORKER[@]}" "$STATE/bin/payhook-worker" --check 2>&1 >/dev/null
	) && return 0
	[[ -z $answer ]] || printable <<<"$answer" >&2
	fail 2 "refused; the worker goes on with what it has"
}

cmd_check() {
	trust_check_lists
	tool_run check "$@"
}

# Migrates the database first: the running programs work with the schema of the next version, but new programs do not
# work with the previous schema.  multiwatch forwards USR2 to the responders: each finishes its requests, exits, and is
# restarted from the new file.  The worker releases its jobs and is restarted, first: the responders may need its version.
cmd_reload() {
	local before after
	if ! is_running || ! part_runs pool; then
		fail 1 "not running"
	fi
	trust_warn
	nginx_certificates_check
	before=$(cksum <"$STATE/bin/payhook-worker")
	build_programs
	programs_copy
	! console_is_on || web_copy
	pool_check --check
	worker_check
	database_migrate || fail 1 "the database could not be migrated; the running programs continue unchanged"
	after=$(cksum <"$STATE/bin/payhook-worker")
	[[ $before == "$after" && -z ${WORKER_HAS_FILES-} ]] || part_signal worker TERM
	pool_check --check-reload
	part_signal pool USR2
	part_signal console USR2
	nginx_certificates_reload
	info "reloaded"
}

cmd_reset() {
	local answer='' folder found=''
	local -a folders=("$STATE"/pg "$STATE"/pg.new "$STATE"/pg.upgrade "$STATE"/pg.old-*)
	[[ $# -eq 0 || $* == --yes ]] || fail 2 "reset takes --yes or nothing, not: $*"
	[[ -n $DB_PRIVATE ]] || fail 1 "the database is not payhook's own; delete its schema payhook by hand"
	! is_running || fail 1 "it is running; stop it first: ./payhook down"
	for folder in "${folders[@]}"; do
		[[ ! -d $folder ]] || found=yes
	done
	[[ -n $found ]] || { info "there is no data in $STATE" && return; }
	if [[ $# -eq 0 ]]; then
		read -r -p "Delete all transactions in $STATE/pg? Type yes: " answer || true
		[[ $answer == yes ]] || fail 1 "nothing was deleted"
	fi
	# With the lock held, so that no other process starts payhook meanwhile.
	lock_take || fail 1 "another payhook for $VAR is starting"
	leftovers_end
	[[ ! -d $STATE/pg.upgrade ]] || upgrade_processes_end
	rm -rf -- "${folders[@]}"
	run_folder_remove
	info "deleted $STATE/pg"
}

# A build directory that was configured without the test packages does not build the tests.
tests_configure() {
	build_is_ours || return 0
	if tr -d '\n' <"$BUILD/meson-info/intro-buildoptions.json" | grep -qE '"name": "tests", "value": false'; then
		meson configure "$BUILD" -Dtests=true
	fi
}

cmd_test() {
	local word line
	local -a more=(browser)
	for word in "$@"; do
		[[ $word != --deploy && $word != deploy ]] || more=(browser package deploy)
	done
	[[ ${1-} != --chaos ]] || more=(chaos)
	packages_need run database build test bench "${more[@]}"
	tests_configure
	# These settings must not reach the tests, which run instances with settings of their own.
	for line in "${SETTINGS[@]}"; do
		unset "${line%%|*}"
	done
	[[ ${1-} != --chaos ]] || export PAYHOOK_BUILD=$BUILD
	exec "$HERE/tests/run" "$@"
}

# The benchmark runs instances with settings and directories of its own; only the directory for its results is set here.
cmd_bench() {
	packages_need run database build bench
	BUILD_TARGETS+=(bench/payhook-bench bench/payhook-bench-echo)
	build_programs
	users_make
	folder_make "$VAR/bench" 755 "$VAR/bench"
	export PAYHOOK_SOURCE=$HERE PAYHOOK_BUILD=$BUILD PAYHOOK_BENCH=$VAR/bench
	exec "$BUILD/bench/payhook-bench" "$@"
}
