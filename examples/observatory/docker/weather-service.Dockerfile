# From the repository's root, where the lockfile is:
#   docker build -f examples/observatory/docker/weather-service.Dockerfile -t mizzen-examples/observatory-weather-service:1.0.0 .
# Packages in a stage of their own; what runs has no npm, no shell and no root.
FROM node:24-alpine AS packages
WORKDIR /build
COPY package.json package-lock.json ./
COPY examples/observatory/package.json examples/observatory/
RUN npm ci --workspace examples/observatory --omit=dev --omit=peer --ignore-scripts --no-audit --no-fund \
  && rm -rf node_modules/@mizzen-examples

FROM gcr.io/distroless/nodejs24-debian12:nonroot
WORKDIR /app
COPY --from=packages /build/node_modules ./node_modules
COPY examples/observatory/package.json ./
COPY examples/observatory/src/weather-service/*.ts ./src/weather-service/
ENV HOST=0.0.0.0 PORT=5003
EXPOSE 5003
CMD ["src/weather-service/main.ts"]
