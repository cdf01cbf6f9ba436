# shellcheck shell=bash disable=SC2154
# Compiles the programs, and puts copies where the users that run them can enter.

BUILD_TARGETS=(app/payhook-app worker/payhook-worker ctl/payhook-ctl)

# build_run LOG COMMAND...: quiet unless it fails.
build_run() {
	local log=$1
	shift
	if "$@" >"$log" 2>&1 </dev/null; then
		return 0
	fi
	tail -n 40 -- "$log" >&2
	fail 1 "the build failed; the whole of it is in $log"
}

# A copied source tree brings a build folder that speaks of the place it was copied from.
build_is_ours() {
	[[ -f $BUILD/build.ninja ]] && grep -qF "\"source\": \"$HERE\"" -- "$BUILD/meson-info/meson-info.json"
}

build_configure() {
	local tests=false
	build_is_ours && return 0
	[[ -z ${PAYHOOK_BUILD-} || ! -e $BUILD || -z $(ls -A -- "$BUILD") ]] ||
		fail 1 "PAYHOOK_BUILD=$BUILD: not empty, and not a build folder of $HERE"
	say "preparing the build in $BUILD"
	rm -rf -- "$BUILD"
	folder_make "$BUILD" 755 "PAYHOOK_BUILD=$BUILD"
	# Tests need packages that running does not.
	! pkg-config --exists criterion || tests=true
	build_run "$BUILD/setup.log" meson setup -Dtests="$tests" -- "$BUILD" "$HERE"
}

build_targets() {
	build_configure
	[[ -w $BUILD ]] || fail 1 "PAYHOOK_BUILD=$BUILD: the folder cannot be written to"
	if ! ninja -C "$BUILD" -n "$@" 2>/dev/null | grep -q 'no work to do'; then
		say "building the programs"
	fi
	build_run "$BUILD/ninja.log" ninja -C "$BUILD" "$@"
}

# Neither meson nor ninja expects two of itself in one folder.
build_programs() {
	(
		exec 9>&-
		flock 8
		build_targets "${BUILD_TARGETS[@]}"
	) 8<"$HERE" || exit 1
}

# By rename: a running program keeps its file, and the next start finds a whole one.
programs_copy() {
	local target name
	for target in "${BUILD_TARGETS[@]}"; do
		name=${target##*/}
		cmp -s -- "$BUILD/$target" "$STATE/bin/$name" && continue
		install -m 755 -- "$BUILD/$target" "$STATE/bin/$name.new"
		mv -f -- "$STATE/bin/$name.new" "$STATE/bin/$name"
	done
}

# The settings of the C programs, the workers' too; settings_check has seen what the shell and nginx read.
programs_check_settings() {
	local answer
	answer=$("${AS_APP[@]}" "$STATE/bin/payhook-app" --check 2>&1 >/dev/null) && return 0
	[[ -z $answer ]] || printf '%s\n' "$answer" >&2
	fail 2 "settings were refused"
}
