# shellcheck shell=bash disable=SC2154
# A Debian 12 that systemd boots, in a container of systemd-nspawn's, without a network but its own loopback.
#
# BOX is the test's folder; the tree lies in BOX/tree.

# box_possible: says why it cannot be done here.
box_possible() {
	local command
	((EUID == 0)) || { echo "only root can boot a container" && return 1; }
	for command in systemd-nspawn systemd-analyze mmdebstrap nsenter; do
		command -v "$command" >/dev/null || { echo "$command is missing: ./payhook test --deploy installs it" && return 1; }
	done
}

# box_make PACKAGE...: a tree of Debian 12 with these, from the machine's own sources.
box_make() {
	local packages
	packages=$(IFS=, && echo "systemd,systemd-sysv,dbus,$*")
	apt_sources bookworm bookworm-updates bookworm-security >"$BOX/sources.list"
	[[ -s $BOX/sources.list ]] || { echo "the machine has no apt source of Debian 12" && return 1; }
	mmdebstrap --quiet --variant=apt --include="$packages" bookworm "$BOX/tree" - <"$BOX/sources.list"
}

# Control groups of the box's own, in each hierarchy that systemd uses: what it makes in them can be removed.
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

# Not inside a check: the shell that starts it is its parent.
box_boot() {
	(
		box_enter_groups
		exec systemd-nspawn -q -D "$BOX/tree" -M payhook-test --register=no --keep-unit --private-network \
			--console=pipe -b
	) </dev/null >"$BOX/console" 2>&1 &
	NSPAWN=$!
}

# Sets LEADER, the box's first process.  What the kernel lists has no end of line.
box_find() {
	LEADER=
	{ read -r LEADER _ <"/proc/$NSPAWN/task/$NSPAWN/children"; } 2>/dev/null || [[ -n $LEADER ]]
}

# "degraded" is up, too: one of Debian's own services may not like a container.
box_is_up() {
	box_find && [[ $(box systemctl is-system-running) =~ ^(running|degraded)$ ]]
}

# box COMMAND...: in the box.
box() {
	nsenter -t "$LEADER" -m -u -i -n -p -C -- env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 TERM=dumb "$@"
}

# near COMMAND...: on this machine, but with the box's network.  It becomes the command.
near() {
	exec nsenter -t "$LEADER" -n -- "$@"
}

# SIGTERM to nspawn is an orderly shutdown of the box.
box_stop() {
	[[ -n ${NSPAWN-} ]] || return 0
	kill -TERM "$NSPAWN" 2>/dev/null || true
	timeout 20 tail --pid="$NSPAWN" -f /dev/null || kill -KILL "$NSPAWN" 2>/dev/null || true
	wait "$NSPAWN" 2>/dev/null || true
	box_leave_groups
}

# The kernel lets go of a group a moment after its last process.
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
