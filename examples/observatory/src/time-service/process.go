package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"
)

var started = time.Now()

// ticksPerSecond is the kernel's USER_HZ, which is 100 wherever Go runs on Linux.
const ticksPerSecond = 100

// writeProcess writes what the process itself uses, by Prometheus' usual names. CPU and memory come from /proc and are left
// out where there is none.
func writeProcess(w io.Writer) {
	gauge := func(name, kind, help string, value float64) {
		fmt.Fprintf(w, "# HELP %s %s\n# TYPE %s %s\n%s %g\n", name, help, name, kind, name, value)
	}
	gauge("go_goroutines", "gauge", "Goroutines that exist.", float64(runtime.NumGoroutine()))
	gauge("process_start_time_seconds", "gauge", "Start of the process, seconds since the epoch.",
		float64(started.UnixMilli())/1000)
	stat, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		return
	}
	cpu, memory, ok := parseStat(string(stat), os.Getpagesize())
	if !ok {
		return
	}
	gauge("process_cpu_seconds_total", "counter", "User and system CPU time.", cpu)
	gauge("process_resident_memory_bytes", "gauge", "Resident memory.", memory)
}

// parseStat reads CPU seconds and resident bytes from a line of proc(5)'s stat. The name in parentheses may hold anything,
// so fields are counted from the last one.
func parseStat(stat string, pageSize int) (cpu, memory float64, ok bool) {
	end := strings.LastIndexByte(stat, ')')
	if end < 0 {
		return 0, 0, false
	}
	fields := strings.Fields(stat[end+1:])
	if len(fields) < 22 {
		return 0, 0, false
	}
	user, err1 := strconv.ParseFloat(fields[11], 64)
	system, err2 := strconv.ParseFloat(fields[12], 64)
	pages, err3 := strconv.ParseFloat(fields[21], 64)
	if err1 != nil || err2 != nil || err3 != nil {
		return 0, 0, false
	}
	return (user + system) / ticksPerSecond, pages * float64(pageSize), true
}
