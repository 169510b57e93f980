#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What the host was made into stays in any case: it is the host's. The agent's own
# state, with its keys and what it could take back, goes with a purge. rpm knows no
# purge and leaves it. The user stays, so that nobody else gets its number.
set -e
if [ -d /run/systemd/system ]; then
  systemctl daemon-reload || :
fi
[ "${1:-}" = purge ] || exit 0
rm -rf /var/lib/bindery /var/lib/bindery-fetch /var/spool/bindery
rm -rf /etc/systemd/system/bindery-agent.service.d
rmdir /etc/bindery 2>/dev/null || :
