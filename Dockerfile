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
# chromium-headless-shell makes the image a third smaller; it has no windowed mode.
ARG BROWSER_PACKAGE=chromium
# Empty by default; fonts-noto-cjk draws Chinese, Japanese and Korean pages.
ARG EXTRA_PACKAGES=""
LABEL org.opencontainers.image.title="Poolwright" \
      org.opencontainers.image.description="Brings back every attachment of a list of purchase orders from a procurement portal" \
      org.opencontainers.image.licenses="MIT"
# shellcheck disable=SC2086 # several extra packages are several words
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        ca-certificates \
        fonts-liberation \
        fonts-noto-color-emoji \
        libatomic1 \
        python3 \
        tini \
        "${BROWSER_PACKAGE}" \
        ${EXTRA_PACKAGES} \
    && apt-get clean \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 10001 poolwright \
    && useradd --uid 10001 --gid 10001 --no-log-init --create-home --home-dir /data poolwright
# The same path and the same Python as in the first stage: a virtual environment cannot be moved.
COPY --from=build /opt/poolwright /opt/poolwright
ENV PATH=/opt/poolwright/bin:$PATH \
    PYTHONUNBUFFERED=1
USER 10001:10001
# Input, output, profiles and the journal live here: mount a folder over it to keep them.
WORKDIR /data
# Docker waits 10 s after this signal and then kills; orders in flight may take longer: docker stop --time 70.
STOPSIGNAL SIGTERM
# tini collects what a killed browser leaves behind; -s keeps it quiet under an init of the engine's own.
ENTRYPOINT ["/usr/bin/tini", "-s", "--", "poolwright"]
CMD ["--help"]
