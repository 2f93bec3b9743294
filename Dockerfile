# The image of weir: the built program and what it needs to run, without tools to build it.
FROM node:24.21.0-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# Without scripts: "prepare" would build, and its sources are not here yet. LevelDB comes built.
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
COPY state ./state
COPY topologies ./topologies
COPY build ./build
RUN npm run build

FROM node:24.21.0-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY build ./build
# With the packages that are optional for a library's user, all in the versions of the lock file.
RUN node build/application-package.mjs && npm install --omit=dev --ignore-scripts

FROM node:24.21.0-bookworm-slim
LABEL org.opencontainers.image.title="weir" \
      org.opencontainers.image.description="Kafka Streams for Node, and the statistics of a smart-meter grid built on it" \
      org.opencontainers.image.licenses="MIT"
WORKDIR /app
# A volume that is new gets the owner of the folder it is mounted on.
RUN mkdir /state /data && chown node:node /state /data
COPY package.json LICENSE ./
COPY grafana ./grafana
COPY --from=dependencies /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
USER node
# In a container the loopback is nobody's but its own: what may reach the port is decided where it is published. It starts with a token (WEIR_HTTP_TOKEN) or with --open only.
ENV NODE_ENV=production \
    WEIR_HOST=0.0.0.0 \
    WEIR_PORT=8080 \
    WEIR_STATE_DIR=/state
VOLUME /state
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.WEIR_PORT ?? 8080}/readyz`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["node", "dist/topologies/grid/main.js"]
CMD ["--help"]
