# shellcheck shell=bash disable=SC2154
# A Debian 12 that is booted by systemd in a container of systemd-nspawn, with no network except its own loopback.
#
# BOX is the directory of the test; the root file system is in BOX/tree.

# box_possible - fails with the reason if this machine cannot run the test.
box_possible() {
	local command
	((EUID == 0)) || { echo "only root can boot a container" && return 1; }
	for command in systemd-nspawn systemd-analyze mmdebstrap nsenter; do
		command -v "$command" >/dev/null || { echo "$command is missing: ./payhook test --deploy installs it" && return 1; }
	done
}

# box_make PACKAGE... - creates a Debian 12 with these packages, and with what every box has (tree_system).
box_make() {
	tree_system || return
	mkdir "$BOX/tree" && tar -C "$BOX/tree" --numeric-owner -xpf "$CACHE/system.tar" && tree_install "$BOX/tree" "$@"
}

# The control groups of the box, one in each hierarchy that systemd uses: whatever it creates below them can be removed.
box_groups() {
	local mount
	for mount in /sys/fs/cgroup /sys/fs/cgroup/unified /sys/fs/cgroup/systemd; do
		[[ ! -e $mount/cgroup.procs ]] || echo "$mount/payhook-test-$$"
	done
}

box_enter_groups() {
	local group
	for group in $(box_groups); do
		mkdir "$group" && echo "$BASHPID" >"$group/cgroup.procs"
	done
}

# Must not run inside a check: the shell that starts the box must be the one that waits for it.
box_boot() {
	(
		box_enter_groups
		exec systemd-nspawn -q -D "$BOX/tree" -M payhook-test --register=no --keep-unit --private-network \
			--console=pipe -b
	) </dev/null >"$BOX/console" 2>&1 &
	NSPAWN=$!
}

# Sets LEADER to the first process of the box.  The kernel's list has no line end.
box_find() {
	LEADER=
	{ read -r LEADER _ <"/proc/$NSPAWN/task/$NSPAWN/children"; } 2>/dev/null || [[ -n $LEADER ]]
}

# "degraded" counts as up: some service of Debian's own may not run in a container.
box_is_up() {
	box_find && [[ $(box systemctl is-system-running) =~ ^(running|degraded)$ ]]
}

# box COMMAND... - runs a command inside the box.
box() {
	nsenter -t "$LEADER" -m -u -i -n -p -C -- env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 TERM=dumb "$@"
}

# near COMMAND... - runs a command of this machine in the network of the box.  It replaces the shell.
near() {
	exec nsenter -t "$LEADER" -n -- "$@"
}

# nspawn shuts the box down in order when it receives SIGTERM.
box_stop() {
	[[ -n ${NSPAWN-} ]] || return 0
	kill -TERM "$NSPAWN" 2>/dev/null || true
	timeout 20 tail --pid="$NSPAWN" -f /dev/null || kill -KILL "$NSPAWN" 2>/dev/null || true
	wait "$NSPAWN" 2>/dev/null || true
	box_leave_groups
}

# The kernel allows the removal of a group a moment after its last process has ended.
box_leave_groups() {
	local group try
	for group in $(box_groups); do
		for ((try = 0; try < 50; try++)); do
			find "$group" -depth -type d -exec rmdir '{}' ';' 2>/dev/null
			[[ -e $group ]] || break
			sleep 0.1
		done
	done
}
