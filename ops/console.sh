# shellcheck shell=bash
# The commands over the functions of the operators' console (docs/console-api.md); of ./payhook and of the package's command.
#
# Each script defines tool_run COMMAND ARGUMENT..., which becomes payhook-ctl.  That prints text from outside without control
# characters by itself.

cmd_ls() {
	tool_run ls "$@"
}

cmd_show() {
	tool_run show "$@"
}

cmd_payment() {
	tool_run payment "$@"
}

cmd_retry() {
	tool_run retry "$@"
}

cmd_sources() {
	tool_run sources "$@"
}

cmd_actions() {
	tool_run actions "$@"
}

# worse STATUS STATUS - prints the one of two statuses of "status" that counts: 2 (a setting is wrong) before 3 (down), 1
# (attention) and 0.
worse() {
	local status
	for status in 2 3 1; do
		[[ $1 != "$status" && $2 != "$status" ]] || { echo "$status" && return; }
	done
	echo 0
}

# ---- certificates ----

# certificate_expires FILE - prints when the first certificate in the file expires, in seconds since 1970; nothing if it cannot be
# read.
certificate_expires() {
	local expires
	expires=$(openssl x509 -noout -enddate -in "$1" 2>/dev/null </dev/null) || return 0
	expires=$(date -d "${expires#*=}" +%s 2>/dev/null) || return 0
	! is_number "$expires" || printf '%s\n' "$expires"
}

# certificate_note FILE EXPIRES - prints a clause about the certificate; returns 1 if it has expired.
certificate_note() {
	local expires=$2 left
	is_number "$expires" || return 0
	left=$((expires - EPOCHSECONDS))
	if ((left < 0)); then
		printf '%s has EXPIRED, on %(%F)T\n' "$1" "$expires"
		return 1
	fi
	printf '%s expires in %d days, on %(%F)T\n' "$1" "$((left / 86400))" "$expires"
}
