# shellcheck shell=bash disable=SC2034,SC2154
# The records of the running parts, the lock that proves that an instance runs, and what a killed one left behind.
#
# The supervisor writes $RUN/<part>.pid: "pid start restarts since".  The start time (in clock ticks, from /proc)
# distinguishes the process from a later one with the same pid.  Every part is the first process of a session of its own.

ALL_PARTS=(nginx pool console worker postgres)

now_ms() {
	local now=${EPOCHREALTIME/[.,]/}
	is_number "$now" || fail 1 "bash does not know the time"
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

# Sets R_PID, R_START, R_RESTARTS, R_SINCE.
record_read() {
	if { read -r R_PID R_START R_RESTARTS R_SINCE <"$RUN/$1.pid"; } 2>/dev/null &&
		is_number "$R_PID" "$R_START" "$R_RESTARTS" "$R_SINCE"; then
		return 0
	fi
	R_PID='' R_START='' R_RESTARTS=0 R_SINCE=0
	return 1
}

# Whether the recorded process itself runs: not another one with its pid, and not a zombie.
part_runs() {
	record_read "$1" && proc_read "$R_PID" && [[ $P_START == "$R_START" && $P_STATE != Z ]]
}

part_has_name() {
	case $1 in
	nginx) [[ $2 == nginx ]] ;;
	pool) [[ $2 == multiwatch || $2 == payhook-app || $2 == spawn-fcgi ]] ;;
	console) [[ $2 == multiwatch || $2 == payhook-console || $2 == spawn-fcgi ]] ;;
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

# part_signal PART SIGNAL - also to a frozen one.
part_signal() {
	if part_runs "$1"; then
		part_members "$1"
		kill -CONT "$R_PID" "${MEMBERS[@]}" 2>/dev/null || true
		kill "-$2" "$R_PID" 2>/dev/null || true
	fi
}

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

# The lock proves that an instance runs: it is released when its process ends, however that happens, and no part
# inherits it.  Only its owner can open the file, since whoever can open a file can lock it.
lock_take() {
	run_folder_make
	umask 077
	exec 9>>"$RUN/lock"
	umask 022
	flock -w 0.5 9 || return 1
	# The last holder has removed the file and its directory while this process waited.
	if ! [[ $RUN/lock -ef /proc/self/fd/9 ]]; then
		lock_take
		return
	fi
	rm -f -- "$RUN/port"
	records_of_this_boot
}

# A folder that is on a disk outlives a power cut; the pids in its records are then those of other processes.
records_of_this_boot() {
	local boot before=''
	boot=$(</proc/sys/kernel/random/boot_id)
	{ read -r before <"$RUN/boot"; } 2>/dev/null || true
	[[ $before != "$boot" ]] || return 0
	rm -f -- "$RUN"/*.pid
	printf '%s\n' "$boot" >"$RUN/boot"
}

# Only the holder of the lock may do this: no process uses the files in the directory then.
run_folder_remove() {
	rm -rf -- "$RUN"
}

# Sets LEFT to the processes of these parts.
leftovers_find() {
	local part
	LEFT=()
	for part in "$@"; do
		part_members "$part"
		LEFT+=("${MEMBERS[@]}")
		! part_runs "$part" || LEFT+=("$R_PID")
	done
}

# leftovers_await MS PART... - waits until the parts have ended, and kills what has not ended by then.
leftovers_await() {
	local until
	now_ms
	until=$((NOW + $1))
	shift
	while leftovers_find "$@" && [[ ${#LEFT[@]} -gt 0 ]]; do
		now_ms
		((NOW < until)) || kill -KILL "${LEFT[@]}" 2>/dev/null || true
		nap
	done
}

# Asks the children of a part to end; its own process may be dead.
members_signal() {
	part_members "$1"
	[[ ${#MEMBERS[@]} -eq 0 ]] || kill "-$2" "${MEMBERS[@]}" 2>/dev/null || true
}

# Ends what a killed supervisor left behind.  The kernel has asked the parts to end, so this finds those that were frozen,
# those that take their time, and children of a parent that was killed as well.
leftovers_end() {
	leftovers_find "${ALL_PARTS[@]}"
	if [[ ${#LEFT[@]} -gt 0 ]]; then
		info "ending what an earlier run left behind"
		part_signal nginx QUIT
		part_signal pool TERM
		part_signal console TERM
		part_signal worker TERM
		part_signal postgres INT
		members_signal nginx QUIT
		members_signal pool USR2
		members_signal console USR2
		leftovers_await 5000 nginx pool console worker
		leftovers_await 60000 postgres
	fi
	rm -f -- "$RUN"/*.pid
}
