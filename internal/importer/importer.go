// Package importer holds the use cases: what happens from a file in the bucket
// to records and a report, and what people may do about it.
//
// It is the only package that sees all the others. Each step of the state
// machine is one method; a step may run again at any time, by itself or beside
// another, and then leaves what one run leaves. What an import is lies in the
// control table; what a step hands to the next lies in the bucket under fixed
// names. Payloads carry ids and keys, never a cell of a file.
package importer

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/dropload/dropload/internal/entity"
	"github.com/dropload/dropload/internal/execution"
	"github.com/dropload/dropload/internal/notice"
	"github.com/dropload/dropload/internal/object"
	"github.com/dropload/dropload/internal/queue"
	"github.com/dropload/dropload/internal/store"
)

// Config are the sizes that an importer works with. The zero value is not
// usable; see Defaults.
type Config struct {
	BatchRows    int           // about how many rows a batch plans
	PartBytes    int64         // the least size of a range of delimited text
	SegmentBytes int           // how much of prepared rows is gathered in memory
	MatchRows    int           // how many rows are matched at once
	Wave         int64         // how many records a worker writes at once; 0 is journal.Wave
	MaxUnmatched int           // unmatched names above which an import stops
	Reserve      time.Duration // how long before its end a worker hands over
	LateWorker   time.Duration // how long a worker that started may still write
}

// Defaults are the sizes for production.
func Defaults() Config {
	return Config{
		BatchRows: 20_000, PartBytes: 64 << 20, SegmentBytes: 48 << 20, MatchRows: 2_000, MaxUnmatched: 100_000,
		Reserve: 60 * time.Second, LateWorker: 15 * time.Minute,
	}
}

// Importer carries out the use cases. It has no state of its own.
type Importer struct {
	Records    store.Table
	Control    store.Table
	Objects    object.Store
	Executions execution.Executions
	Queue      queue.Queue   // of messages; nil where none is queued
	Sender     notice.Sender // nil where none is sent
	Catalog    *entity.Catalog
	Now        func() time.Time
	Log        *slog.Logger
	Config     Config
}

// Job names one round of one import; it is what the steps of the state machine
// pass on.
type Job struct {
	Tenant string `json:"tenant"`
	Import string `json:"import"`
	Round  int    `json:"round"`
	// Pass counts the times that batches of the round were planned because unique
	// values collided; see Settle.
	Pass int `json:"pass,omitempty"`
}

// Step is what a step answers. Every field is always there: a state machine
// fails on one that is missing.
type Step struct {
	Job Job `json:"job"`
	// Next is the branch that the state machine takes.
	Next string `json:"next"`
	// Manifest is the key of the list of work for the Map that follows, "" where
	// none does.
	Manifest string `json:"manifest"`
}

// work is the key of an object of a round.
func (j Job) work(name string) string {
	return fmt.Sprintf("work/%s/%s/%d/%s", j.Tenant, j.Import, j.Round, name)
}

// file is the key of an object of the import that all rounds share.
func (j Job) file(name string) string {
	return fmt.Sprintf("work/%s/%s/%s", j.Tenant, j.Import, name)
}

// journal is the key of a journal of a round.
func (j Job) journal(name string) string {
	return fmt.Sprintf("journals/%s/%s/%d/%s", j.Tenant, j.Import, j.Round, name)
}

// report is the key of a file for people.
func (j Job) report(name string) string {
	return fmt.Sprintf("reports/%s/%s/%s", j.Tenant, j.Import, name)
}

// named tells whether records of an entity are found by name.
func (i *Importer) named(name string) bool {
	for _, d := range i.Catalog.Entities() {
		for f := range d.Fields {
			ref := d.Fields[f].Ref
			if ref == nil {
				continue
			}
			for _, to := range ref.To {
				if to != name {
					continue
				}
				if slices.Contains(ref.By, "name") {
					return true
				}
			}
		}
	}
	return false
}

func (i *Importer) log(ctx context.Context, job Job, msg string, args ...any) {
	i.Log.InfoContext(ctx, msg, append([]any{"tenant", job.Tenant, "import", job.Import, "round", job.Round}, args...)...)
}
