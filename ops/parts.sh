# shellcheck shell=bash disable=SC2034,SC2154
# The four parts as processes: starting, recording, finding and stopping them.
#
# Every part is a session of its own, so the terminal's Ctrl-C reaches the supervisor only.  Its record $RUN/<part>.pid
# contains "pid start restarts since".  The start time (in clock ticks, from /proc) distinguishes the process from a
# later one with the same pid.

ALL_PARTS=(nginx pool worker postgres)


now_ms() {
	local now=${EPOCHREALTIME/[.,]/}
	NOW=$((now / 1000))
}

nap() {
	sleep 0.05 9>&-
}

# Sets P_STATE, P_SESSION and P_START of a process.
proc_read() {
	local line=
	{ IFS= read -r -d '' line <"/proc/$1/stat"; } 2>/dev/null || [[ -n $line ]] || return 1
	local -a field
	# The name, which ends at the last parenthesis, may contain anything.
	read -ra field <<<"${line##*) }"
	P_STATE=${field[0]} P_SESSION=${field[3]} P_START=${field[19]}
}

record_write() {
	proc_read "$2" || P_START=0
	printf '%s %s %s %(%s)T\n' "$2" "$P_START" "$3" -1 >"$RUN/$1.pid"
}

# Sets R_PID, R_START, R_RESTARTS, R_SINCE.
record_read() {
	R_PID='' R_START='' R_RESTARTS=0 R_SINCE=0
	{ read -r R_PID R_START R_RESTARTS R_SINCE <"$RUN/$1.pid"; } 2>/dev/null
}

# Whether the recorded process itself runs: not another one with its pid, and not a zombie.
part_runs() {
	record_read "$1" && proc_read "$R_PID" && [[ $P_START == "$R_START" && $P_STATE != Z ]]
}

part_has_name() {
	case $1 in
	nginx) [[ $2 == nginx ]] ;;
	pool) [[ $2 == multiwatch || $2 == payhook-app || $2 == spawn-fcgi ]] ;;
	worker) [[ $2 == payhook-worker ]] ;;
	postgres) [[ $2 == postgres ]] ;;
	esac
}

# Sets MEMBERS to the processes of a part except its first one, which may have died before its children.  They belong to
# its session and have the name of its program.  PostgreSQL's processes have sessions of their own, and work in its
# directory.
part_members() {
	local folder pid name
	MEMBERS=()
	record_read "$1" || return 0
	for folder in /proc/[0-9]*; do
		pid=${folder#/proc/}
		{ read -r name <"$folder/comm"; } 2>/dev/null || continue
		part_has_name "$1" "$name" || continue
		proc_read "$pid" || continue
		[[ $pid != "$R_PID" && $P_STATE != Z ]] || continue
		if [[ $P_SESSION == "$R_PID" || ($1 == postgres && "$folder/cwd" -ef $STATE/pg) ]]; then
			MEMBERS+=("$pid")
		fi
	done
}

part_is_left() {
	part_runs "$1" && return 0
	part_members "$1"
	[[ ${#MEMBERS[@]} -gt 0 ]]
}

# Sends CONT as well, so that frozen processes receive the signal, including the children.  CONT comes first, because a
# process that handles the signal may stop itself on purpose: the leak sanitizer attaches to its process like a
# debugger, and hangs if CONT resumes it.
part_signal() {
	if part_runs "$1"; then
		part_members "$1"
		kill -CONT "$R_PID" "${MEMBERS[@]}" 2>/dev/null || true
		kill "-$2" "$R_PID" 2>/dev/null || true
	fi
}

# part_await PART MS - waits until no process of the part is left.
part_await() {
	local until
	now_ms
	until=$((NOW + $2))
	while part_is_left "$1"; do
		now_ms
		((NOW < until)) || return 1
		nap
	done
}

part_kill() {
	part_members "$1"
	part_signal "$1" KILL
	[[ ${#MEMBERS[@]} -eq 0 ]] || kill -KILL "${MEMBERS[@]}" 2>/dev/null || true
	part_await "$1" 5000 || true
}

# Ends the remaining children of a dead part.  What they hold (nginx its port, the pool its socket) would prevent a
# restart.
part_end_members() {
	local signal=QUIT
	[[ $1 != pool ]] || signal=USR2
	part_members "$1"
	[[ ${#MEMBERS[@]} -gt 0 ]] || return 0
	# PostgreSQL's children notice by themselves that the postmaster is gone.
	[[ $1 == postgres ]] || kill "-$signal" "${MEMBERS[@]}" 2>/dev/null || true
	part_await "$1" 500 || part_kill "$1"
}

start_postgres() {
	database_unlock
	exec setsid "${AS_DB[@]}" "$PGBIN/postgres" -D "$STATE/pg"
}

# connects_as ROLE - in a private cluster the programs do not connect as the owner; see schema/0010_roles.sql.
connects_as() {
	[[ -z $DB_PRIVATE ]] || export DATABASE_URL=${DATABASE_URL/ user=payhook / user=$1 }
}

start_worker() {
	connects_as payhook_worker
	export HOME=/nonexistent
	exec setsid "${AS_APP[@]}" "$STATE/bin/payhook-worker"
}

# Beside the sockets, in memory: the counters survive a responder but not the instance.
metrics_folder_make() {
	[[ -z ${METRICS_FOLDER-} ]] || return 0
	export METRICS_FOLDER=$RUN/metrics
	mkdir -p -- "$METRICS_FOLDER"
	chmod 700 -- "$METRICS_FOLDER"
	[[ -z $APP_USER ]] || chown payhook:payhook -- "$METRICS_FOLDER"
}

start_pool() {
	local -a owner=()
	[[ -z $APP_USER ]] || owner=(-U payhook -G payhook -u payhook -g payhook)
	connects_as payhook_app
	metrics_folder_make
	export HOME=/nonexistent
	exec setsid "${BARE[@]}" -- "$HERE/ops/pool" "$STATE/bin/payhook-app" -s "$RUN/app.sock" -M 0660 "${owner[@]}"
}

# Checks that new responders will start: with the environment of the running pool, which they inherit, and as its user.
# No variable is passed as an argument, which every user could read.
pool_check() {
	local answer variable
	local -a inherited=()
	part_runs pool || fail 1 "the pool does not run"
	mapfile -d '' -t inherited < <("${AS_APP[@]}" cat "/proc/$R_PID/environ" 2>/dev/null)
	[[ ${#inherited[@]} -gt 0 ]] || fail 1 "the pool's environment cannot be read; its responders go on as they are"
	answer=$(
		for variable in $(compgen -e); do
			export -n "${variable?}"
		done
		for variable in "${inherited[@]}"; do
			[[ ! $variable =~ ^[A-Za-z_][A-Za-z0-9_]*= ]] || export "${variable?}" 2>/dev/null || true
		done
		"${AS_APP[@]}" "$STATE/bin/payhook-app" --check 2>&1 >/dev/null
	) && return 0
	[[ -z $answer ]] || printf '%s\n' "$answer" >&2
	fail 2 "refused; the responders go on with what they have"
}

start_nginx() {
	# nginx's log has its times in UTC, as the programs' logs do.
	export TZ=UTC
	exec setsid "${BARE[@]}" -- nginx -p "$STATE/nginx/" -c nginx.conf -e stderr
}

# part_start PART RESTARTS
part_start() {
	"start_$1" >>"$STATE/log/$1.log" 2>&1 </dev/null 9>&- &
	record_write "$1" "$!" "$2"
}

# Ends a part that does not react: sends a second signal, then kills it.
part_finish() {
	local part=$1 patience_ms=$2 signal=$3
	part_await "$part" "$patience_ms" && return 0
	info "$part did not stop within $((patience_ms / 1000)) s; ending it"
	part_signal "$part" "$signal"
	part_await "$part" 3000 || part_kill "$part"
}

# Stops the parts in the order that loses nothing: first new requests, then the responders and the worker, last the
# database.
parts_stop() {
	local part
	# On SIGQUIT, nginx and the responders finish the requests in progress.
	part_signal nginx QUIT
	part_signal worker TERM
	part_finish nginx 6000 TERM
	part_signal pool TERM
	part_finish pool 5000 TERM
	part_finish worker "$((10#${WORKER_GRACE_MS:-2000} + 3000))" KILL
	if part_runs postgres; then
		part_signal postgres INT
	fi
	part_finish postgres 60000 QUIT
	for part in "${ALL_PARTS[@]}"; do
		rm -f -- "$RUN/$part.pid"
	done
}

# Stops the processes that a killed supervisor left behind.
leftovers_end() {
	local part found=()
	for part in "${ALL_PARTS[@]}"; do
		if part_is_left "$part"; then
			found+=("$part")
		else
			rm -f -- "$RUN/$part.pid"
		fi
	done
	[[ ${#found[@]} -gt 0 ]] || return 0
	info "ending what an earlier run left behind: ${found[*]}"
	for part in "${found[@]}"; do
		part_runs "$part" || part_end_members "$part"
	done
	parts_stop
}
