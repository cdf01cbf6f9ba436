# shellcheck shell=bash disable=SC2154
# The Debian package, built by debhelper from a copy of what it is made of.

DEB_SOURCES=(app debian include lib man nginx ops schema systemd worker meson.build meson_options.txt LICENSE README.md)

# Neither dpkg nor meson expects two of itself in one folder.
cmd_deb() {
	packages_need build package
	folder_make "$BUILD" 755 "PAYHOOK_BUILD=$BUILD"
	(
		exec 9>&-
		flock 8
		deb_build
	) 8<"$HERE" || exit 1
}

deb_build() {
	local version file
	version=$(dpkg-parsechangelog -l "$HERE/debian/changelog" -S Version)
	grep -q "version: '$version'," "$HERE/meson.build" ||
		fail 1 "debian/changelog is of version $version, meson.build is not"
	say "building the package of payhook $version"
	rm -rf -- "$BUILD/deb"
	mkdir -p -- "$BUILD/deb/payhook-$version"
	tar -C "$HERE" -c -- "${DEB_SOURCES[@]}" | tar -C "$BUILD/deb/payhook-$version" --no-same-owner -x
	cd -- "$BUILD/deb/payhook-$version" || exit
	# Which packages it needs, packages.txt knows.
	build_run "$BUILD/deb/build.log" dpkg-buildpackage --build=binary --no-check-builddeps --no-sign
	for file in "$BUILD/deb"/payhook_*.deb; do
		say "built $file"
	done
}
