// Command time-service tells the time: GET /api/time, /health and /metrics. Nothing but the standard library.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

func main() {
	log := logTo(os.Stdout)
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

	log(map[string]any{"listening": address})
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		log(map[string]any{"error": err.Error()})
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
func newHandler(version string, now func() time.Time, metrics *metrics, log logger) http.Handler {
	routes := http.NewServeMux()
	handle := func(path string, answer http.HandlerFunc) {
		routes.Handle(path, metrics.count(path, onlyGet(answer)))
	}
	handle("/api/time", func(w http.ResponseWriter, r *http.Request) {
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
		log(map[string]any{
			"path": r.URL.Path, "request_id": r.Header.Get("x-request-id"), "traceparent": r.Header.Get("traceparent"),
		})
	})
	handle("/health", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, map[string]any{
			"status": "healthy", "service": "time-service", "version": version, "dependencies": map[string]string{},
		})
	})
	routes.Handle("/metrics", onlyGet(metrics))
	// What nobody declared shares a label, or a client could make as many series as it likes.
	routes.Handle("/", metrics.count("other", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusNotFound, map[string]string{"error": "not found"})
	})))
	return routes
}

func onlyGet(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet || r.Method == http.MethodHead {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Set("allow", "GET, HEAD")
		writeJSON(w, http.StatusMethodNotAllowed, map[string]string{"error": "only GET is answered"})
	})
}

// logger writes what happened as one line of JSON.
type logger func(entry map[string]any)

func logTo(w io.Writer) logger {
	var mutex sync.Mutex
	encoder := json.NewEncoder(w)
	return func(entry map[string]any) {
		mutex.Lock()
		defer mutex.Unlock()
		entry["when"] = time.Now().UTC().Format(time.RFC3339Nano)
		entry["service"] = "time-service"
		_ = encoder.Encode(entry)
	}
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("content-type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}
