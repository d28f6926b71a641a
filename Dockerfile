# The image of llm-router: one static binary, its policy, and the certificates of the usual authorities.
#
#   docker build --build-arg COMMIT=$(git rev-parse --short=12 HEAD) -t llm-router .
#   docker run -p 8080:8080 -e ROUTER_KEY=... -v ./routes.yaml:/etc/llm-router/routes.yaml:ro llm-router
#
# SIGTERM drains: running requests may take as long as `drain` of the policy (30 s), so give `docker stop` more than its
# ten seconds (`docker stop -t 45`, or `stop_grace_period` in compose.yaml).
FROM swift:6.3-bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends libyaml-dev libsqlite3-dev zlib1g-dev make \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
ARG COMMIT=
RUN make static LLM_ROUTER_COMMIT=$COMMIT && strip -o /llm-router .build-static/release/llm-router \
    && Packaging/notices .build-static/checkouts > /THIRD-PARTY-NOTICES

FROM debian:13-slim
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 10001 llm-router \
    && useradd --uid 10001 --gid 10001 --no-create-home --shell /usr/sbin/nologin llm-router
COPY --from=build /llm-router /usr/bin/llm-router
COPY --from=build /THIRD-PARTY-NOTICES /src/LICENSE /usr/share/doc/llm-router/
COPY Packaging/container/routes.yaml /etc/llm-router/routes.yaml
USER 10001:10001
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=6s --start-period=5s CMD ["llm-router", "health"]
ENTRYPOINT ["llm-router"]
CMD ["serve", "/etc/llm-router/routes.yaml"]
