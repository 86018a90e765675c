// Command time-service tells the time: GET /api/time, /health and /metrics. Nothing but the standard library.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	log := slog.New(slog.NewJSONHandler(os.Stdout, nil))
	address := net.JoinHostPort(env("HOST", "127.0.0.1"), env("PORT", "5001"))
	server := &http.Server{
		Addr:              address,
		Handler:           newHandler(env("VERSION", "1.0.0"), time.Now, newMetrics("time_service"), log),
		ReadHeaderTimeout: 5 * time.Second,
	}

	stopping, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	go func() {
		<-stopping.Done()
		deadline, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		_ = server.Shutdown(deadline)
	}()

	log.Info("listening", "address", address)
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		log.Error("cannot listen", "error", err.Error())
		os.Exit(1)
	}
}

func env(name, fallback string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return fallback
}

// newHandler answers all that the service answers; now is the clock it reads.
func newHandler(version string, now func() time.Time, metrics *metrics, log *slog.Logger) http.Handler {
	routes := http.NewServeMux()
	handle := func(pattern, endpoint string, answer http.HandlerFunc) {
		routes.Handle(pattern, metrics.count(endpoint, answer))
	}
	handle("GET /api/time", "/api/time", func(w http.ResponseWriter, r *http.Request) {
		t := now()
		zone, offset := t.Zone()
		writeJSON(w, http.StatusOK, map[string]any{
			"time":               t.UTC().Format(time.RFC3339Nano),
			"unix_milliseconds":  t.UnixMilli(),
			"local":              t.Format("15:04:05"),
			"timezone":           zone,
			"utc_offset_seconds": offset,
			"service":            "time-service",
			"version":            version,
		})
		log.Info("request", "path", r.URL.Path, "request_id", r.Header.Get("x-request-id"),
			"traceparent", r.Header.Get("traceparent"))
	})
	handle("GET /health", "/health", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, map[string]any{
			"status": "healthy", "service": "time-service", "version": version, "dependencies": map[string]string{},
		})
	})
	routes.Handle("GET /metrics", metrics)
	handle("/", "other", func(w http.ResponseWriter, r *http.Request) {
		status, reason := http.StatusNotFound, "not found"
		switch r.URL.Path {
		case "/api/time", "/health", "/metrics":
			status, reason = http.StatusMethodNotAllowed, "only GET is answered"
			w.Header().Set("allow", "GET, HEAD")
		}
		writeJSON(w, status, map[string]string{"error": reason})
	})
	return routes
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("content-type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}
