# By tag: pin it by the digest that `docker buildx imagetools inspect node:24-slim` prints when you build for production.
FROM node:24-slim AS build
WORKDIR /app
# Only for the password hash, and only if it has to be compiled.
RUN if [ "$(uname -m)" = x86_64 ]; then \
  apt-get update && apt-get install -y --no-install-recommends g++ make python3 || true; fi
COPY package.json package-lock.json .npmrc ./
COPY scripts/trim.js ./scripts/
# The native packages include their binaries, so no install script has to run.
RUN npm ci --omit=dev --ignore-scripts && node scripts/trim.js
COPY .env.example ./
COPY deploy/healthy ./deploy/
COPY migrations ./migrations
COPY src ./src
# The password hash for processors with AVX2, where it can be compiled here. Elsewhere it stays as it comes.
RUN NODE_DISABLE_COMPILE_CACHE=1 node src/cli/keyturn.js build-hash --for avx2 || true
# One start fills the compile cache, for the user who starts the service later: Node.js keeps one for each.
RUN mkdir node_modules/.cache && chown node node_modules/.cache
USER node
RUN export SECRET_KEY=$(head -c 32 /dev/urandom | base64) DATABASE_URL=sqlite::memory: log=node_modules/.cache/log; \
  node --max-semi-space-size=8 src/cli/keyturn.js serve > $log & service=$!; \
  until grep -qs '"msg":"ready"' $log; do kill -0 $service && sleep 1 || exit 1; done; \
  kill -INT $service && wait $service && rm $log && chmod -R a+rX node_modules/.cache

FROM node:24-slim
LABEL org.opencontainers.image.title="Keyturn" \
  org.opencontainers.image.description="Self-hosted accounts with a real second factor" \
  org.opencontainers.image.licenses="MIT"
# Give the rest when it runs: SECRET_KEY, and ISSUER, the address that clients know the service by.
ENV NODE_ENV=production \
    HOST=0.0.0.0 \
    PORT=3000 \
    DATABASE_URL=sqlite:/data/keyturn.db
WORKDIR /app
# Everything belongs to root, so the service cannot change its own code.
COPY --from=build /app ./
RUN mkdir -m 0700 /data && chown node:node /data
USER node
VOLUME /data
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s CMD ["bash", "deploy/healthy"]
CMD ["node", "--max-semi-space-size=8", "src/cli/keyturn.js", "serve"]
