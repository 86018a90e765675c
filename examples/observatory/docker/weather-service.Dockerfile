# Packages in a stage of their own; what runs has no npm, no shell and no root.
FROM node:24-alpine AS packages
WORKDIR /app
COPY package.json ./
RUN npm install --omit=dev --no-audit --no-fund

FROM gcr.io/distroless/nodejs24-debian12:nonroot
WORKDIR /app
COPY --from=packages /app/node_modules ./node_modules
COPY package.json ./
COPY src/weather-service/*.ts ./src/weather-service/
ENV HOST=0.0.0.0 PORT=5003
EXPOSE 5003
CMD ["src/weather-service/main.ts"]
