#!/bin/sh
# Run once by the image, when its volume is new: a database and a role of its own for each server that keeps things here.
set -eu
for name in airflow lakefs marquez mlflow; do
    # The server's password is read from the environment by psql itself, so no command line shows it.
    psql --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --set name="$name" <<SQL
\\getenv password $(echo "$name" | tr a-z A-Z)_DB_PASSWORD
CREATE ROLE :"name" LOGIN PASSWORD :'password';
CREATE DATABASE :"name" OWNER :"name";
REVOKE ALL ON DATABASE :"name" FROM PUBLIC;
SQL
done
