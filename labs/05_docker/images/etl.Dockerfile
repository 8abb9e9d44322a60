# The ETL as an image. From the repository's root:
#   docker build -f labs/05_docker/images/etl.Dockerfile -t flights-etl:1.4.2 --build-arg SOURCE_DATE_EPOCH="$(git log -1 --format=%ct)" .
ARG PYTHON=python:3.11.14-slim-bookworm

FROM ${PYTHON} AS packages
# The commit's time in place of the build's: byte code then holds no clock.
ARG SOURCE_DATE_EPOCH
WORKDIR /build
COPY labs/05_docker/images/etl.lock ./
RUN python -m venv /venv \
    && /venv/bin/pip install --no-cache-dir --require-hashes -r etl.lock

FROM ${PYTHON}
RUN apt-get update \
    && apt-get install -y --no-install-recommends openjdk-17-jre-headless=17.* \
    && rm -rf /var/lib/apt/lists/* /var/log/apt /var/log/dpkg.log
COPY --from=packages /venv /venv
ENV PATH=/venv/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
WORKDIR /app
COPY labs/etl/*.py etl/
LABEL org.opencontainers.image.title="flights-etl" \
      org.opencontainers.image.version="1.4.2" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.base.name="python:3.11.14-slim-bookworm"
USER 10001:10001
HEALTHCHECK --interval=30s --timeout=20s CMD ["python", "-c", "import etl"]
ENTRYPOINT ["python", "-m", "etl"]
CMD ["--help"]
