#!/bin/sh
# Runs pytest with the given arguments. Where a few tests fail beside thousands of others, they are run once more, alone: a busy
# machine may have taken the time of their servers. What fails alone has failed; what does not is named, for it is to be mended.
set -u
MOST_AGAIN=10
python=.venv/bin/python
failed=.pytest_cache/v/cache/lastfailed

rm -f "$failed"
"$python" -m pytest "$@" && exit 0
code=$?
[ "$code" -eq 1 ] && [ -e "$failed" ] || exit "$code"
count=$("$python" -c "import json, sys; print(len(json.load(open(sys.argv[1]))))" "$failed")
[ "$count" -le "$MOST_AGAIN" ] || exit "$code"
echo "$count failed beside others; once more, alone:"
exec "$python" -m pytest -n 0 -v --last-failed --last-failed-no-failures none
