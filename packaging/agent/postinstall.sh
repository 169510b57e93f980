#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# dpkg says "configure" and the version before, rpm says how many there are now.
set -e
case "${1:-}" in
configure | [0-9]*) ;;
*) exit 0 ;;
esac

# As sysusers.d and tmpfiles.d say it, for roots without systemd and without /proc.
if command -v systemd-sysusers >/dev/null 2>&1; then
  systemd-sysusers bindery-agent.conf || :
fi
getent passwd bindery-fetch >/dev/null ||
  useradd --system --user-group --home-dir /var/lib/bindery-fetch --no-create-home --shell /usr/sbin/nologin bindery-fetch
install -d -m 0700 /var/lib/bindery
install -d -m 0700 -o bindery-fetch -g bindery-fetch /var/lib/bindery-fetch
install -d -m 2750 -g bindery-fetch /var/spool/bindery

[ -d /run/systemd/system ] || exit 0
systemctl daemon-reload || :
# A reload ends the agent after its run, and systemd starts the new one. It may be
# that very run which does this, so nothing is stopped here.
if systemctl is-active --quiet bindery-agent.service; then
  systemctl --no-block reload bindery-agent.service || :
fi
