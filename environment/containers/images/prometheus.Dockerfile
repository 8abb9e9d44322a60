# Prometheus and those around it as Debian has them; each service of the override names its own program.
FROM flightschool-trial/debian:bookworm
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends prometheus prometheus-alertmanager prometheus-node-exporter prometheus-pushgateway wget \
    && rm -rf /var/lib/apt/lists/* \
    && install -d -o nobody -g nogroup /prometheus /alertmanager
USER nobody
