#!/usr/bin/env bash
# Brings Chromium for the browser tests where that is possible, and says plainly when it is not.
set -uo pipefail
for name in chromium chromium-browser google-chrome; do
    if command -v "$name" >/dev/null; then exit 0; fi
done
if command -v apt-get >/dev/null && [[ "$(id -u)" == 0 ]]; then
    echo "Installing Chromium for the browser tests ..." >&2
    install=(apt-get install --yes --quiet --no-install-recommends chromium)
    if DEBIAN_FRONTEND=noninteractive "${install[@]}" >/dev/null 2>&1 ||
        { apt-get update --quiet >/dev/null 2>&1 && DEBIAN_FRONTEND=noninteractive "${install[@]}" >/dev/null 2>&1; }; then
        exit 0
    fi
    echo "SKIPPED: the browser tests, because Chromium could not be installed (apt-get install chromium failed)." >&2
else
    echo "SKIPPED: the browser tests, because there is no Chromium; install it (Debian, as root: apt install chromium)." >&2
fi
