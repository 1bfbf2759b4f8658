# Poolwright for headless runs. Two stages: what builds stays behind; the image holds Python, a browser and the program.
ARG BASE=docker.io/library/debian:trixie-slim

FROM ${BASE} AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends python3 python3-venv \
    && apt-get clean \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
# Packages first: they change less often than the program, and this layer is the slow one.
COPY requirements/install.txt requirements/runtime.txt requirements/
RUN python3 -m venv /opt/tools \
    && /opt/tools/bin/pip install --no-cache-dir --require-hashes -r requirements/install.txt \
    && python3 -m venv --without-pip /opt/poolwright \
    && /opt/tools/bin/uv pip sync --no-cache --python /opt/poolwright/bin/python --link-mode copy \
        --compile-bytecode --require-hashes requirements/runtime.txt
COPY pyproject.toml README.md LICENSE ./
COPY app app
RUN /opt/tools/bin/pip wheel --no-cache-dir --no-index --no-deps --no-build-isolation --wheel-dir dist . \
    && /opt/tools/bin/uv pip install --no-cache --offline --python /opt/poolwright/bin/python --link-mode copy \
        --compile-bytecode --no-deps dist/*.whl

FROM ${BASE} AS runtime
# The whole browser makes profiles, the headless shell does the work. Either alone will do: chromium, or
# chromium-headless-shell (the smallest image); or playwright for both as it downloads them.
ARG BROWSER="chromium chromium-headless-shell"
# Empty by default; fonts-noto-cjk draws Chinese, Japanese and Korean pages.
ARG EXTRA_PACKAGES=""
# chromium-sandbox, the setuid helper, is left out: where user namespaces are allowed it is not needed, and under
# no-new-privileges it could not work.
# shellcheck disable=SC2086 # several extra packages are several words
RUN case "${BROWSER}" in playwright) browser="" ;; *) browser="${BROWSER}" ;; esac \
    && apt-get update \
    && apt-get install -y --no-install-recommends \
        ca-certificates \
        fonts-liberation \
        fonts-noto-color-emoji \
        libatomic1 \
        python3 \
        tini \
        ${browser} \
        ${EXTRA_PACKAGES} \
    && apt-get clean \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 10001 poolwright \
    && useradd --uid 10001 --gid 10001 --no-log-init --no-create-home --home-dir /tmp poolwright \
    && install -d -o 10001 -g 10001 -m 0700 /data/profiles /data/out \
    && install -d -m 0755 /data/in
# The same path and the same Python as in the first stage: a virtual environment cannot be moved.
COPY --from=build /opt/poolwright /opt/poolwright
ENV PLAYWRIGHT_BROWSERS_PATH=/opt/browsers
RUN if [ "${BROWSER}" = playwright ]; then \
        /opt/poolwright/bin/python -m playwright install --with-deps chromium \
        && apt-get clean \
        && rm -rf /var/lib/apt/lists/*; \
    fi
# What is written at a run goes to /tmp and to the two volumes, so the root may be read-only and the user any number.
ENV PATH=/opt/poolwright/bin:$PATH \
    HOME=/tmp \
    LANG=C.UTF-8 \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    POOLWRIGHT_PROFILES_DIR=/data/profiles \
    POOLWRIGHT_OUT=/data/out \
    POOLWRIGHT_RUNS_DIR=/tmp/pw
USER 10001:10001
WORKDIR /data
VOLUME ["/data/profiles", "/data/out"]
EXPOSE 8484
# Docker waits 10 s after this signal and then kills; orders in flight may take longer: docker stop --time 70.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --retries=3 CMD ["poolwright", "health"]
# tini collects what a killed browser leaves behind; -s keeps it quiet under an init of the engine's own.
ENTRYPOINT ["/usr/bin/tini", "-s", "--", "poolwright"]
CMD ["--help"]
ARG VERSION=""
ARG REVISION=""
LABEL org.opencontainers.image.title="Poolwright" \
      org.opencontainers.image.description="Brings back every attachment of a list of purchase orders from a procurement portal" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
