#!/bin/bash
# test_package.sh - the version of the Debian package differs for each build and sorts by time, and no build of the programs
# deletes the package; prints TAP.  tests/deploy/upgrade.sh builds it and installs it.
set -euo pipefail

ROOT=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../../.." && pwd)
# shellcheck source=tests/support/tap.sh
source "$ROOT/tests/support/tap.sh"
deadline 120 "$@"
tap_folder package
HERE=$DIR/project BUILD=$DIR/build
export PAYHOOK_BUILD=$BUILD GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null
for file in settings packages build deb; do
	# shellcheck source=/dev/null
	source "$ROOT/ops/$file.sh"
done

# A project that is configured in a moment, with a file for each source of the package.
project_make() {
	local source
	mkdir "$HERE"
	for source in "${DEB_SOURCES[@]}"; do
		mkdir -p "$HERE/$(dirname "$source")"
		if [[ -d $ROOT/$source ]]; then
			mkdir -p "$HERE/$source"
		else
			: >"$HERE/$source"
		fi
	done
	cp "$ROOT/debian/changelog" "$HERE/debian/"
	echo "project('payhook', version: '0.1.0', license: 'MIT')" >"$HERE/meson.build"
	echo "option('tests', type: 'boolean', value: false)" >"$HERE/meson_options.txt"
}

# git_of_project ARGS...
git_of_project() {
	git -C "$HERE" -c user.name=a -c user.email=a@example.com "$@"
}

# commit_at TIME - changes a source and commits it.
commit_at() {
	echo "$1" >>"$HERE/README.md"
	git_of_project add -A
	GIT_AUTHOR_DATE=$1 GIT_COMMITTER_DATE=$1 git_of_project commit -q -m "$1"
}

# in_order VERSION... - dpkg takes each for newer than the one before.
in_order() {
	local before=$1 version
	for version in "${@:2}"; do
		dpkg --compare-versions "$before" lt "$version" || { echo "$version is not newer than $before" && return 1; }
		before=$version
	done
}

without_git() {
	expect version "$(deb_version 0.1.0)" 0.1.0
}

builds_differ() {
	local first second changed
	git_of_project init -q
	commit_at 2026-01-02T23:59:59+01:00
	first=$(deb_version 0.1.0)
	expect "version of a commit" "$first" "0.1.0+git20260102.225959.$(git_of_project rev-parse --short=12 HEAD)"
	commit_at 2026-01-02T23:00:01Z
	second=$(deb_version 0.1.0)
	: >"$HERE/untracked"
	expect "version with a file that is no source" "$(deb_version 0.1.0)" "$second"
	echo changed >>"$HERE/README.md"
	changed=$(deb_version 0.1.0)
	[[ $changed == *".$(git_of_project rev-parse --short=12 HEAD).changed" ]] || { echo "$changed" && return 1; }
	in_order 0.1.0 "$first" "$second" "$changed" 0.1.1
}

# The package of an earlier "deb", beside the lock that it took.
package_put() {
	rm -rf -- "$BUILD"
	mkdir -p -- "$BUILD/deb"
	: >"$BUILD/payhook.lock"
	: >"$BUILD/deb/payhook_0.1.0_all.deb"
}

package_is_there() {
	[[ -f $BUILD/build.ninja ]] || { echo "nothing was configured" && return 1; }
	[[ -f $BUILD/deb/payhook_0.1.0_all.deb ]] || { echo "the package is gone" && return 1; }
}

build_keeps_it() {
	package_put
	build_configure
	package_is_there
	ninja -C "$BUILD"
	package_is_there
}

tests_keep_it() {
	package_put
	cd -- "$HERE"
	# The function of tests/run, which runs the tests when it is sourced.
	bash -euc "$(sed -n '/^configure() {$/,/^}$/p' "$ROOT/tests/run")"$'\nconfigure "$0"' "$BUILD"
	package_is_there
}

# What is built is broken: the package from before stays, until there is another one.
failed_package_keeps_it() {
	package_put
	echo '#!/bin/false' >"$HERE/debian/rules"
	! (deb_build) || { echo "it was built" && return 1; }
	[[ -f $BUILD/deb.new/build.log ]] || { echo "there was no attempt" && return 1; }
	expect "mode of the folder with meson's lock" "$(stat -c %a "$BUILD/deb.new")" 700
	[[ -f $BUILD/deb/payhook_0.1.0_all.deb ]] || { echo "the package is gone" && return 1; }
	build_configure
}

project_make
check "without git, the version of the package is the project's" without_git
check "each commit, and each change on top of it, has a version of its own, the later one newer" builds_differ
check "a build of the programs keeps the package" build_keeps_it
check "a run of the tests keeps the package" tests_keep_it
check "a package that cannot be built does not take the place of the one before" failed_package_keeps_it
finish
