# One image for every process of an installation; the command decides which one a container runs:
#   python -m flowforge web                    dashboard, API, webhooks (the default)
#   python -m workers.host orchestrator        or executor, log-sink, or several of them
#   python -m workers.jobs                     schedules, mailboxes, upkeep
#   python -m flowforge db upgrade             migrations, once per release
#   python -m flowforge run                    everything in one container, databases included

FROM node:22-slim@sha256:c3de60bf2f9dd0ac6370e6117950ff62d6e339527e7472301c9c78a017978392 AS static
WORKDIR /build
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund

FROM python:3.11-slim@sha256:9c900dea9e8fb7e16277c179b555cc72d29a352dbc33cff48ad5a0412fd5bfc7 AS vendor
WORKDIR /build
COPY package.json ./
COPY scripts/vendor_static.py scripts/
COPY --from=static /build/node_modules node_modules
RUN python scripts/vendor_static.py --installed

FROM python:3.11-slim@sha256:9c900dea9e8fb7e16277c179b555cc72d29a352dbc33cff48ad5a0412fd5bfc7 AS dependencies
RUN python -m venv /opt/flowforge
COPY requirements.lock ./
RUN /opt/flowforge/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements.lock

FROM dependencies AS help
WORKDIR /build
COPY requirements-docs.lock ./
RUN /opt/flowforge/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements-docs.lock
COPY flowforge flowforge
COPY webapp webapp
COPY static/icons.svg static/
COPY docs docs
COPY examples examples
COPY mkdocs.yml ./
COPY scripts/help_reference.py scripts/help_site.py scripts/
RUN /opt/flowforge/bin/python -m scripts.help_site

FROM python:3.11-slim@sha256:9c900dea9e8fb7e16277c179b555cc72d29a352dbc33cff48ad5a0412fd5bfc7
RUN useradd --uid 10001 --user-group --home-dir /var/lib/flowforge --create-home --shell /usr/sbin/nologin flowforge \
    && install --directory --owner=flowforge --group=flowforge --mode=0700 \
       /var/lib/flowforge-files /var/lib/flowforge/renewed-tokens /var/lib/flowforge/kafka-members
COPY --from=dependencies /opt/flowforge /opt/flowforge
WORKDIR /app
COPY flowforge flowforge
COPY webapp webapp
COPY workers workers
COPY migrations migrations
COPY templates templates
COPY translations translations
COPY static static
COPY --from=vendor /build/static/vendor static/vendor
COPY --from=help /build/site site
ENV PATH=/opt/flowforge/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    MALLOC_ARENA_MAX=2 \
    MALLOC_MMAP_THRESHOLD_=262144 \
    HOST=0.0.0.0 \
    FLOWFORGE_HOME=/var/lib/flowforge
USER flowforge
VOLUME /var/lib/flowforge
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=10s --start-period=60s --retries=3 CMD ["python", "-m", "flowforge", "healthy"]
CMD ["python", "-m", "flowforge", "web"]
