// Package statemachine_test checks the state machines against the functions
// that they call and the template that deploys them.
package statemachine_test

import (
	"bytes"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/dropload/dropload/internal/fault"
	"github.com/dropload/dropload/internal/importer"
	"github.com/dropload/dropload/statemachine/asl"
)

func machine(t *testing.T) (*asl.Machine, []byte) {
	t.Helper()
	definition, err := os.ReadFile("import.asl.json")
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]string{}
	for _, p := range asl.Placeholders(definition) {
		names[p] = p
	}
	m, err := asl.Parse(definition, names)
	if err != nil {
		t.Fatal(err)
	}
	return m, definition
}

// Every target exists and is reached; every task has Retry, Catch and a
// timeout.
func TestMachineIsSound(t *testing.T) {
	t.Parallel()
	m, _ := machine(t)
	for _, finding := range asl.Check(m) {
		t.Error(finding)
	}
}

// What the machine catches and retries by name, and what the functions return,
// are the same faults.
func TestErrorsAreFaults(t *testing.T) {
	t.Parallel()
	m, _ := machine(t)
	var ours []string
	for _, name := range asl.Errors(m) {
		if !strings.Contains(name, ".") { // those of AWS have a point
			ours = append(ours, name)
		}
	}
	for _, name := range ours {
		if !slices.Contains(fault.Names(), name) {
			t.Errorf("the machine names %s, which no function returns", name)
		}
	}
	// All others end an import: States.ALL leads them to Report.
	if !slices.Equal(ours, []string{"Transient"}) {
		t.Errorf("the machine retries or catches %v by name, and only Transient may go through when tried again", ours)
	}
}

// Every payload decodes, strictly, into what the function takes, and every
// field that a state selects is always in the function's answer.
func TestPayloadsDecode(t *testing.T) {
	t.Parallel()
	m, _ := machine(t)
	type function struct{ in, out any }
	functions := map[string]function{
		"InspectFunctionArn":   {new(importer.InspectInput), importer.Step{}},
		"SplitFunctionArn":     {new(importer.Job), importer.Step{}},
		"PrepareFunctionArn":   {new(importer.WorkerInput), importer.WorkerStep{}},
		"TurnFunctionArn":      {new(importer.Job), importer.Step{}},
		"ReconcileFunctionArn": {new(importer.Job), importer.Step{}},
		"PlanFunctionArn":      {new(importer.WorkerInput), importer.WorkerStep{}},
		"SettleFunctionArn":    {new(importer.Job), importer.Step{}},
		"FoundFunctionArn":     {new(importer.Job), importer.Step{}},
		"ApplyFunctionArn":     {new(importer.WorkerInput), importer.WorkerStep{}},
		"ReportFunctionArn":    {new(importer.ReportInput), importer.ReportStep{}},
		"AwaitFunctionArn":     {new(importer.AwaitInput), nil},
		"NoteFunctionArn":      {new(importer.NoteInput), nil},
	}
	values := map[string]any{
		"job": importer.Job{Tenant: "t", Import: "i", Round: 1}, "event": map[string]any{}, "execution": "e",
		"index": 0, "item": map[string]any{}, "from": 0, "state": map[string]any{"job": 1}, "token": "t",
		"error": "e", "cause": "c", "kind": "turn", "stage": "plan",
	}
	called := map[string]bool{}
	for _, p := range asl.Payloads(m) {
		called[p.Function] = true
		f, ok := functions[p.Function]
		if !ok {
			t.Errorf("%s calls %s, which is not known", p.State, p.Function)
			continue
		}
		if p.Fields != nil {
			example := map[string]any{}
			for _, name := range p.Fields {
				if example[name], ok = values[name]; !ok {
					t.Errorf("%s gives %s, which is not known", p.State, name)
				}
			}
			decodeStrictly(t, p.State, example, f.in)
		}
		for _, path := range p.Selected {
			answer, err := json.Marshal(f.out)
			if err != nil {
				t.Fatal(err)
			}
			var fields map[string]json.RawMessage
			if err := json.Unmarshal(answer, &fields); err != nil {
				t.Fatal(err)
			}
			if name := strings.TrimPrefix(path, "$.Payload."); fields[name] == nil {
				t.Errorf("%s selects %s, which the answer of %s may lack", p.State, path, p.Function)
			}
		}
	}
	for name := range functions {
		if !called[name] {
			t.Errorf("no state calls %s", name)
		}
	}
}

func decodeStrictly(t *testing.T, state string, example map[string]any, into any) {
	t.Helper()
	b, err := json.Marshal(example)
	if err != nil {
		t.Fatal(err)
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	if _, open := example["state"]; !open { // the state of the machine holds more than Report reads
		dec.DisallowUnknownFields()
	}
	if err := dec.Decode(into); err != nil {
		t.Errorf("%s: %s is not taken: %v", state, b, err)
	}
}
