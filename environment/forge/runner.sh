#!/bin/sh
# Registers the runner with the secret that the forge knows, and waits for jobs.
set -eu
cd /data
forgejo-runner create-runner-file --instance http://forge:3000 --secret "$FORGE_RUNNER_SECRET" --name runner --connect
exec forgejo-runner --config /etc/forge/runner.yml daemon
