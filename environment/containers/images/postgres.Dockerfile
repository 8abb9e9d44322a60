# PostgreSQL as Debian has it, started as the public image starts its own: a first start makes the database, then serves.
FROM flightschool-trial/debian:bookworm
# hadolint ignore=DL3008
RUN apt-get update && apt-get install -y --no-install-recommends postgresql postgresql-client && rm -rf /var/lib/apt/lists/*
ENV PATH=/usr/lib/postgresql/15/bin:$PATH PGDATA=/var/lib/postgresql/data
COPY postgres-start.sh /usr/local/bin/
RUN rm -rf /var/lib/postgresql/15 && install -d -o postgres -g postgres /var/lib/postgresql
USER postgres
ENTRYPOINT ["/usr/local/bin/postgres-start.sh"]
