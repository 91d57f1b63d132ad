package asl

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"time"
)

// walker carries one execution through a machine.
type walker struct {
	r       *Runner
	name    string
	ctx     context.Context // ends when the execution is aborted
	callCtx context.Context // the functions': they outlive an abort
	context map[string]any  // $$ but for State, Task and Map

	path     []string
	history  int
	children []Execution
}

func (r *Runner) walker(name string, input any, ctx, callCtx context.Context) *walker {
	return &walker{r: r, name: name, ctx: ctx, callCtx: callCtx, context: map[string]any{
		"Execution": map[string]any{
			"Id":        "arn:aws:states:local:000000000000:execution:machine:" + name,
			"Name":      name,
			"Input":     input,
			"StartTime": stamp(r.clock().Now()),
			"RoleArn":   "arn:aws:iam::000000000000:role/machine",
		},
		"StateMachine": map[string]any{"Id": "arn:aws:states:local:000000000000:stateMachine:machine", "Name": "machine"},
	}}
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// aborted is the end of an execution that was stopped from outside.
const aborted = "\x00aborted"

func (w *walker) execute(m *Machine, input any) Execution {
	x := Execution{Name: w.name, Started: w.r.clock().Now()}
	output, err := w.walk(m, input)
	x.Stopped, x.Path, x.Children = w.r.clock().Now(), w.path, w.children
	switch {
	case err == nil:
		x.Status, x.Output = Succeeded, encode(output)
	case err.Name == aborted:
		x.Status = Aborted
	default:
		x.Status, x.Error, x.Cause = Failed, err.Name, err.Cause
	}
	return x
}

func (w *walker) walk(m *Machine, data any) (any, *Error) {
	for name := m.StartAt; ; {
		if w.ctx.Err() != nil {
			return nil, &Error{Name: aborted}
		}
		w.path = append(w.path, name)
		if err := w.record(2); err != nil {
			return nil, err
		}
		v := &visit{walker: w, name: name, s: m.States[name], raw: data}
		v.scope.context = w.stateContext(name, 0)
		var err *Error
		if name, data, err = v.run(); err != nil || name == "" {
			return data, err
		}
		if n := len(encode(data)); n > maxPayload {
			return nil, tooLong("state "+v.name, n)
		}
	}
}

func tooLong(what string, n int) *Error {
	return &Error{Name: "States.DataLimitExceeded", Cause: fmt.Sprintf("%s: %d bytes, at most %d", what, n, maxPayload)}
}

// record counts events of the history.
func (w *walker) record(n int) *Error {
	if w.history += n; w.history > maxHistory {
		return runtimeError("the execution reached the maximum number of history events (%d)", maxHistory)
	}
	return nil
}

func (w *walker) stateContext(name string, retries int) map[string]any {
	c := make(map[string]any, len(w.context)+2)
	maps.Copy(c, w.context)
	c["State"] = map[string]any{
		"Name": name, "EnteredTime": stamp(w.r.clock().Now()), "RetryCount": json.Number(fmt.Sprint(retries)),
	}
	return c
}

// visit is one state being entered once.
type visit struct {
	*walker
	name  string
	s     *State
	raw   any   // the state's input as it came
	scope scope // the input after InputPath, and the context
}

// run carries the state out: next is "" at the end.
func (v *visit) run() (next string, output any, err *Error) {
	if v.s.Type == "Fail" {
		return "", nil, v.fail()
	}
	if v.scope.input, err = v.through(v.s.InputPath, v.raw); err != nil {
		return "", nil, err
	}
	next = v.s.Next
	switch v.s.Type {
	case "Choice":
		next, err = v.choose()
		output = v.scope.input
	case "Wait":
		output, err = v.scope.input, v.pause()
	case "Succeed":
		output = v.scope.input
	case "Pass":
		output, err = v.pass()
	case "Task", "Map":
		var caught bool
		if next, output, caught, err = v.attempts(); caught {
			return next, output, nil
		}
	}
	if err != nil {
		return "", nil, err
	}
	output, err = v.through(v.s.OutputPath, output)
	return next, output, err
}

// through applies an InputPath or OutputPath.
func (v *visit) through(p nullable, data any) (any, *Error) {
	if p.Null {
		return map[string]any{}, nil
	}
	if p.path() == "$" {
		return data, nil
	}
	return scope{input: data, context: v.scope.context}.find(p.path())
}

// merge applies a ResultPath.
func merge(p nullable, raw, result any) (any, *Error) {
	if p.Null {
		return raw, nil
	}
	to, err := parsePath(p.path())
	if err != nil {
		return nil, runtimeError("%v", err)
	}
	return to.put(raw, result)
}

func (v *visit) fail() *Error {
	failed := &Error{Name: v.s.Error, Cause: v.s.Cause}
	v.scope.input = v.raw
	for path, to := range map[string]*string{v.s.ErrorPath: &failed.Name, v.s.CausePath: &failed.Cause} {
		if path == "" {
			continue
		}
		found, err := v.scope.find(path)
		if err != nil {
			return err
		}
		text, ok := found.(string)
		if !ok {
			return runtimeError("%s is not a text", path)
		}
		*to = text
	}
	return failed
}

func (v *visit) choose() (string, *Error) {
	for _, r := range v.s.Choices {
		ok, err := r.holds(v.scope)
		if err != nil {
			return "", err
		}
		if ok {
			return r.Next, nil
		}
	}
	if v.s.Default == "" {
		return "", &Error{Name: "States.NoChoiceMatched", Cause: "no rule of " + v.name + " holds"}
	}
	return v.s.Default, nil
}

func (v *visit) pass() (any, *Error) {
	result := v.scope.input
	var err *Error
	if v.s.Parameters != nil {
		if result, err = v.scope.template(v.s.Parameters); err != nil {
			return nil, err
		}
	}
	if v.s.Result != nil {
		fixed, bad := decode(v.s.Result)
		if bad != nil {
			return nil, runtimeError("Result: %v", bad)
		}
		result = fixed
	}
	return merge(v.s.ResultPath, v.raw, result)
}

func (v *visit) pause() *Error {
	d, err := v.pauseLength()
	if err != nil {
		return err
	}
	if v.r.clock().Sleep(v.ctx, d) != nil {
		return &Error{Name: aborted}
	}
	return nil
}

func (v *visit) pauseLength() (time.Duration, *Error) {
	seconds, until := float64(0), v.s.Timestamp
	switch {
	case v.s.Seconds != nil:
		seconds = *v.s.Seconds
	case v.s.SecondsPath != "":
		found, err := v.scope.find(v.s.SecondsPath)
		if err != nil {
			return 0, err
		}
		n, ok := number(found)
		if !ok || n.Sign() < 0 {
			return 0, runtimeError("%s is not a number of seconds", v.s.SecondsPath)
		}
		seconds, _ = n.Float64()
	case v.s.TimestampPath != "":
		found, err := v.scope.find(v.s.TimestampPath)
		if err != nil {
			return 0, err
		}
		until, _ = found.(string)
	}
	if until != "" || v.s.TimestampPath != "" {
		t, ok := timestamp(until)
		if !ok {
			return 0, runtimeError("%q is not a timestamp", until)
		}
		return max(0, t.Sub(v.r.clock().Now())), nil
	}
	return time.Duration(seconds * float64(time.Second)), nil
}

// attempts carries a Task or a Map out with its Retry and its Catch.
func (v *visit) attempts() (next string, output any, caught bool, err *Error) {
	tries := make([]int, len(v.s.Retry))
	for retries := 0; ; retries++ {
		v.scope.context = v.stateContext(v.name, retries)
		if output, err = v.once(); err == nil {
			return v.s.Next, output, false, nil
		}
		if err.Name == aborted {
			return "", nil, false, err
		}
		delay, again := v.retry(err, tries)
		if !again {
			break
		}
		if v.r.clock().Sleep(v.ctx, delay) != nil {
			return "", nil, false, &Error{Name: aborted}
		}
	}
	for _, c := range v.s.Catch {
		if !err.matches(c.ErrorEquals) {
			continue
		}
		output, bad := merge(c.ResultPath, v.raw, map[string]any{"Error": err.Name, "Cause": err.Cause})
		return c.Next, output, bad == nil, bad
	}
	return "", nil, false, err
}

// retry says whether and when to try again after an error: by the first retrier
// that covers it. Jitter is left out, so that tests repeat themselves.
func (v *visit) retry(failed *Error, tries []int) (time.Duration, bool) {
	for i, r := range v.s.Retry {
		if !failed.matches(r.ErrorEquals) {
			continue
		}
		attempts, interval, rate := or(r.MaxAttempts, 3), or(r.IntervalSeconds, 1), or(r.BackoffRate, 2.0)
		if tries[i] >= attempts {
			return 0, false
		}
		seconds := float64(interval) * math.Pow(rate, float64(tries[i]))
		if r.MaxDelaySeconds != nil {
			seconds = min(seconds, float64(*r.MaxDelaySeconds))
		}
		tries[i]++
		return time.Duration(seconds * float64(time.Second)), true
	}
	return 0, false
}

func or[T any](p *T, otherwise T) T {
	if p == nil {
		return otherwise
	}
	return *p
}

// once carries the work out once, and its result through ResultSelector and
// ResultPath.
func (v *visit) once() (any, *Error) {
	if err := v.record(3); err != nil {
		return nil, err
	}
	var result any
	var err *Error
	if v.s.Type == "Map" {
		result, err = v.distribute()
	} else {
		result, err = v.task()
	}
	if err != nil {
		return nil, err
	}
	if v.s.ResultSelector != nil {
		if result, err = (scope{input: result, context: v.scope.context}).template(v.s.ResultSelector); err != nil {
			return nil, err
		}
	}
	return merge(v.s.ResultPath, v.raw, result)
}
