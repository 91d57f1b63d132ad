//go:build e2e

package e2e_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/dropload/dropload/internal/importer"
	"github.com/dropload/dropload/internal/object"
)

// workerKilled kills the process of the function that applies, in the middle
// of its work. Both engines run functions as processes of this machine; on AWS
// nobody can do that.
func workerKilled(t *testing.T, s *trial) {
	if s.Clients.Config.BaseEndpoint == nil {
		t.Skip("on AWS a function's process cannot be killed")
	}
	const n = 2500
	rows := [][]string{{"Code", "E-mail", "First name"}}
	for i := range n {
		rows = append(rows, []string{fmt.Sprintf("P-%05d", i), fmt.Sprintf("ada%d@example.com", i), "Ada"})
	}
	file := text(t, ',', rows)
	key := s.Drop(t, "contacts", "people.csv", file)
	s.in(t, key, importer.Applying)
	s.firstStored(t, "contacts")

	killed := s.kill(t, "ApplyFunction")
	at := time.Now()
	t.Logf("killed %d processes", killed)
	stored := len(s.list(t, "contacts", "code"))
	if killed == 0 || stored == n {
		t.Fatalf("%d of %d records are stored: no worker was in the middle", stored, n)
	}

	m := s.ended(t, key)
	want(t, "state", m.State, importer.Completed)
	want(t, "rows", m.Rows, counts(n, n, 0, 0, 0, 0))
	want(t, "records", s.list(t, "contacts", "code", "first_name"), crowdStored(n, "Ada"))
	err := s.use.EachRecord(t.Context(), s.Tenant, "contacts", func(r importer.Record) error {
		if r.Ver != m.NewVer {
			return fmt.Errorf("%s has the version %d, not that of a record written once, %d", r.Key, r.Ver, m.NewVer)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	marks := fmt.Sprintf("work/%s/%s/%d/apply/000000.started", s.Tenant, m.ID, m.Round)
	mark, err := s.Objects.Head(t.Context(), object.Ref{Key: marks})
	if err != nil {
		t.Fatal(err)
	}
	if mark.Modified.Before(at.Truncate(time.Second)) {
		t.Errorf("the worker started at %s and was killed at %s: it was not called again", mark.Modified, at)
	}

	// All the e-mails are claimed by their records, once.
	m = s.imported(t, "contacts", "again.csv", file)
	want(t, "rows of the same again", m.Rows, counts(n, 0, 0, n, 0, 0))
}

// kill ends the processes of a function of this stack and returns how many
// there were.
func (s *trial) kill(t *testing.T, function string) (killed int) {
	t.Helper()
	environs, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil {
		t.Fatal(err)
	}
	if len(environs) == 0 {
		t.Skip("processes are found by Linux's /proc")
	}
	for _, name := range environs {
		env, err := os.ReadFile(name)
		if err != nil {
			continue // another user's, or ended
		}
		vars := map[string]string{}
		for entry := range bytes.SplitSeq(env, []byte{0}) {
			name, value, _ := bytes.Cut(entry, []byte{'='})
			vars[string(name)] = string(value)
		}
		ours := vars["AWS_ENDPOINT_URL"] == *s.Clients.Config.BaseEndpoint && vars["RECORDS_TABLE"] == s.RecordsTable
		if !ours || !strings.Contains(vars["AWS_LAMBDA_FUNCTION_NAME"], function) {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(name)))
		if err != nil {
			t.Fatal(err)
		}
		if err := syscall.Kill(pid, syscall.SIGKILL); err == nil {
			killed++
		}
	}
	return killed
}
