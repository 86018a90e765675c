package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func service(t *testing.T) http.Handler {
	t.Helper()
	now := func() time.Time { return time.Date(2026, 3, 1, 13, 14, 15, 16_000_000, time.FixedZone("CET", 3600)) }
	return newHandler("1.2.3", now, newMetrics("time_service"), logTo(io.Discard))
}

func ask(handler http.Handler, method, path string) *httptest.ResponseRecorder {
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, httptest.NewRequest(method, path, nil))
	return answer
}

func TestTime(t *testing.T) {
	answer := ask(service(t), "GET", "/api/time")
	if answer.Code != 200 || answer.Header().Get("content-type") != "application/json" {
		t.Fatalf("status %d, headers %v", answer.Code, answer.Header())
	}
	var body map[string]any
	if err := json.Unmarshal(answer.Body.Bytes(), &body); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]any{
		"time": "2026-03-01T12:14:15.016Z", "unix_milliseconds": 1772367255016.0, "local": "13:14:15",
		"timezone": "CET", "utc_offset_seconds": 3600.0, "service": "time-service", "version": "1.2.3",
	} {
		if body[key] != want {
			t.Errorf("%s is %v, not %v", key, body[key], want)
		}
	}
}

func TestHealth(t *testing.T) {
	answer := ask(service(t), "GET", "/health")
	want := `{"dependencies":{},"service":"time-service","status":"healthy","version":"1.2.3"}`
	if got := strings.TrimSpace(answer.Body.String()); answer.Code != 200 || got != want {
		t.Errorf("%d %s", answer.Code, got)
	}
}

func TestOther(t *testing.T) {
	handler := service(t)
	for _, c := range []struct {
		method, path string
		status       int
	}{{"GET", "/", 404}, {"GET", "/api/times", 404}, {"POST", "/api/time", 405}, {"DELETE", "/metrics", 405}} {
		if got := ask(handler, c.method, c.path).Code; got != c.status {
			t.Errorf("%s %s is %d, not %d", c.method, c.path, got, c.status)
		}
	}
}

func TestMetrics(t *testing.T) {
	handler := service(t)
	ask(handler, "GET", "/api/time")
	ask(handler, "GET", "/api/time")
	ask(handler, "GET", "/somewhere/1")
	ask(handler, "GET", "/somewhere/2")
	ask(handler, "BREW", "/somewhere")
	answer := ask(handler, "GET", "/metrics")
	if got := answer.Header().Get("content-type"); !strings.HasPrefix(got, "text/plain; version=0.0.4") {
		t.Errorf("content type %q", got)
	}
	text := answer.Body.String()
	for _, line := range []string{
		`# TYPE time_service_http_requests_total counter`,
		`time_service_http_requests_total{endpoint="/api/time",method="GET",status="200"} 2`,
		`time_service_http_requests_total{endpoint="other",method="GET",status="404"} 2`,
		`time_service_http_requests_total{endpoint="other",method="other",status="404"} 1`,
		`# TYPE time_service_http_request_duration_seconds histogram`,
		`time_service_http_request_duration_seconds_bucket{endpoint="/api/time",method="GET",le="+Inf"} 2`,
		`time_service_http_request_duration_seconds_count{endpoint="/api/time",method="GET"} 2`,
	} {
		if !strings.Contains(text, line+"\n") {
			t.Errorf("no line %s in:\n%s", line, text)
		}
	}
}

func TestHistogram(t *testing.T) {
	m := newMetrics("x")
	for _, seconds := range []float64{0.005, 0.006, 0.3, 60} {
		m.observe("/", "GET", 200, seconds)
	}
	var text strings.Builder
	m.write(&text)
	for _, line := range []string{`le="0.005"} 1`, `le="0.01"} 2`, `le="0.25"} 2`, `le="0.5"} 3`, `le="10"} 3`, `le="+Inf"} 4`,
		`x_http_request_duration_seconds_sum{endpoint="/",method="GET"} 60.311`} {
		if !strings.Contains(text.String(), line+"\n") {
			t.Errorf("no %s in:\n%s", line, text.String())
		}
	}
}

func TestParseStat(t *testing.T) {
	stat := "7 (a (b) c) S 1 7 7 0 -1 4194560 1 2 3 4 250 50 0 0 20 0 9 0 100 1000 300 18446744073709551615 1 1"
	cpu, memory, ok := parseStat(stat, 4096)
	if !ok || cpu != 3 || memory != 300*4096 {
		t.Errorf("%v %v %v", cpu, memory, ok)
	}
	if _, _, ok := parseStat("7 (x) S 1", 4096); ok {
		t.Error("a short line was read")
	}
}
