#!/bin/sh
# The tests of databases start Debian's MariaDB. Installs it where apt-get may be used; says so where not.
set -eu

if command -v mariadb-install-db >/dev/null 2>&1; then
    exit 0
fi
if ! command -v apt-get >/dev/null 2>&1; then
    echo "MariaDB is missing and there is no apt-get here: install its server, or the tests of databases fail" >&2
    exit 0
fi
as_root=""
if [ "$(id -u)" -ne 0 ]; then
    if ! sudo -n true 2>/dev/null; then
        echo "MariaDB is missing: run 'sudo apt-get install mariadb-server-core mariadb-client-core', or tests fail" >&2
        exit 0
    fi
    as_root="sudo -n"
fi
export DEBIAN_FRONTEND=noninteractive
$as_root apt-get update -qq
$as_root apt-get install -y -qq --no-install-recommends mariadb-server-core mariadb-client-core >/dev/null
