# The bot in an image: `docker build -t dreamreel .`
# docs/operate.md says how to run it and how to try the sandbox in it.

FROM python:3.13.15-slim-trixie@sha256:7c61056e61ac89e852de05f3dc6fa51a6dd2181797bceed46aa725dd7cb2cd3b AS base

FROM base AS build
WORKDIR /src
# Download only what the lock names, and check each file's hash.
COPY requirements requirements
RUN python -m venv /opt/build \
 && /opt/build/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes --only-binary :all: --requirement requirements/build.txt \
 && python -m venv --without-pip /opt/dreamreel \
 && /opt/build/bin/pip --python /opt/dreamreel/bin/python install --no-cache-dir --disable-pip-version-check --require-hashes --only-binary :all: --requirement requirements/run.txt
COPY pyproject.toml README.md LICENSE ./
COPY bot bot
RUN /opt/build/bin/pip wheel --no-cache-dir --disable-pip-version-check --no-deps --no-build-isolation --wheel-dir /wheel . \
 && /opt/build/bin/pip --python /opt/dreamreel/bin/python install --no-cache-dir --disable-pip-version-check --no-deps --no-index /wheel/*.whl

FROM base
# A fixed id, so that a folder of the host can belong to it: chown 10001:10001.
RUN groupadd --gid 10001 dreamreel \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /data --shell /usr/sbin/nologin dreamreel \
 && install -d -o dreamreel -g dreamreel -m 0700 /data
COPY --from=build /opt/dreamreel /opt/dreamreel
# Safe path: Python never imports a file from the data folder.
ENV PATH=/opt/dreamreel/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONSAFEPATH=1 \
    DATA_DIR=/data \
    DATABASE_URL=sqlite:////data/dreamreel.db \
    LISTEN_PORT=8080
USER 10001:10001
# No VOLUME: Railway refuses it. What must outlast the container is mounted at /data, as compose.yaml does.
WORKDIR /data
# A submit in flight takes up to 60 s to end: stop with --stop-timeout 75, as compose.yaml does.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as web; web.urlopen('http://127.0.0.1:' + os.environ['LISTEN_PORT'] + '/healthz', timeout=4)"]
ENTRYPOINT ["python", "-m", "bot"]
CMD ["run"]
