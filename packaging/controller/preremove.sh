#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
set -e
case "${1:-}" in
remove | 0) ;;
*) exit 0 ;;
esac
if [ -d /run/systemd/system ]; then
  systemctl --quiet stop bindery.service || :
fi
if command -v systemctl >/dev/null 2>&1; then
  systemctl --quiet disable bindery.service || :
fi
