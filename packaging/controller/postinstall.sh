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
  systemd-sysusers bindery.conf || :
fi
getent passwd bindery >/dev/null ||
  useradd --system --user-group --home-dir /var/lib/bindery-controller --no-create-home --shell /usr/sbin/nologin bindery
install -d -m 0700 -o bindery -g bindery /var/lib/bindery-controller
if [ -e /etc/bindery/controller.yaml ]; then
  chgrp bindery /etc/bindery/controller.yaml
fi

[ -d /run/systemd/system ] || exit 0
systemctl daemon-reload || :
# It goes on from what the repository, the forge and its database say.
systemctl --no-block try-restart bindery.service || :
