package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/dropload/dropload/internal/importer"
	"github.com/dropload/dropload/internal/rehearsal"
	"github.com/dropload/dropload/statemachine/asl"
)

// counted is what one import of many rows took, each function by itself.
type counted struct {
	Rows        int                `json:"rows"`
	Seconds     float64            `json:"seconds"` // of all functions
	Requests    int64              `json:"requests"`
	Transitions int                `json:"transitions"`
	Peak        map[string]float64 `json:"peak"` // MB, by function
}

// scale imports contacts of three sizes, each in a process of its own over a
// bucket of files and a table that keeps nothing: what grows then is ours.
func scale(ctx context.Context, s *settings, res *results) error {
	var all []counted
	for _, rows := range []int{s.scale / 100, s.scale / 10, s.scale} {
		c, err := runChild(ctx, rows)
		if err != nil {
			return err
		}
		all = append(all, c)
	}
	least, less, most := all[0], all[1], all[2]
	millions := float64(most.Rows) / 1e6
	at := fmt.Sprintf("at %d rows", most.Rows)
	res.add("S3 requests per million rows, "+at, float64(most.Requests)/millions, 0, "requests", "< 3,000")
	res.add("state transitions per million rows, "+at, float64(most.Transitions)/millions, 0, "transitions", "< 1,000")
	for _, function := range []string{"Inspect", "Split", "Prepare", "Reconcile", "Plan", "Settle", "Found", "Apply", "Report"} {
		res.add(fmt.Sprintf("peak memory of %s, %s beside %d", function, at, less.Rows), most.Peak[function], less.Peak[function], "MB", "< 512")
	}
	slope := math.Log(most.Seconds/least.Seconds) / math.Log(float64(most.Rows)/float64(least.Rows))
	res.add(fmt.Sprintf("slope of time against rows, %d to %d", least.Rows, most.Rows), slope, 0, "", "≤ 1.05")
	return nil
}

func runChild(ctx context.Context, rows int) (counted, error) {
	var c counted
	self, err := os.Executable()
	if err != nil {
		return c, err
	}
	cmd := exec.CommandContext(ctx, self, "-child", strconv.Itoa(rows))
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return c, err
	}
	err = json.Unmarshal(out, &c)
	return c, err
}

// countChild counts one import, a function at a time.
func countChild(ctx context.Context, rows int, w io.Writer) (err error) {
	folder, err := os.MkdirTemp("", "dropload-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	files := &bucket{folder: folder}
	c := counted{Rows: rows, Peak: map[string]float64{}}
	config := importer.Defaults()
	one := make(chan struct{}, 1)
	var since time.Time
	s, err := rehearsal.New(ctx, rehearsal.Options{
		Config: &config, Table: nothing{},
		Before: func(string, []byte) *asl.Error {
			one <- struct{}{}
			debug.FreeOSMemory()
			forgetPeak()
			since = time.Now()
			return nil
		},
		After: func(function string, _ []byte) *asl.Error {
			c.Seconds += time.Since(since).Seconds()
			c.Peak[function] = max(c.Peak[function], peak())
			<-one
			return nil
		},
	})
	if err != nil {
		return err
	}
	s.Objects, s.Runner.Objects = files, files
	k := contacts(true)
	key := importer.InboxPrefix(rehearsal.Tenant, k.entity) + "scale.csv"
	r, pipe := io.Pipe()
	go func() { _ = pipe.CloseWithError(k.writeCSV(pipe, rows, edition{})) }()
	info, err := files.store(key, r)
	if err != nil {
		return err
	}
	event := fmt.Appendf(nil, `{"time":%q,"detail":{"bucket":{"name":"bucket"},"object":{"key":%q,"size":%d,"etag":%q,"sequencer":"1"}}}`,
		time.Now().UTC().Format(time.RFC3339), key, info.Size, info.ETag)
	x, err := s.Runner.Run(ctx, "scale", event)
	if err != nil {
		return err
	}
	m, err := s.Of(ctx, rehearsal.Drop{Key: key})
	if err != nil {
		return err
	}
	if m.State != importer.Completed || m.Rows.Created != int64(rows) {
		return fmt.Errorf("the import of %d rows ended %s: %+v %+v", rows, m.State, m.Rows, m.Trouble)
	}
	c.Requests, c.Transitions = files.requests.Load(), transitions(x)
	return json.NewEncoder(w).Encode(c)
}

// transitions are the states that an execution and its children entered.
func transitions(x asl.Execution) int {
	n := len(x.Path)
	for _, child := range x.Children {
		n += transitions(child)
	}
	return n
}

// forgetPeak begins to measure the process's peak of memory anew, where the
// system can (Linux).
func forgetPeak() { _ = os.WriteFile(filepath.Join("/proc", "self", "clear_refs"), []byte("5"), 0) }

// peak is the process's peak of memory in MB, 0 where the system does not say.
func peak() float64 {
	b, err := os.ReadFile(filepath.Join("/proc", "self", "status"))
	if err != nil {
		return 0
	}
	for line := range bytes.Lines(b) {
		name, rest, _ := strings.Cut(string(line), ":")
		if name == "VmHWM" {
			kb, _ := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 64)
			return kb / 1024
		}
	}
	return 0
}
