#!/bin/sh
# The tests drive Debian's chromium-headless-shell (or the whole chromium, with which they take longer) and start its
# MariaDB. Installs what is missing where apt-get may be used; says so where not.
set -eu

has() {
    command -v "$1" >/dev/null 2>&1
}

missing=""
has chromium-headless-shell || missing=" chromium-headless-shell"
has mariadb-install-db || missing="$missing mariadb-server-core mariadb-client-core"
[ -n "$missing" ] || exit 0

if ! has apt-get; then
    echo "There is no apt-get here: install$missing, or tests fail or take longer" >&2
    exit 0
fi
as_root=""
if [ "$(id -u)" -ne 0 ]; then
    if ! sudo -n true 2>/dev/null; then
        echo "Run 'sudo apt-get install$missing', or tests fail or take longer" >&2
        exit 0
    fi
    as_root="sudo -n"
fi
export DEBIAN_FRONTEND=noninteractive
$as_root apt-get update -qq
# Where there is no such package, the whole chromium will do.
if ! has chromium-headless-shell && ! apt-cache show chromium-headless-shell >/dev/null 2>&1; then
    missing=$(echo "$missing" | sed 's/chromium-headless-shell/chromium/')
fi
# shellcheck disable=SC2086  # several packages
$as_root apt-get install -y -qq --no-install-recommends $missing >/dev/null
