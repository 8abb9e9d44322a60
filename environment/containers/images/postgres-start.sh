#!/bin/sh
# What the public image's entry point does, as far as the compose file relies on it.
set -eu
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    secret=$(mktemp)
    printf %s "$POSTGRES_PASSWORD" >"$secret"
    initdb --encoding UTF8 --locale C.UTF-8 --username "$POSTGRES_USER" --pwfile "$secret" --auth-local trust --auth-host scram-sha-256 >/dev/null
    rm "$secret"
    echo 'host all all all scram-sha-256' >>"$PGDATA/pg_hba.conf"
    pg_ctl -w -o "-c listen_addresses=''" start >/dev/null
    createdb --username "$POSTGRES_USER" "$POSTGRES_DB"
    for script in /docker-entrypoint-initdb.d/*.sh; do
        PGDATABASE=$POSTGRES_DB sh "$script"
    done
    pg_ctl -w stop >/dev/null
fi
exec postgres -c "listen_addresses=*"
