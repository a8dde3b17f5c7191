#!/bin/sh
# Makes the secrets of scaled.yml, once, in .env beside it. Nothing has a default that others could know.
set -eu
file="$(dirname "$0")/.env"
if [ -e "$file" ]; then
    echo "$file is there already: nothing was changed" >&2
    exit 0
fi
umask 077
secret() { head -c 32 /dev/urandom | od -An -v -tx1 | tr -d ' \n'; }
{
    for name in POSTGRES_PASSWORD JWT_SECRET MQTT_PASSWORD MOSQUITTO_AUTH_SECRET REDIS_PASSWORD METRICS_TOKEN; do
        echo "$name=$(secret)"
    done
} > "$file"
echo "made $file"
