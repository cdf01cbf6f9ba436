#!/bin/bash
# images.sh - creates what trees.sh keeps for the deployments, so that tests/run can do it beside other tests.  On a machine that
# cannot, it does nothing: the scripts of the deployments report why.
set -euo pipefail

ROOT=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck source=tests/deploy/trees.sh
source "$ROOT/tests/deploy/trees.sh"
CACHE=$ROOT/var/deploy

if ((EUID != 0)) || ! command -v mmdebstrap >/dev/null || ! command -v systemd-nspawn >/dev/null; then
	echo "it needs root, mmdebstrap and systemd-nspawn"
	exit
fi
cli_plugins
tree_postgres
tree_system
