#!/bin/sh
# Sets Forgejo up before it serves: its database, one administrator and the runner, with secrets from .env. Can be run again.
set -eu
forgejo migrate
forgejo admin user change-password --username learner --password "$FORGE_PASSWORD" --must-change-password=false ||
    forgejo admin user create --admin --username learner --password "$FORGE_PASSWORD" --email learner@example.org \
        --must-change-password=false
forgejo forgejo-cli actions register --name runner --secret "$FORGE_RUNNER_SECRET" --labels "ubuntu-latest:host"
exec forgejo web
