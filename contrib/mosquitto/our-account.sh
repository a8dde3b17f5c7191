#!/bin/sh
# Makes the account by which iotistic uses a broker with dynamic-security and looks after the other accounts, once.
# Usage: our-account.sh USERNAME, after mosquitto_ctrl's own options (host, port, TLS, the admin's name and password),
# for which it is called as in README.md. The password of the new account comes from MQTT_PASSWORD.
set -eu
if [ $# -lt 2 ] || [ -z "${MQTT_PASSWORD:-}" ]; then
    echo "usage: MQTT_PASSWORD=... $0 OPTIONS-OF-MOSQUITTO_CTRL... USERNAME" >&2
    exit 2
fi
for name; do :; done
count=$#
# All but the last argument are options.
while [ "$count" -gt 1 ]; do
    set -- "$@" "$1"
    shift
    count=$((count - 1))
done
shift

# The role admin may look after accounts and hear everything; to say something takes this one.
mosquitto_ctrl "$@" dynsec createRole "$name"
mosquitto_ctrl "$@" dynsec addRoleACL "$name" publishClientSend '#' allow
mosquitto_ctrl "$@" dynsec addRoleACL "$name" subscribePattern '$share/#' allow
mosquitto_ctrl "$@" dynsec createClient "$name" -p "$MQTT_PASSWORD"
mosquitto_ctrl "$@" dynsec addClientRole "$name" admin
mosquitto_ctrl "$@" dynsec addClientRole "$name" "$name"
