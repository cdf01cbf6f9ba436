# shellcheck shell=bash disable=SC2154
# Compiles the programs, and copies them to a directory that the users who run them can enter.

BUILD_LOCK=payhook.lock
# Finds what belongs to the build of the programs: not the lock, and not the package, which "deb" builds in deb.new.
BUILD_FILES=(-mindepth 1 -maxdepth 1 ! -name "$BUILD_LOCK" ! -name deb ! -name deb.new)
BUILD_TARGETS=(app/payhook-app worker/payhook-worker console/payhook-console ctl/payhook-ctl supervisor/payhook)

# build_run LOG COMMAND... - prints the log only if the command fails.
build_run() {
	local log=$1
	shift
	if "$@" >"$log" 2>&1 </dev/null; then
		return 0
	fi
	tail -n 40 -- "$log" >&2
	fail 1 "the build failed; its complete output is in $log"
}

# A copied source tree may contain a build directory that refers to the original tree.
build_is_ours() {
	[[ -f $BUILD/build.ninja ]] && grep -qF "\"source\": \"$HERE\"" -- "$BUILD/meson-info/meson-info.json"
}

# build_close - closes the folder of the lock that meson makes with the umask, so that all users could open it.  A user who has
# opened it before may still lock that file.
build_close() {
	local folder=$BUILD/meson-private
	[[ $(stat -c %a -- "$folder" 2>/dev/null) != 700 ]] || return 0
	mkdir -p -- "$folder"
	chmod 700 -- "$folder"
	rm -f -- "$folder/meson.lock"
}

build_configure() {
	local tests=false
	if build_is_ours; then
		build_close
		return
	fi
	[[ -z ${PAYHOOK_BUILD-} || -z $(find "$BUILD" "${BUILD_FILES[@]}") ]] ||
		fail 1 "PAYHOOK_BUILD=$BUILD: not empty, and not a build folder of $HERE"
	info "preparing the build in $BUILD"
	find "$BUILD" "${BUILD_FILES[@]}" -exec rm -rf -- {} +
	build_close
	# The tests need packages that payhook itself does not need.
	! pkg-config --exists criterion || tests=true
	build_run "$BUILD/setup.log" meson setup -Dtests="$tests" -- "$BUILD" "$HERE"
}

build_targets() {
	build_configure
	if ! ninja -C "$BUILD" -n "$@" 2>/dev/null | grep -q 'no work to do'; then
		info "building the programs"
	fi
	build_run "$BUILD/ninja.log" ninja -C "$BUILD" "$@"
}

# file_lock FILE - holds the lock until this shell ends.  Only its owner can open the file, as a file that can be opened can be locked.
file_lock() {
	umask 077
	exec 8>>"$1" || exit 1
	umask 022
	flock 8 || exit 1
}

# build_locked COMMAND... - under a lock: neither meson, ninja nor dpkg supports two processes in one directory.
build_locked() {
	local given=${PAYHOOK_BUILD:-$HERE/build}
	trust_check PAYHOOK_BUILD "$given" "$SCRIPT_OWNER"
	folder_make "$BUILD" 755 "PAYHOOK_BUILD=$BUILD"
	trust_check PAYHOOK_BUILD "$given" "$SCRIPT_OWNER"
	[[ -w $BUILD ]] || fail 1 "PAYHOOK_BUILD=$BUILD: the folder cannot be written to"
	(
		exec 9>&-
		trap 'exit 130' INT
		file_lock "$BUILD/$BUILD_LOCK"
		"$@"
	) || exit 1
}

build_programs() {
	build_locked build_targets "${BUILD_TARGETS[@]}"
}

# Replaces each program by rename: a running program keeps its file, and the next start finds a complete one.
programs_copy() {
	local target name
	for target in "${BUILD_TARGETS[@]}"; do
		name=${target##*/}
		cmp -s -- "$BUILD/$target" "$STATE/bin/$name" && continue
		install -m 755 -- "$BUILD/$target" "$STATE/bin/$name.new"
		mv -f -- "$STATE/bin/$name.new" "$STATE/bin/$name"
	done
}

# Checks the settings of the C programs, including the worker's.  settings_check has checked those of the shell and
# nginx.
programs_check_settings() {
	local answer
	environment_of_check
	answer=$(with_environment "${AS_APP[@]}" "$STATE/bin/payhook-app" --check 2>&1 >/dev/null &&
		with_environment "${AS_WORKER[@]}" "$STATE/bin/payhook-worker" --check 2>&1 >/dev/null &&
		with_environment "${AS_APP[@]}" "$STATE/bin/payhook-console" --check 2>&1 >/dev/null) && return 0
	[[ -z $answer ]] || printable <<<"$answer" >&2
	fail 2 "settings were refused"
}
