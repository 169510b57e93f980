#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The database, the keys and what was published go with a purge alone. rpm knows no
# purge and leaves them. The user stays, so that nobody else gets its number.
set -e
if [ -d /run/systemd/system ]; then
  systemctl daemon-reload || :
  case "${1:-}" in
  remove | purge | 0) systemctl reset-failed bindery.service 2>/dev/null || : ;;
  esac
fi
[ "${1:-}" = purge ] || exit 0
rm -rf /var/lib/bindery-controller
rm -rf /etc/systemd/system/bindery.service.d
rmdir /etc/bindery 2>/dev/null || :
