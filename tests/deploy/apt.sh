# shellcheck shell=bash disable=SC2016
# Where this machine has Debian from.

# apt_sources RELEASE...: the machine's sources of Debian's main part that are named so, as lines.
apt_sources() {
	apt-get indextargets --format '$(CODENAME) $(COMPONENT) $(SITE)' 'Created-By: Packages' | sort -u |
		awk -v wanted=" $* " '$2 == "main" && index(wanted, " " $1 " ") {
			print "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]", $3, $1, $2 }'
}
