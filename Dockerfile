# The proxy in a container: no root, no compiler, no state of its own but one volume.
#
#   docker build --tag telemed-proxy .
#
# How to run it, and why these defaults: README.md, "Docker".

ARG BASE=python:3.13-slim-bookworm

# -- Installs the program and what it needs into one folder ------------------------
FROM ${BASE} AS build
WORKDIR /source
COPY pyproject.toml README.md ./
COPY proxy/ proxy/
RUN python -m venv /opt/telemed-proxy \
    && /opt/telemed-proxy/bin/pip install --no-cache-dir '.[encryption,redis,speed]'

# -- Runs it -----------------------------------------------------------------------
FROM ${BASE}
COPY --from=build /opt/telemed-proxy /opt/telemed-proxy

# The ids are fixed, so that files on the volume keep their owner over rebuilds.
RUN groupadd --gid 10001 telemed \
    && useradd --uid 10001 --gid telemed --home-dir /var/lib/telemed-proxy telemed \
    && install --directory --owner telemed --group telemed --mode 0700 /var/lib/telemed-proxy

# From outside, a container's loopback cannot be reached: so it listens everywhere, and
# callers must send the local key. The admin listener stays on the container's loopback,
# where `docker exec` reaches it. Set the rest in the same way, such as
# TELEMED_PROXY__UPSTREAM__CLIENT_ID, or in /etc/telemed-proxy/config.yaml.
ENV PATH=/opt/telemed-proxy/bin:$PATH \
    TELEMED_PROXY__LISTEN=0.0.0.0:8080 \
    TELEMED_PROXY__ACCESS__LOCAL_KEY_FILE=/run/secrets/local_key \
    TELEMED_PROXY__STORE__URL=file:/var/lib/telemed-proxy/tokens.json

USER 10001:10001
WORKDIR /etc/telemed-proxy
VOLUME /var/lib/telemed-proxy
EXPOSE 8080

# Healthy: it runs, and somebody is logged in. Otherwise its output says what to do.
HEALTHCHECK --interval=30s --timeout=5s --start-period=5s \
    CMD ["telemed-proxy", "status"]

ENTRYPOINT ["telemed-proxy"]
CMD ["serve"]
