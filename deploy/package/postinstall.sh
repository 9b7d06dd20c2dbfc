#!/bin/sh
# Runs after the package was installed or upgraded.
set -e

if command -v systemd-sysusers >/dev/null 2>&1; then
	systemd-sysusers chatops.conf
	# The settings may hold secrets: for root and the service only.
	chgrp chatops /etc/chatops/chatops.env
fi

if [ -d /run/systemd/system ]; then
	systemctl daemon-reload
	# A service that runs is restarted with the new program; none is started.
	systemctl try-restart chatops.service
fi
