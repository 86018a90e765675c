package main

import (
	"fmt"
	"io"
	"net/http"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"
)

// buckets are the upper bounds of the histogram in seconds; +Inf is implied.
var buckets = []float64{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10}

// methods are those that get a label of their own, so that a client cannot make as many series as it likes.
var methods = map[string]bool{
	"GET": true, "HEAD": true, "POST": true, "PUT": true, "PATCH": true, "DELETE": true, "OPTIONS": true,
}

type requestKey struct{ endpoint, method, status string }

type histogram struct {
	counts []uint64
	sum    float64
	total  uint64
}

// metrics counts requests and writes them in Prometheus' text format.
type metrics struct {
	service string
	mutex   sync.Mutex
	totals  map[requestKey]uint64
	seconds map[requestKey]*histogram
}

func newMetrics(service string) *metrics {
	return &metrics{service: service, totals: map[requestKey]uint64{}, seconds: map[requestKey]*histogram{}}
}

// count wraps a handler so that its answers are counted under an endpoint.
func (m *metrics) count(endpoint string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		started := time.Now()
		recorder := &statusRecorder{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(recorder, r)
		method := r.Method
		if !methods[method] {
			method = "other"
		}
		m.observe(endpoint, method, recorder.status, time.Since(started).Seconds())
	})
}

func (m *metrics) observe(endpoint, method string, status int, seconds float64) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	m.totals[requestKey{endpoint, method, strconv.Itoa(status)}]++
	key := requestKey{endpoint: endpoint, method: method}
	h := m.seconds[key]
	if h == nil {
		h = &histogram{counts: make([]uint64, len(buckets))}
		m.seconds[key] = h
	}
	for i, bound := range buckets {
		if seconds <= bound {
			h.counts[i]++
		}
	}
	h.sum += seconds
	h.total++
}

func (m *metrics) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("content-type", "text/plain; version=0.0.4; charset=utf-8")
	var text strings.Builder
	m.write(&text)
	writeProcess(&text)
	_, _ = io.WriteString(w, text.String())
}

func (m *metrics) write(w io.Writer) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	name := m.service + "_http_requests_total"
	fmt.Fprintf(w, "# HELP %s Requests answered.\n# TYPE %s counter\n", name, name)
	for _, key := range sorted(m.totals) {
		fmt.Fprintf(w, "%s{endpoint=%q,method=%q,status=%q} %d\n", name, key.endpoint, key.method, key.status, m.totals[key])
	}
	name = m.service + "_http_request_duration_seconds"
	fmt.Fprintf(w, "# HELP %s Time to answer.\n# TYPE %s histogram\n", name, name)
	for _, key := range sorted(m.seconds) {
		h := m.seconds[key]
		labels := fmt.Sprintf("endpoint=%q,method=%q", key.endpoint, key.method)
		for i, bound := range buckets {
			fmt.Fprintf(w, "%s_bucket{%s,le=\"%g\"} %d\n", name, labels, bound, h.counts[i])
		}
		fmt.Fprintf(w, "%s_bucket{%s,le=\"+Inf\"} %d\n", name, labels, h.total)
		fmt.Fprintf(w, "%s_sum{%s} %g\n%s_count{%s} %d\n", name, labels, h.sum, name, labels, h.total)
	}
}

func sorted[V any](series map[requestKey]V) []requestKey {
	keys := make([]requestKey, 0, len(series))
	for key := range series {
		keys = append(keys, key)
	}
	sort.Slice(keys, func(i, j int) bool {
		a, b := keys[i], keys[j]
		return a.endpoint+"\x00"+a.method+"\x00"+a.status < b.endpoint+"\x00"+b.method+"\x00"+b.status
	})
	return keys
}

type statusRecorder struct {
	http.ResponseWriter
	status int
}

func (r *statusRecorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}
