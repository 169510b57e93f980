#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What the host was made into stays in any case: it is the host's. The agent's own
# state, with its keys, its copies and what it could take back, goes with a purge. rpm knows no
# purge and leaves it. The user stays, so that nobody else gets its number.
set -e
if [ -d /run/systemd/system ]; then
  systemctl daemon-reload || :
  case "${1:-}" in
  # What failed last, for want of a network, is listed until it is forgotten.
  remove | purge | 0) systemctl reset-failed bindery-agent.service bindery-agent-fetch.service 2>/dev/null || : ;;
  esac
fi
[ "${1:-}" = purge ] || exit 0
rm -rf /var/lib/bindery /var/lib/bindery-fetch /var/spool/bindery
rm -rf /var/cache/bindery
rm -rf /etc/systemd/system/bindery-agent.service.d /etc/systemd/system/bindery-agent-fetch.service.d
rmdir /etc/bindery 2>/dev/null || :
