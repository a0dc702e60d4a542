# One image for web, worker and migration; docker-compose.yml says which is which.
FROM python:3.12-slim-bookworm AS build
WORKDIR /srv/whetstone
RUN python -m venv /opt/venv
COPY requirements.txt ./
RUN /opt/venv/bin/pip install --no-cache-dir --disable-pip-version-check --no-deps --only-binary=:all: --require-hashes -r requirements.txt
COPY pyproject.toml README.md LICENSE ./
COPY app app
RUN /opt/venv/bin/pip install --no-cache-dir --disable-pip-version-check --no-deps --no-build-isolation --editable .

FROM python:3.12-slim-bookworm
RUN useradd --system --uid 10001 --home-dir /srv/whetstone --shell /usr/sbin/nologin whetstone \
    && mkdir -p /data/experiments && chown -R whetstone /data
WORKDIR /srv/whetstone
COPY --from=build /opt/venv /opt/venv
COPY pyproject.toml README.md LICENSE config.yaml alembic.ini worker.py wsgi.py ./
COPY app app
COPY migrations migrations
COPY prompts prompts
COPY data/samples data/samples
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    WHETSTONE_DATA_DIR=/data \
    WHETSTONE_EXPERIMENTS_DIR=/data/experiments \
    WHETSTONE_HOST=0.0.0.0
USER whetstone
VOLUME /data
EXPOSE 8000
CMD ["whetstone", "web"]
