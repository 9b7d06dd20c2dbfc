#!/bin/sh
# Runs before the package's files go. Debian says "remove" and RPM says 0 when
# the package is removed; an upgrade leaves the service running.
set -e

case "${1:-}" in
remove | 0)
	if [ -d /run/systemd/system ]; then
		systemctl disable --now chatops.service
	fi
	;;
esac
