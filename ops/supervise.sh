# shellcheck shell=bash disable=SC2034,SC2154
# "up" starts the parts in order, waits until a webhook could be accepted, and then keeps the parts running.

READY_WITHIN_MS=20000

is_running() {
	[[ -e $RUN/lock ]] && ! flock -n -s "$RUN/lock" true 2>/dev/null
}

# stopped_await SECONDS - waits until no supervisor holds the lock.
stopped_await() {
	local until
	now_ms
	until=$((NOW + $1 * 1000))
	while is_running; do
		now_ms
		((NOW < until)) || return 1
		nap
	done
}

address() {
	local port=${1:-$PAYHOOK_PORT}
	[[ $port != 80 ]] || { echo http://localhost && return; }
	echo "http://localhost:$port"
}

# The lock proves that an instance runs: it is released when its process ends, however that happens, and no part
# inherits it.
lock_take() {
	run_folder_make
	exec 9>>"$RUN/lock"
	flock -w 0.5 9 || return 1
	# The last holder has removed the file and its directory while this process waited.
	if ! [[ $RUN/lock -ef /proc/self/fd/9 ]]; then
		lock_take
		return
	fi
	record_write payhook $$ 0
	rm -f -- "$RUN/port"
}

# Only the holder of the lock may do this: no process uses the files in the directory then.
run_folder_remove() {
	rm -rf -- "$RUN"
}

already_running() {
	local port=
	{ read -r port <"$RUN/port"; } 2>/dev/null || true
	[[ -n $port ]] || fail 1 "another \"payhook up\" for $VAR is starting"
	[[ $port == "$PAYHOOK_PORT" ]] ||
		fail 1 "already running at port $port, not PAYHOOK_PORT=$PAYHOOK_PORT; \"payhook down\" stops it"
	info "already running at $(address "$port")"
	exit "$1"
}

cmd_up() {
	local detach=''
	case "$*" in
	'') ;;
	-d | --detach) detach=yes ;;
	*) fail 2 "up takes -d (in the background) or nothing, not: $*" ;;
	esac
	! is_running || already_running "$([[ -n $detach ]] && echo 0 || echo 1)"
	now_ms
	BEGUN=$NOW
	up_prepare
	if [[ -n $detach ]]; then
		up_detached
	else
		supervise foreground
	fi
}

up_prepare() {
	packages_need run build ${DB_PRIVATE:+database}
	user_make
	lock_take || already_running 1
	leftovers_end
	# Until the supervisor's own trap replaces this one.
	trap run_folder_remove EXIT
	ports_check
	state_folder_make
	logs_bound
	build_programs
	programs_copy
	programs_check_settings
	files_limit
	nginx_prepare "$RUN/app.sock"
}

# Starts the supervisor in a session of its own.  Prints its messages, which arrive through a pipe, until it is ready or
# ends.
up_detached() {
	local out line supervisor status=0
	exec {out}< <(BEGUN=$BEGUN exec setsid "$ME" supervise </dev/null 2>&1)
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

# The process that "up -d" starts.  It inherits the lock as descriptor 9.
cmd_supervise() {
	[[ -e /proc/self/fd/9 && -d $RUN ]] || fail 2 "supervise is started by \"up -d\" only"
	record_write payhook $$ 0
	supervise background
}

stop_ask() {
	STOP=yes
	[[ -z ${TICKER-} ]] || kill "$TICKER" 2>/dev/null || true
}

supervise() {
	STOP='' TICKER='' FOLLOWER=''
	INFO_LOG=$STATE/log/payhook.log
	PARTS=(worker pool nginx)
	[[ -z $DB_PRIVATE ]] || PARTS=(postgres "${PARTS[@]}")
	declare -gA BEGAN=() DEAD=() DEATHS=()
	trap stop_ask INT TERM HUP
	# A handler instead of '': the parts would inherit an ignored signal.
	trap : PIPE
	trap finish EXIT
	bring_up
	printf '%s\n' "$PAYHOOK_PORT" >"$RUN/port"
	announce "$1"
	if [[ $1 == background ]]; then
		exec >/dev/null 2>>"$INFO_LOG"
	else
		follow
	fi
	keep_up
	info "stopping"
}

# Runs when the supervisor ends for any reason, including its own errors, so that its parts end with it.
finish() {
	local status=$?
	trap '' INT TERM HUP
	trap - EXIT
	rm -f -- "$RUN/port"
	# bash would report every child that was ended by a signal.
	parts_stop 2>/dev/null
	info "stopped"
	if [[ -n $FOLLOWER ]]; then
		sleep 0.1
		kill -TERM -- "-$FOLLOWER" 2>/dev/null || true
	fi
	run_folder_remove
	[[ $STOP != yes ]] || status=0
	exit "$status"
}

bring_up() {
	if [[ -n $DB_PRIVATE ]]; then
		database_prepare
		part_begin postgres
		database_await
		database_roles || fail 1 "the role payhook and its database cannot be made"
	fi
	database_migrate || fail 1 "the database could not be migrated"
	part_begin worker
	part_begin pool
	part_begin nginx
	ready_await
}

part_begin() {
	now_ms
	BEGAN[$1]=$NOW DEAD[$1]=''
	part_start "$1" "${DEATHS[$1]:-0}"
}

stop_check() {
	[[ -z $STOP ]] || exit 0
}

# After a crash PostgreSQL first replays its log, which may take minutes.  There is no time limit as long as it runs.
database_await() {
	local reported
	now_ms
	reported=$NOW
	until database_is_ready; do
		stop_check
		part_runs postgres || part_failed postgres "PostgreSQL ended"
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
	tail -n 15 -- "$STATE/log/$1.log" >&2 || true
	printf -- '---\n' >&2
	fail 1 "$2"
}

ready_code() {
	curl -s -o /dev/null -m 2 --noproxy '*' -w '%{http_code}' "http://127.0.0.1:$1/readyz" 9>&- || true
}

ready_await() {
	local until part code
	now_ms
	until=$((NOW + READY_WITHIN_MS))
	while :; do
		stop_check
		code=$(ready_code "$PAYHOOK_PORT")
		[[ $code != 200 ]] || return 0
		parts_tend
		for part in "${PARTS[@]}"; do
			((${DEATHS[$part]:-0} < 3)) || part_failed "$part" "$part does not stay up"
		done
		now_ms
		((NOW < until)) || break
		nap
	done
	[[ $code != 000 ]] || part_failed nginx "nginx does not answer on port $PAYHOOK_PORT"
	part_failed pool "not ready within $((READY_WITHIN_MS / 1000)) s: GET /readyz answers $code"
}

announce() {
	local url
	url=$(address)
	now_ms
	info "ready at $url after $(((NOW - BEGUN) / 1000)).$(((NOW - BEGUN) % 1000 / 100)) s; send it a webhook:"
	cat <<-END || true
		  curl -i $url/v1/webhooks/transactions -H 'Content-Type: application/json' \\
		    -d '{"transaction_id":"txn_1","source_account":"acc_a","destination_account":"acc_b","amount":1500,"currency":"INR"}'
	END
	[[ -z $TLS_PORT ]] || info "and with TLS at https://localhost:$TLS_PORT"
	if [[ $1 == foreground ]]; then
		info "Ctrl-C stops it"
	fi
}

# Prints on the terminal what the parts log from now on.  tail ends with this process, even if that is killed.
follow() {
	local -a files=("${PARTS[@]/#/$STATE/log/}")
	setsid bash -c "$(declare -f logs_show); logs_show -n 0 -F --pid=$$ -- \"\$@\"" logs "${files[@]/%/.log}" </dev/null 9>&- &
	FOLLOWER=$!
}

keep_up() {
	local tick=5
	while :; do
		sleep "$tick" 9>&- >/dev/null 2>&1 &
		TICKER=$!
		# The check follows the start of the timer process: a signal before this line is noticed here, a later
		# one ends the timer.
		[[ -z $STOP ]] || break
		wait -n 2>/dev/null || true
		kill "$TICKER" 2>/dev/null || true
		wait "$TICKER" 2>/dev/null || true
		TICKER=''
		[[ -z $STOP ]] || break
		parts_tend
		tick=$TEND_AGAIN
		logs_bound
	done
	kill "$TICKER" 2>/dev/null || true
}

how_it_ended() {
	local status=0
	wait "$1" 2>/dev/null || status=$?
	if ((status > 128)); then
		echo "killed by SIG$(kill -l "$status" 2>/dev/null || echo "$((status - 128))")"
	else
		echo "status $status"
	fi
}

# Restarts the parts that have died: at once if the part had run for a second, otherwise one second after its last
# start.
#
# Sets TEND_AGAIN to the number of seconds after which to check again at the latest.  It is short if a part has died:
# another part may be dying, and if that ends during this function, bash's wait -n does not return for it.
parts_tend() {
	local part wait_ms found=''
	TEND_AGAIN=5
	for part in "${PARTS[@]}"; do
		! part_runs "$part" || continue
		[[ -n $STOP ]] && return 0
		if [[ -z ${DEAD[$part]} ]]; then
			DEAD[$part]=yes found=yes
			DEATHS[$part]=$((${DEATHS[$part]:-0} + 1))
			info "$part ended ($(how_it_ended "$R_PID")); starting it again"
		fi
		now_ms
		wait_ms=$((BEGAN[$part] + 1000 - NOW))
		if ((wait_ms > 0)); then
			TEND_AGAIN=$(printf '0.%03d' "$((wait_ms < 999 ? wait_ms : 999))")
			continue
		fi
		part_end_members "$part"
		part_begin "$part"
	done
	[[ -z $found ]] || TEND_AGAIN=0.2
}
