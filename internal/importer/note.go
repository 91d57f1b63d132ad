package importer

import (
	"context"
	"fmt"

	"github.com/dropload/dropload/internal/fault"
)

// NoteInput is what a worker's branch of the state machine gives to Note.
type NoteInput struct {
	Job   Job    `json:"job"`
	Stage string `json:"stage"`
	Index int    `json:"index"`
	Error string `json:"error"`
	Cause string `json:"cause"`
}

func noteKey(job Job, stage string, index int) string {
	return job.work(fmt.Sprintf("notes/%s-%06d.json", stage, index))
}

// Note keeps why a worker failed, for the error of a Map names neither.
func (i *Importer) Note(ctx context.Context, in NoteInput) error {
	return i.putJSON(ctx, noteKey(in.Job, in.Stage, in.Index), in)
}

// missing is the fault of a stage in which a worker left no result: what one of
// its workers noted, or that none did.
func (i *Importer) missing(ctx context.Context, job Job, stage string, index int) error {
	infos, _, err := i.Objects.List(ctx, job.work("notes/"+stage+"-"), "")
	if err != nil {
		return fmt.Errorf("importer: looking for notes: %w", err)
	}
	if len(infos) == 0 {
		return &fault.Broken{Message: fmt.Sprintf("worker %d of %s left no result", index, stage)}
	}
	var n NoteInput
	if err := i.getJSON(ctx, infos[0].Key, &n); err != nil {
		return err
	}
	t := troubleOf(n.Error, n.Cause)
	switch n.Error {
	case "BadFile":
		return &fault.BadFile{Code: t.Code, Message: t.Message}
	case "Refused":
		return &fault.Refused{Code: t.Code, Message: t.Message}
	case "Cancelled":
		return &fault.Cancelled{}
	}
	return &fault.Broken{Message: fmt.Sprintf("worker %d of %s failed: %s", index, stage, t.Message)}
}
