package importer

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/dropload/dropload/internal/entity"
	"github.com/dropload/dropload/internal/object"
	objects "github.com/dropload/dropload/internal/object/memory"
	"github.com/dropload/dropload/internal/store/memory"
)

func testImporter(t *testing.T) *Importer {
	t.Helper()
	catalog, err := entity.Standard()
	if err != nil {
		t.Fatal(err)
	}
	i := &Importer{
		Records: memory.New(memory.WithIndex("by-reference", "ref", "sk")), Control: memory.New(), Objects: objects.New(),
		Catalog: catalog, Now: time.Now, Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Config: Defaults(),
	}
	if err := i.CreateTenant(context.Background(), Tenant{ID: "demo"}); err != nil {
		t.Fatal(err)
	}
	return i
}

func TestWalk(t *testing.T) {
	ctx := context.Background()
	i := testImporter(t)
	file := "Company;E-mail;First name;Last name\n;a@x.de;Anna;Berg\n;nope;Bo;Ek\n;a@x.de;Anna;Bergman\n"
	for n := range 2 {
		info, err := i.Objects.Put(ctx, "inbox/demo/contacts/x.csv", strings.NewReader(file), object.PutOptions{})
		if err != nil {
			t.Fatal(err)
		}
		ev := fmt.Sprintf(`{"time":"2026-01-02T03:04:05Z","detail":{"bucket":{"name":"b"},"object":{"key":"inbox/demo/contacts/x.csv","version-id":%q,"etag":%q,"size":%d}}}`, info.Version, info.ETag, info.Size)
		step, err := i.Inspect(ctx, InspectInput{Event: json.RawMessage(ev), Execution: fmt.Sprint("e", n)})
		t.Log(step, err)
		if err != nil {
			t.Fatal(err)
		}
		if step, err = i.Split(ctx, step.Job); err != nil {
			t.Fatal(err)
		}
		each := func(f func(context.Context, WorkerInput) (WorkerStep, error)) {
			var items []json.RawMessage
			if err := i.getJSON(ctx, step.Manifest, &items); err != nil {
				t.Fatal(err)
			}
			for n, it := range items {
				if _, err := f(ctx, WorkerInput{Job: step.Job, Index: n, Item: it}); err != nil {
					t.Fatal(err)
				}
			}
		}
		each(i.Prepare)
		for _, f := range []func(context.Context, Job) (Step, error){i.Turn, i.Reconcile} {
			if step, err = f(ctx, step.Job); err != nil {
				t.Fatal(err)
			}
			t.Log(step)
		}
		each(i.Plan)
		for _, f := range []func(context.Context, Job) (Step, error){i.Settle, i.Found} {
			if step, err = f(ctx, step.Job); err != nil {
				t.Fatal(err)
			}
			t.Log(step)
		}
		if step.Next == "apply" {
			each(i.Apply)
		}
		rep, err := i.Report(ctx, ReportInput{Event: json.RawMessage(ev)})
		t.Logf("%+v %v", rep, err)
		m, err := i.Show(ctx, "demo", step.Job.Import)
		b, _ := json.MarshalIndent(m, "", " ")
		t.Log(string(b), err)
		if m.Reports.Failures != "" {
			r, _, _ := i.Objects.Get(ctx, object.Ref{Key: m.Reports.Failures}, object.Range{})
			b, _ := io.ReadAll(r)
			t.Logf("%q", b)
		}
	}
	_ = i.EachRecord(ctx, "demo", "contacts", func(r Record) error { t.Logf("%+v", r); return nil })
}
