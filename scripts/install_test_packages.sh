#!/bin/sh
# The tests drive Debian's chromium and start its MariaDB. Installs what is missing where apt-get may be used; says so
# where not.
set -eu

has() {
    command -v "$1" >/dev/null 2>&1
}

missing=""
has chromium || has chromium-browser || missing=" chromium"
has mariadb-install-db || missing="$missing mariadb-server-core mariadb-client-core"
[ -n "$missing" ] || exit 0

if ! has apt-get; then
    echo "There is no apt-get here: install$missing, or the tests that need them fail" >&2
    exit 0
fi
as_root=""
if [ "$(id -u)" -ne 0 ]; then
    if ! sudo -n true 2>/dev/null; then
        echo "Run 'sudo apt-get install$missing', or the tests that need them fail" >&2
        exit 0
    fi
    as_root="sudo -n"
fi
export DEBIAN_FRONTEND=noninteractive
$as_root apt-get update -qq
# shellcheck disable=SC2086  # several packages
$as_root apt-get install -y -qq --no-install-recommends $missing >/dev/null
