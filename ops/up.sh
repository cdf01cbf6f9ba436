# shellcheck shell=bash disable=SC2034,SC2154
# "up" prepares everything and becomes the supervisor (supervisor/main.c), which starts the parts in order and keeps
# them running.  Two of its steps are commands of this script again: "database-step" and "ready-step".

READY_WITHIN_MS=20000

# address - prints the URL by which this host reaches payhook.
address() {
	local scheme=http port=$PAYHOOK_PORT standard=80
	if ((PAYHOOK_PORT == 0)); then
		scheme=https port=$TLS_PORT standard=443
	fi
	((port != standard)) || { echo "$scheme://localhost" && return; }
	echo "$scheme://localhost:$port"
}

already_running() {
	local url=
	{ read -r url <"$RUN/port"; } 2>/dev/null || true
	[[ -n $url ]] || fail 1 "another \"payhook up\" for $VAR is starting or stopping"
	[[ $url == "$(address)" ]] || fail 1 "already running at $url, not $(address); \"payhook down\" stops it"
	info "already running at $url"
	exit "$1"
}

cmd_up() {
	local -a detach=()
	export BEGUN DETACHED=''
	case "$*" in
	'') ;;
	-d | --detach) detach=(--detach) DETACHED=yes ;;
	*) fail 2 "up takes -d (in the background) or nothing, not: $*" ;;
	esac
	! is_running || already_running $((1 - ${#detach[@]}))
	now_ms
	BEGUN=$NOW
	trap 'info interrupted; exit 130' INT
	up_prepare
	SUPERVISOR=("$STATE/bin/payhook" "$RUN" "$STATE/log" "${detach[@]}")
	trap - INT
	if [[ ${#detach[@]} -gt 0 ]]; then
		up_detached
	else
		supervisor_become < <(plan_print)
	fi
}

up_prepare() {
	local old=${OLD_NAMES# }
	[[ -z $old ]] || info "these settings of the replaced service have no effect: ${old// /, }"
	trust_warn
	names_warn
	trust_check_lists
	trust_check_processor
	trust_check_files TLS_CERTIFICATE TLS_KEY TLS_CLIENT_CA TLS_CLIENT_CRL
	# shellcheck disable=SC2046
	packages_need run build $([[ -z $DB_PRIVATE ]] || database_section)
	users_make
	lock_take || already_running 1
	leftovers_end
	# Until the supervisor replaces this process.
	trap run_folder_remove EXIT
	ports_check
	state_folder_make
	build_programs
	programs_copy
	programs_check_settings
	files_limit
	metrics_folder_make
	pool_folder_make
	[[ -z $DB_PRIVATE ]] || database_prepare
	database_find_worker_user
	nginx_prepare "$RUN/pool/app.sock"
}

# Beside the sockets, in memory: the counters survive a responder but not the instance.
metrics_folder_make() {
	[[ -z ${METRICS_FOLDER-} ]] || return 0
	export METRICS_FOLDER=$RUN/metrics
	mkdir -p -- "$METRICS_FOLDER"
	chmod 700 -- "$METRICS_FOLDER"
	[[ -z $APP_USER ]] || chown payhook:payhook -- "$METRICS_FOLDER"
}

# The responders' user creates the socket, and nginx, which is in the user's group, connects to it.
pool_folder_make() {
	mkdir -p -- "$RUN/pool"
	chmod 750 -- "$RUN/pool"
	[[ -z $APP_USER ]] || chown payhook:payhook -- "$RUN/pool"
}

# plan_print - prints what the supervisor is to start, in the form that supervisor/plan.h describes.  On SIGQUIT, nginx
# and the responders finish the requests in progress.  The order of the waves loses nothing: first new requests and new
# jobs end, then the responders, last the database.
plan_print() {
	local -a plan=()
	if [[ -n $DB_PRIVATE ]]; then
		environment_of_postgres
		plan+=(part postgres ${APP_USER:+user=postgres} wave=2 stop=INT patience_ms=60000 stop_again=QUIT
			"${ENVIRONMENT[@]/#/env=}" -- "${BARE[@]}" "$PGBIN/postgres" -D "$STATE/pg" ';')
	fi
	environment_of_steps
	plan+=(step database "${ENVIRONMENT[@]/#/env=}" -- "$ME" database-step ';')
	environment_of_worker
	# Each for a reload.  It may contain secrets.
	(umask 077 && printf '%s\0' "${ENVIRONMENT[@]}" >"$RUN/worker.env")
	plan+=(part worker ${WORKER_USER:+"user=$WORKER_USER"} stop=TERM "patience_ms=$((10#${WORKER_GRACE_MS:-2000} + 3000))"
		"${ENVIRONMENT[@]/#/env=}" -- "${BARE[@]}" "$STATE/bin/payhook-worker" ';')
	environment_of_pool
	(umask 077 && printf '%s\0' "${ENVIRONMENT[@]}" >"$RUN/pool.env")
	pool_command ./payhook-app -s "$RUN/pool/app.sock" -M 0660
	plan+=(part pool ${APP_USER:+"user=$APP_USER"} wave=1 stop=TERM stop_again=TERM orphans=USR2
		"${ENVIRONMENT[@]/#/env=}" -- env -C "$STATE/bin" "${BARE[@]}" "${POOL[@]}" ';')
	environment_of_nginx
	plan+=(part nginx stop=QUIT patience_ms=6000 stop_again=TERM orphans=QUIT own_log=access reopen=USR1
		"${ENVIRONMENT[@]/#/env=}" -- "${BARE[@]}" nginx -p "$STATE/nginx/" -c nginx.conf -e stderr ';')
	environment_of_steps
	plan+=(step ready "${ENVIRONMENT[@]/#/env=}" -- "$ME" ready-step ';')
	printf '%s\0' "${plan[@]}"
}

# The supervisor's own environment has nothing but what a sanitizer reads.
supervisor_become() {
	ENVIRONMENT=()
	environment_add ASAN_OPTIONS LSAN_OPTIONS UBSAN_OPTIONS
	exec env -i "${ENVIRONMENT[@]}" "${SUPERVISOR[@]}"
}

# Starts the supervisor in a session of its own.  Prints its messages, which arrive through a pipe, until it is ready or
# ends.
up_detached() {
	local out line supervisor status=0
	exec {out}< <(SUPERVISOR=(setsid "${SUPERVISOR[@]}") && supervisor_become 2>&1 < <(plan_print))
	supervisor=$!
	exec 9>&-
	trap - EXIT
	trap 'kill -TERM "$supervisor" 2>/dev/null' INT TERM
	while IFS= read -r line <&"$out"; do
		printf '%s\n' "$line"
	done
	if [[ -e $RUN/port ]] && kill -0 "$supervisor" 2>/dev/null; then
		exit 0
	fi
	wait "$supervisor" || status=$?
	exit "$((status > 0 ? status : 1))"
}

# step_begin - refuses to run a step that the supervisor has not started.
step_begin() {
	record_read payhook || true
	[[ $R_PID == "$PPID" ]] || fail 2 "only the supervisor starts this command"
	# The reader of the messages may have gone, which does not end the supervisor either.
	trap '' PIPE
	INFO_LOG=$STATE/log/payhook.log
}

cmd_database-step() {
	step_begin
	if [[ -n $DB_PRIVATE ]]; then
		database_await
		database_roles || fail 1 "the role payhook and its database cannot be made"
	fi
	database_migrate || fail 1 "the database could not be migrated"
}

# After a crash PostgreSQL first replays its log, which may take minutes.  There is no time limit as long as it runs.
database_await() {
	local reported
	now_ms
	reported=$NOW
	until database_is_ready; do
		part_stays postgres
		now_ms
		if ((NOW - reported > 3000)); then
			reported=$NOW
			info "waiting for PostgreSQL, which recovers its data"
		fi
		nap
	done
}

# part_failed PART TEXT - fails, and prints the end of the part's log.
part_failed() {
	printf -- '--- the end of %s\n' "$STATE/log/$1.log" >&2
	tail -n 15 -- "$STATE/log/$1.log" | printable >&2 || true
	printf -- '---\n' >&2
	fail 1 "$2"
}

# part_stays PART - fails if the part has already been restarted three times.
part_stays() {
	record_read "$1" || return 0
	((R_RESTARTS < 3)) || part_failed "$1" "$1 does not stay up"
}

# readyz URL CURL-ARGS... - requests /readyz of the payhook at this URL of localhost.  Its certificate may be for another
# name, or for trials.
readyz() {
	curl -sk -m 4 --noproxy '*' "${@:2}" "${1/localhost/127.0.0.1}/readyz"
}

# ready_code URL - prints the status of /readyz, 000 if there is no answer.
ready_code() {
	readyz "$1" -o /dev/null -w '%{http_code}' || true
}

# Other commands know by the file with the URL that payhook is up.
cmd_ready-step() {
	local until part code url
	step_begin
	url=$(address)
	now_ms
	until=$((NOW + READY_WITHIN_MS))
	until code=$(ready_code "$url") && [[ $code == 200 ]]; do
		for part in "${ALL_PARTS[@]}"; do
			part_stays "$part"
		done
		now_ms
		if ((NOW >= until)); then
			[[ $code != 000 ]] || part_failed nginx "nginx does not answer at $url"
			part_failed pool "not ready within $((READY_WITHIN_MS / 1000)) s: GET /readyz answers $code"
		fi
		nap
	done
	# A responder may be ready while another part does not stay up.
	for part in "${ALL_PARTS[@]}"; do
		part_stays "$part"
	done
	printf '%s\n' "$url" >"$RUN/port"
	announce
}

# webhook_line URL CURL-OPTION - prints the command that sends a webhook: curl, if the built-in source is open; else one for a
# source of SOURCES_FILE that has a secret to sign with; nothing if there is none.
webhook_line() {
	local sources name
	mapfile -d '' -t ENVIRONMENT 2>/dev/null <"$RUN/pool.env" || return 0
	sources=$(with_environment "${AS_APP[@]}" "$STATE/bin/payhook-app" --check 2>/dev/null | sed -n 's/^source //p') || true
	if [[ $'\n'$sources == *$'\ntransactions: none,'* ]]; then
		cat <<-END
			  curl $2 $1/v1/webhooks/transactions -H 'Content-Type: application/json' \\
			    -d '{"transaction_id":"txn_1","source_account":"acc_a","destination_account":"acc_b","amount":1500,"currency":"INR"}'
		END
		return
	fi
	name=$(sed -nE '/: closed,|, none to sign with$/! { s/:.*//p; q; }' <<<"$sources")
	[[ -z $name ]] || printf '  %q send %s\n' "$ME" "$name"
}

announce() {
	local url line open how=-i
	url=$(address)
	[[ $url != https:* ]] || how=-ik
	now_ms
	line=$(webhook_line "$url" "$how")
	info "ready at $url after $(((NOW - BEGUN) / 1000)).$(((NOW - BEGUN) % 1000 / 100)) s${line:+; send it a webhook:}"
	[[ -z $line ]] || printf '%s\n' "$line" 2>/dev/null || true
	[[ -z $TLS_PORT || $url == https:* ]] || info "and with TLS at https://localhost:$TLS_PORT"
	[[ $EUID -eq 0 ]] || info "all parts run as this user; started by root, they are several users, each with few rights"
	[[ ${PROCESSOR:-simulated} != simulated ]] || info "processor $(processor_note)"
	open=$(open_sources "$url")
	[[ -z $open ]] || info "unsigned $open"
	[[ -n $DETACHED ]] || info "Ctrl-C stops it"
}
