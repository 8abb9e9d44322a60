# The delay API with FastAPI. From the folder that holds delays/, images/ and a trained model.json:
#   docker build -f images/api.Dockerfile -t delays-api:2.0.1 .
ARG PYTHON=python:3.11.14-slim-bookworm

FROM ${PYTHON} AS packages
ARG SOURCE_DATE_EPOCH
WORKDIR /build
COPY images/api.lock ./
RUN python -m venv /venv \
    && /venv/bin/pip install --no-cache-dir --require-hashes -r api.lock

FROM ${PYTHON}
COPY --from=packages /venv /venv
ENV PATH=/venv/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 MODEL=/app/model.json
WORKDIR /app
LABEL org.opencontainers.image.title="delays-api" \
      org.opencontainers.image.version="2.0.1" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.base.name="python:3.11.14-slim-bookworm"
COPY model.json ./
COPY delays/*.py delays/
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/health', timeout=4)"]
CMD ["uvicorn", "delays.delay_api:app", "--host", "0.0.0.0", "--port", "8000"]
