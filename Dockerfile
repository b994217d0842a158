# syntax=docker/dockerfile:1

FROM rust:1.95-bookworm AS build
WORKDIR /source
COPY . .
# The caches are not part of the layer, so the binary is copied out of them.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/source/target \
    cargo build --locked --release --bin gatehouse \
    && cp target/release/gatehouse /usr/local/bin/gatehouse

FROM debian:bookworm-slim
# ca-certificates: vendors' certificates are checked against the system's roots. curl: the health check.
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates curl \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --no-create-home gatehouse \
    && install -d -o gatehouse -g gatehouse -m 700 /data
COPY --from=build /usr/local/bin/gatehouse /usr/local/bin/gatehouse
USER gatehouse
WORKDIR /data
VOLUME /data
# Inside a container the loopback address can not be reached from outside.
ENV GATEHOUSE_DATA_DIRECTORY=/data \
    GATEHOUSE_HTTP_ADDRESS=0.0.0.0:8080 \
    GATEHOUSE_SIMULATOR_ADDRESS=0.0.0.0:8090
EXPOSE 8080 8090
STOPSIGNAL SIGTERM
# For `gatehouse` and `gatehouse api`. The other commands do not answer HTTP on 8080: docker-compose.yml replaces or disables it.
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
    CMD ["curl", "--fail", "--silent", "--output", "/dev/null", "http://127.0.0.1:8080/healthz"]
ENTRYPOINT ["gatehouse"]
