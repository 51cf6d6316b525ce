# The image: one binary and the C library it is linked with. No shell, no package manager, no other user.
#   docker build -t cognate:0.1.0 .
# For a build that gives the same bytes again, pin the toolchain by digest and fix the time:
#   docker build --build-arg RUST_IMAGE=rust:1.95-bookworm@sha256:… --build-arg SOURCE_DATE_EPOCH=0 …
ARG RUST_IMAGE=rust:1.95-bookworm

FROM ${RUST_IMAGE} AS build
ARG SOURCE_DATE_EPOCH=0
# The image holds what serves; names of functions for a debugger are left out.
ENV CARGO_PROFILE_RELEASE_STRIP=symbols
WORKDIR /src
COPY . .
RUN cargo build --release --locked --bin cognate && .ci/rootfs target/release/cognate /rootfs

FROM scratch
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="cognate" \
      org.opencontainers.image.description="A self-hosted token issuer: a Cognito-style user pool in one binary" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build /rootfs /
ENV COGNATE__DATA=/data
# By number, so that Kubernetes can tell that it is not root.
USER 65532:65532
VOLUME /data
EXPOSE 8080
# SIGTERM drains: see http.drain and http.shutdown.
STOPSIGNAL SIGTERM
ENTRYPOINT ["/cognate"]
CMD ["serve"]
